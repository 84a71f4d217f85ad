"""What a command says of the files that it reads: how they are known among collected files, and what their times mean.

The declaration stands with the command (``SourceSpec.artefact``); ``triage`` and ``timeline`` are told of all that
there are and know none by name. Nothing here imports Arrow: it is loaded with every command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from udfs.readers.base import Reader
    from udfs.readers.request import Request


#: The four times of a file as actions, with the letter that timelines know them by.
STEPS = {"created": "B", "modified": "M", "accessed": "A", "record changed": "C"}


@dataclass(frozen=True)
class Known:
    """Files whose path matches ``name`` (a regular expression, letter case ignored, ``/`` between folders) and whose
    first bytes hold ``mark`` at ``at``; one of both may be left out. ``loose``: names that say little (``.log``).
    """

    kind: str
    name: str = ""
    mark: bytes = b""
    at: int = 0
    loose: bool = False

    @cached_property
    def _test(self) -> re.Pattern[str]:
        return re.compile(self.name, re.IGNORECASE)

    @property
    def level(self) -> int:
        """The smaller, the surer: name and mark, a name, a mark, a loose name."""
        if self.loose:
            return 3
        return 2 if not self.name else 1 - bool(self.mark)

    def fits(self, name: str, head: bytes) -> bool:
        """Whether this is such a file."""
        return head.startswith(self.mark, self.at) and self._test.search(name) is not None


@dataclass(frozen=True)
class TimeOf:
    """One kind of event: ``time`` is the column it stands in, ``source`` what timelines call where it comes from.

    ``action`` is what happened, as text; ``words``: columns whose values say it instead. ``path`` and ``detail``:
    columns; of several details the first that is not null. ``once``: rows of one ``path`` that follow each other tell
    of one event (the values of a registry key).
    """

    source: str
    time: str
    action: str = ""
    words: tuple[str, ...] = ()
    path: str | None = None
    detail: tuple[str, ...] = ()
    once: bool = False

    @property
    def group(self) -> str:
        """The source that is asked for: ``mft name`` comes with ``mft``."""
        return self.source.split()[0]

    @property
    def columns(self) -> set[str]:
        """What has to be read."""
        return {self.time, *self.words, *([self.path] if self.path else []), *self.detail}


@dataclass(frozen=True)
class Artefact:
    """``known``: how such files are told from others. ``within``: kinds of other commands that hold this as well.

    ``times``: what their columns mean in a timeline, read with ``options``.
    """

    known: tuple[Known, ...] = ()
    times: tuple[TimeOf, ...] = ()
    within: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)

    def belongs(self, name: str, head: bytes) -> bool:
        """Whether a file of a folder is one of these, by its name and first bytes."""
        return any(known.fits(name, head) for known in self.known)

    @property
    def kinds(self) -> set[str]:
        """The kinds of files that hold this."""
        return {*(known.kind for known in self.known), *self.within}


@dataclass(frozen=True)
class Readable:
    """An artefact with the command that reads it, and how its reader is made."""

    command: str
    artefact: Artefact
    reader: Callable[[Request], Reader]


#: What Windows calls files of which the name is enough: one whose beginning is destroyed, that is empty or that nobody
#: may read is told of, and not left out as if it were not there. Hives of the machine are written in capitals.
SURE: Mapping[str, str] = {
    "NTFS $MFT": r"(^|/)\$MFT$",
    "NTFS $LogFile": r"(^|/)\$LogFile$",
    "NTFS change journal": r"(^|[/:])\$J$",
    "event log": r"\.evtx$",
    "registry hive: user": r"(^|/)ntuser\.dat$",
    "registry hive: user classes": r"(^|/)usrclass\.dat$",
    "registry hive: Amcache": r"(^|/)amcache\.hve$",
    **{
        f"registry hive: {name}": rf"(^|/)(?-i:{name})$"
        for name in ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT", "COMPONENTS")
    },
}
_SURE = {kind: re.compile(name, re.IGNORECASE) for kind, name in SURE.items()}


def sure(kind: str) -> tuple[Known, ...]:
    """The row of a kind whose files are known by their name alone; none where it has none."""
    return (Known(kind, SURE[kind]),) if kind in SURE else ()


def surely(kinds: str, name: str) -> bool:
    """Whether the name of a file is enough for it to be one of the kinds, which are all that begin so ("": of any).

    >>> surely("registry hive", "NTUSER.DAT"), surely("registry hive", "system"), surely("NTFS $MFT", "%24MFT")
    (True, False, True)
    """
    plain = unquote(name)
    return any(test.search(plain) is not None for kind, test in _SURE.items() if kind.startswith(kinds))


#: Kinds that no command here reads. One that a command declares under the same name takes its place.
UNREAD: tuple[Known, ...] = (
    Known("registry transaction log", r"\.LOG[12]?$", b"regf"),
    Known("NTFS $MFTMirr", r"MFTMirr$", b"FILE"),
    Known("event log of Windows XP", mark=b"LfLe", at=4),
    Known("prefetch", r"\.pf$"),
    Known("jump list", r"\.(automatic|custom)Destinations-ms$"),
    Known("shortcut", mark=b"\x4c\0\0\0\x01\x14\x02\0"),
    Known("deleted file's record", r"(^|/)\$I[A-Z0-9]{6}(\.[^/]*)?$"),
    Known("error report", r"\.wer$"),
    Known("recent file cache", r"RecentFileCache\.bcf$"),
    Known("SRUM", r"SRUDB\.dat$"),
    Known("Internet Explorer history", r"WebCacheV[0-9]+\.dat$"),
    Known("ESE database", mark=b"\xef\xcd\xab\x89", at=4),
    Known("WMI repository", r"OBJECTS\.DATA$"),
    Known("Windows timeline", r"ActivitiesCache\.db$", b"SQLite format 3\0"),
    Known("Chrome history", r"(^|/)History([_.-][^/]*)?$", b"SQLite format 3\0"),
    Known("Chrome cookies", r"(^|/)Cookies$", b"SQLite format 3\0"),
    Known("Firefox history", r"places\.sqlite$", b"SQLite format 3\0"),
    Known("mail", r"\.eml$", loose=True),
)
#: The kind of files that are of none.
OTHER = "other"


class Kinds:
    """The kinds of collected files: those that the artefacts declare, and those that are known all the same."""

    def __init__(self, readable: Sequence[Readable] = ()) -> None:
        declared = [(known, one.command) for one in readable for known in one.artefact.known]
        names = {known.kind for known, _ in declared}
        rows = [*((known, None) for known in UNREAD if known.kind not in names), *declared]
        self._rows: list[tuple[Known, str | None]] = sorted(rows, key=lambda row: row[0].level)

    def of(self, path: str, head: bytes) -> tuple[str, str | None]:
        """Kind of a file, ``other`` when it is none of them, and the command that reads it.

        ``path``: as collected, with ``/`` or a backslash between folders. Of several kinds that fit the surest counts.
        """
        name = unquote(path).replace("\\", "/")
        return next(((k.kind, command) for k, command in self._rows if k.fits(name, head)), (OTHER, None))
