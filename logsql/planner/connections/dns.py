"""Names of the internet, asked of one server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from logsql.planner.services import Service

#: A record of an answer: ``name``, ``type``, ``ttl``, ``data``, of some types more.
Record = Mapping[str, "str | int"]


@dataclass(frozen=True)
class Server:
    """Who is asked: an address and a port. ``timeout``: seconds until a question counts as not answered."""

    address: str
    port: int
    timeout: float


@dataclass(frozen=True)
class Answer:
    """What a server answered. ``status`` is None where the text is no name that can be asked.

    ``keep``: seconds for which the answer may be given again, by the TTL of its records.
    """

    status: str | None
    ip: str | None = None
    flags: tuple[str, ...] = ()
    answers: Sequence[Record] = field(default=())
    authorities: Sequence[Record] = field(default=())
    additionals: Sequence[Record] = field(default=())
    keep: float = 0.0


class Names(Protocol):
    """Asks a server for names."""

    def check(self, server: Server) -> None:
        """Raise PolicyError or SourceError where the server may not be asked."""

    def ask(self, server: Server, type_: str, names: Sequence[str], cancelled: Callable[[], bool]) -> list[Answer]:
        """The answers in the order of the names. Raises ReadCancelled; a question without answer is ``TIMEOUT``."""


NAMES: Service[Names] = Service("dns")
#: The status of a question that was not answered in time.
TIMEOUT = "TIMEOUT"
