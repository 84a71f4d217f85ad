"""What a query loses inside SQL, told to the ledger of its run."""

from __future__ import annotations

import pyarrow as pa

from logsql.engine.ledger import LEDGERS
from logsql.udfbridge.counters import COUNTERS
from logsql.values.sql import MARK
from udfs.columns import Column, as_list, first
from udfs.jsonrepeats import repeated_keys

#: Characters of the first value that are kept.
SAMPLE = 80


def lost(text: str | None, number: int, entry: str) -> bool:
    """False; the first text is the sample of an entry. SQL calls this for the first value of each place that counts,
    and for every so many more, when the counter of this number looks whether it goes on.
    """
    run, reason, source = entry.split(MARK, 2)
    ledger = LEDGERS.get(run)
    if ledger is not None and text is not None:
        ledger.sampled(source, reason, text[:SAMPLE])
    COUNTERS[number].look()
    return False


def lost_at(text: str | None, at: int | None, number: int, entry: str) -> bool:
    """False; the text of the row that stands first is the sample of an entry, and its place is told. SQL calls this for
    rows before the first one that is known, and for every so many more, as ``lost``.
    """
    run, reason, source, unit = entry.split(MARK, 3)
    ledger, counter = LEDGERS.get(run), COUNTERS[number]
    if ledger is not None and at is not None:
        counter.stands_at(at)
        ledger.sampled(source, reason, None if text is None else text[:SAMPLE], unit, at)
    counter.look()
    return False


def repeated_keys_of(texts: Column, numbers: Column, entries: Column) -> Column:
    """False for every JSON text; its keys that come again are counted by the counter of this number."""
    run, reason, source = entry_of(entries)
    count, ledger = COUNTERS[_number(numbers)].next, LEDGERS.get(run)
    for text in as_list(texts):
        for key in repeated_keys(text) if text else ():
            count()
            if ledger is not None:
                ledger.sampled(source, reason, key[:SAMPLE])
    return pa.array([False] * len(texts), pa.bool_())


def many_at(numbers: Column, entries: Column, values: int, sample: str) -> None:
    """Count so many values of a column by the counter of a number; ``sample`` is kept of the first."""
    run, reason, source = entry_of(entries)
    count = COUNTERS[_number(numbers)].next
    for _ in range(values):
        count()
    if (ledger := LEDGERS.get(run)) is not None:
        ledger.sampled(source, reason, sample[:SAMPLE])


def lost_many(counts: Column, entries: Column) -> Column:
    """False for every count of values; they are added up in the ledger of their run. Where the entry names the most
    that are counted, a larger count is "at least" that many."""
    run, reason, source = entry_of(entries)
    source, _, most = source.partition(MARK)
    ledger = LEDGERS.get(run)
    if ledger is not None and (count := sum(count or 0 for count in as_list(counts))):
        if most and count > int(most):
            ledger.uncounted(source, reason, int(most))
        else:
            ledger.lost(source, reason, count)
    return pa.array([False] * len(counts), pa.bool_())


def _number(numbers: Column) -> int:
    number = first(numbers)
    assert isinstance(number, int)
    return number


def entry_of(entries: Column) -> tuple[str, str, str]:
    """Run, reason and source (``logsql/planner/losses.py`` writes them)."""
    run, reason, source = (first(entries) or MARK * 2).split(MARK, 2)
    return run, reason, source


def list_cut(counts: Column, sources: Column, runs: Column) -> Column:
    """0 for every count of items that values() or array() left out; they are counted in the ledger of the run."""
    items = [count for count in as_list(counts) if count]
    ledger = LEDGERS.get(first(runs)) if items else None
    if ledger is not None:
        ledger.lost(first(sources), "list-cut", sum(items))
    return pa.array([0] * len(counts), pa.int64())
