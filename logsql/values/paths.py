"""Ways into maps and lists: several steps of ``valueof`` or a written path as one access to the document.

DuckDB reads a document by one text, in one of two forms. A pointer (``/a/b``) reaches every key, but its ``/0`` is the
first item of a list as well as the key ``"0"`` of a map. A path (``$."a"[0]``) tells the two apart, but cannot say the
empty key. A mixture of both is no way at all: ``$[0]/c`` was an error of the engine.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence

from logsql.values import mixing, sorting, sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY, ANY_JSON, Kind
from logsql.values.values import NULL_VALUE, Place, Step, Typed, json_pointer

_DIGITS = re.compile(r"[0-9]+", re.ASCII)


def written(steps: Sequence[Step]) -> str | None:
    """The one text that leads to a place of a document; None where no text can say it.

    >>> written(["a", "b/c"]), written(["a", 0, 'x"y']), written(["0"]), written(["", 0])
    ('/a/b~1c', '$."a"[0]."x\\\\"y"', '$."0"', None)
    """
    keys = [step for step in steps if isinstance(step, str)]
    if len(keys) == len(steps) and not any(_DIGITS.fullmatch(key) for key in keys):
        return "".join(map(json_pointer, keys))
    if "" in keys:
        return None
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f'."{_escaped(step)}"' for step in steps)


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')


def within(document: Sql, *steps: Step) -> Typed:
    """What stands at a place of a JSON document."""
    path = written(steps)
    if path is None:
        # A text that says the empty key says no list index: two accesses.
        return within(within(document, *steps[:-1]).expr, steps[-1])
    return Typed(sql.func("json_extract", document, sql.string(path)), ANY_JSON, Place(document, path, tuple(steps)))


def step_into(value: Typed, step: Step) -> Typed:
    """A key of a map or an item of a list, the first is 0; null where the value is something else."""
    if isinstance(step, int) and step < 0:
        return NULL_VALUE
    if value.type.json:
        return _in_document(value, step)
    return _key(value, step) if isinstance(step, str) else _item(value, step)


def _in_document(value: Typed, step: Step) -> Typed:
    if value.kind is Kind.MAP and isinstance(step, int):
        return NULL_VALUE
    place = value.pointer
    if place is not None and written((*place.steps, step)) is not None:
        return within(place.document, *place.steps, step)
    return within(value.expr, step)


def _key(value: Typed, key: str) -> Typed:
    found = values.as_map(value)
    return NULL_VALUE if found is None else within(found.expr, key)


def _item(value: Typed, at: int) -> Typed:
    listed = values.as_list(value)
    if listed is None:
        return NULL_VALUE
    return Typed(sql.index(listed.expr, sql.integer(at + 1)), listed.type.element or ANY)


# --- written paths ----------------------------------------------------------------------------------------------------

#: One step of a path behind the name it starts from. A key holds neither a dot nor a bracket.
_STEP = re.compile(r"\.([^.\[\]]+)|\[(-?[0-9]+)\]")


def splits(name: str) -> list[tuple[str, tuple[Step, ...]]]:
    """The ways to read a name as a field and steps into it, the longest field first; none for a plain name.

    >>> splits("a.b[0]")
    [('a.b', (0,)), ('a', ('b', 0))]
    >>> splits("a..b"), splits("a")
    ([], [])
    """
    if "." not in name and "[" not in name:
        return []
    found: list[tuple[str, tuple[Step, ...]]] = []
    for at in sorted((m.start() for m in re.finditer(r"[.\[]", name) if m.start()), reverse=True):
        steps = _steps(name, at)
        if steps is None or name[at - 1] == ".":
            break
        found.append((name[:at], steps))
    return found


def _steps(name: str, at: int) -> tuple[Step, ...] | None:
    steps: list[Step] = []
    while at < len(name):
        found = _STEP.match(name, at)
        if found is None or len(found[2] or "") > 18:  # no list is so long
            return None
        steps.append(int(found[2]) if found[1] is None else found[1])
        at = found.end()
    return tuple(steps)


def parents(name: str) -> frozenset[str]:
    """Every field that a name may lead into: what a source has to read for it beside the field of that very name."""
    return frozenset(root for root, _ in splits(name))


def first_of(ways: Sequence[Typed]) -> Typed:
    """The first of several values that is not null; those of one document cost one access to it."""
    if not ways:
        return NULL_VALUE
    places = [way.pointer for way in ways if way.pointer is not None]
    if len(ways) == 1 or len(places) < len(ways) or any(p.document != places[0].document for p in places):
        return functools.reduce(mixing.coalesce, ways)
    found = sql.func("json_extract", places[0].document, sql.array([sql.string(p.path) for p in places]))
    null = sql.string("null")
    each = [sql.func("nullif", sql.index(found.copy(), sql.integer(n)), null) for n in range(1, len(ways) + 1)]
    return Typed(sql.coalesce(*each), ANY_JSON)


def any_item(value: Typed, name: str, test: Callable[[Typed], Sql]) -> Sql:
    """Whether a test holds: of an item where the value is a list, else of the value itself.

    ``name`` is what the lambda calls an item: no column may have it.
    """
    listed = values.as_list(value)
    if listed is None:
        return test(value)
    item = Typed(sql.var(name), listed.type.element or ANY)
    kept = sql.func("list_filter", listed.expr, sql.lambda_([name], test(item)))
    some = sql.binary(">", sql.func("len", kept), sql.integer(0))
    if value.kind is Kind.LIST:
        return some
    is_list = sorting.is_list(value)
    assert is_list is not None
    if value.type.json:
        # The text of most values tells that they are no list, and is read anyway.
        is_list = sql.and_(sql.func("starts_with", values.plain_text(value), sql.string("[")), is_list)
    return sql.case([(is_list, some)], test(value))


__all__ = ["Step", "any_item", "first_of", "parents", "splits", "step_into", "within", "written"]
