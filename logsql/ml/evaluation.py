"""How a classifier is tested: which rows are held out, cross-validation, what was seen before, what shuffling costs.

Contract
- ``held_out`` says which rows of a training set are kept for the test: in proportion to the classes, whole groups, or
  the latest rows. ``parts_of`` cuts it for cross-validation by scikit-learn's own splitters (StratifiedKFold,
  GroupKFold, TimeSeriesSplit).
- A way to train is a ``Learn``: matrix and class codes in, a function from a matrix to probabilities out, one column
  for each class of the whole set, also for those that the part at hand lacks. So every kind of model is tested alike.
- What comes out are figures only (``Evaluation``), stored with the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from logsql.diagnostics.models import TRAINING_DATA, MlError, fields_note
from logsql.diagnostics.modeltests import FEW_GROUPS, FEW_PARTS, NO_TEST_FIELD, NO_TIME_FIELD, NOT_A_TIME, TWO_TIMES
from logsql.ml.metrics import measure, stratified_holdout
from logsql.ml.quiet import quiet
from udfs.forests import Matrix

Codes = NDArray[np.int64]
Chances = NDArray[np.float64]
Probabilities = Callable[[Matrix], Chances]
Learn = Callable[[Matrix, Codes], Probabilities]
Part = tuple[NDArray[np.int64], NDArray[np.int64]]

#: Held-out rows that are shuffled for the importance; more do not change the second digit.
PERMUTED_ROWS = 10_000
#: How often each field is shuffled.
REPEATS = 5


class Way(StrEnum):
    """Where the rows of the test come from."""

    STRATIFIED = "stratified"
    GROUP = "group"
    TIME = "time"
    INPUT = "test"


@dataclass(frozen=True)
class Plan:
    """What the options say about the test. share: of the rows, held out; group, time: fields; parts: of the
    cross-validation (0: none)."""

    share: float
    seed: int
    group: str | None = None
    by_time: bool = False
    time: str | None = None
    parts: int = 0


@dataclass(frozen=True)
class Held:
    """Rows held out (mask). groups: how many groups are in the test and in all; since: the first time of the test."""

    mask: NDArray[np.bool_]
    way: Way
    groups: tuple[int, int] | None = None
    since: str = ""


@dataclass(frozen=True)
class FoldScore:
    """One part of a cross-validation: its rows and, trained on the others, its figures."""

    rows: int
    accuracy: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Shuffled:
    """Accuracy that is lost on held-out rows when the values of a field are shuffled: mean and deviation of the
    repetitions."""

    name: str
    mean: float
    deviation: float


@dataclass(frozen=True)
class Evaluation:
    """How a training was tested. repeated: rows of the test whose vector was trained on; shuffled: the most important
    field first, measured on ``shuffled_rows`` rows; source: the input of the test, if it is one of its own."""

    way: Way
    groups: tuple[int, int] | None = None
    since: str = ""
    source: str = ""
    repeated: int = 0
    shuffled: tuple[Shuffled, ...] = ()
    shuffled_rows: int = 0
    folds: tuple[FoldScore, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Evaluation:
        """Raises ValueError, KeyError or TypeError on anything that ``to_json`` does not write."""
        groups = data["groups"]
        return Evaluation(
            way=Way(data["way"]),
            groups=None if groups is None else (int(groups[0]), int(groups[1])),
            since=str(data["since"]),
            source=str(data["source"]),
            repeated=int(data["repeated"]),
            shuffled=tuple(Shuffled(str(s["name"]), float(s["mean"]), float(s["deviation"])) for s in data["shuffled"]),
            shuffled_rows=int(data["shuffled_rows"]),
            folds=tuple(
                FoldScore(int(f["rows"]), *(float(f[k]) for k in ("accuracy", "precision", "recall", "f1")))
                for f in data["folds"]
            ),
        )


# --- which rows -------------------------------------------------------------------------------------------------------


def held_out(rows: pa.Table, codes: Codes, plan: Plan) -> Held:
    """The rows to keep for the test. rows: with the group or time field; codes: their classes.

    Groups are held out as wholes, each class's groups in proportion (a group is of the class that most of its rows
    have); at least one group is. Of times, the latest rows are. Raises MlError: no such field, one group only.
    """
    if plan.group is not None:
        return _held_groups(rows, codes, plan)
    if plan.by_time:
        order, name = _time_order(rows, plan.time)
        late = order[len(order) - int(len(order) * plan.share) :]
        mask = np.zeros(len(codes), dtype=np.bool_)
        mask[late] = True
        since = str(rows.column(name)[int(late[0])].as_py()) if len(late) else ""
        return Held(mask, Way.TIME, since=since)
    return Held(stratified_holdout(codes, plan.share, plan.seed), Way.STRATIFIED)


def _held_groups(rows: pa.Table, codes: Codes, plan: Plan) -> Held:
    groups = group_codes(rows, plan.group or "")
    count = int(groups.max()) + 1
    if count < 2:
        raise MlError(FEW_GROUPS, name=plan.group, groups=count)
    pairs, sizes = np.unique(np.stack([groups, codes]), axis=1, return_counts=True)
    most = np.zeros(count, dtype=np.int64)
    order = np.argsort(sizes, kind="stable")  # the largest class of a group is written last
    most[pairs[0][order]] = pairs[1][order]
    share = plan.share if plan.share == 0 or int(count * plan.share) else 1.000001 / count
    chosen = stratified_holdout(np.unique(most, return_inverse=True)[1].astype(np.int64), share, plan.seed)
    return Held(chosen[groups], Way.GROUP, (int(chosen.sum()), count))


def group_codes(rows: pa.Table, name: str) -> Codes:
    """A number per row, equal for equal values of a field; rows without a value are one group. Raises MlError."""
    _needs(rows, name)
    column = rows.column(name).combine_chunks()
    plain = column if not pa.types.is_nested(column.type) else pa.array([repr(v) for v in column.to_pylist()])
    codes = plain.dictionary_encode(null_encoding="encode").indices
    return np.unique(codes.to_numpy(zero_copy_only=False), return_inverse=True)[1].astype(np.int64)


def _needs(rows: pa.Table, name: str) -> None:
    if name not in rows.column_names:
        notes = [fields_note(TRAINING_DATA.fill(), rows.column_names)]
        raise MlError(NO_TEST_FIELD, notes=notes, name=name)


def time_field(rows: pa.Schema, name: str | None) -> str:
    """The field of the times: the one named, else ``_time``, else the only date. Raises MlError."""
    if name is not None or "_time" in rows.names:
        return name or "_time"
    dates = [f.name for f in rows if pa.types.is_timestamp(f.type) or pa.types.is_date(f.type)]
    if len(dates) == 1:
        return str(dates[0])
    notes = [fields_note(TRAINING_DATA.fill(), rows.names)]
    raise MlError(TWO_TIMES if dates else NO_TIME_FIELD, notes=notes, fields=", ".join(dates))


def _time_order(rows: pa.Table, name: str | None) -> tuple[NDArray[np.int64], str]:
    """Row numbers from the earliest to the latest time, rows without one first; and the field of the times."""
    name = time_field(rows.schema, name)
    _needs(rows, name)
    column = rows.column(name).combine_chunks()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column = column.cast(pa.timestamp("us", "UTC"))
        except pa.ArrowInvalid:
            try:
                column = column.cast(pa.timestamp("us"))
            except pa.ArrowInvalid:
                raise MlError(NOT_A_TIME, name=name) from None
    elif not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type) or _number(column.type)):
        raise MlError(NOT_A_TIME, name=name)
    order = pc.array_sort_indices(column, null_placement="at_start")
    return order.to_numpy().astype(np.int64), name


def _number(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))


def parts_of(rows: pa.Table, codes: Codes, plan: Plan) -> list[Part]:
    """(rows to train on, rows to test) for each part of a cross-validation. Raises MlError: too few rows or groups."""
    from sklearn.model_selection import GroupKFold, StratifiedKFold, TimeSeriesSplit

    none = np.zeros((len(codes), 1))
    if plan.group is not None:
        groups = group_codes(rows, plan.group)
        count = int(groups.max()) + 1
        if count < plan.parts:
            raise MlError(FEW_GROUPS, name=plan.group, groups=count)
        return list(GroupKFold(plan.parts).split(none, codes, groups))
    if plan.by_time:
        if len(codes) <= plan.parts:
            raise MlError(FEW_PARTS, parts=plan.parts)
        order = _time_order(rows, plan.time)[0]
        return [(order[a], order[b]) for a, b in TimeSeriesSplit(plan.parts).split(none)]
    if np.bincount(codes).max() < plan.parts:
        raise MlError(FEW_PARTS, parts=plan.parts)
    with quiet():
        return list(StratifiedKFold(plan.parts, shuffle=True, random_state=plan.seed).split(none, codes))


# --- figures ----------------------------------------------------------------------------------------------------------


def cross_validated(
    learn: Learn, matrix: Matrix, codes: Codes, classes: int, parts: Sequence[Part]
) -> tuple[FoldScore, ...]:
    """Train on all parts but one, test on that one, for each."""
    out = []
    for train, test in parts:
        found = measure(codes[test], learn(matrix[train], codes[train])(matrix[test]).argmax(axis=1), classes)
        out.append(FoldScore(len(test), found.accuracy, found.precision, found.recall, found.f1))
    return tuple(out)


def out_of_fold(
    learn: Learn, matrix: Matrix, codes: Codes, classes: int, parts: Sequence[Part]
) -> tuple[Chances, Codes]:
    """Probabilities of rows by models that were not trained on them, and the classes of these rows."""
    chances = np.zeros((len(codes), classes))
    seen = np.zeros(len(codes), dtype=np.bool_)
    for train, test in parts:
        chances[test] = learn(matrix[train], codes[train])(matrix[test])
        seen[test] = True
    return chances[seen], codes[seen]


def repeated(train: Matrix, test: Matrix) -> int:
    """How many rows of the test have a vector that a row of the training has, too."""
    if not len(train) or not len(test):
        return 0
    both = np.ascontiguousarray(np.concatenate([train, test])) + np.float32(0)  # -0.0 is 0.0
    both[np.isnan(both)] = np.nan  # one pattern of bits
    keys = both.view(np.dtype((np.void, both.dtype.itemsize * both.shape[1]))).ravel()
    codes = np.unique(keys, return_inverse=True)[1]
    known = np.zeros(int(codes.max()) + 1, dtype=np.bool_)
    known[codes[: len(train)]] = True
    return int(known[codes[len(train) :]].sum())


def shuffled(
    probabilities: Probabilities, matrix: Matrix, truth: Codes, names: Sequence[str], seed: int
) -> tuple[Shuffled, ...]:
    """What each field is worth on rows of the test (scikit-learn's ``permutation_importance``), most important first.

    Two fields that say the same hide one another: shuffling one costs nothing while the other is there.
    """
    from sklearn.inspection import permutation_importance

    if len(truth) > PERMUTED_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(truth), PERMUTED_ROWS, replace=False))
        matrix, truth = matrix[chosen], truth[chosen]

    def accuracy(_: object, rows: Matrix, codes: Codes) -> float:
        return float((probabilities(rows).argmax(axis=1) == codes).mean())

    found = permutation_importance(_Fitted(), matrix, truth, scoring=accuracy, n_repeats=REPEATS, random_state=seed)
    values = zip(names, found.importances_mean, found.importances_std, strict=True)
    return tuple(sorted((Shuffled(n, float(m), float(d)) for n, m, d in values), key=lambda s: -s.mean))


class _Fitted:
    """Stands for the estimator, which the measure of accuracy does not need."""

    def fit(self, matrix: Matrix, codes: Codes) -> None: ...


def spread(folds: Sequence[FoldScore], name: str) -> tuple[float, float]:
    """Mean and standard deviation of a figure over the parts."""
    values = np.array([getattr(fold, name) for fold in folds], dtype=np.float64)
    return float(values.mean()), float(values.std())


__all__ = ["Evaluation", "Held", "Learn", "Plan", "Probabilities", "Way", "held_out", "parts_of"]
