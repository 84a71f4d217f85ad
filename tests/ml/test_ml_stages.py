"""The language's model commands: published detection rates, planted outliers, stored models, subquery mode."""

from __future__ import annotations

import csv
import io
import lzma
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from logsql.ml.errors import MlError
from logsql.ml.features import FeatureSpec, encode
from logsql.ml.model import FitOptions, Manifest, ModelKind
from logsql.ml.stages import (
    AnomaliesOptions,
    RforestOptions,
    anomalies_stage,
    anomaly_distinct,
    guess_distinct,
    rforest_error_stage,
    rforest_stage,
    stored_model,
    train_anomalies,
    train_rforest,
)
from logsql.ml.store import ModelStore
from logsql.ml.train import fit_rforest
from tests.ml.bots import FIELDS, bot_table
from tests.support import shared_data
from udfs.inference import isolation_scores

ROOT = Path(__file__).resolve().parents[2]


def outlier_data(name: str) -> tuple[pa.Table, np.ndarray]:
    """Numeric table and outlier marks (last column) of a benchmark file."""
    path = shared_data("ml", name)
    data = path.read_bytes()
    raw = (lzma.decompress(data) if path.suffix == ".xz" else data).decode()
    rows = np.array(
        [line for line in csv.reader(io.StringIO(raw)) if line and not line[0].startswith("#")], dtype=float
    )
    table = pa.table({f"f{i}": rows[:, i] for i in range(rows.shape[1] - 1)})
    return table, rows[:, -1]


@pytest.mark.evidence
@pytest.mark.parametrize(("name", "low", "high"), [("mammography.csv", 0.84, 0.88), ("shuttle.csv.xz", 0.99, 1.0)])
def test_published_detection_rates(name: str, low: float, high: float) -> None:
    """Liu, Ting, Zhou 2008, table 3: AUC 0.86 and 1.00 with 100 trees of 256 rows; mean over five seeds."""
    from logsql.ml.train import fit_iforest

    table, marks = outlier_data(name)
    found = []
    for seed in range(5):
        done = fit_iforest(table, table.column_names, FitOptions(sample=256, seed=seed))
        found.append(roc_auc_score(marks, isolation_scores(done.forest, encode(done.training.features, table))))
    assert low <= np.mean(found) <= high, found


@pytest.mark.evidence
def test_sample_defaults_to_the_root_of_the_rows() -> None:
    table, _ = outlier_data("mammography.csv")
    assert train_anomalies(table, table.column_names, size=3).training.sample == int(np.sqrt(table.num_rows))


def transactions() -> tuple[pa.Table, np.ndarray]:
    """One busy hour in milliseconds with a quiet half; the planted rows stand alone in the quiet half."""
    rng = np.random.default_rng(7)
    start = 1_700_000_000_000
    usual = start + rng.integers(0, 1_200_000, 4000)
    planted = start + np.array([2_400_000, 2_700_000, 3_000_000, 3_300_000, 3_590_000])
    at = np.concatenate([usual, planted])
    table = pa.table({"_time": pa.array(at, pa.timestamp("ms", tz="Asia/Seoul"))})
    return table, np.concatenate([np.zeros(4000), np.ones(5)]).astype(bool)


def test_planted_times_are_found_thanks_to_offsets() -> None:
    table, planted = transactions()
    model = train_anomalies(table, ["_time"], sample=256)
    (out,) = anomalies_stage(table.to_batches(), model)
    score = out.column("_score").to_numpy()
    assert score[planted].min() > score[~planted].max()  # all five ahead of all 4000
    assert score[planted].min() > 0.7


