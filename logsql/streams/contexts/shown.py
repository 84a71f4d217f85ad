"""A context as values that rows hold: its variables and its rows as JSON documents."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from logsql.streams.contexts.clock import Context

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def vars_document(context: Context, zone: ZoneInfo) -> str | None:
    """The variables as a JSON map; dates and binary as text, as everywhere in documents. None where there are none."""
    if not context.vars:
        return None
    members = [f"{json.dumps(n, ensure_ascii=False)}:{_text(*v, zone)}" for n, v in context.vars.items()]
    return "{" + ",".join(members) + "}"


def _text(kind: str, value: object, zone: ZoneInfo) -> str:
    if kind == "document":
        return str(value)
    if isinstance(value, bytes):
        return f'"{value.hex()}"'
    if kind == "date" and isinstance(value, int):
        return f'"{date_text(value, zone)}"'
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False)


def date_text(moment: int, zone: ZoneInfo) -> str:
    """Microseconds since 1970 as ``2026-01-02 03:04:05+0900``; a time that Python has no date for as its number."""
    try:
        found = (_EPOCH + dt.timedelta(microseconds=moment)).astimezone(zone)
    except OverflowError:
        return str(moment)
    return found.isoformat(sep=" ", timespec="seconds")[:19] + found.strftime("%z")[:5]


def rows_document(context: Context) -> str:
    """The rows as a JSON list of maps."""
    return "[" + ",".join(map(str, context.rows or ())) + "]"
