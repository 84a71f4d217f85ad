"""Dates by SimpleDateFormat patterns, called from SQL: pattern, locale and zone are constant."""

from __future__ import annotations

import pyarrow as pa

from logsql.engine.ledger import LEDGERS
from logsql.udfbridge.counters import COUNTERS
from logsql.udfbridge.losses import SAMPLE, entry_of
from logsql.values.sql import MARK
from udfs.columns import Column, first
from udfs.java import dates


def date(texts: Column, pattern: Column, locale: Column, zone: Column) -> Column:
    """Text by a constant SimpleDateFormat pattern."""
    if not len(texts):
        return pa.array([], pa.timestamp("us", tz="UTC"))
    return dates.parse_array(texts, dates.compile_pattern(first(pattern), first(locale)), first(zone))


def date_told(texts: Column, places: Column, rule: Column, numbers: Column, entries: Column) -> Column:
    """Text by a date pattern; dates that are hardly meant are counted, a counter for each reason."""
    if not len(texts):
        return pa.array([], pa.timestamp("us", tz="UTC"))
    pattern, locale, zone = first(rule).split(MARK)
    made, rows = dates.parse_doubted(texts, dates.compile_pattern(pattern, locale), zone)
    if rows:
        run, _, source = entry_of(entries)
        source, _, unit = source.partition(MARK)
        ledger = LEDGERS.get(run)
        for doubt, number in zip(dates.Doubt, first(numbers).split(), strict=True):
            counter = COUNTERS[int(number)]
            for _ in rows.get(doubt, ()):
                counter.next()
            if ledger is not None and doubt in rows:
                row = rows[doubt][0]
                at, text = places[row].as_py(), str(texts[row].as_py())[:SAMPLE]
                ledger.sampled(source, doubt.value, text, unit or None, at)
    return made


def date_text(instants: Column, pattern: Column, locale: Column, zone: Column) -> Column:
    """Instants printed by a constant SimpleDateFormat pattern."""
    if not len(instants):
        return pa.array([], pa.string())
    return dates.format_array(instants, dates.compile_pattern(first(pattern), first(locale)), first(zone))
