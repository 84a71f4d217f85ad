"""How field values become the float32 matrix the trees see, as rules that are stored with the model.

Contract
- One ``FeatureSpec`` per field: its kind, the offset subtracted before the cast to float32, and the dictionary of
texts.
- Trees see float32. The training minimum is subtracted in float64 first: one hour of epoch milliseconds has 28 distinct
  float32 values, and 3.6 million after the subtraction.
- Null and unseen text become NaN (both forests accept it); infinities are clipped to the largest float32.
- The rule of a field never depends on the rows being scored, so batches and single events agree bit for bit.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from logsql.diagnostics.messages import Text
from logsql.diagnostics.modeldata import (
    A_BOOLEAN,
    A_DATE,
    A_NUMBER,
    A_VECTOR,
    AN_ADDRESS,
    FIELD_NEEDED,
    LIST_LACKS,
    MAKE_OR_TRAIN_AGAIN,
    NO_CLASS,
    NO_FEATURE,
    NO_FEATURE_TYPE,
    NO_LABEL_TYPE,
    NO_ROWS,
    NULL_FIELD,
    ONE_CLASS,
    TARGET_MISSING,
    TEXT,
    TOO_MANY_VALUES,
    TRAINED_ON_OTHER,
    unknown_field,
)
from logsql.diagnostics.models import FIELDS_HERE, THE_ROWS, TRAINING_DATA, MlError, fields_note
from logsql.ml.defaults import MOST_NUMBERS
from logsql.ml.encoders import Choice, Encoder, codes, numbers_of
from logsql.ml.vectors import is_vector, scalar_vector, vector_numbers, vector_size

FLOAT32_MAX = float(np.finfo(np.float32).max)
# More texts than this do not make a useful feature, and the dictionary is stored with the model.
MAX_VALUES = 1_000_000


# IPv6 addresses follow the IPv4 range; their upper 64 bits (the network) count, the host part is beyond float
# precision.
IPV6_BASE = float(2**32)


class FeatureKind(StrEnum):
    NUMERIC = "NUMERIC"
    CATEGORICAL = "CATEGORICAL"
    DATE = "DATE"
    IP = "IP"
    BOOL = "BOOL"
    VECTOR = "VECTOR"


@dataclass(frozen=True)
class FeatureSpec:
    """The stored encoding rule of one field.

    offset: training minimum (float64), subtracted before the cast; values: dictionary of a CATEGORICAL field in code
    order; encoder: how its texts become numbers; numbers: those of the texts, empty where they are the codes; size:
    columns of the matrix that the field fills, more than one for a VECTOR.
    """

    name: str
    kind: FeatureKind
    offset: float = 0.0
    values: tuple[str, ...] = ()
    encoder: Encoder = Encoder.CODES
    numbers: tuple[float, ...] = ()
    size: int = 1
    codes: dict[str, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = self.numbers or range(len(self.values))
        object.__setattr__(self, "codes", dict(zip(self.values, map(float, numbers), strict=True)))

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"name": self.name, "kind": self.kind.value, "offset": self.offset}
        if self.kind is FeatureKind.CATEGORICAL:
            out["values"] = list(self.values)
        if self.encoder is not Encoder.CODES:
            out["encoder"], out["numbers"] = self.encoder.value, list(self.numbers)
        if self.kind is FeatureKind.VECTOR:
            out["size"] = self.size
        return out

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> FeatureSpec:
        """Raises ValueError, KeyError or TypeError on anything that ``to_json`` does not write."""
        offset = float(data["offset"])
        values = tuple(data.get("values", ()))
        if (
            not isinstance(data["name"], str)
            or not math.isfinite(offset)
            or not all(isinstance(v, str) for v in values)
        ):
            raise ValueError("feature rule")
        numbers, size = tuple(float(n) for n in data.get("numbers", ())), int(data.get("size", 1))
        if not all(map(math.isfinite, numbers)) or not 1 <= size <= MOST_NUMBERS:
            raise ValueError("numbers of a feature")
        encoder = Encoder(data.get("encoder", "codes"))
        return FeatureSpec(data["name"], FeatureKind(data["kind"]), offset, values, encoder, numbers, size)


def kind_of(column: pa.Array | pa.ChunkedArray) -> FeatureKind | None:
    """Kind of a training column; None for types that cannot be a feature (lists, maps, binary) or a column of nulls.

    A text column whose values are all IP addresses is IP: the language's ip type is carried as text.
    """
    kind = pa.types
    type_ = column.type.value_type if kind.is_dictionary(column.type) else column.type
    if kind.is_boolean(type_):
        return FeatureKind.BOOL
    if kind.is_integer(type_) or kind.is_floating(type_) or kind.is_decimal(type_) or kind.is_duration(type_):
        return FeatureKind.NUMERIC
    if kind.is_timestamp(type_) or kind.is_date(type_):
        return FeatureKind.DATE
    if _is_text(type_):
        return FeatureKind.IP if _all_addresses(column) else FeatureKind.CATEGORICAL
    return FeatureKind.VECTOR if is_vector(type_) else None


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _all_addresses(column: pa.Array | pa.ChunkedArray) -> bool:
    seen = False
    for value in column.slice(0, 1000).to_pylist():  # a cheap look first: most text fails at its first value
        if value is not None:
            seen = True
            if ip_number(value) is None:
                return False
    if not seen and column.null_count == len(column):
        return False
    return all(value is None or ip_number(value) is not None for value in pc.unique(column).to_pylist())


def ip_number(text: str) -> float | None:
    """Position of an address on one line: IPv4 as its integer, IPv6 after it by its upper 64 bits; None for other
    text."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.version == 4:
        return float(int(address))
    return IPV6_BASE + float(int(address) >> 64)


