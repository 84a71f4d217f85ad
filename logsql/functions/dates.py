"""Dates: date, string, now, ago, dateadd, datediff, datepart, datetrunc, daterange, epoch (functions.md > date).

A date is TIMESTAMPTZ. DuckDB's ICU functions compute in the session zone, which is the query's zone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from logsql.diagnostics.codes import Sentence, define
from logsql.diagnostics.codes import text as sentence
from logsql.diagnostics.engine import TOO_MANY_ITEMS
from logsql.diagnostics.errors import QueryError, diagnostic
from logsql.diagnostics.expressions import DATE_PATTERN, DATE_PATTERN_CONSTANT, SPAN_MISSING, TIME_SPAN_OF
from logsql.diagnostics.losses import HINTS, NOT_CONVERTED
from logsql.functions.datelosses import BEYOND_9999, DOUBTS, NO_SUCH_DATE
from logsql.functions.dateunits import MILLIS, PART_RANGES, distance, unit_argument
from logsql.functions.lowering import example, lambda_name, null, text
from logsql.language.tree import Expr, Literal, canonical
from logsql.planner import losses, results
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import DUCKDB, PARTLY
from logsql.planner.function_spec import FunctionSpec, register
from logsql.planner.notes import dates as notes
from logsql.planner.notes.comparisons import sample
from logsql.planner.notes.datetexts import guess_pattern
from logsql.planner.notes.words import WRITE
from logsql.values import cells, sql, values
from logsql.values.arithmetic import text_integer
from logsql.values.sql import Sql
from logsql.values.timespans import Span, bucket, parse_span, shift
from logsql.values.types import DATE, INT_WIDE, LONG, STRING, Kind, list_of
from logsql.values.values import Typed

if TYPE_CHECKING:
    from udfs.java.dates import DatePattern

_UNIT = sentence(
    '{function}(): "{unit}" is no unit; the unit is one of {units}',
    '{function}(): "{unit}"은(는) 단위가 아닙니다. 단위는 {units} 중 하나입니다',
)
DATEADD_UNIT = define(
    "90621",
    "invalid-dateadd-calendar-field",
    ("an unknown unit in dateadd()", "dateadd()의 단위를 알 수 없습니다"),
    _UNIT,
)
DATEADD_TIME = define(
    "90622",
    "invalid-dateadd-time",
    ("the time of dateadd() is no integer", "dateadd()의 시간이 정수가 아닙니다"),
    ("the time of dateadd() must be an integer, got {amount}", "dateadd()의 시간은 정수여야 합니다: {amount}"),
)
DATEDIFF_UNIT = define(
    "90631", "invalid-datediff-unit", ("an unknown unit in datediff()", "datediff()의 단위를 알 수 없습니다"), _UNIT
)
INVALID_LOCALE = define(
    "90821",
    "invalid-locale",
    ("a locale that string() does not know", "string()이 모르는 로캘입니다"),
    (
        "the third argument of string() is a time zone or a locale",
        "string()의 세 번째 인자에는 시간대나 로캘을 씁니다",
    ),
)
DATEPART_TYPE = define(
    "90881",
    "invalid-datepart-type",
    ("a part that datepart() does not know", "datepart()가 모르는 날짜 요소입니다"),
    (
        'datepart(): "{part}" is no part of a date; parts are {parts}',
        'datepart(): "{part}"은(는) 날짜 요소가 아닙니다. 요소: {parts}',
    ),
)


DATES = list_of(DATE)
#: Seconds that would pass year 9999 are milliseconds.
MILLISECONDS_FROM = 253402300799
#: The last millisecond of year 9999.
MILLISECONDS_TO = 253402300799999
#: Milliseconds of 200,000 years. A date farther off is none: at the end of what the engine knows no bucket begins.
_FARTHEST = 200_000 * 31_556_952_000
#: Milliseconds of 1601, from which FILETIME counts.
_FILETIME_ZERO = -11_644_473_600_000
_READS = sentence('"{pattern}" reads "{value}"', '"{value}"에는 "{pattern}" 패턴이 맞습니다')
DATERANGE_LIMIT = 100_000


def _fitting(source: str, value: str) -> str | None:
    """The pattern that reads a value which the pattern of the call did not."""
    found = guess_pattern([value], "")
    return None if not found or f'"{found}"' in source else _READS.fill(pattern=found, value=value)


HINTS["date("] = _fitting

_ADD = {
    "year": "years",
    "mon": "months",
    "day": "days",
    "hour": "hours",
    "min": "minutes",
    "sec": "seconds",
    "msec": "milliseconds",
}
#: A dateadd() of more than this could leave the years DuckDB knows, starting from any ordinary date.
#: Seconds of 2,100 years: so long ago is before the first.
_BEFORE_YEAR_1 = 2100 * 31_556_952
_FAR = {
    "year": 10_000,
    "mon": 120_000,
    "day": 3_650_000,
    "hour": 87_600_000,
    "min": 2_000_000_000,
    "sec": 300_000_000_000,
    "msec": 300_000_000_000_000,
}


# --- date, string -----------------------------------------------------------------------------------------------------


def date_pattern(call: FunctionCall, position: int, locale: object = "en") -> DatePattern:
    """The constant SimpleDateFormat pattern at a position; error 90820."""
    from udfs.java.dates import DatePatternError, compile_pattern  # for cost: pyarrow.compute

    pattern = call.constant(position)
    if not isinstance(pattern, str) or not isinstance(locale, str):
        call.fail(DATE_PATTERN_CONSTANT, position, function=call.spec.name)
    try:
        found = compile_pattern(pattern, locale)
    except DatePatternError as error:
        texts = sample(call.cx, call.nodes[0]) if call.spec.returns == "date" else ()
        help = notes.quoted_letters(pattern, texts)
        call.fail(DATE_PATTERN, position, help=help, function=call.spec.name, reason=error)
    notes.pattern(call, position, pattern)
    return found


def _date(call: FunctionCall) -> Typed:
    locale = "en" if len(call) < 3 else call.constant(2)
    pattern = date_pattern(call, 1, locale)
    first = call.nodes[0]
    if isinstance(first, Literal) and first.value is not None:
        return _folded(call, pattern, str(first.value))
    node = text(call, 0)
    if node is None:
        return null(DATE)
    return Typed(parse_date(call, node, pattern), DATE)


def _folded(call: FunctionCall, pattern: DatePattern, written: str) -> Typed:
    """A constant date is parsed now, so that it can be compared inside a scan."""
    from udfs.java.dates import Doubt, find_zone  # for cost: pyarrow.compute

    zone = call.cx.catalog.zone
    try:
        instant = pattern.parse(written, zone)
    except OverflowError:
        instant = None
    if instant is None:
        return null(DATE)
    local = find_zone(zone)
    doubt = None if local is None else pattern.parse_doubted(written, local)[1]
    if doubt in (Doubt.OFF_CALENDAR, Doubt.MISREAD):  # what is not read notes.pattern tells
        read = instant.astimezone(local).replace(tzinfo=None)
        shown = read.isoformat(sep=" ", timespec="milliseconds" if read.microsecond else "seconds")
        notes.doubted_constant(call, written, pattern.pattern, shown, doubt is Doubt.MISREAD)
    return Typed(instant_literal(instant, zone), DATE)


def instant_literal(instant: datetime, zone: str) -> Sql:
    """An aware datetime as a TIMESTAMPTZ literal with its offset in ``zone``."""
    from udfs.java.dates import find_zone  # for cost: pyarrow.compute

    local = instant.astimezone(find_zone(zone))
    offset = local.utcoffset()
    if offset is None or offset.total_seconds() % 60 or local.year < 1000:
        local = instant
    return sql.cast(sql.string(local.isoformat(sep=" ")), DATE.physical)


def parse_date(call: FunctionCall, node: Sql, pattern: DatePattern) -> Sql:
    """Text by a pattern: strptime where the text has exactly the expected shape, Java's lenient rules for the rest."""
    slow = _slow_date(call, node, pattern)
    rest = (sql.binary("<>", node, sql.string("")), slow)
    if pattern.strptime is None or pattern.shape_regex is None:
        return sql.case([rest])
    parsed = sql.func("try_strptime", node, sql.string(pattern.strptime))
    if pattern.strptime_zone == "UTC":
        parsed = sql.func("timezone", sql.string("UTC"), parsed)
    elif pattern.strptime_zone is None:
        parsed = sql.cast(parsed, DATE.physical)
    shaped = sql.func("regexp_full_match", node, sql.string(pattern.shape_regex))
    return sql.case([(shaped, sql.coalesce(parsed, slow.copy())), rest])


