"""Rows about lists of field names, which several commands share."""

from __future__ import annotations

from logsql.diagnostics.codes import define

NO_FIELDS = define("20400", "no-field-args", ("no name", "필드 이름이 없습니다"))
