"""Dates: arguments that are none, patterns that say something else than they look, numbers beyond all calendars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from logsql.diagnostics.codes import Sentence, define, text
from logsql.diagnostics.losses import NOT_CONVERTED
from logsql.language.tree import Binary, Call, Expr, Field, Literal, NamedArg, Span, canonical
from logsql.planner.calls import FunctionCall, Lowering
from logsql.planner.notes.arguments import FRACTION, WHOLE
from logsql.planner.notes.comparisons import only_typed, or_typed, sample
from logsql.planner.notes.datetexts import (
    MICRO_FROM,
    NANO_FROM,
    counted_date,
    guess_pattern,
    is_number,
    pattern_of,
)
from logsql.planner.notes.fields import Say
from logsql.planner.notes.timefields import other_times
from logsql.planner.notes.words import WRITE, field_name, kind_word, settled_kind
from logsql.values.types import Kind
from logsql.values.values import Typed
from udfs.java.date_ends import TIME_BEHIND

NO_DATE = define(
    "N1303",
    "no-date",
    ("a function of dates is given a value that is none", "날짜 함수에 날짜가 아닌 값을 줍니다"),
    (
        "{function}() takes a date, and {value} is {kind}: the result is always null",
        "{function}()에는 날짜를 줍니다. {value}은(는) {kind}이므로 결과가 늘 null입니다",
    ),
)
NOT_FORMATTED = define(
    "N1310",
    "pattern-for-no-date",
    ("string() is given a date pattern and a value that is no date", "string()에 날짜가 아닌 값과 날짜 패턴을 줍니다"),
    (
        "the pattern of string() is for dates, and {value} is {kind}: it stays as it is",
        "string()의 패턴은 날짜에만 쓰입니다. {value}은(는) {kind}이므로 그대로 남습니다",
    ),
)
PATTERN = define(
    "N1304",
    "date-pattern",
    (
        "a letter of a date pattern that means something else than it looks",
        "날짜 패턴의 글자가 보이는 것과 다른 뜻입니다",
    ),
)
WEEK_YEAR = PATTERN.says(
    (
        "{letters} is the year that a week belongs to, and not the year of the date",
        "{letters}은(는) 날짜의 연도가 아니라 주가 속한 연도입니다",
    )
)
DAY_OF_YEAR = PATTERN.says(("{letters} is the day of the year, 1 to 366", "{letters}은(는) 연중 날짜(1~366)입니다"))
MINUTES = PATTERN.says(
    ("{letters} stands where a month stands, and is minutes", "{letters}은(는) 월 자리에 있지만 분입니다")
)
MONTH = PATTERN.says(
    ("{letters} stands where minutes stand, and is the month", "{letters}은(는) 분 자리에 있지만 월입니다")
)
HALF_DAY = PATTERN.says(
    (
        "{letters} counts hours from 1 to 12, and no a tells morning from afternoon",
        "{letters}은(는) 1~12시이며 오전과 오후를 가르는 a가 없습니다",
    )
)
FULL_DAY = PATTERN.says(
    (
        "{letters} counts hours from 0 to 23: morning or afternoon, which a reads, does not change it",
        "{letters}은(는) 0~23시이므로 오전과 오후를 읽는 a가 시각을 바꾸지 않습니다",
    )
)
MILLISECONDS = PATTERN.says(("{letters} is milliseconds, and not seconds", "{letters}은(는) 초가 아니라 밀리초입니다"))
NO_LETTER = PATTERN.says(
    (
        "the pattern {pattern} has no letter of a date, so that each value gives the same",
        "패턴 {pattern}에 날짜 글자가 없어 모든 값의 결과가 같습니다",
    )
)
PERCENT = PATTERN.says(
    (
        "%-letters are those of other tools; here letters stand for themselves",
        "% 기호는 다른 도구의 표기입니다. 여기서는 글자만 씁니다",
    )
)
NO_YEAR = define(
    "N1305",
    "date-without-year",
    ("a date pattern without year reads dates of 1970", "연도가 없는 날짜 패턴은 1970년으로 읽습니다"),
    ('"{pattern}" has no year: the dates are of 1970', '"{pattern}"에 연도가 없어 1970년으로 읽습니다'),
    (
        'put the year in front: date(concat("2024 ", {value}), "yyyy {pattern}")',
        '앞에 연도를 붙이세요: date(concat("2024 ", {value}), "yyyy {pattern}")',
    ),
)
WITH_REFERENCE = text(
    "leave dp= and df= out and read the line with parse syslog (openssh, iptables ...), which takes the year from the "
    "time of the file",
    "dp=와 df=를 빼고 parse syslog (openssh, iptables ...)로 줄을 읽으세요. 연도는 파일의 시각에서 얻습니다",
)
SEVERAL_YEARS = text(
    "the values go on from December to January, so that no one year fits: parse syslog takes the year of each line "
    "from the time of the file",
    "값이 12월에서 1월로 이어져 한 연도로는 읽을 수 없습니다. parse syslog는 줄마다 연도를 파일의 시각에서 얻습니다",
)
ZONE_AS_LETTER = define(
    "N1311",
    "zone-as-letter",
    (
        "a Z in quotes is a letter that is passed over: the time is not read as UTC",
        "작은따옴표 속의 Z는 지나치는 글자일 뿐이어서 시각을 UTC로 읽지 않습니다",
    ),
    (
        "'Z' in quotes is a letter: the time is read in the zone of the session, not as UTC",
        "따옴표 속의 'Z'는 글자일 뿐입니다. 시각을 UTC가 아니라 세션 시간대로 읽습니다",
    ),
)
FRACTION_CUT = define(
    "N1307",
    "fraction-cut",
    ("a fraction of a second with more digits than a date keeps", "초의 소수 자릿수가 날짜가 담는 것보다 많습니다"),
    (
        '"{letters}" are {count} digits of a second; a date keeps six, the others are cut',
        '"{letters}"은(는) 초의 소수 {count}자리입니다. 날짜에는 여섯 자리까지 남습니다',
    ),
)
SPAN_MINUTES = define(
    "N1315",
    "minutes-or-months",
    ("M in a time span is minutes, as m is; months are mon", "시간 간격의 M은 m과 같이 분입니다. 개월은 mon입니다"),
    ('"{written}" is minutes: letter case does not matter', '"{written}"은(는) 분입니다. 대소문자를 가리지 않습니다'),
    ("write {amount}m for minutes, {amount}mon for months", "분은 {amount}m, 개월은 {amount}mon으로 쓰세요"),
)
BEYOND_CALENDAR = define(
    "N1316",
    "beyond-the-calendar",
    (
        "a date is moved beyond the years 1 to 9999: it prints as a number of seconds, or there is none",
        "날짜를 1~9999년 밖으로 옮깁니다. 초 단위 숫자로 출력되거나 값이 없습니다",
    ),
    (
        "{value} lies beyond the years 1 to 9999, whatever the date is",
        "{value}은(는) 어떤 날짜에서도 1~9999년을 벗어납니다",
    ),
)
EPOCH_UNIT = define(
    "N1306",
    "epoch-unit",
    ("epoch() is given micro- or nanoseconds", "epoch()에 마이크로초나 나노초를 줍니다"),
    (
        "epoch() takes seconds or milliseconds, and {value} looks like {unit}",
        "epoch()에는 초나 밀리초를 줍니다. {value}은(는) {unit}(으)로 보입니다",
    ),
    (
        "write epoch(long({value} / {divisor}))",
        "epoch(long({value} / {divisor}))(으)로 쓰세요",
    ),
)
DOUBTED = define(
    "N1317",
    "constant-date-misread",
    (
        "a constant is no date of the calendar, or the pattern reads its digits otherwise than they are meant",
        "상수가 달력에 없는 날짜이거나 패턴이 숫자를 뜻과 다르게 읽습니다",
    ),
    (
        '"{pattern}" reads no date or time of the calendar in "{value}": it is counted on, to {date}',
        '"{pattern}" 패턴으로 "{value}"을(를) 읽으면 달력에 없는 날짜나 시각이 되어 {date}(으)로 넘겨 계산합니다',
    ),
)
CONSTANT_MISREAD = DOUBTED.says(
    ('"{pattern}" reads "{value}" as {date}', '"{pattern}" 패턴은 "{value}"을(를) {date}(으)로 읽습니다')
)
NO_TIME = define(
    "N1308",
    "no-time",
    ("a command of time buckets over rows without a date in _time", "_time에 날짜가 없는 행에 시간 구간 명령을 씁니다"),
    (
        "{command} needs the date _time, which these rows do not have: no row takes part",
        "{command}에는 날짜인 _time이 필요한데 이 행에는 없어 모든 행이 빠집니다",
    ),
)
TIME_IS = NO_TIME.says(
    (
        "{command} needs a date in _time, which is {kind} here: no row takes part",
        "{command}에는 날짜인 _time이 필요한데 여기서는 {kind}이어서 모든 행이 빠집니다",
    )
)
UNLIKE_VALUES = define(
    "N1313",
    "pattern-unlike-values",
    (
        "a date pattern reads the digits of the values otherwise than they are meant",
        "날짜 패턴이 값의 숫자를 뜻과 다르게 읽습니다",
    ),
)
MORE_DIGITS = UNLIKE_VALUES.says(
    (
        "{letters} is milliseconds, and the values have {count} digits: 123456 is 123 seconds and 456 milliseconds",
        "{letters}은(는) 밀리초인데 값은 {count}자리입니다. 123456은 123초 456밀리초가 됩니다",
    )
)
FEWER_DIGITS = UNLIKE_VALUES.says(
    (
        "{letters} is milliseconds, and the values have fewer than three digits: .{value} is {number} ms",
        "{letters}은(는) 밀리초인데 값의 소수 자릿수가 세 자리보다 적습니다: .{value}은(는) {number}밀리초로 읽습니다",
    )
)
SHORT_YEAR = UNLIKE_VALUES.says(
    (
        "{letters} takes the year as it is written, and the values have two digits: the year {year}",
        "{letters}은(는) 연도를 적힌 그대로 읽는데 값은 두 자리입니다: {year}년",
    )
)
BEYOND_TWELVE = UNLIKE_VALUES.says(
    (
        "{letters} is the month, and the values have {month} there: it is counted on into the next year",
        "{letters}은(는) 월인데 값에는 {month}이(가) 있습니다. 다음 해로 넘어가 계산합니다",
    )
)
NOT_READ = UNLIKE_VALUES.says(
    (
        '"{pattern}" ends before the values do: {rest} of "{value}" is not read',
        '"{pattern}"이(가) 값보다 짧아 "{value}"의 {rest}을(를) 읽지 않습니다',
    )
)
MICROSECONDS, NANOSECONDS = text("microseconds", "마이크로초"), text("nanoseconds", "나노초")
_FORMS = {
    "%Y": "yyyy", "%y": "yy", "%m": "MM", "%d": "dd", "%e": "d", "%H": "HH", "%I": "hh", "%M": "mm", "%S": "ss",
    "%f": "SSSSSS", "%p": "a", "%b": "MMM", "%B": "MMMM", "%a": "EEE", "%j": "DDD", "%z": "Z", "%Z": "z",
    "%T": "HH:mm:ss", "%F": "yyyy-MM-dd",
}  # fmt: skip


TIME_OF_READING = define(
    "N1314",
    "time-of-reading",
    (
        "the _time of textfile is the time at which the file was read, where dp= and df= find none in the lines",
        "dp=와 df=로 줄에서 시각을 찾지 않으면 textfile의 _time은 파일을 읽은 시각입니다",
    ),
    (
        "_time is the time at which the file was read, and not that of the line",
        "_time은 줄에 적힌 시각이 아니라 파일을 읽은 시각입니다",
    ),
    (
        "take it from the line: parse NAME (syslog, nginx, ...), textfile dp=... df=..., or eval _time = date(...)",
        "줄에서 시각을 얻으세요: parse 이름 (syslog, nginx, ...), textfile dp=... df=..., 또는 eval _time = date(...)",
    ),
)


def quoted_letters(pattern: str, texts: Sequence[str] = ()) -> str | None:
    """The help of a pattern with a bare T between day and hour: ``yyyy-MM-ddTHH:mm``; ``texts`` are values at hand.

    >>> print(quoted_letters("yyyy-MM-ddTHH:mm"), quoted_letters("bad"))
    write "yyyy-MM-dd'T'HH:mm" None
    >>> print(quoted_letters("yyyy-MM-ddTHH:mm:ssZ", ["2024-03-01T10:00:00Z"]))
    write "yyyy-MM-dd'T'HH:mm:ssXXX"
    """
    better = re.sub(r"(?<=d)T(?=[Hhk])", "'T'", pattern)
    if better == pattern:
        return None
    return _pattern_help((guess_pattern(texts, "") if any(texts) else "") or better)


def formatted(call: FunctionCall, value: Typed) -> None:
    """Tell of ``string(_time, "HH")`` where ``_time`` is text: other values than dates stay as they are."""
    node = call.nodes[0]
    if not settled_kind(value.kind) or value.kind is Kind.DATE:
        return
    made, help = made_date(call.cx, node, value), None
    if made is None and value.kind is Kind.STRING and not isinstance(node, Literal):
        return  # texts that are no dates: what is meant is not known
    if made is not None:
        help = WRITE.fill(better=f"string({', '.join((made, *(canonical(a) for a in call.call.args[1:])))})")
    call.note(NOT_FORMATTED, 0, help=help, value=canonical(node), kind=kind_word(value.kind))


def moved_beyond(call: FunctionCall, position: int) -> None:
    """Tell of ``dateadd(x, "year", 100000)`` and ``ago("3000000d")``: beyond the calendar, whatever the date is."""
    call.note(BEYOND_CALENDAR, position, covers=("no-such-date", canonical(call.call)), value=canonical(call.call))


def date_argument(call: FunctionCall, position: int, value: Typed) -> None:
    """Tell of an argument of a function of dates that never is one."""
    if not settled_kind(value.kind) or value.kind is Kind.DATE:
        return
    node = call.nodes[position]
    cx = call.cx
    written = [canonical(a) for a in call.call.args]
    made = made_date(cx, node, value)
    help = only_typed(cx, node)
    if made is not None:
        written[position] = made
        better = WRITE.fill(better=f"{call.spec.name}({', '.join(written)})")
        help = _or_dated(cx, better, node, value, made)
    cx.note(NO_DATE, node.span, help=help, function=call.spec.name, value=canonical(node), kind=kind_word(value.kind))


def _or_dated(cx: Lowering, help: str, node: Expr, value: Typed, made: str) -> str:
    """The help line with the option that reads texts as dates; seconds it reads as numbers."""
    return help if made.startswith("epoch(") else or_typed(cx, help, node, value.kind is Kind.STRING)


def made_date(cx: Lowering, node: Expr, value: Typed) -> str | None:
    """The expression that makes a date of a text or a number."""
    if value.kind is Kind.STRING:
        values = sample(cx, node)
        if made := counted_date(canonical(node), values):
            return made
        pattern = guess_pattern([str(node.value)], "") if isinstance(node, Literal) else pattern_of(values)
        if not pattern:
            return None
        return f'date({canonical(node)}, "{pattern}")'
    return f"epoch({canonical(node)})" if value.type.integer and not isinstance(node, Literal) else None


def time_field(cx: Lowering, command: str, span: Span, covers: tuple[str, str]) -> None:
    """Tell of rows in which ``_time`` never is a date, where a command looks at nothing else.

    ``covers`` is the entry of the ledger that counts these rows.
    """
    rel = cx.rel
    value = cx.field("_time")
    if rel is None or value.kind in (Kind.ANY, Kind.DATE):
        return
    if value.kind is not Kind.NULL:
        made = made_date(cx, Field("_time"), value)
        better = WRITE.fill(better=f"eval _time = {made} | {command} ...")
        help = only_typed(cx, Field("_time")) if made is None else _or_dated(cx, better, Field("_time"), value, made)
        cx.note(TIME_IS, span, help=help, covers=covers, command=command, kind=kind_word(value.kind))
    elif rel.rest is None and rel.column("_time") is None:
        cx.note(NO_TIME, span, help=other_times(cx, rel, command), covers=covers, command=command)


def doubted_constant(call: FunctionCall, value: str, pattern: str, read: str, misread: bool) -> None:
    """Tell of ``date("2024-02-30", "yyyy-MM-dd")``, which is 1 March: of a field's values the ledger tells."""
    better = guess_pattern([value], "")
    help = _pattern_help(better) if better not in ("", pattern) else None
    call.note(CONSTANT_MISREAD if misread else DOUBTED, 0, help=help, value=value, pattern=pattern, date=read)


