"""Runs one test: the query in a session of its own, in the folder that its paths start from."""

from __future__ import annotations

import io
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from logsql.api import parse
from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.errors import Diagnostic, LogsqlError, diagnostic
from logsql.diagnostics.messages import message
from logsql.diagnostics.notes import Note
from logsql.diagnostics.querytests import (
    COLUMNS_DIFFER,
    COUNT_DIFFERS,
    FIELD_DIFFERS,
    LOSS_CAME,
    LOSS_MISSING,
    MORE_FIELDS,
    NO_ERROR,
    NOTE_CAME,
    NOTE_MISSING,
    OTHER_ERROR,
    OTHER_PLACE,
    ROWS_DIFFER,
)
from logsql.engine.session import Session
from logsql.language.positions import line_and_column
from logsql.language.tree import Span
from logsql.render import write
from logsql.shell.querytests.form import Expected, Loss, QueryTest, Row, json_rows
from logsql.shell.querytests.rows import Difference, compared, shown

#: Differences of one test that are told one by one.
MOST = 8

OpenSession = Callable[[str], Session]
Wait = Callable[[Session, Callable[[], "Got"]], "Got"]


@dataclass(frozen=True)
class Got:
    """What came of the query: rows, or the error in their place."""

    rows: tuple[Row, ...] = ()
    columns: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    losses: tuple[Loss, ...] = ()
    error: Diagnostic | None = None
    ordered: bool = False


@dataclass(frozen=True)
class Ended:
    """A test that was run. ``problems`` is empty where all is as expected."""

    test: QueryTest
    got: Got
    seconds: float
    problems: tuple[Diagnostic, ...] = ()


def run(test: QueryTest, text: str, open_session: OpenSession, wait: Wait) -> Ended:
    """Run a test. ``wait`` makes the run one that Ctrl-C and a time limit end; both are raised (Interrupted)."""
    started = time.perf_counter()
    origin = os.path.relpath(test.path)
    with _inside(test.folder):
        session = open_session(test.zone)
        try:
            got = wait(session, lambda: _answer(test, text, session, origin))
        finally:
            session.close()
    seconds = time.perf_counter() - started
    problems: list[Diagnostic] = []
    if test.expected is not None:
        problems = list(_problems(test.expected, got, text, origin))
    elif got.error is not None:
        problems = [got.error]
    return Ended(test, got, seconds, tuple(problems))


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Relative paths start in the folder, in readers of ours and in DuckDB's."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _answer(test: QueryTest, text: str, session: Session, origin: str) -> Got:
    try:
        for name, path in test.lookups.items():
            session.add_lookup(name, path, keep=False)
        for name, source in test.tables.items():
            _table(session, name, source)
        result = session.query(text, test.parameters, origin, exact=True)
        sink = io.BytesIO()
        write(result, "jsonl", sink)
    except LogsqlError as error:
        return Got(error=error.diagnostic)
    losses = tuple(Loss(str(e.reason), str(e.source), e.count) for e in result.ledger)
    rows = json_rows(sink.getvalue().decode(), origin, "rows")
    ordered = test.expected is None and session.plan(text, test.parameters, origin)[0].rel.order.defined
    return Got(rows, tuple(result.columns), result.notes, losses, ordered=ordered)


def _table(session: Session, name: str, source: str | Sequence[Row]) -> None:
    """A table that the query reads: rows as they are, or those of another query."""
    if isinstance(source, str):
        made = session.query(source).arrow()
    else:
        made = pa.Table.from_pylist([dict(row) for row in source])
    session.register(name, made)


# --- what differs -----------------------------------------------------------------------------------------------------


def _problems(expected: Expected, got: Got, text: str, origin: str) -> Iterator[Diagnostic]:
    def told(said: Sentence, span: Span | None, /, notes: Sequence[str] = (), **facts: object) -> Diagnostic:
        return diagnostic(said, span, notes=notes, help=None, **facts).located(text, origin)

    if got.error is not None or expected.error is not None:
        yield from _error(expected, got, told)
        return
    names = [name for name in got.columns if name not in expected.ignore]
    if expected.columns is not None and list(expected.columns) != names:
        yield told(COLUMNS_DIFFER, _last(text), expected=", ".join(expected.columns), got=", ".join(names))
    if expected.count is not None and len(got.rows) != expected.count:
        yield told(COUNT_DIFFERS, _last(text), expected=f"{expected.count:,}", got=f"{len(got.rows):,}")
    if expected.rows is not None:
        left, came = (_without(rows, expected.ignore) for rows in (expected.rows, got.rows))
        yield from _rows(compared(left, came, expected.ordered, expected.tolerance), text, told)
    yield from _notes(expected, got, told)
    yield from _losses(expected, got, told)


