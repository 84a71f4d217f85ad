"""java.util.Formatter and Double.toString.

:func:`java_format` is the ``format`` function of the language: a Java format string over Python values; anything
Java would refuse (unknown conversion, wrong type, too few arguments) gives None. Locale is US (point, comma),
half-up rounding of the shortest decimal form, as Java does. Checked against JDK 17; :func:`java_double` follows the
newer, shortest form of JDK 19 and later.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Context, Decimal

import pyarrow as pa

from udfs.columns import as_list, map_distinct
from udfs.java import zones
from udfs.java.dates import compile_pattern

_SPECIFIER = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d+)?(?:\.(\d+))?([tT])?([a-zA-Z%])", re.ASCII)
_EXACT = Context(prec=2000, rounding=ROUND_HALF_UP)
_INTEGER_LIMIT = 2**31
_LONG_LIMIT = 2**63


class Long(int):
    """Marks a 64-bit integer: ``%x`` of a negative long has sixteen digits, of an int eight."""


class _Refused(Exception):
    """Java would throw an IllegalFormatException."""


# --- text forms --------------------------------------------------------------------------------------------


def java_double(value: float) -> str:
    """Double.toString: shortest digits, at least one after the point, scientific outside 1e-3 .. 1e7.

    >>> [java_double(x) for x in (1.0, 1e7, 0.001, 1e-4, 123456789.125)]
    ['1.0', '1.0E7', '0.001', '1.0E-4', '1.23456789125E8']
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:  # here Python prints the same shortest form
        return repr(float(value))
    sign, digits, exponent = Decimal(repr(value)).normalize(_EXACT).as_tuple()
    if len(digits) == 1:  # Java takes the closest decimal of two digits: 4.9E-324, not 5.0E-324
        sign, digits, exponent = Decimal(f"{value:.1e}").as_tuple()
    assert isinstance(exponent, int)
    point = len(digits) + exponent  # digits before the point
    text = "".join(map(str, digits))
    minus = "-" if sign else ""
    return f"{minus}{text[0]}.{text[1:].rstrip('0') or '0'}E{point - 1}"


