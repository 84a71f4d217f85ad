"""Are these the rows that a test expects? What differs, field by field where a row can be told to be the same one.

Rows are what JSON lines writes: numbers, texts, true and false, null, lists, objects. A key that a row does not have is
null. Whole numbers compare exactly, others within a tolerance relative to the larger of them and 1.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Row = Mapping[str, object]
#: Rows of one result that are held against each other pair by pair; beyond it rows are missing or more.
_PAIRS = 250_000


@dataclass(frozen=True)
class Changed:
    """A field of a row with another value; ``row`` counts from 1 in the expected rows."""

    row: int
    field: str
    expected: object
    got: object


@dataclass(frozen=True)
class Difference:
    """What differs: fields, expected rows that did not come, rows that came instead."""

    changed: tuple[Changed, ...] = ()
    missing: tuple[Row, ...] = ()
    more: tuple[Row, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.more)


def compared(expected: Sequence[Row], got: Sequence[Row], ordered: bool, tolerance: float) -> Difference:
    """What differs between two results.

    >>> compared([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], ordered=False, tolerance=0)
    Difference(changed=(), missing=(), more=())
    >>> compared([{"a": 1, "b": 0.1}], [{"a": 1, "b": 0.2}], ordered=True, tolerance=1e-9).changed
    (Changed(row=1, field='b', expected=0.1, got=0.2),)
    """
    hunks = _in_order(expected, got, tolerance) if ordered else [_unordered(expected, got)]
    changed: list[Changed] = []
    missing: list[Row] = []
    more: list[Row] = []
    for left, came in hunks:
        pairs = _pairs(left, came, ordered, tolerance)
        for (number, row), (_, other) in pairs:
            changed += _fields(number, row, other, tolerance)
        paired = {number for (number, _), _ in pairs}, {number for _, (number, _) in pairs}
        missing += [row for number, row in left if number not in paired[0]]
        more += [row for number, row in came if number not in paired[1]]
    return Difference(tuple(changed), tuple(missing), tuple(more))


Numbered = tuple[int, Row]
Hunk = tuple[list[Numbered], list[Numbered]]
#: The share of its fields that makes a row the same one with other values.
_SAME_ROW = 0.5


def _in_order(expected: Sequence[Row], got: Sequence[Row], tolerance: float) -> list[Hunk]:
    """The places where the rows of both sides differ: rows that are expected, rows that are there instead."""
    if len(expected) == len(got):  # at the same places: a number that is off within the tolerance moves nothing
        pairs = enumerate(zip(expected, got, strict=True), 1)
        differ = [([(n, a)], [(n, b)]) for n, (a, b) in pairs if not same(a, b, tolerance)]
        if all(_alike(a[0][1], b[0][1], tolerance) >= _SAME_ROW for a, b in differ):
            return list(differ)
    a, b = [_key(row) for row in expected], [_key(row) for row in got]
    found: list[Hunk] = []
    for tag, start, end, first, last in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            left = [(n + 1, expected[n]) for n in range(start, end)]
            found.append((left, [(n + 1, got[n]) for n in range(first, last)]))
    return found


def _unordered(expected: Sequence[Row], got: Sequence[Row]) -> Hunk:
    """The rows of both sides that are not on the other, each as often as it is too many."""
    there = Counter(_key(row) for row in got)
    left = []
    for number, row in enumerate(expected, 1):
        key = _key(row)
        if there[key]:
            there[key] -= 1
        else:
            left.append((number, row))
    came = []
    for number, row in enumerate(got, 1):
        key = _key(row)
        if there[key]:
            there[key] -= 1
            came.append((number, row))
    return left, came


def _pairs(
    left: Sequence[Numbered], came: Sequence[Numbered], ordered: bool, tolerance: float
) -> list[tuple[Numbered, Numbered]]:
    """Pairs that are the same row: equal within the tolerance, else with most fields the same (half of them at least).

    Equal ones are found first, so that a row is not taken for one that only looks like it. In order they stand at the
    same place. A single row for a single one is the same.
    """
    if len(left) == len(came) == 1:
        return [(left[0], came[0])]
    if ordered:
        if len(left) != len(came):
            return []
        both = zip(left, came, strict=True)
        return [(a, b) for a, b in both if _alike(a[1], b[1], tolerance) >= _SAME_ROW]
    if len(left) * len(came) > _PAIRS:
        return []
    pairs: list[tuple[Numbered, Numbered]] = []
    open_left, open_came = list(left), list(came)
    for least in (1.0, _SAME_ROW):
        for one in list(open_left):
            scored = [(_alike(one[1], other[1], tolerance), -place) for place, other in enumerate(open_came)]
            share, place = max(scored, default=(0.0, 0))
            if share >= least:
                pairs.append((one, open_came.pop(-place)))
                open_left.remove(one)
    return pairs


def _alike(a: Row, b: Row, tolerance: float) -> float:
    """The share of the fields of both that are the same."""
    names = {*a, *b}
    return sum(same(a.get(n), b.get(n), tolerance) for n in names) / len(names) if names else 1.0


def _fields(number: int, expected: Row, got: Row, tolerance: float) -> list[Changed]:
    names = [*expected, *(name for name in got if name not in expected)]
    return [
        Changed(number, name, expected.get(name), got.get(name))
        for name in names
        if not same(expected.get(name), got.get(name), tolerance)
    ]


def same(a: object, b: object, tolerance: float) -> bool:
    """Whether two values are the same.

    >>> same(1, 1.0, 0), same(1, True, 0), same({"a": None}, {}, 0), same([1], [1, 2], 0)
    (True, False, True, False)
    """
    if _number(a) and _number(b):
        if a == b or (a != a and b != b):
            return True
        if isinstance(a, int) and isinstance(b, int):
            return False
        return bool(abs(a - b) <= tolerance * max(1.0, abs(a), abs(b)))  # type: ignore[operator,arg-type]
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return all(same(a.get(name), b.get(name), tolerance) for name in {*a, *b})
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(value: object) -> str:
    """Equal texts for equal values (1 and 1.0, null and absent)."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def shown(value: object, most: int = 200) -> str:
    """A value or row as it is shown: JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[: most - 3] + "..."
