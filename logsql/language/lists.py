"""The list grammars that commands share: names, sort keys, assignments, aggregates (language.md 2, 7).

Each function works on an :class:`~logsql.language.reader.ArgReader`, which offers them as methods. Items end at a
top-level comma, ``[`` or a keyword that stands between blanks; strings and parentheses are not looked into, so that the
canonical name ``corr(x, y)`` of an aggregate is one item of a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NoReturn, Protocol

from logsql.diagnostics.codes import Code, Sentence
from logsql.diagnostics.foreign import meant_construct
from logsql.diagnostics.language import (
    ALIAS_MISSING,
    COMMA_NAME,
    INVALID_AGGREGATE,
    MISSING_STATS,
    NO_AGGREGATE,
    NO_EQUALS,
    NO_TARGET,
    REMAIN_TERMS,
    SIGN_NAME,
)
from logsql.diagnostics.messages import message
from logsql.diagnostics.places import Place
from logsql.language.expressions import ExpressionParser
from logsql.language.lexer import QUOTED, TOKEN, classify, decode_json, odd_character
from logsql.language.options import closing_parenthesis
from logsql.language.source import Source, shown
from logsql.language.tree import Aggregate, Assignment, Call, Expr, Name, NamedArg, SortKey, Span, canonical

_TARGET = re.compile(r'([^\s"()\[\],=+\-*/<>!\u2264\u2265]+)\s*=(?!=)')
_FUNCTION = re.compile(r'([^\s"()\[\],=+\-*/<>!\u2264\u2265]+)\s*(\()?')
_ALIAS = re.compile(r"as(?=\s|,|\Z)", re.IGNORECASE)
_WORDS = re.compile(rf"{QUOTED.pattern}|\S+", re.DOTALL)


class Cursor(Protocol):
    """What these grammars ask of :class:`~logsql.language.reader.ArgReader`."""

    source: Source
    command: str
    command_span: Span
    option_names: tuple[str, ...]
    pos: int
    end: int

    @property
    def text(self) -> str: ...
    @property
    def on_equals(self) -> Callable[[int, int], None] | None: ...
    @property
    def paired_parentheses(self) -> frozenset[int]: ...
    def at_end(self) -> bool: ...
    def advance(self, pos: int) -> None: ...
    def comma(self) -> bool: ...
    def peek_word(self) -> str: ...
    def fail(
        self,
        said: Sentence,
        span: Span | None = None,
        /,
        *,
        help: str | None = None,
        notes: Iterable[str] = (),
        **facts: object,
    ) -> NoReturn: ...
    def missing(self, said: Sentence, /, *, help: str | None = None, **facts: object) -> NoReturn: ...


@lru_cache(maxsize=64)
def _item_end(blanks: bool, stop: tuple[str, ...]) -> re.Pattern[str]:
    """Scanner of list items: strings, parentheses, a stray option, the index in a path, and what ends an item."""
    words = "|".join(map(re.escape, stop))
    keyword = rf"|(?P<stop>(?<!\S)(?:{words})(?=\s|\[|\Z))" if stop else "|(?P<stop>(?!))"
    blank = r"|(?P<blank>\s+)" if blanks else "|(?P<blank>(?!))"
    return re.compile(
        rf"(?P<string>{QUOTED.pattern})|(?P<paren>[()])|(?P<index>(?<=[^\s,])\[-?[0-9]+\])|(?P<mark>[,\[])"
        rf"|(?P<equals>(?<![=!<>])=(?!=)){keyword}{blank}",
        re.DOTALL | re.IGNORECASE,
    )


def _items(reader: Cursor, blanks: bool, stop: tuple[str, ...], comma: Code) -> list[tuple[int, int]]:
    """Buffer ranges of the items, trimmed; the reader stands behind the list afterwards."""
    items: list[tuple[int, int]] = []
    expected = False  # a comma was read and its item is still to come
    while not reader.at_end():
        start, stopped = reader.pos, False
        end, mark = _scan_item(reader, start, blanks, stop)
        if mark == "stop" or (mark == "[" and end == start):
            stopped = True
        end = start + len(reader.source.buffer[start:end].rstrip())
        if end > start:
            items.append((start, end))
            expected = False
        reader.advance(end)
        if reader.comma():
            if expected or not items or end == start:
                _fail_comma(reader, comma)
            expected = True
        elif stopped or end == start or mark == "[":
            break
    if expected:
        _fail_comma(reader, comma)
    return items


def _scan_item(reader: Cursor, start: int, blanks: bool, stop: tuple[str, ...]) -> tuple[int, str]:
    """(end, what ended it): ``,``, ``[``, ``stop``, ``blank`` or ``end``. Unbalanced parentheses are plain text."""
    buffer = reader.source.buffer
    depth = 0
    for found in _item_end(blanks, stop).finditer(buffer, start, reader.end):
        kind = found.lastgroup
        if kind == "paren":
            if found.start() in reader.paired_parentheses:
                depth += 1 if found[0] == "(" else -1
        elif depth == 0 and kind in ("mark", "stop", "blank"):
            return found.start(), found[0] if kind == "mark" else str(kind)
        elif depth == 0 and kind == "equals" and reader.on_equals is not None:
            reader.on_equals(found.start(), found.end())
    return reader.end, "end"


def _fail_comma(reader: Cursor, code: Code) -> NoReturn:
    at = reader.source.buffer.rfind(",", 0, max(reader.pos, 1))
    reader.fail(code.with_text(COMMA_NAME), reader.source.span(at, at + 1))


def name_at(source: Source, start: int, end: int) -> Name:
    """The name in a range of the text: as it stands, or what stands in its double quotes (decision 32)."""
    found = QUOTED.match(source.buffer, start, end)
    text = source.buffer[start:end]
    if found is not None and found.end() == end and end - start > 2:
        text = decode_json(text[1:-1])
    return Name(text, source.span(start, end))


def name_list(reader: Cursor, blanks: bool, stop: tuple[str, ...], comma: Code) -> list[Name]:
    return [name_at(reader.source, a, b) for a, b in _items(reader, blanks, stop, comma)]


def renamings(reader: Cursor, comma: Code) -> list[list[Name]]:
    """Items of a list as the names between the words ``as`` (any case), a name of several words being one name."""
    source, found = reader.source, []
    for start, end in _items(reader, False, (), comma):
        names: list[Name] = []
        begin = start
        words = list(_WORDS.finditer(source.buffer, start, end))
        for number, word in enumerate(words):
            if word[0].lower() == "as" and begin < word.start():
                names.append(name_at(source, begin, words[number - 1].end()))
                begin = words[number + 1].start() if number + 1 < len(words) else end
        names.append(name_at(source, begin, end))
        found.append(names)
    return found


def sort_list(reader: Cursor, stop: tuple[str, ...], comma: Code) -> list[SortKey]:
    source, keys = reader.source, []
    for start, end in _items(reader, False, stop, comma):
        sign = source.buffer[start]
        at = start
        if sign in "+-":
            at = end - len(source.buffer[start + 1 : end].lstrip())
            if at == end:
                reader.fail(comma.with_text(SIGN_NAME), source.span(start, end))
        keys.append(SortKey(name_at(source, at, end), sign == "-", source.span(start, end)))
    return keys


def assignment(reader: Cursor, missing_equals: Code, bad_target: Code, missing_expr: Code) -> Assignment:
    source = reader.source
    found = _TARGET.match(source.buffer, reader.pos, reader.end)
    if found is None or classify(found[1])[0] != "field" or odd_character(found[1]) is not None:
        _bad_assignment(reader, missing_equals, bad_target)
    start = found.start()
    target = Name(found[1], source.span(start, found.end(1)))
    parser = ExpressionParser(source, found.end(), reader.end)
    expr = parser.parse(missing_expr)
    behind = len(source.buffer[: parser.pos].rstrip())
    reader.advance(parser.pos)
    return Assignment(target, expr, source.span(start, behind))


def _bad_assignment(reader: Cursor, missing_equals: Code, bad_target: Code) -> NoReturn:
    """Say whether the item has no ``=`` at its top level, or one with something else than a name before it."""
    source, pos, depth, end = reader.source, reader.pos, 0, reader.pos
    compares = False
    while (found := TOKEN.match(source.buffer, pos, reader.end)) is not None:
        token = found[found.lastgroup or "bad"]
        if depth == 0 and token == ",":
            break
        if depth == 0 and token == "=":
            if end == reader.pos:
                end = found.end()
            help = meant_construct(source.buffer, reader.pos, reader.end, reader.pos, Place.COMMAND)
            reader.fail(bad_target.with_text(NO_TARGET), source.span(reader.pos, end), help=help)
        depth += {"(": 1, ")": -1}.get(token, 0)
        compares = compares or token == "=="
        pos = end = found.end()
    help = message("help-assign") if compares else None
    help = help or meant_construct(source.buffer, reader.pos, reader.end, reader.pos, Place.COMMAND)
    if end == reader.pos:  # nothing behind the comma, or behind the command's name
        end = len(source.buffer[:end].rstrip())
        span = source.span(end - 1, end) if source.buffer[end - 1] == "," else reader.command_span
    else:
        span = source.span(reader.pos, end)
    reader.fail(missing_equals.with_text(NO_EQUALS), span, help=help)


def aggregates(reader: Cursor, stop: tuple[str, ...], missing: Code) -> list[Aggregate]:
    found: list[Aggregate] = []
    while True:
        if reader.at_end() or reader.peek_word().lower() in stop or reader.text[0] in "[,":
            help = meant_construct(reader.source.buffer, reader.pos, reader.end, reader.pos, Place.AGGREGATE)
            reader.missing(missing.with_text(NO_AGGREGATE), command=reader.command, help=help)
        found.append(_aggregate(reader, stop))
        if not reader.comma():
            break
    if not (reader.at_end() or reader.peek_word().lower() in stop or reader.text[0] == "["):
        _not_an_aggregate(reader, found[-1])
    return found


def _aggregate(reader: Cursor, stop: tuple[str, ...]) -> Aggregate:
    source, start = reader.source, reader.pos
    found = _FUNCTION.match(source.buffer, start, reader.end)
    if found is None or classify(found[1])[0] != "field" or odd_character(found[1]) is not None:
        _not_an_aggregate(reader, None)
    args: tuple[Expr, ...] = ()
    end = found.end(1)
    if found[2]:
        parser = ExpressionParser(source, start, reader.end, ("as", *stop), reader.on_equals, Place.AGGREGATE)
        call = parser.parse()
        end = len(source.buffer[: parser.pos].rstrip())
        if not isinstance(call, Call) or call.span != source.span(start, end):
            _computed_aggregate(reader, found.start(2))
        named = next((arg for arg in call.args if isinstance(arg, NamedArg)), None)
        if named is not None:
            reader.fail(REMAIN_TERMS, named.span, term=shown("="), help=message("help-compare"))
        args = tuple(arg for arg in call.args if not isinstance(arg, NamedArg))
    reader.advance(end)
    function = Name(found[1], source.span(start, found.end(1)))
    alias = _alias(reader, stop)
    if alias is not None:
        end = len(source.buffer[: reader.pos].rstrip())
        return Aggregate(function, args, alias, True, source.span(start, end))
    name = "count" if function.text == "c" else function.text
    output = canonical(Call(name, args)) if args else name
    return Aggregate(function, args, Name(output, source.span(start, end)), False, source.span(start, end))


def _alias(reader: Cursor, stop: tuple[str, ...]) -> Name | None:
    source = reader.source
    found = _ALIAS.match(source.buffer, reader.pos, reader.end)
    if found is None:
        return None
    reader.advance(found.end())
    start = reader.pos
    end, _ = _scan_item(reader, start, False, stop)
    end = start + len(source.buffer[start:end].rstrip())
    if end <= start:
        reader.fail(ALIAS_MISSING, source.span(found.start(), found.end()))
    reader.advance(end)
    return name_at(source, start, end)


def _computed_aggregate(reader: Cursor, opening: int) -> NoReturn:
    """``sum(a) / count`` is no aggregate: point at what stands behind the call whose ``(`` is at ``opening``."""
    behind = closing_parenthesis(reader.source, opening, reader.end)
    rest = TOKEN.match(reader.source.buffer, behind, reader.end)
    token = rest[rest.lastgroup or "bad"] if rest is not None else ""
    end = rest.end() if rest is not None else behind
    span = reader.source.span(end - len(token), end)
    help = meant_construct(reader.source.buffer, reader.pos, reader.end, end - len(token), Place.AGGREGATE)
    help = help or message("help-aggregate-then-eval")
    reader.fail(REMAIN_TERMS, span, term=shown(token), help=help)


def _not_an_aggregate(reader: Cursor, before: Aggregate | None) -> NoReturn:
    found = TOKEN.match(reader.source.buffer, reader.pos, reader.end)
    if found is None:
        reader.missing(MISSING_STATS.with_text(NO_AGGREGATE), command=reader.command)
    token = found[found.lastgroup or "bad"]
    start = found.end() - len(token)
    span = reader.source.span(start, found.end())
    if before is None:
        reader.fail(INVALID_AGGREGATE, span, term=shown(token))
    equals = found if token == "=" else TOKEN.match(reader.source.buffer, found.end(), reader.end)
    if equals is not None and equals["op"] == "=" and reader.on_equals is not None:
        reader.on_equals(equals.end() - 1, equals.end())
    operator = found.lastgroup == "op"
    if "span" in reader.option_names and re.fullmatch(r"[0-9]+[a-z]+", before.output.text):
        help = message("help-use", form=f"{reader.command} span={before.output.text} ...")
        reader.fail(REMAIN_TERMS, span, term=shown(token), help=help)
    help = message("help-aggregate-then-eval") if operator else message("help-alias", term=before.output.text)
    if not (operator or before.args or before.aliased or before.output.text == "count") and found.lastgroup == "word":
        help = message("help-use", form=f"{before.output.text}({token})")  # sum bytes
    help = meant_construct(reader.source.buffer, 0, reader.end, start, Place.AGGREGATE) or help
    reader.fail(REMAIN_TERMS, span, term=shown(token), help=help)
