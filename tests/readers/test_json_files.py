"""jsonfile: the exact reader and the survey; Python's json module says what a line holds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.readers.base import ListLoss, ReaderError, null_context
from udfs.readers.files import Files
from udfs.readers.jsonlines import JSON_TEXT, JsonLinesReader
from udfs.readers.jsonsurvey import JsonSurvey, SurveyCache, read_json_options, survey


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


def rows(path: Path, loss: ListLoss | None = None, **options: Any) -> list[dict[str, Any]]:
    reader = JsonLinesReader([str(path)], **options)
    return [row for batch in reader.scan(None, null_context(loss)) for row in batch.to_pylist()]


def written(tmp_path: Path, *lines: str | bytes, name: str = "a.jsonl") -> Path:
    data = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def type_of(value: Any) -> str:
    """The survey's word for a value that Python's json module made."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**31) <= value < 2**31 else "long" if -(2**63) <= value < 2**63 else "huge"
    return {str: "string", float: "double", dict: "object", list: "array"}[type(value)]


DIRTY = [
    '{"a":1,"b":"x"}', "not json", '{"a":"text","b":5}', "", "   ", "[1,2]", "42", '"str"', "null",
    '  {"a":9007199254740993,"b":{"k":1}}', '{"a":1} trailing', "{}", '{"b":"lone \\ud83d!","a":[1, 2.50]}',
    '{"b":"pair \\ud83d\\ude00 \\\\ud83d"}', b'{"b":"bad \xff utf"}', '{"a":null}', '{"b":"cut',
]  # fmt: skip


def test_objects_are_rows_and_everything_else_is_told_by_line_number(tmp_path: Path) -> None:
    loss = ListLoss()
    got = [row["line"] for row in rows(written(tmp_path, *DIRTY), loss)]
    assert got == [
        '{"a":1,"b":"x"}', '{"a":"text","b":5}', '  {"a":9007199254740993,"b":{"k":1}}', "{}",
        '{"b":"lone \\ufffd!","a":[1, 2.50]}', '{"b":"pair \\ud83d\\ude00 \\\\ud83d"}', '{"b":"bad � utf"}',
        '{"a":null}',
    ]  # fmt: skip
    told = {(entry.reason, entry.position) for entry in loss.entries if entry.reason != "invalid-utf-8"}
    assert told == {
        ("broken-json", 2), ("broken-json", 11), ("broken-json", 17), ("not-an-object", 6), ("not-an-object", 7),
        ("not-an-object", 8), ("not-an-object", 9), ("lone-surrogate", 13),
    }  # fmt: skip
    assert loss.total("invalid-utf-8") == 1
    # Rows in = rows out + ledger: 17 lines, two of them blank.
    assert len(got) + loss.total("broken-json") + loss.total("not-an-object") == 15


def test_declared_types_take_only_their_own_kind(tmp_path: Path) -> None:
    values = ["1", '"404"', "2.5", "true", "null", "9223372036854775808", '{"k":1}', "-7", "1e3", '"x"']
    path = written(tmp_path, *(f'{{"v":{value}}}' for value in values))
    expected: dict[Any, tuple[list[Any], int]] = {
        pa.int64(): ([1, None, None, None, None, None, None, -7, None, None], 7),
        pa.float64(): ([1.0, None, 2.5, None, None, 9223372036854775808.0, None, -7.0, 1000.0, None], 4),
        pa.bool_(): ([None, None, None, True, None, None, None, None, None, None], 8),
        pa.string(): (["1", "404", "2.5", "true", None, "9223372036854775808", '{"k":1}', "-7", "1000.0", "x"], 0),
    }
    for type_, (column, missed) in expected.items():
        loss = ListLoss()
        assert [row["v"] for row in rows(path, loss, types={"v": type_})] == column
        assert loss.total("type-mismatch") == missed
    kept = [row["v"] for row in rows(path, types={"v": JSON_TEXT})]
    assert [None if text is None else json.loads(text) for text in kept] == [json.loads(value) for value in values]
    assert kept[1] == '"404"'


ODD_KEYS = ["a b", "", "x'y", 'q"r', "s/t", "u~v", "w.x", "*", "A", "a", "0", "한", "$", "back\\slash", "$.a", "?"]


def test_any_key_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps({key: number for number, key in enumerate(ODD_KEYS)}))
    (row,) = rows(path, types={key: pa.int64() for key in ODD_KEYS})
    assert {key: row[key] for key in ODD_KEYS} == {key: number for number, key in enumerate(ODD_KEYS)}
    found = survey([str(path)])
    assert list(found.keys) == ODD_KEYS
    assert {key: value.kind for key, value in found.keys.items()} == dict.fromkeys(ODD_KEYS, "int")
    assert found.collisions == (("A", "a"),)
    assert not found.clean


