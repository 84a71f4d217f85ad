"""Notes about names: fields that no row has, and other things written where a field name stands."""

from __future__ import annotations

from logsql.diagnostics.codes import define, syntax, text

UNKNOWN_FIELD = define(
    "N1001",
    "unknown-field",
    (
        "the fields of the rows are known before the query runs, and this is none of them: it is null everywhere",
        "실행 전에 행의 필드를 모두 알 수 있는데 이 필드는 없어 값이 모두 null입니다",
    ),
    ('no row has a field "{field}"', '"{field}" 필드가 있는 행이 없습니다'),
)
OPERATOR_NAME = define(
    "N1003",
    "operator-in-name",
    (
        "a name with an operator in it is read as arithmetic, and the row has a field of that very name",
        "연산자가 든 이름을 계산식으로 읽는데 행에 바로 그 이름의 필드가 있습니다",
    ),
    (
        "{name} is read as arithmetic, and there is a field of that name",
        "{name}을(를) 계산식으로 읽는데 그 이름의 필드가 있습니다",
    ),
    help=syntax('field("{name}")'),
)
SPLIT_NAME = define(
    "N1004",
    "blank-in-name",
    (
        "a name with blanks is read as several names, and the row has a field of that very name",
        "공백이 든 이름을 여러 이름으로 읽는데 행에 바로 그 이름의 필드가 있습니다",
    ),
    (
        "{name} is read as {count} names, and there is a field of that name",
        "{name}을(를) 이름 {count}개로 읽는데 그 이름의 필드가 있습니다",
    ),
    help=syntax('"{name}"'),
)
EXPRESSION_AS_NAME = define(
    "N1101",
    "expression-as-name",
    (
        "an expression stands where a field name is read: it is taken for a name that no row has",
        "필드 이름 자리에 표현식이 있어 없는 이름으로 읽습니다",
    ),
    (
        "{text} is read as the name of a field, not as an expression",
        "{text}을(를) 표현식이 아니라 필드 이름으로 읽습니다",
    ),
    help=(
        "compute it first: eval x = {text} | {command} ... x",
        "먼저 계산하세요: eval x = {text} | {command} ... x",
    ),
)
DIRECTION_AS_NAME = define(
    "N1102",
    "direction-as-name",
    (
        "asc or desc behind a field is read as part of its name",
        "필드 뒤의 asc나 desc를 이름의 일부로 읽습니다",
    ),
    ("{text} is read as the name of a field", "{text}을(를) 필드 이름으로 읽습니다"),
    help=syntax("sort {right}"),
)
ALIAS_AS_NAME = define(
    "N1103",
    "alias-as-name",
    ("as is read as a name or as part of one here", "여기서는 as를 이름이나 이름의 일부로 읽습니다"),
    (
        "as gives no new name here: {text} is read as a name",
        "여기서는 as로 이름을 바꾸지 못합니다. 이름으로 읽음: {text}",
    ),
    help=("give the name before: rename {old} as {new}", "이름은 그 앞에서 바꾸세요: rename {old} as {new}"),
)
SIGN_AS_NAME = define(
    "N1104",
    "sign-as-name",
    ("a sign is read as a name or as part of one", "부호를 이름이나 이름의 일부로 읽습니다"),
    ("{text} is read as the name of a field", "{text}을(를) 필드 이름으로 읽습니다"),
    help=syntax("{command} {right}"),
)
WORD_AS_NAME = define(
    "N1105",
    "word-as-name",
    (
        "a word, quotes or parentheses around a name are read as part of it",
        "이름에 붙은 낱말, 따옴표, 괄호를 이름의 일부로 읽습니다",
    ),
    ("{text} is read as the name of a field", "{text}을(를) 필드 이름으로 읽습니다"),
    help=("write {right}", "{right}(이)라고 쓰세요"),
)
SEVERAL_NAMES = define(
    "N1106",
    "several-names",
    ("several names stand where one field is read", "필드 하나의 자리에 이름이 여럿 있습니다"),
    ("{text} is read as the name of one field", "{text}을(를) 필드 하나의 이름으로 읽습니다"),
    help=syntax("{right}"),
)
COMMENT_SWALLOWS = define(
    "N1107",
    "comment-swallows",
    (
        "a comment goes on to the next pipe, and a line of it begins like a command",
        "주석은 다음 파이프까지 이어지는데 그 안에 명령처럼 시작하는 줄이 있습니다",
    ),
    (
        'the comment goes on to the next pipe: the line "{line}" is part of it',
        '주석은 다음 파이프까지 이어져 "{line}" 줄도 주석입니다',
    ),
    help=("begin that line with a pipe: | {line}", "그 줄을 파이프로 시작하세요: | {line}"),
)
CLAUSE_IN_NAME = define(
    "N1108",
    "clause-in-name",
    (
        "a clause behind the new name of a result is read as part of that name",
        "결과의 새 이름 뒤에 쓴 절을 이름의 일부로 읽습니다",
    ),
    (
        "{text} is read as one name: {word} says nothing here",
        "{text} 전체를 이름으로 읽습니다: {word}은(는) 뜻이 없습니다",
    ),
)
SEARCH_BEFORE = text(
    "search the rows before: search {rest} | {command} ... as {name}",
    "앞에서 행을 거르세요: search {rest} | {command} ... as {name}",
)
SEARCH_BEHIND = text(
    "search the result behind: {command} ... as {name} | search {rest}",
    "결과를 뒤에서 거르세요: {command} ... as {name} | search {rest}",
)
COMMAND_BEHIND = text("a command of its own: | {word} {rest}", "명령을 따로 쓰세요: | {word} {rest}")
KEYS_BEHIND = text("leave out {word}: as {name} by ...", "{word}을(를) 빼세요: as {name} by ...")
