"""Logical types of fields and how each is held in DuckDB.

A field has one logical type per stage (language.md 3.1). ``physical`` is the SQL type that carries it. Two kinds have a
choice: *any* (values of several types) is VARIANT, or JSON while it still sits in a parsed document, which is about ten
times cheaper to read by path than a VARIANT is to build; *map* is JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from sqlglot import exp


class Kind(IntEnum):
    """Logical kinds in the order of the language's value comparator (language.md 3.3), ``ANY`` last."""

    NULL = 0
    BOOL = 1
    SHORT = 2
    INT = 3
    LONG = 4
    FLOAT = 5
    DOUBLE = 6
    DATE = 7
    IP = 8
    STRING = 9
    LIST = 10
    MAP = 11
    BINARY = 12
    ANY = 13


EVERY_KIND = frozenset(Kind)
INTEGERS = frozenset({Kind.SHORT, Kind.INT, Kind.LONG})
NUMBERS = INTEGERS | {Kind.FLOAT, Kind.DOUBLE}

#: Rank of each kind in the comparator; numbers share one rank.
RANK = {
    Kind.NULL: 0,
    Kind.BOOL: 1,
    **dict.fromkeys(NUMBERS, 2),
    Kind.DATE: 3,
    Kind.IP: 4,
    Kind.STRING: 6,
    Kind.LIST: 7,
    Kind.MAP: 8,
    Kind.BINARY: 9,
}


@dataclass(frozen=True, slots=True)
class LType:
    """A logical type: its kind, the SQL type that holds it, and the element type of a list."""

    kind: Kind
    physical: str
    element: LType | None = None

    @property
    def number(self) -> bool:
        return self.kind in NUMBERS

    @property
    def integer(self) -> bool:
        return self.kind in INTEGERS

    @property
    def json(self) -> bool:
        """Held as JSON text in DuckDB."""
        return self.physical == "JSON"

    @property
    def variant(self) -> bool:
        return self.physical == "VARIANT"

    @property
    def label(self) -> str:
        """The language's name of the type, as users see it."""
        if self.kind is Kind.LIST and self.element is not None and self.element.kind is not Kind.ANY:
            return f"list<{self.element.label}>"
        return self.kind.name.lower()

    def sql(self) -> exp.DataType:
        """The sqlglot node of the physical type."""
        return data_type(self.physical)


NULL = LType(Kind.NULL, "VARCHAR")
BOOL = LType(Kind.BOOL, "BOOLEAN")
SHORT = LType(Kind.SHORT, "SMALLINT")
INT = LType(Kind.INT, "INTEGER")
#: An int that DuckDB computes in 64 bits (``length``, ``instr``): the value fits 32, a cast would only cost.
INT_WIDE = LType(Kind.INT, "BIGINT")
LONG = LType(Kind.LONG, "BIGINT")
ULONG = LType(Kind.LONG, "UBIGINT")
HUGE = LType(Kind.LONG, "HUGEINT")
#: Integers that may not fit into 64 bits with a sign.
WIDE = frozenset({"UBIGINT", "HUGEINT", "UHUGEINT"})
FLOAT = LType(Kind.FLOAT, "REAL")
DOUBLE = LType(Kind.DOUBLE, "DOUBLE")
DATE = LType(Kind.DATE, "TIMESTAMP WITH TIME ZONE")
IP = LType(Kind.IP, "VARCHAR")
STRING = LType(Kind.STRING, "VARCHAR")
BINARY = LType(Kind.BINARY, "BLOB")
MAP = LType(Kind.MAP, "JSON")
ANY = LType(Kind.ANY, "VARIANT")
ANY_JSON = LType(Kind.ANY, "JSON")


def list_of(element: LType) -> LType:
    """The list type with this element type."""
    return LType(Kind.LIST, f"{element.physical}[]", element)


ANY_LIST = list_of(ANY)

_TYPE_NODES: dict[str, exp.DataType] = {}


def data_type(physical: str) -> exp.DataType:
    """The sqlglot node of a physical type name used in this package (built once per name)."""
    node = _TYPE_NODES.get(physical)
    if node is None:
        if physical.endswith("[]"):
            node = exp.DataType(this=exp.DataType.Type.ARRAY, expressions=[data_type(physical[:-2])], nested=True)
        elif physical == "VARIANT":
            node = exp.DataType(this=exp.DataType.Type.VARIANT)
        else:
            node = exp.DataType.build(physical, dialect="duckdb")
        _TYPE_NODES[physical] = node
    # A type without parts needs no deep copy, which is a twentieth of planning.
    return node.copy() if node.args.get("expressions") else exp.DataType(**node.args)


