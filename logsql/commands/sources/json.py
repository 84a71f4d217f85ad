"""``json``: rows from a JSON literal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.sources._literal_rows import rows_relation
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.losses import loss
from logsql.diagnostics.reasons import REPEATED_KEY
from logsql.language.tree import Call, Expr, Span, Text
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from udfs.lenientjson import Json, LenientError
from udfs.lenientjson import parse as parse_lenient

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_OBJECT = loss("item-not-an-object", ("items of the list that are no objects: no row", "객체가 아닌 항목: 행 없음"))
UNQUOTED = define(
    "10200",
    "missing-json-quotation",
    ("the text does not stand in double quotes", "텍스트가 큰따옴표로 묶여 있지 않습니다"),
    ("the JSON text of json stands in double quotes", "json의 JSON 텍스트는 큰따옴표로 묶습니다"),
    help=syntax("json \"{{'a': 1}}\""),
)
TYPE = define(
    "10201",
    "invalid-json-type",
    ("the text is neither an object nor an array", "텍스트가 객체도 배열도 아닙니다"),
    ("the JSON text is neither an object nor an array", "JSON 텍스트가 객체도 배열도 아닙니다"),
    help=('write "{{...}}" or "[{{...}}, {{...}}]"', '"{{...}}"나 "[{{...}}, {{...}}]" 형식으로 쓰세요'),
)
NULL_TEXT = TYPE.says(
    ("json needs a text, and the expression gives null", "json에는 텍스트가 필요하지만 표현식의 값이 null입니다")
)
NO_TEXT = TYPE.says(
    (
        "json needs a text, and the expression gives a value of type {type}",
        "json에는 텍스트가 필요하지만 표현식의 값은 {type} 타입입니다",
    )
)
INVALID = define(
    "10202",
    "invalid-json",
    ("the text cannot be read as JSON", "텍스트를 JSON으로 읽을 수 없습니다"),
    ("the JSON text cannot be read: {reason}", "JSON 텍스트를 읽을 수 없습니다: {reason}"),
)


@dataclass(frozen=True)
class JsonArgs:
    """JSON text, or the constant expression that gives it."""

    source: Text | Expr


def parse(reader: ArgReader) -> JsonArgs:
    text = reader.quoted_json()
    if text is not None:
        return JsonArgs(text)
    if reader.at_end() or reader.text[0] in "{['":
        reader.fail(UNQUOTED)
    expr = reader.expr()
    if not isinstance(expr, Call):
        reader.fail(UNQUOTED, expr.span)
    return JsonArgs(expr)


def lower(stage: Stage) -> Rel:
    source = stage.arguments(JsonArgs).source
    if isinstance(source, Text):
        return rows_relation(stage, read_rows(stage, source.value, source.span))
    value = stage.constant(source, "the JSON text")
    if value is None:
        stage.fail(NULL_TEXT, source.span)
    if not isinstance(value, str):
        stage.fail(NO_TEXT, source.span, type=type(value).__name__)
    return rows_relation(stage, read_rows(stage, value, source.span))


def read_rows(stage: Stage, text: str, span: Span) -> list[dict[str, Json]]:
    """The object, or the objects of the array, in a text of the lenient dialect."""
    if not text.lstrip().startswith(("{", "[")):
        stage.fail(TYPE, span)
    try:
        repeated: list[str] = []
        value = parse_lenient(text, repeated=repeated)
    except (LenientError, RecursionError) as problem:
        stage.fail(INVALID, span, reason=problem)
    if repeated:
        stage.chain.catalog.lost("json", REPEATED_KEY.name, len(repeated), repeated[0])
    items = value if isinstance(value, list) else [value]
    rows = [row for row in items if isinstance(row, dict)]
    if len(rows) < len(items):
        first = next(item for item in items if not isinstance(item, dict))
        stage.chain.catalog.lost("json", NO_OBJECT.name, len(items) - len(rows), str(first))
    return rows


register(
    CommandSpec(
        name="json",
        group=Group.SOURCE,
        summary=("Make rows from JSON text.", "JSON 텍스트로 행을 만듭니다."),
        usage=('json "JSON"', "json EXPRESSION"),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description=r"""\
An object is one row, an array of objects one row each. Inside the double quotes write `\"` for a quote; single quotes
do as well, and keys and plain words need none. Integers are int or long, numbers with a fraction double, nested objects
maps and arrays lists. `json "{}"` is one row without fields, the start for queries that compute something.

Instead of the text a constant expression may stand, such as `$("rows")`.
""",
        examples=(
            Example(
                "Two rows to try something on",
                "json \"[{ 'a': 8, 'b':'miles' }, { 'a': 2, 'b':'cats' }]\"",
                ({"a": 8, "b": "miles"}, {"a": 2, "b": "cats"}),
            ),
            Example("One empty row", 'json "{}" | eval n = 1 + 1', ({"n": 2},)),
        ),
        errors=(UNQUOTED, TYPE, INVALID),
        ledger=(NO_OBJECT, REPEATED_KEY),
    )
)