def _slow_date(call: FunctionCall, node: Sql, pattern: DatePattern) -> Sql:
    """Java's lenient rules in Python. What strptime takes has its very shape: all that is hardly meant comes here."""
    rule = (pattern.pattern, pattern.locale, call.cx.catalog.zone)
    if call.cx.run_id is None or call.cx.rel is None:
        return call.udf("lq_date", node, *map(sql.string, rule))
    return losses.doubted_date(call.cx, DOUBTS, canonical(call.call), node, sql.MARK.join(rule), call.call)


def _string(call: FunctionCall) -> Typed:
    value = call.arg(0)
    if len(call) == 1:
        return null(STRING) if value.kind is Kind.NULL else values.text(value)
    locale, zone = _place(call)
    pattern = date_pattern(call, 1, locale)
    notes.formatted(call, value)
    node = values.date_sql(value)
    if node is None:
        return null(STRING) if value.kind is Kind.NULL else values.text(value)
    node = call.let(node)
    formatted = format_date(call, node, pattern, zone)
    if value.kind is Kind.DATE:
        return Typed(formatted, STRING)
    return Typed(sql.case([(sql.not_null(node), formatted)], values.text_sql(value)), STRING)


def _place(call: FunctionCall) -> tuple[str, str]:
    """Locale and zone of string(): the third argument is either, and a zone wins."""
    from udfs.java.dates import find_zone  # for cost: pyarrow.compute

    if len(call) < 3:
        return "en", ""
    place = call.constant(2)
    if place is None:
        return "en", ""
    if not isinstance(place, str):
        call.fail(INVALID_LOCALE, 2)
    return ("en", place) if find_zone(place) is not None else (place, "")


