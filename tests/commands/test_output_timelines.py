"""``outputcsv form=``: timelines in the layouts of mactime and log2timeline, against their published fields."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

import logsql
from logsql.diagnostics.errors import QueryError
from tests.support import shared_data

#: Sleuth Kit wiki, "Body file", 3.X.
BODY = ["MD5", "name", "inode", "mode_as_string", "UID", "GID", "size", "atime", "mtime", "ctime", "crtime"]
#: log2timeline, "l2t csv".
L2T = [
    "date", "time", "timezone", "MACB", "source", "sourcetype", "type", "user", "host", "short", "desc", "version",
    "filename", "inode", "notes", "format", "extra",
]  # fmt: skip
ROWS = (
    """json "[{_time: '2024-03-11 19:20:00', source: 'mft', action: 'created', path: 'a|b.txt', _path: '/c/$MFT'},"""
    """ {_time: '2024-03-11 19:20:01', source: 'mft name', action: 'accessed', path: 'x, y.txt', _path: '/c/$MFT'},"""
    """ {_time: '2024-03-11 19:20:02', source: 'mft', action: 'record changed', path: 'z', _path: '/c/$MFT'},"""
    """ {_time: '1969-12-31 23:59:58', source: 'evtx', action: 'Sec 4624', path: 'Security', """
    """detail: 'a, b\\\\nc', _path: '/c/S.evtx'}]" | eval _time = date(_time, "yyyy-MM-dd HH:mm:ss")"""
)


def _written(form: str, folder: Path) -> list[str]:
    with logsql.connect(tz="Asia/Seoul") as session:
        rows = session.query(f"{ROWS} | outputcsv form={form} {folder}/out").rows()
        assert len(rows) == 4
    return (folder / "out").read_text(encoding="utf-8").splitlines()


def test_a_body_file_has_its_eleven_fields(tmp_path: Path) -> None:
    """One line a time, of which one is not zero: what mactime needs."""
    lines = [dict(zip(BODY, line.split("|"), strict=True)) for line in _written("bodyfile", tmp_path)]
    assert [(line["name"], *(line[t] for t in ("atime", "mtime", "ctime", "crtime"))) for line in lines] == [
        ("a_b.txt", "0", "0", "0", "1710152400"),
        ("x, y.txt ($FILE_NAME)", "1710152401", "0", "0", "0"),
        ("z", "0", "0", "1710152402", "0"),
        ("[evtx] Security: Sec 4624 a, b c", "0", "-32402", "0", "0"),
    ]
    assert {line[name] for line in lines for name in ("MD5", "inode", "UID", "GID", "size")} == {"0"}


def test_l2t_csv_has_its_seventeen_fields(tmp_path: Path) -> None:
    """UTC, MM/DD/YYYY, no comma inside a field ("typically replaced with a space"), version 2."""
    header, *lines = _written("l2tcsv", tmp_path)
    assert header.split(",") == L2T
    rows = [dict(zip(L2T, line.split(","), strict=True)) for line in lines]
    assert list(csv.DictReader([header, *lines])) == rows
    wanted = ("date", "time", "timezone", "MACB", "sourcetype", "type", "short", "desc", "version", "filename")
    assert [tuple(row[name] for name in wanted) for row in rows] == [
        ("03/11/2024", "10:20:00", "UTC", "...B", "mft", "created", "a|b.txt", "a|b.txt", "2", "/c/$MFT"),
        ("03/11/2024", "10:20:01", "UTC", ".A..", "mft name", "accessed", "x  y.txt", "x  y.txt", "2", "/c/$MFT"),
        ("03/11/2024", "10:20:02", "UTC", "..C.", "mft", "record changed", "z", "z", "2", "/c/$MFT"),
        ("12/31/1969", "14:59:58", "UTC", "M...", "evtx", "Sec 4624", "Security", "Security a  b c", "2", "/c/S.evtx"),
    ]
    assert {row[name] for row in rows for name in ("user", "host", "inode", "notes", "extra")} == {"-"}


def test_a_layout_takes_no_fields_and_is_one_that_there_is(tmp_path: Path) -> None:
    with logsql.connect(tz="UTC") as session:
        for query in (f"outputcsv form=bodyfile {tmp_path}/o path", f"outputcsv form=body {tmp_path}/o"):
            with pytest.raises(QueryError):
                session.query(f"{ROWS} | {query}").rows()
        session.query(f"{ROWS} | outputcsv {tmp_path}/o path").rows()
    assert (tmp_path / "o").read_text().splitlines()[0] == '"path"'


@pytest.mark.evidence
@pytest.mark.parametrize("volume", ["nist-dfr16-MFT", "tiny-volume-MFT"])
def test_both_layouts_hold_each_time_that_another_reader_finds(volume: str, tmp_path: Path) -> None:
    """The four times of $STANDARD_INFORMATION and of $FILE_NAME of every record, as dissect.ntfs has them."""
    (tmp_path / "$MFT").write_bytes(lzma.decompress(shared_data("forensics", "mft", f"{volume}.xz").read_bytes()))
    answers = gzip.decompress(shared_data("forensics", "mft", f"{volume}.expected.jsonl.gz").read_bytes())
    told: Counter[tuple[str, int, bool]] = Counter()
    for record in map(json.loads, answers.splitlines()):
        for times, of_name in (("std_times", False), ("fn_times", True)):
            found = zip("BMCA", record.get(times) or () if record.get("sig") == "FILE" else (), strict=False)
            told.update((letter, (time - 116_444_736_000_000_000) // 10**7, of_name) for letter, time in found if time)
    with logsql.connect(tz="Asia/Seoul") as session:
        for form in ("bodyfile", "l2tcsv"):
            session.query(f"timeline {tmp_path}/$MFT | outputcsv form={form} {tmp_path}/{form}").rows()
    body = [line.split("|") for line in (tmp_path / "bodyfile").read_text(encoding="utf-8").splitlines()]
    assert told == Counter(
        (letter, int(time), line[1].endswith(" ($FILE_NAME)"))
        for line in body
        for letter, time in zip("AMCB", line[7:], strict=True)
        if time != "0"
    )
    with open(tmp_path / "l2tcsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert told == Counter(
        (
            row["MACB"].replace(".", ""),
            int(datetime.strptime(f"{row['date']} {row['time']} +0000", "%m/%d/%Y %H:%M:%S %z").timestamp()),
            row["sourcetype"] == "mft name",
        )
        for row in rows
    )
