"""String.format and Double.toString against JDK 17 (``java_format_cases.jsonl`` is its output, locale en_US)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from udfs.java.javaformat import Long, java_double, java_double_array, java_format, java_format_array, java_text

CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("java_format_cases.jsonl").read_text(encoding="utf-8").splitlines()
]


def argument(value: Any) -> Any:
    if isinstance(value, dict):
        return Long(value["long"]) if "long" in value else float(value["double"])
    return value


def test_format_as_java() -> None:
    wrong = []
    for case in CASES:
        if "format" in case:
            got = java_format(case["format"], [argument(value) for value in case["args"]])
            if got != case["expect"]:
                wrong.append(f"{case}: {got!r}")
    assert not wrong, "\n".join(wrong)


def test_double_text_as_java() -> None:
    wrong = [case for case in CASES if "double" in case and java_double(float(case["double"])) != case["expect"]]
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("fmt", "args", "expected"),
    [
        # conformance/functions.jsonl, function format
        ("date: %04d-%02d-%02d", [2004, 3, 29], "date: 2004-03-29"),
        ("%3$s-%1$s-%2$s", ["Mar", "29", "2004"], "2004-Mar-29"),
        ("%5.2f|%-6s|", [3.14159, "ab"], " 3.14|ab    |"),
        ("%d", ["text"], None),
        ("%s", [None], "null"),
        ("100%%: %s", ["ok"], "100%: ok"),
        ("%05d", [-42], "-0042"),
        ("%d", [], None),
    ],
)
def test_format_of_the_language(fmt: str, args: list[Any], expected: str | None) -> None:
    assert java_format(fmt, args) == expected


def test_dates_in_format() -> None:
    moment = datetime(2024, 7, 3, 15, 0, 5, tzinfo=UTC)
    assert java_format("%tF %<tT %<tp", [moment], zone="Asia/Seoul") == "2024-07-04 00:00:05 am"
    assert java_format("%s", [moment], zone="Asia/Seoul") == "2024-07-04 00:00:05+0900"  # text form of the language
    assert java_format("%tF", ["2024"]) is None


def test_text_forms() -> None:
    assert [java_text(v) for v in (None, True, 5, 1e8, b"\x00\xff", {"a": [1, 2.0]})] == [
        "null",
        "true",
        "5",
        "1.0E8",
        "00ff",
        "{a=[1, 2.0]}",
    ]


def test_columns() -> None:
    assert java_double_array(pa.chunked_array([[1.0, None], [1e-4]])).to_pylist() == ["1.0", None, "1.0E-4"]
    numbers = pa.array([255, -1], pa.int32())
    assert java_format_array("%x", [numbers]).to_pylist() == ["ff", "ffffffff"]
    assert java_format_array("%x", [numbers.cast(pa.int64())]).to_pylist() == ["ff", "f" * 16]
