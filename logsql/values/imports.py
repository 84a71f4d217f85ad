"""Columns of tables, files and Arrow sources as values: the name that SQL reads them by, and their logical type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlglot import exp

from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import ANY, ANY_JSON, ANY_LIST, BINARY, DATE, HUGE, IP, MAP, NULL, LType, import_type

#: ``logical`` of a mixed column whose text has what JSON cannot say before it (:func:`_decoded`).
CODED, CODED_LIST = "coded", "coded list"


class Foreign(Protocol):
    """A column as DESCRIBE gives it; ``logical`` overrides its type (``ip``, ``json``, ``map``, ``binary``)."""

    @property
    def name(self) -> str: ...
    @property
    def sql_type(self) -> str: ...
    @property
    def logical(self) -> str | None: ...


def sql_names(names: Sequence[str]) -> list[str]:
    """The names under which DuckDB reads the columns of an Arrow source: a name that differs from an earlier one in
    letter case only (``User``, ``user``) gets a number (``user_1``), else both would read the first.
    """
    counts: dict[str, int] = {}
    result: list[str] = []
    for name in names:
        low = name.lower()
        if low in counts:
            while f"{low}_{counts[low]}" in counts:
                counts[low] += 1
            name = f"{name}_{counts[low]}"
            low = name.lower()
        counts[low] = counts.get(low, 0) + 1
        result.append(name)
    return result


def import_column(source: Foreign, read_as: str | None = None) -> tuple[LType, Sql]:
    """A foreign column's logical type and the SQL that brings it there."""
    node: Sql = sql.col(read_as or source.name)
    if source.logical == "ip":
        return IP, node
    if source.logical in ("json", "map"):
        type_ = ANY_JSON if source.logical == "json" else MAP
        return type_, sql.cast(node, "JSON") if source.sql_type != "JSON" else node
    if source.logical == "binary":
        return BINARY, node
    if source.logical == "long":  # a HUGEINT, which Arrow calls a decimal
        return HUGE, sql.cast(node, HUGE.physical)
    if source.logical == "null":
        return NULL, sql.null("VARCHAR")
    if source.logical == "list":
        return ANY_LIST, _variants(sql.cast(node, "JSON"), None, "")
    if source.logical in (CODED, CODED_LIST):
        code = sql.func("split_part", node, sql.string("\n"), sql.integer(1))
        begin = sql.func("strpos", node, sql.string("\n"))
        body = sql.cast(sql.func("substr", node, exp.Add(this=begin, expression=sql.integer(1))), "JSON")
        if source.logical == CODED:
            return ANY, _decoded(body, code, ",")
        return ANY_LIST, _variants(body, sql.func("substr", code, sql.integer(2)), ",")
    imported = import_type(source.sql_type)
    if imported.to_json:
        node = sql.func("to_json", node)
    elif imported.cast is not None:
        node = sql.cast(node, imported.cast)
    return imported.type, node


def _decoded(body: Sql, code: Sql, separator: str) -> Sql:
    """The VARIANT of JSON text and of the code that :func:`logsql.engine.present.type_text` made of it."""
    text = sql.func("json_extract_string", body, sql.string("$"))
    micros = sql.try_cast(sql.func("substr", code, sql.integer(2)), "BIGINT")
    branches = [
        (sql.eq(code, sql.string("B")), sql.func("unhex", text)),
        (sql.func("starts_with", code, sql.string("D")), sql.cast(sql.func("make_timestamptz", micros), DATE.physical)),
        (sql.eq(sql.func("json_type", body), sql.string("HUGEINT")), sql.try_cast(text, HUGE.physical)),
    ]
    if separator:
        inner = ";" if separator == "," else ""
        listed = _variants(body, sql.func("substr", code, sql.integer(2)), separator, inner)
        branches.append((sql.func("starts_with", code, sql.string("L")), listed))
    return sql.case([(test, sql.cast(value, "VARIANT")) for test, value in branches], sql.cast(body, "VARIANT"))


def _variants(body: Sql, codes: Sql | None, separator: str, inner: str = ";") -> Sql:
    """The VARIANT[] of a JSON array and of the codes of its items, null where there is no array."""
    items = sql.func("json_extract", body, sql.string("$[*]"))
    name = f"item{len(separator + inner)}"
    if codes is None:
        value = _decoded(sql.var(name), sql.string(""), "")
        found = sql.func("list_transform", items, sql.lambda_([name], value))
    else:
        pair = [sql.func("struct_extract_at", sql.var(name), sql.integer(n)) for n in (1, 2)]
        zipped = sql.func("list_zip", items, sql.func("string_split", codes, sql.string(separator)))
        value = _decoded(pair[0], sql.coalesce(pair[1], sql.string("")), inner)
        found = sql.func("list_transform", zipped, sql.lambda_([name], value))
    return sql.when(sql.eq(sql.func("json_type", body), sql.string("ARRAY")), found)