def meant_pattern(cx: Lowering, call: Call) -> str | None:
    """``date("2024-01-31")`` and ``date(day)`` with the pattern that the text, or the values at hand, have."""
    node = call.args[0] if len(call.args) == 1 else None
    if node is None or isinstance(node, NamedArg):
        return None
    texts = (str(node.value),) if isinstance(node, Literal) else sample(cx, node)
    pattern = guess_pattern(texts, "") if any(texts) else ""
    return f'{call.name}({canonical(call.args[0])}, "{pattern}")' if pattern else None


def span(note: Say, place: Span, written: object) -> None:
    """Tell of ``1M``, which other tools read as a month."""
    found = re.fullmatch(r"\s*(\d+)\s*M\s*", written) if isinstance(written, str) else None
    if found is not None:
        note(SPAN_MINUTES, place, written=str(written), amount=found[1])


def epoch_argument(call: FunctionCall) -> None:
    """Tell of a constant that is micro- or nanoseconds, and of a field whose values at hand are."""
    node, value = call.nodes[0], call.arg(0)
    if value.type.number and not value.type.integer:
        written = canonical(node).removeprefix("(").removesuffix(")") if isinstance(node, Binary) else canonical(node)
        better, covers = WRITE.fill(better=f"epoch(long({written}))"), (NOT_CONVERTED.name, canonical(call.call))
        call.note(WHOLE, 0, help=better, covers=covers, function="epoch", value=canonical(node), kind=FRACTION.fill())
    if field_name(node) is not None:
        found = [int(text) for text in sample(call.cx, node) if is_number(text) and text != "0"]
        if found and min(found) >= MICRO_FROM:
            _epoch_unit(call, canonical(node), min(found) >= NANO_FROM)
    if not isinstance(node, Literal) or isinstance(node.value, bool):
        return
    digits = str(node.value)
    if not is_number(digits) or int(digits) < MICRO_FROM:
        return
    _epoch_unit(call, digits, int(digits) >= NANO_FROM)


