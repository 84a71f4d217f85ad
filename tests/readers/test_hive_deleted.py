"""Deleted keys and values (``deleted=t``): hives made here, and what yarp finds in the private ones."""

from __future__ import annotations

import hashlib
import lzma
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sample_data.make_hive import BINARY, DWORD, SZ, Key, build, filetime, text
from tests.readers.hive_support import TYPE_NUMBERS
from tests.support import ROOT, shared_data
from udfs.readers.base import ListLoss, null_context
from udfs.readers.hive import HiveReader

_WHEN = datetime(2024, 3, 11, 10, 20, tzinfo=UTC)
_LATER = datetime(2024, 3, 12, tzinfo=UTC)


def _deleted(data: bytes, folder: Path, loss: ListLoss | None = None) -> list[dict[str, Any]]:
    path = folder / "hive"
    path.write_bytes(data)
    batches = HiveReader(str(path), deleted=True).scan(None, null_context(loss or ListLoss()))
    return [row for batch in batches for row in batch.to_pylist() if row["is_deleted"]]


def _cell_of(data: bytes, mark: bytes, name: bytes) -> int:
    """Where the content of the nk or vk with this name begins."""
    behind = 76 if mark == b"nk" else 20
    return data.index(name, data.index(mark)) - behind


def _free(hive: bytearray, at: int) -> None:
    """Free a cell as Windows does: its size becomes positive, its content stays."""
    size = struct.unpack_from("<i", hive, at - 4)[0]
    struct.pack_into("<i", hive, at - 4, abs(size))


def _without(root: Key, name: str) -> bytes:
    """The hive of ``root`` after Windows deleted the one subkey ``name`` of the root, with all below it."""
    image = bytearray(build(root))
    key = _cell_of(image, b"nk", name.encode())
    top = struct.unpack_from("<I", image, 36)[0] + 4100
    assert struct.unpack_from("<I", image, key + 16)[0] + 4100 == top
    struct.pack_into("<I", image, top + 20, 0)
    struct.pack_into("<I", image, top + 28, 0xFFFFFFFF)
    pending = [key]
    while pending:
        at = pending.pop()
        count, listed = struct.unpack_from("<I", image, at + 20)[0], struct.unpack_from("<I", image, at + 28)[0] + 4100
        if count:
            pending += [struct.unpack_from("<I", image, listed + 4 + 8 * n)[0] + 4100 for n in range(count)]
            _free(image, listed)
        count, listed = struct.unpack_from("<II", image, at + 36)
        for place in struct.unpack_from(f"<{count}I", image, listed + 4100) if count else ():
            length, data = struct.unpack_from("<II", image, place + 4104)
            _free(image, place + 4100)
            if length < 0x80000000:
                _free(image, data + 4100)
        if count:
            _free(image, listed + 4100)
        _free(image, at)
    return bytes(image)


def _case() -> Key:
    root = Key("ROOT", filetime(_WHEN)).set("kept", SZ, text("still here"))
    gone = (
        root.child("Secret", filetime(_LATER))
        .set("Tool", SZ, text("C:\\temp\\r32.exe"))
        .set("Runs", DWORD, b"\7\0\0\0")
    )
    gone.child("Empty", filetime(_WHEN))
    root.subkeys[0].written = filetime(_LATER)
    return root


def test_a_deleted_tree_comes_behind_the_rows(tmp_path: Path) -> None:
    rows = _deleted(_without(_case(), "Secret"), tmp_path)
    assert [(r["key"], r["name"], r["type"], r["value.text"], r["value.int"], r["last_written"]) for r in rows] == [
        ("ROOT\\Secret", "Tool", "SZ", "C:\\temp\\r32.exe", None, _LATER),
        ("ROOT\\Secret", "Runs", "DWORD", None, 7, _LATER),
        ("ROOT\\Secret\\Empty", None, None, None, None, _WHEN),
    ]
    reader = HiveReader(str(tmp_path / "hive"), deleted=True)
    every = [row for batch in reader.scan(None, null_context()) for row in batch.to_pylist()]
    assert [(row["name"], row["is_deleted"]) for row in every] == [
        ("kept", False), ("Tool", True), ("Runs", True), (None, True),
    ]  # fmt: skip
    plain = [r for b in HiveReader(str(tmp_path / "hive")).scan(None, null_context()) for r in b.to_pylist()]
    assert [row["name"] for row in plain] == ["kept"]
    assert "is_deleted" not in plain[0]


