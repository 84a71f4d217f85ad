"""Expressions over results that Python computes where it is certain what SQL gives (:mod:`logsql.values.cells`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from logsql.values import cells
from logsql.values.cells import Cell


@dataclass(frozen=True)
class Constant:
    """A constant."""

    cell: Cell


@dataclass(frozen=True)
class Parts:
    """A value by its kinds, at most one of which is set: columns of results, or of the row."""

    columns: tuple[tuple[str, str], ...]
    result: bool


@dataclass(frozen=True)
class Apply:
    """What a function makes of cells."""

    function: cells.Direct
    args: tuple[Plain, ...]


Plain: TypeAlias = "Constant | Parts | Apply"
Compute: TypeAlias = "Callable[[int], Cell | None]"


class Columns(Protocol):
    """Where values are."""

    @property
    def results(self) -> dict[str, list[object]]: ...
    def column(self, ident: str) -> list[object]:
        """The values of a column of the batch."""


def compiled(plain: Plain, columns: Columns) -> Compute:
    """What computes the value for a row."""
    if isinstance(plain, Constant):
        cell = plain.cell
        return lambda row: cell
    if isinstance(plain, Parts):
        found = [(k, columns.results[i] if plain.result else columns.column(i)) for k, i in plain.columns]
        return _single(*found[0]) if len(found) == 1 else partial(_first, found)
    function, args = plain.function, [compiled(arg, columns) for arg in plain.args]
    if len(args) == 2:
        first, second = args
        return lambda row: function((first(row), second(row)))
    return lambda row: function([arg(row) for arg in args])


def _single(kind: str, values: list[object]) -> Compute:
    null = cells.NULL

    def compute(row: int) -> Cell:
        value = values[row]
        return null if value is None else (kind, value)

    return compute


def _first(found: Sequence[tuple[str, list[object]]], row: int) -> Cell:
    for kind, values in found:
        value = values[row]
        if value is not None:
            return kind, value
    return cells.NULL


def binary(op: str) -> cells.Direct:
    """An operator as a function of cells."""
    if op in ("and", "or"):
        return lambda sides: cells.joined(op, sides[0], sides[1])
    make = cells.arithmetic if op in ("+", "-", "*", "/") else cells.compared

    def apply(sides: Sequence[Cell | None]) -> Cell | None:
        left, right = sides
        return None if left is None or right is None else make(op, left, right)

    return apply


def matching(op: str, pattern: str) -> cells.Direct:
    """A comparison with a text constant."""
    return lambda sides: None if sides[0] is None else cells.matched(op, sides[0], pattern)


def as_truth(sides: Sequence[Cell | None]) -> Cell | None:
    """The truth of a value."""
    found = None if sides[0] is None else cells.truth(sides[0])
    return None if found is None else ("bool", found)


def as_text(sides: Sequence[Cell | None]) -> Cell | None:
    """The text of a value."""
    return None if sides[0] is None else cells.text(sides[0])


OPERATORS = frozenset({"and", "or", "+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">="})
