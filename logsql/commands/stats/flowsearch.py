"""``flowsearch``: the connections of rows against flow rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.diagnostics.codes import text
from logsql.diagnostics.options import NO_SUBQUERY
from logsql.diagnostics.rules import INVALID_RULES
from logsql.functions.network import ipv4_number
from logsql.language.tree import Subquery
from logsql.planner import duties
from logsql.planner.plan import order_items
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.mixing import coalesce
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind, list_of
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.expressions import ExprContext

RULE_FIELDS = text(
    "rules need src_ip, src_cidr, dst_ip, dst_cidr and flow; src_port, dst_port, protocol may follow",
    "규칙에는 src_ip, src_cidr, dst_ip, dst_cidr, flow가 필요하고 src_port, dst_port, protocol을 더할 수 있습니다",
)


@dataclass(frozen=True)
class FlowsearchArgs:
    """The rules."""

    rules: Subquery


def parse(reader: ArgReader) -> FlowsearchArgs:
    rules = reader.subquery()
    assert rules is not None
    return FlowsearchArgs(rules)


#: Idents of the helper columns: of a row (``__f_*``) and of a rule (``__r_*``).
_SIDES = ("src", "dst")
_NUMBER = "UHUGEINT"
#: What rules look at in a row.
READS = frozenset({"src_ip", "src_port", "dst_ip", "dst_port", "protocol"})


def lower(stage: Stage) -> Rel:
    rules = _rules(stage)
    rel = stage.rel
    if stage.order_needed and rel.order.defined:
        rel = stage.with_keys(rel)
    rel, facts = stage.lowered(stage.flush(rel), _connection)
    items = [(i, rel.expr(i)) for i in rel.all_idents()]
    names = {name: rel.fresh_ident(f"__f_{name}") for name in facts}
    rel = stage.select("connections", rel, [*items, *((names[n], node) for n, node in facts.items())])

    def fact(name: str) -> Sql:
        return sql.col(names[name], "i")

    def rule(name: str) -> Sql:
        return sql.col(f"__r_{name}", "r")

    tests: list[Sql] = []
    for side in _SIDES:
        low, high = rule(f"{side}_low"), rule(f"{side}_high")
        inside = exp.Between(this=fact(f"{side}_ip"), low=low.copy(), high=high)
        same_kind = sql.eq(fact(f"{side}_bits"), rule(f"{side}_bits"))
        tests.append(sql.or_(sql.is_null(low), sql.and_(same_kind, inside)))
        tests.append(sql.or_(sql.is_null(rule(f"{side}_port")), sql.eq(fact(f"{side}_port"), rule(f"{side}_port"))))
    tests.append(sql.or_(sql.is_null(rule("protocol")), sql.eq(fact("protocol"), rule("protocol"))))
    order = sql.order_by([sql.ordered(rule("number"))])
    flows = sql.func("list", exp.Order(this=rule("flow"), expressions=order.expressions))
    matched = exp.Subquery(this=sql.select([flows], sql.table(rules, "r"), sql.and_(*tests)))
    valid = sql.and_(sql.not_null(fact("src_ip")), sql.not_null(fact("dst_ip")))
    found = sql.case([(valid, sql.coalesce(matched, sql.cast(sql.array([]), "VARCHAR[]")))])
    ident = rel.fresh_ident("__flow")
    kept: list[Sql] = [sql.alias(sql.col(i, "i"), i) for i in rel.all_idents()]
    node = sql.select([*kept, sql.alias(found, ident)], sql.table(rel.source, "i"))
    rel = stage.joined("flowsearch", rel, node, rules)
    old = rel.column("_flow")
    value = Typed(sql.col(ident), list_of(STRING))
    if old is not None:
        # Rows that are no connections pass unchanged.

        value = coalesce(value, rel.value(old))
    return stage.assign(rel, "_flow", value)


# --- rows and rules ---------------------------------------------------------------------------------------------------


def _connection(cx: ExprContext) -> dict[str, Sql]:
    """What rules look at: numbers of the addresses, ports, protocol; null for values of another type."""
    facts: dict[str, Sql] = {}
    for side in _SIDES:
        facts[f"{side}_ip"] = _address(cx.field(f"{side}_ip"))
        sixth = sql.func("contains", values.text_sql(cx.field(f"{side}_ip")), sql.string(":"))
        facts[f"{side}_bits"] = sql.case([(sixth, sql.integer(128))], sql.integer(32))
        facts[f"{side}_port"] = _port(cx.field(f"{side}_port"))
    facts["protocol"] = values.lower(values.text_sql(cx.field("protocol")))
    return facts


def _port(value: Typed) -> Sql:
    return sql.try_cast(values.text_sql(value), "INTEGER")


def _address(value: Typed) -> Sql:
    """An address as one number: IPv4 below 2^32, IPv6 by its 128 bits (its text is eight groups); null for others."""
    if value.kind not in (Kind.IP, Kind.STRING, Kind.ANY):
        return sql.null(_NUMBER)
    node = values.text_sql(value)
    groups = sql.func("string_split", node, sql.string(":"))
    group = sql.try_cast(sql.concat(sql.string("0x"), sql.var("g")), _NUMBER)
    numbers = sql.func("list_transform", groups, sql.lambda_(["g"], group))
    shift = sql.cast(sql.integer(65536), _NUMBER)
    step = sql.binary("+", sql.binary("*", sql.var("a"), shift), sql.var("b"))
    sixth = sql.func("list_reduce", numbers, sql.lambda_(["a", "b"], step))
    is_sixth = sql.func("regexp_full_match", node, sql.string("([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"))
    return sql.case([(is_sixth, sixth)], sql.cast(ipv4_number(node), _NUMBER))


def _rules(stage: Stage) -> str:
    """The rules as a CTE: ranges of addresses, ports, protocol, flow; null stands for any."""
    args = stage.arguments(FlowsearchArgs)
    rel = stage.flush(stage.subquery(args.rules))
    for name in ("src_ip", "dst_ip", "flow"):
        if rel.column(name) is None and rel.rest is None:
            stage.fail(INVALID_RULES, args.rules.span, help=RULE_FIELDS.fill(), command="flowsearch", name=name)
    if rel.order.defined:
        rel = stage.with_keys(rel)
    rel, facts = stage.lowered(stage.flush(rel), _rule_facts)
    items = order_items(rel)
    number = sql.row_number(sql.order_by(items) if items else None)
    nodes = [sql.alias(node, f"__r_{name}") for name, node in facts.items()]
    raw = stage.add("rules", sql.select([*nodes, sql.alias(number, "__r_number")], sql.table(rel.source)), rel.source)
    ranges: list[Sql] = [sql.col(f"__r_{n}") for n in ("src_port", "dst_port", "protocol", "flow", "number")]
    for side in _SIDES:
        low, high = _range(sql.col(f"__r_{side}_ip"), sql.col(f"__r_{side}_cidr"), sql.col(f"__r_{side}_bits"))
        ranges.append(sql.col(f"__r_{side}_bits"))
        ranges += [sql.alias(low, f"__r_{side}_low"), sql.alias(high, f"__r_{side}_high")]
    return stage.add("rule_ranges", sql.select(ranges, sql.table(raw)), raw)


def _rule_facts(cx: ExprContext) -> dict[str, Sql]:
    facts = _connection(cx)
    for side in _SIDES:
        facts[f"{side}_cidr"] = _port(cx.field(f"{side}_cidr"))
    facts["flow"] = values.text_sql(cx.field("flow"))
    return facts


def _range(address: Sql, cidr: Sql, bits: Sql) -> tuple[Sql, Sql]:
    """First and last address of a network; a rule without prefix length means the one address."""
    free = sql.binary("-", bits, sql.coalesce(cidr, bits))
    exponent = sql.func("greatest", sql.integer(0), free)
    # 2^128 is beyond the type: a network of all IPv6 addresses ends at the largest number.
    whole = sql.binary(">=", exponent, sql.integer(128))
    one = sql.cast(sql.integer(1), _NUMBER)
    # Powers of two are exact as doubles.
    power = sql.cast(sql.func("pow", sql.integer(2), sql.func("least", exponent, sql.integer(127))), _NUMBER)
    size = sql.case([(whole, sql.null(_NUMBER))], power)
    low = sql.binary("-", address, sql.coalesce(sql.binary("%", address, size), address))
    last = sql.cast(sql.string(str(2**128 - 1)), _NUMBER)
    high = sql.coalesce(sql.binary("+", low, sql.binary("-", size, one.copy())), sql.when(sql.not_null(address), last))
    return low, high


def _rule(network: str, flow: str) -> dict[str, object]:
    return {"src_ip": network, "src_cidr": 24, "dst_ip": "106.246.20.67", "dst_cidr": 32, "flow": flow}


_ROWS = [
    {"src_ip": "106.75.11.63", "src_port": 57776, "dst_ip": "106.246.20.67", "dst_port": 80, "protocol": "TCP"},
]

register(
    CommandSpec(
        name="flowsearch",
        group=Group.STATISTICS,
        summary=("Match connections against flow rules.", "접속 기록을 플로우 룰과 대조합니다."),
        usage=("flowsearch [ QUERY ]",),
        parse=parse,
        lower=lower,
        fields=duties.Fields(duties.Flow.PASSES, READS, duties.NOTHING),
        arguments=(duties.QUERY,),
        subquery=duties.Subquery.ALONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
Rows are connections with `src_ip`, `src_port`, `dst_ip`, `dst_port` and `protocol`. The subquery gives the rules: the
networks `src_ip` with `src_cidr` and `dst_ip` with `dst_cidr` (0.0.0.0 with 0 for any address), optionally `src_port`,
`dst_port` and `protocol`, and the name of the rule in `flow`. A null means any.

Every row gets `_flow`, the names of the rules that match in the order of the rules, empty when none does. A row whose
addresses are no addresses passes unchanged. Addresses may be text. There is no limit on the number of rules.
""",
        examples=(
            Example(
                "Which rule covers a connection?",
                "table c | flowsearch [ table rules ] | fields src_port, _flow",
                ({"src_port": 57776, "_flow": ["flow2"]},),
                {
                    "c": _ROWS,
                    "rules": [_rule("211.36.133.0", "flow1"), _rule("106.75.11.0", "flow2")],
                },
            ),
        ),
        errors=(
            NO_SUBQUERY.when(("no rules in brackets", "대괄호로 묶은 규칙이 없습니다")),
            INVALID_RULES.when(
                (
                    "the rules have no field src_ip, dst_ip or flow",
                    "규칙에 src_ip, dst_ip, flow 필드 중 없는 것이 있습니다",
                )
            ),
        ),
    )
)
