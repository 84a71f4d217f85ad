"""Mail: letters go into the queue of the process, which a few connections work off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logsql.planner.services import Service

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile


@dataclass(frozen=True)
class Letter:
    """A mail as a row has it: comma lists of addresses; None where the row has no value."""

    to: str | None
    cc: str | None
    bcc: str | None
    subject: str | None
    message: str | None
    html: bool = False


@dataclass(frozen=True)
class Fate:
    """What became of a letter: ``word`` is None for one that the server took, for all its recipients.

    ``detail``: the address, the field or the server's reply that the word is about.
    """

    word: str | None
    detail: str = ""


class Outbox(Protocol):
    """The queue of one query, and its connections."""

    def send(self, letters: Sequence[Letter], cancelled: Callable[[], bool]) -> list[Fate]:
        """What became of each letter, in order. A server that does not answer is a fate, never an error.

        When ``cancelled`` says so, the letters that are left are ``not-sent``.
        """

    def close(self) -> None:
        """Say goodbye to the server."""


class Mail(Protocol):
    """Sends mail through the servers of profiles."""

    def check(self, profile: Profile) -> None:
        """Raise PolicyError or SourceError where the server may not be used."""

    def outbox(self, profile: Profile) -> Outbox:
        """A queue for one query."""


MAIL: Service[Mail] = Service("mail")
NOT_SENT = "not-sent"
