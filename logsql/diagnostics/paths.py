"""Rows and sentences about the files that a command reads."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import syntax, text

#: Meanings and sentences that every code of a file command has.
NO_FILE = text("the file does not exist", "파일이 없습니다")
NO_PATH = text("no path is written", "경로가 없습니다")
NEEDS_PATH = text("{command} needs the path of a file", "{command}에는 파일 경로가 필요합니다")
PATH_FORM = syntax("{command} PATH")

#: Where what follows the path reads like an option of the command.
OPTIONS_FIRST = text(
    "options stand before the path: {command} {option} {path}", "옵션은 경로 앞에 씁니다: {command} {option} {path}"
)

FILE_ERROR = define("E3002", "file-not-found", ("there is no such file", "파일이 없습니다"))
NO_SUCH_NAME = define(
    "E3005",
    "no-such-name",
    ("the path holds the character NUL, which no name can hold", "경로에 이름에 쓸 수 없는 NUL 문자가 있습니다"),
    (
        "no file can be called {path}: a name cannot hold the character NUL",
        "{path}은(는) 파일 이름이 될 수 없습니다. 이름에는 NUL 문자를 쓸 수 없습니다",
    ),
)
#: What a file must be where it is read as a whole: a pipe may wait for ever, a device may never end.
NOT_REGULAR = text("it is a pipe or a device, not a file", "파일이 아니라 파이프나 장치입니다")
LOG_IS_ODD = text(
    "its log {name} is a link, a pipe or a device", "데이터베이스의 로그 {name}이(가) 링크나 파이프, 장치입니다"
)
NOBODY_READS = text("nobody reads from the pipe", "파이프에서 읽는 쪽이 없습니다")
#: What to do instead of naming a pipe as a query file (``<(...)`` of a shell is one).
QUERY_FROM_INPUT = text(
    "save the query in a file, or give it on standard input: logsql -",
    "쿼리를 파일로 저장하거나 표준 입력으로 전달하십시오: logsql -",
)

EVIDENCE_PATH = define("E3003", "missing-path", NO_PATH, NEEDS_PATH, PATH_FORM)
MISSING_PATH = define("10905", "missing-path", NO_PATH, NEEDS_PATH, PATH_FORM)
PATH_NOT_SET = MISSING_PATH.says(
    ("the parameter that should hold the path is not set", "경로를 담을 매개변수에 값이 없습니다")
)
