"""Stored queries: ``NAME.lq`` files that ``proc NAME(...)`` runs, and ``NAME.json`` files that ``schema NAME`` reads.

Searched in this order: the folders of ``--procs``, ``procs`` (``schemas``) in the session's state folder, the current
directory. A name is letters, digits, ``_``, ``-`` and ``.``, so it never leaves those folders. The text is read as
UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logsql.engine.database import Database
from logsql.store.queryfiles import query_text

_NAME = re.compile(r"[\w][\w.-]*")


@dataclass(frozen=True)
class ProcedureFile:
    """A stored query: its name, the file, and its text."""

    name: str
    path: str
    text: str


class Procedures:
    """The ``procedures`` service of a session. ``folders``: those of ``--procs``."""

    def __init__(self, database: Database, folders: Sequence[str]) -> None:
        self._files = database.files
        self._given = [Path(folder) for folder in folders]
        self._state = database.state_folder

    def find(self, name: str) -> ProcedureFile | None:
        """The first file of this name. Raises PolicyError when the session may not read where one could be."""
        return self._first(self._folders("procs"), name, ".lq")

    def schema(self, name: str) -> ProcedureFile | None:
        """The first schema file ``NAME.json``. Raises PolicyError when the session may not read where one could be."""
        return self._first(self._folders("schemas"), name, ".json")

    def names(self) -> list[str]:
        """Names of the stored queries, for help texts and completion."""
        return list(dict.fromkeys(self._listed("procs", ".lq")))

    def schemas(self) -> list[str]:
        """Names of the files that may be schemas, for help texts."""
        return sorted(set(self._listed("schemas", ".json")))

    def _folders(self, own: str) -> list[Path]:
        """The search path; ``own`` is the folder in the state folder."""
        return [*self._given, self._state / own, Path.cwd()]

    def _first(self, folders: Sequence[Path], name: str, suffix: str) -> ProcedureFile | None:
        paths = [folder / f"{name}{suffix}" for folder in folders] if _NAME.fullmatch(name) else []
        refused = [path for path in paths if not self._files.may_read(path)]
        for path in paths:
            if path not in refused and self._files.has_file(path):
                return ProcedureFile(name, str(path), _lines(query_text(self._files, str(path))))
        for path in refused[:1]:
            self._files.policy.check_read(str(path))
        return None

    def _listed(self, own: str, suffix: str) -> list[str]:
        folders = [folder for folder in self._folders(own) if self._files.may_read(folder)]
        return [path.stem for folder in folders for path in self._files.matching(folder, suffix)]


def _lines(text: str) -> str:
    """The text with line feeds, whatever system it was written on."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
