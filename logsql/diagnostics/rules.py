"""Rows about the rules that a subquery gives to ``mpsearch`` and ``flowsearch``."""

from __future__ import annotations

from logsql.diagnostics.codes import define

INVALID_RULES = define(
    "E3301",
    "invalid-rules",
    ("the rules lack a field that they need", "규칙에 필요한 필드가 없습니다"),
    ("the rules of {command} have no field {name}", "{command}의 규칙에 {name} 필드가 없습니다"),
)
