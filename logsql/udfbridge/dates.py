"""Dates by SimpleDateFormat patterns, called from SQL: pattern, locale and zone are constant."""

from __future__ import annotations

import pyarrow as pa

from udfs.columns import Column, first
from udfs.java import dates


def date(texts: Column, pattern: Column, locale: Column, zone: Column) -> Column:
    """Text by a constant SimpleDateFormat pattern."""
    if not len(texts):
        return pa.array([], pa.timestamp("us", tz="UTC"))
    return dates.parse_array(texts, dates.compile_pattern(first(pattern), first(locale)), first(zone))


def date_text(instants: Column, pattern: Column, locale: Column, zone: Column) -> Column:
    """Instants printed by a constant SimpleDateFormat pattern."""
    if not len(instants):
        return pa.array([], pa.string())
    return dates.format_array(instants, dates.compile_pattern(first(pattern), first(locale)), first(zone))
