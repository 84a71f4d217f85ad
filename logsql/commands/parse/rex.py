"""``rex``: named groups of a regular expression as fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logsql.commands.parse._overlay import NO_TEXT, carry, old_value, tallied
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.losses import Fate, Loss, loss
from logsql.diagnostics.messages import text
from logsql.language.tree import Name, Span, Text
from logsql.planner import duties, losses
from logsql.planner.expressions import ExprContext
from logsql.planner.notes.regexes import DOUBLED, SLASHES, doubled, regex_help, slashes
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

IN_PYTHON = text("the pattern runs in Python: {why}", "정규표현식을 파이썬에서 실행합니다: {why}")
EMPTY_GROUP = text("a group that may be empty or absent", "비거나 없을 수 있는 그룹")
NO_GROUP = define(
    "N1601",
    "no-named-group",
    (
        "the regular expression of rex names no group: no field is set",
        "rex의 정규표현식에 이름 있는 그룹이 없어 필드가 생기지 않습니다",
    ),
    (
        "the regular expression names no group: no field is set",
        "정규표현식에 이름 있는 그룹이 없어 필드가 생기지 않습니다",
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
    ("the pattern is not quoted or not a regular expression", "패턴을 따옴표로 묶지 않았거나 정규표현식이 아닙니다"),
)
UNQUOTED_REGEX = INVALID_REGEX.says(
    ("the regular expression of rex stands in double quotes", "rex의 정규표현식은 큰따옴표로 묶습니다"), help=_FORM
)
BAD_REGEX = INVALID_REGEX.says(
    ("the regular expression cannot be used: {reason}", "쓸 수 없는 정규표현식입니다: {reason}")
)
NO_MATCH = loss(
    "no-match",
    (
        "the pattern takes nothing out of any of the rows: no field is set",
        "정규표현식이 어느 행에서도 값을 꺼내지 못해 필드가 생기지 않습니다",
    ),
    fate=Fate.PASSED,
)
#: Characters of a pattern that the ledger names.
_SHORT = 40
#: What a capture was made of: its text and its pattern.
_MADE_OF = "made of"
#: Words of a field name before the quote of the pattern.
_MORE_WORDS = re.compile(r"[^\s\"()\[\]=|]+(?:\s+[^\s\"()\[\]=|]+)*(?=\s+\")")
_LIST = LType(Kind.LIST, "VARCHAR[]", STRING)


@dataclass(frozen=True)
class RexArgs:
    """The pattern as written between its quotes; ``field`` where the name of the field holds blanks."""

    pattern: Text
    field: Name | None = None


@dataclass(frozen=True)
class Fates:
    """Tells the ledger whether any row matched, and if not, whether any had a text: each in a branch of its own.

    A call is the empty text, which is what DuckDB's ``regexp_extract`` gives where nothing matches: so no value is
    computed twice or copied. Without ``cx`` (a plan that is only translated) the SQL says what a user reads.
    """

    cx: ExprContext | None = None
    place: str = ""
    source: str = ""

    def matched(self) -> Sql:
        return self._came(0, None)

    def failed(self) -> Sql:
        return self._came(1, NO_MATCH)

    def untold(self) -> Sql:
        return self._came(2, NO_TEXT)

    def _came(self, rank: int, row: Loss | None) -> Sql:
        assert self.cx is not None
        return losses.came(self.cx, self.place, rank, row, self.source)

    def empty(self, test: Sql, given: Sql | None) -> Sql:
        """The empty text. ``test`` holds in the rows that match, ``given`` is null where there is no text to search."""
        if self.cx is None:
            return sql.string("")
        if given is None:
            return sql.case([(test, self.matched())], self.failed())
        return sql.case([(test, self.matched()), (sql.not_null(given.copy()), self.failed())], self.untold())

    def filled(self, found: Sql, given: Sql | None) -> Sql:
        """``found``, null where it is empty: there nothing matched. ``given`` is null where there is no text to search
        (None: there is one), and not ``found``, which DuckDB would compute again in the second branch of a CASE."""
        return sql.func("nullif", found, self.empty(_some(found), given))

    def test(self, test: Sql, given: Sql) -> Sql:
        """``test``, as a condition."""
        if self.cx is None:
            return test
        failed, untold = _some(self.failed()), _some(self.untold())
        return sql.case([(test, sql.eq(self.matched(), sql.string(""))), (sql.not_null(given.copy()), failed)], untold)


def _some(text: Sql) -> Sql:
    return sql.binary("<>", text.copy(), sql.string(""))


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
        stage.fail(BAD_REGEX, pattern.span, help=regex_help(pattern.value), reason=problem)
    if (slip := doubled(pattern.value)) is not None:
        stage.note(DOUBLED, pattern.span, wrong=slip[0], right=slip[1])
    named = stage.arguments(RexArgs).field
    field = stage.option("field") if named is None else named.text
    if (facts := slashes(pattern.value, lambda: stage.context(stage.rel).sample(field))) is not None:
        stage.note(SLASHES, pattern.span, **facts)
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
    source = f"rex field={field} {_short(stage)}"
    if _native(spec) and single:

        def read(cx: ExprContext) -> Sql:
            return cx.let(values.text_sql(cx.field(field)))

        def one(cx: ExprContext) -> tuple[Sql, list[Typed]]:
            text = read(cx)
            node = capture(text, spec, _fates(stage, cx, field))
            node.meta[_MADE_OF] = (text, spec.pattern)
            return node, [cx.field(name) for name in spec.columns]

        rel, found = stage.lowered(stage.rel, read)
        if _repeats(rel, spec.names[0], (found, spec.pattern)):
            return rel, {}, []
        rel, (node, _) = stage.lowered(rel, one)
        if stage.catalog.shared:
            rel, (ident,) = carry(stage, rel, ("__found", node, STRING))
            rel, made = tallied(stage, rel, ident, sql.not_null(sql.col(ident)), field, source)
            return rel, {spec.names[0]: Typed(sql.col(made), STRING)}, [ident, made]
        return rel, {spec.names[0]: Typed(node, STRING)}, []
    if _native(spec):
        return _groups(stage, spec, field)

    def slow(cx: ExprContext) -> tuple[Sql, Fates]:
        fates = _fates(stage, cx, field)
        text = cx.let(values.text_sql(cx.field(field)))
        node = cx.udf("lq_rex", text, sql.string(spec.pattern))
        if fates.cx is None:
            return node, fates
        none = sql.when(_some(fates.empty(sql.boolean(False), text)), sql.cast(sql.array([]), _LIST.physical))
        return sql.coalesce(node, none), fates

    stage.remark(IN_PYTHON, why=spec.why or EMPTY_GROUP.fill())
    rel, (node, fates) = stage.lowered(stage.rel, slow)
    rel, (listed,) = carry(stage, rel, ("__found", node, _LIST))
    rel, listed = tallied(stage, rel, listed, sql.not_null(sql.col(listed)), field, source)
    matched = sql.not_null(sql.col(listed))
    captured = {}
    for place, name in enumerate(spec.columns, 1):
        item = sql.index(sql.col(listed), sql.integer(place))
        if fates.cx is not None:
            item = sql.when(sql.eq(sql.when(matched.copy(), fates.matched()), sql.string("")), item)
        captured[name] = Typed(item, STRING)
    return rel, captured, [listed]


def _native(spec: Any) -> bool:
    """Whether DuckDB can tell everything: its ``''`` means no match, no part and empty alike."""
    return spec.re2 is not None and all(
        always or not empty for always, empty in zip(spec.always, spec.may_be_empty, strict=True)
    )


def _repeats(rel: Rel, name: str, made_of: tuple[Sql, str]) -> bool:
    """Whether the field already is this capture of the same text (the seed queries extract a header twice)."""
    column = rel.column(name)
    if column is None or column.parts or (known := rel.pending.get(column.ident)) is None:
        return False
    return bool(known.meta.get(_MADE_OF) == made_of)


def _fates(stage: Stage, cx: ExprContext, field: str) -> Fates:
    """What tells the ledger; nothing for a plan that is only translated, nor where the row has no such field (a note
    says so)."""
    if cx.run_id is None or cx.field(field).kind is Kind.NULL:
        return Fates()
    return Fates(cx, str(stage.number), f"rex field={field} {_short(stage)}")


def _short(stage: Stage) -> str:
    """The beginning of the pattern as it is written."""
    pattern: str = stage.arguments(RexArgs).pattern.value
    return f'"{pattern}"' if len(pattern) <= _SHORT else f'"{pattern[:_SHORT]}..."'


def capture(text: Sql, spec: Any, fates: Fates = Fates()) -> Sql:
    """The only group of a pattern: null where nothing matches."""
    pattern, place = spec.re2, spec.group_index[0]
    if (cut := literal_cut(spec.pattern)) is not None:
        return _cut(text, cut, pattern, place, fates)
    return _exact(text, pattern, place, spec.may_be_empty[0], fates)


def _exact(text: Sql, pattern: str, place: int, may_be_empty: bool, fates: Fates, given: bool = False) -> Sql:
    """By the regular expression. ``given``: no text is null there."""
    found = sql.func("regexp_extract", text.copy(), sql.string(pattern), sql.integer(place))
    if not may_be_empty:
        return fates.filled(found, None if given else text)
    return sql.when(fates.test(sql.func("regexp_matches", text, sql.string(pattern)), text), found)


def literal_cut(pattern: str) -> Any:
    """The pattern as an ASCII literal and one character that ends the value, where text functions say the same."""
    from udfs.java.javaregex import literal_fast_path  # for cost: pyarrow.compute and regex

    cut = literal_fast_path(pattern)
    if cut is None or len(cut.stop) != 1 or not cut.literal or not cut.literal.isascii():
        return None
    return cut


def _cut(text: Sql, cut: Any, pattern: str, place: int, fates: Fates) -> Sql:
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
        return value if fates.cx is None else sql.when(fates.test(test, text), value)
    exact = _exact(text, pattern, place, not cut.min_len, fates, given=True)
    cases = [(test, value), (sql.binary(">", at, sql.integer(0)), exact)]
    if fates.cx is None:
        return sql.case(cases)
    matched = sql.case([(test, sql.eq(fates.matched(), sql.string("")))], sql.boolean(False))
    none = sql.case([(sql.not_null(text.copy()), fates.failed())], fates.untold())
    return sql.case([(matched, value), cases[1]], sql.func("nullif", none, sql.string("")))


def _groups(stage: Stage, spec: Any, field: str) -> tuple[Rel, dict[str, Typed], list[str]]:
    """Several groups by one call, unpacked in the next SELECT; an outer group tells an empty capture from no match."""
    empties = any(spec.may_be_empty)
    shift = 1 if empties and not spec.nullable else 0
    pattern = f"({spec.re2})" if shift else spec.re2
    count = max(spec.group_index) + shift
    names = sql.array([sql.string(f"g{number}") for number in range(1, count + 1)])

    def make(cx: ExprContext) -> tuple[Sql, Fates]:
        fates = _fates(stage, cx, field)
        text = cx.let(values.text_sql(cx.field(field)))
        call = sql.func("regexp_extract", text, sql.string(pattern), names)
        if empties and spec.nullable:
            matches = sql.func("regexp_matches", text.copy(), sql.string(pattern))
            return sql.when(fates.test(matches, text), call), Fates()
        return call, fates

    rel, (node, fates) = stage.lowered(stage.rel, make)
    shape = LType(Kind.ANY, "STRUCT")
    rel, (ident,) = carry(stage, rel, ("__groups", node, shape))

    def group(number: int) -> Sql:
        return sql.func("struct_extract", sql.col(ident), sql.string(f"g{number}"))

    # Each field tells it: one that nothing reads is not computed.
    matched = _some(group(1)) if shift else sql.or_(*(_some(group(number)) for number in spec.group_index))
    if empties and spec.nullable:
        matched = sql.not_null(sql.col(ident))
    rel, ident = tallied(stage, rel, ident, matched.copy(), field, f"rex field={field} {_short(stage)}")
    captured: dict[str, Typed] = {}
    for name, index, empty in zip(spec.names, spec.group_index, spec.may_be_empty, strict=True):
        value = group(index + shift)
        if not empty:
            value = sql.func("nullif", value, fates.empty(matched.copy(), sql.col(ident)))
        elif shift:
            value = sql.when(fates.test(matched.copy(), sql.col(ident)), value)
        if name in captured:  # of groups with one name the last that took part counts
            value = sql.coalesce(value, captured[name].expr)
        captured[name] = Typed(value, STRING)
    return rel, captured, [ident]


register(
    CommandSpec(
        name="rex",
        group=Group.PARSE,
        summary=("Extract named groups of a regular expression.", "정규표현식의 이름 있는 그룹을 필드로 추출합니다."),
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
        ledger=(NO_MATCH, NO_TEXT),
    )
)
