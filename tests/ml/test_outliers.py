"""Where outliers begin (``contamination=``, ``quantile=``), and what only the data tell of scores."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import IsolationForest

from logsql.engine.session import Session
from logsql.ml.defaults import Share
from logsql.ml.model import Manifest, ModelKind
from logsql.ml.outliers import POSITIONS, border, keeps_border, kept_border, quantiles
from logsql.ml.quiet import quiet
from tests.ml.support import ml
from tests.ml.test_ml_stages import outlier_data


def cloud(rows: int = 1500) -> pa.Table:
    rng = np.random.default_rng(11)
    return pa.table({"a": rng.normal(size=rows), "b": rng.exponential(size=rows), "c": rng.normal(size=rows)})


def marks(session: Session, query: str) -> np.ndarray:
    return np.array([row["_outlier"] for row in session.query(query).rows()])


def told(session: Session, query: str) -> list[tuple[str, str, int]]:
    result = session.query(query)
    result.rows()
    return [(e.source, e.reason, e.count) for e in result.ledger]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.1234, 0.5])
def test_contamination_is_scikit_learns(session: Session, share: float) -> None:
    table = cloud()
    session.register("t", table)
    found = marks(session, f"table t | anomalies contamination={share} a, b, c [ table t ]")
    columns = [table.column(name).to_numpy() for name in ("a", "b", "c")]
    # The offsets of the model's fields: the numbers that the trees see are counted from the least of each field.
    matrix = np.stack([(column - column.min()).astype(np.float32) for column in columns], axis=1)
    other = IsolationForest(max_samples=math.isqrt(len(matrix)), random_state=42, contamination=share).fit(matrix)
    assert (found == (other.predict(matrix) == -1)).all()
    assert found.sum() == pytest.approx(share * len(matrix), abs=1)


def test_quantile_says_the_same_from_the_other_side(session: Session) -> None:
    session.register("t", cloud())
    one = marks(session, "table t | anomalies contamination=0.02 a, b [ table t ]")
    other = marks(session, "table t | anomalies quantile=0.98 a, b [ table t ]")
    assert (one == other).all()
    assert one.sum() == 30
    assert not marks(session, "table t | anomalies quantile=1 a, b [ table t ]").any()
    rows = session.query("table t | anomalies quantile=0.98 a, b [ table t ]").rows()
    lowest = min(row["_score"] for row in rows if row["_outlier"])
    assert lowest > max(row["_score"] for row in rows if not row["_outlier"])


def test_the_border_is_that_of_the_training_rows(session: Session) -> None:
    session.register("t", cloud())
    session.register("far", pa.table({"a": [40.0, 0.0], "b": [40.0, 0.5], "c": [-40.0, 0.0]}))
    assert marks(session, "table far | anomalies contamination=0.01 a, b, c [ table t ]").tolist() == [True, False]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("contamination=0.7", "up to 0.5"),
        ("contamination=0", "above 0"),
        ("quantile=1.5", "up to 1"),
        ("quantile=much", "up to 1"),
        ("contamination=0.1 quantile=0.9", "say the same"),
    ],
)
def test_refused_shares(session: Session, options: str, word: str) -> None:
    session.register("t", cloud(10))
    with pytest.raises(Exception, match=word):
        session.query(f"table t | anomalies {options} a [ table t ]")


def test_ties_at_the_border_are_told(session: Session) -> None:
    """Of 1,000 rows 300 are 1 and the rest 0: a tenth cannot be marked, the 300 share their score."""
    session.register("t", pa.table({"a": [0] * 700 + [1] * 300}))
    query = "table t | anomalies contamination=0.1 a [ table t ]"
    assert not marks(session, query).any()
    assert told(session, query) == [("anomalies", "equal-scores-at-the-border", 300)]
    session.register("t", cloud())
    assert told(session, "table t | anomalies contamination=0.1 a, b [ table t ]") == []


# --- what only the data tell ------------------------------------------------------------------------------------------


def test_few_rows_and_equal_scores_are_told(session: Session) -> None:
    """models.md 8: five rows of which one is far off all score 0.5 with the default sample floor(sqrt(5)) = 2."""
    session.register("t", pa.table({"v": [1, 2, 3, 2, 100]}))
    query = "table t | anomalies v [ table t ]"
    assert {row["_score"] for row in session.query(query).rows()} == {0.5}
    assert told(session, query) == [("anomalies", "small-sample", 0), ("anomalies", "equal-scores", 0)]
    query = "table t | anomalies sample=256 contamination=0.2 v [ table t ] | search _outlier == true | fields v"
    assert session.query(query).rows() == [{"v": 100}]
    assert told(session, query) == []


def test_a_field_without_a_value_and_unseen_texts_are_told(session: Session) -> None:
    rows = cloud(200).append_column("s", pa.array(["x", "y"] * 100))
    session.register("t", rows)
    nothing = rows.set_column(0, "a", pa.nulls(200, pa.float64()))
    session.register("u", nothing.set_column(3, "s", pa.array(["x", "z"] * 100)))
    assert told(session, "table u | anomalies a, b, s [ table t ]") == [
        ("anomalies s", "unseen-category", 100),
        ("anomalies a", "feature-without-value", 0),
    ]


def test_more_equal_rows_than_k_are_told(session: Session) -> None:
    """Of rows with k others in their place all neighbours are at no distance: scikit-learn warns of it, too."""
    rng = np.random.default_rng(2)
    spread = rng.normal(size=60).tolist()
    session.register("t", pa.table({"x": [7.0] * 6 + [8.0] * 5 + spread}))
    assert told(session, "table t | lof k=5 x") == [("lof", "more-equal-rows-than-k", 6)]
    assert told(session, "table t | lof k=6 x") == []
    wide = {f"x{n}": [7.0] * 30 + rng.normal(size=60).tolist() for n in range(20)}  # compared without a tree
    session.register("w", pa.table(wide))
    assert told(session, f"table w | lof {', '.join(wide)}") == [("lof", "more-equal-rows-than-k", 30)]


@pytest.mark.filterwarnings("error")
def test_libraries_say_nothing(session: Session) -> None:
    """models.md 12: warnings of scikit-learn with paths of the installation came out on stderr."""
    session.register("t", pa.table({"x": [1.0] * 20, "y": np.arange(20) * 1.5, "n": list(range(20))}))
    session.register("d", pa.table({"_time": pa.array(range(20), pa.timestamp("s", "UTC")), "x": [1.0] * 20}))
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for query in (
            "table t | kmeans k=3 x",
            "table t | rforest target=y x, n [ table t ]",
            "table t | anomalies contamination=0.1 x [ table t ]",
            "table t | lof x",
            "table t | curvefit degree=15 n, y",
            "table d | stl robust=t x",
            "table d | forecast normalize=t x",
        ):
            assert session.query(query).rows()
    assert [str(w.message) for w in heard] == []
    with quiet(), quiet():
        warnings.warn("inside", stacklevel=1)
    with pytest.raises(UserWarning, match="behind"):  # the filter of this test is in force again
        warnings.warn("behind", stacklevel=1)


# --- stored models ----------------------------------------------------------------------------------------------------


def test_quantiles_of_a_stored_model() -> None:
    scores = np.random.default_rng(3).beta(2, 5, 50_000)
    kept = quantiles(scores)
    assert len(kept) == len(POSITIONS) < 300
    for contamination in (0.0005, 0.0123, 0.05, 0.3):
        share = Share(contamination=contamination)
        assert (scores > kept_border(kept, share)).mean() == pytest.approx(contamination, rel=0.02)
        assert kept_border(kept, share) == pytest.approx(border(scores, share), abs=2e-3)
    assert (scores > kept_border(kept, Share(quantile=0.99))).mean() == pytest.approx(0.01, rel=0.01)


@pytest.mark.usefixtures("own_data_folder")
def test_a_stored_model_marks_outliers(session: Session, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(cloud(), tmp_path / "t.parquet")
    pq.write_table(cloud(40), tmp_path / "few.parquet")
    session.register("t", cloud())
    for name in ("t", "few"):
        ml(
            session,
            f'ml.addParquetInput {name} "{tmp_path / name}.parquet"',
            f'ml.createModel iforest {name} {name} fields="a, b, c"',
            f"ml.fit {name} wait=t",
        )
    stored = marks(session, "table t | anomalies contamination=0.02 model=t")
    assert (stored == marks(session, "table t | anomalies contamination=0.02 a, b, c [ table t ]")).mean() > 0.998
    assert stored.sum() == pytest.approx(30, abs=1)
    assert [n.code for n in session.query("table t | anomalies model=few").notes] == ["N1750"]  # it learnt from 40
    assert not session.query("table t | anomalies model=t").notes
    store = session.service("models")
    old: Manifest = store.card("t", ModelKind.IFOREST)
    assert old.training is not None
    assert old.training.scores is not None
    bare = replace(old, training=replace(old.training, scores=replace(old.training.scores, quantiles=())))
    again = Manifest.from_json({**bare.to_json()})
    assert again == bare
    without = {k: v for k, v in vars(bare.training.scores).items() if k != "quantiles"}  # type: ignore[union-attr]
    text = bare.to_json()
    text["training"]["scores"] = without
    assert Manifest.from_json(text) == bare
    assert keeps_border(old)
    assert not keeps_border(bare)


@pytest.mark.evidence
@pytest.mark.parametrize(("name", "share"), [("mammography.csv", 0.023), ("shuttle.csv.xz", 0.07)])
def test_a_share_finds_what_the_score_of_0_7_does_not(name: str, share: float, session: Session) -> None:
    """models.md 8: ``_score >= 0.7`` finds at most 3 % of the real outliers of public sets."""
    table, real = outlier_data(name)
    table = table.slice(0, 20_000)
    real = real[: table.num_rows].astype(bool)
    session.register("t", table)
    query = f"table t | anomalies contamination={share} {', '.join(table.column_names)} [ table t ]"
    rows = session.query(query).rows()
    found = np.array([row["_outlier"] for row in rows])
    fixed = np.array([row["_score"] for row in rows]) >= 0.7
    assert found.mean() == pytest.approx(share, rel=0.05)
    assert found[real].mean() > max(0.2, 5 * fixed[real].mean())
