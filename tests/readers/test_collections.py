"""A damaged file of a collection stops no other one, whichever command reads it, in a folder and in an archive.

Every command that reads files is here or says why it is not: one that comes later is tested as soon as it is declared.
"""

from __future__ import annotations

import gzip
import os
import zipfile
from collections import Counter
from pathlib import Path

import pytest

import logsql
from logsql.registry import COMMANDS
from sample_data.make_hive import BINARY, SZ, Key, build
from sample_data.make_ntfs import mft, story
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


#: What the system calls them, by the command that reads them.
SURE = {
    "ntfs-mft": ("$MFT", "%24MFT"),
    "ntfs-logfile": ("$LogFile",),
    "ntfs-usnjrnl": ("$J",),
    "evtx-file": ("Security.evtx",),
    "hive-file": ("SYSTEM", "SAM", "ntuser.dat", "UsrClass.dat", "Amcache.hve"),
    "reg-run-keys": ("SOFTWARE", "NTUSER.DAT"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
@pytest.mark.parametrize("command", by_name(SURE))
def test_a_file_whose_name_is_enough_is_never_left_out_without_a_word(
    command: str, packed: bool, tmp_path: Path
) -> None:
    """A folder was asked by first bytes: a SYSTEM that is empty, that nobody may read or whose first sector is
    destroyed was left out, and "nothing was lost". Of a $MFT without its first records the others can be read."""
    if command == "evtx-file":
        pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    data, host = sound(command), tmp_path / "host"
    spoilt = {"empty": b"", "short": data[:3], "zeros": bytes(4096), "packed": gzip.compress(data)[:25]}
    for name in SURE[command]:
        for folder, content in ({"good": data} | spoilt).items():
            (host / folder).mkdir(parents=True, exist_ok=True)
            (host / folder / (f"{name}.gz" if folder == "packed" else name)).write_bytes(content)
        if not packed:
            (host / "closed").mkdir(exist_ok=True)
            (host / "closed" / name).symlink_to(name)  # to itself: root, too, may not read it
    where = f'"{host}"'
    if packed:
        with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
            for path in sorted(host.rglob("*")):
                archive.write(path, path.relative_to(tmp_path).as_posix())
        where = f"zippath={tmp_path / 'c.zip'} host"
    expected = {f"{path.parent.name}/{path.name}" for path in host.rglob("*") if path.is_symlink() or path.is_file()}
    with logsql.connect(tz="UTC") as session:
        result = session.query(f"{command} {where} | fields _path")
        rows = {"/".join(str(row["_path"]).split("/")[-2:]) for row in result.rows()}
        told = {"/".join(loss.source.split("/")[-2:]) for loss in result.ledger}
        kinds = {row["command"] for row in session.query(f'triage "{host}" | search _path != "*closed*"').rows()}
    assert {f"good/{name}" for name in SURE[command]} <= rows
    assert {name for name in expected if not name.startswith("good/")} <= told
    assert kinds == {command if command != "reg-run-keys" else "hive-file"} | ({"amcache-files"} & kinds)


def test_records_behind_a_destroyed_beginning_are_read(tmp_path: Path) -> None:
    """124 of 128 records were left out of a folder with their file, without a word."""
    data = b"".join(mft(story()))
    (tmp_path / "$MFT").write_bytes(bytes(4096) + data[4096:])
    with logsql.connect(tz="UTC") as session:
        rows, told = asked(session, "ntfs-mft", str(tmp_path))
        kinds = [row["kind"] for row in session.query(f"triage {tmp_path}").rows()]
        times = session.query(f"timeline {tmp_path} | stats count by source").rows()
        sources = {row["source"] for row in times}
    assert rows["$MFT"] > 0
    assert told == {"$MFT"}
    assert kinds == ["NTFS $MFT"]
    assert sources == {"mft", "mft name"}


@pytest.mark.parametrize("safe", [False, True], ids=["free", "safe"])
def test_what_a_folder_may_hold_and_nobody_can_look_at_is_told(safe: bool, tmp_path: Path) -> None:
    """A file without the name of its kind that nobody may read, a link to a folder elsewhere (the machine of a
    collection that is mounted in another place), and in safe mode a link out of what may be read."""
    inside, outside = tmp_path / "hosts", tmp_path / "elsewhere"
    for folder in (inside / "pc1", outside):
        folder.mkdir(parents=True)
        (folder / "registry").write_bytes(sound("hive-file"))
    os.mkfifo(inside / "waiting")
    links = {
        "pc2": "../elsewhere", "again": "pc1", "self": ".", "nothing": "gone", "endless": "endless",
        "file": "../elsewhere/registry", "to_pipe": "waiting",
    }  # fmt: skip
    for name, target in links.items():
        (inside / name).symlink_to(target)
    with logsql.connect(tz="UTC", safe=safe, allow_dirs=[str(inside)] if safe else []) as session:
        rows, told = asked(session, "hive-file", str(inside))
        events = session.query(f"timeline {inside} | fields _path")
        list(events.rows())
        unread = {Path(loss.source).name for loss in events.ledger}
    assert rows == {"registry": rows["registry"]} | ({} if safe else {"file": rows["registry"]})
    assert told == {"pc2", "endless"} | ({"file"} if safe else set())
    assert told <= unread


def test_packed_files_are_of_the_kind_that_they_hold(tmp_path: Path) -> None:
    """``triage`` called a packed log "other", and ``timeline`` left it out, though ``evtx-file`` reads it; a packed
    database ended ``sqlite-tables`` of the folder."""
    for name, command in (("SYSTEM", "hive-file"), ("$MFT", "ntfs-mft"), ("a.db", "sqlite-tables")):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(sound(command)))
    with logsql.connect(tz="UTC") as session:
        kinds = {Path(str(r["_path"])).name: r["command"] for r in session.query(f"triage {tmp_path}").rows()}
        sources = {row["source"] for row in session.query(f"timeline {tmp_path} | fields source").rows()}
        tables, _ = asked(session, "sqlite-tables", str(tmp_path))
    assert kinds == {"SYSTEM.gz": "hive-file", "$MFT.gz": "ntfs-mft", "a.db.gz": "sqlite-tables"}
    assert {"mft", "registry"} <= sources
    assert tables["a.db.gz"] > 0


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
