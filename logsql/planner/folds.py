"""What follows for a written command from the duties of its declaration and of the functions in its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from logsql.language.tree import Assignment, Call, Command, Subquery
from logsql.planner.duties import InStream, OrderNeed, RowState
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.spec import COMMANDS


def own_nodes(command: Command) -> Iterator[object]:
    """Every tree node in a command's options and arguments, but for its subquery and targets of assignments."""
    return tree_nodes((command.options, command.args), Subquery)


def tree_nodes(value: object, *without: type) -> Iterator[object]:
    """Every tree node below a value, but for targets of assignments and what is below nodes of some types."""
    pending: list[Any] = [value]
    for node in pending:  # the list grows while it is read
        kind: type = type(node)
        if kind is tuple or kind is list:
            pending += node
        elif (parts := _parts(kind)) is not None and not isinstance(node, without):
            yield node
            pending += parts(node)


#: Types of fields, as they are annotated, that hold no nodes.
_PLAIN = frozenset({"str", "int", "float", "bool", "None"})


@cache
def _parts(kind: type) -> Callable[[object], Iterable[object]] | None:
    """What reads the fields of a tree node that may hold nodes; None where the type is no dataclass."""
    if not is_dataclass(kind):
        return None
    names = [f.name for f in fields(kind) if not f.name.endswith("span") and not _plain(f.type)]
    names = [name for name in names if not (name == "target" and issubclass(kind, Assignment))]
    if not names:
        return lambda _: ()
    read = attrgetter(*names)  # of several names a tuple of values, of one the value
    return read if len(names) > 1 else lambda node: (read(node),)


def _plain(annotation: object) -> bool:
    return isinstance(annotation, str) and _PLAIN.issuperset(annotation.split(" | "))


def counts_rows(command: Command) -> bool:
    """Whether an expression depends on the place of the row among the others (``seq()``)."""
    calls = (FUNCTIONS.get(node.name) for node in own_nodes(command) if isinstance(node, Call))
    return any(function.duty.places for function in calls if function is not None)


def order_need(command: Command) -> OrderNeed:
    """What a command needs of the order of its input."""
    return OrderNeed.NEEDS if counts_rows(command) else COMMANDS[command.name].order.need(command.args)


def order_needs(commands: Sequence[Command], needed: bool) -> list[bool]:
    """For each command, whether the order of its *output* rows is observed later."""
    result: list[bool] = []
    for command in reversed(commands):
        result.append(needed)
        need = order_need(command)
        if need is OrderNeed.NEEDS:
            needed = True
        elif need is OrderNeed.IGNORES:
            needed = False
    result.reverse()
    return result


def chain_need(commands: Sequence[Command]) -> OrderNeed:
    """What a chain of commands needs of the order of the rows that enter it."""
    return next((n for n in map(order_need, commands) if n is not OrderNeed.KEEPS), OrderNeed.KEEPS)


_PATIENCE = list(InStream)


def in_stream(command: Command) -> InStream:
    """What a command waits for where rows never end."""
    own = COMMANDS[command.name].in_stream(command)
    return max(own, InStream.RUNNING, key=_PATIENCE.index) if counts_rows(command) else own


def chain_in_stream(commands: Sequence[Command]) -> InStream:
    """What a chain waits for: as much as the least patient of its commands."""
    return max(map(in_stream, commands), key=_PATIENCE.index)


def first_ones_first(commands: Sequence[Command]) -> list[Command]:
    """The commands that run before everything else (``setq``) in front, otherwise as written."""
    first = [c for c in commands if COMMANDS[c.name].state is RowState.FIRST]
    return first + [c for c in commands if COMMANDS[c.name].state is not RowState.FIRST] if first else list(commands)
