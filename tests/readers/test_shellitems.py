"""Shell items: names as libfwsi prints them, of items written by its description of the format."""

from __future__ import annotations

import lzma
import struct
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sample_data.make_hive import BINARY, Key, build, filetime
from tests.readers.view_support import open_view
from tests.support import shared_data
from udfs.readers.base import null_context
from udfs.readers.regviews.shellfolders import folder_names
from udfs.readers.regviews.shellitems import parse

_WHEN = datetime(2021, 1, 2, 3, 4, 5, tzinfo=UTC)


def _guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le


def _item(body: bytes) -> bytes:
    return struct.pack("<H", len(body) + 2) + body


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def _long_name(text: str, version: int = 9, reference: int = 0) -> bytes:
    """Extension block 0xbeef0004."""
    body = struct.pack("<HIIIH", version, 0xBEEF0004, 0x215757C1, 0x215757C1, 0x2E)
    if version >= 7:
        body += bytes(2) + struct.pack("<Q", reference) + bytes(8)
    body += bytes(2 if version >= 3 else 0) + bytes(4 if version >= 9 else 0) + bytes(4 if version >= 8 else 0)
    block = body + _wide(text)
    return struct.pack("<H", len(block) + 4) + block + struct.pack("<H", 0)


def _cloud(name: str) -> bytes:
    entry = struct.pack("<HBBIIH", 0, 0x31, 0, 0, 0x215757C1, 16) + b"PROJEK~1\0\0\0\0"
    entry = struct.pack("<H", len(entry) - 2) + entry[2:]
    inner = b"CFSF" + entry
    tail = _guid("5e591a74-df96-48d3-8d67-1733bcee28ba") + _guid("dffacdc5-679f-4156-8947-c5c76bc0b67f")
    return _item(b"\x74\0" + struct.pack("<H", len(inner)) + inner + tail + _long_name(name))


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (_item(b"\x1f\x50" + _guid("20d04fe0-3aea-1069-a2d8-08002b30309d")), "My Computer", "root folder"),
        (_item(b"\x1f\x50" + _guid("11111111-2222-3333-4444-555555555555")),
         "{11111111-2222-3333-4444-555555555555}", "root folder"),
        (_item(b"\x1f\x50"), "(shell item 0x1f)", "root folder"),
        (_item(b"\x1f\0" + struct.pack("<H", 76) + b"\xd5\xdf\xa3\x23" + bytes(68)), "Search Folder", "search"),
        (_cloud("Project Cloud"), "Project Cloud", "directory"),
        (_item(b"\0\0" + struct.pack("<H", 26) + b"\xee\xbb\xfe\x23" + struct.pack("<HH", 0, 16)
               + _guid("374de290-123f-4565-9164-39c4925e467b") + bytes(2)), "Downloads", "known folder"),
        (_item(b"\x01\0\x84\x21\xde\x39" + struct.pack("<I", 5)), "System and Security", "control panel category"),
        (_item(b"\x01\0\x84\x21\xde\x39" + struct.pack("<I", 77)), "(category 77)", "control panel category"),
        (_item(b"\x71\x80" + bytes(10) + _guid("bb06c0e4-d293-4f75-8a90-cb05b6477eee")), "System",
         "control panel item"),
        (_item(b"\0\0" + struct.pack("<IIIIHH", 0xFFFFFF9A, 0, 0x6A00, 0, 13, 19) + _wide("C:\\w\\main.cpl")[:-2]
               + _wide("Mouse") + _wide("Settings")), "Mouse", "control panel applet"),
        (_item(b"\0\0GFSI" + _guid("d1a7f7e0-d4e9-49e8-bf2c-ceaa01d2e670") + bytes(8)),
         "{d1a7f7e0-d4e9-49e8-bf2c-ceaa01d2e670}", "game"),
        (_item(b"\x2e\0" + struct.pack("<H", 60) + struct.pack("<IIIIIIIIH", 0, 3, 0, 2, 0, 0, 6, 2, 0) + _wide("Phone")
               + _wide("x") + bytes(12) + _guid("5e591a74-df96-48d3-8d67-1733bcee28ba")
               + _guid("35786d3c-b075-49b9-88dd-029876e11c01")), "Phone", "portable device"),
        (_item(b"\x40\0\0\0" + bytes(8) + _guid("5e591a74-df96-48d3-8d67-1733bcee28ba")
               + _guid("ed50fc29-b964-48a9-afb3-15ebb9b97f36")), "", "network location"),
        (_item(b"\x00\0" + bytes(8) + _guid("5e591a74-df96-48d3-8d67-1733bcee28ba")
               + _guid("9db7a13c-f208-4981-8353-73cc61ae2783")),
         folder_names().get("9db7a13c-f208-4981-8353-73cc61ae2783", "{9db7a13c-f208-4981-8353-73cc61ae2783}"),
         "delegate folder"),
        (_item(b"\x99\0" + bytes(4)), "(shell item 0x99)", "unknown"),
    ],
)  # fmt: skip
def test_names_and_kinds(data: bytes, name: str, kind: str) -> None:
    item = parse(data)
    assert (item.name, item.kind) == (name, kind)


