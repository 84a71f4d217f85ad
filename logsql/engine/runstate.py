"""State of one run: ledger, cancel flag, progress. Readers, stages and the runner share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from logsql.engine.ledger import Ledger
from logsql.engine.shares import Shares
from logsql.store.policy import Policy
from udfs.readers.base import ReadContext
from udfs.readers.files import Files


@dataclass(frozen=True)
class ProgressReport:
    """How far a run is: bytes read of each source, DuckDB's own percentage (or None), seconds since the start."""

    sources: dict[str, tuple[int, int]]
    percent: float | None
    seconds: float


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
    started: float = field(default_factory=time.monotonic)
    deadline: float | None = None
    on_progress: Callable[[ProgressReport], None] | None = None

    def cancelled(self) -> bool:
        return self.cancel.is_set()

    def advance(self, source: str, done_bytes: int, total_bytes: int) -> None:
        """Byte position of a reader (the face that readers see)."""
        self.reached[source] = (done_bytes, total_bytes)

    def read_context(self) -> ReadContext:
        """What readers get: this run's ledger, progress and cancel flag, and the files that the policy allows."""
        return ReadContext(self.ledger, self, self.cancelled, Files(self.policy.may_read, self.policy.opened))
