"""Opening the database file of a session."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

import duckdb

from logsql.diagnostics.paths import LOG_IS_ODD
from logsql.store.files import not_regular
from logsql.store.folders import MEMORY
from logsql.store.policy import check_path
from udfs.regular import is_special
from udfs.temporary import PrivateFolder

#: Files that DuckDB reads and writes beside a database, by themselves.
_BESIDE = (".wal", ".wal.checkpoint", ".wal.recovery")


def open_file(path: str, config: Mapping[str, str | bool | int | float | list[str]]) -> duckdb.DuckDBPyConnection:
    """A connection to a database file (``:memory:`` for none), which the user named when the session was opened.

    Raises duckdb.Error for a file that is none, is locked, or a setting that is wrong; OSError for what can be no file.
    """
    check_path(path)
    if path != MEMORY and is_special(path):  # DuckDB waits for a pipe that nobody writes to, and writes to a device
        raise not_regular(path)
    for name in (path + ending for ending in _BESIDE if path != MEMORY):
        if is_special(name) or os.path.islink(name):  # it would write to whatever the link leads to, or make it
            raise OSError(errno.EINVAL, LOG_IS_ODD.fill(name=os.path.basename(name)), name)
    try:
        path.encode()
    except UnicodeEncodeError:  # a name that is no UTF-8: DuckDB takes none
        raise OSError(errno.EILSEQ, os.strerror(errno.EILSEQ), path) from None
    return duckdb.connect(path, config=dict(config))


def spill_folder() -> PrivateFolder | None:
    """Where DuckDB puts what does not fit into memory; None where no folder can be made (then nothing is put there).

    DuckDB makes its folder so that everybody may read it, under a name that can be guessed.
    """
    try:
        return PrivateFolder()
    except OSError:
        return None
