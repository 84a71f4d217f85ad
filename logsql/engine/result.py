"""The result of a query: planned already, run when rows are asked for, streamed as Arrow batches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pyarrow as pa

from logsql.diagnostics.errors import SourceError
from logsql.diagnostics.extras import missing_extra
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.notes import Note
from logsql.engine.ledger import Ledger
from logsql.engine.present import TYPE_SUFFIX, Field
from logsql.engine.runstate import RunState
from udfs.extras import MissingExtra, needs_extra
from udfs.jsontext import loads

BATCH = 65_536
FAR = loss(
    "python-date-beyond-9999",
    (
        "dates beyond the year 9999, which Python has no object for: null here, whole in batches() and files",
        "9999년 이후의 날짜에 해당하는 Python 객체가 없어 null로 처리한 값. batches()와 파일에는 그대로 있습니다",
    ),
    fate=Fate.NULL,
)
#: Told of a date that no object holds, in microseconds since 1970.
Far = Callable[[int], None]


class Executed(Protocol):
    """The run behind a result (:class:`logsql.engine.execution.Execution`)."""

    @property
    def number(self) -> int: ...
    @property
    def state(self) -> RunState: ...
    @property
    def endless(self) -> bool: ...
    def fields(self) -> list[Field]:
        """Fields of the result; those of an open row are known once it has run."""

    def arrow_schema(self) -> pa.Schema:
        """Schema of the result without reading rows."""

    def sql_text(self) -> str:
        """The SQL of the final statement."""

    def batches(self, size: int, with_types: bool) -> Iterator[pa.RecordBatch]:
        """Rows of the final statement; ``with_types`` adds the companion type columns of mixed fields."""

    def close(self) -> None:
        """End what runs and release what it holds."""


class Result:
    """Rows of a query.

    Iterating gives one dict per row (aware datetimes, str, int, float, bool, bytes, list, dict, None). ``batches``
    streams Arrow record batches. ``notes`` is what the plan tells of a query that may not mean what it says: a tuple of
    :class:`.Note`, never printed here. ``columns`` and ``types`` of an open row are known once the query has run. Rows
    that are read again are computed again, except for those of a query that reached other machines: what was read to
    its end is kept (1 GB of all results) and nothing is sent a second time.
    """

    def __init__(self, execution: Executed, notes: tuple[Note, ...] = ()) -> None:
        self._execution = execution
        self.notes = notes
        self._table: pa.Table | None = None

    @property
    def columns(self) -> list[str]:
        """Names of the fields, in order."""
        return [f.name for f in self._execution.fields()]

    @property
    def types(self) -> list[str]:
        """The language's type of each field."""
        return [f.label for f in self._execution.fields()]

    @property
    def schema(self) -> dict[str, str]:
        """Field names and their types."""
        return {f.name: f.label for f in self._execution.fields()}

    @property
    def sql(self) -> str:
        """The SQL of the final statement, as ``translate`` prints it."""
        return self._execution.sql_text()

    @property
    def number(self) -> int:
        """The query's number in its session (``system queries``, and ``result`` once it is kept); 0 without one."""
        return self._execution.number

    @property
    def ledger(self) -> Ledger:
        """What was skipped, cut, coerced or refused while running."""
        return self._execution.state.ledger

    @property
    def endless(self) -> bool:
        """Whether rows come as long as somebody sends them: each is to be shown when it is there."""
        return self._execution.endless

    def batches(self, size: int = BATCH) -> Iterator[pa.RecordBatch]:
        """Rows as Arrow record batches; mixed values and maps as JSON text (see field metadata ``logsql.type``)."""
        if self._table is not None:
            yield from self._table.to_batches(size)
            return
        yield from self._execution.batches(size, with_types=False)

    def arrow(self) -> pa.Table:
        """All rows as an Arrow table."""
        if self._table is None:
            batches = list(self._execution.batches(BATCH, with_types=False))
            schema = batches[0].schema if batches else self._execution.arrow_schema()
            self._table = pa.Table.from_batches(batches, schema)
        return self._table

    def df(self) -> Any:
        """All rows as a pandas DataFrame; LogsqlError (E3104) where pandas, of the extra ``frames``, is missing."""
        _installed("Result.df()", "pandas")
        return near_dates(self.arrow(), self._far).to_pandas()

    def _far(self, micros: int) -> None:
        self.ledger.lost("Python", FAR.name, 1, None, str(micros))

    def pl(self) -> Any:
        """All rows as a polars DataFrame; LogsqlError (E3104) where polars, of the extra ``frames``, is missing."""
        _installed("Result.pl()", "polars")
        import polars

        return polars.from_arrow(self.arrow())

    def rows(self) -> list[dict[str, Any]]:
        """All rows as dicts."""
        return list(self)

    def close(self) -> None:
        """Drop what the run left behind (work tables, its cursor)."""
        self._execution.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        zone = ZoneInfo(self._execution.state.zone)
        for batch in self._execution.batches(BATCH, with_types=True):
            yield from python_rows(batch, [f.label for f in self._execution.fields()], zone, self._far)


