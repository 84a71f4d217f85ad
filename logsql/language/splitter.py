"""From query text to commands (language.md 1.1, 1.2, 1.8): one pass, no recursion, no knowledge of any command but
which ones are followed by SQL (``foreignsql.py``).

``split(source)`` returns the source with look-alikes replaced outside string literals, and the tree of groups: the
query itself and, by the position of its ``[``, every bracketed text. A group lists its segments (the texts between
pipes); a segment knows whether it is a comment. Errors: 90203 for a string that runs out of its bracket, 90204 for
brackets, E0001 for brackets nested beyond reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from logsql.diagnostics.language import BRACKET_NOT_CLOSED, BRACKET_NOT_OPENED, HALF_CHARACTER, QUOTE_MISMATCH, TOO_DEEP
from logsql.language.foreignsql import sql_end, sql_start
from logsql.language.source import LOOKALIKE, LOOKALIKES, PIPES, QUOTES, Source

MAX_BRACKETS = 50

_PLAIN_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_SCAN = re.compile(rf'(?P<string>{_PLAIN_STRING})|\\["\\]|(?P<mark>["\[\]|])', re.DOTALL)
#: The same for text with look-alikes. A literal opened by a typographic quote ends at any double quote, one opened by
#: a plain quote only at a plain one: ``"say “hi”"`` is one literal, ``“hi”`` another.
_FANCY = re.compile(
    rf'(?P<string>{_PLAIN_STRING}|[{QUOTES}][^"{QUOTES}\\]*(?:\\.[^"{QUOTES}\\]*)*["{QUOTES}])'
    rf'|\\["\\]|(?P<mark>["{QUOTES}\[\]|{PIPES}])',
    re.DOTALL,
)
_PLAIN_MARK = re.compile(rf"(?P<string>\Z.)|(?P<mark>[\[\]|{PIPES}])")
_MARKS = re.compile(rf"[\[\]|{PIPES}]")
_UNLIKELY = re.compile(rf"[\r\n]|[|{PIPES}]\s*#\s")
_WORD = re.compile(r"[\s\u200b\u2060\ufeff]*([^\W\d][\w\-]*)(?=\s)")
_COMMENT = re.compile(r"[\s\u200b\u2060\ufeff]*#(?=[\s\u200b\u2060\ufeff]|\Z)")


@dataclass(slots=True)
class Segment:
    """The text between two pipes, as buffer positions (not trimmed)."""

    start: int
    end: int
    comment: bool = False


@dataclass(slots=True)
class Group:
    """A query text: the whole one, or what stands between ``[`` at ``start - 1`` and ``]`` at ``end``."""

    start: int
    end: int = -1
    segments: list[Segment] = field(default_factory=list)
    cursor: int | None = None  # where the current segment began; None behind a comment, which is already listed


@dataclass(slots=True)
class Split:
    """The result: the source to read from, the outermost group and the bracketed ones by the position of ``[``."""

    source: Source
    root: Group
    groups: dict[int, Group]


_HALF = re.compile("[\ud800-\udfff]")


def split(source: Source, followed_by_sql: Callable[[str], bool] = lambda name: False) -> Split:
    """Cut a query into groups and segments; see the module docstring."""
    if not source.nfc.isascii() and (half := _HALF.search(source.nfc)) is not None:
        # A byte of a command line that is no UTF-8, or JSON's "\ud800" alone: no text that SQL could hold.
        char, at = f"U+{ord(half[0]):04X}", half.start()
        raise source.error(HALF_CHARACTER, at, at + 1, char=char)
    fancy = LOOKALIKE.search(source.nfc) is not None
    splitter = _Splitter(source, _FANCY if fancy else _SCAN, followed_by_sql)
    splitter.run()
    if fancy:
        buffer = list(source.nfc.translate(LOOKALIKES))
        for start, end in splitter.literals:
            buffer[start:end] = source.nfc[start:end]
        source = replace(source, buffer="".join(buffer))
    return Split(source, splitter.root, splitter.groups)


class _Splitter:
    def __init__(self, source: Source, scan: re.Pattern[str], followed_by_sql: Callable[[str], bool]) -> None:
        self.source = source
        self.followed_by_sql = followed_by_sql
        self.text = source.nfc
        self.scan = scan
        self.root = Group(0, cursor=0)
        self.stack = [self.root]
        self.groups: dict[int, Group] = {}
        self.literals: list[tuple[int, int]] = []

    def run(self) -> None:
        scan = self.scan
        pos = self.opening(0)
        while (found := scan.search(self.text, pos)) is not None:
            pos = found.end()
            mark = found["mark"]
            if mark is None:
                if found["string"] is not None:
                    self.literals.append((found.start() + 1, pos - 1))
            elif mark == "[":
                self.open(pos - 1)
                pos = self.opening(pos)
            elif mark == "]":
                self.close(pos - 1)
            elif mark == "|" or mark in PIPES:
                self.end_segment(pos - 1)
                pos = self.opening(pos)
            else:
                self.unterminated(pos - 1)
                break
        if len(self.stack) > 1:
            at = self.stack[-1].start - 1
            raise self.source.error(BRACKET_NOT_CLOSED, at, at + 1)
        self.root.end = len(self.text)
        self.end_segment(self.root.end)

    def end_segment(self, end: int) -> None:
        group = self.stack[-1]
        if group.cursor is not None:
            group.segments.append(Segment(group.cursor, end))
        group.cursor = end + 1

    def open(self, at: int) -> None:
        if len(self.stack) > MAX_BRACKETS:
            raise self.source.error(TOO_DEEP, at, at + 1, limit=MAX_BRACKETS)
        group = self.groups[at] = Group(at + 1, cursor=at + 1)
        self.stack.append(group)

    def close(self, at: int) -> None:
        if len(self.stack) == 1:
            raise self.source.error(BRACKET_NOT_OPENED, at, at + 1)
        self.end_segment(at)
        self.stack.pop().end = at

    def unterminated(self, at: int) -> None:
        """A quote that never closes: the command it stands in says so, in its own terms; a bracket cannot go on."""
        if len(self.stack) > 1:
            raise self.source.error(QUOTE_MISMATCH, at, at + 1)
        self.literals.append((at + 1, len(self.text)))

    def opening(self, start: int) -> int:
        """Skip what is no text of the language at the begin of a command: a comment, or SQL behind its name."""
        word = _WORD.match(self.text, start)
        if word is None or not self.followed_by_sql(word[1]):
            return self.comment(start)
        begin = sql_start(self.text, word.end())
        end = sql_end(self.source, begin, len(self.stack) > 1)
        self.literals.append((begin, end))
        return end

    def comment(self, start: int) -> int:
        """Skip a comment that begins at ``start``; returns where the scan goes on (its end, or ``start``)."""
        opening = _COMMENT.match(self.text, start)
        if opening is None:
            return start
        end = self.comment_end(opening.end())
        group = self.stack[-1]
        group.segments.append(Segment(start, end, comment=True))
        group.cursor = None
        return end

    def comment_end(self, pos: int) -> int:
        """End of the comment text at ``pos``: the next pipe outside brackets (language.md 1.2).

        Quotes count when they are balanced: ``# search a == "x|y"`` is one comment. One quote in prose (``# a 5" disk |
        search a == "x"``) must not hide the commands behind it, so a quoted text that holds a pipe or bracket is only
        believed when it looks like a literal and the quotes of the rest of the query still pair up.
        """
        end, quoted = self.scan_comment(pos, honour_quotes=True)
        if end is not None:
            doubtful = [text for text in quoted if _MARKS.search(text[0])]
            if not doubtful or (all(map(_believable, doubtful)) and self.balanced(end)):
                return end
        end, _ = self.scan_comment(pos, honour_quotes=False)
        if end is None:
            # A bracket of the comment, else the one that the comment stands in: "[#".
            inside = self.text.find("[", pos)
            at = inside if inside >= 0 else self.stack[-1].start - 1
            raise self.source.error(BRACKET_NOT_CLOSED, at, at + 1)
        return end

    def scan_comment(self, pos: int, honour_quotes: bool) -> tuple[int | None, list[re.Match[str]]]:
        """(end, quoted texts); the end is None when a quote or a bracket is left open."""
        depth = 0
        quoted: list[re.Match[str]] = []
        for found in (self.scan if honour_quotes else _PLAIN_MARK).finditer(self.text, pos):
            mark = found["mark"]
            if mark is None:
                if found["string"] is not None:
                    quoted.append(found)
            elif mark == "[":
                depth += 1
            elif mark == "]":
                if depth == 0 and len(self.stack) > 1:
                    return found.start(), quoted
                depth = max(depth - 1, 0)
            elif mark == "|" or mark in PIPES:
                if depth == 0:
                    return found.start(), quoted
            else:
                return None, quoted
        return (len(self.text) if depth == 0 and len(self.stack) == 1 else None), quoted

    def balanced(self, pos: int) -> bool:
        """True when no double quote stays open behind ``pos``."""
        marks = (found["mark"] or "" for found in self.scan.finditer(self.text, pos))
        return not any(mark and mark in '"' + QUOTES for mark in marks)


def _believable(quoted: re.Match[str]) -> bool:
    """A literal stays on its line, ends before the next comment, and stands where a literal can: not in ``5" x``."""
    text, start, end = quoted.string, quoted.start(), quoted.end()
    before, behind = text[start - 1], text[end : end + 1]
    placed = (before.isspace() or before in "(,=[") and (not behind or behind.isspace() or behind in "),]|" + PIPES)
    return placed and _UNLIKELY.search(quoted[0]) is None
