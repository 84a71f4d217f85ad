"""The model commands inside queries: models from ml.fit, training subqueries, whole-table commands, bad input.

Expected values come from scikit-learn or numpy applied to the same rows, from closed formulas, or from how the data was
planted.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

import logsql
from logsql.diagnostics.errors import LogsqlError, PolicyError
from logsql.engine.session import Session
from logsql.planner.spec import COMMANDS
from sample_data.make_samples import transaction_rows
from tests.ml.bots import FIELDS, bot_csv, bot_table
from tests.ml.support import DATA_FOLDERS, ml
from tests.support import sample

ML_COMMANDS = ("rforest", "anomalies", "kmeans", "lof", "tfidf", "curvefit", "stl", "forecast")


pytestmark = pytest.mark.usefixtures("own_data_folder")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model ``bot``, trained through a CSV file as in the article, and the key that seals it."""
    folder = tmp_path_factory.mktemp("trained")
    path = bot_csv(folder, 4000, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        for name in DATA_FOLDERS:
            patch.setenv(name, str(folder / "user"))
        with logsql.connect(str(folder / "case.duckdb"), tz="UTC") as session:
            said = ml(
                session,
                f'ml.addCsvInput bot "{path}"',
                'ml.createModel rforest bot bot fields="+label, *"',
                "ml.fit bot wait=t",
            )
    assert said.split() == ["added", "created", "started", "finished"]
    return folder


@pytest.fixture
def bot(trained: Path, tmp_path: Path, own_data_folder: None) -> Iterator[Session]:
    """A session of the test's own that has the model ``bot``."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    with logsql.connect(str(tmp_path / "case.duckdb"), tz="UTC") as opened:
        yield opened


def stored_estimator(folder: Path, name: str) -> tuple[Any, dict[str, Any]]:
    """The forest as scikit-learn's own object, and the manifest beside it."""
    (manifest,) = (folder / "case.duckdb.ml" / "models").glob(f"{name}.*.json")
    facts = json.loads(manifest.read_text())["manifest"]
    return joblib.load(manifest.parent / facts["training"]["payload"]), facts


def predicted(folder: Path, name: str, rows: pa.Table) -> list[str]:
    """Labels by scikit-learn alone: fields minus their stored offset as float32, null as NaN."""
    estimator, facts = stored_estimator(folder, name)
    columns = []
    for spec in facts["training"]["features"]:
        values = rows.column(spec["name"]).to_pylist()
        columns.append([math.nan if v is None else float(v) - spec["offset"] for v in values])
    matrix = np.array(columns, dtype=np.float32).T
    vectors, back = np.unique(matrix, axis=0, return_inverse=True)
    classes = facts["training"]["classes"]
    return [classes[int(code)] for code in estimator.predict(vectors)[back.ravel()]]


# --- rforest ----------------------------------------------------------------------------------------------------------


def test_confusion_matrix_of_many_records(bot: Session, tmp_path: Path) -> None:
    records = sample(300_000, 50_000)
    rows = bot_table(records, seed=5)
    bot.register("t", rows)
    query = f"table t | rforest model=bot {', '.join(FIELDS)} | stats count by _guess, label"
    found = {(r["_guess"], r["label"]): r["count"] for r in bot.query(query).rows()}
    expected = Counter(zip(predicted(tmp_path, "bot", rows), rows.column("label").to_pylist(), strict=True))
    assert found == dict(expected)
    # Half a percent of the generated labels is wrong, and a few scanners look exactly like browsers.
    assert found["BENIGN", "BENIGN"] + found["MALICIOUS", "MALICIOUS"] > 0.98 * records


def test_every_row_stays_and_keeps_its_place(bot: Session, tmp_path: Path) -> None:
    rows = bot_table(5000, seed=8).append_column("id", pa.array(range(5000)))
    bot.register("t", rows)
    expected = predicted(tmp_path, "bot", rows)
    found = bot.query("table t | rforest model=bot | fields id, _guess").rows()
    assert [(r["id"], r["_guess"]) for r in found] == list(enumerate(expected))
    turned = bot.query("table t | eval x = id + 1 | sort -id | rforest model=bot | fields id, _guess").rows()
    assert [(r["id"], r["_guess"]) for r in turned] == list(enumerate(expected))[::-1]
    first = bot.query("table t | sort -id | rforest model=bot | limit 3 | fields id").rows()
    assert [r["id"] for r in first] == [4999, 4998, 4997]


def test_features_that_change_with_every_reading_are_read_once(bot: Session) -> None:
    # rand() gives other numbers each time the rows are read: a join back on a second reading would lose the guesses.
    bot.register("t", bot_table(1000, seed=8))
    query = "table t | eval header_count = rand(1000000) | rforest model=bot | search isnull(_guess) | stats count"
    assert bot.query(query).rows() == [{"count": 0}]


def test_only_plain_tables_are_read_twice(bot: Session) -> None:
    now = dt.datetime.now(dt.UTC)
    bot.register("t", bot_table(10, seed=8).append_column("_time", pa.array([now] * 10, pa.timestamp("us", "UTC"))))
    for source, kept in (("table t", False), ("table t | fields - label", False), ("table duration=1h t", True)):
        assert ("CREATE TEMP TABLE" in bot.translate(f"{source} | rforest model=bot")) is kept
    rows = bot.query("table duration=1h t | rforest model=bot").rows()
    assert len(rows) == 10
    assert all(r["_guess"] for r in rows)


def test_probability_and_all_labels(bot: Session) -> None:
    bot.register("t", bot_table(200, seed=8))
    rows = bot.query("table t | rforest probability=t model=bot").rows()
    assert len(rows) == 200
    for row in rows:
        chances = row["_probabilities"]
        assert set(chances) == {"BENIGN", "MALICIOUS"}
        assert sum(chances.values()) == pytest.approx(1.0)
        assert row["_probability"] == max(chances.values())
        assert chances[row["_guess"]] == row["_probability"]


def test_a_field_of_the_same_name_is_replaced(bot: Session) -> None:
    bot.register("t", bot_table(10, seed=8))
    result = bot.query('table t | eval _guess = "before" | rforest model=bot | fields _guess')
    assert {r["_guess"] for r in result.rows()} <= {"BENIGN", "MALICIOUS"}


class Unreadable:
    """A table whose rows cannot be read."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        raise RuntimeError("a row was read")


def test_model_is_verified_before_a_row_is_read(bot: Session, tmp_path: Path) -> None:
    (payload,) = (tmp_path / "case.duckdb.ml" / "models").glob("bot.*.joblib")
    data = bytearray(payload.read_bytes())
    data[len(data) // 2] ^= 1
    payload.write_bytes(bytes(data))
    # The table is read only behind the check: its rows would raise another error.
    bot.register("t", Unreadable(bot_table(10, seed=8).schema))
    query = bot.query("table t | rforest model=bot")
    assert "rforest" in bot.translate("table t | rforest model=bot")
    with pytest.raises(LogsqlError) as caught:
        query.rows()
    assert caught.value.code == "41121"


@pytest.mark.parametrize(
    ("query", "code", "message", "span"),
    [
        ("table t | rforest model=boot", "41101", "model 'boot' does not exist", "boot"),
        ("table t | rforest model=", "41100", "the model option is empty", ""),
        ("table t | rforest header_count", "41100", "rforest needs model= or target=", "rforest"),
        ("table t | anomalies model=bot", "41102", "the type rforest, and this command needs iforest", "bot"),
        ("table t | rforest model=bot header_count, hedder", "41110", "unknown field 'hedder' of model bot", "hedder"),
        ("table t | rforest model=bot header_count", "41110", "the field list lacks has_sec_fetch_site", None),
        ("table t | fields label, chrome_ver | rforest model=bot", "41110", "needs the field 'header_count'", None),
        (
            "table t | eval chrome_ver = string(chrome_ver) | rforest model=bot",
            "41115",
            "field 'chrome_ver' is text here, and model bot was trained on a number",
            None,
        ),
        ("table t | rforest model=bot [ table t ]", "90001", "model= takes no subquery", "model=bot"),
        ("table t | rforest model=bot target=label a [ table t ]", "90001", "give one of them", "target=label"),
        ("table t | rforest target=label", "41118", "needs at least one field", "rforest"),
        ("table t | rforest target=label chrome_ver", "E0003", "", None),
        ("table t | rforest target=lable chrome_ver [ table t ]", "41111", "'lable' is not a field of", "lable"),
        ("table t | rforest target=label chrom [ table t ]", "41110", "'chrom' of the training subquery", "chrom"),
        ("table t | rforest target=label label [ table t ]", "41151", "is also a feature", "label"),
        ("table t | anomalies chrome_ver", "E0003", "", None),
        ("table t | kmeans label", "41115", "kmeans needs numbers, and field 'label' is text", "label"),
        ("table t | kmeans chrome", "41110", "unknown field 'chrome' of the rows", "chrome"),
        ("table t | kmeans", "41118", "kmeans needs at least one field", "kmeans"),
        ("table t | lof chrome_ver [ table t ]", "41150", "needs by FIELD", "[ table t ]"),
        ("table t | lof eps=2 chrome_ver", "90001", "eps= takes a number above 0 and up to 1", "2"),
        ("table t | curvefit chrome_ver", "41150", "two different fields", "curvefit"),
        ("table t | stl a, b", "40300", "stl needs one field", "b"),
        ("table t | stl chrome_ver by", "40301", "a field is missing after by", None),
        ("table t | stl chrome_ver", "41110", "unknown field '_time'", None),
        ("table t | eval _time = label | stl chrome_ver", "41115", "stl needs a date in '_time'", None),
        ("table t | eval _time = now() | stl period=2mons chrome_ver", "90502", "", "2mons"),
        ("table t | eval _time = now() | forecast confidence=100 chrome_ver", "90001", "1 to 99 percent", "100"),
    ],
)
def test_wrong_calls_are_refused_before_rows_are_read(
    bot: Session, query: str, code: str, message: str, span: str | None
) -> None:
    bot.register("t", bot_table(10, seed=8))
    with pytest.raises(LogsqlError) as caught:
        bot.query(query)
    error = caught.value
    assert (error.code, message in error.diagnostic.message) == (code, True), error
    assert error.span is not None
    if span is not None:
        assert query[error.span.start : error.span.end] == span
    if code == "41110" and "model=" in query:
        assert f"fields of model bot: {', '.join(FIELDS)}" in error.notes


def test_untrained_model(session: Session, tmp_path: Path) -> None:
    ml(session, f'ml.addCsvInput i "{bot_csv(tmp_path, 100)}"', 'ml.createModel rforest raw i fields="+label, *"')
    session.register("t", bot_table(10))
    with pytest.raises(LogsqlError) as caught:
        session.query("table t | rforest model=raw")
    assert (caught.value.code, caught.value.help) == ("41116", "run ml.fit raw")


@pytest.mark.parametrize(
    ("subquery", "reason"),
    [
        ('table t | search label == "BENIGN"', "the target field 'label' has only one class, 'BENIGN'"),
        ("table t | limit 0", "the training data has no rows"),
        ("table t | eval chrome_ver = int(null)", "field 'chrome_ver' is null in all 300 training rows"),
        ("table t | eval label = null", "the target field 'label' has no value at all"),
    ],
)
def test_a_failed_training_leaves_its_reason_in_the_rows(session: Session, subquery: str, reason: str) -> None:
    session.register("t", bot_table(300))
    query = f"table t | limit 4 | rforest target=label chrome_ver, header_count [ {subquery} ]"
    rows = session.query(query).rows()
    assert len(rows) == 4
    assert all(r["_guess"] is None and reason in r["_rforest_error"] for r in rows)


def test_training_ran_out_of_time(session: Session) -> None:
    session.register("t", bot_table(4000))
    query = f"table t | limit 1 | rforest size=5000 timeout=1s target=label {', '.join(FIELDS)} [ table t ]"
    (row,) = session.query(query).rows()
    assert (row["_guess"], "timeout" in row["_rforest_error"]) == (None, True)


def test_training_subquery_learns_numbers_dates_addresses_and_texts(session: Session) -> None:
    day = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    known = [
        {"n": n, "t": day + dt.timedelta(days=n), "ip": f"10.0.{n % 2}.1", "os": "xp" if n < 50 else "11",
         "ok": n % 2 == 0, "risk": 1 if n < 50 else 0}
        for n in range(100)
    ]  # fmt: skip
    session.register("known", pa.Table.from_pylist(known))
    for fields in ("n", "t", "os", "n, t, ip, os, ok"):
        query = f"table known | rforest target=risk {fields} [ table known ] | stats count by risk, _guess"
        rows = session.query(query).rows()
        assert [(r["risk"], r["_guess"], r["count"]) for r in rows] == [(0, 0, 50), (1, 1, 50)]
        assert (
            session.query(f"table known | rforest target=risk {fields} [ table known ]").rows()[0]["_rforest_error"]
            is None
        )


def test_a_mixed_field_counts_what_is_no_number(session: Session) -> None:
    known = pa.table({"a": [1, 2, 8, 9] * 10, "label": ["low", "low", "high", "high"] * 10})
    session.register("known", known)
    source = """json "[{'a': 1}, {'a': 'x'}, {'a': 9}, {'a': 'x'}, {'a': null}]" """
    result = session.query(f"{source} | rforest target=label a [ table known ] | fields a, _guess")
    rows = result.rows()
    assert [r["a"] for r in rows] == [1, "x", 9, "x", None]
    assert (rows[0]["_guess"], rows[2]["_guess"]) == ("low", "high")
    lost = [(e.source, e.reason, e.count) for e in result.ledger]
    assert lost == [("rforest a", "not-the-type-of-the-model", 2)]


def test_training_on_a_mixed_field(session: Session) -> None:
    items = ", ".join(f"{{'a': {n}, 'label': '{'low' if n < 5 else 'high'}'}}" for n in (1, 2, 3, 7, 8, 9))
    names = ", ".join(f"{{'a': '{v}', 'label': '{label}'}}" for v, label in (("x", "p"), ("y", "q"), ("4", "q")))
    session.register("t", pa.table({"a": [2, 8]}))
    number = f'table t | rforest target=label a [ json "[{items}]" | repeat count=5 ] | fields _guess'
    assert [r["_guess"] for r in session.query(number).rows()] == ["low", "high"]
    session.register("s", pa.table({"a": ["x", "4"]}))
    text = f'table s | rforest target=label a [ json "[{names}]" | repeat count=5 ] | fields _guess'
    assert [r["_guess"] for r in session.query(text).rows()] == ["p", "q"]


# --- anomalies --------------------------------------------------------------------------------------------------------


def transactions() -> pa.Table:
    rows = transaction_rows()
    columns = list(zip(*rows, strict=True))
    names = ("_time", "id", "age", "cnt", "amount", "planted")
    table = pa.table(dict(zip(names, (list(c) for c in columns), strict=True)))
    times = [dt.datetime.fromisoformat(str(t)).replace(tzinfo=dt.UTC) for t in columns[0]]
    return table.set_column(0, "_time", pa.array(times, pa.timestamp("us", "UTC")))


ARTICLE = """table transaction
| anomalies _time, age, cnt [ table transaction ]
| eval category = if(_score >= 0.7, "outlier", "normal")"""


def test_planted_outliers_of_the_isolation_article(session: Session) -> None:
    session.register("transaction", transactions())
    rows = session.query(ARTICLE).rows()
    assert len(rows) == 2000
    counts = Counter((r["category"], r["planted"]) for r in rows)
    # 20 transactions are planted: at least 19 are found (recall 0.95), and nothing else is called an outlier.
    assert counts["outlier", 1] >= 19
    assert counts["outlier", 0] == 0


def test_scores_are_those_of_scikit_learn(session: Session) -> None:
    table = transactions()
    session.register("transaction", table)
    # ``table`` reads the newest row first, and a forest depends on the order of its training rows.
    rows = session.query("table transaction | anomalies _time, age, cnt [ table transaction ]").rows()
    order = np.array([[r["_time"].timestamp() * 1000, r["age"], r["cnt"]] for r in rows], dtype=np.float64)
    matrix = (order - order.min(axis=0)).astype(np.float32)
    forest = IsolationForest(n_estimators=100, max_samples=math.isqrt(2000), random_state=42).fit(matrix)
    assert np.allclose([r["_score"] for r in rows], -forest.score_samples(matrix), rtol=0, atol=1e-12)


def test_fields_that_made_a_row_stand_out(session: Session) -> None:
    session.register("transaction", transactions())
    query = "table transaction | anomalies scorer=2 age, cnt, amount [ table transaction ] | sort limit=5 -_score"
    rows = session.query(query).rows()
    assert len(rows) == 5
    for row in rows:
        assert row["planted"] == 1
        names = [item["field"] for item in row["_scorer"]]
        assert len(names) == 2
        assert set(names) <= {"age", "cnt", "amount"}
        assert row["_scorer"][0]["weight"] >= row["_scorer"][1]["weight"] > 0


def test_stored_isolation_forest(session: Session, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(transactions(), tmp_path / "t.parquet")
    ml(
        session,
        f'ml.addParquetInput tx "{tmp_path / "t.parquet"}"',
        'ml.createModel iforest tx tx fields="age, cnt, _time"',
        "ml.fit tx wait=t",
    )
    session.register("transaction", transactions())
    query = "table transaction | anomalies model=tx | search _score >= 0.7 | stats count, sum(planted) as planted"
    (row,) = session.query(query).rows()
    assert row["planted"] == row["count"] >= 19


def test_anomalies_without_training_rows_ends_the_query(session: Session) -> None:
    session.register("t", pa.table({"a": [1, 2, 3]}))
    for subquery, code in (("table t | limit 0", "41113"), ("table t | eval a = int(null)", "41114")):
        with pytest.raises(LogsqlError) as caught:
            session.query(f"table t | anomalies a [ {subquery} ]").rows()
        assert caught.value.code == code


# --- whole tables -----------------------------------------------------------------------------------------------------


def test_kmeans_keeps_every_field_and_counts_what_is_no_number(session: Session) -> None:
    source = """json "[{'a': 1, 'l': [1, 'x']}, {'a': 'n', 'l': null}, {'a': 9, 'l': {'k': 1}}, {'a': 1.5, 'l': 2}]" """
    result = session.query(f"{source} | kmeans k=2 a")
    assert result.rows() == [
        {"a": 1, "l": [1, "x"], "_cluster": 1},
        {"a": "n", "l": None, "_cluster": None},
        {"a": 9, "l": {"k": 1}, "_cluster": 2},
        {"a": 1.5, "l": 2, "_cluster": 1},
    ]
    assert [(e.source, e.count) for e in result.ledger] == [("kmeans", 1)]


def test_kmeans_of_fewer_rows_than_clusters(session: Session) -> None:
    session.register("t", pa.table({"a": [1.0, 2.0]}))
    with pytest.raises(LogsqlError) as caught:
        session.query("table t | kmeans a").rows()
    assert caught.value.code == "41113"


def test_lof_is_scikit_learns(session: Session) -> None:
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.normal(size=(200, 2)), [[6.0, 6.0]]])
    session.register("t", pa.table({"x": points[:, 0], "y": points[:, 1]}))
    expected = -LocalOutlierFactor(n_neighbors=10).fit(points).negative_outlier_factor_
    found = session.query("table t | lof x, y").rows()
    assert np.allclose([r["_lof"] for r in found], expected)
    outside = session.query("table t | lof x, y | search _lof > 2").rows()
    assert [(r["x"], r["y"]) for r in outside] == [tuple(p) for p in points[expected > 2].tolist()]
    assert (6.0, 6.0) in [(r["x"], r["y"]) for r in outside]


def test_lof_per_group_against_a_subquery(session: Session) -> None:
    rng = np.random.default_rng(4)
    known, fresh = rng.normal(size=(300, 2)), np.array([[0.0, 0.0], [8.0, 8.0]])
    session.register("known", pa.table({"g": ["a", "b"] * 150, "x": known[:, 0], "y": known[:, 1]}))
    session.register("t", pa.table({"g": ["a", "a", "c"], "x": [0.0, 8.0, 0.0], "y": [0.0, 8.0, 0.0]}))
    result = session.query("table t | lof k=5 x, y by g [ table known ]")
    found = [r["_lof"] for r in result.rows()]
    model = LocalOutlierFactor(n_neighbors=5, novelty=True).fit(known[::2])
    assert np.allclose(found[:2], -model.score_samples(fresh))
    assert found[2] is None
    assert [(e.reason, e.count) for e in result.ledger] == [("group of at most k=5 rows", 1)]


def test_tfidf_by_hand(session: Session) -> None:
    session.register("t", pa.table({"id": [1, 2, 3], "line": ["get /a 200", "get /b 404", None]}))
    built = session.query("table t | tfidf op=build numeric=t line").rows()
    # Three rows: get and ### stand in two of them, /a and /b in one.
    both, one = math.log(3 / 2), math.log(3)
    expected = [("get", both), ("/a", one), ("###", both), ("/b", one)]
    assert [(r["term"], pytest.approx(r["_idf"])) for r in built] == [(t, pytest.approx(v)) for t, v in expected]
    rows = session.query("table t | tfidf numeric=t line").rows()
    words = [(r["id"], r["term"]) for r in rows]
    assert words == [(1, "get"), (1, "/a"), (1, "###"), (2, "get"), (2, "/b"), (2, "###")]
    assert [r["_tfidf"] for r in rows] == pytest.approx([v / 3 for v in (both, one, both) * 2])
    assert rows[0]["line"] == "get /a 200"


def test_tfidf_with_an_earlier_build(session: Session) -> None:
    session.register("t", pa.table({"line": ["a-b", "c"]}))
    session.register("idf", pa.table({"term": ["a", "b"], "_idf": [0.5, 2.0]}))
    rows = session.query('table t | tfidf delimiter="-" line [ table idf ]').rows()
    assert [(r["term"], r["_idf"], r["_tfidf"]) for r in rows] == [("a", 0.5, 0.25), ("b", 2.0, 1.0), ("c", 2.0, 2.0)]
    with pytest.raises(LogsqlError) as caught:
        session.query("table t | tfidf line [ table idf | fields term ]")
    assert caught.value.code == "41110"


def test_curvefit_is_numpys(session: Session) -> None:
    rng = np.random.default_rng(5)
    x = np.arange(500) + 1_700_000_000
    y = 3 + 0.5 * (x - x[0]) + rng.normal(size=500)
    session.register("t", pa.table({"x": x, "y": y}))
    rows = session.query("table t | curvefit degree=1 x, y").rows()
    assert [r["_x"] for r in rows] == x.tolist()
    assert np.allclose([r["_p"] for r in rows], np.polyval(np.polyfit(x - x[0], y, 1), x - x[0]))


def _daily(days: int, value: Any) -> pa.Table:
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    times = [start + dt.timedelta(days=n) for n in range(days)]
    return pa.table({"_time": pa.array(times, pa.timestamp("us", "UTC")), "n": [float(value(n)) for n in range(days)]})


def test_stl_parts_add_up_and_find_the_season(session: Session) -> None:
    session.register("t", _daily(70, lambda n: 100 + n + 10 * math.sin(2 * math.pi * n / 7)))
    rows = session.query("table t | sort _time | stl period=7d n").rows()
    assert [r["_trend"] + r["_seasonal"] + r["_error"] for r in rows] == pytest.approx([r["n"] for r in rows])
    middle = rows[14:56]
    assert [r["_trend"] for r in middle] == pytest.approx([100 + n for n in range(14, 56)], abs=0.5)
    assert max(r["_seasonal"] for r in middle) == pytest.approx(10 * math.sin(2 * math.pi * 2 / 7), abs=0.5)
    flat = session.query("table t | stl period=0m n").rows()
    assert all(r["_seasonal"] is None for r in flat)


def test_stl_ignores_the_order_of_rows_and_keeps_it(session: Session) -> None:
    session.register("t", _daily(70, lambda n: 100 + n + 10 * math.sin(2 * math.pi * n / 7)))
    up = session.query("table t | sort _time | stl period=7d n").rows()
    down = session.query("table t | sort -_time | stl period=7d n").rows()
    assert down == up[::-1]


def test_forecast_continues_each_group(session: Session) -> None:
    one = _daily(8, lambda n: 10 * n).append_column("g", pa.array(["a"] * 8))
    two = _daily(8, lambda n: 5).append_column("g", pa.array(["b"] * 8))
    session.register("t", pa.concat_tables([one, two]))
    rows = session.query("table t | forecast period=0 count=2 n by g").rows()
    assert len(rows) == 20
    assert all(r["_future"] is None and r["n"] is not None for r in rows[:16])
    future = {(r["g"], r["_time"].day): r for r in rows[16:]}
    assert set(future) == {("a", 9), ("a", 10), ("b", 9), ("b", 10)}
    # A series without noise: the straight line goes on and the bounds close up.
    for (group, day), row in future.items():
        expected = 10.0 * (day - 1) if group == "a" else 5.0
        assert [row["_lower"], row["_future"], row["_upper"]] == pytest.approx([expected] * 3, abs=1e-6)
        assert row["n"] is None


def test_forecast_of_a_timechart(session: Session) -> None:
    start = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    times = [start + dt.timedelta(hours=h, minutes=m) for h in range(10) for m in range(h + 1)]
    session.register("t", pa.table({"_time": pa.array(times, pa.timestamp("us", "UTC"))}))
    rows = session.query("table t | timechart span=1h count | forecast period=0 count=1 count").rows()
    assert rows[-1]["_time"] == start + dt.timedelta(hours=10)
    assert rows[-1]["_future"] == pytest.approx(11.0)


def test_forecast_of_a_short_series(session: Session) -> None:
    session.register("t", _daily(3, lambda n: n))
    with pytest.raises(LogsqlError) as caught:
        session.query("table t | forecast n").rows()
    assert caught.value.code == "41113"


# --- session ----------------------------------------------------------------------------------------------------------


def test_query_input_trains_while_the_session_answers(session: Session) -> None:
    session.register("t", bot_table(3000))
    ml(
        session,
        "ml.addQueryInput q table t | fields label, header_count, accept_br, known_bot",
        'ml.createModel rforest m q fields="+label, *"',
        "ml.fit m",
    )
    for number in range(20):
        assert session.query(f"table t | limit {number + 1} | stats count").rows() == [{"count": number + 1}]
    assert "finished" in ml(session, "ml.wait m")
    assert session.query("table t | rforest model=m | stats count").rows() == [{"count": 3000}]


def test_csv_columns_are_typed_by_their_values(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_text("n,f,t,s,ip\n1,1.5,2024-01-01 00:00:00,a,10.0.0.1\n,2,,7,10.0.0.2\n3,,2024-01-02 00:00:00,,\n")
    card = ml(session, f'ml.addCsvInput m "{path}"', "ml.input m").splitlines()
    assert card[-5:-2] == ["n (NUMERIC)", "f (NUMERIC)", "t (DATE)"]
    assert card[-2].startswith("s (CATEGORICAL")


def test_broken_lines_of_an_input_are_said(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(b"a,b\n1,2\n4,\xff\n")
    assert "invalid-utf-8" in ml(session, f'ml.addCsvInput m "{path}"')


def test_wrong_query_of_an_input_is_an_error_of_the_query(session: Session) -> None:
    shell = session.service("ml")
    said: list[str] = []
    shell.out = shell.err = said.append
    assert shell.run("ml.addQueryInput q table nowhere") != 0
    assert "nowhere" in said[0]


def test_safe_mode_reads_and_writes_no_models(bot: Session, tmp_path: Path) -> None:
    with logsql.connect(tz="UTC", safe=True) as safe:
        with pytest.raises(PolicyError):
            safe.query('json "{}" | rforest model=bot')
        said: list[str] = []
        shell = safe.service("ml")
        shell.out = shell.err = said.append
        assert shell.run(f'ml.addCsvInput x "{tmp_path / "labeled.csv"}"') != 0
        assert "not allowed in safe mode" in said[0]


@pytest.mark.parametrize("name", ML_COMMANDS)
def test_examples_of_the_manual_print_what_they_say(name: str) -> None:
    examples = COMMANDS[name].examples
    assert examples
    for example in examples:
        with logsql.connect(tz="UTC") as session:
            for table, rows in (example.tables or {}).items():
                session.register(table, pa.Table.from_pylist(rows))
            assert session.query(example.query).rows() == list(example.rows or ())
