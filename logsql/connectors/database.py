"""The databases of the profiles: who may be reached, and which driver answers.

Drivers are imported when a profile of their kind is first used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Protocol, cast

from logsql.connectors import databaseplace
from logsql.connectors.access import Access
from logsql.connectors.failures import no_answer
from logsql.diagnostics.databases import SQL_FAILED
from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.network import WORDS
from logsql.loading import at
from logsql.planner.connections.databases import (
    Cancelled,
    DatabaseProblem,
    Lookup,
    Opened,
    Routine,
    Statement,
    Target,
    Writer,
)
from logsql.store.policy import read_refused

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile

_SQLITE, _POSTGRES = "logsql.connectors.databasesqlite:SqliteFile", "logsql.connectors.databasepostgres:PostgresServer"
_OTHERS = "logsql.connectors.databaseadbc:OtherServer"


class Backend(Protocol):
    """One profile's database."""

    def query(self, asked: Statement, given: Mapping[str, object], watch: Cancelled, look: bool) -> Opened: ...
    def lookup(self, asked: Statement, watch: Cancelled) -> Lookup: ...
    def writer(self, target: Target, watch: Cancelled) -> Writer: ...
    def call(self, routine: Routine, watch: Cancelled) -> Opened: ...
    def close(self) -> None: ...


class Client:
    """The service :data:`~logsql.planner.connections.databases.DATABASES` of one session.

    Connections are kept for the next statement, and end with the session.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._made: dict[str, Backend] = {}

    def admit(self, profile: Profile) -> None:
        """Refuse what the policy does not allow."""
        if not is_file(profile):
            databaseplace.admit(profile, self._access)
        elif profile.path is None:
            raise databaseplace.setting_error(profile, "path")
        elif not self._access.files.policy.may_read(profile.path):
            raise read_refused(profile.path)

    def query(
        self, profile: Profile, asked: Statement, given: Mapping[str, object], watch: Cancelled, look: bool = True
    ) -> Opened:
        """A statement that reads. ``watch`` is asked while the server thinks about its types."""
        return self._backend(profile).query(asked, given, watch, look)

    def lookup(self, profile: Profile, asked: Statement, watch: Cancelled) -> Lookup:
        """A statement that is asked for keys."""
        return self._backend(profile).lookup(asked, watch)

    def writer(self, profile: Profile, target: Target, watch: Cancelled) -> Writer:
        """A table that rows go to."""
        return self._backend(profile).writer(target, watch)

    def call(self, profile: Profile, routine: Routine, watch: Cancelled) -> Opened:
        """A call of a stored procedure."""
        return self._backend(profile).call(routine, watch)

    def script(self, path: str, charset: str, most: int) -> str:
        """The text of a file that the policy allows."""
        return self._access.files.read(path, most).decode("utf-8-sig" if charset.lower() == "utf-8" else charset)

    def test(self, profile: Profile) -> str:
        """Log in and ask for the version."""
        asked = Statement.of("select sqlite_version()" if is_file(profile) else "select version()")
        try:
            with closing(self.query(profile, asked, {}, lambda: False)) as rows:
                coming = rows.batches(lambda: False, _Quiet())
                found = [value for batch in coming for value in batch.column(0).to_pylist()]
        except DatabaseProblem as problem:
            if problem.word in WORDS:
                raise no_answer(problem.target, problem.word) from None
            raise SourceError(diagnostic(SQL_FAILED, target=problem.target, reason=problem.message)) from None
        name = "SQLite " if is_file(profile) else ""
        return f"{databaseplace.target_of(profile)}: {name}{found[0]}"

    def close(self) -> None:
        """End all connections."""
        for backend in self._made.values():
            backend.close()
        self._made.clear()

    def _backend(self, profile: Profile) -> Backend:
        self.admit(profile)
        found = self._made.get(profile.name)
        if found is None:
            place = _OTHERS if profile.driver is not None else _SQLITE if profile.kind == "sqlite" else _POSTGRES
            make = cast("Callable[[Profile, Access, str | None], Backend]", at(place))
            password = None if profile.password is None else profile.password.value()
            found = self._made[profile.name] = make(profile, self._access, password)
        return found


def is_file(profile: Profile) -> bool:
    """Whether a profile is a file here and no server."""
    return profile.kind == "sqlite" and profile.driver is None


class _Quiet:
    """Losses that nobody reads: of the answer to a test."""

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None:
        """Nothing."""
