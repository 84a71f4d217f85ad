"""How the evidence readers agree with independent tools, made by running them over the private evidence.

    python -m docs.agreement            writes docs/reference/agreement.md; needs ../shared/data and the extra forensic

The answers of the other tools lie beside the evidence, or (event logs, $LogFile, views of hives) in ``tests/readers``.
Each number is counted here; each difference has its reason in ``_WHY``, and one without a reason ends the run.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import logsql
from sample_data.make_hive import BINARY, DWORD, SZ, Key, build, filetime, text
from tests.readers.hive_support import plain, table
from tests.readers.test_evtx import _SYSTEM_COLUMNS, _packed_logs, _said
from tests.readers.test_hive_deleted import LINES, digest, found_in, hive
from tests.readers.test_ntfs_logfile_pages import operations_told
from tests.readers.test_ntfs_mft import _expected_row
from tests.support import ROOT, SHARED
from udfs.readers.base import null_context
from udfs.readers.evtx import EvtxReader
from udfs.readers.ntfs_mft import MftReader
from udfs.readers.ntfs_usnjrnl import UsnJrnlReader

PAGE = ROOT / "docs" / "reference" / "agreement.md"
_FORENSICS = SHARED / "data" / "forensics"
_WHY = {
    "evtx-file": "one record whose log ends in zeros behind it: libevtx takes it for no record of its chunk",
    "hive-file": "a key whose name is a lone surrogate (hivex drops it), and a hive half overwritten of which hivex "
    "drops whole value lists: those rows are in ours",
    "hive-file deleted=t": "a key of which the end is overwritten (yarp leaves it out), and pieces of other data that "
    "begin like a value, of which each drops other ones",
    "ntfs-logfile": "the first record of each log: dfir_ntfs goes from record to record, and none leads to that one",
    "reg-network-profiles": "dissect.target takes the milliseconds of a SYSTEMTIME for microseconds",
    "reg-opensave-files": "paths through a known folder or a device that dissect.target names by a number "
    "(`{088e3905-…}` is Downloads); name, order and time are the same",
    "reg-recent-docs": "two times of .1999999 s, cut there and rounded to the microsecond here",
    "reg-services": "five keys with values of other programs, none of which configures a service, are in regipy's",
    "reg-shellbags": "the folder that Windows shows as Network, which libfwsi calls Computers and Devices",
}
#: Name, description, category, type of name, whether it is managed, first and last moment.
_NETWORKS = (
    ("Office", "Office LAN", 2, 6, 1, (2023, 1, 31, 8, 5, 9, 120), (2024, 2, 29, 23, 59, 59, 999)),
    ("cafe 카페", "cafe", 0, 71, 0, (2024, 4, 30, 17, 0, 0, 0), (2024, 4, 30, 18, 12, 1, 1)),
    ("Home", "Home 2", 1, 71, 0, (2020, 12, 31, 0, 0, 0, 0), (2024, 1, 1, 0, 0, 0, 0)),
    ("vpn.example.org", "", 1, 23, 0, (2022, 6, 15, 12, 30, 45, 500), (2022, 6, 16, 1, 2, 3, 4)),
)
_VIEW_TOOLS = {
    "amcache-programs": "dissect.target",
    "reg-network-profiles": "dissect.target, over a made hive",
    "reg-opensave-files": "dissect.target",
    "reg-recent-docs": "dissect.target",
    "reg-shellbags": "regipy over libfwsi",
}
"""The tools of views whose answers are not regipy's alone."""
_COMPUTER = "My Computer\\"
"""What stands before the drives for one tool and not for others."""
#: The fields by which a row of a view is known in ``tests/readers/view_answers.txt``.
_VIEW_FIELDS = {
    "amcache-files": ("file_path", "sha1", "last_written"),
    "amcache-programs": ("name", "publisher", "last_written"),
    "reg-bam-entries": ("sid", "file_path", "last_execution"),
    "reg-mru": ("kind", "text"),
    "reg-network-profiles": ("guid", "profile_name", "description", "date_created", "date_last_connected"),
    "reg-opensave-files": ("file_path", "order", "last_written"),
    "reg-recent-docs": ("file_name", "order", "last_written"),
    "reg-run-keys": ("entry", "command", "last_written"),
    "reg-services": ("name", "last_written"),
    "reg-shellbags": ("file_name", "order", "last_written", "created_at", "modified_at", "access_at"),
    "reg-shim-cache": ("file_path", "modified_at"),
    "reg-usb": ("serial",),
    "reg-user-assists": ("exec_count", "last_execution", "focus_count", "focus_time"),
}


@dataclass(frozen=True)
class Line:
    """One row of the page."""

    reader: str
    tool: str
    compared: str
    files: int
    rows: int
    different: int


