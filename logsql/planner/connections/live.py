"""A running live server: what ``logger``, ``stream`` and ``system ...`` ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logsql.planner.services import Service
from logsql.values.types import BINARY, BOOL, DATE, DOUBLE, INT, LONG, STRING, LType

if TYPE_CHECKING:
    import pyarrow as pa

    from udfs.readers.base import Reader

#: The types that a column of live rows may have, by the word that the server uses for them; other values travel in
#: the document of :data:`REST`.
KINDS: dict[str, LType] = {
    "bool": BOOL, "int": INT, "long": LONG, "double": DOUBLE, "string": STRING, "date": DATE, "binary": BINARY,
}  # fmt: skip
#: The column of fields that are not known before rows come: a JSON document.
REST = "__rest"


@dataclass(frozen=True)
class Shape:
    """The fields of live rows: name and kind (:data:`KINDS`). ``open``: there may be more, in :data:`REST`."""

    fields: tuple[tuple[str, str], ...]
    open: bool


class LiveServer(Protocol):
    """The server that ``--server`` names. Every method raises SourceError where it does not answer, or refuses."""

    def shape(self, kind: str, names: Sequence[str]) -> Shape:
        """The fields of the rows of receivers (``receivers``) or streams (``streams``); ``*`` may stand in names."""

    def watch(
        self,
        kind: str,
        names: Sequence[str],
        seconds: float,
        cancelled: Callable[[], bool],
        missed: Callable[[int], None],
    ) -> Iterator[pa.Table]:
        """Rows as they come, for so long; the columns are those of :meth:`shape`. ``missed`` is told at the end how
        many rows came faster than they were read."""

    def forward(self, names: Sequence[str], rows: Iterator[pa.RecordBatch]) -> int:
        """Give rows to streams as if they had been received; how many each of them took."""

    def listing(self, what: str) -> list[dict[str, object]]:
        """What the server knows of its ``streams``, ``loggers``, ``contexts``, ``topics``, ``clocks``, by the columns
        of ``system`` and ``evtctxlist``. Dates are microseconds since 1970, maps and lists JSON text."""

    def state_folder(self) -> str:
        """Where its models lie, which it takes up anew when they change."""

    def tables(self) -> dict[str, pa.Schema]:
        """The tables of its database."""

    def table(self, name: str, schema: pa.Schema) -> Reader:
        """One of them, as a reader: asked for the columns that a query reads, by every scan anew."""


LIVE: Service[LiveServer] = Service("live-server")
