"""Values of the language as texts that a database reads: bound, never pasted."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Collection
from zoneinfo import ZoneInfo

#: Types that hold a list as JSON, and not as an array.
DOCUMENTS = frozenset({"json", "jsonb"})
_POINT = re.compile(r"-?[0-9]+\.0+")
_WHOLE = frozenset({"int2", "int4", "int8"})


def wire_text(value: object, zone: ZoneInfo, kind: str = "") -> str | None:
    """A value as text that the server converts to the type ``kind`` of its column or parameter.

    A date has the wall clock of the session and its offset, so that a type without zone gets that clock. A list is an
    array, or JSON where the column is JSON.

    >>> utc = ZoneInfo("UTC")
    >>> wire_text(True, utc), wire_text(["a", None, 'b"'], utc), wire_text(bytes([1]), utc)
    ('true', '{"a",NULL,"b\\\\""}', '\\\\x01')
    """
    if isinstance(value, str) and kind in _WHOLE and _POINT.fullmatch(value):
        return value.partition(".")[0]  # of a field of several types
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and kind in _WHOLE and value.is_integer():
        return str(int(value))
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, dt.datetime):
        return value.astimezone(zone).isoformat(sep=" ") if value.tzinfo else value.isoformat(sep=" ")
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, list) and kind not in DOCUMENTS:
        return _array(value, zone)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _array(items: list[object], zone: ZoneInfo) -> str:
    texts = []
    for item in items:
        text = wire_text(item, zone)
        if text is None:
            texts.append("NULL")
        elif isinstance(item, list):
            texts.append(text)
        else:
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            texts.append(f'"{escaped}"')
    return "{" + ",".join(texts) + "}"


def quoted(name: str) -> str:
    """A name of SQL, quoted as the standard says: PostgreSQL, SQLite and most others.

    >>> quoted('a"b')
    '"a""b"'
    """
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def unused(name: str, names: Collection[str], text: str = "") -> str:
    """A name of our own in SQL, made longer until none of the names is it and the text does not hold it.

    >>> unused("lqk", ["lqk", "n"]), unused("lqk", (), "select 1 from t as LQK")
    ('lqk_', 'lqk_')
    """
    while name in names or name in text.lower():
        name += "_"
    return name
