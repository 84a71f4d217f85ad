"""Headers of syslog messages: what each field of a line is, by hand, and that ``parse`` says the same."""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo
from typing import Any

import pyarrow as pa
import pytest

import logsql
from tests.support import sample
from udfs.syslogheader import FIELDS, INSTANT, parse_headers

AT = dt.datetime(2026, 1, 1, 0, 0, 30, tzinfo=dt.UTC)
KST = dt.timezone(dt.timedelta(hours=9))
Row = dict[str, Any]


def at(*parts: int, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=zone)  # type: ignore[arg-type,misc]


def headers(
    lines: list[str | None], arrival: list[dt.datetime] | None = None, zone: str = "UTC", mode: str = "auto"
) -> list[Row]:
    """The fields of each line that are not null."""
    times = pa.array(arrival or [AT] * len(lines), INSTANT)
    found = parse_headers(pa.array(lines, pa.string()), times, zone, mode, FIELDS)
    assert {name: values.type for name, values in found.items()} == dict(FIELDS)
    return [
        {name: value for name, values in found.items() if (value := values[n].as_py()) is not None}
        for n in range(len(lines))
    ]


def pri(facility: int, severity: int) -> Row:
    return {"facility": facility, "severity": severity}


OCTOBER = at(2025, 10, 11, 22, 14, 15)
CASES: list[tuple[str | None, Row]] = [
    # RFC 5424, section 6.5, and what follows of the grammar of section 6.
    ("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed",
     pri(4, 2) | {"msg_time": at(2003, 10, 11, 22, 14, 15, 3000), "host": "mymachine.example.com", "app": "su",
                  "msgid": "ID47", "message": "'su root' failed"}),
    ('<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [ex@32473 iut="3" e="a\\"]b"][meta x="1"] [not sd] text',
     pri(20, 5) | {"msg_time": at(2003, 10, 11, 22, 14, 15, 3000), "host": "h", "app": "evntslog", "msgid": "ID47",
                   "structured_data": '[ex@32473 iut="3" e="a\\"]b"][meta x="1"]', "message": "[not sd] text"}),
    ("<13>1 - - - - - -", pri(1, 5)),
    ("<13>1 2026-02-30T00:00:00Z h a - - - bad date", pri(1, 5) | {"host": "h", "app": "a", "message": "bad date"}),
    ("<13>1 2026-01-02T03:04:05+09:00 h a 7 m - \ufeff\ufeffx",
     pri(1, 5) | {"msg_time": at(2026, 1, 2, 3, 4, 5, zone=KST), "host": "h", "app": "a", "procid": "7", "msgid": "m",
                  "message": "\ufeffx"}),
    ("<13>1 2026-01-02T03:04:05Z h a - - - two\nlines\0\t ",
     pri(1, 5) | {"msg_time": at(2026, 1, 2, 3, 4, 5), "host": "h", "app": "a", "message": "two\nlines\0\t "}),
    # RFC 3164 and what senders make of it.
    ("<999>Oct 11 22:14:15 h su: x", {}),
    ("<192>Oct 11 22:14:15 h su: x", {}),
    ("<191>Oct 11 22:14:15 h su: x", pri(23, 7) | {"msg_time": OCTOBER, "host": "h", "app": "su", "message": "x"}),
    ("Oct 11 22:14:15 h su: x", {"msg_time": OCTOBER, "host": "h", "app": "su", "message": "x"}),
    ("<34>Oct 11 2026 22:14:15 h su: year after day",
     pri(4, 2) | {"msg_time": at(2026, 10, 11, 22, 14, 15), "host": "h", "app": "su", "message": "year after day"}),
    ("<34>Feb 29 22:14:15 h su: leap", pri(4, 2) | {"host": "h", "app": "su", "message": "leap"}),
    ("<34>Abc 11 22:14:15 h su: x", pri(4, 2) | {"host": "h", "app": "su", "message": "x"}),
    ("<34>Oct 11 25:14:15 h su: x", pri(4, 2) | {"host": "h", "app": "su", "message": "x"}),
    ("<13>2026-01-02T03:04:05.678+09:00 h app[12]: iso",
     pri(1, 5) | {"msg_time": at(2026, 1, 2, 3, 4, 5, 678000, zone=KST), "host": "h", "app": "app", "procid": "12",
                  "message": "iso"}),
    ("<189>123: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: Configured",
     pri(23, 5) | {"msg_time": at(2025, 3, 1, 18, 46, 11, 123000), "app": "%SYS-5-CONFIG_I", "message": "Configured"}),
    ("<189>.Mar  1 18:46:11 KST: %SYS-5-X: y",
     pri(23, 5) | {"msg_time": at(2025, 3, 1, 18, 46, 11, zone=KST), "app": "%SYS-5-X", "message": "y"}),
    ("<34>Oct 11 22:14:15 su: no host", pri(4, 2) | {"msg_time": OCTOBER, "app": "su", "message": "no host"}),
    ("<34>Oct 11 22:14:15 h no app", pri(4, 2) | {"msg_time": OCTOBER, "host": "h", "message": "no app"}),
    ("<34>Oct 11 22:14:15 h su[12]: with pid",
     pri(4, 2) | {"msg_time": OCTOBER, "host": "h", "app": "su", "procid": "12", "message": "with pid"}),
    ("<13>no header", pri(1, 5) | {"message": "no header"}),
    ("<13>1x", pri(1, 5) | {"message": "1x"}),
    ("just text", {}), ("<34>", {}), ("<34>1", {}), ("<34>1 ", {}), ("", {}), (None, {}), ("<>", {}), ("<x>Oct", {}),
]  # fmt: skip