def near_dates(table: pa.Table, far: Far) -> pa.Table:
    """The table with null for the dates that Python has no object for (pandas cannot print them)."""
    for place, column in enumerate(table.columns):
        if not pa.types.is_timestamp(column.type):
            continue
        numbers = column.cast(pa.int64()).to_pylist()
        beyond = [one for one in numbers if one is not None and not _LEAST <= one <= _MOST]
        for micros in beyond:
            far(micros)
        if beyond:
            near = [one if one is not None and _LEAST <= one <= _MOST else None for one in numbers]
            table = table.set_column(place, table.schema.field(place), pa.array(near, pa.int64()).cast(column.type))
    return table


def python_rows(
    batch: pa.RecordBatch, labels: list[str], zone: ZoneInfo, far: Far | None = None
) -> Iterator[dict[str, Any]]:
    """Dicts of one batch; companion type columns turn mixed JSON text back into Python objects.

    ``far`` is told of dates that Python has no object for, which are null then; without it they are a text.
    """
    names: list[str] = []
    values: list[list[Any]] = []
    companions = {n[: -len(TYPE_SUFFIX)]: i for i, n in enumerate(batch.schema.names) if n.endswith(TYPE_SUFFIX)}
    shown = [i for i, n in enumerate(batch.schema.names) if not n.endswith(TYPE_SUFFIX)]
    for position, label in zip(shown, labels, strict=False):
        name = batch.schema.names[position]
        column = batch.column(position)
        names.append(name)
        if position + 1 < batch.num_columns and name in companions and companions[name] == position + 1:
            values.append(
                [
                    _mixed(v, t, zone, far)
                    for v, t in zip(column.to_pylist(), batch.column(position + 1).to_pylist(), strict=True)
                ]
            )
        elif label in ("map", "any") or (label.startswith("list") and not pa.types.is_list(column.type)):
            values.append([None if v is None else _loads(v) for v in column.to_pylist()])
        else:
            values.append(python_values(column, zone, far))
    if not names:
        for _ in range(batch.num_rows):
            yield {}
        return
    for row in zip(*values, strict=True):
        yield dict(zip(names, row, strict=True))


def python_values(column: pa.Array, zone: ZoneInfo, far: Far | None = None) -> list[Any]:
    """Python objects of an Arrow column; instants in the session zone, as :func:`python_rows` says where Python has no
    such year.
    """
    if pa.types.is_timestamp(column.type):
        return [_instant(v, zone, far) for v in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_list(column.type) and pa.types.is_timestamp(column.type.value_type):
        flat = pa.ListArray.from_arrays(column.offsets, column.values.cast(pa.int64()), mask=column.is_null())
        return [None if row is None else [_instant(v, zone, far) for v in row] for row in flat.to_pylist()]
    found: list[Any] = column.to_pylist()
    if pa.types.is_decimal(column.type) and column.type.scale == 0:
        return [None if v is None else int(v) for v in found]  # HUGEINT leaves DuckDB as a decimal
    return found


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
#: Microseconds of the years 1 to 9999, less a day for any time zone.
_LEAST, _MOST = -62_135_510_400_000_000, 253_402_214_400_000_000


def _instant(micros: int | None, zone: ZoneInfo, far: Far | None) -> dt.datetime | str | None:
    if micros is None:
        return None
    try:
        return (_EPOCH + dt.timedelta(microseconds=micros)).astimezone(zone)
    except OverflowError:
        if far is not None:
            far(micros)
            return None
        return f"{micros // 1_000_000} seconds since 1970"


def _mixed(text: str | None, code: str | None, zone: ZoneInfo, far: Far | None) -> Any:
    """A mixed value from its JSON text and what ``present.type_text`` says about it."""
    return None if text is None else _typed(_loads(text), code, zone, far)


def _loads(text: str) -> Any:
    """The value of JSON text; one nested deeper than Python can follow (10,000 brackets) stays text."""
    try:
        return loads(text)
    except RecursionError:
        return text


def _typed(value: Any, code: str | None, zone: ZoneInfo, far: Far | None, separator: str = ",") -> Any:
    if not code or value is None:
        return value
    if code == "B":
        return bytes.fromhex(value)
    if code[0] == "L":
        if not isinstance(value, list):  # the text of a list that is nested too deep
            return value
        codes = code[1:].split(separator)
        return [_typed(v, c, zone, far, ";") for v, c in zip(value, codes, strict=True)] if value else value
    return _instant(int(code[1:]), zone, far)


def _installed(what: str, package: str) -> None:
    """Raise LogsqlError unless an optional package is there, as the commands that need one do."""
    try:
        needs_extra(what, package, "frames")
    except MissingExtra as problem:
        raise SourceError(missing_extra(problem)) from None