def _epoch_unit(call: FunctionCall, value: str, nano: bool) -> None:
    unit = (NANOSECONDS if nano else MICROSECONDS).fill()
    covers = (NOT_CONVERTED.name if nano else "date-beyond-9999", canonical(call.call))
    call.note(EPOCH_UNIT, 0, covers=covers, value=value, unit=unit, divisor=1_000_000 if nano else 1000)


def _bare(written: str) -> str:
    """A pattern with blanks for what stands in quotes."""
    return re.sub(r"'[^']*'", lambda quoted: " " * len(quoted[0]), written)


def _runs(written: str) -> dict[str, int]:
    """The letters of a pattern, and how many of each stand side by side."""
    return {m[0][0]: len(m[0]) for m in re.finditer(r"([A-Za-z])\1*", _bare(written))}


def _letters(note: Say, place: Span, written: str) -> bool:
    """Tell of letters that say something else than they look; whether they are letters of this kind of pattern."""
    bare = _bare(written)
    if re.search(r"%[A-Za-z]", written):
        better = re.sub(r"%[A-Za-z]", lambda m: _FORMS.get(m[0], m[0]), written)
        note(PERCENT, place, help=_pattern_help(better))
        return False
    if not re.search(r"[A-Za-z]", bare):
        note(NO_LETTER, place, pattern=canonical(Literal(written, "string")))
    wrong = _wrong_letters(bare)
    if wrong:
        better = written
        for _, letters, start, meant in reversed(wrong):
            better = better[:start] + meant * len(letters) + better[start + len(letters) :]
        note(wrong[0][0], place, help=_pattern_help(better), letters=wrong[0][1])
    return True