def test_without_offsets_the_same_times_are_not_found() -> None:
    """The control of the test above: seconds-wide events vanish in float32 steps of 131 seconds."""
    start = 1_700_000_000_000
    at = start + np.concatenate([np.arange(4000) * 15, [90_000, 95_000, 100_000]])  # one minute, then 30 s of silence
    table = pa.table({"_time": pa.array(at, pa.timestamp("ms", tz="UTC"))})
    planted = np.arange(len(at)) >= 4000
    from sklearn.ensemble import IsolationForest

    (spec,) = train_anomalies(table, ["_time"], size=1).features
    raw = encode([FeatureSpec(spec.name, spec.kind, 0.0)], table)
    blind = -IsolationForest(max_samples=256, random_state=42).fit(raw).score_samples(raw)
    assert blind[planted].min() <= blind[~planted].max()
    (out,) = anomalies_stage(table.to_batches(), train_anomalies(table, ["_time"], sample=256))
    score = out.column("_score").to_numpy()
    assert score[planted].min() > score[~planted].max()


def test_scorer_names_the_reason() -> None:
    rng = np.random.default_rng(1)
    table = pa.table({"a": rng.normal(size=3000), "b": rng.normal(size=3000), "c": rng.integers(0, 3, 3000)})
    model = train_anomalies(table, ["a", "b", "c"], sample=256)
    probe = pa.record_batch({"a": [0.0, 12.0], "b": [-12.0, 0.0], "c": [1, 1], "id": ["x", "y"]})
    (out,) = anomalies_stage([probe], model, options=AnomaliesOptions(scorer=2, core=2))
    assert out.schema.names == ["a", "b", "c", "id", "_score", "_scorer"]
    assert [row[0]["field"] for row in out.column("_scorer").to_pylist()] == ["b", "a"]
    assert all(
        len(row) <= 2 and row == sorted(row, key=lambda p: -p["weight"]) for row in out.column("_scorer").to_pylist()
    )


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    store = ModelStore(tmp_path / "db.ml", key_file=tmp_path / "seal.key")
    done = fit_rforest(bot_table(2000), "label", FIELDS, FitOptions(trees=20))
    store.put(
        replace(Manifest("bot", ModelKind.RFOREST, "bot", tuple(FIELDS), "label"), training=done.training),
        done.estimator,
    )
    return store


def test_stored_model_adds_the_guess_and_keeps_rows(store: ModelStore) -> None:
    table = bot_table(3000, seed=8)
    for fields in (None, FIELDS, FIELDS[::-1]):  # by name, not by position
        model = stored_model(store, "bot", ModelKind.RFOREST, fields)
        batches = list(rforest_stage(table.to_batches(max_chunksize=700), model, fields))
        out = pa.Table.from_batches(batches)
        assert out.drop_columns(["_guess"]).equals(table)
        assert out.schema.field("_guess").type == pa.string()
        right = np.array(out.column("_guess").to_pylist()) == np.array(out.column("label").to_pylist())
        assert right.mean() > 0.98
    again = next(iter(rforest_stage(batches, model)))
    assert again.schema.names.count("_guess") == 1


def test_probabilities_on_request(store: ModelStore) -> None:
    model = stored_model(store, "bot", ModelKind.RFOREST)
    (out,) = rforest_stage(bot_table(50).to_batches(), model, options=RforestOptions(probabilities=True))
    assert out.num_rows == 50
    for guess, probability, every in zip(*(out.column(n).to_pylist() for n in out.schema.names[-3:]), strict=True):
        assert dict(every)[guess] == probability == max(dict(every).values())
        assert sum(dict(every).values()) == pytest.approx(1.0)


def test_distinct_form_joins_back(store: ModelStore) -> None:
    model = stored_model(store, "bot", ModelKind.RFOREST)
    table = bot_table(2000, seed=5)
    features = table.select(FIELDS).group_by(FIELDS).aggregate([])
    answers = guess_distinct(features, model)
    assert answers.column_names == [*FIELDS, "_guess"]
    assert answers.num_rows == features.num_rows
    lookup = {tuple(row[n] for n in FIELDS): row["_guess"] for row in answers.to_pylist()}
    (out,) = rforest_stage([table.combine_chunks().to_batches()[0]], model)
    assert [lookup[tuple(row[n] for n in FIELDS)] for row in table.to_pylist()] == out.column("_guess").to_pylist()
    odd = train_anomalies(table, FIELDS, size=5)
    assert anomaly_distinct(features, odd).column_names == [*FIELDS, "_score"]


