"""Arrow types of the columns that a Python stage delivers, by the names that DuckDB gives their types."""

from __future__ import annotations

import pyarrow as pa

_SQL_ARROW: dict[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "UTINYINT": pa.uint8(),
    "USMALLINT": pa.uint16(),
    "UINTEGER": pa.uint32(),
    "UBIGINT": pa.uint64(),
    "REAL": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "BLOB": pa.binary(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
    "TIMESTAMP": pa.timestamp("us"),
    "DATE": pa.date32(),
}


def arrow_type(physical: str) -> pa.DataType:
    """Arrow type of a column that a stage delivers; VARIANT cannot cross and must be declared JSON."""
    if physical.endswith("[]"):
        return pa.list_(arrow_type(physical[:-2]))
    if physical.startswith("DECIMAL("):
        digits, scale = physical[8:-1].split(",")
        return pa.decimal128(int(digits), int(scale))
    return _SQL_ARROW[physical]
