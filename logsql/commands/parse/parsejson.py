"""``parsejson``: the fields of a JSON text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.parse._overlay import Document, carry, lay_over, object_test, tallied
from logsql.diagnostics.codes import text
from logsql.diagnostics.fields import NEVER_TEXT
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.reasons import REPEATED_KEY
from logsql.planner import duties, losses
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, MAP
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NOT_JSON = loss(
    "text-not-json",
    ("texts that are no JSON: the row passes unchanged", "JSON이 아닌 문자열: 행은 그대로 통과"),
    fate=Fate.PASSED,
)
NOT_OBJECT = loss(
    "json-without-fields",
    (
        "texts that are JSON and give no field (a number, a quoted text, a list in a map): the row passes unchanged",
        "필드가 나오지 않는 JSON 문자열(숫자, 따옴표로 묶은 텍스트, 맵 안의 배열): 행은 그대로 통과",
    ),
    fate=Fate.PASSED,
)
TEXT_CUT = loss(
    "json-text-cut",
    (
        "texts longer than cutoff= characters, read in part or not at all (cutoff=N lifts it)",
        "cutoff=를 넘어 일부만 읽거나 읽지 못한 문자열 (cutoff=N으로 늘립니다)",
    ),
    fate=Fate.CHANGED,
)
#: For ``explain``.
KEYS_OF_SOME_ROWS = text(
    "keys that come again in an object are looked for in the first rows, of many rows in one of a hundred or so, and "
    "where there is one in all that follow; --loss looks at everything",
    "한 객체에 되풀이되는 키를 찾는 범위: 처음 행들, 행이 많으면 백에 하나쯤, 찾은 뒤로는 모든 행. "
    "--loss를 붙이면 전부 찾습니다",
)
#: Characters read by default when nested values are flattened (commands.md).
FLAT_CUTOFF = 5_000


@dataclass(frozen=True)
class NoArgs:
    """Everything is in the options."""


def parse(reader: ArgReader) -> NoArgs:
    return NoArgs()


def lower(stage: Stage) -> Rel:
    field, flat = stage.option("field"), stage.option("flatten")
    cutoff = stage.option("cutoff")
    cutoff = (FLAT_CUTOFF if flat else 0) if cutoff is None else cutoff
    return fields_of(stage, stage.rel, field, Reading(cutoff, stage.option("lenient"), flat), stage.option("overlay"))


@dataclass(frozen=True)
class Reading:
    """How a text is read: characters at most (0: all), whether what is cut is closed, nested keys joined."""

    cutoff: int = 0
    recover: bool = False
    flat: bool = False


def fields_of(stage: Stage, rel: Rel, field: str, reading: Reading, overlay: bool = False) -> Rel:
    """The rows with the keys of the JSON text in ``field``; also for commands whose rows are such texts."""
    cutoff, recover, flat = reading.cutoff, reading.recover, reading.flat
    rel, node = stage.lowered(rel, lambda cx: _document(cx, field, cutoff, recover, flat))
    if node is None:
        stage.remark(NEVER_TEXT, field=field)
        return rel
    if stage.catalog.most_counted is not None:
        stage.remark(KEYS_OF_SOME_ROWS)
    rel, (raw,) = carry(stage, rel, ("__json", node, ANY_JSON))
    rel, raw = tallied(stage, rel, raw, sql.not_null(sql.col(raw)), field, f"parsejson field={field}")
    # A way into a map is no field that could take the list: such a list gives nothing, and is counted.
    whole = rel.rest is not None or rel.column(field) is not None
    is_list = object_test(sql.col(raw), "[") if whole else sql.boolean(False)
    rel, (document, listed) = carry(
        stage,
        rel,
        ("__doc", _object(stage, rel, raw, field, is_list), MAP),
        ("__list", sql.when(is_list, sql.col(raw)), ANY_JSON),
    )
    parsed = sql.not_null(sql.col(document))
    result = (field, sql.not_null(sql.col(listed)), Typed(sql.col(listed), ANY_JSON)) if whole else None
    found = Document(parsed, document, result=result, scratch=(raw, document, listed))
    return lay_over(stage, rel, found, overlay)


def _object(stage: Stage, rel: Rel, raw: str, field: str, is_list: Sql) -> Sql:
    """The object; JSON that is neither an object nor a list gives no fields, and is counted."""
    cx = stage.context(rel)
    branches: list[tuple[Sql, Sql]] = [(object_test(sql.col(raw)), sql.col(raw))]
    if cx.run_id is not None:
        other = sql.and_(sql.not_null(sql.col(raw)), sql.not_(is_list.copy()))
        text = sql.cast(sql.col(raw), "VARCHAR")
        lost = losses.value_lost(cx, NOT_OBJECT, f"parsejson field={field}", text)
        branches.append((other, sql.when(lost, sql.col(raw))))
    return sql.case(branches)


def _document(cx: ExprContext, field: str, cutoff: int, recover: bool, flat: bool) -> Sql | None:
    """Strict JSON of the text, null where it is none; the lenient reader sees only what DuckDB refuses."""
    text = values.string_sql(cx.field(field))
    if text is None:
        return None
    lenient = sql.cast(
        cx.udf("lq_json", text, sql.integer(cutoff), sql.boolean(recover), sql.boolean(flat)),
        "JSON",
    )
    opening = object_test(text, "{[")
    strict = sql.func("left", text, sql.integer(cutoff)) if cutoff > 0 else text
    read = [sql.when(opening, lenient)] if flat else [sql.try_cast(strict, "JSON"), sql.when(opening, lenient)]
    node = sql.coalesce(*read) if len(read) > 1 else read[0]
    source = f"parsejson field={field}"
    node = losses.repeated_keys(cx, REPEATED_KEY, source, node, "JSON", text.copy())
    if cutoff > 0:  # the lenient reader may close what the cut left open
        long = sql.binary(">", sql.func("length", text.copy()), sql.integer(cutoff))
        node = losses.or_lost(cx, TEXT_CUT, source, node, "JSON", text.copy(), long)
        if recover and cx.run_id is not None:
            counted = sql.case(
                [(long.copy(), losses.value_lost(cx, TEXT_CUT, source, text.copy()))], sql.boolean(False)
            )
            return sql.case([(counted, sql.null("JSON"))], node)
        short = sql.binary("<=", sql.func("length", text.copy()), sql.integer(cutoff))
        return losses.or_lost(cx, NOT_JSON, source, node, "JSON", text.copy(), short)
    filled = sql.binary("<>", text.copy(), sql.string(""))
    return losses.or_lost(cx, NOT_JSON, source, node, "JSON", text.copy(), filled)


register(
    CommandSpec(
        name="parsejson",
        group=Group.PARSE,
        summary=("Take the fields out of JSON text.", "JSON 텍스트에서 필드를 추출합니다."),
        usage=("parsejson [field=FIELD] [overlay=t] [flatten=t] [cutoff=N] [lenient=t]",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
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
                ("t lays the found fields over the row", "t면 원래 행에 추출한 필드를 덮어 추가"),
                default=False,
            ),
            OptionSpec(
                "flatten",
                OptionKind.BOOL,
                ("t joins nested keys by _ and numbers list items", "t면 중첩된 키를 _로 잇고 목록 항목에 번호를 붙임"),
                default=False,
            ),
            OptionSpec(
                "cutoff",
                OptionKind.INT,
                (
                    "characters read, 0 for all (default 0; 5000 with flatten=t)",
                    "읽을 글자 수. 0이면 전부 (기본값 0, flatten=t이면 5000)",
                ),
                minimum=0,
            ),
            OptionSpec(
                "lenient",
                OptionKind.BOOL,
                ("t closes what the cut left open", "t면 잘려서 닫히지 않은 괄호와 따옴표를 닫고 읽음"),
                default=False,
            ),
        ),
        description="""\
