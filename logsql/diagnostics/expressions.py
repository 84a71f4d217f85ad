"""Rows about expressions, calls of functions and aggregates, parameters, time spans and date formats."""

from __future__ import annotations

from logsql.diagnostics.codes import define, text

# --- commands and parameters ------------------------------------------------------------------------------------------

MISSING_SOURCE = define(
    "90004",
    "missing-source",
    ("the first command of the query makes no rows", "쿼리의 첫 명령이 행을 만들지 않습니다"),
    ("{command} needs rows to work on", "{command} 명령에는 앞에서 오는 행이 필요합니다"),
    (
        "start with a source such as table, jsonfile, csvfile or json",
        "table, jsonfile, csvfile, json 같은 데이터 소스로 시작하세요",
    ),
)
SERVICE_MISSING = define(
    "90950",
    "service-missing",
    ("the session does not have what the command needs", "명령에 필요한 기능이 세션에 없습니다"),
    ("{command} is not available in this session", "이 세션에서는 {command} 명령을 사용할 수 없습니다"),
)
EVALC_ORDER = define(
    "20203",
    "evalc-order",
    (
        "a command that ends the rows or drops some reads the parameter before evalc",
        "행을 끝내거나 줄이는 명령이 evalc보다 먼저 매개변수를 읽습니다",
    ),
    (
        'a command before evalc reads $("{parameter}") from the row before',
        'evalc 앞의 명령이 이전 행의 $("{parameter}") 값을 읽습니다',
    ),
    (
        "only eval, search (without limit=) and evalc of parameters that do not need each other may stand between",
        "그 사이에는 eval, limit= 없는 search, 서로 참조하지 않는 evalc만 둘 수 있습니다",
    ),
)
NOT_CONSTANT = define(
    "90904",
    "not-constant",
    ("a value that must be known before the rows reads a field", "행을 읽기 전에 정해져야 할 값이 필드를 참조합니다"),
    ("{what} must be a constant", "{what}은(는) 상수여야 합니다"),
    ("use a literal or a parameter, not a field", "필드 대신 리터럴이나 매개변수를 쓰세요"),
)
PARAMETER_NAME = define(
    "90905",
    "invalid-parameter-name",
    ("the name of a parameter is computed", "매개변수 이름이 계산식입니다"),
    ("the name of a parameter is a string constant", "매개변수 이름은 문자열 상수로 씁니다"),
)
#: What must be a constant.
ARGUMENT = text("argument {position} of {function}()", "{function}()의 {position}번째 인자")
OPTION = text("option {option}", "{option} 옵션")
TIME_SPAN_OF = text("the time span of {function}()", "{function}()의 시간 간격")
CANDIDATE = text("a candidate of in()", "in()의 비교 값")

# --- calls ------------------------------------------------------------------------------------------------------------

TOO_FEW_ARGUMENTS = define(
    "99000",
    "{function}-arg-missing",
    ("a call with fewer arguments than the function needs", "함수에 필요한 인자가 모자랍니다"),
    (
        "{function}() needs at least {least} argument{s}, got {count}",
        "{function}()에는 인자가 {least}개 이상 필요합니다: {count}개",
    ),
    ("usage: {usage}", "사용법: {usage}"),
)
PARAMETER_MISSING = TOO_FEW_ARGUMENTS.says(
    ('$() needs the name of a parameter: $("name")', '$()에는 매개변수 이름이 필요합니다: $("이름")'),
    name="$-arg-missing",
)
SPAN_MISSING = TOO_FEW_ARGUMENTS.says(
    ("datetrunc() needs a span argument", "datetrunc()에는 시간 간격 인자가 필요합니다"),
    ("usage: {usage}", "사용법: {usage}"),
    name="datetrunc-arg-missing",
)
TOO_MANY_ARGUMENTS = define(
    "99001",
    "invalid-{function}-args",
    ("a call with more arguments than the function takes", "함수가 받는 것보다 인자가 많습니다"),
    (
        "{function}() takes at most {most} argument{s}, got {count}",
        "{function}()에는 인자를 {most}개까지 씁니다: {count}개",
    ),
    ("usage: {usage}", "사용법: {usage}"),
)
TOO_MANY_PATTERNS = define(
    "E1308",
    "too-many-patterns",
    ("a call with more patterns than one condition can hold", "한 조건에 쓸 수 있는 것보다 패턴이 많은 호출입니다"),
    (
        "{function}() has {count:,} patterns with *; at most {most:,} can be tried",
        "{function}()에 * 패턴이 {count:,}개 있습니다. {most:,}개까지 쓸 수 있습니다",
    ),
    help=(
        "texts without * are not limited; or search for what they have in common first",
        "*가 없는 텍스트에는 제한이 없습니다. 공통 부분을 먼저 검색해도 됩니다",
    ),
)
UNKNOWN_NAMED_ARGUMENT = define(
    "99002",
    "unknown-named-argument",
    ("a named argument that the function does not have", "함수에 없는 이름의 인자입니다"),
    ("{function}() has no argument named {argument}", "{function}()에는 {argument}(이)라는 인자가 없습니다"),
    ("usage: {usage}", "사용법: {usage}"),
)
NO_NAMED_ARGUMENT = UNKNOWN_NAMED_ARGUMENT.says(
    (
        "{function}() has no argument named {argument}",
        "{function}()에는 {argument}(이)라는 인자가 없습니다",
    ),
    help=("to compare, write {argument} == ...", "비교하려면 {argument} == ...로 쓰세요"),
)
UNSUPPORTED_FUNCTION = define(
    "90900",
    "unsupported-function",
    ("there is no such function, or it is not offered", "없는 함수이거나 제공하지 않는 함수입니다"),
    ("there is no function {function}()", "{function}() 함수가 없습니다"),
)
FUNCTION_REFUSED = text(
    "{function}() belongs to the language, but is not available here: {reason}",
    "{function}() 함수는 언어에는 있지만 여기서는 제공하지 않습니다: {reason}",
)
#: Under the code that the function gives for an argument that must be a text constant.
TEXT_CONSTANT = text("{function}() needs {what} as a text constant", "{function}()의 {what}에는 문자열 상수를 씁니다")

