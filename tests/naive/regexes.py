"""Java regular expressions on top of the ``regex`` package: the differences that the language can observe.

``\\d \\w \\s`` are ASCII-only, ``(?i)`` too; ``.`` stops at every Java line terminator; group names may hold ``_``,
any letter, and may repeat. A pattern that does not compile raises ``ValueError``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

_DOT = r"[^\n\r\u0085\u2028\u2029]"


@dataclass(frozen=True)
class JavaRegex:
    """Compiled pattern; ``names`` are the named groups in order as (name, group number)."""

    compiled: Any
    names: tuple[tuple[str, int], ...]
    groups: int


@lru_cache(maxsize=4096)
def compile_java(pattern: str, capture_unnamed: bool = True) -> JavaRegex:
    """Compile Java pattern text; with ``capture_unnamed=False`` plain groups do not capture (``rex``)."""
    out: list[str] = []
    names: list[tuple[str, int]] = []
    count = 0
    i = 0
    dotall = False
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            end = pattern.find("\\E", i) if pattern[i : i + 2] == "\\Q" else -1
            if end >= 0:
                out.append(regex.escape(pattern[i + 2 : end]))
                i = end + 2
                continue
            out.append(pattern[i : i + 2])
            i += 2
        elif c == "[":
            end = _class_end(pattern, i)
            out.append(pattern[i:end])
            i = end
        elif c == "(":
            piece, i, name, captures = _group(pattern, i, capture_unnamed)
            count += captures
            if name is not None:
                names.append((name, count))
            if piece.startswith("(?") and "s" in piece.split("-")[0].split(":")[0][2:] and name is None:
                dotall = True
            out.append(piece)
        elif c == "." and not dotall:
            out.append(_DOT)
            i += 1
        else:
            out.append(c)
            i += 1
    try:
        # the ASCII flag would narrow \p{L} to ASCII letters, which Java does not do
        flags = regex.UNICODE if "\\p{" in pattern else regex.ASCII
        return JavaRegex(regex.compile("".join(out), flags | regex.VERSION0), tuple(names), count)
    except regex.error as e:
        raise ValueError(str(e)) from e


def _class_end(pattern: str, start: int) -> int:
    i = start + 1
    if pattern[i : i + 1] == "^":
        i += 1
    if pattern[i : i + 1] == "]":
        raise ValueError("empty character class")
    while i < len(pattern):
        if pattern[i] == "\\":
            i += 1
        elif pattern[i] == "]":
            return i + 1
        elif pattern[i] == "[" or pattern[i : i + 2] == "&&":
            raise ValueError("nested character classes are not supported here")
        i += 1
    raise ValueError("unclosed character class")


def _group(pattern: str, i: int, capture_unnamed: bool) -> tuple[str, int, str | None, int]:
    """One opening parenthesis: (text for the engine, next index, group name, 1 if it captures)."""
    if pattern[i + 1 : i + 2] != "?":
        return ("(", i + 1, None, 1) if capture_unnamed else ("(?:", i + 1, None, 0)
    if pattern[i + 2 : i + 3] == "<" and pattern[i + 3 : i + 4] not in ("=", "!"):
        end = pattern.index(">", i) if ">" in pattern[i:] else -1
        if end < 0:
            raise ValueError("unterminated group name")
        return "(", end + 1, pattern[i + 3 : end], 1
    end = i + 2
    while end < len(pattern) and pattern[end] in "idmsux-":
        end += 1
    if end < len(pattern) and end > i + 2 and pattern[end] in ":)":
        return pattern[i : end + 1], end + 1, None, 0
    for opener in ("(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"):
        if pattern.startswith(opener, i):
            return opener, i + len(opener), None, 0
    raise ValueError("unknown group")


def replacement(template: str, match: Any) -> str:
    """Java replacement text: ``$1`` is a group, a backslash makes the next character literal."""
    out: list[str] = []
    i = 0
    while i < len(template):
        c = template[i]
        if c == "\\" and i + 1 < len(template):
            out.append(template[i + 1])
            i += 2
        elif c == "$":
            j = i + 1
            if not template[j : j + 1].isdigit():
                raise ValueError("illegal group reference")
            number = int(template[j])
            j += 1
            while template[j : j + 1].isdigit() and number * 10 + int(template[j]) <= match.re.groups:
                number = number * 10 + int(template[j])
                j += 1
            out.append(match.group(number) or "")
            i = j
        else:
            out.append(c)
            i += 1
    return "".join(out)
