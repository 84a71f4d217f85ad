"""``textfile framing=``: messages of captured syslog streams, and what their damage leaves."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from tests.readers.ntfs_support import table
from udfs.readers.base import ListLoss
from udfs.readers.textlines import TextReader

MESSAGES = [b"<13>one", b"<13>two\nlines", "<13>셋".encode(), b"<13>nul\0inside"]


def counted(messages: list[bytes]) -> bytes:
    """Octet counting of RFC 6587: the length in bytes, a blank, the message."""
    return b"".join(b"%d %s" % (len(message), message) for message in messages)


def read(path: Path, framing: str, loss: ListLoss, charset: str = "utf-8") -> list[str]:
    found: list[str] = table(TextReader([str(path)], charset, framing=framing), ["line"], loss)["line"].to_pylist()
    return found


@pytest.mark.parametrize("pack", [bytes, lambda data: pa.compress(data, "gzip", asbytes=True)], ids=["plain", "gzip"])
def test_counted_frames_are_rows_as_they_are(tmp_path: Path, pack: type[bytes]) -> None:
    (tmp_path / "x").write_bytes(pack(counted(MESSAGES * 50_000)))
    loss = ListLoss()
    for framing in ("auto", "octet"):
        assert read(tmp_path / "x", framing, loss) == [m.decode() for m in MESSAGES] * 50_000
    assert loss.entries == []


def test_each_framing_reads_its_own_delimiter(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"5 <13>a\r\n<13>b\nc\0d\n")
    loss = ListLoss()
    assert read(tmp_path / "x", "lf", loss) == ["5 <13>a", "<13>b", "c\0d"]
    assert read(tmp_path / "x", "nul", loss) == ["5 <13>a\r\n<13>b\nc", "d\n"]
    assert read(tmp_path / "x", "auto", loss) == ["<13>a", "<13>b", "c", "d"]
    assert loss.entries == []


def test_a_mark_at_the_beginning_is_no_text_and_one_within_stays(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("\ufeff".encode() + b"5 <13>a" + "\ufeffb\n".encode())
    assert read(tmp_path / "x", "auto", ListLoss()) == ["<13>a", "\ufeffb"]


def test_counts_are_of_bytes_in_any_charset(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(counted(["<13>가격".encode("cp949"), b"<13>\xff\xff", b"<13>c"]))
    loss = ListLoss()
    assert read(tmp_path / "x", "auto", loss, "cp949") == ["<13>가격", "<13>\ufffd\ufffd", "<13>c"]
    assert [(e.reason, e.count, e.position) for e in loss.entries] == [("invalid-cp949", 1, 2)]


def test_a_file_that_breaks_off_within_a_counted_frame_tells_it(tmp_path: Path) -> None:
    data = counted(MESSAGES)
    for cut in range(1, len(data)):
        loss = ListLoss()
        (tmp_path / "x").write_bytes(data[:cut])
        rows = read(tmp_path / "x", "octet", loss)
        ends = [len(counted(MESSAGES[:n])) for n in range(1, len(MESSAGES) + 1)]
        whole = sum(end <= cut for end in ends)
        assert rows == [m.decode() for m in MESSAGES[:whole]]
        told = [] if cut in ends else [("frame-incomplete", 1, whole + 1)]
        assert [(e.reason, e.count, e.position) for e in loss.entries] == told, cut


def test_text_that_has_no_count_is_a_row_and_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"5 <13>alost\ntoo\n5 <13>b")
    loss = ListLoss()
    assert read(tmp_path / "x", "octet", loss) == ["<13>a", "lost", "too", "<13>b"]
    assert [(e.reason, e.count, e.position, e.sample) for e in loss.entries] == [("frame-without-count", 2, 2, "lost")]


def test_a_frame_beyond_the_largest_is_cut_and_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"<13>" + b"x" * (66 << 20) + b"\n<13>b\n")
    loss = ListLoss()
    rows = read(tmp_path / "x", "lf", loss)
    assert ([len(row) for row in rows], rows[1]) == ([64 << 20, 5], "<13>b")
    assert [(e.reason, e.count, e.position) for e in loss.entries] == [("frame-cut", 1, 1)]


@pytest.mark.parametrize("seed", range(5))
def test_frames_are_rows_or_ledger_entries(tmp_path: Path, seed: int) -> None:
    """Bytes knocked out of counted frames: what was there is in a row, or the ledger tells that a row is missing."""
    chance = random.Random(seed)
    messages = [b"<13>message number %05d" % n for n in range(500)]
    data = bytearray(counted(messages))
    for _ in range(20):
        del data[chance.randrange(len(data))]
    (tmp_path / "x").write_bytes(data)
    with logsql.connect() as session:
        result = session.query(f"textfile framing=octet {tmp_path / 'x'}")
        text = "".join(row["line"] for row in result.rows())
        told = {entry.reason for entry in result.ledger}
    # Most messages are whole; where the counts were lost they stand in longer rows.
    assert sum(message.decode() in text for message in messages) >= 450
    assert told & {"frame-without-count", "frame-incomplete"}


def test_a_charset_without_single_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"5 <13>a")
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError, match="90001"):
        session.query(f"textfile framing=auto cs=utf-16 {tmp_path / 'x'}")
