"""What a line of shell input is, and whether it goes on. Pure functions of text.

Rules (language.md 1.9, architecture section 10): a trailing ``\\`` continues; so does an open ``[`` or string (in SQL
also an open parenthesis), and in a pipe query a trailing ``|``; where lines come from a file or a pipe, also a next
line that begins with ``|``. An empty line ends a continuation, so that a stray quote never traps the user. A line whose
first word is an SQL keyword and no pipe command is SQL: ``SELECT``, ``select``, ``SET`` (upper case: the pipe command
is ``set``), but not ``set`` or ``table``.
"""

from __future__ import annotations

import re
from collections.abc import Container
from enum import Enum

from logsql.language.sqlwords import is_sql

_COMMENT = re.compile(r"\s*#(?=\s|$)[^|]*")
_SQL_TOKENS = re.compile(r"'(?:[^']|'')*'?|\"(?:[^\"]|\"\")*\"?|--[^\n]*|/\*.*?(?:\*/|$)|[(\[{]|[)\]}]", re.DOTALL)


class Kind(Enum):
    """What to do with an input."""

    BLANK = "blank"
    META = "meta"
    HELP = "help"
    LEAVE = "leave"
    ML = "ml"
    SQL = "sql"
    QUERY = "query"


def classify(text: str, commands: Container[str]) -> Kind:
    """The kind of a complete input. ``commands``: names of pipe commands."""
    stripped = text.strip()
    if not stripped:
        return Kind.BLANK
    if stripped.startswith("\\"):
        return Kind.META
    first = stripped.split(None, 1)[0]
    if first in ("help", "?") and first not in commands:
        return Kind.HELP
    if stripped.rstrip("; ").removesuffix("()") in ("exit", "quit"):  # as every other shell is left
        return Kind.LEAVE
    if first.lower().startswith("ml."):
        return Kind.ML
    return Kind.SQL if is_sql(stripped, commands) else Kind.QUERY


def continues(text: str, commands: Container[str]) -> bool:
    """Whether more lines belong to the input."""
    last = text.rsplit("\n", 1)[-1]
    if "\n" in text and not last.strip():
        return False
    kind = classify(text, commands)
    if kind in (Kind.META, Kind.HELP, Kind.LEAVE, Kind.BLANK):
        return False
    if last.rstrip(" \t").endswith("\\"):
        return True
    if kind is Kind.ML:
        return False
    if kind is Kind.SQL:
        return sql_open(text)
    return last.rstrip().endswith("|") or pipe_open(text)


def is_query(text: str, commands: Container[str]) -> bool:
    """Whether a complete input is a pipe query whose last line has text: the next line may go on with it."""
    return classify(text, commands) is Kind.QUERY and bool(text.rsplit("\n", 1)[-1].strip())


def pipes_on(line: str) -> bool:
    """Whether a line goes on with the query before it: as queries are written in files, it begins with ``|``."""
    return line.lstrip(" \t").startswith("|")


def pipe_open(text: str) -> bool:
    """Whether a string or a ``[`` of a pipe query is open at its end; comments do not count."""
    depth = 0
    position = _after_comment(text, 0)
    while position < len(text):
        char = text[position]
        position += 1
        if char == '"':
            end = _string_end(text, position)
            if end is None:
                return True
            position = end
        elif char in "[|":
            depth += char == "["
            position = _after_comment(text, position)
        elif char == "]":
            depth -= 1
    return depth > 0


def _after_comment(text: str, position: int) -> int:
    found = _COMMENT.match(text, position)
    return found.end() if found else position


def _string_end(text: str, position: int) -> int | None:
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == '"':
            return position + 1
        position += 1
    return None


def sql_open(text: str) -> bool:
    """Whether a quote, comment or bracket of an SQL statement is open at its end."""
    depth = 0
    for found in _SQL_TOKENS.finditer(text):
        token = found[0]
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth -= 1
        elif _unfinished(token):
            return True
    return depth > 0


def _unfinished(token: str) -> bool:
    if token[0] in "'\"":  # doubled quotes stand for one: 'it''s' is closed, 'it'' is not
        return token.count(token[0]) % 2 == 1
    return token.startswith("/*") and not token.endswith("*/")


def joined(lines: list[str]) -> str:
    """The input of several lines: a trailing ``\\`` only joins and is dropped."""
    out = []
    for line in lines[:-1]:
        bare = line.rstrip(" \t")
        out.append(bare[:-1] if bare.endswith("\\") else line)
    return "\n".join([*out, *lines[-1:]])
