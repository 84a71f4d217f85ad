"""Where a key stands: ``tomllib`` gives values without places, so the text is read a second time for its lines.

Only a text that ``tomllib`` took is read, so nothing is judged here: keys (bare, dotted, quoted), headers of tables and
of arrays of tables, arrays and inline tables are followed, everything else is passed over.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

#: A place in a document: names of keys, numbers of items.
KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every key, header and item of an array of a document that ``tomllib`` reads.

    >>> lines('[a]\\nb.c = [1,\\n 2]\\n[[d]]\\n"e.f" = {g = 1}')[("d", 0, "e.f", "g")]
    5
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


def shown(path: KeyPath) -> str:
    """A place as it is written.

    >>> shown(("network", "hosts", "a.example", "rate")), shown(("receiver", 0, "framming"))
    ('network.hosts."a.example".rate', 'receiver[0].framming')
    """
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
            out += f".{name}" if out else name
    return out


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        #: Items of each array of tables so far.
        self._counts: dict[KeyPath, int] = {}
        self.found: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        while self._here(_BLANK):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _here(self, passed: re.Pattern[str]) -> bool:
        """Pass over something; whether there is more text."""
        found = passed.match(self._text, self._at)
        assert found is not None, "the pattern matches nothing too"
        self._at = found.end()
        return self._at < len(self._text)

    def _peek(self, char: str) -> bool:
        return self._text.startswith(char, self._at)

    def _note(self, path: KeyPath) -> None:
        self.found.setdefault(path, bisect_right(self._starts, self._at))

    def _header(self) -> KeyPath:
        """``[a.b]`` or ``[[a.b]]``: the place of the table that begins."""
        many = self._peek("[[")
        self._at += 2 if many else 1
        keys = self._keys()
        self._at += 2 if many else 1
        path: KeyPath = ()
        for number, (key, at) in enumerate(keys):
            path = (*path, key)
            self.found.setdefault(path, bisect_right(self._starts, at))
            last = number == len(keys) - 1
            if last and many:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
                self.found.setdefault(path, bisect_right(self._starts, at))
        return path

    def _keys(self) -> list[tuple[str, int]]:
        """A key and where each of its parts begins; behind it no blank is left."""
        keys = []
        while True:
            self._here(_SPACE)
            begin = self._at
            quoted = self._text[begin] in "\"'"
            found = (_STRING if quoted else _BARE).match(self._text, begin)
            assert found is not None, "tomllib has read this key"
            self._at = found.end()
            keys.append((_unquoted(found[0]) if quoted else found[0], begin))
            self._here(_SPACE)
            if not self._peek("."):
                return keys
            self._at += 1

    def _pair(self, table: KeyPath) -> None:
        path = table
        for key, at in self._keys():
            path = (*path, key)
            self.found.setdefault(path, bisect_right(self._starts, at))
        self._at += 1  # the equals sign
        self._here(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        char = self._text[self._at]
        if char == "[":
            self._array(path)
        elif char == "{":
            self._inline(path)
        else:
            self._here(_STRING if char in "\"'" else _SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._here(_BLANK) and not self._peek("]"):
            if self._peek(","):
                self._at += 1
                continue
            self._note((*path, index))
            self._value((*path, index))
            index += 1
        self._at += 1

    def _inline(self, path: KeyPath) -> None:
        self._at += 1
        while self._here(_BLANK) and not self._peek("}"):
            if self._peek(","):
                self._at += 1
                continue
            self._pair(path)
        self._at += 1


def _unquoted(written: str) -> str:
    return str(tomllib.loads(f"x = {written}")["x"])
