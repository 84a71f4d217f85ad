"""``explode``: one row per list element."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.notes import documents
from logsql.planner.relation import Column, OrderKey, Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY, ANY_LIST, LONG, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

MISSING_FIELD = define(
    "20300",
    "missing-explode-field",
    ("no field", "필드가 없습니다"),
    ("explode needs the name of a field", "explode에는 필드 이름이 필요합니다"),
    help=syntax("explode FIELD"),
)


@dataclass(frozen=True)
class ExplodeArgs:
    """The field that holds lists."""

    field: Name


def parse(reader: ArgReader) -> ExplodeArgs:
    field = reader.rest_name()
    if not field.text:
        reader.fail(MISSING_FIELD)
    return ExplodeArgs(field)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(ExplodeArgs)
    name = args.field.text
    rel, value = stage.lowered(stage.rel, lambda cx: cx.field(name))
    listed = values.as_list(value)
    if listed is None:
        documents.opened(stage.context(rel), "explode", name, args.field.span, Kind.LIST)
        return rel
    element, items = _elements(value, listed)
    if not rel.order.physical and rel.order.keys is not None and stage.order_needed:
        return _unnest(stage, rel, name, element, items, numbered=True)
    return _unnest(stage, rel, name, element, items, numbered=False)


def _elements(value: Typed, listed: Typed) -> tuple[LType, Sql]:
    """Type of the elements, and a list per row: the list itself, or one element for what is no list."""
    own = listed.type.element or ANY
    if listed is value:
        alone: Sql = sql.array([sql.null(own.physical)])
        return own, sql.coalesce(listed.expr, alone)
    if value.type.json:
        return own, sql.coalesce(listed.expr, sql.array([value.expr]))
    whole = values.coerce(listed, ANY_LIST)
    return ANY, sql.coalesce(whole, sql.array([values.to_variant(value).expr]))


def _unnest(stage: Stage, rel: Rel, name: str, element: LType, items: Sql, numbered: bool) -> Rel:
    """One row per element. Rows that arrive in order stay so; else the place in the list becomes the last order key."""
    old = rel.column(name)
    ordering = {k.ident for k in rel.order.keys or ()}
    reuse = old is not None and not old.parts and old.ident not in ordering
    ident = old.ident if reuse and old is not None else rel.fresh_ident(name)
    column = Column(name, ident, element)
    columns = tuple(column if c.name == name else c for c in rel.columns)
    if old is None:
        columns = (*rel.columns, column)
    rest = rel.rest.hide([name]) if rel.rest is not None else None
    after = replace(rel, columns=columns, rest=rest)
    kept: list[tuple[str, Sql]] = [(i, rel.expr(i)) for i in after.all_idents() if i != ident]
    made: list[tuple[str, Sql]] = [(ident, sql.func("unnest", items))]
    if numbered:
        place = after.fresh_ident("__place")
        made.append((place, sql.func("generate_subscripts", items.copy(), sql.integer(1))))
        keys = (*(rel.order.keys or ()), OrderKey(place, LONG))
        return stage.reordered(stage.select("explode", after, [*kept, *made]), keys)
    return stage.select("explode", after, [*kept, *made])


register(
    CommandSpec(
        name="explode",
        group=Group.TRANSFORM,
        summary=("One row per element of a list.", "목록의 요소마다 한 행을 만듭니다."),
        usage=("explode FIELD",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.FIELD_LIST,),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
Every element of the list becomes a row with the other fields copied. An empty list gives no row; a value that is null
or no list passes unchanged.
""",
        examples=(
            Example(
                "Count addresses in lines",
                'table t | eval ip = split(line, " ") | explode ip | stats count by ip',
                ({"ip": "10.0.0.1", "count": 1}, {"ip": "10.0.0.2", "count": 2}, {"ip": "10.0.0.3", "count": 1}),
                {"t": [{"line": "10.0.0.1 10.0.0.2"}, {"line": "10.0.0.2 10.0.0.3"}]},
            ),
        ),
        errors=(MISSING_FIELD,),
    )
)
