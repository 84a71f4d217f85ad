"""What the queries of one session share, below the session: database, runs, services, results, lookups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from logsql.engine.database import Database
from logsql.engine.interrupts import Runs
from logsql.engine.leftovers import when_done
from logsql.engine.lookups import SessionLookups
from logsql.engine.runstate import ProgressReport
from logsql.engine.saved import Results
from logsql.engine.services import Services, Settings
from logsql.planner.services import Service
from logsql.store.folders import results_folders, user_state_folder
from logsql.store.results import SavedResults


@dataclass
class Workspace:
    """``on_progress`` is told how far a run is, a few times a second; ``owner``: the results end with it; ``given``:
    what the readers of its queries share (standard input that comes from elsewhere), by class."""

    database: Database
    runs: Runs
    services: Services
    results: Results
    on_progress: Callable[[ProgressReport], None] | None = None
    owner: bool = True
    given: dict[type, object] = field(default_factory=dict)

    @classmethod
    def over(cls, database: Database, settings: Settings, timeout: float | None) -> Workspace:
        """A workspace over a database that was opened for it."""
        runs = Runs(timeout)
        results = Results(
            SavedResults(database.files, results_folders(database.path)), database.files, user_state_folder() / "kept"
        )
        lookups = SessionLookups(database, bool(settings.geoip))
        return cls(database, runs, Services(database, settings, lookups, runs.log, results), results)

    def sibling(self) -> Workspace:
        """The same for another thread: cursors, runs and services of its own; tables, lookups, results shared."""
        database, services = self.database.sibling(), self.services
        runs = Runs(self.runs.timeout, self.runs.log)
        made = Services(database, services.settings, services.lookups, runs.log, self.results)
        for key, thing in services.provided.items():
            made.provide(Service(key), thing)
        return Workspace(database, runs, made, self.results, owner=False)

    def close(self) -> None:
        """Stop what runs and release the database."""
        self.database.refuse()
        self.runs.close()
        if self.owner:
            self.results.close()
        self.services.close()
        # A worker that has not stopped yet may still use its cursor: the database is released when it ends.
        if self.runs.left:
            when_done(self.runs.left, self.database.close)
        else:
            self.database.close()
