"""``rex``: named groups of a regular expression as fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logsql.commands.parse._overlay import carry, old_value
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.messages import text
from logsql.language.tree import Name, Span, Text
from logsql.planner import duties
from logsql.planner.expressions import ExprContext
from logsql.planner.notes.regexes import named_group_help
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.mixing import coalesce
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

IN_PYTHON = text("the pattern runs in Python: {why}", "정규식을 파이썬에서 실행합니다: {why}")
EMPTY_GROUP = text("a group that may be empty or absent", "비거나 없을 수 있는 그룹")
NO_GROUP = define(
    "N1601",
    "no-named-group",
    (
        "the regular expression of rex names no group: no field is set",
        "rex의 정규 표현식에 이름 있는 그룹이 없어 필드가 생기지 않습니다",
    ),
    (
        "the regular expression names no group: no field is set",
        "정규 표현식에 이름 있는 그룹이 없어 필드가 생기지 않습니다",
    ),
    ("name what to take out: (?<name>...)", "꺼낼 부분에 이름을 붙이세요: (?<name>...)"),
)
_FORM = syntax('rex field=NAME "REGEX"')
NO_FIELD = define(
    "20900",
    "field-not-found",
    ("field= is missing", "field=가 없습니다"),
    ("rex needs the field to search", "rex에는 검색할 필드가 필요합니다"),
    help=_FORM,
)
INVALID_REGEX = define(
    "20901",
    "invalid-regex",
    ("the pattern is not quoted or not a regular expression", "패턴을 따옴표로 묶지 않았거나 정규식이 아닙니다"),
)
UNQUOTED_REGEX = INVALID_REGEX.says(
    ("the regular expression of rex stands in double quotes", "rex의 정규식은 큰따옴표로 묶습니다"), help=_FORM
)
BAD_REGEX = INVALID_REGEX.says(("the regular expression cannot be used: {reason}", "쓸 수 없는 정규식입니다: {reason}"))
#: Words of a field name before the quote of the pattern.
_MORE_WORDS = re.compile(r"[^\s\"()\[\]=|]+(?:\s+[^\s\"()\[\]=|]+)*(?=\s+\")")
_LIST = LType(Kind.LIST, "VARCHAR[]", STRING)


@dataclass(frozen=True)
class RexArgs:
    """The pattern as written between its quotes; ``field`` where the name of the field holds blanks."""

    pattern: Text
    field: Name | None = None


def parse(reader: ArgReader) -> RexArgs:
    if reader.option("field") is None:
        reader.fail(NO_FIELD)
    field = _name_with_blanks(reader)
    pattern = reader.quoted_raw(outer=True)
    if pattern is None:
        reader.fail(UNQUOTED_REGEX)
    return RexArgs(pattern, field)


def _name_with_blanks(reader: ArgReader) -> Name | None:
    """The name in ``field=Registered No. "REGEX"``: here an option value goes on behind a blank (language.md 1.4)."""
    option, found = reader.option("field"), _MORE_WORDS.match(reader.text)
    if option is None or found is None or option is not reader.options[-1] or not isinstance(option.value, str):
        return None
    buffer, start = reader.source.buffer, reader.pos
    behind = len(buffer[:start].rstrip())
    if buffer[behind - 1] == '"':
        return None
    reader.advance(start + found.end())
    name = option.value + reader.source.nfc[behind : start + found.end()]
    return Name(name, Span(option.value_span.start, reader.source.span(start, start + found.end()).end))


def lower(stage: Stage) -> Rel:
    from udfs.java.javaregex import RegexSyntaxError, classify  # for cost: pyarrow.compute and regex

    pattern: Text = stage.arguments(RexArgs).pattern
    try:
        spec = classify(pattern.value)
    except RegexSyntaxError as problem:
        stage.fail(BAD_REGEX, pattern.span, help=named_group_help(pattern.value), reason=problem)
    if not spec.names:
        stage.note(NO_GROUP, pattern.span)
        return stage.rel
    rel, captured, scratch = _extract(stage, spec)
    old = {name: old_value(rel, name) for name in captured}
    for name, value in captured.items():
        rel = stage.assign(rel, name, coalesce(value, old[name]))
    return replace(rel, carried=tuple(c for c in rel.carried if c.ident not in scratch))


def _extract(stage: Stage, spec: Any) -> tuple[Rel, dict[str, Typed], list[str]]:
    """Every name's capture, null where the pattern does not match or the group took no part."""
    named: Name | None = stage.arguments(RexArgs).field
    field = stage.option("field") if named is None else named.text
    single = len(spec.names) == 1
    if _native(spec) and single:

        def only(cx: ExprContext) -> Sql:
            return capture(cx.let(values.text_sql(cx.field(field))), spec)

        def one(cx: ExprContext) -> tuple[Sql, list[Typed]]:
            return only(cx), [cx.field(name) for name in spec.columns]

        rel, node = stage.lowered(stage.rel, only)
        if _repeats(rel, spec.names[0], node):
            return rel, {}, []
        rel, (node, _) = stage.lowered(rel, one)
        return rel, {spec.names[0]: Typed(node, STRING)}, []
    if _native(spec):
        return _groups(stage, spec, field)

    def slow(cx: ExprContext) -> Sql:
        return cx.udf("lq_rex", values.text_sql(cx.field(field)), sql.string(spec.pattern))

    stage.remark(IN_PYTHON, why=spec.why or EMPTY_GROUP.fill())
    rel, node = stage.lowered(stage.rel, slow)
    rel, (listed,) = carry(stage, rel, ("__found", node, _LIST))
    captured = {
        name: Typed(sql.index(sql.col(listed), sql.integer(place)), STRING)
        for place, name in enumerate(spec.columns, 1)
    }
    return rel, captured, [listed]


