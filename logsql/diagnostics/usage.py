"""Rows of the command line, the shell, pictures and output files."""

from __future__ import annotations

from logsql.diagnostics.codes import define, syntax, text

USAGE = define(
    "E2000",
    "usage",
    (
        "an option or a word of the command line that logsql does not take",
        "명령줄에 쓸 수 없는 옵션이나 단어입니다",
    ),
)
NOT_A_PAIR = USAGE.says(("{option} takes KEY=VALUE, not {value!r}", "{option}에는 키=값을 씁니다: {value!r}"))
NOT_AN_EXPRESSION = USAGE.says(
    (
        "{option} {name}:= takes the value of an expression, and {value!r} is none: {reason}",
        "{option} {name}:= 뒤에는 표현식을 씁니다. {value!r}은(는) 표현식이 아닙니다: {reason}",
    )
)
NO_FIELD_HERE = USAGE.says(
    (
        "{option} {name}:={value}: there is no row, and so no field {field}",
        "{option} {name}:={value}: 행이 없으므로 {field} 필드도 없습니다",
    ),
    help=(
        '{name}={value} gives the text; {name}:= takes a number, null, or a call such as ago("1h")',
        '텍스트는 {name}={value}(으)로 주고, {name}:= 뒤에는 숫자, null, ago("1h") 같은 호출을 쓰세요',
    ),
)
NO_FORMAT = USAGE.says(("{value!r} is no output format", "{value!r}은(는) 출력 형식이 아닙니다"))
NO_CHOICE = USAGE.says(
    (
        "{option} is one of {choices}, not {value!r}",
        "{option}에는 {choices} 중 하나를 씁니다: {value!r}",
    )
)
NO_COUNT = USAGE.says(
    (
        "{option} takes a whole number above 0, not {value!r}",
        "{option}에는 1 이상의 정수를 씁니다: {value!r}",
    )
)
NO_SECONDS = USAGE.says(
    ("{option} takes seconds above 0, not {value!r}", "{option}에는 0보다 큰 초를 씁니다: {value!r}")
)
VALUE_MISSING = USAGE.says(("{option} needs a value: {option} {value}", "{option}에 값이 없습니다: {option} {value}"))
NO_VALUE = USAGE.says(("{option} takes no value", "{option}에는 값을 쓰지 않습니다"))
UNKNOWN_OPTION = USAGE.says(("unknown option {option}", "알 수 없는 옵션입니다: {option}"))
SEE_HELP = USAGE.says(("logsql --help lists the options", "logsql --help로 옵션을 확인하세요"))
REQUIRED = USAGE.says(("{names} must be given", "{names} 옵션을 지정하세요"))
GIVEN_TWICE = USAGE.says(("{option} is given twice", "{option} 옵션이 두 번 쓰였습니다"))
NO_PORT = USAGE.says(
    (
        "{option} takes a port, or an address of this machine and a port, not {value!r}",
        "{option}에는 포트, 또는 이 컴퓨터의 주소와 포트를 씁니다: {value!r}",
    ),
    help=("-p 5514, -p 192.0.2.1:5514, -p [::1]:5514", "-p 5514, -p 192.0.2.1:5514, -p [::1]:5514"),
)
PORT_WITHOUT_QUERY = USAGE.says(
    ("-p gives one query its standard input", "-p는 쿼리 하나의 표준 입력이 됩니다"),
    help=syntax("logsql -p PORT -q '- | ...'"),
)
OTHER_VERB = USAGE.says(("{option} belongs to logsql {verb}", "{option}은(는) logsql {verb}의 옵션입니다"))
QUERY_AND_FILE = USAGE.says(
    ("-q and {word!r} are both given: one query at a time", "-q와 {word!r}을(를) 함께 쓸 수 없습니다")
)
FILE_OF_DATA = USAGE.says(("{path} holds data and no query", "{path}은(는) 쿼리가 아니라 데이터 파일입니다"))
NO_VERB = USAGE.says(("logsql has no command {word!r}", "logsql에 {word!r} 명령이 없습니다"))
NO_ENDING = USAGE.says(
    (
        "the ending of {path} names no output format",
        "{path}의 확장자에 맞는 출력 형식이 없습니다",
    ),
    help=(
        "endings: {endings}; -f names a format for any ending",
        "확장자: {endings}. 다른 확장자는 -f로 형식을 지정하세요",
    ),
)
ONE_FILE = USAGE.says(("{word!r} is one word too many", "단어 {word!r}이(가) 더 있습니다"))
NO_QUERY_HERE = USAGE.says(("-q does not go with logsql {verb}", "logsql {verb}에는 -q를 쓰지 않습니다"))
OTHER_WORDS = USAGE.says(("logsql {verb} is called in another way", "logsql {verb}의 사용법이 다릅니다"))
NOT_FOR_TERMINAL = USAGE.says(
    (
        "{format} is not text and does not go to a terminal",
        "{format}은(는) 텍스트가 아니어서 터미널에 출력하지 않습니다",
    ),
    help=("add -o FILE, or pipe the output on", "-o 파일을 쓰거나 파이프로 넘기세요"),
)
CHART_KIND = USAGE.says(("logsql chart draws 3d, not {kind!r}", "logsql chart는 3d를 그립니다: {kind!r}"))
NO_CHART_KIND = USAGE.says(("logsql chart needs the kind of picture: 3d", "logsql chart에 그림의 종류가 없습니다: 3d"))

