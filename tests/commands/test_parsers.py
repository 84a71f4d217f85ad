"""Every named parser on its own sample lines; rows of other formats; overlay; typed fields."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.commands.parse.logs.base import PARSERS, ParserSpec, Sample

SPECS = list({id(s): s for s in PARSERS.values()}.values())
SAMPLES = [pytest.param(spec, sample, id=f"{spec.name}-{i}") for spec in SPECS for i, sample in enumerate(spec.samples)]
RECEIVED = dt.datetime(2003, 10, 12, tzinfo=dt.UTC)


def run(lines: list[str], tail: str, extra: dict[str, list[Any]] | None = None) -> list[dict[str, Any]]:
    """Rows of ``table t | TAIL`` over lines received on 2003-10-12."""
    with logsql.connect(tz="UTC") as session:
        times = pa.array([RECEIVED] * len(lines), pa.timestamp("us", tz="UTC"))
        session.register("t", pa.table({"_time": times, "line": lines, **(extra or {})}))
        return session.query(f"table order=asc t | {tail}").rows()


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Fields that are not null; dates as ISO text."""
    shown = {k: v for k, v in row.items() if v is not None}
    for name, value in shown.items():
        if isinstance(value, dt.datetime):
            text = value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
            shown[name] = text.removesuffix(".000000").removesuffix("000") if "." in text else text
    return shown


@pytest.mark.parametrize(("spec", "sample"), SAMPLES)
def test_sample(spec: ParserSpec, sample: Sample) -> None:
    rows = run([*sample.before, sample.line], f"parse {spec.name}")
    found = plain(rows[-1])
    if "_time" not in sample.row:
        assert found.pop("_time") == "2003-10-12T00:00:00"
    assert found == sample.row


# Every text is a line of CSV.
@pytest.mark.parametrize("spec", [s for s in SPECS if s.name != "csv"], ids=lambda s: s.name)
def test_other_lines_stay_as_they_are(spec: ParserSpec) -> None:
    rows = run(["no such format", "", *spec.samples[0].before, spec.samples[0].line], f"parse {spec.name}")
    assert plain(rows[0]) == {"_time": "2003-10-12T00:00:00", "line": "no such format"}
    assert plain(rows[1]) == {"_time": "2003-10-12T00:00:00", "line": ""}
    for row, line in zip(rows[2:], spec.samples[0].before, strict=False):
        assert row["line"] == line
    assert rows[-1]["line"] is None


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.name)
def test_overlay_keeps_the_row(spec: ParserSpec) -> None:
    sample = spec.samples[0]
    rows = run([*sample.before, sample.line], f"parse overlay=t {spec.name}", {"z": [1] * (len(sample.before) + 1)})
    expected = {"_time": "2003-10-12T00:00:00", "line": sample.line, "z": 1, **sample.row}
    assert plain(rows[-1]) == expected


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.name)
def test_declared_fields_have_their_types(spec: ParserSpec) -> None:
    with logsql.connect(tz="UTC") as session:
        session.register("t", pa.table({"line": [*spec.samples[0].before, spec.samples[0].line]}))
        schema = session.query(f"table t | parse {spec.name}").schema
    assert {f.name: f.type.label for f in spec.fields} == {f.name: schema[f.name] for f in spec.fields}


def test_another_field_can_hold_the_text() -> None:
    rows = run(["x"], "parse field=raw kv", {"raw": ["a=1 b=2"]})
    assert plain(rows[0]) == {"_time": "2003-10-12T00:00:00", "a": "1", "b": "2"}


def test_unknown_parser_names_the_nearest() -> None:
    with pytest.raises(logsql.LogsqlError) as caught:
        run(["x"], "parse zeekk")
    assert caught.value.code == "21001"
    assert caught.value.help is not None
    assert "zeek" in caught.value.help


def test_parsed_fields_can_be_searched_and_counted() -> None:
    lines = ["a=1 b=x", "a=2 b=y", "a=3 b=x"]
    rows = run(lines, 'parse kv | search b == "x" | stats count, max(a) as last')
    assert rows == [{"count": 2, "last": "3"}]


def test_headers_rule_the_lines_below_them_in_order() -> None:
    lines = ["#Fields: c-ip sc-status", "10.0.0.1 200", "#Fields: sc-status c-ip", "404 10.0.0.2", "one too many"]
    rows = run(lines, "parse w3c | fields c_ip, sc_status, line")
    assert rows == [
        {"c_ip": None, "sc_status": None, "line": "#Fields: c-ip sc-status"},
        {"c_ip": "10.0.0.1", "sc_status": "200", "line": None},
        {"c_ip": None, "sc_status": None, "line": "#Fields: sc-status c-ip"},
        {"c_ip": "10.0.0.2", "sc_status": "404", "line": None},
        {"c_ip": None, "sc_status": None, "line": "one too many"},
    ]