def _native(spec: Any) -> bool:
    """Whether DuckDB can tell everything: its ``''`` means no match, no part and empty alike."""
    return spec.re2 is not None and all(
        always or not empty for always, empty in zip(spec.always, spec.may_be_empty, strict=True)
    )


def _repeats(rel: Rel, name: str, node: Sql) -> bool:
    """Whether the field already is this capture of the same text (the seed queries extract a header twice)."""
    column = rel.column(name)
    return column is not None and not column.parts and rel.pending.get(column.ident) == node


def capture(text: Sql, spec: Any) -> Sql:
    """The only group of a pattern: null where nothing matches."""
    pattern, place = spec.re2, spec.group_index[0]
    if (cut := literal_cut(spec.pattern)) is not None:
        return _cut(text, cut, pattern, place)
    if not spec.may_be_empty[0]:
        found = sql.func("regexp_extract", text, sql.string(pattern), sql.integer(place))
        return sql.func("nullif", found, sql.string(""))
    found = sql.func("regexp_extract", text.copy(), sql.string(pattern), sql.integer(place))
    return sql.when(sql.func("regexp_matches", text, sql.string(pattern)), found)


def literal_cut(pattern: str) -> Any:
    """The pattern as an ASCII literal and one character that ends the value, where text functions say the same."""
    from udfs.java.javaregex import literal_fast_path  # for cost: pyarrow.compute and regex

    cut = literal_fast_path(pattern)
    if cut is None or len(cut.stop) != 1 or not cut.literal or not cut.literal.isascii():
        return None
    return cut


