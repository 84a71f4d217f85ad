"""Rows between two commands, and the registry of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .evaluate import Binder
from .values import Ctx, Row


@dataclass
class Stream:
    """Lazy rows; ``columns`` and ``ordered`` hold once the first row was asked for (columns: once all were)."""

    rows: Iterator[Row]
    columns: Callable[[], list[str]]
    ordered: Callable[[], bool]


@dataclass
class Step:
    """What a command is built from: context, argument text, input (None for the first command), subquery builder."""

    ctx: Ctx
    args: str
    source: Stream | None
    build: Callable[[str, Ctx, Stream | None], Stream]
    binder: Binder = field(init=False)

    def __post_init__(self) -> None:
        self.binder = Binder(self.ctx)

    @property
    def input(self) -> Stream:
        return self.source if self.source is not None else Stream(iter(()), list, lambda: True)

    def need_order(self, what: str) -> None:
        """Note a result that depends on the order of rows that have none."""
        if not self.input.ordered():
            self.ctx.note(f"{what} over rows in no order")


Command = Callable[[Step], Stream]
COMMANDS: dict[str, Command] = {}


def command(name: str) -> Callable[[Command], Command]:
    """Register the builder of a command."""

    def register(fn: Command) -> Command:
        COMMANDS[name] = fn
        return fn

    return register


def same(step: Step, rows: Iterator[Row]) -> Stream:
    """Output with the columns and the order of the input."""
    return Stream(rows, step.input.columns, step.input.ordered)


def added(step: Step, rows: Iterator[Row], names: list[str]) -> Stream:
    """Output that keeps the order and appends columns."""
    return Stream(rows, lambda: append(step.input.columns(), names), step.input.ordered)


def append(columns: list[str], names: list[str]) -> list[str]:
    return columns + [n for n in dict.fromkeys(names) if n not in columns]