def test_known_folders_are_many_and_well_formed() -> None:
    names = folder_names()
    assert len(names) > 350
    for guid, name in names.items():
        assert str(uuid.UUID(guid)) == guid
        assert name.strip() == name != ""


def test_bags_tell_when_a_folder_was_opened_and_where_it_lies(tmp_path: Path) -> None:
    """The key of a folder with nothing below changed when it was made; the first of the order was opened last."""
    file = _item(struct.pack("<BBIIH", 0x31, 0, 0, 0x215757C1, 16) + b"OLD\0" + _long_name("folder", 9, 4242 | 7 << 48))
    root = Key("ROOT", filetime(_WHEN))
    bags = root.child("Software\\Microsoft\\Windows\\Shell\\BagMRU", filetime(_WHEN.replace(hour=4)))
    bags.set("0", BINARY, file + b"\0\0").set("1", BINARY, file + b"\0\0")
    bags.set("MRUListEx", BINARY, struct.pack("<iii", 1, 0, -1))
    bags.child("0", filetime(_WHEN.replace(hour=5))).set("MRUListEx", BINARY, struct.pack("<i", -1))
    above = bags.child("1", filetime(_WHEN.replace(hour=6))).set("0", BINARY, file + b"\0\0")
    above.set("MRUListEx", BINARY, struct.pack("<ii", 0, -1))
    path = tmp_path / "NTUSER.DAT"
    path.write_bytes(build(root))
    rows = [r for batch in open_view("reg-shellbags", str(path)).scan(None, null_context()) for r in batch.to_pylist()]
    hours = [tuple(r[c] and r[c].hour for c in ("first_opened", "last_opened")) for r in rows]
    assert [(r["bag_path"], *h) for r, h in zip(rows, hours, strict=True)] == [
        ("BagMRU\\0", 5, None),
        ("BagMRU\\1", None, 4),
        ("BagMRU\\1\\0", None, 6),
    ]
    assert {(r["item_type"], r["mft_no"], r["mft_seq"]) for r in rows} == {("directory", 4242, 7)}


@pytest.mark.evidence
def test_cloud_folders_searches_and_categories_of_a_hive(tmp_path: Path) -> None:
    path = tmp_path / "NTUSER.DAT"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d09-shellbags.hive.xz").read_bytes()))
    rows = [r for batch in open_view("reg-shellbags", str(path)).scan(None, null_context()) for r in batch.to_pylist()]
    assert [row["file_path"] for row in rows] == [
        "Users Files", "Search Folder", "Control Panel", "ordinary folder", "Users Files\\Project Cloud",
        "Users Files\\Downloads", "Search Folder\\found folder", "Control Panel\\System and Security",
        "Control Panel\\Network and Internet", "Control Panel\\System and Security\\System",
    ]  # fmt: skip


def test_folders_of_programs_have_their_names() -> None:
    """A folder that Dropbox or Box put beside the drives stood in paths as ``{e31ea727-…}``; names as libfwsi's users
    keep them (regipy, over the UsrClass.dat of its tests)."""
    names = folder_names()
    assert names["e31ea727-12ed-4702-820c-4b6445f28e1a"] == "Dropbox"
    assert names["4a8fcd9f-623c-4283-96f0-10f41846a98a"] == "Box Sync"
    assert names["b2b4a4d1-2754-4140-a2eb-9a76d9d7cdc6"] == "Linux"
