"""Text of SQL trees that this package built: what ``node.sql("duckdb")`` gives, in half the time.

sqlglot writes every column, name, number, text and type through several general methods and copies the tree first. Of
the 1,200 nodes of a wide query most are of these kinds, and ours have no comments and no settings that differ.
"""

from __future__ import annotations

from typing import TypeGuard

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator

from logsql.values.sql import Sql


class _Writer(DuckDBGenerator):
    """DuckDB's generator of sqlglot with short ways for the commonest nodes; whatever is special goes the long way."""

    def column_sql(self, expression: exp.Column) -> str:
        name, table = expression.args.get("this"), expression.args.get("table")
        if not expression.args.keys() <= _NAMED or not _plain(name) or not (table is None or _plain(table)):
            return super().column_sql(expression)
        return _quoted(name) if table is None else f"{_quoted(table)}.{_quoted(name)}"

    def identifier_sql(self, expression: exp.Identifier) -> str:
        return _quoted(expression) if expression.args.get("quoted") else super().identifier_sql(expression)

    def literal_sql(self, expression: exp.Literal) -> str:
        text: str = expression.args["this"]
        return "'" + text.replace("'", "''") + "'" if expression.args.get("is_string") else text

    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        name = expression.args["this"]
        if not isinstance(name, str) or isinstance(expression.parent, exp.Dot):
            return super().anonymous_sql(expression)
        written = self.sql
        return f"{name.upper()}({', '.join([written(item) for item in expression.args.get('expressions') or ()])})"

    def datatype_sql(self, expression: exp.DataType) -> str:
        kind = expression.args["this"]
        if not isinstance(kind, exp.DType) or any(v for k, v in expression.args.items() if k != "this"):
            return super().datatype_sql(expression)
        found = _TYPES.get(kind)
        if found is None:
            found = _TYPES[kind] = super().datatype_sql(expression)
        return found


#: Parts of a column that its name and its table make up.
_NAMED = {"this", "table"}
#: Text of the types without parameters.
_TYPES: dict[exp.DType, str] = {}
_DUCKDB = DuckDB()


def _plain(node: object) -> TypeGuard[exp.Identifier]:
    return type(node) is exp.Identifier and bool(node.args.get("quoted"))


def _quoted(node: exp.Identifier) -> str:
    name: str = node.args["this"]
    return '"' + name.replace('"', '""') + '"'


def written(node: Sql) -> str:
    """The SQL of a tree, on one line. The tree is not copied: writing changes nothing in ours.

    >>> from logsql.values import sql
    >>> written(sql.cast(sql.func("upper", sql.col('a"b')), "VARCHAR"))
    'CAST(UPPER("a""b") AS TEXT)'
    """
    return _Writer(dialect=_DUCKDB, comments=False).generate(node, copy=False)