NO_TOPIC = define(
    "E2003",
    "no-such-topic",
    ("help about something that does not exist", "도움말을 찾을 수 없는 이름입니다"),
    (
        "no command, function or error code is called {name!r}",
        "{name!r}(이)라는 명령, 함수, 오류 코드가 없습니다",
    ),
)
UNKNOWN_META = define(
    "E2004",
    "shell-unknown",
    ("the shell has no such command", "셸에 없는 명령입니다"),
    ("unknown shell command {word}", "알 수 없는 셸 명령입니다: {word}"),
    help=syntax("\\?"),
)
NO_RESULT_YET = define(
    "E2031",
    "shell-no-result",
    ("a result is to be saved before there was one", "결과가 없는데 저장을 요청했습니다"),
    ("there is no result yet", "아직 결과가 없습니다"),
    help=("run a query first", "먼저 쿼리를 실행하세요"),
)
NO_QUERY_YET = define(
    "E2005",
    "shell-no-query",
    ("the plan of the last query is asked for before there was one", "실행한 쿼리가 없는데 계획을 요청했습니다"),
    ("no query was run yet", "아직 실행한 쿼리가 없습니다"),
)
META_USAGE = define(
    "E2006",
    "shell-usage",
    ("a command of the shell is called in another way", "셸 명령의 사용법이 다릅니다"),
    ("usage: {usage}", "사용법: {usage}"),
)
OUTPUT_NOT_WRITTEN = define(
    "E2010",
    "output-not-written",
    ("the output file cannot be made or written", "출력 파일을 만들거나 쓸 수 없습니다"),
    ("cannot write {path}: {reason}", "{path} 파일에 쓸 수 없습니다: {reason}"),
)

# --- pictures ---------------------------------------------------------------------------------------------------------

CHART = define(
    "E2020",
    "chart",
    ("the picture cannot be drawn as asked", "요청한 대로 그림을 그릴 수 없습니다"),
)
PICTURE_NAME = CHART.says(
    (
        "the name of the picture ends in .html or .png, not {ending}",
        "그림 파일의 이름은 .html이나 .png로 끝나야 합니다: {ending}",
    )
)
PICTURE_ENDING = CHART.says(
    (
        "the name of the picture ends in .html or .png, not nothing",
        "그림 파일의 이름은 .html이나 .png로 끝나야 하는데, 확장자가 없습니다",
    )
)
CHART_FIELD = CHART.says(("the rows have no field {name}", "행에 {name} 필드가 없습니다"))
CHART_FIELDS = text("fields: {names}", "필드: {names}")
CHART_AXIS = CHART.says(
    (
        "an axis needs numbers or dates, and {name} is {type}",
        "축에는 숫자나 날짜가 필요한데, {name}은(는) {type} 타입입니다",
    ),
    help=("convert it first: eval {name} = double({name})", "먼저 변환하세요: eval {name} = double({name})"),
)
CHART_EXTRA = CHART.says(
    ("a PNG picture needs matplotlib", "PNG 그림에는 matplotlib이 필요합니다"),
    help=(
        "install it: pip install 'logsql[chart]', in a checkout: python3 .ci/install.py .venv chart; or write .html",
        "설치: pip install 'logsql[chart]', 소스에서는 python3 .ci/install.py .venv chart; 또는 .html로 쓰세요",
    ),
)
NOTHING_TO_DRAW = define(
    "E2021",
    "nothing-to-draw",
    ("no row has a value on every axis", "모든 축에 값이 있는 행이 없습니다"),
    (
        "there is nothing to draw: no row has a value in {x}, {y} and {z}",
        "그릴 것이 없습니다: {x}, {y}, {z}에 모두 값이 있는 행이 없습니다",
    ),
)
