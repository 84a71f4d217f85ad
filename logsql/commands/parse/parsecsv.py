"""``parsecsv``: the cells of a CSV record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.parse._overlay import NO_TEXT, Document, carry, fated, lay_over
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

STRICT_TAB = INVALID_OPTION.says(("strict=t cannot go with tab=t", "strict=t와 tab=t는 함께 쓸 수 없습니다"))

ONE_CELL = loss(
    "one-cell",
    (
        "no text of any row has a second cell: cells end with commas, with tab=t with tabs; "
        "split sep= takes other texts between them",
        "어느 행에도 둘째 셀이 없습니다: 셀은 쉼표로(tab=t면 탭으로) 나눕니다. 다른 구분자는 split sep=으로 나눕니다",
    ),
    fate=Fate.DOUBTFUL,
)
_LIST = LType(Kind.LIST, "VARCHAR[]", STRING)
_TEXT_MAP = LType(Kind.MAP, "MAP(VARCHAR, VARCHAR)")


@dataclass(frozen=True)
class ParseCsvArgs:
    """Names of the cells; () for ``column0``, ``column1`` ..."""

    names: tuple[Name, ...]


def parse(reader: ArgReader) -> ParseCsvArgs:
    return ParseCsvArgs(tuple(reader.name_list(blanks=True)))


def lower(stage: Stage) -> Rel:
    field, tab, strict = stage.option("field"), stage.option("tab"), stage.option("strict")
    if tab and strict:
        stage.fail(STRICT_TAB)
    names = names_of(stage.arguments(ParseCsvArgs).names)

    def make(cx: ExprContext) -> Sql:
        text = cx.let(values.text_sql(cx.field(field)))
        split = sql.func("string_split", text, sql.string("\t" if tab else ","))
        quoted = sql.func("contains", text.copy(), sql.string('"'))
        return sql.case([(quoted, cx.udf("lq_csv", text.copy(), sql.boolean(tab), sql.boolean(strict)))], split)

    rel, cells = stage.lowered(stage.rel, make)
    rel, (listed,) = carry(stage, rel, ("__cells", cells, _LIST))
    if len(names) != 1:
        empty = sql.eq(sql.index(sql.col(listed), sql.integer(1)), sql.string(""))
        further = sql.or_(sql.binary(">", sql.func("len", sql.col(listed)), sql.integer(1)), empty)
        rel, listed = fated(stage, rel, listed, further, field, f"parsecsv field={field}", ONE_CELL)
    rel, (surplus,) = carry(stage, rel, ("__surplus", _surplus(sql.col(listed), len(names)), _TEXT_MAP))
    fixed: dict[str, tuple[Typed, Sql]] = {}
    for place, name in enumerate(names, 1):
        has = sql.binary(">=", sql.func("len", sql.col(listed)), sql.integer(place))
        fixed[name] = (Typed(sql.index(sql.col(listed), sql.integer(place)), STRING), has)
    found = Document(sql.not_null(sql.col(listed)), surplus, True, fixed, scratch=(listed, surplus))
    return lay_over(stage, rel, found, stage.option("overlay"))


def _surplus(cells: Sql, named: int) -> Sql:
    """The cells without a name as a MAP: ``columnN``, N from zero."""
    numbers = sql.func("range", sql.integer(named), sql.func("len", cells))
    keys = sql.func(
        "list_transform",
        numbers,
        sql.lambda_(["n"], sql.concat(sql.string("column"), sql.cast(sql.var("n"), "VARCHAR"))),
    )
    kept = sql.func("list_slice", cells.copy(), sql.integer(named + 1), sql.integer(-1)) if named else cells.copy()
    made = sql.func("map", keys, kept)
    return sql.when(sql.binary(">", sql.func("len", cells.copy()), sql.integer(named)), made)


register(
    CommandSpec(
        name="parsecsv",
        group=Group.PARSE,
        summary=("Take the cells out of CSV text.", "CSV 텍스트에서 셀을 추출합니다."),
        usage=("parsecsv [field=FIELD] [overlay=t] [strict=t] [tab=t] [NAME, ...]",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.NEW_FIELDS),),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "field", OptionKind.FIELD, ("the field that holds the text", "텍스트가 든 필드"), default="line"
            ),
            OptionSpec(
                "overlay",
                OptionKind.BOOL,
                ("t lays the cells over the row", "t면 원래 행에 셀을 덮어 추가"),
                default=False,
            ),
            OptionSpec(
                "strict",
                OptionKind.BOOL,
                ("t reads quotes as RFC 4180 says", "t면 따옴표를 RFC 4180대로 읽음"),
                default=False,
            ),
            OptionSpec("tab", OptionKind.BOOL, ("t: cells end with a tab", "t면 셀을 탭으로 구분"), default=False),
        ),
        description=r"""
Every cell is text. Cells take the given names in order, further ones `columnN` (N counts all cells from zero). With
`strict=f` a blank before a quote is skipped and `\"` is a quote inside quotes as `""` is. A row whose field is null
passes unchanged.
""",
        examples=(
            Example(
                "Named cells",
                "table t | parsecsv x, y | fields x, y, column2",
                ({"x": "a", "y": "b", "column2": "c"},),
                {"t": [{"line": "a,b,c"}]},
            ),
            Example(
                "Quoted cells",
                "table t | parsecsv | fields column0, column1",
                ({"column0": "foo", "column1": "bar"},),
                {"t": [{"line": '"foo","bar"'}]},
            ),
        ),
        errors=(INVALID_OPTION.when(("strict=t with tab=t", "strict=t와 tab=t를 함께 썼습니다")),),
        ledger=(ONE_CELL, NO_TEXT),
    )
)
