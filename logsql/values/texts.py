"""SQL that prints doubles and dates the way the language does (language.md 3.5)."""

from __future__ import annotations

from logsql.values import sql
from logsql.values.sql import Sql

#: The Python function that prints lists and maps (``logsql/udfbridge/registry.py``); every database has it.
DOCUMENT_TEXT = "lq_document_text"


def double_text(node: Sql) -> Sql:
    """Java's ``Double.toString``: DuckDB prints the same digits between 1e-3 and 1e7; ``1.0E8`` form outside."""
    size = sql.func("abs", node)
    plain = sql.cast(node, "VARCHAR")
    return sql.case(
        [
            (sql.func("isnan", node), sql.string("NaN")),
            (
                sql.func("isinf", node),
                sql.case([(sql.binary(">", node, sql.integer(0)), sql.string("Infinity"))], sql.string("-Infinity")),
            ),
            (
                sql.or_(
                    sql.binary(">=", size, sql.double(1e7)),
                    sql.and_(sql.binary("<", size, sql.double(1e-3)), sql.binary(">", size, sql.integer(0))),
                ),
                _scientific(plain),
            ),
        ],
        plain,
    )


def _scientific(plain: Sql) -> Sql:
    """``100000000.0`` or ``1.5e-05`` as Java's ``1.0E8`` and ``1.5E-5``: digits and exponent from the text."""

    def re(source: Sql, pattern: str, to: str) -> Sql:
        return sql.func("regexp_replace", source, sql.string(pattern), sql.string(to))

    mantissa = re(plain, "[eE].*$", "")
    digits = re(
        re(
            sql.func("replace", sql.func("ltrim", mantissa, sql.string("-")), sql.string("."), sql.string("")),
            "^0+",
            "",
        ),
        "0+$",
        "",
    )
    whole = re(sql.func("ltrim", mantissa, sql.string("-")), r"\..*$", "")
    zeros = sql.func("length", sql.func("regexp_extract", mantissa, sql.string(r"^-?0\.(0*)"), sql.integer(1)))
    shift = sql.case(
        [(sql.eq(whole, sql.string("0")), sql.binary("-", sql.integer(-1), zeros))],
        sql.binary("-", sql.func("length", whole), sql.integer(1)),
    )
    written = sql.try_cast(sql.func("regexp_extract", plain, sql.string("[eE](.*)$"), sql.integer(1)), "INTEGER")
    exponent = sql.binary("+", shift, sql.coalesce(written, sql.integer(0)))
    sign = sql.case([(sql.func("starts_with", plain, sql.string("-")), sql.string("-"))], sql.string(""))
    tail = sql.coalesce(
        sql.func("nullif", sql.func("substring", digits, sql.integer(2)), sql.string("")), sql.string("0")
    )
    return sql.concat(
        sign,
        sql.func("left", digits, sql.integer(1)),
        sql.string("."),
        tail,
        sql.string("E"),
        sql.cast(exponent, "VARCHAR"),
    )


def date_text(node: Sql) -> Sql:
    """``yyyy-MM-dd HH:mm:ssZ`` in the session zone; ``%z`` prints ``+09`` or ``+05:30``, padded to four digits."""
    zone = sql.func("replace", sql.func("strftime", node, sql.string("%z")), sql.string(":"), sql.string(""))
    return sql.concat(
        sql.func("strftime", node, sql.string("%Y-%m-%d %H:%M:%S")),
        sql.func("rpad", zone, sql.integer(5), sql.string("0")),
    )
