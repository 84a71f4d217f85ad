"""Functions over mixed lists: cases of the language (conformance flatten, contains, unique, sumarray, zip)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from udfs import collections as lists


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, [2, 3], 4], [1, 2, 3, 4]),
        (None, None),
        (3, 3),
        ([1, [2, "foo"], ["foo", ["bar"], "baz"]], [1, 2, "foo", "foo", "bar", "baz"]),
        ([[1], [2, 3]], [1, 2, 3]),
        ([None, [None]], [None, None]),
        ([], []),
        ([[], [[]]], []),
    ],
)
def test_flatten(value: Any, expected: Any) -> None:
    assert lists.flatten(value) == expected


def test_flatten_survives_deep_nesting() -> None:
    value: Any = ["x"]
    for _ in range(100_000):
        value = [value]
    assert lists.flatten(value) == ["x"]


@pytest.mark.parametrize(
    ("values", "needle", "expected"),
    [
        (["1", "abc", "2"], "abc", True),
        (["1", "abc", "2"], ["abc", "2"], False),
        (["1", ["abc", "2"], "2"], ["abc", "2"], True),
        (["a", "b"], "c", False),
        (["A"], "a", False),
        ([1], "1", False),
        ([1, 2.0], 2, True),
        ([True], 1, False),
        ([{"a": 1}], {"a": 1.0}, True),
        ([None], None, False),
        (None, "a", False),
        ("abc", "b", False),
    ],
)
def test_contains(values: Any, needle: Any, expected: bool) -> None:
    assert lists.list_contains(values, needle) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 1, 2, "2"], [1, 2, "2"]),
        (["a", "b", "a"], ["a", "b"]),
        (None, None),
        (5, [5]),
        ([1, 1.0, True, None, [2], [2]], [1, True, [2]]),
    ],
)
def test_unique(value: Any, expected: Any) -> None:
    found = lists.unique(value)
    assert found == expected
    assert [type(item) for item in found or []] == [type(item) for item in expected or []]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2, 3, 4, 5], 15),
        ([1, 2, 3, None, "a", 4, 5], 15),
        ([None, "a", True], 0),
        ([1.5, 2.5], 4.0),
        ([2**62, 2**62], 2**63),
        ("text", None),
    ],
)
def test_sum_array(value: Any, expected: Any) -> None:
    assert lists.sum_array(value) == expected


def test_zip() -> None:
    assert lists.zip_lists([1, 2], ["a", "b"]) == [[1, "a"], [2, "b"]]
    assert lists.zip_lists([1, 2], ["a"]) == [[1, "a"], [2, None]]
    assert lists.zip_lists(None, None) is None


def test_json_columns_keep_numbers() -> None:
    cells = pa.chunked_array([['[9007199254740993,[1.0,["a\\u001fb"]]]', None], ["null", '"x"']])
    assert lists.json_map(cells, lists.flatten).to_pylist() == ['[9007199254740993,1.0,"a\\u001fb"]', None, None, '"x"']
    assert lists.json_contains(cells, 9007199254740993).to_pylist() == [True, False, False, False]
