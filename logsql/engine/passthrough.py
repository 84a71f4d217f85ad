"""SQL passthrough: any DuckDB SQL, with the readers as table functions and ``pipe('QUERY')`` as a table.

``hive_file('SYSTEM', replay => true)`` becomes the pipe command ``hive-file``; the text is parsed only when it calls
one of these functions, everything else goes to DuckDB as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.engine import (
    ARCHIVE_AND_ENTRY,
    ONE_COMMAND,
    ONE_PATH,
    PIPE_ARGUMENT,
    READ_TWICE,
    SQL_SYNTAX,
    STRING_CONSTANTS,
)
from logsql.diagnostics.errors import LogsqlError, QueryError, RunError, diagnostic
from logsql.diagnostics.language import HALF_CHARACTER
from logsql.diagnostics.losses import loss
from logsql.diagnostics.notes import Note
from logsql.engine.catalog import SessionCatalog
from logsql.engine.database import Database
from logsql.engine.engineerrors import sql_error
from logsql.engine.execution import Execution
from logsql.engine.guard import Guard
from logsql.engine.handing import Handing, check_whole
from logsql.engine.ledger import Ledger
from logsql.engine.present import TYPE_SUFFIX, Field, arrow_field, present_column
from logsql.engine.reading import Reading
from logsql.engine.result import Result
from logsql.engine.runstate import RunState
from logsql.engine.sqlplaces import SQL, Asked, CallPlaces, Piece
from logsql.engine.sqlwords import NAMES_FILES
from logsql.engine.worker import BATCH, Runner
from logsql.engine.workspace import Workspace
from logsql.language.parser import parse_query
from logsql.language.tree import Query, Span, Text
from logsql.planner.plan import Plan, result_select, with_ctes
from logsql.planner.planner import Planner
from logsql.planner.relation import NO_ROWS, Column, Rel
from logsql.registry import COMMANDS, GRAMMAR
from logsql.values import sql
from logsql.values.types import ANY, ANY_LIST

NOT_SHOWN = loss(
    "result-not-shown",
    (
        "results of statements before the last one are not shown; run them one by one",
        "마지막 문 앞에 있는 문의 결과는 표시하지 않습니다. 하나씩 실행하세요",
    ),
)


def table_functions() -> dict[str, str]:
    """SQL function name -> command name, for every source command that reads a path."""
    return {
        n.replace("-", "_"): n for n, spec in COMMANDS.items() if spec.source and re.fullmatch(r"[a-z][a-z0-9-]+", n)
    }


def sql_result(workspace: Workspace, text: str, params: Sequence[object] | None, exact: bool = False) -> Result:
    """Plan SQL text; it runs when rows are asked for. ``exact``: every loss is counted."""
    try:
        text.encode()
    except UnicodeEncodeError as error:  # bytes of the command line that are no UTF-8: DuckDB takes none
        half = f"U+{ord(text[error.start]):04X}"
        raise QueryError(diagnostic(HALF_CHARACTER, Span(error.start, error.start + 1), char=half)) from None
    database = workspace.database
    state = RunState(database.policy, database.zone, Ledger(exact), on_progress=workspace.on_progress)
    state.memory = database.watch()
    catalog = SessionCatalog(workspace, state)
    for name in list(database.registered):
        catalog.table(name)
    names = {"pipe", *table_functions()}
    pattern = r"\b(" + "|".join(sorted(names)) + r")\s*\("
    plan, rewritten = Plan((), NO_ROWS, zone=database.zone), text
    if re.search(pattern, text, re.I):
        with workspace.runs.stoppable(state):
            plan, rewritten = _rewrite(catalog, database, text)
    if database.guard is not None:
        _allowed(database.guard, text, rewritten)
    with workspace.runs.stoppable(state):
        rewritten = _handed(database, state, text, rewritten)
    return Result(SqlExecution(workspace, plan, state, catalog.bindings, (text, rewritten), params), plan.notes)


def _allowed(guard: Guard, text: str, rewritten: str) -> None:
    """Ask the guard about what the user wrote and about what will run."""
    try:
        for asked in dict.fromkeys((text, rewritten)):
            guard.check(asked)
    except duckdb.Error as error:
        raise sql_error(error, text) from None


def _handed(database: Database, state: RunState, text: str, rewritten: str) -> str:
    """The text with the files that were opened for it in safe mode; a file that is not whole is refused in any."""
    if not NAMES_FILES.search(text):
        return rewritten
    try:
        files = state.read_context().files
        if files.fenced:
            return Handing(database, files, database.for_view).text(rewritten)
        check_whole(database, text)
        return rewritten
    except duckdb.Error as error:
        raise sql_error(error, text) from None


def _rewrite(catalog: SessionCatalog, database: Database, text: str) -> tuple[Plan, str]:
    tree = _parsed_sql(database, text)
    planner = Planner(catalog)
    functions = table_functions()
    notes: list[Note] = []
    for table in list(tree.find_all(exp.Table)):
        call = table.this
        name = call.name.lower() if isinstance(call, exp.Anonymous) else ""
        if name != "pipe" and name not in functions:
            continue
        query, asked = _pipe_query(name, call, functions, CallPlaces(text, call))
        select = _planned(planner, query, asked)
        notes += [asked.note(note) for note in planner.notes.ordered() if note.text == asked.text]
        replacement = exp.Subquery(this=select, alias=table.args.get("alias") or _alias(name))
        if table.args.get("joins"):
            replacement.set("joins", table.args["joins"])
        table.replace(replacement)
    said = tuple(dict.fromkeys(notes))
    plan = Plan((), NO_ROWS, tuple(planner.steps), frozenset(planner.udfs), catalog.zone, said)
    return plan, tree.sql("duckdb")


def _parsed_sql(database: Database, text: str) -> exp.Expression:
    """The tree of SQL text. Where it is none, DuckDB's own parser says why and where; ours only when that reads it."""
    try:
        tree: exp.Expression = sqlglot.parse_one(text, dialect="duckdb")  # type: ignore[assignment]
        return tree
    except sqlglot.errors.SqlglotError as error:
        try:
            database.planning.extract_statements(text)
        except duckdb.Error as problem:
            raise sql_error(problem, text) from None
        known = error.errors[0] if isinstance(error, sqlglot.errors.ParseError) and error.errors else {}
        raise QueryError(diagnostic(SQL_SYNTAX, reason=known.get("description", error))) from None


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=sql.ident(name))


