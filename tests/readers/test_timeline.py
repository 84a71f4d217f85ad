"""``timeline``: the times of a volume, its journal and a hive in one order; damaged files stop no other."""

from __future__ import annotations

import codecs
import struct
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.commands.forensic._artefacts import artefacts
from logsql.commands.sources._files import evidence_command
from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import Group, register
from logsql.registry import COMMANDS
from sample_data.make_hive import DWORD, SZ, Key, build, filetime, text
from sample_data.make_ntfs import journal, mft, story
from udfs.readers.artefacts import Artefact, Known, TimeOf
from udfs.readers.base import ReadContext, ReaderError, batch_of, null_context
from udfs.readers.evidence import EvidenceReader, Target
from udfs.readers.hive import reader as hives
from udfs.readers.hive.image import HiveImage
from udfs.readers.request import Request
from udfs.readers.sources import open_random
from udfs.readers.timeline import TimelineReader


def _case(folder: Path) -> None:
    (folder / "pc1").mkdir(parents=True)
    (folder / "pc1" / "$MFT").write_bytes(b"".join(mft(story())))
    (folder / "pc1" / "$J").write_bytes(b"".join(journal(story(), 4096)))
    root = Key("ROOT", filetime(datetime(2024, 3, 11, 10, 20, tzinfo=UTC)))
    root.child("Software\\Run", filetime(datetime(2024, 3, 11, 10, 21, tzinfo=UTC))).set("a", SZ, text("b"))
    root.subkeys[0].subkeys[0].set("c", SZ, text("d"))
    (folder / "pc1" / "NTUSER.DAT").write_bytes(build(root))
    (folder / "pc1" / "broken.DAT").write_bytes(b"regf" + bytes(100))


def test_all_sources_in_one_order(tmp_path: Path) -> None:
    _case(tmp_path / "case")
    with logsql.connect(tz="UTC") as session:
        rows = session.query(f"timeline {tmp_path}/case").rows()
        times = [row["_time"] for row in rows]
        assert times == sorted(times)
        assert {row["source"] for row in rows} == {"mft", "mft name", "usn", "registry"}
        # A key is one event, however many values it has, and one without values is one too.
        registry = [(row["path"], row["action"]) for row in rows if row["source"] == "registry"]
        assert sorted(registry) == [(f"ROOT{end}", "key written") for end in ("", "\\Software", "\\Software\\Run")]
        tool = [row for row in rows if (row["path"] or "").endswith("r32.exe")]
        assert {row["action"] for row in tool if row["source"] == "mft"} == {
            "created", "modified", "accessed", "record changed",
        }  # fmt: skip
        assert "CLOSE FILE_DELETE" in {row["action"] for row in tool if row["source"] == "usn"}
        assert {row["_path"] for row in tool} == {f"{tmp_path}/case/pc1/$MFT", f"{tmp_path}/case/pc1/$J"}
        volume = session.query(f"ntfs-mft {tmp_path}/case/pc1/$MFT | stats count(std_created_at) as n").rows()
        made = session.query(f'timeline sources=mft {tmp_path}/case | search source == "mft" and action == "created"')
        assert len(made.rows()) == volume[0]["n"]
        assert {row["source"] for row in session.query(f"timeline sources=usn {tmp_path}/case").rows()} == {"usn"}


def test_a_source_that_is_none_is_refused(tmp_path: Path) -> None:
    _case(tmp_path)
    asked = {"sources": "mft,web", "artefacts": artefacts()}
    with pytest.raises(ReaderError) as caught:
        TimelineReader.of(Request([str(tmp_path)], null_context(), asked))
    assert caught.value.code == "no-such-source"
    assert {"mft", "usn", "evtx", "registry"} <= set(str(caught.value).partition(": ")[2].split(", "))


class VisitsReader(EvidenceReader):
    """An artefact that is not one of this program's: a mark, then a second, a name and a room a line."""

    columns = pa.schema(
        [("at", pa.timestamp("us", "UTC")), ("who", pa.string()), ("room", pa.string()), ("_file", pa.string())]
    )

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        with open_random(target, context) as raw:
            lines = [line.split(" ") for line in raw.read().decode().splitlines()[1:]]
        arrays = {
            "at": pa.array([int(line[0]) * 1_000_000 for line in lines], self.columns.field("at").type),
            "who": pa.array([line[1] for line in lines], pa.string()),
            "room": pa.array([line[2] for line in lines], pa.string()),
        }
        yield batch_of(wanted, arrays, len(lines))


