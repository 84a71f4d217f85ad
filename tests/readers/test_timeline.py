"""``timeline``: the times of a volume, its journal and a hive in one order; damaged files stop no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import logsql
from sample_data.make_hive import SZ, Key, build, filetime, text
from sample_data.make_ntfs import journal, mft, story
from udfs.readers.base import ReaderError, null_context
from udfs.readers.request import Request
from udfs.readers.timeline import SOURCES, TimelineReader


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
    with pytest.raises(ReaderError, match="mft, usn, evtx, registry") as caught:
        TimelineReader.of(Request([str(tmp_path)], null_context(), {"sources": "mft,web"}))
    assert caught.value.code == "no-such-source"
    assert SOURCES == ("mft", "usn", "evtx", "registry")
