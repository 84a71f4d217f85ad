"""References: field(), $(), whoami() (functions.md > reference)."""

from __future__ import annotations

import getpass

from logsql.functions.lowering import computed_pointer, example
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import PLAIN, READS_NAMED
from logsql.planner.function_spec import FunctionSpec, register
from logsql.values import sql, values
from logsql.values.mixing import choose
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, STRING, Kind
from logsql.values.values import NULL_VALUE, Typed


def _field(call: FunctionCall) -> Typed:
    if call.is_constant(0):
        name = call.constant(0)
        return NULL_VALUE if name is None else call.cx.read(str(name), call.nodes[0].span)
    wanted = call.arg(0)
    rel = call.cx.rel
    if wanted.kind is Kind.NULL or rel is None:
        return NULL_VALUE
    node = call.let(values.text_sql(wanted))
    found = [(sql.eq(node, sql.string(c.name)), call.cx.field(c.name)) for c in rel.columns]
    other = _open_field(call, node)
    if other is None:
        branches = [(test, value) for test, value in found if value.kind is not Kind.NULL]
        return choose(branches, None) if branches else NULL_VALUE
    return choose(found, other) if found else other


def _open_field(call: FunctionCall, name: Sql) -> Typed | None:
    """The field of a computed name among those that are known only when data is read; None without such fields."""
    rest = call.cx.rest
    if rest is None:
        return None
    document = call.cx.document(rest)
    if rest.is_map:
        value = Typed(sql.func("map_extract_value", document, name), rest.value_type)
    else:
        value = Typed(sql.func("json_extract", document, computed_pointer(name)), ANY_JSON)
    if not rest.hidden:
        return value
    gone = sql.in_(name, [sql.string(h) for h in sorted(rest.hidden)])
    return choose([(gone, NULL_VALUE)], value)


def user_name() -> str:
    """Login name of the account that runs the query."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def _whoami(call: FunctionCall) -> Typed:
    return Typed(sql.string(user_name()), STRING)


register(
    FunctionSpec(
        "field", "reference", "field(name)",
        ("The field of this name: the way to names with blanks or operators; unknown: null.",
         "이 이름의 필드 값을 반환합니다. 공백이나 연산자가 있는 이름에 씁니다. 없는 필드는 null입니다."),
        _field, 1, 1, "any", READS_NAMED,
        (
            example('field("Registered No.")', 2, {"Registered No.": 2}),
            example("field(k)", "v", {"k": "a", "a": "v"}),
            example('field("nosuch")', None, {"a": 1}),
        ),
    ),
    FunctionSpec(
        "$", "reference", '$("name", ..., [default])',
        ("Value of the first query parameter that is set; else the default, else null.",
         "설정된 첫 쿼리 매개변수의 값을 반환합니다. 없으면 기본값, 기본값도 없으면 null입니다."),
        lambda call: call.cx.call(call.call), 1, None, "any", PLAIN,
        (example('$("nosuch", "fallback")', "fallback"),),
    ),
    FunctionSpec(
        "whoami", "reference", "whoami()",
        ("Login name of the account that runs the query.", "쿼리를 실행하는 계정의 로그인 이름을 반환합니다."),
        _whoami, 0, 0, "string",
        PLAIN,
        (example("isstr(whoami())", True),),
    ),
)  # fmt: skip
