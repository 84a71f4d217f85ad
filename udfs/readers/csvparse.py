"""CSV records from text: the exact parser of one record, and the structure of whole files by numpy.

Two dialects (commands.md, csvfile). ``strict``: RFC 4180 as Excel does, a quote opens a cell only as its first
character, ``""`` inside quotes is a quote, backslash and blanks are text. Lenient: also ``\\"`` inside quotes is a
quote, and blanks between a delimiter and a quote, or a quote and a delimiter, do not count. Text behind a closing quote
belongs to the cell in both (``"a"b`` is ``ab``). Lines without any character are no records.

A quote that nothing closes (to the end of the file, or within 4 MB) would swallow all lines that follow: such a record
ends with its line instead, and the ledger gets ``unclosed-quote``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

MAX_RECORD = 4 << 20
_SMALL_RECORD = 64 << 10
ABSENT = b"\x00\x1eabsent\x1e"
"""What ``padded`` puts where a short record has no cell; a text with NUL bytes is not plain."""

_BLANKS = " \t"
Positions = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Dialect:
    """``delimiter`` is one ASCII character."""

    delimiter: str = ","
    strict: bool = False


def cells_of(text: str, dialect: Dialect, most: int | None = None) -> tuple[list[str], int] | None:
    """Cells of one record and where parsing stopped; None while a quote is open.

    ``most``: stop behind this many cells (the position is then the start of the next cell, else ``len(text) + 1``).
    """
    delimiter, strict = dialect.delimiter, dialect.strict
    cells: list[str] = []
    position, size = 0, len(text)
    while position <= size and (most is None or len(cells) < most):
        begin = position if strict else _skip_blanks(text, position, delimiter)
        if begin < size and text[begin] == '"':
            found = _quoted(text, begin + 1, dialect)
            if found is None:
                return None
            cell, position = found
        else:
            end = text.find(delimiter, position)
            end = size if end < 0 else end
            cell, position = text[position:end], end + 1
        cells.append(cell)
    return cells, position


def _skip_blanks(text: str, position: int, delimiter: str) -> int:
    while position < len(text) and text[position] in _BLANKS and text[position] != delimiter:
        position += 1
    return position


def _quoted(text: str, position: int, dialect: Dialect) -> tuple[str, int] | None:
    """A quoted cell from behind its opening quote: the cell and the start of the next one; None if it stays open."""
    parts: list[str] = []
    while True:
        quote = text.find('"', position)
        if quote < 0:
            return None
        if not dialect.strict and quote > position and text[quote - 1] == "\\":
            parts.append(text[position : quote - 1] + '"')
            position = quote + 1
        elif text[quote + 1 : quote + 2] == '"':
            parts.append(text[position : quote + 1])
            position = quote + 2
        else:
            parts.append(text[position:quote])
            end = text.find(dialect.delimiter, quote + 1)
            end = len(text) if end < 0 else end
            behind = text[quote + 1 : end]
            parts.append(behind if dialect.strict or behind.strip(_BLANKS) else "")
            return "".join(parts), end + 1


def records(
    lines: Iterator[str],
    dialect: Dialect,
    most: int | None,
    unclosed: Callable[[int, str], None],
    differs: Callable[[int, str], None] | None = None,
    comment: str | None = None,
) -> Iterator[tuple[list[str], str | None, int]]:
    """Cells of every record, the raw text behind the first ``most`` cells (None if there is none), and the number of
    the line on which it begins.

    ``lines`` without LF, CR LF still ending in CR. ``unclosed(line_number, text)`` is told of quotes nothing closes,
    ``differs`` of lines that RFC 4180 reads without fault as other cells than the lenient dialect does.
    A line that begins with ``comment`` where a record begins is none.
    """
    source = _Lines(lines)
    rfc = None if dialect.strict or differs is None else _rfc_line(dialect.delimiter)
    for line in source:
        begun = source.number
        text = line[:-1] if line.endswith("\r") else line
        if not text or (comment is not None and text.startswith(comment)):
            continue
        if '"' not in text:
            cells = text.split(dialect.delimiter) if most is None else text.split(dialect.delimiter, most)
            rest = None
            if most is not None and len(cells) > most:
                rest = cells.pop()
            yield cells, rest, begun
            continue
        found = cells_of(text, dialect, most)
        if rfc is not None and differs is not None and '\\"' in text and rfc.fullmatch(text):
            strictly = cells_of(text, Dialect(dialect.delimiter, True), most)
            if strictly != found:
                differs(source.number, text)
        if found is None:
            text, found = _continued(source, line, dialect, most, unclosed)
        cells, stop = found
        yield cells, text[stop:] if stop <= len(text) else None, begun


def _rfc_line(delimiter: str) -> re.Pattern[str]:
    """A whole record on one line by RFC 4180: what ends ``"C:\\dir\\"`` is the quote behind the backslash."""
    cell = f'(?:"(?:[^"]|"")*"|[^"{re.escape(delimiter)}]*)'
    return re.compile(f"{cell}(?:{re.escape(delimiter)}{cell})*")


class _Lines:
    """An iterator that takes lines back and knows the number of the last one it gave."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._back: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        while (line := self.next()) is not None:
            yield line

    def next(self) -> str | None:
        line = self._back.pop() if self._back else next(self._lines, None)
        self.number += line is not None
        return line

    def give_back(self, lines: list[str]) -> None:
        self._back += reversed(lines)
        self.number -= len(lines)


