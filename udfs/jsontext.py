"""JSON text as values of Python, whatever size its numbers have.

Python reads no whole number of more than 4,300 digits (the work grows with their square) and says so by a ValueError in
the middle of a document. Such a number is the double that it is to everybody else here: infinite.

Of a key that comes again in its object the first value counts, as DuckDB reads it; Python would take the last.
"""

from __future__ import annotations

import json
from typing import Any

_DIGITS = 4_300


def whole(digits: str) -> int | float:
    """The value of a whole number as JSON writes it.

    >>> whole("-12"), whole("9" * 5000)
    (-12, inf)
    """
    return int(digits) if len(digits) <= _DIGITS else float(digits)


def first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its pairs: the first value of each key.

    >>> first_of_each([("a", 1), ("b", 2), ("a", 3)])
    {'a': 1, 'b': 2}
    """
    made = dict(pairs)
    if len(made) != len(pairs):
        made.update(reversed(pairs))
    return made


_USUAL = json.JSONDecoder(object_pairs_hook=first_of_each)
_LARGE = json.JSONDecoder(parse_int=whole, object_pairs_hook=first_of_each)


def loads(text: str) -> Any:
    """The value of a JSON text. Raises json.JSONDecodeError, RecursionError.

    >>> loads('{"a": [1, 2.5, ' + "9" * 5000 + ']}')
    {'a': [1, 2.5, inf]}
    """
    try:
        return _USUAL.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # rare; a function called for every number would cost a third
        return _LARGE.decode(text)
