"""PostgreSQL over ADBC: a connection, and a statement as the server understands it."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import adbc_driver_manager as adbc
import adbc_driver_postgresql.dbapi as driver
import pyarrow as pa

from logsql.connectors.databaseplace import Place
from logsql.connectors.databasetypes import Wire, readable, type_of
from logsql.connectors.databasevalues import quoted
from logsql.planner.connections.databases import Cancelled, DatabaseProblem, Statement
from udfs.readers.errors import ReadCancelled

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

    from logsql.planner.runtime import Losses

T = TypeVar("T")
_USE_COPY = "adbc.postgresql.use_copy"
_BATCH_BYTES = "adbc.postgresql.batch_size_hint_bytes"
#: Bytes of a batch.
BATCH = 4 << 20
_UNTYPED = "42P18"
READ_ONLY = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Session:
    """One connection. ``run`` and its kin raise DatabaseProblem, or ReadCancelled where the query was to end."""

    def __init__(self, place: Place, zone: str) -> None:
        self.place = place
        self.zone = ZoneInfo(zone)
        self.usable = True
        try:
            self._connection = driver.connect(place.conninfo, autocommit=True)
        except adbc.Error as error:
            raise place.refused(str(error)) from None
        self.cursor: Cursor = self._connection.cursor()
        # Also where nobody closes the session: at the end of Python the driver would complain of open statements.
        self._ends = weakref.finalize(self, _end, self.cursor, self._connection)
        self.run(f"SET TimeZone TO {_literal(zone)}")
        #: Whether text comes as the bytes that somebody wrote: asked for UTF-8, such a database refuses a whole table.
        self.raw = bool(self.table("SELECT current_setting('server_encoding') = 'SQL_ASCII' AS raw")[0][0].as_py())
        if self.raw:
            self.run("SET client_encoding TO SQL_ASCII")

    def run(self, text: str, given: pa.RecordBatch | None = None) -> None:
        """A statement whose rows are not wanted."""
        self._said(lambda: self.cursor.execute(text, given) if given is not None else self.cursor.execute(text))

    def reader(self, text: str, given: pa.RecordBatch | None = None, copy: bool = False) -> pa.RecordBatchReader:
        """The rows of a statement as they come."""

        def ask() -> pa.RecordBatchReader:
            self.cursor.adbc_statement.set_options(**{_USE_COPY: str(copy).lower(), _BATCH_BYTES: str(BATCH)})
            self.cursor.execute(text, given) if given is not None else self.cursor.execute(text)
            return self.cursor.fetch_record_batch()

        found: pa.RecordBatchReader = self._said(ask)
        return found

    def next(self, reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
        """The next batch, None at the end."""
        found: pa.RecordBatch | None = self._said(lambda: next(reader, None))
        return found

    def table(self, text: str, given: pa.RecordBatch | None = None) -> pa.Table:
        """All rows of a statement that gives few."""
        reader = self.reader(text, given)
        found: pa.Table = self._said(reader.read_all)
        return found

    def parameters(self, text: str) -> pa.Schema | None:
        """The parameters of a statement as the server types them."""
        found: pa.Schema | None = self._said(lambda: self.cursor.adbc_prepare(text))
        return found

    def columns(self, text: str) -> pa.Schema:
        """The columns of a statement, which is not run."""
        found: pa.Schema = self._said(lambda: self.cursor.adbc_execute_schema(text))
        return found

    def _said(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except (adbc.Error, pa.ArrowException, OSError) as error:
            raise self._problem(error) from None

    def _problem(self, error: Exception) -> DatabaseProblem:
        facts = dict(getattr(error, "details", None) or ())
        said, at = facts.get(b"PG_DIAG_MESSAGE_PRIMARY"), facts.get(b"PG_DIAG_STATEMENT_POSITION")
        if said is None:
            text = self.place.clean(str(error))
            lost = any(part in text for part in ("server closed", "no connection", "terminating connection", "SSL"))
            if lost:
                self.usable = False
                return DatabaseProblem(self.place.target, word="truncated")
            found = re.search(r"ERROR:\s*(.*)", text)
            message = found[1] if found is not None else text.partition("\n")[0]
            return DatabaseProblem(self.place.target, message, getattr(error, "sqlstate", None))
        message = self.place.clean(bytes(said).decode(errors="replace"))
        state = getattr(error, "sqlstate", None)
        if state and state.startswith(("57P", "08")):
            self.usable = False
        return DatabaseProblem(self.place.target, message, state, int(at) if at else None)

    def cancel(self) -> None:
        """End the statement on the server."""
        with suppress(adbc.Error):
            self.cursor.adbc_cancel()

    @contextmanager
    def watching(self, cancelled: Cancelled) -> Iterator[None]:
        """Cancels what the server does as soon as the query is to end. Raises ReadCancelled then."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.05):
                if cancelled():
                    self.usable = False
                    self.cancel()

        watcher = threading.Thread(target=watch, name="logsql database watch", daemon=True)
        watcher.start()
        try:
            yield
        except DatabaseProblem:
            if cancelled():
                raise ReadCancelled("cancelled") from None
            raise
        finally:
            done.set()
            watcher.join()

    @contextmanager
    def transaction(self, begin: str = "BEGIN") -> Iterator[None]:
        """A transaction that is committed where nothing was wrong."""
        self.run(begin)
        try:
            yield
        except BaseException:
            self.back()
            raise
        self.run("COMMIT")

    def back(self) -> None:
        """Take the transaction back; a connection that cannot is given up."""
        try:
            self.run("ROLLBACK")
        except DatabaseProblem:
            self.usable = False

    def is_alive(self) -> bool:
        """Whether the server still knows the connection, which nobody has used for a while."""
        with suppress(DatabaseProblem):
            self.run("SELECT")
            return True
        return False

    def let_go(self) -> bool:
        """Give back what a statement may have taken that no rollback gives back: advisory locks. False: it is gone."""
        with suppress(DatabaseProblem):
            self.run("SELECT pg_advisory_unlock_all()")
            return True
        return False

    def close(self) -> None:
        """End the connection."""
        self.usable = False
        self._ends()