def _quotes(line: str, dialect: Dialect) -> int:
    return line.count('"') - (0 if dialect.strict else line.count('\\"'))


def _continued(
    source: _Lines, first: str, dialect: Dialect, most: int | None, unclosed: Callable[[int, str], None]
) -> tuple[str, tuple[list[str], int]]:
    """A record whose quote is open at the end of its first line."""
    held: list[str] = []
    size, open_quotes = len(first), _quotes(first, dialect)
    while size <= MAX_RECORD and (line := source.next()) is not None:
        held.append(line)
        size += len(line)
        if '"' not in line:
            continue
        open_quotes += _quotes(line, dialect)
        if size > _SMALL_RECORD and open_quotes & 1:
            # An odd number of quotes cannot be closed; parsing a long record again at every line would never end.
            continue
        text = "\n".join([first, *held])
        text = text[:-1] if text.endswith("\r") else text
        found = cells_of(text, dialect, most)
        if found is not None:
            return text, found
    source.give_back(held)
    text = first[:-1] if first.endswith("\r") else first
    unclosed(source.number, text)
    # RFC reading may close what a backslash kept open: "C:\temp\" is common in Windows logs.
    strictly = cells_of(text, Dialect(dialect.delimiter, True), most)
    found = strictly or cells_of(text + '"', Dialect(dialect.delimiter, True), most) or ([text], len(text) + 1)
    return text, found


@dataclass
class Odd:
    """Records that are not as wide as the header: how many, and the line of the first one (0: none)."""

    count: int = 0
    line: int = 0

    def met(self, line: int, count: int = 1) -> None:
        """Count records of which the first one begins on this line."""
        self.count += count
        self.line = self.line or line


