"""The one format of a case (query -> rows, or query -> refusal), read from every home that cases have.

A line of a ``.jsonl`` file, or a ``.json`` file of its own, is one case; tests/README.md says which home is whose, and
tests/conformance/README.md what the keys mean. ``load(name)`` reads ``language``, ``functions`` or ``pipelines`` of the
conformance suite, ``own(name)`` a file of ``tests/cases``, ``regressions()`` the defects that were found once,
``manual()`` the examples of the commands' pages. Function cases (``expr`` or ``agg`` instead of ``query``) become
queries (``... | eval v = EXPR``, ``... | stats AGG as v``) with one output column ``v``.

``arrow_tables`` types columns as the conformance suite says: integers int32 or int64, fractions double, booleans, text,
dates as instants of the case's zone. What Arrow cannot type (maps, mixed lists, mixed columns) is JSON text in a column
whose field metadata says ``logsql.type: json``; addresses are text with ``logsql.type: ip``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from logsql.registry import COMMANDS

FOLDER = Path(__file__).resolve().parent / "conformance"
NAMES = ("language", "functions", "pipelines")
#: Cases that were worked out by hand here, by subject.
OWN = Path(__file__).resolve().parent / "cases"
OWN_NAMES = ("commands", "functions", "language", "shapes")
ZONE = "Asia/Seoul"
#: What a case of our own may say. A key that is misspelt would be an expectation that nobody checks.
KEYS = {"id", "kind", "input", "types", "query", "expect", "expect_columns", "ordered", "tz", "params", "source",
        "note", "why", "rule"}  # fmt: skip
FUNCTION_KEYS = {"id", "fn", "expr", "agg", "row", "rows", "types", "tz", "params", "expect", "expect_rows",
                 "expect_type", "expect_len", "unordered", "error_contains_any", "source", "note"}  # fmt: skip

Rows = list[dict[str, Any]]
Types = dict[str, dict[str, str]]

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?")


@dataclass(frozen=True)
class Case:
    """One case. ``errors`` is set instead of ``expect`` when the query must be refused."""

    id: str
    query: str
    input: dict[str, Rows]
    types: Types
    expect: Rows | None
    errors: tuple[str, ...]
    ordered: bool
    tz: str
    expect_columns: tuple[str, ...] | None = None
    expect_type: str | None = None
    expect_len: int | None = None
    unordered_lists: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    note: str = ""


@lru_cache(maxsize=8)
def load(name: str) -> tuple[Case, ...]:
    """All cases of ``tests/conformance/NAME.jsonl``."""
    return tuple(make(line) for line in _lines(FOLDER / f"{name}.jsonl"))


@lru_cache(maxsize=8)
def own(name: str) -> tuple[Case, ...]:
    """All cases of ``tests/cases/NAME.jsonl``."""
    lines = _lines(OWN / f"{name}.jsonl")
    for line in lines:
        _known(line, line["id"])
    return tuple(make(line) for line in lines)


@lru_cache(maxsize=1)
def regressions() -> tuple[Case, ...]:
    """Defects that were found once, one file each, named after what went wrong."""
    found = []
    for path in sorted((OWN / "regressions").glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        _known(case, path.name)
        if not {"why", "rule"} <= case.keys():
            raise ValueError(f"{path.name}: say what the product did (why) and where the right answer stands (rule)")
        found.append(make({"id": path.stem, "kind": "query", **case}))
    return tuple(found)


@lru_cache(maxsize=1)
def manual() -> tuple[Case, ...]:
    """The examples of the commands' pages that print rows, as cases ``COMMAND-NUMBER``."""
    return tuple(
        Case(
            id=f"{name}-{number}",
            query=example.query,
            input=dict(example.tables or {}),
            # An example says dates as local ISO text; the one column that is always a date is _time.
            types={table: {"_time": "date"} for table in example.tables or {}},
            expect=list(example.rows),
            errors=(),
            ordered=True,
            tz=ZONE,
            expect_columns=tuple(example.rows[0]) if example.rows else None,
        )
        for name, spec in sorted(COMMANDS.items())
        if name == spec.name
        for number, example in enumerate(spec.examples, 1)
        if example.rows is not None
    )


def every() -> dict[str, tuple[Case, ...]]:
    """All homes and their cases."""
    return {
        **{f"conformance/{name}": load(name) for name in NAMES},
        **{f"cases/{name}": own(name) for name in OWN_NAMES},
        "cases/regressions": regressions(),
        "manual": manual(),
    }


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _known(case: dict[str, Any], name: str) -> None:
    if unknown := case.keys() - (FUNCTION_KEYS if "fn" in case else KEYS):
        raise ValueError(f"{name}: no case has the keys {sorted(unknown)}")


def make(case: dict[str, Any]) -> Case:
    """A case from its JSON object; ``input``, ``tz`` and ``params`` may be left out."""
    return _function_case(case) if "fn" in case else _query_case(case)


