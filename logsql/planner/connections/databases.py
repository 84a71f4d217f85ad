"""Databases of other programs: what ``dbquery`` and its kin ask of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from logsql.language.foreignsql import Parameter, parameters, statement
from logsql.planner.services import Service
from logsql.values.types import LType

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.configuration.settings import Profile
    from logsql.planner.runtime import Losses


#: Digits behind the point of the decimals (of 38 digits in all) that hold numbers of a look-up without a declared size:
#: each number has the first one that does, so that 1.25 is not shown with the sixteen that an average has.
SCALES = (0, 2, 4, 6, 8, 12, 16, 20, 24, 32)

#: Kinds of profiles that are databases.
KINDS = ("postgresql", "sqlite")


@dataclass(frozen=True)
class Statement:
    """SQL as it is written, without a semicolon at its end, and the parameters in it."""

    text: str
    places: tuple[Parameter, ...]

    @classmethod
    def of(cls, text: str) -> Statement:
        """The statement of a text that runs to the end of a command."""
        bare = statement(text)
        return cls(bare, parameters(bare))

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, each once, in the order in which they first stand."""
        return tuple(dict.fromkeys(place.name for place in self.places))

    def filled(self, make: Callable[[str], str]) -> str:
        """The text with what ``make`` gives for the name in place of each parameter (``$1``, ``?``)."""
        pieces, last = [], 0
        for place in self.places:
            pieces += [self.text[last : place.start], make(place.name)]
            last = place.end
        return "".join(pieces) + self.text[last:]

    def position(self, at: int, make: Callable[[str], str]) -> int:
        """The place in the text as it is written of a place in the filled text."""
        for place in self.places:
            grown = len(make(place.name)) - (place.end - place.start)
            if at < place.start + grown:
                return min(at, place.start) if at < place.end + grown else at
            if at <= place.start:
                return at
            at -= grown
        return min(at, len(self.text))


@dataclass(frozen=True)
class DbField:
    """A column of an answer: its name, the type that it crosses in (``crossing``, a type of SQL) and the one that it is
    given. ``parts``: the types of its values, where they differ; such a column crosses as one column each."""

    name: str
    type: LType
    crossing: str
    parts: tuple[tuple[str, LType], ...] = ()


class DatabaseProblem(Exception):
    """A database did not do what it was asked. ``word``: of the table of errors, where there was no answer at all.

    ``message``: what the server says, without secrets; ``state``: its SQLSTATE; ``position``: the character of the
    statement that it points at.
    """

    def __init__(
        self, target: str, message: str = "", state: str | None = None, position: int | None = None, word: str = ""
    ) -> None:
        super().__init__(message or word)
        self.target, self.message, self.state, self.position, self.word = target, message, state, position, word


#: Whether the query is to end.
Cancelled = Callable[[], bool]


class Opened(Protocol):
    """A statement whose columns are known. ``batches`` runs it, afresh each time; columns of the crossing types."""

    @property
    def fields(self) -> tuple[DbField, ...]: ...
    def batches(self, cancelled: Cancelled, loss: Losses) -> Iterator[pa.RecordBatch]: ...
    def close(self) -> None: ...


class Lookup(Protocol):
    """A statement that is asked once for each key: the first row of its answer, None where it has none."""

    @property
    def fields(self) -> tuple[DbField, ...]: ...
    def answers(self, keys: Sequence[tuple[object, ...]], cancelled: Cancelled, loss: Losses) -> pa.Table:
        """One row for each key, in order, with ``__found`` first; columns of the crossing types."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Target:
    """A table that rows go to. ``keys``: the columns by which a row is known; none: every row is new."""

    table: str
    schema: str | None
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()


class Writer(Protocol):
    """Writes batches, each in a transaction of its own. Raises DatabaseProblem; nothing of a batch is written then."""

    def write(self, rows: Sequence[tuple[object, ...]], cancelled: Cancelled) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Routine:
    """``{call NAME(ARGUMENT, ...)}``: each argument is a value, or the name and type of an output parameter."""

    name: str
    arguments: tuple[object, ...]
    outputs: Mapping[int, tuple[str, str]] = field(default_factory=dict)


class Databases(Protocol):
    """The databases of the profiles."""

    def admit(self, profile: Profile) -> None:
        """Refuse what the policy does not allow, before anything is opened. Raises PolicyError, UsageError."""

    def query(
        self, profile: Profile, asked: Statement, given: Mapping[str, object], watch: Cancelled, look: bool = True
    ) -> Opened:
        """A statement that reads, with its columns. ``look``: it may be run to learn types. Raises DatabaseProblem."""

    def lookup(self, profile: Profile, asked: Statement, watch: Cancelled) -> Lookup:
        """A statement whose parameters are bound later. Raises DatabaseProblem."""

    def writer(self, profile: Profile, target: Target, watch: Cancelled) -> Writer:
        """A table that rows go to. Raises DatabaseProblem: no such table, no such column."""

    def call(self, profile: Profile, routine: Routine, watch: Cancelled) -> Opened:
        """A call of a stored procedure. Raises DatabaseProblem."""

    def script(self, path: str, charset: str, most: int) -> str:
        """The text of a file. Raises OSError, PolicyError, LookupError and UnicodeError, ValueError for more bytes."""

    def test(self, profile: Profile) -> str:
        """Log in, and say who answered. Raises DatabaseProblem."""


DATABASES: Service[Databases] = Service("databases")
