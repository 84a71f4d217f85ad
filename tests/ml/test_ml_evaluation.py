"""How models are tested: the expected figures are scikit-learn's own, computed here beside ours."""

from __future__ import annotations

import random
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.model_selection import GroupKFold, StratifiedKFold, TimeSeriesSplit

from logsql.ml.errors import MlError
from logsql.ml.evaluation import held_out, repeated
from logsql.ml.features import build_features, encode
from logsql.ml.model import FitOptions, ModelKind
from logsql.ml.train import Fitted, fit_rforest, fit_supervised, plan_of
from logsql.shell.ml_layout import model_card
from tests.ml.test_ml_commands import Session
from udfs.inference import class_probabilities

TREES = 20


def flag_and_noise(rows: int = 1500) -> pa.Table:
    """A flag that decides the label in 85 of 100 rows, and a number that is another in every row."""
    rng = random.Random(5)
    flag = [rng.random() < 0.5 for _ in range(rows)]
    label = [f if rng.random() < 0.85 else not f for f in flag]
    noise = [rng.randrange(10**6) for _ in range(rows)]
    return pa.table({"label": ["mal" if y else "ben" for y in label], "flag": [int(f) for f in flag], "noise": noise})


def fingerprints(addresses: int = 120, requests: int = 10) -> pa.Table:
    """A coin label per address; the features are a fingerprint of the address and tell nothing about others."""
    rng = random.Random(2)
    rows = []
    for address in range(addresses):
        label = rng.choice(["mal", "ben"])
        base = [rng.randrange(10**5) for _ in range(3)]
        for _ in range(requests):
            a, b, c = (value + rng.randrange(5) for value in base)
            rows.append({"pin": address, "label": label, "a": a, "b": b, "c": c})
    return pa.Table.from_pylist(rows)


def rare_attackers(rows: int = 2000) -> pa.Table:
    """One row in ten is an attack; the classes overlap."""
    rng = np.random.default_rng(8)
    attack = rng.random(rows) < 0.1
    columns = {f"n{i}": np.round(rng.normal(attack * (1.2 + i / 5), 1.0), 2) for i in range(3)}
    return pa.table({"label": np.where(attack, "mal", "ben"), **columns})


