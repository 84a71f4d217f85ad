"""The life of a server: start, signals, a look around every second, reload, the end.

The loop of the main thread serves connections, the status page and signals; streams, sinks and journals have threads.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol, cast

import duckdb

from logsql import __version__
from logsql.diagnostics.errors import LogsqlError, UsageError
from logsql.diagnostics.messages import message
from logsql.loading import at
from logsql.streams.answers import STAYING, handlers
from logsql.streams.assembly import Assembly
from logsql.streams.control import Control
from logsql.streams.intake import REASONS
from logsql.streams.metrics import BUILD, CONNECTIONS, LAG, RELOADS
from logsql.streams.reload import Reload
from logsql.streams.settings import Live
from logsql.streams.unit import WINDOW
from logsql.streams.views import View

#: Seconds between two looks around.
LOOK = 1.0
#: Room with which a database that was given up is opened again: what it wanted to write, and what it keeps free.
_ANEW = 64_000_000
#: Exit codes of a second signal.
AT_ONCE = {signal.SIGTERM: 143, signal.SIGINT: 130}


class Page(Protocol):
    """The status page."""

    async def start(self) -> None:
        """Listen."""

    async def stop(self) -> None:
        """Answer nobody any more."""


class Server:
    """One server that was put together. ``load`` reads the configuration anew, for a reload."""

    def __init__(self, parts: Assembly, load: Callable[[], Live]) -> None:
        self.parts = parts
        self.load = load
        self.started = time.time()
        self.view = View(self)
        self.control = Control(parts.folder.path, handlers(self.view), STAYING)
        self._page: Page | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()
        self._signals = 0
        self._anew = False

    # --- life -------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Start, serve until a signal, stop; the exit code. Raises LogsqlError where it cannot start."""
        self._loop = asyncio.get_running_loop()
        parts = self.parts
        started: list[str] = []
        try:
            await self._start(started)
        except BaseException:
            await self._stop_receivers(started)
            self._stop_units(time.monotonic())
            raise
        # The same in every language: scripts wait for it.
        parts.log.plain(f"ready: {len(parts.receivers)} receivers, {len(parts.units)} streams, {self.sinks} sinks")
        notify("READY=1")
        looking = asyncio.create_task(self._look_around())
        await self._end.wait()
        notify("STOPPING=1")
        looking.cancel()
        if self._anew and not self._signals:
            await self._begin_anew()
        await self._stop()
        return 0

    @property
    def sinks(self) -> int:
        """How many sinks there are."""
        return len(self.parts.sinks.sinks)

    async def _start(self, started: list[str]) -> None:
        parts = self.parts
        assert self._loop is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled, number)
        self._loop.add_signal_handler(signal.SIGHUP, self._reload_asked)
        parts.metrics.set(BUILD, (__version__, sys.version.split()[0], duckdb.__version__), 1)
        for receiver in parts.receivers:
            parts.metrics.set(CONNECTIONS, (receiver,), 0)
        parts.journal.start()
        parts.sinks.start()
        parts.contexts.start()
        for unit in parts.units.values():
            unit.start()
        for name, one in parts.receivers.items():
            await one.start()
            started.append(name)
            for warning in one.warnings:
                parts.log.say(warning, "warning", name)
        if parts.live.server.status:
            made = cast("Callable[..., Page]", at("logsql.streams.status:StatusPage"))
            token = parts.live.server.status_token
            self._page = made(parts.live.server.status, token.value() if token else None, self.view.views())
            await self._page.start()
        self.control.start()

    def _signalled(self, number: signal.Signals) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(AT_ONCE[number])
        self._end.set()

    async def _stop(self) -> None:
        """Read no more, deliver what is accepted to whoever takes it, keep the rest."""
        parts = self.parts
        deadline = time.monotonic() + parts.live.server.shutdown
        await self._stop_receivers(list(parts.receivers))
        await asyncio.to_thread(self._finish, deadline)
        self.control.stop()
        if self._page is not None:
            await self._page.stop()

    async def _begin_anew(self) -> None:
        """Begin again as the same process, where the engine has given the database up for want of room and there is
        room again: nothing else opens it. As safe as ``kill -9``: what was accepted is in the journal.
        """
        parts = self.parts
        await self._stop_receivers(list(parts.receivers))
        for intake in parts.intakes.values():
            await asyncio.to_thread(intake.drain)
        parts.log.say(message("live-anew"), "warning")
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])

    def _finish(self, deadline: float) -> None:
        parts = self.parts
        for intake in parts.intakes.values():
            intake.drain()
        self._stop_units(deadline)
        parts.contexts.stop()
        parts.sinks.stop(deadline)
        parts.close()

    async def _stop_receivers(self, names: Iterable[str]) -> None:
        for name in names:
            with suppress(LogsqlError, OSError):
                await self.parts.receivers[name].stop()

    def _stop_units(self, deadline: float) -> None:
        """End the streams, sources before those that read them, so that what is accepted comes through."""
        for unit in self.parts.units.values():
            unit.stop(deadline)

    # --- once a second ----------------------------------------------------------------------------

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                await asyncio.to_thread(self.look)
            except (LogsqlError, OSError, duckdb.Error) as problem:
                self.parts.log.say(str(problem), "error")
            if self.parts.book.ended and self.parts.book.has_room(_ANEW):
                self._anew = True
                self._end.set()

    def look(self) -> None:
        """Release what nobody needs, and measure."""
        parts = self.parts
        readers: dict[str, list[int]] = {}
        for unit in list(parts.units.values()):
            if unit.holds:
                for name, position in unit.worker.positions.items():
                    readers.setdefault(name, []).append(position)
        parts.feeds.release(readers, lambda name: name.startswith(WINDOW))
        for name, unit in parts.units.items():
            parts.metrics.set(LAG, (name,), unit.lag())

    def reasons(self) -> list[str]:
        """Why the server is not ready; none: it is."""
        found = [REASONS[reason].fill() for reason in sorted(self.parts.journal.reasons())]
        for name, unit in self.parts.units.items():
            if unit.state == "failed":
                found.append(message("live-stream-failed", name=name, reason=unit.reason))
        return found

    # --- reload -----------------------------------------------------------------------------------

    def _reload_asked(self) -> None:
        assert self._loop is not None
        self._loop.create_task(self.reload())

    async def reload(self) -> list[str]:
        """Take up the configuration as it is now; what is said of it. Raises LogsqlError, and nothing has changed."""
        notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            live = await asyncio.to_thread(self.load)
            said = await Reload(self.parts, live).run()
        except LogsqlError as problem:
            problem.exit_code = max(problem.exit_code, UsageError.exit_code)  # a wrong query is a wrong configuration
            self.parts.metrics.add(RELOADS, ("failed",))
            self.parts.log.say(message("live-reload-failed", reason=problem.diagnostic.message), "error")
            raise
        finally:
            notify("READY=1")
        self.parts.metrics.add(RELOADS, ("ok",))
        for line in said:
            self.parts.log.say(line)
        return said

    def reload_from_thread(self) -> list[str]:
        """:meth:`reload`, for the thread of a question."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self.reload(), self._loop).result()


def notify(text: str) -> None:
    """Tell the service manager (systemd, NOTIFY_SOCKET), where there is one."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.connect("\0" + address[1:] if address.startswith("@") else address)
        peer.send(text.encode())
