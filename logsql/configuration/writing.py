"""TOML as ``logsql profile`` writes it: a table a section, keys in the order in which they were set.

What is written is read again by ``tomllib`` and gives the same table.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def document(table: Mapping[str, object]) -> str:
    """A whole document.

    >>> print(document({"profiles": {"AD": {"kind": "ldap", "page": 500}}}), end="")
    [profiles.AD]
    kind = "ldap"
    page = 500
    """
    return "\n".join(_lines(table, ())).lstrip("\n") + "\n"


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    out = ["", f"[{'.'.join(map(_key, path))}]"] if path and (plain or not inner) else []
    out += [f"{_key(key)} = {value_text(value)}" for key, value in plain.items()]
    for key, value in inner.items():
        out += _lines(value, (*path, key))
    return out


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    """A basic string: JSON escapes as TOML does, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def value_text(value: object) -> str:
    """A value as it is written.

    >>> value_text(["a\\n", 1, True, {"b c": 0.5}])
    '["a\\\\n", 1, true, {"b c" = 0.5}]'
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {value_text(item)}" for key, item in value.items()) + "}"
    return repr(value)
