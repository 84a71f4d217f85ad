"""Trained models other than forests of votes, reduced to what scoring needs: boosted trees, linear models, forests of
numbers.

Contract
- Each is a ``Forest`` of ``udfs.inference``, so that batches, streams and single events score it as they score one.
- ``direct(matrix)`` gives a row's answer from that row alone: the same bits in a batch, in another batch and alone.
- Columns are those of the model's float32 matrix; NaN is a missing value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from udfs.forests import Forest, Matrix, Vector

#: Rows taken together.
BLOCK_ROWS = 65_536


class BoostedTree(Protocol):
    """A tree of scikit-learn's boosting."""

    def predict(
        self, X: NDArray[np.float64], known: NDArray[np.uint32], index: NDArray[np.uint32], threads: int, /
    ) -> NDArray[np.float64]:
        """The leaf's value per row."""


def probabilities(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Class probabilities of raw values: the logistic function of one column, softmax of several."""
    if raw.shape[1] == 1:
        small = np.exp(-np.abs(raw[:, 0]))
        second = np.where(raw[:, 0] >= 0, 1.0, small) / (1.0 + small)
        return np.column_stack((1.0 - second, second))
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    out: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return out


@dataclass(frozen=True)
class RegressionForest(Forest):
    """A random forest that answers numbers: the mean of its trees, equal to scikit-learn's with one job."""

    @property
    def regression(self) -> bool:
        return True

    def direct(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """The guessed number per row, shape (rows, 1)."""
        part = np.ascontiguousarray(matrix)
        total = np.zeros((part.shape[0], 1), dtype=np.float64)
        for tree in self.trees:
            total += tree.predict(part)[:, :1]
        return total / len(self.trees)


@dataclass(frozen=True)
class BoostedTrees(Forest):
    """Gradient-boosted trees on histograms: raw values are the baseline and the sum of the rounds.

    rounds: per round one tree per column of ``baseline``, objects with scikit-learn's ``predict(X, known, index,
    threads)``; known, index: which codes of a field with texts it has seen; order: the matrix's columns as the trees
    count them (those with texts first); places: per column of texts, by code of the matrix, the code of the trees
    (NaN: not in the training rows).
    """

    rounds: tuple[tuple[BoostedTree, ...], ...] = ()
    baseline: Vector = field(default_factory=lambda: np.zeros(1))
    known: NDArray[np.uint32] = field(default_factory=lambda: np.zeros((0, 8), np.uint32))
    index: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    places: tuple[Vector, ...] = ()

    @property
    def regression(self) -> bool:
        return not self.classes

    def design(self, matrix: Matrix) -> NDArray[np.float64]:
        """The matrix as the trees see it: float64, columns in their order, codes of texts in theirs."""
        out = np.ascontiguousarray(matrix[:, self.order], dtype=np.float64)
        for column, places in enumerate(self.places):
            codes = out[:, column]
            seen = ~np.isnan(codes)
            codes[seen] = places[codes[seen].astype(np.int64)]
        return out

    def direct(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Class probabilities, shape (rows, classes); or the guessed number, shape (rows, 1)."""
        out = np.empty((matrix.shape[0], len(self.classes) or 1), dtype=np.float64)
        for start in range(0, matrix.shape[0], BLOCK_ROWS):
            part = self.design(matrix[start : start + BLOCK_ROWS])
            raw = np.zeros((part.shape[0], len(self.baseline)), dtype=np.float64) + self.baseline
            for trees in self.rounds:
                for number, tree in enumerate(trees):
                    raw[:, number] += tree.predict(part, self.known, self.index, threads)
            out[start : start + BLOCK_ROWS] = probabilities(raw) if self.classes else raw
        return out


@dataclass(frozen=True)
class LinearModel(Forest):
    """A linear classifier over standardised numbers and a column per text.

    tables: per column of the matrix, for a number ``None``, else the coefficients by code, shape (texts, columns of
    ``intercept``); mean, scale: of the numbers; coefficients: shape (columns of the matrix, columns of ``intercept``).
    A missing number counts as the mean of the training, a missing text as none.
    """

    intercept: Vector = field(default_factory=lambda: np.zeros(1))
    mean: Vector = field(default_factory=lambda: np.zeros(0))
    scale: Vector = field(default_factory=lambda: np.ones(0))
    coefficients: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 1)))
    tables: tuple[NDArray[np.float64] | None, ...] = ()

    def parts(self, matrix: Matrix, column: int) -> NDArray[np.float64]:
        """What one column of the matrix adds to the raw values, shape (rows, columns of ``intercept``)."""
        values = matrix[:, column].astype(np.float64)
        missing = np.isnan(values)
        table = self.tables[column]
        if table is None:
            steps = (values - self.mean[column]) / self.scale[column]
            steps[missing] = 0.0
            out: NDArray[np.float64] = steps[:, None] * self.coefficients[column]
            return out
        values[missing] = 0.0
        found = table[np.minimum(values.astype(np.int64), len(table) - 1)]
        found[missing] = 0.0
        return found

    def direct(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Class probabilities, shape (rows, classes). Columns are added one after the other: a product of matrices
        would round a row otherwise from batch to batch."""
        raw = np.zeros((matrix.shape[0], len(self.intercept)), dtype=np.float64) + self.intercept
        for column in range(matrix.shape[1]):
            raw += self.parts(matrix, column)
        return probabilities(raw)
