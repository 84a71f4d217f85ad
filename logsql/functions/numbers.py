"""Numbers: abs, round, floor, ceil, mod, pow and the like, min, max, rand, seq (functions.md > numeric)."""

from __future__ import annotations

import sys
from collections.abc import Callable

from sqlglot import exp

from logsql.diagnostics.codes import Pair, define
from logsql.diagnostics.losses import Fate, loss
from logsql.functions.lowering import Position, by_number, double, example, long, null, position
from logsql.language.tree import canonical
from logsql.planner import losses, results
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB, NUMBERS_ROWS, PLAIN, VOLATILE_PARTLY, FunctionDuty, Takes
from logsql.planner.function_spec import FunctionSpec, Idiom, register
from logsql.planner.notes import numbers as notes
from logsql.planner.running import ROW_NUMBER
from logsql.values import sql, values
from logsql.values.keys import simple_key
from logsql.values.sorting import comparator_keys, is_list
from logsql.values.sql import Sql
from logsql.values.types import ANY, DOUBLE, INT, LONG, WIDE, Kind
from logsql.values.values import NULL_VALUE, Typed

RAND_BOUND = define(
    "90751",
    "rand-bound-should-be-positive",
    ("the bound of rand() is no positive integer", "rand()의 상한이 양의 정수가 아닙니다"),
    ("the bound of rand() must be a positive integer, got {bound}", "rand()의 상한은 양의 정수여야 합니다: {bound}"),
)
RAND_SEED = define(
    "90752",
    "invalid-rand-seed",
    ("the seed of rand() is no integer", "rand()의 시드가 정수가 아닙니다"),
    ("the seed of rand() must be an integer", "rand()의 시드는 정수여야 합니다"),
)
SEQ_IN_FOREACH = define(
    "90760",
    "seq-inside-foreach",
    ("seq() inside foreach()", "foreach() 안의 seq()입니다"),
    (
        "{function}() counts rows and cannot be used inside foreach()",
        "{function}()은(는) 행을 세므로 foreach() 안에서 쓸 수 없습니다",
    ),
)


OUTSIDE = loss(
    "outside-domain",
    (
        "numbers that a function has no result for (the root or logarithm of a negative number, the logarithm of 0): "
        "NaN or -Infinity, which every sum and average with it becomes; NaN counts as the greatest number",
        "함수의 결과가 없는 숫자(음수의 제곱근과 로그, 0의 로그): NaN이나 -Infinity이고, 이를 더한 합계와 평균도 "
        "그 값이 됩니다. NaN은 가장 큰 수로 비교합니다",
    ),
    fate=Fate.DOUBTFUL,
)
INFINITE = loss(
    "beyond-doubles",
    (
        "results beyond the largest double (1.8e308): Infinity, which every sum and average with it becomes",
        "가장 큰 double(1.8e308)을 넘는 결과: Infinity이고, 이를 더한 합계와 평균도 Infinity가 됩니다",
    ),
    fate=Fate.DOUBTFUL,
)
#: The logarithm of the largest double.
_LARGEST_POWER = 709.782712893384
#: Powers of ten beyond these lie outside doubles and 64-bit integers.
MOST_DIGITS, FEWEST_DIGITS = 300, -18
#: Digits that scale any number of ordinary size without leaving the doubles.
SAFE_DIGITS = 100


def _abs(call: FunctionCall) -> Typed:
    value = call.arg(0)
    kind = value.type if value.type.number else LONG

    def whole(node: Sql) -> Typed:
        # The smallest integer has no positive counterpart; that must give null, not an error.
        if kind.physical in ("INTEGER", "SMALLINT", "TINYINT"):
            return Typed(sql.try_cast(sql.func("abs", sql.cast(node, "BIGINT")), kind.physical), kind)
        # DuckDB takes the literal -2147483648 for 32 bits, the language for 64.
        wide = sql.cast(node, kind.physical) if isinstance(node.unnest(), exp.Neg) else node
        return Typed(sql.attempt(sql.func("abs", wide)), kind)

    return by_number(
        call, value, whole, lambda node: Typed(sql.func("abs", node), kind if value.type.number else DOUBLE)
    )


# --- rounding ---------------------------------------------------------------------------------------------------------