@dataclass
class Structure:
    """What numpy finds out about a CSV text in valid UTF-8, fed in chunks that end with LF (but the last).

    ``plain`` stays true while the strict and the lenient parser, and any RFC 4180 parser, must agree: quotes open only
    at the start of a cell and close only at its end, no lone CR, no NUL, no ``\\"`` (unless strict). Then ``fewest``
    and ``most`` are the cells of the shortest and longest record, ``records`` counts them, header included, and
    ``longest`` is an upper bound of the bytes of one. ``wider`` and ``shorter``: records with more and with fewer cells
    than ``header`` says, where it says something.
    """

    dialect: Dialect
    header: int | None = None
    plain: bool = True
    fewest: int | None = None
    most: int = 0
    records: int = 0
    longest: int = 0
    _inside: int = 0
    _cells: int = 0
    _begun: bool = False
    _pending: int = 0
    _lines: int = 0
    _line_begun: int = 0
    wider: Odd = field(default_factory=Odd)
    shorter: Odd = field(default_factory=Odd)

    def feed(self, data: bytes) -> tuple[Positions, Positions]:
        """Look at one chunk. Returns, for the records that end in it, where (their LF) and the number of cells."""
        none = np.empty(0, np.int64)
        if not data or not self.plain:
            return none, none
        array = np.frombuffer(data, np.uint8)
        # pyarrow loses rows behind a NUL byte ("a\0\nb": no row).
        if b"\0" in data or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n")):
            self.plain = False
            return none, none
        newlines = np.flatnonzero(array == 10)
        delimiters = np.flatnonzero(array == ord(self.dialect.delimiter))
        if b'"' in data or self._inside:
            quotes = np.flatnonzero(array == 34)
            if not self._quotes_fit(array, quotes):
                self.plain = False
                return none, none
            newlines = newlines[((np.searchsorted(quotes, newlines) + self._inside) & 1) == 0]
            delimiters = delimiters[((np.searchsorted(quotes, delimiters) + self._inside) & 1) == 0]
            self._inside = (self._inside + len(quotes)) & 1
        found = self._count(array, newlines, delimiters)
        self._lines += data.count(b"\n")
        return found

    def finish(self) -> None:
        """The text is over: a quote still open, or a last record without newline, shows now."""
        if self._inside:
            self.plain = False
        elif self._begun:
            last = np.array([self._cells + 1])
            self._note(last)
            self._line_begun = self._line_begun or self._lines + 1
            self._compare(np.empty(0, np.uint8), np.zeros(1, np.int64), last)

    def _quotes_fit(self, array: Bytes, quotes: Positions) -> bool:
        if len(quotes) == 0:
            return True
        before = array[np.maximum(quotes - 1, 0)]
        if quotes[0] == 0:
            # A chunk begins where a line begins.
            before[0] = 10
        if not self.dialect.strict and (before == 92).any():
            return False
        opening = before[self._inside :: 2]
        after = array[np.minimum(quotes + 1, len(array) - 1)]
        if quotes[-1] == len(array) - 1:
            after[-1] = 10
        closing = after[1 - self._inside :: 2]
        comma = ord(self.dialect.delimiter)
        opens = (opening == comma) | (opening == 10) | (opening == 34)
        closes = (closing == comma) | (closing == 10) | (closing == 13) | (closing == 34)
        return bool(opens.all() and closes.all())

    def _count(self, array: Bytes, newlines: Positions, delimiters: Positions) -> tuple[Positions, Positions]:
        if len(newlines) == 0:
            self._cells += len(delimiters)
            self._begun = self._begun or len(array) > 0
            self._pending += len(array)
            self.longest = max(self.longest, self._pending)
            return newlines, newlines
        before = np.searchsorted(delimiters, newlines)
        cells = np.diff(before, prepend=0) + 1
        cells[0] += self._cells
        starts = np.append(0, newlines[:-1] + 1)
        lengths = newlines - starts
        empty = (lengths == 0) | ((lengths == 1) & (array[np.maximum(newlines - 1, 0)] == 13))
        if self._begun:
            empty[0] = False
        self.longest = max(self.longest, int(lengths.max()), self._pending + int(newlines[0]))
        rest = int(newlines[-1]) + 1
        self._cells, self._begun = len(delimiters) - int(before[-1]), rest < len(array)
        self._pending = len(array) - rest
        newlines, cells, starts = newlines[~empty], cells[~empty], starts[~empty]
        self._note(cells)
        self._compare(array, starts, cells)
        if self._begun:
            self._line_begun = self._lines + 1 + int(np.count_nonzero(array[:rest] == 10))
        return newlines, cells

    def _compare(self, array: Bytes, starts: Positions, cells: Positions) -> None:
        """Records that begin at ``starts`` in the chunk, and their cells, against the header; 0 is perhaps no start."""
        if self.header is None:
            return
        for odd, at in ((self.wider, cells > self.header), (self.shorter, cells < self.header)):
            if at.any():
                start = int(starts[at.argmax()])
                line = self._lines + 1 + int(np.count_nonzero(array[:start] == 10))
                odd.met(self._line_begun if not start and self._line_begun else line, int(at.sum()))
        self._line_begun = 0

    def _note(self, cells: Positions) -> None:
        if len(cells):
            fewest = int(cells.min())
            self.fewest = fewest if self.fewest is None else min(self.fewest, fewest)
            self.most = max(self.most, int(cells.max()))
            self.records += len(cells)


def padded(chunks: Iterator[bytes], dialect: Dialect, width: int) -> Iterator[bytes]:
    """A plain text (chunks ending with LF, but the last) with every shorter record filled up to ``width`` cells."""
    structure = Structure(dialect)
    filler = dialect.delimiter.encode() + ABSENT
    for chunk in chunks:
        data = chunk if chunk.endswith(b"\n") else chunk + b"\n"
        ends, cells = structure.feed(data)
        short = np.flatnonzero(cells < width)
        parts: list[bytes] = []
        done = 0
        for end, missing in zip(ends[short].tolist(), (width - cells[short]).tolist(), strict=True):
            cut = end - 1 if end and data[end - 1] == 13 else end
            parts += (data[done:cut], filler * missing)
            done = cut
        yield b"".join([*parts, data[done:]]) if parts else data
