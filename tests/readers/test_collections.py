"""A damaged file of a collection stops no other one, whichever command reads it, in a folder and in an archive.

Every command that reads files is here or says why it is not: one that comes later is tested as soon as it is declared.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pytest

import logsql
from logsql.registry import COMMANDS
from sample_data.make_hive import BINARY, SZ, Key, build
from tests.readers.damage_kinds import _BETWEEN_PARTS, _BETWEEN_VALUES, KINDS, by_name
from tests.readers.view_support import VIEWS

ELSEWHERE = {
    "-": "standard input is one stream",
    "zipfile": "its files are archives: test_sources.py",
    "zipfile-entries": "its files are archives: test_zip_xml_xlsx.py",
    "xlsxfile": "it reads one workbook",
    "timeline": "it reads what these read: test_a_timeline_goes_on",
    "triage": "it reads the heads of files alone: test_triage.py",
}
TEXTS = {
    "textfile": b"one\ntwo\n",
    "csvfile": b"a,b\n1,x\n2,y\n",
    "jsonfile": b'{"a": 1}\n{"a": 2}\n',
    "xmlfile": b"<r><row a='1'/><row a='2'/></r>",
}
OPTIONS = {"sqlite-records": "table=t "}
READ = sorted(name for name, spec in COMMANDS.items() if spec.reads is not None and name not in ELSEWHERE)


def hive_of(view: str) -> bytes:
    """A hive with the values that the damage tests know the view by."""
    root = Key("ROOT", 133_500_000_000_000_000)
    for value in KINDS[view].seeds()[0].split(_BETWEEN_VALUES):
        key, name, kind, data = value.split(_BETWEEN_PARTS)
        place = root.child(key.decode().partition("\\")[2])
        place.set(name.decode(), SZ if kind == b"SZ" else BINARY, data)
    return build(root)


def sound(command: str) -> bytes:
    """A file of the command that has rows."""
    if command in TEXTS:
        return TEXTS[command]
    if command in VIEWS:
        return hive_of(command)
    kind = KINDS[command]
    return kind.finish(kind.seeds()[0])


def damaged(command: str, data: bytes) -> dict[str, bytes]:
    """Files with the names and beginnings of the kind that cannot be read, or not to their end."""
    if command in TEXTS:
        # Any bytes are lines: a stream that is packed and breaks is what a reader of text cannot read.
        return {"gone.gz": b"\x1f\x8b\x08" + b"\xff" * 40, "cut.gz": b"\x1f\x8b\x08\0"}
    return {"cut": data[: min(len(data) // 3, 200)], "zeros": data[:16].ljust(len(data), b"\0"), "empty": b""}


def name_of(command: str, stem: str) -> str:
    """The file's name as collected ones have it."""
    known = {"ntfs-mft": "$MFT", "ntfs-usnjrnl": "$J", "ntfs-logfile": "$LogFile"}
    return f"{stem}-{known.get(command, 'file')}" if not stem.endswith(".gz") else stem


def asked(session: logsql.Session, command: str, where: str) -> tuple[Counter[str], set[str]]:
    """How many rows came of each file, and of which files something was told."""
    result = session.query(f"{command} {OPTIONS.get(command, '')}{where} | fields _path")
    rows: Counter[str] = Counter(Path(str(row["_path"])).name.rpartition("!")[2] for row in result.rows())
    return rows, {Path(loss.source).name.rpartition("!")[2] for loss in result.ledger}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
@pytest.mark.parametrize("command", by_name(READ))
def test_one_that_is_damaged_stops_no_other(command: str, packed: bool, tmp_path: Path) -> None:
    if command == "evtx-file":
        pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    data = sound(command)
    good = [name_of(command, stem) for stem in ("a", "z")]
    files = dict.fromkeys(good, data) | {name_of(command, stem): d for stem, d in damaged(command, data).items()}
    folder = tmp_path / "host"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    where = f"{folder}/*"
    if packed:
        with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
            for name in sorted(files):
                archive.write(folder / name, f"host/{name}")
        where = f"zippath={tmp_path / 'c.zip'} host/*"
    with logsql.connect(tz="UTC") as session:
        rows, told = asked(session, command, where)
    assert rows[good[0]] > 0, rows
    assert rows[good[0]] == rows[good[1]]
    assert set(files) - set(good) <= told, told


@pytest.mark.evidence
def test_an_event_log_whose_beginning_is_destroyed_is_told_of_in_a_folder(tmp_path: Path) -> None:
    """A folder was asked by first bytes alone: a log whose header had been overwritten was left out, and nothing said
    so, though its events can be read."""
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    data = sound("evtx-file")
    files = {"a.evtx": data, "header.evtx": bytes(4096) + data[4096:], "empty.EVTX": b"", "notes.txt": b"no log"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with logsql.connect(tz="UTC") as session:
        rows, told = asked(session, "evtx-file", str(tmp_path))
        listed = {Path(str(r["_path"])).name: r["command"] for r in session.query(f"triage {tmp_path}").rows()}
    assert rows["a.evtx"] == rows["header.evtx"] > 0
    assert told == {"header.evtx", "empty.EVTX"}
    assert listed == dict.fromkeys(files, "evtx-file") | {"notes.txt": "textfile"}


def test_every_command_that_reads_is_here() -> None:
    assert {name for name, spec in COMMANDS.items() if spec.reads is not None} == {*READ, *ELSEWHERE}


def test_a_timeline_goes_on(tmp_path: Path) -> None:
    data = sound("ntfs-mft")
    for host, content in (("a", data), ("b", data[:200]), ("c", data[:16].ljust(len(data), b"\0")), ("z", data)):
        (tmp_path / host).mkdir()
        (tmp_path / host / "$MFT").write_bytes(content)
    with logsql.connect(tz="UTC") as session:
        result = session.query(f"timeline {tmp_path} | fields _path")
        rows = Counter(Path(str(row["_path"])).parent.name for row in result.rows())
        told = {Path(loss.source).parent.name for loss in result.ledger}
    assert rows["a"] == rows["z"] > 0
    assert told >= {"b", "c"}