def _rounding(mode: str) -> Callable[[FunctionCall], Typed]:
    def lower(call: FunctionCall) -> Typed:
        value = call.arg(0)
        digits = position(call, 1) if len(call) > 1 else Position(value=0)
        if digits.wrong or digits.absent or not (value.type.number or value.kind is Kind.ANY):
            return null(LONG)
        if digits.value is None:
            return _computed_digits(call, mode, value, digits.sql)
        count = digits.value

        def whole(node: Sql) -> Typed:
            return (
                Typed(node, value.type if value.type.integer else LONG)
                if count >= 0
                else long(_round_whole(mode, node, -count))
            )

        return by_number(call, value, whole, lambda node: _round_double(call, mode, node, count))

    return lower


def _rounded(mode: str, node: Sql) -> Sql:
    """round is floor(x + 0.5): half goes up also below zero, where DuckDB's round() goes away from zero."""
    if mode == "round":
        return sql.func("floor", sql.binary("+", node, sql.double(0.5)))
    return sql.func(mode, node)


def _round_double(call: FunctionCall, mode: str, node: Sql, digits: int) -> Typed:
    if digits > MOST_DIGITS:
        return double(node)
    if digits > 0:
        scale = sql.double(10.0**digits)
        scaled = sql.binary("*", node, scale)
        rounded = sql.binary("/", _rounded(mode, scaled), scale)
        # Beyond the largest double there is nothing behind the point to round.
        return double(sql.case([(sql.func("isinf", scaled), node)], rounded) if digits > SAFE_DIGITS else rounded)
    if digits < FEWEST_DIGITS:
        return long(sql.when(sql.not_null(node), sql.integer(0)))
    if digits == 0:
        return long(sql.try_cast(_rounded(mode, node), "BIGINT"))
    scaled = sql.try_cast(_rounded(mode, sql.binary("/", node, sql.double(10.0**-digits))), "BIGINT")
    return long(sql.attempt(sql.binary("*", scaled, sql.integer(10**-digits))))


