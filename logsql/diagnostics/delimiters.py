"""Rows about the text between the parts of a field."""

from __future__ import annotations

from logsql.diagnostics.codes import define

EMPTY_DELIMITER = define(
    "90772",
    "empty-delimiters",
    ("a delimiter is empty", "구분자가 비어 있습니다"),
)
