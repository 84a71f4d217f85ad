"""Saved results as files: one Parquet file each, named by the user, in the state folder of the session."""

from __future__ import annotations

import re
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from logsql.diagnostics.errors import RunError, SourceError, diagnostic
from logsql.diagnostics.kept import RESULT_NAME, RESULT_NOT_READABLE
from logsql.store.files import Files, keeping
from udfs.readers.files import HANDED_ON, HANDLES

if TYPE_CHECKING:
    import pyarrow.dataset as ds

_NAME = re.compile(r"[\w.-]+")


class SavedResults:
    """The saved results of one session: written to the first folder, read from all."""

    def __init__(self, files: Files, folders: Sequence[Path]) -> None:
        self._files = files
        self._folders = tuple(folders)

    def find(self, name: str) -> ds.Dataset | None:
        """The saved result of this name, else the Parquet file of this path; None when there is neither.

        Raises PolicyError for what may not be read, SourceError for a file that is no Parquet.
        """
        import pyarrow.dataset as ds  # for cost: only load needs it, and it takes longer than a query

        path = self._path(name)
        if path is None:
            return None
        try:
            if not (self._files.policy.safe and HANDED_ON):
                return ds.dataset(path, format="parquet")
            # Arrow opens the path once more for every reading: it gets the file that was opened and compared here.
            file = self._files.open(path)
            found = ds.dataset(f"{HANDLES}/{file.fileno()}", format="parquet")
            weakref.finalize(found, file.close)
            return found
        except (OSError, pa.ArrowInvalid):
            raise SourceError(diagnostic(RESULT_NOT_READABLE, path=path)) from None

    def _path(self, name: str) -> str | None:
        kept = [folder / f"{name}.parquet" for folder in self._folders] if _NAME.fullmatch(name) else []
        for path in kept:
            if self._files.may_read(path) and self._files.has_file(path):
                return str(path)
        if name.lower().endswith(".parquet") and self._files.may_read(name) and self._files.has(name):
            return name
        for refused in (*kept, *([name] if name.lower().endswith(".parquet") else [])):
            self._files.policy.check_read(str(refused))
        return None

    def names(self) -> list[str]:
        """Names of the saved results that may be read, in order."""
        found: set[str] = set()
        for folder in self._folders:
            if self._files.may_read(folder):
                found |= {path.stem for path in self._files.matching(folder, ".parquet")}
        return sorted(found)

    def check(self, name: str) -> None:
        """Raise RunError for a text that is no name, PolicyError when nothing may be saved."""
        if not _NAME.fullmatch(name):
            raise RunError(diagnostic(RESULT_NAME, name=name))
        self._files.policy.check_write(str(self._folders[0] / f"{name}.parquet"))

    def write(self, name: str, table: pa.Table) -> str:
        """Save a table under a name, replacing one of that name; returns the path. Raises as :meth:`check`."""
        import pyarrow.parquet as pq  # for cost

        self.check(name)
        path = self._folders[0] / f"{name}.parquet"
        with keeping(path), self._files.replacing(path) as temporary:
            pq.write_table(table, temporary)
        return str(path)