def build_features(rows: pa.Table, names: Sequence[str], choose: Choice = codes) -> tuple[FeatureSpec, ...]:
    """Encoding rules for ``names``, learnt from the training rows. choose: the encoder of a text field.

    Raises MlError: unknown field, no rows, a field that is null in every row, a type that cannot be a feature.
    """
    owner = TRAINING_DATA.fill()
    if not names:
        raise MlError(NO_FEATURE, notes=[fields_note(owner, rows.column_names)])
    if rows.num_rows == 0:
        raise MlError(NO_ROWS, notes=[fields_note(owner, rows.column_names)], owner=owner)
    return tuple(_build_feature(rows, name, owner, choose) for name in names)


def _build_feature(rows: pa.Table, name: str, owner: str, choose: Choice) -> FeatureSpec:
    if name not in rows.column_names:
        raise unknown_field(name, rows.column_names, owner)
    column = rows.column(name)
    if column.null_count == len(column):
        raise MlError(NULL_FIELD, notes=[fields_note(owner, rows.column_names)], name=name, rows=rows.num_rows)
    kind = kind_of(column)
    if kind is None:
        raise MlError(NO_FEATURE_TYPE, notes=[fields_note(owner, rows.column_names)], name=name, type=column.type)
    if kind is FeatureKind.CATEGORICAL:
        return _build_texts(name, as_text(column), choose)
    if kind is FeatureKind.VECTOR:
        return FeatureSpec(name, kind, size=vector_size(name, column, owner))
    numbers = as_numbers(kind, column)
    finite = numbers[np.isfinite(numbers)]
    offset = float(finite.min()) if len(finite) and kind is not FeatureKind.BOOL else 0.0
    return FeatureSpec(name, kind, offset)


def _build_texts(name: str, column: pa.Array | pa.ChunkedArray, choose: Choice) -> FeatureSpec:
    counted = pc.value_counts(column)
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    found = {value: count for value, count in pairs if value is not None}
    if len(found) > MAX_VALUES:
        raise MlError(TOO_MANY_VALUES, name=name, count=len(found), limit=MAX_VALUES)
    encoder = choose(len(found))
    values, numbers = numbers_of(encoder, list(found), list(found.values()), len(column))
    return FeatureSpec(name, FeatureKind.CATEGORICAL, 0.0, values, encoder, numbers)