def _cut(text: Sql, cut: Any, pattern: str, place: int) -> Sql:
    """The text behind the first occurrence of the literal up to the stop character.

    Five such captures of a block of headers cost half of five regular expressions, because DuckDB computes the
    lower-cased text once for all of them - as long as it is read in a first condition: in a later branch of a CASE it
    is computed again (three times dearer). Where the cut is empty and a value must have a character, a later
    occurrence may match: the expression decides. So it does where ``lower`` makes an ASCII letter of U+0130 (i) or
    U+212A (k), which Java's ``(?i)`` does not fold; plain ASCII text is known by its length.
    """
    length = sql.integer(len(cut.literal))
    searched = sql.func("lower", text) if cut.case_insensitive else text
    at = sql.func("strpos", searched, sql.string(cut.literal))
    start = sql.binary("+", sql.func("nullif", at, sql.integer(0)), length)
    value = sql.func("split_part", sql.func("substring", text, start), sql.string(cut.stop), sql.integer(1))
    test = sql.binary("<>", value, sql.string("")) if cut.min_len else sql.not_null(value)
    if cut.case_insensitive and not set("ik").isdisjoint(cut.literal):
        ascii_only = sql.eq(sql.func("strlen", text), sql.func("length", text))
        folded = [sql.func("contains", text, sql.string(char)) for char in ("\u0130", "\u212a")]
        test = sql.and_(test, sql.or_(ascii_only, sql.not_(sql.or_(*folded))))
    elif not cut.min_len:
        return value
    exact = sql.func("regexp_extract", text, sql.string(pattern), sql.integer(place))
    if cut.min_len:
        exact = sql.func("nullif", exact, sql.string(""))
    else:
        exact = sql.when(sql.func("regexp_matches", text, sql.string(pattern)), exact)
    return sql.case([(test, value), (sql.binary(">", at, sql.integer(0)), exact)])


def _groups(stage: Stage, spec: Any, field: str) -> tuple[Rel, dict[str, Typed], list[str]]:
    """Several groups by one call, unpacked in the next SELECT; an outer group tells an empty capture from no match."""
    empties = any(spec.may_be_empty)
    shift = 1 if empties and not spec.nullable else 0
    pattern = f"({spec.re2})" if shift else spec.re2
    count = max(spec.group_index) + shift
    names = sql.array([sql.string(f"g{number}") for number in range(1, count + 1)])

    def make(cx: ExprContext) -> Sql:
        text = cx.let(values.text_sql(cx.field(field)))
        call = sql.func("regexp_extract", text, sql.string(pattern), names)
        if empties and spec.nullable:
            return sql.when(sql.func("regexp_matches", text.copy(), sql.string(pattern)), call)
        return call

    rel, node = stage.lowered(stage.rel, make)
    shape = LType(Kind.ANY, "STRUCT")
    rel, (ident,) = carry(stage, rel, ("__groups", node, shape))

    def group(number: int) -> Sql:
        return sql.func("struct_extract", sql.col(ident), sql.string(f"g{number}"))

    captured: dict[str, Typed] = {}
    for name, index, empty in zip(spec.names, spec.group_index, spec.may_be_empty, strict=True):
        value = group(index + shift)
        if not empty:
            value = sql.func("nullif", value, sql.string(""))
        elif shift:
            value = sql.when(sql.binary("<>", group(1), sql.string("")), value)
        if name in captured:  # of groups with one name the last that took part counts
            value = sql.coalesce(value, captured[name].expr)
        captured[name] = Typed(value, STRING)
    return rel, captured, [ident]


register(
    CommandSpec(
        name="rex",
        group=Group.PARSE,
        summary="Extract named groups of a regular expression.",
        usage=('rex field=FIELD "REGEX"',),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(OptionSpec("field", OptionKind.FIELD, ("the field to search", "검색할 필드")),),
        description=r"""
Searches the first match of a Java regular expression; every named group `(?<name>...)` that took part becomes a text
field. Where nothing matches, and for a group that took no part, the field keeps its value. Groups without a name do not
capture. The pattern stands between double quotes as it is: nothing inside is unescaped.
""",
        examples=(
            Example(
                "The user agent of a request",
                'table t | rex field=headers "(?i)user-agent: (?<agent>[^\\n]+)" | fields agent',
                ({"agent": "curl/8.0"}, {"agent": None}),
                {"t": [{"headers": "Host: a\nUser-Agent: curl/8.0\nAccept: */*"}, {"headers": "Host: b"}]},
            ),
            Example(
                "Parts of a device key",
                'table t | rex field=value "Ven_(?<vendor>[^&]+)&Prod_(?<product>[^&]+)" | fields vendor, product',
                ({"vendor": "Corsair", "product": "UFD"},),
                {"t": [{"value": "USBSTOR#Disk&Ven_Corsair&Prod_UFD&Rev_0.00#"}]},
            ),
        ),
        errors=(
            NO_FIELD,
            INVALID_REGEX,
        ),
    )
)
