"""List functions over mixed, nested values, which SQL types cannot hold: flatten, contains, unique, sumarray, zip.

The functions work on Python objects (list, dict, str, int, float, bool, None); the ``json_`` forms take and return
a column of JSON text, which is how a mixed column reaches Python. Integers of any size and doubles keep their kind
(``1`` stays ``1``, ``1.0`` stays ``1.0``). Equality is the language's: numbers by value, text case-sensitive, never
text against number, lists element by element.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable
from itertools import zip_longest

import pyarrow as pa

from udfs.columns import map_distinct
from udfs.jsontext import loads


def flatten(value: object) -> object:
    """All nesting of a list removed; null elements stay; a value that is no list is returned as it is.

    >>> flatten([1, [2, "foo"], ["foo", ["bar"], None]]), flatten(3), flatten(None)
    ([1, 2, 'foo', 'foo', 'bar', None], 3, None)
    """
    if not isinstance(value, list):
        return value
    out: list[object] = []
    stack = [iter(value)]
    while stack:  # no recursion: nesting depth comes from the data
        for item in stack[-1]:
            if isinstance(item, list):
                stack.append(iter(item))
                break
            out.append(item)
        else:
            stack.pop()
    return out


def _key(value: object) -> Hashable:
    """Equal keys mean equal values of the language: 1 and 1.0 are equal, 1 and true or "1" are not."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float):
        return ("number", "nan" if isinstance(value, float) and math.isnan(value) else value)
    if isinstance(value, list | tuple):
        return ("list", tuple(_key(item) for item in value))
    if isinstance(value, dict):
        return ("map", frozenset((name, _key(item)) for name, item in value.items()))
    return (type(value).__name__, value)


def list_contains(values: object, needle: object) -> bool:
    """Whether a list has an element equal to ``needle``; false for null on either side or a value that is no list.

    >>> list_contains(["1", ["abc", "2"]], ["abc", "2"]), list_contains(["1"], 1), list_contains([1], 1.0)
    (True, False, True)
    """
    if not isinstance(values, list) or needle is None:
        return False
    wanted = _key(needle)
    return any(_key(item) == wanted for item in values)


def unique(value: object) -> list[object] | None:
    """Distinct non-null elements in order of first appearance; a scalar becomes a one-element list; null gives null.

    >>> unique([1, 2, 1, "2", None, [1], [1]]), unique(5), unique(None)
    ([1, 2, '2', [1]], [5], None)
    """
    if value is None:
        return None
    if not isinstance(value, list):
        return [value]
    seen: dict[Hashable, object] = {}
    for item in value:
        if item is not None:
            seen.setdefault(_key(item), item)
    return list(seen.values())


def sum_array(value: object) -> int | float | None:
    """Sum of the numeric elements, 0 when there is none; null (or a value that is no list) gives null.

    >>> sum_array([1, 2, None, "a", 4.5, True]), sum_array(["a"]), sum_array(None)
    (7.5, 0, None)
    """
    if not isinstance(value, list):
        return None
    numbers = [item for item in value if isinstance(item, int | float) and not isinstance(item, bool)]
    return sum(numbers)


def zip_lists(*values: object) -> list[list[object]] | None:
    """Tuples by position; shorter lists are filled with null, a scalar is a list of one; null only when all are null.

    >>> zip_lists([1, 2], ["a"])
    [[1, 'a'], [2, None]]
    """
    if all(value is None for value in values):
        return None
    lists = [value if isinstance(value, list) else [] if value is None else [value] for value in values]
    return [list(row) for row in zip_longest(*lists)]


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_map(values: pa.Array | pa.ChunkedArray, function: Callable[[object], object]) -> pa.StringArray:
    """Apply a function of this module to a column of JSON text; JSON null and SQL null both give SQL null.

    >>> json_map(pa.array(["[1,[2.0,[\\"한\\"]]]", "3", None]), flatten).to_pylist()
    ['[1,2.0,"한"]', '3', None]
    """

    def apply(text: str) -> str | None:
        result = function(loads(text))
        return None if result is None else _dump(result)

    return map_distinct(values, apply, pa.string())


def json_contains(values: pa.Array | pa.ChunkedArray, needle: object) -> pa.BooleanArray:
    """:func:`list_contains` of a column of JSON text and one value; null gives false.

    >>> json_contains(pa.array(['["1",["abc","2"]]', None]), ["abc", "2"]).to_pylist()
    [True, False]
    """
    return map_distinct(values, lambda text: list_contains(loads(text), needle), pa.bool_()).fill_null(False)
