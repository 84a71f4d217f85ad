"""Order is part of the meaning: order-sensitive commands over enough rows that every thread of DuckDB takes part.

300,000 rows in a known order; expected values come from numpy, not from SQL.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import logsql

ROWS = 300_000


@pytest.fixture(scope="module")
def numbers() -> Any:
    rng = np.random.default_rng(7)
    return {"n": np.arange(ROWS), "v": rng.integers(0, 1000, ROWS), "k": rng.integers(0, 50, ROWS)}


@pytest.fixture(scope="module")
def session(numbers: Any) -> Any:
    with logsql.connect(tz="UTC") as s:
        s.register("t", pa.table(numbers))
        s.register("names", pa.table({"k": np.arange(50)[::-1], "m": np.arange(50)[::-1] * 2}))
        yield s


def column(session: Any, query: str, name: str) -> np.ndarray[Any, Any]:
    table = session.query(query).arrow()
    table = table.read_all() if hasattr(table, "read_all") else table
    found: np.ndarray[Any, Any] = table.column(name).to_numpy()
    return found


def test_rows_arrive_in_order_through_a_pipeline(session: Any, numbers: Any) -> None:
    query = "table t | eval w = v * 2 | search k < 25 | rename n as id | fields id, w"
    assert np.array_equal(column(session, query, "id"), numbers["n"][numbers["k"] < 25])


def test_running_sum(session: Any, numbers: Any) -> None:
    query = 'table t | evalc s = nvl($("s"), 0) + nvl(v, 0) | eval s = $("s") | fields s'
    assert np.array_equal(column(session, query, "s"), np.cumsum(numbers["v"]))


def test_running_sum_after_a_sort(session: Any, numbers: Any) -> None:
    query = 'table t | sort -v | evalc s = nvl($("s"), 0) + nvl(k, 0) | eval s = $("s") | fields s'
    order = np.argsort(-numbers["v"], kind="stable")
    assert np.array_equal(column(session, query, "s"), np.cumsum(numbers["k"][order]))


def test_prev(session: Any, numbers: Any) -> None:
    found = column(session, "table t | prev v | limit 1 299999 | fields prev_v", "prev_v")
    assert np.array_equal(found, numbers["v"][:-1])


def test_union_keeps_the_input_first(session: Any, numbers: Any) -> None:
    query = "table t | search k == 3 | union [ table t | search k == 4 ] | fields n"
    wanted = np.concatenate([numbers["n"][numbers["k"] == 3], numbers["n"][numbers["k"] == 4]])
    assert np.array_equal(column(session, query, "n"), wanted)


def test_union_of_sorted_rows(session: Any, numbers: Any) -> None:
    query = (
        "table t | search k == 3 | sort -n | union [ table t | search k == 4 | sort -n ] | limit 10 10000 | fields n"
    )
    wanted = np.concatenate([numbers["n"][numbers["k"] == 3][::-1], numbers["n"][numbers["k"] == 4][::-1]])
    assert np.array_equal(column(session, query, "n"), wanted[10:10010])


def test_join_keeps_the_input_order(session: Any, numbers: Any) -> None:
    query = "table t | join k [ table names ] | fields n, m"
    assert np.array_equal(column(session, query, "n"), numbers["n"])
    assert np.array_equal(column(session, query, "m"), numbers["k"] * 2)


def test_explode_and_repeat_keep_order(session: Any, numbers: Any) -> None:
    query = "table t | search k < 10 | eval l = array(n, n + 1) | explode l | fields l"
    kept = numbers["n"][numbers["k"] < 10]
    assert np.array_equal(column(session, query, "l"), np.column_stack([kept, kept + 1]).ravel())
    query = "table t | search k < 10 | repeat count=3 | fields n"
    assert np.array_equal(column(session, query, "n"), np.repeat(kept, 3))


def test_stable_sort(session: Any, numbers: Any) -> None:
    order = np.argsort(numbers["k"], kind="stable")
    assert np.array_equal(column(session, "table t | sort k | fields n", "n"), numbers["n"][order])


def test_sort_limit_in_each_partition(session: Any, numbers: Any) -> None:
    query = "table t | sort limit=2 -v by k | fields n"
    order = np.lexsort((numbers["n"], -numbers["v"], numbers["k"]))
    keys = numbers["k"][order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    wanted = numbers["n"][order][np.sort(np.concatenate([first, first + 1]))]
    assert np.array_equal(column(session, query, "n"), wanted)


def test_first_and_last_of_each_group(session: Any, numbers: Any) -> None:
    query = "table t | stats first(n) as f, last(n) as l by k"
    for name, pick in (("f", min), ("l", max)):
        wanted = [pick(numbers["n"][numbers["k"] == k]) for k in range(50)]
        assert column(session, query, name).tolist() == wanted
