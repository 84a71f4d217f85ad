"""``sort``: rows in the order of field values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.language import NEED_COLUMN
from logsql.language.tree import Name, SortKey
from logsql.operators.grouping import identity
from logsql.planner import duties, mixedlosses
from logsql.planner.notes import numbers
from logsql.planner.ordering import field_keys
from logsql.planner.plan import order_items
from logsql.planner.relation import OrderKey, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_KEYS = NEED_COLUMN.says(
    ("sort needs the name of a field", "sort에는 필드 이름이 필요합니다"),
    help=syntax("sort [limit=N] [-]NAME, ... [by NAME, ...]"),
)
BY_CLAUSE = define(
    "21601",
    "invalid-by-clause",
    ("a comma ends the by clause", "by 절이 쉼표로 끝납니다"),
    ("a field is missing after by", "by 뒤에 필드가 없습니다"),
)
INVALID_LIMIT = define(
    "21602", "invalid-limit-option", ("limit is no integer above 0", "limit이 1 이상의 정수가 아닙니다")
)


@dataclass(frozen=True)
class SortArgs:
    """Sort fields and partition fields; ``limited`` tells that ``limit=`` is written."""

    keys: tuple[SortKey, ...]
    by: tuple[Name, ...] = ()
    limited: bool = False


def parse(reader: ArgReader) -> SortArgs:
    keys = reader.sort_list(stop=("by",))
    if not keys:
        reader.fail(NO_KEYS)
    by: list[Name] = []
    if reader.keyword("by"):
        by = reader.name_list(trailing_comma=BY_CLAUSE)
        if not by:
            reader.fail(BY_CLAUSE)
    return SortArgs(tuple(keys), tuple(by), any(o.key == "limit" for o in reader.options))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(SortArgs)
    limit: int | None = stage.option("limit")
    rel = stage.rel
    if limit is None and not stage.order_needed:
        return rel
    if rel.order.defined:
        rel = stage.with_keys(rel)
    before = rel.order.keys or ()
    wanted = [(n.text, False) for n in args.by] + [(k.name.text, k.descending) for k in args.keys]
    numbers.sorted_by(stage.context(rel), stage.spec.name, args.keys)
    rel = _counted(stage, rel, args.keys)
    rel, keys = field_keys(stage, rel, wanted)
    taken = {k.ident for k in keys}
    rel = stage.reordered(rel, [*keys, *(k for k in before if k.ident not in taken)])
    rel = replace(rel, tag=rel.tag or (stage.tag if rel.pending else ""))
    if limit is None:
        return rel
    if not args.by:
        return stage.limit(rel, limit)
    return _limit_each(stage, rel, limit)


def _counted(stage: Stage, rel: Rel, keys: tuple[SortKey, ...]) -> Rel:
    """The rows as they are; texts like "9" among the numbers of a key are counted."""
    rel, tests = stage.lowered(rel, lambda cx: mixedlosses.sorted_among(cx, stage.spec.name, keys))
    for test in tests:
        rel = stage.where(rel, test)
    return rel


def _limit_each(stage: Stage, rel: Rel, limit: int) -> Rel:
    """The first rows of each partition; partitions are told apart by exact value."""

    names = [n.text for n in stage.arguments(SortArgs).by]
    rel = stage.flush(rel)
    rel, parts = stage.lowered(rel, lambda cx: [node for n in names for node in identity(cx.field(n))])
    rank = rel.fresh_ident("__rank")
    items = [(i, rel.expr(i)) for i in rel.all_idents()]
    window = sql.row_number(sql.order_by(order_items(rel)), parts)
    rel = stage.select("sort_rank", rel, [*items, (rank, window)])
    return stage.where(rel, sql.binary("<=", sql.col(rank), sql.integer(limit)))


def order(args: SortArgs) -> duties.OrderNeed:
    return duties.OrderNeed.NEEDS if args.limited else duties.OrderNeed.KEEPS


_ROWS: list[dict[str, object]] = [
    {"host": "a", "bytes": 10},
    {"host": "b", "bytes": 30},
    {"host": "a", "bytes": 20},
    {"host": "b", "bytes": None},
]

register(
    CommandSpec(
        name="sort",
        group=Group.FILTER,
        summary=("Sort rows by field values.", "필드 값을 기준으로 행을 정렬합니다."),
        usage=("sort [limit=N] [-]NAME, ... [by NAME, ...]",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.FIELD_LIST, duties.BY_FIELDS),
        subquery=duties.Subquery.NONE,
        order=duties.OrderDuty(order, duties.OrderGiven.OWN),
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "limit",
                OptionKind.INT,
                ("keep the first rows only (of each partition with by)", "앞의 행만 남김 (by가 있으면 파티션마다)"),
                minimum=1,
                error=INVALID_LIMIT,
            ),
        ),
        description="""\
Ascending, or descending for a field with `-` before it. Null is the smallest value: first ascending, last descending.
Values of different types sort as null, booleans, numbers, dates, addresses, text, lists, maps, binary; text ignores
letter case. Rows with equal keys keep their order. With `by`, rows are sorted inside each partition, partitions
ascending.
""",
        examples=(
            Example("The two largest", "table t | sort limit=2 -bytes", (_ROWS[1], _ROWS[2]), {"t": _ROWS}),
            Example(
                "The largest of each host", "table t | sort limit=1 -bytes by host", (_ROWS[2], _ROWS[1]), {"t": _ROWS}
            ),
            Example(
                "Ascending, null first", "table t | sort bytes", (_ROWS[3], _ROWS[0], _ROWS[2], _ROWS[1]), {"t": _ROWS}
            ),
        ),
        errors=(NEED_COLUMN, BY_CLAUSE, INVALID_LIMIT),
        ledger=(mixedlosses.SORTED_AMONG_NUMBERS,),
    )
)

__all__ = ["OrderKey", "SortArgs"]
