"""Model scoring over Arrow batches and single events, for forests trained with scikit-learn.

Contract
- A model is anything that satisfies ``ScoringModel``: it owns a ``Forest`` and turns rows into a float32 matrix.
- ``score_distinct`` scores every distinct feature vector once and spreads the results over the rows.
- ``SingleRow`` scores one event in plain Python, bit-equal to scikit-learn's ``predict_proba`` / ``-score_samples``.
- Rows are never dropped or reordered; a null feature is NaN, which both forests accept.
- scikit-learn is not imported here: the trees arrive as objects.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from udfs.forests import Forest, Matrix, Vector, score_of_depth
from udfs.reasons import Explainer, expected_values, path_credits, reason_lists

# Rows per block. Smaller blocks cost more (16k: 8 %, 4k: 24 % over one block of 100k rows, 100 trees of 1000 nodes);
# larger ones only raise memory.
BLOCK_ROWS = 65_536
# Above this share of distinct vectors the join-back costs more than it saves.
DISTINCT_SHARE = 0.5


class ScoringModel(Protocol):
    """What scoring asks of a model; implemented by the model store."""

    @property
    def forest(self) -> Forest: ...

    @property
    def field_names(self) -> tuple[str, ...]: ...

    @property
    def field_sizes(self) -> tuple[int, ...]:
        """Columns of the matrix per field: one, of a list of numbers one for each."""

    @property
    def labels(self) -> pa.Array:
        """The classes by class code, as values of the label's own type (empty for an isolation forest)."""

    def check(self, schema: pa.Schema) -> None: ...

    def encode(self, rows: pa.Table) -> Matrix: ...

    def encode_row(self, row: Mapping[str, Any]) -> Sequence[float]: ...


