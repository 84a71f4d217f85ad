"""Columns of tables, files and Arrow sources as values: the name that SQL reads them by, and their logical type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, BINARY, IP, MAP, LType, import_type


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
    imported = import_type(source.sql_type)
    if imported.to_json:
        node = sql.func("to_json", node)
    elif imported.cast is not None:
        node = sql.cast(node, imported.cast)
    return imported.type, node