def _query_case(c: dict[str, Any]) -> Case:
    error = c["kind"] == "error"
    columns = c.get("expect_columns")
    return Case(
        id=c["id"],
        query=c["query"],
        input=c.get("input", {}),
        types=c.get("types", {}),
        expect=None if error else c["expect"],
        errors=tuple(c["expect"]["error_contains_any"]) if error else (),
        ordered=bool(c.get("ordered")),
        tz=c.get("tz", ZONE),
        params=c.get("params", {}),
        expect_columns=tuple(columns) if columns else None,
        note=c.get("note") or c.get("why", ""),
    )


def iso(value: Any) -> Any:
    """Wall times as the comparison rules print dates."""
    if isinstance(value, list):
        return [iso(v) for v in value]
    m = _STAMP.fullmatch(value) if isinstance(value, str) else None
    if m is None:
        return value
    fraction = (m[3] or "").rstrip("0")
    return f"{m[1]}T{m[2]}" + (f".{fraction.ljust(3, '0')}" if fraction else "")


def _function_case(c: dict[str, Any]) -> Case:
    rows: Rows = c["rows"] if "rows" in c else [c["row"]]
    is_date = c.get("expect_type") == "date" or c["fn"] == "daterange" or ("agg" in c and "types" in c)
    tables = {"t": rows} if any(rows) or "agg" in c else {}
    source = "table t" if tables else 'json "{}"'
    query = f"{source} | stats {c['agg']} as v" if "agg" in c else f"{source} | eval v = {c['expr']} | fields v"
    expect: Rows | None = None
    if "error_contains_any" not in c:
        values = c["expect_rows"] if "expect_rows" in c else [c.get("expect")]
        expect = [{"v": iso(v) if is_date else v} for v in values]
    return Case(
        id=c["id"],
        query=query,
        input=tables,
        types={"t": c["types"]} if "types" in c else {},
        expect=expect,
        errors=tuple(c.get("error_contains_any", ())),
        ordered=True,
        tz=c.get("tz", "UTC"),
        expect_type=c.get("expect_type"),
        expect_len=c.get("expect_len"),
        unordered_lists=bool(c.get("unordered")),
        params=c.get("params", {}),
        note=c.get("note", ""),
    )


def error_matches(case: Case, message: str) -> bool:
    """Whether a refusal names what the case wants."""
    return any(e.lower() in message.lower() for e in case.errors)


def arrow_tables(case: Case, tz: str | None = None) -> dict[str, pa.Table]:
    """Input tables of a case."""
    zone = tz or case.tz
    return {name: arrow_table(rows, case.types.get(name, {}), zone) for name, rows in case.input.items()}


def arrow_table(rows: Rows, types: dict[str, str], tz: str) -> pa.Table:
    """One table: columns are the union of the keys in order of first appearance."""
    names = list(dict.fromkeys(k for row in rows for k in row))
    fields, arrays = [], []
    for name in names:
        array, logical = _column([row.get(name) for row in rows], types.get(name), tz)
        fields.append(pa.field(name, array.type, metadata={"logsql.type": logical} if logical else None))
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _instant(value: Any, tz: str) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    wall = datetime.fromisoformat(value)
    return (wall if wall.tzinfo else wall.replace(tzinfo=ZoneInfo(tz))).astimezone(UTC)


def _column(values: list[Any], kind: str | None, tz: str) -> tuple[pa.Array, str | None]:
    if kind == "date":
        return pa.array([_instant(v, tz) for v in values], pa.timestamp("us", tz)), None
    if kind == "ip":
        return pa.array([None if v is None else str(v) for v in values], pa.string()), "ip"
    if kind == "binary":
        return pa.array([bytes.fromhex(v) if isinstance(v, str) else v for v in values], pa.binary()), None
    scalar = _scalar_type(values)
    if scalar is not None:
        return pa.array([float(v) if v is not None and scalar == pa.float64() else v for v in values], scalar), None
    if all(v is None or isinstance(v, list) for v in values):
        item = _scalar_type([x for v in values if v is not None for x in v])
        if item is not None:
            return pa.array(values, pa.list_(item)), None
    return pa.array([None if v is None else json.dumps(v, ensure_ascii=False) for v in values], pa.string()), "json"


def _scalar_type(values: list[Any]) -> pa.DataType | None:
    """Type of a column or of list items; None when values differ in kind or are lists or maps."""
    present = [v for v in values if v is not None]
    if all(isinstance(v, str) for v in present):
        return pa.string()
    if all(isinstance(v, bool) for v in present):
        return pa.bool_()
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in present):
        return None
    if any(isinstance(v, float) for v in present):
        return pa.float64()
    return pa.int32() if all(-(2**31) <= v < 2**31 for v in present) else pa.int64()
