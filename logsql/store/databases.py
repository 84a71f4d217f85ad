"""Opening the database file of a session."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb


def open_file(path: str, config: Mapping[str, str | bool | int | float | list[str]]) -> duckdb.DuckDBPyConnection:
    """A connection to a database file (``:memory:`` for none), which the user named when the session was opened.

    Raises duckdb.Error for a file that is none, is locked, or a setting that is wrong.
    """
    return duckdb.connect(path, config=dict(config))