def _pipe_query(name: str, call: exp.Anonymous, functions: dict[str, str], places: CallPlaces) -> tuple[Query, Asked]:
    """The pipe query of one table function, and its text with the places: ``pipe``'s own, or the reader's command.

    A path is put into the tree, not into the text: ``hive_file('a|b.hive')`` is a file whose name holds a bar.
    """
    words, options = _arguments(name, call, places)
    if name == "pipe":
        if len(words) != 1 or options:
            raise _refused(places.name, places, PIPE_ARGUMENT)
        asked = places.query(words[0].position, words[0].text)
        return _parsed(asked), asked
    command = functions[name]
    reads = COMMANDS[command].reads is not None
    if reads:
        quoted = [replace(word, text=f'"{number}"') for number, word in enumerate(words) if word.text]
        asked = _command_text(command, options, quoted, places)
    else:
        asked = _command_text(command, options, words, places)
    query = _parsed(asked)
    if not reads:
        if len(query.commands) != 1:
            raise _refused(places.name, places, ONE_COMMAND, name=name, command=command)
        return query, asked
    (read,) = query.commands
    fields = [f for f in ("path", "entry") if isinstance(getattr(read.args, f, None), Text)]
    if len(fields) != len(words):
        raise _refused(places.name, places, ONE_PATH if len(fields) == 1 else ARCHIVE_AND_ENTRY, name=name)
    texts = {f: replace(getattr(read.args, f), value=word.text) for f, word in zip(fields, words, strict=True)}
    return replace(query, commands=(replace(read, args=replace(read.args, **texts)),)), asked


@dataclass(frozen=True)
class _Argument:
    """An argument of a table function: where it stands among them, its name if it has one, its text."""

    position: int
    text: str
    name: str = ""


def _refused(span: Span, places: CallPlaces, said: Sentence, **facts: str) -> QueryError:
    error = QueryError(diagnostic(said, span, **facts))
    error.located(places.written, SQL)
    return error


def _arguments(name: str, call: exp.Anonymous, places: CallPlaces) -> tuple[list[_Argument], list[_Argument]]:
    """The plain string arguments, and the named ones as options of a pipe command (names ignore case, as in SQL)."""
    plain: list[_Argument] = []
    options: list[_Argument] = []
    for position, argument in enumerate(call.expressions):
        named = isinstance(argument, (exp.PropertyEQ, exp.EQ, exp.Kwarg))
        text = _constant(argument.expression if named else argument)
        if text is None or not (named or isinstance(argument, exp.RawString) or argument.is_string):
            raise _refused(places.argument(position), places, STRING_CONSTANTS, name=name)
        if named:
            options.append(_Argument(position, text, argument.this.name.lower()))
        else:
            plain.append(_Argument(position, text))
    return plain, options


