"""Evaluates one expression, or one aggregate, over a few records: lowered, then run in plain DuckDB.

``mixed`` says how a column of several types is held: ``json`` as in a parsed document, ``variant`` as after an eval,
``parts`` as readers deliver it, one typed column per type (lists and maps stay JSON then).
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa

from logsql.language.expressions import parse_expression
from logsql.language.tree import Call, Field
from logsql.planner.calls import AggregateCall, lower_literal
from logsql.planner.expressions import ExprContext
from logsql.planner.function_spec import AGGREGATES
from logsql.planner.relation import Column, Rel
from logsql.udfbridge.registry import install
from logsql.values import sql, values
from logsql.values.types import ANY, ANY_JSON, IP, MAP, LType, import_type
from logsql.values.values import Typed
from tests.conformance_cases import arrow_table
from udfs.network import ip


@lru_cache(maxsize=1)
def _shared() -> duckdb.DuckDBPyConnection:
    """One connection for all tests: opening one costs more than a test."""
    return duckdb.connect(config={"threads": 1})


class Bench:
    """A connection with a table ``t`` of the records, and a catalog that evaluates constants on it."""

    def __init__(
        self, rows: list[dict[str, Any]], types: dict[str, str] | None = None, zone: str = "UTC", mixed: str = "json"
    ) -> None:
        self.zone = zone
        self.run_id: str | None = None
        self.connection = _shared()
        self.connection.execute("SET TimeZone = ?", [zone])
        self.services: dict[str, Any] = {}
        rows = [{k: ip(v) if (types or {}).get(k) == "ip" else v for k, v in row.items()} for row in rows]
        table = arrow_table(rows, types or {}, zone) if rows and any(rows) else pa.table({"__none": [True] * len(rows)})
        self.columns = self._load(table, mixed)

    def _load(self, table: pa.Table, mixed: str) -> tuple[Column, ...]:
        self.connection.register("loaded", table)
        items, columns = [], []
        used: set[str] = set()
        for field in table.schema:
            if field.name == "__none":
                continue
            ident = field.name
            while ident.lower() in used:
                ident += "_"
            used.add(ident.lower())
            parts = self._parts(table.column(field.name).to_pylist(), field, ident) if mixed == "parts" else []
            if parts:
                items.extend(sql.alias(node, column.ident) for node, column in parts)
                columns.append(Column(field.name, ident, ANY, tuple(column for _, column in parts)))
                continue
            node, kind = self._column(field, mixed)
            items.append(sql.alias(node, ident))
            columns.append(Column(field.name, ident, kind))
        query = sql.select([*items, sql.alias(sql.row_number(), "__ord")], sql.table("loaded"))
        self.connection.execute(f"CREATE OR REPLACE TABLE t AS {query.sql('duckdb')}")
        return tuple(columns)

    def _column(self, field: pa.Field, mixed: str) -> tuple[sql.Sql, LType]:
        node: sql.Sql = sql.col(field.name)
        logical = (field.metadata or {}).get(b"logsql.type", b"").decode()
        if logical == "ip":
            return node, IP
        if logical == "json":
            document = sql.cast(node, "JSON")
            return (
                (document, ANY_JSON)
                if mixed == "json"
                else (sql.cast(document, "VARIANT"), import_type("VARIANT").type)
            )
        described = self.connection.sql(f'SELECT "{field.name}" FROM loaded').types[0]
        return node, import_type(str(described)).type

    def _parts(self, texts: list[Any], field: pa.Field, ident: str) -> list[tuple[sql.Sql, Column]]:
        """A typed column per type of scalar in a mixed column; none when it holds lists or maps."""
        if (field.metadata or {}).get(b"logsql.type") != b"json":
            return []
        if any(isinstance(json.loads(t), (list, dict)) for t in texts if t is not None):
            return []
        kinds = {"VARCHAR": ["VARCHAR"], "BIGINT": ["UBIGINT", "BIGINT"], "DOUBLE": ["DOUBLE"], "BOOLEAN": ["BOOLEAN"]}
        found = []
        for physical, names in kinds.items():
            document = sql.cast(sql.col(field.name), "JSON")
            test = sql.in_(sql.func("json_type", document), [sql.string(n) for n in names])
            body = sql.cast(sql.func("json_extract_string", document, sql.string("$")), physical)
            found.append((sql.when(test, body), Column(field.name, f"{ident}.{physical}", import_type(physical).type)))
        return found

    # --- the catalog protocol, as far as functions need it ------------------------------------------------------------

    def evaluate(self, expression: sql.Sql) -> Any:
        self._install(expression.sql("duckdb"))
        return self.connection.sql(f"SELECT {expression.sql('duckdb')} AS v").to_arrow_table().column(0).to_pylist()[0]

    def service(self, name: str) -> Any:
        return self.services.get(name)

    def _install(self, text: str) -> None:
        install(self.connection, re.findall(r"\blq_\w+", text.lower()), self.zone)

    # --- evaluation ---------------------------------------------------------------------------------------------------

    def context(self, params: dict[str, Any] | None = None) -> ExprContext:
        rel = Rel("t", self.columns, carried=(Column("__ord", "__ord", import_type("BIGINT").type),))
        given = {name: _parameter(value) for name, value in (params or {}).items()}
        order = sql.order_by([sql.ordered(sql.col("__ord"))])
        return ExprContext(self, rel, given, params or {}, row_order=lambda: order)  # type: ignore[arg-type]

    def query(self, expression: str, params: dict[str, Any] | None = None) -> str:
        """SQL whose rows are the values of the expression, in record order."""
        cx = self.context(params)
        result = cx.lower(parse_expression(expression))
        select = sql.select([sql.alias(shown(result), "v")], self._source(cx), order=sql.order_by([sql.col("__ord")]))
        return select.sql("duckdb")

    def _source(self, cx: ExprContext) -> sql.Sql:
        from sqlglot import exp

        source: sql.Sql = sql.table("t")
        for name, node in cx.lets.items():
            inner = sql.select([exp.Star(), sql.alias(node, name)], source)
            source = exp.Subquery(this=inner, alias=exp.TableAlias(this=sql.ident("t")))
        return source

    def values(self, expression: str, params: dict[str, Any] | None = None) -> list[Any]:
        return self.run(self.query(expression, params))

    def aggregate(self, text: str, ordered: bool = True) -> Any:
        """Value of one aggregate over all records."""
        node = parse_expression(text)
        call = node if isinstance(node, Call) else Call(node.name, ()) if isinstance(node, Field) else None
        assert call is not None, text
        cx = self.context()
        spec = AGGREGATES[call.name]
        assert spec.min_args <= len(call.args) <= spec.max_args, text
        nodes = tuple(a for a in call.args)
        args = tuple(cx.lower(a) for a in nodes)  # type: ignore[arg-type]
        order = (sql.ordered(sql.col("__ord")),) if ordered and spec.duty.ordered else ()
        seconds = sql.integer(3600)
        result = spec.lower(AggregateCall(cx, spec, args, nodes, call.span, order, seconds))  # type: ignore[arg-type]
        text_sql = sql.select([sql.alias(shown(result), "v")], self._source(cx)).sql("duckdb")
        found = self.run(text_sql)
        assert len(found) == 1, text_sql
        return found[0]

    def run(self, text: str) -> list[Any]:
        self._install(text)
        return [revived(v) for v in self.connection.sql(text).to_arrow_table().column("v").to_pylist()]

    def close(self) -> None:
        self.connection.unregister("loaded")


def shown(value: Typed) -> sql.Sql:
    """The value in a form Arrow can carry: mixed values as JSON text behind a mark."""
    if has_json(value.type) or value.parts:
        return sql.concat(sql.string(MARK), sql.cast(values.to_json(value), "VARCHAR"))
    return value.expr


def has_json(type_: LType) -> bool:
    return type_.physical.startswith(("VARIANT", "JSON")) or type_.kind is MAP.kind


MARK = "\u0001json"


def revived(value: Any) -> Any:
    return json.loads(value.removeprefix(MARK)) if isinstance(value, str) and value.startswith(MARK) else value


def _parameter(value: Any) -> Typed:
    from logsql.language.tree import Literal

    kind = {bool: "bool", int: "int", float: "double", str: "string"}.get(type(value), "null")
    return lower_literal(Literal(value, kind))


def single(expression: str, row: dict[str, Any] | None = None, zone: str = "UTC", **more: Any) -> Any:
    """Value of an expression over one record."""
    bench = Bench([row or {}], zone=zone, **more)
    try:
        return bench.values(expression)[0]
    finally:
        bench.close()
