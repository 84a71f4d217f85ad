"""The lenient JSON dialect and the row-holding texts, against Python's own JSON reader and against hand-made values."""

from __future__ import annotations

import doctest
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs import documents, lenientjson
from udfs.lenientjson import LenientError, dump, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("module", [documents, lenientjson])
def test_examples(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted > 0
    assert results.failed == 0


@given(VALUES)
def test_strict_json_reads_as_python_reads_it(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert parse(text) == value


@given(VALUES)
def test_what_is_dumped_is_strict_json(value: object) -> None:
    text = dump(value)
    assert json.loads(text) == value
    assert "\n" not in text


@given(st.text(alphabet="{}[]:=,;'\"\\u0aé1. \n", max_size=40))
def test_any_text_gives_a_value_or_an_error(text: str) -> None:
    for recover in (False, True):
        try:
            found, refused = dump(parse(text, recover)), ""
        except LenientError as error:
            found, refused = "null", str(error)
        assert dump(json.loads(found)) == found
        assert refused or found


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers(), min_size=1), st.data())
def test_a_cut_document_recovers_what_stands_before_the_cut(value: dict[str, object], data: st.DataObject) -> None:
    text = json.dumps({"first": "kept", **{"k" + key: item for key, item in value.items()}})
    cut = data.draw(st.integers(len('{"first": "kept"'), len(text)))
    assert parse(text[:cut], recover=True)["first"] == "kept"


def test_numbers_words_and_surrogates() -> None:
    found = parse("{a: 007, b: 99999999999999999999, c: NaN, d: tRUE, e: \"\\ud83d\\ude00\\ud800\", f: 'x\ny'}")
    assert found == {"a": 7, "b": 99999999999999999999, "c": "NaN", "d": True, "e": "😀�", "f": "x\ny"}


@pytest.mark.parametrize(
    "text", ["{", "[1", "{a}", "{a:1}}", "{,}", '{"a" 1}', "'", "[" * 600 + "]" * 600, "{a:'\\q'}"]
)
def test_errors(text: str) -> None:
    if text.startswith("[["):
        assert parse(text)  # Python's own reader takes it
        text = "[x" + text + "]"
    with pytest.raises(LenientError):
        parse(text)
