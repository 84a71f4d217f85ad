"""Relations: what one stage of a pipeline looks like to the next.

A relation reads one CTE (or table) of the chain and knows the fields in order, the columns it carries along unseen
(order keys, parts of mixed values), the open rest of the row, and how its rows are ordered. It may hold a *pending*
projection and filter that no CTE has been written for yet, so that neighbouring ``eval`` commands share one SELECT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import ANY, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.planner.catalog import SourceSpec


@dataclass(frozen=True, slots=True)
class Column:
    """A field: its case-sensitive name, the SQL column that holds it, its type.

    DuckDB identifiers ignore case and the language does not, so ``ident`` differs from ``name`` where two fields of a
    stage differ only in case. A column with ``parts`` has no SQL column of its own: its value is whichever part is set.
    """

    name: str
    ident: str
    type: LType
    parts: tuple[Column, ...] = ()

    def idents(self) -> tuple[str, ...]:
        return tuple(p.ident for p in self.parts) if self.parts else (self.ident,)


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """How discovered names of a pivot sort (:mod:`logsql.operators.pivotnames`): by the values, then by aggregate.
    ``kinds`` are the types of the values in a name.
    """

    kinds: tuple[Kind, ...]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """The open part of a row: fields known only when data is read, in one JSON or MAP column.

    ``hidden`` names are fields that an earlier command removed or took over. ``value_type`` is the type of every field
    read from it. ``key_order`` is None for order of first appearance. ``replaced`` names fields that the open part took
    the place of: they hold a value only in rows that could not be parsed. ``ahead`` names the fields that stand before
    the open ones (None: all); what later commands add stands behind them. ``moved`` are those of them that stand where
    the open part has them, if it does (the row was replaced). ``places`` pairs a renamed field with
    the open field in whose place it stands, and a name that it left with None.
    """

    ident: str
    value_type: LType
    is_map: bool = False
    hidden: frozenset[str] = frozenset()
    key_order: KeyOrder | None = None
    sorted_after: int | None = None
    replaced: frozenset[str] = frozenset()
    ahead: frozenset[str] | None = None
    moved: frozenset[str] = frozenset()
    places: tuple[tuple[str, str | None], ...] = ()

    def hide(self, names: Iterable[str]) -> Rest:
        """The open part without these names, which are fields of their own from here on."""
        taken = frozenset(names)
        return replace(self, hidden=self.hidden | taken, replaced=self.replaced - taken)

    def rename(self, old: str, new: str) -> Rest:
        """The open part when a field takes another name, and with it its place."""
        hidden = self.hide([old, new])
        if self.ahead is None:
            return hidden
        if old in self.ahead and old not in self.moved:
            return replace(hidden, ahead=self.ahead | {new})
        places = dict(self.places)
        place = places.get(old, old)
        return replace(hidden, ahead=self.ahead - {new}, places=tuple({**places, old: None, new: place}.items()))

    def before(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the relation's fields ``names`` that stand before the open ones."""
        return frozenset(names) if self.ahead is None else self.ahead


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One column of the order of rows."""

    ident: str
    type: LType
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """How rows are ordered: ``physical`` when they arrive so, ``keys`` when sorting by them restores it."""

    physical: bool = False
    keys: tuple[OrderKey, ...] | None = None

    @property
    def defined(self) -> bool:
        return self.physical or self.keys is not None


UNORDERED = Order()
PHYSICAL = Order(physical=True)
#: Carried columns of a reader of text: when the file was read, which its ``_time`` says of every line, and when the
#: file was last written.
LOADED, WRITTEN = "__loaded", "__written"


_NAME = attrgetter("name")


@dataclass(frozen=True)
class Rel:
    """A stage's output, made by the moves of :class:`~logsql.planner.stage.Stage` only: they alone know its order.

    ``pending`` maps idents to expressions over ``source`` where they are not the plain column; ``tag`` is the name that
    the pending SELECT will get, after the command that began it. ``others`` looks up the further fields of a source
    that reads only those that the query names, for help lines; ``typed_by`` is how the source gives its texts types,
    ``blank_cells`` whether an empty cell of it is "" (a CSV file). ``declared`` is how the source says what notes need
    to know of its fields, ``inner_keys`` looks up names that the first rows have in its inner map.
    """

    source: str
    columns: tuple[Column, ...]
    carried: tuple[Column, ...] = ()
    rest: Rest | None = None
    order: Order = UNORDERED
    pending: Mapping[str, Sql] = field(default_factory=dict)
    where: Sql | None = None
    tag: str = ""
    typed_by: str = field(default="", compare=False)
    blank_cells: bool = field(default=False, compare=False)
    others: Callable[[], tuple[str, ...]] | None = field(default=None, compare=False, repr=False)
    declared: SourceSpec | None = field(default=None, compare=False, repr=False)
    inner_keys: Callable[[], tuple[str, ...]] | None = field(default=None, compare=False, repr=False)

    def column(self, name: str) -> Column | None:
        """The field of this exact name."""
        return self._named.get(name)

    @cached_property
    def _named(self) -> dict[str, Column]:
        columns = self.columns[::-1]  # of one name the first
        return dict(zip(map(_NAME, columns), columns, strict=True))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    def all_idents(self) -> list[str]:
        """Every SQL column the next SELECT must deliver, fields first, no duplicates."""
        found: dict[str, None] = {}
        for column in (*self.columns, *self.carried):
            for name in column.idents():
                found[name] = None
        if self.rest is not None:
            found[self.rest.ident] = None
        for key in self.order.keys or ():
            found[key.ident] = None
        return list(found)

    def expr(self, ident: str) -> Sql:
        """SQL of a column over ``source``."""
        return self.pending.get(ident) or sql.col(ident)

    def computed(self, ident: str) -> bool:
        """Whether the column exists only in the pending projection (and so cannot be read in the same SELECT)."""
        return ident in self.pending

    def value(self, column: Column) -> Typed:
        """The column as a value over ``source``."""
        if column.parts:
            return Typed(sql.null("VARIANT"), ANY, parts=tuple(self.value(p) for p in column.parts))
        return Typed(self.expr(column.ident), column.type)

    def fresh_ident(self, name: str, taken: Iterable[str] = ()) -> str:
        """An ident for ``name`` that no column in use equals, letter case aside."""
        used = {*map(str.lower, self.all_idents()), *map(str.lower, self.pending), *map(str.lower, taken)}
        if name and name.lower() not in used:
            return name
        number = 2
        while f"{name}__{number}".lower() in used:
            number += 1
        return f"{name}__{number}"

    def read_as(self, source: str) -> Rel:
        """The relation for expressions inside a query that reads its rows by another name (a step of ``evalc``)."""
        return replace(self, source=source)

    def with_columns(self, columns: Iterable[Column]) -> Rel:
        return replace(self, columns=tuple(columns))


#: What a statement that delivers no rows of its own hands on.
NO_ROWS = Rel("", (), order=PHYSICAL)


def only_numbered(number: Column | None) -> Rel:
    """A relation that no row is read from, for the columns that a source makes of its own: what they lose is told with
    the row's number, if it has one."""
    return Rel("", (), () if number is None else (number,))
