"""State of one run: ledger, cancel flag, progress. Readers, stages and the runner share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from logsql.diagnostics.engine import TIME_LIMIT
from logsql.diagnostics.errors import LogsqlError, RunError, TimeoutError_, diagnostic
from logsql.engine.ledger import Ledger
from logsql.engine.memory import MemoryWatch
from logsql.engine.shares import Shares
from logsql.store.policy import Policy
from udfs.readers.base import ReadContext
from udfs.readers.files import Files


@dataclass(frozen=True)
class ProgressReport:
    """How far a run is: bytes read of each source, DuckDB's own percentage (or None), seconds since the start, and
    the seconds for which each host is waited for."""

    sources: dict[str, tuple[int, int]]
    percent: float | None
    seconds: float
    waits: dict[str, float] = field(default_factory=dict)


@dataclass
class RunState:
    """Shared by everything that takes part in one run of one query."""

    policy: Policy
    zone: str
    ledger: Ledger = field(default_factory=Ledger)
    counting: bool = True
    shares: Shares | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    reached: dict[str, tuple[int, int]] = field(default_factory=dict)
    waits: dict[str, float] = field(default_factory=dict)
    """Hosts that are waited for, and until when (``time.monotonic``)."""
    started: float = field(default_factory=time.monotonic)
    deadline: float | None = None
    limit: float | None = None
    """Seconds that planning and running may take together."""
    spent: float = 0.0
    """Seconds that planning took."""
    left: list[threading.Thread] = field(default_factory=list)
    """Workers that were told to stop and have not yet: what they use stays till they end."""
    on_progress: Callable[[ProgressReport], None] | None = None

    files: Files | None = None
    """The door that the readers of this run share: what it holds open for DuckDB stays so."""
    memory: MemoryWatch = field(default_factory=lambda: MemoryWatch(None))

    abandoned: bool = False
    """Whether it was told to stop because nobody wanted the rest of its rows."""
    interrupts: int | None = None
    """How often the session had been interrupted when this query was planned; None once it runs."""

    behind: LogsqlError | None = None
    """What is raised behind the last row: the rows are right, and there would be more."""

    def abandon(self) -> None:
        """Nobody wants the rest of the rows: what reads ahead ends, as if the run was interrupted."""
        self.abandoned = self.abandoned or not self.cancel.is_set()
        self.cancel.set()

    def again(self) -> None:
        """Rows are read, perhaps once more: that an earlier reader left is forgotten, an interruption is not."""
        if self.abandoned:
            self.abandoned = False
            self.cancel.clear()

    def cancelled(self) -> bool:
        """Whether whoever works for this run should stop: it was told to, its time is over, or it holds too much."""
        return self.cancel.is_set() or self.overdue() or self.memory.over()

    def begin(self) -> None:
        """The clock runs from now, less what it has run before."""
        self.started = time.monotonic()
        if self.limit is not None:
            self.deadline = self.started + max(self.limit - self.spent, 0)

    def pause(self) -> None:
        """The clock stands: between planning and running the caller may do what it likes."""
        self.spent += time.monotonic() - self.started
        self.deadline = None

    def overdue(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def check_bounds(self) -> None:
        """Raise TimeoutError_ when the time is over, RunError when the query holds too much memory."""
        if (problem := self.past_bounds()) is not None:
            raise problem

    def past_bounds(self) -> RunError | None:
        """What is said when a bound is passed; None when none is."""
        if self.overdue():
            return self.out_of_time()
        return self.memory.error() if self.memory.over() else None

    def out_of_time(self) -> TimeoutError_:
        return TimeoutError_(diagnostic(TIME_LIMIT, seconds=self.limit or 0))

    def advance(self, source: str, done_bytes: int, total_bytes: int) -> None:
        """Byte position of a reader (the face that readers see)."""
        self.reached[source] = (done_bytes, total_bytes)

    def waiting(self, host: str, until: float) -> None:
        """A stage waits for a host, which may be asked again at that time (``time.monotonic``)."""
        self.waits[host] = until

    def report(self, percent: float | None) -> ProgressReport:
        """How far it is now."""
        now = time.monotonic()
        waits = {host: until - now for host, until in dict(self.waits).items() if until > now}
        return ProgressReport(dict(self.reached), percent, now - self.started, waits)

    def read_context(self) -> ReadContext:
        """What readers get: this run's ledger, progress and cancel flag, and the files that the policy allows."""
        if self.files is None:
            self.files = Files(self.policy.may_read, self.policy.opened, self.policy.safe)
        return ReadContext(self.ledger, self, self.cancelled, self.files, self.ledger.exact, self.memory.limit)
