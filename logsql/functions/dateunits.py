"""Units of dateadd() and datediff(), and what is meant by a unit or an order of arguments of another language."""

from __future__ import annotations

from collections.abc import Sequence

from logsql.diagnostics.codes import Code
from logsql.diagnostics.expressions import ARGUMENT, NOT_CONSTANT
from logsql.diagnostics.foreign import meant_unit, unit_here
from logsql.language.tree import Literal, canonical
from logsql.planner.calls import FunctionCall
from logsql.planner.notes.words import WRITE
from logsql.values import cells

#: Unit -> milliseconds; a month has 30 days, a year 365.
MILLIS = {
    "year": 31_536_000_000,
    "mon": 2_592_000_000,
    "day": 86_400_000,
    "hour": 3_600_000,
    "min": 60_000,
    "sec": 1000,
    "msec": 1,
}
#: The least and the greatest value of a part of a date.
PART_RANGES: dict[str, tuple[float, float]] = {
    "day": (1, 31), "dow": (0, 6), "doy": (1, 366), "hour": (0, 23), "isodow": (1, 7), "min": (0, 59),
    "minute": (0, 59), "mon": (1, 12), "month": (1, 12), "quarter": (1, 4), "sec": (0, 59), "seconds": (0, 59),
    "week": (1, 53), "weekday": (1, 7), "msec": (0, 999),
}  # fmt: skip


def distance(given: Sequence[cells.Cell | None]) -> cells.Cell | None:
    """``datediff`` of two dates since 1970, in Python: ``epoch_ms`` rounds."""
    first, second, unit = given
    if first is None or second is None or unit is None or unit[1] not in MILLIS:
        return None
    start, end = first[1], second[1]
    if first[0] != "date" or second[0] != "date" or not isinstance(start, int) or not isinstance(end, int):
        return None
    if start < 0 or end < 0:
        return None
    apart, size = (end + 500) // 1000 - (start + 500) // 1000, MILLIS[str(unit[1])]
    return ("long", apart // size if apart >= 0 else -(-apart // size))


def unit_argument(call: FunctionCall, position: int, row: Code) -> str:
    """The constant unit of a call; refuses one that there is not, naming the one that is meant."""
    if not call.is_constant(position) and (help := _ordered(call, position)):
        what = ARGUMENT.fill(position=position + 1, function=call.spec.name)
        call.fail(NOT_CONSTANT, position, help=help, what=what)
    unit = call.constant(position)
    if not isinstance(unit, str) or unit not in MILLIS:
        help = _ordered(call, position) or meant_unit(unit, MILLIS)
        call.fail(row, position, function=call.spec.name, unit=unit, units=", ".join(MILLIS), help=help)
    return unit


def _ordered(call: FunctionCall, position: int) -> str | None:
    """The call with its arguments in the order they have here: ``dateadd("hour", 1, x)`` of SQL."""
    if len(call.nodes) != 3:
        return None
    units = [at for at, node in enumerate(call.nodes) if isinstance(node, Literal) and _spelt(node.value) is not None]
    if len(units) != 1 or units[0] == position:
        return None
    given = [canonical(node) for at, node in enumerate(call.nodes) if at != units[0]]
    if position == 1 and isinstance(call.nodes[0 if units[0] != 0 else 1], Literal):  # dateadd("hour", 1, x)
        given.reverse()
    given.insert(position, f'"{_spelt(getattr(call.nodes[units[0]], "value", None))}"')
    return WRITE.fill(better=f"{call.spec.name}({', '.join(given)})")


def _spelt(unit: object) -> str | None:
    """A unit of dateadd(), also in the spelling of other languages."""
    if not isinstance(unit, str) or unit in MILLIS:
        return unit if isinstance(unit, str) else None
    return unit_here(unit, MILLIS)
