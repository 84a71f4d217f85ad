"""Saved results (``load``) and results of this session (``result``) as sources of a query.

A saved result is a Parquet file (:mod:`logsql.store.results`); a kept result is an Arrow table of the session.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa

from logsql.engine.arrowtypes import arrow_columns
from logsql.engine.result import Result
from logsql.planner.catalog import TableInfo
from logsql.store.results import SavedResults

#: Results kept in a session before the oldest goes.
KEPT = 50


class Results:
    """The results of a session: those it keeps in memory by number, and the files that it saves.

    ``numbers`` numbers the session's queries.
    """

    def __init__(self, saved: SavedResults) -> None:
        self.saved = saved
        self.kept: dict[str, pa.Table] = {}
        self.numbers: Iterator[int] = itertools.count(1)


class HasResults(Protocol):
    """A session, or what holds its results."""

    @property
    def results(self) -> Results: ...


def saved_table(home: HasResults, name: str, bindings: dict[str, object]) -> TableInfo | None:
    """The saved result of this name, registered for the query that asks."""
    dataset = home.results.saved.find(name)
    if dataset is None:
        return None
    key = f"__saved_{len(bindings) + 1}"
    bindings[key] = dataset
    return TableInfo(key, (key,), arrow_columns(dataset.schema))


def save_result(home: HasResults, result: Result, name: str) -> str:
    """Write a result as Parquet under a name; returns the path. Raises :class:`RunError` for a bad name."""
    home.results.saved.check(name)
    return home.results.saved.write(name, result.arrow())


def keep_result(home: HasResults, result: Result) -> str:
    """Keep a result's rows in the session; returns the id that ``result ID`` reads."""
    results = home.results
    table = result.arrow()
    number = str(result.number or next(results.numbers))
    results.kept[number] = table
    while len(results.kept) > KEPT:
        results.kept.pop(next(iter(results.kept)))
    return number


def past_table(home: HasResults, query_id: str, bindings: dict[str, object]) -> TableInfo | None:
    """A kept result as a source."""
    table = home.results.kept.get(query_id)
    if table is None:
        return None
    key = f"__result_{query_id}"
    bindings[key] = table
    return TableInfo(key, (key,), arrow_columns(table.schema))