def _yearless(written: str) -> bool:
    """Whether a pattern reads a day and no year, which makes it one of 1970."""
    runs = set(_runs(written))
    return not {"y", "Y", "u"} & runs and bool({"M", "L", "d", "D"} & runs)


def written_pattern(note: Say, place: Span, written: str) -> None:
    """Tell of a pattern by which a command writes dates: ``{logtime:YYYY-mm-dd}`` in a path."""
    _letters(note, place, written)


def read_pattern(note: Say, place: Span, written: str) -> None:
    """Tell of an option that reads dates by a pattern (``textfile df="MMM d HH:mm:ss"``), as of ``date()``."""
    if not _letters(note, place, written):
        return
    if _yearless(written):
        note(NO_YEAR, place, pattern=written, help=WITH_REFERENCE.fill())
    if re.search(r"[ms]'Z'$", written):
        note(ZONE_AS_LETTER, place, help=_pattern_help(f"{written[:-3]}X"))
    if (digits := _runs(written).get("S", 0)) > 6:
        note(FRACTION_CUT, place, letters="S" * digits, count=digits)


def pattern(call: FunctionCall, position: int, written: str) -> None:
    """Tell of letters of a date pattern that say something else than they look, and of a pattern without year."""
    reading = call.spec.returns == "date"
    if not _letters(call.cx.note, call.nodes[position].span, written) or not reading:
        return
    runs, node = _runs(written), call.nodes[0]
    if _yearless(written):
        _without_year(call, position, written)
    if re.search(r"[ms]'Z'$", written):
        call.note(ZONE_AS_LETTER, position, help=_pattern_help(f"{written[:-3]}X"))
    if field_name(node) is not None and not (_wrong_letters(_bare(written)) or call.arg(0).kind is Kind.DATE):
        _against_values(call, position, written, runs)
        _to_the_end(call, position, written, sample(call.cx, node))
    elif isinstance(node, Literal) and node.kind == "string":
        _to_the_end(call, position, written, (str(node.value),))
    if runs.get("S", 0) > 6:
        call.note(FRACTION_CUT, position, letters="S" * runs["S"], count=runs["S"])