def test_the_fields_of_each_line() -> None:
    found = headers([line for line, _ in CASES])
    assert [(line, row) for (line, _), row in zip(CASES, found, strict=True)] == CASES


@pytest.mark.parametrize(("line", "row"), CASES, ids=[repr(line)[:40] for line, _ in CASES])
def test_a_line_alone_and_one_field_alone(line: str | None, row: Row) -> None:
    times = pa.array([AT], INSTANT)
    for name in FIELDS:
        found = parse_headers(pa.array([line], pa.string()), times, "UTC", "auto", {name})
        assert list(found) == [name]
        assert found[name].to_pylist() == [row.get(name)]


def test_parts_of_an_array_are_read_as_the_whole() -> None:
    lines = pa.array([line for line, _ in CASES], pa.string())
    whole = parse_headers(lines, None, "UTC", "auto", ("host", "message"))
    for start in range(len(lines)):
        part = parse_headers(lines.slice(start, 3), None, "UTC", "auto", ("host", "message"))
        assert {name: values.to_pylist() for name, values in part.items()} == {
            name: values.slice(start, 3).to_pylist() for name, values in whole.items()
        }


def test_modes() -> None:
    lines: list[str | None] = [CASES[0][0], "<34>Oct 11 22:14:15 h su: x", "<13>text"]
    assert [set(row) for row in headers(lines, mode="none")] == [set(), set(), set()]
    assert [row.get("host") for row in headers(lines, mode="rfc5424")] == ["mymachine.example.com", None, None]
    assert [row.get("host") for row in headers(lines, mode="rfc3164")] == [None, "h", None]
    assert [row.get("severity") for row in headers(lines, mode="rfc3164")] == [None, 2, 5]


@pytest.mark.parametrize(
    ("text", "arrival", "year"),
    [
        ("Dec 31 23:59:59", at(2026, 1, 1, 0, 0, 1), 2025),
        ("Jan  1 00:00:01", at(2025, 12, 31, 23, 59, 59), 2026),
        ("Jan  1 12:00:00", at(2025, 12, 31, 12, 0, 0), 2026),
        ("Jan  1 12:00:01", at(2025, 12, 31, 12, 0, 0), 2025),
        ("Jun  1 00:00:00", at(2026, 5, 30, 23, 59, 59), 2025),
        ("Feb 29 00:00:00", at(2025, 1, 1), 2024),
    ],
)
def test_the_year_of_a_time_without_one(text: str, arrival: dt.datetime, year: int) -> None:
    (row,) = headers([f"<13>{text} h a: x"], [arrival])
    assert row["msg_time"].year == year


def test_every_row_has_its_own_arrival() -> None:
    times = [at(2026, 1, 1, 0, 0, 1), at(2025, 12, 31, 23, 0, 0), at(2020, 6, 1), at(2026, 1, 1, 0, 0, 1)]
    rows = headers(["<13>Dec 31 23:59:59 h a: x"] * 4, times)
    assert [row["msg_time"].year for row in rows] == [2025, 2025, 2019, 2025]


def test_a_zone_that_changes_its_clock() -> None:
    """In New York 2026-11-01 01:30 comes twice: the later one. 2026-03-08 02:30 never comes: by the old clock."""
    lines: list[str | None] = ["<13>Nov  1 2026 01:30:00 h a: x", "<13>2026-03-08T02:30:00 h a: x"]
    rows = headers(lines, zone="America/New_York")
    assert [row["msg_time"] for row in rows] == [at(2026, 11, 1, 6, 30), at(2026, 3, 8, 7, 30)]


