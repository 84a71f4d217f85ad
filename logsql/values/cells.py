"""Values one by one in Python, where it is certain what SQL gives for them; None where it is not, and SQL is asked.

A cell is the kind of a value and the value: text, whole numbers of 64 bits, doubles, truth, dates (microseconds).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence

Cell = tuple[str, object]
#: What a function makes of its arguments; one that is None is not certain, and need not be needed.
Direct = Callable[[Sequence[Cell | None]], Cell | None]

NULL: Cell = ("null", None)
_MOST = 2**63
#: Whole numbers below it are doubles without rounding.
_EXACT = 2**53
_ORDERS: dict[str, Callable[[object, object], bool]] = {
    "<": operator.lt,  # type: ignore[dict-item]
    "<=": operator.le,  # type: ignore[dict-item]
    ">": operator.gt,  # type: ignore[dict-item]
    ">=": operator.ge,  # type: ignore[dict-item]
}


def literal(value: str | int | float | bool | None) -> Cell | None:
    """A constant of a query."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int):
        return ("long", value) if -_MOST <= value < _MOST else None
    return ("double", value) if isinstance(value, float) else ("string", value)


def truth(cell: Cell) -> bool | None:
    """Neither null nor false."""
    return None if cell[0] == "document" else cell[1] is not None and cell[1] is not False


def text(cell: Cell) -> Cell | None:
    """A value as text."""
    kind, value = cell
    if kind in ("string", "null"):
        return cell
    if kind == "bool":
        return ("string", "true" if value else "false")
    return ("string", str(value)) if kind == "long" else None


def _number(cell: Cell) -> bool:
    return cell[0] == "double" or (cell[0] == "long" and isinstance(cell[1], int) and abs(cell[1]) < _EXACT)


def compared(op: str, left: Cell, right: Cell) -> Cell | None:
    """``==``, ``!=`` and the orders, of two values."""
    if left[0] == "null" or right[0] == "null":
        return ("bool", False) if op in ("==", "!=") else NULL
    same = left[0] == right[0] and left[0] in ("long", "string", "bool", "date")
    if not same and not (_number(left) and _number(right)):
        return None
    if left[1] != left[1] or right[1] != right[1]:  # NaN
        return None
    if op in ("==", "!="):
        return ("bool", (left[1] == right[1]) is (op == "=="))
    if left[0] == "string":  # texts are ordered without regard to letter case: "B" < "\\" is false
        first, second = _ascii(left), _ascii(right)
        return None if first is None or second is None else ("bool", _ORDERS[op](first.lower(), second.lower()))
    return ("bool", _ORDERS[op](left[1], right[1]))


def matched(op: str, left: Cell, pattern: str) -> Cell | None:
    """``==`` and ``!=`` with a text constant."""
    if left[0] == "null":
        return ("bool", False)
    if left[0] != "string" or "*" in pattern:
        return None
    return ("bool", (left[1] == pattern) is (op == "=="))


def arithmetic(op: str, left: Cell, right: Cell) -> Cell | None:
    """``+``, ``-``, ``*`` and ``/``, which is of doubles and null for 0."""
    if left[0] == "null" or right[0] == "null":
        return NULL
    a, b = left[1], right[1]
    if left[0] not in ("long", "double") or right[0] not in ("long", "double"):
        return None
    if not isinstance(a, int | float) or not isinstance(b, int | float):
        return None
    if op == "/" and b == 0:
        return NULL
    found = a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else float(a) / float(b)
    if isinstance(found, int):
        return ("long", found) if -_MOST <= found < _MOST else None
    return ("double", found) if math.isfinite(found) else None


def joined(op: str, left: Cell | None, right: Cell | None) -> Cell | None:
    """``and``, ``or``."""
    sides = [None if cell is None else truth(cell) for cell in (left, right)]
    if (op == "or") in sides:
        return ("bool", op == "or")
    return None if None in sides else ("bool", op == "and")


# --- functions --------------------------------------------------------------------------------------------------------


def otherwise(cells: Sequence[Cell | None]) -> Cell | None:
    """``nvl``."""
    first = cells[0]
    return cells[1] if first == NULL or (first is not None and first[1] is None) else first


