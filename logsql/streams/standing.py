"""A query of the command line over lines that arrive while it runs: ``logsql -p PORT``, or a pipe as standard input.

Where every command passes rows on one by one, a batch is what has come meanwhile: the query is planned once and run for
each (:class:`~logsql.streams.running.QueryRunner`), and a row is printed when it is there. Every other query reads to
the end of its input, as it reads a file; Ctrl-C is the end of a port.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, Protocol, cast

import numpy as np
import pyarrow as pa

from logsql.conversation.conversation import Settings
from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, LogsqlError, UsageError, diagnostic, too_long
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.messages import add_messages, message
from logsql.diagnostics.usage import USAGE
from logsql.engine.ledger import Ledger
from logsql.engine.present import Field
from logsql.engine.result import BATCH, Result
from logsql.engine.runstate import RunState
from logsql.engine.session import Session
from logsql.engine.sourceerrors import source_error
from logsql.language.parser import parse_query
from logsql.language.tree import Command
from logsql.loading import at
from logsql.planner.duties import InStream
from logsql.planner.folds import in_stream, tree_nodes
from logsql.planner.plan import Action, Stream
from logsql.planner.spec import COMMANDS
from logsql.registry import GRAMMAR
from logsql.render import FORMATS
from logsql.render.sinks import open_sink
from logsql.streams.arriving import LOOK, Arriving, ArrivingInput
from logsql.streams.metrics import FRAMES_BAD, RECEIVER_LOST, Metrics
from logsql.streams.planning import Shape, Text
from logsql.streams.running import QueryRunner
from logsql.values import sql
from udfs.readers.errors import ReaderError
from udfs.readers.stdin import StandardInput

LINE = pa.schema([("line", pa.string())])
#: The command that reads standard input.
INPUT = "-"
#: What is listened on, in counters.
NAME = "-p"
#: Seconds in which a table may see more rows before its columns have their widths.
_FIRST = 0.1

LOST = {
    "udp_buffer": loss(
        "udp-buffer",
        ("datagrams that came faster than they were read", "읽는 속도보다 빨리 와서 잃은 데이터그램"),
    ),
    "incomplete": loss(
        "message-incomplete",
        ("messages whose connection ended before they were whole", "다 오기 전에 연결이 끝난 메시지"),
    ),
}
CUT = loss(
    "message-cut",
    ("messages of more than 64 KB", "64KB를 넘는 메시지"),
    fate=Fate.CHANGED,
)
NOT_FLOWING = USAGE.says(
    (
        "-f {format} is complete at its end only, and rows of -p are printed as they come",
        "-f {format}은(는) 끝나야 완성되는데, -p의 행은 오는 대로 출력됩니다",
    ),
    help=("-f jsonl, or a file: -o rows.{format}", "-f jsonl을 쓰거나 파일에 쓰세요: -o rows.{format}"),
)
FIELDS_OPEN = USAGE.says(
    (
        "-f {format} needs the names of its columns before the first row comes",
        "-f {format}에는 첫 행이 오기 전에 컬럼 이름이 필요합니다",
    ),
    help=(
        "end the query with fields NAME, ..., or use -f jsonl",
        "쿼리 끝에 fields 이름, ...을 쓰거나 -f jsonl을 쓰세요",
    ),
)
NOT_READ = USAGE.says(
    (
        "-p gives a query its standard input, which this one does not read",
        "-p는 쿼리의 표준 입력이 되는데, 이 쿼리는 표준 입력을 읽지 않습니다",
    ),
    help=("begin it with -: logsql -p PORT -q '- | ...'", "쿼리를 -로 시작하세요: logsql -p PORT -q '- | ...'"),
)
add_messages(
    {
        "port-listening": (
            "listening on {address} (UDP, TCP); Ctrl-C ends",
            "{address}에서 수신 중입니다(UDP, TCP). Ctrl-C로 끝냅니다",
        ),
    }
)


class Listening(Protocol):
    """What listens (:class:`logsql.streams.listening.Port`)."""

    @property
    def shown(self) -> str:
        """Where, as it is told."""

    def start(self) -> None:
        """Listen. Raises LogsqlError."""

    def end(self) -> None:
        """Read no more; what was read arrives."""

    def close(self) -> None:
        """End, and wait for it."""


def _port(text: str, arriving: Arriving, metrics: Metrics) -> Listening:
    made = cast("Callable[[str, Arriving, Metrics], Listening]", at("logsql.streams.listening:Port"))
    return made(text, arriving, metrics)


class Standing:
    """A query whose rows are those of the batches that arrive (:class:`logsql.engine.result.Executed`)."""

    endless = True

    def __init__(self, runner: QueryRunner, arriving: Arriving, state: RunState, number: int) -> None:
        self.number = number
        self.state = state
        self.runner = runner
        self.sink: BinaryIO | None = None
        self.patience = 0.0
        self._arriving = arriving

    def fields(self) -> list[Field]:
        """The fields that every row has."""
        return [Field(name, label, sql.col(name)) for name, label in self.runner.fields]

    def arrow_schema(self) -> pa.Schema:
        """Their schema."""
        return self.runner.output.fields

    def sql_text(self) -> str:
        """There is no one statement."""
        return ""

    def interrupt(self) -> None:
        """End soon, without what waits."""
        self.state.cancel.set()
        self.runner.interrupt()
        self._arriving.end()

    def close(self) -> None:
        """Release cursors."""
        self._arriving.end()
        self.runner.close()

    def batches(self, size: int = BATCH, with_types: bool = False) -> Iterator[pa.RecordBatch]:
        """Rows as they come. What was handed on is written when the next are asked for."""
        try:
            first = self._first()
            while first or not self._arriving.over:
                lines, first = first or self._arriving.take(LOOK), []
                self._check()
                if lines:
                    yield from self._rows(pa.chunked_array(lines, pa.string()))
                    if self.sink is not None:
                        self.sink.flush()
        except ReaderError as problem:
            reads = COMMANDS[INPUT].reads
            assert reads is not None
            raise source_error(problem, reads.code) from None

    def _first(self) -> list[pa.Array]:
        found: list[pa.Array] = []
        while self.patience and not found and not self._arriving.over:
            self._check()
            found = self._arriving.take(LOOK)
        if found and not self._arriving.over:
            threading.Event().wait(self.patience)
            found += self._arriving.take(0)
        return found

    def _check(self) -> None:
        self.state.check_bounds()
        if self.state.cancel.is_set():
            raise Interrupted(diagnostic(INTERRUPTED))

    def _rows(self, lines: pa.ChunkedArray) -> Iterator[pa.RecordBatch]:
        ran = self.runner.run(pa.Table.from_arrays([lines], schema=LINE))
        fixed = None if self.runner.output.rest is None else {name for name, _ in self.runner.fields}
        for batch in ran.shown().to_batches():
            if batch.num_rows:
                yield from [batch] if fixed is None else own_fields(batch, fixed)
        self.runner.done()


def own_fields(batch: pa.RecordBatch, fixed: Collection[str]) -> Iterator[pa.RecordBatch]:
    """The rows, each with the fields that it has itself beside the fixed ones: which others came at the same moment is
    no business of a row."""
    extra = [n for n, name in enumerate(batch.schema.names) if name not in fixed]
    if not extra:
        yield batch
        return
    absent = np.column_stack([batch.column(n).is_null().to_numpy(zero_copy_only=False) for n in extra])
    ends = (np.flatnonzero((absent[1:] != absent[:-1]).any(axis=1)) + 1).tolist()
    for start, end in itertools.pairwise([0, *ends, batch.num_rows]):
        without = {n for n, gone in zip(extra, absent[start].tolist(), strict=True) if gone}
        kept = [n for n in range(batch.num_columns) if n not in without]
        part = batch.slice(start, end - start)
        yield part.select(kept) if kept else pa.RecordBatch.from_struct_array(pa.array([{}] * len(part), pa.struct([])))


class Asked:
    """Standard input of one query of the command line. What the command line uses of it is
    :class:`logsql.shell.arriving.Input`.

    ``port``: ``[ADDRESS:]PORT``; None: a pipe. ``chosen``: the format is the user's own word. ``say`` writes a line to
    stderr.
    """

    def __init__(
        self, session: Session, settings: Settings, port: str | None, chosen: bool, say: Callable[[str], None]
    ) -> None:
        self.ended = False
        self._session, self._settings, self._chosen, self._say = session, settings, chosen, say
        self._metrics = Metrics()
        self._ledger = Ledger()
        self._arriving = Arriving(self._undecoded)
        self._port = None if port is None else _port(port, self._arriving, self._metrics)
        self._standing: Standing | None = None
        self._sink: BinaryIO | None = None

    # --- what the command line calls --------------------------------------------------------------

    def ask(self, text: str, params: Mapping[str, object] | None, origin: str | None, exact: bool) -> Result:
        """Plan the query and begin to read. Raises LogsqlError."""
        session = self._session
        self._standing = self._planned(text, params, origin, exact)
        if self._standing is None:
            if self._port is not None:
                session.workspace.given[StandardInput] = ArrivingInput(self._arriving)
            result = session.query(text, params, origin, exact)
        else:
            self._standing.sink = self._sink
            session.workspace.runs.started(self._standing)
            session.query_log.start(self._standing.number, text)
            result = Result(self._standing, self._standing.runner.notes)
        self._ledger = result.ledger
        if self._port is not None:
            self._port.start()
            if not self._settings.quiet:
                self._say(message("port-listening", address=self._port.shown))
        elif self._standing is not None:
            read = partial(self._read, self._standing.state)
            threading.Thread(target=read, name="logsql-input", daemon=True).start()
        return result

    @contextmanager
    def sink(self, path: str | None) -> Iterator[BinaryIO]:
        """The place for rows, into which what is written goes at once."""
        with open_sink(path, self._session.policy) as sink:
            self._sink = sink
            yield sink

    def end(self) -> bool:
        """Ctrl-C: the input ends, where the query may answer with what has come; False where it may not."""
        if self._port is None and self._standing is None:
            return False
        self.ended = True
        if self._port is not None:
            self._port.end()
        else:
            self._arriving.end()
        return True

    def close(self) -> None:
        """Listen no more, and count what was lost."""
        if self._port is not None:
            self._port.close()
            self._count()
        if self._standing is not None:
            self._standing.close()

    # --- planning ---------------------------------------------------------------------------------

    def _planned(
        self, text: str, params: Mapping[str, object] | None, origin: str | None, exact: bool
    ) -> Standing | None:
        """The query as one that answers row by row; None where it has to read all of its input."""
        try:
            commands = parse_query(text, GRAMMAR).commands
        except LogsqlError as error:
            raise error.located(text, origin) from None
        except RecursionError:
            raise too_long().located(text, origin) from None
        inputs = sum(isinstance(node, Command) and node.name == INPUT for node in tree_nodes(commands))
        if self._port is not None and not inputs:
            raise UsageError(diagnostic(NOT_READ))
        format = FORMATS[self._settings.format]
        if inputs != 1 or not row_wise(commands) or self._session.results.keeping:
            return None
        if self._port is None and (self._settings.output is not None or not format.flows):
            return None
        made = self._standing_of(text, commands[1:], params, origin, exact)
        if made is None or self._port is None:
            return made
        if not self._chosen and self._settings.output is None:
            self._settings.format = "jsonl"
        self._check_format(made)
        return made

    def _standing_of(
        self,
        text: str,
        commands: tuple[Command, ...],
        params: Mapping[str, object] | None,
        origin: str | None,
        exact: bool,
    ) -> Standing | None:
        session = self._session
        state = RunState(session.policy, session.zone, Ledger(exact))
        state.memory = session.database.watch()
        try:
            runner = QueryRunner(session, Text(INPUT, text, origin), commands, Shape(LINE), params, state=state)
        except LogsqlError:
            if self._port is not None:
                raise
            return None  # what reads all of its input says it
        plan = runner.plan
        acts = plan is not None and any(isinstance(s, Action) or (isinstance(s, Stream) and s.once) for s in plan.steps)
        if self._port is None and (acts or (plan is not None and plan.open)):
            runner.close()
            return None
        state.limit = session.timeout
        state.begin()
        made = Standing(runner, self._arriving, state, next(session.results.numbers))
        made.patience = _FIRST if FORMATS[self._settings.format].aligned else 0.0
        return made

    def _check_format(self, made: Standing) -> None:
        name = self._settings.format
        format = FORMATS[name]
        if not format.flows and self._settings.output is None:
            raise UsageError(diagnostic(NOT_FLOWING, format=name))
        if not format.each and made.runner.plan is not None and made.runner.plan.open:
            raise UsageError(diagnostic(FIELDS_OPEN, format=name))

    # --- reading ----------------------------------------------------------------------------------

    def _read(self, state: RunState) -> None:
        """Hand on the lines of the pipe."""
        error: BaseException | None = None
        try:
            for lines in StandardInput().lines(state.read_context()):
                if len(lines) and not self._arriving.add(lines):
                    return
        except BaseException as problem:
            error = problem
        self._arriving.end(error)

    def _undecoded(self, count: int) -> None:
        self._ledger.lost(INPUT, "invalid-utf-8", count)

    def _count(self) -> None:
        numbers = self._metrics.numbers()
        for reason, row in LOST.items():
            if count := int(numbers.get((RECEIVER_LOST.name, (NAME, reason)), 0)):
                self._ledger.lost(NAME, row.name, count)
        if count := int(numbers.get((FRAMES_BAD.name, (NAME, "oversize")), 0)):
            self._ledger.lost(NAME, CUT.name, count)


def row_wise(commands: tuple[Command, ...]) -> bool:
    """Whether every command behind standard input hands rows on one by one."""
    passing = (InStream.ROW_WISE, InStream.RUNNING)
    return bool(commands) and commands[0].name == INPUT and all(in_stream(c) in passing for c in commands[1:])
