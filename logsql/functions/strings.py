"""Text functions: case, length, cutting, padding, searching (functions.md > string, language.md section 9).

Positions are zero-based characters (code points). Arguments are converted to text first; null text gives null.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from logsql.diagnostics.codes import define
from logsql.diagnostics.codes import text as sentence
from logsql.diagnostics.losses import Fate, loss
from logsql.functions.lowering import Position, example, lambda_name, minus, null, plus, position, slice_of, text
from logsql.planner import results
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB, PLAIN, Plain, Takes
from logsql.planner.function_spec import FunctionSpec, Idiom, register
from logsql.planner.notes import elements, shown
from logsql.values import cells, sql, values
from logsql.values.keys import same
from logsql.values.sql import Sql
from logsql.values.types import ANY, BOOL, INT_WIDE, STRING, Kind
from logsql.values.values import Typed

_NEGATIVE = sentence("{function}() got the negative length {length}", "{function}()의 길이가 음수입니다: {length}")
_NEGATIVE_MEANING = ("a negative length", "길이가 음수입니다")
LEFT_LENGTH = define("90720", "left-func-negative-length", _NEGATIVE_MEANING, _NEGATIVE)
RIGHT_LENGTH = define("90721", "right-func-negative-length", _NEGATIVE_MEANING, _NEGATIVE)


#: U+0000 to U+0020, what Java's String.trim removes, as hex so that the SQL stays printable.
_TRIMMED = "".join(f"{code:02x}" for code in range(33))
#: A length beyond this is a mistake in the data, and padding to it would exhaust the memory.
LONGEST_PAD = 1_000_000
PAD_CUT = loss(
    "longer-than-padded",
    (
        "texts longer than the length that they are padded to: cut (left() and substr() cut without a word)",
        "채울 길이보다 긴 텍스트: 잘렸습니다(left()와 substr()는 알리지 않고 자릅니다)",
    ),
    fate=Fate.CHANGED,
)


def _string(node: Sql | None) -> Typed:
    return null(STRING) if node is None else Typed(node, STRING)


def _simple(function: Callable[[Sql], Sql]) -> Callable[[FunctionCall], Typed]:
    """A function of one text that reads it once."""

    def lower(call: FunctionCall) -> Typed:
        value = call.arg(0)
        return null(STRING) if value.kind is Kind.NULL else Typed(function(values.text_sql(value)), STRING)

    return lower


def _trim(node: Sql) -> Sql:
    return sql.func("trim", node, sql.func("decode", sql.func("unhex", sql.string(_TRIMMED))))


def signature_sql(node: Sql) -> Sql:
    """Text without letters, digits and quoted parts; of a quoted part the closing quote stays (decisions.md 20)."""
    return sql.func(
        "regexp_replace", node, sql.string(r'"[^"]*("|\z)|[\p{L}\p{Nd}]'), sql.string(r"\1"), sql.string("g")
    )


def _concat(call: FunctionCall) -> Typed:
    parts: list[Sql] = []
    for value in call.args:
        node = values.text_sql(value)
        if value.kind is Kind.NULL:
            parts.append(sql.string("null"))
        else:
            parts.append(node if isinstance(node, exp.Literal) else sql.coalesce(node, sql.string("null")))
    return Typed(sql.concat(*parts), STRING)


# --- length -----------------------------------------------------------------------------------------------------------


def _len(call: FunctionCall) -> Typed:
    value = call.arg(0)
    if value.kind is Kind.NULL:
        return Typed(sql.integer(0), INT_WIDE)
    return Typed(sql.coalesce(_length(call, value), sql.integer(0)), INT_WIDE)


def _list_length(node: Sql) -> Sql:
    """Elements of a list; a CASE of lists is counted branch by branch, for gathering its lists would copy them."""
    if isinstance(node, exp.Case) and node.this is None and node.args.get("default") is not None:
        branches = [(branch.this, _list_length(branch.args["true"])) for branch in node.args["ifs"]]
        return sql.case(branches, _list_length(node.args["default"]))
    return sql.func("len", node)


def _length(call: FunctionCall, value: Typed) -> Sql:
    if value.parts:
        return sql.coalesce(*(_length(call, part) for part in value.parts))
    if value.kind is Kind.LIST:
        return _list_length(value.expr)
    if value.kind is Kind.MAP:
        return sql.func("len", sql.func("json_keys", value.expr))
    plain = sql.func("length", values.text_sql(value))
    if value.kind is not Kind.ANY:
        return plain
    if value.type.json:
        kind = sql.func("json_type", value.expr)
        size = sql.cast(sql.func("json_array_length", value.expr), "BIGINT")
        keys = sql.func("len", sql.func("json_keys", value.expr))
        return sql.case([(sql.eq(kind, sql.string("ARRAY")), size), (sql.eq(kind, sql.string("OBJECT")), keys)], plain)
    kind = sql.func("variant_typeof", value.expr)
    size = sql.func("len", sql.try_cast(value.expr, "VARIANT[]"))
    keys = sql.func("len", sql.func("json_keys", sql.func("to_json", value.expr)))
    tests = [
        (sql.func("starts_with", kind, sql.string("ARRAY")), size),
        (sql.func("starts_with", kind, sql.string("OBJECT")), keys),
    ]
    return sql.case(tests, plain)


# --- cutting ----------------------------------------------------------------------------------------------------------


def _substr(call: FunctionCall) -> Typed:
    node = text(call, 0)
    if node is None:
        return null(STRING)
    begin, end = position(call, 1), position(call, 2)
    if begin.absent:
        return Typed(node, STRING)
    if begin.wrong or end.wrong:
        return null(STRING)
    cut = slice_of(sql.func("length", node), begin, end)
    if cut.empty:
        return null(STRING)
    start = plus(cut.begin, 1)
    args = [node, start] if cut.end is None else [node, start, minus(cut.end, cut.begin)]
    if begin.value is not None and begin.value < 0:
        size = _distance(begin, end)
        if end.absent:
            return Typed(sql.when(sql.and_(*cut.tests), sql.func("right", node, sql.integer(-begin.value))), STRING)
        args = args if size is None else [node, start, sql.integer(size)]
    branches = [] if begin.raw is None else [(begin.missing or sql.is_null(begin.raw), node)]
    return Typed(sql.case([*branches, (sql.and_(*cut.tests), sql.func("substring", *args))]), STRING)


def _distance(begin: Position, end: Position) -> int | None:
    """Length of a slice whose bounds count from the same side."""
    if begin.value is None or end.value is None or (begin.value < 0) != (end.value < 0):
        return None
    return end.value - begin.value


def _side(call: FunctionCall) -> Typed:
    name = call.spec.name
    node, count = text(call, 0), position(call, 1)
    if count.value is not None and count.value < 0:
        call.fail(LEFT_LENGTH if name == "left" else RIGHT_LENGTH, 1, function=name, length=count.value)
    if node is None or count.wrong or count.absent:
        return null(STRING)
    cut = sql.func(name, node, count.sql)
    if count.value is not None:
        return Typed(cut, STRING)
    return Typed(sql.when(sql.binary(">=", count.sql, sql.integer(0)), cut), STRING)


def _pad(call: FunctionCall) -> Typed:
    node, width = text(call, 0), position(call, 1)
    fill = Typed(sql.string(" "), STRING) if len(call) < 3 else call.arg(2)
    if node is None or width.wrong or width.absent or fill.kind is Kind.NULL:
        return null(STRING)
    pad = values.text_sql(fill)
    node = call.let(node)
    padded = sql.func(call.spec.name, node, sql.cast(width.sql, "INTEGER"), pad)
    tests: list[Sql] = []
    if width.value is None:
        tests.append(exp.Between(this=width.sql, low=sql.integer(0), high=sql.integer(LONGEST_PAD)))
    elif not 0 <= width.value <= LONGEST_PAD:
        return null(STRING)
    else:
        padded = sql.func(call.spec.name, node, sql.integer(width.value), pad)
    if not isinstance(pad, exp.Literal):
        tests.append(sql.binary("<>", pad, sql.string("")))
    elif not pad.this:
        return null(STRING)
    longer = sql.binary(">", sql.func("length", node.copy()), sql.cast(width.sql.copy(), "INTEGER"))
    padded = call.changed(PAD_CUT, Typed(padded, STRING), longer, node).expr
    return Typed(sql.when(sql.and_(*tests), padded) if tests else padded, STRING)


def _too_wide(_: FunctionCall, width: object) -> bool:
    return isinstance(width, int) and not 0 <= width <= LONGEST_PAD


def _ends_before(call: FunctionCall, end: object) -> bool:
    """``substr(s, 5, 2)``: nothing is from begin to end; negative positions depend on the text."""
    begin = call.constant(1) if call.is_constant(1) else None
    return isinstance(begin, int) and isinstance(end, int) and 0 <= end < begin


_NO_PADDING = ((1, _too_wide), (2, lambda _, pad: pad == ""))


# --- searching --------------------------------------------------------------------------------------------------------


def _contains(call: FunctionCall) -> Typed:
    value, needle = call.arg(0), call.arg(1)
    if Kind.NULL in (value.kind, needle.kind):
        return Typed(sql.boolean(False), BOOL)
    shown.among_maps(call.cx, call.nodes[0], call.nodes[1])
    if value.kind is Kind.LIST:
        shown.candidate(call.cx, call.nodes[0], call.nodes[1])
        elements.contained(call, value, needle)
        return values.settled(list_contains(call, value, needle))
    if value.kind is Kind.STRING:
        shown.part(call.cx, call.nodes[0], call.nodes[1])
    found = sql.func("contains", values.text_sql(value), values.text_sql(needle))
    listed = values.as_list(value) if value.kind is Kind.ANY else None
    if listed is None:
        return values.settled(found)
    items = Typed(call.let(listed.expr), listed.type)
    return values.settled(sql.case([(sql.not_null(items.expr), list_contains(call, items, needle))], found))


def list_contains(call: FunctionCall, value: Typed, needle: Typed) -> Sql:
    """Whether a list has an element that equals ``needle``: case-sensitive, numbers by value, nothing converted."""
    element = value.type.element or ANY
    if needle.type == element and element.kind in (Kind.STRING, Kind.INT, Kind.LONG, Kind.DATE, Kind.IP, Kind.BOOL):
        return sql.func("list_contains", value.expr, needle.expr)
    name = lambda_name(call.cx, "c")
    equal = same(Typed(sql.var(name), element), needle)
    return sql.func(
        "list_contains", sql.func("list_transform", value.expr, sql.lambda_([name], equal)), sql.boolean(True)
    )


def _indexof(call: FunctionCall) -> Typed:
    node, needle, start = text(call, 0), text(call, 1), position(call, 2)
    if node is None or needle is None or start.wrong:
        return null(INT_WIDE)
    if start.absent and len(call) > 2:
        return null(INT_WIDE)
    if start.absent or (start.value is not None and start.value <= 0):
        return Typed(sql.binary("-", sql.func("instr", node, needle), sql.integer(1)), INT_WIDE)
    first = start.sql if start.value is not None else sql.func("greatest", start.sql, sql.integer(0))
    found = call.let(sql.func("instr", sql.func("substring", node, plus(first, 1)), needle))
    behind = sql.case([(sql.eq(needle, sql.string("")), sql.func("length", node))], sql.integer(-1))
    if isinstance(needle, exp.Literal) and needle.this:
        behind = sql.integer(-1)
    tests: list[tuple[Sql, Sql]] = [] if start.value is not None else [(sql.is_null(start.sql), sql.null("BIGINT"))]
    tests.append((sql.or_(sql.is_null(node), sql.is_null(needle)), sql.null("BIGINT")))
    tests.append((sql.binary(">=", first, sql.func("length", node)), behind))
    tests.append((sql.eq(found, sql.integer(0)), sql.integer(-1)))
    return Typed(sql.case(tests, sql.binary("+", found, minus(first, sql.integer(1)))), INT_WIDE)


def _lastindexof(call: FunctionCall) -> Typed:
    node, needle, start = text(call, 0), text(call, 1), position(call, 2)
    if node is None or needle is None or start.wrong or (start.absent and len(call) > 2):
        return null(INT_WIDE)
    if start.absent:
        return Typed(_last(call, node, needle), INT_WIDE)
    if start.value is not None and start.value < 0:
        both = sql.and_(sql.not_null(node), sql.not_null(needle))
        return Typed(sql.when(both, sql.integer(-1)), INT_WIDE)
    head = call.let(sql.func("left", node, sql.binary("+", start.sql, sql.func("length", needle))))
    if start.value is not None:
        return Typed(_last(call, head, needle), INT_WIDE)
    both = sql.and_(sql.not_null(node), sql.not_null(needle))
    negative = (sql.and_(both, sql.binary("<", start.sql, sql.integer(0))), sql.integer(-1))
    return Typed(sql.case([negative], _last(call, head, needle)), INT_WIDE)


def _last(call: FunctionCall, node: Sql, needle: Sql) -> Sql:
    """Position of the last occurrence, -1 when there is none.

    A needle that cannot overlap itself is found by splitting; ``"aaa"`` and ``"aa"`` (1, not 0) need a look at every
    position. ``reverse()`` is no help, it keeps accents behind their letters.
    """
    length = sql.func("length", node)
    literal = str(needle.this) if isinstance(needle, exp.Literal) and needle.is_string else None
    if literal == "":
        return length
    if literal is not None and not _overlaps_itself(literal):
        tail = sql.func("list_extract", sql.func("string_split", node, needle), sql.integer(-1))
        at = sql.binary("-", sql.binary("-", length, sql.func("length", tail)), sql.integer(len(literal)))
        missing = sql.when(sql.not_null(node), sql.integer(-1))
        return sql.case([(sql.func("contains", node, needle), at)], missing)
    size = sql.func("length", needle)
    places = sql.func("range", sql.binary("+", sql.binary("-", length, size), sql.integer(1)))
    name = lambda_name(call.cx, "p")
    here = sql.func("substring", node, sql.binary("+", sql.var(name), sql.integer(1)), size)
    found = sql.func("list_max", sql.func("list_filter", places, sql.lambda_([name], sql.eq(here, needle))))
    return sql.when(sql.and_(sql.not_null(node), sql.not_null(needle)), sql.coalesce(found, sql.integer(-1)))


def _overlaps_itself(needle: str) -> bool:
    return any(needle.startswith(needle[i:]) for i in range(1, len(needle)))


register(
    FunctionSpec(
        "concat", "string", "concat(value, ...)",
        ("Joins the text forms of the values; null prints as null.",
         "값을 텍스트로 바꾸어 이어 붙입니다. null은 null로 표시합니다."),
        _concat, 1, None, "string", DUCKDB,
        (example('concat(a, ":", b)', "10.0.0.1:443", {"a": "10.0.0.1", "b": 443}), example('concat("n", 1.5)',
        "n1.5")), direct=cells.concat,
    ),
    FunctionSpec(
        "contains", "string", "contains(text, needle) or contains(list, element)",
        ("Whether the text holds the needle (case matters, no "
         "wildcards), or the list an equal element; false for null.",
         "텍스트에 찾는 문자열이 있는지(대소문자 구분, 와일드카드 없음), "
         "목록에 같은 요소가 있는지 반환합니다. null은 false입니다."),
        _contains, 2, 2, "bool", DUCKDB,
        (
            example('contains("foo", "o")', True),
            example('contains("ABC", "b")', False),
            example('contains(array("1", "abc"), "abc")', True),
            example('contains(null, "a")', False),
        ),
        plain=Plain(1, "match({0}, {1})"),
        searches=True,
        direct=cells.contains,
    ),
    FunctionSpec(
        "len", "string", "len(value)",
        ("Characters of the text, elements of a list, keys of a map; 0 for null.",
         "텍스트의 글자 수, 목록의 요소 수, 맵의 키 수를 반환합니다. null은 0입니다."),
        _len, 1, 1, "int", DUCKDB,
        (example('len("한글")', 2), example("len(null)", 0), example('len(split("a\\nb", "\\n"))', 2)),
        idiom=Idiom.NEVER_NULL, gives=results.always(low=0, given=True), direct=cells.length,
    ),
    FunctionSpec(
        "lower", "string", "lower(text)",
        ("Lower case.", "소문자로 바꿉니다."),
        _simple(values.lower), 1, 1, "string", PLAIN,
        (example('lower("Hello World")', "hello world"), example("lower(null)", None)), gives=results.in_case("lower"),
        direct=cells.lower,
    ),
    FunctionSpec(
        "upper", "string", "upper(text)",
        ("Upper case.", "대문자로 바꿉니다."),
        _simple(lambda s: sql.func("upper", s)), 1, 1, "string",
        PLAIN,
        (example('upper("한글abc")', "한글ABC"),), gives=results.in_case("upper"),
        direct=cells.upper,
    ),
    FunctionSpec(
        "trim", "string", "trim(text)",
        ("Without blanks, tabs, line ends and other characters up to U+0020 at both ends.",
         "양쪽 끝에서 공백, 탭, 줄 바꿈 등 U+0020 이하의 문자를 제거합니다."),
        _simple(_trim), 1, 1, "string", DUCKDB,
        (example('trim("\\t a \\r\\n")', "a"),), gives=results.trimmed,
    ),
    FunctionSpec(
        "signature", "string", "signature(text)",
        ("The text without letters, digits and quoted parts: equal for lines of one shape.",
         "글자, 숫자, 따옴표로 묶인 부분을 뺀 텍스트를 반환합니다. 형태가 같은 줄은 결과가 같습니다."),
        _simple(signature_sql), 1, 1, "string", DUCKDB,
        (example('signature("GET /a/b 200")', " // "), example('signature("k=\\"v 1\\" x")', '=" ')),
    ),
    FunctionSpec(
        "substr", "string", "substr(text, begin, [end])",
        ("Characters from begin up to, not including, end; negative positions count from the end.",
         "begin부터 end 앞까지의 글자를 반환합니다. 음수 위치는 끝에서 셉니다."),
        _substr, 2, 3, "string", PLAIN,
        (
            example('substr("0123456789", 2, 4)', "23"),
            example('substr("0123456789", -2)', "89"),
            example('substr("abc", 3)', None),
        ),
        notes=(
            ("null when begin is at or past the end, or after end",
             "begin이 텍스트의 끝이거나 그 뒤, 또는 end보다 뒤이면 null입니다"),
        ),
        takes=((1, Takes.WHOLE), (2, Takes.WHOLE)), never=((2, _ends_before),), gives=results.slice_,
    ),
    FunctionSpec(
        "left", "string", "left(text, length)",
        ("The first characters; the whole text when it is shorter.",
         "앞에서 지정한 수만큼의 글자를 반환합니다. 텍스트가 더 짧으면 전체입니다."),
        _side, 2, 2, "string", DUCKDB,
        (example('left("0123456789", 4)', "0123"), example("left(1.23, 3)", "1.2")),
        notes=(
            ("a negative constant length is refused, a negative computed one gives null",
             "음수 상수 길이는 오류이고, 계산한 길이가 음수이면 null입니다"),
        ),
        takes=((1, Takes.WHOLE),), gives=results.side,
        direct=cells.left,
    ),
    FunctionSpec(
        "right", "string", "right(text, length)",
        ("The last characters; the whole text when it is shorter.",
         "뒤에서 지정한 수만큼의 글자를 반환합니다. 텍스트가 더 짧으면 전체입니다."),
        _side, 2, 2, "string", PLAIN,
        (example('right("0123456789", 4)', "6789"), example("right(1234, 2)", "34")),
        takes=((1, Takes.WHOLE),), gives=results.side,
        direct=cells.right,
    ),
    FunctionSpec(
        "lpad", "string", "lpad(text, length, [pad])",
        ("Padded on the left to the length; longer text is cut on the right.",
         "왼쪽을 채워 지정한 길이로 맞춥니다. 더 긴 텍스트는 오른쪽을 자릅니다."),
        _pad, 2, 3, "string", PLAIN,
        (example('lpad("string", 10, "pad")', "padpstring"), example('lpad("ab", 4)', "  ab"), example('lpad("abc", 2)',
        "ab")),
        takes=((1, Takes.WHOLE),), never=_NO_PADDING, gives=results.padded,
    ),
    FunctionSpec(
        "rpad", "string", "rpad(text, length, [pad])",
        ("Padded on the right to the length; longer text is cut.",
         "오른쪽을 채워 지정한 길이로 맞춥니다. 더 긴 텍스트는 자릅니다."),
        _pad, 2, 3, "string", PLAIN,
        (example('rpad("string", 10, "pad")', "stringpadp"),),
        takes=((1, Takes.WHOLE),), never=_NO_PADDING, gives=results.padded,
    ),
    FunctionSpec(
        "indexof", "string", "indexof(text, needle, [start])",
        ("Position of the first occurrence from start, -1 when absent.",
         "start부터 처음 나오는 위치를 반환합니다. 없으면 -1입니다."),
        _indexof, 2, 3, "int", PLAIN,
        (example('indexof("hello world", "o", 5)', 7), example('indexof("abc", "x")', -1), example('indexof(null, "x")',
        None)),
        takes=((2, Takes.WHOLE),), plain=Plain(1), searches=True, finds_place=True,
        gives=results.always(low=-1),
    ),
    FunctionSpec(
        "lastindexof", "string", "lastindexof(text, needle, [start])",
        ("Position of the last occurrence that begins at or before start, -1 when absent.",
         "start이거나 그 앞에서 시작하는 마지막 위치를 반환합니다. 없으면 -1입니다."),
        _lastindexof, 2, 3, "int", DUCKDB,
        (example('lastindexof("가나가", "가")', 2), example('lastindexof("a.b.c", ".", 2)', 1)),
        takes=((2, Takes.WHOLE),), plain=Plain(1), searches=True, finds_place=True,
        gives=results.always(low=-1),
    ),
)  # fmt: skip
