"""Rows of the parser: what it cannot read, whatever the command."""

from __future__ import annotations

from logsql.diagnostics.codes import define, text

TOO_DEEP = define(
    "E0001",
    "nesting-too-deep",
    ("brackets, parentheses or operators are nested too deep", "괄호나 연산자의 중첩이 너무 깊습니다"),
    ("nesting is deeper than {limit} levels", "중첩이 {limit}단계를 넘습니다"),
)
TOO_LONG = TOO_DEEP.says(
    (
        "an expression of the query has too many operators to be translated",
        "쿼리의 표현식에 연산자가 너무 많아 변환할 수 없습니다",
    ),
    help=("split the expression over several eval commands", "표현식을 여러 eval 명령으로 나누세요"),
)
UNEXPECTED_CHARACTER = define(
    "E0002",
    "unexpected-character",
    ("a character that the language has no use for", "언어에서 쓰지 않는 문자입니다"),
    ("character {char} has no meaning in an expression", "표현식에 쓸 수 없는 문자입니다: {char}"),
)
HALF_CHARACTER = UNEXPECTED_CHARACTER.says(
    (
        "{char} is half of a character: the query is not valid Unicode text",
        "{char}: 문자의 절반만 있습니다. 올바른 유니코드 텍스트가 아닙니다",
    )
)
OPTION_SPACE = define(
    "90000",
    "option-space-not-allowed",
    ('a blank beside the "=" of an option', '옵션의 "=" 옆에 공백이 있습니다'),
    ('no blank is allowed around "=" of option "{option}"', '"{option}" 옵션의 "=" 앞뒤에는 공백을 둘 수 없습니다'),
)
OPTION_QUOTE = define(
    "90002",
    "string-quote-mismatch",
    ("the quoted value of an option is never closed", "옵션 값의 따옴표가 닫히지 않았습니다"),
    ('the quoted value of option "{option}" is never closed', '"{option}" 옵션 값의 따옴표가 닫히지 않았습니다'),
)
EMPTY_COMMAND = define(
    "90003",
    "empty-command",
    ("nothing stands between two pipes, or the query is empty", "파이프 사이나 쿼리가 비어 있습니다"),
    ("there is no command here", "명령이 비어 있습니다"),
)
SECOND_SOURCE = define(
    "E0004",
    "source-behind-rows",
    (
        "a command that starts rows of its own stands behind others, whose rows it would throw away",
        "새로 행을 시작하는 명령이 다른 명령 뒤에 있어 앞의 행이 모두 버려집니다",
    ),
    (
        "{command} starts rows of its own, and those of {before} would be thrown away",
        "{command}은(는) 새로 행을 시작하므로 {before}의 행이 모두 버려집니다",
    ),
    help=(
        "add its rows with union [ {command} ... ], or look them up by a key with join KEY [ {command} ... ]",
        "행을 더하려면 union [ {command} ... ], 키로 찾아 붙이려면 join 키 [ {command} ... ]을 쓰세요",
    ),
)
EMPTY_QUERY = EMPTY_COMMAND.says(("the query holds no command", "쿼리에 명령이 없습니다"))
BROKEN = define(
    "90100",
    "broken-expression",
    ("a part of an expression is missing", "표현식의 일부가 없습니다"),
)
OPERAND_EXPECTED = BROKEN.says(('operator "{operator}" lacks an operand', '연산자 "{operator}"의 피연산자가 없습니다'))
ARGUMENT_EXPECTED = BROKEN.says(("an argument is missing here", "인자가 없습니다"))
SUBQUERY_IN_EXPRESSION = BROKEN.says(
    ("a subquery in brackets cannot stand inside an expression", "대괄호 서브쿼리는 표현식 안에 둘 수 없습니다")
)
CALL_EXPECTED = BROKEN.says(("a call NAME(...) is expected here", "이름(...) 형식의 호출이 필요합니다"))
REMAIN_TERMS = define(
    "90201",
    "remain-terms",
    ("text is left over behind what could be read", "읽을 수 있는 부분 뒤에 글자가 남아 있습니다"),
    ("{term} is left over: no operator joins it to the text before", "{term} 앞에 연산자가 없습니다"),
)
PARENS_MISMATCH = define(
    "90202",
    "parens-mismatch",
    ("a parenthesis without its partner", "짝이 없는 괄호입니다"),
)
PAREN_NOT_CLOSED = PARENS_MISMATCH.says(('the parenthesis "(" is never closed', '여는 괄호 "("가 닫히지 않았습니다'))
PAREN_NOT_OPENED = PARENS_MISMATCH.says(('the parenthesis ")" closes nothing', '닫는 괄호 ")"에 짝이 없습니다'))
QUOTE_MISMATCH = define(
    "90203",
    "quote-mismatch",
    ("a quoted text is never closed", "따옴표로 시작한 문자열이 끝나지 않습니다"),
    ("the quoted text is never closed", "따옴표가 닫히지 않았습니다"),
    ('a quote inside a text is written \\"', '텍스트 안의 따옴표는 \\"로 씁니다'),
)
BRACKET_MISMATCH = define(
    "90204",
    "sqbracket-mismatch",
    ("a bracket without its partner", "짝이 없는 대괄호입니다"),
)
BRACKET_NOT_CLOSED = BRACKET_MISMATCH.says(('the bracket "[" is never closed', '여는 대괄호 "["가 닫히지 않았습니다'))
BRACKET_NOT_OPENED = BRACKET_MISMATCH.says(('the bracket "]" closes nothing', '닫는 대괄호 "]"에 짝이 없습니다'))
INVALID_ESCAPE = define(
    "90205",
    "invalid-escape-sequence",
    ("a backslash before a character that has no escape", "이스케이프할 수 없는 문자 앞에 역슬래시가 있습니다"),
    ('"{escape}" is not an escape sequence', '"{escape}"은(는) 사용할 수 없는 이스케이프입니다'),
)
UNSUPPORTED_COMMAND = define(
    "92000",
    "unsupported-command",
    ("there is no such command, or it is not offered", "없는 명령이거나 제공하지 않는 명령입니다"),
    ('command "{command}" is not supported', '지원하지 않는 명령입니다: "{command}"'),
)
ASSIGN_TOKEN = define(
    "20100",
    "assign-token-not-found",
    ("an item is no assignment", "대입식이 아닌 항목이 있습니다"),
)
FIELD_NAME = define(
    "20101",
    "field-name-not-found",
    ("the left side is no field name", "왼쪽이 필드 이름이 아닙니다"),
)
NEED_COLUMN = define(
    "21600",
    "need-column",
    ("no field", "필드가 없습니다"),
)
MISSING_STATS = define(
    "21700",
    "missing-stats-function",
    ("no aggregate", "집계 함수가 없습니다"),
)
MISSING_CLAUSE = define(
    "21701",
    "missing-clause",
    ("a name is missing beside a comma or behind a keyword", "쉼표 옆이나 키워드 뒤에 이름이 없습니다"),
)
ALIAS_MISSING = MISSING_CLAUSE.says(('a name is missing after "as"', '"as" 뒤에 이름이 없습니다'))
INVALID_AGGREGATE = define(
    "21702",
    "invalid-aggregation-function",
    ("an unknown aggregate, or something that is no call of one", "없는 집계 함수이거나 집계 함수 호출이 아닙니다"),
    ("{term} is not an aggregate function call", "{term}은(는) 집계 함수 호출이 아닙니다"),
)
UNKNOWN_AGGREGATE = INVALID_AGGREGATE.says(("there is no aggregate {function}()", "{function}() 집계 함수가 없습니다"))

#: Sentences under the code that the command gives for a list or an expression of its arguments.
COMMA_NAME = text("a name is missing beside the comma", "쉼표 옆에 이름이 없습니다")
SIGN_NAME = text("a field name is missing after the sign", "부호 뒤에 필드 이름이 없습니다")
NO_TARGET = text('the left side of "=" is not a field name', '"=" 왼쪽이 필드 이름이 아닙니다')
NO_EQUALS = text(
    '"=" is missing: an assignment reads name = expression', '"="가 없습니다. 이름 = 표현식 형식이어야 합니다'
)
NO_AGGREGATE = text("{command} needs an aggregate function", "{command} 명령에 집계 함수가 없습니다")
NO_EXPRESSION = text("an expression is missing here", "표현식이 없습니다")
