"""Which SimpleDateFormat patterns DuckDB's ``strptime`` and ``strftime`` can take over, and under which guard.

Tokens are (letter, count) for a field and (character, 0) for literal text. The shape is an RE2 pattern for a full
match: it lets through only text that both engines read alike, so roll-over, surplus text and odd widths stay with
the slow path.
"""

from __future__ import annotations

from dataclasses import dataclass

from udfs.java.date_names import ENGLISH, DateNames

Tokens = tuple[tuple[str, int], ...]

# letter -> (strptime letter, shape of the two-digit form)
_TWO_DIGITS = {
    "M": ("%m", "(?:0[1-9]|1[0-2])"),
    "L": ("%m", "(?:0[1-9]|1[0-2])"),
    "d": ("%d", "(?:0[1-9]|[12][0-9]|3[01])"),
    "H": ("%H", "(?:[01][0-9]|2[0-3])"),
    "h": ("%I", "(?:0[1-9]|1[0-2])"),
    "m": ("%M", "[0-5][0-9]"),
    "s": ("%S", "[0-5][0-9]"),
}
_YEAR = "[1-9][0-9]{3}"
_OFFSET = "[+-](?:0[0-9]|1[0-4])"


@dataclass(frozen=True)
class FastParse:
    """``strptime`` format, RE2 ``shape`` (full match) and how to read the result (None, "UTC" or "offset")."""

    strptime: str
    shape: str
    zone: str | None


def _escape(char: str) -> str:
    return char if char.isalnum() or char in " _-:/,;" or ord(char) > 127 else "\\" + char


def _name_field(letter: str, count: int, names: DateNames) -> tuple[str, str] | None:
    """Month names and AM/PM, spelled exactly as English prints them."""
    if names is not ENGLISH:
        return None
    if letter in "ML":
        spelled = names.short_months if count == 3 else names.months
        return ("%b" if count == 3 else "%B", f"(?:{'|'.join(spelled)})")
    return ("%p", "(?:AM|PM)") if letter == "a" else None


def _field(letter: str, count: int, names: DateNames) -> tuple[str, str, str | None] | None:
    """strptime letter, shape and zone of one field, or None when the slow path must read it."""
    if letter == "y":
        # `yy` has its own century window; counts other than 2 take four digits literally.
        return None if count == 2 or count > 4 else ("%Y", _YEAR, None)
    if letter == "a" or (letter in "ML" and count > 2):
        found = _name_field(letter, count, names)
        return None if found is None else (*found, None)
    if letter in _TWO_DIGITS:
        return (*_TWO_DIGITS[letter], None) if count <= 2 else None
    if letter == "S":
        # Other lengths are read by the slow path: strptime takes exactly three or six digits.
        return {3: ("%g", "[0-9]{3}", None), 6: ("%f", "[0-9]{6}", None)}.get(count)
    if letter == "Z":
        return "%z", _OFFSET + "[0-5][0-9]", "offset"
    if letter == "X":
        return "Z", "Z", "UTC"  # strptime has no letter for a literal Z; numeric offsets take the slow path
    return None


def fast_parse(tokens: Tokens, names: DateNames) -> FastParse | None:
    """The guarded fast path, or None. Needs year, month and day (DuckDB starts from 1900, Java from 1970)."""
    letters = [letter for letter, count in tokens if count]
    if len(set(letters)) != len(letters) or not {"y", "d"} <= set(letters) or len({"M", "L"} & set(letters)) != 1:
        return None
    if ("h" in letters) != ("a" in letters) or {"h", "H"} <= set(letters):
        return None
    parse, shape, zone = [], [], None
    for i, (letter, count) in enumerate(tokens):
        if count == 0:
            parse.append("%%" if letter == "%" else letter)
            shape.append(_escape(letter))
            continue
        found = _field(letter, count, names)
        following = tokens[i + 1] if i + 1 < len(tokens) else ("", 0)
        if found is None or (following[1] and not _fixed_width(letter, count)):
            return None
        if following[1] == 0 and following[0].isdigit():
            return None  # a digit right after a number would be read as part of it
        parse.append(found[0])
        shape.append(found[1])
        zone = found[2] or zone
    return FastParse("".join(parse), "".join(shape), zone)


def _fixed_width(letter: str, count: int) -> bool:
    """Whether the pattern itself fixes the width of a field that touches the next field."""
    widths = {"y": 4, "S": 3}
    if (letter in "ML" and count > 2) or (letter == "S" and count > 3):
        return True
    return count == widths.get(letter, 2) or letter in "aZX"


_PRINT = {
    ("y", 1): "%Y",
    ("y", 2): "%y",
    ("y", 3): "%Y",
    ("y", 4): "%Y",
    ("d", 1): "%-d",
    ("d", 2): "%d",
    ("H", 1): "%-H",
    ("H", 2): "%H",
    ("h", 1): "%-I",
    ("h", 2): "%I",
    ("m", 1): "%-M",
    ("m", 2): "%M",
    ("s", 1): "%-S",
    ("s", 2): "%S",
    ("S", 3): "%g",
    ("S", 6): "%f",
    ("S", 9): "%n",
    ("D", 1): "%-j",
    ("D", 3): "%j",
    ("u", 1): "%u",
}
_PRINT_ENGLISH = {"M": ("%b", "%B"), "L": ("%b", "%B"), "E": ("%a", "%A")}


def strftime_format(tokens: Tokens, names: DateNames) -> str | None:
    """DuckDB ``strftime`` format for a local TIMESTAMP, or None when a letter has no counterpart."""
    out = []
    for letter, count in tokens:
        if count == 0:
            out.append("%%" if letter == "%" else letter)
            continue
        if letter in "ML" and count <= 2:
            text = "%m" if count == 2 else "%-m"
        elif names is ENGLISH and letter in _PRINT_ENGLISH:
            text = _PRINT_ENGLISH[letter][count >= 4]
        elif names is ENGLISH and letter == "a":
            text = "%p"
        else:
            text = _PRINT.get((letter, count), "")
        if not text:
            return None
        out.append(text)
    return "".join(out)
