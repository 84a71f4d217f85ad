"""Golden pairs: a query, the SQL chain it becomes, and the rows that the specification gives for it.

``golden/*.txt`` holds sections that begin with ``### tables`` (JSON, one object), ``### query``, ``### sql`` and
``### rows`` (JSON lines, written by hand from language.md). ``python -m tests.planner.test_golden`` rewrites the SQL
sections for review; it never touches the rows.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests import told
from tests.compare import rows_equal
from tests.conformance_cases import arrow_table
from tests.run_case import load_tables, session

FOLDER = Path(__file__).resolve().parent / "golden"
FILES = sorted(FOLDER.glob("*.txt"))
ZONE = "Asia/Seoul"


def sections(path: Path) -> dict[str, str]:
    """The sections of a golden file by name."""
    parts = re.split(r"^### (\w+)\n", path.read_text(encoding="utf-8"), flags=re.M)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def _load(parts: dict[str, str]) -> None:
    tables: dict[str, list[dict[str, Any]]] = json.loads(parts["tables"])
    types = json.loads(parts.get("types", "{}"))
    load_tables(session(ZONE), {name: arrow_table(rows, types.get(name, {}), ZONE) for name, rows in tables.items()})


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_golden(path: Path) -> None:
    parts = sections(path)
    _load(parts)
    assert session(ZONE).translate(parts["query"]).strip() == parts["sql"]
    result = session(ZONE).query(parts["query"])
    rows = result.rows()
    said = told.difference(path.stem, result)
    result.close()
    assert said is None, said
    expected = [json.loads(line) for line in parts["rows"].splitlines()]
    assert rows_equal(expected, rows, ordered=True, tz=ZONE) is None
    if expected:
        assert list(rows[0]) == list(expected[0])


def rewrite() -> None:
    """Write the SQL of today into every file."""
    for path in FILES:
        parts = sections(path)
        _load(parts)
        parts["sql"] = session(ZONE).translate(parts["query"]).strip()
        order = [n for n in ("tables", "types", "query", "sql", "rows") if n in parts]
        path.write_text("".join(f"### {n}\n{parts[n]}\n\n" for n in order).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    rewrite()
