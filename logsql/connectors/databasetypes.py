"""What becomes of PostgreSQL's types: how a column is asked for, how it crosses, and its type in the language.

ADBC delivers addresses as the bytes of the wire, lists of lists as one flat list, and cannot read rows inside rows:
such columns are asked for in another form, which the server writes. So is ``numeric``: ADBC makes the same text of the
digits of the wire, but one by one (75 ms of 200,000 numbers), and the server writes it in the time that digits take it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logsql.diagnostics.databases import NO_DATE, NO_DECIMAL, NOT_DECIMAL, NOT_UTF8
from logsql.planner.connections.databases import SCALES, DbField
from logsql.values.types import (
    ANY_JSON,
    BINARY,
    BOOL,
    DATE,
    DOUBLE,
    FLOAT,
    HUGE,
    INT,
    IP,
    LONG,
    SHORT,
    STRING,
    Kind,
    LType,
)

if TYPE_CHECKING:
    from logsql.planner.runtime import Losses

#: Most digits of a DECIMAL.
DIGITS = 38
_ORIGIN = 4  # PostgreSQL adds the length of a header to the modifier of a type

_PLAIN: dict[str, tuple[LType, str]] = {
    "bool": (BOOL, "BOOLEAN"),
    "int2": (SHORT, "SMALLINT"),
    "int4": (INT, "INTEGER"),
    "int8": (LONG, "BIGINT"),
    "float4": (FLOAT, "REAL"),
    "float8": (DOUBLE, "DOUBLE"),
    "text": (STRING, "VARCHAR"),
    "varchar": (STRING, "VARCHAR"),
    "bpchar": (STRING, "VARCHAR"),
    "name": (STRING, "VARCHAR"),
    "bytea": (BINARY, "BLOB"),
    "timestamptz": (DATE, DATE.physical),
    "timestamp": (DATE, "TIMESTAMP"),
    "date": (DATE, "DATE"),
    "json": (ANY_JSON, "JSON"),
    "jsonb": (ANY_JSON, "JSON"),
    "inet": (IP, "VARCHAR"),
    "cidr": (STRING, "VARCHAR"),
}
#: Arrow's types of what DuckDB takes as it is.
_ARROW: dict[str, pa.DataType] = {
    "TIMESTAMP": pa.timestamp("us"),
    "DATE": pa.date32(),
    DATE.physical: pa.timestamp("us", "UTC"),
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BLOB": pa.binary(),
}

Convert = Callable[[pa.Array, "Losses"], list[pa.Array]]


@dataclass(frozen=True)
class Wire:
    """How one column comes: ``form`` (of SQL, over the column) is None where it is asked for as it is."""

    field: DbField
    form: Callable[[str], str] | None
    convert: Convert


def wire(column: pa.Field, seen: Sequence[pa.Array] | None = None, whole: bool = False) -> Wire:
    """How a column of an answer comes.

    ``seen``: its first values, and ``whole`` whether these are all of them; numbers without a declared size are given
    the type that fits them.
    """
    kind = type_of(column)
    if kind in _PLAIN:
        type_, crossing = _PLAIN[kind]
        return Wire(DbField(column.name, type_, crossing), None, _converter(kind, column.name, crossing))
    if kind == "numeric":
        return _numeric(column, seen, whole)
    if kind in ("oid", "xid", "cid"):  # 32 bits without a sign, which ADBC takes for a sign
        # by way of text: PostgreSQL knows no cast of xid to a number (pg_stat_activity has two of them)
        return Wire(DbField(column.name, LONG, "BIGINT"), lambda name: f"CAST(CAST({name} AS text) AS int8)", _same)
    if kind.startswith("_") or pa.types.is_list(column.type) or pa.types.is_struct(column.type) or kind == "record":
        return Wire(DbField(column.name, ANY_JSON, "JSON"), lambda name: f"to_jsonb({name})", _storage)
    if pa.types.is_string(column.type):
        return Wire(DbField(column.name, STRING, "VARCHAR"), None, _storage)
    return Wire(DbField(column.name, STRING, "VARCHAR"), lambda name: f"CAST({name} AS text)", _storage)


def type_of(column: pa.Field) -> str:
    """The server's name of a column's type."""
    meta = column.metadata or {}
    found: bytes = meta.get(b"POSTGRESQL:type") or meta.get(b"ADBC:postgresql:typname") or b"text"
    return found.decode()


def bare(array: pa.Array) -> pa.Array:
    """An array without what Arrow knows of its meaning (``arrow.json``, ``arrow.opaque``)."""
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def readable(array: pa.Array, name: str, loss: Losses) -> pa.Array:
    """A column of a database without an encoding (SQL_ASCII): bytes that are no UTF-8 become U+FFFD and are counted."""
    text = bare(array)
    if not pa.types.is_string(text.type):
        return array
    raw = text.cast(pa.binary())
    try:
        raw.cast(pa.string())  # what PostgreSQL did not look at, nor does ADBC
    except pa.ArrowInvalid:
        values = [None if one is None else one.decode(errors="replace") for one in raw.to_pylist()]
        texts = pa.array(values, pa.string())
        changed = pc.filter(texts, pc.not_equal(texts.cast(pa.binary()), raw))
        loss.lost(f"db field={name}", NOT_UTF8.name, len(changed), sample=changed[0].as_py()[:40])
        return texts
    return array


def _same(array: pa.Array, loss: Losses) -> list[pa.Array]:
    return [array]


def _storage(array: pa.Array, loss: Losses) -> list[pa.Array]:
    return [bare(array)]


def _converter(kind: str, name: str, crossing: str) -> Convert:
    if kind in ("timestamptz", "timestamp", "date"):
        return _Dates(name, _ARROW[crossing])
    if kind in ("inet", "cidr"):
        return lambda array, loss: [addresses(bare(array))]
    return _storage


# --- dates ------------------------------------------------------------------------------------------------------------

#: Microseconds and days from 4714 BC, where PostgreSQL's dates begin, to the year 294246, where DuckDB's end. ADBC adds
#: the years between 2000 and 1970 without a look: ``infinity`` and the years behind it turn up before all of these.
_MICROS = (-220_000_000_000_000_000, 9_223_280_000_000_000_000)
_DAYS = (-2_500_000, 106_750_000)


@dataclass(frozen=True)
class _Dates:
    """Dates without those that are infinite, which become null and are counted."""

    name: str
    type: pa.DataType

    def __call__(self, array: pa.Array, loss: Losses) -> list[pa.Array]:
        days = pa.types.is_date32(self.type)
        whole = array.view(pa.int32()) if days else array.view(pa.int64())
        low, most = _DAYS if days else _MICROS
        bounds = pc.min_max(whole).as_py()
        if bounds["min"] is not None and not low <= bounds["min"] <= (bounds["max"] or 0) <= most:
            out = pc.fill_null(pc.or_(pc.less(whole, low), pc.greater(whole, most)), False)
            loss.lost(f"db field={self.name}", NO_DATE.name, pc.sum(out).as_py(), sample="infinity")
            array = pc.if_else(out, pa.scalar(None, array.type), array)
        return [array if array.type == self.type else array.cast(self.type)]


# --- addresses --------------------------------------------------------------------------------------------------------


def address(raw: bytes) -> str:
    """An ``inet`` or ``cidr`` as PostgreSQL sends it: family, bits, whether it is a network, length, address.

    >>> address(bytes([2, 32, 0, 4, 10, 0, 0, 1])), address(bytes([2, 8, 1, 4, 10, 0, 0, 0]))
    ('10.0.0.1', '10.0.0.0/8')
    """
    found = ipaddress.ip_address(raw[4 : 4 + raw[3]])
    return str(found) if raw[1] == found.max_prefixlen else f"{found}/{raw[1]}"


#: The first bytes of one address of IPv4, as an ``inet`` and as a ``cidr``.
_V4 = pa.array([bytes([2, 32, 0, 4]), bytes([2, 32, 1, 4])], pa.binary())
_OCTETS = pa.array(map(str, range(256)), pa.string())


def addresses(array: pa.Array) -> pa.Array:
    """Addresses as text, each different one written once; those of IPv4 without a step of Python for each."""
    coded = array.dictionary_encode()
    different = coded.dictionary
    plain = pc.is_in(pc.binary_slice(different, 0, 4), _V4)
    others = pa.array([address(one) for one in different.filter(pc.invert(plain)).to_pylist()], pa.string())
    return pc.replace_with_mask(_dotted(different, plain), pc.invert(plain), others).take(coded.indices)


def _dotted(wires: pa.Array, plain: pa.Array) -> pa.Array:
    """The texts of addresses of IPv4 that are ``plain``, null for the others."""
    raw = np.frombuffer(b"".join(wires.filter(plain).to_pylist()), np.uint8).reshape(-1, 8)
    parts = [_OCTETS.take(pa.array(raw[:, at])) for at in range(4, 8)]
    texts = pc.binary_join_element_wise(*parts, ".")
    return pc.replace_with_mask(pa.nulls(len(wires), pa.string()), plain, texts)


# --- numbers ----------------------------------------------------------------------------------------------------------

#: As PostgreSQL writes them.
_SPELLED = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"


def _written(name: str) -> str:
    return f"CAST({name} AS text)"


def _numeric(column: pa.Field, seen: Sequence[pa.Array] | None, whole: bool) -> Wire:
    """``numeric(p, s)`` as DECIMAL(p, s); without a size, or with more than 38 digits, by its values."""
    size = declared(column)
    if size is not None:
        type_, crossing = decimal_type(*size)
        return Wire(DbField(column.name, type_, crossing), _written, Decimals(column.name, crossing))
    if seen is None:  # a plan that is only looked at
        return Wire(DbField(column.name, DOUBLE, "DOUBLE"), _written, _storage)
    digits, scale, other = measured(seen)
    if whole and not other and digits + scale <= DIGITS:
        type_, crossing = decimal_type(max(digits + scale, 1), scale)
        return Wire(DbField(column.name, type_, crossing), _written, Decimals(column.name, crossing))
    if not whole:  # what follows may be larger and finer
        scale = min(max(scale, 6), max(scale, DIGITS - digits - 6), DIGITS)
    type_, crossing = LType(Kind.DOUBLE, f"DECIMAL({DIGITS},{scale})"), f"DECIMAL({DIGITS},{scale})"
    parts = ((crossing, type_), ("VARCHAR", STRING))
    return Wire(DbField(column.name, STRING, "", parts), _written, Decimals(column.name, crossing, texts=True))


def declared(column: pa.Field) -> tuple[int, int] | None:
    """Digits and scale of a declared ``numeric``; None without, or where 38 digits do not hold it."""
    modifier = int((column.metadata or {}).get(b"POSTGRESQL:typmod", b"-1"))
    if modifier < _ORIGIN:
        return None
    digits = (modifier - _ORIGIN) >> 16 & 0xFFFF
    scale = (modifier - _ORIGIN) & 0x7FF
    scale = scale - 2048 if scale >= 1024 else scale
    if scale < 0:
        digits, scale = digits - scale, 0
    digits = max(digits, scale)
    return (digits, scale) if digits <= DIGITS else None


def decimal_type(digits: int, scale: int) -> tuple[LType, str]:
    """The type of numbers of so many digits, and how it crosses: whole numbers are integers of the language."""
    if scale == 0 and digits <= 18:
        return LONG, "BIGINT"
    if scale == 0:
        return HUGE, f"DECIMAL({DIGITS},0)"
    return LType(Kind.DOUBLE, f"DECIMAL({digits},{scale})"), f"DECIMAL({digits},{scale})"


def measured(arrays: Sequence[pa.Array]) -> tuple[int, int, bool]:
    """Most digits before and behind the point of numbers as text, zeros at the ends aside; and whether any is none of
    38 digits with the others (NaN, Infinity, 40 digits)."""
    texts = pa.chunked_array([bare(array) for array in arrays], pa.string()).drop_null()
    point = pc.find_substring(texts, ".")
    finest = pc.max(pc.if_else(pc.less(point, 0), 0, _behind(texts, point))).as_py() or 0
    if finest <= DIGITS:
        try:
            bounds = pc.min_max(texts.cast(pa.decimal128(DIGITS, finest))).as_py()
        except pa.ArrowInvalid:
            return _measured_apart(texts)
        most = max((len(str(abs(int(one)))) for one in bounds.values() if one is not None and int(one)), default=0)
        return most, finest and (pc.max(_sizes(texts)[2]).as_py() or 0), False
    return _measured_apart(texts)


def _measured_apart(texts: pa.ChunkedArray) -> tuple[int, int, bool]:
    """As :func:`measured`, of texts that are not all numbers of one DECIMAL."""
    number, before, behind = _sizes(texts)
    fits = pc.and_(number, pc.less_equal(pc.add(before, behind), DIGITS))
    other = not pc.all(fits).as_py()
    most, finest = pc.max(before.filter(fits)).as_py() or 0, pc.max(behind.filter(fits)).as_py() or 0
    if most + finest > DIGITS:  # what is large stays a number, what is fine beside it becomes text
        most, finest, other = most, DIGITS - most, True
    return most, finest, other


def _behind(texts: pa.ChunkedArray, point: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.subtract(pc.subtract(pc.binary_length(texts), point), 1)


def _sizes(texts: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray, pa.ChunkedArray]:
    """Whether each is a number, and how many digits stand before and behind its point: a zero before the point takes no
    digit, zeros at the end neither."""
    point = pc.find_substring(texts, ".")
    whole = pc.less(point, 0)
    signs = pc.add(
        pc.starts_with(texts, "-").cast(pa.int32()), pc.match_substring_regex(texts, "^-?0").cast(pa.int32())
    )
    before = pc.subtract(pc.if_else(whole, pc.binary_length(texts), point), signs)
    behind = pc.if_else(whole, 0, _behind(pc.ascii_rtrim(texts, "0"), point))
    return pc.match_substring_regex(texts, _NUMBER), before, behind


def decimal_of(crossing: str) -> pa.DataType:
    """Arrow's type of ``DECIMAL(p,s)``, ``BIGINT`` or ``DOUBLE``."""
    if crossing == "BIGINT":
        return pa.int64()
    digits, scale = re.findall(r"\d+", crossing)
    return pa.decimal128(int(digits), int(scale))


