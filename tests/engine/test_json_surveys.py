"""What one query asked a JSON file for never shows in the rows of another."""

from __future__ import annotations

from pathlib import Path

import logsql

ASKED = (
    "stats count, avg(a) as mean by b, nowhere",
    "search elsewhere == 1 | stats count by a",
    "eval c = if(a == 1, 1, 0) | stats sum(c) as total",
)


def test_whole_rows_after_queries_that_name_other_fields(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text('{"b":2,"a":1,"z":null}\n{"b":3,"a":3,"z":null}\n')
    rows = [{"b": 2, "a": 1, "z": None}, {"b": 3, "a": 3, "z": None}]
    whole = f"jsonfile {file} | fields - _file"
    with logsql.connect() as session:
        for asked in ASKED:  # before the first look at the whole file, and after it
            session.query(f"jsonfile {file} | {asked}").rows()
        found = session.query(whole)
        assert found.rows() == rows
        assert set(found.arrow().column_names) == {"a", "b", "z"}
        for asked in ASKED:
            session.query(f"jsonfile {file} | {asked} ").rows()
        assert set(session.query(whole).arrow().column_names) == {"a", "b", "z"}
        assert session.query(whole).rows() == rows