def choice(cells: Sequence[Cell | None]) -> Cell | None:
    """``if``."""
    test = None if cells[0] is None else truth(cells[0])
    return None if test is None else cells[1] if test else cells[2]


def cases(cells: Sequence[Cell | None]) -> Cell | None:
    """``case``."""
    for place in range(0, len(cells) - 1, 2):
        test = cells[place]
        holds = None if test is None else truth(test)
        if holds is None:
            return None
        if holds:
            return cells[place + 1]
    return cells[-1] if len(cells) % 2 else NULL


def negated(cells: Sequence[Cell | None]) -> Cell | None:
    """``not``: null of what is no boolean."""
    cell = cells[0]
    if cell is None or cell[0] == "document":
        return None
    return ("bool", not cell[1]) if cell[0] == "bool" else NULL


def among(cells: Sequence[Cell | None]) -> Cell | None:
    """``in``: values of one kind are compared, a number is no text; a candidate with ``*`` may be a pattern."""
    value, *candidates = cells
    if value is None or value[0] not in ("string", "long", "double", "null"):
        return None
    certain = True
    for other in candidates:
        if other is None or other[0] not in ("string", "long", "double", "null") or "*" in str(other[1]):
            certain = False
        elif value[0] != "null" and other[0] != "null" and (value[0] == "string") is (other[0] == "string"):
            same = compared("==", value, other)
            if same is not None and same[1]:
                return same
            certain = certain and same is not None
    return ("bool", False) if certain else None


def is_null(cells: Sequence[Cell | None]) -> Cell | None:
    return None if cells[0] is None else ("bool", cells[0][1] is None)


def is_not_null(cells: Sequence[Cell | None]) -> Cell | None:
    return None if cells[0] is None else ("bool", cells[0][1] is not None)


def concat(cells: Sequence[Cell | None]) -> Cell | None:
    """Null is written ``null``."""
    found: list[str] = []
    for cell in cells:
        shown = None if cell is None else text(cell)
        if shown is None:
            return None
        found.append("null" if shown[1] is None else str(shown[1]))
    return ("string", "".join(found))


def contains(cells: Sequence[Cell | None]) -> Cell | None:
    """Of two texts."""
    first, second = cells
    if first is None or second is None:
        return None
    if NULL in (first, second):
        return ("bool", False)
    needle = text(second)
    if first[0] != "string" or needle is None:
        return None
    return ("bool", str(needle[1]) in str(first[1]))


def shown(cells: Sequence[Cell | None]) -> Cell | None:
    """``string`` without a pattern."""
    return text(cells[0]) if len(cells) == 1 and cells[0] is not None else None


def length(cells: Sequence[Cell | None]) -> Cell | None:
    """``len`` of ASCII text: what a character is beyond it SQL knows."""
    cell = cells[0]
    if cell == NULL:
        return ("long", 0)
    value = None if cell is None else cell[1]
    return ("long", len(value)) if isinstance(value, str) and cell is not None and value.isascii() else None


def _ascii(cell: Cell | None) -> str | None:
    value = None if cell is None or cell[0] != "string" else cell[1]
    return value if isinstance(value, str) and value.isascii() else None


def lower(cells: Sequence[Cell | None]) -> Cell | None:
    """Of ASCII text."""
    value = _ascii(cells[0])
    return None if value is None else ("string", value.lower())


def upper(cells: Sequence[Cell | None]) -> Cell | None:
    """Of ASCII text."""
    value = _ascii(cells[0])
    return None if value is None else ("string", value.upper())


def _side(cells: Sequence[Cell | None]) -> tuple[str, int] | None:
    value, size = _ascii(cells[0]), cells[1]
    number = None if size is None or size[0] != "long" else size[1]
    return (value, number) if value is not None and isinstance(number, int) and 0 < number < 10_000 else None


def left(cells: Sequence[Cell | None]) -> Cell | None:
    """The first characters of ASCII text."""
    found = _side(cells)
    return None if found is None else ("string", found[0][: found[1]])


def right(cells: Sequence[Cell | None]) -> Cell | None:
    """The last characters of ASCII text."""
    found = _side(cells)
    return None if found is None else ("string", found[0][-found[1] :])
