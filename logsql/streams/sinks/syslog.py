"""Rows to a syslog receiver, each at least once and in order: what the receiver's machine has not confirmed waits."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from logsql.configuration.settings import Configuration
from logsql.connectors.access import Access
from logsql.connectors.syslog import WINDOW, Route, Sender
from logsql.connectors.syslogframes import FRAMINGS, datagrams, framed
from logsql.connectors.syslogwire import Broken
from logsql.diagnostics.errors import LogsqlError
from logsql.planner.connections.syslog import Destination
from logsql.streams.book import Commit
from logsql.streams.settings import Sink as Settings
from logsql.streams.sinks.base import Failed, Place, Spooled
from logsql.streams.sinks.dead import Dead
from logsql.streams.sinks.syslogtexts import texts
from udfs.readers.errors import ReadCancelled

#: Rows and bytes of a batch; seconds after which what is confirmed is committed, and between two looks for it.
_ROWS, _BYTES = 5_000, 1_000_000
_COMMIT, _LOOK = 0.2, 0.005
_PORTS = {"udp": 514, "tcp": 514, "tls": 6514}


@dataclass(frozen=True)
class _Sent:
    """A batch on its way: its number, the position behind it, its rows, those that cannot be sent and why."""

    number: int
    unit: str
    position: int
    rows: int
    unfit: tuple[tuple[pa.Table, str], ...]


def destination(settings: Settings) -> Destination:
    """Where a sink sends to. Raises ValueError for a target that is none."""
    scheme, mark, place = (settings.target or "").partition("://")
    host, _, port = place.rpartition(":") if not place.endswith("]") and ":" in place else (place, "", "")
    if scheme not in _PORTS or not mark or not host.strip("[]"):
        raise ValueError(settings.target)
    return Destination(
        scheme,
        host.strip("[]"),
        int(port) if port else _PORTS[scheme],
        FRAMINGS[settings.framing],
        settings.ca_file,
        settings.client_cert or None,
        settings.client_key or None,
        settings.certificate_name or None,
        configured=True,
    )


class SyslogSink(Spooled):
    """``kind = "syslog"``."""

    kind = "syslog"

    def __init__(self, settings: Settings, place: Place, reach: Configuration, dead: Dead) -> None:
        super().__init__(settings, place)
        self._there = destination(settings)
        self._dead = dead
        self._sender = Sender(Route(Access(lambda: reach, place.files, place.zone), self._there))
        self._sent: deque[_Sent] = deque()
        self._number = 0
        self._committed_at = 0.0
        self.escaped = 0

    def status(self) -> dict[str, object]:
        """See :class:`.base.Sink`. ``escaped``: line breaks within messages that were written as ``\\n``."""
        return {**super().status(), "target": self._there.told, "escaped": self.escaped}

    def step(self) -> bool:
        """See :class:`.base.Spooled`."""
        try:
            return self._worked()
        except Broken as problem:
            self._commit(now=True)
            raise Failed(problem.word) from None
        except LogsqlError as problem:  # what the policy or a certificate file says
            raise Failed(problem.code) from None
        except ReadCancelled:
            return False

    def _worked(self) -> bool:
        self._sender.push(self.ended)
        taken = self.next_rows(_ROWS, _BYTES)
        if taken is not None:
            unit, part = taken
            self._put(unit, part.next, part.rows)
            self.spools[unit].read = part.next
            self._sender.push(self.ended)
            self._sender.settle(self.ended, WINDOW)
        elif self._sender.told_at_end and self._sent:
            self._sender.settle(self.ended)
        self._sender.poll()
        self._commit(now=False)
        if taken is None and self._sender.unconfirmed:
            self._wake.wait(_LOOK)
            self._wake.clear()
            return True
        return taken is not None

    def finish(self) -> None:
        """See :class:`.base.Spooled`."""
        self._commit(now=True)
        self._sender.close(lambda: False)

    def _put(self, unit: str, position: int, rows: pa.Table) -> None:
        """Hand a batch to the sender."""
        wanted = texts(rows, self.settings.format, self.place.zone, self.settings.pri, self.settings.fields)
        unfit: list[tuple[pa.Table, str]] = []
        if wanted.null_count:
            unfit.append((rows.filter(pc.is_null(wanted)), "no-line"))
            rows, wanted = rows.filter(pc.is_valid(wanted)), wanted.drop_null()
        pri = None if self.settings.format == "rfc5424" else self.settings.pri
        if self._there.scheme == "udp":
            frames = datagrams(wanted, pri)
            if frames.left:
                unfit.append((rows.take(pa.array(frames.left, pa.int64())), "message-too-long"))
        else:
            frames = framed(wanted, self._there.framing, pri)
        self.escaped += frames.escaped
        self._number += 1
        self._sent.append(_Sent(self._number, unit, position, len(frames.ends), tuple(unfit)))
        self._sender.put(frames, self._number)

    def _commit(self, now: bool) -> None:
        """Commit what is confirmed: at once, or when the last commit was a while ago."""
        if not self._sent or self._sent[0].number > self._sender.confirmed:
            return
        if not now and time.monotonic() - self._committed_at < _COMMIT:
            return
        done = [one for one in self._sent if one.number <= self._sender.confirmed]
        lost = 0
        try:
            for one in done:
                for rows, error in one.unfit:
                    self._dead.bury(rows, self.unit_folder, self.name, error)
                    lost += rows.num_rows
            staged = self._dead.staged(self.unit_folder)
            positions = {one.unit: one.position for one in done}
            commit = Commit(self.unit, ends=staged.ends, feeds=staged.feeds)
            self.delivered(positions, sum(one.rows for one in done), commit)
        except BaseException:
            self._dead.aborted(self.unit_folder)
            raise
        self._dead.committed(self.unit_folder)
        for _ in done:
            self._sent.popleft()
        if lost:
            self.lost("dead", lost)
        self._committed_at = time.monotonic()
