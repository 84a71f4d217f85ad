"""JSON text as values of Python, whatever size its numbers have.

Python reads no whole number of more than 4,300 digits (the work grows with their square) and says so by a ValueError in
the middle of a document. Such a number is the double that it is to everybody else here: infinite.
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


_LARGE = json.JSONDecoder(parse_int=whole)


def loads(text: str) -> Any:
    """The value of a JSON text. Raises json.JSONDecodeError, RecursionError.

    >>> loads('{"a": [1, 2.5, ' + "9" * 5000 + ']}')
    {'a': [1, 2.5, inf]}
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # rare; a function called for every number would cost a third
        return _LARGE.decode(text)