def format_date(call: FunctionCall, node: Sql, pattern: DatePattern, zone: str = "") -> Sql:
    """An instant as text, in the session zone unless another is named."""
    if not pattern.pattern:  # DuckDB refuses it
        return sql.when(sql.not_null(node), sql.string(""))
    if pattern.strftime is not None and not zone:
        return sql.func("strftime", node, sql.string(pattern.strftime))
    return call.udf(
        "lq_date_text",
        node,
        sql.string(pattern.pattern),
        sql.string(pattern.locale),
        sql.string(zone or call.cx.catalog.zone),
    )


# --- now, ago, epoch --------------------------------------------------------------------------------------------------


def now() -> Sql:
    """The moment the query started, in milliseconds as every date of the language."""
    return sql.func("date_trunc", sql.string("millisecond"), sql.func("now"))


def _now(call: FunctionCall) -> Typed:
    return Typed(now(), DATE)


def span_argument(call: FunctionCall, node: Expr) -> Span:
    """A span constant; errors 90500, 90501, 90502 at the argument."""
    value = call.known(node, TIME_SPAN_OF.fill(function=call.spec.name))
    notes.span(call.cx.note, node.span, value)

    def refuse(said: Sentence, /, *, text: object, units: str = "", help: str | None = None) -> NoReturn:
        found = diagnostic(said, node.span, text=text, units=units, help=help)
        if isinstance(text, float) and text > 0 and text.is_integer():  # 1d and 1f are numbers of Java
            found = replace(found, help=WRITE.fill(better=f'"{int(text)}d"'))
        raise QueryError(replace(found, message=f"{call.spec.name}(): {found.message}"))

    return parse_span(value, refuse)


def _ago(call: FunctionCall) -> Typed:
    span = span_argument(call, call.nodes[0])
    if span.mean_seconds > _BEFORE_YEAR_1:
        notes.moved_beyond(call, 0)
    return Typed(shift(now(), span, forward=False), DATE)


