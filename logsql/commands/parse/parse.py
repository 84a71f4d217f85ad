"""``parse``: anchor rules, or a named log parser."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.parse import logs
from logsql.commands.parse._overlay import META, NO_TEXT, Document, carry, fated, lay_over, tallied
from logsql.commands.parse.logs.base import PARSERS
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.messages import text
from logsql.language.tree import Command, Name
from logsql.planner import duties
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

_LIST = LType(Kind.LIST, "VARCHAR[]", STRING)

_FORM = syntax('"START*STOP" as NAME')
NO_PARSER = define(
    "21000",
    "missing-parser-name",
    ("neither a parser nor a rule", "파서도 앵커 규칙도 없습니다"),
    ("parse needs the name of a parser or anchor rules", "parse에는 파서 이름이나 앵커 규칙이 필요합니다"),
    (
        'parse NAME or parse "START*STOP" as FIELD; logsql help parse lists the parsers',
        'parse 이름, 또는 parse "시작*끝" as 필드. 파서 목록은 logsql help parse로 봅니다',
    ),
)
UNKNOWN_PARSER = define(
    "21001",
    "parser-not-found",
    ("there is no such parser", "그런 파서가 없습니다"),
    ("there is no parser {name}", "{name} 파서가 없습니다"),
)
PARSERS_ARE = text("parsers: {names}", "파서: {names}")
BAD_RULE = define(
    "21003",
    "syntax-error",
    ("a rule without * or without as NAME", "규칙에 *나 as NAME이 없습니다"),
)
NO_STAR = BAD_RULE.says(
    ("an anchor has a * where the value stands", "앵커에는 값이 있는 자리에 *를 씁니다"), help=_FORM
)
NO_ALIAS = BAD_RULE.says(
    (
        'the name of the value is missing: "START*STOP" as NAME',
        '값의 이름이 없습니다: "START*STOP" as NAME',
    )
)
NOTHING_AFTER_AS = BAD_RULE.says(("the name of the value is missing behind as", "as 뒤에 값의 이름이 없습니다"))
UNQUOTED_ANCHOR = define(
    "21004",
    "anchor-should-be-quoted",
    ("the anchor does not stand in double quotes", "앵커가 큰따옴표로 묶여 있지 않습니다"),
    ("an anchor stands in double quotes", "앵커는 큰따옴표로 묶습니다"),
)
NO_ANCHOR = UNQUOTED_ANCHOR.says(UNQUOTED_ANCHOR.text, help=_FORM)
QUOTED_ALIAS = define(
    "21005",
    "alias-should-not-be-quoted",
    ("the name stands in double quotes", "이름이 큰따옴표로 묶여 있습니다"),
    ("the name of a value stands without quotes", "값의 이름은 따옴표 없이 씁니다"),
)

NO_ANCHOR_FOUND = loss(
    "no-anchor",
    (
        "the anchors are found in no text of any row: no field is set",
        "어느 행의 텍스트에도 앵커가 없어 필드가 생기지 않습니다",
    ),
    fate=Fate.PASSED,
)


@dataclass(frozen=True)
class Anchor:
    """``"START*STOP" as name``; of STOP only the first character counts, empty means to the end."""

    start: str
    stop: str
    name: Name


@dataclass(frozen=True)
class ParseArgs:
    """Anchor rules, or the name of a parser."""

    anchors: tuple[Anchor, ...] = ()
    parser: Name | None = None


def parse(reader: ArgReader) -> ParseArgs:
    if reader.at_end():
        reader.fail(NO_PARSER)
    if not reader.text.startswith('"'):
        word = reader.word()
        if reader.keyword("as"):
            reader.fail(UNQUOTED_ANCHOR, word.span if word else None)
        return ParseArgs(parser=word)
    anchors = [_anchor(reader)]
    while reader.comma():
        anchors.append(_anchor(reader))
    return ParseArgs(tuple(anchors))


def _anchor(reader: ArgReader) -> Anchor:
    text = reader.quoted_json()
    if text is None:
        reader.fail(NO_ANCHOR)
    if "*" not in text.value:
        reader.fail(NO_STAR, text.span)
    if not reader.keyword("as"):
        reader.fail(NO_ALIAS, text.span)
    if reader.text.startswith('"'):
        reader.fail(QUOTED_ALIAS)
    found = re.match(r"[^,\s]+", reader.text)
    if found is None:
        reader.fail(NOTHING_AFTER_AS, text.span)
    start, _, stop = text.value.partition("*")
    before = reader.pos
    reader.advance(before + found.end())
    span = reader.source.span(before, before + found.end())
    return Anchor(start, stop[:1], Name(found[0], span))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(ParseArgs)
    if args.parser is not None:
        return _named(stage, args.parser)
    rules = json.dumps([[a.start, a.stop] for a in args.anchors], ensure_ascii=False)
    field, overlay = stage.option("field"), stage.option("overlay")

    def make(cx: ExprContext) -> Sql:
        return cx.udf("lq_anchors", values.text_sql(cx.field(field)), sql.string(rules))

    rel, node = stage.lowered(stage.rel, make)
    rel, (listed,) = carry(stage, rel, ("__found", node, _LIST))
    source = f"parse field={field}"
    rel, listed = tallied(stage, rel, listed, _some(listed), field, source)
    rel, listed = fated(stage, rel, listed, _some(listed), field, source, NO_ANCHOR_FOUND)
    fixed: dict[str, tuple[Typed, Sql]] = {}
    for place, anchor in enumerate(args.anchors, 1):
        item = sql.index(sql.col(listed), sql.integer(place))
        if anchor.name.text in fixed:
            item = sql.coalesce(item, fixed[anchor.name.text][0].expr)
        fixed[anchor.name.text] = (Typed(item, STRING), sql.not_null(item.copy()))
    found = Document(sql.boolean(True), None, fixed=fixed, scratch=(listed,))
    rel = lay_over(stage, rel, found, overlay, () if overlay else META, everywhere=True)
    return rel if overlay else rel.with_columns(rel.columns)


def _some(listed: str) -> Sql:
    return sql.binary(">", sql.func("list_count", sql.col(listed)), sql.integer(0))


def _named(stage: Stage, name: Name) -> Rel:
    parser = PARSERS.get(name.text.lower())
    if parser is None:
        note = PARSERS_ARE.fill(names=", ".join(sorted(PARSERS)))
        stage.fail(UNKNOWN_PARSER, name.span, help=did_you_mean(name.text, PARSERS), notes=[note], name=name.text)
    return parser.lower(stage)


def _listed() -> str:
    """The parsers for the page of ``parse``, from their own declarations."""
    for module in pkgutil.iter_modules(logs.__path__, f"{logs.__name__}."):
        importlib.import_module(module.name)
    lines = []
    for spec in sorted({id(s): s for s in PARSERS.values()}.values(), key=lambda s: s.name):
        names = ", ".join(f"`{name}`" for name in (spec.name, *spec.aliases))
        lines.append(f"- {names}: {spec.told('en')}")
    return "\n".join(lines)


def order(args: ParseArgs) -> duties.OrderNeed:
    """Formats whose header lines name the fields of the lines below need the lines in order."""
    return duties.OrderNeed.NEEDS if _headed(args) else duties.OrderNeed.KEEPS


def in_stream(command: Command) -> duties.InStream:
    return duties.InStream.RUNNING if _headed(command.args) else duties.InStream.ROW_WISE


def _headed(args: ParseArgs) -> bool:
    parser = PARSERS.get(args.parser.text.lower()) if args.parser is not None else None
    return parser is not None and not parser.row_wise


register(
    CommandSpec(
        name="parse",
        group=Group.PARSE,
        summary=(
            "Take fields out of text by anchors, or with a parser for a log format.",
            "앞뒤 문자열(앵커)이나 로그 형식별 파서로 텍스트에서 필드를 추출합니다.",
        ),
        usage=('parse [overlay=t] [field=FIELD] "START*STOP" as NAME[, ...]', "parse [overlay=t] [field=FIELD] PARSER"),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.PARSER), duties.Argument(duties.Kind.NEW_FIELDS, ("as",))),
        subquery=duties.Subquery.NONE,
        order=duties.OrderDuty(order, duties.OrderGiven.INPUT),
        stream=in_stream,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "overlay",
                OptionKind.BOOL,
                ("t keeps the row and adds the found fields", "t면 원래 행에 추출한 필드를 추가"),
                default=False,
            ),
            OptionSpec(
                "field", OptionKind.FIELD, ("the field that holds the text", "텍스트가 든 필드"), default="line"
            ),
        ),
        description=f"""\
An anchor rule takes the text behind START up to the first character of STOP, or to the end when STOP is empty. The
rules are tried at every position from left to right; when a rule hits again its last hit counts. Without `overlay=t`
only the found fields and `_time`, `_id`, `_table` remain.

A parser takes `_time` from the line where it holds a time (also in its syslog head), else from the row, else it is
null. A year that is missing is the latest that puts the time at most a day behind the row's own time, the time at which
the file was written (`textfile`), or now. A row whose text is not of the format stays as it was. The parsers:

{_listed()}
""",
        examples=(
            Example(
                "Fields between anchors",
                'table t | parse "Proto:*," as proto, "Policy:*," as policy, "End:*" as until',
                ({"proto": "17", "policy": "pass", "until": "-"},),
                {"t": [{"line": "session: Proto:17, Policy:pass, End:-"}]},
            ),
        ),
        ledger=(NO_ANCHOR_FOUND, NO_TEXT),
        errors=(
            NO_PARSER,
            UNKNOWN_PARSER,
            BAD_RULE,
            UNQUOTED_ANCHOR,
            QUOTED_ALIAS,
        ),
    )
)
