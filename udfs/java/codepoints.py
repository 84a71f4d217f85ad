"""Sets of code points: the algebra behind Java character classes.

A :data:`Ranges` is a sorted tuple of inclusive, non-touching ``(low, high)`` pairs. A :class:`Prop` is a Unicode
property that both engines know by name; it is turned into ranges only when an intersection or a negation needs it.
Every Java property name (``\\p{..}``) is resolved here. Source: java.util.regex.Pattern of JDK 17; property data
comes from the ``regex`` package, so the newest Unicode version decides about characters that JDK 17 (Unicode 13)
did not know yet.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import regex

Ranges = tuple[tuple[int, int], ...]
MAX = sys.maxunicode


@dataclass(frozen=True)
class Prop:
    """A named property: ``python`` is its item in a ``regex`` class, ``re2`` the one for RE2 (None: only as ranges)."""

    python: str
    re2: str | None = None


@dataclass(frozen=True)
class Union:
    """Characters that are in at least one part."""

    parts: tuple[CharSet, ...]


@dataclass(frozen=True)
class And:
    """Characters that are in both sets (``&&``)."""

    left: CharSet
    right: CharSet


@dataclass(frozen=True)
class Not:
    """Characters that are not in the set."""

    body: CharSet


CharSet = Ranges | Prop | Union | And | Not


def normalize(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Sort and merge overlapping or touching ranges.

    >>> normalize([(5, 9), (1, 4), (20, 30)])
    ((1, 9), (20, 30))
    """
    out: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return tuple(out)


def negate(ranges: Ranges) -> Ranges:
    """Complement within Unicode.

    >>> negate(((0, 9), (11, 0x10FFFF)))
    ((10, 10),)
    """
    out: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if start < low:
            out.append((start, low - 1))
        start = high + 1
    if start <= MAX:
        out.append((start, MAX))
    return tuple(out)


