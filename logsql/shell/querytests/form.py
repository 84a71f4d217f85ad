"""The file of a test: ``NAME.toml`` beside ``NAME.lq``. docs/query-tests.md tells the form to those who write one."""

from __future__ import annotations

import errno
import json
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import NoReturn, TypeVar

from logsql.diagnostics.errors import SourceError, UsageError, diagnostic
from logsql.diagnostics.querytests import KINDS, NOT_TOML, NOTHING_EXPECTED, OTHER_KEY, TWICE, WRONG_KIND, WRONG_LINE
from logsql.diagnostics.unreadable import QUERY_NOT_READ
from logsql.shell.commandline import did_you_mean
from logsql.store.files import Files

#: Bytes of the file of a test, and of a file of expected rows.
MOST = 256 << 20
#: How far a number may be from the expected one, relative to the larger of it and 1.
TOLERANCE = 1e-9

Row = Mapping[str, object]
T = TypeVar("T")


@dataclass(frozen=True)
class Loss:
    """An entry of the ledger: the reason, where it was, how many rows or values (0 for a fact)."""

    reason: str
    source: str
    count: int = 0

    def __str__(self) -> str:
        return f"{self.count:,} {self.reason} in {self.source}" if self.count else f"{self.reason} in {self.source}"


@dataclass(frozen=True)
class Expected:
    """What a query gives. ``rows`` as JSON lines writes them, None where they are not looked at."""

    ordered: bool = False
    tolerance: float = TOLERANCE
    columns: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    rows: tuple[Row, ...] | None = None
    count: int | None = None
    error: str | None = None
    at: str | None = None
    notes: tuple[str, ...] = ()
    ledger: tuple[Loss, ...] = ()
    rows_file: str | None = None


@dataclass(frozen=True)
class QueryTest:
    """A query file and what its test says. ``expected`` is None where there is no file beside it."""

    path: Path
    folder: Path
    zone: str = "UTC"
    parameters: Mapping[str, object] = field(default_factory=dict)
    tables: Mapping[str, str | Sequence[Row]] = field(default_factory=dict)
    lookups: Mapping[str, str] = field(default_factory=dict)
    expected: Expected | None = None

    @property
    def name(self) -> str:
        """The name of the query file without its ending."""
        return self.path.stem

    @property
    def form(self) -> Path:
        """The file beside the query."""
        return self.path.with_suffix(".toml")


def read(path: Path, files: Files, unfinished: bool = False) -> QueryTest:
    """The test of a query file; ``unfinished``: its file need not say what is expected yet.

    Raises UsageError for a file that is wrong, SourceError and PolicyError for one that cannot be read.
    """
    plain = QueryTest(path, path.parent)
    if not files.has_file(path):
        raise SourceError(diagnostic(QUERY_NOT_READ, path=str(path), reason=os.strerror(errno.ENOENT)))
    if not files.has_file(plain.form):
        return plain
    table = _toml(files, plain.form)
    given = _Table(str(plain.form), table, "")
    expect = given.table("expect")
    test = QueryTest(
        path,
        path.parent / given.text("folder", "."),
        given.text("zone", "UTC"),
        given.table("parameters") or {},
        _tables(given),
        _texts(given, "lookups"),
        None if expect is None else _expected(_Table(str(plain.form), expect, "expect."), files, path.parent),
    )
    given.finished(("folder", "zone", "parameters", "tables", "lookups", "expect"))
    if test.expected is None and not unfinished:
        raise UsageError(diagnostic(NOTHING_EXPECTED, path=str(plain.form)))
    return test


