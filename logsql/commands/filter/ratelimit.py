"""``ratelimit``: rows pass at a limited number per second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.planner import duties
from logsql.planner.relation import Column, Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, STRING, LType

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

#: Seconds between looks at the cancel flag while waiting.
_TICK = 0.05
#: Slices per second in which rows pass.
_STEPS = 20


@dataclass(frozen=True)
class RatelimitArgs:
    """Rows per second, and milliseconds to wait before the first row."""

    count: int
    delay: int = 0


_FORM = syntax("ratelimit [-d MILLISECONDS] ROWS_PER_SECOND")
NOT_POSITIVE = define(
    "22200",
    "ratelimit-should-be-positive",
    ("a number of rows below 1", "행 수가 1보다 작습니다"),
    ("ratelimit needs a number above 0, not {count}", "ratelimit에는 0보다 큰 수가 필요합니다: {count}"),
    help=_FORM,
)
NO_NUMBER = define(
    "22201",
    "invalid-ratelimit-number",
    ("no number", "숫자가 없습니다"),
    ("ratelimit needs a number of rows", "ratelimit에는 행 수가 필요합니다"),
    help=_FORM,
)
NOT_A_NUMBER = NO_NUMBER.says(("{word} is no number of rows", "행 수로 쓸 수 없는 값입니다: {word}"), help=_FORM)


def parse(reader: ArgReader) -> RatelimitArgs:
    delay = 0
    if reader.peek_word() == "-d":
        reader.word()
        delay = _number(reader)
    count = _number(reader)
    if count <= 0:
        reader.fail(NOT_POSITIVE, count=count)
    return RatelimitArgs(count, max(delay, 0))


def _number(reader: ArgReader) -> int:
    word = reader.word()
    if word is None:
        reader.fail(NO_NUMBER)
    try:
        return int(word.text)
    except ValueError:
        reader.fail(NOT_A_NUMBER, word.span, word=word.text)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(RatelimitArgs)
    given, back = _portable(stage, stage.rel)
    names = [i for c in given.columns for i in c.idents()]
    names += [given.rest.ident] if given.rest is not None else []

    def passing(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        return throttled(batches, names, args.count, args.delay / 1000, runtime.cancelled)

    rel = stage.stream(given, given.columns, passing, given.rest)
    items: list[tuple[str, Sql]] = [(i, sql.cast(sql.col(i), back[i]) if i in back else sql.col(i)) for i in names]
    return replace(stage.select("ratelimit", rel, items), columns=_types(stage.rel.columns, given.columns))


def _types(before: tuple[Column, ...], given: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns with their own types again, except for those that crossed as JSON for good."""
    found: list[Column] = []
    for old, new in zip(before, given, strict=True):
        if old.parts:
            found.append(replace(new, parts=_types(old.parts, new.parts)))
        else:
            found.append(new if "VARIANT" in old.type.physical else replace(new, type=old.type))
    return tuple(found)


def _portable(stage: Stage, rel: Rel) -> tuple[Rel, dict[str, str]]:
    """The relation in types that leave DuckDB as Arrow, and the casts that bring columns back."""
    rel = stage.flush(rel)
    nodes: dict[str, Sql] = {i: sql.col(i) for i in rel.all_idents()}
    back: dict[str, str] = {}

    def crossing(column: Column) -> Column:
        if column.parts:
            return replace(column, parts=tuple(crossing(p) for p in column.parts))
        physical = column.type.physical
        if "VARIANT" in physical:
            nodes[column.ident] = values.to_json(rel.value(column))
            back[column.ident] = "JSON"
            return replace(column, type=ANY_JSON)
        if "JSON" in physical or "HUGEINT" in physical:
            back[column.ident] = physical
            if "HUGEINT" in physical:
                flat = STRING if not physical.endswith("[]") else LType(STRING.kind, "VARCHAR[]")
                nodes[column.ident] = sql.cast(sql.col(column.ident), flat.physical)
                return replace(column, type=flat)
        return column

    columns = tuple(crossing(c) for c in rel.columns)
    rest = rel.rest
    if rest is not None:
        back[rest.ident] = "JSON"
        if rest.is_map:
            nodes[rest.ident] = sql.func("to_json", sql.col(rest.ident))
            rest = replace(rest, value_type=ANY_JSON, is_map=False)
    rel = stage.select("rows", rel, list(nodes.items()))
    return replace(rel, columns=columns, carried=(), rest=rest), back


def throttled(
    batches: Iterator[pa.RecordBatch],
    names: list[str],
    count: int,
    delay: float,
    cancelled: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[pa.RecordBatch]:
    """The batches in slices, of which no more than ``count`` rows have passed after any second."""
    start = clock() + delay
    passed, step = 0, max(1, count // _STEPS)
    for batch in batches:
        rows = batch.select(names) if names else batch
        for offset in range(0, batch.num_rows, step):
            part = rows.slice(offset, step)
            while clock() < start + passed / count:
                if cancelled():
                    return
                time.sleep(min(_TICK, max(0.0, start + passed / count - clock())))
            passed += part.num_rows
            yield part


register(
    CommandSpec(
        name="ratelimit",
        group=Group.FILTER,
        summary=("Let rows pass at a limited speed.", "행이 지나가는 속도를 제한합니다."),
        usage=("ratelimit [-d MILLISECONDS] ROWS_PER_SECOND",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.NUMBER),),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.RUNNING,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
For commands behind it that must not be overrun: requests to a server, messages sent. Rows pass unchanged and in order,
no more than the given number per second; `-d` waits before the first one.
""",
        examples=(
            Example(
                "A thousand rows per second",
                "table t | ratelimit 1000",
                ({"n": 1}, {"n": 2}),
                {"t": [{"n": 1}, {"n": 2}]},
            ),
        ),
        errors=(NOT_POSITIVE, NO_NUMBER),
    )
)