def _without_year(call: FunctionCall, position: int, written: str) -> None:
    """Tell of dates of 1970; one year in front fits no values that go on from December to January."""
    shape = re.compile(_shape(written))
    found = [match.groupdict() for text in sample(call.cx, call.nodes[0]) if (match := shape.match(text))]
    months = [f"{values['M']:0>2}" if "M" in values else values.get("b", "") for values in found]
    turns = any(before in ("12", "Dec") and behind in ("01", "Jan") for before, behind in pairwise(months))
    value = canonical(call.nodes[0])
    help = SEVERAL_YEARS.fill() if turns else None
    call.note(NO_YEAR, position, pattern=written, value=value, **({} if help is None else {"help": help}))


def _against_values(call: FunctionCall, position: int, written: str, runs: dict[str, int]) -> None:
    """Tell of a pattern whose years or fractions are shorter or longer than those of the values at hand."""
    fraction, year = 0 < runs.get("S", 0) < 4, runs.get("y", 0) > 2
    month = 0 < runs.get("M", 0) < 3
    if not (fraction or year or month):
        return
    shape, covers = re.compile(_shape(written)), ("date-misread", canonical(call.call))
    found = [match for text in sample(call.cx, call.nodes[0]) if (match := shape.match(text))]
    if fraction and (digits := max((len(m["S"]) for m in found), default=0)) > 3:
        better = _pattern_help(written.replace("S" * runs["S"], "S" * digits))
        if set(runs) == {"S"}:  # 1709287200123 counts from 1970, and is no fraction
            node = call.nodes[0]
            made = counted_date(canonical(node), sample(call.cx, node))
            help, covers = WRITE.fill(better=made) if made else None, ("off-calendar", canonical(call.call))
        else:
            help = better
        call.note(MORE_DIGITS, position, help=help, covers=covers, letters="S" * runs["S"], count=digits)
    short = [m["S"] for m in found if len(m["S"]) < 3 and int(m["S"])] if fraction else []
    if short:  # .5 of Go and Python, which leave out zeros, is half a second
        better = written.replace("S" * runs["S"], "SSSSSS")
        facts = {"letters": "S" * runs["S"], "value": short[0], "number": int(short[0])}
        call.note(FEWER_DIGITS, position, help=_pattern_help(better), covers=covers, **facts)
    if year and found and all(len(m["y"]) == 2 for m in found):
        better = written.replace("y" * runs["y"], "yy")
        facts = {"letters": "y" * runs["y"], "year": found[0]["y"]}
        call.note(SHORT_YEAR, position, help=_pattern_help(better), covers=covers, **facts)
    if month and (beyond := [m["M"] for m in found if int(m["M"]) > 12]):
        day = 0 < runs.get("d", 0) < 3 and "'" not in written and all(int(m["d"]) < 13 for m in found)
        better = "".join({"M": "d", "d": "M"}.get(letter, letter) for letter in written)
        help = _pattern_help(better) if day else None
        call.note(BEYOND_TWELVE, position, help=help, letters="M" * runs["M"], month=beyond[0])


