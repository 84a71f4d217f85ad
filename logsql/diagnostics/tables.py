"""Rows and sentences about tables and ranges of days, which several commands share."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

TABLE_SPEC = define(
    "10603",
    "invalid-table-spec",
    (
        "no name, a time that is no date, or options that exclude each other",
        "이름이 없거나, 시간이 날짜가 아니거나, 함께 쓸 수 없는 옵션입니다",
    ),
)
NO_TABLE = text("there is no table {table}", "테이블이 없습니다: {table}")
TABLE_NOT_FOUND = define("10605", "table-not-found", ("there is no such table", "그런 테이블이 없습니다"), NO_TABLE)
PURGE_NOT_ENABLED = define(
    "11406", "purge-not-enabled", ("the session does not allow deleting", "세션이 삭제를 허용하지 않습니다")
)

#: Under the code that the command gives.
NO_DAY = text("{option}={value} is no day", "{option}={value}은(는) 날짜가 아닙니다")
WRITE_DAY = text("write {option}=yyyyMMdd", "{option}=yyyyMMdd 형식으로 쓰세요")
#: Between the names of options.
AND = text(" and ", ", ")
