"""Rows of the configuration: files that cannot be read, keys and values that are wrong, secrets that are missing.

``{place}`` is ``FILE:LINE`` (``FILE`` where no line is known), ``{key}`` the path of the key
(``network.hosts."a.example".rate``). No sentence holds a value that may be secret.
"""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

UNKNOWN_KEY = define(
    "E2040",
    "config-unknown-key",
    ("the configuration has a key that logsql does not know", "설정에 logsql이 모르는 키가 있습니다"),
    ("{place}: there is no key {key}", "{place}: {key}(이)라는 키가 없습니다"),
    help=("keys here: {keys}", "여기에 쓸 수 있는 키: {keys}"),
)
#: What a key that no table has is called where a profile of its kind has other keys.
KEY_OF_KIND = define(
    "E2041",
    "config-key-of-kind",
    ("a key that its kind does not have", "그 종류에는 없는 키입니다"),
    (
        "{place}: {key}: kind {kind} has no such key",
        "{place}: {key}: 종류 {kind}에는 이 키가 없습니다",
    ),
    help=("keys of {kind}: {keys}", "{kind}의 키: {keys}"),
)
WRONG_TYPE = define(
    "E2042",
    "config-type",
    ("a value of the configuration has another type", "설정 값의 타입이 다릅니다"),
    (
        "{place}: {key} takes {wanted}, not {found}",
        "{place}: {key}의 타입이 다릅니다. 필요한 값: {wanted}. 적힌 값: {found}",
    ),
)
WRONG_VALUE = define(
    "E2043",
    "config-value",
    ("a value of the configuration cannot be meant", "설정 값이 올바르지 않습니다"),
    (
        "{place}: {key} takes {wanted}, not {value!r}",
        "{place}: {key}의 값이 올바르지 않습니다: {value!r}. 필요한 값: {wanted}",
    ),
)
#: For values that may hold a secret.
WRONG_HIDDEN = WRONG_VALUE.says(
    ("{place}: {key} takes {wanted}", "{place}: {key}의 값이 올바르지 않습니다. 필요한 값: {wanted}"),
)
WRONG_NAME = WRONG_VALUE.says(
    (
        "{place}: {key}: the name of such an entry is {wanted}",
        "{place}: {key}: 항목의 이름이 올바르지 않습니다. 필요한 이름: {wanted}",
    )
)
PASSWORD_IN_URL = WRONG_VALUE.says(
    (
        "{place}: {key}: a URL with a password in it is shown in too many places",
        "{place}: {key}: 암호가 든 URL은 여러 곳에 표시될 수 있습니다",
    ),
    help=(
        'take it out of the URL and write password = "env:NAME"',
        'URL에서 암호를 빼고 password = "env:NAME"으로 쓰세요',
    ),
)
PASSWORD_IN_PROXY = WRONG_VALUE.says(
    (
        "{place}: {key}: the address of a proxy holds no password here",
        "{place}: {key}: 프록시 주소에는 암호를 쓰지 않습니다",
    ),
    help=(
        'write proxy = "env" and put the address with the password into HTTPS_PROXY',
        'proxy = "env"로 쓰고 암호가 든 주소는 HTTPS_PROXY에 넣으세요',
    ),
)
PASSWORD_IN_CLEAR = WRONG_VALUE.says(
    (
        "{place}: {key}: without TLS the password would be sent in clear text",
        "{place}: {key}: TLS 없이는 암호가 평문으로 전송됩니다",
    ),
    help=('write tls = "starttls" or an ldaps:// URL', 'tls = "starttls"나 ldaps:// URL을 쓰세요'),
)
UNKNOWN_KIND = define(
    "E2044",
    "config-unknown-kind",
    ("a kind of entry that logsql does not know", "logsql이 모르는 종류입니다"),
    ("{place}: {key}: there is no kind {value!r}", "{place}: {key}: {value!r}(이)라는 종류가 없습니다"),
    help=("kinds: {kinds}", "종류: {kinds}"),
)
NO_KIND = UNKNOWN_KIND.says(
    ("{place}: {key}: this is no kind", "{place}: {key}: 종류가 아닙니다"), help=("kinds: {kinds}", "종류: {kinds}")
)
MISSING_KEY = define(
    "E2045",
    "config-missing-key",
    ("an entry of the configuration lacks a key", "설정 항목에 필요한 키가 없습니다"),
    ("{place}: {key} lacks {missing}", "{place}: {key}에 {missing}이(가) 없습니다"),
    help=("write {form}", "{form} 형식으로 쓰세요"),
)
GIVEN_IN_BOTH = define(
    "E2046",
    "config-in-both-files",
    ("the same key stands in both files of the configuration", "같은 키가 두 설정 파일에 모두 있습니다"),
    ("{place}: {key} stands in {other} too", "{place}: {key}은(는) {other}에도 있습니다"),
    help=("take one of them out", "둘 중 하나를 지우세요"),
)
OPEN_TO_OTHERS = define(
    "E2047",
    "config-open-to-others",
    (
        "a file with a literal password may be read by others",
        "암호가 그대로 적힌 파일을 다른 사용자가 읽을 수 있습니다",
    ),
    (
        "{place}: {key} is a literal password, and others may read the file",
        "{place}: {key}에 암호가 그대로 있고, 다른 사용자가 이 파일을 읽을 수 있습니다",
    ),
    help=('chmod 600 {path}, or write "env:NAME" or "file:PATH"', 'chmod 600 {path}, 또는 "env:NAME"이나 "file:PATH"'),
)
NO_TOML = define(
    "E2048",
    "config-syntax",
    ("a file of the configuration is no TOML", "설정 파일이 TOML 형식이 아닙니다"),
    ("{place}: this is no TOML: {reason}", "{place}: TOML 형식이 아닙니다: {reason}"),
)
NESTED_TOO_DEEPLY = NO_TOML.says(("{place}: nested too deeply", "{place}: 중첩이 너무 깊습니다"))
NOT_READ = define(
    "E2049",
    "config-not-read",
    ("a file of the configuration cannot be read", "설정 파일을 읽을 수 없습니다"),
    ("cannot read the configuration {path}: {reason}", "설정 파일 {path}을(를) 읽을 수 없습니다: {reason}"),
)
NOT_THERE = NOT_READ.says(
    ("there is no configuration {path}", "설정 파일 {path}이(가) 없습니다"),
    help=(
        "--config and LOGSQL_CONFIG name a file that is there",
        "--config와 LOGSQL_CONFIG에는 있는 파일을 지정하세요",
    ),
)
TOO_LARGE = NOT_READ.says(
    ("the configuration {path} is larger than {most} bytes", "설정 파일 {path}이(가) {most}바이트보다 큽니다")
)
NOT_UTF8 = NOT_READ.says(("the configuration {place} is not UTF-8", "설정 파일 {place}: UTF-8이 아닙니다"))
NO_HOME = NOT_READ.says(
    ("there is no home folder to keep profiles in", "프로파일을 둘 홈 폴더가 없습니다"),
    help=("name the configuration with --config FILE", "--config 파일로 설정 파일을 지정하세요"),
)

