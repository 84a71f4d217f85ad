"""Standard input that arrives while a query runs: a port that is listened on (``-p``), a pipe, a terminal."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from logsql.loading import at

if TYPE_CHECKING:
    from logsql.conversation.conversation import Settings
    from logsql.engine.result import Result
    from logsql.engine.session import Session
    from logsql.shell.invocation import Invocation


class Input(Protocol):
    """What a run needs of it (:class:`logsql.streams.standing.Asked`). ``ended``: by Ctrl-C."""

    ended: bool

    def ask(self, text: str, params: Mapping[str, object] | None, origin: str | None, exact: bool, /) -> Result:
        """Plan the query and begin to read. Raises LogsqlError."""

    def sink(self, path: str | None) -> AbstractContextManager[BinaryIO]:
        """The place for rows, written at once."""

    def end(self) -> bool:
        """Ctrl-C: the input ends; False where the run is to be interrupted instead."""

    def close(self) -> None:
        """Read no more, and count what was lost."""


#: A query that begins with standard input; what stands in other places of a query reads all of it.
_BEGINS = re.compile(r"^\s*-\s*(?:\||$)", re.MULTILINE)


def arriving(
    asked: Invocation, text: str, session: Session, settings: Settings, say: Callable[[str], None]
) -> Input | None:
    """Standard input that comes bit by bit; None where it is a file or an object of this process, and not read."""
    if asked.verb == "sql" or (asked.port is None and not (_BEGINS.search(text) and _comes())):
        return None
    made = cast("Callable[..., Input]", at("logsql.streams.standing:Asked"))
    return made(session, settings, asked.port, asked.format is not None, say)


def _comes() -> bool:
    """Whether standard input is a pipe, a socket or a terminal."""
    try:
        handle = sys.stdin.fileno()
        mode = os.fstat(handle).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(handle)
