"""Messages for a syslog receiver: over UDP, over a TCP connection, over TLS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logsql.planner.services import Service

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Destination:
    """Who receives. ``scheme``: ``udp``, ``tcp``, ``tls``. ``framing``: ``octet``, ``lf``, ``nul``, of connections.

    ``ca_file``: a further authority that TLS trusts, as a PEM file. ``configured``: it stands in the configuration of
    a server as a place to send to, and is allowed by that.
    """

    scheme: str
    host: str
    port: int
    framing: str = "lf"
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    certificate_name: str | None = None
    configured: bool = False

    @property
    def told(self) -> str:
        """The receiver as messages name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class Sent:
    """What was changed or left out on the way. ``escaped``: line breaks that would have ended a message early.

    ``too_long``: messages that fit into no datagram.
    """

    escaped: int = 0
    too_long: int = 0


class Outgoing(Protocol):
    """The messages of one query to one receiver, in order."""

    def send(self, texts: pa.Array, pri: int | None, cancelled: Callable[[], bool]) -> Sent:
        """Send texts (no nulls), ``<PRI>`` in front; ``pri`` None: a text that begins with its own keeps it.

        A connection that breaks is made again and gets what was not confirmed. Raises SourceError when nothing moves
        for the time that messages may wait, PolicyError, ReadCancelled.
        """

    def finish(self, cancelled: Callable[[], bool]) -> None:
        """Wait until the receiver has everything. Raises as :meth:`send`."""

    def unconfirmed(self) -> int:
        """Messages of which nobody knows yet whether they have arrived."""

    def close(self) -> None:
        """Give the connection up."""


class Syslog(Protocol):
    """Sends to syslog receivers."""

    def check(self, destination: Destination) -> None:
        """Raise PolicyError or SourceError where nothing may be sent to."""

    def outgoing(self, destination: Destination, patience: float) -> Outgoing:
        """A connection for one query, which is made with the first message. ``patience``: seconds that a message may
        wait for a receiver that does not take it."""


SYSLOG: Service[Syslog] = Service("syslog")
