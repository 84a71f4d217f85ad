"""Commands that a row passes one after the other before the next row enters, where plans else run command by command.

``evtctxadd ... type == "fail" | eval c = evtctxget("t", user, "counter")``: run command by command the counter of the
first row would be that of the last one. What plans such commands together stands in their declarations
(:class:`~logsql.planner.duties.Together`); here only is found which commands of a pipeline that are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from logsql.diagnostics.contexts import BETWEEN
from logsql.language.tree import Call, Command
from logsql.loading import at
from logsql.planner.calls import fail
from logsql.planner.chain import Chain
from logsql.planner.demand import continued
from logsql.planner.duties import InStream, RowState, Subquery, Together
from logsql.planner.folds import first_ones_first, in_stream, own_nodes
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.relation import Rel
from logsql.planner.spec import COMMANDS
from logsql.planner.stage import Stage


@dataclass(frozen=True)
class Joint:
    """Commands that are planned together, with their places in the pipeline: their input, how a stage for one of them
    is made (its place, the command, its input), and how one is planned as usual."""

    chain: Chain
    commands: tuple[tuple[int, Command], ...]
    rel: Rel | None
    stage: Callable[[int, Command, Rel | None], Stage]
    step: Callable[[Stage], Rel | None]


@dataclass(frozen=True)
class Run:
    """Commands ``start`` to ``stop`` of a pipeline are planned by ``place``."""

    start: int
    stop: int
    place: str

    def lower(self, joint: Joint) -> Rel | None:
        """Plan them."""
        return cast("Callable[[Joint], Rel | None]", at(self.place))(joint)


def parts_of(command: Command) -> Iterator[Together]:
    """What of a command is planned together with others: itself, and functions that it calls."""
    spec = COMMANDS[command.name]
    if spec.state in (RowState.ONCE, RowState.FIRST):  # no row passes it
        return
    if spec.together is not None:
        yield spec.together
    for node in own_nodes(command):
        if isinstance(node, Call):
            function = FUNCTIONS.get(node.name)
            if function is not None and function.together is not None:
                yield function.together


def opened(commands: Sequence[Command]) -> list[Command]:
    """The commands, with ``serial [ ... ]`` and its like opened where something in the brackets is planned together."""
    found: list[Command] = []
    for command in commands:
        if COMMANDS[command.name].subquery is Subquery.CONTINUES:
            inner = opened(first_ones_first(continued(command)))
            found += inner if any(any(parts_of(c)) for c in inner) else [command]
        else:
            found.append(command)
    return found


def runs(commands: Sequence[Command]) -> list[Run]:
    """Which commands are planned together: in each stretch between commands that wait for all rows from the first to
    the last that has part in it. Such a waiting command may end it, with functions in its arguments.
    """
    found: list[Run] = []
    touched: list[tuple[int, str]] = []
    for position, command in enumerate(commands):
        place = next((part.place for part in parts_of(command)), None)
        if place is not None:
            touched.append((position, place))
        if COMMANDS[command.name].in_stream(command) is InStream.WINDOWED:
            found += _run(commands, touched)
            touched = []
    return found + _run(commands, touched)


def _run(commands: Sequence[Command], touched: Sequence[tuple[int, str]]) -> list[Run]:
    if not touched:
        return []
    (start, place), (last, _) = touched[0], touched[-1]
    for command in commands[start:last]:
        own = in_stream if not any(parts_of(command)) else COMMANDS[command.name].in_stream
        waits = COMMANDS[command.name].together is None and own(command) is not InStream.ROW_WISE
        if waits or COMMANDS[command.name].state is RowState.FIRST:
            fail(BETWEEN, command.name_span, command=command.name)
    return [Run(start, last + 1, place)]


def single(commands: Sequence[tuple[int, Command]]) -> list[tuple[int, Command]]:
    """The commands, each with one assignment at most: the second of an ``eval`` reads what the first one set."""
    found: list[tuple[int, Command]] = []
    for place, command in commands:
        if COMMANDS[command.name].state is RowState.ASSIGNS:
            args = command.args
            found += [(place, replace(command, args=replace(args, assignments=(a,)))) for a in args.assignments]
        else:
            found.append((place, command))
    return found
