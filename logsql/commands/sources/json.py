"""``json``: rows from a JSON literal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.sources._literal_rows import rows_relation
from logsql.language.tree import Call, Expr, Span, Text
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

_UNQUOTED = ("10200", "missing-json-quotation")
_TYPE = ("10201", "invalid-json-type")
_INVALID = ("10202", "invalid-json")


@dataclass(frozen=True)
class JsonArgs:
    """JSON text, or the constant expression that gives it."""

    source: Text | Expr


def parse(reader: ArgReader) -> JsonArgs:
    text = reader.quoted_json()
    if text is not None:
        return JsonArgs(text)
    if reader.at_end() or reader.text[0] in "{['":
        reader.fail(*_UNQUOTED, "the JSON text of json stands in double quotes", None, "json \"{'a': 1}\"")
    expr = reader.expr()
    if not isinstance(expr, Call):
        reader.fail(*_UNQUOTED, "the JSON text of json stands in double quotes", expr.span, "json \"{'a': 1}\"")
    return JsonArgs(expr)


def lower(stage: Stage) -> Rel:
    source = stage.arguments(JsonArgs).source
    if isinstance(source, Text):
        return rows_relation(stage, read_rows(stage, source.value, source.span))
    value = stage.constant(source, "the JSON text")
    if not isinstance(value, str):
        found = "null" if value is None else f"a value of type {type(value).__name__}"
        stage.fail(*_TYPE, f"json needs a text, and the expression gives {found}", source.span)
    return rows_relation(stage, read_rows(stage, value, source.span))


def read_rows(stage: Stage, text: str, span: Span) -> list[dict[str, object]]:
    """The object, or the objects of the array, in a text of the lenient dialect."""
    from udfs.lenientjson import LenientError, parse

    if not text.lstrip().startswith(("{", "[")):
        stage.fail(*_TYPE, "the JSON text is neither an object nor an array", span, 'write "{...}" or "[{...}, {...}]"')
    try:
        value = parse(text)
    except (LenientError, RecursionError) as problem:
        stage.fail(*_INVALID, f"the JSON text cannot be read: {problem}", span)
    if isinstance(value, dict):
        return [value]
    rows = [row for row in value if isinstance(row, dict)]
    if len(rows) < len(value):
        stage.note(f"{len(value) - len(rows)} of {len(value)} items are no objects and make no rows")
    return rows


register(
    CommandSpec(
        name="json",
        group=Group.SOURCE,
        summary="Make rows from JSON text.",
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
        errors=(
            (*_UNQUOTED, "the text does not stand in double quotes"),
            (*_TYPE, "the text is neither an object nor an array"),
            (*_INVALID, "the text cannot be read as JSON"),
        ),
    )
)
