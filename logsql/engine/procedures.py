"""Stored queries: ``NAME.lq`` files that ``proc NAME(...)`` runs.

Searched in this order: the folders of ``--procs``, ``procs`` in the session's state folder, the current directory. A
name is letters, digits, ``_``, ``-`` and ``.``, so it never leaves those folders. The text is read as UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logsql.engine.session import Session

_NAME = re.compile(r"[\w][\w.-]*")


@dataclass(frozen=True)
class ProcedureFile:
    """A stored query: its name, the file, and its text."""

    name: str
    path: str
    text: str


class Procedures:
    """The ``procedures`` service of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def folders(self) -> Iterator[Path]:
        """The search path."""
        for folder in self._session.procs:
            yield Path(folder)
        yield Path(self._session.state_folder) / "procs"
        yield Path.cwd()

    def find(self, name: str) -> ProcedureFile | None:
        """The first file of this name. Raises PolicyError when the session may not read it."""
        for folder in self.folders() if _NAME.fullmatch(name) else ():
            path = folder / f"{name}.lq"
            if path.is_file():
                self._session.policy.check_read(str(path))
                return ProcedureFile(name, str(path), path.read_text(encoding="utf-8-sig"))
        return None

    def schema(self, name: str) -> ProcedureFile | None:
        """The first schema file ``NAME.json``. Raises PolicyError when the session may not read it."""
        for folder in self._schema_folders() if _NAME.fullmatch(name) else ():
            path = folder / f"{name}.json"
            if path.is_file():
                self._session.policy.check_read(str(path))
                return ProcedureFile(name, str(path), path.read_text(encoding="utf-8-sig"))
        return None

    def schemas(self) -> list[str]:
        """Names of the files that may be schemas, for help texts."""
        return sorted({p.stem for f in self._schema_folders() if f.is_dir() for p in f.glob("*.json")})

    def _schema_folders(self) -> Iterator[Path]:
        for folder in self._session.procs:
            yield Path(folder)
        yield Path(self._session.state_folder) / "schemas"
        yield Path.cwd()

    def names(self) -> list[str]:
        """Names of the stored queries, for help texts and completion."""
        found: dict[str, None] = {}
        for folder in self.folders():
            if folder.is_dir():
                found.update(dict.fromkeys(sorted(p.stem for p in folder.glob("*.lq"))))
        return list(found)


def purging(session: Session) -> bool:
    """The factory of the service ``purging``: whether the session may delete rows."""
    return session.allow_purge


def procedures(session: Session) -> Procedures:
    """The factory of the service."""
    return Procedures(session)
