"""Rows about lists of field names, which several commands share."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

NO_FIELDS = define("20400", "no-field-args", ("no name", "필드 이름이 없습니다"))

#: What ``explain`` says where a parser has nothing to read.
NEVER_TEXT = text("{field} never holds text: no row changes", "{field} 필드에 문자열이 없어 바뀌는 행이 없습니다")
NEVER_A_MAP = text("{field} never holds a map: no row changes", "{field} 필드에 맵이 없어 바뀌는 행이 없습니다")
#: The help of a name that is none where no name is near.
HELP_FIELDS = text("there are {fields}", "있는 것: {fields}")
