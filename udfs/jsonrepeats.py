"""Keys that come again in one JSON object: one value stays of them, the others are lost."""

from __future__ import annotations

import json
from collections.abc import Iterable

from udfs.lenientjson import LenientError, parse

LOOKED_AT = 1_000
"""Lines of a file that are looked at, which costs 4 microseconds each: whoever writes a key twice does so soon."""


class _RepeatedError(Exception):
    """A key came again."""


def _object(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) > 1 and len({key for key, _ in pairs}) != len(pairs):
        raise _RepeatedError


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_object)


def repeated_keys(text: str) -> list[str]:
    """The keys that come again in their object, once for each time; none of a text that is no JSON.

    >>> repeated_keys('{"a": 1, "b": {"c": 1, "c": 2}, "a": 2}'), repeated_keys("{a: 1, a: 2}"), repeated_keys("a")
    (['c', 'a'], ['a'], [])
    """
    found: list[str] = []
    try:
        _DECODER.decode(text)
    except (_RepeatedError, ValueError, RecursionError):
        pass  # no JSON is perhaps the lenient dialect
    else:
        return found
    if text.lstrip()[:1] in ("{", "["):
        try:
            parse(text, repeated=found)
        except (LenientError, RecursionError):
            return []
    return found


def any_repeats(lines: Iterable[str]) -> bool:
    """Whether any of these texts has a key that comes again."""
    return any(repeated_keys(line) for line in lines)
