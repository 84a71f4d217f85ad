"""Many files in one query: patterns and folders, on disk and in archives alike; where a row comes from."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sample_data.make_hive import SZ, Key, build, text
from sample_data.make_ntfs import journal, mft, story
from udfs.readers.base import ListLoss, ReaderError, null_context
from udfs.readers.evidence import HostPattern
from udfs.readers.files import Files
from udfs.readers.hive import HiveReader
from udfs.readers.ntfs_mft import MftReader
from udfs.readers.ntfs_usnjrnl import UsnJrnlReader
from udfs.readers.patterns import entry_test
from udfs.readers.request import Request
from udfs.readers.sources import expand_members

_FILES = (
    "a.log", "hosts/pc1/x.log", "hosts/pc1/logs/y.log", "hosts/pc2/X.LOG", "hosts/pc2/deep/logs/z.log",
    "hosts/pc10/x.log", "hosts/pc2/deep/logs/z.txt",
)  # fmt: skip
_MEANS = [
    ("*.log", ["a.log"]),
    ("hosts/*/x.log", ["hosts/pc1/x.log", "hosts/pc2/X.LOG", "hosts/pc10/x.log"]),
    ("hosts/pc1*/*.log", ["hosts/pc1/x.log", "hosts/pc10/x.log"]),
    ("hosts/**/*.log", [name for name in _FILES if name.lower().endswith(".log") and name != "a.log"]),
    ("**/*.log", [name for name in _FILES if name.lower().endswith(".log")]),
    ("hosts/**/logs/*", ["hosts/pc1/logs/y.log", "hosts/pc2/deep/logs/z.log", "hosts/pc2/deep/logs/z.txt"]),
    ("hosts/pc2/**", ["hosts/pc2/X.LOG", "hosts/pc2/deep/logs/z.log", "hosts/pc2/deep/logs/z.txt"]),
    ("hosts/**/**/z.txt", ["hosts/pc2/deep/logs/z.txt"]),
    ("hosts/*/logs/*.log", ["hosts/pc1/logs/y.log"]),
    ("HOSTS/*/none", []),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files on disk and in an archive beside them."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in _FILES:
            (tmp_path / "disk" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "disk" / name).write_text(name)
            archive.writestr(name, name)
    return tmp_path


@pytest.mark.parametrize(("pattern", "means"), _MEANS)
def test_one_rule_for_folders_and_archives(pattern: str, means: list[str], tree: Path) -> None:
    disk = tree / "disk"
    if not means:
        with pytest.raises(ReaderError) as caught:
            Files().expand(f"{disk}/{pattern}")
        assert caught.value.code == "no-match"
        return
    found = [Path(path).relative_to(disk).as_posix() for path in Files().expand(f"{disk}/{pattern}")]
    assert sorted(found) == sorted(means)
    if "/" in pattern:
        members = expand_members(str(tree / "all.zip"), pattern, null_context())
        assert [member.entry for member in members] == found


def test_a_pattern_without_a_folder_is_looked_for_in_the_whole_archive(tree: Path) -> None:
    found = [member.entry for member in expand_members(str(tree / "all.zip"), "*z.*", null_context())]
    assert found == ["hosts/pc2/deep/logs/z.log", "hosts/pc2/deep/logs/z.txt"]
    assert entry_test("a*").fullmatch("a/b/c")
    assert not entry_test("x/a*").fullmatch("x/a/b")


def test_a_link_to_a_folder_ends_no_walk(tree: Path) -> None:
    (tree / "disk" / "hosts" / "again").symlink_to(tree / "disk")
    assert len(Files().expand(f"{tree}/disk/hosts/**/*.txt")) == 1


def test_safe_mode_lists_only_what_it_may(tree: Path) -> None:
    inside = str(tree / "disk" / "hosts" / "pc1")
    files = Files(lambda path: path.startswith(inside) or path == f"{tree}/disk/hosts")
    told: list[ReaderError] = []
    assert [Path(p).name for p in files.expand(f"{tree}/disk/hosts/pc1*/x.log", unread=told.append)] == ["x.log"] * 2
    with pytest.raises(ReaderError) as caught:
        files.expand(f"{tree}/disk/hosts/pc2/**/x.log")
    assert caught.value.code == "read-not-allowed"


def _hives(folder: Path) -> None:
    for host in ("pc1", "pc2"):
        place = folder / "hosts" / host / "config"
        place.mkdir(parents=True)
        (place / "SYSTEM").write_bytes(build(Key("ROOT", 116_444_736_000_000_001).set("host", SZ, text(host))))
        (place / "SYSTEM.LOG1").write_bytes(b"regf" + bytes(600))
        (place / "notes.txt").write_text("no hive")
    (folder / "hosts" / "pc2" / "broken").write_bytes(b"regf" + bytes(100))


def _rows(reader: Any, loss: ListLoss | None = None) -> list[dict[str, Any]]:
    return [row for batch in reader.scan(None, null_context(loss)) for row in batch.to_pylist()]


def test_a_folder_of_machines(tmp_path: Path) -> None:
    """The hives in it are read and nothing else; a broken one stops no other; the path tells the machine."""
    _hives(tmp_path)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for path in sorted((tmp_path / "hosts").rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(tmp_path).as_posix())
    for options, begin in (({}, f"{tmp_path}/"), ({"zippath": f"{tmp_path}/c.zip"}, f"{tmp_path}/c.zip!")):
        loss = ListLoss()
        given = {**options, "host": "hosts/(?<host>[^/]+)/"}
        path = "hosts" if options else f"{tmp_path}/hosts"
        rows = _rows(HiveReader.of(Request([path], null_context(loss), given)), loss)
        assert [(r["value.text"], r["host"], r["_file"], r["_path"]) for r in rows] == [
            (host, host, "SYSTEM", f"{begin}hosts/{host}/config/SYSTEM") for host in ("pc1", "pc2")
        ]
        assert [(entry.source, entry.count) for entry in loss.entries] == [(f"{begin}hosts/pc2/broken", 1)]


def test_a_folder_without_such_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(ReaderError) as caught:
        HiveReader.of(Request([str(tmp_path)], null_context(), {}))
    assert caught.value.code == "is-a-directory"


@pytest.mark.parametrize(
    ("pattern", "path", "host"),
    [
        ("hosts/(?<host>[^/]+)/", "c\\hosts\\pc1\\x", "pc1"),
        ("(a)(?<host>b)", "ab", "b"),
        ("hosts/([^/]+)/", "hosts/pc2/x", "pc2"),
        ("pc[0-9]+", "z/pc3/x", "pc3"),
        ("(?<=z/)pc", "z/pc3/x", "pc"),
        ("nothing", "z/pc3/x", None),
    ],
)
def test_the_part_of_a_path_that_names_the_machine(pattern: str, path: str, host: str | None) -> None:
    assert HostPattern(pattern).of(path) == host


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ReaderError) as caught:
        HostPattern("(")
    assert caught.value.code == "bad-pattern"


def test_paths_of_a_journal_hold_only_where_the_folder_is_still_the_same(tmp_path: Path) -> None:
    (tmp_path / "MFT").write_bytes(b"".join(mft(story())))
    (tmp_path / "J").write_bytes(b"".join(journal(story(), 0)))
    given = {"path": str(tmp_path / "MFT")}

    def paths() -> dict[str, str | None]:
        reader = UsnJrnlReader.of(Request([str(tmp_path / "J")], null_context(), given))
        batches = reader.scan(["file_name", "file_path"], null_context())
        return {row["file_name"]: row["file_path"] for batch in batches for row in batch.to_pylist()}

    assert paths()["WinHex.exe"] == "Users\\kim\\AppData\\Local\\Temp\\RarSFX1\\WinHex.exe"
    data = bytearray((tmp_path / "MFT").read_bytes())
    struct.pack_into("<H", data, 30 * 1024 + 16, 9)  # the record of RarSFX1 was used again
    (tmp_path / "MFT").write_bytes(data)
    assert paths()["WinHex.exe"] is None
    assert paths()["r32.exe"] == "$Recycle.Bin\\r32.exe"


def test_attributes_and_origin_of_a_change(tmp_path: Path) -> None:
    data = bytearray(b"".join(journal(story(), 0)))
    struct.pack_into("<I", data, 44, 0x6)
    struct.pack_into("<I", data, 52, 0x80000022)
    (tmp_path / "J").write_bytes(data)
    first = _rows(UsnJrnlReader(str(tmp_path / "J")))[0]
    assert first["source_info"] == ["AUXILIARY_DATA", "REPLICATION_MANAGEMENT"]
    assert first["file_attributes"] == ["0x80000000", "ARCHIVE", "HIDDEN"]


def test_kinds_of_files_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "$MFT").write_bytes(b"".join(mft(story())))
    (tmp_path / "x" / "$MFTMirr").write_bytes(b"".join(mft(story()))[:4096])
    (tmp_path / "x" / "$J").write_bytes(b"".join(journal(story(), 4096)))
    for reader, file in ((MftReader, "$MFT"), (UsnJrnlReader, "$J")):
        made = reader.of(Request([str(tmp_path)], null_context(), {}))
        assert {row["_file"] for row in _rows(made)} == {file}


def test_what_is_no_regular_file_in_a_folder_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing says what is a regular file; of a link that is looked at behind it, as a pipe may stand there."""
    (tmp_path / "hosts" / "a").mkdir(parents=True)
    (tmp_path / "volume").write_bytes(b"".join(mft(story())))
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "hosts" / "a" / "waiting")
    for name, place in (("linked", "volume"), ("to_pipe", "pipe"), ("to_nothing", "gone")):
        (tmp_path / "hosts" / "a" / name).symlink_to(tmp_path / place)
    (tmp_path / "hosts" / "a" / "plain").write_bytes(b"".join(mft(story())))
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest, **named: opened.append(str(path)) or real(path, *rest, **named))
    made = MftReader.of(Request([str(tmp_path / "hosts")], null_context(), {}))
    assert {Path(path).name for path in opened} == {"linked", "plain", "to_nothing"}
    assert {row["_file"] for row in _rows(made)} == {"linked", "plain"}


def test_a_folder_without_such_a_file_says_so(tmp_path: Path) -> None:
    """It was called "a directory, not a file", though folders may be read."""
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ReaderError, match="is a directory, and no file in it is of the kind") as caught:
        Files().expand(str(tmp_path), lambda *_: False)
    assert caught.value.code == "is-a-directory"
    with pytest.raises(ReaderError, match="is a directory, not a file"):
        Files().expand(str(tmp_path))


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    """An entry whose name has more digits than Python makes an int of (4,300) ended the query with a ValueError."""
    many = "9" * 5000
    names = ["2", "10", "010", "a", "a1b", "a2", "b", "x/7/z", many]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in reversed(names):
            archive.writestr(name, "")
    found = [member.entry for member in expand_members(str(tmp_path / "a.zip"), "**", null_context())]
    assert found == ["a", "a1b", "a2", "b", "x/7/z", "2", "010", "10", many]
