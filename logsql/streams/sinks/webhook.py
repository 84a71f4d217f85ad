"""Rows to a web service: a POST of a JSON array, tried until it is taken, each batch under one key for ever.

The rows of a batch are fixed in the book before it is sent, so that behind a crash the same rows go out under the same
``Idempotency-Key``. 2xx means delivered; 4xx means that it will never be (but for 408, 425 and 429): its rows go to the
dead file. Everything else is tried again. Redirects, proxies, TLS, private addresses: the rules of ``wget``.
"""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from functools import cached_property

import pyarrow as pa

from logsql.configuration.settings import Configuration
from logsql.connectors.access import Access
from logsql.connectors.fence import Fence, Refused
from logsql.connectors.http_line import Line
from logsql.connectors.http_line import Running as Requests
from logsql.connectors.http_urls import target_of
from logsql.planner.connections.http import Answer, Ask, Terms
from logsql.streams.book import Commit
from logsql.streams.feed import Taken
from logsql.streams.settings import Sink as Settings
from logsql.streams.sinks.base import TICK, Failed, Place, Spooled
from logsql.streams.sinks.dead import Dead
from logsql.streams.sinks.jsonrows import chosen, json_objects

_BYTES = 4_000_000
#: 4xx that say "later".
_LATER = frozenset({408, 425, 429})
#: Longest wait that a server may ask for.
_LONGEST = 3600.0


class _Access(Access):
    """A target that stands in the configuration: public addresses need no further leave, private ones do."""

    @cached_property
    def fence(self) -> Fence:
        """Who may be reached."""
        return Fence(self.network)


class WebhookSink(Spooled):
    """``kind = "webhook"``. Raises ValueError for a URL that is none, or that may not be reached."""

    kind = "webhook"

    def __init__(self, settings: Settings, place: Place, reach: Configuration, dead: Dead) -> None:
        super().__init__(settings, place)
        self._access = _Access(lambda: reach, place.files, place.zone)
        self._dead = dead
        self._url = settings.url or ""
        try:
            self._target = target_of(self._url)
            site = self._target.site
            self._access.fence.judged(site.host, site.port)
            if site.scheme == "http" and not self._access.fence.plain(site.host, site.port):
                raise Refused("refused-scheme", self._target.shown)
        except Refused as problem:
            raise ValueError(problem.word) from None
        self._line: Line | None = None
        self._requests: Requests | None = None
        self._ready = threading.Event()
        states = place.book.states(self.unit)
        self._identity = states.get("identity", b"").decode() or uuid.uuid4().hex
        #: The batch that was fixed last: unit, first row, the row behind its last.
        self._fixed: tuple[str, int, int] | None = None
        if states.get("batch"):
            unit, first, end = json.loads(states["batch"])
            self._fixed = (str(unit), int(first), int(end))

    def status(self) -> dict[str, object]:
        """See :class:`.base.Sink`."""
        return {**super().status(), "target": self._target.shown}

    def step(self) -> bool:
        """See :class:`.base.Spooled`."""
        unit, part = self._next() or (None, None)
        if unit is None or part is None:
            return False
        self._fix(unit, part)
        answer = self._posted(unit, part)
        if answer is None:
            return False
        code = answer.code or 0
        if 200 <= code < 300 and answer.error is None:
            self._done(unit, part, None)
        elif 400 <= code < 500 and code not in _LATER:
            self._done(unit, part, f"HTTP {code}")
        else:
            wait = None if answer.wait is None or not 0 <= answer.wait <= _LONGEST else answer.wait
            raise Failed(answer.error or f"HTTP {code}", wait)
        return True

    def finish(self) -> None:
        """See :class:`.base.Spooled`."""
        if self._requests is not None:
            self._requests.stop()
        if self._line is not None:
            self._line.close()

    def _next(self) -> tuple[str, Taken] | None:
        """The batch that was fixed and is not delivered, else the next rows."""
        if self._fixed is not None:
            unit, first, end = self._fixed
            spool = self.spools.get(unit)
            if spool is not None and spool.position <= first < end <= spool.feed.published:
                taken = spool.feed.read(first, end - first, _BYTES)
                if taken is not None:
                    return unit, taken
        return self.next_rows(self.settings.batch_rows, _BYTES)

    def _fix(self, unit: str, part: Taken) -> None:
        """Have the book know which rows are a batch, before anybody else does."""
        if self._fixed != (unit, part.first, part.next):
            self._fixed = (unit, part.first, part.next)
            states = {"batch": json.dumps(self._fixed).encode(), "identity": self._identity.encode()}
            self.place.book.commit(Commit(self.unit, states=states))

    def key(self, unit: str, part: Taken) -> str:
        """The key of a batch: that of the same rows is the same, behind restarts too."""
        text = f"{self._identity}:{self.name}:{unit}:{part.first}:{part.next}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _posted(self, unit: str, part: Taken) -> Answer | None:
        """The answer to a batch; None when the server ends before it came. Raises UsageError for a secret."""
        headers = (
            ("Content-Type", "application/json"),
            ("Idempotency-Key", self.key(unit, part)),
            *((name, secret.value()) for name, secret in self.settings.headers.items()),
        )
        if self._requests is None:
            self._line = Line(self._access)
            self._requests = self._line.begin(Terms("webhook", parallel=1, retries=0), None, self._ready)
        (slot,) = self._requests.send([Ask(self._url, "POST", headers, self.body(part.rows), whole=True)])
        while not slot.done():
            self._ready.wait(TICK)
            self._ready.clear()
            if self.ended():
                return None
        return slot.result()

    def body(self, rows: pa.Table) -> bytes:
        """The JSON array."""
        objects = json_objects(chosen(rows, self.settings.fields), self.place.zone)
        return b"[" + b",".join(text.encode() for column in objects for text in column.to_pylist()) + b"]"

    def _done(self, unit: str, part: Taken, error: str | None) -> None:
        """Commit that a batch is delivered, or that it is dead."""
        rows = part.rows.num_rows
        commit = Commit(self.unit)
        try:
            if error is not None:
                self._dead.bury(part.rows, self.unit_folder, self.name, error)
                staged = self._dead.staged(self.unit_folder)
                commit = Commit(self.unit, ends=staged.ends, feeds=staged.feeds)
            self.delivered({unit: part.next}, 0 if error else rows, commit)
        except BaseException:
            self._dead.aborted(self.unit_folder)
            raise
        self._dead.committed(self.unit_folder)
        if error is not None:
            self.lost("dead", rows)
        self.spools[unit].read = part.next
