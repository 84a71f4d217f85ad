"""What the commands that ask databases have in common: the profile, the SQL, its parameters, columns, and errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from logsql.commands.network._profiles import profile_of
from logsql.diagnostics.databases import (
    COLUMN_UNKNOWN,
    DUPLICATE_COLUMN,
    FILE_READ_ONLY,
    NO_PROFILE,
    NO_SQL,
    NOT_A_SELECT,
    READ_ONLY,
    ROUTINE_UNKNOWN,
    SQL_COMPUTED,
    SQL_FAILED,
    SQLSTATE,
    TABLE_UNKNOWN,
    UNKNOWN_SQL_PARAMETER,
)
from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, LogsqlError, QueryError, SourceError, diagnostic, did_you_mean
from logsql.diagnostics.messages import text as text_row
from logsql.diagnostics.network import NO_ANSWER, WORDS, unanswered
from logsql.language.foreignsql import statement
from logsql.language.tree import Name, Span, Text
from logsql.operators.merging import Idents
from logsql.planner.catalog import NoData
from logsql.planner.connections.databases import (
    DATABASES,
    KINDS,
    DatabaseProblem,
    Databases,
    DbField,
    Opened,
    Statement,
)
from logsql.planner.relation import Column, Rel
from logsql.planner.services import CONFIGURATION
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import ANY
from udfs.readers.errors import ReadCancelled

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.configuration.settings import Profile
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

T = TypeVar("T")
EXTRA = "db"
#: Rows of the catalogue that every command of databases may raise.
ERRORS = (NO_PROFILE, SQL_FAILED, NO_ANSWER)


@dataclass(frozen=True)
class SqlArgs:
    """``PROFILE SQL``."""

    profile: Name
    sql: Text

    @property
    def binds(self) -> tuple[str, ...]:
        """The parameters that are bound."""
        return Statement.of(self.sql.value).names


def profile_word(reader: ArgReader) -> Name:
    """The first word: a profile."""
    found = reader.name()
    if found is None:
        reader.fail(NO_PROFILE, command=reader.command)
    return found


#: A parameter as the whole statement.
_WHOLE = re.compile(r'\$\(\s*"?(\w+)"?\s*\)', re.ASCII)


def whole_parameter(text: Text) -> str | None:
    """The parameter whose value is the whole statement, None where SQL is written."""
    found = _WHOLE.fullmatch(text.value)
    return None if found is None else found[1]


def parse_sql(reader: ArgReader, whole: bool = False) -> SqlArgs:
    """``PROFILE SQL``, the SQL exactly as it is written. ``whole``: one parameter may stand for all of it."""
    profile = profile_word(reader)
    if reader.at_end():
        reader.fail(NO_SQL, profile.span, command=reader.command)
    text = reader.raw()
    if text.value.startswith("$(") and not (whole and whole_parameter(text)):
        reader.fail(SQL_COMPUTED, text.span)
    if not statement(text.value).strip():  # a lone semicolon
        reader.fail(NO_SQL, text.span, command=reader.command)
    return SqlArgs(profile, text)


def kinds_of(stage: Stage) -> tuple[str, ...]:
    """The kinds of profiles that are databases: ours, and those that name a driver."""
    others = (one.kind for one in stage.service(CONFIGURATION).profiles.values() if one.driver is not None)
    return tuple(dict.fromkeys((*KINDS, *others)))


def database(stage: Stage, name: Name) -> Profile:
    """The profile of a command. Refuses, before the query runs, a missing extra and what the policy forbids."""
    profile = profile_of(stage, name.text, kinds_of(stage), name.span)
    if profile.kind != "sqlite" or profile.driver is not None:
        stage.needs_extra(stage.spec.name, "adbc-driver-manager", EXTRA, module="adbc_driver_manager")
    if profile.kind == "postgresql" and profile.driver is None:
        stage.needs_extra(stage.spec.name, "adbc-driver-postgresql", EXTRA, module="adbc_driver_postgresql")
    if stage.catalog.data and stage.catalog.run_id is not None:
        stage.service(DATABASES).admit(profile)
    return profile


def connection(stage: Stage) -> Databases:
    """The databases. Raises NoData for a plan that is only looked at, which opens no connection."""
    if not stage.catalog.data or stage.catalog.run_id is None:
        raise NoData
    return stage.service(DATABASES)


def ending(stage: Stage) -> Callable[[], bool]:
    """Whether the query is to end, as it is planned."""

    def ends() -> bool:
        try:
            stage.catalog.check_time()
        except LogsqlError:
            return True
        return False

    return ends


def parameter(stage: Stage, name: str, span: Span) -> object:
    """The value of a parameter. Refuses the query at one that is not set."""
    value = stage.chain.params.get(name)
    if value is None:
        stage.fail(UNKNOWN_SQL_PARAMETER, span, help=did_you_mean(name, stage.chain.params), name=name)
    return stage.catalog.evaluate(value.expr)


def given(stage: Stage, asked: Statement, text: Text, spans: Mapping[str, Span] | None = None) -> dict[str, object]:
    """The values of the parameters of SQL. ``spans``: where they are named, if that is not in the SQL ``text``."""
    found: dict[str, object] = {}
    for place in asked.places:
        if place.name not in found:
            span = Span(text.span.start + place.start, text.span.start + place.end)
            found[place.name] = parameter(stage, place.name, span if spans is None else spans[place.name])
    return found


# --- columns ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Columns:
    """The fields of an answer as columns: ``idents`` are the names in which they cross, in order."""

    columns: tuple[Column, ...]
    crossing: tuple[Column, ...]
    idents: tuple[str, ...]
    renamed: tuple[str, ...]


def columns_of(fields: Sequence[DbField]) -> Columns:
    """Columns of an answer; of those of one name the later ones get a number (``a``, ``a_1``)."""
    used: set[str] = set()
    everything = {field.name for field in fields}
    taken = Idents()
    columns: list[Column] = []
    crossing: list[Column] = []
    renamed: list[str] = []
    for one in fields:
        name, number = one.name, 1
        while name in used or (name != one.name and name in everything):
            name, number = f"{one.name}_{number}", number + 1
        used.add(name)
        if name != one.name:
            renamed.append(name)
        if one.parts:
            parts = []
            for physical, type_ in one.parts:
                ident = taken.take(f"{name}.{type_.label}")
                parts.append(Column(ident, ident, type_))
                crossing.append(Column(ident, ident, replace(type_, physical=physical)))
            columns.append(Column(name, name, ANY, tuple(parts)))
        else:
            ident = taken.take(name)
            columns.append(Column(name, ident, one.type))
            crossing.append(Column(ident, ident, replace(one.type, physical=one.crossing)))
    return Columns(tuple(columns), tuple(crossing), tuple(one.ident for one in crossing), tuple(renamed))


def source(stage: Stage, opened: Opened, text: Text, once: bool = False) -> Rel:
    """The rows of an opened statement, which is sent once however often the plan reads it: between two sendings the
    other database changes (``random()``, a row that is written meanwhile), and the halves of a self-join would differ.
    Who reads once streams. ``once``: it has effects, and is run even where nothing is read of it."""
    found = columns_of(opened.fields)
    stream = stage.stream(None, found.crossing, Reading(opened, found, stage.spec.name, text), once=not once)
    if once:
        stream = stage.materialise(stream, "answer")
    columns = [part for column in found.columns for part in (column.parts or (column,))]
    pairs = list(zip(columns, found.crossing, strict=True))
    if any(column.type.physical != crossed.type.physical or column.type.json for column, crossed in pairs):
        items = [
            (column.ident, sql.col(column.ident))
            if column.type.physical == crossed.type.physical and not column.type.json
            else (column.ident, sql.cast(sql.col(column.ident), column.type.physical))
            for column, crossed in pairs
        ]
        stream = stage.select("typed", stream, items)
    return stream.with_columns(found.columns)


@dataclass(frozen=True)
class Reading:
    """The Python stage of a statement that reads."""

    opened: Opened
    columns: Columns
    command: str
    text: Text

    def __call__(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        if self.columns.renamed:
            runtime.loss.lost(self.command, DUPLICATE_COLUMN.name, 0, sample=", ".join(self.columns.renamed))
        coming = self.opened.batches(runtime.cancelled, runtime.loss)
        try:
            for batch in coming:
                yield batch.rename_columns(list(self.columns.idents))
        except DatabaseProblem as problem:
            raise error_of(problem, self.text, self.command) from None
        finally:
            coming.close()  # type: ignore[attr-defined]


# --- errors -----------------------------------------------------------------------------------------------------------

#: Classes of SQLSTATE for statements that are wrong whatever the data are: syntax and names.
_WRONG = ("42", "07", "0A")
_PARAMETER = re.compile(r'\$\("?(\w+)"?\s*\)')
#: The text in the quotes that a text begins with.
_QUOTED = re.compile(r'"([^"]*)".*', re.DOTALL)
PARAMETER_IN_SQL = text_row("a parameter in SQL is written :{name}", "SQL의 매개변수는 :{name}(으)로 씁니다")
TEXT_IN_SQL = text_row(
    "a text in SQL stands in single quotes: '{text}'", "SQL의 텍스트는 작은따옴표로 묶습니다: '{text}'"
)
SCHEMA_APART = text_row(
    "the schema is an option of its own: database={schema} table={table}",
    "스키마는 따로 지정합니다: database={schema} table={table}",
)
SQL_IN_QUOTES = text_row("the SQL stands without quotes around it", "SQL은 따옴표로 묶지 않고 그대로 씁니다")


def error_of(problem: DatabaseProblem, text: Text, command: str) -> LogsqlError:
    """What a database said, at the place in the SQL that it points at."""
    target, span = problem.target, text.span
    if problem.position is not None:
        start = min(span.start + problem.position - 1, span.end - 1)
        span = Span(start, min(start + _word(text.value, problem.position - 1), span.end))
    if problem.state == "no-rows":
        return QueryError(diagnostic(NOT_A_SELECT, span, command=command))
    if problem.state == "read-only":
        return SourceError(diagnostic(READ_ONLY, span, target=target))
    if problem.state == "only-a-file":
        return SourceError(diagnostic(FILE_READ_ONLY, span, target=target))
    if problem.state == "no-table":
        schema, dot, table = problem.message.rpartition(".")
        help = SCHEMA_APART.fill(schema=schema, table=table) if dot else None
        return SourceError(diagnostic(TABLE_UNKNOWN, span, help=help, target=target, name=problem.message))
    if problem.state == "no-routine":
        return SourceError(diagnostic(ROUTINE_UNKNOWN, span, target=target, name=problem.message))
    if problem.word in WORDS:
        return unanswered(target, problem.word, span)
    notes = (SQLSTATE.fill(state=problem.state),) if problem.state else ()
    kind = QueryError if (problem.state or "").startswith(_WRONG) else SourceError
    help = _slip(text.value, problem)
    return kind(diagnostic(SQL_FAILED, span, help=help, notes=notes, target=target, reason=problem.message))


def _slip(text: str, problem: DatabaseProblem) -> str | None:
    """The help for SQL that is written as a query is: ``$("name")``, a text in double quotes."""
    if problem.position is None:
        return None
    there = text[problem.position - 1 :]
    if found := _PARAMETER.match(there):
        return PARAMETER_IN_SQL.fill(name=found[1])
    if not there.startswith('"'):
        return None
    if problem.position == 1:
        return SQL_IN_QUOTES.fill()
    return TEXT_IN_SQL.fill(text=_QUOTED.sub(r"\1", there)) if problem.state in (None, "42703") else None


def no_column(problem: DatabaseProblem, table: str, span: Span) -> LogsqlError:
    """A table without a column that rows have."""
    near = did_you_mean(problem.message, problem.word.split())
    return SourceError(diagnostic(COLUMN_UNKNOWN, span, help=near, table=table, name=problem.message))


def _word(text: str, at: int) -> int:
    """Length of the word, or the quoted name, at a place of SQL."""
    end = at
    while end < len(text) and (text[end].isalnum() or text[end] in '_".'):
        end += 1
    return max(end - at, 1)


def planned(stage: Stage, text: Text, ask: Callable[[], T]) -> T:
    """What a database is asked while the query is planned; what it refuses is said at its place in the SQL."""
    try:
        return ask()
    except DatabaseProblem as problem:
        raise error_of(problem, text, stage.spec.name) from None
    except ReadCancelled:
        stage.catalog.check_time()
        raise Interrupted(diagnostic(INTERRUPTED)) from None
