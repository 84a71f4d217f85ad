"""What is meant by text that is no expression, where the characters tell: patterns without quotes, ``a:"x"``."""

from __future__ import annotations

import re

from logsql.diagnostics.messages import message

#: Single quotes: the typewriter's, and those that word processors and chats make of it (U+2018 to U+201B, U+2032).
QUOTES = "'\u2018\u2019\u201a\u201b\u2032"
#: A pattern as other tools take it: ``*Failed*``, ``10.0.*``, ``*.exe``.
_PATTERN = re.compile(r"\**[^\W_][\w.:/@-]*\**")
_AROUND = re.compile(r"[\w.:/@*-]+")
_COMPARED = re.compile(r"[=!]=\s*\Z")
_SPAN = re.compile(r"[0-9]+(?:s|m|h|d|w|mon|y)", re.IGNORECASE)
_CONDITION = re.compile(r"(?:\A|\b(?:search|and|or)|\()\s*\Z")
_COMPARISON = re.compile(r"\s*(?:[=!<>]=|[<>])")


def pattern_help(text: str, at: int, end: int, call: str | None) -> str | None:
    """How ``*Failed*`` at or behind ``at`` is written; None where the star is that of a product.

    ``call``: the function whose argument it is. A pattern alone is looked for in the line.

    >>> pattern_help("*Failed*", 0, 8, None)
    'text and patterns stand in double quotes: line == "*Failed*"'
    >>> pattern_help("line == Failed*", 14, 15, None)
    'text and patterns stand in double quotes: "Failed*"'
    >>> pattern_help("a * ", 2, 4, None) is None
    True
    """
    found = next((f for f in _AROUND.finditer(text, 0, end) if at < f.end()), None)
    if found is None or text[at : found.start()].strip() or "*" not in found[0] or not _PATTERN.fullmatch(found[0]):
        return None
    before, pattern = text[: found.start()], re.sub(r"\*+", "*", found[0])
    if call is not None:
        word = pattern if call == "in" else pattern.strip("*")
        return message("help-pattern", form=f'"{word}"')
    if _COMPARED.search(before):
        return message("help-pattern", form=f'"{pattern}"')
    return message("help-pattern", form=f'line == "{pattern}"') if _CONDITION.search(before) else None


def behind(text: str, start: int, stop: int, token: str, end: int) -> str | None:
    """What is meant by ``token``, which ends at ``end`` and stands behind the operand ``text[start:stop]``."""
    before = text[start:stop]
    if before.endswith(";"):
        return message("help-one-query")
    if token.startswith('"') and re.fullmatch(r"[^\W\d][\w.]*:", before):
        return message("help-pattern", form=f'{before[:-1]} == "*{token[1:-1].strip("*")}*"')
    compared = _COMPARED.search(text[:start]) is not None
    if compared and re.fullmatch(r"[^\W\d][\w.]*", token) and _COMPARISON.match(text, end) is not None:
        return message("help-join-conditions")
    if before.endswith(")") and re.fullmatch(r"\.[^\W\d]\w*", token):
        return message("help-path", form=f'valueof(..., "{token[1:]}")')
    return None


def span_name(word: str) -> bool:
    """Whether a word is a time span, in whatever unit, and hardly the name of a field: ``1h``, ``5min``."""
    return re.fullmatch(r"\d+[A-Za-z]+", word) is not None


def in_quotes(word: str) -> str | None:
    """How a constant that was read as a field is written: ``1h`` and ``'yyyy'``; None for the name of a field.

    >>> in_quotes("1h"), in_quotes("'yyyy'"), in_quotes("name")
    ('"1h"', '"yyyy"', None)
    """
    if len(word) > 2 and word[0] in QUOTES and word[-1] in QUOTES:
        return f'"{word[1:-1]}"'
    return f'"{word}"' if _SPAN.fullmatch(word) else None
