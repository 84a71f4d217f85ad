"""``transaction``: rows that belong together, as one row."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.diagnostics.codes import syntax
from logsql.diagnostics.expressions import INVALID_TIMESPAN
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Name
from logsql.operators.grouping import identity
from logsql.planner import duties
from logsql.planner.relation import Column, OrderKey, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import BOOL, DATE, LONG, MAP, list_of

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.expressions import ExprContext

KEY_FIELD = INVALID_OPTION.when(("no key field", "키 필드가 없습니다"), name="missing-field")
NO_KEY = KEY_FIELD.says(
    ("transaction needs a key field", "transaction에는 키 필드가 필요합니다"),
    help=syntax("transaction FIELD, ... [maxspan=5m]"),
)
FIXED_LENGTH = INVALID_TIMESPAN.says(
    (
        "{option}= takes a span of fixed length (s, m, h, d, w)",
        "{option}=에는 길이가 일정한 단위(s, m, h, d, w)를 씁니다",
    )
)


@dataclass(frozen=True)
class TransactionArgs:
    """The fields whose values tell transactions apart."""

    keys: tuple[Name, ...]


def parse(reader: ArgReader) -> TransactionArgs:
    keys = reader.name_list(trailing_comma=KEY_FIELD)
    if not keys:
        reader.fail(NO_KEY)
    return TransactionArgs(tuple(keys))


def lower(stage: Stage) -> Rel:
    names = names_of(stage.arguments(TransactionArgs).keys)
    rel = stage.rel
    if rel.order.defined:
        rel = stage.with_keys(rel)
    rel, facts = stage.lowered(stage.flush(rel), lambda cx: _facts(stage, cx, rel, names))
    groups = [name for name in facts if name.startswith("k")]
    row_order = stage.window_order(rel) if rel.order.keys else None
    facts["n"] = sql.row_number(row_order)
    events = stage.select("events", rel, list(facts.items())).source
    grouped = _grouped(stage, events, groups)
    single = sql.select([*(sql.col(g) for g in groups), sql.col("key"), *_unnested()], sql.table(grouped))
    rows = stage.add("rows", single, grouped)
    return _result(stage, rows, groups)


def _facts(stage: Stage, cx: ExprContext, rel: Rel, names: list[str]) -> dict[str, Sql]:
    """What is needed of a row: key, time, whether it starts or ends a transaction, and the row itself."""
    key = [cx.field(n) for n in names]
    facts: dict[str, Sql] = {}
    for value in key:
        for node in identity(value):
            facts[f"k{len(facts)}"] = node
    facts.setdefault("k0", sql.integer(0))  # keys that no row has make one group
    facts["key"] = sql.func("to_json", sql.struct([(n, values.to_json(v)) for n, v in zip(names, key, strict=True)]))
    instant = values.date_sql(cx.field("_time"))
    facts["t"] = sql.func("epoch_us", instant) if instant is not None else sql.null("BIGINT")
    line = values.text_sql(cx.field("line"))
    for name in ("startswith", "endswith"):
        text = stage.option(name)
        held = sql.func("contains", line, sql.string(text)) if text else sql.boolean(False)
        facts[name[0]] = sql.coalesce(held, sql.boolean(False))
    document = sql.func("to_json", sql.struct([(c.name, values.to_json(rel.value(c))) for c in rel.columns]))
    if rel.rest is not None:
        rest = sql.func("to_json", rel.expr(rel.rest.ident)) if rel.rest.is_map else rel.expr(rel.rest.ident)
        document = sql.coalesce(sql.func("json_merge_patch", rest, document), document)
    facts["doc"] = document
    return facts


def _grouped(stage: Stage, events: str, groups: list[str]) -> str:
    """One row per key: lists of its rows in the order of time, and the number of the transaction of each."""
    # Of rows with the same time the later one is the older one: tables are read newest first.
    order = [sql.ordered(sql.col("t")), sql.ordered(sql.col("n"), True)]

    def listed(name: str) -> Sql:
        return sql.func("list", exp.Order(this=sql.col(name), expressions=[o.copy() for o in order]))

    items = [sql.alias(listed(name), f"{name}s") for name in ("t", "s", "e", "doc", "n")]
    items = [*(sql.col(g) for g in groups), sql.alias(sql.func("any_value", sql.col("key")), "key"), *items]
    by = exp.Group(expressions=[sql.col(g) for g in groups])
    lists = stage.add("keys", sql.select(items, sql.table(events), group=by), events)
    import logsql.jobs.transactions  # noqa: F401  # for cost: few queries need it

    stage.chain.udfs.add("lq_transactions")
    columns = [sql.col(f"{name}s") for name in ("t", "s", "e")]
    call = sql.func("lq_transactions", *columns, sql.string(_limits(stage)))
    kept: list[Sql] = [sql.col(name) for name in (*groups, "key", "ts", "docs", "ns")]
    return stage.add("numbered", sql.select([*kept, sql.alias(call, "xs")], sql.table(lists)), lists)


def _limits(stage: Stage) -> str:
    from logsql.jobs.transactions import Limits  # for cost: few queries need it

    def micros(name: str) -> int | None:
        span = stage.option(name)
        if span is None:
            return None
        if span.seconds is None:
            option = stage.command.option(name)
            stage.fail(FIXED_LENGTH, option.value_span if option else None, option=name)
        return int(span.seconds) * 1_000_000

    limits = Limits(
        micros("maxspan"),
        micros("maxpause"),
        stage.option("maxevents"),
        bool(stage.option("startswith")),
        bool(stage.option("endswith")),
    )
    return json.dumps(asdict(limits))


def _unnested() -> list[Sql]:
    return [sql.alias(sql.func("unnest", sql.col(f"{name}s")), name) for name in ("t", "doc", "n", "x")]


def _result(stage: Stage, rows: str, groups: list[str]) -> Rel:
    time = sql.col("t")
    first, last = sql.func("min", time), sql.func("max", time)
    order = exp.Order(this=sql.col("doc"), expressions=[sql.ordered(time), sql.ordered(sql.col("n"), True)])
    items = [
        sql.alias(sql.func("make_timestamptz", first), "_time"),
        sql.alias(sql.cast(sql.func("any_value", sql.col("key")), "JSON"), "_tx_keys"),
        sql.alias(sql.func("list", order), "_tx_rows"),
        sql.alias(sql.binary("//", exp.Paren(this=sql.binary("-", last, first)), sql.integer(1000)), "_tx_duration"),
        sql.alias(sql.binary("<", sql.col("x"), sql.integer(0)), "_tx_orphan"),
        sql.alias(sql.func("min", sql.col("n")), "__n"),
    ]
    test = None if stage.option("keeporphans") else sql.binary(">", sql.col("x"), sql.integer(0))
    by = exp.Group(expressions=[*(sql.col(g) for g in groups), sql.col("x")])
    query = sql.select(items, sql.table(rows), test, group=by)
    columns = (
        Column("_time", "_time", DATE),
        Column("_tx_keys", "_tx_keys", MAP),
        Column("_tx_rows", "_tx_rows", list_of(MAP)),
        Column("_tx_duration", "_tx_duration", LONG),
        Column("_tx_orphan", "_tx_orphan", BOOL),
    )
    keys = (OrderKey("_time", DATE, True), OrderKey("__n", LONG))
    return stage.derived("transaction", query, (rows,), columns, keys=keys)


_LOG = [
    {"_time": "2024-01-01T10:00:00", "user": "kim", "line": "login"},
    {"_time": "2024-01-01T10:00:05", "user": "lee", "line": "login"},
    {"_time": "2024-01-01T10:01:00", "user": "kim", "line": "logout"},
]

register(
    CommandSpec(
        name="transaction",
        group=Group.TRANSFORM,
        summary=("Gather the rows that belong together into one row.", "서로 연관된 행을 한 행으로 묶습니다."),
        usage=(
            "transaction FIELD, ... [startswith=TEXT] [endswith=TEXT] [maxspan=SPAN] [maxpause=SPAN] [maxevents=N] "
            "[keeporphans=t]",
        ),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST,),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_AND_SORTS,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options_anywhere=True,
        options=(
            OptionSpec(
                "startswith",
                OptionKind.TEXT,
                ("text in line of the row that begins a transaction", "트랜잭션을 시작하는 행의 line에 든 텍스트"),
            ),
            OptionSpec(
                "endswith",
                OptionKind.TEXT,
                ("text in line of the row that completes it", "트랜잭션을 끝내는 행의 line에 든 텍스트"),
            ),
            OptionSpec(
                "maxspan",
                OptionKind.SPAN,
                ("longest time from the first to the last row", "첫 행에서 마지막 행까지의 최대 시간"),
            ),
            OptionSpec("maxpause", OptionKind.SPAN, ("longest time between two rows", "두 행 사이의 최대 시간")),
            OptionSpec("maxevents", OptionKind.INT, ("most rows", "최대 행 수"), minimum=1),
            OptionSpec(
                "keeporphans",
                OptionKind.BOOL,
                ("t also gives rows of no complete transaction", "t면 완결되지 않은 트랜잭션의 행도 출력"),
                default=False,
            ),
        ),
        description="""\
The rows of each combination of the key fields are taken in the order of `_time`. A row whose `line` holds the start
text begins a transaction, one that holds the end text completes it; without a start text any row begins one, and
without an end text it is complete when a limit is exceeded, another begins or the rows end. A row for each transaction
comes out, newest first: `_time` of its first row, `_tx_keys` (map), `_tx_rows` (list of the rows), `_tx_duration`
(milliseconds) and `_tx_orphan`. With `keeporphans=t` the rows of no complete transaction come out too, with
`_tx_orphan` true.
""",
        examples=(
            Example(
                "How long were the sessions?",
                "table log | transaction user startswith=login endswith=logout "
                '| eval user = valueof(_tx_keys, "user") | fields user, _tx_duration',
                ({"user": "kim", "_tx_duration": 60000},),
                {"log": _LOG},
            ),
        ),
        errors=(
            KEY_FIELD,
            INVALID_TIMESPAN.when(("a span that is none", "시간 간격이 아닙니다")),
        ),
    )
)
