"""Where the pipe query of a table function stands in the SQL that the user wrote.

``csvfile('a.csv', types => true)`` becomes ``csvfile types="t" "0"`` and ``pipe('...')`` its string: what is said of a
place in that query is said of the characters of the SQL that it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.notes import Note
from logsql.language.tree import Span

#: How a text of SQL is called where a place in it is shown.
SQL = "sql"


@dataclass(frozen=True)
class Piece:
    """A part of a pipe query: where it begins there, and for each of its characters and its end the place in the SQL
    (``offsets``), or the one place of all of it (``span``)."""

    start: int
    end: int
    span: Span
    offsets: tuple[int, ...] | None = None

    def place(self, start: int, end: int) -> Span:
        if self.offsets is None:
            return self.span
        first, last = max(start - self.start, 0), min(end, self.end) - self.start
        return Span(self.offsets[first], self.offsets[max(last, first)])


@dataclass(frozen=True)
class Asked:
    """A pipe query that SQL asks for: its text, the SQL, the pieces that the text is made of, the place of the call."""

    text: str
    written: str
    pieces: tuple[Piece, ...]
    call: Span

    def place(self, span: Span | None) -> Span:
        """The place in the SQL of a place in the pipe query."""
        if span is None:
            return self.call
        end = max(span.end, span.start + 1)
        met = [piece for piece in self.pieces if piece.start < end and span.start < max(piece.end, piece.start + 1)]
        if not met:
            return self.call
        return Span(met[0].place(span.start, span.end).start, met[-1].place(span.start, span.end).end)

    def located(self, error: LogsqlError) -> LogsqlError:
        """The error with its place in the SQL. One about another text (a stored query) keeps its own."""
        found = error.diagnostic
        if found.text in (None, self.text):
            error.diagnostic = replace(found, span=self.place(found.span), text=self.written, origin=SQL)
        return error

    def note(self, note: Note) -> Note:
        """The note with its place in the SQL."""
        if note.text not in (None, self.text):
            return note
        return replace(note, span=self.place(note.span), text=self.written, origin=SQL)


class CallPlaces:
    """The places of one call in SQL: its name, and its arguments in their order."""

    def __init__(self, written: str, call: exp.Anonymous) -> None:
        self.written = written
        tokens = sqlglot.tokenize(written, dialect="duckdb")
        at = next((i for i, token in enumerate(tokens) if token.start == call.meta.get("start")), None)
        self.name = Span(0, len(written)) if at is None else _span(tokens[at : at + 1])
        self._arguments = [] if at is None else _split(tokens[at + 2 :])

    def argument(self, position: int) -> Span:
        """All of an argument: ``types => true``."""
        tokens = self._tokens(position)
        return _span(tokens) if tokens else self.name

    def value(self, position: int) -> Span:
        """The value of a named argument, or the argument."""
        tokens = self._tokens(position)
        return _span(tokens[2:] or tokens) if tokens else self.name

    def label(self, position: int) -> Span:
        """The name of a named argument, or the argument."""
        tokens = self._tokens(position)
        return _span(tokens[:1]) if tokens else self.name

    def query(self, position: int, text: str) -> Asked:
        """The pipe query that an argument is: each character where it stands in the literal."""
        span = self.value(position)
        offsets = _offsets(self.written[span.start : span.end], span.start, text)
        return Asked(text, self.written, (Piece(0, len(text), span, offsets),), self.name)

    def _tokens(self, position: int) -> Sequence[Token]:
        return self._arguments[position] if position < len(self._arguments) else ()


def _span(tokens: Sequence[Token]) -> Span:
    return Span(tokens[0].start, tokens[-1].end + 1)


def _split(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens behind an opening parenthesis, up to the one that closes it, between commas."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.token_type is TokenType.R_PAREN and depth == 0:
            break
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if token.token_type is TokenType.COMMA and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found


def _offsets(literal: str, start: int, text: str) -> tuple[int, ...] | None:
    """Where each character of a string stands in the SQL, and its end; None for a literal with escapes.

    >>> _offsets("'it''s'", 10, "it's")
    (11, 12, 13, 15, 16)
    """
    if literal[:1] == "'" and literal[1:-1].replace("''", "'") == text:
        found, at = [], 1
        for char in text:
            found.append(start + at)
            at += 2 if char == "'" else 1
        return (*found, start + at)
    inner = literal.find(text)
    return None if inner < 0 else tuple(range(start + inner, start + inner + len(text) + 1))