def _unpacked(path: Path, folder: Path) -> Path:
    made = folder / path.name.removesuffix(".xz")
    made.write_bytes(lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes())
    return made


def _answers(folder: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    for path in sorted(folder.glob("*.expected.jsonl.gz")):
        name = path.name.removesuffix(".expected.jsonl.gz")
        source = next(found for found in (folder / name, folder / f"{name}.xz") if found.exists())
        yield source, [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def records(folder: Path) -> Line:
    """File records against the answers beside them."""
    files = rows = different = 0
    for source, answers in _answers(_FORENSICS / "mft"):
        found: dict[int, dict[str, Any]] = {}
        for batch in MftReader(str(_unpacked(source, folder))).scan(None, null_context()):
            times = [f.name for f in batch.schema if str(f.type).startswith("timestamp")]
            for name in times:
                place = batch.schema.get_field_index(name)
                batch = batch.set_column(place, name, batch.column(place).cast("int64"))
            found |= {row["no"]: row for row in batch.to_pylist()}
        expected = {a["no"]: _expected_row(a) for a in answers if a.get("sig") == "FILE"}
        files, rows = files + 1, rows + len(expected)
        different += len(expected.keys() ^ found.keys())
        different += sum(
            any(found[no][name] != value for name, value in row.items()) for no, row in expected.items() if no in found
        )
    return Line("ntfs-mft", "dissect.ntfs", "every field", files, rows, different)


def changes(folder: Path) -> Line:
    """Journal records against the answers beside them."""
    files = rows = different = 0
    names = ("file_name", "file_no", "parent_file_no", "file_ref", "parent_file_ref")
    for source, answers in _answers(_FORENSICS / "usn"):
        batches = UsnJrnlReader(str(_unpacked(source, folder))).scan(["usn", "reason", *names], null_context())
        found = sorted((row["usn"], row["reason"], *(row[n] for n in names)) for b in batches for row in b.to_pylist())
        expected = sorted((a["usn"], sorted(a["reason"]), *(a[n] for n in names)) for a in answers)
        files, rows = files + 1, rows + len(expected)
        different += abs(len(found) - len(expected)) + sum(a != b for a, b in zip(found, expected, strict=False))
    return Line("ntfs-usnjrnl", "dissect.ntfs", "names, references, reasons", files, rows, different)


def operations(folder: Path) -> Line:
    """Records of $LogFile against those that dfir_ntfs finds, whose names are spelled otherwise."""
    logs = operations_told(folder)
    rows = sum(len(ours) for ours, _ in logs)
    different = sum(max(len(ours - theirs), len(theirs - ours)) for ours, theirs in logs)
    return Line("ntfs-logfile", "dfir_ntfs", "log sequence number, redo and undo operation", len(logs), rows, different)


def events(folder: Path) -> list[Line]:
    """Event logs against libevtx: how many events, their times and numbers, and the element System."""
    lines = (ROOT / "tests" / "readers" / "evtx_answers.txt").read_text().splitlines()[3:]
    counts = {line.split()[0]: int(line.split()[1]) for line in lines}
    lines = (ROOT / "tests" / "readers" / "evtx_system_answers.txt").read_text().splitlines()[3:]
    systems = {line.split()[0]: line.split()[2] for line in lines}
    files = rows = more = other = 0
    for data in _packed_logs():
        log = hashlib.sha256(data).hexdigest()[:16]
        (folder / "log.evtx").write_bytes(data)
        reader = EvtxReader(str(folder / "log.evtx"))
        found = [row for b in reader.scan(["record_no", *_SYSTEM_COLUMNS], null_context()) for row in b.to_pylist()]
        said = sorted("|".join([str(row["record_no"])] + [_said(c, row[c]) for c in _SYSTEM_COLUMNS]) for row in found)
        files, rows, more = files + 1, rows + len(found), more + abs(len(found) - counts[log])
        if len(found) == counts[log]:
            other += hashlib.sha256("\n".join(said).encode()).hexdigest()[:16] != systems[log]
    return [
        Line("evtx-file", "libevtx", "events (rows here and there)", files, rows, more),
        Line("evtx-file (System)", "libevtx", "nine columns of System, by digest of a log", files, rows, other),
    ]


def values(folder: Path) -> Line:
    """Registry values against the count that several readers agree on."""
    answers = json.loads((_FORENSICS / "expected-hives.json").read_text())
    files = rows = different = 0
    for name, expected in sorted(answers.items()):
        found = len(plain(table(_unpacked(_FORENSICS / name, folder))))
        files, rows, different = files + 1, rows + found, different + abs(found - expected["values"])
    return Line("hive-file", "hivex, dissect.regf, libregf, python-registry", "values (rows)", files, rows, different)


def deleted(folder: Path) -> Line:
    """Deleted keys and values against those that yarp finds."""
    rows = different = 0
    for line in LINES:
        name, keys, keys_digest, values, values_digest = line.split()
        found = found_in(hive(name), folder)
        rows += len(found[0]) + len(found[1])
        for here, count, there in ((found[0], keys, keys_digest), (found[1], values, values_digest)):
            different += max(abs(len(here) - int(count)), digest(here) != there)
    return Line("hive-file deleted=t", "yarp", "deleted keys (paths, times) and values", len(LINES), rows, different)


def views(folder: Path) -> list[Line]:
    """Rows of the registry's views against those that other programs find, each different one once."""
    told: dict[str, list[tuple[str, set[str]]]] = {}
    for line in (ROOT / "tests" / "readers" / "view_answers.txt").read_text().splitlines()[2:]:
        view, name, *rows = line.split()
        told.setdefault(view, []).append((name, set(rows)))
    made = []
    for view, answers in sorted(told.items()):
        rows = different = 0
        with logsql.connect(tz="UTC") as session:
            for name, expected in answers:
                found = _view_rows(session, view, _hive_of(name, folder))
                rows, different = rows + len(found), different + max(len(found - expected), len(expected - found))
        tool, fields = _VIEW_TOOLS.get(view, "regipy"), ", ".join(_VIEW_FIELDS[view])
        made.append(Line(view, tool, fields, len(answers), rows, different))
    return made


def _hive_of(name: str, folder: Path) -> Path:
    """A hive by its name in the answers."""
    if name == "made/networks":
        (folder / "networks").write_bytes(networks())
        return folder / "networks"
    places = (_FORENSICS / "hives" / name, SHARED / "data" / "artefacts" / name)
    return _unpacked(next(place for place in places if place.exists()), folder)


def networks() -> bytes:
    """A hive of the networks a machine was in: no public one may be kept beside the others."""
    root = Key("ROOT", filetime(datetime(2024, 5, 1, tzinfo=UTC)))
    place = "Microsoft\\Windows NT\\CurrentVersion\\NetworkList\\"
    for number, (name, told, category, kind, managed, first, last) in enumerate(_NETWORKS):
        guid = f"{{0A1B2C3D-0000-4000-8000-{number:012}}}"
        profile = root.child(f"{place}Profiles\\{guid}")
        profile.set("ProfileName", SZ, text(name)).set("Description", SZ, text(told))
        for value, content in (("Managed", managed), ("Category", category), ("NameType", kind)):
            profile.set(value, DWORD, struct.pack("<I", content))
        for value, moment in (("DateCreated", first), ("DateLastConnected", last)):
            year, month, day, *clock = moment
            weekday = datetime(year, month, day).isoweekday() % 7
            profile.set(value, BINARY, struct.pack("<8H", year, month, weekday, day, *clock))
        # Where dissect.target looks for networks.
        seen = root.child(f"{place}Signatures\\{'Managed' if managed else 'Unmanaged'}\\{number:032}")
        seen.set("ProfileGuid", SZ, text(guid)).set("Description", SZ, text(told))
        seen.set("DnsSuffix", SZ, text("<none>")).set("FirstNetwork", SZ, text(name))
        seen.set("DefaultGatewayMac", BINARY, bytes(range(6)))
    return build(root)


def _view_rows(session: logsql.Session, view: str, hive_file: Path) -> set[str]:
    rows = session.query(f'{view} "{hive_file}"').rows()
    texts = {"|".join(_known_as(row[name]) for name in _VIEW_FIELDS[view]) for row in rows}
    return {hashlib.sha256(text.encode()).hexdigest()[:8] for text in texts}


def _known_as(value: object) -> str:
    """regipy rounds times to the microsecond and cuts others to the millisecond."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:23]
    return "" if value is None else str(value).removeprefix(_COMPUTER)


def page(lines: list[Line]) -> str:
    """The page."""
    made = [
        "# Agreement with independent tools",
        "",
        "Made by running (`python -m docs.agreement`): readers over evidence that may not be passed on, beside the "
        "answers of other programs over the same files.",
        "",
        "| reader | other program | compared | files | rows | differences | why |",
        "| --- | --- | --- | ---: | ---: | ---: | --- |",
    ]
    for line in lines:
        why = _WHY.get(line.reader, "") if line.different else ""
        if line.different and not why:
            raise SystemExit(f"{line.reader}: {line.different} differences have no reason")
        counts = f"{line.files} | {line.rows:,} | {line.different}"
        made.append(f"| {line.reader} | {line.tool} | {line.compared} | {counts} | {why} |")
    return "\n".join(made) + "\n"


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lines = [records(folder), changes(folder), operations(folder), *events(folder), values(folder), deleted(folder)]
        lines += views(folder)
    PAGE.write_text(page(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