def _epoch(call: FunctionCall) -> Typed:
    value = call.arg(0)
    notes.epoch_argument(call)
    found: list[Sql] = []
    whole = values.integer_sql(value)
    if whole is not None:
        found.append(whole)
    body = values.string_sql(value)
    if body is not None:
        found.append(text_integer(call.let(body)))
    if not found:
        return null(DATE)
    number = call.let(sql.coalesce(*found) if len(found) > 1 else found[0])
    millis = sql.case(
        [
            (sql.binary(">", number, sql.integer(_FARTHEST)), sql.null("BIGINT")),
            (sql.binary(">=", number, sql.integer(MILLISECONDS_FROM)), number),
            (sql.binary(">=", number, sql.integer(-_FARTHEST // 1000)), sql.binary("*", number, sql.integer(1000))),
        ]
    )
    made = sql.attempt(sql.func("timezone", sql.string("UTC"), sql.func("make_timestamp_ms", millis)))
    if call.cx.run_id is None or call.cx.rel is None:
        return Typed(made, DATE)
    # Microseconds are no loss to the arithmetic, but nobody means the year 50607.
    made = call.let(made)
    late = sql.and_(sql.binary(">", number.copy(), sql.integer(MILLISECONDS_TO)), sql.not_null(made.copy()))
    told = losses.value_lost(call.cx, BEYOND_9999, canonical(call.call), sql.cast(number.copy(), "VARCHAR"), call.call)
    return Typed(sql.case([(sql.case([(late, told)], sql.boolean(False)), sql.null(DATE.physical))], made.copy()), DATE)


def _filetime_zero(value: Typed) -> Sql | None:
    """FILETIME 0 ("never") through ``epoch(floor(long(x) / 10000 - 11644473600000))``: null, no loss (decision 35)."""
    whole = values.integer_sql(value)
    return None if whole is None else sql.eq(whole.copy(), sql.integer(_FILETIME_ZERO))


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _instant(call: FunctionCall, position: int) -> Sql | None:
    """An argument that is a date; None when it never is."""
    value = call.arg(position)
    notes.date_argument(call, position, value)
    return values.date_sql(value)


def _beyond(call: FunctionCall, unit: str, amount: int) -> bool:
    """Whether a constant date is moved beyond the calendar: ``dateadd(now(), "year", 9000)``."""
    date = call.constant(0) if call.is_constant(0) and call.arg(0).kind is Kind.DATE else None
    return isinstance(date, datetime) and not 1 <= date.year + amount * MILLIS[unit] / MILLIS["year"] < 10_000


def _dateadd(call: FunctionCall) -> Typed:
    unit = unit_argument(call, 1, DATEADD_UNIT)
    amount = call.constant(2)
    if isinstance(amount, bool) or not isinstance(amount, int):
        call.fail(DATEADD_TIME, 2, amount=amount)
    node = _instant(call, 0)
    far = abs(amount) > _FAR[unit]
    if far or _beyond(call, unit, amount):
        notes.moved_beyond(call, 2)
    if node is None or abs(amount) > 20 * _FAR[unit]:
        return _dated(call, null(DATE), far)
    moved = sql.binary("-" if amount < 0 else "+", node, sql.interval(abs(amount), _ADD[unit]))
    return _dated(call, Typed(sql.attempt(moved) if far else moved, DATE), far)


def _dated(call: FunctionCall, made: Typed, far: bool = False, dates: int = 1) -> Typed:
    """``made``, with the values counted that are no dates or, ``far``, move beyond the calendar. Of a type that never
    is a date the plan tells. ``dates``: so many of the first arguments are dates.
    """
    given = [call.arg(position) for position in range(dates)]
    mixed = next((number for number, value in enumerate(given) if value.kind is Kind.ANY), None)
    if mixed == 1:
        return call.lost(NO_SUCH_DATE, made, given[1], lambda _: sql.not_(values.not_null(given[0])))
    return call.lost(NO_SUCH_DATE, made, given[0]) if mixed == 0 or (far and given[0].kind is Kind.DATE) else made


def _datediff(call: FunctionCall) -> Typed:
    unit = unit_argument(call, 2, DATEDIFF_UNIT)
    start, end = _instant(call, 0), _instant(call, 1)
    if start is None or end is None:
        return null(LONG)
    distance = sql.binary("-", sql.func("epoch_ms", end), sql.func("epoch_ms", start))
    made = Typed(distance if unit == "msec" else sql.binary("//", distance, sql.integer(MILLIS[unit])), LONG)
    return _dated(call, made, dates=2)


_PARTS = {
    "century": "century", "day": "day", "decade": "decade", "dow": "dow", "doy": "doy", "hour": "hour",
    "isodow": "isodow",
    "isoyear": "isoyear", "microseconds": "microseconds", "millennium": "millennium", "millenium": "millennium",
    "milliseconds": "milliseconds", "min": "minute", "minute": "minute", "mon": "month", "month": "month",
    "quarter": "quarter", "sec": "second", "seconds": "second", "timezone": "timezone",
    "timezone_hour": "timezone_hour",
    "timezone_minute": "timezone_minute", "week": "week", "year": "year",
}  # fmt: skip
PART_NAMES = (*_PARTS, "epoch", "msec", "weekday")


def _datepart(call: FunctionCall) -> Typed:
    part = call.constant(1)
    if part not in PART_NAMES:
        call.fail(DATEPART_TYPE, 1, part=part, parts=", ".join(PART_NAMES))
    node = _instant(call, 0)
    if node is None:
        return null(LONG if part == "epoch" else INT_WIDE)

    def piece(name: str) -> Sql:
        return sql.func("date_part", sql.string(name), node)

    if part == "epoch":
        return _dated(call, Typed(sql.cast(sql.func("floor", sql.func("epoch", node)), "BIGINT"), LONG))
    if part == "msec":
        made = sql.binary("%", piece("milliseconds"), sql.integer(1000))
    elif part == "weekday":
        made = sql.binary("+", piece("dow"), sql.integer(1))
    else:
        made = piece(_PARTS[part])
    return _dated(call, Typed(made, INT_WIDE))


def _datetrunc(call: FunctionCall) -> Typed:
    span_node, offset_node = call.node(1, "span"), call.node(2, "offset")
    if span_node is None:
        call.fail(SPAN_MISSING, usage=call.spec.signature)
    span = span_argument(call, span_node)
    offset = None if offset_node is None else span_argument(call, offset_node)
    node = _instant(call, 0)
    return null(DATE) if node is None else _dated(call, Typed(bucket(call.let(node), span, offset), DATE))


def _daterange(call: FunctionCall) -> Typed:
    span_node = call.node(2, "span")
    span = Span(1, "d") if span_node is None else span_argument(call, span_node)
    start, end = _instant(call, 0), _instant(call, 1)
    if start is None or end is None:
        return null(DATES)
    start, end = call.let(start), call.let(end)
    count_name, item_name = lambda_name(call.cx, "n"), lambda_name(call.cx, "t")
    # Every item is counted from the start: adding a month to 28 February again would lose the 31st of January.
    shortest = span.shortest_seconds * 1000
    steps = sql.binary(
        "+",
        sql.binary(
            "//", sql.binary("-", sql.func("epoch_ms", end), sql.func("epoch_ms", start)), sql.integer(shortest)
        ),
        sql.integer(2),
    )
    count = sql.func("greatest", sql.integer(0), sql.func("least", steps, sql.integer(DATERANGE_LIMIT + 2)))
    item = sql.binary("+", start, span.times(sql.var(count_name)))
    made = sql.func("list_transform", sql.func("range", count), sql.lambda_([count_name], item))
    items = call.let(sql.func("list_filter", made, sql.lambda_([item_name], sql.binary("<", sql.var(item_name), end))))
    message = f"{TOO_MANY_ITEMS.code} {DATERANGE_LIMIT} {canonical(call.call)}"
    missing = (sql.or_(sql.is_null(start), sql.is_null(end)), sql.null(DATES.physical))
    many = (
        sql.binary(">", sql.func("len", items), sql.integer(DATERANGE_LIMIT)),
        sql.func("error", sql.string(message)),
    )
    # As a column of its own: TRY around it, which guards arithmetic, cannot hold error().
    return _dated(call, Typed(call.let(sql.case([missing, many], items)), DATES), dates=2)


register(
    FunctionSpec(
        "date", "conversion", "date(text, pattern, [locale])",
        ("The instant a text means by a SimpleDateFormat pattern in the query's time zone, read leniently; else null.",
         "텍스트를 SimpleDateFormat 패턴에 따라 쿼리의 시간대로 해석해 "
         "날짜로 변환합니다. 느슨하게 해석하며, 안 되면 null입니다."),
        _date, 2, 3, "date", PARTLY,
        (
            example('date("2013-06-10 00:30:55.978", "yyyy-MM-dd HH:mm:ss.SSS")', "2013-06-10T00:30:55.978"),
            example('date("2020-13-34", "yyyy-MM-dd")', "2021-02-03T00:00:00"),
            example('date(line, "dd/MMM/yyyy:HH:mm:ss")', "2021-03-12T07:08:09",
            {"line": "12/Mar/2021:07:08:09 +0900"}),
            example('date("août 19 11:08", "MMM d HH:mm", "fr")', "1970-08-19T11:08:00"),
            example('date("x", "yyyy")', None),
        ),
        constant=(1, 2),
        notes=(
            ("fields out of range roll over, text after the match is ignored, missing fields are of 1970-01-01",
             "범위를 넘는 값은 다음 단위로 넘기고, 일치한 뒤의 텍스트는 무시하며, 없는 항목은 1970-01-01의 값입니다"),
            ("extension: four and more S read digits of the fraction of a second (.123456 by SSSSSS), to microseconds",
             "확장: S가 넷 이상이면 초의 소수 자리를 마이크로초까지 읽습니다(.123456은 SSSSSS)"),
            ("the locale is a language code such as en, ko, fr or pt_BR, for names of months and weekdays",
             "locale은 월과 요일의 이름에 쓰는 언어 코드입니다. 예: en, ko, fr, pt_BR"),
        ),
        loss=NOT_CONVERTED, meant=notes.meant_pattern,
    ),
    FunctionSpec(
        "string", "conversion", "string(value, [pattern], [zone or locale])",
        ("The value as text; a date by a SimpleDateFormat pattern, in another time zone when one is named.",
         "값을 텍스트로 변환합니다. 날짜는 SimpleDateFormat 패턴을 따르고, 시간대를 지정하면 그 시간대로 표시합니다."),
        _string, 1, 3, "string", PARTLY,
        (
            example("string(1.2)", "1.2"),
            example('string(date("20140807", "yyyyMMdd"), "EEE, d MMM yyyy")', "Thu, 7 Aug 2014"),
            example('string(date("20170329", "yyyyMMdd"), "yyyy-MM-dd HH:mm:ssZ", "GMT+08")',
            "2017-03-28 23:00:00+0800"),
            example("string(null)", None),
        ),
        constant=(1, 2), aliases=("str",), direct=cells.shown,
        notes=(
            ("extension: four and more S print that many digits of the fraction of a second",
             "확장: S가 넷 이상이면 초의 소수를 그 자릿수만큼 출력합니다"),
        ),
    ),
    FunctionSpec(
        "now", "date", "now()",
        ("The moment the query started.", "쿼리를 시작한 시각을 반환합니다."),
        _now, 0, 0, "date", DUCKDB,
        (example("now()", shown=False), example('datediff(now(), now(), "day")', 0)),
        notes=(("one moment for the whole query", "쿼리 전체에서 같은 시각입니다"),),
    ),
    FunctionSpec(
        "ago", "date", "ago(span)",
        ("The moment a span before now.", "현재 시각에서 지정한 시간만큼 이전의 시각을 반환합니다."),
        _ago, 1, 1, "date", DUCKDB,
        (example('ago("5m") < now()', True),),
        constant=(0,),
    ),
    FunctionSpec(
        "epoch", "date", "epoch(number)",
        ("The instant of seconds since 1970, or of milliseconds when "
         "seconds would pass year 9999; a double gives null.",
         "1970년부터의 초를 날짜로 변환합니다. 초로 보아 9999년을 넘으면 밀리초로 읽고, double은 null입니다."),
        _epoch, 1, 1, "date", DUCKDB,
        (
            example("epoch(1386104400)", "2013-12-04T06:00:00"),
            example("epoch(1435196373492)", "2015-06-25T10:39:33.492"),
            example("epoch(1.5)", None),
        ),
        loss=NOT_CONVERTED, no_loss=_filetime_zero,
    ),
    FunctionSpec(
        "dateadd", "date", "dateadd(date, unit, amount)",
        ("The date moved on the calendar by year, mon, day, hour, min, sec or msec; the day stays in its month.",
         "날짜를 year, mon, day, hour, min, sec, msec 단위로 달력에 "
         "따라 더하거나 뺍니다. 일은 그 달의 말일을 넘지 않습니다."),
        _dateadd, 3, 3, "date", DUCKDB,
        (
            example('dateadd(date("20200131", "yyyyMMdd"), "mon", 1)', "2020-02-29T00:00:00"),
            example('dateadd("x", "sec", 10)', None),
        ),
        constant=(1, 2),
    ),
    FunctionSpec(
        "datediff", "date", "datediff(start, end, unit)",
        ("Whole units from start to end, cut towards zero: year (365 days), mon (30 days), day, hour, min, sec, msec.",
         "두 날짜의 차이를 단위로 환산해 0 쪽으로 버립니다. 단위는 "
         "year(365일), mon(30일), day, hour, min, sec, msec입니다."),
        _datediff, 3, 3, "long", DUCKDB,
        (example('datediff(date("2013-09-29", "yyyy-MM-dd"), date("2014-09-29", "yyyy-MM-dd"), "mon")', 12),),
        constant=(2,), direct=distance,
    ),
    FunctionSpec(
        "datepart", "date", "datepart(date, part)",
        ("One part of the date in the query's time zone.", "쿼리의 시간대에서 날짜의 한 부분을 반환합니다."),
        _datepart, 2, 2,
        "int (epoch: long)", DUCKDB,
        (
            example('datepart(date("20170612210556", "yyyyMMddHHmmss"), "hour")', 21),
            example('datepart(date("20170612210556", "yyyyMMddHHmmss"), "isodow")', 1),
            example('datepart("2017", "year")', None),
        ),
        constant=(1,), gives=results.part_of(PART_RANGES),
        notes=((f"parts: {', '.join(PART_NAMES)}", f"부분: {', '.join(PART_NAMES)}"),
            ("milliseconds and microseconds include the seconds, msec does not",
             "milliseconds와 microseconds는 초를 포함하고 msec는 포함하지 않습니다")),
    ),
    FunctionSpec(
        "datetrunc", "date", "datetrunc(date, span, [offset])",
        ("Start of the interval that holds the date, in local time; weeks start on Monday; offset moves the boundary.",
         "날짜가 속한 구간의 시작 시각을 현지 시각으로 반환합니다. 주는 월요일에 시작하고, offset은 경계를 옮깁니다."),
        _datetrunc, 1, 3, "date", DUCKDB,
        (
            example('datetrunc(date("20140714111323", "yyyyMMddHHmmss"), "5m")', "2014-07-14T11:10:00"),
            example('datetrunc(date("201301010630", "yyyyMMddHHmm"), span="1d", offset="8h")', "2012-12-31T08:00:00"),
            example('datetrunc("2014-07-14", "1d")', None),
        ),
        constant=(1, 2), named=("span", "offset"),
    ),
    FunctionSpec(
        "daterange", "date", "daterange(start, end, [span])",
        ("Dates from start in steps of the span (1d), below the end.",
         "시작부터 끝 앞까지 지정한 간격(기본값 1d)의 날짜 목록을 반환합니다."),
        _daterange, 2, 3, "list of date", DUCKDB,
        (
            example('daterange(date("20150901", "yyyyMMdd"), date("20150903", "yyyyMMdd"))', ["2015-09-01T00:00:00",
            "2015-09-02T00:00:00"]),
            example('daterange("20150901", "20150908")', None),
        ),
        constant=(2,), named=("span",), notes=(
            ("more than 100,000 items end the query", "항목이 100,000개를 넘으면 쿼리를 끝냅니다"),
        ),
    ),
)  # fmt: skip
