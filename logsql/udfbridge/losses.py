"""What a query loses inside SQL, told to the ledger of its run."""

from __future__ import annotations

import pyarrow as pa

from logsql.engine.ledger import LEDGERS
from udfs.columns import Column, as_list, first

#: Characters of the first value that are kept.
_SAMPLE = 80


def lost(texts: Column, entries: Column) -> Column:
    """False for every value, each counted in the ledger of its run; the first text that is there is the sample."""
    if len(texts):
        sample = next((str(v) for v in texts.to_pylist() if v is not None), None) if texts.null_count else None
        if sample is None and not texts.null_count:
            sample = str(texts[0].as_py())
        _count(entries, len(texts), sample)
    return pa.array([False] * len(texts), pa.bool_())


def lost_many(counts: Column, entries: Column) -> Column:
    """False for every count of values; they are added up in the ledger of their run."""
    _count(entries, sum(count or 0 for count in as_list(counts)), None)
    return pa.array([False] * len(counts), pa.bool_())


def _count(entries: Column, count: int, sample: str | None) -> None:
    """Tell the run that the entry names (``logsql/planner/losses.py`` writes it)."""
    run, reason, source = (first(entries) or "\x1f\x1f").split("\x1f", 2)
    ledger = LEDGERS.get(run) if count else None
    if ledger is not None:
        ledger.lost(source, reason, count, sample=None if sample is None else sample[:_SAMPLE])


def list_cut(counts: Column, sources: Column, runs: Column) -> Column:
    """0 for every count of items that values() or array() left out; they are counted in the ledger of the run."""
    items = [count for count in as_list(counts) if count]
    ledger = LEDGERS.get(first(runs)) if items else None
    if ledger is not None:
        ledger.lost(first(sources), "list-cut", sum(items))
    return pa.array([0] * len(counts), pa.int64())
