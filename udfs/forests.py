"""A trained forest, reduced to what scoring needs. scikit-learn is not imported here: the trees arrive as objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Vector = NDArray[np.float64]


class Corrected(Protocol):
    """What corrects the probabilities of a forest after its trees have voted."""

    def apply(self, chances: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities (rows, classes) as corrected; rows still sum to 1."""


@dataclass(frozen=True)
class Forest:
    """Trees of one trained forest, reduced to what scoring needs.

    trees: scikit-learn ``Tree`` objects; n_features: width of the matrix; classes: label texts by class code (empty for
    an isolation forest); leaf_depths: per tree, per node, the path length credited to a leaf (isolation forests only);
    normaliser: number of trees times the mean path length of the sub-sample (isolation forests only); calibration:
    what corrects the probabilities of the trees, if anything does.
    """

    trees: tuple[Any, ...]
    n_features: int
    classes: tuple[str, ...] = ()
    leaf_depths: tuple[Vector, ...] = ()
    normaliser: float = 0.0
    calibration: Corrected | None = None

    @property
    def regression(self) -> bool:
        """Whether it answers numbers instead of classes or scores."""
        return False

    def direct(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64] | None:
        """The answers of a model that makes them itself (``udfs.estimators``); None: its trees are walked."""
        return None


def average_path_length(counts: NDArray[Any]) -> Vector:
    """Mean path length c(n) of an unsuccessful search in a tree of n samples (Liu, Ting, Zhou 2008, equation 1)."""
    n = np.asarray(counts, dtype=np.int64)
    out = np.zeros(n.shape, dtype=np.float64)
    out[n == 2] = 1.0
    many = n > 2
    out[many] = 2.0 * (np.log(n[many] - 1.0) + np.euler_gamma) - 2.0 * (n[many] - 1.0) / n[many]
    return out


def classification_forest(trees: Sequence[Any], n_features: int, classes: Sequence[str]) -> Forest:
    """Forest of a random-forest classifier: ``trees`` in training order, ``classes`` by class code."""
    return Forest(tuple(trees), n_features, tuple(classes))


def isolation_forest(trees: Sequence[Any], n_features: int, max_samples: int) -> Forest:
    """Forest of an isolation forest: path lengths are recomputed from the node counts, nothing stored is trusted."""
    depths = tuple(tree.compute_node_depths() + average_path_length(tree.n_node_samples) - 1.0 for tree in trees)
    normaliser = float(len(trees) * average_path_length(np.array([max_samples]))[0])
    return Forest(tuple(trees), n_features, (), depths, normaliser)


def score_of_depth(forest: Forest, depth: Vector) -> Vector:
    """The paper's 2^(-E(h)/c(n)); one training row gives c(n) = 0 and the neutral 0.5, as scikit-learn does."""
    ratio = np.divide(depth, forest.normaliser, out=np.ones_like(depth), where=forest.normaliser != 0)
    score: Vector = 2 ** (-ratio)
    return score
