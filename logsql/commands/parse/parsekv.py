"""``parsekv``: the fields of key-value text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.commands.parse._overlay import META, Document, carry, lay_over
from logsql.diagnostics.delimiters import EMPTY_DELIMITER
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind, LType

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_DELIMITER = EMPTY_DELIMITER.says(
    (
        "{option}= is the text between the parts and cannot be empty",
        "{option}=은(는) 부분 사이의 텍스트이므로 비워 둘 수 없습니다",
    )
)

_LIST = LType(Kind.LIST, "VARCHAR[]", STRING)
_TEXT_MAP = LType(Kind.MAP, "MAP(VARCHAR, VARCHAR)")


def parse(reader: ArgReader) -> None:
    return None


def lower(stage: Stage) -> Rel:
    pair, delimiter = stage.option("pairdelim"), stage.option("kvdelim")
    for name, value in (("pairdelim", pair), ("kvdelim", delimiter)):
        if not value:
            stage.fail(NO_DELIMITER, option=name)
    field, overlay = stage.option("field"), stage.option("overlay")
    rel, text = stage.lowered(stage.rel, lambda cx: values.text_sql(cx.field(field)))
    if not overlay:
        # A row without text has no pairs, and nothing of it would be left (language.md 8.3).
        rel = stage.where(rel, sql.not_null(text.copy()))
    rel, (pairs,) = carry(stage, rel, ("__pairs", _pairs(text, pair), _LIST))
    rel, (found,) = carry(stage, rel, ("__kv", pairs_map(sql.col(pairs), delimiter), _TEXT_MAP))
    document = Document(sql.not_null(sql.col(found)), found, is_map=True, scratch=(pairs, found))
    return lay_over(stage, rel, document, overlay, () if overlay else META, everywhere=not overlay)


def _pairs(text: Sql, delimiter: str) -> Sql:
    """The trimmed pieces that are not empty."""
    pieces = sql.func("string_split", text, sql.string(delimiter))
    trim = sql.func("trim", sql.var("p"), sql.string(" \t\r\n"))
    trimmed = sql.func("list_transform", pieces, sql.lambda_(["p"], trim))
    return sql.func("list_filter", trimmed, sql.lambda_(["p"], sql.binary("<>", sql.var("p"), sql.string(""))))


def pairs_map(pairs: Sql, delimiter: str) -> Sql:
    """``key<delimiter>value`` pieces as a MAP; no delimiter: the value is null; of equal keys the last one counts."""
    piece = sql.var("p")
    place = sql.func("strpos", piece, sql.string(delimiter))
    behind = sql.binary("+", place.copy(), sql.integer(len(delimiter)))
    cut = sql.binary(">", place, sql.integer(0))
    before = sql.func("left", piece.copy(), sql.binary("-", place.copy(), sql.integer(1)))
    key = sql.case([(cut, before)], piece.copy())
    value = sql.when(cut.copy(), sql.func("substring", piece.copy(), behind))
    keys = sql.func("list_transform", pairs, sql.lambda_(["p"], key))
    values_ = sql.func("list_transform", pairs.copy(), sql.lambda_(["p"], value))
    plain = sql.func("map", keys, values_)
    # A key that comes again: keep the pieces whose key is not among those behind them.
    later = sql.func("list_slice", keys.copy(), sql.binary("+", sql.var("i"), sql.integer(1)), sql.integer(-1))
    last = sql.not_(sql.func("list_contains", later, key.copy()))
    kept = sql.func("list_filter", pairs.copy(), sql.lambda_(["p", "i"], last))
    unique = sql.func(
        "map",
        sql.func("list_transform", kept, sql.lambda_(["p"], key.copy())),
        sql.func("list_transform", kept.copy(), sql.lambda_(["p"], value.copy())),
    )
    distinct = sql.eq(sql.func("len", keys.copy()), sql.func("list_unique", keys.copy()))
    return sql.case([(sql.is_null(pairs.copy()), sql.null()), (distinct, plain)], unique)


register(
    CommandSpec(
        name="parsekv",
        group=Group.PARSE,
        summary="Take the fields out of key=value text.",
        usage=('parsekv [field=FIELD] [pairdelim=" "] [kvdelim="="] [overlay=t]',),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("field", OptionKind.FIELD, "the field that holds the text", default="line"),
            OptionSpec("pairdelim", OptionKind.TEXT, "the text between pairs", default=" "),
            OptionSpec("kvdelim", OptionKind.TEXT, "the text between key and value", default="="),
            OptionSpec("overlay", OptionKind.BOOL, "t lays the pairs over the row", default=False),
        ),
        description="""\
Every value is text. A pair is cut at the first `kvdelim`; a piece without one is a key whose value is null. When a
key comes again the last value counts. Without `overlay=t` only the pairs and `_time`, `_id`, `_table` remain, and a
row whose field is null is dropped.
""",
        examples=(
            Example(
                "A firewall line",
                "table t | parsekv | fields src, sp",
                ({"src": "1.2.3.4", "sp": "55"},),
                {"t": [{"line": "src=1.2.3.4 sp=55 flag"}]},
            ),
            Example(
                "Other delimiters",
                'table t | parsekv pairdelim=";" kvdelim=":" overlay=t | fields a, c, z',
                ({"a": "1", "c": "3", "z": 1},),
                {"t": [{"line": "a:1;b:2;;c:3", "z": 1}]},
            ),
        ),
        errors=(EMPTY_DELIMITER,),
    )
)
