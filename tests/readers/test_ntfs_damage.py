"""Random damage: every NTFS reader and the event log reader must end, in bounded memory, with rows or a ReaderError."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from sample_data.make_ntfs import Change, Entry, journal, mft, story, usn_record
from tests.readers.ntfs_support import survive
from tests.support import shared_data
from udfs.readers.ntfs_logfile import LogFileReader
from udfs.readers.ntfs_mft import MftReader
from udfs.readers.ntfs_usnjrnl import UsnJrnlReader

ROUNDS = 20_000


def test_damaged_mft(tmp_path: Path) -> None:
    rows = list(mft(story()))
    # Few records, so that most damage hits something: system files, folders, the deleted tool.
    seeds = [b"".join(rows[:8]), b"".join(rows[24:34]), b"".join(rows[40:46])]
    volume = story()
    volume.add(Entry(46, "big.bin", 5, size=9_000_000, short="BIG~1.BIN"))
    seeds.append(b"".join(list(mft(volume, 4096))[44:47]))
    read, refused = survive(lambda path: MftReader(path), seeds, ROUNDS, tmp_path, lambda size: size // 512 + 1)
    assert read > ROUNDS // 2
    assert refused > 0


def test_damaged_journal(tmp_path: Path) -> None:
    third = b"".join(usn_record(Change(n, n, 5, 5, "이름" * n, 0x100, 1.0), 8 * n, 2 + n % 2) for n in range(1, 20))
    seeds = [b"".join(journal(story(), front=512)), third]
    read, refused = survive(lambda path: UsnJrnlReader(path), seeds, ROUNDS, tmp_path, lambda size: size // 64 + 1)
    assert read > ROUNDS // 2
    assert refused > 0


def test_damaged_logfile(tmp_path: Path) -> None:
    data = lzma.decompress(shared_data("forensics", "logfile", "tiny-volume-LogFile.xz").read_bytes())
    # Records are found by their place in the file: pages 4 to 6 with the restart pages before them.
    seeds = [data[: 7 * 4096]]
    read, _ = survive(lambda path: LogFileReader(path), seeds, ROUNDS, tmp_path, lambda size: size // 48 + 1)
    assert read > ROUNDS // 2


def test_damaged_event_log(tmp_path: Path) -> None:
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    from udfs.readers.evtx import EvtxReader

    data = lzma.decompress(shared_data("forensics", "evtx", "new-user-security.evtx.xz").read_bytes())
    # The parser itself is another project's; a tenth of the rounds is for what surrounds it.
    read, refused = survive(lambda path: EvtxReader(path), [data], ROUNDS // 10, tmp_path, lambda size: size // 24)
    assert read > 0
    assert refused > 0
