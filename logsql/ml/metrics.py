"""Scores of a classifier on its hold-out rows.

Precision, recall and F1 are averages over the classes weighted by their rows, and say so (decision 10); a class that is
never predicted has precision 0. Weighted recall equals accuracy by definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Metrics:
    """accuracy .. f1 in 0..1; averaging names the average; confusion[true][predicted] counts rows, in class order."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    averaging: str
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Metrics:
        confusion = tuple(tuple(int(n) for n in row) for row in data["confusion"])
        accuracy, precision, recall, f1 = (float(data[name]) for name in ("accuracy", "precision", "recall", "f1"))
        return Metrics(accuracy, precision, recall, f1, str(data["averaging"]), confusion)


def measure(truth: NDArray[np.int64], guess: NDArray[np.int64], classes: int) -> Metrics:
    """Metrics of predicted against true class codes (same length, at least one row)."""
    matrix = np.bincount(truth * classes + guess, minlength=classes * classes).reshape(classes, classes)
    right = np.diag(matrix).astype(np.float64)
    actual, predicted = matrix.sum(axis=1).astype(np.float64), matrix.sum(axis=0).astype(np.float64)
    precision = np.divide(right, predicted, out=np.zeros_like(right), where=predicted > 0)
    recall = np.divide(right, actual, out=np.zeros_like(right), where=actual > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(right), where=both > 0)
    weight = actual / actual.sum()
    return Metrics(
        float(right.sum() / actual.sum()),
        float(precision @ weight),
        float(recall @ weight),
        float(f1 @ weight),
        "weighted",
        tuple(tuple(int(n) for n in row) for row in matrix),
    )


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
