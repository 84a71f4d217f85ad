"""Keys that come again in an object that DuckDB reads: the first value counts wherever it is looked at. Of ``json``,
``flatten=t`` and the lenient dialect, which this program reads, the last counts (``dup-json``)."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import logsql
from logsql import Session
from logsql.diagnostics.messages import LANGUAGE

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


FAR = {
    # a key of the query, an own one, one of an inner object, a key of the query where a line is broken
    "read": ("jsonfile {path} | fields k, v", '{"k":1,"k":2,"v":"y"}', 1),
    "unread": ("jsonfile {path} | fields v", '{"k":1,"k":2,"v":"y"}', 0),
    "inner": ("jsonfile {path} | fields v", '{"k":1,"v":"y","m":{"a":1,"a":2}}', 0),
    "broken": ("jsonfile {path} | fields k, v", '{"k":1,"k":2,"v":"y"}\n{broken', 0),
    "packed": ("jsonfile {path}.gz | fields k, v", '{"k":1,"k":2,"v":"y"}', 1),
    "rows": ("textfile {path} | parsejson | fields k, v", '{"k":1,"k":2,"v":"y"}', 0),
}


@pytest.mark.parametrize("case", FAR)
def test_a_key_that_comes_again_far_into_a_file(session: Session, tmp_path: Path, case: str) -> None:
    """A key that the query reads is counted 5 MB into the file too, which costs nothing. Others are looked for in the
    first thousand lines, with ``--loss`` in all, and ``explain`` says which of both it is."""
    source, lines, told = FAR[case]
    path = tmp_path / "far.jsonl"
    line = '{"k":1,"v":"' + "x" * 80 + '"}\n'
    before = 5_000_000 // len(line)
    text = line * before + lines + "\n" + line * 1_000
    path.write_text(text)
    Path(f"{path}.gz").write_bytes(gzip.compress(text.encode(), 1))
    query = source.format(path=path)
    for exact, count in ((False, told), (True, 1)):
        result = session.query(query, exact=exact)
        assert [row.get("k", 1) for row in result.rows()] == [1] * (before + 1_001)
        assert sum(entry.count for entry in result.ledger if entry.reason == "repeated-key") == count
    assert "keys that come again" in session.explain(query)


def test_explain_says_where_keys_that_come_again_are_looked_for(session: Session, tmp_path: Path) -> None:
    """They were looked for in the first thousand lines, and nothing said so."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"a":1}\n')
    every, first = (
        "in all lines where they are fields of this query",
        "in the first 1,000 lines, and where there is one",
    )
    assert every in session.explain(f"jsonfile {path} | stats sum(a)")
    assert first in session.explain(f"jsonfile overlay=t {path} | stats sum(a)")
    assert "of many rows in one of a hundred" in session.explain(f"textfile {path} | parsejson | stats sum(a)")
    token = LANGUAGE.set("ko")
    try:
        assert "이 쿼리의 필드는 모든 줄, 다른 키와 안쪽 객체의 키는 처음 1,000줄" in session.explain(
            f"jsonfile {path} | fields a"
        )
    finally:
        LANGUAGE.reset(token)


@pytest.mark.parametrize("seed", range(6))
def test_objects_with_keys_that_come_again_anywhere(session: Session, tmp_path: Path, seed: int) -> None:
    """Of each key that the query reads: the first value, and the others in the ledger, whichever way it is read."""
    chance = random.Random(seed)
    path = tmp_path / "x.jsonl"
    kept, again, lines = [], 0, []
    for number in range(chance.choice([5, 1_500, 3_000])):
        pairs = [(key, chance.randrange(9)) for key in chance.sample("abc", chance.randint(1, 3))]
        if number % 997 == 990:
            pairs += chance.choices(pairs, k=chance.randint(1, 3))
        first: dict[str, int] = {}
        for key, value in pairs:
            again += key in first
            first.setdefault(key, value)
        kept.append(first)
        lines.append("{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}")
    path.write_text("\n".join(lines))
    result = session.query(f"jsonfile {path} | fields a, b, c")
    assert [{key: value for key, value in row.items() if value is not None} for row in result.rows()] == kept
    assert sum(entry.count for entry in result.ledger) == again
