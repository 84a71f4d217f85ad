"""Why a forest answered as it did: what each field added along the paths of the trees.

Contract
- A tree's answer is the value of its root plus the change at every split on the way to the leaf; each change belongs to
  the field that the split asks. Summed over the trees, per row: ``base`` + one weight per field = the answer
  (Saabas 2014, "Interpreting random forests").
- A classifier explains the probability of the class that it guesses. An isolation forest's paths add up in length, and
  its score is 2^(-length / normal length): the distance of the score from that of the mean path is shared out in the
  proportions of the lengths (integrated gradients along the straight line give the same), so that weights add up to the
  score.
- Rows are taken together: a tree's credits are made once, level by level, and picked by leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from udfs.forests import Forest, Matrix, Vector, score_of_depth

#: Rows explained together: their leaves in all trees are held at once (13 MB for 100 trees).
BLOCK_ROWS = 16_384
#: Credits are kept between batches up to this many numbers (256 MB); those of larger forests are made again.
KEPT_NUMBERS = 1 << 25
REASON_TYPE = pa.list_(pa.struct([("field", pa.string()), ("weight", pa.float64())]))
#: The last entries of a list of reasons: all fields that it does not name, and what every row begins with.
OTHERS, BASE = "(others)", "(base)"


def levels(tree: Any) -> list[NDArray[np.int64]]:
    """The inner nodes of a tree by depth, the root first."""
    left, right = tree.children_left, tree.children_right
    found: list[NDArray[np.int64]] = []
    nodes = np.zeros(1, dtype=np.int64)
    while len(nodes := nodes[left[nodes] >= 0]):
        found.append(nodes)
        nodes = np.concatenate([left[nodes], right[nodes]])
    return found


def expected_values(tree: Any, values: Vector) -> Vector:
    """Per node the mean leaf value of the training rows in it."""
    left, right = tree.children_left, tree.children_right
    weight = tree.n_node_samples.astype(np.float64)
    expected = values.copy()
    for nodes in reversed(levels(tree)):
        lo, hi = left[nodes], right[nodes]
        expected[nodes] = (weight[lo] * expected[lo] + weight[hi] * expected[hi]) / (weight[lo] + weight[hi])
    return expected


def path_credits(tree: Any, values: Vector, n_features: int) -> NDArray[np.float64]:
    """Per node and field, how much the splits on the way there changed the value; a row of it adds up to
    ``values[node] - values[0]``."""
    credit = np.zeros((tree.node_count, n_features), dtype=np.float64)
    for nodes in levels(tree):
        field = tree.feature[nodes]
        for child in (tree.children_left[nodes], tree.children_right[nodes]):
            credit[child] = credit[nodes]
            credit[child, field] += values[child] - values[nodes]
    return credit


class Explainer:
    """Answers of one forest with their reasons; keeps the trees' credits from batch to batch while they are small."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        self._kept: dict[tuple[int, int], NDArray[np.float64]] = {}
        nodes = sum(int(tree.node_count) for tree in forest.trees)
        self._keep = nodes * forest.n_features * max(1, len(forest.classes)) <= KEPT_NUMBERS
        self._depths = [expected_values(t, d) for t, d in zip(forest.trees, forest.leaf_depths, strict=False)]

    @property
    def answer_width(self) -> int:
        """Columns of an answer in front of its reasons: the class probabilities, or the score."""
        return max(1, len(self._forest.classes))

    def __call__(self, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """Shape (rows, answer_width + fields + 1): the answer, the weight of each field, and the base.

        The answer is bit-equal to the one without reasons.
        """
        out = np.empty((len(matrix), self.answer_width + self._forest.n_features + 1))
        matrix = np.ascontiguousarray(matrix)

        def explain(start: int) -> None:
            part = matrix[start : start + BLOCK_ROWS]
            leaves = [tree.apply(part) for tree in self._forest.trees]
            answer = self._guesses if self._forest.classes else self._scores
            if self._forest.regression:
                answer = self._numbers
            answer(leaves, out[start : start + BLOCK_ROWS])

        starts = range(0, len(matrix), BLOCK_ROWS)
        if threads > 1 and len(starts) > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(explain, starts))
        else:
            for start in starts:
                explain(start)
        return out

    def _credit(self, number: int, code: int) -> NDArray[np.float64]:
        """Credits of a tree for a class (an isolation forest has the one code 0)."""
        kept = self._kept.get((number, code))
        if kept is not None:
            return kept
        tree = self._forest.trees[number]
        guessing = self._forest.classes or self._forest.regression
        values = tree.value[:, 0, code] if guessing else -self._depths[number]
        made = path_credits(tree, values, self._forest.n_features)
        if self._keep:
            self._kept[number, code] = made
        return made

    def _guesses(self, leaves: Sequence[NDArray[np.int64]], out: NDArray[np.float64]) -> None:
        trees, width = self._forest.trees, self.answer_width
        total = np.zeros((len(out), width))
        for tree, leaf in zip(trees, leaves, strict=True):
            total += tree.value[:, 0, :width][leaf]
        out[:, :width] = total / len(trees)
        guess = out[:, :width].argmax(axis=1)
        for code in np.unique(guess).tolist():
            rows = np.flatnonzero(guess == code)
            credit = self._summed([leaf[rows] for leaf in leaves], code)
            out[rows, width:-1] = credit / len(trees)
            out[rows, -1] = sum(float(tree.value[0, 0, code]) for tree in trees) / len(trees)

    def _numbers(self, leaves: Sequence[NDArray[np.int64]], out: NDArray[np.float64]) -> None:
        trees = self._forest.trees
        total = np.zeros(len(out))
        for tree, leaf in zip(trees, leaves, strict=True):
            total += tree.value[:, 0, 0][leaf]
        out[:, 0] = total / len(trees)
        out[:, 1:-1] = self._summed(leaves, 0) / len(trees)
        out[:, -1] = sum(float(tree.value[0, 0, 0]) for tree in trees) / len(trees)

    def _scores(self, leaves: Sequence[NDArray[np.int64]], out: NDArray[np.float64]) -> None:
        depth = np.zeros(len(out))
        for values, leaf in zip(self._forest.leaf_depths, leaves, strict=True):
            depth += values[leaf]
        mean = sum(float(expected[0]) for expected in self._depths)
        out[:, 0] = score_of_depth(self._forest, depth)
        base = float(score_of_depth(self._forest, np.array([mean]))[0])
        shorter = mean - depth
        normal = self._forest.normaliser
        slope = np.full(len(out), np.log(2) / normal * base if normal else 0.0)  # where the path is the mean one
        np.divide(out[:, 0] - base, shorter, out=slope, where=np.abs(shorter) > 1e-9 * max(1.0, abs(mean)))
        out[:, 1:-1] = self._summed(leaves, 0) * slope[:, None]
        out[:, -1] = base

    def _summed(self, leaves: Sequence[NDArray[np.int64]], code: int) -> NDArray[np.float64]:
        """The credits of the rows, added up over the trees."""
        total = np.zeros((len(leaves[0]), self._forest.n_features))
        picked = np.empty_like(total)
        for number, leaf in enumerate(leaves):
            np.take(self._credit(number, code), leaf, axis=0, out=picked)
            total += picked
        return total


