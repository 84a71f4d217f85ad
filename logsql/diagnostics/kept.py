"""Rows about what the program keeps in files: lookup tables, results, and their names."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

NOT_A_NAME = text("'{name}' cannot be a name", "'{name}'은(는) 이름으로 쓸 수 없습니다")
NAME_LENGTH = text("use 1 to 100 characters", "1~100자로 쓰세요")

# --- lookup tables ----------------------------------------------------------------------------------------------------

LOOKUP_NAME = define(
    "E3103",
    "lookup-name",
    ("a text that cannot be the name of a lookup table", "룩업 테이블 이름으로 쓸 수 없는 텍스트입니다"),
    (
        "{name!r} is no name for a lookup table: it needs one word",
        "{name!r}은(는) 룩업 테이블 이름으로 쓸 수 없습니다. 한 단어여야 합니다",
    ),
)
NO_LOOKUP_NAME = LOOKUP_NAME.says(NOT_A_NAME, help=NAME_LENGTH)
