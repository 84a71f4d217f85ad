"""Keys that come again in an object that DuckDB reads: the first value counts wherever it is looked at. Of ``json``,
``flatten=t`` and the lenient dialect, which this program reads, the last counts (``dup-json``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import logsql
from logsql import Session

DOCUMENT = '{"k":1,"k":2,"m":{"k":1,"k":2},"l":[{"x":1,"x":2}]}'
SOURCES = {
    "jsonfile": "jsonfile {path}",
    "parsejson": "textfile {path} | parsejson | fields k, m, l",
}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as opened:
        yield opened


@pytest.mark.parametrize("source", SOURCES)
def test_the_first_value_counts_everywhere(session: Session, tmp_path: Path, source: str) -> None:
    """Rows of Python had the last value, valueof() the first, and string() the last."""
    first = "SELECT json_extract(j, '$.k')::INT, json_extract(j, '$.m.k')::INT FROM (SELECT ?::JSON AS j)"
    assert duckdb.execute(first, [DOCUMENT]).fetchall() == [(1, 1)]
    path = tmp_path / "x.jsonl"
    path.write_text(DOCUMENT + "\n")
    begin = SOURCES[source].format(path=path)
    query = f'{begin} | eval v = valueof(m, "k"), p = m.k, x = l[0].x, s = string(m), t = string(l)'
    result = session.query(query)
    (row,) = result.rows()
    told = [(e.reason, e.count) for e in result.ledger]
    row.pop("_file", None)
    row = {name: json.loads(value) if name in "st" else value for name, value in row.items()}
    assert row == {"k": 1, "m": {"k": 1}, "l": [{"x": 1}], "v": 1, "p": 1, "x": 1, "s": {"k": 1}, "t": [{"x": 1}]}
    assert told == [("repeated-key", 3)]


def test_text_of_files_has_no_value_that_does_not_count(session: Session, tmp_path: Path) -> None:
    """JSON lines printed both values of a nested key: whoever read them took the last."""
    path, out = tmp_path / "x.jsonl", tmp_path / "out.json"
    path.write_text(DOCUMENT + "\n")
    session.query(f"jsonfile {path} | outputjson {out} k, m, l").rows()
    assert out.read_text().strip() == '{"k":1,"m":{"k":1},"l":[{"x":1}]}'


@pytest.mark.parametrize("source", ["jsonfile {path} | fields k, v", "textfile {path} | parsejson | fields k, v"])
def test_a_key_that_comes_again_far_into_a_file(session: Session, tmp_path: Path, source: str) -> None:
    """``--loss`` looks at every line, 5 MB into the file too; without it a thousand lines are looked at, and a file
    that is clean so far is not read once more for the ledger's sake."""
    path = tmp_path / "far.jsonl"
    line = '{"k":1,"v":"' + "x" * 80 + '"}\n'
    before = 5_000_000 // len(line)
    path.write_text(line * before + '{"k":1,"k":2,"v":"y"}\n' + line * 1_000)
    for exact, told in ((False, []), (True, [("repeated-key", 1)])):
        result = session.query(source.format(path=path), exact=exact)
        assert [row["k"] for row in result.rows()] == [1] * (before + 1_001)
        assert [(entry.reason, entry.count) for entry in result.ledger] == told