def _end(cursor: Cursor, connection: Connection) -> None:
    for end in (cursor.close, connection.close):
        with suppress(adbc.Error):
            end()


def _literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


# --- statements that read ---------------------------------------------------------------------------------------------


class Prepared:
    """A statement as the server understands it: the types of its parameters, its columns."""

    def __init__(self, session: Session, asked: Statement, typed: bool = False) -> None:
        self.asked = asked
        self.raw = session.raw
        numbers = {name: number for number, name in enumerate(asked.names, 1)}

        def plain(name: str) -> str:
            return f"${numbers[name]}::text" if typed else f"${numbers[name]}"

        text = asked.filled(plain)
        try:
            given = session.parameters(text) if numbers else None
            self.columns = session.columns(text)
        except DatabaseProblem as problem:
            if problem.position is not None:
                problem.position = asked.position(problem.position - 1, plain) + 1
            raise
        kinds = [type_of(one) for one in given] if given is not None else []
        self.kinds = dict(zip(asked.names, kinds, strict=False))
        if not len(self.columns):
            raise DatabaseProblem(session.place.target, state="no-rows")

    @classmethod
    def of(cls, session: Session, asked: Statement) -> Prepared:
        """The statement; parameters of which the server cannot tell the type are text."""
        session.run(READ_ONLY)
        try:
            return cls(session, asked)
        except DatabaseProblem as problem:
            if problem.state != _UNTYPED:
                raise
            session.back()
            session.run(READ_ONLY)
            return cls(session, asked, typed=True)
        finally:
            session.back()

    def text(self, bound: Callable[[int], str]) -> str:
        """The statement with each parameter as the text ``bound(number)`` of SQL, converted to its type."""
        return self.asked.filled(self._converted(bound))

    def place(self, problem: DatabaseProblem, bound: Callable[[int], str], sent: str) -> DatabaseProblem:
        """The problem with a place in the statement as it is written; ``sent`` is what was sent around :meth:`text`."""
        if problem.position is not None:
            text = self.text(bound)
            at = problem.position - 1 - sent.find(text)
            inside = 0 <= at < len(text) and text in sent
            problem.position = self.asked.position(at, self._converted(bound)) + 1 if inside else None
        return problem

    def _converted(self, bound: Callable[[int], str]) -> Callable[[str], str]:
        numbers = {name: number for number, name in enumerate(self.asked.names)}

        def converted(name: str) -> str:
            kind = self.kinds.get(name, "text")
            node = bound(numbers[name])
            return (
                node
                if kind in ("text", "unknown") or kind.startswith("unnamed<")
                else f"CAST({node} AS {quoted(kind)})"
            )

        return converted


def selection(wires: Sequence[Wire], source: str) -> str:
    """The columns of an answer in the form in which they cross."""
    names = [f"{source}.c{number}" for number in range(len(wires))]
    return ", ".join(one.form(name) if one.form else name for one, name in zip(wires, names, strict=True))


def named(text: str, wires: Sequence[Wire], alias: str) -> str:
    """A statement as a table whose columns are ``c0``, ``c1`` ...: it may have two of one name."""
    names = ", ".join(f"c{number}" for number in range(len(wires)))
    return f"(\n{text}\n) AS {alias}({names})"


def converted(columns: Sequence[pa.Array], wires: Sequence[Wire], raw: bool, loss: Losses) -> list[pa.Array]:
    """The columns of an answer in the types in which they cross. ``raw``: of a database without an encoding."""
    found: list[pa.Array] = []
    for column, one in zip(columns, wires, strict=True):
        found += one.convert(readable(column, one.field.name, loss) if raw else column, loss)
    return found


def one_row(texts: Sequence[str | None]) -> pa.RecordBatch:
    """Texts that are bound to a statement, in the order of its parameters."""
    arrays = [pa.array([text], pa.string()) for text in texts]
    return pa.RecordBatch.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])
