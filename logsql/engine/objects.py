"""Local object groups: the lists that ``matchblackip``, ``matchnet``, ``matchport``, ``matchfeed``, ``matchsig`` read.

A list is a file ``objects/KIND/NAME.txt`` (one item per line) or ``NAME.csv`` (the first column, no header) in the
session's state folder. KIND is ``ip`` (addresses and networks), ``port`` (numbers and ``a-b``) or ``text``. Blank lines
and lines that begin with ``#`` are skipped. ``add`` gives a session lists of its own, which come first.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.kept import LIST_NOT_READ
from logsql.engine.database import Database

KINDS = ("ip", "port", "text")
_NAME = re.compile(r"[\w][\w. -]*")
_SUFFIXES = (".txt", ".csv")


class ObjectLists:
    """The ``objects`` service of a session (:class:`logsql.planner.services.ObjectLists`)."""

    def __init__(self, database: Database) -> None:
        self._files = database.files
        self._folder = database.state_folder / "objects"
        self._own: dict[tuple[str, str], tuple[str, ...]] = {}

    def add(self, kind: str, name: str, items: Iterable[str]) -> None:
        """Give this session a list. Raises ValueError for a kind that is none of ``ip port text``."""
        if kind not in KINDS:
            raise ValueError(f"a list is of kind {', '.join(KINDS)}, not {kind!r}")
        self._own[(kind, name)] = tuple(items)

    def items(self, kind: str, name: str) -> Sequence[str] | None:
        """The items of a list, None when there is no list of this name.

        Raises PolicyError where nothing may be known of the state folder, SourceError for a file that is damaged.
        """
        own = self._own.get((kind, name))
        if own is not None:
            return own
        for suffix in _SUFFIXES if _NAME.fullmatch(name) else ():
            path = self._folder / kind / f"{name}{suffix}"
            if self._files.has_file(path):
                return self._read(path)
        return None

    def names(self, kind: str) -> Sequence[str]:
        """Names of the lists of a kind, in alphabetical order; kept ones only where the session may know of them."""
        found = {name for known, name in self._own if known == kind}
        folder = self._folder / kind
        if self._files.may_read(folder):
            found |= {path.stem for path in self._files.matching(folder, *_SUFFIXES)}
        return sorted(found)

    def _read(self, path: Path) -> tuple[str, ...]:
        try:
            lines = io.StringIO(self._files.read_as_text(path, errors="replace"), newline="")
            first = (row[0] for row in csv.reader(lines) if row) if path.suffix == ".csv" else iter(lines)
            items = [line.strip() for line in first]
        except OSError as error:
            raise SourceError(diagnostic(LIST_NOT_READ, path=path, reason=error.strerror or error)) from None
        except csv.Error as error:  # a cell of more than 131,072 characters
            raise SourceError(diagnostic(LIST_NOT_READ, path=path, reason=error)) from None
        return tuple(item for item in items if item and not item.startswith("#"))
