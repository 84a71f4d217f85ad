"""The query text in the shape the language room reads, and the way back to the user's own characters.

``Source.of(text)`` normalises to NFC and lets the splitter replace typographic look-alikes outside string literals
(language.md 1.1). ``buffer`` is what the scanners read, ``nfc`` the same characters before the look-alikes were
replaced (paths are taken from it: a file name with an en dash must stay what it is). Both have the same length; only
NFC changes lengths, and ``offsets`` maps every position back, so that spans always point into the original text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.errors import QueryError, diagnostic
from logsql.language.tree import Span

#: Typographic double quotes of language.md 1.1 (6).
QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u3003\u301d\u301e"
PIPES = "\u2223\u2758"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_BLANKS = "\u200b\u2060\ufeff"
#: ``≤`` and ``≥`` stay one character here: the lexer reads them as ``<=`` and ``>=``, so that no length changes.
LOOKALIKES = str.maketrans(
    {
        **dict.fromkeys(QUOTES, '"'),
        **dict.fromkeys(PIPES, "|"),
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_BLANKS, " "),
    }
)
LOOKALIKE = re.compile(f"[{QUOTES}{PIPES}{_DASHES}{_BLANKS}]")


@dataclass(frozen=True, slots=True)
class Source:
    """A query text: as written, as normalised, and the map between the two."""

    original: str
    nfc: str
    buffer: str
    offsets: tuple[int, ...] | None = None

    @classmethod
    def of(cls, text: str) -> Source:
        """NFC with an offset map; look-alikes are still in the buffer (the splitter replaces them)."""
        if text.isascii() or unicodedata.is_normalized("NFC", text):
            return cls(text, text, text)
        normal, offsets = _normalised(text)
        return cls(text, normal, normal, offsets)

    @classmethod
    def part(cls, text: str, offset: int, whole: str) -> Source:
        """``text`` as it stands at ``offset`` of ``whole``: spans and errors speak of the whole."""
        source = cls.of(text)
        inner = source.offsets if source.offsets is not None else range(len(text) + 1)
        return replace(source, original=whole, offsets=tuple(offset + position for position in inner))

    def span(self, start: int, end: int) -> Span:
        """The span of the original text that buffer positions ``start`` to ``end`` came from."""
        if self.offsets is None:
            return Span(start, end)
        return Span(self.offsets[start], self.offsets[end])

    def error(
        self,
        said: Sentence,
        start: int,
        end: int,
        /,
        *,
        help: str | None = None,
        notes: Iterable[str] = (),
        **facts: object,
    ) -> QueryError:
        """A :class:`QueryError` at buffer positions: ``error(ROW, start, end, **facts)``."""
        return self.error_at(said, self.span(start, end), help=help, notes=notes, **facts)

    def error_at(
        self,
        said: Sentence,
        span: Span,
        /,
        *,
        help: str | None = None,
        notes: Iterable[str] = (),
        **facts: object,
    ) -> QueryError:
        """A :class:`QueryError` at a span of the original text: ``error_at(ROW, span, **facts)``."""
        return QueryError(replace(diagnostic(said, span, help=help, notes=notes, **facts), text=self.original))


def shown(token: str) -> str:
    """A piece of the query as a message quotes it: in double quotes, cut when long."""
    token = token if len(token) <= 60 else token[:57] + "..."
    return token if token.startswith('"') else f'"{token}"'


def _normalised(text: str) -> tuple[str, tuple[int, ...]]:
    """NFC of ``text`` and, for every position of it (and its end), the offset in ``text``."""
    pieces: list[str] = []
    offsets: list[int] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _joins_previous(text[end]):
            continue
        piece = unicodedata.normalize("NFC", text[start:end])
        pieces.append(piece)
        offsets.extend([start] * len(piece))
        start = end
    offsets.append(len(text))
    return "".join(pieces), tuple(offsets)


def _joins_previous(char: str) -> bool:
    """True for characters that canonical composition may join with the one before: marks, Hangul vowels and finals."""
    return unicodedata.category(char)[0] == "M" or "\u1161" <= char <= "\u1175" or "\u11a8" <= char <= "\u11c2"
