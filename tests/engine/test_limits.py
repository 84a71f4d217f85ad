"""Limits that a hostile file or query meets: each is said, with what can be done instead (docs/limits.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine import discovery
from udfs.java import javaformat
from udfs.readers import lines


def refused(query: str) -> tuple[str, str]:
    with logsql.connect(tz="UTC", timeout=60) as s, pytest.raises(LogsqlError) as caught:
        s.query(query).rows()
    return caught.value.code, caught.value.diagnostic.message


def test_keys_of_documents(tmp_path: Path) -> None:
    """200,000 keys in one document ran for hours, and no time limit ended it."""
    path = tmp_path / "k.jsonl"
    path.write_text(json.dumps({f"k{i}": i for i in range(200_000)}) + "\n", encoding="utf-8")
    code, said = refused(f"jsonfile {path}")
    assert (code, said) == ("E1305", "the rows have 200,000 different fields; at most 10,000 are shown")
    with logsql.connect(tz="UTC") as s:
        assert s.query(f"jsonfile {path} | fields k7, k199999").rows() == [{"k7": 7, "k199999": 199999}]


def test_columns_of_a_pivot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MAX_FIELDS", 3)
    rows = json.dumps([{"a": i, "b": f"v{i}"} for i in range(5)]).replace('"', "'")
    assert refused(f'json "{rows}" | pivot count rows a cols b') == (
        "E1305",
        "the rows have 5 different fields; at most 3 are shown",
    )


def test_an_expression_that_grows_with_each_command() -> None:
    code, said = refused("json \"{'a':1}\"" + " | eval a = a + 1" * 1500)
    assert code == "E0001"
    assert "max_expression_depth" not in said


def test_widths_of_a_format() -> None:
    """Java would fill 2 GB; so wide a text is refused as any other wrong specifier is."""
    with logsql.connect(tz="UTC") as s:
        wide = javaformat.MAX_WIDTH
        query = 'json "{\'a\':1}" | eval n = len(format("%{}d", a))'
        assert s.query(query.replace("{}", str(wide), 1)).rows()[0]["n"] == wide
        wrong = [s.query(f'json "{{}}" | eval n = format("{pattern}", 1)') for pattern in ("%q", f"%{wide + 1}d")]
        assert wrong[0].rows() == wrong[1].rows()


def test_fields_of_a_cube_and_copies_of_a_row() -> None:
    names = ", ".join(f"f{i}" for i in range(20))
    assert refused(f'json "{{}}" | cube count by {names}')[0] == "E0102"
    with logsql.connect(tz="UTC", memory_limit="200MB") as s:
        assert len(s.query('json "{}" | repeat count=1000000000 | limit 3').rows()) == 3


def test_a_line_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 2_000_000)
    path = tmp_path / "l.txt"
    path.write_bytes(b"x" * 12_000_000)
    with logsql.connect(tz="UTC") as s:
        result = s.query(f"textfile {path} | stats count")
        assert result.rows()[0]["count"] > 1
        assert "line-cut" in {entry.reason for entry in result.ledger}
