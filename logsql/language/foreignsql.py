"""Text of SQL inside a query: where it ends, and the parameters in it.

Some commands hand the rest of their text to a database as it is (``dbquery emp select ...``). Such a text obeys the
quotes, comments and brackets of SQL and not those of the language: ``'a|b'``, ``a || b``, ``-- it's``, ``$q$ ] $q$``
and ``a[1]`` end nothing. A single ``|`` outside all of them ends the command, a ``]`` without its ``[`` the subquery.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from logsql.diagnostics.language import BRACKET_NOT_CLOSED, PAREN_NOT_CLOSED, QUOTE_MISMATCH
from logsql.language.source import PIPES, Source

#: Quotes end at the next one (two stand for one), in ``E''`` a backslash covers the next character, a dollar quote ends
#: at its own tag; ``:name`` is a parameter, and no part of ``::type``, ``a[1:n]`` or ``x:y``. ``||``, ``?|``, ``|/``
#: and the like are operators: no command could begin behind them.
_TOKEN = re.compile(
    r"""(?P<escaped>(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*')
    |(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`)
    |(?P<dollar>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    |(?P<line>--[^\r\n]*)
    |(?P<block>/\*)
    |(?P<open>[(\[])
    |(?P<close>[)\]])
    |(?P<operator>\|\|/?|\?\||\|/|<<\||&<\||\|>>|\|&>|::)
    |(?P<pipe>[|PIPES])
    |(?<![\w:$])(?P<parameter>:[^\W\d]\w*)
    |(?P<unclosed>['"`])
    |(?P<mark>\?)
    |(?P<semicolon>;)""".replace("PIPES", PIPES),
    re.VERBOSE | re.DOTALL,
)
_NESTED = re.compile(r"/\*|\*/")
#: What stands before the SQL: options, the profile, options.
_OPTION = r'[^\W\d][\w.\-]*=(?:"(?:[^"\\]|\\.)*"|[^\s"]\S*)'
_BEFORE = re.compile(rf"(?:\s+{_OPTION})*\s+[^\s|\[\]\"=]+(?:\s+{_OPTION})*(?=\s)", re.DOTALL)
_PAIRS = {")": "(", "]": "["}
_BLANKS = frozenset({"line", "block"})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL that matters here: its kind (a group of the pattern) and where it stands."""

    kind: str
    start: int
    end: int


def tokens(text: str, pos: int = 0, end: int | None = None) -> Iterator[Token]:
    """The pieces of SQL from ``pos`` on; what stands between them is plain text."""
    stop = len(text) if end is None else end
    while (found := _TOKEN.search(text, pos, stop)) is not None:
        kind = found.lastgroup or ""
        kind = "dollar" if kind == "tag" else kind
        start, pos = found.start(), found.end()
        if kind == "block":
            pos = _block_end(text, pos, stop)
        yield Token(kind, start, pos)


def _block_end(text: str, pos: int, stop: int) -> int:
    """The end of a comment that began before ``pos``: comments nest, as the standard says; one may stay open."""
    depth = 1
    for found in _NESTED.finditer(text, pos, stop):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return stop


def sql_start(text: str, pos: int) -> int:
    """Where the SQL begins behind a command's name: behind its options and the profile."""
    found = _BEFORE.match(text, pos)
    return pos if found is None else found.end()


def sql_end(source: Source, pos: int, inside: bool) -> int:
    """Position of the ``|`` or ``]`` that ends the SQL at ``pos``, else the end of the text.

    ``inside``: the command stands in a subquery. Raises QueryError for a quote or a bracket that stays open.
    """
    text = source.nfc
    opened: list[tuple[str, int]] = []
    for token in tokens(text, pos):
        if token.kind == "open":
            opened.append((text[token.start], token.start))
        elif token.kind == "close":
            wanted = _PAIRS[text[token.start]]
            if any(mark == wanted for mark, _ in opened):
                while opened.pop()[0] != wanted:
                    pass
            elif wanted == "[":
                return token.start if inside or not opened else _not_closed(source, opened[-1])
        elif token.kind == "pipe" and not opened:
            return token.start
        elif token.kind == "unclosed":
            raise source.error(QUOTE_MISMATCH, token.start, token.end)
    return len(text) if not opened else _not_closed(source, opened[-1])


def _not_closed(source: Source, opened: tuple[str, int]) -> int:
    row = PAREN_NOT_CLOSED if opened[0] == "(" else BRACKET_NOT_CLOSED
    raise source.error(row, opened[1], opened[1] + 1)


def statement(text: str) -> str:
    """The statement without the semicolon, blanks and comments behind it: it can stand in parentheses then.

    >>> statement("select 1; -- done"), statement("select ';' /* a */")
    ('select 1', "select ';'")
    """
    end = len(text)
    for token in reversed([t for t in tokens(text) if t.kind in _BLANKS or t.kind == "semicolon"]):
        if text[token.end : end].strip():
            break
        end = token.start
    return text[:end].rstrip()


@dataclass(frozen=True, slots=True)
class Parameter:
    """``:name`` of an SQL text, with where it stands."""

    name: str
    start: int
    end: int


def parameters(text: str) -> tuple[Parameter, ...]:
    """The parameters of an SQL text in order; a name may come several times.

    >>> [p.name for p in parameters("select a::int, ':b' from t where c = :d and e = 'x' -- :f")]
    ['d']
    """
    return tuple(Parameter(text[t.start + 1 : t.end], t.start, t.end) for t in tokens(text) if t.kind == "parameter")
