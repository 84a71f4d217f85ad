"""Transaction logs written here from the format's documentation: the answer is the hive that they were made of."""

from __future__ import annotations

import itertools
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from sample_data.make_hive import BINARY, DWORD, Key, build
from tests.readers.hive_support import rows_of, table
from udfs.readers.base import ListLoss
from udfs.readers.hive.replay import marvin32

_WHEN = 132_000_000_000_000_000
_COLUMNS = ["key", "name", "value.raw"]
_Rows = list[tuple[str, str, bytes]]


def hive_in(state: int, size: int = 300) -> bytes:
    """A hive in one of its states: the number stands in every value, so states differ in every page."""
    root = Key("ROOT", _WHEN)
    for number in range(60):
        child = root.child(f"key{number}")
        child.set("state", DWORD, struct.pack("<I", state)).set("data", BINARY, bytes([state]) * size)
    return build(root)


def _rows(data: bytes) -> _Rows:
    return [(row["key"], row["name"], row["value.raw"]) for row in rows_of(data, _COLUMNS)]


def _base(hive: bytes, first: int, second: int, kind: int = 0, written: int = _WHEN, cut: int = 4096) -> bytes:
    """A hive's base block with other sequence numbers, type and time, and the checksum that belongs to them."""
    block = bytearray(hive[:4096])
    struct.pack_into("<IIQ", block, 4, first, second, written)
    struct.pack_into("<I", block, 28, kind)
    total = 0
    for (word,) in struct.iter_unpack("<I", block[:508]):
        total ^= word
    struct.pack_into("<I", block, 508, {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total))
    return bytes(block[:cut])


def dirty(hive: bytes, first: int, second: int, written: int = _WHEN) -> bytes:
    return _base(hive, first, second, written=written) + hive[4096:]


def _marvin(data: bytes) -> bytes:
    """Marvin32 with the registry's seed, word by word as in the patent; tested below with published numbers."""
    return marvin32(data).to_bytes(8, "little")


def _entry(sequence: int, before: bytes, after: bytes) -> bytes:
    """A log entry with the pages (4,096 bytes) in which two states of a hive differ."""
    pages = [at for at in range(4096, len(after), 4096) if before[at : at + 4096] != after[at : at + 4096]]
    body = b"".join(struct.pack("<II", at - 4096, 4096) for at in pages)
    body += b"".join(after[at : at + 4096] for at in pages)
    size = (40 + len(body) + 511) // 512 * 512
    body = body.ljust(size - 40, b"\0")
    head = struct.pack("<4sIIIII", b"HvLE", size, 0, sequence, len(after) - 4096, len(pages)) + _marvin(body)
    return head + _marvin(head) + body


def new_log(first: int, states: Sequence[bytes]) -> bytes:
    """A new log: entries that lead from each state to the next, numbered from ``first``."""
    steps = itertools.pairwise(states)
    entries = [_entry((first + n) % 2**32, old, new) for n, (old, new) in enumerate(steps)]
    return _base(states[0], first, first, 6, cut=512) + b"".join(entries)