def _round_whole(mode: str, node: Sql, digits: int) -> Sql:
    """An integer rounded left of the point, exactly: the floor of ``x / unit`` times ``unit``."""
    if digits > -FEWEST_DIGITS:
        return sql.when(sql.not_null(node), sql.integer(0))
    unit = sql.integer(10**digits)
    wide = sql.cast(node, "HUGEINT")
    moved = (
        wide
        if mode == "floor"
        else sql.binary("+", wide, sql.integer(10**digits // 2 if mode == "round" else 10**digits - 1))
    )
    rest = sql.binary("%", sql.binary("+", sql.binary("%", moved, unit), unit), unit)
    return sql.try_cast(sql.binary("-", moved, rest), "BIGINT")


def _computed_digits(call: FunctionCall, mode: str, value: Typed, digits: Sql) -> Typed:
    """A digit count that depends on the row decides per row between long and double."""
    power = sql.func("pow", sql.double(10.0), sql.cast(digits, "DOUBLE"))
    few = sql.binary("<", digits, sql.integer(FEWEST_DIGITS))

    def doubles(node: Sql) -> Typed:
        moved = sql.binary("*", node, power)
        scaled = sql.case([(sql.func("isinf", moved), node)], sql.binary("/", _rounded(mode, moved), power))
        whole = sql.case([(few, sql.when(sql.not_null(node), sql.integer(0)))], sql.try_cast(scaled, "BIGINT"))
        positive = sql.binary(">", digits, sql.integer(0))
        missing = (sql.is_null(digits), sql.null("VARIANT"))
        return Typed(sql.case([missing, (positive, sql.cast(scaled, "VARIANT"))], sql.cast(whole, "VARIANT")), ANY)

    def whole(node: Sql) -> Typed:
        scaled = _rounded(mode, sql.binary("*", sql.cast(node, "DOUBLE"), power))
        kept = (sql.binary(">=", digits, sql.integer(0)), sql.try_cast(node, "BIGINT"))
        none = (few, sql.when(sql.not_null(node), sql.cast(sql.integer(0), "BIGINT")))
        cut = sql.when(sql.not_null(digits), sql.try_cast(sql.binary("/", scaled, power), "BIGINT"))
        return long(sql.case([kept, none], cut))

    return by_number(call, value, whole, doubles, LONG)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _mod(call: FunctionCall) -> Typed:
    left, right = _exact(call.arg(0)), _exact(call.arg(1))
    if left is None or right is None:
        return null(LONG)
    constant = call.constant(1) if call.is_constant(1) else None
    if isinstance(constant, int) and constant not in (0, -1):
        return _fitting(call, sql.binary("%", left, sql.integer(constant)))
    # x % 1 is x % -1, which DuckDB refuses for the smallest integer.
    right = call.let(right)
    divisor = sql.case([(sql.eq(right, sql.integer(-1)), sql.integer(1))], sql.func("nullif", right, sql.integer(0)))
    return _fitting(call, sql.binary("%", left, divisor))


def _exact(value: Typed) -> Sql | None:
    """The integer that a value is; 18446744073709551615 of an unsigned column in 128 bits."""
    return sql.try_cast(value.expr, "HUGEINT") if value.type.physical in WIDE else values.integer_sql(value)


def _fitting(call: FunctionCall, node: Sql) -> Typed:
    wide = any(value.type.physical in WIDE for value in call.args)
    return long(sql.try_cast(node, "BIGINT") if wide else node)


def _real(function: str, domain: Callable[[Sql], Sql] | None = None) -> Callable[[FunctionCall], Typed]:
    """A function of one double. Outside its domain it is NaN, whatever the session's floating-point settings."""

    def lower(call: FunctionCall) -> Typed:
        node = values.number_sql(call.arg(0))
        if node is None:
            return null(DOUBLE)
        if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
            node = sql.double(float(node.this.this))
        if domain is None:
            return double(sql.func(function, node))
        node = call.let(node)
        undefined = _undefined(call, node, sql.double(float("nan")))
        return double(sql.case([(domain(node), undefined)], sql.func(function, node)))

    return lower


def _undefined(call: FunctionCall, node: Sql, made: Sql) -> Sql:
    """``made``, and the number ``node`` that gave it counted: NaN passes ``> 3``, and sums become it."""
    if call.cx.run_id is None or call.cx.rel is None or call.cx.untold(call.call):
        return made
    call.cx.tells()
    told = losses.value_lost(call.cx, OUTSIDE, canonical(call.call), sql.cast(node.copy(), "VARCHAR"), call.call)
    return sql.case([(told, sql.null("DOUBLE"))], made)


def _negative(node: Sql) -> Sql:
    return sql.binary("<", node, sql.integer(0))


def _logarithm(function: str) -> Callable[[FunctionCall], Typed]:
    def lower(call: FunctionCall) -> Typed:
        found = values.number_sql(call.arg(0))
        if found is None:
            return null(DOUBLE)
        node = call.let(found)
        negative, zero = sql.double(float("nan")), sql.double(float("-inf"))
        if call.cx.run_id is None:
            cases = [(_negative(node), negative), (sql.eq(node, sql.integer(0)), zero)]
        else:
            made = sql.case([(_negative(node), negative)], zero)
            cases = [(sql.binary("<=", node, sql.integer(0)), _undefined(call, node, made))]
        return double(sql.case(cases, sql.func(function, node)))

    return lower


def _outside_one(node: Sql) -> Sql:
    return sql.binary(">", sql.func("abs", node), sql.integer(1))


def _infinite(node: Sql) -> Sql:
    return sql.func("isinf", node)


def _pow(call: FunctionCall) -> Typed:
    base, exponent = values.number_sql(call.arg(0)), values.number_sql(call.arg(1))
    if base is None or exponent is None:
        return null(DOUBLE)
    if isinstance(exponent, exp.Literal) or (isinstance(exponent, exp.Cast) and isinstance(exponent.this, exp.Literal)):
        whole = call.constant(1)
        if isinstance(whole, int) and whole >= 0:
            base = call.let(base)
            # pow() of a column again would cost as much as the query; a limit for the base tells as much.
            far = sql.binary(">", sql.func("abs", base.copy()), sql.double(sys.float_info.max ** (1 / max(whole, 1))))
            beyond = sql.and_(far, sql.not_(_infinite(base.copy())))
            return _finite(call, double(sql.func("pow", base, exponent)), beyond, base)
    base, exponent = call.let(base), call.let(exponent)
    root = sql.and_(_negative(base), sql.binary("<>", exponent, sql.func("floor", exponent)))
    made = sql.func("pow", base, exponent)
    if call.cx.run_id is None:
        return double(made)
    finite = sql.and_(sql.not_(_infinite(base.copy())), sql.not_(_infinite(exponent.copy())))
    beyond = sql.and_(finite, _infinite(made.copy()))
    told = _finite(call, double(made), beyond, base)
    return double(sql.case([(root, _undefined(call, base, sql.double(float("nan"))))], told.expr))


def _exp(call: FunctionCall) -> Typed:
    node = values.number_sql(call.arg(0))
    if node is None:
        return null(DOUBLE)
    node = call.let(node)
    beyond = sql.and_(sql.binary(">", node.copy(), sql.double(_LARGEST_POWER)), sql.not_(_infinite(node.copy())))
    return _finite(call, double(sql.func("exp", node)), beyond, node)


def _finite(call: FunctionCall, result: Typed, beyond: Sql, node: Sql) -> Typed:
    """The result; numbers of which it is infinite are counted."""
    return call.changed(INFINITE, result, beyond, sql.cast(node.copy(), "VARCHAR"))


# --- min, max ---------------------------------------------------------------------------------------------------------

_SIMPLE = frozenset({Kind.BOOL, Kind.SHORT, Kind.INT, Kind.LONG, Kind.FLOAT, Kind.DOUBLE, Kind.DATE})


def _extreme(call: FunctionCall) -> Typed:
    """Smallest or largest by the value comparator; nulls do not take part, the first of equal values wins."""
    smallest = call.spec.name == "min"
    notes.of_two_types(call)
    present = [value for value in call.args if value.kind is not Kind.NULL]
    if not present:
        return NULL_VALUE
    target = values.common_type(present)
    if target.kind in _SIMPLE:
        nodes = [values.coerce(v, target) for v in present]
        return Typed(nodes[0] if len(nodes) == 1 else sql.func("least" if smallest else "greatest", *nodes), target)
    if len(present) == 1:
        return present[0]
    if len(present) == 2 and target.kind in (Kind.STRING, Kind.IP):
        left, right = (Typed(call.let(v.expr), v.type) for v in present)
        wins = sql.binary("<=" if smallest else ">=", simple_key(left), simple_key(right))
        test = sql.or_(sql.is_null(right.expr), wins)
        return Typed(sql.case([(test, left.expr)], right.expr), target)
    present = [call.once(value) for value in present]
    items: list[Sql] = []
    lists = any(is_list(value) is not None for value in present)
    for number, value in enumerate(present, start=1):
        keys = [*comparator_keys(value, lists), ("p", sql.integer(number if smallest else -number))]
        items.append(sql.struct([("here", values.not_null(value)), *keys]))
    known = sql.func(
        "list_filter",
        sql.array(items),
        sql.lambda_(["s"], sql.func("struct_extract", sql.var("s"), sql.string("here"))),
    )
    best = sql.func("struct_extract", sql.func("list_min" if smallest else "list_max", known), sql.string("p"))
    choices = sql.array([values.coerce(v, target) for v in present])
    return Typed(sql.index(choices, sql.func("abs", best)), target)


# --- random, counting -------------------------------------------------------------------------------------------------


def _rand(call: FunctionCall) -> Typed:
    bound = call.constant(0)
    if isinstance(bound, bool) or not isinstance(bound, int) or not 0 < bound < 2**31:
        call.fail(RAND_BOUND, 0, bound=bound)
    if len(call) < 2:
        return Typed(
            sql.cast(sql.func("floor", sql.binary("*", sql.func("random"), sql.integer(bound))), "INTEGER"), INT
        )
    seed = call.constant(1)
    if isinstance(seed, bool) or not isinstance(seed, int):
        call.fail(RAND_SEED, 1)
    return Typed(call.udf("lq_rand", _row_number(call), sql.integer(seed), sql.integer(bound)), INT)


def _seq(call: FunctionCall) -> Typed:
    return Typed(_row_number(call), LONG)


def _row_number(call: FunctionCall) -> Sql:
    """1, 2, 3 .. in row order, as a column of its own: a window may stand neither in WHERE nor in a lambda."""
    cx = call.cx
    if cx.lambda_depth:
        call.fail(SEQ_IN_FOREACH, function=call.spec.name)
    if cx.rel is not None and (number := next((c for c in cx.rel.carried if c.name == ROW_NUMBER), None)) is not None:
        return cx.rel.expr(number.ident)
    order = cx.row_order() if cx.row_order is not None else None
    node = sql.row_number(order if isinstance(order, exp.Order) else None)
    if cx.rel is None:
        return sql.integer(1)
    name = cx.rel.fresh_ident(f"__let{len(cx.lets) + 1}", cx.lets)
    cx.lets[name] = node
    return sql.col(name)


def _math_row(
    name: str, summary: Pair, lower: Callable[[FunctionCall], Typed], duty: FunctionDuty, *shown: tuple[str, object]
) -> FunctionSpec:
    return FunctionSpec(
        name, "numeric", f"{name}(number)", summary, lower, 1, 1, "double", duty,
        tuple(example(e, r) for e, r in shown), notes=(
            ("text and null give null; NaN outside the domain", "텍스트와 null은 null, 정의역 밖은 NaN입니다"),
        ),
        numbers=1,
    )  # fmt: skip


def _beyond(call: FunctionCall, value: object) -> bool:
    """Whether a constant double has no whole number of 64 bits: ``round(1e300)``."""
    return len(call) == 1 and isinstance(value, float) and not -(2.0**63) <= value < 2.0**63


def _round_row(name: str, summary: Pair, duty: FunctionDuty, *shown: tuple[str, object]) -> FunctionSpec:
    return FunctionSpec(
        name, "numeric", f"{name}(number, [digits])", summary, _rounding(name), 1, 2, "long or double", duty,
        tuple(example(e, r) for e, r in shown),
        notes=(("integers stay as they are unless digits is negative", "digits가 음수가 아니면 정수는 그대로입니다"),
        ("doubles give a long, with positive digits a double", "double은 long이 되고, digits가 양수이면 double입니다")),
        numbers=1, takes=((1, Takes.WHOLE),),
        never=((0, _beyond),),
    )  # fmt: skip


register(
    FunctionSpec(
        "abs", "numeric", "abs(number)",
        ("Absolute value, of the same type; null for anything but a number.",
         "절댓값을 같은 타입으로 반환합니다. 숫자가 아니면 null입니다."),
        _abs, 1,
        1, "as the argument", DUCKDB,
        (example("abs(-1.5)", 1.5), example("abs(1 - 43)", 42), example('abs("5")', None)), numbers=1,
        gives=results.always(low=0),
    ),
    _round_row("round",
        ("Nearest; half goes up, also below zero.", "반올림합니다. 절반은 음수에서도 큰 쪽으로 올립니다."),
        PLAIN, ("round(-1.5)", -1), ("round(1.47, 1)", 1.5),
    ("round(1837, -2)", 1800)),
    _round_row("floor",
        ("Rounded down.", "내림합니다."),
        PLAIN, ("floor(-1.5)", -2), ("floor(1.61, 1)", 1.6), ('floor("1.1")', None)),
    _round_row("ceil",
        ("Rounded up.", "올림합니다."),
        DUCKDB, ("ceil(1.1)", 2), ("ceil(297.5, -2)", 300), ("ceil(7, 2)", 7)),
    FunctionSpec(
        "mod", "numeric", "mod(a, b)",
        ("Remainder of integers, with the sign of a; null when b is 0 or a value is no integer.",
         "정수의 나머지를 반환합니다. 부호는 a를 따르고, b가 0이거나 정수가 아니면 null입니다."),
        _mod, 2, 2, "long", PLAIN,
        (example("mod(-5, 3)", -2), example("mod(5, 0)", None), example("mod(5.5, 2)", None)), numbers=2, integers=True,
        never=((1, lambda _, value: value == 0),), gives=results.remainder,
    ),
    FunctionSpec(
        "pow", "numeric", "pow(base, exponent)",
        ("Power, always a double.", "거듭제곱을 반환합니다. 결과는 항상 double입니다."),
        _pow, 2, 2, "double", PLAIN,
        (example("pow(2, 2)", 4.0), example('pow("2", 2)', None)), numbers=2,
    ),
    _math_row("sqrt",
        ("Square root.", "제곱근을 반환합니다."),
        _real("sqrt", _negative), PLAIN, ("sqrt(4)", 2.0), ("sqrt(-1)", "NaN")),
    _math_row("exp",
        ("e to the power of the number.", "e의 거듭제곱을 반환합니다."),
        _exp, PLAIN, ("exp(1)", 2.718281828459045)),
    _math_row("log",
        ("Natural logarithm.", "자연로그를 반환합니다."),
        _logarithm("ln"), PLAIN, ("log(10)", 2.302585092994046), ("log(-1)", "NaN")),
    _math_row("log10",
        ("Logarithm to base 10.", "밑이 10인 로그를 반환합니다."),
        _logarithm("log10"), PLAIN, ("log10(100)", 2.0)),
    _math_row("sin",
        ("Sine of an angle in radians.", "라디안 각도의 사인 값을 반환합니다."),
        _real("sin", _infinite), DUCKDB, ("sin(0)", 0.0)),
    _math_row("cos",
        ("Cosine of an angle in radians.", "라디안 각도의 코사인 값을 반환합니다."),
        _real("cos", _infinite), DUCKDB, ("cos(0)", 1.0)),
    _math_row("tan",
        ("Tangent of an angle in radians.", "라디안 각도의 탄젠트 값을 반환합니다."),
        _real("tan", _infinite), DUCKDB, ("tan(0)", 0.0)),
    _math_row("asin", ("Arc sine.", "아크사인 값을 반환합니다."), _real("asin", _outside_one), PLAIN, ("asin(0)", 0.0)),
    _math_row("acos",
        ("Arc cosine.", "아크코사인 값을 반환합니다."),
        _real("acos", _outside_one), PLAIN, ("acos(1)", 0.0)),
    _math_row("atan", ("Arc tangent.", "아크탄젠트 값을 반환합니다."), _real("atan"), PLAIN, ("atan(0)", 0.0)),
    FunctionSpec(
        "min", "numeric", "min(value, ...)",
        ("Smallest value that is not null; text ignores case.",
         "null이 아닌 값 중 최솟값을 반환합니다. 텍스트는 대소문자를 구분하지 않습니다."),
        _extreme, 1, None,
        "as the argument", DUCKDB,
        (example("min(1, 2, null)", 1), example('min("b", "A")', "A"), example("min(null)", None)),
        idiom=Idiom.LEAST,
    ),
    FunctionSpec(
        "max", "numeric", "max(value, ...)",
        ("Largest value that is not null; text ignores case.",
         "null이 아닌 값 중 최댓값을 반환합니다. 텍스트는 대소문자를 구분하지 않습니다."),
        _extreme, 1, None,
        "as the argument", DUCKDB,
        (example("max(1, 2, null)", 2), example('max("a", "B")', "B"), example("max(1.5, 1)", 1.5)),
        idiom=Idiom.GREATEST,
    ),
    FunctionSpec(
        "rand", "crypto", "rand(bound, [seed])",
        ("Random integer from 0 up to, not including, the bound.", "0부터 한계값 앞까지의 임의의 정수를 반환합니다."),
        _rand, 1, 2,
        "int", VOLATILE_PARTLY,
        (example("rand(1)", 0), example("rand(1000) < 1000", True)),
        constant=(0, 1), gives=results.below,
        notes=(
            ("with a seed: the sequence of java.util.Random, in row order",
             "seed를 주면 java.util.Random의 수열을 행 순서대로 씁니다"),
        ),
    ),
    FunctionSpec(
        "seq", "numeric", "seq()",
        ("1, 2, 3 ... in row order; every place in a query that says seq() counts on its own.",
         "행 순서대로 1, 2, 3 ...을 반환합니다. 쿼리에 쓴 seq()마다 따로 셉니다."),
        _seq, 0, 0, "long", NUMBERS_ROWS, (example("seq()", 1),), gives=results.always(low=1, given=True),
    ),
)  # fmt: skip