SECRET_MISSING = define(
    "E2050",
    "secret-missing",
    ("a secret that the configuration refers to is not there", "설정이 가리키는 비밀 값이 없습니다"),
    ("{reference}: there is no such secret", "{reference}: 비밀 값이 없습니다"),
)
SECRET_NOT_SET = SECRET_MISSING.says(
    ("{reference}: the environment variable is not set", "{reference}: 환경 변수가 설정되어 있지 않습니다")
)
SECRET_NOT_READ = SECRET_MISSING.says(
    ("{reference}: the file cannot be read: {reason}", "{reference}: 파일을 읽을 수 없습니다: {reason}")
)
SECRET_NO_TEXT = SECRET_MISSING.says(
    ("{reference}: what it holds is no text in UTF-8", "{reference}: 내용이 UTF-8 텍스트가 아닙니다")
)
SECRET_TOO_LARGE = SECRET_MISSING.says(
    ("{reference}: the file is larger than {most} bytes", "{reference}: 파일이 {most}바이트보다 큽니다")
)
SECRET_LOCKED = SECRET_MISSING.says(
    ("{reference}: the keyring did not open", "{reference}: 키링을 열 수 없습니다"),
)

PROFILE_NOT_THERE = define(
    "E2051",
    "profile-not-there",
    ("there is no profile of this name", "그런 이름의 프로파일이 없습니다"),
    ("there is no profile {name!r}", "{name!r}(이)라는 프로파일이 없습니다"),
)
PROFILE_ELSEWHERE = define(
    "E2052",
    "profile-elsewhere",
    (
        "a profile that is to be changed stands in the file that only you write",
        "바꾸려는 프로파일이 사용자만 고치는 파일에 있습니다",
    ),
    ("the profile {name!r} stands in {place}", "프로파일 {name!r}은(는) {place}에 있습니다"),
    help=("change it there", "그 파일에서 고치세요"),
)
NOT_A_TERMINAL = define(
    "E2053",
    "profile-no-terminal",
    ("there is no terminal to ask for the password on", "암호를 물어볼 터미널이 없습니다"),
    ("the password is asked for on a terminal", "암호는 터미널에서 물어봅니다"),
    help=("hand it over with --stdin", "--stdin으로 전달하세요"),
)
NO_PASSWORD = define(
    "E2054",
    "profile-no-password",
    ("no password was given", "암호가 없습니다"),
    ("no password was given, nothing was changed", "암호가 없어 아무것도 바꾸지 않았습니다"),
)
PASSWORD_AS_REFERENCE = NO_PASSWORD.says(
    (
        "a password that begins with env:, file: or keyring: would be read as a reference",
        "env:, file:, keyring:으로 시작하는 암호는 참조로 읽힙니다",
    ),
    help=(
        "put it into a file: logsql profile set NAME password=file:PATH",
        "파일에 두고 참조하세요: logsql profile set NAME password=file:PATH",
    ),
)
NO_CONNECTOR = define(
    "E2055",
    "profile-no-connector",
    ("nothing here can try a profile of this kind", "이 종류의 프로파일은 시험할 수 없습니다"),
    ("no connector tries profiles of kind {kind}", "종류 {kind}의 프로파일을 시험할 커넥터가 없습니다"),
)

#: Types of TOML, as an error names what was found.
TYPES = {
    "text": text("text", "텍스트"),
    "whole": text("a whole number", "정수"),
    "number": text("a number", "숫자"),
    "bool": text("true or false", "참 또는 거짓"),
    "date": text("a date or time", "날짜나 시각"),
    "list": text("a list", "목록"),
    "table": text("a table", "테이블"),
}
