"""Tokens of expressions (language.md 1.3, 1.4): one compiled scanner, word classification, string decoding.

The scanner is driven by position, so that a parser can stop in the middle of a command (at ``by``, at ``[``) without
having tokenised the rest. Kinds are the names of the scanner's groups: ``string word op punct bad``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from logsql.diagnostics.language import INVALID_ESCAPE
from logsql.diagnostics.messages import message
from logsql.language.source import Source

STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
QUOTED = re.compile(STRING, re.DOTALL)
WORD = r'[^\s"()\[\],=+\-*/<>!\u2264\u2265]+'
TOKEN = re.compile(
    rf"""\s*(?:
      (?P<string>{STRING})
    | (?P<op>==|!=|<=|>=|[<>+\-*/=\u2264\u2265])
    | (?P<punct>[(),\[\]])
    | (?P<word>{WORD}(?:\[-?[0-9]+\](?:{WORD})?)*)
    | (?P<bad>\S)
    )""",
    re.DOTALL | re.VERBOSE,
)
_INTEGER = re.compile(r"[0-9]+\Z")
#: What Java's Double.parseDouble reads and the language names: 1.5, .5, 1e3, 1.5f, 1d, 0x1p3. A sign is never part.
_DOUBLE = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][0-9]+)?[fFdD]?\Z")
_HEX_DOUBLE = re.compile(r"(0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][0-9]+)[fFdD]?\Z")
_CONSTANTS: dict[str, tuple[str, str | int | float | bool | None]] = {
    "true": ("bool", True),
    "false": ("bool", False),
    "null": ("null", None),
    "NaN": ("double", float("nan")),
    "Infinity": ("double", float("inf")),
}
_ODD = re.compile(r"[\\`|\x00-\x1f\x7f]|&&")
_ESCAPE = re.compile(r"\\(.)|\r\n?|\n", re.DOTALL)
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "t": "\t", "r": "\r"}


@lru_cache(maxsize=4096)
def classify(word: str) -> tuple[str, str | int | float | bool | None]:
    """(kind, value) of a bare token: ``int long double bool null``, else ``field`` with the name."""
    constant = _CONSTANTS.get(word)
    if constant is not None:
        return constant
    if _INTEGER.match(word):
        number = int(word) if len(word) < 400 else 10**400
        if number < 2**31:
            return "int", number
        return ("long", number) if number < 2**63 else ("double", float(word))
    if _DOUBLE.match(word):
        return "double", float(word.rstrip("fFdD"))
    hexadecimal = _HEX_DOUBLE.match(word)
    if hexadecimal is not None:
        try:
            return "double", float.fromhex(hexadecimal[1])
        except OverflowError:
            return "double", float("inf")
    return "field", word


def odd_character(word: str) -> re.Match[str] | None:
    """The first character (or ``&&``) of a bare token that no field name may hold."""
    return _ODD.search(word)


def decode_string(source: Source, start: int, end: int) -> str:
    """Value of the string literal whose quotes stand at ``start`` and ``end - 1``; 90205 on an unknown escape."""
    text = source.buffer[start + 1 : end - 1]
    if "\\" not in text and "\n" not in text and "\r" not in text:
        return text

    def decoded(found: re.Match[str]) -> str:
        escape = found[1]
        if escape is None:
            return " "
        if escape not in _ESCAPES:
            at = start + 1 + found.start()
            raise source.error(INVALID_ESCAPE, at, at + 2, escape=found[0], help=message("help-escape"))
        return _ESCAPES[escape]

    return _ESCAPE.sub(decoded, text)


_OPTION_ESCAPE = re.compile(r'\\([\\"ntr])')


def decode_option(text: str) -> str:
    r"""Text of a quoted option value (language.md 1.3): five escapes decoded, every other ``\x`` kept verbatim."""
    return _OPTION_ESCAPE.sub(lambda found: _ESCAPES[found[1]], text) if "\\" in text else text


def decode_json(text: str) -> str:
    r"""Text between the quotes of ``json "..."``: ``\"`` becomes ``"``, then ``\\`` becomes ``\``, nothing else."""
    return text.replace('\\"', '"').replace("\\\\", "\\")
