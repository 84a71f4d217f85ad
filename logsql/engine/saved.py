"""Saved results (``load``) and results of this session (``result``).

A saved result is a Parquet file in the session's state folder, named by the user; ``load`` also takes the path of a
Parquet file. A kept result is an Arrow table of the session.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as ds

from logsql.diagnostics.errors import Diagnostic, RunError, SourceError
from logsql.engine.arrowtypes import arrow_columns
from logsql.planner.catalog import TableInfo

if TYPE_CHECKING:
    from logsql.engine.result import Result
    from logsql.engine.session import Session

#: Results kept in a session before the oldest goes.
KEPT = 50


def saved_folder(session: Session) -> str:
    return os.path.join(session.state_folder, "results")


def saved_table(session: Session, name: str, bindings: dict[str, object]) -> TableInfo | None:
    """The saved result of this name, registered for the query that asks."""
    path = os.path.join(saved_folder(session), f"{name}.parquet") if re.fullmatch(r"[\w.-]+", name) else ""
    if not path or not os.path.exists(path):
        if not name.lower().endswith(".parquet") or not os.path.exists(name):
            return None
        path = name
    session.policy.check_read(path)
    try:
        dataset = ds.dataset(path, format="parquet")
    except (OSError, pa.ArrowInvalid):
        message = f"{path} is not a readable Parquet file"
        raise SourceError(Diagnostic("11201", "saved-result-not-readable", message)) from None
    key = f"__saved_{len(bindings) + 1}"
    bindings[key] = dataset
    return TableInfo(key, (key,), arrow_columns(dataset.schema))


def save_result(session: Session, result: Result, name: str) -> str:
    """Write a result as Parquet under a name; returns the path. Raises :class:`RunError` for a bad name."""
    import pyarrow.parquet as pq

    if not re.fullmatch(r"[\w.-]+", name):
        message = f"{name!r} is no name for a saved result (letters, digits, - _ and . only)"
        raise RunError(Diagnostic("E1501", "invalid-result-name", message))
    folder = saved_folder(session)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{name}.parquet")
    session.policy.check_write(path)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        table = result.arrow()
        pq.write_table(table, temporary)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return path


def keep_result(session: Session, result: Result) -> str:
    """Keep a result's rows in the session; returns the id that ``result ID`` reads."""
    table: pa.Table = result.arrow()
    number = str(result.number or next(session.result_numbers))
    session.kept[number] = table
    while len(session.kept) > KEPT:
        session.kept.pop(next(iter(session.kept)))
    return number


def past_table(session: Session, query_id: str, bindings: dict[str, object]) -> TableInfo | None:
    """A kept result as a source."""
    table = session.kept.get(query_id)
    if table is None:
        return None
    key = f"__result_{query_id}"
    bindings[key] = table
    return TableInfo(key, (key,), arrow_columns(table.schema))
