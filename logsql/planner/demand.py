"""Which fields of a source a pipeline can observe, from the syntax alone (architecture 4.4).

A source that must look at its data to know its types looks at these fields only. The answer may name too many fields,
never too few: where a command or function could see the whole row, it is None (every field).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from logsql.language.tree import Assignment, Call, Command, Field, Literal, Name, Option

#: Commands that pass rows on and read only the fields they name.
_PASSING = frozenset(
    {"search", "eval", "limit", "rex", "rename", "sort", "explode", "prev", "bypass", "set", "lookup", "join"}
)
#: Commands behind which only the fields they name exist.
_CLOSING = frozenset({"stats", "pivot", "timechart", "rollup", "cube", "boxplot"})
#: Functions that read fields they do not name.
_WHOLE_ROW = frozenset({"kvjoin"})


def demanded(following: Sequence[Command]) -> frozenset[str] | None:
    """Names that the commands after a source can read from it; None when they may read any."""
    names: set[str] = set()
    made: set[str] = set()
    for command in following:
        if command.name not in _PASSING | _CLOSING | {"fields"}:
            return None
        found = _names(command)
        if found is None:
            return None
        names |= found - made
        if command.name in _CLOSING or (command.name == "fields" and not getattr(command.args, "remove", True)):
            if command.name == "timechart":
                names.add("_time")
            return frozenset(names)
        made |= _replaced(command)
    return None


def _names(command: Command) -> set[str] | None:
    """Every name a command reads; targets of assignments are no reads. None: it may read any."""
    found: set[str] = set()
    for node in nodes((command.options, command.args)):
        if isinstance(node, (Field, Name)):
            found.add(node.name if isinstance(node, Field) else node.text)
        elif isinstance(node, Option) and isinstance(node.value, str):
            found |= {node.value, *node.value.replace(",", " ").split()}
        elif isinstance(node, Call):
            if node.name in _WHOLE_ROW:
                return None
            if node.name == "field":
                argument = node.args[0] if node.args else None
                if not isinstance(argument, Literal):
                    return None
                found.add(str(argument.value))
    if command.name == "rex":
        found |= _captures(command)
    return found


def _replaced(command: Command) -> set[str]:
    """Fields that a command sets in every row: later reads of them are not reads of the source."""
    if command.name != "eval":
        return set()
    return {node.target.text for node in nodes(command.args) if isinstance(node, Assignment)}


def _captures(command: Command) -> set[str]:
    """Group names of a pattern: where it does not match, the field keeps what the source gave it."""
    from udfs.java.javaregex import RegexSyntaxError, classify

    pattern = getattr(command.args, "pattern", None)
    try:
        return set(classify(pattern.value).names) if pattern is not None else set()
    except RegexSyntaxError:
        return set()


def nodes(value: Any) -> Iterable[Any]:
    """Every tree node below a value, targets of assignments left out."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, (tuple, list)):
            pending.extend(node)
        elif is_dataclass(node) and not isinstance(node, type):
            yield node
            pending.extend(
                getattr(node, f.name)
                for f in fields(node)
                if not (isinstance(node, Assignment) and f.name == "target") and not f.name.endswith("span")
            )
