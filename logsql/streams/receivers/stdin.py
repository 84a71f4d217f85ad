"""The receiver of standard input: its lines, to its end."""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading
from typing import BinaryIO, cast

from logsql.streams.intake import Intake, Sender
from logsql.streams.metrics import BYTES, FRAMES_BAD, RECEIVER_LOST, Metrics
from logsql.streams.receivers.lines import Found, Rules, State, take
from logsql.streams.settings import Receiver

_PIECE = 1 << 18


class StdinReceiver:
    """One ``[[receiver]]`` of kind ``stdin``. ``ended``: the input is at its end, the receiver reads no more.

    ``source``: what is read instead of standard input.
    """

    def __init__(self, settings: Receiver, intake: Intake, metrics: Metrics, source: BinaryIO | None = None) -> None:
        self.settings = settings
        self.warnings: list[str] = []
        self.ended = threading.Event()
        self._intake = intake
        self._metrics = metrics
        self._source = source
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Begin to read."""
        self._thread = threading.Thread(target=self._run, name=f"receiver {self.settings.name}", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Read no more. A read that waits for a writer is left to wait: what it gives then is not taken."""
        self._stopped.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 1.0)

    async def reload(self, settings: Receiver) -> bool:
        """Take over other settings."""
        if settings.kind != self.settings.kind:
            return False
        self.settings = settings
        self._intake.encoding = settings.encoding
        return True

    def senders(self) -> list[dict[str, object]]:
        """None."""
        return []

    def _run(self) -> None:
        source = self._source if self._source is not None else cast("BinaryIO", sys.stdin.buffer)
        state, kept = State(), b""
        while not self._stopped.is_set():
            if not self._intake.wait_room(0.2) or not _readable(source):
                continue
            read = getattr(source, "read1", source.read)(_PIECE)
            if self._stopped.is_set():
                return
            self._metrics.add(BYTES, (self.settings.name,), len(read))
            rules = Rules(self.settings.max_frame, self.settings.oversize != "cut")
            found = take(kept + read, rules, state, final=not read)
            kept, state = (kept + read)[found.used :], found.state
            self._put(found)
            if not read:
                self.ended.set()
                return

    def _put(self, found: Found) -> None:
        if found.truncated:
            self._metrics.add(FRAMES_BAD, (self.settings.name, "oversize"), len(found.truncated))
        if found.dropped:
            self._metrics.add(RECEIVER_LOST, (self.settings.name, "oversize"), found.dropped)
        sender = Sender(None, None, self.settings.name)
        self._intake.put(found.lines, sender, "stdin", found.truncated)


def _readable(source: BinaryIO) -> bool:
    """Whether a read would not wait; always where the system cannot tell (files, Windows)."""
    if sys.platform == "win32":
        return True
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(source, selectors.EVENT_READ)
        except (OSError, ValueError):
            return True
        return bool(selector.select(0.2))
