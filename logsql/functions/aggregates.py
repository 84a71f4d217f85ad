"""Aggregates over numbers and counts (functions.md > aggregates, language.md section 7).

Numbers only: null, text (numeric text too), booleans and dates do not take part, judged per value in mixed columns.
Every lowering returns an aggregate expression, also for a column that never holds a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from logsql.diagnostics.codes import Pair, define
from logsql.diagnostics.expressions import AGGREGATE_ARGUMENTS
from logsql.diagnostics.losses import OVERFLOW, TEXT_NOT_A_NUMBER
from logsql.planner import losses
from logsql.planner.calls import AggregateCall
from logsql.planner.duties import ANY_ORDER, ANY_ORDER_DUCKDB, AggregateDuty
from logsql.planner.function_spec import AggregateSpec, FunctionExample, register_aggregate
from logsql.values import sql, values
from logsql.values.keys import one_key
from logsql.values.sql import Sql
from logsql.values.types import ANY, DOUBLE, LONG, Kind, LType
from logsql.values.values import Typed

PERCENTAGE = AGGREGATE_ARGUMENTS.says(
    (
        "the percentage of percentile() is a number from 0 to 100, got {share}",
        "percentile()의 백분율은 0부터 100까지의 숫자입니다: {share}",
    )
)
PERCENTILE_MODE = AGGREGATE_ARGUMENTS.says(
    ("the mode of percentile() is one of {modes}, got {mode}", "percentile()의 방식은 {modes} 중 하나입니다: {mode}")
)
ESTDC_BITS = AGGREGATE_ARGUMENTS.says(
    (
        "the bits of estdc() are an integer from 4 to 24, got {bits}",
        "estdc()의 비트 수는 4부터 24까지의 정수입니다: {bits}",
    )
)
TIMECHART_ONLY = AGGREGATE_ARGUMENTS.says(
    (
        "{function}() divides by the length of a time bucket and works in timechart only",
        "{function}()은(는) 시간 구간의 길이로 나누므로 timechart에서만 쓸 수 있습니다",
    )
)


MODES = ("linear", "midpoint", "lower", "higher", "nearest")


def filtered(aggregate: Sql, test: Sql) -> Sql:
    """``aggregate FILTER (WHERE test)``."""
    return exp.Filter(this=aggregate, expression=exp.Where(this=test))


def nothing(type_: LType) -> Typed:
    """The aggregate of a column without a value that counts: null, but an aggregate, so that it makes one row."""
    return Typed(sql.func("max", sql.null(type_.physical)), type_)


def number(value: Typed) -> Sql | None:
    """The value as a number in its own type, null where it is none; None when it never is."""
    return value.expr if value.type.number else values.number_sql(value)


def real(value: Typed) -> Sql | None:
    """The value as DOUBLE, null where it is no number; None when it never is."""
    return values.number_sql(value)


Lower = Callable[[AggregateCall], Typed]


def left_out(value: Typed) -> Sql | None:
    """How many values of a group are neither null nor numbers, as an aggregate; None when there can be none."""
    if value.type.number or value.kind is Kind.NULL:
        return None
    if value.kind is Kind.STRING:  # an empty cell of CSV is no text
        return sql.func("count_if", sql.binary("<>", value.expr.copy(), sql.string("")))
    node = values.number_sql(value)
    there = sql.func("count", sql.when(values.not_null(value), sql.boolean(True)))
    # Not a FILTER over both: the number of a value of any type is what sum() needs too, and DuckDB computes it once.
    return there if node is None else sql.binary("-", there, sql.func("count", node))


def of_numbers(lower: Lower, arguments: int = 1) -> Lower:
    """An aggregate of numbers, whose first arguments may hold values that are none: they are counted."""

    def counting(call: AggregateCall) -> Typed:
        result = lower(call)
        if call.cx.run_id is None:
            return result
        for value in call.args[:arguments]:
            # Nothing else of a text is read: it never is a number here.
            if (count := left_out(value)) is None or (value.kind is Kind.STRING and call.uncounted(TEXT_NOT_A_NUMBER)):
                continue
            result = call.lost(TEXT_NOT_A_NUMBER, result, count)
        return result

    return counting


# --- counting ---------------------------------------------------------------------------------------------------------


def _count(call: AggregateCall) -> Typed:
    if not call.args:
        return Typed(exp.Count(this=exp.Star()), LONG)
    value = call.args[0]
    if value.kind is Kind.NULL:
        return Typed(sql.func("count", sql.null("VARCHAR")), LONG)
    if value.parts:
        return Typed(filtered(exp.Count(this=exp.Star()), values.not_null(value)), LONG)
    return Typed(sql.func("count", values.plain_text(value) if value.type.json else value.expr), LONG)


def _dc(call: AggregateCall) -> Typed:
    value = call.args[0]
    if value.kind is Kind.NULL:
        return Typed(sql.func("count", sql.null("VARCHAR")), LONG)
    return Typed(exp.Count(this=exp.Distinct(expressions=[one_key(value)])), LONG)


def _estdc(call: AggregateCall) -> Typed:
    if len(call.args) > 1:
        bits = call.constant(1)
        if isinstance(bits, bool) or not isinstance(bits, int) or not 4 <= bits <= 24:
            call.fail(ESTDC_BITS, bits=bits)
    value = call.args[0]
    if value.kind is Kind.NULL:
        return Typed(sql.func("count", sql.null("VARCHAR")), LONG)
    return Typed(sql.func("approx_count_distinct", one_key(value)), LONG)


# --- sums -------------------------------------------------------------------------------------------------------------


def total(value: Typed) -> Typed:
    """``sum``: long while all numbers are integers, else double; null without a number."""
    if value.type.integer:
        # sum() counts in 128 bits; a result beyond 64 bits becomes null instead of an error.
        return Typed(sql.try_cast(sql.func("sum", value.expr), "BIGINT"), LONG)
    if value.type.number:
        return Typed(sql.func("sum", value.expr), DOUBLE)
    split = _whole_and_fraction(value)
    if split is None:
        return nothing(LONG)
    whole, fraction, every = split
    if whole is None:
        return Typed(sql.func("sum", every), DOUBLE)
    integers = sql.cast(sql.try_cast(sql.func("sum", whole), "BIGINT"), "VARIANT")
    only = sql.eq(sql.func("count", fraction), sql.integer(0))
    return Typed(sql.case([(only, integers)], sql.cast(sql.func("sum", every), "VARIANT")), ANY)


def _whole_and_fraction(value: Typed) -> tuple[Sql | None, Sql, Sql] | None:
    """Integer view, numbers that are no integers, all numbers as DOUBLE; None when the value is never a number."""
    every, whole = values.number_sql(value), values.integer_sql(value)
    if every is None:
        return None
    return whole, every if whole is None else sql.case([(sql.not_null(whole), sql.null("DOUBLE"))], every), every


def _or_overflow(call: AggregateCall, result: Typed, shared: str) -> Typed:
    """A result of integers alone, counted where it does not fit into 64 bits. ``shared``: an aggregate that it uses."""
    value = call.args[0]
    whole = values.integer_sql(value)
    if whole is None or call.cx.run_id is None or value.kind in (Kind.SHORT, Kind.INT):  # 2^32 rows of 32 bits fit
        return result
    node = result.expr
    every = sql.not_null(sql.func(shared, whole.copy()))
    if result.kind is Kind.ANY:  # a null that was cast to VARIANT is a value of its own
        assert isinstance(node, exp.Case)
        split = _whole_and_fraction(value)
        assert split is not None
        every = sql.and_(every, sql.eq(sql.func("count", split[1].copy()), sql.integer(0)))
        integers = node.args["ifs"][0].args["true"]
        integers.replace(sql.when(sql.not_null(integers.this.copy()), integers.copy()))
    null = sql.null("VARCHAR")
    told = losses.or_lost(call.cx, OVERFLOW, call.written, node, result.type.physical, null, every, placed=False)
    return Typed(told, result.type)


def _sum(call: AggregateCall) -> Typed:
    return _or_overflow(call, total(call.args[0]), "sum")


def _avg(call: AggregateCall) -> Typed:
    node = number(call.args[0])
    return nothing(DOUBLE) if node is None else Typed(sql.func("avg", node), DOUBLE)


def _spread(value: Typed) -> Typed:

    def distance(node: Sql, wide: str) -> Sql:
        low, high = sql.func("min", node), sql.func("max", node)
        return sql.binary("-", sql.cast(high, wide), sql.cast(low, wide)) if wide else sql.binary("-", high, low)

    if value.type.integer:
        return Typed(sql.try_cast(distance(value.expr, "HUGEINT"), "BIGINT"), LONG)
    if value.type.number:
        return Typed(distance(value.expr, ""), DOUBLE)
    split = _whole_and_fraction(value)
    if split is None:
        return nothing(LONG)
    whole, fraction, every = split
    if whole is None:
        return Typed(distance(every, ""), DOUBLE)
    only = sql.eq(sql.func("count", fraction), sql.integer(0))
    integers = sql.cast(sql.try_cast(distance(whole, "HUGEINT"), "BIGINT"), "VARIANT")
    return Typed(sql.case([(only, integers)], sql.cast(distance(every, ""), "VARIANT")), ANY)


def _range(call: AggregateCall) -> Typed:
    return _or_overflow(call, _spread(call.args[0]), "max")


def _rate(seconds: int) -> Callable[[AggregateCall], Typed]:
    def lower(call: AggregateCall) -> Typed:
        if call.bucket_seconds is None:
            call.fail(TIMECHART_ONLY, function=call.spec.name)
        node = real(call.args[0])
        if node is None:
            return nothing(DOUBLE)
        units = sql.binary("/", sql.cast(call.bucket_seconds, "DOUBLE"), sql.double(float(seconds)))
        return Typed(sql.binary("/", sql.func("sum", node), units), DOUBLE)

    return lower


# --- statistics -------------------------------------------------------------------------------------------------------


def _one(function: str) -> Callable[[AggregateCall], Typed]:
    """A population statistic of one column of numbers."""

    def lower(call: AggregateCall) -> Typed:
        node = real(call.args[0])
        return nothing(DOUBLE) if node is None else Typed(sql.func(function, node), DOUBLE)

    return lower


def _pair(function: str, swap: bool = False) -> Callable[[AggregateCall], Typed]:
    """A statistic of two columns over the rows in which both are numbers; undefined (NaN) is null."""

    def lower(call: AggregateCall) -> Typed:
        x, y = real(call.args[0]), real(call.args[1])
        if x is None or y is None:
            return nothing(DOUBLE)
        node = sql.func(function, y, x) if swap else sql.func(function, x, y)
        return Typed(sql.case([(sql.func("isnan", node), sql.null("DOUBLE"))], node), DOUBLE)

    return lower


SHARE_OF_ONE = define(
    "N1321",
    "percentile-below-one",
    ("a percentage between 0 and 1 is less than one percent", "0과 1 사이의 백분율은 1%보다 작습니다"),
    (
        "{function}() takes a percentage from 0 to 100: {share} is less than one percent",
        "{function}()의 백분율은 0부터 100까지입니다. {share}은(는) 1%보다 작습니다",
    ),
    ("write {percent}", "{percent}(으)로 쓰세요"),
)


# --- percentiles ------------------------------------------------------------------------------------------------------


def _median(call: AggregateCall) -> Typed:
    return _quantile(call.args[0], 50.0, "linear")


def _percentile(call: AggregateCall) -> Typed:
    share: Any = call.constant(1)
    mode: Any = call.constant(2) if len(call.args) > 2 else "linear"
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 100:
        call.fail(PERCENTAGE, share=share)
    if mode not in MODES:
        call.fail(PERCENTILE_MODE, modes=", ".join(MODES), mode=mode)
    if 0 < share < 1:
        call.note(SHARE_OF_ONE, 1, share=share, function=call.spec.name, percent=f"{share * 100:.6g}")
    return _quantile(call.args[0], float(share), mode)


def _quantile(value: Typed, share: float, mode: str) -> Typed:
    """The value at position (n - 1) * share / 100 of the sorted numbers, or between its two neighbours."""
    if mode == "linear":
        node = real(value)
        return (
            nothing(DOUBLE) if node is None else Typed(sql.func("quantile_cont", node, sql.double(share / 100)), DOUBLE)
        )
    node = number(value)
    if node is None:
        return nothing(DOUBLE)
    type_ = value.type if value.type.number else DOUBLE
    # Sorted afterwards: ORDER BY inside list() refuses a constant argument.
    sorted_ = sql.func("list_sort", filtered(sql.func("list", node), sql.not_null(node)))
    count = sql.func("count", node)
    place = sql.binary(
        "/", sql.binary("*", sql.binary("-", count, sql.integer(1)), sql.double(share)), sql.double(100.0)
    )

    def at(step: Sql) -> Sql:
        return sql.index(sorted_.copy(), sql.binary("+", sql.cast(step, "BIGINT"), sql.integer(1)))

    low, high = at(sql.func("floor", place)), at(sql.func("ceil", place))
    if mode in ("lower", "higher"):
        return Typed(low if mode == "lower" else high, type_)
    if mode == "nearest":
        return Typed(at(sql.func("floor", sql.binary("+", place, sql.double(0.5)))), type_)
    return Typed(
        sql.binary("/", sql.binary("+", sql.cast(low, "DOUBLE"), sql.cast(high, "DOUBLE")), sql.double(2.0)), DOUBLE
    )


def shown(expression: str, result: Any, **columns: list[Any]) -> tuple[FunctionExample, ...]:
    """The one example of an aggregate: columns of values, one per record."""
    return (FunctionExample(expression, result, dict(columns)),)


def _row(
    name: str,
    signature: str,
    summary: Pair,
    lower: Callable[[AggregateCall], Typed],
    low: int,
    high: int,
    returns: str,
    duty: AggregateDuty,
    examples: tuple[FunctionExample, ...],
    numbers: int = 0,
    **more: Any,
) -> AggregateSpec:
    made = of_numbers(lower, numbers) if numbers else lower
    return AggregateSpec(
        name, signature, summary, made, low, high, returns, duty, examples=examples, numbers=numbers, **more
    )


register_aggregate(
    _row(
        "count", "count or count(value)",
        ("Rows, or rows whose value is not null.", "행 수, 또는 값이 null이 아닌 행 수를 셉니다."),
        _count, 0, 1, "long", ANY_ORDER,
        shown("count(x)", 2, x=[1, None, ""]), aliases=("c",), counts=True,
    ),
    _row(
        "sum", "sum(number)",
        ("Sum of the numbers: long while all are integers, else double; null without a number.",
         "숫자의 합계를 구합니다. 모두 정수이면 long, 아니면 double이고, 숫자가 없으면 null입니다."),
        _sum, 1, 1, "long or double", ANY_ORDER, shown("sum(x)", 5, x=[1, None, "7", 4]), numbers=1,
    ),
    _row("avg", "avg(number)", ("Mean of the numbers.", "숫자의 평균을 구합니다."), _avg, 1, 1, "double",
    ANY_ORDER, shown("avg(x)", 2.5, x=[1, None, "z", 4]), numbers=1,
    ),
    _row(
        "dc", "dc(value)",
        ("Exact number of distinct values that are not null; case matters.",
         "null이 아닌 서로 다른 값의 정확한 개수를 셉니다. 대소문자를 구분합니다."),
        _dc, 1, 1, "long",
        ANY_ORDER,
        shown("dc(x)", 2, x=["a", "A", "a", None]), aliases=("dcount",),
    ),
    _row(
        "estdc", "estdc(value, [bits])",
        ("Estimated number of distinct values, in constant memory.",
         "서로 다른 값의 개수를 일정한 메모리로 추정합니다."),
        _estdc, 1, 2, "long", ANY_ORDER_DUCKDB, shown("estdc(x)", 2, x=["a", "b", "a", None]), constant=(1,),
        notes=(
            ("bits (4 to 24) are checked; the precision is that of DuckDB's HyperLogLog",
             "bits(4~24)는 범위만 확인합니다. 정밀도는 DuckDB의 HyperLogLog를 따릅니다"),
        ),
    ),
    _row(
        "range", "range(number)",
        ("Largest minus smallest number.", "가장 큰 숫자와 가장 작은 숫자의 차이를 구합니다."),
        _range, 1, 1, "long or double", ANY_ORDER,
        shown("range(x)", 7, x=[3, 10, 7]), numbers=1,
    ),
    _row(
        "var", "var(number)",
        ("Population variance: divided by the number of values.", "값의 개수로 나누는 모분산을 구합니다."),
        _one("var_pop"), 1, 1, "double",
        ANY_ORDER,
        shown("var(x)", 4.0, x=[2, 4, 4, 4, 5, 5, 7, 9]), numbers=1,
    ),
    _row(
        "stddev", "stddev(number)",
        ("Population standard deviation.", "모표준편차를 구합니다."),
        _one("stddev_pop"), 1, 1, "double",
        ANY_ORDER,
        shown("stddev(x)", 10.0, x=[10, None, 30]), numbers=1,
    ),
    _row(
        "cov", "cov(x, y)",
        ("Population covariance over the rows in which both are numbers.", "둘 다 숫자인 행에서 모공분산을 구합니다."),
        _pair("covar_pop"), 2, 2, "double",
        ANY_ORDER_DUCKDB, shown("cov(x, y)", 2.0, x=[1, 3, None], y=[1, 5, 9]), aliases=("covar",), numbers=2,
    ),
    _row(
        "corr", "corr(x, y)",
        ("Pearson correlation; null for a constant series.", "피어슨 상관계수를 구합니다. 값이 일정하면 null입니다."),
        _pair("corr"), 2, 2, "double",
        ANY_ORDER_DUCKDB,
        shown("corr(x, y)", -1.0, x=[1, 2, 3], y=[3, 2, 1]), aliases=("correl",), numbers=2,
    ),
    _row(
        "slope", "slope(x, y)",
        ("Slope of y over x: their covariance divided by the variance of x.",
         "x에 대한 y의 기울기를 구합니다. 공분산을 x의 분산으로 나눈 값입니다."),
        _pair("regr_slope", swap=True), 2, 2, "double", ANY_ORDER_DUCKDB,
        shown("slope(x, y)", 2.5, x=[1, 2, 3], y=[2, 4, 7]), numbers=2,
    ),
    _row(
        "median", "median(number)",
        ("The middle number, or the mean of the two middle ones.",
         "중앙값을 구합니다. 가운데 숫자가 둘이면 그 평균입니다."),
        _median, 1, 1, "double", ANY_ORDER,
        shown("median(x)", 2.5, x=[1, 2, 3, 4]), numbers=1,
    ),
    _row(
        "percentile", "percentile(number, percentage, [mode])",
        ("The number at a percentage of the sorted numbers; mode linear, midpoint, lower, higher or nearest.",
         "정렬한 숫자에서 지정한 백분위의 값을 구합니다. mode는 "
         "linear, midpoint, lower, higher, nearest 중 하나입니다."),
        _percentile, 2, 3, "double or as the argument",
        ANY_ORDER_DUCKDB, shown('percentile(x, 25, "nearest")', 2, x=[1, 2, 3, 4]),
        aliases=("perc",), constant=(1, 2), numbers=1,
    ),
    *(
        _row(
            f"per_{unit}", f"per_{unit}(number)",
            (f"Sum of the numbers per {unit}, in timechart only.",
             f"{korean} 숫자의 합계를 구합니다. timechart에서만 씁니다."),
            _rate(seconds), 1, 1, "double", ANY_ORDER,
            (FunctionExample(f"per_{unit}(x)", None, {"x": [1]}, shown=False),), notes=(
                ("known from the older engine", "이전 엔진의 함수입니다"),
                ),
            numbers=1,
    )
        for unit, korean, seconds in (
            ("second", "초당", 1), ("minute", "분당", 60), ("hour", "시간당", 3600), ("day", "하루당", 86400)
        )
    ),
)  # fmt: skip
