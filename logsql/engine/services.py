"""Services that commands ask the catalog for (:mod:`logsql.planner.services`); each is made on first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from logsql.engine.database import Database
from logsql.engine.lookups import SessionLookups
from logsql.engine.querylog import QueryLog, QueryRecord
from logsql.engine.saved import Results
from logsql.planner.services import Service

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """What commands may do in a session and where they look: databases for ``lookup geoip`` (a ``.mmdb`` file or a
    folder), folders of stored queries, whether rows may be deleted."""

    geoip: str | None = None
    procs: tuple[str, ...] = ()
    allow_purge: bool = False


class SessionQueries:
    """The ``queries`` service: records of the session's queries, and how many rows a kept result has."""

    def __init__(self, log: QueryLog, results: Results) -> None:
        self._log = log
        self._results = results

    def records(self) -> list[QueryRecord]:
        """All that are remembered, oldest first."""
        return self._log.records()

    def kept_rows(self, number: int) -> int | None:
        """Rows of a kept result; None when the result of that query is not kept."""
        kept = self._results.kept.get(str(number))
        return None if kept is None else kept.rows


class Services:
    """The services of one session. ``lookups`` are those of the session and of its siblings."""

    def __init__(
        self, database: Database, settings: Settings, lookups: SessionLookups, log: QueryLog, results: Results
    ) -> None:
        self.database = database
        self.settings = settings
        self.lookups = lookups
        self._log = log
        self._results = results
        self._made: dict[str, object] = {}

    def get(self, key: Service[T]) -> T | None:
        """A service, made on first use; None when there is none of this name."""
        if key not in self._made:
            factory = FACTORIES.get(key)
            if factory is None:
                return None
            self._made[key] = factory(self)
        return cast("T | None", self._made[key])

    def change(self, settings: Settings) -> None:
        """From now on these settings hold."""
        self.settings = settings
        for name in ("geoip", "procedures", "purging"):
            self._made.pop(name, None)

    def queries(self) -> SessionQueries:
        """The queries of the session."""
        return SessionQueries(self._log, self._results)

    def close(self) -> None:
        """Release what the services hold."""
        for service in self._made.values():
            end = getattr(service, "close", None)
            if end is not None:
                end()
        self._made.clear()


def _models(services: Services) -> object:
    from logsql.ml.store import ModelStore  # for cost: only model commands load the room of models

    database = services.database
    return ModelStore(database.state_folder, files=database.files)


def _objects(services: Services) -> object:
    from logsql.engine.objects import ObjectLists  # for cost: few queries need it

    return ObjectLists(services.database)


def _procedures(services: Services) -> object:
    from logsql.engine.procedures import Procedures  # for cost: few queries need it

    return Procedures(services.database, services.settings.procs)


#: How the service of each name is made.
FACTORIES: dict[str, Callable[[Services], object]] = {
    "models": _models,
    "geoip": lambda services: services.settings.geoip,
    "lookups": lambda services: services.lookups,
    "objects": _objects,
    "procedures": _procedures,
    "purging": lambda services: services.settings.allow_purge,
    "queries": Services.queries,
}
