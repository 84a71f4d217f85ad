"""``ratelimit``: rows pass at a limited number per second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.operators.passing import own_types, portable
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.sql import Sql

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
    given, back = portable(stage, stage.rel)
    names = [i for c in given.columns for i in c.idents()]
    names += [given.rest.ident] if given.rest is not None else []

    pace = Pace(args.count, args.delay / 1000) if stage.chain.holds is not None else None

    def passing(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        return throttled(batches, names, pace or Pace(args.count, args.delay / 1000), runtime.cancelled)

    rel = stage.stream(given, given.columns, passing, given.rest)
    items: list[tuple[str, Sql]] = [(i, sql.cast(sql.col(i), back[i]) if i in back else sql.col(i)) for i in names]
    return replace(stage.select("ratelimit", rel, items), columns=own_types(stage.rel.columns, given.columns))


class Pace:
    """When the next row may pass: ``count`` rows a second, the first ``delay`` seconds after it was made.

    A stream keeps it between its batches; a pause gives no credit: behind an hour without rows there is no flood.
    """

    def __init__(self, count: int, delay: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = count
        self._clock = clock
        self._start = clock() + delay
        self._passed = 0

    def begin(self) -> None:
        """Rows come, perhaps after a pause."""
        if (now := self._clock()) > self._start + self._passed / self.count:
            self._start, self._passed = now, 0

    def wait(self, rows: int, cancelled: Callable[[], bool]) -> bool:
        """Wait until these rows may pass; False when the query was told to stop."""
        while self._clock() < (free := self._start + self._passed / self.count):
            if cancelled():
                return False
            time.sleep(min(_TICK, max(0.0, free - self._clock())))
        self._passed += rows
        return True


def throttled(
    batches: Iterator[pa.RecordBatch], names: list[str], pace: Pace, cancelled: Callable[[], bool]
) -> Iterator[pa.RecordBatch]:
    """The batches in slices, of which no more than ``pace.count`` rows have passed after any second."""
    pace.begin()
    step = max(1, pace.count // _STEPS)
    for batch in batches:
        rows = batch.select(names) if names else batch
        for offset in range(0, batch.num_rows, step):
            part = rows.slice(offset, step)
            if not pace.wait(part.num_rows, cancelled):
                return
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
