"""Safe mode: a query reads below the allowed directories and nothing else, whichever way it asks."""

from __future__ import annotations

from pathlib import Path

import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError


def test_reads_inside_and_nothing_outside(tmp_path: Path) -> None:
    inside, outside = tmp_path / "case", tmp_path / "other"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
        (folder / "a.csv").write_text("a\n1\n", encoding="utf-8")
    with logsql.connect(tz="UTC", safe=True, directories=[str(inside)]) as s:
        assert s.query(f"jsonfile {inside}/a.jsonl | fields a").rows() == [{"a": 1}]
        assert s.query(f"csvfile {inside}/a.csv | fields a").rows() == [{"a": "1"}]
        assert s.sql(f"SELECT a FROM read_csv('{inside}/a.csv')").rows() == [{"a": 1}]
        for text in ("jsonfile {}/a.jsonl", "csvfile {}/a.csv", "textfile {}/a.csv", "hive-file {}/a.csv"):
            with pytest.raises(LogsqlError):
                s.query(text.format(outside)).rows()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{outside}/a.csv')",
        "COPY (SELECT 1) TO '{inside}/b.csv'",
        "COPY (SELECT 1) TO '{outside}/b.csv'",
        "ATTACH '{inside}/b.duckdb' AS b",
        "EXPORT DATABASE '{inside}/b'",
        "SET enable_external_access = true",
        "SELECT 1; COPY (SELECT 1) TO '{inside}/b.csv'",
    ],
)
def test_sql_writes_and_reaches_nothing(tmp_path: Path, statement: str) -> None:
    inside, outside = tmp_path / "case", tmp_path / "other"
    inside.mkdir()
    outside.mkdir()
    (outside / "a.csv").write_text("a\n1\n", encoding="utf-8")
    with logsql.connect(tz="UTC", safe=True, directories=[str(inside)]) as s, pytest.raises(LogsqlError):
        s.sql(statement.format(inside=inside, outside=outside)).rows()
    assert list(inside.iterdir()) == []
