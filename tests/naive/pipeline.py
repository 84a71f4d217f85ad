"""A whole query: commands in order, rows through them one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from . import cmd_groups, cmd_join, cmd_parse, cmd_rows, cmd_sources
from .errors import NaiveError
from .fn_network import parse_ip
from .lexer import normalise, split_commands
from .stream import COMMANDS, Step, Stream
from .values import INT_MAX, INT_MIN, Ctx, Long, Row, Value, from_local, is_int

Types = dict[str, dict[str, str]]

_ROOMS = (cmd_groups, cmd_join, cmd_parse, cmd_rows, cmd_sources)


@dataclass(frozen=True)
class Result:
    """Rows of a query. ``ordered``: their order is defined. ``unspecified``: why they may differ elsewhere."""

    rows: list[dict[str, Any]]
    columns: list[str]
    ordered: bool
    unspecified: frozenset[str]


def build(query: str, ctx: Ctx, source: Stream | None = None) -> Stream:
    """Chain of commands of one (sub)query; refuses a bad query before any row is read."""
    stream = source
    for text in split_commands(query):
        parts = text.split(None, 1)
        name = parts[0]
        if name not in COMMANDS:
            raise NaiveError("92000", "unsupported-command", name)
        step = Step(ctx, parts[1].strip() if len(parts) > 1 else "", stream, build)
        stream = COMMANDS[name](step)
    if stream is None:
        raise NaiveError("90003", "empty-command", query)
    return stream


def _typed(ctx: Ctx, value: Any, kind: str | None) -> Value:
    if value is None or kind is None:
        return value
    if kind == "date":
        wall = datetime.fromisoformat(value)
        return from_local(ctx, wall) if wall.tzinfo is None else wall.astimezone(ZoneInfo("UTC"))
    if kind == "binary":
        return bytes.fromhex(value) if isinstance(value, str) else value
    if kind == "ip":
        return parse_ip(ctx, value)
    raise ValueError(kind)


def _nested(value: Any) -> Value:
    if is_int(value):
        return value if INT_MIN <= value <= INT_MAX else Long(value)
    if isinstance(value, list):
        return [_nested(v) for v in value]
    if isinstance(value, dict):
        return {k: _nested(v) for k, v in value.items()}
    return value


def _column(ctx: Ctx, values: list[Any], kind: str | None) -> list[Value]:
    """Values of an input column, typed over the whole column (numbers: int, long or double)."""
    present = [v for v in values if v is not None]
    if kind is not None:
        return [_typed(ctx, v, kind) for v in values]
    if present and all(is_int(v) or isinstance(v, float) for v in present):
        if any(isinstance(v, float) for v in present):
            return [None if v is None else float(v) for v in values]
        if any(not INT_MIN <= v <= INT_MAX for v in present):
            return [None if v is None else Long(v) for v in values]
    return [_nested(v) for v in values]


def load_tables(ctx: Ctx, tables: dict[str, list[dict[str, Any]]], types: Types) -> None:
    """Input tables into the context; columns are the union of keys in order of first appearance."""
    for name, rows in tables.items():
        columns = list(dict.fromkeys(k for row in rows for k in row))
        data = {c: _column(ctx, [r.get(c) for r in rows], types.get(name, {}).get(c)) for c in columns}
        ctx.columns[name] = columns
        ctx.tables[name] = [{c: data[c][i] for c in columns} for i in range(len(rows))]


def run(
    query: str,
    tables: dict[str, list[dict[str, Any]]],
    tz: str = "Asia/Seoul",
    types: Types | None = None,
    params: dict[str, Any] | None = None,
) -> Result:
    """Run a query over tables of JSON-like rows; raises ``NaiveError`` when the query is refused."""
    ctx = Ctx(ZoneInfo(tz), dict(params or {}))
    load_tables(ctx, tables, types or {})
    stream = build(normalise(query), ctx)
    rows: list[Row] = list(stream.rows)
    return Result(rows, stream.columns(), stream.ordered(), frozenset(ctx.notes))
