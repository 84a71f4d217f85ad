"""Sessions with a configuration, for the tests of names, mail and files on servers."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa

import logsql

Rows = list[dict[str, object]]
CLASSES = [
    {"_time": 1379222953, "LoadedClassCount": 9100, "UnloadedClassCount": 0, "TotalLoadedClassCount": 9100},
    {"_time": 1379309353, "LoadedClassCount": 9101, "UnloadedClassCount": None, "TotalLoadedClassCount": 9102},
]


def configured(folder: Path, text: str) -> str:
    """A configuration file with this text; its path."""
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def profile(name: str, **keys: object) -> str:
    """The TOML of a profile; what is None is left out."""
    lines = [f"{key} = {_toml(value)}" for key, value in keys.items() if value is not None]
    return "\n".join([f"[profiles.{name}]", *lines, ""])


def _toml(value: object) -> str:
    return f'"{value}"' if not isinstance(value, (list, bool)) else str(value).replace("'", '"').lower()


def ran(session: logsql.Session, query: str) -> tuple[Rows, dict[str, int]]:
    """The rows of a query, and what its ledger counts."""
    result = session.query(query)
    rows = result.rows()
    counted: dict[str, int] = {}
    for entry in result.ledger:
        counted[entry.reason] = counted.get(entry.reason, 0) + entry.count
    return rows, counted


def refusal(session: logsql.Session, query: str) -> str:
    """The code and the sentence with which a query ends."""
    try:
        rows = session.query(query).rows()
    except logsql.LogsqlError as error:
        return f"{error.code} {error} {error.help or ''}"
    raise AssertionError(f"it ran: {rows}")


def interrupted_after(session: logsql.Session, seconds: float) -> threading.Timer:
    """Interrupt what the session runs, so many seconds from now."""
    timer = threading.Timer(seconds, session.interrupt)
    timer.start()
    return timer


def ended(result: logsql.Result, rows: list[dict[str, object]]) -> logsql.LogsqlError:
    """The error behind the rows of a result, which are kept."""
    try:
        rows += iter(result)
    except logsql.LogsqlError as problem:
        return problem
    raise AssertionError("it ended well")


def with_classes(session: logsql.Session) -> logsql.Session:
    """The vendor's table of the examples."""
    times = pa.array([row["_time"] for row in CLASSES], pa.int64()).cast(pa.timestamp("s", "UTC"))
    columns = {name: [row[name] for row in CLASSES] for name in list(CLASSES[0])[1:]}
    session.register("classloading", pa.table({"_time": times, **columns}))
    return session
