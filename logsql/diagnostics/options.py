"""Rows about options and subqueries, which every command shares."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

NO_SUBQUERY = define(
    "E0003",
    "no-subquery",
    ("a command that needs a subquery in brackets has none", "서브쿼리가 필요한 명령에 대괄호가 없습니다"),
    (
        "{command} needs a subquery in brackets: [ ... ]",
        "{command} 명령에는 대괄호로 묶은 서브쿼리 [ ... ]가 필요합니다",
    ),
)

INVALID_OPTION = define(
    "90001",
    "invalid-option",
    (
        "an option that the command does not know, or a value that the option does not take",
        "명령에 없는 옵션이거나 옵션에 쓸 수 없는 값입니다",
    ),
    (
        'option "{option}" is not supported by {command}',
        '{command} 명령은 "{option}" 옵션을 지원하지 않습니다',
    ),
)
OPTION_MISPLACED = INVALID_OPTION.says(
    (
        'option "{option}" of {command} stands behind the arguments',
        '{command} 명령의 "{option}" 옵션이 인자 뒤에 있습니다',
    )
)
NOT_A_PARAMETER = INVALID_OPTION.says(
    (
        'the value of option "{option}" is not a parameter $("name")',
        '"{option}" 옵션의 값이 매개변수 $("이름") 형식이 아닙니다',
    )
)
#: What the value of an option is not, under the code that the option declares.
OPTION_MISSING = text("{command} needs the option {option}=", "{command} 명령에는 {option}= 옵션이 필요합니다")
ADD_OPTION = text("add {option}=...", "{option}=...을 추가하세요")
NOT_AN_INTEGER = text("{option}= takes an integer, not {value!r}", "{option}=에는 정수를 씁니다: {value!r}")
BELOW_MINIMUM = text(
    "{option}= must be {minimum} or more, got {value}", "{option}=은(는) {minimum} 이상이어야 합니다: {value}"
)
BEYOND_64_BITS = text(
    "{option}= must be at most {maximum}, got {value}", "{option}=은(는) {maximum} 이하여야 합니다: {value}"
)
NOT_A_CHOICE = text(
    "{option}= takes one of {choices}, not {value!r}", "{option}=에는 {choices} 중 하나를 씁니다: {value!r}"
)

#: Help line with a usage.
USAGE = text("usage: {usage}", "사용법: {usage}")
