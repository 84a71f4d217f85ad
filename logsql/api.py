"""The public Python interface: ``connect``, ``parse``, ``translate``, :class:`Session`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from logsql.connectors import made
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.services import FINDERS, Services
from logsql.engine.session import FRONT_SERVICES
from logsql.engine.session import Session as Session
from logsql.loading import at
from logsql.planner.services import CONFIGURATION, CONTEXTS

if TYPE_CHECKING:
    from logsql.configuration.settings import Configuration
    from logsql.language.tree import Query


def _ml(session: Session) -> object:
    from logsql.shell.ml_session import ml_shell  # for cost: only ml commands load the room of models

    return ml_shell(session)


FRONT_SERVICES["ml"] = _ml


def _connector(services: Services, name: str) -> object | None:
    """What reaches other machines; imported with the first command that does."""

    def configuration() -> Configuration:
        found = services.get(CONFIGURATION)
        assert found is not None, "the engine reads the configuration itself"
        return found

    return made(name, configuration, services.database.files, services.database.zone)


FINDERS.append(_connector)


def _live(services: Services, name: str) -> object | None:
    """The live server that the session was given; imported with the first command that asks it."""
    if name != "live-server" or services.settings.server is None:
        return None
    made_of = cast("Callable[[str], object]", at("logsql.streams.remote:Link"))
    return made_of(services.settings.server)


FINDERS.append(_live)


def _contexts(services: Services, name: str) -> object | None:
    """The event contexts of a session that shares none with others."""
    make = cast("Callable[[], object]", at("logsql.streams.contexts.store:Contexts"))
    return make() if name == CONTEXTS else None


FINDERS.append(_contexts)


def connect(path: str = ":memory:", tz: str | None = None, **options: Any) -> Session:
    """Open a session over a database file or in memory; options as :class:`Session`.

    >>> with connect(tz="UTC") as s:
    ...     s.query("json \\"[{'a': 1}, {'a': 2}]\\" | stats sum(a) as total").rows()
    [{'total': 3}]
    """
    return Session(path, tz, **options)


def parse(text: str) -> Query:
    """The command tree of a pipe query. Raises :class:`logsql.LogsqlError` (``code``, ``span``, ``help``)."""
    from logsql.language.parser import parse_query  # for cost: opening a session parses nothing
    from logsql.registry import GRAMMAR  # for cost: every command and function

    try:
        return parse_query(text, GRAMMAR)
    except LogsqlError as error:
        raise error.located(text) from None


class Translation:
    """A translated query: ``sql()`` gives the text."""

    def __init__(self, text: str, python: bool) -> None:
        self._text = text
        self.python = python

    def sql(self) -> str:
        """The SQL text, runnable in plain DuckDB when ``python`` is False."""
        return self._text


def translate(
    text: str,
    schema: Mapping[str, Mapping[str, str]] | None = None,
    tz: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Translation:
    """Translate a pipe query against table schemas (``{"web": {"status": "INTEGER", ...}}``, DuckDB type names)."""
    from sqlglot import exp  # for cost: opening a session translates nothing

    from logsql.engine.translate import plan_text  # for cost: opening a session translates nothing
    from logsql.values import sql  # for cost: opening a session translates nothing

    with Session(":memory:", tz) as session:
        for name, columns in (schema or {}).items():
            definitions = [
                exp.ColumnDef(this=sql.ident(c), kind=exp.DataType.build(t, dialect="duckdb", udt=True))
                for c, t in columns.items()
            ]
            create = exp.Create(this=exp.Schema(this=sql.table(name), expressions=definitions), kind="TABLE")
            session.planning.execute(create.sql("duckdb"))
        plan = session.plan(text, params)[0]
        return Translation(plan_text(plan), plan.python)
