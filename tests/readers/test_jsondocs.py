"""jsonfile over documents: arrays and pretty-printed objects; Python's json module says what the objects are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.readers import jsondocs
from udfs.readers.base import ListLoss, ReaderError, null_context
from udfs.readers.jsondocs import Documents
from udfs.readers.jsonlines import JsonLinesReader
from udfs.readers.jsonsurvey import survey

EVENTS: list[dict[str, Any]] = [
    {"name": "GetObject", "user": {"type": "AWS"}, "keys": ["a]", "}"]},
    {"name": "한\n", "user": None, "n": 12345678901234567890},
    {},
]


def read(path: Path, loss: ListLoss | None = None) -> list[Any]:
    reader = JsonLinesReader([str(path)])
    batches = reader.scan(["line"], null_context(loss))
    return [json.loads(row["line"]) for batch in batches for row in batch.to_pylist()]


def written(tmp_path: Path, text: str | bytes, name: str = "a.json") -> Path:
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return tmp_path / name


SHAPES = {
    "array on one line": json.dumps(EVENTS),
    "pretty array": json.dumps(EVENTS, indent=2) + "\n",
    "pretty array, CR LF": json.dumps(EVENTS, indent=4).replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + json.dumps(EVENTS, indent=1, ensure_ascii=False),
    "documents one after the other": "\n".join(json.dumps(event, indent=2) for event in EVENTS),
    "documents without a line between": "\n\n" + "".join(json.dumps(event, indent="\t") for event in EVENTS),
    "arrays one after the other": "\n".join(json.dumps([event], indent=2) for event in EVENTS),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_object_of_a_document_is_a_row(tmp_path: Path, shape: str) -> None:
    loss = ListLoss()
    assert read(written(tmp_path, SHAPES[shape]), loss) == EVENTS
    packed = written(tmp_path, gzip.compress(SHAPES[shape].encode()), "a.json.gz")
    assert read(packed, loss) == EVENTS
    assert loss.entries == []
    found = survey([str(packed)])
    assert (found.rows, found.clean, list(found.keys)) == (3, False, ["name", "user", "keys", "n"])


def test_a_long_document_is_known_by_its_beginning(tmp_path: Path) -> None:
    # Three bytes a character: the head of the file has a third as many characters. No comma ends the first line.
    text = json.dumps({"이름": 1, "값": ["한글"] * 20_000}, indent=1, ensure_ascii=False)
    text = text.replace(",\n", "\n,").replace("{\n", "{", 1)
    assert read(written(tmp_path, text)) == [json.loads(text)]


def test_records_of_cloudtrail_are_one_row(tmp_path: Path) -> None:
    whole = {"Records": EVENTS}
    assert read(written(tmp_path, json.dumps(whole, indent=2))) == [whole]


@pytest.mark.parametrize(
    ("text", "rows", "told"),
    [
        ('[\n  {"a": 1},\n  {"a": 2', [1], [("broken-json", 3), ("broken-json", 3)]),
        ('[\n  {"a": 1},\n  {"a": 2}\n', [1, 2], [("broken-json", 4)]),
        ('[\n  {"a": 1},\n  {"a": "x\n  ,"b": {\n   }},\n  {"a": 3}\n]', [1, 3], [("broken-json", 3)]),
        ('[\n  {"a": 1},\n  oops\n]\n{"a": 2}', [1, 2], [("broken-json", 3)]),
        ('[{"a": 1}]\ngarbage {"a": 9}\n{"a": 2}', [1, 2], [("broken-json", 2)]),
        ('[{"a": 1} {"a": 2}]', [1, 2], [("broken-json", 1)]),
        ('[{"a": 1}, 2, "x", [{"a": 5}], null]', [1], [("not-an-object", 1)] * 4),
        ('{\n "a": 1\n}\n{\n "a": \n', [1], [("broken-json", 4)]),
        ('{\n "a": [\n', [], [("broken-json", 1)]),
        # An array of no rows, as a program writes it that has nothing to tell: nothing was lost.
        ("[]", [], []),
        ("\ufeff[ ]\r\n", [], []),
        ("[\n]\n", [], []),
        ('[]\n{"a": 2}', [2], [("not-an-object", 1)]),
        # Lines, as before: a first line that was cut, an array of numbers among objects, a log with brackets.
        ('"b": 1}\n{"a": 2}\n{"a": 3}', [2, 3], [("broken-json", 1)]),
        ('{"a": 1, "b": "x\n{"a": 2}', [2], [("broken-json", 1)]),
        ('{"a":\n{"a": 2}', [2], [("broken-json", 1)]),
        ('[1, 2]\n{"a": 2}', [2], [("not-an-object", 1)]),
        ("[12:00] up\n[12:01] down", [], [("broken-json", 1), ("broken-json", 2)]),
        ('{"a": 1}\n[{"a": 2}]', [1], [("not-an-object", 2)]),
    ],
)
def test_damage_is_told_with_its_line(tmp_path: Path, text: str, rows: list[int], told: list[tuple[str, int]]) -> None:
    loss = ListLoss()
    assert [row["a"] for row in read(written(tmp_path, text), loss)] == rows
    assert [(entry.reason, entry.position) for entry in loss.entries] == told


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=5),
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
    st.integers(1, 7),
)
def test_cuts_between_pieces_do_not_show(events: list[Any], indent: Any, ascii_only: bool, step: int) -> None:
    array = json.dumps(events, indent=indent, ensure_ascii=ascii_only)
    single = "\n".join(json.dumps(event, indent=indent, ensure_ascii=ascii_only) for event in events)
    told: list[tuple[str, int, str]] = []
    cut = ((array + single)[n : n + step] for n in range(0, len(array + single), step))
    found = Documents(cut, "a", lambda *facts: told.append(facts)).objects()
    assert [json.loads(item.text) for item in found] == events * 2
    assert told == []


def test_a_document_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsondocs, "MAX_DOCUMENT", 1 << 20)
    long = json.dumps({"Records": ["x" * 100] * 30_000}, indent=1)
    with pytest.raises(ReaderError, match="more than 1 MB"):
        read(written(tmp_path, long))
    many = json.dumps([{"a": "x" * 1_000}] * 3_000, indent=1)  # an array streams
    assert len(read(written(tmp_path, many))) == 3_000


def test_lines_are_numbered_over_what_was_let_go(tmp_path: Path) -> None:
    loss = ListLoss()
    text = json.dumps([{"a": "x" * 1_000}] * 3_000, indent=1)[:-1] + ",\n {oops}\n]"
    assert len(read(written(tmp_path, text), loss)) == 3_000
    assert [(entry.reason, entry.position) for entry in loss.entries] == [("broken-json", text.count("\n"))]
