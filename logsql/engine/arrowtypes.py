"""Arrow types as the SQL types and logical types under which DuckDB reads them."""

from __future__ import annotations

import pyarrow as pa

from logsql.planner.catalog import SourceColumn


def arrow_columns(schema: pa.Schema) -> tuple[SourceColumn, ...]:
    """Source columns of an Arrow schema; field metadata ``logsql.type`` names the logical type where Arrow cannot."""
    return tuple(SourceColumn(f.name, arrow_sql_type(f.type), _logical(f)) for f in schema)


def _logical(field: pa.Field) -> str | None:
    value = (field.metadata or {}).get(b"logsql.type")
    text = value.decode() if value else None
    return "json" if text == "any" else text  # a mixed column is JSON text


_ARROW_SQL = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "halffloat": "FLOAT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "string_view": "VARCHAR",
    "binary": "BLOB",
    "large_binary": "BLOB",
    "binary_view": "BLOB",
    "date32[day]": "DATE",
    "date64[ms]": "DATE",
    "null": '"NULL"',
}


def arrow_sql_type(type_: pa.DataType) -> str:
    """DuckDB's name for the type in which it reads an Arrow column."""
    if pa.types.is_dictionary(type_):
        return arrow_sql_type(type_.value_type)
    if pa.types.is_timestamp(type_):
        return "TIMESTAMP WITH TIME ZONE" if type_.tz else "TIMESTAMP"
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return f"{arrow_sql_type(type_.value_type)}[]"
    if pa.types.is_struct(type_):
        return "STRUCT()"
    if pa.types.is_map(type_):
        return "MAP()"
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision},{type_.scale})"
    if pa.types.is_fixed_size_binary(type_):
        return "BLOB"
    return _ARROW_SQL.get(str(type_), "VARCHAR")