def test_data_whose_place_is_in_use_again_is_no_value(tmp_path: Path) -> None:
    """A live value got the cell of the deleted one's data: its bytes are not those that were deleted."""
    image = bytearray(_without(_case(), "Secret"))
    live, gone = (_cell_of(image, b"vk", name) for name in (b"kept", b"Tool"))
    struct.pack_into("<I", image, gone + 8, struct.unpack_from("<I", image, live + 8)[0])
    loss = ListLoss()
    rows = _deleted(bytes(image), tmp_path, loss)
    assert [(r["name"], r["value.text"]) for r in rows if r["name"]] == [("Tool", None), ("Runs", None)]
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("data-reused", 1)]


def test_a_value_whose_key_is_overwritten_has_none(tmp_path: Path) -> None:
    image = bytearray(_without(_case(), "Secret"))
    at = _cell_of(image, b"nk", b"Secret")
    image[at : at + 82] = bytes(82)
    rows = _deleted(bytes(image), tmp_path)
    # The key below it does not know where it was.
    assert [(r["key"], r["name"]) for r in rows] == [("Empty", None), (None, "Tool"), (None, "Runs")]
    assert rows[1]["last_written"] is None


def test_a_hive_inside_a_value_is_no_deleted_key(tmp_path: Path) -> None:
    inner = build(_case())
    outer = build(Key("ROOT", filetime(_WHEN)).set("copy", BINARY, inner[4096:8192]))
    assert _deleted(outer, tmp_path) == []


_OTHERWISE = {
    # A deleted key of which an end is overwritten: yarp leaves it out, we show what its name has become.
    "hives/regipy/NTUSER_with_winscp.DAT.xz": "keys",
    # Three of 3,034 values are pieces of other data that begin with "vk"; each tool drops other ones.
    "hives/regipy/SYSTEM_WIN_10_1709.xz": "values",
}
LINES = (ROOT / "tests" / "readers" / "hive_deleted_answers.txt").read_text(encoding="utf-8").splitlines()[2:]


def found_in(data: bytes, folder: Path) -> tuple[set[str], list[str]]:
    """Deleted keys and values of a hive as the lines of the answer file."""
    rows = _deleted(data, folder)
    keys = {(row["key"], str(row["last_written"].replace(tzinfo=None))) for row in rows if row["key"] is not None}
    values = [f"{row['name']}|{TYPE_NUMBERS.get(row['type'], row['type'])}" for row in rows if row["name"] is not None]
    return {f"{key}|{time[:22]}" for key, time in keys}, values


def hive(name: str) -> bytes:
    """A hive of the private data."""
    data = shared_data("forensics", *name.split("/")).read_bytes()
    return lzma.decompress(data) if name.endswith(".xz") else data


@pytest.mark.evidence
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[0].rsplit("/", 1)[-1])
def test_what_yarp_finds(line: str, tmp_path: Path) -> None:
    name, keys, keys_digest, values, values_digest = line.split()
    found_keys, found = found_in(hive(name), tmp_path)
    other = _OTHERWISE.get(name)
    assert abs(len(found_keys) - int(keys)) <= (other == "keys")
    assert abs(len(found) - int(values)) <= (other == "values")
    assert digest(found_keys) == keys_digest or other == "keys"
    assert digest(found) == values_digest or other == "values"


def digest(lines: list[str] | set[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


@pytest.mark.evidence
def test_what_yarp_says_of_its_own_hives(tmp_path: Path) -> None:
    """The answers that yarp's own tests hold (test_cases.py, test_deleted)."""
    rows = _deleted(hive("hives/yarp/DeletedDataHive.xz"), tmp_path)
    assert {r["name"]: r["value.text"] for r in rows} == {"v2": "456", "v": "123456"}
    assert {r["key"].rsplit("\\", 1)[-1] for r in rows if r["name"] == "v"} == {"456"}
    rows = _deleted(hive("hives/yarp/DeletedTreeHive.xz"), tmp_path)
    assert sorted(r["key"].partition("\\")[2] for r in rows) == [
        "1\\2\\3", "1\\2\\3\\4", "1\\2\\3\\4\\5", "1\\2\\3\\4\\New Key #1",
    ]  # fmt: skip
