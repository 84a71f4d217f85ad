"""Runs a conformance or generated case through the product: real DuckDB tables, the public session, Python rows."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

import logsql
from logsql.engine.session import Session

_SESSIONS: dict[str, Session] = {}


def session(tz: str) -> Session:
    """One session per zone for the whole test process."""
    if tz not in _SESSIONS:
        _SESSIONS[tz] = logsql.connect(tz=tz)
    return _SESSIONS[tz]


def load_tables(s: Session, tables: Mapping[str, pa.Table]) -> None:
    """Replace the session's tables by these, as stored DuckDB tables; logical types become column comments."""
    for name in s.tables():
        s.drop(name)
    s.changed()
    for name, table in tables.items():
        if len({n.lower() for n in table.column_names}) < table.num_columns:
            # A stored table cannot hold two columns that differ in letter case only.
            s.register(name, _addresses(table, _logical(table)))
            continue
        if not table.column_names:
            s.planning.execute(f'CREATE TABLE "{name}" (none INTEGER)').fetchall()
            continue
        logical = _logical(table)
        s.planning.register("__load", _addresses(table, logical))
        casts = ", ".join(
            f'CAST("{n}" AS JSON) AS "{n}"' if logical.get(n) in ("json", "map", "any") else f'"{n}"'
            for n in table.schema.names
        )
        s.planning.execute(f'CREATE TABLE "{name}" AS SELECT {casts} FROM __load')
        s.planning.unregister("__load")
        for column, kind in logical.items():
            if kind == "ip":
                s.planning.execute(f"""COMMENT ON COLUMN "{name}"."{column}" IS 'logsql:ip'""")


def _logical(table: pa.Table) -> dict[str, str]:
    return {f.name: f.metadata[b"logsql.type"].decode() for f in table.schema if f.metadata}


def _addresses(table: pa.Table, logical: Mapping[str, str]) -> pa.Table:
    """Addresses as the language writes them: version 6 in eight groups (FUNCTIONS.md)."""
    for name in (n for n, kind in logical.items() if kind == "ip"):
        texts = [None if v is None else _host_text(v) for v in table.column(name).to_pylist()]
        field = table.schema.field(name)
        table = table.set_column(table.column_names.index(name), field, pa.array(texts, pa.string()))
    return table


def _host_text(value: str) -> str:
    address = ipaddress.ip_address(value)
    if address.version == 4:
        return str(address)
    return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":"))


def run(
    query: str, tables: Mapping[str, pa.Table], tz: str, params: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query over these tables."""
    s = session(tz)
    load_tables(s, tables)
    result = s.query(query, params=params)
    try:
        return result.rows()
    finally:
        result.close()
