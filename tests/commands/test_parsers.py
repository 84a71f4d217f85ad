"""Every named parser on its own sample lines; rows of other formats; overlay; typed fields."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.commands.parse.logs.base import PARSERS, ParserSpec, Sample
from logsql.planner.spec import COMMANDS
from tests.run_case import session

SPECS = list({id(s): s for s in PARSERS.values()}.values())
SAMPLES = [pytest.param(spec, sample, id=f"{spec.name}-{i}") for spec in SPECS for i, sample in enumerate(spec.samples)]
RECEIVED = dt.datetime(2003, 10, 12, tzinfo=dt.UTC)


def run(lines: list[str], tail: str, extra: dict[str, list[Any]] | None = None) -> list[dict[str, Any]]:
    """Rows of ``table t | TAIL`` over lines received on 2003-10-12."""
    times = pa.array([RECEIVED] * len(lines), pa.timestamp("us", tz="UTC"))
    session("UTC").register("t", pa.table({"_time": times, "line": lines, **(extra or {})}))
    return session("UTC").query(f"table order=asc t | {tail}").rows()


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
    session("UTC").register("t", pa.table({"line": [*spec.samples[0].before, spec.samples[0].line]}))
    schema = session("UTC").query(f"table t | parse {spec.name}").schema
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
    (note,) = caught.value.notes
    assert note == "parsers: " + ", ".join(sorted(PARSERS))


def test_the_page_of_parse_lists_every_parser() -> None:
    page = COMMANDS["parse"].description
    for spec in SPECS:
        assert spec.summary[0] in page
        assert all(f"`{name}`" in page for name in (spec.name, *spec.aliases))


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


# --- times ------------------------------------------------------------------------------------------------------------

#: Heads as senders write them: (line, time of the row) -> what live.md, section 2, says of time, host and program.
HEADS: list[tuple[str, str, str | None, str | None, str | None]] = [
    ("<34>Oct 11 2026 22:14:15 h su: year after day", "2026-01-01T00:00:30", "2026-10-11T22:14:15", "h", "su"),
    ("<34>Feb 29 22:14:15 h su: leap", "2026-01-01T00:00:30", None, "h", "su"),
    ("<34>Feb 29 22:14:15 h su: leap", "2025-01-01T00:00:30", "2024-02-29T22:14:15", "h", "su"),
    ("Feb 30 22:14:15 h su: no such day", "2026-01-01T00:00:30", None, "h", "su"),
    ("<13>2026-01-02T03:04:05.678+09:00 h app[12]: iso", "2026-01-01T00:00:30", "2026-01-01T18:04:05.678", "h", "app"),
    (
        "<189>123: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: Configured",
        "2026-01-01T00:00:30",
        "2025-03-01T18:46:11.123",
        None,
        "%SYS-5-CONFIG_I",
    ),
    (
        "*Mar  1 18:46:11.123: %SYS-5-CONFIG_I: x",
        "2026-04-01T00:00:30",
        "2026-03-01T18:46:11.123",
        None,
        "%SYS-5-CONFIG_I",
    ),
    (".Mar  1 18:46:11 KST: %LINK-3-UPDOWN: x", "2026-04-01T00:00:30", "2026-03-01T09:46:11", None, "%LINK-3-UPDOWN"),
    ("<34>Oct 11 22:14:15 su: no host", "2026-01-01T00:00:30", "2025-10-11T22:14:15", None, "su"),
    ("<34>Oct 11 22:14:15 su[7]: no host", "2026-01-01T00:00:30", "2025-10-11T22:14:15", None, "su"),
    ("<34>Oct 11 22:14:15 h su[12]: with pid", "2026-01-01T00:00:30", "2025-10-11T22:14:15", "h", "su"),
    ("<34>Oct 11 22:14:15 fe80::1 su: x", "2026-01-01T00:00:30", "2025-10-11T22:14:15", "fe80::1", "su"),
    ("Jan  1 00:00:05 h su: behind midnight", "2025-12-31T23:59:50", "2026-01-01T00:00:05", "h", "su"),
    ("Dec 31 23:59:58 h su: before it", "2026-01-01T00:00:10", "2025-12-31T23:59:58", "h", "su"),
    ("Jan  2 00:00:51 h su: more than a day ahead", "2026-01-01T00:00:50", "2025-01-02T00:00:51", "h", "su"),
]


def test_heads_as_senders_write_them() -> None:
    received = [dt.datetime.fromisoformat(head[1]).replace(tzinfo=dt.UTC) for head in HEADS]
    with logsql.connect(tz="UTC") as session:
        times = pa.array(received, pa.timestamp("us", tz="UTC"))
        table = {"_time": times, "line": [head[0] for head in HEADS], "n": list(range(len(HEADS)))}
        session.register("t", pa.table(table))
        rows = session.query("table t | parse overlay=t syslog | sort n").rows()
    for (line, came, time, host, app), row in zip(HEADS, rows, strict=True):
        shown = plain(row)
        assert (shown["_time"], shown.get("host"), shown.get("app")) == (time or came, host, app), line


@pytest.mark.parametrize("line", ["<999>Oct 11 22:14:15 h su: x", "just text", "<34>", "<34>1", "<34>1 ", ""])
def test_what_is_no_head_stays(line: str) -> None:
    for name in ("syslog", "syslog5424"):
        assert plain(run([line], f"parse {name}")[0]) == {"_time": "2003-10-12T00:00:00", "line": line}


def test_the_time_of_a_line_comes_from_its_head() -> None:
    lines = [
        "<38>1 2024-05-01T10:00:00Z web sshd 77 - - Failed password for root from 203.0.113.9 port 5 ssh2",
        "2024-05-01T10:00:00.5+09:00 web sshd[77]: Failed password for root from 203.0.113.9 port 5 ssh2",
        "Failed password for root from 203.0.113.9 port 5 ssh2",
    ]
    found = [plain(row)["_time"] for row in run(lines, "parse openssh")]
    assert found == ["2024-05-01T10:00:00", "2024-05-01T01:00:00.500", "2003-10-12T00:00:00"]


def test_rows_of_a_file_are_never_dated_now(tmp_path: Path) -> None:
    """``_time`` of a text file is the time of reading: no event has it. A missing year is that of the file."""
    path = tmp_path / "auth.log"
    head = "Mar  1 10:00:00 web sshd[77]: "
    text = "Failed password for root from 203.0.113.9 port 50022 ssh2"
    path.write_text(f"{head}{text}\n{text}\njust text\n")
    written = dt.datetime(2019, 4, 1, tzinfo=dt.UTC).timestamp()
    os.utime(path, (written, written))
    with logsql.connect(tz="UTC") as session:

        def times(query: str) -> list[Any]:
            return [plain(row).get("_time") for row in session.query(query).rows()]

        assert times(f"textfile {path} | parse openssh") == ["2019-03-01T10:00:00", None, None]
        assert times(f"textfile {path} | parse overlay=t openssh") == ["2019-03-01T10:00:00", None, None]
        assert times(f'textfile {path} | search line == "*web*" | sort line | parse syslog') == ["2019-03-01T10:00:00"]
        assert times(f"textfile {path} | parse nginx") == [None, None, None]
        # A time that the query gives is the row's own.
        given = f'textfile {path} | eval _time = date("2001-02-03", "yyyy-MM-dd") | parse openssh'
        assert times(given) == ["2000-03-01T10:00:00", "2001-02-03T00:00:00", "2001-02-03T00:00:00"]
        found = f'textfile dp="^(.*) web" df="MMM d HH:mm:ss" {path} | limit 1 | parse nginx'
        assert times(found) == ["1970-03-01T10:00:00"]
