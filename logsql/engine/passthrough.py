"""SQL passthrough: any DuckDB SQL, with the readers as table functions and ``pipe('QUERY')`` as a table.

``hive_file('SYSTEM', replay => true)`` becomes the pipe command ``hive-file``; the text is parsed only when it calls
one of these functions, everything else goes to DuckDB as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from logsql.commands import COMMANDS, GRAMMAR
from logsql.engine.catalog import SessionCatalog
from logsql.engine.execution import Execution
from logsql.engine.present import Field
from logsql.engine.result import Result
from logsql.engine.runstate import RunState
from logsql.errors import Diagnostic, LogsqlError, PolicyError, QueryError
from logsql.planner import sql
from logsql.planner.plan import Plan
from logsql.planner.relation import PHYSICAL, Rel

if TYPE_CHECKING:
    from logsql.engine.session import Session


#: Statements that safe mode runs: those that read, and those that fill tables of a database in memory.
_READING = frozenset({"SELECT", "EXPLAIN", "RELATION", "SET", "VARIABLE_SET", "PRAGMA", "TRANSACTION"})
_TABLES = frozenset({"CREATE", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER", "MERGE_INTO", "CREATE_FUNC"})


def table_functions() -> dict[str, str]:
    """SQL function name -> command name, for every source command that reads a path."""
    return {
        n.replace("-", "_"): n for n, spec in COMMANDS.items() if spec.source and re.fullmatch(r"[a-z][a-z0-9-]+", n)
    }


def sql_result(session: Session, text: str, params: Sequence[Any] | None) -> Result:
    """Plan SQL text; it runs when rows are asked for."""
    state = RunState(session.policy, session.zone, on_progress=session.on_progress)
    catalog = SessionCatalog(session, state)
    for name in list(session.registered):
        catalog.table(name)
    names = {"pipe", *table_functions()}
    pattern = r"\b(" + "|".join(sorted(names)) + r")\s*\("
    plan, rewritten = Plan((), Rel("", (), order=PHYSICAL), zone=session.zone), text
    if re.search(pattern, text, re.I):
        plan, rewritten = _rewrite(session, catalog, text)
    return Result(SqlExecution(session, plan, state, catalog.bindings, rewritten, params))


def _rewrite(session: Session, catalog: SessionCatalog, text: str) -> tuple[Plan, str]:
    from logsql.planner.planner import Planner

    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except sqlglot.errors.ParseError as error:
        message = (
            f"the SQL text cannot be parsed: {error.errors[0].get('description', error) if error.errors else error}"
        )
        raise QueryError(Diagnostic("E1601", "sql-syntax", message)) from None
    planner = Planner(catalog)
    functions = table_functions()
    for table in list(tree.find_all(exp.Table)):
        call = table.this
        name = call.name.lower() if isinstance(call, exp.Anonymous) else ""
        if name != "pipe" and name not in functions:
            continue
        query = _pipe_text(name, call, functions)
        replacement = exp.Subquery(this=_planned(planner, query), alias=table.args.get("alias") or _alias(name))
        if table.args.get("joins"):
            replacement.set("joins", table.args["joins"])
        table.replace(replacement)
    plan = Plan((), Rel("", (), order=PHYSICAL), tuple(planner.steps), frozenset(planner.udfs), catalog.zone)
    return plan, tree.sql("duckdb")


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=sql.ident(name))


def _pipe_text(name: str, call: exp.Anonymous, functions: dict[str, str]) -> str:
    """The pipe query of one table function: its text, or the reader's command with options and path."""
    plain: list[str] = []
    options: list[str] = []
    for argument in call.expressions:
        if isinstance(argument, (exp.PropertyEQ, exp.EQ, exp.Kwarg)):
            value = argument.expression
            text = ("t" if value.this else "f") if isinstance(value, exp.Boolean) else value.name
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            options.append(f'{argument.this.name}="{quoted}"')
        elif isinstance(argument, exp.Literal) and argument.is_string:
            plain.append(argument.this)
        else:
            raise QueryError(Diagnostic("E1602", "sql-argument", f"{name}() takes string constants"))
    if name == "pipe":
        if len(plain) != 1:
            raise QueryError(Diagnostic("E1602", "sql-argument", "pipe() takes one string: a pipe query"))
        return plain[0]
    return " ".join([functions[name], *options, *plain])


