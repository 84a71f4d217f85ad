"""Rows of ``logsql test``: what is wrong with a test, and what of a query is not as its test says."""

from __future__ import annotations

from logsql.diagnostics.codes import define, text

TEST_FILE = define(
    "E2060",
    "test-file",
    (
        "the file beside a query says nothing a test can use",
        "쿼리 옆의 파일에 테스트에서 쓸 수 없는 내용이 있습니다",
    ),
)
NOT_TOML = TEST_FILE.says(("{path} is no TOML: {reason}", "{path}은(는) TOML이 아닙니다: {reason}"))
WRONG_KIND = TEST_FILE.says(("{path}: {key} is {wanted}", "{path}: {key}에는 {wanted}을(를) 씁니다"))
WRONG_LINE = TEST_FILE.says(
    (
        "{path}: line {line} of {key} is no JSON object: {reason}",
        "{path}: {key}의 {line}번째 줄이 JSON 객체가 아닙니다: {reason}",
    ),
)
OTHER_KEY = TEST_FILE.says(("{path}: a test has no key {key}", "{path}: 테스트에는 {key} 키가 없습니다"))
TWICE = TEST_FILE.says(
    ("{path}: {one} and {other} are both given", "{path}: {one}과(와) {other}을(를) 함께 쓸 수 없습니다"),
)
#: What a key holds.
KINDS = {
    "text": text("text", "텍스트"),
    "texts": text("a list of texts", "텍스트 목록"),
    "bool": text("true or false", "true나 false"),
    "number": text("a number that is not below 0", "0 이상의 수"),
    "count": text("a whole number that is not below 0", "0 이상의 정수"),
    "table": text("a table", "테이블"),
    "rows": text("a query or a list of rows", "쿼리나 행의 목록"),
    "lines": text("JSON lines or a list of rows", "JSON 줄이나 행의 목록"),
    "losses": text("a list of { reason, source, count }", "{ reason, source, count } 목록"),
}
NOTHING_EXPECTED = TEST_FILE.says(
    (
        "{path} does not say what is expected",
        "{path}에 기대하는 결과가 없습니다",
    ),
    help=("write [expect] and rows, or run with --update", "[expect]에 rows를 쓰거나 --update로 실행하세요"),
)
NO_TESTS = define(
    "E2061",
    "no-tests",
    ("there is no query to test where it was looked for", "찾은 곳에 테스트할 쿼리가 없습니다"),
    ("there is no .lq file in {paths}", "{paths}에 .lq 파일이 없습니다"),
)
NONE_CHOSEN = NO_TESTS.says(
    ("no test is called {names}", "{names}(이)라는 테스트가 없습니다"),
    help=("tests: {known}", "테스트: {known}"),
)
NO_EXPECTATION = NO_TESTS.says(
    (
        "none of the {count} queries has a file beside it that says what is expected",
        "쿼리 {count}개 가운데 기대 결과 파일이 있는 것이 없습니다",
    ),
    help=("write it with logsql test DIR --update", "logsql test DIR --update로 쓰세요"),
)

DIFFERENT = define(
    "E2062",
    "test-failed",
    ("a query does not give what its test expects", "쿼리의 결과가 테스트의 기대와 다릅니다"),
)
FIELD_DIFFERS = DIFFERENT.says(
    (
        "row {row}, field {field}: expected {expected}, got {got}",
        "{row}번째 행, {field} 필드: 기대한 값 {expected}, 나온 값 {got}",
    )
)
ROWS_DIFFER = DIFFERENT.says(
    (
        "{missing} of the expected rows are missing, {more} others came",
        "기대한 행 중 {missing}개가 없고, 다른 행 {more}개가 나왔습니다",
    )
)
MORE_FIELDS = DIFFERENT.says(("{count} more fields differ", "그 밖에 다른 필드 {count}개"))
COUNT_DIFFERS = DIFFERENT.says(("expected {expected} rows, got {got}", "기대한 행 {expected}개, 나온 행 {got}개"))
COLUMNS_DIFFER = DIFFERENT.says(
    ("expected the fields {expected}, got {got}", "기대한 필드 {expected}, 나온 필드 {got}"),
)
NOTE_CAME = DIFFERENT.says(
    ("a note that is not expected: {code}: {sentence}", "기대하지 않은 알림: {code}: {sentence}"),
)
NOTE_MISSING = DIFFERENT.says(("the note {code} did not come", "{code} 알림이 나오지 않았습니다"))
LOSS_CAME = DIFFERENT.says(("a loss that is not expected: {loss}", "기대하지 않은 손실: {loss}"))
LOSS_MISSING = DIFFERENT.says(("a loss did not come: {loss}", "기대한 손실이 나오지 않았습니다: {loss}"))
NO_ERROR = DIFFERENT.says(
    (
        "expected the error {code}, and the query ran: {rows} rows",
        "{code} 오류를 기대했지만 쿼리가 실행되었습니다: 행 {rows}개",
    )
)
OTHER_ERROR = DIFFERENT.says(
    ("expected the error {code}, got {got}: {sentence}", "기대한 오류 {code}, 나온 오류 {got}: {sentence}")
)
OTHER_PLACE = DIFFERENT.says(
    (
        "the error {code} is expected at {expected}, and is at {got}",
        "{code} 오류의 기대 위치는 {expected}, 실제 위치는 {got}",
    )
)