def _constant(value: exp.Expression) -> str | None:
    """A constant as the value of an option: ``true`` is t. None for anything that would have to be computed."""
    if isinstance(value, exp.Boolean):
        return "t" if value.this else "f"
    if isinstance(value, exp.Neg) and isinstance(value.this, exp.Literal):
        return f"-{value.this.this}"
    return value.name if isinstance(value, (exp.Literal, exp.RawString, exp.Column)) else None


def _command_text(command: str, options: list[_Argument], words: list[_Argument], places: CallPlaces) -> Asked:
    """The text of a pipe command with these options and words, and where each of them stands in the SQL."""
    text, pieces = command, [Piece(0, len(command), places.name)]

    def add(piece: str, span: Span, offset: int = 0) -> None:
        nonlocal text
        pieces.append(Piece(len(text) + offset, len(text) + len(piece), span))
        text += piece

    for option in options:
        quoted = option.text.replace("\\", "\\\\").replace('"', '\\"')
        add(f" {option.name}", places.label(option.position), 1)
        add(f'="{quoted}"', places.value(option.position), 1)
    for word in words:
        add(f" {word.text}", places.argument(word.position), 1)
    return Asked(text, places.written, tuple(pieces), places.name)


def _parsed(asked: Asked) -> Query:
    try:
        return parse_query(asked.text, GRAMMAR)
    except LogsqlError as error:
        raise asked.located(error) from None


def _planned(planner: Planner, query: Query, asked: Asked) -> exp.Expression:
    try:
        with planner.notes.within(asked.text, SQL):
            rel = planner.pipeline(query, True)
    except LogsqlError as error:
        raise asked.located(error) from None
    return with_ctes(result_select(rel), planner.ctes, (rel.source,))


class SqlExecution(Execution):
    """Runs passthrough text; the fields are whatever DuckDB delivers.

    Every statement is run once, whatever is asked for first: the columns of an INSERT are known when it has run, and
    what it delivered is held for whoever asks for rows. Only a final SELECT is run for every reading.
    """

    def __init__(
        self,
        workspace: Workspace,
        plan: Plan,
        state: RunState,
        bindings: dict[str, object],
        texts: tuple[str, str],
        params: Sequence[object] | None,
    ) -> None:
        super().__init__(workspace, plan, state, bindings)
        self._written, self._text = texts
        self._params = list(params) if params else None
        self._fields = None
        self._last: duckdb.Statement | None = None
        self._schema: pa.Schema | None = None
        self._held: list[pa.RecordBatch] | None = None

    def sql_text(self) -> str:
        return self._text

    @property
    def _runner(self) -> Runner:
        return Runner(self.cursor, self.state, self._origins, self._explain, self.interrupt_engine)

    def _explain(self, problem: duckdb.Error, interrupted: bool) -> LogsqlError:
        return sql_error(problem, self._written, interrupted, self._sources)

    def _sources(self) -> list[str]:
        """Names that may stand behind FROM: tables, and the readers as table functions."""
        return [*self.database.tables(), "pipe", *table_functions()]

    def fields(self) -> list[Field]:
        if self._fields is None:
            with self._guard:
                self._find_fields()
        return self._fields or []

    def _find_fields(self) -> None:
        if self._fields is not None:
            return  # another thread was here
        self._prepare()
        if self._runner.call(self._repeatable):
            found = self._runner.call(self._described)
            self._fields = [Field(str(n), str(t).lower(), sql.null()) for n, t in found]
        else:
            for _ in self.batches(BATCH, True):
                pass

    def arrow_schema(self) -> pa.Schema:
        if self._schema is None:
            for _ in self.batches(BATCH, True):
                pass
        assert self._schema is not None
        return pa.schema([field for field in self._schema if not field.name.endswith(TYPE_SUFFIX)])

    def _described(self) -> list[tuple[str, object]]:
        relation = self._relation()
        return [] if relation is None else list(zip(relation.columns, relation.types, strict=True))

    def _statement(self) -> str:
        if not self._names:
            return self._text
        tree: exp.Expression = sqlglot.parse_one(self._text, dialect="duckdb")  # type: ignore[assignment]
        return self.resolve(tree).sql("duckdb")

    def batches(self, size: int, with_types: bool) -> Iterator[pa.RecordBatch]:
        """Rows of the last statement; statements without rows deliver none. Interruptible while it runs."""
        if self._held is not None:
            for batch in self._held:
                shown = [i for i, n in enumerate(batch.schema.names) if with_types or not n.endswith(TYPE_SUFFIX)]
                yield batch.select(shown)
            return
        self._runs.started(self)
        try:
            yield from self._batches(size, with_types)
        finally:
            self._runs.forget(self)

    def _batches(self, size: int, with_types: bool) -> Iterator[pa.RecordBatch]:
        shape: list[pa.Field] = []
        with self._guard:
            if self._readings:
                raise RunError(diagnostic(READ_TWICE))
            self.state.again()
            self._prepare()
            held = not self._runner.call(self._repeatable)
            every = with_types or held or self._results.keeping
            reading = Reading(self._runner.stream(lambda: self._run(size, every, shape)), self.cursor)
            self._readings.append(reading)
        try:
            with self._guard:
                reading.next()
                self._fields = [Field(f.name, _label(f), sql.null()) for f in shape if not f.name.endswith(TYPE_SUFFIX)]
                self._schema = schema = pa.schema(shape)
                rows: Iterator[pa.RecordBatch] = (
                    pa.RecordBatch.from_arrays(b.columns, schema=schema) if shape else cast(pa.RecordBatch, b)
                    for b in reading.batches()
                )
                if held:  # it has been run: what it gives is held before anybody can leave
                    self._held = list(rows)
                    rows = iter(self._held)
            yield from self._results.keep(self.number, schema, rows, with_types)
        finally:
            reading.close()
            if reading in self._readings:
                self._readings.remove(reading)
            self._stop_scans()
        self.database.changed()
        self._runs.finished(self)

    def _repeatable(self) -> bool:
        """Run all statements but the last, once; whether the last one only reads."""
        if self._last is None:
            self.database.changed()
            statements = self.cursor.extract_statements(self._statement())
            for statement in statements[:-1]:
                self.cursor.execute(statement).fetchall()
                if statement.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]:
                    self.state.ledger.lost("sql", NOT_SHOWN.name)
            self._last = statements[-1] if statements else None
        return self._last is None or self._last.type == duckdb.StatementType.SELECT

    def _relation(self) -> duckdb.DuckDBPyRelation | None:
        """The last statement: run, unless it is a SELECT. Asked again for where it is wrong, which a relation does not
        tell; a statement that cannot be bound is not run."""
        if self._last is None:
            return None
        try:
            return self.cursor.sql(self._last, params=self._params)
        except (duckdb.BinderException, duckdb.CatalogException):
            if self._repeatable():
                self.cursor.execute(self._last, self._params)
            raise

    def _run(self, size: int, with_types: bool, shape: list[pa.Field]) -> pa.RecordBatchReader | None:
        """Run the last statement; its reader if it delivers rows, its presented fields in ``shape``."""
        relation = self._relation()
        if relation is None:
            return None
        fields = _presented(relation)
        reader = _readable(relation, fields, with_types).to_arrow_reader(size)
        shape += _shape(reader.schema, fields, with_types)
        return reader