_SIMPLE = {
    "BOOLEAN": BOOL,
    "TINYINT": LType(Kind.SHORT, "TINYINT"),
    "SMALLINT": SHORT,
    "USMALLINT": LType(Kind.INT, "USMALLINT"),
    "UTINYINT": LType(Kind.SHORT, "UTINYINT"),
    "INTEGER": INT,
    "UINTEGER": LType(Kind.LONG, "UINTEGER"),
    "BIGINT": LONG,
    "UBIGINT": ULONG,
    "HUGEINT": HUGE,
    "UHUGEINT": LType(Kind.LONG, "UHUGEINT"),
    "FLOAT": FLOAT,
    "REAL": FLOAT,
    "DOUBLE": DOUBLE,
    "VARCHAR": STRING,
    "BLOB": BINARY,
    "TIMESTAMP WITH TIME ZONE": DATE,
    "VARIANT": ANY,
    "JSON": ANY_JSON,
    '"NULL"': NULL,
    "NULL": NULL,
}


@dataclass(frozen=True, slots=True)
class Imported:
    """How a column of a foreign SQL type enters the language: its logical type and the SQL type to cast to, if any.

    ``to_json`` asks for ``to_json(column)`` instead of a cast (STRUCT, MAP, UNION have no typed counterpart here).
    """

    type: LType
    cast: str | None = None
    to_json: bool = False


def import_type(sql_type: str) -> Imported:
    """The logical type of a DuckDB column type as DESCRIBE prints it.

    >>> import_type("INTEGER[]").type.label
    'list<int>'
    >>> import_type("TIMESTAMP").cast
    'TIMESTAMP WITH TIME ZONE'
    """
    text = sql_type.strip()
    known = _SIMPLE.get(text.upper())
    if known is not None:
        return Imported(known)
    upper = text.upper()
    if match := re.fullmatch(r"(.*)\[\d*\]", text, re.S):
        element = import_type(match[1])
        if element.to_json:
            return Imported(list_of(ANY_JSON), "JSON[]", to_json=False)
        listed = list_of(element.type)
        cast = listed.physical if element.cast or not text.endswith("[]") else None
        return Imported(listed, cast)
    if upper.startswith("DECIMAL"):
        return Imported(DOUBLE, "DOUBLE")
    if upper.startswith(("TIMESTAMP", "DATE")):
        return Imported(DATE, DATE.physical)
    if upper.startswith(("STRUCT", "MAP", "UNION")):
        return Imported(MAP, "JSON", to_json=True)
    return Imported(STRING, "VARCHAR")


def unify(left: LType, right: LType) -> LType:
    """The type of a column that holds values of both types (branches of ``if``, rows of ``union``).

    Integers widen to the wider one, but an integer and a double stay apart, because ``404`` prints and matches
    differently from ``404.0``: such a column is VARIANT (decisions.md 1).
    """
    if left == right or right.kind is Kind.NULL:
        return left
    if left.kind is Kind.NULL:
        return right
    if left.integer and right.integer:
        return _wider(left, right)
    if left.kind in (Kind.FLOAT, Kind.DOUBLE) and right.kind in (Kind.FLOAT, Kind.DOUBLE):
        return DOUBLE
    if left.kind is Kind.LIST and right.kind is Kind.LIST:
        return list_of(unify(left.element or ANY, right.element or ANY))
    if left.json and right.json:
        return ANY_JSON
    return ANY


_WIDTH = [
    "TINYINT",
    "UTINYINT",
    "SMALLINT",
    "USMALLINT",
    "INTEGER",
    "UINTEGER",
    "BIGINT",
    "UBIGINT",
    "HUGEINT",
    "UHUGEINT",
]


def _wider(left: LType, right: LType) -> LType:
    pair = {left.physical, right.physical}
    if pair & {"UBIGINT", "UHUGEINT"} and len(pair) > 1:
        return HUGE
    if left.physical == right.physical:
        return left if left.kind >= right.kind else right
    return left if _WIDTH.index(left.physical) > _WIDTH.index(right.physical) else right
