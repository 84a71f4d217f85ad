"""Names of the files of a sink: dates in the path, a number behind the name where one is taken."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path, PurePath

from logsql.jobs.outputs import PathTemplate, path_template
from logsql.render.instants import zone_of
from logsql.store.files import Files

#: Endings of file sinks -> how they are written.
ENDINGS = {".jsonl": "plain", ".jsonl.gz": "gzip", ".jsonl.zst": "zstd", ".parquet": "parquet"}


def ending_of(path: str) -> str | None:
    """The ending of a path that says how it is written; None for others."""
    return next((ending for ending in ENDINGS if path.lower().endswith(ending)), None)


@dataclass(frozen=True)
class Names:
    """The path as the configuration has it. ``rotate``: seconds of one file, aligned to the server's zone; 0: all."""

    template: PathTemplate
    ending: str
    folder: Path
    zone: str
    rotate: float

    @classmethod
    def of(cls, path: str, folder: Path, zone: str, rotate: float) -> Names:
        """Raises ValueError for an ending that is none, DatePatternError for a date that is none."""
        ending = ending_of(path)
        if ending is None:
            raise ValueError(path)
        return cls(path_template(path), ending, folder, zone, rotate)

    def base(self, now: float) -> str:
        """The path at a moment."""
        written = self.template.at(dt.datetime.fromtimestamp(now, dt.UTC), self.zone)
        return str(self.folder / PurePath(written))

    def period(self, now: float) -> int:
        """The number of the span of time that a moment is in."""
        if not self.rotate:
            return 0
        moment = dt.datetime.fromtimestamp(now, dt.UTC)
        offset = moment.astimezone(zone_of(self.zone)).utcoffset() or dt.timedelta()
        return int((now + offset.total_seconds()) // self.rotate)

    def fresh(self, base: str, files: Files, taken: set[str] | frozenset[str] = frozenset()) -> str:
        """The path, or the first one with a number (``a-1.jsonl``) where that is taken."""
        path, number = base, 0
        while path in taken or files.has(path):
            number += 1
            path = f"{base[: -len(self.ending)]}-{number}{base[-len(self.ending) :]}"
        return path
