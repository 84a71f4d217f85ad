"""Lines on their way to a query of the command line: from a receiver or a pipe, bounded, to the thread that runs it.

What waits is bounded: a receiver stops reading (TCP tells its senders to wait, datagrams wait in the system's buffer,
which counts what it drops), and who writes into a pipe waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import pyarrow as pa

from logsql.streams.messages import Sender
from logsql.streams.room import Room
from udfs.readers.base import ReadContext, ReaderError, check_cancelled
from udfs.readers.framing import decoded
from udfs.readers.stdin import StandardInput

#: Bytes that may wait, and of one batch.
MOST_WAITING = 16_000_000
_BATCH = 4_000_000
#: Seconds between two looks whether the query is stopped.
LOOK = 0.1


class Arriving(Room):
    """Lines from any thread for one. ``undecoded``: told how many messages hold bytes that are no UTF-8."""

    def __init__(self, undecoded: Callable[[int], None] = lambda count: None) -> None:
        super().__init__()
        self.encoding = "utf-8"
        self._undecoded = undecoded
        self._lines: deque[pa.Array] = deque()
        self._bytes = 0
        self._ended = False
        self._error: BaseException | None = None

    # --- receivers (logsql.streams.receivers.base.Taking) ----------------------------------------

    def put(
        self,
        lines: list[bytes],
        sender: Sender | list[Sender],
        transport: str,
        truncated: list[int] | None = None,
    ) -> None:
        """Messages without their framing. They are kept even where there is no room; look at ``full`` before."""
        if not lines:
            return
        found, bad = decoded(lines, self.encoding)
        if bad:
            self._undecoded(len(bad))
        self._add(found)

    # --- a pipe -----------------------------------------------------------------------------------

    def add(self, lines: pa.Array) -> bool:
        """Lines, when there is room for them; False when nobody wants more."""
        with self.turn:
            self.turn.wait_for(lambda: not self.full or self._ended)
            if self._ended:
                return False
        self._add(lines)
        return True

    def _add(self, lines: pa.Array) -> None:
        with self.turn:
            self._lines.append(lines)
            self._bytes += lines.nbytes
            self.full = self._bytes >= MOST_WAITING
            self.turn.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes; ``error``: why, raised behind the last line."""
        with self.turn:
            if not self._ended:
                self._ended, self._error = True, error
            self.turn.notify_all()

    # --- the query --------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether nothing waits and nothing more comes. Raises what the lines ended with."""
        with self.turn:
            ended = self._ended and not self._lines
            if ended and self._error is not None:
                raise self._error
            return ended

    def take(self, seconds: float) -> list[pa.Array]:
        """What waits, a few megabytes at most; after so long nothing."""
        with self.turn:
            self.turn.wait_for(lambda: self._lines or self._ended, seconds)
            found: list[pa.Array] = []
            size = 0
            while self._lines and size < _BATCH:
                found.append(self._lines.popleft())
                size += found[-1].nbytes
            self._bytes -= size
            if self.full and self._bytes <= MOST_WAITING // 2:
                self.make_room()
        return found


class ArrivingInput(StandardInput):
    """Standard input that comes from elsewhere, for a query that reads all of it before it answers."""

    def __init__(self, arriving: Arriving) -> None:
        super().__init__()
        self._arriving = arriving

    def lines(self, context: ReadContext) -> Iterator[pa.Array]:
        """The lines until they end. ReaderError ``input-read-twice`` where the query names them in several places."""
        if self.readers > 1:
            raise ReaderError("standard input can be read only once in a query", "-", "input-read-twice")
        while not self._arriving.over:
            check_cancelled(context)
            yield from self._arriving.take(LOOK)
