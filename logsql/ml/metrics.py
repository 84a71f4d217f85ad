"""Scores of a classifier on rows that it was not trained on.

Precision, recall and F1 are averages over the classes weighted by their rows, and say so (decision 10); a class that is
never predicted has precision 0. Weighted recall equals accuracy by definition. What an average hides stands beside it:
the same figures of each class, and the areas under the precision-recall curve (average precision) and under the ROC
curve, each class against all others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The thresholds whose counts are kept with a model.
GRID: NDArray[np.float64] = np.arange(101) / 100
#: For models of more classes than this the counts at the thresholds are not kept (101 pairs of numbers a class).
MAX_CURVES = 50


@dataclass(frozen=True)
class ClassScore:
    """One class against all others: precision, recall and F1 in 0..1, support: rows that are of the class."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Metrics:
    """accuracy .. f1 in 0..1; averaging names the average; confusion[true][predicted] counts rows, in class order.

    labels: the classes of the rows and columns of ``confusion`` (empty, in models of before: those of the training);
    pr_auc, roc_auc: per class, None where the rows do not tell (all are of the class, or none is); curves: per class,
    per threshold of ``GRID``, the rows of the class and the other rows whose probability of the class is at least that.
    """

    accuracy: float
    precision: float
    recall: float
    f1: float
    averaging: str
    confusion: tuple[tuple[int, ...], ...]
    labels: tuple[str, ...] = ()
    pr_auc: tuple[float | None, ...] = ()
    roc_auc: tuple[float | None, ...] = ()
    curves: tuple[tuple[tuple[int, int], ...], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def classes(self, names: Sequence[str]) -> tuple[ClassScore, ...]:
        """Each class with its figures, from the confusion matrix. names: of the classes, where ``labels`` has none."""
        matrix = np.array(self.confusion, dtype=np.int64)
        precision, recall, f1, actual = _per_class(matrix)
        found = zip(self.labels or names, precision, recall, f1, actual, strict=True)
        return tuple(ClassScore(n, float(p), float(r), float(f), int(a)) for n, p, r, f, a in found)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Metrics:
        confusion = tuple(tuple(int(n) for n in row) for row in data["confusion"])
        accuracy, precision, recall, f1 = (float(data[name]) for name in ("accuracy", "precision", "recall", "f1"))
        areas = [tuple(None if v is None else float(v) for v in data.get(name, ())) for name in ("pr_auc", "roc_auc")]
        curves = tuple(tuple((int(a), int(b)) for a, b in curve) for curve in data.get("curves", ()))
        labels = tuple(str(name) for name in data.get("labels", ()))
        averaging = str(data["averaging"])
        return Metrics(accuracy, precision, recall, f1, averaging, confusion, labels, areas[0], areas[1], curves)


@dataclass(frozen=True)
class NumberMetrics:
    """Errors of guessed numbers, in the unit of the target: mean and median of their size, root of the mean square;
    r2: share of the variance that is explained (0: no better than the mean)."""

    mae: float
    median: float
    rmse: float
    r2: float

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> NumberMetrics:
        return NumberMetrics(*(float(data[name]) for name in ("mae", "median", "rmse", "r2")))


def measure_numbers(truth: NDArray[np.float64], guess: NDArray[np.float64]) -> NumberMetrics:
    """Errors of guessed against true numbers (same length, at least one row)."""
    wrong = np.abs(truth - guess)
    spread = float(((truth - truth.mean()) ** 2).sum())
    square = float((wrong**2).sum())
    explained = 1.0 - square / spread if spread else float(square == 0)
    return NumberMetrics(float(wrong.mean()), float(np.median(wrong)), math.sqrt(square / len(truth)), explained)


def measure(truth: NDArray[np.int64], guess: NDArray[np.int64], classes: int) -> Metrics:
    """Metrics of predicted against true class codes (same length, at least one row)."""
    matrix = np.bincount(truth * classes + guess, minlength=classes * classes).reshape(classes, classes)
    precision, recall, f1, actual = _per_class(matrix)
    weight = actual / actual.sum()
    return Metrics(
        float(np.diag(matrix).sum() / actual.sum()),
        float(precision @ weight),
        float(recall @ weight),
        float(f1 @ weight),
        "weighted",
        tuple(tuple(int(n) for n in row) for row in matrix),
    )


def _per_class(matrix: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Precision, recall, F1 and number of rows of each class of a confusion matrix; 0 where there is nothing."""
    right = np.diag(matrix).astype(np.float64)
    actual, predicted = matrix.sum(axis=1).astype(np.float64), matrix.sum(axis=0).astype(np.float64)
    precision = np.divide(right, predicted, out=np.zeros_like(right), where=predicted > 0)
    recall = np.divide(right, actual, out=np.zeros_like(right), where=actual > 0)
    both = precision + recall
    return precision, recall, np.divide(2 * precision * recall, both, out=np.zeros_like(right), where=both > 0), actual


def judge(probabilities: NDArray[np.float64], truth: NDArray[np.int64], labels: Sequence[str]) -> Metrics:
    """All figures of the probabilities (rows, classes) of rows whose class codes are ``truth``; at least one row."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    found = measure(truth, probabilities.argmax(axis=1).astype(np.int64), len(labels))
    pr_auc: list[float | None] = []
    roc_auc: list[float | None] = []
    curves: list[tuple[tuple[int, int], ...]] = []
    for code in range(len(labels)):
        own, chance = truth == code, probabilities[:, code]
        told = own.any() and not own.all()
        pr_auc.append(float(average_precision_score(own, chance)) if told else None)
        roc_auc.append(float(roc_auc_score(own, chance)) if told else None)
        if len(labels) <= MAX_CURVES:
            curves.append(tuple(zip(_at_least(chance[own]), _at_least(chance[~own]), strict=True)))
    return replace(found, labels=tuple(labels), pr_auc=tuple(pr_auc), roc_auc=tuple(roc_auc), curves=tuple(curves))


def _at_least(chances: NDArray[np.float64]) -> list[int]:
    """How many are at least each threshold of ``GRID``."""
    counts: list[int] = (len(chances) - np.searchsorted(np.sort(chances), GRID, side="left")).tolist()
    return counts


def stratified_holdout(codes: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    """Mask of the hold-out rows: floor(n * share) rows, each class in proportion, a class of one row stays in training.

    Shares are rounded down per class and the rest goes to the largest remainders, smaller class code first.
    """
    total = int(len(codes) * share)
    mask = np.zeros(len(codes), dtype=np.bool_)
    counts = np.bincount(codes)
    exact = counts * share
    take = np.minimum(np.floor(exact).astype(np.int64), np.maximum(counts - 1, 0))
    order: Sequence[int] = np.argsort(-(exact - take), kind="stable").tolist()
    while take.sum() < total and any(take[c] < counts[c] - 1 for c in order):
        for code in order:
            if take.sum() < total and take[code] < counts[code] - 1:
                take[code] += 1
    random = np.random.default_rng(seed)
    for code, number in enumerate(take.tolist()):
        members = np.flatnonzero(codes == code)
        mask[random.permutation(members)[:number]] = True
    return mask
