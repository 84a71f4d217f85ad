"""Rows about a query that ends before its last row."""

from __future__ import annotations

from logsql.diagnostics.codes import define

INTERRUPTED = define(
    "E1300",
    "interrupted",
    ("the user ended the query", "사용자가 쿼리를 중단했습니다"),
    ("the query was interrupted", "쿼리를 중단했습니다"),
)
STOPPED = INTERRUPTED.says(("interrupted", "중단했습니다"))
