"""Local object groups: the lists that ``matchblackip``, ``matchnet``, ``matchport``, ``matchfeed``, ``matchsig`` read.

A list is a file ``objects/KIND/NAME.txt`` (one item per line) or ``NAME.csv`` (the first column, no header) in the
session's state folder. KIND is ``ip`` (addresses and networks), ``port`` (numbers and ``a-b``) or ``text``. Blank lines
and lines that begin with ``#`` are skipped. ``add`` gives a session lists of its own, which come first.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logsql.engine.session import Session

KINDS = ("ip", "port", "text")
_NAME = re.compile(r"[\w][\w. -]*")


class ObjectLists:
    """The ``objects`` service of a session (:class:`logsql.functions.services.ObjectLists`)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._own: dict[tuple[str, str], tuple[str, ...]] = {}

    def add(self, kind: str, name: str, items: Iterable[str]) -> None:
        """Give this session a list. Raises ValueError for a kind that is none of ``ip port text``."""
        if kind not in KINDS:
            raise ValueError(f"a list is of kind {', '.join(KINDS)}, not {kind!r}")
        self._own[(kind, name)] = tuple(items)

    def items(self, kind: str, name: str) -> Sequence[str] | None:
        """The items of a list, None when there is no list of this name."""
        own = self._own.get((kind, name))
        if own is not None:
            return own
        for suffix in (".txt", ".csv") if _NAME.fullmatch(name) else ():
            path = self._folder(kind) / f"{name}{suffix}"
            if path.is_file():
                return _read(path)
        return None

    def names(self, kind: str) -> Sequence[str]:
        """Names of the lists of a kind, in alphabetical order."""
        found = {name for known, name in self._own if known == kind}
        folder = self._folder(kind)
        if folder.is_dir():
            found |= {p.stem for p in folder.iterdir() if p.suffix in (".txt", ".csv")}
        return sorted(found)

    def _folder(self, kind: str) -> Path:
        return Path(self._session.state_folder) / "objects" / kind


def _read(path: Path) -> tuple[str, ...]:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = (row[0] for row in csv.reader(file) if row) if path.suffix == ".csv" else iter(file)
        items = [line.strip() for line in lines]
    return tuple(item for item in items if item and not item.startswith("#"))


def object_lists(session: Session) -> ObjectLists:
    """The factory of the service."""
    return ObjectLists(session)