# --- aggregates -------------------------------------------------------------------------------------------------------

AGGREGATE_ARGUMENTS = define(
    "21703",
    "cannot-create-aggregation-function",
    ("an aggregate with arguments that it cannot take", "집계 함수가 받을 수 없는 인자입니다"),
    ("{function}() cannot take {count} argument{s}", "{function}()에는 인자를 {count}개 쓸 수 없습니다"),
    ("usage: {usage}", "사용법: {usage}"),
)
#: A note of DUPLICATE_OUTPUT.
OTHER_OUTPUT = text("the other one stands at character {at}", "다른 하나는 {at}번째 글자에 있습니다")
DUPLICATE_OUTPUT = define(
    "21704",
    "duplicate-output-name",
    ("two fields of the output would have the same name", "결과에 이름이 같은 필드가 두 개 생깁니다"),
    (
        'the output would have two fields named "{field}"',
        '결과에 "{field}" 필드가 두 개 생깁니다',
    ),
    ("name the result with as NAME", "as 이름으로 결과 이름을 지정하세요"),
)

# --- time spans, dates ------------------------------------------------------------------------------------------------

INVALID_TIMESPAN = define(
    "90500",
    "invalid-timespan",
    (
        "a time span that is none, or a number of months other than 1, 2, 3, 4, 6",
        "시간 간격이 아니거나 개월 수가 1, 2, 3, 4, 6이 아닙니다",
    ),
    (
        '"{text}" is no time span: write a number and a unit, such as 10m, 1d or 3mon',
        '"{text}"은(는) 시간 간격이 아닙니다. 10m, 1d, 3mon처럼 숫자와 단위를 쓰세요',
    ),
)
TIMESPAN_MONTHS = INVALID_TIMESPAN.says(
    (
        'time span "{text}": the number of months (mon) is 1, 2, 3, 4 or 6',
        '시간 간격 "{text}": 개월(mon) 수는 1, 2, 3, 4, 6 중 하나입니다',
    )
)
TIMESPAN_RANGE = INVALID_TIMESPAN.says(
    ('the number of the time span "{text}" is out of range', '시간 간격 "{text}"의 숫자가 범위를 벗어났습니다')
)
TIMESPAN_YEAR = define(
    "90501",
    "year should be 1",
    ("a span of several years", "여러 해의 시간 간격입니다"),
    ('time span "{text}": year should be 1', '시간 간격 "{text}": 연 단위는 1y만 쓸 수 있습니다'),
)
TIMESPAN_UNIT = define(
    "90502",
    "invalid time unit",
    ("an unknown unit", "알 수 없는 시간 단위입니다"),
    (
        'the unit of the time span "{text}" is not one of {units}',
        '시간 간격 "{text}"의 단위가 {units} 중 하나가 아닙니다',
    ),
)
DATE_PATTERN = define(
    "90820",
    "invalid date format pattern",
    ("a date format that is none", "날짜 형식이 올바르지 않습니다"),
    ("{function}(): invalid date format pattern: {reason}", "{function}(): 날짜 형식이 올바르지 않습니다: {reason}"),
)
#: The name under which commands refuse a pattern.
DATE_PATTERN_NAME = "invalid-date-format-pattern"
DATE_PATTERN_CONSTANT = DATE_PATTERN.says(
    (
        "{function}() needs a date format pattern as a text constant",
        "{function}()의 날짜 형식에는 문자열 상수를 씁니다",
    )
)
