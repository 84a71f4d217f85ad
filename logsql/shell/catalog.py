"""What completion knows of a session: registries, tables, fields at a stage, files, models."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from logsql.commands.parse.logs.base import PARSERS
from logsql.diagnostics.messages import message, told
from logsql.loading import at
from logsql.ml.service import MODELS
from logsql.planner.spec import CommandSpec, OptionKind
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS
from logsql.shell.metas import METAS

if TYPE_CHECKING:
    from logsql.engine.session import Session

_MOST_FILES = 200


class SessionCatalog:
    """The :class:`~logsql.shell.complete.Catalog` of a session. Questions that fail have no answer, never an error."""

    def __init__(self, session: Session, params: Mapping[str, object]) -> None:
        self._session, self._params = session, params
        self._fields = lru_cache(maxsize=64)(self._planned_fields)

    def commands(self) -> Mapping[str, str]:
        return {name: spec.told for name, spec in sorted(COMMANDS.items())}

    def sources(self) -> Mapping[str, str]:
        return {name: spec.told for name, spec in sorted(COMMANDS.items()) if spec.source}

    def options(self, command: str) -> Mapping[str, str]:
        spec = COMMANDS.get(command)
        return {option.name: spec.option_told(option) for option in spec.options} if spec is not None else {}

    def choices(self, command: str, option: str) -> Sequence[str]:
        if command == "\\profile":
            return _quietly(lambda: self._profile_words(option.split()))
        spec = COMMANDS.get(command)
        for declared in spec.options if spec is not None else ():
            if declared.name == option:
                return ("t", "f") if declared.kind is OptionKind.BOOL else declared.choices
        return ()

    def _profile_words(self, words: list[str]) -> Sequence[str]:
        behind = cast("Callable[[Sequence[str], str | None], list[str]]", at("logsql.shell.profile_verb:words_behind"))
        return behind(words, self._session.workspace.services.settings.config)

    def functions(self) -> Mapping[str, str]:
        return {name: spec.told for name, spec in sorted(FUNCTIONS.items())}

    def aggregates(self) -> Mapping[str, str]:
        return {name: spec.told for name, spec in sorted(AGGREGATES.items())}

    def tables(self) -> Sequence[str]:
        own = _quietly(self._session.tables)
        return [*own, *(name for name in _quietly(self._session.server_tables) if name not in own)]

    def fields(self, query: str) -> Sequence[str]:
        """Fields of a query that is complete; asked from the planner, nothing is run."""
        return self._fields(query) if query.strip() else ()

    def _planned_fields(self, query: str) -> Sequence[str]:
        return _quietly(lambda: [c.name for c in self._session.plan(query, dict(self._params))[0].rel.columns])

    def files(self, prefix: str) -> Sequence[str]:
        """Files and folders that begin with ``prefix``; folders end with ``/``."""
        folder, _, start = prefix.rpartition("/")
        root = os.path.expanduser(folder) if folder else ("/" if prefix.startswith("/") else ".")

        def listed() -> list[str]:
            names = []
            lead = f"{folder}/" if folder or prefix.startswith("/") else ""
            for name, is_folder in self._session.database.files.entries(root):
                if name.startswith(start) and (start.startswith(".") or not name.startswith(".")):
                    names.append(f"{lead}{name}" + ("/" if is_folder else ""))
            return sorted(names)[:_MOST_FILES]

        return _quietly(listed)

    def parsers(self) -> Mapping[str, str]:
        return {name: spec.told() for name, spec in sorted(PARSERS.items())}

    def models(self) -> Sequence[str]:
        return _quietly(lambda: [name for store in (self._session.service(MODELS),) if store for name in store.names()])

    def inputs(self) -> Sequence[str]:
        def listed() -> list[str]:
            from logsql.shell.ml_verb import session_shell  # for cost: only ml lines load the room of models

            return [item.name for item in session_shell(self._session).inputs.listings()]

        return _quietly(listed)

    def params(self) -> Sequence[str]:
        return sorted(self._params)

    def metas(self) -> Mapping[str, str]:
        return {meta.name: message(meta.help) for meta in METAS}

    def ml_commands(self) -> Mapping[str, str]:
        def listed() -> list[tuple[str, str]]:
            from logsql.shell.ml_commands import COMMANDS as ML  # for cost: pyarrow.compute

            return [(command.name, told(command.summary)) for command in ML]

        return dict(_quietly(listed))

    def ml_usage(self, name: str) -> str:
        """The words behind an ml command, whose name may be written in any letter case; "" for none."""

        def found() -> list[str]:
            from logsql.shell.ml_commands import COMMANDS as ML  # for cost: pyarrow.compute

            return [command.usage for command in ML if command.name.lower() == name.lower()]

        return next(iter(_quietly(found)), "")

    def lookups(self) -> Sequence[str]:
        return _quietly(self._session.lookup_names)

    def saved(self) -> Sequence[str]:
        return _quietly(lambda: self._session.saved_names)

    def results(self) -> Sequence[str]:
        return _quietly(lambda: self._session.kept_numbers)

    def declared(self, command: str) -> CommandSpec | None:
        return COMMANDS.get(command)


def _quietly(question: Callable[[], Sequence[Any]]) -> Sequence[Any]:
    """The answer, or nothing: completion runs while the user types, on queries that are half written."""
    try:
        return question()
    except Exception:
        return ()