def test_a_header_is_looked_for_in_the_beginning_of_a_line_only() -> None:
    message = "가" * 100_000
    (row,) = headers([f"<34>Oct 11 22:14:15 h su: {message}"])
    assert (row["host"], row["message"]) == ("h", message)
    (row,) = headers(['<34>1 2003-10-11T22:14:15Z h a - - [x y="' + "z" * 10_000 + '"] text'])
    assert row == {}
    (row,) = headers(["<34>Oct 11 22:14:15 " + "h" * 9000 + " su: x"])
    assert "app" not in row


# --- parse says the same ----------------------------------------------------------------------------------------------

PIECES = [
    "<34>", "<191>", "<192>", "<0>", "<007>", "1 ", "2026-01-02T03:04:05Z ", "2026-01-02 03:04:05,123456789 ", "- ",
    "- - - ", "2026-03-08T02:30:00 ", "2026-13-02T03:04:05+0900 ", "2025-12-31T24:00:00Z ", "9998-12-31T23:59:59Z ",
    "Oct 11 ", "OCT  1 ", "Feb 29 ", "Xyz 40 ", "2026 ", "22:14:15 ", "1:02:03 ", "01:02:03.1234567 ", "24:00:00 ",
    "23:59:60 ", "host ", "h: ", "su[12]: ", "a[b]: ", "%SYS-5-X: ", "123: ", "*", ".", "UTC: ", "KST: ", "XXX: ", ": ",
    '[x y="z"]', '[x y="\\"]"] ', "[no] ", "\ufeff", "text", "\n", "\0", " ", "가격 ",
]  # fmt: skip
SHAPES = [
    "<34>1 {iso} h app 12 m - text",
    "<34>{day} {clock} h app[12]: text",
    "{day} {clock} app: text",
    "<34>{iso} h app: text",
    "<34>7: *{day} {clock} UTC: %A-1-B: text",
    "<34>{day} 2026 {clock} h app: text",
]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "dec"]


def wall(value: object, zone: str) -> object:
    """An instant as a clock in the zone shows it."""
    return value.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None) if isinstance(value, dt.datetime) else value


def random_line(chance: random.Random) -> str:
    if chance.random() < 0.4:
        return "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 9)))
    month = chance.choice(MONTHS)
    fraction = chance.choice(["", f".{chance.randrange(10**6):06d}", ".5", ".123456789"])
    zone = chance.choice(["", "Z", "+09:00", "-0330", "+01"])
    clock = f"{chance.randrange(25):02d}:{chance.randrange(60):02d}:{chance.randrange(60):02d}{fraction}"
    iso = f"{chance.choice([1970, 2025, 2026])}-{chance.randint(1, 12):02d}-{chance.randint(1, 31):02d}T{clock}{zone}"
    return chance.choice(SHAPES).format(iso=iso, day=f"{month} {chance.randint(1, 31):2d}", clock=clock)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul", "America/New_York"])
def test_parse_gives_the_same(zone: str) -> None:
    """``parse syslog5424`` where a line is of that format, else ``parse syslog``: other code, other engine."""
    chance = random.Random(zone)
    lines = [line for line, _ in CASES if line is not None]
    lines += [random_line(chance) for _ in range(sample(100_000, 4_000))]
    times = [AT + dt.timedelta(seconds=chance.choice([0, -3600, 86_400, 200 * 86_400])) for _ in lines]
    mine = headers([*lines], times, zone)
    table = pa.table({"n": pa.array(range(len(lines))), "line": lines, "_time": pa.array(times, INSTANT)})
    with logsql.connect(tz=zone) as session:
        session.register("t", table.drop_columns(["_time"]).append_column("_time", pa.array(times, INSTANT)))
        new = session.query("table t | parse overlay=t syslog5424 | sort n").rows()
        old = session.query("table t | parse overlay=t syslog | sort n").rows()
    told = []
    for n, (newer, older) in enumerate(zip(new, old, strict=True)):
        row = dict(newer if newer.get("facility") is not None else older)
        if row.get("pid") is not None:
            row["procid"] = str(row["pid"])
        # A row without a time of its own keeps that of its arrival, and a program's number must be one.
        theirs = {name: row[name] for name in FIELDS if row.get(name) is not None} | {"msg_time": row["_time"]}
        ours = {"msg_time": times[n], **mine[n]}
        if "procid" not in theirs and not ours.get("procid", "").isdigit():
            ours.pop("procid", None)
        # Of an hour that comes twice the engine takes either, by what it read before.
        if {name: wall(value, zone) for name, value in ours.items()} != {n: wall(v, zone) for n, v in theirs.items()}:
            told.append((lines[n], times[n], ours, theirs))
    assert told[:5] == []
    assert sum("msg_time" in row for row in mine) > len(lines) / 4