def test_a_command_that_declares_its_files_and_times_is_in_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What files are known by and what their times mean stands with the command, in no table of these two."""
    COMMANDS.load()
    monkeypatch.setattr(COMMANDS, "_rows", dict(COMMANDS._rows))
    declared = Artefact(
        (Known("door log", mark=b"DOORS"),), (TimeOf("doors", "at", "opened", path="room", detail=("who",)),)
    )
    source = SourceSpec(f"{__name__}:VisitsReader", artefact=declared)
    register(evidence_command("door-visits", Group.FORENSIC, source, "Read a door log.", "One row a visit."))
    text = "DOORS\n1710152400 kim vault\n1710152460 lee hall\n"
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "front.log").write_text(text, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("pc/front.log", text)
    with logsql.connect(tz="UTC") as session:
        for path, name in ((f"{tmp_path}/c", "c/front.log"), (f"{tmp_path}/c.zip", "c.zip!pc/front.log")):
            listed = list(session.query(f"triage {path} | fields kind, command").rows())
            assert listed == [{"kind": "door log", "command": "door-visits"}]
            rows = list(session.query(f"timeline sources=doors {path}").rows())
            assert [tuple(row.values())[1:] for row in rows] == [
                ("doors", "opened", "vault", "kim", f"{tmp_path}/{name}"),
                ("doors", "opened", "hall", "lee", f"{tmp_path}/{name}"),
            ]
            assert rows[0]["_time"] == datetime(2024, 3, 11, 10, 20, tzinfo=UTC)


def test_times_of_a_view_come_from_the_hives_that_it_names(tmp_path: Path) -> None:
    """libyal winreg-kb, "User Assist": name in ROT13, FILETIME at byte 60 of 72."""
    when = datetime(2024, 3, 11, 10, 22, tzinfo=UTC)
    root = Key("ROOT", filetime(datetime(2024, 3, 11, 10, 20, tzinfo=UTC)))
    place = "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\UserAssist\\{CEBFF5CD}\\Count"
    data = struct.pack("<IIII", 0, 3, 1, 9) + bytes(44) + struct.pack("<QI", filetime(when), 0)
    root.child(place).set(codecs.encode("C:\\tool.exe", "rot13"), 3, data)
    (tmp_path / "NTUSER.DAT").write_bytes(build(root))
    (tmp_path / "SYSTEM").write_bytes(build(root))
    with logsql.connect(tz="UTC") as session:
        rows = session.query(f"timeline sources=userassist {tmp_path}").rows()
        assert [(r["_time"], r["action"], r["path"], r["_path"]) for r in rows] == [
            (when, "last started", "C:\\tool.exe", f"{tmp_path}/NTUSER.DAT")
        ]


def test_a_hive_is_read_once_for_all_its_views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and views: each of them read the hive anew, and told what is wrong with it again."""
    root = Key("ROOT", filetime(datetime(2024, 3, 11, 10, 20, tzinfo=UTC)))
    root.child("Select").set("Current", DWORD, struct.pack("<I", 1))
    service = root.child("ControlSet001\\Services\\evil", filetime(datetime(2024, 3, 11, 10, 21, tzinfo=UTC)))
    service.set("ImagePath", SZ, text("C:\\evil.exe")).set("Start", DWORD, struct.pack("<I", 2))
    for host in ("pc1", "pc2"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "SYSTEM").write_bytes(build(root))
    opened = []
    read = hives.open_image

    def counted(source: Target, context: ReadContext, replay: bool = False) -> HiveImage:
        opened.append(str(source))
        return read(source, context, replay)

    monkeypatch.setattr(hives, "open_image", counted)
    asked = Request([str(tmp_path)], null_context(), {"artefacts": artefacts()})
    found = TimelineReader.of(asked).scan(["source", "_path"], null_context())
    assert sum(batch.num_rows for batch in found) > 0
    assert opened == [str(tmp_path / host / "SYSTEM") for host in ("pc1", "pc2")]
