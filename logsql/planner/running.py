"""What a plan that runs again and again over new rows keeps between its runs (the query of a stream).

A command that looks back (``prev``, ``evalc``, ``seq()``) asks its chain for a :class:`Memory`; what it leaves there is
there at the next run, and after a restart. What is dear to get and seldom changes (a model) is a held thing, which its
:class:`Holds` looks after. Rows of an interval are remembered by nobody: such a chain has a :class:`Holds` and no
:class:`Carry`. A chain that runs once has neither, and every command does what it does without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
#: The carried column that numbers the rows of a stream, for expressions that ask for the place of the row.
ROW_NUMBER = "__row_number"


class Memory(Protocol):
    """What one place of a query remembers: one row, or nothing yet.

    A run that fails leaves nothing: what was left counts once the rows of the run are delivered.
    """

    @property
    def before(self) -> pa.RecordBatch | None:
        """What the run before left; None at the beginning."""

    def leave(self, row: pa.RecordBatch) -> None:
        """Remember this one row for the next run. A stage that is scanned twice in one run leaves the same twice."""


class Carry(Protocol):
    """What the commands of one stream query keep between two runs."""

    def memory(self, label: str) -> Memory:
        """A memory for one place; ``label`` tells places of other commands apart."""

    def readable(self, memory: Memory, columns: Sequence[tuple[str, str]]) -> str:
        """The name under which SQL reads a memory: one row of these columns (name, SQL type), null at the beginning."""


class Holds(Protocol):
    """What all runs of one stream query use."""

    def held(self, label: str, load: Callable[[], T], renew: Callable[[T], T | None]) -> Callable[[], T]:
        """A thing that is loaded now and looked after between two runs; the answer gives the one in force.

        ``renew`` gets the one in force and gives a newer one, or None; where it raises a LogsqlError the old one stays
        and the error is reported.
        """

    def took(self, label: str, seconds: float) -> None:
        """A held thing worked for so long on the rows of one run (``logsql_model_seconds``)."""
