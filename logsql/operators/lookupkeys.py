"""Keys of lookup tables: texts (language.md 8.4), numbers among numbers meet by value (decisions.md 25)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import DOUBLE, LONG, LType
from logsql.values.values import Typed

#: Metadata of a column of texts that were numbers: ``memlookup`` keeps what it is given as text.
_WERE = b"logsql.numbers"
_MARKS = {b"integer": LONG, b"double": DOUBLE}


def texts_of(name: str, type_: LType) -> pa.Field:
    """The Arrow column that keeps values of a type as text, and whether they were numbers."""
    mark = (b"integer" if type_.integer else b"double") if type_.number else b""
    return pa.field(name, pa.string(), metadata={_WERE: mark} if mark else None)


def key_type(table: Any, column: str, type_: LType) -> LType:
    """What the keys of a column of a lookup table are, that were perhaps numbers before they became text."""
    marks = table.schema.field(column).metadata or {}
    return _MARKS.get(marks.get(_WERE, b""), type_)


def key_text(value: Typed, keys: LType) -> Sql:
    """The text that is looked up among keys of a type: a number among numbers is written as they are, 1.0 as 1.

    Text stays text: ``"01"`` finds no 1, and 1.0 finds no key that is the text ``"1"``.
    """
    if not keys.number:
        return values.text_sql(value)
    if value.parts:
        return sql.coalesce(*(key_text(part, keys) for part in value.parts))
    if value.type.number:
        return _number_text(value, keys)
    number = values.number_sql(value)
    if number is None:
        return values.text_sql(value)
    written = _number_text(Typed(number, DOUBLE), keys)
    whole = values.integer_sql(value)
    if keys.integer and whole is not None:  # beyond 2^53 a double is another number
        written = sql.coalesce(sql.cast(whole, "VARCHAR"), written)
    return sql.coalesce(written, values.text_sql(value))


def _number_text(value: Typed, keys: LType) -> Sql:
    if not keys.integer:
        return values.text_sql(Typed(sql.cast(value.expr, keys.physical), keys))
    if value.type.integer:
        return values.text_sql(value)
    whole = sql.when(sql.eq(value.expr, sql.func("trunc", value.expr)), sql.try_cast(value.expr, "HUGEINT"))
    return sql.coalesce(sql.cast(whole, "VARCHAR"), values.text_sql(value))
