"""Services that commands ask the catalog for (:mod:`logsql.planner.services`); each is made on first use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from logsql.engine.database import Database
from logsql.engine.lookups import SessionLookups
from logsql.engine.querylog import QueryLog, QueryRecord
from logsql.engine.saved import Results
from logsql.loading import at
from logsql.planner.connections.live import LIVE
from logsql.planner.services import CONFIGURATION, CONTEXTS, Service
from logsql.store.folders import MEMORY
from logsql.store.keeping import Ending

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """What commands may do in a session and where they look: databases for ``lookup geoip`` (a ``.mmdb`` file or a
    folder), folders of stored queries, whether rows may be deleted, the configuration file (None: the user's), the live
    server that ``logger`` and ``stream`` ask (its configuration or state folder), and the ``configuration`` itself
    in the place of its file, which a server has read."""

    geoip: str | None = None
    procs: tuple[str, ...] = ()
    allow_purge: bool = False
    config: str | None = None
    server: str | None = None
    configuration: object = None


class SessionQueries:
    """The ``queries`` service: records of the session's queries, and how many rows a kept result has."""

    def __init__(self, log: QueryLog, results: Results) -> None:
        self._log = log
        self._results = results

    def records(self) -> list[QueryRecord]:
        """All that are remembered, oldest first."""
        return self._log.records()

    def kept_rows(self, number: int) -> int | None:
        """Rows of a kept result; None when the result of that query is not kept, or rows of it still come."""
        kept = self._results.kept.get(str(number))
        return None if kept is None or kept.ending is Ending.OPEN else kept.rows


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
        #: What the session was given, and its siblings with it.
        self.provided: dict[str, object] = {}

    def get(self, key: Service[T]) -> T | None:
        """A service, made on first use; None when there is none of this name."""
        if key not in self._made:
            factory = FACTORIES.get(key)
            made = factory(self) if factory is not None else next(filter(None, (f(self, key) for f in FINDERS)), None)
            if factory is None and made is None:
                return None
            self._made[key] = made
        return cast("T | None", self._made[key])

    def provide(self, key: Service[T], thing: T) -> None:
        """A service that the session is given: a server's streams share their event contexts."""
        self._made[key] = self.provided[key] = thing

    def change(self, settings: Settings) -> None:
        """From now on these settings hold."""
        self.settings = settings
        for name in ("geoip", "procedures", "purging"):
            self._made.pop(name, None)

    def forget_configuration(self) -> None:
        """The settings are read again when they are asked for; what works by them is made again."""
        for name in [n for n in self._made if n == CONFIGURATION or (n not in FACTORIES and n != CONTEXTS)]:
            end = getattr(self._made.pop(name), "close", None)
            if end is not None:
                end()

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
    server = services.get(LIVE) if database.path == MEMORY else None
    folder = database.state_folder if server is None else server.state_folder()
    return ModelStore(folder, files=database.files)


def _objects(services: Services) -> object:
    from logsql.engine.objects import ObjectLists  # for cost: few queries need it

    return ObjectLists(services.database)


def _procedures(services: Services) -> object:
    from logsql.engine.procedures import Procedures  # for cost: few queries need it

    return Procedures(services.database, services.settings.procs)


def _configuration(services: Services) -> object:
    if services.settings.configuration is not None:
        return services.settings.configuration
    read = cast("Callable[[str | None], object]", at("logsql.configuration.reading:configuration"))
    return read(services.settings.config)


#: Rooms above the engine add theirs: what makes a service of a name that is not below, None where it knows none.
FINDERS: list[Callable[[Services, str], object | None]] = []
#: How the service of each name is made.
FACTORIES: dict[str, Callable[[Services], object]] = {
    "models": _models,
    "configuration": _configuration,
    "geoip": lambda services: services.settings.geoip,
    "lookups": lambda services: services.lookups,
    "objects": _objects,
    "procedures": _procedures,
    "purging": lambda services: services.settings.allow_purge,
    "queries": Services.queries,
}
