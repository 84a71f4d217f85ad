"""Opening the database file of a session."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from logsql.store.files import is_special
from logsql.store.folders import MEMORY
from udfs.temporary import PrivateFolder


def open_file(path: str, config: Mapping[str, str | bool | int | float | list[str]]) -> duckdb.DuckDBPyConnection:
    """A connection to a database file (``:memory:`` for none), which the user named when the session was opened.

    Raises duckdb.Error for a file that is none, is locked, or a setting that is wrong.
    """
    if path != MEMORY and is_special(path):  # opening a named pipe waits for somebody who writes into it
        raise duckdb.IOException("IO Error: it is a pipe or a device, not a file")
    return duckdb.connect(path, config=dict(config))


def spill_folder() -> PrivateFolder | None:
    """Where DuckDB puts what does not fit into memory; None where no folder can be made (then nothing is put there).

    DuckDB makes its folder so that everybody may read it, under a name that can be guessed.
    """
    try:
        return PrivateFolder()
    except OSError:
        return None
