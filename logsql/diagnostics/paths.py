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
EVIDENCE_PATH = define("E3003", "missing-path", NO_PATH, NEEDS_PATH, PATH_FORM)
MISSING_PATH = define("10905", "missing-path", NO_PATH, NEEDS_PATH, PATH_FORM)
PATH_NOT_SET = MISSING_PATH.says(
    ("the parameter that should hold the path is not set", "경로를 담을 매개변수에 값이 없습니다")
)
