"""``logsql serve CONFIG``: put a server together, run it until a signal, and say why it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

from logsql.diagnostics.errors import QueryError, SourceError, UsageError, diagnostic
from logsql.diagnostics.extras import PACKAGE_MISSING
from logsql.diagnostics.live import FOLDER_UNUSABLE
from logsql.diagnostics.messages import message
from logsql.loading import at
from logsql.shell.invocation import Invocation
from logsql.shell.voice import Voice
from logsql.store.files import Files
from logsql.store.serverfolder import take
from logsql.streams.assembly import opened
from logsql.streams.configuring import live as read
from logsql.streams.logbook import Logbook
from logsql.streams.server import Server
from logsql.streams.settings import Live


def run(asked: Invocation, voice: Voice) -> int:
    """Serve; 0 behind a signal. ``--check`` reads, plans, resolves models and certificates, and ends."""
    path = Path(asked.words[0])
    sets = [f"{key}={value}" for key, value in asked.sets]

    def load() -> Live:
        return read(path, sets)

    wanted = load()
    needed = {"aiohttp": bool(wanted.server.status) or any(s.kind == "webhook" for s in wanted.sinks)}
    needed["prometheus_client"] = bool(wanted.server.status)
    for package, used in needed.items():
        if used:
            _check_package(package)
    log = Logbook(wanted.server.log, voice.say)
    try:
        return _serve(wanted, load, log, asked.check)
    except QueryError as problem:  # a query of a stream that cannot work is a wrong configuration
        voice.error(problem.diagnostic)
        return UsageError.exit_code
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise SourceError(diagnostic(FOLDER_UNUSABLE, path=wanted.server.state_dir, reason=reason)) from None


def _serve(wanted: Live, load: Callable[[], Live], log: Logbook, check: bool) -> int:
    with take(Path(wanted.server.state_dir), Files()) as folder:
        parts = opened(wanted, folder, log)
        if check:
            parts.close()
            log.plain(message("live-checked", streams=len(parts.units)))
            return 0
        server = Server(parts, load)
        try:
            with asyncio.Runner(loop_factory=_loop()) as runner:
                return runner.run(server.run())
        finally:
            parts.close()


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed, which is faster; the standard one elsewhere."""
    try:
        return cast("Callable[[], asyncio.AbstractEventLoop]", at("uvloop:new_event_loop"))
    except ModuleNotFoundError:
        return None


def _check_package(name: str) -> None:
    """Raise SourceError where a package of the extra ``live`` is not installed."""
    try:
        at(f"{name}:__name__")
    except ModuleNotFoundError:
        raise SourceError(diagnostic(PACKAGE_MISSING, what="serve", package=name, extra="live")) from None
