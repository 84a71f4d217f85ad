r"""Key-value text whose values may stand in quotes: ``parsekv quote="\""``.

A quote opens at the first character of a key or of a value, and nowhere else (``height=5"`` opens nothing). It ends at
the next quote that is neither escaped by a backslash nor doubled, or with the text. What stands between belongs to that
one key or value: ``msg="probe action=allow"`` never makes a field ``action``. The text is cut by one regular
expression, which cannot go back once a quote is open, so what an attacker writes between quotes does not get out.

Delimiters of several characters become one character each first (a noncharacter of Unicode, which no text holds) and
come back in the values; so the expression needs only classes of characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from logsql.values import sql
from logsql.values.sql import Sql

_BLANKS = " \t\r\n"
#: Stand for a pair delimiter and a key delimiter of several characters; what the text holds of them is replaced first.
_PAIR, _KEY = "\ufdd0", "\ufdd1"


@dataclass(frozen=True)
class Quoted:
    """How to cut text: ``pair`` and ``key`` delimiters as the user wrote them, ``quote`` one character."""

    pair: str
    key: str
    quote: str

    @property
    def _signs(self) -> dict[str, str]:
        """Delimiters of several characters with their signs, the longest first."""
        given = [(self.key, _KEY), (self.pair, _PAIR)]
        return dict(sorted((g for g in given if len(g[0]) > 1), key=lambda g: -len(g[0])))

    def _sign(self, delimiter: str) -> str:
        return self._signs.get(delimiter, delimiter)

    @property
    def _between(self) -> str:
        """What may stand between quotes: a backslash with what follows it, a doubled quote, any other character."""
        q = re.escape(self.quote)
        return rf"(?:[^{q}\\]|\\.|{q}{q})*"

    @property
    def _closed_or_end(self) -> str:
        """A key or value in quotes. The repetition stops only at a quote that closes or at the end: never goes back."""
        q = re.escape(self.quote)
        return rf"{q}{self._between}(?:{q}|\\?\z)"

    @property
    def _blanks(self) -> str:
        """Blanks before a quote, as far as they cut no pair and no key."""
        kept = "".join(c for c in _BLANKS if c not in (self._sign(self.pair), self._sign(self.key)))
        return f"[{kept}]*" if kept else ""

    def pieces(self, text: Sql) -> Sql:
        """The pairs of a text, trimmed, with their quotes; delimiters of several characters as their signs."""
        pair, key = re.escape(self._sign(self.pair)), re.escape(self._sign(self.key))
        value = rf"{key}{self._blanks}(?:{self._closed_or_end})?[^{pair}]*"
        cut = rf"(?s)[{pair}{_BLANKS}]*(?:{self._closed_or_end})?[^{pair}{key}]*(?:{value})?"
        found = sql.func("regexp_extract_all", self._signed(text), sql.string(cut))
        start = sql.func("ltrim", sql.var("p"), sql.string(self._sign(self.pair) + _BLANKS))
        trimmed = sql.func("rtrim", start, sql.string(_BLANKS))
        pieces = sql.func("list_transform", found, sql.lambda_(["p"], trimmed))
        return sql.func("list_filter", pieces, sql.lambda_(["p"], sql.binary("<>", sql.var("p"), sql.string(""))))

    def _signed(self, text: Sql) -> Sql:
        for delimiter, sign in self._signs.items():
            text = sql.func("replace", text, sql.string(sign), sql.string("\ufffd"))
            text = sql.func("replace", text, sql.string(delimiter), sql.string(sign))
        return text

    def _plain(self, node: Sql) -> Sql:
        """Text between quotes or of a value as the user wrote it."""
        for delimiter, sign in self._signs.items():
            node = sql.func("replace", node, sql.string(sign), sql.string(delimiter))
        return node

    def key_of(self, piece: Sql) -> Sql:
        """The key of a piece: without its quotes where it has some, else what stands before the first key delimiter."""
        key = self._sign(self.key)
        before = sql.func("split_part", piece, sql.string(key), sql.integer(1))
        behind = rf"[^{re.escape(key)}]*"
        return self._unquoted(piece, before, behind)

    def value_of(self, piece: Sql) -> Sql:
        """The value of a piece, null where there is none."""
        key = self._sign(self.key)
        place = sql.func("strpos", piece, sql.string(key))
        after = sql.func("substring", piece.copy(), sql.binary("+", place, sql.integer(1)))
        quoted_key = rf"(?s)^{self._closed_or_end}[^{re.escape(key)}]*(?:{re.escape(key)}|\z)"
        without = sql.func("regexp_replace", piece.copy(), sql.string(quoted_key), sql.string(""))
        has = sql.func(
            "regexp_matches",
            piece.copy(),
            sql.string(rf"(?s)^{self._closed_or_end}[^{re.escape(key)}]*{re.escape(key)}"),
        )
        return sql.case(
            [
                (self._opens(piece.copy()), sql.when(has, self._value(without))),
                (sql.binary(">", place.copy(), sql.integer(0)), self._value(after)),
            ],
            sql.null(),
        )

    def _value(self, node: Sql) -> Sql:
        return self._unquoted(sql.func("ltrim", node, sql.string(_BLANKS)), node.copy(), ".*")

    def _opens(self, node: Sql) -> Sql:
        return sql.func("starts_with", node, sql.string(self.quote))

    def _unquoted(self, node: Sql, plain: Sql, behind: str) -> Sql:
        """``node`` without its quotes, with what stands behind them; ``plain`` where it begins with none."""
        q = re.escape(self.quote)
        cut = rf"(?s)^{q}({self._between})(?:{q}|(\\?)\z)({behind})"
        parts = [sql.func("regexp_extract", node.copy(), sql.string(cut), sql.integer(i)) for i in (1, 2, 3)]
        inner = parts[0]
        for escaped in (f"\\{self.quote}", self.quote * 2):
            inner = sql.func("replace", inner, sql.string(escaped), sql.string(self.quote))
        rest = sql.func("rtrim", parts[2], sql.string(_BLANKS))
        return self._plain(sql.case([(self._opens(node), sql.concat(inner, parts[1], rest))], plain))

    def unclosed(self, last: Sql) -> Sql:
        """Whether the last piece of a text opens a quote that nothing closes."""
        q, key = re.escape(self.quote), re.escape(self._sign(self.key))
        opened = rf"{q}{self._between}\\?"
        named = rf"(?:{q}{self._between}{q})?[^{q}{key}][^{key}]*|{q}{self._between}{q}|"
        test = rf"(?s)(?:(?:{named}){key}{self._blanks})?{opened}"
        return sql.func("regexp_full_match", last, sql.string(test))


def cut_open(text: Sql, pair: str, key: str) -> Sql:
    """Whether plain cutting divides a value that opens a quote: the pair ends before the quote does."""
    ends = rf"(?:{re.escape(pair)}|\z)"
    test = rf"""(?s){re.escape(key)}(?:"[^"]*?|'[^']*?){ends}"""
    return sql.func("regexp_matches", text, sql.string(test))
