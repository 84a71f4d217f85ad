"""Wildcard matching of ``==`` and ``in``: from the shape of the pattern to the cheapest SQL (language.md section 4)."""

from __future__ import annotations

import re

from sqlglot import exp

from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import Kind
from logsql.values.values import Typed, not_null, plain_text, text_sql


def matches(value: Typed, pattern: str) -> Sql:
    """SQL of ``value == "pattern"``: true, false, or null when the value is null."""
    if "*" not in pattern:
        return _exact(value, pattern)
    return match_text(_text(value, pattern), pattern) if pattern != "*" else not_null(value)


def _text(value: Typed, pattern: str) -> Sql:
    """Text of a value, as far as the pattern can tell: what begins with a letter is no list, map or number."""
    return plain_text(value) if pattern[:1].isalpha() else text_sql(value)


def match_text(node: Sql, pattern: str) -> Sql:
    """``node`` (text) against a pattern. Only ``*`` is special; shapes with a star inside ignore case."""
    if "*" not in pattern:
        return sql.eq(node, sql.string(pattern))
    if pattern == "*":
        return sql.not_null(node)
    body = pattern.strip("*") if pattern != "**" else ""
    stars = pattern.count("*")
    if "*" not in body and pattern != "**":
        if stars == 1 and pattern.endswith("*"):
            return sql.func("starts_with", node, sql.string(body))
        if stars == 1 and pattern.startswith("*"):
            return sql.func("ends_with", node, sql.string(body))
        if stars == 2 and pattern[0] == pattern[-1] == "*" and body:
            return sql.func("contains", node, sql.string(body))
    return _ilike(node, pattern)


def _ilike(node: Sql, pattern: str) -> Sql:
    escaped = re.search(r"[%_\\]", pattern) is not None
    text = re.sub(r"([%_\\])", r"\\\1", pattern) if escaped else pattern
    like = exp.ILike(this=sql.paren(node), expression=sql.string(re.sub(r"\*+", "%", text)))
    return exp.Escape(this=like, expression=sql.string("\\")) if escaped else like


def _exact(value: Typed, pattern: str) -> Sql:
    if value.type.integer:
        if re.fullmatch(r"0|-?[1-9][0-9]{0,18}", pattern):
            return sql.eq(value.expr, sql.integer(int(pattern)))
        return sql.when(sql.not_null(value.expr), sql.boolean(False))
    if value.kind is Kind.BOOL:
        if pattern in ("true", "false"):
            return value.expr if pattern == "true" else sql.not_(value.expr)
        return sql.when(sql.not_null(value.expr), sql.boolean(False))
    return sql.eq(_text(value, pattern), sql.string(pattern))
