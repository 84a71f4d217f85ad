"""Questions an examiner asks of collected files, typed as queries, beside what other readers' answers say."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import logsql
from tests.support import shared_data

Record = dict[str, Any]

pytestmark = pytest.mark.evidence


@pytest.fixture(scope="module")
def session() -> Iterator[logsql.Session]:
    with logsql.connect(tz="UTC") as opened:
        yield opened


def _answers(*place: str) -> list[Record]:
    return [json.loads(line) for line in gzip.decompress(shared_data("forensics", *place).read_bytes()).splitlines()]


def _told(condition: Callable[[Record], bool], records: list[Record]) -> int:
    return sum(condition(record) for record in records)


@pytest.mark.parametrize(
    ("question", "condition"),
    [
        pytest.param(
            "std_created_at < created_at", lambda r: 0 < r["std_times"][0] < r["fn_times"][0], id="timestomped"
        ),
        pytest.param(
            "in_use == false and is_dir == false", lambda r: not r["in_use"] and not r["is_dir"], id="deleted"
        ),
        pytest.param('file_name == "*.exe"', lambda r: r["file_name"].endswith(".exe"), id="programs"),
        pytest.param('file_path == "Windows*"', lambda r: (r["path"] or "").startswith("Windows"), id="below Windows"),
        pytest.param('contains(file_path, "$Recycle.Bin")', lambda r: "$Recycle.Bin" in (r["path"] or ""), id="bin"),
        pytest.param("file_size > 100000000", lambda r: (r["file_size"] or 0) > 100_000_000, id="large"),
    ],
)
def test_of_a_volume(question: str, condition: Callable[[Record], bool], session: logsql.Session) -> None:
    volume = shared_data("forensics", "mft", "codegate2012-MFT")
    records = [
        r for r in _answers("mft", "codegate2012-MFT.expected.jsonl.gz") if r["sig"] == "FILE" and r["file_name"]
    ]
    (row,) = session.query(f'ntfs-mft "{volume}" | search isnotnull(file_name) and {question} | stats count').rows()
    assert row["count"] == _told(condition, records) > 0


@pytest.mark.parametrize("reason", ["FILE_CREATE", "RENAME_NEW_NAME", "DATA_OVERWRITE"])
def test_of_a_journal(reason: str, session: logsql.Session, tmp_path: Path) -> None:
    (tmp_path / "$J").write_bytes(lzma.decompress(shared_data("forensics", "usn", "windows81-J.xz").read_bytes()))
    records = _answers("usn", "windows81-J.expected.jsonl.gz")
    (row,) = session.query(f'ntfs-usnjrnl {tmp_path}/$J | search contains(reason, "{reason}") | stats count').rows()
    assert row["count"] == _told(lambda r: reason in r["reason"], records) > 0


#: What python-registry 1.3.1 counts in the same hives; names of keys are compared as Windows does, without letter case.
_OF_HIVES = [
    (
        "SYSTEM.xz",
        'hive-file "{0}" | search lower(key) == "*\\\\controlset001\\\\services\\\\*" and name == "ImagePath"'
        ' and value == "*svchost*"',
        114,
    ),
    ("SYSTEM.xz", 'hive-file "{0}" | search name == "Start" and type == "DWORD" and value == 2', 122),
    ("SYSTEM.xz", 'reg-services "{0}" | search start == "auto"', 61),
    ("SYSTEM.xz", 'reg-services "{0}" | search start == "manual"', 283),
    ("NTUSER_BAGMRU.DAT.xz", 'reg-recent-docs "{0}" | search isnull(file_ext)', 108),
    ("NTUSER_BAGMRU.DAT.xz", 'reg-recent-docs "{0}" | search isnull(file_ext) and lower(file_name) == "*.zip"', 20),
    ("NTUSER_BAGMRU.DAT.xz", 'reg-mru "{0}" | search kind == "path"', 16),
]


@pytest.mark.parametrize(("name", "query", "count"), _OF_HIVES)
def test_of_a_registry(name: str, query: str, count: int, session: logsql.Session, tmp_path: Path) -> None:
    (tmp_path / "hive").write_bytes(lzma.decompress(shared_data("forensics", "hives", "regipy", name).read_bytes()))
    (row,) = session.query(query.format(tmp_path / "hive") + " | stats count").rows()
    assert row["count"] == count


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("is_os_component == true", 13),
        (r'file_path == "*\\downloads\\*"', 1),
        ("file_size > 10 * 1024 * 1024", 5),
        ('publisher == ""', 10),
        ('binary_type == "pe32_*"', 11),
    ],
)
def test_of_an_inventory(question: str, count: int, session: logsql.Session, tmp_path: Path) -> None:
    """Counted by python-registry 1.3.1."""
    packed = shared_data("artefacts", "amcache", "win10-apt", "Amcache.hve.xz")
    (tmp_path / "Amcache.hve").write_bytes(lzma.decompress(packed.read_bytes()))
    (row,) = session.query(f'amcache-files "{tmp_path}/Amcache.hve" | search {question} | stats count').rows()
    assert row["count"] == count
