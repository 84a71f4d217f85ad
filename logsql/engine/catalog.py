"""The planner's catalog, implemented over a session's connection for one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.diagnostics.errors import Diagnostic, QueryError
from logsql.engine.runstate import RunState
from logsql.planner.catalog import SourceColumn, SourceInfo, TableInfo
from logsql.values import sql
from logsql.values.sql import Sql

if TYPE_CHECKING:
    from logsql.engine.session import Session

#: Prefix of the column comment that keeps a logical type DuckDB has no name for (an imported ``ip`` column).
LOGICAL_COMMENT = "logsql:"


class SessionCatalog:
    """Answers the planner's questions and collects what the plan's SQL will read: registered objects by name."""

    def __init__(self, session: Session, state: RunState) -> None:
        self.session = session
        self.state = state
        self.zone = session.zone
        self.run_id = state.ledger.run_id if state.counting else None
        self.bindings: dict[str, object] = {}
        self._opener: Any = None

    # --- tables -----------------------------------------------------------------------------------

    def table(self, name: str) -> TableInfo | None:
        """A registered object, else a table or view of the database."""
        for known, thing in self.session.registered.items():
            if known.lower() == name.lower():
                self.bindings[known] = thing
                return TableInfo(known, (known,), arrow_columns(thing.schema))
        return self._stored(name)

    def _stored(self, name: str) -> TableInfo | None:
        """A table or view: binding a SELECT is ten times cheaper than asking DuckDB's catalog views."""
        target = exp.Table(this=sql.ident(name), db=sql.ident("main"), catalog=sql.ident(self.session.database))
        has_rowid = True
        try:
            relation = self._bound(target, [sql.col("rowid"), exp.Star()])
        except duckdb.CatalogException:
            return None
        except duckdb.BinderException:  # a view has none
            has_rowid = False
            relation = self._bound(target, [exp.Star()])
        logical = self.session.logical_types()
        columns = tuple(
            SourceColumn(str(n), str(t), logical.get((name.lower(), str(n))))
            for n, t in zip(relation.columns[has_rowid:], relation.types[has_rowid:], strict=True)
        )
        # A column of that name hides the row number.
        return TableInfo(name, (name,), columns, has_rowid and "rowid" not in {c.name.lower() for c in columns})

    def _bound(self, target: exp.Table, items: list[Sql]) -> duckdb.DuckDBPyRelation:
        """SELECT of the items from the table, bound but not run. The trees are new: nobody else holds them."""
        return self.session.planning.sql(sql.select(items, target).sql("duckdb", copy=False))

    def tables(self) -> Sequence[str]:
        return self.session.tables()

    # --- constants, binding -----------------------------------------------------------------------

    def evaluate(self, expression: Sql) -> Any:
        """Value of a constant expression."""
        text = expression.sql("duckdb")
        self.session.install(str(f.this) for f in expression.find_all(exp.Anonymous) if str(f.this).startswith("lq_"))
        try:
            table = self.session.planning.sql(f"SELECT {text} AS v").to_arrow_table()
        except duckdb.Error as error:
            message = f"the constant cannot be computed: {str(error).splitlines()[0]}"
            raise QueryError(Diagnostic("E1401", "constant-failed", message)) from None
        return table.column(0).to_pylist()[0]

    def describe(self, query: Sql) -> tuple[SourceColumn, ...]:
        """Columns of a query, bound but not run."""
        relation = self.session.planning.sql(query.sql("duckdb"))
        return tuple(SourceColumn(n, str(t)) for n, t in zip(relation.columns, relation.types, strict=True))

    # --- files ------------------------------------------------------------------------------------

    def open_source(self, kind: str, paths: Sequence[str], options: Mapping[str, Any]) -> SourceInfo:
        if self._opener is None:
            from logsql.engine.sources import SourceOpener

            self._opener = SourceOpener(self.bindings.__setitem__, self.state.policy, self.state.read_context)
        found: SourceInfo = self._opener.open(kind, paths, options)
        return found

    # --- results, lookups, services ---------------------------------------------------------------

    def saved(self, name: str) -> TableInfo | None:
        return self.session.saved_result(name, self.bindings)

    def result(self, query_id: str) -> TableInfo | None:
        return self.session.past_result(query_id, self.bindings)

    def lookup(self, name: str) -> Any:
        from logsql.engine.lookups import find_lookup

        return find_lookup(self.session, name)

    def bind(self, label: str, table: Any) -> TableInfo:
        """Make an Arrow table readable in this query under a name of its own."""
        name = f"__{label}_{len(self.bindings) + 1}"
        self.bindings[name] = table
        return TableInfo(name, (name,), arrow_columns(table.schema))

    def service(self, name: str) -> Any:
        return self.session.service(name)


def arrow_columns(schema: pa.Schema) -> tuple[SourceColumn, ...]:
    """Source columns of an Arrow schema; field metadata ``logsql.type`` names the logical type where Arrow cannot."""
    return tuple(SourceColumn(f.name, arrow_sql_type(f.type), _logical(f)) for f in schema)


def _logical(field: pa.Field) -> str | None:
    value = (field.metadata or {}).get(b"logsql.type")
    return value.decode() if value else None


def logical_comment(comment: object) -> str | None:
    """The logical type in a column comment, if there is one."""
    text = str(comment) if comment is not None else ""
    return text[len(LOGICAL_COMMENT) :] if text.startswith(LOGICAL_COMMENT) else None


_ARROW_SQL = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "halffloat": "FLOAT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "string_view": "VARCHAR",
    "binary": "BLOB",
    "large_binary": "BLOB",
    "binary_view": "BLOB",
    "date32[day]": "DATE",
    "date64[ms]": "DATE",
    "null": '"NULL"',
}


def arrow_sql_type(type_: pa.DataType) -> str:
    """DuckDB's name for the type in which it reads an Arrow column."""
    if pa.types.is_dictionary(type_):
        return arrow_sql_type(type_.value_type)
    if pa.types.is_timestamp(type_):
        return "TIMESTAMP WITH TIME ZONE" if type_.tz else "TIMESTAMP"
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return f"{arrow_sql_type(type_.value_type)}[]"
    if pa.types.is_struct(type_):
        return "STRUCT()"
    if pa.types.is_map(type_):
        return "MAP()"
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision},{type_.scale})"
    if pa.types.is_fixed_size_binary(type_):
        return "BLOB"
    return _ARROW_SQL.get(str(type_), "VARCHAR")