def _planned(planner: Any, text: str) -> exp.Expression:
    from logsql.language.parser import parse_query
    from logsql.planner.plan import result_select, with_ctes

    try:
        rel = planner.pipeline(parse_query(text, GRAMMAR), True)
    except LogsqlError as error:
        raise error.located(text, "pipe") from None
    return with_ctes(result_select(rel), planner.ctes, (rel.source,))


class SqlExecution(Execution):
    """Runs passthrough text; the fields are whatever DuckDB delivers."""

    def __init__(
        self,
        session: Session,
        plan: Plan,
        state: RunState,
        bindings: dict[str, object],
        text: str,
        params: Sequence[Any] | None,
    ) -> None:
        super().__init__(session, plan, state, bindings)
        self._text = text
        self._params = list(params) if params else None
        self._fields = None

    def sql_text(self) -> str:
        return self._text

    def fields(self) -> list[Field]:
        if self._fields is None:
            self._prepare()
            try:
                relation = self.cursor.sql(self._statement())
                found = [] if relation is None else list(zip(relation.columns, relation.types, strict=True))
            except duckdb.Error:
                found = []
            self._fields = [Field(str(n), str(t).lower(), sql.null()) for n, t in found]
        return self._fields

    def _statement(self) -> str:
        if not self._names:
            return self._text
        tree: exp.Expression = sqlglot.parse_one(self._text, dialect="duckdb")  # type: ignore[assignment]
        return self.resolve(tree).sql("duckdb")

    def batches(self, size: int, with_types: bool) -> Iterator[pa.RecordBatch]:
        """Rows of the last statement; statements without rows deliver none."""
        self._prepare()
        text = self._statement()
        stream = self._runner.stream(lambda: self._run(text, size))
        for schema in stream:
            self._fields = [Field(f.name, str(f.type), sql.null()) for f in schema]
            break
        yield from stream
        self.session.changed()
        self.session.finished(self)

    def _check(self, statement: duckdb.Statement) -> None:
        """Safe mode reads: DuckDB's own fence lets ``COPY ... TO`` write below an allowed directory."""
        kind = statement.type.name
        if kind in _READING or (kind in _TABLES and self.session.path == ":memory:"):
            return
        message = f"{kind} statements are not allowed in safe mode"
        raise PolicyError(Diagnostic("E4001", "write-not-allowed", message, help="use a session without --safe"))

    def _run(self, text: str, size: int) -> pa.RecordBatchReader | None:
        """Run the statements; the reader of the last one if it delivers rows."""
        statements = self.cursor.extract_statements(text)
        if self.session.policy.safe:
            for statement in statements:
                self._check(statement)
        self.session.changed()
        for number, statement in enumerate(statements):
            if number == len(statements) - 1:
                relation = self.cursor.sql(statement, params=self._params)
                return None if relation is None else _readable(relation).to_arrow_reader(size)
            self.cursor.execute(statement).fetchall()
        return None


def _readable(relation: Any) -> Any:
    """The relation with VARIANT columns as JSON text: they would leave DuckDB as an opaque struct."""
    types = [str(t) for t in relation.types]
    if not any("VARIANT" in t for t in types):
        return relation
    items: list[str] = []
    for position, (name, type_) in enumerate(zip(relation.columns, types, strict=True), 1):
        quoted = sql.ident(str(name)).sql("duckdb")
        value = f"to_json(#{position})" if "VARIANT" in type_ else f"#{position}"
        items.append(f"{value} AS {quoted}")
    return relation.project(", ".join(items))
