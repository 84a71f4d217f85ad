"""``setq``: query parameters from the first row of a subquery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.commands.transform.set_ import PLAIN, literal
from logsql.diagnostics.errors import QueryError
from logsql.diagnostics.options import NO_SUBQUERY
from logsql.language.tree import Subquery
from logsql.planner import duties
from logsql.planner.expressions import OPEN_PARAMETERS
from logsql.planner.relation import Column, Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import ANY_JSON
from logsql.values.values import Typed, to_variant

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class SetqArgs:
    """The query whose first row becomes parameters."""

    subquery: Subquery


def parse(reader: ArgReader) -> SetqArgs:
    subquery = reader.subquery()
    assert subquery is not None
    return SetqArgs(subquery)


def lower(stage: Stage) -> Rel | None:
    steps = len(stage.chain.steps)
    rel = stage.flush(stage.limit(stage.subquery(stage.arguments(SetqArgs).subquery), 1))
    pure = len(stage.chain.steps) == steps
    stored = stage.materialise(rel, "setq")
    for column in rel.columns:
        value = _now(stage, rel, column) if pure else None
        stage.chain.params[column.name] = value or _later(stored, column)
    if rel.rest is not None and not rel.rest.is_map:
        stage.chain.params[OPEN_PARAMETERS] = Typed(_first(stored.source, sql.col(rel.rest.ident)), ANY_JSON)
    return stage.input


def _now(stage: Stage, rel: Rel, column: Column) -> Typed | None:
    """The value as a constant, where planning can compute it: options and paths need constants."""
    if column.type.kind not in PLAIN or column.parts:
        return None
    select = sql.select([sql.col(column.ident)], sql.table(rel.source), limit=exp.Limit(expression=sql.integer(1)))
    try:
        value = stage.catalog.evaluate(exp.Subquery(this=stage.chain.with_ctes(select, rel.source)))
    except QueryError:
        return None
    return literal(value, column.type)


def _later(stored: Rel, column: Column) -> Typed:
    """The value as a scalar subquery over the stored row."""
    if column.parts:
        return Typed(_first(stored.source, to_variant(stored.value(column)).expr), column.type)
    return Typed(_first(stored.source, sql.col(column.ident)), column.type)


def _first(source: str, node: exp.Expression) -> exp.Expression:
    return exp.Subquery(this=sql.select([node], sql.table(source), limit=exp.Limit(expression=sql.integer(1))))


register(
    CommandSpec(
        name="setq",
        group=Group.TRANSFORM,
        summary=(
            "Set query parameters from the first row of a subquery.",
            "서브쿼리의 첫 행으로 쿼리 매개변수를 설정합니다.",
        ),
        usage=("setq [ QUERY ]",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.QUERY,),
        subquery=duties.Subquery.ALONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.FIRST,
        takes_options=False,
        description="""\
Every field of the first row becomes a parameter, read with `$("FIELD")`. All `setq` of a query run before anything
else, in order. Without a row no parameter is set (they read as null).
""",
        examples=(
            Example(
                "Rows near the largest value",
                'setq [ table t | stats max(n) as top ] | table t | search n > $("top") - 2',
                ({"n": 8}, {"n": 9}),
                {"t": [{"n": 1}, {"n": 8}, {"n": 9}]},
            ),
        ),
        errors=(NO_SUBQUERY.when(("no subquery in brackets", "대괄호로 묶은 서브쿼리가 없습니다")),),
    )
)