def old_log(before: bytes, after: bytes, sequence: int = 5, written: int = _WHEN) -> bytes:
    """An old log: the bitmap of dirty sectors and the sectors."""
    sectors = [at for at in range(4096, len(after), 512) if before[at : at + 512] != after[at : at + 512]]
    bits = bytearray((len(after) - 4096) // 4096)
    for at in sectors:
        bits[(at - 4096) // 512 // 8] |= 1 << (at - 4096) // 512 % 8
    head = _base(after, sequence, sequence, 1, written, 512) + b"DIRT" + bytes(bits)
    return head.ljust((len(head) + 511) // 512 * 512, b"\0") + b"".join(after[at : at + 512] for at in sectors)


def _replayed(folder: Path, hive: bytes, logs: dict[str, bytes], loss: ListLoss | None = None) -> _Rows:
    path = folder / "SYSTEM"
    path.write_bytes(hive)
    for suffix, data in logs.items():
        (folder / ("SYSTEM" + suffix)).write_bytes(data)
    found = table(path, _COLUMNS, loss, replay=True).to_pylist()
    return [(row["key"], row["name"], row["value.raw"]) for row in found]


_S = [hive_in(state) for state in range(6)]
_GROWN = hive_in(9, 900)
_WRAP = 2**32 - 2
_NEW: dict[str, tuple[bytes, dict[str, bytes], bytes]] = {
    # hive, logs -> the hive that must come out
    "first log only": (dirty(_S[0], 8, 7), {".LOG1": new_log(7, _S[:4])}, _S[3]),
    "second log only": (dirty(_S[0], 8, 7), {".LOG2": new_log(7, _S[:4])}, _S[3]),
    "single log": (dirty(_S[0], 8, 7), {".LOG": new_log(7, _S[:4])}, _S[3]),
    "both logs": (dirty(_S[0], 8, 7), {".LOG1": new_log(7, _S[:3]), ".LOG2": new_log(9, _S[2:5])}, _S[4]),
    "second log first": (dirty(_S[0], 8, 7), {".LOG1": new_log(9, _S[2:5]), ".LOG2": new_log(7, _S[:3])}, _S[4]),
    "one log empty": (dirty(_S[0], 8, 7), {".LOG1": b"", ".LOG2": new_log(7, _S[:2]), ".LOG": b""}, _S[1]),
    "one log of zeros": (dirty(_S[0], 8, 7), {".LOG1": bytes(8192), ".LOG2": new_log(7, _S[:2])}, _S[1]),
    "lower-case suffix": (dirty(_S[0], 8, 7), {".log1": new_log(7, _S[:2])}, _S[1]),
    "entries already written": (dirty(_S[2], 9, 8), {".LOG1": new_log(6, _S[:5])}, _S[4]),
    "one log is of an older round": (
        dirty(_S[2], 9, 8),
        {".LOG1": new_log(8, _S[2:4]), ".LOG2": new_log(2, [_S[5], _S[0]])},
        _S[3],
    ),
    "numbers wrap": (dirty(_S[0], _WRAP + 1, _WRAP), {".LOG1": new_log(_WRAP, _S[:6])}, _S[5]),
    "numbers wrap between logs": (
        dirty(_S[0], _WRAP + 1, _WRAP),
        {".LOG1": new_log(0, _S[2:5]), ".LOG2": new_log(_WRAP, _S[:3])},
        _S[4],
    ),
    "remnants behind the round": (
        dirty(_S[0], 8, 7),
        {".LOG1": new_log(7, _S[:3]) + new_log(3, [_S[5], _S[4], _S[5]])[512:]},
        _S[2],
    ),
    "the hive grows": (dirty(_S[0], 8, 7), {".LOG1": new_log(7, [_S[0], _S[1], _GROWN])}, _GROWN),
    "base block zeroed": (bytes(4096) + _S[0][4096:], {".LOG1": new_log(7, _S[:3])}, _S[2]),
    "base block's checksum wrong": (_S[0][:44] + b"\7" + _S[0][45:], {".LOG1": new_log(7, _S[:3])}, _S[2]),
    # Windows takes the later log alone: the earlier one may be of any age.
    "base block wrong, two logs": (
        bytes(4096) + _S[2][4096:],
        {".LOG1": new_log(3, [_S[5], _S[0]]), ".LOG2": new_log(9, _S[2:5])},
        _S[4],
    ),
}


@pytest.mark.parametrize("what", _NEW)
def test_new_logs_give_the_intended_hive(what: str, tmp_path: Path) -> None:
    hive, logs, answer = _NEW[what]
    loss = ListLoss()
    assert _replayed(tmp_path, hive, logs, loss) == _rows(answer)
    assert not loss.entries


_FLIPPED = bytearray(new_log(7, _S[:4]))
_FLIPPED[512 + len(_entry(7, _S[0], _S[1])) + 700] ^= 1
_PARTS: dict[str, tuple[bytes, dict[str, bytes], bytes, list[str]]] = {
    # hive, logs -> the state up to which they can be applied, and what the ledger says
    "bad hash in the middle": (dirty(_S[0], 8, 7), {".LOG1": bytes(_FLIPPED)}, _S[1], ["log-entry-damaged"]),
    "cut in an entry": (dirty(_S[0], 8, 7), {".LOG1": new_log(7, _S[:3])[:-512]}, _S[1], ["log-entry-damaged"]),
    "gap between the logs": (
        dirty(_S[0], 8, 7),
        {".LOG1": new_log(7, _S[:2]), ".LOG2": new_log(9, _S[2:4])},
        _S[1],
        ["log-gap"],
    ),
    "gap before the logs": (dirty(_S[1], 8, 7), {".LOG1": new_log(8, _S[1:3])}, _S[2], ["log-begins-later"]),
    "gap in a log": (
        dirty(_S[0], 8, 7),
        {".LOG1": new_log(7, _S[:2]) + new_log(9, _S[1:3])[512:]},
        _S[1],
        ["log-gap"],
    ),
    "both logs older than the hive": (
        dirty(_S[3], 30, 29),
        {".LOG1": new_log(7, _S[:2]), ".LOG2": new_log(9, _S[2:4])},
        _S[3],
        ["log-of-another-time", "log-of-another-time"],
    ),
    "log begun and not finished": (
        dirty(_S[0], 8, 7),
        {".LOG1": _base(_S[0], 8, 7, 6, cut=512) + new_log(7, _S[:2])[512:]},
        _S[0],
        ["damaged-log", "no-transaction-log"],
    ),
    "no log": (dirty(_S[0], 8, 7), {}, _S[0], ["no-transaction-log"]),
    "empty logs": (dirty(_S[0], 8, 7), {".LOG1": b"", ".LOG2": b""}, _S[0], ["no-transaction-log"]),
    "a clean hive needs no log": (_S[0], {".LOG1": new_log(1, _S[:2])}, _S[0], []),
}


@pytest.mark.parametrize("what", _PARTS)
def test_what_cannot_be_applied_is_named(what: str, tmp_path: Path) -> None:
    hive, logs, answer, reasons = _PARTS[what]
    loss = ListLoss()
    assert _replayed(tmp_path, hive, logs, loss) == _rows(answer)
    assert [entry.reason for entry in loss.entries] == reasons


_LATER = _WHEN + 10_000_000
_OLD: dict[str, tuple[bytes, dict[str, bytes], bytes, list[str]]] = {
    "first log": (dirty(_S[0], 5, 4), {".LOG1": old_log(_S[0], _S[1]), ".LOG2": b""}, _S[1], []),
    "single log": (dirty(_S[0], 5, 4), {".LOG": old_log(_S[0], _S[1])}, _S[1], []),
    "the later of two": (
        dirty(_S[1], 5, 4, _LATER),
        {".LOG1": old_log(_S[5], _S[4], 9, _WHEN), ".LOG2": old_log(_S[1], _S[2], 5, _LATER)},
        _S[2],
        [],
    ),
    "the hive grows": (dirty(_S[0], 5, 4), {".LOG1": old_log(_S[0], _GROWN)}, _GROWN, []),
    "base block zeroed": (bytes(4096) + _S[0][4096:], {".LOG1": old_log(_S[0], _S[1])}, _S[1], []),
    "log older than the hive": (
        dirty(_S[1], 5, 4, _LATER),
        {".LOG1": old_log(_S[5], _S[4], 5, _WHEN)},
        _S[1],
        ["log-of-another-time"],
    ),
    "half a log": (dirty(_S[0], 5, 4), {".LOG1": old_log(_S[0], _S[1])[:-512]}, _S[0], ["damaged-log"]),
    "the later of two is half": (
        dirty(_S[0], 5, 4),
        {".LOG1": old_log(_S[0], _S[2], 6, _LATER)[:-512], ".LOG2": old_log(_S[0], _S[1])},
        _S[1],
        ["damaged-log"],
    ),
}


@pytest.mark.parametrize("what", _OLD)
def test_old_logs_give_the_intended_hive(what: str, tmp_path: Path) -> None:
    hive, logs, answer, reasons = _OLD[what]
    loss = ListLoss()
    assert _replayed(tmp_path, hive, logs, loss) == _rows(answer)
    assert [entry.reason for entry in loss.entries] == reasons


def test_logs_beside_a_hive_in_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "case.zip", "w") as archive:
        archive.writestr("Windows/config/SYSTEM", dirty(_S[0], 8, 7))
        archive.writestr("Windows/config/system.log1", new_log(7, _S[:3]))
        archive.writestr("Other/SYSTEM.LOG2", new_log(9, _S[2:4]))
    loss = ListLoss()
    found = table("Windows/config/SYSTEM", _COLUMNS, loss, zippath=str(tmp_path / "case.zip"), replay=True)
    assert [(row["key"], row["name"], row["value.raw"]) for row in found.to_pylist()] == _rows(_S[2])
    assert not loss.entries


def test_a_dirty_hive_read_without_its_logs_says_so(tmp_path: Path) -> None:
    path = tmp_path / "SYSTEM"
    path.write_bytes(dirty(_S[0], 8, 7))
    loss = ListLoss()
    assert table(path, ["key"], loss).num_rows == 120
    assert [(entry.reason, entry.count, entry.position) for entry in loss.entries] == [("dirty-hive", 0, 4)]
    assert "replay=t" in str(loss.entries[0].sample)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", 0x30ED35C100CD3C7D),
        (b"\xaf", 0x48E73FC77D75DDC1),
        (b"\xe7\x0f", 0xB5F6E1FC485DBFF8),
        (b"\x37\xf4\x95", 0xF0B07C789B8CF7E8),
        (b"\x86\x42\xdc\x59", 0x7008F2E87E9CF556),
    ],
)
def test_marvin32(data: bytes, value: int) -> None:
    """Published numbers, of another seed than the registry's; every length of the last word."""
    assert marvin32(data, 0x004FB61A001BDBCC) == value
