"""Headers of CSV files and records that do not fit each other: what is told of them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from logsql import Session

UNEVEN = 'a,b,,a\n1,2,3,4\n"x\ny",2,3,4,5\n1,2\n1\n1,2,3,4,5,6\n'
HEADER = [("duplicate-header", 0, "line 1"), ("unnamed-column", 0, "line 1")]
#: options, text of a file -> what is told; lines as a text editor counts them
RECORDS = [
    ("", UNEVEN, [*HEADER, ("cells-beyond-header", 2, "line 3"), ("cells-missing", 2, "line 5")]),
    ("limit=1", UNEVEN, HEADER),
    ("limit=2", UNEVEN, [*HEADER, ("cells-beyond-header", 1, "line 3")]),
    ("rest=t", UNEVEN, [*HEADER, ("cells-beyond-header", 2, "line 3"), ("cells-missing", 2, "line 5")]),
    ("header=f", UNEVEN, []),
    ("", UNEVEN + '"q"x,1\n', [*HEADER, ("cells-beyond-header", 2, "line 3"), ("cells-missing", 3, "line 5")]),
    ("", "a,b\n1,2,3", [("cells-beyond-header", 1, "line 2")]),
    ("", "a,b\r\n\r\n1,2\r\n1\r\n", [("cells-missing", 1, "line 4")]),
    ("", "a;b\n1;2\n1,5;3\n", [("cells-beyond-header", 1, "line 3")]),
    ("", "sep=;\na;b\n1;2\n\n1;2;3\n", [("cells-beyond-header", 1, "line 5")]),
    ("skip=1", "by hand\na,b\n1,2\n1\n", [("cells-missing", 1, "line 4")]),
    ('comment="#"', "a,b\n#c\n1,2\n1\n", [("cells-missing", 1, "line 4")]),
    ("tab=t", "a\tb\n1\t2\n1\n", [("cells-missing", 1, "line 3")]),
    ("", "a,b\n1,2\n3,\n", []),
    ("", "\ufeffa,b\n1,2\n\ufeffa,b\na,b\n3,4\n", [("header-again", 2, "line 3")]),
    ("", "\n\na,b\r\n1,2\r\na,b\r\n", [("header-again", 1, "line 5")]),
    ("", 'a,b\n"x\n1",2\na,b\nq"x",1\n', [("header-again", 1, "line 4")]),
    ("skip=1", "top\na,b\n1,2\na,b\n", [("header-again", 1, "line 4")]),
    ("limit=1", "a,b\n1,2\na,b\n", []),
    ("", "a\n1\na\n", []),
    # a delimiter at the end of every line is how some programs write CSV
    ("", "a,b,\n1,2,\n3,4,\n", []),
    ("", "a,b,,\n1,2,,\n", []),
    ("", ",a,\n0,1,\n", [("unnamed-column", 0, "line 1")]),
]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as opened:
        yield opened


@pytest.mark.parametrize(("options", "text", "expected"), RECORDS, ids=[f"{o} {t[:24]!r}" for o, t, _ in RECORDS])
def test_headers_and_records_that_do_not_fit_each_other_are_told(
    session: Session, tmp_path: Path, options: str, text: str, expected: list[tuple[str, int, str]]
) -> None:
    """Surplus cells became columnN, and missing ones null, without a word."""
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    result = session.query(f"csvfile {options} {path}")
    result.rows()
    assert [(e.reason, e.count, e.place) for e in result.ledger] == expected
    assert [entry.fact for entry in result.ledger] == [True] * len(expected)


def test_a_mark_at_the_beginning_of_a_line_is_no_text(session: Session, tmp_path: Path) -> None:
    """``cat`` of files with byte order marks: the cells, words and objects behind the second mark were others."""
    (tmp_path / "x.csv").write_bytes("\ufeffa,b\nx,2\n\ufeffx,4\n".encode())
    assert session.query(f"csvfile {tmp_path}/x.csv | stats count by a").rows() == [{"a": "x", "count": 2}]
    (tmp_path / "x.jsonl").write_bytes('\ufeff{"a":1}\n\ufeff{"a":2}\n'.encode())
    result = session.query(f"jsonfile {tmp_path}/x.jsonl | stats sum(a)")
    assert (result.rows(), list(result.ledger)) == ([{"sum(a)": 3}], [])
    (tmp_path / "x.log").write_bytes("\ufeffkim\n\ufeffkim\n".encode("utf-16-le"))
    query = f"textfile cs=UTF-16LE {tmp_path}/x.log | stats count by line"
    assert session.query(query).rows() == [{"line": "kim", "count": 2}]


def test_a_file_that_is_packed_twice_is_told(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(gzip.compress(b"a,b\n1,2\n")))
    result = session.query(f"csvfile {path}")
    result.rows()
    assert "packed-twice" in [entry.reason for entry in result.ledger]


@pytest.mark.parametrize("command", ["csvfile", "textfile", "jsonfile"])
@pytest.mark.parametrize("packed", ["bz2", "xz", "zip", "7z"])
def test_a_file_packed_otherwise_is_told(session: Session, tmp_path: Path, command: str, packed: str) -> None:
    """``csvfile access.csv.bz2`` gave rows of the packed bytes and no word."""
    path, text = tmp_path / f"x.{packed}", b"a,b\n1,2\n"
    if packed == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.csv", text)
    else:  # of 7z the signature alone: nothing here makes one
        made = {"bz2": bz2.compress, "xz": lzma.compress, "7z": lambda data: b"7z\xbc\xaf\x27\x1c" + data}[packed]
        path.write_bytes(made(text))
    result = session.query(f"{command} {path} | stats count")
    result.rows()
    assert "packed-input" in [entry.reason for entry in result.ledger]


def test_a_text_that_begins_like_a_packing_is_text(session: Session, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"BZhost,b\n1,2\n")
    result = session.query(f"csvfile {tmp_path}/x.csv | fields BZhost")
    assert (result.rows(), list(result.ledger)) == ([{"BZhost": "1"}], [])
