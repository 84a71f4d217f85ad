"""Probabilities that mean what they say: curves fitted to rows that a forest was not trained on.

Contract
- ``fitted`` learns one curve (two classes) or one a class, as scikit-learn's ``CalibratedClassifierCV`` with
  ``ensemble=False`` does: isotonic regression, or Platt's sigmoid where there are fewer than 1000 rows.
- A ``Calibration`` is numbers only and stored with the model; ``apply`` never changes the number or order of classes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: From this number of rows on the free form is fitted; below it would follow chance (scikit-learn's advice).
ISOTONIC_ROWS = 1000
METHODS = ("isotonic", "sigmoid")


@dataclass(frozen=True)
class Calibration:
    """curves: for two classes one, of the second class, else one a class. A curve is a pair of lists: the points of a
    line (isotonic), or slope and offset (sigmoid)."""

    method: str
    curves: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]

    def apply(self, chances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities (rows, classes) as the curves correct them; each row still sums to 1."""
        if len(self.curves) == 1:
            second = self._curve(0, chances[:, 1])
            return np.stack([1.0 - second, second], axis=1)
        found = np.stack([self._curve(k, chances[:, k]) for k in range(chances.shape[1])], axis=1)
        total = found.sum(axis=1, keepdims=True)
        return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1.0 / found.shape[1])

    def _curve(self, number: int, chances: NDArray[np.float64]) -> NDArray[np.float64]:
        first, second = (np.asarray(part) for part in self.curves[number])
        if self.method == "isotonic":
            line: NDArray[np.float64] = np.interp(chances, first, second)
            return line
        with np.errstate(over="ignore"):
            answer: NDArray[np.float64] = 1.0 / (1.0 + np.exp(first[0] * chances + second[0]))
        return answer

    def to_json(self) -> dict[str, Any]:
        return {"method": self.method, "curves": [[list(a), list(b)] for a, b in self.curves]}

    @staticmethod
    def from_json(data: Mapping[str, Any], classes: int) -> Calibration:
        """Raises ValueError, KeyError or TypeError on anything that ``to_json`` does not write for so many classes."""
        method = data["method"]
        curves = tuple((tuple(float(v) for v in a), tuple(float(v) for v in b)) for a, b in data["curves"])
        if method not in METHODS or len(curves) != (1 if classes == 2 else classes):
            raise ValueError("calibration")
        for first, second in curves:
            if not first or len(first) != len(second) or not all(map(math.isfinite, (*first, *second))):
                raise ValueError("curve")
            if method == "isotonic" and any(b <= a for a, b in itertools.pairwise(first)):
                raise ValueError("curve")
        return Calibration(method, curves)


def method_for(option: str, rows: int) -> str:
    """The method of ``calibrate=``: as named, or by the number of rows."""
    return option if option in METHODS else "isotonic" if rows >= ISOTONIC_ROWS else "sigmoid"


def fitted(chances: NDArray[np.float64], codes: NDArray[np.int64], method: str) -> Calibration:
    """Curves for the probabilities (rows, classes) of rows by models that were not trained on them."""
    two = chances.shape[1] == 2
    wanted: Sequence[int] = (1,) if two else range(chances.shape[1])
    return Calibration(method, tuple(_fit(chances[:, k], codes == k, method) for k in wanted))


def _fit(
    chances: NDArray[np.float64], own: NDArray[np.bool_], method: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if method == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        found = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(chances, own.astype(np.float64))
        return tuple(found.X_thresholds_.tolist()), tuple(found.y_thresholds_.tolist())
    return platt(chances, own)


def platt(chances: NDArray[np.float64], own: NDArray[np.bool_]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Slope and offset of Platt's sigmoid, with his corrected targets (Platt 1999, Lin, Lin and Weng 2007)."""
    from scipy.optimize import minimize

    positive, negative = float(own.sum()), float((~own).sum())
    target = np.where(own, (positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0))

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        line = point[0] * chances + point[1]
        off = target - 1.0 / (1.0 + np.exp(np.clip(line, -700, 700)))
        value = float((np.logaddexp(0.0, -line) + target * line).sum())
        return value, np.array([(off * chances).sum(), off.sum()])

    start = np.array([0.0, math.log((negative + 1.0) / (positive + 1.0))])
    found = minimize(loss, start, method="L-BFGS-B", jac=True, options={"gtol": 1e-9, "ftol": 1e-15})
    return (float(found.x[0]),), (float(found.x[1]),)
