"""Java regular expressions in functions: RE2 inside DuckDB where it means the same, an Arrow function otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define
from logsql.functions.lowering import example, null, text
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import PARTLY
from logsql.planner.function_spec import FunctionSpec, register
from logsql.planner.notes.comparisons import sample
from logsql.planner.notes.regexes import SLASHES, regex_help, slashes
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import BOOL, STRING, Kind, list_of
from logsql.values.values import Typed

if TYPE_CHECKING:
    from udfs.java.javaregex import Regex

INVALID_REGEX = define(
    "90710",
    "invalid-regex",
    ("a regular expression that cannot be used", "사용할 수 없는 정규표현식입니다"),
    ("{function}(): bad regular expression: {reason}", "{function}(): 정규표현식이 올바르지 않습니다: {reason}"),
)
REGEX_CONSTANT = INVALID_REGEX.says(
    (
        "{function}() needs a regular expression as a text constant",
        "{function}()의 정규표현식에는 문자열 상수를 씁니다",
    )
)
INVALID_REPLACEMENT = define(
    "90711",
    "invalid-replacement",
    ("a replacement that names a group the pattern does not have", "패턴에 없는 그룹을 가리키는 치환 문자열입니다"),
    ("{function}(): {reason}", "{function}(): {reason}"),
)


STRINGS = list_of(STRING)
#: Native groups() runs the pattern once per group; from here on one pass outside SQL is cheaper.
MOST_NATIVE_GROUPS = 4


def regex(call: FunctionCall, position: int) -> Regex:
    """The constant pattern at a position, groups numbered as in Java; refuses what Java would refuse."""
    from udfs.java.javaregex import RegexSyntaxError, classify  # for cost: pyarrow.compute and regex

    pattern = call.constant(position)
    if not isinstance(pattern, str):
        call.fail(REGEX_CONSTANT, position, function=call.spec.name)
    if (facts := slashes(pattern, lambda: sample(call.cx, call.nodes[0]))) is not None:
        call.note(SLASHES, position, **facts)
    try:
        return classify(pattern, named_only=False)
    except RegexSyntaxError as error:
        help = regex_help(pattern)
        call.fail(INVALID_REGEX, position, help=help, function=call.spec.name, reason=error)


def matched(call: FunctionCall, value: Typed, position: int) -> Typed:
    """Whether the pattern at ``position`` is found in the text of ``value``."""
    spec = regex(call, position)
    if value.kind is Kind.NULL:
        return Typed(sql.boolean(False), BOOL)
    node = values.text_sql(value)
    pattern = spec.re2 if spec.re2 is not None else spec.re2_match
    if pattern is not None:
        return values.settled(sql.func("regexp_matches", node, sql.string(pattern)))
    return values.settled(call.udf("lq_match", node, sql.string(spec.pattern)))


def replaced(call: FunctionCall) -> Typed:
    """``replace(text, regex, replacement, "re")``."""
    node = text(call, 0)
    if node is None:
        return null(STRING)
    pattern, replacement = call.arg(1), call.arg(2)
    if pattern.kind is Kind.NULL:
        return Typed(node, STRING)
    by = sql.string("") if replacement.kind is Kind.NULL else values.text_sql(replacement)
    if not call.is_constant(1):
        body = values.text_sql(pattern)
        changed = call.udf("lq_replace", node, body, sql.coalesce(by, sql.string("")))
        return Typed(sql.case([(sql.is_null(body), node)], changed), STRING)
    spec = regex(call, 1)
    constant = _constant_text(call, 2)
    if constant is not None:
        native = _native_replacement(call, spec, constant)
        if native is not None:
            return Typed(
                sql.func("regexp_replace", node, sql.string(spec.re2 or ""), sql.string(native), sql.string("g")),
                STRING,
            )
    return Typed(call.udf("lq_replace", node, sql.string(spec.pattern), sql.coalesce(by, sql.string(""))), STRING)


def _constant_text(call: FunctionCall, position: int) -> str | None:
    """The text of a constant, "" for null; None for a computed value and for types that SQL turns into text."""
    if not call.is_constant(position):
        return None
    value = call.constant(position)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int)) else None


def _native_replacement(call: FunctionCall, spec: Regex, replacement: str) -> str | None:
    """The replacement for RE2, None when DuckDB cannot say it; refuses a malformed one."""
    from udfs.java.javaregex import ReplacementError, java_replacement_to_re2  # for cost: pyarrow.compute and regex

    names = dict(zip(spec.names, spec.group_index, strict=True))
    try:
        native = java_replacement_to_re2(replacement, spec.group_count, names)
    except ReplacementError as error:
        call.fail(INVALID_REPLACEMENT, 2, function=call.spec.name, reason=error)
    return native if spec.re2 is not None and spec.re2_extent else None


def _no_group(call: FunctionCall, pattern: object) -> bool:
    """``groups(x, "[0-9]+")``: a pattern without a group gives nothing."""
    return isinstance(pattern, str) and not regex(call, 1).group_count


def _groups(call: FunctionCall) -> Typed:
    spec = regex(call, 1)
    node = text(call, 0)
    if node is None or not spec.group_count:
        return null(STRINGS)
    native = _native_groups(node, spec)
    return Typed(native if native is not None else call.udf("lq_groups", node, sql.string(spec.pattern)), STRINGS)


def _native_groups(node: Sql, spec: Regex) -> Sql | None:
    """All groups of all matches in RE2: needs the same extent of every match and groups that always take part.

    ``regexp_extract_all`` gives "" for a group that took no part, which the language shows as null.
    """
    from udfs.java.javaregex_emit import group_facts  # for cost: regex
    from udfs.java.javaregex_parser import parse  # for cost: regex

    if spec.re2 is None or not spec.re2_extent or spec.group_count > MOST_NATIVE_GROUPS:
        return None
    facts = group_facts(parse(spec.pattern).root)
    if not all(always for always, _ in facts.values()):
        return None

    def every(group: int) -> Sql:
        return sql.func("regexp_extract_all", node, sql.string(spec.re2 or ""), sql.integer(group))

    if spec.group_count == 1:
        return sql.func("nullif", every(1), sql.cast(sql.array([]), STRINGS.physical))
    tuples = sql.func("list_zip", *(every(g) for g in range(1, spec.group_count + 1)))
    row = sql.array([sql.func("struct_extract", sql.var("m"), sql.integer(g)) for g in range(1, spec.group_count + 1)])
    flat = sql.func("flatten", sql.func("list_transform", tuples, sql.lambda_(["m"], row)))
    return sql.func("nullif", flat, sql.cast(sql.array([]), STRINGS.physical))


register(
    FunctionSpec(
        "groups",
        "conversion",
        "groups(text, regex)",
        (
            "Every capture group of every match, in order; null when nothing matches.",
            "일치한 모든 곳의 캡처 그룹을 순서대로 반환합니다. 일치하는 곳이 없으면 null입니다.",
        ),
        _groups,
        2,
        2,
        "list of string",
        PARTLY,
        (
            example('groups("a1b2", "([a-z])([0-9])")', ["a", "1", "b", "2"]),
            example('groups("/a/bc/d", "/([^/]+)")', ["a", "bc", "d"]),
            example('groups("zzz", "(a)")', None),
        ),
        constant=(1,),
        never=((1, _no_group),),
        notes=(("a group that took no part is null", "일치에 쓰이지 않은 그룹은 null입니다"),),
    ),
)
