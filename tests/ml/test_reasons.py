"""Reasons of an answer against the decomposition along the paths of scikit-learn's trees, written here plainly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.ensemble._iforest import _average_path_length
from sklearn.tree import DecisionTreeClassifier

from logsql.engine.session import Session
from logsql.ml.features import encode
from logsql.ml.model import FitOptions, Manifest, ModelKind, TrainedModel
from logsql.ml.train import fit_iforest, fit_rforest
from tests.ml.bots import FIELDS, bot_table
from tests.ml.support import ml
from tests.ml.test_ml_scoring import mixed_table
from udfs.inference import BatchScorer
from udfs.reasons import BASE, OTHERS, Explainer, reason_lists


def walked(tree: Any, value_of: Any, row: np.ndarray) -> tuple[float, np.ndarray]:
    """Value of the root and what each field changed on the way of one row, node by node (Saabas 2014)."""
    credit = np.zeros(tree.n_features)
    node = 0
    while tree.children_left[node] != -1:
        field = tree.feature[node]
        asked = row[field]
        left = tree.missing_go_to_left[node] if np.isnan(asked) else asked <= tree.threshold[node]
        child = tree.children_left[node] if left else tree.children_right[node]
        credit[field] += value_of(child) - value_of(node)
        node = child
    return value_of(0), credit


def forest_credit(trees: list[Any], row: np.ndarray, code: int) -> tuple[float, np.ndarray]:
    """Mean over the trees of a classifier, for the probability of one class."""
    found = [walked(t, lambda n, t=t: t.value[n, 0, code] / t.value[n, 0].sum(), row) for t in trees]
    return float(np.mean([base for base, _ in found])), np.mean([credit for _, credit in found], axis=0)


def test_weights_of_a_classifier_are_those_of_the_paths() -> None:
    table = mixed_table(1500)
    done = fit_rforest(table, "label", ["n", "t", "at"], FitOptions(trees=20))
    matrix = encode(done.training.features, table.slice(0, 120))
    trees = [e.tree_ for e in done.estimator.estimators_]
    explained = Explainer(done.forest)(matrix)
    truth = done.estimator.predict_proba(matrix)
    assert (explained[:, :3] == truth).all()  # the answer keeps its bits
    assert np.isnan(matrix).any()
    assert len(set(truth.argmax(axis=1))) > 1
    for row, probabilities, found in zip(matrix, truth, explained, strict=True):
        base, credit = forest_credit(trees, row, int(probabilities.argmax()))
        np.testing.assert_allclose(found[3:-1], credit, atol=1e-12)
        assert found[-1] == pytest.approx(base)
        assert found[3:].sum() == pytest.approx(probabilities.max())


def test_weights_of_an_outlier_share_out_its_score() -> None:
    """The path in a tree: its splits and the mean rest c(n) of the rows of the leaf (Liu, Ting and Zhou 2008)."""
    table = mixed_table(1500)
    done = fit_iforest(table, ["n", "t", "at"], FitOptions(trees=25, sample=64))
    matrix = encode(done.training.features, table.slice(0, 80))
    explained = Explainer(done.forest)(matrix)
    scores = -done.estimator.score_samples(matrix)
    assert (explained[:, 0] == scores).all()
    np.testing.assert_allclose(explained[:, 1:].sum(axis=1), scores)
    trees = [e.tree_ for e in done.estimator.estimators_]
    lengths = [mean_lengths(tree) for tree in trees]
    normal = len(trees) * _average_path_length(np.array([64]))[0]
    base = 2 ** (-sum(values[0] for values in lengths) / normal)
    np.testing.assert_allclose(explained[:, -1], base)
    for row, score, found in zip(matrix, scores, explained, strict=True):
        credit = -sum(walked(t, values.__getitem__, row)[1] for t, values in zip(trees, lengths, strict=True))
        np.testing.assert_allclose(found[1:-1], credit * (score - base) / credit.sum(), atol=1e-12)


def mean_lengths(tree: Any) -> np.ndarray:
    """Per node the path length that a training row in it may expect."""
    out = np.zeros(tree.node_count)

    def fill(node: int, depth: int) -> float:
        left, right = tree.children_left[node], tree.children_right[node]
        if left == -1:
            out[node] = depth + _average_path_length(np.array([tree.n_node_samples[node]]))[0]
        else:
            weight = tree.n_node_samples
            total = weight[left] * fill(left, depth + 1) + weight[right] * fill(right, depth + 1)
            out[node] = total / (weight[left] + weight[right])
        return float(out[node])

    fill(0, 0)
    return out


def test_kept_credits_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = mixed_table(700)
    done = fit_rforest(table, "label", ["n", "t", "at"], FitOptions(trees=10))
    matrix = encode(done.training.features, table)
    first = Explainer(done.forest)(matrix)
    monkeypatch.setattr("udfs.reasons.BLOCK_ROWS", 100)
    monkeypatch.setattr("udfs.reasons.KEPT_NUMBERS", 0)
    assert (Explainer(done.forest)(matrix, threads=2) == first).all()


def test_lists_name_the_largest_weights_up_or_down() -> None:
    explained = np.array([[0.1, -0.4, 0.0, 0.2, 0.5], [0.0, 0.0, 0.0, 0.0, 0.3]])
    (first, second) = reason_lists(explained, ["a", "b", "c", "d"], 2).to_pylist()
    assert first == [
        {"field": "b", "weight": -0.4},
        {"field": "d", "weight": 0.2},
        {"field": OTHERS, "weight": 0.1},
        {"field": BASE, "weight": 0.5},
    ]
    assert second == [{"field": BASE, "weight": 0.3}]
    assert [len(row) for row in reason_lists(explained, ["a", "b", "c", "d"], 9).to_pylist()] == [4, 1]
    assert reason_lists(np.zeros((0, 5)), ["a", "b", "c", "d"], 2).to_pylist() == []


def test_one_training_row_explains_nothing() -> None:
    done = fit_iforest(pa.table({"a": [5.0]}), ["a"])
    assert Explainer(done.forest)(np.zeros((2, 1), dtype=np.float32)).tolist() == [[0.5, 0.0, 0.5]] * 2


def test_a_vector_of_a_stream_keeps_its_reasons() -> None:
    table = bot_table(3000)
    done = fit_rforest(table, "label", FIELDS, FitOptions(trees=10))
    model: TrainedModel = done.model(Manifest("m", ModelKind.RFOREST, "", tuple(FIELDS), "label"))
    once, again = BatchScorer(model, explain=2, memory=0), BatchScorer(model, explain=2)
    batches = table.to_batches(max_chunksize=700)
    assert [again(b)["_reasons"].to_pylist() for b in batches] == [once(b)["_reasons"].to_pylist() for b in batches]


def test_reasons_of_a_query_add_up_to_its_answer(session: Session) -> None:
    rng = np.random.default_rng(4)
    rows = 600
    table = pa.table({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "c": rng.integers(0, 3, rows)})
    label = np.where(table.column("a").to_numpy() + 0.3 * rng.normal(size=rows) > 0, 1, 0)
    session.register("t", table.append_column("label", pa.array(label)))
    query = "table t | rforest probability=t explain=3 target=label a, b, c [ table t ]"
    found = session.query(query).rows()
    for row in found:
        assert sum(r["weight"] for r in row["_reasons"]) == pytest.approx(row["_probability"])
    first = [row["_reasons"][0]["field"] for row in found]
    assert first.count("a") > 0.9 * rows  # the label is made of a
    plain = session.query(query.replace("explain=3", "")).rows()
    assert [r["_guess"] for r in plain] == [r["_guess"] for r in found]
    assert "_reasons" not in plain[0]
    assert (
        session.query(query + " | eval f = _reasons[0].field | stats count by f | sort limit=1 -count").rows()[0]["f"]
        == "a"
    )
    odd = session.query("table t | anomalies explain=2 scorer=1 a, b, c [ table t ]").rows()
    for row in odd:
        assert sum(r["weight"] for r in row["_reasons"]) == pytest.approx(row["_score"])
        assert row["_reasons"][-1]["field"] == BASE
        if row["_scorer"] and row["_reasons"][0]["weight"] > 0:  # the field that pushed most upwards
            assert row["_reasons"][0]["field"] == row["_scorer"][0]["field"]


@pytest.mark.usefixtures("own_data_folder")
def test_a_stored_model_explains_too(session: Session) -> None:
    table = bot_table(800)
    session.register("t", table)
    ml(session, "ml.addQueryInput t table t", 'ml.createModel rforest bot t fields="+label, *"', "ml.fit bot wait=t")
    found = session.query("table t | rforest probability=t explain=30 model=bot").rows()
    assert len(found) == 800
    for row in found:
        weights = {r["field"]: r["weight"] for r in row["_reasons"]}
        assert OTHERS not in weights
        assert sum(weights.values()) == pytest.approx(row["_probability"])


def test_a_failed_training_has_no_reasons(session: Session) -> None:
    rows = session.query(
        """json "[{'a':1},{'a':2}]" | rforest explain=2 target=label a [ json "[{'a':1,'label':'x'}]" ]"""
    ).rows()
    assert [(r["_guess"], r["_reasons"]) for r in rows] == [(None, None)] * 2
    assert "only one class" in rows[0]["_rforest_error"]


def test_scikit_learns_values_are_shares() -> None:
    """Paths add up to a probability only while a node holds shares of the classes; a version that changes it fails."""
    x = np.array([[0.0], [1.0], [2.0], [3.0]])
    tree = DecisionTreeClassifier(random_state=0).fit(x, [0, 0, 1, 1]).tree_
    assert tree.value[0, 0].tolist() == [0.5, 0.5]
    weighted = RandomForestClassifier(n_estimators=3, class_weight="balanced", random_state=0).fit(x, [0, 1, 1, 1])
    assert all(abs(e.tree_.value.sum(axis=2) - 1).max() < 1e-12 for e in weighted.estimators_)
