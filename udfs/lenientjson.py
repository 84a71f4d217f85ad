"""The lenient JSON dialect of the query language (language.md 8.1): what ``json "..."`` and ``parsejson`` accept.

Beside RFC 8259: single quotes, keys and strings without quotes, ``=`` or ``=>`` for ``:``, ``;`` for ``,``, trailing
commas, ``True``/``NULL`` in any case, ``+1``, ``.5``. An integer of any size stays an integer; ``NaN`` is a word, not a
number. ``parse`` gives Python values (a key that repeats: the last one wins) or raises :class:`LenientError`;
``dump`` writes strict compact JSON, with U+FFFD for a lone surrogate.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn, TypeAlias

from udfs.jsontext import whole

#: What a JSON text says, as Python values.
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_DEPTH = 500

_BLANKS = re.compile(r"[ \t\r\n\f\u00a0\ufeff]*")
_WORD = re.compile(r"""[^\x00-\x1f,:\]}/\\"\[{;=#]*""")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_PLAIN = {"'": re.compile(r"[^'\\]*"), '"': re.compile(r'[^"\\]*')}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\", '"': '"', "'": "'"}
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_SURROGATE = re.compile("[\ud800-\udfff]")


class LenientError(ValueError):
    """The text is no JSON even for the lenient dialect; ``position`` is the offset of the trouble."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class _Refused(Exception):
    """Raised inside the strict parser to leave a text to the lenient one."""


def _refuse(_: str) -> NoReturn:
    raise _Refused


def parse(text: str, recover: bool = False, repeated: list[str] | None = None) -> Json:
    """The value of a JSON text. ``recover`` closes what the end of the text left open instead of failing; ``repeated``
    takes each key that comes again in its object: the last value stays.

    >>> parse("{a: 1, 'b' = [x, 2.5,], c: {}}")
    {'a': 1, 'b': ['x', 2.5], 'c': {}}
    >>> parse('{"a": [1, {"b": "lo', recover=True)
    {'a': [1, {'b': 'lo'}]}
    """
    try:
        # strict=False lets raw line breaks stand inside strings; Python would read NaN as a number.
        again: list[str] = []
        hook = None if repeated is None else _Repeats(again).object
        found: Json = json.loads(text, strict=False, parse_constant=_refuse, object_pairs_hook=hook)
        if "\\u" not in text:
            if repeated is not None:
                repeated.extend(again)
            return found
    except (ValueError, _Refused, RecursionError):
        pass
    return _Parser(text, recover, repeated).document()


class _Repeats:
    """Makes objects of pairs, and keeps the keys that come again."""

    def __init__(self, found: list[str]) -> None:
        self.found = found

    def object(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        made = {}
        for key, value in pairs:
            if key in made:
                self.found.append(key)
            made[key] = value
        return made


class _Parser:
    def __init__(self, text: str, recover: bool, repeated: list[str] | None = None) -> None:
        self.text = text
        self.repeated = repeated
        self.at = 0
        self.recover = recover
        self.depth = 0

    def document(self) -> Json:
        value = self.value()
        self.blanks()
        if self.at < len(self.text):
            self.fail("text after the value")
        return value

    def fail(self, message: str) -> NoReturn:
        raise LenientError(f"{message} at character {self.at + 1}", self.at)

    def blanks(self) -> str:
        """Skip white space; the character that follows, empty at the end."""
        found = _BLANKS.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def ended(self) -> bool:
        """Whether the text broke off here and that is allowed."""
        return self.recover and self.at >= len(self.text)

    def value(self) -> Json:
        char = self.blanks()
        if char in ("'", '"') and char:
            return self.string(char)
        if char in ("{", "[") and char:
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self.fail(f"more than {MAX_DEPTH} nested values")
            value = self.object() if char == "{" else self.array()
            self.depth -= 1
            return value
        found = _WORD.match(self.text, self.at)
        word = found[0].strip() if found else ""
        if not word:
            if self.ended():
                return None
            self.fail("a value is missing")
        self.at = found.end() if found else self.at
        return scalar(word)

    def string(self, quote: str) -> str:
        self.at += 1
        out: list[str] = []
        while True:
            found = _PLAIN[quote].match(self.text, self.at)
            if found is not None:
                out.append(found[0])
                self.at = found.end()
            if self.at >= len(self.text):
                if self.recover:
                    break
                self.fail("a string is not closed")
            if self.text[self.at] == quote:
                self.at += 1
                break
            out.append(self.escape())
        text = "".join(out)
        if _SURROGATE.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text

    def escape(self) -> str:
        char = self.text[self.at + 1 : self.at + 2]
        if char == "u":
            digits = self.text[self.at + 2 : self.at + 6]
            if re.fullmatch("[0-9a-fA-F]{4}", digits) is None:
                if self.recover and self.at + 6 > len(self.text):
                    self.at = len(self.text)
                    return ""
                self.fail("\\u needs four hexadecimal digits")
            self.at += 6
            return chr(int(digits, 16))
        if char not in _ESCAPES:
            if self.recover and not char:
                self.at += 1
                return ""
            self.fail(f"unknown escape \\{char}")
        self.at += 2
        return _ESCAPES[char]

    def object(self) -> dict[str, Json]:
        self.at += 1
        out: dict[str, Json] = {}
        while True:
            char = self.blanks()
            if char == "}" or self.ended():
                self.at += 1
                return out
            key = self.value()
            char = self.blanks()
            if self.ended():
                return out
            if char not in (":", "="):
                self.fail("a colon is missing")
            self.at += 2 if self.text.startswith("=>", self.at) else 1
            self.blanks()
            if self.ended():
                return out
            name = _name(key)
            if self.repeated is not None and name in out:
                self.repeated.append(name)
            out[name] = self.value()
            char = self.blanks()
            if char in (",", ";") and char:
                self.at += 1
            elif char != "}" and not self.ended():
                self.fail("a comma is missing")

    def array(self) -> list[Json]:
        self.at += 1
        out: list[Json] = []
        while True:
            char = self.blanks()
            if char == "]" or self.ended():
                self.at += 1
                return out
            out.append(self.value())
            char = self.blanks()
            if char in (",", ";") and char:
                self.at += 1
            elif char != "]" and not self.ended():
                self.fail("a comma is missing")


def _name(key: Json) -> str:
    if isinstance(key, str):
        return key
    return dump(key)


def scalar(word: str) -> Json:
    """The value of a word without quotes: constant, number or text."""
    if word.lower() in _CONSTANTS:
        return _CONSTANTS[word.lower()]
    if _INTEGER.fullmatch(word):
        return whole(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    return word


def dump(value: object) -> str:
    """Strict compact JSON; numbers JSON cannot say (``1e400`` read as infinity) become text."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub("�", text)


def _finite(value: object) -> object:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
