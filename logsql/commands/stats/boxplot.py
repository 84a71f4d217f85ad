"""``boxplot``: five numbers that describe the spread of values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.diagnostics.codes import define, syntax
from logsql.language.tree import Expr, Name
from logsql.operators.grouping import Groups, Result, ascending, check_names, group, make_key
from logsql.operators.merging import Idents
from logsql.planner import duties
from logsql.planner.expressions import ExprContext
from logsql.planner.notes.numbers import spread
from logsql.planner.relation import Column, Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sorting import sort_keys
from logsql.values.sql import Sql
from logsql.values.types import LONG, NULL, Kind, list_of
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_EXPRESSION = define(
    "20001",
    "missing-expr",
    ("no expression", "표현식이 없습니다"),
    ("boxplot needs an expression", "boxplot에는 표현식이 필요합니다"),
    help=syntax("boxplot EXPR [by FIELD, ...]"),
)
BY_CLAUSE = define(
    "20000",
    "missing-clause",
    ("a comma ends the by clause", "by 절이 쉼표로 끝납니다"),
    ("a field is missing after by", "by 뒤에 필드가 없습니다"),
)

RESULTS = ("min", "iqr1", "iqr2", "iqr3", "max", "count")


@dataclass(frozen=True)
class BoxplotArgs:
    """The value and the group fields."""

    value: Expr
    by: tuple[Name, ...] = ()


def parse(reader: ArgReader) -> BoxplotArgs:
    if reader.at_end():
        reader.fail(NO_EXPRESSION)
    value = reader.expr_until("by", missing=NO_EXPRESSION)
    by: tuple[Name, ...] = ()
    if reader.keyword("by"):
        by = tuple(reader.name_list(trailing_comma=BY_CLAUSE))
        if not by:
            reader.fail(BY_CLAUSE)
    return BoxplotArgs(value, by)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(BoxplotArgs)
    check_names(args.by, [Name(n, stage.command.name_span) for n in RESULTS])

    def make(cx: ExprContext) -> tuple[list[Typed], Typed]:
        value = cx.lower(args.value)
        spread(cx, args.value, value)
        value = values.to_variant(value) if value.parts else value
        return [cx.field(n.text) for n in args.by], Typed(cx.let(value.expr), value.type, value.pointer)

    rel, (keys, value) = stage.lowered(stage.rel, make)
    idents = Idents()
    made = tuple(make_key(n.text, k, idents) for n, k in zip(args.by, keys, strict=True))
    listed = Column("values", idents.take("__values"), list_of(value.type))
    groups = Groups(rel, made, (Result(listed, _sorted_list(value)),), idents)
    source = group(stage, "boxplot_values", groups, where=values.not_null(value))
    source = replace(source, columns=source.columns[:-1], carried=(listed,))
    return _summary(stage, source, listed, value)


def _sorted_list(value: Typed) -> Sql:
    """``list(value ORDER BY value)`` by the comparator."""
    if value.kind is Kind.NULL:
        return sql.func("list", value.expr)
    keys = sort_keys(value, False)
    return sql.func("list", exp.Order(this=value.expr, expressions=keys) if keys else value.expr)


def _summary(stage: Stage, rel: Rel, listed: Column, value: Typed) -> Rel:
    """Elements of the sorted list at 0, n div 4 and its multiples, and the last."""
    node = sql.col(listed.ident)
    size = sql.func("len", node)
    quarter = sql.binary("//", size, sql.integer(4))
    places = [sql.integer(1)]
    places += [sql.binary("+", sql.binary("*", sql.integer(i), quarter), sql.integer(1)) for i in (1, 2, 3)]
    places.append(size)
    type_ = value.type if value.kind is not Kind.NULL else NULL
    keys = rel.columns
    for name, place in zip(RESULTS, places, strict=False):
        rel = stage.assign(rel, name, Typed(sql.index(node.copy(), place.copy()), type_))
    rel = stage.assign(rel, "count", Typed(size.copy(), LONG))
    rel = stage.where(rel, sql.binary(">", size.copy(), sql.integer(0)))
    return ascending(stage, replace(stage.flush(rel), carried=()), keys)


register(
    CommandSpec(
        name="boxplot",
        group=Group.STATISTICS,
        summary=(
            "Smallest, quartile and largest values of an expression.",
            "표현식의 최솟값, 사분위수, 최댓값을 구합니다.",
        ),
        usage=("boxplot EXPR [by FIELD, ...]",),
        parse=parse,
        lower=lower,
        fields=duties.CLOSES,
        arguments=(duties.Argument(duties.Kind.EXPRESSION), duties.BY_FIELDS),
        subquery=duties.Subquery.NONE,
        order=duties.SORTS,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
The values that are not null are sorted; of n values `iqr1`, `iqr2` and `iqr3` are those at n/4, 2n/4 and 3n/4,
counted from zero with n/4 rounded down, so every result is a value that occurs. `count` is n. Groups without a value
do not appear.
""",
        examples=(
            Example(
                "Spread of response times",
                "table t | boxplot ms",
                ({"min": 1, "iqr1": 3, "iqr2": 5, "iqr3": 7, "max": 8, "count": 8},),
                {"t": [{"ms": n} for n in (5, 1, 8, 3, 2, 7, 4, 6)]},
            ),
        ),
        errors=(NO_EXPRESSION, BY_CLAUSE),
    )
)