@dataclass(frozen=True)
class Decimals:
    """Numbers that come as text. ``texts``: what does not fit stays text, in a column of its own; else it is null."""

    name: str
    crossing: str
    texts: bool = False

    def __call__(self, array: pa.Array, loss: Losses) -> list[pa.Array]:
        text = bare(array)
        wanted = decimal_of(self.crossing)
        try:
            found = _numbers(text, wanted)
        except pa.ArrowInvalid:
            return self._apart(text, wanted, loss)
        return [found, pa.nulls(len(text), pa.string())] if self.texts else [found]

    def _apart(self, text: pa.Array, wanted: pa.DataType, loss: Losses) -> list[pa.Array]:
        """What fits as numbers; the others are counted."""
        fits = self._fits(text, wanted)
        numbers = pc.if_else(fits, _short(text), pa.scalar(None, pa.string()))
        other = text.filter(pc.invert(fits))
        row = NOT_DECIMAL if self.texts else NO_DECIMAL
        if lost := len(other) - other.null_count:
            sample = other.drop_null()[0].as_py()
            loss.lost(f"db field={self.name}", row.name, lost, sample=_SPELLED.get(sample, sample)[:40])
        found = [_numbers(numbers, wanted)]
        return [*found, spelled(pc.if_else(fits, pa.scalar(None, pa.string()), text))] if self.texts else found

    def _fits(self, text: pa.Array, wanted: pa.DataType) -> pa.Array:
        """Which are numbers of the type; null is none."""
        number, before, behind = _sizes(text)
        whole = pa.types.is_integer(wanted)
        digits, scale = (18, 0) if whole else (wanted.precision, wanted.scale)
        sized = pc.and_(pc.less_equal(before, digits - scale), pc.less_equal(behind, scale))
        return pc.fill_null(pc.and_(number, sized), False)