def _to_the_end(call: FunctionCall, position: int, written: str, texts: Sequence[str]) -> None:
    """Tell of a pattern that ends before the time does: ``HH:mm`` over ``10:20:30``. Other text is passed over."""
    more = TIME_BEHIND.get(written[-1:])
    if more is None:
        return
    shape = re.compile(_shape(written))
    for value in texts:
        match = shape.match(value)
        rest = re.match(more, value[match.end() :]) if match is not None else None
        if rest is not None:
            better = guess_pattern(texts, "")
            help = _pattern_help(better) if better.startswith(written) else None
            facts = {"pattern": written, "rest": f'"{rest[0].strip()}"', "value": value[:40]}
            call.note(NOT_READ, position, help=help, covers=("date-part-unread", canonical(call.call)), **facts)
            return


#: Text in quotes, a run of one letter, another character.
_PIECES = re.compile(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z'])")


def _shape(written: str) -> str:
    """A regular expression of texts that a date pattern reads, the year and the fraction as groups."""
    built = ""
    for quoted, run, _, other in _PIECES.findall(written):
        named = bool(run) and (run[0] in "yS" or (run[0] in "Md" and len(run) < 3))
        if named and f"(?P<{run[0]}>" not in built:
            built += rf"(?P<{run[0]}>\d+)"
        elif run == "MMM" and "(?P<b>" not in built:
            built += "(?P<b>[A-Za-z]{3})"
        elif run:
            built += r"\d+" if run[0] in "MdHhmskK" and len(run) < 3 else r"[^\s/.,:-]+"
        else:
            built += " +" if other == " " else re.escape(quoted or other)
    return built


def _pattern_help(better: str) -> str:
    return WRITE.fill(better=f'"{better}"')


def _wrong_letters(bare: str) -> list[tuple[Sentence, str, int, str]]:
    """The runs of letters that are probably meant otherwise: what is said, the run, where, the letter that is meant."""
    runs = [(m[0], m.start()) for m in re.finditer(r"([A-Za-z])\1*", bare)]
    letters = {run[0] for run, _ in runs}
    found: list[tuple[Sentence, str, int, str]] = []
    for place, (run, start) in enumerate(runs):
        before = runs[place - 1][0][0] if place else ""
        after = runs[place + 1][0][0] if place + 1 < len(runs) else ""
        one = run[0]
        if one == "Y" and "w" not in letters and letters & set("MLdD"):
            found.append((WEEK_YEAR, run, start, "y"))
        elif one == "D" and letters & set("ML") and "d" not in letters:
            found.append((DAY_OF_YEAR, run, start, "d"))
        elif one == "m" and before in set("yYdD") and after in {*"yYdDHhkK", ""}:
            found.append((MINUTES, run, start, "M"))
        elif one == "M" and before in set("HhkK"):
            found.append((MONTH, run, start, "m"))
        elif one == "S" and before in {"m", "M"} and "s" not in letters and "H" in letters:
            found.append((MILLISECONDS, run, start, "s"))
        elif one in "hK" and not letters & set("aHk"):
            found.append((HALF_DAY, run, start, "H"))
        elif one == "H" and "a" in letters and not letters & set("hK"):
            found.append((FULL_DAY, run, start, "h"))
    return found
