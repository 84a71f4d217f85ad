"""Requests over HTTP: what a command asks, on which terms, and what comes back."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logsql.planner.services import Service

if TYPE_CHECKING:
    from logsql.configuration.settings import Rate
    from logsql.planner.runtime import StageRuntime


@dataclass(frozen=True)
class Ask:
    """One request. ``headers`` are those of the row, ``auth`` is ``ID:PW``; the settings of the host come on top.

    ``bad_header``: the row's headers are none, so nothing is sent. ``whole``: a redirect that would leave the body
    behind is refused.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    auth: str | None = None
    bad_header: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Terms:
    """What a command says of all its requests; None leaves it to the configuration. Times in seconds."""

    command: str
    timeout: float | None = None
    parallel: int | None = None
    retries: int | None = None
    cache: float | None = None
    rate: Rate | None = None


@dataclass(frozen=True)
class Answer:
    """``code`` is the status, None where none came; ``error`` a word of :data:`logsql.diagnostics.network.WORDS`.

    ``body`` is None unless it came whole. ``target`` is the URL without user, query and fragment; ``host`` counts.
    ``wait``: seconds that the server asks for before the next request, below 0 for what is no time.
    """

    target: str
    host: str
    code: int | None = None
    error: str | None = None
    content_type: str = ""
    body: bytes | None = None
    wait: float | None = None


class Http(Protocol):
    """Requests of one session."""

    def refused(self, url: str | None) -> str | None:
        """What cannot be reached in safe mode, whatever rows come: the target of the URL, or of all; None if it can.

        No module of the network is loaded to say it.
        """

    def answers(
        self, asks: Iterable[Ask | None], terms: Terms, runtime: StageRuntime
    ) -> Generator[list[Answer | None], None, None]:
        """The answers in the order of the requests, in groups as they come; None for None.

        Requests under way are ended when the iterator is closed. Raises UsageError for settings that are wrong.
        """


HTTP: Service[Http] = Service("http")