def _presented(relation: duckdb.DuckDBPyRelation) -> list[Field]:
    """The columns; VARIANT ones rendered as a pipe query renders its mixed fields, since they leave DuckDB opaque."""
    fields: list[Field] = []
    kinds = {"VARIANT": ANY, "VARIANT[]": ANY_LIST}
    for position, (name, type_) in enumerate(zip(relation.columns, map(str, relation.types), strict=True), 1):
        node = sql.var(f"#{position}")
        if type_ in kinds:
            column = Column(str(name), "v", kinds[type_])
            fields.append(present_column(Rel("", (column,), pending={"v": node}), column))
        elif "VARIANT" in type_:
            fields.append(Field(str(name), "any", sql.cast(sql.func("to_json", node), "VARCHAR")))
        else:
            fields.append(Field(str(name), "", node))
    return fields


def _readable(relation: duckdb.DuckDBPyRelation, fields: list[Field], with_types: bool) -> duckdb.DuckDBPyRelation:
    if not any(field.label for field in fields):
        return relation
    items: list[str] = []
    for position, field in enumerate(fields):
        items.append(f"{field.expr.sql('duckdb')} AS c{position}")
        if with_types and field.type_expr is not None:
            items.append(f"{field.type_expr.sql('duckdb')} AS t{position}")
    return relation.project(", ".join(items))


def _shape(schema: pa.Schema, fields: list[Field], with_types: bool) -> list[pa.Field]:
    found: list[pa.Field] = []
    for field in fields:
        found.append(arrow_field(field.name, field.label, schema.field(len(found)).type))
        if with_types and field.type_expr is not None:
            found.append(pa.field(field.name + TYPE_SUFFIX, schema.field(len(found)).type))
    return found


def _label(field: pa.Field) -> str:
    return str((field.metadata or {}).get(b"logsql.type", b"").decode() or field.type)
