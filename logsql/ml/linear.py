"""A linear classifier (logistic regression) over standardised numbers and a column per text.

Contract
- A number is its distance from the mean of the training in standard deviations; a missing one is the mean.
- A text has a column of its own, of many texts the most frequent have, and the others share one.
- What is stored are plain arrays: no class is named when they are read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from logsql.ml.encoders import Encoder
from logsql.ml.features import FeatureSpec
from logsql.ml.untyped import Estimator, Values
from udfs.estimators import LinearModel
from udfs.forests import Matrix

#: Steps of the solver; with standardised numbers it settles within a few dozen.
ROUNDS = 1000


def text_columns(features: Sequence[FeatureSpec]) -> list[int]:
    """Per column of the matrix the number of its own columns that texts have; 0 for a number."""
    sizes = []
    for spec in features:
        texts = int(max(spec.codes.values(), default=0.0)) + 1 if spec.encoder is Encoder.ONE_HOT else 0
        sizes += [texts] * spec.size
    return sizes


def standard(matrix: Matrix, sizes: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation per column over the rows that have a number; 0 and 1 for texts and constants."""
    mean, scale = np.zeros(matrix.shape[1]), np.ones(matrix.shape[1])
    for column, texts in enumerate(sizes):
        values = matrix[:, column].astype(np.float64)
        values = values[~np.isnan(values)]
        if texts or not len(values):
            continue
        mean[column] = values.mean()
        deviation = values.std()
        scale[column] = deviation if deviation > 1e-12 * max(1.0, abs(mean[column])) else 1.0
    return mean, scale


def _design(matrix: Matrix, sizes: Sequence[int], mean: Estimator, scale: Estimator) -> Estimator:
    """The columns that the solver sees; sparse where there are texts."""
    from scipy import sparse

    rows = len(matrix)
    parts: list[Estimator] = []
    for column, texts in enumerate(sizes):
        values = matrix[:, column].astype(np.float64)
        missing = np.isnan(values)
        if not texts:
            steps = (values - mean[column]) / scale[column]
            steps[missing] = 0.0
            parts.append(steps[:, None])
            continue
        given = np.flatnonzero(~missing)
        place = (given, values[given].astype(np.int64))
        parts.append(sparse.csr_matrix((np.ones(len(given)), place), shape=(rows, texts)))
    if not any(sizes):
        return np.hstack(parts)
    return sparse.hstack(parts, format="csr")


def learn_linear(
    features: Sequence[FeatureSpec], matrix: Matrix, codes: Values, penalty: float, weights: Mapping[int, float] | None
) -> tuple[Estimator, bool]:
    """A fitted ``LogisticRegression`` and whether it settled within ``ROUNDS``. penalty: weight of the L2
    penalty; weights: of the classes by code."""
    from sklearn.linear_model import LogisticRegression

    sizes = text_columns(features)
    design = _design(matrix, sizes, *standard(matrix, sizes))
    strength = math.inf if penalty == 0 else 1.0 / penalty
    estimator = LogisticRegression(C=strength, max_iter=ROUNDS, class_weight=weights).fit(design, codes)
    return estimator, bool((np.asarray(estimator.n_iter_) < ROUNDS).all())


def stored_linear(
    estimator: Estimator, features: Sequence[FeatureSpec], matrix: Matrix, classes: tuple[str, ...]
) -> tuple[dict[str, Values], LinearModel, NDArray[np.float64]]:
    """The arrays to store, the model that scores, and the weight per column of the matrix.

    The weight is how much a column moves the raw value from row to row: the standard deviation of what it adds, in the
    mean over the classes, as a share of all columns.
    """
    sizes = text_columns(features)
    mean, scale = standard(matrix, sizes)
    stored = {
        "sizes": np.array(sizes, dtype="i8"),
        "mean": mean,
        "scale": scale,
        "coefficients": np.ascontiguousarray(np.asarray(estimator.coef_).T),
        "intercept": np.asarray(estimator.intercept_, dtype=np.float64),
    }
    forest = linear_model(stored, matrix.shape[1], classes)
    moved = np.array([forest.parts(matrix, c).std(axis=0).mean() if len(matrix) else 0.0 for c in range(len(sizes))])
    return stored, forest, moved / moved.sum() if moved.sum() > 0 else moved


def linear_model(stored: Mapping[str, Values], width: int, classes: tuple[str, ...]) -> LinearModel:
    """The model made from stored arrays. Raises ValueError, KeyError or TypeError where they do not fit together."""
    kinds = {"sizes": "i8", "mean": "f8", "scale": "f8", "coefficients": "f8", "intercept": "f8"}
    if set(stored) != set(kinds):
        raise ValueError("arrays of a linear model")
    for name, type_ in kinds.items():
        array = stored[name]
        if not isinstance(array, np.ndarray) or array.dtype != np.dtype(type_):
            raise ValueError(f"array {name}")
        if array.ndim != (2 if name == "coefficients" else 1) or not np.isfinite(array).all():
            raise ValueError(f"array {name}")
    sizes = stored["sizes"]
    columns = 1 if len(classes) == 2 else len(classes)
    own = np.maximum(sizes, 1)
    if len(classes) < 2 or len(stored["intercept"]) != columns:
        raise ValueError("classes of a linear model")
    if any(len(stored[name]) != width for name in ("sizes", "mean", "scale")) or (sizes < 0).any():
        raise ValueError("columns of a linear model")
    if stored["coefficients"].shape != (int(own.sum()), columns) or not (stored["scale"] > 0).all():
        raise ValueError("coefficients of a linear model")
    starts = np.concatenate(([0], np.cumsum(own)[:-1])).astype(int)
    coefficients = np.zeros((width, columns))
    tables: list[NDArray[np.float64] | None] = []
    for column, (start, texts) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
        if texts:
            tables.append(np.ascontiguousarray(stored["coefficients"][start : start + texts]))
        else:
            tables.append(None)
            coefficients[column] = stored["coefficients"][start]
    return LinearModel(
        (),
        width,
        classes,
        intercept=stored["intercept"],
        mean=stored["mean"],
        scale=stored["scale"],
        coefficients=coefficients,
        tables=tuple(tables),
    )
