"""The Python stages of the model commands: what runs between two CTEs of a query.

Contract
- ``Scoring`` answers distinct feature vectors, batch by batch; its model is stored, or trained at the first scan from
  the stage's further input (a barrier over the training rows only).
- ``Tabled`` hands all rows to a function over whole tables and returns its columns by row number.
- Output columns are those the command declared, in order. Values that do not fit enter the ledger.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.models import MlError
from logsql.ml.features import FeatureKind, label_text, not_learnt
from logsql.ml.forms import FieldForms, assemble, collected, unfit
from logsql.ml.model import TrainedModel
from logsql.ml.quiet import quiet
from logsql.ml.timeseries import ForecastOptions
from logsql.ml.unsupervised import Result, group_rows
from udfs.inference import BatchScorer
from udfs.reasons import REASON_TYPE

if TYPE_CHECKING:
    from logsql.planner.runtime import StageRuntime

NO_GUESS = loss(
    "rows-without-guess",
    ("rows without a guess: no model could be trained", "모델을 학습하지 못해 추정이 없는 행"),
    fate=Fate.NULL,
)
UNFIT = loss(
    "not-the-type-of-the-model",
    ("values of another type than the model has learnt: taken as null", "모델이 학습한 타입과 다른 값: null로 처리"),
    fate=Fate.NULL,
)
UNSEEN = loss(
    "unseen-category",
    (
        "texts that the training has not seen: they count as missing values",
        "학습 때 없던 텍스트: 값이 없는 것으로 봅니다",
    ),
    fate=Fate.DOUBTFUL,
)
ALL_NULL = loss(
    "feature-without-value",
    (
        "no row has a value in this field: it takes no part in the answers",
        "어느 행에도 이 필드의 값이 없어 답에 쓰이지 않습니다",
    ),
    fate=Fate.DOUBTFUL,
)
NO_NUMBER = loss("no number in a field", ("rows without a number in every field", "모든 필드에 숫자가 있지 않은 행"))
NO_TIME = loss("no time or no number", ("rows without a date or a number", "날짜나 숫자가 없는 행"))
CROWDED = loss(
    "more-equal-rows-than-k",
    (
        "rows that are more than k equal ones: their factor, and that of rows next to them, is what eps= makes of it",
        "값이 같은 행이 k개를 넘는 행: 그 행과 이웃한 행의 값은 eps=에 따라 정해집니다",
    ),
    fate=Fate.DOUBTFUL,
)
SMALL_GROUP = loss("group of {size} rows", ("rows of groups that are too small", "너무 작은 그룹의 행"))
EQUAL_SCORES = loss(
    "equal-scores",
    (
        "all rows have the same score, so that none is told apart: try sample=256",
        "모든 행의 점수가 같아 구별되지 않습니다: sample=256을 써 보세요",
    ),
    fact=True,
)
SMALL_SAMPLE = loss(
    "small-sample",
    (
        "fewer than 50 rows to learn from: the default sample hardly tells any apart; try sample=256",
        "학습할 행이 50개 미만이라 기본 표본 floor(sqrt(n))으로는 잘 구별되지 않습니다: sample=256을 써 보세요",
    ),
    fact=True,
)
#: Gets the stage's runtime (``loss``, ``state``, ``read``) and gives the model to score with.
Obtain = Callable[["StageRuntime"], TrainedModel]


class Once:
    """Makes a model once per run: a stage may be scanned more than once, and a training must not be repeated."""

    def __init__(self, make: Obtain) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._run: object = None
        self._found: TrainedModel | MlError | None = None

    def __call__(self, runtime: StageRuntime) -> TrainedModel:
        with self._lock:
            if self._found is None or self._run is not runtime.state:
                self._run = runtime.state
                try:
                    with quiet():
                        self._found = self._make(runtime)
                except MlError as error:
                    self._found = error
            if isinstance(self._found, MlError):
                raise self._found
            return self._found


@dataclass(frozen=True)
class InForce:
    """The model in force of a query that runs again and again: asked for at every batch, and told how many seconds it
    took for the rows of one."""

    give: Callable[[], TrainedModel]
    took: Callable[[float], None]

    def __call__(self, runtime: StageRuntime) -> TrainedModel:
        return self.give()


def once(make: Obtain) -> Obtain:
    """Makes a model once per run, where it does not change between runs anyway."""
    return make if isinstance(make, InForce) else Once(make)


def training_rows(runtime: StageRuntime, fields: Sequence[FieldForms], extra: Sequence[str] = ()) -> pa.Table:
    """The rows of the training subquery: one column per field, and the plain columns ``extra``."""
    idents = [ident for f in fields for _, ident in f.forms]
    raw = collected(list(runtime.read(0)), [*idents, *extra])
    rows = assemble(raw, fields)
    for name in extra:
        rows = rows.append_column(name, raw.column(name))
    return rows


@dataclass(frozen=True)
class Scoring:
    """Transform of ``rforest`` and ``anomalies``.

    command: for the ledger; fields: the features as SQL delivers them; answers: names of the output columns behind the
    features; weight: column with the number of rows per vector (with mixed fields and texts); failed: the answer column
    for the reason when there is no model, None to fail the query; documents: answers whose type only the data tell,
    which cross as JSON text; parts: a run sees some of the rows only, and tells nothing of all of them.
    """

    command: str
    fields: tuple[FieldForms, ...]
    answers: tuple[str, ...]
    obtain: Obtain
    scorer: Callable[[TrainedModel], BatchScorer]
    weight: str | None = None
    failed: str | None = None
    documents: frozenset[str] = frozenset()
    parts: bool = False

    def __call__(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        try:
            model = self.obtain(runtime)
        except MlError as error:
            if self.failed is None:
                raise
            runtime.loss.lost(self.command, NO_GUESS.name, 0, sample=error.message)
            yield from self._unanswered(batches, error)
            return
        score = self.scorer(model)
        kinds = {spec.name: spec.kind for spec in model.features}
        scores: set[float] = set()
        vectors = 0
        filled = Filled()
        seconds, vectors_seen = 0.0, False
        for batch in batches:
            began = time.perf_counter()
            raw = pa.Table.from_batches([batch])
            for name, count in unfit(raw, self.fields, kinds, self.weight).items():
                fact = f"{name}: not {kinds[name].value.lower()}"
                runtime.loss.lost(f"{self.command} {name}", UNFIT.name, count, sample=fact)
            rows = assemble(raw, self.fields, kinds)
            self._tell_unknown(runtime, model, rows, raw)
            filled.add(rows)
            found = score(rows)
            if (column := found.get("_score")) is not None and batch.num_rows and len(scores) < 2:
                vectors += batch.num_rows
                scores.update(pc.min_max(column).as_py().values())
            answered = self._output(batch, found)
            seconds += time.perf_counter() - began
            vectors_seen = True
            yield answered
        if isinstance(self.obtain, InForce) and vectors_seen:
            self.obtain.took(seconds)
        if self.parts:
            return
        if len(scores) == 1 and vectors > 1:
            runtime.loss.lost(self.command, EQUAL_SCORES.name, 0)
        for name in filled.empty():
            runtime.loss.lost(f"{self.command} {name}", ALL_NULL.name, 0)

    def _tell_unknown(self, runtime: StageRuntime, model: TrainedModel, rows: pa.Table, raw: pa.Table) -> None:
        """Texts that the model takes for missing values, because its training had no such text (or no such address)."""
        for spec in model.features:
            unknown = not_learnt(spec, rows.column(spec.name))
            if unknown is None or not (some := pc.sum(unknown).as_py()):
                continue
            count = some if self.weight is None else pc.sum(raw.column(self.weight).filter(unknown)).as_py()
            first = rows.column(spec.name).filter(unknown)[0].as_py()
            reason = UNSEEN if spec.kind is FeatureKind.CATEGORICAL else UNFIT
            runtime.loss.lost(f"{self.command} {spec.name}", reason.name, int(count), sample=label_text(first))

    @property
    def idents(self) -> list[str]:
        return [ident for f in self.fields for _, ident in f.forms]

    def _output(self, batch: pa.RecordBatch, found: dict[str, pa.Array]) -> pa.RecordBatch:
        columns = [batch.column(ident) for ident in self.idents]
        for name in self.answers:
            if name in found and name in self.documents:
                columns.append(pa.array([_json(v) for v in _told(found[name]).to_pylist()], pa.string()))
            else:
                columns.append(plain(found[name]) if name in found else pa.nulls(batch.num_rows))
        return pa.RecordBatch.from_arrays(columns, names=[*self.idents, *self.answers])

    def _unanswered(self, batches: Iterator[pa.RecordBatch], error: MlError) -> Iterator[pa.RecordBatch]:
        text = error.message + (f"; {error.help}" if error.help else "")
        for batch in batches:
            reason = pa.array([text] * batch.num_rows, pa.string())
            yield self._output(batch, {self.failed or "": reason})


class Filled:
    """Which fields had a value in any row so far."""

    def __init__(self) -> None:
        self._given: dict[str, bool] = {}

    def add(self, rows: pa.Table) -> None:
        for name in rows.column_names if rows.num_rows else ():
            some = rows.column(name).null_count < rows.num_rows
            self._given[name] = self._given.get(name, False) or some

    def empty(self) -> list[str]:
        """Fields that were null in every row; none where there was no row."""
        return [name for name, given in self._given.items() if not given]


def plain(column: pa.Array) -> pa.Array:
    """Maps and lists of records as JSON text: nested Arrow types do not cross into the language's columns."""
    type_ = column.type
    if pa.types.is_map(type_):
        return pa.array([_json(None if v is None else dict(v)) for v in column.to_pylist()], pa.string())
    if type_ == REASON_TYPE:
        return _reason_texts(column)
    if pa.types.is_list(type_) and pa.types.is_struct(type_.value_type):
        lists = [None if v is None else [_json(item) for item in v] for v in column.to_pylist()]
        return pa.array(lists, pa.list_(pa.string()))
    return column


