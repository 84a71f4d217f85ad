"""Which rows of one key make a transaction: the rule behind ``transaction``.

Rows come in the order of time. A row that starts one begins a new transaction, a row that ends one completes it; a
longer pause, a longer span or more rows than allowed close it. Without a start text any row begins one, without an end
text a transaction is complete when it is closed.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from logsql.udfbridge.registry import UdfSpec, register_udf

register_udf(
    UdfSpec(
        "lq_transactions",
        ("BIGINT[]", "BOOLEAN[]", "BOOLEAN[]", "VARCHAR"),
        "BIGINT[]",
        "logsql.jobs.transactions:number_rows",
    )
)


@dataclass(frozen=True)
class Limits:
    """What bounds a transaction: microseconds and rows (None: no bound), and whether there are start and end texts."""

    span: int | None = None
    pause: int | None = None
    events: int | None = None
    starts: bool = False
    ends: bool = False


@dataclass
class _Open:
    """A transaction that rows are being added to."""

    first: int | None
    last: int | None
    rows: list[int] = field(default_factory=list)


@functools.lru_cache(maxsize=256)
def _limits(text: str) -> Limits:
    return Limits(**json.loads(text))


def number(
    times: Sequence[int | None], starts: Sequence[bool | None], ends: Sequence[bool | None], limits: Limits
) -> list[int]:
    """The number of each row's transaction, from 1; negative for rows that are in no complete one.

    >>> number([0, 1, 9], [True, False, True], [False, True, False], Limits(starts=True, ends=True))
    [1, 1, -2]
    """
    result = [0] * len(times)
    count = 0
    current: _Open | None = None

    def close(rows: list[int], complete: bool) -> None:
        nonlocal count
        count += 1
        for row in rows:
            result[row] = count if complete else -count

    for row, time in enumerate(times):
        if current is not None and _beyond(current, time, limits):
            close(current.rows, not limits.ends)
            current = None
        if limits.starts and starts[row] and current is not None:
            close(current.rows, not limits.ends)
            current = None
        if current is None:
            if limits.starts and not starts[row]:
                close([row], False)
                continue
            current = _Open(time, time)
        current.rows.append(row)
        current.last = time
        if limits.ends and ends[row]:
            close(current.rows, True)
            current = None
    if current is not None:
        close(current.rows, not limits.ends)
    return result


def _beyond(current: _Open, time: int | None, limits: Limits) -> bool:
    if limits.events is not None and len(current.rows) >= limits.events:
        return True
    if time is None or current.last is None or current.first is None:
        return False
    return (limits.pause is not None and time - current.last > limits.pause) or (
        limits.span is not None and time - current.first > limits.span
    )


def number_rows(times: pa.Array, starts: pa.Array, ends: pa.Array, settings: pa.Array) -> pa.Array:
    """The Arrow function: one list of rows per key in, one list of numbers out."""
    limits = _limits(settings[0].as_py()) if len(settings) else Limits()
    columns = (times.to_pylist(), starts.to_pylist(), ends.to_pylist())
    return pa.array([number(t, s, e, limits) for t, s, e in zip(*columns, strict=True)], pa.list_(pa.int64()))
