"""Event logs whose headers are destroyed: the events are all there, and the ones nobody reaches are counted.

The expected events are those of the undamaged file, which three other readers agree on. libevtx recovers the events of
chunks without a header too; no other reader gives those of a file without one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.readers.ntfs_support import table, unpacked
from udfs.readers.base import ListLoss
from udfs.readers.evtx import EvtxReader

pytestmark = pytest.mark.evidence

pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")

_THIRD = 4096 + 2 * 65536
"""The third chunk of sysmon.evtx: events 1823 to 1861, as its own header says."""
Damage = Callable[[bytearray], bytes | bytearray]


def _put(at: int, data: bytes) -> Damage:
    def change(log: bytearray) -> bytearray:
        log[at : at + len(data)] = data
        return log

    return change


def _free_space(end: int) -> Damage:
    return _put(_THIRD + 48, struct.pack("<II", end, 0))


_NOTHING_LOST: dict[str, tuple[Damage, dict[str, tuple[int, int]]]] = {
    "file header zero": (_put(0, bytes(4096)), {"damaged-header": (1, 0)}),
    "file header cut off": (lambda log: log[4096:], {"damaged-header": (1, 0)}),
    "file header cut in the middle": (lambda log: log[512:], {"damaged-header": (1, 0)}),
    "first chunk and file header": (_put(0, bytes(4096 + 512)), {"damaged-header": (2, 0)}),
    "chunk header zero": (_put(_THIRD, bytes(512)), {"damaged-header": (1, _THIRD)}),
    "chunk header overwritten": (_put(_THIRD, b"\xaa" * 512), {"damaged-header": (1, _THIRD)}),
    "chunk end too early": (_free_space(20_000), {}),
    "chunk end at its start": (_free_space(512), {}),
    "chunk end outside": (_free_space(0xFFFFFFFF), {}),
    "chunk tables overwritten": (_put(_THIRD + 128, b"\xcc" * 384), {}),
    "a sector too many": (lambda log: log[:_THIRD] + bytes(512) + log[_THIRD:], {"damaged-chunk": (1, _THIRD)}),
}


def _read(path: Path, data: bytes | bytearray) -> tuple[list[Any], dict[str, tuple[int, int | None]]]:
    path.write_bytes(data)
    loss = ListLoss()
    found = table(EvtxReader(str(path)), ["record_id", "_time", "event_id", "event_data"], loss)
    return found.to_pylist(), {entry.reason: (entry.count, entry.position) for entry in loss.entries}


@pytest.mark.parametrize("kind", _NOTHING_LOST)
def test_no_event_is_lost(kind: str, tmp_path: Path) -> None:
    healthy = unpacked(tmp_path, "evtx", "sysmon.evtx").read_bytes()[: 4096 + 5 * 65536]
    change, noted = _NOTHING_LOST[kind]
    expected, before = _read(tmp_path / "log.evtx", healthy)
    assert [row["record_id"] for row in expected] == list(range(1742, expected[-1]["record_id"] + 1))
    assert not before
    assert _read(tmp_path / "log.evtx", change(bytearray(healthy))) == (expected, noted)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        # The third chunk is cut in its last event, whose header speaks of ninety events; that of the file of 96 chunks.
        ("plaso_System2.evtx", {"truncated-chunk": (1, 4096 + 2 * 65536), "missing-chunk": (93, 200_000)}),
        # The chunk's header says events 1 to 20, behind event 17 there are zeros.
        ("Microsoft-Windows-LanguagePackSetup-Operational.evtx", {"damaged-event": (1, 4096 + 8312)}),
    ],
)
def test_events_the_parser_is_silent_about(name: str, lost: dict[str, tuple[int, int]], tmp_path: Path) -> None:
    assert _read(tmp_path / "log.evtx", unpacked(tmp_path, "evtx", name).read_bytes())[1] == lost


def test_a_log_cut_between_two_chunks_is_told(tmp_path: Path) -> None:
    """libevtx: the number of chunks stands at 42 of the header, the CRC32 of its first 120 bytes at 124."""
    log = bytearray(unpacked(tmp_path, "evtx", "sysmon.evtx").read_bytes()[: 4096 + 5 * 65536])
    log[42:44] = struct.pack("<H", 7)
    assert not _read(tmp_path / "log.evtx", log)[1], "a header whose checksum fails is not believed"
    log[124:128] = struct.pack("<I", zlib.crc32(log[:120]))
    assert _read(tmp_path / "log.evtx", log)[1] == {"missing-chunk": (2, len(log))}


def test_events_around_a_gap_in_a_chunk_without_header(tmp_path: Path) -> None:
    healthy = unpacked(tmp_path, "evtx", "sysmon.evtx").read_bytes()[: 4096 + 5 * 65536]
    damaged = bytearray(healthy)
    damaged[_THIRD : _THIRD + 512] = bytes(512)
    at = _THIRD + 512
    for _ in range(20):
        at += struct.unpack_from("<I", damaged, at + 4)[0]
    number = struct.unpack_from("<Q", damaged, at + 8)[0]
    damaged[at : at + 100] = bytes(100)
    expected, _ = _read(tmp_path / "log.evtx", healthy)
    found, lost = _read(tmp_path / "log.evtx", damaged)
    assert found == [row for row in expected if row["record_id"] != number]
    assert lost == {"damaged-header": (1, _THIRD), "damaged-event": (1, None)}


def test_a_list_that_leads_out_of_its_chunk_in_a_file_without_header(tmp_path: Path) -> None:
    healthy = unpacked(tmp_path, "evtx", "sysmon.evtx").read_bytes()[: 4096 + 5 * 65536]
    damaged = bytearray(healthy)
    struct.pack_into("<I", damaged, _THIRD + 128, 0x7FFFFFFF)
    # The parser does not go by checksums; the survey does, and would write the header of this chunk anew.
    flags = struct.unpack_from("<I", damaged, _THIRD + 120)[0]
    struct.pack_into("<I", damaged, _THIRD + 120, flags | 4)
    expected, _ = _read(tmp_path / "log.evtx", healthy)
    found, lost = _read(tmp_path / "log.evtx", damaged[4096:])
    assert found == expected
    assert lost == {"damaged-header": (1, 0), "damaged-list": (0, _THIRD - 4096)}