def test_limit_offset_overlay_and_several_files(tmp_path: Path) -> None:
    first = written(tmp_path, '{"a":1}', "broken", '{"a":2}', name="1.jsonl")
    second = written(tmp_path, '{"a":3}', '{"a":4}', name="2.jsonl")
    reader = JsonLinesReader([str(first), str(second)], offset=1, limit=2, overlay=True, types={"a": pa.int64()})
    assert [row for batch in reader.scan(None, null_context()) for row in batch.to_pylist()] == [
        {"a": 2, "line": '{"a":2}', "_file": "1.jsonl"},
        {"a": 3, "line": '{"a":3}', "_file": "2.jsonl"},
    ]
    batches = list(JsonLinesReader([str(second)]).scan(["_file"], null_context()))
    assert [batch.schema.names for batch in batches] == [["_file"]] * len(batches)


def test_many_broken_lines_are_counted_not_listed(tmp_path: Path) -> None:
    loss = ListLoss()
    assert rows(written(tmp_path, *(["x"] * 1_000)), loss) == []
    assert loss.total("broken-json") == 1_000
    assert len(loss.entries) == 101


def lines_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    | st.sampled_from(["404", "true", "null", "{}", "[1]", '"', "\\", "1.5", "-", "2024-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["k", "m"]), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(records=st.lists(st.dictionaries(st.sampled_from(["a", "b", "c c"]), json_values, max_size=3), max_size=8))
def test_survey_agrees_with_python_and_read_json_keeps_every_value(
    records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory, db: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path_factory.mktemp("j") / "a.jsonl"
    path.write_text("".join(lines_of(record) + "\n" for record in records), encoding="utf-8")
    found = survey([str(path)], connection=db)
    assert (found.rows, found.broken, found.complete) == (len(records), 0, True)
    assert set(found.keys) == {key for record in records for key in record}
    for key, value in found.keys.items():
        values = [record[key] for record in records if record.get(key) is not None]
        assert (value.types, value.present) == (frozenset(map(type_of, values)), len(values))
    assert found.clean
    if found.keys:
        options = {"path": Files().for_duckdb(str(path)).path, "columns": found.columns(), **read_json_options()}
        named = ", ".join(f"{name} = ${name}" for name in options if name != "path")
        read = db.execute(f"SELECT * FROM read_json($path, {named})", options).fetchall()
        for record, row in zip(records, read, strict=True):
            for (key, kind), got in zip(found.columns().items(), row, strict=True):
                want = record.get(key)
                if kind == "JSON" and got is not None:
                    got = json.loads(got)
                assert got == want or (isinstance(want, int | float) and float(got) == float(want))
                assert got is None or isinstance(got, bool) == isinstance(want, bool)


def test_late_deviation_is_found(tmp_path: Path) -> None:
    lines = ['{"n":1,"s":"x","only":"early"}'] * 60_000
    lines[-1] = '{"n":"404","s":7,"late":true}'
    found = survey([str(written(tmp_path, *lines))])
    assert {key: set(value.types) for key, value in found.keys.items()} == {
        "n": {"int", "string"}, "s": {"int", "string"}, "only": {"string"}, "late": {"bool"},
    }  # fmt: skip
    assert list(found.keys) == ["n", "s", "only", "late"]
    assert found.columns() == {"n": "JSON", "s": "JSON", "only": "VARCHAR", "late": "BOOLEAN"}
    assert (found.nulls("only"), found.nulls("late"), found.nulls("n")) == (1, 59_999, 0)


def test_dirty_file_is_surveyed_exactly(tmp_path: Path) -> None:
    found = survey([str(written(tmp_path, *DIRTY))])
    assert (found.rows, found.broken, found.clean) == (8, 7, False)
    assert {(line.number, line.reason) for line in found.broken_lines} == {
        (2, "broken-json"), (11, "broken-json"), (17, "broken-json"), (6, "not-an-object"), (7, "not-an-object"),
        (8, "not-an-object"), (9, "not-an-object"),
    }  # fmt: skip
    assert found.keys["a"].types == {"int", "string", "long", "array"}
    assert found.keys["b"].types == {"string", "int", "object"}


def test_objects_without_the_asked_keys_are_no_broken_lines(tmp_path: Path) -> None:
    found = survey([str(written(tmp_path, '{"a":1}', "{}", '{"b":2}', '{"a":null}'))], ["absent", "a"])
    assert (found.rows, found.broken, found.clean) == (4, 0, True)
    assert {key: (value.kind, value.present) for key, value in found.keys.items()} == {
        "absent": ("null", 0), "a": ("int", 1),
    }  # fmt: skip
    assert survey([str(written(tmp_path, '{"a":1}', "{"))], []).broken == 1


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bom.jsonl", b"\xef\xbb\xbf" + b'{"a":1}\n' * 3),
        ("utf16.jsonl", ('{"a":1}\n' * 3).encode("utf-16")),
        ("gz-without-suffix.jsonl", gzip.compress(b'{"a":1}\n' * 3, mtime=0)),
        ("plain.jsonl.gz", b'{"a":1}\n' * 3),
        ("truncated.jsonl.gz", gzip.compress(b'{"a":1}\n' * 3, mtime=0)[:-4]),
        ("pat[1]*.jsonl", b'{"a":1}\n' * 3),
        ("crlf.jsonl", b'{"a":1}\r\n\r\n{"a":1}\r\n{"a":1}'),
        ("cr.jsonl", b'{"a":1}\r{"a":1}\r\r{"a":1}\r'),
        ("fine.jsonl.gz", gzip.compress(b'{"a":1}\n' * 3, mtime=0)),
    ],
)
def test_odd_files_have_three_rows(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    found = survey([str(tmp_path / name)])
    assert (found.rows, found.broken, found.columns()) == (3, 0, {"a": "INTEGER"})
    assert len(rows(tmp_path / name)) == 3
    assert found.clean == (name in ("pat[1]*.jsonl", "crlf.jsonl", "fine.jsonl.gz"))


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_empty_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(data)
    found = survey([str(tmp_path / "a.jsonl")])
    assert (found.rows, found.broken, dict(found.keys)) == (0, 0, {})
    assert rows(tmp_path / "a.jsonl") == []


def test_missing_file_is_a_reader_error(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="file not found"):
        survey([str(tmp_path / "absent")])


def test_several_files_merge(tmp_path: Path) -> None:
    one = written(tmp_path, '{"a":1}', name="1.jsonl")
    two = written(tmp_path, '{"a":"x","b":1.5}', "{", name="2.jsonl")
    found = survey([str(one), str(two)])
    assert found.keys["a"].types == {"int", "string"}
    assert (found.rows, found.broken, found.nulls("b")) == (2, 1, 1)


class Counting:
    """A connection that counts the queries its cursors run."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db
        self.queries = 0

    def cursor(self) -> Counting:
        return self

    def execute(self, *arguments: Any) -> Any:
        self.queries += 1
        return self._db.execute(*arguments)

    def close(self) -> None:
        return None


def test_cache_answers_until_the_file_changes(tmp_path: Path, db: duckdb.DuckDBPyConnection) -> None:
    path = written(tmp_path, '{"a":1,"b":2}')
    cache, counting = SurveyCache(), Counting(db)

    def ask(*keys: str) -> tuple[JsonSurvey, int]:
        before = counting.queries
        found = survey([str(path)], keys or None, cache, counting)  # type: ignore[arg-type]
        return found, counting.queries - before

    assert ask("a")[1] > 0
    assert ask("a")[1] == 0
    assert ask("a", "b")[0].keys["b"].kind == "int"
    assert ask()[0].complete
    assert ask("a", "absent")[1] == 0
    written(tmp_path, '{"a":"changed"}')
    assert ask("a")[0].keys["a"].kind == "string"


def test_many_keys_are_judged_like_few(tmp_path: Path, db: duckdb.DuckDBPyConnection) -> None:
    values: list[object] = ["s", 1, 5_000_000_000, 2**70, 1.5, True, {"a": 1}, [1], None]
    kinds = ["string", "int", "long", "huge", "double", "bool", "object", "array", "null"]
    width = 900
    path = tmp_path / "wide.jsonl"
    rows = [{f"k{n}": values[n % 9] for n in range(width)}, {"k1": "late", "k8.x": None}, {}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = survey([str(path)], connection=db)
    assert found.complete
    assert found.rows == 3
    assert list(found.keys) == [*(f"k{n}" for n in range(width)), "k8.x"]
    expected = {f"k{n}": kinds[n % 9] for n in range(width)} | {"k1": "mixed", "k8.x": "null"}
    assert {key: value.kind for key, value in found.keys.items()} == expected
    # A line that is no object: the same through the exact reader.
    path.write_text(path.read_text() + "no object\n")
    exact = survey([str(path)], connection=db)
    assert (exact.rows, exact.broken) == (3, 1)
    assert {key: value.kind for key, value in exact.keys.items()} == expected


def test_too_many_keys_are_left_open_and_looked_for_once(tmp_path: Path, db: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "wider.jsonl"
    path.write_text(json.dumps({f"k{n}": n for n in range(2_001)}) + "\n")
    cache = SurveyCache()
    found = survey([str(path)], cache=cache, connection=db)
    assert (found.complete, found.rows, dict(found.keys)) == (False, 1, {})
    assert survey([str(path)], cache=cache).files[0] is found.files[0]
    named = survey([str(path)], ["k7"], cache=cache, connection=db)
    assert named.keys["k7"].kind == "int"
    assert not survey([str(path)], cache=cache).complete
