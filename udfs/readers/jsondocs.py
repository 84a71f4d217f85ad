"""JSON documents that stand on several lines: arrays of objects, and pretty-printed objects one after another.

A file is one of documents when it begins with ``[`` and an object, or when its first line is no JSON text but the
beginning of an object that goes on below. Every object of a top-level array is a row, and so is every top-level
object (CloudTrail's ``{"Records": [...]}`` is one row whose ``Records`` is a list). Elements are read one at a time,
so an array of any size streams; one object may have 256 MB. Python's decoder finds where an object ends, its text goes
on as it stands: DuckDB reads the values, as those of JSON lines.

What is no JSON is told with its line. Reading goes on at the next line that begins with ``{`` or ``[`` no further right
than the broken object did: an inner object of it is no row.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from udfs.jsontext import loads
from udfs.readers.base import ReaderError
from udfs.readers.lines import Reached

HEAD = 64 << 10
"""Bytes that tell lines from documents."""
MAX_DOCUMENT = 256 << 20
_KEPT = 1 << 20
_BLANK = re.compile(r"[ \t\r\n]*")
_ARRAY = re.compile(r"\[\s*(?:[{\]]|$)")
_OPEN_END = ("{", "[", ",", ":")
#: Finds where a value ends: what is in it is not kept, and no number is too large.
_DECODER = json.JSONDecoder(object_pairs_hook=len, parse_int=len, parse_float=len)
#: Bytes at the end of what was read in which a fault may be a word or an escape that goes on: ``\\ud83d``, ``false``.
_CUT = 16

Tell = Callable[[str, int, str], None]


def are_documents(head: str) -> bool:
    """Whether a file that begins with this text holds documents; False: JSON lines."""
    text = head.lstrip(" \t\r\n")
    line, _, more = text.partition("\n")
    if text.startswith("["):
        found = _loaded(line)
        if isinstance(found, list):
            empty = not found and not more.strip()  # an array of no rows, as a program with nothing to tell writes it
            return empty or any(isinstance(item, dict) for item in found)
        return _ARRAY.match(text) is not None
    if not text.startswith("{") or not more.strip() or _loaded(line) is not None:
        return False
    problem = _problem(text)
    if problem is None or (len(head.encode()) > HEAD - 4 and _may_go_on(problem, len(text))):
        return True
    # A damaged document, or a first line that was cut: lines follow one another from the first column.
    whole = (_loaded(other) for other in more.split("\n") if other.startswith("{"))
    return line.rstrip().endswith(_OPEN_END) and not any(isinstance(other, dict) for other in whole)


def _loaded(line: str) -> object:
    try:
        return loads(line)
    except (ValueError, RecursionError):
        return None


def _problem(text: str) -> json.JSONDecodeError | None:
    try:
        _DECODER.raw_decode(text)
    except json.JSONDecodeError as problem:
        return problem
    except RecursionError:
        return json.JSONDecodeError("nested too deeply", text, 0)
    return None


def _may_go_on(problem: json.JSONDecodeError, size: int) -> bool:
    """Whether more text could mend it."""
    return problem.pos >= size - _CUT or problem.msg.startswith("Unterminated string")


@dataclass(frozen=True)
class Item:
    """The text of an object, and the line on which it begins."""

    text: str
    line: int


class Documents:
    """The objects in a text that comes in pieces. ``tell(reason, line, sample)`` hears of what is no object."""

    def __init__(self, pieces: Iterator[str], name: str, tell: Tell) -> None:
        self._pieces = pieces
        self._name = name
        self._tell = tell
        self._text = ""
        self._at = 0
        self._line = 1
        self._counted = 0
        self._ended = False

    def objects(self) -> Iterator[Item]:
        """Rows in the order of the file."""
        inside = False
        comma = False
        while (sign := self._sign()) is not None:
            if sign == "[" and not inside:
                inside, comma = True, False
                self._at += 1
            elif inside and sign == "]":
                inside = False
                self._at += 1
            elif inside and sign == "," and comma:
                comma = False
                self._at += 1
            elif inside or sign == "{":
                if comma and inside:
                    self._say("broken-json")
                comma = True
                item = self._value(inside)
                if item is None:
                    comma = False
                elif item.text.startswith("{"):
                    yield item
                else:
                    self._tell("not-an-object", item.line, item.text[:120])
            else:
                self._say("broken-json")
                if sign == ",":
                    self._at += 1
                else:
                    self._skip(inside)
        if inside:
            self._tell("broken-json", self._now(), "the array has no end")

    def _sign(self) -> str | None:
        """The next character that is no blank; None at the end."""
        while True:
            found = _BLANK.match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return None

    def _more(self, least: int = 1) -> bool:
        """Read on, at least so many characters; False at the end. What lies behind is let go."""
        if self._ended:
            return False
        if self._at > _KEPT:
            self._now()
            self._text, self._at, self._counted = self._text[self._at :], 0, 0
        parts, size = [self._text], 0
        while size < least:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                break
            parts.append(piece)
            size += len(piece)
        self._text = "".join(parts)
        return size > 0

    def _now(self) -> int:
        """The number of the line at hand."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _say(self, reason: str) -> None:
        end = self._text.find("\n", self._at, self._at + 120)
        self._tell(reason, self._now(), self._text[self._at : end if end >= 0 else self._at + 120])

    def _value(self, inside: bool) -> Item | None:
        """The value that begins here; None (told) when it is broken."""
        while True:
            size = len(self._text) - self._at
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as problem:
                if not _may_go_on(problem, len(self._text)):
                    break
                if size > MAX_DOCUMENT:
                    raise self._too_long() from None
                # As much again: reading a long object from its beginning at every piece would never end.
                if not self._more(max(min(size, MAX_DOCUMENT - size), 1)):
                    break
            except RecursionError:
                break
            else:
                if end - self._at > MAX_DOCUMENT:
                    raise self._too_long()
                if end < len(self._text) or self._text[end - 1] in '}]"' or not self._more():
                    item = Item(self._text[self._at : end], self._now())
                    self._at = end
                    return item
        self._say("broken-json")
        self._skip(inside)
        return None

    def _too_long(self) -> ReaderError:
        said = f"a JSON document of more than {MAX_DOCUMENT >> 20} MB"
        return ReaderError("cannot read {path}: {reason}", self._name, "read-failed", reason=said)

    def _skip(self, inside: bool) -> None:
        """Go on at a line that begins with an object, or ends the array, no further right than here."""
        begin = self._text.rfind("\n", 0, self._at) + 1
        before = self._text[begin : self._at]
        column = min(len(before), 1_000) if not before.strip() else 0
        signs = r"{\[\]" if inside else r"{\["
        follows = re.compile(rf"\n[ \t]{{0,{column}}}(?=[{signs}])")
        while (found := follows.search(self._text, self._at)) is None:
            self._at = max(len(self._text) - column - 2, self._at)
            if not self._more(_KEPT):
                self._at = len(self._text)
                return
        self._at = found.end()


def pieces(head: bytes, chunks: Iterator[bytes], reached: Reached) -> Iterator[str]:
    """Chunks of valid UTF-8 as text, their lines counted. A character may be cut between two of them."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chain((head,), chunks):
        if text := decoder.decode(chunk):
            yield text
        reached.passed(chunk)