def split(rows: pa.Table, options: FitOptions) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrix, labels as text, and the mask of the rows of the test."""
    fields = [n for n in rows.column_names if n not in ("label", "pin", "_time")]
    labels = np.array(rows.column("label").to_pylist())
    codes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return encode(build_features(rows, fields), rows), labels, held_out(rows, codes, plan_of(options)).mask


def fitted(rows: pa.Table, options: FitOptions, test: pa.Table | None = None) -> Fitted:
    fields = [n for n in rows.column_names if n not in ("label", "pin", "_time")]
    return fit_rforest(rows, "label", fields, options, test=test)


def test_figures_of_each_class_are_those_of_scikit_learn() -> None:
    options, rows = FitOptions(trees=TREES), rare_attackers()
    matrix, labels, mask = split(rows, options)
    forest = RandomForestClassifier(TREES, random_state=42, n_jobs=1).fit(matrix[~mask], labels[~mask])
    guess, chances = forest.predict(matrix[mask]), forest.predict_proba(matrix[mask])
    metrics = fitted(rows, options).training.metrics
    assert metrics is not None
    assert metrics.accuracy == accuracy_score(labels[mask], guess)
    wanted = np.array(precision_recall_fscore_support(labels[mask], guess, labels=["ben", "mal"], zero_division=0))
    ours = [(c.precision, c.recall, c.f1, c.support) for c in metrics.classes(())]
    assert pytest.approx(wanted) == np.array(ours).T
    for code, name in enumerate(("ben", "mal")):
        own = labels[mask] == name
        assert metrics.pr_auc[code] == pytest.approx(average_precision_score(own, chances[:, code]))
        assert metrics.roc_auc[code] == pytest.approx(roc_auc_score(own, chances[:, code]))
        for threshold in (0.0, 0.25, 0.5, 0.95, 1.0):
            flagged = chances[:, code] >= threshold
            assert metrics.curves[code][round(threshold * 100)] == ((flagged & own).sum(), (flagged & ~own).sum())


def test_permutation_on_held_out_rows_is_that_of_scikit_learn_and_does_not_blame_noise() -> None:
    options, rows = FitOptions(trees=TREES), flag_and_noise()
    matrix, labels, mask = split(rows, options)
    forest = RandomForestClassifier(TREES, random_state=42, n_jobs=1).fit(matrix[~mask], labels[~mask])
    wanted = permutation_importance(forest, matrix[mask], labels[mask], n_repeats=5, random_state=42)
    training = fitted(rows, options).training
    assert training.evaluation is not None
    found = {s.name: s.mean for s in training.evaluation.shuffled}
    assert [found["flag"], found["noise"]] == pytest.approx(wanted.importances_mean.tolist())
    assert next(iter(found)) == "flag"
    assert found["flag"] > 0.2 > 0.05 > found["noise"]
    assert dict(training.importance)["noise"] > 40  # what impurity says: the reason for all this


def test_whole_groups_are_held_out_and_the_test_tells_that_nothing_was_learnt() -> None:
    rows = fingerprints()
    naive, honest = (fitted(rows, FitOptions(trees=TREES, group=g)).training for g in (None, "pin"))
    assert naive.metrics is not None
    assert honest.metrics is not None
    assert naive.metrics.accuracy > 0.95
    assert 0.3 < honest.metrics.accuracy < 0.7
    _, _, mask = split(rows, FitOptions(group="pin"))
    pins = np.array(rows.column("pin").to_pylist())
    assert not set(pins[mask]) & set(pins[~mask])
    assert honest.evaluation is not None
    assert honest.evaluation.groups == (24, 120)
    assert honest.test_rows == mask.sum() == 240


def test_vectors_of_the_test_that_were_trained_on_are_counted() -> None:
    train = np.array([[1, np.nan], [2, 0.0], [2, -0.0]], np.float32)
    test = np.array([[1, np.nan], [2, 0], [2, 1], [np.nan, 1], [2, -0.0]], np.float32)
    assert repeated(train, test) == 3
    rows = fingerprints(40)
    matrix, _, mask = split(rows, FitOptions())
    known = {tuple(row) for row in matrix[~mask].tolist()}
    wanted = sum(tuple(row) in known for row in matrix[mask].tolist())
    evaluation = fitted(rows, FitOptions(trees=5)).training.evaluation
    assert evaluation is not None
    assert evaluation.repeated == wanted > 0


def test_folds_are_those_of_scikit_learns_splitters() -> None:
    rows = fingerprints(40)
    matrix, labels, _ = split(rows, FitOptions())
    groups = np.array(rows.column("pin").to_pylist())
    ways = {
        "group": (FitOptions(trees=5, folds=3, group="pin"), GroupKFold(3).split(matrix, labels, groups)),
        "plain": (
            FitOptions(trees=5, folds=3),
            StratifiedKFold(3, shuffle=True, random_state=42).split(matrix, labels),
        ),
        "time": (FitOptions(trees=5, folds=3, split="time", time="pin"), TimeSeriesSplit(3).split(matrix)),
    }
    wanted, found = {}, {}
    for name, (options, parts) in ways.items():
        wanted[name] = []
        for train, test in parts:
            forest = RandomForestClassifier(5, random_state=42, n_jobs=1).fit(matrix[train], labels[train])
            wanted[name].append((len(test), pytest.approx(accuracy_score(labels[test], forest.predict(matrix[test])))))
        evaluation = fitted(rows, options).training.evaluation
        assert evaluation is not None
        found[name] = [(f.rows, f.accuracy) for f in evaluation.folds]
    assert found == wanted


def test_the_latest_rows_are_held_out_also_where_the_time_is_text() -> None:
    times = [f"2026-03-{day:02d} 00:00:00+0900" for day in range(1, 21)]
    random.Random(1).shuffle(times)
    rows = pa.table({"_time": times, "label": ["a", "b"] * 10, "n": list(range(20))})
    held = held_out(rows, np.array([0, 1] * 10), plan_of(FitOptions(split="time")))
    assert sorted(np.array(times)[held.mask]) == [f"2026-03-{day} 00:00:00+0900" for day in range(17, 21)]
    assert held.since == "2026-03-17 00:00:00+0900"
    with pytest.raises(MlError, match="no dates"):
        held_out(
            rows.set_column(0, "_time", pa.array(["10/Oct"] * 20)),
            np.zeros(20, np.int64),
            plan_of(FitOptions(split="time")),
        )


def test_a_class_that_comes_up_only_later_counts_as_wrong() -> None:
    rows = pa.table({"_time": list(range(100)), "label": ["a", "b"] * 40 + ["new"] * 20, "n": [0, 1] * 40 + [5] * 20})
    done = fitted(rows, FitOptions(trees=5, split="time"))
    assert done.training.classes == ("a", "b")
    metrics = done.training.metrics
    assert metrics is not None
    assert (metrics.labels, metrics.accuracy) == (("a", "b", "new"), 0.0)
    assert metrics.classes(())[2].support == 20


def test_the_rows_of_another_input_are_the_test() -> None:
    rows, other = flag_and_noise(600), flag_and_noise(900).slice(600)
    done = fitted(rows, FitOptions(trees=5, test="other"), other)
    assert (done.training.train_rows, done.training.test_rows) == (600, 300)
    matrix, labels, _ = split(rows, FitOptions())
    forest = RandomForestClassifier(5, random_state=42, n_jobs=1).fit(matrix, labels)
    test = encode(build_features(rows, ["flag", "noise"]), other)
    assert done.training.metrics is not None
    assert done.training.metrics.accuracy == accuracy_score(other.column("label").to_pylist(), forest.predict(test))


@pytest.mark.parametrize("weight", ["balanced", "mal:7.5"])
def test_weights_of_classes_are_those_of_scikit_learn(weight: str) -> None:
    options, rows = FitOptions(trees=5, class_weight=weight), rare_attackers(800)
    matrix, labels, mask = split(rows, options)
    given = weight if weight == "balanced" else {"mal": 7.5, "ben": 1.0}
    forest = RandomForestClassifier(5, random_state=42, n_jobs=1, class_weight=given).fit(matrix[~mask], labels[~mask])
    assert class_probabilities(fitted(rows, options).forest, matrix) == pytest.approx(forest.predict_proba(matrix))


@pytest.mark.parametrize("method", ["isotonic", "sigmoid"])
@pytest.mark.parametrize("classes", [2, 3])
def test_calibration_is_that_of_scikit_learn(method: str, classes: int) -> None:
    rows = rare_attackers(800)
    if classes == 3:
        third = np.where(
            np.array(rows.column("n0").to_pylist()) > 1, "other", np.array(rows.column("label").to_pylist())
        )
        rows = rows.set_column(0, "label", pa.array(third))
    options = FitOptions(trees=5, calibrate=method)
    matrix, labels, mask = split(rows, options)
    parts = StratifiedKFold(5, shuffle=True, random_state=42)
    forest = RandomForestClassifier(5, random_state=42, n_jobs=1)
    known = CalibratedClassifierCV(forest, method=method, cv=parts, ensemble=False).fit(matrix[~mask], labels[~mask])
    ours = class_probabilities(fitted(rows, options).forest, matrix[mask])
    assert ours == pytest.approx(known.predict_proba(matrix[mask]), abs=2e-3 if method == "sigmoid" else 1e-9)
    assert ours.sum(axis=1) == pytest.approx(1.0)


def test_a_quantity_is_no_label_and_nothing_is_printed_by_the_library(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(3)
    rows = pa.table({"label": rng.normal(size=200), "n": rng.normal(size=200)})
    training = fitted(rows, FitOptions(trees=2)).training
    assert (training.task.value, training.classes) == ("regress", ())
    few = pa.table({"label": [f"c{i // 2}" for i in range(80)], "n": [float(i % 7) for i in range(80)]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(few, FitOptions(trees=2, class_weight="balanced"))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (FitOptions(group="nope"), "41110"),
        (FitOptions(split="time"), "41110"),
        (FitOptions(split="later"), "41151"),
        (FitOptions(folds=1), "41151"),
        (FitOptions(group="pin", split="time"), "41151"),
        (FitOptions(group="pin", test="other"), "41151"),
        (FitOptions(test="other", holdout=0.5), "41151"),
        (FitOptions(calibrate="yes"), "41151"),
        (FitOptions(class_weight="mal"), "41151"),
        (FitOptions(class_weight="evil:2"), "41151"),
        (FitOptions(class_weight="mal:0"), "41151"),
    ],
)
def test_wrong_ways_to_test_are_refused(options: FitOptions, code: str) -> None:
    with pytest.raises(MlError) as caught:
        fitted(fingerprints(4, 5), replace(options, trees=1))
    assert caught.value.code == code


def test_one_group_cannot_be_divided() -> None:
    rows = fingerprints(4, 5)
    same = rows.set_column(0, "pin", pa.array([1] * rows.num_rows))
    with pytest.raises(MlError, match="1 groups") as caught:
        fitted(same, FitOptions(trees=1, group="pin"))
    assert caught.value.code == "41113"


# --- on the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def session(tmp_path: Path) -> Session:
    pacsv.write_csv(fingerprints(40), tmp_path / "leak.csv")
    pacsv.write_csv(rare_attackers(600), tmp_path / "rare.csv")
    made = Session(tmp_path)
    made(f"ml.addCsvInput leak {tmp_path / 'leak.csv'}")
    made(f"ml.addCsvInput rare {tmp_path / 'rare.csv'}")
    return made


def test_the_card_keeps_the_articles_lines_and_adds_the_rest_behind(session: Session) -> None:
    session("ml.createModel rforest m rare fields=+label,n0,n1,n2 trees=10")
    session("ml.fit m folds=3 calibrate=t class_weight=balanced")
    lines = session("ml.model m").splitlines()
    rule = "-" * 19
    start = lines.index("Variable Importance")
    importance = [line.split(": ") for line in lines[start + 2 : start + 5]]
    assert sorted(name for name, _ in importance) == ["n0", "n1", "n2"]
    assert sum(float(value) for _, value in importance) == pytest.approx(100.0)
    assert lines[start + 5 : start + 8] == [rule, "Performance", rule]
    assert [line.split(": ")[0] for line in lines[start + 8 : start + 12]] == [
        "Accuracy", "Precision", "Recall", "F1 score",
    ]  # fmt: skip
    assert "[*] label (cardinality: 2)" in lines
    assert "class_weight: balanced" in lines
    table = {line.split()[0]: line.split()[1:] for line in lines[start + 13 : start + 16]}
    assert table["class"] == ["precision", "recall", "F1", "support"]
    metrics = session.store.manifest("m").training.metrics  # type: ignore[union-attr]
    assert metrics is not None
    for score in metrics.classes(()):
        assert table[score.name] == [
            f"{score.precision:.6f}",
            f"{score.recall:.6f}",
            f"{score.f1:.6f}",
            str(score.support),
        ]
    text = "\n".join(lines)
    assert f"ROC-AUC: ben {metrics.roc_auc[0]:.6f}, mal {metrics.roc_auc[1]:.6f}" in text
    assert f"PR-AUC: ben {metrics.pr_auc[0]:.6f}, mal {metrics.pr_auc[1]:.6f}" in text
    assert "Cross-validation (3 folds): accuracy 0." in text
    assert "Probabilities: calibrated (sigmoid)" in text
    assert f"Permutation Importance\n{rule}\n" in text
    assert f"Impurity Importance\n{rule}\n" in text


def test_a_test_that_knows_its_rows_is_warned_of_when_it_is_made_and_in_the_card(session: Session) -> None:
    session("ml.createModel rforest m leak fields=+label,a,b,c trees=5")
    assert session("ml.fit m") == "started\nfinished"
    (warning,) = session.errors
    evaluation = session.store.manifest("m").training.evaluation  # type: ignore[union-attr]
    assert evaluation is not None
    assert warning.startswith(
        f"warning: {evaluation.repeated} of 80 held-out rows ({evaluation.repeated / 80:.1%}) have"
    )
    assert "group=FIELD" in warning
    assert "Warning: " + warning.removeprefix("warning: ") in session("ml.model m")
    assert session("ml.fit m group=pin") == "started\nfinished"
    assert session.errors == []
    card = session("ml.model m")
    assert "Warning" not in card
    assert "Hold-out: 80 rows (8 of 40 groups by pin), trained on 320 rows" in card
    assert "group: pin" in card


def test_thresholds_name_the_cheapest(session: Session) -> None:
    session("ml.createModel rforest m rare fields=+label,n0,n1,n2 trees=10")
    session("ml.fit m")
    options = FitOptions(trees=10)
    matrix, labels, mask = split(rare_attackers(600), options)
    forest = RandomForestClassifier(10, random_state=42, n_jobs=1).fit(matrix[~mask], labels[~mask])
    chance, own = forest.predict_proba(matrix[mask])[:, 1], labels[mask] == "mal"
    costs = {}
    for number in range(101):
        flagged = chance >= number / 100
        costs[number] = 5 * (~flagged & own).sum() + 2 * (flagged & ~own).sum()
    lines = session("ml.thresholds m miss=5 alarm=2 step=0.1").splitlines()
    assert lines[2] == f"Class mal: {own.sum()} of 120 held-out rows; a missed one costs 5, a false alarm 2"
    head, *rows = (line.replace("*", " ").split() for line in lines[3:-1])
    assert head == ["threshold", "alarms", "right", "false", "missed", "precision", "recall", "F1", "cost"]
    best = min(costs, key=lambda number: costs[number])
    assert f"*       {best / 100:.2f}" in session("ml.thresholds m miss=5 alarm=2 step=0.1")
    shown = sorted({*range(10, 101, 10), best})
    assert [round(float(row[0]) * 100) for row in rows] == shown
    for number, row in zip(shown, rows, strict=True):
        flagged = chance >= number / 100
        counts = [flagged.sum(), (flagged & own).sum(), (flagged & ~own).sum(), (~flagged & own).sum()]
        assert [int(n) for n in row[1:5]] == counts
        assert float(row[8]) == costs[number]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ml.createModel rforest x leak fields=+label,a group=pni", "41110"),
        ("ml.createModel rforest x leak fields=+label,a test=nothing", "41130"),
        ("ml.createModel iforest x leak fields=a,b folds=3", "41151"),
        ("ml.createModel rforest x leak fields=+label,a calibrate=maybe", "41151"),
        ("ml.fit m fold=3", "41151"),
        ("ml.thresholds m", "41116"),
    ],
)
def test_wrong_calls(session: Session, line: str, code: str) -> None:
    session("ml.createModel rforest m leak fields=+label,a,b,c trees=1")
    text = session(line, 2 if code == "41151" else 1)
    assert text.startswith(f"error[{code}]: ")


@pytest.mark.parametrize("kind", [ModelKind.RFOREST, ModelKind.GBOOST, ModelKind.LOGIT])
def test_texts_of_the_test_are_unknown_to_the_encoders(kind: ModelKind) -> None:
    """Texts that never repeat tell nothing about new rows, although their order goes with the class."""
    dice = random.Random(3)
    labels = ["x", "y"] * 200
    texts = [{"x": "b", "y": "a"}[label] + "".join(dice.choices("0123456789", k=9)) for label in labels]
    rows = pa.table({"label": labels, "t": texts})
    training = fit_supervised(kind, rows, "label", ["t"], FitOptions(folds=3)).training
    assert training.metrics is not None
    assert training.metrics.accuracy < 0.7
    assert training.evaluation is not None
    assert max(fold.accuracy for fold in training.evaluation.folds) < 0.7


@pytest.mark.parametrize(
    ("kind", "heading", "trees"),
    [("rforest", "Impurity", True), ("gboost", "Gain", True), ("logit", "Weight", False)],
)
def test_the_card_calls_what_it_shows_by_its_name(session: Session, kind: str, heading: str, trees: bool) -> None:
    """Only a forest splits by impurity, and a linear model has no trees."""
    session(f"ml.createModel {kind} m rare fields=+label,n0,n1,n2")
    session("ml.fit m")
    lines = session("ml.model m").splitlines()
    named = [line.partition(" ")[0] for line in lines if line.endswith(" Importance")]
    assert named == ["Variable", "Permutation", heading]
    assert any(line.startswith("Trees: ") for line in lines) is trees
    manifest = session.store.manifest("m")
    assert manifest.training is not None
    stopped = replace(manifest, training=replace(manifest.training, settled=False))
    assert "before the weights had settled" in model_card(stopped)
    assert "settled" not in "\n".join(lines)
