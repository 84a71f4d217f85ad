"""What commands may ask the session for beside tables and files, each by a key that knows the type of the answer.

The engine makes a service when it is first asked for; a catalog without one answers None.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.configuration.settings import Configuration

T = TypeVar("T")


class Service(str, Generic[T]):
    """The name of a service; ``T`` is what asking for it gives.

    >>> GEOIP == "geoip"
    True
    """

    __slots__ = ()


class LookupTable(Protocol):
    """A lookup table: its name, its key column, its rows; ``memory``: ``memlookup`` made it."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def table(self) -> pa.Table: ...
    @property
    def memory(self) -> bool: ...
    def unique(self, column: str) -> pa.Table | None:
        """The last row of each non-null value of a column; None when there is no such column."""


class Lookups(Protocol):
    """The lookup tables of a session."""

    def names(self) -> list[str]:
        """Names of all lookup tables, for help texts."""

    def find(self, name: str) -> LookupTable | None:
        """The table of this name. Raises PolicyError where nothing may be known of the kept ones."""

    def in_memory(self) -> Sequence[LookupTable]:
        """The tables that ``memlookup`` made."""

    def build(self, name: str, key: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
        """Replace a memory table by rows of texts, the key first; returns the number of keys."""

    def remove(self, name: str) -> bool:
        """Forget a table, kept or not; False when there is none."""


class ObjectLists(Protocol):
    """Named lists. ``kind`` is ``ip`` (addresses and CIDR networks), ``port`` (numbers and ``a-b``) or ``text``."""

    def items(self, kind: str, name: str) -> Sequence[str] | None:
        """The items of a list, None when there is no list of this name."""

    def names(self, kind: str) -> Sequence[str]:
        """Names of the lists of a kind, for help texts."""


class StoredText(Protocol):
    """A stored query or a schema: its name, its file, its text."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def text(self) -> str: ...


class Procedures(Protocol):
    """Stored queries and schemas."""

    def find(self, name: str) -> StoredText | None:
        """The stored query of this name. Raises PolicyError when it may not be read."""

    def names(self) -> list[str]:
        """Names of the stored queries, for help texts."""

    def schema(self, name: str) -> StoredText | None:
        """The schema of this name. Raises PolicyError when it may not be read."""

    def schemas(self) -> list[str]:
        """Names of the schemas, for help texts."""


class QueryRecord(Protocol):
    """One query of the session. ``finished`` is None while it runs or when it was never read to the end."""

    @property
    def number(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def started(self) -> dt.datetime: ...
    @property
    def finished(self) -> dt.datetime | None: ...
    @property
    def cancelled(self) -> bool: ...


class Queries(Protocol):
    """The queries of a session."""

    def records(self) -> Sequence[QueryRecord]:
        """All that are remembered, oldest first."""

    def kept_rows(self, number: int) -> int | None:
        """Rows of a kept result; None when the result of that query is not kept."""


class EventContext(Protocol):
    """An event context (live.md section 5); times are microseconds since 1970. A variable is its kind and its value."""

    @property
    def key(self) -> str: ...
    @property
    def counter(self) -> int: ...
    @property
    def created(self) -> int: ...
    @property
    def expire_at(self) -> int | None: ...
    @property
    def timeout_at(self) -> int | None: ...
    @property
    def vars(self) -> dict[str, tuple[str, object]] | None: ...
    @property
    def rows(self) -> list[object] | None: ...


class EventContexts(Protocol):
    """The event contexts of a session, or of a server; who changes them holds them (``with contexts:``)."""

    def __enter__(self) -> object: ...
    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None: ...
    def tick(self) -> int:
        """Work off the deadlines that real time has reached; returns now."""

    def host_time(self, host: str, seen: int | None) -> int | None:
        """A row of a host with this time comes by: the host's clock, None where it was never told a time."""

    def find(self, topic: str, key: str, host: str | None) -> EventContext | None:
        """The context, None where there is none."""

    def add(
        self,
        topic: str,
        key: str,
        host: str | None,
        now: int,
        expire: int | None,
        timeout: int | None,
        maxrows: int,
        row: object,
    ) -> bool:
        """Make a context or touch it. False where there are too many to make one."""

    def remove(self, topic: str, key: str, host: str | None, now: int) -> bool:
        """End a context by a command. False where there is none."""

    def drop(self, topic: str | None) -> int:
        """End all contexts of a topic, or all there are; returns how many."""

    def set_var(self, context: Any, name: str, value: tuple[str, object]) -> None:
        """Set a variable of a context that :meth:`find` gave."""

    def size(self, topic: str) -> int:
        """Open contexts of a topic."""

    def counts(self) -> dict[str, int]:
        """Open contexts by topic."""

    def listed(self, topic: str | None, zone: str) -> list[tuple[object, ...]]:
        """Rows of ``evtctxlist``: topic, key, host, counter, created, expire_at, timeout_at, maxrows, vars, rows."""

    def clocks(self) -> list[tuple[str, int, int, int]]:
        """Rows of ``system cepclocks``: host, time, how many contexts have a timeout, and how many expire."""

    def remember(self) -> None:
        """What is done from here on can be undone."""

    def undo(self) -> None:
        """As it was at :meth:`remember`."""

    def settle(self) -> None:
        """Nothing will be undone any more."""


LOOKUPS: Service[Lookups] = Service("lookups")
OBJECTS: Service[ObjectLists] = Service("objects")
PROCEDURES: Service[Procedures] = Service("procedures")
QUERIES: Service[Queries] = Service("queries")
#: Event contexts, which rows make and meet.
CONTEXTS: Service[EventContexts] = Service("contexts")
#: The settings of the configuration files, read when they are first asked for.
CONFIGURATION: Service[Configuration] = Service("configuration")
#: The setting that names geoip databases.
GEOIP: Service[str] = Service("geoip")
#: Whether the session may delete rows.
PURGING: Service[bool] = Service("purging")