def java_double_array(values: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """:func:`java_double` of a floating column; null stays null.

    >>> java_double_array(pa.array([1e8, None])).to_pylist()
    ['1.0E8', None]
    """
    return map_distinct(values, java_double, pa.string())


def java_text(value: object, zone: str | tzinfo = "UTC") -> str:
    """The language's text form of a value (null prints as ``null``): ``true``, ``1.0``, ``[a, b]``, ``{k=v}``, dates
    with offset.

    >>> java_text([1, 2.0, None, True])
    '[1, 2.0, null, true]'
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return java_double(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=zones.as_zone(zone))
        return compile_pattern("yyyy-MM-dd HH:mm:ssZ").format(aware, zone)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{java_text(k, zone)}={java_text(v, zone)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(java_text(item, zone) for item in value) + "]"
    return str(value)


# --- one specifier -----------------------------------------------------------------------------------------


#: Most characters that one specifier may fill: ``%1000000000d`` made 2 GB of blanks of a number.
MAX_WIDTH = 100_000


@dataclass(frozen=True)
class _Spec:
    flags: str
    width: int | None
    precision: int | None
    letter: str  # lower case
    upper: bool
    zone: str | tzinfo

    def has(self, flag: str) -> bool:
        return flag in self.flags

    def forbid(self, flags: str) -> None:
        if any(flag in self.flags for flag in flags):
            raise _Refused

    def justify(self, text: str) -> str:
        if self.upper:
            text = text.upper()
        if self.width is None:
            return text
        return text.ljust(self.width) if self.has("-") else text.rjust(self.width)

    def plain(self, text: str) -> str:
        """Cut to the precision and justify: text conversions, and ``null`` in every conversion."""
        return self.justify(text if self.precision is None else text[: self.precision])


def _check(spec: _Spec) -> None:
    """The refusals that do not depend on the value (Formatter.FormatSpecifier constructor)."""
    if len(set(spec.flags)) != len(spec.flags):
        raise _Refused
    if spec.has("-") and spec.width is None:
        raise _Refused
    if max(spec.width or 0, spec.precision or 0) > MAX_WIDTH:
        raise _Refused
    letter = spec.letter
    if letter in "dox":
        if spec.precision is not None:
            raise _Refused
        _check_numeric(spec)
        spec.forbid("#" if letter == "d" else ",")
    elif letter in "efga":
        _check_numeric(spec)
        spec.forbid({"e": ",", "g": "#", "a": "(,"}.get(letter, ""))
    elif letter in "bsh":
        spec.forbid("+ 0,(#")
    elif letter in "ct%":
        if spec.precision is not None:
            raise _Refused
        spec.forbid("+ 0,(#")
    elif letter == "n":
        if spec.flags or spec.width is not None or spec.precision is not None:
            raise _Refused
    else:
        raise _Refused


def _check_numeric(spec: _Spec) -> None:
    if spec.has("0") and spec.width is None:
        raise _Refused
    if (spec.has("+") and spec.has(" ")) or (spec.has("-") and spec.has("0")):
        raise _Refused


def _signed(spec: _Spec, digits: str, negative: bool) -> str:
    """Sign, grouping and zero padding around the digits of a number."""
    if spec.has(","):
        digits = re.sub(r"^\d+", lambda whole: f"{int(whole.group()):,}", digits)
    before, after = "", ""
    if negative:
        before, after = ("(", ")") if spec.has("(") else ("-", "")
    elif spec.has("+"):
        before = "+"
    elif spec.has(" "):
        before = " "
    if spec.has("0") and spec.width is not None:
        digits = digits.rjust(spec.width - len(before) - len(after), "0")
    return spec.justify(before + digits + after)


def _integer(spec: _Spec, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Refused
    if spec.letter == "d":
        return _signed(spec, str(abs(value)), value < 0)
    spec.forbid("+ (")
    if value < 0:
        wide = isinstance(value, Long) or value < -_INTEGER_LIMIT
        value += 2**64 if wide else 2**32
    text = f"{value:{spec.letter}}"
    prefix = "" if not spec.has("#") else ("0x" if spec.letter == "x" else "0")
    if spec.has("0") and spec.width is not None:
        text = text.rjust(spec.width - len(prefix), "0")
    return spec.justify(prefix + text)


def _floating(spec: _Spec, value: object) -> str:
    if not isinstance(value, float):
        raise _Refused
    if not math.isfinite(value):
        if math.isnan(value):
            return spec.justify("NaN")
        relaxed = _Spec(spec.flags.replace("0", "").replace(",", ""), spec.width, None, "f", spec.upper, spec.zone)
        return _signed(relaxed, "Infinity", value < 0)
    if spec.letter == "a":
        if spec.precision is not None:
            raise _Refused
        mantissa, exponent = abs(value).hex().split("p")
        whole, _, rest = mantissa.partition(".")
        text = f"{whole}.{rest.rstrip('0') or '0'}p{int(exponent)}"
    else:
        precision = 6 if spec.precision is None else spec.precision
        text = _decimal(spec.letter, Decimal(java_double(abs(value))), precision)
        if spec.has("#") and precision == 0:
            text = re.sub(r"^\d+", r"\g<0>.", text)
    return _signed(spec, text, math.copysign(1, value) < 0)


def _decimal(letter: str, value: Decimal, precision: int) -> str:
    if letter == "f":
        return f"{value.quantize(Decimal(1).scaleb(-precision), context=_EXACT):f}"
    if letter == "e":
        return _scientific(value, precision)
    precision = precision or 1
    if value == 0:
        return _decimal("f", value, precision - 1)
    rounded = Context(prec=precision, rounding=ROUND_HALF_UP).plus(value)
    if Decimal("1e-4") <= rounded < Decimal(10) ** precision:
        return _decimal("f", value, max(precision - rounded.adjusted() - 1, 0))
    return _scientific(value, precision - 1)


def _scientific(value: Decimal, precision: int) -> str:
    if value == 0:
        return f"{Decimal(0):.{precision}f}e+00"
    rounded = Context(prec=precision + 1, rounding=ROUND_HALF_UP).plus(value)
    exponent = rounded.adjusted()
    mantissa = rounded.scaleb(-exponent, context=_EXACT)
    return f"{mantissa:.{precision}f}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def _character(spec: _Spec, value: object) -> str:
    # A text, even of one character, is no java.lang.Character; an integer is a code point.
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 0x10FFFF or isinstance(value, Long):
        raise _Refused
    return spec.justify(chr(value))


def _hash(value: object) -> int:
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, int):
        if -_INTEGER_LIMIT <= value < _INTEGER_LIMIT and not isinstance(value, Long):
            return value & 0xFFFFFFFF
        bits = value & (2**64 - 1)
        return (bits ^ (bits >> 32)) & 0xFFFFFFFF
    if isinstance(value, float):
        bits = int.from_bytes(struct.pack(">d", value), "big")
        return (bits ^ (bits >> 32)) & 0xFFFFFFFF
    if isinstance(value, str):
        units = value.encode("utf-16-be", "surrogatepass")
        code = 0
        for i in range(0, len(units), 2):
            code = (31 * code + (units[i] << 8 | units[i + 1])) & 0xFFFFFFFF
        return code
    raise _Refused


_DATE_LETTERS = {
    "Y": "yyyy", "y": "yy", "m": "MM", "d": "dd", "e": "d", "j": "DDD", "F": "yyyy-MM-dd", "D": "MM/dd/yy",
    "B": "MMMM", "b": "MMM", "h": "MMM", "A": "EEEE", "a": "EEE", "z": "Z", "Z": "z", "p": "a",
    "H": "HH", "k": "H", "I": "hh", "l": "h", "M": "mm", "S": "ss", "L": "SSS",
    "R": "HH:mm", "T": "HH:mm:ss", "r": "hh:mm:ss a", "c": "EEE MMM dd HH:mm:ss z yyyy",
}  # fmt: skip


def _date(spec: _Spec, kind: str, value: object) -> str:
    if isinstance(value, Long) or (type(value) is int and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT):
        moment = datetime.fromtimestamp(0, zones.as_zone("UTC")) + _millis(value)
    elif isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=zones.as_zone(spec.zone))
    else:
        raise _Refused
    epoch = (moment - datetime.fromtimestamp(0, zones.as_zone("UTC"))) // _millis(1)
    if kind == "s":
        return spec.justify(str(epoch // 1000))
    if kind == "Q":
        return spec.justify(str(epoch))
    if kind == "N":
        return spec.justify(f"{epoch % 1000:03}000000")
    if kind == "C":
        return spec.justify(f"{moment.astimezone(zones.as_zone(spec.zone)).year // 100:02}")
    if kind not in _DATE_LETTERS:
        raise _Refused
    text = compile_pattern(_DATE_LETTERS[kind]).format(moment, spec.zone)
    return spec.justify(text.lower() if kind == "p" else text)


def _millis(value: int) -> timedelta:

    return timedelta(milliseconds=int(value))


def _print(spec: _Spec, kind: str, value: object) -> str:
    if spec.letter == "b":
        return spec.plain("false" if value is None else java_text(value) if isinstance(value, bool) else "true")
    if value is None:
        return spec.plain("null")
    if spec.letter == "s":
        return spec.plain(java_text(value, spec.zone))
    if spec.letter == "h":
        return spec.plain(f"{_hash(value):x}")
    if spec.letter == "t":
        return _date(spec, kind, value)
    printers: dict[str, Callable[[_Spec, object], str]] = {"c": _character, "d": _integer, "o": _integer, "x": _integer}
    return printers.get(spec.letter, _floating)(spec, value)


# --- the format string -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Piece:
    """Literal text, or a specifier with its argument position (0 next, -1 previous)."""

    text: str = ""
    spec: _Spec | None = None
    position: int = 0
    kind: str = ""


def _pieces(fmt: str, zone: str | tzinfo) -> list[_Piece]:
    out: list[_Piece] = []
    at = 0
    while at < len(fmt):
        percent = fmt.find("%", at)
        if percent < 0:
            out.append(_Piece(fmt[at:]))
            break
        if percent > at:
            out.append(_Piece(fmt[at:percent]))
        found = _SPECIFIER.match(fmt, percent)
        if found is None:
            raise _Refused
        index, flags, width, precision, date_mark, letter = found.groups()
        if index is not None and int(index) == 0:
            raise _Refused
        lower = "t" if date_mark else letter.lower()
        upper = (date_mark or letter) != lower
        if upper and lower not in "bhscxegat":
            raise _Refused
        position = -1 if "<" in flags else int(index or 0)
        spec = _Spec(
            flags=flags.replace("<", "", 1),
            width=int(width) if width else None,
            precision=int(precision) if precision else None,
            letter=lower,
            upper=upper,
            zone=zone,
        )
        _check(spec)
        out.append(_Piece(spec=spec, position=position, kind=letter))
        at = found.end()
    return out


def is_refused(fmt: str) -> bool:
    """Whether Java throws for a format whatever it prints.

    >>> is_refused("%q"), is_refused("%5"), is_refused("%5d%%")
    (True, True, False)
    """
    try:
        _pieces(fmt, "UTC")
    except (_Refused, OverflowError, ValueError):
        return True
    return False


def java_format(fmt: str, args: Sequence[object], zone: str | tzinfo = "UTC") -> str | None:
    """``String.format(fmt, args)``; None when Java would throw. Dates are printed in ``zone``.

    ``args``: str, int (:class:`Long` for 64 bits), float, bool, datetime, bytes, lists, None.

    >>> java_format("%04d-%02d|%5.2f|%-6s|%2$d", [2004, 3, 3.14159, "ab"])
    '2004-03| 3.14|ab    |3'
    >>> java_format("%d", ["text"]) is None
    True
    """
    try:
        out: list[str] = []
        ordinary = 0
        last = -1
        for piece in _pieces(fmt, zone):
            if piece.spec is None:
                out.append(piece.text)
            elif piece.spec.letter == "%":
                out.append(piece.spec.justify("%"))
            elif piece.spec.letter == "n":
                out.append("\n")
            else:
                if piece.position == 0:
                    last, ordinary = ordinary, ordinary + 1
                elif piece.position > 0:
                    last = piece.position - 1
                if not 0 <= last < len(args):
                    return None
                out.append(_print(piece.spec, piece.kind, args[last]))
        return "".join(out)
    except (_Refused, OverflowError, ValueError, MemoryError):
        return None


def java_format_array(
    fmt: str, columns: Sequence[pa.Array | pa.ChunkedArray], zone: str | tzinfo = "UTC"
) -> pa.StringArray:
    """:func:`java_format` row by row: one column per argument; 64-bit integer columns count as longs.

    >>> java_format_array("%s=%d", [pa.array(["a", "b"]), pa.array([1, None])]).to_pylist()
    ['a=1', 'b=null']
    """
    lists = []
    for column in columns:
        values = as_list(column)
        if pa.types.is_int64(column.type) or pa.types.is_uint64(column.type) or pa.types.is_uint32(column.type):
            values = [None if value is None else Long(value) for value in values]
        elif pa.types.is_date(column.type):
            values = [None if v is None else datetime(v.year, v.month, v.day) if type(v) is date else v for v in values]
        lists.append(values)
    return pa.array([java_format(fmt, row, zone) for row in zip(*lists, strict=True)], pa.string())
