"""What a query loses inside SQL, told to the ledger of its run."""

from __future__ import annotations

import pyarrow as pa

from logsql.engine.ledger import LEDGERS
from udfs.columns import Column, as_list, first


def not_number(texts: Column, sources: Column, runs: Column) -> Column:
    """Null for every text, counted in the ledger of the run: an operand of arithmetic that is no number."""
    count = len(texts) - texts.null_count
    ledger = LEDGERS.get(runs[0].as_py()) if count else None
    if ledger is not None:
        sample = next(v for v in texts.to_pylist() if v is not None)
        ledger.lost(sources[0].as_py(), "text-not-a-number", count, sample=str(sample)[:80])
    return pa.nulls(len(texts), pa.float64())


def list_cut(counts: Column, sources: Column, runs: Column) -> Column:
    """0 for every count of items that values() or array() left out; they are counted in the ledger of the run."""
    items = [count for count in as_list(counts) if count]
    ledger = LEDGERS.get(first(runs)) if items else None
    if ledger is not None:
        ledger.lost(first(sources), "list-cut", sum(items))
    return pa.array([0] * len(counts), pa.int64())
