"""What a collection of evidence holds: one row a file, with the command that reads it (command ``triage``).

Names are those that collectors write: KAPE and Velociraptor keep the paths of Windows (``C/Windows/System32/config``,
names with ``%24`` for ``$`` and ``%3A`` for ``:``), UAC those of Unix. A kind is told by the first bytes where the
format has a mark, else by the name. Only heads of files are read. A ZIP archive given as the path is looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import pyarrow as pa

from udfs.readers.base import BATCH_ROWS, ReadContext, ReaderError, batch_of, check_cancelled, select
from udfs.readers.evidence import Target
from udfs.readers.request import Request
from udfs.readers.sources import Member, entry_names, label, open_zip, scan_each

SCHEMA = pa.schema([("_path", pa.string()), ("kind", pa.string()), ("command", pa.string()), ("size", pa.int64())])
_HEAD = 64


@dataclass(frozen=True)
class Rule:
    """Files whose name matches ``name`` and whose first bytes hold ``mark`` at ``at``; ``command`` reads them."""

    kind: str
    command: str | None
    name: re.Pattern[str]
    mark: bytes = b""
    at: int = 0

    def fits(self, name: str, head: bytes) -> bool:
        """Whether this is such a file."""
        return self.name.search(name) is not None and head.startswith(self.mark, self.at)


def _rule(kind: str, command: str | None, name: str = "", mark: bytes = b"", at: int = 0) -> Rule:
    return Rule(kind, command, re.compile(name, re.IGNORECASE), mark, at)


_LNK = b"\x4c\0\0\0\x01\x14\x02\0"
_OLE, _SQLITE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"SQLite format 3\0"
#: The first rule that fits tells the kind. Names are matched against the path, with ``/`` between folders.
RULES = (
    _rule("event log", "evtx-file", mark=b"ElfFile\0"),
    _rule("event log of Windows XP", None, mark=b"LfLe", at=4),
    _rule("registry transaction log", None, r"\.LOG[12]?$", b"regf"),
    _rule("registry hive: Amcache", "amcache-files", r"amcache\.hve$", b"regf"),
    *(
        _rule(f"registry hive: {kind}", "hive-file", rf"(^|[/_.-]){name}([_.-][^/]*)?$", b"regf")
        for kind, name in (
            ("user", r"ntuser\.dat"), ("user classes", r"usrclass\.dat"),
            *((name, name) for name in ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT", "COMPONENTS", "BCD")),
        )
    ),
    _rule("registry hive", "hive-file", mark=b"regf"),
    _rule("NTFS $MFTMirr", None, r"MFTMirr$", b"FILE"),
    _rule("NTFS $MFT", "ntfs-mft", mark=b"FILE0"),
    _rule("NTFS $MFT", "ntfs-mft", r"(^|[/_])\$?MFT([_.-][^/]*)?$", b"FILE"),
    _rule("NTFS $LogFile", "ntfs-logfile", r"LogFile", b"RSTR"),
    _rule("NTFS change journal", "ntfs-usnjrnl", r"(^|[/:_])\$J([_.-][^/]*)?$|UsnJrnl[^/]*$"),
    _rule("prefetch", "prefetch-file", r"\.pf$"),
    _rule("jump list", "automatic-destinations-file", r"\.automaticDestinations-ms$"),
    _rule("jump list", "custom-destinations-file", r"\.customDestinations-ms$"),
    _rule("shortcut", "lnk-file", mark=_LNK),
    _rule("deleted file's record", None, r"(^|/)\$I[A-Z0-9]{6}(\.[^/]*)?$"),
    _rule("error report", "wer-file", r"\.wer$"),
    _rule("recent file cache", "recent-file-cache", r"RecentFileCache\.bcf$"),
    _rule("SRUM", "srum-network-usages", r"SRUDB\.dat$"),
    _rule("Internet Explorer history", "ie-visits", r"WebCacheV[0-9]+\.dat$"),
    _rule("ESE database", "esedb-tables", mark=b"\xef\xcd\xab\x89", at=4),
    _rule("WMI repository", "wmi-objects-data", r"OBJECTS\.DATA$"),
    _rule("Windows timeline", "timeline-activities", r"ActivitiesCache\.db$", _SQLITE),
    _rule("Chrome history", "chrome-visits", r"(^|/)History([_.-][^/]*)?$", _SQLITE),
    _rule("Chrome cookies", "chrome-cookies", r"(^|/)Cookies$", _SQLITE),
    _rule("Firefox history", "firefox-visits", r"places\.sqlite$", _SQLITE),
    _rule("SQLite database", "sqlite-tables", mark=_SQLITE),
    _rule("scheduled task", "xmlfile", r"/Tasks/"),
    _rule("mail", "eml-file", r"\.eml$"),
    _rule("ZIP archive", "zipfile-entries", r"\.zip$", b"PK"),
    _rule("workbook", "xlsxfile", r"\.xls[xmb]?$"),
    _rule("JSON", "jsonfile", r"\.(json|jsonl|ndjson)(\.gz)?$"),
    _rule("CSV", "csvfile", r"\.(csv|tsv)(\.gz)?$"),
    _rule("XML", "xmlfile", r"\.xml$"),
    _rule("text log", "textfile", r"\.(log|txt)(\.[0-9]+)?(\.gz)?$"),
    _rule("text log", "textfile", r"(^|/)(syslog|messages|secure|(auth|kern)\.log|maillog|cron)([.-][0-9]+)?(\.gz)?$"),
    _rule("shell history", "textfile", r"(^|/)\.(bash|zsh|sh|python)_history$"),
)  # fmt: skip
_OTHER = Rule("other", None, re.compile(""))


def kind_of(path: str, head: bytes) -> Rule:
    """The rule that fits a file, or ``other``. ``path``: as collected, with ``/`` or a backslash between folders."""
    name = unquote(path).replace("\\", "/")
    return next((rule for rule in RULES if rule.fits(name, head)), _OTHER)


class TriageReader:
    """The files below folders (or in archives), in natural order by path.

    ``known``: the commands there are; of the others the column ``command`` is null. Ledger: files that cannot be opened
    have a row of the kind ``unreadable`` and their reason.
    """

    def __init__(self, request: Request, known: frozenset[str] | None = None) -> None:
        self._known = known
        self._archive = request.text("zippath")
        self._charset = request.text("zipcharset") or "utf-8"
        self._inside = list(request.paths)
        self._files: list[str] = []
        if self._archive is None:
            self._files = [path for given in request.paths for path in request.expanded(given, lambda _: True)]

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The columns."""
        return SCHEMA

    @classmethod
    def of(cls, request: Request) -> TriageReader:
        """Options: ``zippath``, ``zipcharset``, ``known``."""
        known = request.options.get("known")
        return cls(request, known if isinstance(known, frozenset) else None)

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return SCHEMA

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """One row a file."""
        wanted = select(SCHEMA, columns)
        rows: list[tuple[str, Rule, int]] = []
        for row in self._rows(context):
            rows.append(row)
            if len(rows) == BATCH_ROWS:
                yield self._batch(rows, wanted)
                rows = []
        if rows:
            yield self._batch(rows, wanted)

    def files(self, context: ReadContext) -> Iterator[tuple[Target, Rule, int]]:
        """Every file with its kind and size."""
        if self._archive is not None:
            yield from scan_each(context.files.expand(self._archive), context, lambda path: self._of_zip(path, context))
            return
        for path in self._files:
            check_cancelled(context)
            try:
                with context.files.open(path) as raw:
                    head = raw.read(_HEAD)
                size = context.files.size(path)
            except (ReaderError, OSError) as problem:
                context.loss.lost(path, "read-failed", 1, 0, str(problem))
                yield path, Rule("unreadable", None, _OTHER.name), 0
                continue
            if len(self._files) == 1 and head.startswith(b"PK\3\4"):
                self._inside = ["."]
                yield from self._of_zip(path, context)
                return
            yield path, kind_of(path, head), size

    def _rows(self, context: ReadContext) -> Iterator[tuple[str, Rule, int]]:
        for target, rule, size in self.files(context):
            yield label(target), rule, size

    def _of_zip(self, path: str, context: ReadContext) -> Iterator[tuple[Target, Rule, int]]:
        wanted = [given.strip("./").replace("\\", "/").lower() for given in self._inside]
        with open_zip(path, context, self._charset) as archive:
            for name, _, info in entry_names(archive, self._charset):
                low = name.lower()
                if name.endswith("/") or not any(w in ("", low) or low.startswith(w + "/") for w in wanted):
                    continue
                check_cancelled(context)
                member = Member(path, name, self._charset)
                try:
                    with archive.open(info) as raw:
                        head = raw.read(_HEAD)
                except Exception as problem:  # encrypted, damaged, or packed in a way that is not known here
                    context.loss.lost(member.name, "read-failed", 1, 0, str(problem))
                    yield member, Rule("unreadable", None, _OTHER.name), info.file_size
                    continue
                yield member, kind_of(name, head), info.file_size

    def _batch(self, rows: list[tuple[str, Rule, int]], wanted: pa.Schema) -> pa.RecordBatch:
        known = self._known
        commands = [rule.command if known is None or rule.command in known else None for _, rule, _ in rows]
        made = {
            "_path": pa.array([path for path, _, _ in rows], pa.string()),
            "kind": pa.array([rule.kind for _, rule, _ in rows], pa.string()),
            "command": pa.array(commands, pa.string()),
            "size": pa.array([size for _, _, size in rows], pa.int64()),
        }
        return batch_of(wanted, made, len(rows))