@dataclass(frozen=True)
class Digits:
    """Numbers as text without zeros at the end; those that no decimal holds are counted."""

    name: str

    def __call__(self, array: pa.Array, loss: Losses) -> list[pa.Array]:
        text = spelled(bare(array))
        number, before, behind = _sizes(text)
        held = pa.array([False]).take(pa.array([0] * len(text), pa.int8()))
        for scale in SCALES:
            held = pc.or_(held, pc.and_(pc.less_equal(before, DIGITS - scale), pc.less_equal(behind, scale)))
        other = text.filter(pc.invert(pc.and_(number, held)))
        if len(other):
            loss.lost(f"db field={self.name}", NOT_DECIMAL.name, len(other), sample=other[0].as_py()[:40])
        return [_short(text)]


def _short(texts: pa.Array) -> pa.Array:
    """Numbers as text without zeros at the end: 1 and 27 zeros before the point, 16 behind it have 38 digits."""
    return pc.if_else(pc.match_substring(texts, "."), pc.ascii_rtrim(pc.ascii_rtrim(texts, "0"), "."), texts)


def _numbers(text: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Texts as numbers. Raises ArrowInvalid where one is none: "3.0000" is a whole number all the same."""
    return (text.cast(pa.decimal128(DIGITS, 0)) if pa.types.is_integer(wanted) else text).cast(wanted)


def spelled(texts: pa.Array) -> pa.Array:
    """Texts as PostgreSQL writes them."""
    for ours, theirs in _SPELLED.items():
        texts = pc.if_else(pc.equal(texts, ours), theirs, texts)
    return texts