def test_refusals_come_before_the_first_row(store: ModelStore) -> None:
    model = stored_model(store, "bot", ModelKind.RFOREST)
    for batch, code, word in (
        (bot_table(5).drop_columns(["chrome_ver"]), "41110", "chrome_ver"),
        (bot_table(5).set_column(1, "header_count", pa.array(["1"] * 5)), "41115", "double(header_count)"),
    ):
        with pytest.raises(MlError) as caught:
            list(rforest_stage(batch.to_batches(), model))
        assert caught.value.code == code
        assert word in f"{caught.value.message} {caught.value.help}"
        assert "accept_br" in " ".join(caught.value.notes)
    for name, fields, code in (("", None, "41100"), ("bto", None, "41101"), ("bot", ["header_count", "x"], "41110")):
        with pytest.raises(MlError) as caught:
            stored_model(store, name, ModelKind.RFOREST, fields)
        assert caught.value.code == code
    with pytest.raises(MlError) as caught:
        stored_model(store, "bot", ModelKind.IFOREST)
    assert caught.value.code == "41102"


def test_subquery_mode_and_its_error_column() -> None:
    train = pa.table({"Survived": [0, 1] * 50, "Sex": ["m", "f"] * 50, "Age": pa.array([None, 30.0] * 50)})
    model = train_rforest(train, "Survived", ["Sex", "Age"], size=10)
    (out,) = rforest_stage([pa.record_batch({"Sex": ["f", "m", "x"], "Age": [30.0, None, None]})], model)
    assert out.column("_guess").to_pylist()[:2] == [1, 0]
    assert model.training.test_rows == 0  # all rows train
    batch = pa.record_batch({"Sex": ["f"]})
    for rows, target, fields, word in (
        (train.slice(0, 0), "Survived", ["Sex"], "no rows"),
        (train, "survived", ["Sex"], "'survived' is not a field"),
        (train, "Survived", ["Sexx"], "Sexx"),
        (train.set_column(0, "Survived", pa.array([1] * 100)), "Survived", ["Sex"], "only one class"),
    ):
        with pytest.raises(MlError) as caught:
            train_rforest(rows, target, fields)
        (out,) = rforest_error_stage([batch], caught.value)
        assert out.column("_guess").to_pylist() == [None]
        assert word in out.column("_rforest_error")[0].as_py()
    with pytest.raises(MlError, match="no rows"):
        train_anomalies(train.slice(0, 0), ["Age"])


@pytest.mark.evidence
def test_titanic_of_the_manual() -> None:
    import pyarrow.csv as pacsv

    train = pacsv.read_csv(shared_data("logs", "titanic", "train.csv"))
    test = pacsv.read_csv(shared_data("logs", "titanic", "test.csv"))
    model = train_rforest(train, "Survived", ["Pclass", "Sex", "Age", "Fare", "Embarked"])
    out = pa.Table.from_batches(rforest_stage(test.to_batches(), model))
    assert set(out.column("_guess").to_pylist()) == {0, 1}
    guesses = out.column("_guess").to_pylist()
    women = [g for g, sex in zip(guesses, out.column("Sex").to_pylist(), strict=True) if sex == "female"]
    men = [g for g, sex in zip(guesses, out.column("Sex").to_pylist(), strict=True) if sex == "male"]
    assert women.count(1) / len(women) > 0.5 > men.count(1) / len(men)  # 74 % and 19 % in the training file


def test_importing_loads_no_scikit_learn() -> None:
    modules = [
        "stages",
        "store",
        "train",
        "safeload",
        "unsupervised",
        "timeseries",
        "tasks",
        "inputs",
        "features",
    ]
    ml = "udfs.inference, " + ", ".join(f"logsql.ml.{name}" for name in modules)
    verbs = "logsql.shell.ml_commands, logsql.shell.ml_layout"
    learners = ["sklearn", "scipy", "joblib"]
    for names, away in ((ml, [*learners, "duckdb"]), (verbs, learners)):
        code = f"import sys, {names}\nprint(sorted(m for m in sys.modules if m.split('.')[0] in {away}))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.stdout.strip() == "[]", done.stdout + done.stderr
