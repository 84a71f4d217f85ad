"""Rows about lookup tables, which ``lookup``, ``lookuptable`` and ``memlookup`` share."""

from __future__ import annotations

from collections.abc import Sequence

from logsql.diagnostics.codes import define, syntax, text
from logsql.diagnostics.errors import did_you_mean

INVALID_TABLE = define(
    "20701",
    "invalid-lookup-name",
    ("there is no such lookup table", "그런 룩업 테이블이 없습니다"),
)
NO_SUCH_TABLE = INVALID_TABLE.says(("there is no lookup table {name}", "룩업 테이블 {name}이(가) 없습니다"))
INVALID_FIELD = define(
    "20702",
    "invalid-lookup-field",
    ("the field or a column is missing or unknown", "필드나 컬럼을 쓰지 않았거나 없는 이름입니다"),
)

LOOKUP_FORM = syntax("lookup TABLE FIELD output COLUMN [as NAME], ...")
NO_GEOIP_FILE = text("there is no geoip database at {setting}", "{setting}에 geoip 데이터베이스가 없습니다")
_TABLES = text("lookup tables: {names}", "룩업 테이블: {names}")
_NAMED = text(
    "a lookup table has a name: --lookup NAME=FILE.csv (Python: session.add_lookup(NAME, FILE)), then lookup NAME",
    "룩업 테이블에는 이름을 붙입니다: --lookup 이름=FILE.csv (파이썬에서는 session.add_lookup(이름, FILE)). "
    "쿼리에서는 lookup 이름으로 씁니다",
)
_NO_TABLES = text("there are no lookup tables yet", "아직 룩업 테이블이 없습니다")


def meant_table(name: str, names: Sequence[str]) -> str:
    """The help for a name that no lookup table has: the nearest one, else how a table gets a name."""
    return did_you_mean(name, names) or _NAMED.fill()


def tables_note(names: Sequence[str]) -> str:
    """The note that lists the lookup tables there are."""
    return _TABLES.fill(names=", ".join(names)) if names else _NO_TABLES.fill()