def _reason_texts(column: pa.ListArray) -> pa.Array:
    """Lists of {field, weight} as lists of JSON texts, by columns: one record at a time took six times the scoring."""
    pairs = column.flatten()
    names = pairs.field("field").dictionary_encode()
    heads = pa.array(['{"field":' + str(_json(n)) + ',"weight":' for n in names.dictionary.to_pylist()], pa.string())
    number = pairs.field("weight").cast(pa.string())
    whole = pc.invert(pc.match_substring_regex(number, "[.e]"))  # Arrow prints 1.0 as "1", and a weight is a double
    number = pc.if_else(whole, pc.binary_join_element_wise(number, ".0", ""), number)
    texts = pc.binary_join_element_wise(heads.take(names.indices), number, "}", "")
    return pa.ListArray.from_arrays(column.offsets, texts)


def _told(column: pa.Array) -> pa.Array:
    """The column with what JSON cannot hold as text."""
    return column.cast(pa.string()) if pa.types.is_timestamp(column.type) else column


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Tabled:
    """Transform of the commands that see all rows at once.

    row: name of the column with the row number; fields: what the function reads; compute(table of the fields and the
    row number, runtime) gives a table that still has the row number; answers: its columns to return (null where the
    function made none).
    """

    command: str
    row: str
    fields: tuple[FieldForms, ...]
    answers: tuple[str, ...]
    compute: Callable[[pa.Table, StageRuntime], Result]

    def __call__(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        idents = [ident for f in self.fields for _, ident in f.forms]
        raw = collected(list(batches), [self.row, *idents])
        rows = assemble(raw, self.fields).append_column(self.row, raw.column(self.row))
        with quiet():
            result = self.compute(rows, runtime)
        for reason, count in result.notes.items():
            runtime.loss.lost(self.command, reason.removeprefix(f"{self.command}: "), count)
        names = [self.row, *self.answers]
        columns = [result.table.column(n) if n in result.table.column_names else None for n in names]
        size = result.table.num_rows
        found = [pa.nulls(size) if c is None else c for c in columns]
        yield from pa.Table.from_arrays(found, names=names).combine_chunks().to_batches(98_304)


@dataclass(frozen=True)
class Future:
    """Transform of ``forecast``: only the rows that continue the series.

    Columns out: row (number of the first row of the series, for its group fields), ``__place`` (their order),
    ``__time``, ``_future``, ``_lower``, ``_upper``. fields: ``__time``, ``__value`` and the group fields ``by``.
    """

    row: str
    fields: tuple[FieldForms, ...]
    by: tuple[str, ...]
    options: ForecastOptions

    def __call__(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        from logsql.ml.timeseries import forecast  # for cost: pyarrow.compute

        idents = [ident for f in self.fields for _, ident in f.forms]
        raw = collected(list(batches), [self.row, *idents])
        rows = assemble(raw, self.fields)
        if not rows.num_rows:
            return
        with quiet():
            result = forecast(rows, "__value", self.options, self.by, "__time")
        for reason, count in result.notes.items():
            runtime.loss.lost("forecast", reason.removeprefix("forecast: "), count)
        future = result.table.slice(rows.num_rows)
        numbers = raw.column(self.row).to_pylist()
        firsts = {key: numbers[int(members[0])] for key, members in group_rows(rows, self.by)}
        keys = zip(*(future.column(name).to_pylist() for name in self.by), strict=True) if self.by else ()
        origin = [firsts[key] for key in keys] if self.by else [firsts[()]] * future.num_rows
        names = [self.row, "__place", "__time", "_future", "_lower", "_upper"]
        place = pa.array(range(future.num_rows), pa.int64())
        columns = [pa.array(origin, pa.int64()), place, *(future.column(n) for n in names[2:])]
        yield from pa.Table.from_arrays(columns, names=names).combine_chunks().to_batches()
