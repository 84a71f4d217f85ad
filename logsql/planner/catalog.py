"""What planning may ask of the outside: tables, files, constants, services. The engine implements it; tests fake it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from logsql.loading import at
from logsql.planner.services import LookupTable, Service
from logsql.values.sql import Sql

if TYPE_CHECKING:
    import pyarrow as pa

    from udfs.readers.artefacts import Artefact
    from udfs.readers.request import DescribedClass, ReaderClass, Request

#: Prefix of ``SourceColumn.logical`` for columns that hold one type of a mixed field, and for its stored bytes.
PART, RAW = "part:", "raw:"

T = TypeVar("T")


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


@dataclass(frozen=True)
class SourceSpec:
    """How the files of a source command are read: the part of its declaration that the engine needs.

    ``reader`` is the reader's class (:class:`udfs.readers.request.ReaderClass`) as ``module:name``, imported when it is
    first asked for. ``code``: of the error for files that
    cannot be read; E3002: each condition has its own. ``native``: reads the files as SQL of
    DuckDB's own, or answers None where only the reader is exact. ``given``: what the reader gets beside the options.
    ``suffixes``: how the names of such files usually end, to name the command where one is missing. ``artefact``: how
    collected files of this kind are known, and what their times mean (:mod:`udfs.readers.artefacts`).
    ``inner``: the map of a row that holds what else the row has, so that a name which no row has is probably one in it.
    ``words``: what other programs show instead of a field's values: by field and word, the values that it stands for.
    ``adds``: fields that rows have with an option only, and that option. ``items``: lists of maps, and the field of
    ``adds`` that has what is asked of an item.
    ``called``: how other programs call a field (small letters and digits only), and how it is asked for here.
    ``forms``: by field, what makes of a text that no value of it is the form that its values have, else None.
    """

    reader: str
    code: str = "E3002"
    native: Callable[[Request], SourceInfo | None] | None = None
    given: object = None
    suffixes: tuple[str, ...] = ()
    artefact: Artefact | None = None
    inner: str = ""
    words: Mapping[str, Mapping[str, tuple[str | int, ...]]] = field(default_factory=dict)
    adds: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    forms: Mapping[str, Callable[[str], str | None]] = field(default_factory=dict)

    def load(self) -> ReaderClass:
        """The reader's class."""
        return cast("ReaderClass", at(self.reader))

    def fields(self) -> tuple[str, ...]:
        """Names of the fields of a reader whose fields do not depend on the files; the parts of a field count once."""
        schema = cast("DescribedClass", self.load()).described(self.given)
        parts = (b"logsql.variant", b"logsql.variant.raw")
        names = [next((m[p].decode() for p in parts if p in (m := f.metadata or {})), f.name) for f in schema]
        return tuple(dict.fromkeys(names))


class NoData(Exception):
    """Nothing is known of a source because no data may be opened."""


class Catalog(Protocol):
    """The planner's view of a session."""

    zone: str
    #: Names the run whose ledger counts coerced values; None when the query is only translated.
    run_id: str | None
    #: Whether files may be opened; else what only they tell is unknown.
    data: bool
    #: Whether the run counts how many rows a command takes something out of (``tally``).
    shared: bool

    def check_time(self) -> None:
        """Raise TimeoutError_, Interrupted where the query is to end now: a long one is planned for seconds."""

    def lost(self, source: str, reason: str, count: int, sample: str) -> None:
        """Count what is lost while a query is planned in the ledger of its run."""

    def counter(self, source: str, reason: str, identity: tuple[object, ...] | None, branch: int) -> tuple[str, int]:
        """A function of SQL that counts what is lost at one place, and what it gives the first time.

        Places of one ``identity`` lose the same values. ``branch``: the branch in which the place is evaluated for
        some rows only, 0 for none.
        """

    def uncounted(self, source: str, reason: str) -> bool:
        """Whether reading a column of texts only to count them would cost more than a tenth of the run; the ledger
        then says that they are counted with ``--loss``.
        """

    @property
    def most_counted(self) -> int | None:
        """Rows that are counted where they are read for the ledger alone; None: all of them (``--loss``)."""

    def tally(self, source: str, step: int) -> tuple[str, str, str] | None:
        """Functions of SQL that count rows of a command that match, that do not, and that have no text; None where
        the run is not asked for the shares (``explain --run``). ``step``: the number of the command's stage.
        """

    def table(self, name: str) -> TableInfo | None:
        """The table or view of this name (letter case as DuckDB: ignored)."""

    def tables(self) -> Sequence[str]:
        """Names of all tables and views, for wildcards and nearest-name help."""

    def server_table(self, name: str) -> TableInfo | None:
        """The table of this name of the live server that the session was given; None where there is none."""

    def server_tables(self) -> Sequence[str]:
        """Names of that server's tables; none without a server, which is asked for them. Raises SourceError."""

    def has_file(self, path: str) -> bool:
        """Whether there is a file that the session may read."""

    def evaluate(self, expression: Sql) -> object:
        """Value of a constant expression, as a Python object (dates: aware datetimes)."""

    def describe(self, query: Sql) -> tuple[SourceColumn, ...]:
        """Columns of a query, bound but not run."""

    def sample(self, query: Sql) -> tuple[str, ...]:
        """The texts of a query of one column that reads the first rows of a source; none where nothing may be read."""

    def open_source(
        self, command: str, source: SourceSpec, paths: Sequence[str], options: Mapping[str, object]
    ) -> SourceInfo:
        """Open the files of a command (``jsonfile``, ``hive-file`` ...) as it declares.

        Raises :class:`logsql.diagnostics.errors.SourceError` for a missing or unreadable file, :class:`NoData` where
        no file may be opened and the fields depend on it.
        """

    def saved(self, name: str) -> TableInfo | None:
        """A saved result (``load``) by name or GUID."""

    def result(self, query_id: str) -> TableInfo | None:
        """The result of a query run in this session."""

    def lookup(self, name: str) -> LookupTable | None:
        """A lookup table by name, None when there is none. Raises PolicyError where nothing may be known of them."""

    def bind(self, label: str, table: pa.Table) -> TableInfo:
        """Make an Arrow table readable in this query; the name it got is in the answer."""

    def service(self, key: Service[T]) -> T | None:
        """Another room's service (:mod:`logsql.planner.services`), None when absent."""
