"""Rows through Python and on: each row as it was, in its order, with fields that Python adds.

What a row holds crosses as Arrow where Arrow has its type, else as JSON or text, and has its own type again behind the
stage (VARIANT stays JSON, which says the same).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from logsql.planner.relation import Column, Rel
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, LONG, STRING, WIDE, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.planner.running import Memory
    from logsql.planner.runtime import StageRuntime

#: Slices of the batches in their order, each with the arrays of the fields that were made, by their names.
Slices: TypeAlias = "Iterator[tuple[pa.RecordBatch, Mapping[str, pa.Array]]]"
#: ``work(batches, runtime)``: the batches hold what was asked for under its name, beside the columns of the row.
Work: TypeAlias = "Callable[[Iterator[pa.RecordBatch], StageRuntime], Slices]"


@dataclass(frozen=True)
class Field:
    """A value of the row that Python reads, or a field that it makes."""

    name: str
    type: LType
    expr: Sql | None = None


def passed(
    stage: Stage,
    rel: Rel,
    asked: Sequence[Field],
    made: Sequence[Field],
    work: Work,
    once: bool = False,
    always: bool = False,
) -> Rel:
    """The rows of ``rel`` with the fields ``made``, which ``work`` makes of the values ``asked`` (SQL over ``rel``).

    A made field takes the place of one that has its name, else it stands behind the others. ``work`` runs at each scan
    of the rows, and yields each row once, in order: a slice leaves as soon as its answers are there. ``once``: it runs
    once, however often the plan reads the rows; ``always``: also where it reads none of them.
    """
    if rel.carried:  # what goes along unseen (the state of `evalc`) goes through as a field, and is unseen again
        seen = passed(stage, replace(rel, columns=(*rel.columns, *rel.carried), carried=()), asked, made, work, once)
        unseen = {c.name for c in rel.carried}
        shown = tuple(c for c in seen.columns if c.name not in unseen)
        return replace(seen, columns=shown, carried=tuple(c for c in seen.columns if c.name in unseen))
    given, back = portable(stage, rel, asked)
    names = [i for c in given.columns for i in c.idents()]
    rest = [] if given.rest is None else [given.rest.ident]
    idents: list[str] = []
    for field in made:
        idents.append(given.fresh_ident(field.name, idents))
    added = [Column(i, i, _crossing(f.type)) for f, i in zip(made, idents, strict=True)]
    back |= {i: f.type.physical for f, i in zip(made, idents, strict=True) if "JSON" in f.type.physical}

    def transform(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        for rows, found in work(batches, runtime):
            arrays = {i: found[f.name] for f, i in zip(made, idents, strict=True)}
            order = [*names, *idents, *rest]
            yield rows.from_arrays([arrays[i] if i in arrays else rows.column(i) for i in order], names=order)

    streamed = stage.stream(given, [*given.columns, *added], transform, given.rest, once=once, always=always)
    own = [*names, *idents, *rest]
    items: list[tuple[str, Sql]] = [(i, sql.cast(sql.col(i), back[i]) if i in back else sql.col(i)) for i in own]
    done = stage.select(stage.spec.name, streamed, items)
    fields = {f.name: Column(f.name, i, f.type) for f, i in zip(made, idents, strict=True)}
    columns = [fields.pop(c.name, c) for c in own_types(rel.columns, given.columns)]
    hidden = None if done.rest is None else done.rest.hide(f.name for f in made)
    return replace(done, columns=(*columns, *fields.values()), rest=hidden)


def remembered(value: Typed) -> tuple[LType, Sql]:
    """The type in which a value is kept between two runs, and its SQL: mixed values and documents as JSON."""
    if value.parts or value.type.variant or value.kind in (Kind.ANY, Kind.MAP, Kind.LIST) or value.type.json:
        return ANY_JSON, values.to_json(value)
    if value.type.physical in WIDE:
        return LONG, sql.try_cast(value.expr, LONG.physical)
    return value.type, value.expr


def tapped(stage: Stage, rel: Rel, columns: Sequence[Field], memory: Memory) -> Rel:
    """The rows as they are; of the last one ``columns`` (SQL over ``rel``) are remembered for the next run."""
    names = [c.name for c in columns]

    def work(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Slices:
        last: pa.RecordBatch | None = None
        for rows in batches:
            if rows.num_rows:
                last = rows.select(names).slice(rows.num_rows - 1)
            yield rows, {}
        if last is not None:
            memory.leave(last)

    return passed(stage, rel, columns, (), work)


def own_types(before: tuple[Column, ...], given: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns with their own types again, except for those that crossed as JSON for good."""
    found: list[Column] = []
    for old, new in zip(before, given, strict=True):
        if old.parts:
            found.append(replace(new, parts=own_types(old.parts, new.parts)))
        else:
            found.append(new if "VARIANT" in old.type.physical else replace(new, type=old.type))
    return tuple(found)


def _crossing(type_: LType) -> LType:
    """The type in which a made field crosses: JSON is text there."""
    return LType(STRING.kind, type_.physical.replace("JSON", "VARCHAR"))


def portable(stage: Stage, rel: Rel, asked: Sequence[Field] = ()) -> tuple[Rel, dict[str, str]]:
    """The relation in types that leave DuckDB as Arrow, and the casts that bring columns back; ``asked`` beside it."""
    extra = [(f.name, f.expr) for f in asked if f.expr is not None]
    given = rel if extra else stage.flush(rel)
    nodes: dict[str, Sql] = {i: given.expr(i) for i in given.all_idents()}
    back: dict[str, str] = {}

    def crossing(column: Column) -> Column:
        if column.parts:
            return replace(column, parts=tuple(crossing(p) for p in column.parts))
        physical = column.type.physical
        if "VARIANT" in physical:
            nodes[column.ident] = values.to_json(given.value(column))
            back[column.ident] = "JSON"
            return replace(column, type=ANY_JSON)
        if "JSON" in physical or "HUGEINT" in physical:
            back[column.ident] = physical
            if "HUGEINT" in physical:
                flat = STRING if not physical.endswith("[]") else LType(STRING.kind, "VARCHAR[]")
                nodes[column.ident] = sql.cast(given.expr(column.ident), flat.physical)
                return replace(column, type=flat)
        return column

    columns = tuple(crossing(c) for c in given.columns)
    rest = given.rest
    if rest is not None:
        back[rest.ident] = "JSON"
        if rest.is_map:
            nodes[rest.ident] = sql.func("to_json", given.expr(rest.ident))
            rest = replace(rest, value_type=ANY_JSON, is_map=False)
    done = stage.select("rows", given, [*nodes.items(), *extra])
    carried = tuple(Column(f.name, f.name, f.type) for f in asked)
    return replace(done, columns=columns, carried=carried, rest=rest, pending={}, where=None), back
