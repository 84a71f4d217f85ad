"""gboost, logit and forests of numbers: equal to scikit-learn on the same rows, stored and read back, refused when
damaged; targets that are no classes; lists of numbers as features."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_absolute_error, mean_squared_error, median_absolute_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from logsql.diagnostics.modelfiles import DAMAGED_FILE, UNSAFE_FILE
from logsql.engine.session import Session
from logsql.ml.encoders import Encoder
from logsql.ml.errors import MlError
from logsql.ml.features import FeatureSpec, encode
from logsql.ml.metrics import measure_numbers
from logsql.ml.model import FitOptions, Manifest, ModelKind, Task, TrainedModel
from logsql.ml.safeload import dump_forest, load_forest
from logsql.ml.store import ModelStore
from logsql.ml.train import Fitted, fit_supervised
from tests.ml.support import ml
from udfs.inference import SingleRow, answers, score_distinct

pytestmark = pytest.mark.usefixtures("own_data_folder")


def table_of(data: Any) -> tuple[pa.Table, list[str]]:
    """A data set of scikit-learn as a table, its target in ``label``."""
    names = [f"f{i}" for i in range(data.data.shape[1])]
    columns = {name: data.data[:, i] for i, name in enumerate(names)}
    return pa.table({**columns, "label": data.target}), names


def trained(kind: ModelKind, rows: pa.Table, fields: list[str], **options: Any) -> Fitted:
    """All rows train."""
    return fit_supervised(kind, rows, "label", fields, FitOptions.of(kind, {"holdout": 0.0, **options}))


def model_of(done: Fitted, kind: ModelKind, fields: list[str]) -> TrainedModel:
    return done.model(Manifest("m", kind, "", tuple(fields), "label"))


@pytest.mark.parametrize("data", [load_iris, load_wine, load_breast_cancer])
def test_boosting_equals_scikit_learn(data: Any) -> None:
    rows, fields = table_of(data())
    done = trained(ModelKind.GBOOST, rows, fields, trees=30)
    matrix = encode(done.training.features, rows).astype(np.float64)
    theirs = HistGradientBoostingClassifier(max_iter=30, random_state=42, early_stopping=False)
    expected = theirs.fit(matrix, rows.column("label").to_numpy()).predict_proba(matrix)
    assert np.abs(answers(done.forest, encode(done.training.features, rows)) - expected).max() < 1e-12


def mixed_rows(seed: int = 1, size: int = 600) -> pa.Table:
    """Numbers with gaps and texts with gaps; the label follows both."""
    rng = np.random.default_rng(seed)
    number = rng.normal(size=size)
    text = rng.choice(["curl", "edge", "chrome", "zgrab", "bot"], size)
    label = (number + np.isin(text, ["curl", "zgrab"]) * 2 + rng.normal(size=size) * 0.3) > 1
    gap = rng.random(size) < 0.1
    return pa.table(
        {
            "number": pa.array(np.where(gap, np.nan, number), from_pandas=True),
            "text": pa.array([None if rng.random() < 0.1 else str(t) for t in text]),
            "label": label,
        }
    )


def test_boosting_splits_few_texts_as_sets_like_scikit_learn() -> None:
    rows = mixed_rows()
    done = trained(ModelKind.GBOOST, rows, ["number", "text"], trees=40)
    assert [spec.encoder for spec in done.training.features] == [Encoder.CODES, Encoder.CATEGORIES]
    matrix = encode(done.training.features, rows).astype(np.float64)
    theirs = HistGradientBoostingClassifier(
        max_iter=40, random_state=42, early_stopping=False, categorical_features=[False, True]
    )
    expected = theirs.fit(matrix, rows.column("label").to_numpy(zero_copy_only=False)).predict_proba(matrix)
    assert np.abs(answers(done.forest, encode(done.training.features, rows)) - expected).max() < 1e-12


def test_texts_of_no_training_row_are_missing_also_where_the_codes_of_the_trees_have_a_gap() -> None:
    """The dictionary has a text that only held-out rows have: the codes behind it move by one for the trees."""
    rows = mixed_rows(size=400)
    done = fit_supervised(ModelKind.GBOOST, rows, "label", ["number", "text"], FitOptions(trees=5, leaf=20))
    forest = done.forest
    spec = done.training.features[1]
    moved = np.array([np.nan, 0.0, 1.0, 2.0, 3.0])
    known = forest.known.copy()
    assert spec.values == ("bot", "chrome", "curl", "edge", "zgrab")
    gapped = replace(forest, places=(moved,), known=known)
    probe = np.array([[0.1, 0.0], [0.1, np.nan]], dtype=np.float32)
    assert (answers(gapped, probe)[0] == answers(gapped, probe)[1]).all()


@pytest.mark.parametrize("data", [load_iris, load_wine, load_breast_cancer])
def test_logit_equals_a_scaled_logistic_regression(data: Any) -> None:
    rows, fields = table_of(data())
    done = trained(ModelKind.LOGIT, rows, fields)
    numbers = np.column_stack([rows.column(name).to_numpy() for name in fields])
    theirs = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    expected = theirs.fit(numbers, rows.column("label").to_numpy()).predict_proba(numbers)
    found = answers(done.forest, encode(done.training.features, rows))
    assert np.abs(found - expected).max() < 1e-3  # float32 steps of the matrix, and where the solver stops


def test_logit_gives_texts_columns_of_their_own() -> None:
    rows = mixed_rows().drop_columns(["number"])
    whole = pa.table(
        {"number": np.random.default_rng(3).normal(size=rows.num_rows), **{n: rows[n] for n in ("text", "label")}}
    )
    given = whole.filter(whole["text"].is_valid())
    done = trained(ModelKind.LOGIT, given, ["number", "text"])
    columns = np.array(list(zip(given["number"].to_pylist(), given["text"].to_pylist(), strict=True)), dtype=object)
    parts = ColumnTransformer([("n", StandardScaler(), [0]), ("t", OneHotEncoder(), [1])])
    theirs = make_pipeline(parts, LogisticRegression(max_iter=1000))
    expected = theirs.fit(columns, given["label"].to_pylist()).predict_proba(columns)
    assert np.abs(answers(done.forest, encode(done.training.features, given)) - expected).max() < 1e-3


def test_logit_counts_what_is_missing_as_the_mean_and_as_no_text() -> None:
    rows = mixed_rows()
    done = trained(ModelKind.LOGIT, rows, ["number", "text"])
    mean = float(np.nanmean(rows["number"].to_numpy(zero_copy_only=False)))
    probe = pa.table({"number": [None, mean], "text": pa.array(["curl", "curl"])})
    first, second = answers(done.forest, encode(done.training.features, probe))
    assert first == pytest.approx(second, abs=1e-6)
    unseen = pa.table({"number": [0.0, 0.0], "text": pa.array([None, "never seen"])})
    first, second = answers(done.forest, encode(done.training.features, unseen))
    assert (first == second).all()


def test_encoders_are_chosen_by_the_number_of_texts() -> None:
    def encoder(kind: ModelKind, count: int) -> FeatureSpec:
        texts = [f"t{i:04}" for i in range(count)] * 2 + ["t0000"] * 10
        rows = pa.table({"t": texts, "label": [i % 2 for i in range(len(texts))]})
        return trained(kind, rows, ["t"], trees=1).training.features[0]

    assert encoder(ModelKind.RFOREST, 300).encoder is Encoder.CODES
    assert encoder(ModelKind.GBOOST, 254).encoder is Encoder.CATEGORIES
    many = encoder(ModelKind.GBOOST, 255)
    assert many.encoder is Encoder.FREQUENCY
    assert many.codes["t0000"] == 12 / 520
    assert many.codes["t0001"] == 2 / 520
    few, lots = encoder(ModelKind.LOGIT, 50), encoder(ModelKind.LOGIT, 51)
    assert (few.encoder, sorted(few.codes.values())[-1], few.numbers) == (Encoder.ONE_HOT, 49.0, ())
    assert lots.codes["t0000"] == 0.0  # the most frequent has its own column
    assert list(lots.codes.values()).count(49.0) == 2  # the last two share one


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ModelKind.RFOREST, ModelKind.GBOOST])
def test_a_continuous_target_is_regressed_like_scikit_learn(kind: ModelKind) -> None:
    rows, fields = table_of(load_diabetes())
    done = trained(kind, rows, fields, trees=20)
    matrix = encode(done.training.features, rows)
    theirs = (
        RandomForestRegressor(n_estimators=20, random_state=42)
        if kind is ModelKind.RFOREST
        else HistGradientBoostingRegressor(max_iter=20, random_state=42, early_stopping=False)
    )
    expected = theirs.fit(matrix, rows["label"].to_numpy()).predict(matrix)
    model = model_of(done, kind, fields)
    answered = score_distinct(rows, model)
    assert (done.training.task, done.training.classes) == (Task.REGRESS, ())
    assert list(answered) == ["_guess"]
    assert np.abs(answered["_guess"].to_numpy() - expected).max() < 1e-9
    alone = SingleRow(model)
    first = {name: rows[name][0].as_py() for name in fields}
    assert alone.row(first)["_guess"] == answered["_guess"][0].as_py()


def test_errors_of_a_regression_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, guess = rng.normal(size=100), rng.normal(size=100)
    found = measure_numbers(truth, guess)
    assert found.mae == pytest.approx(mean_absolute_error(truth, guess))
    assert found.median == pytest.approx(median_absolute_error(truth, guess))
    assert found.rmse == pytest.approx(math.sqrt(mean_squared_error(truth, guess)))
    assert found.r2 == pytest.approx(r2_score(truth, guess))


@pytest.mark.parametrize(
    ("values", "task", "kind", "code", "word"),
    [
        ([i / 7 for i in range(200)], "classify", ModelKind.RFOREST, "41129", "200 different values"),
        ([i / 7 for i in range(200)], "auto", ModelKind.LOGIT, "41129", "logit guesses classes"),
        ([f"id{i}" for i in range(200)], "auto", ModelKind.RFOREST, "41129", "200 different values in 200 rows"),
        (["a", "b"] * 100, "regress", ModelKind.GBOOST, "41115", "task=regress needs a number"),
        ([1, 2] * 100, "guess", ModelKind.GBOOST, "41151", "task=guess"),
    ],
)
def test_what_is_no_class_is_refused(values: list[Any], task: str, kind: ModelKind, code: str, word: str) -> None:
    rows = pa.table({"label": values, "a": range(200)})
    with pytest.raises(MlError) as caught:
        trained(kind, rows, ["a"], task=task)
    assert (caught.value.code, word in caught.value.message) == (code, True), caught.value.message


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([float(i % 20) for i in range(400)], Task.CLASSIFY),
        ([i % 21 + 0.5 for i in range(400)], Task.REGRESS),
        ([float(i % 21) for i in range(420)], Task.CLASSIFY),
        ([i % 21 for i in range(420)], Task.CLASSIFY),
        ([i % 21 for i in range(419)], Task.REGRESS),
        ([str(i % 101) for i in range(400)], Task.CLASSIFY),
    ],
)
def test_where_classes_end(values: list[Any], task: Task) -> None:
    rows = pa.table({"label": values, "a": range(len(values))})
    assert trained(ModelKind.RFOREST, rows, ["a"], trees=1).training.task is task


def test_a_guessed_number_says_why(session: Session) -> None:
    """Weights, the others and the base add up to the guess, as they do for a class."""
    decimals = rows_json([{"a": i, "b": i % 7, "t": i * 2 + 0.5} for i in range(120)])
    query = f'json "[{{a: 110, b: 1}},{{a: 10, b: 3}}]" | rforest explain=2 target=t a, b [ {decimals} ]'
    rows = session.query(query).rows()
    reasons = [{reason["field"]: reason["weight"] for reason in row["_reasons"]} for row in rows]
    assert [sum(found.values()) for found in reasons] == pytest.approx([row["_guess"] for row in rows])
    assert [abs(found["a"]) > abs(found["b"]) for found in reasons] == [True, True]


# --- stored -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ModelKind.GBOOST, ModelKind.LOGIT, ModelKind.RFOREST])
def test_a_stored_model_answers_the_same_bits(tmp_path: Path, kind: ModelKind) -> None:
    rows = mixed_rows()
    fields = ["number", "text"]
    done = trained(kind, rows, fields, trees=10)
    store = ModelStore(tmp_path)
    manifest = replace(Manifest("m", kind, "", tuple(fields), "label"), training=done.training)
    store.put(manifest, done.estimator)
    fresh = ModelStore(tmp_path).get("m", kind)
    matrix = fresh.encode(rows)
    assert (answers(fresh.forest, matrix) == answers(done.forest, matrix)).all()
    assert (answers(fresh.forest, matrix[7:8]) == answers(done.forest, matrix)[7]).all()
    row = {name: rows[name][7].as_py() for name in (*fields, "label")}
    assert SingleRow(fresh).row(row)["_guess"] == score_distinct(rows, fresh)["_guess"][7].as_py()


def test_a_stored_regression_comes_back(tmp_path: Path) -> None:
    rows, fields = table_of(load_diabetes())
    for kind in (ModelKind.RFOREST, ModelKind.GBOOST):
        done = trained(kind, rows, fields, trees=5)
        store = ModelStore(tmp_path)
        manifest = replace(Manifest(kind.value, kind, "", tuple(fields), "label"), training=done.training)
        store.put(manifest, done.estimator)
        fresh = ModelStore(tmp_path).get(kind.value, kind)
        assert (
            score_distinct(rows, fresh)["_guess"].to_numpy() == answers(done.forest, fresh.encode(rows))[:, 0]
        ).all()


def reread(stored: dict[str, Any], kind: ModelKind, classes: tuple[str, ...] = ("false", "true")) -> None:
    load_forest(dump_forest(stored), kind, 2, classes, "model 'm'")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("lower", lambda a: np.full_like(a, 1_000_000)),
        ("upper", np.zeros_like),
        ("feature", lambda a: np.full_like(a, 99)),
        ("feature", lambda a: np.full_like(a, -1)),
        ("bitset", lambda a: np.full_like(a, 4_000)),
        ("index", lambda a: np.full_like(a, 200)),
        ("order", np.zeros_like),
        ("sizes", lambda a: a + 1),
        ("bitset_sizes", lambda a: a + 1),
        ("places", lambda a: a + 1000),
        ("places", lambda a: a - 7),
        ("place_sizes", lambda a: a + 1),
        ("value", lambda a: a * np.nan),
        ("value", lambda a: a[:-1]),
        ("threshold", lambda a: a.astype(np.float32)),
        ("bitsets", lambda a: a[:, :4].copy()),
        ("baseline", lambda a: np.zeros(3)),
    ],
)
def test_damaged_boosted_trees_are_refused_before_they_are_walked(name: str, change: Any) -> None:
    """A child, column or set outside of its array makes compiled code read foreign memory."""
    stored = trained(ModelKind.GBOOST, mixed_rows(), ["number", "text"], trees=5).estimator
    reread(stored, ModelKind.GBOOST)
    with pytest.raises(MlError) as caught:
        reread({**stored, name: change(stored[name])}, ModelKind.GBOOST)
    assert caught.value.code == DAMAGED_FILE.code


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("coefficients", lambda a: a[:-1].copy()),
        ("intercept", lambda a: np.array([np.inf])),
        ("scale", np.zeros_like),
        ("sizes", lambda a: a - 9),
        ("mean", lambda a: a.astype(np.float32)),
    ],
)
def test_damaged_linear_models_are_refused(name: str, change: Any) -> None:
    stored = trained(ModelKind.LOGIT, mixed_rows(), ["number", "text"]).estimator
    reread(stored, ModelKind.LOGIT)
    with pytest.raises(MlError) as caught:
        reread({**stored, name: change(stored[name])}, ModelKind.LOGIT)
    assert caught.value.code == DAMAGED_FILE.code


def test_a_file_of_arrays_may_name_nothing_but_arrays() -> None:
    """The estimator itself, whose classes are many, is refused; and so is a function in place of an array."""
    rows, fields = table_of(load_iris())
    matrix = encode(trained(ModelKind.LOGIT, rows, fields).training.features, rows)
    theirs = HistGradientBoostingClassifier(max_iter=2).fit(matrix, rows["label"].to_numpy())
    for bad in (theirs, {"sizes": print}, {"sizes": np.array([print], dtype=object)}):
        with pytest.raises(MlError) as caught:
            reread(bad, ModelKind.GBOOST)
        assert caught.value.code in (DAMAGED_FILE.code, UNSAFE_FILE.code)
    buffer = io.BytesIO()
    joblib.dump([1], buffer, compress=3)
    with pytest.raises(MlError):
        load_forest(buffer.getvalue(), ModelKind.LOGIT, 2, ("a", "b"), "m")


# --- queries ----------------------------------------------------------------------------------------------------------


def rows_json(rows: list[dict[str, Any]]) -> str:
    return 'json "' + json.dumps(rows).replace('"', "'") + '"'


@pytest.mark.parametrize("command", ["gboost", "logit", "rforest"])
def test_a_training_in_a_query_guesses_in_the_labels_own_type(session: Session, command: str) -> None:
    known = rows_json([{"a": i, "label": int(i >= 40)} for i in range(80)])
    asked = rows_json([{"a": 3, "label": 0}, {"a": 77, "label": 1}])
    query = f"{asked} | {command} probability=t target=label a [ {known} ] | eval ok = _guess == label"
    found = session.query(query).rows()
    assert [row["ok"] for row in found] == [True, True]
    assert [row["_guess"] for row in found] == [0, 1]
    assert all(0.5 < row["_probability"] <= 1 for row in found)
    assert [row[f"_{command}_error"] for row in found] == [None, None]


@pytest.mark.parametrize("command", ["gboost", "rforest"])
def test_decimals_are_regressed_in_a_query_and_whole_numbers_where_asked(session: Session, command: str) -> None:
    decimals = rows_json([{"a": i, "t": i * 2 + 0.5} for i in range(120)])
    (row,) = session.query(f'json "{{a: 60}}" | {command} target=t a [ {decimals} ]').rows()
    assert row["_guess"] == pytest.approx(120.5, abs=15)
    whole = rows_json([{"a": i, "t": i * 2} for i in range(120)])
    (row,) = session.query(f'json "{{a: 60}}" | {command} target=t a [ {whole} ]').rows()
    assert row["_guess"] is None
    assert "task=regress" in row[f"_{command}_error"]
    (row,) = session.query(f'json "{{a: 60}}" | {command} task=regress target=t a [ {whole} ]').rows()
    assert row["_guess"] == pytest.approx(120, abs=15)
    (row,) = session.query(f'json "{{a: 60}}" | {command} task=classify target=t a [ {decimals} ]').rows()
    assert (row["_guess"], "too many to be classes" in row[f"_{command}_error"]) == (None, True)


@pytest.mark.parametrize("kind", ["gboost", "logit"])
def test_a_fitted_model_of_each_kind_scores_in_a_query(session: Session, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "train.csv"
    lines = [f"{'x' if i % 3 else 'y'},{i % 3 / 10},{'abc'[i % 3]}" for i in range(300)]
    path.write_text("\n".join(["label,a,t", *lines]))
    ml(session, f'ml.addCsvInput in "{path}"', f'ml.createModel {kind} m in fields="+label, *"', "ml.fit m wait=t")
    card = ml(session, "ml.model m")
    assert "Accuracy: 1.0" in card
    found = session.query(f"{rows_json([{'a': 0.0, 't': 'a'}, {'a': 0.1, 't': 'b'}])} | {kind} model=m").rows()
    assert [row["_guess"] for row in found] == ["y", "x"]


def test_nothing_is_said_by_scikit_learn(session: Session, recwarn: pytest.WarningsRecorder) -> None:
    """Its warnings name paths of its own files (a fifth of the rows have a class of their own here)."""
    rows = rows_json([{"a": i, "label": f"c{i // 2}"} for i in range(30)])
    session.query(f"{rows} | rforest target=label a [ {rows} ]").rows()
    session.query(f"{rows} | logit target=label a [ {rows} ]").rows()
    assert not [w for w in recwarn.list if "sklearn" in str(w.filename)]


@pytest.mark.parametrize("kind", ["gboost", "rforest"])
def test_the_card_of_a_regression_gives_its_errors(session: Session, tmp_path: Path, kind: str) -> None:
    """Decimals of a CSV file stay decimals: rounded, the target would have four values."""
    lines = [f"{i / 100},{i / 10}" for i in range(400)]
    (tmp_path / "n.csv").write_text("\n".join(["t,a", *lines]))
    path = tmp_path / "n.csv"
    card = ml(
        session,
        f'ml.addCsvInput in "{path}"',
        f'ml.createModel {kind} m in fields="+t, a"',
        "ml.fit m wait=t",
        "ml.model m",
    )
    (line,) = [line for line in card.splitlines() if line.startswith("Errors of the guessed numbers: mean ")]
    assert float(line.rpartition("R2 ")[2]) > 0.95
    assert "no hold-out rows" not in card


def test_scaled_clusters_are_those_of_scikit_learn_behind_a_standard_scaler(session: Session) -> None:
    """The wide field says nothing and decides without scale=t; the narrow one tells two groups apart."""
    rng = np.random.default_rng(5)
    narrow = np.concatenate([rng.normal(0, 0.01, 60), rng.normal(1, 0.01, 60)])
    wide = rng.uniform(0, 1000, 120)
    rows = rows_json([{"a": float(a), "b": float(b)} for a, b in zip(narrow, wide, strict=True)])
    theirs = make_pipeline(StandardScaler(), KMeans(2, n_init=10, random_state=42))
    expected = theirs.fit_predict(np.column_stack([narrow, wide]))
    found = [row["_cluster"] for row in session.query(f"{rows} | kmeans k=2 scale=t a, b").rows()]
    assert found == [1 if code == expected[0] else 2 for code in expected]
    plain = [row["_cluster"] for row in session.query(f"{rows} | kmeans k=2 a, b").rows()]
    assert plain != found