def _toml(files: Files, path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(files.read(path, MOST).decode("utf-8-sig"))
    except OSError as error:
        raise SourceError(diagnostic(QUERY_NOT_READ, path=str(path), reason=error.strerror or str(error))) from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are such
        raise UsageError(diagnostic(NOT_TOML, path=str(path), reason=str(error))) from None


def _expected(given: _Table, files: Files, folder: Path) -> Expected:
    rows = given.rows("rows", "lines")
    file = given.get("rows_file", _is_text, "text")
    if rows is not None and file is not None:
        raise UsageError(diagnostic(TWICE, path=given.path, one="expect.rows", other="expect.rows_file"))
    lines = json_rows(rows, given.path, "expect.rows") if isinstance(rows, str) else rows
    if file is not None:
        try:
            lines = json_rows(files.read(folder / file, MOST).decode("utf-8-sig"), str(folder / file), "rows")
        except OSError as error:
            reason = error.strerror or str(error)
            raise SourceError(diagnostic(QUERY_NOT_READ, path=str(folder / file), reason=reason)) from None
    columns = given.get("columns", _is_texts, "texts")
    tolerance = given.get("tolerance", _is_number, "number")
    made = Expected(
        ordered=given.get("ordered", _is_bool, "bool") or False,
        tolerance=TOLERANCE if tolerance is None else tolerance,
        columns=None if columns is None else tuple(columns),
        ignore=tuple(given.get("ignore", _is_texts, "texts") or ()),
        rows=None if lines is None else tuple(lines),
        count=given.get("count", _is_count, "count"),
        error=given.get("error", _is_text, "text"),
        at=given.get("at", _is_text, "text"),
        notes=tuple(given.get("notes", _is_texts, "texts") or ()),
        ledger=_losses(given),
        rows_file=file,
    )
    given.finished([f.name for f in fields(Expected)])
    if made.rows is None and made.count is None and made.error is None:
        raise UsageError(diagnostic(NOTHING_EXPECTED, path=given.path))
    return made


def _losses(given: _Table) -> tuple[Loss, ...]:
    found = []
    for entry in given.get("ledger", _is_tables, "losses") or ():
        one = _Table(given.path, entry, "expect.ledger.")
        found.append(Loss(one.text("reason", ""), one.text("source", ""), one.get("count", _is_count, "number") or 0))
        one.finished([f.name for f in fields(Loss)])
    return tuple(found)


def _tables(given: _Table) -> dict[str, str | Sequence[Row]]:
    found: dict[str, str | Sequence[Row]] = {}
    for name in given.table("tables") or {}:
        value = given.inner("tables").rows(name, "rows")
        assert value is not None
        found[name] = value
    return found


def _texts(given: _Table, key: str) -> dict[str, str]:
    return {name: given.inner(key).text(name, "") for name in given.table(key) or {}}


def json_rows(text: str, path: str, key: str) -> tuple[Row, ...]:
    """Rows of JSON lines; empty lines are none. Raises UsageError with the line's number."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(diagnostic(WRONG_LINE, path=path, key=key, line=number, reason=str(error))) from None
        if not isinstance(row, dict):
            raise UsageError(diagnostic(WRONG_LINE, path=path, key=key, line=number, reason=line[:40]))
        rows.append(row)
    return tuple(rows)


# --- reading a table of it --------------------------------------------------------------------------------------------


class _Table:
    """A table of the file: values of a kind, and errors that name the key."""

    def __init__(self, path: str, table: Mapping[str, object], prefix: str) -> None:
        self.path = path
        self.all = table
        self._prefix = prefix

    def get(self, key: str, kind: Callable[[object], T | None], wanted: str) -> T | None:
        """The value of a key, None without it."""
        if key not in self.all:
            return None
        found = kind(self.all[key])
        if found is None:
            self._wrong(key, wanted)
        return found

    def text(self, key: str, default: str) -> str:
        """A text."""
        found = self.get(key, _is_text, "text")
        return default if found is None else found

    def rows(self, key: str, wanted: str) -> str | Sequence[Row] | None:
        """A text or a list of tables."""
        if isinstance(self.all.get(key), str):
            return self.text(key, "")
        return self.get(key, _is_tables, wanted)

    def table(self, key: str) -> Mapping[str, object] | None:
        """A table, None without it."""
        return self.get(key, _is_table, "table")

    def inner(self, key: str) -> _Table:
        """A table below this one."""
        return _Table(self.path, self.table(key) or {}, f"{self._prefix}{key}.")

    def finished(self, known: Sequence[str]) -> None:
        """Refuse keys that a test does not have."""
        for key in self.all:
            if key not in known:
                help = did_you_mean(key, known, ", ".join(known))
                raise UsageError(diagnostic(OTHER_KEY, help=help, path=self.path, key=self._prefix + key))

    def _wrong(self, key: str, wanted: str) -> NoReturn:
        raise UsageError(diagnostic(WRONG_KIND, path=self.path, key=self._prefix + key, wanted=KINDS[wanted].fill()))


def _is_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _is_bool(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _is_number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def _is_count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _is_texts(value: object) -> list[str] | None:
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None


def _is_table(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) else None


def _is_tables(value: object) -> list[dict[str, object]] | None:
    return value if isinstance(value, list) and all(isinstance(item, dict) for item in value) else None
