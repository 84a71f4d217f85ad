"""Scoring equals scikit-learn bit for bit: in batches, for distinct vectors, and one event at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.ensemble._iforest import _average_path_length
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from logsql.ml.features import encode
from logsql.ml.metrics import measure, stratified_holdout
from logsql.ml.model import FitOptions, Manifest, ModelKind, TrainedModel
from logsql.ml.train import fit_iforest, fit_rforest
from tests.ml.bots import FIELDS, bot_table
from udfs.forests import average_path_length
from udfs.inference import (
    SingleRow,
    class_probabilities,
    distinct_rows,
    isolation_contributions,
    isolation_scores,
    score_distinct,
)


def mixed_table(rows: int, seed: int = 3) -> pa.Table:
    rng = np.random.default_rng(seed)
    number = rng.normal(size=rows)
    text = rng.choice(["get", "post", "한글"], rows)
    label = np.where(number + (text == "post") + rng.normal(scale=0.7, size=rows) > 0.5, "bad", "good")
    label[rng.random(rows) < 0.05] = "odd"
    return pa.table(
        {
            "n": pa.array(number, mask=rng.random(rows) < 0.1),
            "t": pa.array(text.tolist()),
            "at": pa.array(1_700_000_000_000 + rng.integers(0, 3_600_000, rows), pa.timestamp("ms", tz="UTC")),
            "label": pa.array(label.tolist()),
        }
    )


@pytest.fixture(scope="module")
def classifier() -> tuple[TrainedModel, RandomForestClassifier, pa.Table]:
    table = mixed_table(3000)
    done = fit_rforest(table, "label", ["n", "t", "at"], FitOptions(trees=40))
    return done.model(Manifest("m", ModelKind.RFOREST, "", ("n", "t", "at"), "label")), done.estimator, table


@pytest.fixture(scope="module")
def isolation() -> tuple[TrainedModel, IsolationForest, pa.Table]:
    table = mixed_table(3000)
    done = fit_iforest(table, ["n", "t", "at"], FitOptions(trees=40))
    return done.model(Manifest("m", ModelKind.IFOREST, "", ("n", "t", "at"))), done.estimator, table


def test_steps_grow_the_same_forest_as_one_fit() -> None:
    table = bot_table(2000)
    done = fit_rforest(table, "label", FIELDS, FitOptions(trees=25, holdout=0.0))
    matrix = encode(done.training.features, table)
    codes = np.array([{"BENIGN": 0, "MALICIOUS": 1}[v] for v in table.column("label").to_pylist()])
    whole = RandomForestClassifier(n_estimators=25, random_state=42).fit(matrix, codes)
    assert (whole.predict_proba(matrix) == done.estimator.predict_proba(matrix)).all()
    outliers = fit_iforest(table, FIELDS, FitOptions(trees=25))
    alone = IsolationForest(n_estimators=25, max_samples=44, random_state=42).fit(matrix)  # floor(sqrt(2000)) = 44
    assert outliers.training.sample == 44
    assert (alone.score_samples(matrix) == outliers.estimator.score_samples(matrix)).all()


def test_batches_are_bit_equal(classifier: tuple, isolation: tuple) -> None:
    model, estimator, table = classifier
    matrix = model.encode(table)
    for threads in (1, 2):
        assert (class_probabilities(model.forest, matrix, threads) == estimator.predict_proba(matrix)).all()
    model, estimator, table = isolation
    matrix = model.encode(table)
    assert (isolation_scores(model.forest, matrix) == -estimator.score_samples(matrix)).all()


def test_path_length_is_scikit_learns() -> None:
    counts = np.arange(1, 5000)
    assert (average_path_length(counts) == _average_path_length(counts)).all()


def test_single_events_are_bit_equal(classifier: tuple, isolation: tuple) -> None:
    model, estimator, table = classifier
    matrix, rows = model.encode(table.slice(0, 400)), table.slice(0, 400).to_pylist()
    truth = estimator.predict_proba(matrix)
    for cache in (0, 50):
        single = SingleRow(model, cache=cache)
        for number, row in enumerate(rows):
            label, probabilities = single.guess(model.encode_row(row))
            assert probabilities == tuple(truth[number])
            assert label == model.forest.classes[truth[number].argmax()] == single.row(row)["_guess"]
    model, estimator, table = isolation
    scores = -estimator.score_samples(model.encode(table.slice(0, 400)))
    single = SingleRow(model, cache=0)
    assert [single.row(row)["_score"] for row in table.slice(0, 400).to_pylist()] == scores.tolist()


def test_nan_takes_the_way_the_tree_remembers(classifier: tuple) -> None:
    model, estimator, _ = classifier
    nothing = np.full((1, 3), np.nan, dtype=np.float32)
    assert SingleRow(model).guess([np.nan] * 3)[1] == tuple(estimator.predict_proba(nothing)[0])


def test_distinct_scoring_gives_every_row_its_answer(classifier: tuple) -> None:
    model, estimator, table = classifier
    repeated = table.take(pa.array(np.random.default_rng(0).integers(0, 50, 5000)))
    columns = score_distinct(repeated, model, probabilities=True)
    truth = estimator.predict_proba(model.encode(repeated))
    labels = np.array(model.forest.classes)
    assert columns["_guess"].to_pylist() == labels[truth.argmax(axis=1)].tolist()
    assert columns["_probability"].to_pylist() == truth.max(axis=1).tolist()
    assert columns["_probabilities"][7].as_py() == list(zip(labels.tolist(), truth[7].tolist(), strict=True))


def test_distinct_rows() -> None:
    table = pa.table({"a": [1, 1, None, 2, None, 1], "b": ["x", "x", None, "y", None, "z"]})
    found = distinct_rows(table, share=0.9)
    assert found is not None
    assert found[0].tolist() == [0, 2, 3, 5]
    assert found[1].tolist() == [0, 0, 1, 2, 1, 3]
    assert distinct_rows(pa.table({"a": list(range(100))})) is None
    wide = pa.table({f"c{i}": np.arange(400) % 20 for i in range(20)})  # 20^20 combinations overflow 64 bits
    again = distinct_rows(wide)
    assert again is not None
    assert again[0].tolist() == list(range(20))


def test_empty_and_single_rows(classifier: tuple, isolation: tuple) -> None:
    for model, _, table in (classifier, isolation):
        for rows in (0, 1):
            columns = score_distinct(table.slice(0, rows), model, probabilities=True, scorer=2)
            assert all(len(column) == rows for column in columns.values())


def test_contributions_add_up_and_name_the_planted_field(isolation: tuple) -> None:
    model, _, table = isolation
    credit = isolation_contributions(model.forest, model.encode(table))
    depth = sum(
        v[t.apply(model.encode(table))] for t, v in zip(model.forest.trees, model.forest.leaf_depths, strict=True)
    )
    constant = credit.sum(axis=1) + depth / len(model.forest.trees)  # expectation at the roots: the same for every row
    np.testing.assert_allclose(constant, constant[0])
    rng = np.random.default_rng(0)
    table = pa.table({"a": rng.normal(size=2000), "b": rng.normal(size=2000), "c": rng.normal(size=2000)})
    done = fit_iforest(table, ["a", "b", "c"])
    model = done.model(Manifest("", ModelKind.IFOREST, "", ("a", "b", "c")))
    out = score_distinct(pa.table({"a": [0.0], "b": [9.0], "c": [0.0]}), model, scorer=1)
    (top,) = out["_scorer"][0].as_py()
    assert top["field"] == "b"
    assert 0.8 < top["weight"] <= 1.0


def test_one_training_row_scores_half() -> None:
    done = fit_iforest(pa.table({"a": [5.0]}), ["a"])
    assert isolation_scores(done.forest, encode(done.training.features, pa.table({"a": [5.0, 9.0]}))).tolist() == [
        0.5,
        0.5,
    ]
    flat = fit_iforest(pa.table({"a": [5.0] * 100}), ["a"])
    assert isolation_scores(flat.forest, np.zeros((1, 1), dtype=np.float32)).tolist() == pytest.approx([0.5])


def test_metrics_are_the_weighted_averages() -> None:
    rng = np.random.default_rng(2)
    truth, guess = rng.integers(0, 4, 500), rng.integers(0, 3, 500)
    found = measure(truth, guess, 4)
    p, r, f, _ = precision_recall_fscore_support(truth, guess, average="weighted", zero_division=0)
    np.testing.assert_allclose([found.precision, found.recall, found.f1], [p, r, f])
    assert found.accuracy == (truth == guess).mean()
    assert found.confusion == tuple(map(tuple, confusion_matrix(truth, guess, labels=range(4)).tolist()))


@pytest.mark.parametrize("counts", [(1,), (3, 1), (60, 37, 3), (1, 1, 1, 1, 1), (1000, 5)])
def test_holdout_is_a_stratified_fifth(counts: tuple[int, ...]) -> None:
    codes = np.repeat(np.arange(len(counts)), counts)
    mask = stratified_holdout(codes, 0.2, 42)
    kept = np.bincount(codes[~mask], minlength=len(counts))
    assert (kept >= 1).all()  # a class never loses its last training row
    possible = sum(c - 1 for c in counts)
    assert mask.sum() == min(int(len(codes) * 0.2), possible)
    assert (np.abs(np.bincount(codes[mask], minlength=len(counts)) - np.array(counts) * 0.2) <= 1).all()
    assert (mask == stratified_holdout(codes, 0.2, 42)).all()
