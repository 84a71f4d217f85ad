"""What planning may ask of the outside: tables, files, constants, services. The engine implements it; tests fake it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from logsql.values.sql import Sql

#: Prefix of ``SourceColumn.logical`` for columns that hold one type of a mixed field, and for its stored bytes.
PART, RAW = "part:", "raw:"


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of a table, view or query as DESCRIBE gives it. ``logical`` overrides the type (``ip``, ``json``)."""

    name: str
    sql_type: str
    logical: str | None = None


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table or view: its SQL name parts, columns, and whether it has a ``rowid`` (stored order)."""

    name: str
    path: tuple[str, ...]
    columns: tuple[SourceColumn, ...]
    has_rowid: bool = False


@dataclass(frozen=True)
class SourceInfo:
    """A registered reader or stage output: the name SQL reads it by and its columns.

    ``call`` is the readable form for ``translate`` (``hive_file('system.bak')``).
    """

    name: str
    columns: tuple[SourceColumn, ...]
    call: str = ""
    native: Sql | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


class Catalog(Protocol):
    """The planner's view of a session."""

    zone: str
    #: Names the run whose ledger counts coerced values; None when the query is only translated.
    run_id: str | None

    def table(self, name: str) -> TableInfo | None:
        """The table or view of this name (letter case as DuckDB: ignored)."""

    def tables(self) -> Sequence[str]:
        """Names of all tables and views, for wildcards and nearest-name help."""

    def evaluate(self, expression: Sql) -> Any:
        """Value of a constant expression, as a Python object (dates: aware datetimes)."""

    def describe(self, query: Sql) -> tuple[SourceColumn, ...]:
        """Columns of a query, bound but not run."""

    def open_source(self, kind: str, paths: Sequence[str], options: Mapping[str, Any]) -> SourceInfo:
        """Open files through the reader of this kind (``jsonfile``, ``csvfile``, ``hive-file`` ...).

        Raises :class:`logsql.diagnostics.errors.SourceError` for a missing or unreadable file.
        """

    def saved(self, name: str) -> TableInfo | None:
        """A saved result (``load``) by name or GUID."""

    def result(self, query_id: str) -> TableInfo | None:
        """The result of a query run in this session."""

    def lookup(self, name: str) -> Any:
        """A lookup table by name (:class:`logsql.engine.lookups.LookupTable`), None when there is none."""

    def bind(self, label: str, table: Any) -> TableInfo:
        """Make an Arrow table readable in this query; the name it got is in the answer."""

    def service(self, name: str) -> Any:
        """Another room's service by name (``models``, ``procedures``, ``objects`` ...), None when absent."""