The keys of a JSON object become fields. Without `overlay=t` they replace the row, `_time` included; with it the other
fields of the row stay. An array becomes a list in the field itself. A row whose text is null or no JSON passes
unchanged. Keys and words need no quotes, and single quotes do.
""",
        examples=(
            Example(
                "Fields of an event",
                "table t | parsejson | fields a, b",
                ({"a": 1, "b": "x"},),
                {"t": [{"line": '{"a": 1, "b": "x"}', "z": 1}]},
            ),
            Example(
                "Nested keys as flat fields",
                "table t | parsejson flatten=t | fields host_name, host_ips_0",
                ({"host_name": "web", "host_ips_0": "10.0.0.1"},),
                {"t": [{"line": "{host: {name: web, ips: ['10.0.0.1']}}"}]},
            ),
            Example(
                "Text that is no JSON passes",
                "table t | parsejson overlay=t | fields line, z",
                ({"line": "bad json", "z": 2},),
                {"t": [{"line": "bad json", "z": 2}]},
            ),
        ),
        notes=(
            (
                "Where an object repeats a key, the first value counts; with flatten=t or without quotes the last.",
                "객체에 같은 키가 거듭되면 첫 값을 씁니다. flatten=t이거나 따옴표가 없으면 마지막 값을 씁니다.",
            ),
        ),
        ledger=(NOT_JSON, NOT_OBJECT, TEXT_CUT, REPEATED_KEY),
    )
)