def as_text(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Column as the texts a dictionary holds."""
    if pa.types.is_floating(column.type):  # Arrow prints 1.0 as "1"; the language prints "1.0"
        return pa.array([None if v is None else repr(v) for v in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def as_numbers(kind: FeatureKind, column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Column as float64 with NaN for null, before offset and cast."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if kind is FeatureKind.IP:
        encoded = column.dictionary_encode()
        table = [ip_number(str(value)) for value in encoded.dictionary.to_pylist()]
        column = pa.array(table, pa.float64()).take(encoded.indices)
    elif kind is FeatureKind.DATE:
        column = column.cast(pa.timestamp("ms"), safe=False) if pa.types.is_date(column.type) else column
        zone = getattr(column.type, "tz", None)
        column = column.cast(pa.timestamp("ms", tz=zone), safe=False).cast(pa.int64())
    elif pa.types.is_duration(column.type):
        column = column.cast(pa.duration("ms"), safe=False).cast(pa.int64())
    elif pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    out: NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return out


def _codes_of(spec: FeatureSpec, column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    found = pc.index_in(as_text(column), value_set=pa.array(list(spec.values), pa.string()))
    if spec.numbers:
        found = pa.array(spec.numbers, pa.float64()).take(found)
    out: NDArray[np.float64] = found.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return out


def width_of(specs: Sequence[FeatureSpec]) -> int:
    """Columns of the matrix of these fields."""
    return sum(spec.size for spec in specs)


def per_field(specs: Sequence[FeatureSpec], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums per field of what stands per column of the matrix, along the last axis."""
    if all(spec.size == 1 for spec in specs):
        return values
    starts = np.concatenate(([0], np.cumsum([spec.size for spec in specs])[:-1]))
    out: NDArray[np.float64] = np.add.reduceat(values, starts, axis=-1)
    return out


def encode(specs: Sequence[FeatureSpec], rows: pa.Table) -> NDArray[np.float32]:
    """Rows as the matrix the trees see, shape (rows, columns), float32, row-major; null and unseen text are NaN.

    A field has one column, a vector one for each of its numbers. The columns must have passed ``check_schema``.
    Raises MlError on a vector of another length than those of the training.
    """
    matrix = np.empty((rows.num_rows, width_of(specs)), dtype=np.float32)
    position = -1
    for spec in specs:
        column = rows.column(spec.name)
        position += 1
        if spec.kind is FeatureKind.VECTOR:
            matrix[:, position : position + spec.size] = vector_numbers(spec.name, column, spec.size)
            position += spec.size - 1
        elif spec.kind is FeatureKind.CATEGORICAL:
            matrix[:, position] = _codes_of(spec, column)
        else:
            numbers = as_numbers(spec.kind, column)
            matrix[:, position] = np.clip(numbers - spec.offset, -FLOAT32_MAX, FLOAT32_MAX)
    return matrix


def not_learnt(spec: FeatureSpec, column: pa.Array | pa.ChunkedArray) -> pa.Array | None:
    """Which texts become a missing value: those the training has not seen, and those that are no address where it saw
    addresses. None for other kinds."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if spec.kind not in (FeatureKind.CATEGORICAL, FeatureKind.IP) or pa.types.is_null(column.type):
        return None
    if spec.kind is FeatureKind.CATEGORICAL:
        known = pc.is_in(as_text(column), value_set=pa.array(list(spec.values), pa.string()))
    else:
        encoded = column.cast(pa.string()).dictionary_encode()
        fits = [ip_number(value) is not None for value in encoded.dictionary.to_pylist()]
        known = pa.array(fits, pa.bool_()).take(encoded.indices).fill_null(True)
    return pc.and_(column.is_valid(), pc.invert(known))


# --- checking the rows to be scored ---------------------------------------------------------------------------------

_LOOKS_LIKE: dict[FeatureKind, tuple[Text, str]] = {
    FeatureKind.NUMERIC: (A_NUMBER, "double"),
    FeatureKind.DATE: (A_DATE, "date"),
    FeatureKind.IP: (AN_ADDRESS, "ip"),
    FeatureKind.BOOL: (A_BOOLEAN, "bool"),
    FeatureKind.CATEGORICAL: (TEXT, "string"),
    FeatureKind.VECTOR: (A_VECTOR, "array"),
}


def _accepts(kind: FeatureKind, type_: pa.DataType) -> bool:
    types = pa.types
    if types.is_dictionary(type_):
        type_ = type_.value_type
    if types.is_null(type_):
        return True
    number = types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_) or types.is_boolean(type_)
    if kind is FeatureKind.NUMERIC:
        return bool(number or types.is_duration(type_))
    if kind is FeatureKind.DATE:
        return bool(types.is_timestamp(type_) or types.is_date(type_))
    if kind is FeatureKind.IP:
        return _is_text(type_)
    if kind is FeatureKind.BOOL:
        return bool(number)
    if kind is FeatureKind.VECTOR:
        return is_vector(type_)
    return bool(_is_text(type_) or number)


def check_schema(specs: Sequence[FeatureSpec], schema: pa.Schema, owner: str) -> None:
    """Refuse rows that lack a field of the model or carry it in another type than it was trained on.

    Raises MlError naming the field, what it was trained on, and the model's own field list.
    """
    names = [spec.name for spec in specs]
    for spec in specs:
        if spec.name not in schema.names:
            raise MlError(
                FIELD_NEEDED,
                help=MAKE_OR_TRAIN_AGAIN.fill(count=len(names)),
                notes=[fields_note(owner, names), FIELDS_HERE.fill(fields=", ".join(schema.names))],
                owner=owner,
                name=spec.name,
            )
        type_ = schema.field(spec.name).type
        if not _accepts(spec.kind, type_):
            what, function = _LOOKS_LIKE[spec.kind]
            raise MlError(
                TRAINED_ON_OTHER,
                notes=[fields_note(owner, [f"{s.name} ({s.kind})" for s in specs])],
                name=spec.name,
                found=TEXT.fill() if _is_text(type_) else str(type_),
                owner=owner,
                wanted=what.fill(),
                function=function,
            )


def check_list(specs: Sequence[FeatureSpec], wanted: Sequence[str] | None, owner: str) -> None:
    """Check the field list written after ``model=``: by name, in any order, exactly the model's fields."""
    if wanted is None:
        return
    names = [spec.name for spec in specs]
    for name in wanted:
        if name not in names:
            raise unknown_field(name, names, owner)
    missing = [name for name in names if name not in wanted]
    if missing:
        raise MlError(LIST_LACKS, notes=[fields_note(owner, names)], fields=", ".join(missing), owner=owner)


# --- single events ----------------------------------------------------------------------------------------------------


def row_encoder(specs: Sequence[FeatureSpec]) -> Callable[[Mapping[str, Any]], list[float]]:
    """A function from one event (field -> Python value) to the numbers of its vector, equal to ``encode`` on a table.

    A missing field is null; a value of another type than trained becomes NaN (a bad value never stops a stream).
    """
    steps = [(spec, _SCALAR[spec.kind]) for spec in specs]

    def encode_row(row: Mapping[str, Any]) -> list[float]:
        out = []
        for spec, number in steps:
            value = row.get(spec.name)
            if spec.kind is FeatureKind.VECTOR:
                out += scalar_vector(value, spec.size)
                continue
            raw = math.nan if value is None else number(spec, value)
            out.append(min(max(raw - spec.offset, -FLOAT32_MAX), FLOAT32_MAX) if raw == raw else raw)
        return out

    return encode_row


def _scalar_number(spec: FeatureSpec, value: Any) -> float:
    if isinstance(value, (int, float, Decimal)):
        return float(value)
    return value / dt.timedelta(milliseconds=1) if isinstance(value, dt.timedelta) else math.nan


def _scalar_date(spec: FeatureSpec, value: Any) -> float:
    if isinstance(value, dt.datetime):
        start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC if value.tzinfo else None)
        micro = (value - start) // dt.timedelta(microseconds=1)
        return float(micro // 1000 if micro >= 0 else -(-micro // 1000))  # towards zero, as the Arrow cast does
    return float((value - dt.date(1970, 1, 1)).days * 86_400_000) if isinstance(value, dt.date) else math.nan


def _scalar_ip(spec: FeatureSpec, value: Any) -> float:
    number = ip_number(value) if isinstance(value, str) else None
    return math.nan if number is None else number


def _scalar_text(spec: FeatureSpec, value: Any) -> float:
    return float(spec.codes.get(label_text(value), math.nan))


_SCALAR: dict[FeatureKind, Callable[[FeatureSpec, Any], float]] = {
    FeatureKind.NUMERIC: _scalar_number,
    FeatureKind.BOOL: _scalar_number,
    FeatureKind.DATE: _scalar_date,
    FeatureKind.IP: _scalar_ip,
    FeatureKind.CATEGORICAL: _scalar_text,
    FeatureKind.VECTOR: _scalar_number,
}


# --- labels -----------------------------------------------------------------------------------------------------------


def label_text(value: Any) -> str:
    """Text of a label or category: the language's own text of the value (true, 1, 1.0)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


#: Types a label keeps, by the SQL type that holds it; ``IP`` is text that is an address. Others are text.
LABEL_TYPES: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "IP": pa.string(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "UBIGINT": pa.uint64(),
    "REAL": pa.float32(),
    "DOUBLE": pa.float64(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
}


def label_type(field: pa.Field) -> str:
    """The key of ``LABEL_TYPES`` for a target column."""
    kind, type_ = pa.types, field.type
    if kind.is_integer(type_):
        narrow = type_.bit_width < 32 or type_ == pa.int32()
        return "INTEGER" if narrow else "UBIGINT" if type_ == pa.uint64() else "BIGINT"
    if kind.is_decimal(type_):
        return "BIGINT" if type_.scale == 0 else "DOUBLE"
    if kind.is_timestamp(type_) or kind.is_date(type_):
        return "TIMESTAMP WITH TIME ZONE"
    if _is_text(type_):
        return "IP" if (field.metadata or {}).get(b"logsql.type") == b"ip" else "VARCHAR"
    return next((name for name, arrow in LABEL_TYPES.items() if arrow == type_), "VARCHAR")


def typed_classes(classes: Sequence[str], type_: str) -> pa.Array:
    """Class texts as values of the label's type. Raises ValueError on a text that is none, KeyError on another type."""
    arrow = LABEL_TYPES[type_]
    if pa.types.is_boolean(arrow):
        return pa.array([{"true": True, "false": False}[text] for text in classes], arrow)
    if pa.types.is_timestamp(arrow):
        return pa.array([dt.datetime.fromisoformat(text) for text in classes], arrow)
    if pa.types.is_floating(arrow):
        return pa.array([float(text) for text in classes], arrow)
    if pa.types.is_string(arrow):
        return pa.array(list(classes), arrow)
    return pa.array([int(text) for text in classes], arrow)


def label_texts(rows: pa.Table, target: str) -> tuple[list[str], NDArray[np.bool_]]:
    """The label of each row that has one, as the text of its class; and which rows have one. Raises MlError."""
    if target not in rows.column_names:
        raise MlError(TARGET_MISSING, name=target, owner=THE_ROWS.fill())
    column = rows.column(target).combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    type_ = label_type(rows.schema.field(target).with_type(column.type))
    if pa.types.is_decimal(column.type) or type_ == "TIMESTAMP WITH TIME ZONE":
        column = column.cast(LABEL_TYPES[type_], safe=False)
    values = column.to_pylist()
    return [label_text(v) for v in values if v is not None], np.array([v is not None for v in values], dtype=np.bool_)


@dataclass(frozen=True)
class Labels:
    """Target column of a training set: class texts in code order, and a code per kept row (null targets are left
    out). type: key of ``LABEL_TYPES``."""

    classes: tuple[str, ...]
    codes: NDArray[np.int64]
    kept: NDArray[np.bool_]
    type: str = "VARCHAR"


def labels(rows: pa.Table, target: str) -> Labels:
    """Class codes of the target field. Raises MlError: no such field, all null, or fewer than two classes."""
    names, owner = rows.column_names, TRAINING_DATA.fill()
    if target not in names:
        near = unknown_field(target, names, owner)
        raise MlError(TARGET_MISSING, help=near.help, notes=near.notes, name=target, owner=owner)
    column = rows.column(target).combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_primitive(column.type) or _is_text(column.type) or pa.types.is_null(column.type)):
        raise MlError(NO_LABEL_TYPE, name=target, type=column.type)
    type_ = label_type(rows.schema.field(target).with_type(column.type))
    if pa.types.is_decimal(column.type) or type_ == "TIMESTAMP WITH TIME ZONE":
        column = column.cast(LABEL_TYPES[type_], safe=False)
    text = pa.array([None if v is None else label_text(v) for v in pc.unique(column).to_pylist()], pa.string())
    classes = tuple(sorted(value for value in text.to_pylist() if value is not None))
    if len(classes) < 2:
        notes = [fields_note(owner, names)]
        if classes:
            raise MlError(ONE_CLASS, notes=notes, name=target, value=classes[0], rows=rows.num_rows)
        raise MlError(NO_CLASS, notes=notes, name=target, rows=rows.num_rows)
    encoded = column.dictionary_encode()
    position = {value: code for code, value in enumerate(classes)}
    lookup = [position[label_text(value)] for value in encoded.dictionary.to_pylist()]
    numbers = pa.array(lookup, pa.int64()).take(encoded.indices)
    kept = numbers.is_valid().to_numpy(zero_copy_only=False)
    return Labels(classes, numbers.fill_null(0).to_numpy(zero_copy_only=False)[kept], kept, type_)
