"""Options: the ``key=value`` pairs of a command (language.md 1.5).

``read_options`` takes the leading ones; ``sweep_options`` those behind the object words of the few commands that allow
it, blanking them out of the text that the command reads afterwards. Errors: 90000 blank around ``=``, 90001 unknown key
(with the nearest names), 90002 a quoted value that never closes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.foreign import foreign_option, meant_construct
from logsql.diagnostics.language import OPTION_QUOTE, OPTION_SPACE, PAREN_NOT_CLOSED, QUOTE_MISMATCH
from logsql.diagnostics.messages import message
from logsql.diagnostics.options import INVALID_OPTION, NOT_A_PARAMETER, OPTION_MISPLACED
from logsql.diagnostics.places import Place
from logsql.language.expressions import ExpressionParser
from logsql.language.lexer import QUOTED, decode_option
from logsql.language.source import Source
from logsql.language.tree import Call, Expr, Option

#: A key and its "=", but not "==". Keys are words, so that ``/data/day=1/x`` and ``C:\a=b`` are no options.
_KEY = re.compile(r"\s*([^\W\d][\w.\-]*)(\s*)=(?!=)")
_VALUE = re.compile(r"\S*")
#: A quoted value in which parameters stand, ``"(cn=$("name"))"``: the quotes inside ``$(...)`` are theirs.
_PARAMETERS = re.compile(r'''"(?>\$\((?:[^()"]|"(?:[^"\\]|\\.)*+")*+\)|[^"\\]|\\.)*+"''', re.DOTALL)
_SKIP = re.compile(rf"{QUOTED.pattern}|[(\[]|[)\]]|(?<!\S)[^\W\d][\w.\-]*\s*=(?!=)", re.DOTALL)


def read_options(
    source: Source, pos: int, end: int, command: str, names: Sequence[str]
) -> tuple[tuple[Option, ...], int]:
    """The leading options between ``pos`` and ``end``, and the position behind the last one."""
    options: list[Option] = []
    while (found := _KEY.match(source.buffer, pos, end)) is not None:
        option, pos = _option(source, found, end, command, names)
        options.append(option)
    return tuple(options), pos


def sweep_options(
    source: Source, pos: int, end: int, command: str, names: Sequence[str]
) -> tuple[tuple[Option, ...], list[tuple[int, int]]]:
    """Options anywhere in the text, outside strings, parentheses and brackets, and the ranges they cover."""
    options: list[Option] = []
    ranges: list[tuple[int, int]] = []
    depth = 0
    while (found := _SKIP.search(source.buffer, pos, end)) is not None:
        pos, first = found.end(), found[0][0]
        if first in "([":
            depth += 1
        elif first in ")]":
            depth -= 1
        elif first != '"' and depth == 0:
            key = _KEY.match(source.buffer, found.start(), end)
            if key is not None:
                option, pos = _option(source, key, end, command, names)
                options.append(option)
                ranges.append((found.start(), pos))
    return tuple(options), ranges


def _option(source: Source, found: re.Match[str], end: int, command: str, names: Sequence[str]) -> tuple[Option, int]:
    key, start, equals = found[1], found.start(1), found.end()
    if key not in names:
        unknown_option(source, start, start + len(key), command, names, equals - 1)
    if found[2] or source.buffer[equals:end][:1].isspace():
        help = message("help-option-blank", option=key)
        raise source.error(OPTION_SPACE, start, equals, option=key, help=help)
    value: str | Expr
    if source.buffer.startswith('"', equals):
        quoted = QUOTED.match(source.buffer, equals, end)
        if quoted is None:
            raise source.error(OPTION_QUOTE, equals, equals + 1, option=key)
        if quoted[0].endswith('$("'):
            quoted = _PARAMETERS.match(source.buffer, equals, end) or quoted
        value, stop = decode_option(quoted[0][1:-1]), quoted.end()
    elif source.buffer.startswith("$(", equals):
        value, stop = _parameter(source, equals, end, key)
    else:
        bare = _VALUE.match(source.buffer, equals, end)
        stop = bare.end() if bare is not None else equals
        value = source.nfc[equals:stop]
    spans = source.span(start, stop), source.span(start, start + len(key)), source.span(equals, stop)
    return Option(key, value, *spans), stop


def _parameter(source: Source, start: int, end: int, key: str) -> tuple[Call, int]:
    stop = closing_parenthesis(source, start + 1, end)
    parser = ExpressionParser(source, start, stop)
    call = parser.parse()
    if not isinstance(call, Call) or parser.pos != stop:
        raise source.error(NOT_A_PARAMETER, start, stop, option=key)
    return call, stop


PARENTHESES = re.compile(rf'{QUOTED.pattern}|[()"]', re.DOTALL)


def closing_parenthesis(source: Source, start: int, end: int) -> int:
    """Position behind the ``)`` that closes the ``(`` at ``start``; 90202, or 90203 for an open string inside."""
    depth = 0
    for found in PARENTHESES.finditer(source.buffer, start, end):
        if found[0] == '"':
            raise source.error(QUOTE_MISMATCH, found.start(), found.end())
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    raise source.error(PAREN_NOT_CLOSED, start, start + 1)


#: A value as other languages write it: blanks before it, a quoted text with blanks.
_MEANT = re.compile(rf"\s*({QUOTED.pattern}|[^\s|,()\[\]]*)", re.DOTALL)


def unknown_option(source: Source, start: int, stop: int, command: str, names: Sequence[str], equals: int) -> NoReturn:
    """90001 for the key at ``start``; a known key that stands behind the arguments is told so."""
    key = source.buffer[start:stop]
    help: str | None
    known = [name for name in names if name]
    if key in known:
        help = message("help-option-order", command=command, option=key)
        raise source.error(OPTION_MISPLACED, start, stop, option=key, command=command, help=help)
    value = _MEANT.match(source.buffer, equals + 1)
    help = foreign_option(command, key, value[1] if value is not None else "", known)
    help = help or meant_construct(source.buffer, start, min(equals + 200, len(source.buffer)), start, Place.AGGREGATE)
    help = help or did_you_mean(key, known)
    if help is None and (source.buffer[equals - 1].isspace() or source.buffer[equals + 1 : equals + 2].isspace()):
        help = message("help-compare")  # ``search a = 1`` is a comparison that went wrong
    elif help is None and known:
        help = message("help-option-list", command=command, options=", ".join(sorted(known)))
    elif help is None:
        help = message("help-option-none", command=command)
    raise source.error(INVALID_OPTION, start, stop, option=key, command=command, help=help)