Told = Callable[..., Diagnostic]


def _without(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    return [{key: value for key, value in row.items() if key not in names} for row in rows] if names else list(rows)


def _error(expected: Expected, got: Got, told: Told) -> Iterator[Diagnostic]:
    if got.error is None:
        yield told(NO_ERROR, None, code=expected.error, rows=f"{len(got.rows):,}")
    elif expected.error is None:
        yield got.error
    elif expected.error not in (got.error.code, got.error.name):
        span = got.error.span if got.error.text is not None else None
        yield told(OTHER_ERROR, span, code=expected.error, got=got.error.code, sentence=got.error.message)
    elif expected.at is not None and (at := place(got.error)) != expected.at:
        yield told(OTHER_PLACE, got.error.span, code=expected.error, expected=expected.at, got=at)


def place(problem: Diagnostic) -> str:
    """``2:5``, line and column of an error; ``-`` without a place."""
    if problem.text is None or problem.span is None:
        return "-"
    line, column = line_and_column(problem.text, problem.span.start)
    return f"{line}:{column}"


def _rows(found: Difference, text: str, told: Told) -> Iterator[Diagnostic]:
    for one in found.changed[:MOST]:
        facts = {"row": one.row, "field": one.field, "expected": shown(one.expected), "got": shown(one.got)}
        yield told(FIELD_DIFFERS, _made(text, one.field), **facts)
    if found.missing or found.more:
        lines = [f"- {shown(row)}" for row in found.missing[:MOST]] + [f"+ {shown(row)}" for row in found.more[:MOST]]
        more = len(found.missing) + len(found.more) - len(lines)
        lines += [message("test-more", count=more)] if more else []
        counts = {"missing": f"{len(found.missing):,}", "more": f"{len(found.more):,}"}
        yield told(ROWS_DIFFER, _last(text), notes=lines, **counts)
    if len(found.changed) > MOST:
        yield told(MORE_FIELDS, None, count=len(found.changed) - MOST)


def _notes(expected: Expected, got: Got, told: Told) -> Iterator[Diagnostic]:
    wanted = Counter(expected.notes)
    for note in got.notes:
        name = note.code if wanted[note.code] else note.name
        if wanted[name]:
            wanted[name] -= 1
        else:
            yield told(NOTE_CAME, note.span, code=note.code, sentence=note.sentence)
    for code in wanted.elements():
        yield told(NOTE_MISSING, None, code=code)


def _losses(expected: Expected, got: Got, told: Told) -> Iterator[Diagnostic]:
    wanted, came = Counter(expected.ledger), Counter(got.losses)
    for loss in (came - wanted).elements():
        yield told(LOSS_CAME, None, loss=loss)
    for loss in (wanted - came).elements():
        yield told(LOSS_MISSING, None, loss=loss)


def _last(text: str) -> Span | None:
    """The last command, which rows come out of."""
    try:
        return parse(text).commands[-1].span
    except LogsqlError:
        return None


def _made(text: str, field: str) -> Span | None:
    """Where the query gives a field its value the last time (``f = ``, ``as f``, ``(?<f>``), else where it speaks of it
    the last time, else the last command."""
    try:
        commands = parse(text).commands
    except LogsqlError:
        return None
    name = re.escape(field)
    for pattern in (rf"(?<!\w){name}(?=\s*=(?!=))|(?<=as ){name}(?!\w)|(?<=\(\?<){name}(?=>)", rf"(?<!\w){name}(?!\w)"):
        for command in reversed(commands):
            found = re.compile(pattern).search(text, command.span.start, command.span.end)
            if found is not None:
                return Span(*found.span())
    return commands[-1].span
