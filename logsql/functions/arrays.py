"""Lists and maps: array, dict, valueof, subarray, flatten, unique, sumarray, zip, foreach (functions.md > array)."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.losses import OVERFLOW, Fate, loss
from logsql.functions.lowering import (
    Position,
    at_places,
    computed_pointer,
    example,
    lambda_name,
    null,
    plus,
    position,
    slice_of,
)
from logsql.functions.textlists import delimiter
from logsql.language.tree import Call, Field, canonical
from logsql.planner import losses, members
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB, Takes
from logsql.planner.function_spec import FunctionSpec, register
from logsql.planner.notes import documents
from logsql.values import sql, values
from logsql.values.keys import plainly_same
from logsql.values.paths import step_into
from logsql.values.sorting import once
from logsql.values.sql import Sql
from logsql.values.types import ANY, ANY_JSON, DOUBLE, LONG, MAP, STRING, Kind, list_of
from logsql.values.values import NULL_VALUE, Typed

DICT_ODD = define(
    "90910",
    "dict-odd-arguments",
    ("dict() with a key that has no value", "dict()에 값이 없는 키가 있습니다"),
    (
        "dict() got an odd number of arguments: a key has no value",
        "dict()의 인자가 홀수 개입니다. 값이 없는 키가 있습니다",
    ),
)
DICT_KEY = define(
    "90911",
    "invalid-dict-key",
    ("a key of dict() is computed", "dict()의 키가 계산식입니다"),
    ("a key of dict() must be a text constant", "dict()의 키는 문자열 상수여야 합니다"),
)


#: Mixed lists are flattened this deep; a fixed number, because SQL expressions cannot recurse.
FLATTEN_DEPTH = 8


def _array(call: FunctionCall) -> Typed:
    return call.cx.list_value(call.args)


def _dict(call: FunctionCall) -> Typed:
    if len(call) % 2:
        call.fail(DICT_ODD, len(call) - 1)
    pairs: dict[str, Sql] = {}
    for i in range(0, len(call), 2):
        key = call.constant(i)
        if not isinstance(key, str):
            call.fail(DICT_KEY, i)
        value = call.arg(i + 1)
        pairs[key] = sql.null("JSON") if value.kind is Kind.NULL else values.to_json(value)
    if not pairs:
        return Typed(sql.cast(sql.string("{}"), "JSON"), MAP)
    return Typed(
        sql.func("json_object", *(node for key, value in pairs.items() for node in (sql.string(key), value))), MAP
    )


# --- valueof ----------------------------------------------------------------------------------------------------------


def _valueof(call: FunctionCall) -> Typed:
    quick = _part_of_split(call)
    if quick is not None:
        return quick
    value, key = call.arg(0), call.arg(1)
    documents.member(call, value)
    if Kind.NULL in (value.kind, key.kind):
        return NULL_VALUE
    if key.kind is Kind.STRING:
        return _member(call, value, key)
    if key.kind is Kind.ANY:
        text, whole = values.string_sql(key), values.integer_sql(key)
        named = _member(call, value, Typed(text, STRING)) if text is not None else NULL_VALUE
        listed = NULL_VALUE
        if whole is not None:
            listed = _element(value, Position(expr=sql.try_cast(call.let(whole), "INTEGER")))
        if Kind.NULL in (named.kind, listed.kind):
            return named if listed.kind is Kind.NULL else listed
        target = values.common_type([named, listed])
        return Typed(sql.coalesce(values.coerce(named, target), values.coerce(listed, target)), target)
    at = position(call, 1)
    return NULL_VALUE if at.wrong or at.absent else _element(value, at)


def _no_key(call: FunctionCall, key: object) -> bool:
    """Whether no list has a place ``key``, no map a key of this type."""
    kind = call.arg(0).kind
    if kind is Kind.LIST:
        return key is not None and (isinstance(key, bool) or not isinstance(key, int) or key < 0)
    return kind is Kind.MAP and key is not None and not isinstance(key, str)


def _part_of_split(call: FunctionCall) -> Typed | None:
    """``valueof(split(s, d), 3)`` needs no case for empty text: its one empty part is never the fourth."""
    node = call.nodes[0]
    if not isinstance(node, Call) or node.name != "split" or len(node.args) != 2 or not call.is_constant(1):
        return None
    at = call.constant(1)
    if isinstance(at, bool) or not isinstance(at, int) or at < 1:
        return None
    split = call.arg(0)  # checks the delimiter
    inner = FunctionCall(call.cx, call.spec, node)
    text = inner.arg(0)
    if text.kind is Kind.NULL:
        return split if split.kind is Kind.NULL else NULL_VALUE
    parts = sql.func("string_split", values.text_sql(text), sql.string(delimiter(inner)))
    return Typed(sql.index(parts, sql.integer(at + 1)), STRING)


def _member(call: FunctionCall, value: Typed, key: Typed) -> Typed:
    """The value of a key of a map."""
    if call.is_constant(1):
        name = call.constant(1)
        if name is None:
            return NULL_VALUE
        under, node = step_into(value, str(name)), call.nodes[0]
        if isinstance(node, Field) and node.name not in call.cx.bindings and not call.cx.asked(call.call):
            return members.answered(call.cx, node.name, under, str(name), canonical(call.call))
        return under
    found = values.as_map(value)
    if found is None:
        return NULL_VALUE
    return Typed(sql.func("json_extract", found.expr, computed_pointer(key.expr)), ANY_JSON)


def _element(value: Typed, at: Position) -> Typed:
    """Element of a list by a zero-based index; a negative index is out of range."""
    if at.value is not None:
        return step_into(value, at.value)
    listed = values.as_list(value)
    if listed is None:
        return NULL_VALUE
    node = sql.when(sql.binary(">=", at.sql, sql.integer(0)), sql.index(listed.expr, plus(at.sql, 1)))
    return Typed(node, listed.type.element or ANY)


# --- parts and sums ---------------------------------------------------------------------------------------------------


def _nothing_between(call: FunctionCall, end: object) -> bool:
    """``subarray(l, 3, 1)`` and ``subarray(l, -1, -2)``; of one position from each end the list decides."""
    begin = call.constant(1) if call.is_constant(1) else None
    return isinstance(begin, int) and isinstance(end, int) and (begin < 0) == (end < 0) and end <= begin


def _subarray(call: FunctionCall) -> Typed:
    value = values.as_list(call.arg(0))
    begin, end = position(call, 1), position(call, 2)
    if value is None:
        return NULL_VALUE
    if begin.wrong or end.wrong or begin.absent:
        return null(value.type)
    node = call.let(value.expr)
    cut = slice_of(sql.func("len", node), begin, end)
    if cut.empty:
        return null(value.type)
    last = sql.func("len", node) if cut.end is None else cut.end
    return Typed(sql.when(sql.and_(*cut.tests), sql.func("list_slice", node, plus(cut.begin, 1), last)), value.type)


NO_NUMBERS = loss(
    "list-with-others",
    (
        'lists with values that are no numbers, text like "12" too: left out of their sum '
        "(foreach(double(_1), LIST) makes numbers of them)",
        '숫자가 아닌 값("12" 같은 텍스트 포함)이 있는 목록: 합계에서 빠집니다'
        "(foreach(double(_1), 목록)으로 숫자가 됩니다)",
    ),
    fate=Fate.CHANGED,
)


def _sumarray(call: FunctionCall) -> Typed:
    value = values.as_list(call.arg(0))
    if value is None:
        return null(LONG)
    node, element = call.let(value.expr), value.type.element or ANY
    if element.integer:
        return _whole_sum(call, node, sql.func("list_sum", node))
    if element.number:
        return Typed(sql.coalesce(sql.func("list_sum", node), sql.when(sql.not_null(node), sql.double(0.0))), DOUBLE)
    item = Typed(sql.var("e"), element)
    whole, real = values.integer_sql(item), values.number_sql(item)
    filled = sql.and_(values.not_null(item), sql.binary("<>", values.text_sql(item), sql.string("")))
    if whole is None or real is None:
        others = sql.func("list_filter", node, sql.lambda_(["e"], filled))
        some = sql.binary(">", sql.func("len", others), sql.integer(0))
        return call.changed(
            NO_NUMBERS, Typed(_zero(node), LONG), some, sql.func("array_to_string", node, sql.string(","))
        )

    def total_of(body: Sql) -> Sql:
        return sql.func("list_sum", sql.func("list_transform", node, sql.lambda_(["e"], body)))

    fraction = sql.case([(sql.not_null(whole), sql.null("DOUBLE"))], real)
    none = sql.is_null(total_of(fraction))
    long_ = _whole_sum(call, node, total_of(whole))
    total = Typed(sql.case([(none, sql.cast(long_.expr, "VARIANT"))], sql.cast(total_of(real), "VARIANT")), ANY)
    if call.cx.run_id is None:
        return total
    no_number = sql.and_(sql.is_null(real.copy()), filled)
    others = sql.func("list_filter", node, sql.lambda_(["e"], no_number))
    some = sql.binary(">", sql.func("len", others), sql.integer(0))
    return call.changed(NO_NUMBERS, total, some, sql.cast(node.copy(), "VARCHAR"))


def _whole_sum(call: FunctionCall, node: Sql, total: Sql) -> Typed:
    """The sum of integers as a long: 0 of no number, null where it does not fit, which is counted."""
    fitting = sql.try_cast(total, "BIGINT")
    if call.cx.run_id is not None and call.cx.rel is not None:
        call.cx.tells()
        given, source = sql.not_null(total.copy()), canonical(call.call)
        fitting = losses.or_lost(call.cx, OVERFLOW, source, fitting, "BIGINT", sql.null("VARCHAR"), given, call.call)
    return Typed(sql.case([(sql.is_null(total.copy()), _zero(node))], fitting), LONG)


def _zero(node: Sql) -> Sql:
    return sql.when(sql.not_null(node), sql.cast(sql.integer(0), "BIGINT"))


def _unique(call: FunctionCall) -> Typed:
    value = call.arg(0)
    if value.kind is Kind.NULL:
        return NULL_VALUE
    listed = value if value.kind is Kind.LIST else _listed(call, value)
    element = listed.type.element or ANY
    if plainly_same(element):
        return Typed(sql.func("list_distinct", listed.expr), listed.type)
    items = call.let(listed.expr)
    distinct = at_places(call.cx, items, once(items, element))
    return Typed(sql.when(sql.not_null(items.copy()), distinct), listed.type)


def _listed(call: FunctionCall, value: Typed) -> Typed:
    """A value as a list: a single value is a list of one element, null stays null."""
    listed = values.as_list(value)
    single = sql.when(values.not_null(value), sql.array([values.coerce(value, value.type)]))
    if listed is None or value.kind is not Kind.ANY:
        return listed or Typed(single, list_of(value.type))
    # The lists of a mixed value may be of one type, say text, and its single values of another.
    items = Typed(call.let(listed.expr), listed.type)
    return Typed(sql.coalesce(values.coerce(items, list_of(value.type)), single), list_of(value.type))


def _flatten(call: FunctionCall) -> Typed:
    value = call.arg(0)
    return _flat(value) if value.kind is Kind.LIST else _flatten_mixed(call, value)


def _flat(value: Typed) -> Typed:
    while value.kind is Kind.LIST and value.type.element is not None and value.type.element.kind is Kind.LIST:
        inner = value.type.element
        # flatten() drops a list that is null, the language keeps the null.
        kept = sql.func(
            "list_transform", value.expr, sql.lambda_(["e"], sql.coalesce(sql.var("e"), sql.array([sql.null()])))
        )
        value = Typed(sql.func("flatten", kept), inner)
    if value.type.element is not None and value.type.element.kind is Kind.ANY:
        return _levels(value)
    return value


def _levels(value: Typed) -> Typed:
    """A list of mixed depth: every level replaces the lists in it by their elements."""
    element = value.type.element or ANY
    node = value.expr
    for _ in range(FLATTEN_DEPTH):
        item = Typed(sql.var("e"), element)
        inner = values.as_list(item)
        assert inner is not None
        spread = sql.coalesce(values.coerce(inner, list_of(element)), sql.array([sql.var("e")]))
        node = sql.func("flatten", sql.func("list_transform", node, sql.lambda_(["e"], spread)))
    return Typed(node, list_of(element))


def _flatten_mixed(call: FunctionCall, value: Typed) -> Typed:
    listed = values.as_list(value)
    if listed is None:
        return value
    items = Typed(call.let(listed.expr), listed.type)
    flat = _flat(items)
    return Typed(
        sql.case([(sql.not_null(items.expr), values.to_variant(flat).expr)], values.to_variant(value).expr), ANY
    )


# --- position by position ---------------------------------------------------------------------------------------------


def _zip(call: FunctionCall) -> Typed:
    lists: list[Typed] = []
    for value in call.args:
        if value.kind is Kind.NULL:
            return NULL_VALUE
        listed = _listed(call, value)
        lists.append(Typed(call.let(listed.expr), listed.type))
    element = values.common_type([Typed(v.expr, v.type.element or ANY) for v in lists])
    name = lambda_name(call.cx, "z")
    at = sql.var(name)
    row = sql.array([values.coerce(Typed(sql.index(v.expr, at), v.type.element or ANY), element) for v in lists])
    made = sql.func("list_transform", _positions([v.expr for v in lists]), sql.lambda_([name], row))
    return Typed(sql.when(sql.and_(*(sql.not_null(v.expr) for v in lists)), made), list_of(list_of(element)))


def _positions(lists: list[Sql], present: list[Sql] | None = None) -> Sql:
    """1 .. length of the longest list; a single position when there is no list but one of ``present`` holds."""
    sizes = [sql.func("len", node) for node in lists]
    longest = sizes[0] if len(sizes) == 1 else sql.func("greatest", *sizes)
    if present:
        longest = sql.coalesce(longest, sql.when(sql.or_(*present), sql.integer(1)))
    return sql.func("range", sql.integer(1), sql.binary("+", longest, sql.integer(1)))


def _foreach(call: FunctionCall) -> Typed:
    """The body once per position, with ``_1`` .. ``_N`` bound to elements; scalars repeat, short lists end in null."""
    cx = call.cx
    arguments = [call.arg(i) for i in range(1, len(call))]
    lists: list[Sql] = []
    at = sql.var(lambda_name(cx, "i"))
    bound: list[Typed] = []
    singles: list[Sql] = []
    for value in arguments:
        listed = values.as_list(value)
        if listed is None:
            bound.append(value)
            continue
        node = call.let(listed.expr)
        lists.append(node)
        element = listed.type.element or ANY
        item = sql.index(node, at)
        if value.kind is Kind.ANY:
            target = values.common_type([Typed(item, element), Typed(value.expr, value.type)])
            item = sql.case(
                [(sql.not_null(node), values.coerce(Typed(item, element), target))], values.coerce(value, target)
            )
            element = target
            singles.append(values.not_null(value))
        bound.append(Typed(item, element))
    single = len(lists) == 1 and len(bound) == 1 and arguments[0].kind is Kind.LIST
    if single:
        at = sql.var(lambda_name(cx, "x"))
        bound = [Typed(at, bound[0].type)]
    saved = dict(cx.bindings)
    for number, item_value in enumerate(bound, start=1):
        cx.bind(f"_{number}", item_value)
    cx.lambda_depth += 1
    try:
        body = call.arg(0)
    finally:
        cx.lambda_depth -= 1
        cx.bindings.clear()
        cx.bindings.update(saved)
    element = STRING if body.kind is Kind.NULL else body.type
    if not lists:
        return Typed(sql.array([values.coerce(body, element)]), list_of(element))
    source = lists[0] if single else _positions(lists, singles)
    return Typed(
        sql.func("list_transform", source, sql.lambda_([at.name], values.coerce(body, element))), list_of(element)
    )


register(
    FunctionSpec(
        "array", "conversion", "array(value, ...)",
        ("A list of the values; types may differ, nulls stay.",
         "값의 목록을 만듭니다. 타입이 달라도 되고 null도 남깁니다."),
        _array, 0,
        None, "list", DUCKDB,
        (example("array(1, 2)", [1, 2]), example('array(42, "text", null)', [42, "text", None])),
    ),
    FunctionSpec(
        "dict", "conversion", "dict(key, value, ...)",
        ("A map; a repeated key keeps the last value.", "맵을 만듭니다. 키가 겹치면 마지막 값을 남깁니다."),
        _dict, 0, None,
        "map", DUCKDB,
        (example('dict("a", 1, "b", "x")', {"a": 1, "b": "x"}), example("dict()", {})),
        notes=(("keys are text constants", "키는 문자열 상수입니다"),
            ("dates and binary values are kept as their text", "날짜와 바이너리 값은 텍스트로 담습니다")),
    ),
    FunctionSpec(
        "valueof", "array", "valueof(list, index) or valueof(map, key)",
        ("The element at a zero-based index, or the value of a key; null when there is none.",
         "0부터 세는 위치의 요소 또는 키의 값을 반환합니다. 없으면 null입니다."),
        _valueof, 2, 2, "any", DUCKDB,
        (
            example('valueof(split("a/b/c", "/"), 2)', "c"),
            example('valueof(dict("a", 1), "a")', 1),
            example("valueof(array(1, 2), -1)", None),
        ),
        never=((1, _no_key),),
    ),
    FunctionSpec(
        "subarray", "array", "subarray(list, begin, [end])",
        ("Elements from begin up to, not including, end; negative positions count from the end.",
         "begin부터 end 앞까지의 요소를 반환합니다. 음수 위치는 끝에서 셉니다."),
        _subarray, 2, 3, "list", DUCKDB,
        (example("subarray(array(1, 2, 3, 4, 5), 1, -1)", [2, 3, 4]), example("subarray(array(1, 2), 2)", None)),
        takes=((0, Takes.LIST), (1, Takes.WHOLE), (2, Takes.WHOLE)), never=((2, _nothing_between),),
    ),
    FunctionSpec(
        "sumarray", "array", "sumarray(list)",
        ("Sum of the numbers in the list; 0 when there are none.",
         "목록에 있는 숫자의 합계를 반환합니다. 숫자가 없으면 0입니다."),
        _sumarray, 1,
        1, "number", DUCKDB,
        (example('sumarray(array(1, 2, null, "a", 4))', 7), example("sumarray(array(1.5, 2.5))", 4.0)),
        takes=((0, Takes.LIST),),
    ),
    FunctionSpec(
        "unique", "array", "unique(value)",
        ("Distinct elements in no particular order; a single value becomes a list.",
         "중복을 제거한 요소의 목록을 반환합니다. 순서는 정해지지 않으며, 값 하나는 목록이 됩니다."),
        _unique, 1, 1, "list", DUCKDB,
        (example("unique(5)", [5]), example("len(unique(array(1, 1, 2)))", 2)),
    ),
    FunctionSpec(
        "flatten", "array", "flatten(list)",
        ("The elements of nested lists in one list; anything else as it is.",
         "중첩된 목록의 요소를 목록 하나로 펼칩니다. 그 밖의 값은 그대로입니다."),
        _flatten, 1, 1, "list", DUCKDB,
        (example("flatten(array(1, array(2, array(3)), 4))", [1, 2, 3, 4]), example("flatten(3)", 3)),
        notes=((
            f"mixed lists up to {FLATTEN_DEPTH} levels deep", f"타입이 섞인 목록은 {FLATTEN_DEPTH}단계까지 펼칩니다"
        ),),
    ),
    FunctionSpec(
        "zip", "array", "zip(list, ...)",
        ("Lists of the elements at the same position; short lists end in null.",
         "같은 위치의 요소끼리 묶은 목록을 반환합니다. 짧은 목록은 null로 채웁니다."),
        _zip,
        1, None, "list of lists", DUCKDB,
        (example('zip(array(1, 2), array("a"))', [[1, "a"], [2, None]]),),
    ),
    FunctionSpec(
        "foreach", "array", "foreach(expression, list, ...)",
        ("The expression for every position, with _1, _2 ... as the elements of the lists; single values repeat.",
         "목록의 위치마다 표현식을 계산합니다. _1, _2 ...는 각 목록의 요소이고, 목록이 아닌 값은 반복해서 씁니다."),
        _foreach, 2, None, "list", DUCKDB,
        (
            example("foreach(_1 * _2, array(1, 2, 3), 10)", [10, 20, 30]),
            example("foreach(nvl(_2, 0), array(1, 2), array(7))", [7, 0]),
        ),
    ),
)  # fmt: skip