def reason_lists(explained: NDArray[np.float64], names: Sequence[str], count: int) -> pa.Array:
    """Per row the ``count`` fields of the largest weights, up or down, then ``(others)`` and ``(base)``.

    explained: a weight per field and the base. All weights of a list add up to the answer; a field without any weight
    is not named, and ``(others)`` stands only where a field with weight is not.
    """
    weight, base = explained[:, :-1], explained[:, -1]
    order = np.argsort(-np.abs(weight), axis=1, kind="stable")
    ranked = np.take_along_axis(weight, order, axis=1)
    shown = min(count, len(names))
    rest = ranked[:, shown:]
    some = np.any(rest != 0, axis=1) if rest.shape[1] else np.zeros(len(weight), dtype=bool)
    table = np.concatenate([ranked[:, :shown], rest.sum(axis=1)[:, None], base[:, None]], axis=1)
    codes = np.empty(table.shape, dtype=np.int64)
    codes[:, :shown] = order[:, :shown]
    codes[:, shown:] = [len(names), len(names) + 1]
    keep = table != 0
    keep[:, shown], keep[:, shown + 1] = some, True
    offsets = np.concatenate(([0], np.cumsum(keep.sum(axis=1)))).astype(np.int32)
    fields = pa.array([*names, OTHERS, BASE], pa.string()).take(pa.array(codes[keep], pa.int64()))
    pairs = pa.StructArray.from_arrays([fields, pa.array(table[keep], pa.float64())], names=["field", "weight"])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs).cast(REASON_TYPE)