def intersect(left: Ranges, right: Ranges) -> Ranges:
    """Common code points.

    >>> intersect(((0, 10),), ((5, 20),))
    ((5, 10),)
    """
    out: list[tuple[int, int]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            out.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(out)


def chars(text: str) -> Ranges:
    """The set of the characters of ``text``."""
    return normalize((ord(c), ord(c)) for c in text)


@lru_cache(maxsize=1)
def _alphabet() -> str:
    return "".join(map(chr, range(MAX + 1)))


@lru_cache(maxsize=256)
def property_ranges(python: str) -> Ranges:
    """Ranges of a ``regex`` class item such as ``\\p{Lu}``; about 0.1 s the first time, then cached."""
    return tuple((m.start(), m.end() - 1) for m in regex.finditer(f"[{python}]+", _alphabet()))


def resolve(expr: CharSet) -> Ranges:
    """Plain ranges of any set expression."""
    if isinstance(expr, tuple):
        return expr
    if isinstance(expr, Prop):
        return property_ranges(expr.python)
    if isinstance(expr, Union):
        return normalize(pair for part in expr.parts for pair in resolve(part))
    if isinstance(expr, And):
        return intersect(resolve(expr.left), resolve(expr.right))
    return negate(resolve(expr.body))


def contains(expr: CharSet, cp: int) -> bool:
    """Whether one code point is in the set (does not expand properties)."""
    if isinstance(expr, tuple):
        at = bisect_right(expr, (cp, MAX + 1)) - 1
        return at >= 0 and expr[at][0] <= cp <= expr[at][1]
    if isinstance(expr, Prop):
        return regex.match(f"[{expr.python}]", chr(cp)) is not None
    if isinstance(expr, Union):
        return any(contains(part, cp) for part in expr.parts)
    if isinstance(expr, And):
        return contains(expr.left, cp) and contains(expr.right, cp)
    return not contains(expr.body, cp)


# --- letter case --------------------------------------------------------------------------------------------


def _upper(cp: int) -> int:
    """Character.toUpperCase: the one-to-one mapping (`ß` stays, `ᾳ` becomes the single title character)."""
    ch = chr(cp)
    for mapped in (ch.upper(), ch.title()):
        if len(mapped) == 1:
            return ord(mapped)
    return cp


def _lower(cp: int) -> int:
    mapped = chr(cp).lower()
    return ord(mapped) if len(mapped) == 1 else ord(mapped[0])  # U+0130 is the only long one: Java maps it to "i"


@lru_cache(maxsize=1)
def _case_keys() -> dict[int, tuple[int, int]]:
    """Code point -> (upper, lower of upper) for every character that a case mapping changes."""
    out: dict[int, tuple[int, int]] = {}
    for low, high in property_ranges(r"\p{Changes_When_Casemapped}"):
        for cp in range(low, high + 1):
            up = _upper(cp)
            out[cp] = (up, _lower(up))
    return out


def fold_ascii(ranges: Ranges) -> Ranges:
    """Java CASE_INSENSITIVE: the other case of ASCII letters only.

    >>> fold_ascii(chars("k1")) == chars("Kk1")
    True
    """
    low = intersect(ranges, ((0x61, 0x7A),))
    high = intersect(ranges, ((0x41, 0x5A),))
    return normalize([*ranges, *((a - 32, b - 32) for a, b in low), *((a + 32, b + 32) for a, b in high)])


def fold_unicode(ranges: Ranges) -> Ranges:
    """Java CASE_INSENSITIVE with UNICODE_CASE: a character matches when its upper form, or the lower form of that, is
    in the set.

    >>> 0x212A in {low for low, _ in fold_unicode(chars("k"))}
    True
    """
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:  # one character: compared by its folded form
        key = _lower(_upper(ranges[0][0]))
        if key == ranges[0][0] == _upper(key):  # `ß` has no one-to-one upper case, so it does not fold with U+1E9E
            return ranges
        return normalize([*ranges, *((cp, cp) for cp, (_, low) in _case_keys().items() if low == key)])
    extra = [(cp, cp) for cp, keys in _case_keys().items() if any(contains(ranges, k) for k in keys)]
    return normalize([*ranges, *extra])


# --- Java property names ------------------------------------------------------------------------------------

DIGIT: Ranges = ((0x30, 0x39),)
WORD: Ranges = normalize([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
SPACE: Ranges = chars("\t\n\x0b\f\r ")
HORIZONTAL: Ranges = chars(" \t\xa0\u1680\u180e\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))))
VERTICAL: Ranges = chars("\n\x0b\f\r\x85\u2028\u2029")
ASCII_LETTERS: Ranges = ((0x41, 0x5A), (0x61, 0x7A))

_POSIX: dict[str, Ranges] = {
    "Lower": ((0x61, 0x7A),),
    "Upper": ((0x41, 0x5A),),
    "ASCII": ((0, 0x7F),),
    "Alpha": ASCII_LETTERS,
    "Digit": DIGIT,
    "Alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "Punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "Graph": ((0x21, 0x7E),),
    "Print": ((0x20, 0x7E),),
    "Blank": chars(" \t"),
    "Cntrl": ((0, 0x1F), (0x7F, 0x7F)),
    "XDigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
    "Space": SPACE,
}
_UNICODE_POSIX = {  # (?U)
    "Lower": r"\p{Lowercase}",
    "Upper": r"\p{Uppercase}",
    "Alpha": r"\p{Alphabetic}",
    "Digit": r"\p{Nd}",
    "Alnum": r"\p{Alphabetic}\p{Nd}",
    "Punct": r"\p{P}",
    "Graph": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}",
    "Print": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs}",
    "Blank": r"\p{Zs}\t",
    "Cntrl": r"\p{Cc}",
    "XDigit": r"\p{Nd}\p{Hex_Digit}",
    "Space": r"\p{White_Space}",
}
_SUBCATEGORIES = {"L": "ultmo", "M": "nce", "N": "dlo", "P": "cdseifo", "S": "mcko", "Z": "slp", "C": "cfosn"}
_CATEGORIES = frozenset(_SUBCATEGORIES) | {major + minor for major, all_ in _SUBCATEGORIES.items() for minor in all_}
_RE2_SCRIPTS = frozenset(
    ("Arabic", "Cyrillic", "Greek", "Han", "Hangul", "Hebrew", "Hiragana", "Katakana", "Latin", "Thai")
)
_CASED = r"\p{Lu}\p{Ll}\p{Lt}"
_CASED_WIDE = r"\p{Lowercase}\p{Uppercase}\p{Lt}"
_JAVA = {
    "LowerCase": r"\p{Lowercase}",
    "UpperCase": r"\p{Uppercase}",
    "Alphabetic": r"\p{Alphabetic}",
    "Ideographic": r"\p{Ideographic}",
    "TitleCase": r"\p{Lt}",
    "Digit": r"\p{Nd}",
    "Defined": r"\P{Cn}",
    "Letter": r"\p{L}",
    "LetterOrDigit": r"\p{L}\p{Nd}",
    "JavaIdentifierStart": r"\p{L}\p{Nl}\p{Sc}\p{Pc}",
    "JavaIdentifierPart": r"\p{L}\p{Nl}\p{Sc}\p{Pc}\p{Nd}\p{Mn}\p{Mc}\p{Cf}\x00-\x08\x0e-\x1b\x7f-\x9f",
    "UnicodeIdentifierStart": r"\p{ID_Start}",
    "UnicodeIdentifierPart": r"\p{ID_Continue}\p{Cf}\x00-\x08\x0e-\x1b\x7f-\x9f",
    "IdentifierIgnorable": r"\p{Cf}\x00-\x08\x0e-\x1b\x7f-\x9f",
    "SpaceChar": r"\p{Z}",
    "Whitespace": r"\t-\r\x1c-\x20\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000",
    "ISOControl": r"\x00-\x1f\x7f-\x9f",
    "Mirrored": r"\p{Bidi_Mirrored}",
}
_BINARY = {
    "ALPHABETIC": r"\p{Alphabetic}",
    "LETTER": r"\p{L}",
    "IDEOGRAPHIC": r"\p{Ideographic}",
    "LOWERCASE": r"\p{Lowercase}",
    "UPPERCASE": r"\p{Uppercase}",
    "TITLECASE": r"\p{Lt}",
    "WHITE_SPACE": r"\p{White_Space}",
    "WHITESPACE": r"\p{White_Space}",
    "CONTROL": r"\p{Cc}",
    "PUNCTUATION": r"\p{P}",
    "HEX_DIGIT": r"\p{Nd}\p{Hex_Digit}",
    "HEXDIGIT": r"\p{Nd}\p{Hex_Digit}",
    "ASSIGNED": r"\P{Cn}",
    "NONCHARACTER_CODE_POINT": r"\p{Noncharacter_Code_Point}",
    "NONCHARACTERCODEPOINT": r"\p{Noncharacter_Code_Point}",
    "DIGIT": r"\p{Nd}",
    "ALNUM": r"\p{Alphabetic}\p{Nd}",
    "BLANK": r"\p{Zs}\t",
    "GRAPH": _UNICODE_POSIX["Graph"],
    "PRINT": _UNICODE_POSIX["Print"],
    "WORD": r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d",
    "JOIN_CONTROL": r"\u200c\u200d",
    "JOINCONTROL": r"\u200c\u200d",
}
UNICODE_WORD = Prop(_BINARY["WORD"])
UNICODE_SPACE = Prop(r"\p{White_Space}")
UNICODE_DIGIT = Prop(r"\p{Nd}", r"\p{Nd}")


def _known(python: str) -> bool:
    try:
        regex.compile(f"[{python}]")
    except regex.error:
        return False
    return True


def _category(name: str, case_insensitive: bool) -> CharSet | None:
    if case_insensitive and name in ("Lu", "Ll", "Lt"):
        return Prop(_CASED, _CASED)
    if name in _CATEGORIES:
        # RE2 leaves unassigned code points out of C, Java does not.
        return Prop(f"\\p{{{name}}}", None if name in ("C", "Cn", "Cs") else f"\\p{{{name}}}")
    if name == "LC":
        return Prop(_CASED, _CASED)
    if name == "LD":
        return Prop(r"\p{L}\p{Nd}", r"\p{L}\p{Nd}")
    if name == "L1":
        return ((0, 0xFF),)
    return ((0, MAX),) if name == "all" else None


def _script(name: str) -> CharSet | None:
    title = name.capitalize()
    if title in _RE2_SCRIPTS:
        return Prop(f"\\p{{Script={title}}}", f"\\p{{{title}}}")
    python = f"\\p{{Script={name}}}"
    return Prop(python) if name.replace("_", "").isalnum() and _known(python) else None


def _block(name: str) -> CharSet | None:
    python = f"\\p{{Block={name}}}"
    plain = name.replace("_", "").replace(" ", "").replace("-", "")
    return Prop(python) if plain.isalnum() and _known(python) else None


def _keyed(key: str, value: str, case_insensitive: bool) -> CharSet | None:
    if key in ("sc", "script"):
        return _script(value)
    if key in ("blk", "block"):
        return _block(value)
    return _category(value, case_insensitive) if key in ("gc", "general_category") else None


def java_property(name: str, *, case_insensitive: bool = False, unicode_classes: bool = False) -> CharSet | None:
    """The set named by Java ``\\p{name}``, or None when Java knows no such name.

    >>> contains(java_property("Alpha"), ord("é")), contains(java_property("IsAlphabetic"), ord("é"))
    (False, True)
    >>> java_property("Hangul") is None and contains(java_property("IsHangul"), ord("한"))
    True
    """
    if "=" in name:
        key, _, value = name.partition("=")
        return _keyed(key.lower(), value, case_insensitive)
    if name.startswith("In"):
        return _block(name[2:])
    if name.startswith("Is"):
        bare = name[2:]
        if case_insensitive and bare.upper() in ("LOWERCASE", "UPPERCASE", "TITLECASE"):
            return Prop(_CASED_WIDE)
        if bare.upper() in _BINARY:
            return Prop(_BINARY[bare.upper()])
        return _category(bare, case_insensitive) or _script(bare)
    if name.startswith("java") and name[4:] in _JAVA:
        if case_insensitive and name[4:] in ("LowerCase", "UpperCase", "TitleCase"):
            return Prop(_CASED_WIDE)
        return Prop(_JAVA[name[4:]])
    if unicode_classes and name in _UNICODE_POSIX:
        if case_insensitive and name in ("Lower", "Upper"):
            return Prop(_CASED_WIDE)
        return Prop(_UNICODE_POSIX[name])
    if name in _POSIX:
        return ASCII_LETTERS if case_insensitive and name in ("Lower", "Upper") else _POSIX[name]
    return _category(name, case_insensitive)