def _in_blocks(matrix: Matrix, threads: int, block: Callable[[Matrix], NDArray[Any]], width: int) -> NDArray[Any]:
    """Apply ``block`` to row blocks. Blocks, not trees, are shared out: sums keep the order of the trees, hence
    their bits."""
    rows = matrix.shape[0]
    out = np.empty((rows, width), dtype=np.float64)
    size = BLOCK_ROWS if threads <= 1 else max(1024, min(BLOCK_ROWS, -(-rows // threads)))
    starts = range(0, rows, size)

    def run(start: int) -> None:
        out[start : start + size] = block(matrix[start : start + size])

    if threads > 1 and len(starts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, starts))
    else:
        for start in starts:
            run(start)
    return out


def class_probabilities(forest: Forest, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
    """Class probabilities, shape (rows, classes), bit-equal to ``RandomForestClassifier.predict_proba`` with one
    job, and then corrected where the forest is calibrated."""
    width = len(forest.classes)
    found = forest.direct(matrix, threads)
    if found is not None:
        return found if forest.calibration is None else forest.calibration.apply(found)

    def block(part: Matrix) -> NDArray[np.float64]:
        total = np.zeros((part.shape[0], width), dtype=np.float64)
        for tree in forest.trees:
            total += tree.predict(part)[:, :width]
        total /= len(forest.trees)
        return total if forest.calibration is None else forest.calibration.apply(total)

    return _in_blocks(np.ascontiguousarray(matrix), threads, block, width)


def isolation_scores(forest: Forest, matrix: Matrix, threads: int = 1) -> Vector:
    """Anomaly scores in 0..1, shape (rows,), bit-equal to ``-IsolationForest.score_samples``."""

    def block(part: Matrix) -> NDArray[np.float64]:
        depth = np.zeros(part.shape[0], dtype=np.float64)
        for tree, values in zip(forest.trees, forest.leaf_depths, strict=True):
            depth += values[tree.apply(part)]
        return depth[:, None]

    return score_of_depth(forest, _in_blocks(np.ascontiguousarray(matrix), threads, block, 1)[:, 0])


def answers(forest: Forest, matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
    """Class probabilities, shape (rows, classes); of other models the guessed number or the score, shape (rows, 1)."""
    if forest.classes:
        return class_probabilities(forest, matrix, threads)
    found = forest.direct(matrix, threads)
    return isolation_scores(forest, matrix, threads)[:, None] if found is None else found


def node_credits(forest: Forest) -> list[NDArray[np.float64]]:
    """Credits per tree, node and feature; computed once per stream, 8 MB for 100 trees of 256 rows and 20 fields.

    The expected path of a node is the mean leaf value of the training rows in it; each split credits the change from
    parent to child to its own feature, so the sum over features is (expectation at the root - path of the leaf).
    """
    pairs = zip(forest.trees, forest.leaf_depths, strict=True)
    return [path_credits(tree, -expected_values(tree, values), forest.n_features) for tree, values in pairs]


def isolation_contributions(
    forest: Forest, matrix: Matrix, credits: list[NDArray[np.float64]] | None = None
) -> NDArray[np.float64]:
    """Mean shortening of the path per feature, shape (rows, features); positive pushes towards "anomalous"."""
    part = np.ascontiguousarray(matrix)
    total = np.zeros((part.shape[0], forest.n_features), dtype=np.float64)
    for tree, credit in zip(forest.trees, node_credits(forest) if credits is None else credits, strict=True):
        total += credit[tree.apply(part)]
    return total / max(1, len(forest.trees))


def distinct_rows(rows: pa.Table, share: float = DISTINCT_SHARE) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """First row index of every distinct vector and, per row, the number of its vector; None when most rows differ.

    Columns are dictionary-encoded and their codes combined into one integer, re-coded when it would overflow: hashing
    only, no sort, and the work stops at the first column that already separates most rows.
    """
    count = rows.num_rows
    limit = max(1, int(count * share))
    key: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
    span = 1
    for column in rows.columns:
        if pa.types.is_null(column.type):
            continue
        if pa.types.is_nested(column.type):  # a list has no code; its texts would, and rows seldom share one
            return None
        codes, size = _codes(column)
        if size > limit:
            return None
        if size == 1:
            continue
        if span * size >= 2**62:
            again, span = _codes(pa.array(key))
            if span > limit:
                return None
            key = again.astype(np.int64)
        key *= size
        key += codes
        span *= size
    numbers, found = _codes(pa.array(key))
    if found > limit:
        return None
    inverse = numbers.astype(np.int64)
    first = np.empty(found, dtype=np.int64)
    first[inverse[::-1]] = np.arange(count - 1, -1, -1)  # the last assignment wins: the smallest row index
    return first, inverse


def _codes(column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int32], int]:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.to_numpy(zero_copy_only=False), max(1, len(encoded.dictionary))


def score_distinct(
    rows: pa.Table | pa.RecordBatch,
    model: ScoringModel,
    *,
    probabilities: bool = False,
    scorer: int = 0,
    explain: int = 0,
    border: float | None = None,
    threads: int = 1,
) -> dict[str, pa.Array]:
    """Score rows, each distinct feature vector once.

    rows: at least the model's fields, any further columns are ignored. Returns columns of the same length, by name:
    classifiers give ``_guess`` (of the label's type), and with ``probabilities`` also ``_probability`` (double, of the
    guess) and ``_probabilities`` (map label -> double); isolation forests give ``_score`` (double, 0..1), and with
    ``scorer`` N also ``_scorer`` (list of at most N {field, weight}; weight is the field's share, 0..1, of what made
    the row easy to isolate), with ``border`` also ``_outlier`` (boolean: the score is above it). With ``explain`` N
    both give ``_reasons`` (list of {field, weight}, see ``udfs.reasons``).
    Raises what ``model.check`` raises when a field is missing or of the wrong type.
    """
    return BatchScorer(
        model,
        probabilities=probabilities,
        scorer=scorer,
        explain=explain,
        border=border,
        threads=threads,
        memory=0,
    )(rows)


class BatchScorer:
    """``score_distinct`` for the batches of one stream: a vector seen in an earlier batch is not scored again.

    memory: number of vectors remembered (they are forgotten together when more come); not for use by several threads.
    """

    def __init__(
        self,
        model: ScoringModel,
        *,
        probabilities: bool = False,
        scorer: int = 0,
        explain: int = 0,
        border: float | None = None,
        threads: int = 1,
        memory: int = 200_000,
    ) -> None:
        self._model, self._forest = model, model.forest
        self._explain, self._border = explain, border
        self._explainer: Explainer | None = None
        self._probabilities, self._scorer, self._threads, self._memory = probabilities, scorer, threads, memory
        self._seen: dict[bytes, int] = {}
        self._known: list[NDArray[np.float64]] = []
        self._credits: list[NDArray[np.float64]] | None = None

    def __call__(self, rows: pa.Table | pa.RecordBatch) -> dict[str, pa.Array]:
        table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        self._model.check(table.schema)
        features = table.select(list(self._model.field_names))
        found = distinct_rows(features) if features.num_rows > 1 else None
        if found is None:
            return self._columns(self._raw(self._model.encode(features)))
        first, spread = found
        matrix = self._model.encode(features.take(pa.array(first)))
        columns = self._columns(self._remembered(matrix) if self._memory else self._raw(matrix))
        index = pa.array(spread)
        return {name: column.take(index) for name, column in columns.items()}

    def _remembered(self, matrix: Matrix) -> NDArray[np.float64]:
        """Raw answers per row, walking the trees only for vectors that are new in this stream."""
        if len(self._seen) + len(matrix) > self._memory:
            self._seen.clear()
        width = matrix.shape[1] * matrix.itemsize
        data = matrix.tobytes()
        keys = [data[start : start + width] for start in range(0, len(data), width)]
        new = [number for number, key in enumerate(keys) if key not in self._seen]
        for number, answer in zip(new, self._raw(matrix[new]), strict=True):
            self._seen[keys[number]] = answer
        return np.stack([self._seen[key] for key in keys])

    def _raw(self, matrix: Matrix) -> NDArray[np.float64]:
        """Per row the answer; behind it what ``_reasons`` and ``_scorer`` are made of."""
        guessing = bool(self._forest.classes) or self._forest.regression
        if self._explain:
            if self._explainer is None:
                self._explainer = Explainer(self._forest)
            found = self._explainer(matrix, self._threads)
            width = self._explainer.answer_width
            found = np.concatenate([found[:, :width], self._folded(found[:, width:-1]), found[:, -1:]], axis=1)
        elif guessing:
            found = answers(self._forest, matrix, self._threads)
        else:
            found = isolation_scores(self._forest, matrix, self._threads)[:, None]
        if guessing or not self._scorer:
            return found
        if self._credits is None:
            self._credits = node_credits(self._forest)
        credit = self._folded(isolation_contributions(self._forest, matrix, self._credits))
        return np.concatenate([found, credit], axis=1)

    def _folded(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights per field of those per column of the matrix: a list of numbers has several."""
        sizes = self._model.field_sizes
        if all(size == 1 for size in sizes):
            return weights
        summed: NDArray[np.float64] = np.add.reduceat(weights, np.cumsum((0, *sizes[:-1])), axis=1)
        return summed

    def _columns(self, raw: NDArray[np.float64]) -> dict[str, pa.Array]:
        names = self._model.field_names
        width = max(1, len(self._forest.classes))
        answer = raw[:, :width]
        if self._forest.classes:
            out = _guess_columns(self._forest, self._model.labels, answer, self._probabilities)
        elif self._forest.regression:
            out = {"_guess": pa.array(answer[:, 0], pa.float64())}
        else:
            out = {"_score": pa.array(answer[:, 0], pa.float64())}
            if self._border is not None:
                out["_outlier"] = pa.array(answer[:, 0] > self._border)
            if self._scorer:
                out["_scorer"] = top_contributors(raw[:, -len(names) :], names, self._scorer)
        if self._explain:
            out["_reasons"] = reason_lists(raw[:, width : width + len(names) + 1], names, self._explain)
        return out


def _guess_columns(
    forest: Forest, labels: pa.Array, table: NDArray[np.float64], probabilities: bool
) -> dict[str, pa.Array]:
    rows, width = table.shape
    codes = table.argmax(axis=1) if rows else np.zeros(0, dtype=np.int64)
    out: dict[str, pa.Array] = {"_guess": labels.take(pa.array(codes, pa.int64()))}
    if probabilities:
        out["_probability"] = pa.array(table[np.arange(rows), codes], pa.float64())
        out["_probabilities"] = pa.MapArray.from_arrays(
            pa.array(np.arange(rows + 1, dtype=np.int32) * width, pa.int32()),
            pa.array(list(forest.classes), pa.string()).take(pa.array(np.tile(np.arange(width), rows), pa.int64())),
            pa.array(table.ravel(), pa.float64()),
        )
    return out


SCORER_TYPE = pa.list_(pa.struct([("field", pa.string()), ("weight", pa.float64())]))


def top_contributors(credit: NDArray[np.float64], names: Sequence[str], count: int) -> pa.Array:
    """The ``count`` fields with the largest positive credit per row, as ``_scorer`` lists; ties in field order."""
    positive = np.maximum(credit, 0.0)
    total = positive.sum(axis=1, keepdims=True)
    weight = np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
    order = np.argsort(-weight, axis=1, kind="stable")[:, :count]
    taken = np.take_along_axis(weight, order, axis=1)
    keep = taken > 0
    offsets = np.concatenate(([0], np.cumsum(keep.sum(axis=1)))).astype(np.int32)
    fields = pa.array(list(names), pa.string()).take(pa.array(order[keep], pa.int64()))
    pairs = pa.StructArray.from_arrays([fields, pa.array(taken[keep], pa.float64())], names=["field", "weight"])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs).cast(SCORER_TYPE)


# --- one event at a time -------------------------------------------------------------------------------------------


def _nested(tree: Any, leaf: Callable[[int], Any]) -> tuple[Any, ...]:
    """A tree as nested tuples (feature, threshold, left, right, nan goes left); a leaf is (-1, leaf value)."""
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    feature, threshold = tree.feature.tolist(), tree.threshold.tolist()
    nan_left = tree.missing_go_to_left.astype(bool).tolist()
    built: list[tuple[Any, ...]] = [()] * tree.node_count
    for node in range(tree.node_count - 1, -1, -1):
        if left[node] < 0:
            built[node] = (-1, leaf(node))
        else:
            built[node] = (feature[node], threshold[node], built[left[node]], built[right[node]], nan_left[node])
    return built[0]


def _leaf_of(node: tuple[Any, ...], vector: Sequence[float]) -> Any:
    field = node[0]
    while field >= 0:
        value = vector[field]
        if value <= node[1]:
            node = node[2]
        elif value == value:
            node = node[3]
        else:  # NaN compares false with everything: the split remembers which way missing values go
            node = node[2] if node[4] else node[3]
        field = node[0]
    return node[1]


class SingleRow:
    """Scores one event at a time, bit-equal to scikit-learn, without its per-call cost (5 ms) and without locks.

    A bounded cache keyed by the float32 vector answers repeated events at once: bot traffic has under 1 % distinct
    vectors.
    """

    def __init__(self, model: ScoringModel, cache: int = 10_000) -> None:
        self._model = model
        self._forest = model.forest
        self._labels = dict(zip(model.forest.classes, model.labels.to_pylist(), strict=True))
        self._size = cache
        self._seen: OrderedDict[bytes, Any] = OrderedDict()
        forest = model.forest
        self._roots: list[tuple[Any, ...]] = []
        for number, tree in enumerate(() if forest.regression else forest.trees):
            if forest.classes:
                rows = tree.value[:, 0, : len(forest.classes)].tolist()
                self._roots.append(_nested(tree, lambda node, rows=rows: tuple(rows[node])))  # type: ignore[misc]
            else:
                depths = forest.leaf_depths[number].tolist()
                self._roots.append(_nested(tree, lambda node, depths=depths: depths[node]))  # type: ignore[misc]

    def guess(self, vector: Sequence[float]) -> tuple[str, tuple[float, ...]]:
        """Label and class probabilities of one encoded vector (classifiers)."""
        walked = bool(self._roots)
        answer: tuple[str, tuple[float, ...]] = self._cached(vector, self._guess if walked else self._asked)
        return answer

    def score(self, vector: Sequence[float]) -> float:
        """Anomaly score of one encoded vector (isolation forests), or its guessed number."""
        answer: float = self._cached(vector, self._number if self._forest.regression else self._score)
        return answer

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Score one event given as field -> value; returns the fields to add: ``_guess`` or ``_score``."""
        vector = self._model.encode_row(row)
        if self._forest.classes:
            return {"_guess": self._labels[self.guess(vector)[0]]}
        if self._forest.regression:
            return {"_guess": self.score(vector)}
        return {"_score": self.score(vector)}

    def _cached(self, vector: Sequence[float], work: Callable[[list[float]], Any]) -> Any:
        single = np.array(vector, dtype=np.float32)
        key = single.tobytes()
        if self._size and key in self._seen:
            self._seen.move_to_end(key)
            return self._seen[key]
        answer = work(single.tolist())
        if self._size:
            self._seen[key] = answer
            if len(self._seen) > self._size:
                self._seen.popitem(last=False)
        return answer

    def _guess(self, vector: list[float]) -> tuple[str, tuple[float, ...]]:
        width = range(len(self._forest.classes))
        total = [0.0 for _ in width]
        for root in self._roots:
            leaf = _leaf_of(root, vector)
            for code in width:
                total[code] += leaf[code]
        count = len(self._roots)
        mean = tuple(value / count for value in total)
        if self._forest.calibration is not None:
            mean = tuple(self._forest.calibration.apply(np.array([mean]))[0].tolist())
        return self._forest.classes[mean.index(max(mean))], mean

    def _asked(self, vector: list[float]) -> tuple[str, tuple[float, ...]]:
        """The same from a model whose trees are not walked here."""
        mean = tuple(answers(self._forest, np.array([vector], dtype=np.float32))[0].tolist())
        return self._forest.classes[mean.index(max(mean))], mean

    def _number(self, vector: list[float]) -> float:
        return float(answers(self._forest, np.array([vector], dtype=np.float32))[0, 0])

    def _score(self, vector: list[float]) -> float:
        depth = 0.0
        for root in self._roots:
            depth += _leaf_of(root, vector)
        # Through numpy on purpose: its vectorised power may differ from the C library's in the last bit.
        return float(score_of_depth(self._forest, np.array([depth]))[0])
