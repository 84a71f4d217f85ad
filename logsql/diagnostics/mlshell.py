"""Rows about the lines of the ml commands of the shell."""

from __future__ import annotations

from logsql.diagnostics.messages import text
from logsql.diagnostics.modeldata import TARGET_MISSING
from logsql.diagnostics.models import BAD_OPTION, UNKNOWN_COMMAND, USAGE

SELECT_FIELDS = text("Select Model Fields? ", "모델의 필드를 선택하세요: ")
QUOTE_OPEN = USAGE.says(
    ("a quoted text is not closed", "따옴표가 닫히지 않았습니다"), help=('end it with "', '끝에 "를 쓰세요')
)
OTHER_ARGUMENTS = USAGE.says(("{command} takes other arguments", "{command}의 인자가 맞지 않습니다"))
NO_MODEL_TYPE = USAGE.says(
    ("unknown model type '{type}'", "알 수 없는 모델 종류입니다: '{type}'"),
    help=(
        "rforest (random forest), gboost (gradient boosting), logit (linear model) or iforest (isolation forest)",
        "rforest(랜덤 포레스트), gboost(그레이디언트 부스팅), logit(선형), iforest(아이솔레이션 포레스트) 중 하나",
    ),
)
NO_COMMAND = UNKNOWN_COMMAND.says(
    ("unknown command '{word}'", "알 수 없는 명령입니다: '{word}'"),
    help=("ml.help lists the commands", "명령 목록은 ml.help로 봅니다"),
)
UNKNOWN_OPTION = BAD_OPTION.says(("unknown option '{name}' of {command}", "{command}에 없는 옵션입니다: '{name}'"))
OPTIONS_ARE = text("options: {options}", "옵션: {options}")
FIELD_TWICE = BAD_OPTION.says(("field '{name}' is named twice", "'{name}' 필드를 두 번 썼습니다"))
TWO_TARGETS = BAD_OPTION.says(
    ("two target fields: {first} and {second}", "대상 필드가 둘입니다: {first}, {second}"),
    help=("mark one field with +", "필드 하나에만 +를 붙이세요"),
)
FOREST_TARGET = BAD_OPTION.says(
    ("an isolation forest has no target", "아이솔레이션 포레스트에는 대상 필드가 없습니다"),
    help=("write {target} without +, or leave it out", "{target} 앞의 +를 지우거나 필드를 빼세요"),
)
WHOLE_NUMBER = BAD_OPTION.says(("{name}={text}: a whole number is expected", "{name}={text}: 정수를 쓰세요"))
NUMBER = BAD_OPTION.says(("{name}={text}: a number is expected", "{name}={text}: 숫자를 쓰세요"))
FLAG = BAD_OPTION.says(("{name}={text}: t or f is expected", "{name}={text}: t나 f를 쓰세요"))
NO_TARGET = TARGET_MISSING.says(
    ("no target field is marked", "대상 필드를 표시하지 않았습니다"),
    help=("mark the label with +, as in +label, a, b", "+label, a, b처럼 레이블 앞에 +를 붙이세요"),
)
FIELD_OR_STAR = text("name at least one field, or *", "필드를 하나 이상 쓰거나 *를 쓰세요")
CANCEL_FIRST = text("ml.cancel {name} first", "먼저 ml.cancel {name} 명령으로 멈추세요")
WARNING = text("warning: {text}", "경고: {text}")
NOTE = text("note: {text}", "참고: {text}")
