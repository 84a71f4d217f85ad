"""``mpsearch``: thousands of keyword rules against the texts of a row, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import text
from logsql.diagnostics.losses import loss
from logsql.diagnostics.options import INVALID_OPTION, NO_SUBQUERY
from logsql.diagnostics.rules import INVALID_RULES
from logsql.language.tree import Name, Subquery
from logsql.planner import duties
from logsql.planner.plan import order_items
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import MAP, Kind, list_of
from logsql.values.values import Typed
from udfs.jsontext import loads
from udfs.readers.base import Line

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import ActionRuntime

NO_FIELD = INVALID_OPTION.when(
    ("a field is missing beside the comma", "쉼표 옆에 필드가 없습니다"), name="missing-field"
)
RULE_FIELDS = text(
    "rules need the fields expr (quoted keywords joined by and, or, not) and rule",
    "규칙에는 expr(따옴표로 묶은 키워드를 and, or, not으로 이은 것)과 rule 필드가 필요합니다",
)


BROKEN_RULE = loss("broken-rule", ("rules that could not be read: left out", "읽지 못해 제외한 규칙"))


@dataclass(frozen=True)
class MpsearchArgs:
    """The fields to search (none: all) and the rules."""

    fields: tuple[Name, ...]
    rules: Subquery


def parse(reader: ArgReader) -> MpsearchArgs:
    fields = tuple(reader.name_list(trailing_comma=NO_FIELD))
    rules = reader.subquery()
    assert rules is not None
    return MpsearchArgs(fields, rules)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(MpsearchArgs)
    second, name = _read_rules(stage, args.rules)
    rel = stage.flush(stage.rel)
    wanted = names_of(args.fields)
    rel, texts = stage.lowered(rel, lambda cx: [values.text_sql(cx.field(n)) for n in (wanted or rel.names)])
    searched: Sql = sql.array([sql.cast(t, "VARCHAR") for t in texts])
    if not wanted and rel.rest is not None:
        document = rel.expr(rel.rest.ident)
        document = sql.func("to_json", document) if rel.rest.is_map else document
        every = sql.func("json_extract_string", document, sql.string("$.*"))
        searched = sql.func("list_concat", searched, sql.coalesce(every, sql.cast(sql.array([]), "VARCHAR[]")))
    row = sql.cast(_row(rel), "VARCHAR") if second else sql.null("VARCHAR")
    stage.chain.udfs.add("lq_mpsearch")
    found = sql.cast(sql.func("lq_mpsearch", searched, row, sql.string(name)), "JSON[]")
    return stage.assign(rel, "_mp_result", Typed(found, list_of(MAP)))


def _row(rel: Rel) -> Sql:
    """The fields of a row as a JSON object."""
    known = sql.func("to_json", sql.struct([(c.name, values.to_json(rel.value(c))) for c in rel.columns]))
    if rel.rest is None:
        return known
    document = rel.expr(rel.rest.ident)
    rest = sql.func("to_json", document) if rel.rest.is_map else document
    return sql.coalesce(sql.func("json_merge_patch", rest, known), known) if rel.columns else rest


def _read_rules(stage: Stage, subquery: Subquery) -> tuple[bool, str]:
    """Plan the reading of the rules before the first row; whether they may have second expressions, and their name."""
    from logsql.jobs import keywords  # for cost: few queries need it

    rel = stage.flush(stage.subquery(subquery))
    has = {n: rel.column(n) is not None or rel.rest is not None for n in ("expr", "expr2", "rule")}
    for name in ("expr", "rule"):
        if not has[name]:
            stage.fail(INVALID_RULES, subquery.span, help=RULE_FIELDS.fill(), command="mpsearch", name=name)
    rel, nodes = stage.lowered(
        rel, lambda cx: [*(values.text_sql(cx.field(n)) for n in ("expr", "expr2")), _as_json(cx.field("rule"))]
    )
    items = [sql.alias(sql.cast(node, "VARCHAR"), f"c{i}") for i, node in enumerate(nodes)]
    keys = [] if rel.order.physical else order_items(rel)
    query = sql.select(items, sql.table(rel.source), rel.where, order=sql.order_by(keys) if keys else None)
    whole = stage.chain.with_ctes(query, rel.source)
    name = keywords.token()

    def run(runtime: ActionRuntime) -> None:
        rows: list[tuple[str | None, str | None, object]] = []
        for batch in runtime.batches(whole):
            columns: Sequence[Sequence[object]] = [c.to_pylist() for c in batch.columns]
            rows += [(e, s, None if r is None else loads(r)) for e, s, r in zip(*columns, strict=True)]

        def lost(position: int, sample: str) -> None:
            runtime.loss.lost("mpsearch rules", BROKEN_RULE.name, position=Line(position + 1), sample=sample[:200])

        keywords.install(name, keywords.compile_rules(rows, runtime.zone, lost))

    stage.action("read mpsearch rules", run)
    return has["expr2"], name


def _as_json(value: Typed) -> Sql:
    return sql.null("JSON") if value.kind is Kind.NULL else values.to_json(value)


_RULES = [
    {"expr": '"/root/" and "cmd.php"', "rule": "r1"},
    {"expr": '"passwd" or "shadow"', "rule": "r2"},
]
_LOGS = [{"url": "/root/cmd.php"}, {"url": "/etc/passwd"}, {"url": "/index.html"}]

register(
    CommandSpec(
        name="mpsearch",
        group=Group.STATISTICS,
        summary=("Match many keyword rules at once.", "여러 키워드 룰을 한꺼번에 대조합니다."),
        usage=("mpsearch [FIELD, ...] [ QUERY ]",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST, duties.QUERY),
        subquery=duties.Subquery.ALONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
The subquery gives the rules: `expr` joins quoted keywords with `and`, `or` and `not`, `rule` identifies the rule, and
`expr2`, which may be missing, is a further condition over the fields of the row (`status == 200`). A keyword is present
when one of the listed fields (default: all) holds it; letter case counts.

Every row gets `_mp_result`, a list of maps with `rule`, `expr` and `expr2` of the rules that match, empty when none
does. A row of the subquery that is no rule is skipped and counted. All keywords are searched in one pass when the
package `ahocorasick-rs` is installed (`pip install 'logsql[patterns]'`), else one after the other.
""",
        examples=(
            Example(
                "Which rules does a request match?",
                'table web | mpsearch url [ table rules ] | eval rules = foreach(valueof(_1, "rule"), _mp_result) '
                "| fields url, rules",
                (
                    {"url": "/root/cmd.php", "rules": ["r1"]},
                    {"url": "/etc/passwd", "rules": ["r2"]},
                    {"url": "/index.html", "rules": []},
                ),
                {"web": _LOGS, "rules": _RULES},
            ),
            Example(
                "Requests that no rule explains",
                "table web | mpsearch [ table rules ] | search len(_mp_result) == 0 | fields url",
                ({"url": "/index.html"},),
                {"web": _LOGS, "rules": _RULES},
            ),
        ),
        errors=(
            NO_SUBQUERY.when(("no rules in brackets", "대괄호로 묶은 규칙이 없습니다")),
            NO_FIELD,
            INVALID_RULES.when(("the rules have no field expr or rule", "규칙에 expr이나 rule 필드가 없습니다")),
        ),
        extra="patterns",
        ledger=(BROKEN_RULE,),
    )
)
