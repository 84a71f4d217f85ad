"""The cursor over one command's argument text, through which command declarations read their arguments.

A declaration is only data and a ``parse(reader)`` that calls these methods; each consumes what it reads and skips the
blanks behind it. Positions are absolute, so every node's span points into the query as written. What is left over when
``parse`` returns is error 90201. Errors of a declaration's own go through :meth:`ArgReader.fail`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import NoReturn, Protocol

from logsql.diagnostics.codes import Code, Sentence
from logsql.diagnostics.language import (
    ASSIGN_TOKEN,
    BROKEN,
    CALL_EXPECTED,
    FIELD_NAME,
    MISSING_CLAUSE,
    MISSING_STATS,
    NEED_COLUMN,
    NO_EXPRESSION,
    QUOTE_MISMATCH,
)
from logsql.diagnostics.messages import message
from logsql.diagnostics.options import NO_SUBQUERY
from logsql.language import lists
from logsql.language.expressions import ExpressionParser, reject_rest
from logsql.language.lexer import QUOTED, decode_json, decode_string
from logsql.language.options import PARENTHESES, closing_parenthesis, unknown_option
from logsql.language.source import Source
from logsql.language.tree import (
    Aggregate,
    Assignment,
    Call,
    Expr,
    Field,
    Name,
    Option,
    SortKey,
    Span,
    Subquery,
    Text,
)

_BLANK = re.compile(r"\s*")
_WORD = re.compile(r"[^\s\[][^\s]*")

AGGREGATE_STOPS = ("by", "rows", "cols", "for")


class Parse(Protocol):
    """The parse of a query that a reader belongs to: its text, and who reads the brackets in it."""

    @property
    def source(self) -> Source: ...
    def opens(self, at: int) -> bool: ...
    def subquery(self, at: int) -> tuple[Subquery, int]: ...


class OptionRules(Protocol):
    """Which options a command takes, and whether it takes any."""

    @property
    def option_names(self) -> tuple[str, ...]: ...
    @property
    def takes_options(self) -> bool: ...


class ArgReader:
    """See the module docstring. ``options`` are the command's options, already read."""

    def __init__(
        self,
        query: Parse,
        command: str,
        command_span: Span,
        options: tuple[Option, ...],
        pos: int,
        end: int,
        rules: OptionRules,
        buffer: str | None = None,
    ) -> None:
        self._query = query
        self.source = query.source if buffer is None else replace(query.source, buffer=buffer)
        self.command = command
        self.command_span = command_span
        self.options = options
        self.on_equals = self._stray_equals if rules.takes_options else None
        self.option_names = rules.option_names
        self.end = end
        self.pos = self._first = pos
        self.advance(pos)

    # -- position ------------------------------------------------------------------------------------------------

    def advance(self, pos: int) -> None:
        """Go to ``pos`` and skip blanks."""
        found = _BLANK.match(self.source.buffer, pos, self.end)
        self.pos = found.end() if found is not None else pos

    @property
    def text(self) -> str:
        """The remaining argument text, trimmed."""
        return self.source.buffer[self.pos : self.end].rstrip()

    def at_end(self) -> bool:
        """True when only blanks are left."""
        return self.pos >= self.end

    def here(self) -> Span:
        """Where the cursor stands, as an empty span behind the last character read."""
        at = self.pos
        if at == self.end:
            at = len(self.source.buffer[:at].rstrip())
        return self.source.span(at, at)

    def option(self, key: str) -> Option | None:
        """The last option written with this key, if any."""
        return next((option for option in reversed(self.options) if option.key == key), None)

    # -- raw text ------------------------------------------------------------------------------------------------

    def rest(self) -> Text:
        """All remaining text, trimmed."""
        start, value = self.pos, self.text
        self.pos = self.end
        return Text(value, self.source.span(start, start + len(value)))

    def raw(self) -> Text:
        """All remaining text, trimmed, exactly as written (typographic look-alikes kept): SQL of ``dbquery``."""
        text = self.rest_range()
        return Text(self.source.nfc[text[0] : text[1]], self.source.span(*text))

    def rest_range(self) -> tuple[int, int]:
        """Consume the remaining text; its buffer positions, trimmed."""
        start = self.pos
        stop = start + len(self.text)
        self.pos = self.end
        return start, stop

    def path(self) -> Text | Call:
        """The rest as a path (language.md 1.6): outer quotes stripped, nothing unescaped; a Call for ``$(..)``."""
        return self._path(*self.rest_range())

    def path_word(self) -> Text | Call | None:
        """The next blank-delimited path (``outputcsv``, ``zipfile``); may be quoted or ``$(..)``. None at the end."""
        if self.at_end():
            return None
        start, buffer = self.pos, self.source.buffer
        quoted = QUOTED.match(buffer, start, self.end)
        if quoted is not None:
            stop = quoted.end()
        elif buffer.startswith("$(", start):
            stop = closing_parenthesis(self.source, start + 1, self.end)
        else:
            word = re.compile(r"\S+").match(buffer, start, self.end)
            stop = word.end() if word is not None else start
        self.advance(stop)
        return self._path(start, stop)

    def _path(self, start: int, stop: int) -> Text | Call:
        source = self.source
        if source.buffer.startswith("$(", start) and closing_parenthesis(source, start + 1, stop) == stop:
            parser = ExpressionParser(source, start, stop)
            call = parser.parse()
            if isinstance(call, Call):
                return call
        span = source.span(start, stop)
        if not source.buffer.startswith('"', start):
            return Text(source.nfc[start:stop], span)
        quoted = QUOTED.match(source.buffer, start, stop)
        if stop - start > 1 and source.buffer[stop - 1] == '"':
            # a trailing backslash is part of the path: "C:\dir\" is closed by its last quote
            return Text(source.nfc[start + 1 : stop - 1], span, quoted=True)
        if quoted is None:
            raise source.error(QUOTE_MISMATCH, start, start + 1)
        reject_rest(source, quoted.end(), stop)
        raise AssertionError("unreachable: text stands behind the quote")

    # -- words and names -----------------------------------------------------------------------------------------

    def word(self) -> Name | None:
        """The next blank-delimited word; None at the end or before ``[``."""
        found = _WORD.match(self.source.buffer, self.pos, self.end)
        if found is None:
            return None
        self.advance(found.end())
        return Name(found[0], self.source.span(found.start(), found.end()))

    def name(self) -> Name | None:
        """The next word, or what stands in double quotes, as a name."""
        start = self.pos
        found = self._string()
        return lists.name_at(self.source, *found) if found is not None and found[0] == start else self.word()

    def rest_name(self) -> Name:
        """All remaining text as one name, which may stand in double quotes; empty at the end."""
        return lists.name_at(self.source, *self.rest_range())

    def renamings(self, trailing_comma: Code) -> list[list[Name]]:
        """``NAME [as NAME], ...``: the names of each item; a name may hold blanks."""
        return lists.renamings(self, trailing_comma)

    def words(self) -> list[Name]:
        """All blank-delimited words up to the end or a word that starts with ``[``."""
        words: list[Name] = []
        while (word := self.word()) is not None:
            words.append(word)
        return words

    def peek_word(self) -> str:
        """The next word without consuming it; "" at the end."""
        found = _WORD.match(self.source.buffer, self.pos, self.end)
        return found[0] if found is not None else ""

    def keyword(self, *words: str) -> bool:
        """Consume the next word when it is one of ``words`` in any case."""
        word = self.peek_word()
        if word.lower() not in words:
            return False
        self.advance(self.pos + len(word))
        return True

    def comma(self) -> bool:
        """Consume one comma."""
        if not self.source.buffer.startswith(",", self.pos) or self.at_end():
            return False
        self.advance(self.pos + 1)
        return True

    def name_list(
        self,
        blanks: bool = False,
        stop: tuple[str, ...] = (),
        trailing_comma: Code = MISSING_CLAUSE,
    ) -> list[Name]:
        """Names split on commas (they may hold blanks), with ``blanks`` on commas and blanks.

        Ends before a top-level keyword of ``stop``, before ``[`` or at the end; [] when there is no name. A comma
        without a name beside it is error ``trailing_comma``.
        """
        return lists.name_list(self, blanks, stop, trailing_comma)

    def sort_list(self, stop: tuple[str, ...] = ("by",), trailing_comma: Code = NEED_COLUMN) -> list[SortKey]:
        """``[+|-] name, ...``; blanks may follow the sign."""
        return lists.sort_list(self, stop, trailing_comma)

    # -- expressions ---------------------------------------------------------------------------------------------

    def expr(self, missing: Code | None = None) -> Expr:
        """One expression up to the end or ``[``; ``missing`` is the error when there is none."""
        expr = self.expr_until(missing=missing)
        if not self.at_end() and not self.source.buffer.startswith("[", self.pos):
            reject_rest(self.source, self.pos, self.end)
        return expr

    def expr_until(self, *stop: str, missing: Code | None = None) -> Expr:
        """One expression up to a top-level keyword of ``stop``, a top-level comma, ``[`` or the end."""
        if missing is not None and stop and self.peek_word().lower() in stop:
            self.missing(missing.with_text(NO_EXPRESSION))
        parser = ExpressionParser(self.source, self.pos, self.end, stop, self.on_equals)
        expr = parser.parse(missing)
        self.advance(parser.pos)
        return expr

    def assignments(
        self,
        missing_equals: Code = ASSIGN_TOKEN,
        bad_target: Code = FIELD_NAME,
        missing_expr: Code = BROKEN,
    ) -> list[Assignment]:
        """``name = expression, ...`` up to the end."""
        found = [self.assignment(missing_equals, bad_target, missing_expr)]
        while self.comma():
            found.append(self.assignment(missing_equals, bad_target, missing_expr))
        return found

    def assignment(
        self,
        missing_equals: Code = ASSIGN_TOKEN,
        bad_target: Code = FIELD_NAME,
        missing_expr: Code = BROKEN,
    ) -> Assignment:
        """One ``name = expression``."""
        return lists.assignment(self, missing_equals, bad_target, missing_expr)

    def aggregates(self, stop: tuple[str, ...] = AGGREGATE_STOPS, missing: Code = MISSING_STATS) -> list[Aggregate]:
        """``function(args) [as alias], ...`` up to a keyword of ``stop``, ``[`` or the end."""
        return lists.aggregates(self, stop, missing)

    def call(self) -> Call:
        """``NAME(ARG, ...)``."""
        start = self.pos
        expr = self.expr_until()
        if not isinstance(expr, Call):
            name = expr.name if isinstance(expr, Field) else None
            help = message("help-use", form=f"{self.command} {name}()") if name else None
            raise self.source.error(CALL_EXPECTED, start, self._behind(), help=help)
        return expr

    # -- quoted text and subqueries ------------------------------------------------------------------------------

    def quoted_raw(self, outer: bool = False) -> Text | None:
        """``"..."`` with the outer quotes stripped and nothing unescaped; None when no quote is next.

        With ``outer`` it runs to the last quote of the argument text: ``rex`` takes ``"a="(?<x>.)""`` so.
        """
        if outer and self.source.buffer.startswith('"', self.pos) and self.text.endswith('"') and len(self.text) > 1:
            start, stop = self.rest_range()
            return Text(self.source.buffer[start + 1 : stop - 1], self.source.span(start, stop), quoted=True)
        found = self._string()
        if found is None:
            return None
        return Text(self.source.buffer[found[0] + 1 : found[1] - 1], self.source.span(*found), quoted=True)

    def quoted_json(self) -> Text | None:
        r"""``"..."`` by the rule of ``json`` (language.md 1.3): ``\"`` and ``\\`` only."""
        text = self.quoted_raw()
        return None if text is None else replace(text, value=decode_json(text.value))

    def quoted(self) -> Text | None:
        """``"..."`` with the escapes of expressions."""
        found = self._string()
        if found is None:
            return None
        return Text(decode_string(self.source, *found), self.source.span(*found), quoted=True)

    def subquery(self, required: bool = True, code: Code = NO_SUBQUERY) -> Subquery | None:
        """``[ query ]``; None when there is none and it is not ``required`` (else error ``code``)."""
        opens = not self.at_end() and self.source.buffer.startswith("[", self.pos) and self._query.opens(self.pos)
        if not opens:
            if required:
                self.missing(code.with_text(NO_SUBQUERY.text), command=self.command)
            return None
        subquery, behind = self._query.subquery(self.pos)
        self.advance(behind)
        return subquery

    def _string(self) -> tuple[int, int] | None:
        if self.at_end() or not self.source.buffer.startswith('"', self.pos):
            return None
        found = QUOTED.match(self.source.buffer, self.pos, self.end)
        if found is None:
            raise self.source.error(QUOTE_MISMATCH, self.pos, self.pos + 1)
        self.advance(found.end())
        return found.start(), found.end()

    # -- errors --------------------------------------------------------------------------------------------------

    def fail(
        self,
        said: Sentence,
        span: Span | None = None,
        /,
        *,
        help: str | None = None,
        notes: Iterable[str] = (),
        **facts: object,
    ) -> NoReturn:
        """Refuse the query: ``reader.fail(ROW, span, **facts)``; points at ``span``, else at the command's name."""
        raise self.source.error_at(said, span or self.command_span, help=help, notes=notes, **facts)

    def missing(self, said: Sentence, /, *, help: str | None = None, **facts: object) -> NoReturn:
        """Raise what is missing at the cursor (at the end: at the command)."""
        span = (
            self.command_span if self.at_end() else self.source.span(self.pos, self.pos + max(len(self.peek_word()), 1))
        )
        self.fail(said, span, help=help, notes=(), **facts)

    def _stray_equals(self, start: int, end: int) -> None:
        """A single ``=`` behind a word of an option-taking command is an option (language.md 1.5), and misplaced."""
        if self.source.buffer[end : end + 1] in ("<", ">"):
            return
        buffer = self.source.buffer
        stop = self._first + len(buffer[self._first : start].rstrip())
        key = stop
        while key > self._first and not buffer[key - 1].isspace() and buffer[key - 1] not in '=,()"[]':
            key -= 1
        if key < stop:
            unknown_option(self.source, key, stop, self.command, self.option_names, start)

    @cached_property
    def paired_parentheses(self) -> frozenset[int]:
        """Positions of the parentheses of this command that have a partner; strings are not looked into."""
        opened: list[int] = []
        paired: list[int] = []
        for found in PARENTHESES.finditer(self.source.buffer, self._first, self.end):
            if found[0] == "(":
                opened.append(found.start())
            elif found[0] == ")" and opened:
                paired += (opened.pop(), found.start())
        return frozenset(paired)

    def _behind(self) -> int:
        return len(self.source.buffer[: self.pos].rstrip())
