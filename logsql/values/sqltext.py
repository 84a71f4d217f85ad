"""Text of SQL trees that this package built: what ``node.sql("duckdb")`` gives, in half the time.

sqlglot writes every column, name, number, text and type through several general methods and copies the tree first. Of
the 1,200 nodes of a wide query most are of these kinds, and ours have no comments and no settings that differ. The
short ways stand in the generator's own table of kinds: its compiled form (``sqlglot[c]``) lets nobody inherit from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.generators.duckdb import DuckDBGenerator

from logsql.values.sql import Sql


def _column(writer: DuckDBGenerator, node: exp.Column) -> str:
    name, table = node.args.get("this"), node.args.get("table")
    if not node.args.keys() <= _NAMED or not _plain(name) or not (table is None or _plain(table)):
        return writer.column_sql(node)
    return _quoted(name) if table is None else f"{_quoted(table)}.{_quoted(name)}"


def _identifier(writer: DuckDBGenerator, node: exp.Identifier) -> str:
    return _quoted(node) if node.args.get("quoted") else writer.identifier_sql(node)


def _literal(_writer: DuckDBGenerator, node: exp.Literal) -> str:
    text: str = node.args["this"]
    return "'" + text.replace("'", "''") + "'" if node.args.get("is_string") else text


def _anonymous(writer: DuckDBGenerator, node: exp.Anonymous) -> str:
    name = node.args["this"]
    if not isinstance(name, str) or isinstance(node.parent, exp.Dot):
        return writer.anonymous_sql(node)
    return f"{name.upper()}({', '.join([writer.sql(item) for item in node.args.get('expressions') or ()])})"


def _datatype(writer: DuckDBGenerator, node: exp.DataType) -> str:
    kind = node.args["this"]
    if not isinstance(kind, exp.DType) or any(v for k, v in node.args.items() if k != "this"):
        return writer.datatype_sql(node)
    found = _TYPES.get(kind)
    if found is None:
        found = _TYPES[kind] = writer.datatype_sql(node)
    return found


#: The kinds of nodes with a short way; whatever is special about a node of them goes the long way.
_SHORT: dict[type[exp.Expr], Callable[..., str]] = {
    exp.Column: _column,
    exp.Identifier: _identifier,
    exp.Literal: _literal,
    exp.Anonymous: _anonymous,
    exp.DataType: _datatype,
}
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
    writer = DuckDBGenerator(dialect=_DUCKDB, comments=False)
    writer._dispatch = {**writer._dispatch, **_SHORT}
    return writer.generate(node, copy=False)
