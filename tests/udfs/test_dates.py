"""SimpleDateFormat: parsing and printing against JDK 17, and the DuckDB fast path against the slow one.

``java_date_cases.jsonl`` holds what SimpleDateFormat of JDK 17.0.15 gave (milliseconds, null for text that does not
fit, the printed text, or an error for the pattern); the two-digit year window of those runs starts at ``CENTURY``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.java import dates, zones

CENTURY = 1_735_689_600_000 - (80 * 365 + 20) * 86_400_000
#: Four and more S are digits of the fraction, which Java reads as whole milliseconds (decisions 26).
FRACTION = "SSSS"
CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("java_date_cases.jsonl").read_text(encoding="utf-8").splitlines()
]


def compiled(case: dict[str, Any]) -> dates.DatePattern:
    return dates._compile(case["pattern"], case["locale"], CENTURY)


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    yield con
    con.close()


def test_parsing_as_java() -> None:
    wrong = []
    for case in CASES:
        if case["do"] == "parse" and "error" not in case and FRACTION not in case["pattern"]:
            micros = compiled(case).parse_micros(case["text"], zones.as_zone(case["zone"]))
            got = None if micros is None else micros // 1000
            if got != case["expect"]:
                wrong.append(f"{case}: {got}")
    assert not wrong, "\n".join(wrong)


def test_printing_as_java() -> None:
    wrong = []
    for case in CASES:
        if case["do"] == "format" and FRACTION not in case["pattern"]:
            instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=case["millis"])
            got = compiled(case).format(instant, case["zone"])
            if got != case["expect"]:
                wrong.append(f"{case}: {got}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("pattern", sorted({case["pattern"] for case in CASES if "error" in case}))
def test_java_refuses_the_pattern(pattern: str) -> None:
    with pytest.raises(dates.DatePatternError):
        dates.compile_pattern(pattern)


#: The text of RFC 3339 logs (Suricata, Go, Kubernetes), the pattern, microseconds of the instant behind 10:00:00.
FRACTIONS = [
    ("2024-01-01T10:00:00.123456Z", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX", 123_456),
    ("2024-01-01T10:00:00.000001Z", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX", 1),
    ("2024-01-01T10:00:00.123456789Z", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSX", 123_456),
    ("2024-01-01T10:00:00.999999999Z", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSSX", 999_999),
    ("2024-01-01T10:00:00.123456789Z", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX", 123_456),
    ("2024-01-01T10:00:00.12Z", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSX", 120_000),  # Go leaves zeros out
    ("2024-01-01T10:00:00.1234Z", "yyyy-MM-dd'T'HH:mm:ss.SSSSX", 123_400),
    ("2024-01-01T19:00:00.123456+0900", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSZ", 123_456),
    ("2024-01-01 10:00:00,123456", "yyyy-MM-dd HH:mm:ss,SSSSSS", 123_456),
    ("20240101100000123456", "yyyyMMddHHmmssSSSSSS", 123_456),
    ("2024-01-01T10:00:00.123Z", "yyyy-MM-dd'T'HH:mm:ss.SSSX", 123_000),
]


@pytest.mark.parametrize(("text", "pattern", "micros"), FRACTIONS)
def test_a_long_run_of_s_is_a_fraction(text: str, pattern: str, micros: int, db: duckdb.DuckDBPyConnection) -> None:
    expected = datetime(2024, 1, 1, 10, tzinfo=UTC) + timedelta(microseconds=micros)
    compiled = dates.compile_pattern(pattern)
    assert compiled.parse(text, "UTC") == expected
    assert dates.parse_array(pa.array([text, None]), compiled, "UTC").to_pylist() == [expected, None]
    if compiled.fast is not None:
        shaped, parsed = db.execute(
            "SELECT regexp_full_match($1, $2), try_strptime($1, $3)", [text, compiled.shape_regex, compiled.strptime]
        ).fetchone() or (False, None)
        assert not shaped or (parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("SSSS", "0123"), ("SSSSSS", "012345"), ("SSSSSSSSS", "012345000"), ("SSS", "012"), ("ss.SSSSSSX", "05.012345Z")],
)
def test_a_long_run_of_s_prints_the_fraction(pattern: str, expected: str, db: duckdb.DuckDBPyConnection) -> None:
    instant = datetime(2024, 1, 1, 10, 0, 5, 12_345, tzinfo=UTC)
    compiled = dates.compile_pattern(pattern)
    assert compiled.format(instant, "UTC") == expected
    assert dates.format_array(pa.array([instant]), compiled, "UTC").to_pylist() == [expected]
    if compiled.strftime is not None:
        local = instant.replace(tzinfo=None)
        assert db.execute("SELECT strftime($1::TIMESTAMP, $2)", [local, compiled.strftime]).fetchone() == (expected,)


@pytest.mark.parametrize(
    ("text", "locale", "month", "day"),
    [
        ("août 19 11:08:37", "fr", 8, 19),  # a syslog of a French machine
        ("janv. 3 11:08:37", "fr_FR", 1, 3),
        ("févr 3 11:08:37", "fr-FR", 2, 3),
        ("März 7 11:08:37", "de", 3, 7),
        ("Okt. 7 11:08:37", "de_AT", 10, 7),
        ("ago. 7 11:08:37", "pt_BR", 8, 7),
        ("мая 7 11:08:37", "ru", 5, 7),
        ("12月 7 11:08:37", "zh_TW", 12, 7),
        ("Dec 7 11:08:37", "en_GB", 12, 7),
    ],
)
def test_months_of_any_language_of_cldr(text: str, locale: str, month: int, day: int) -> None:
    """The names are those of https://cldr.unicode.org, as `locale -ck abmon` of the same languages prints them."""
    found = dates.compile_pattern("MMM d HH:mm:ss", locale).parse(text, "UTC")
    assert found == datetime(1970, month, day, 11, 8, 37, tzinfo=UTC)


def test_unknown_locale_and_zone_are_refused() -> None:
    with pytest.raises(dates.DatePatternError, match="locale"):
        dates.compile_pattern("yyyy", "tlh")
    with pytest.raises(LookupError, match="Mars"):
        dates.compile_pattern("yyyy").parse("2020", "Mars/Olympus")


@pytest.mark.parametrize(
    ("text", "pattern", "locale", "zone", "expected"),
    [
        # conformance/functions.jsonl, function date
        ("2013-06-10 00:30:55.978", "yyyy-MM-dd HH:mm:ss.SSS", "en", "UTC", "2013-06-10 00:30:55.978000"),
        ("2024-01-30T10:11:12.123Z", "yyyy-MM-dd'T'HH:mm:ss.SSSX", "en", "Asia/Seoul", "2024-01-30 19:11:12.123000"),
        ("2024-01-30T10:11:12+0900", "yyyy-MM-dd'T'HH:mm:ssZ", "en", "UTC", "2024-01-30 01:11:12"),
        ("6월 1 토요일 2024 12:34:56", "MMM dd EEEE yyyy HH:mm:ss", "ko", "UTC", "2024-06-01 12:34:56"),
        ("2020-13-34", "yyyy-MM-dd", "en", "UTC", "2021-02-03 00:00:00"),
        ("2020-02-30", "yyyy-MM-dd", "en", "UTC", "2020-03-01 00:00:00"),
        ("2020-01-02 trailing", "yyyy-MM-dd", "en", "UTC", "2020-01-02 00:00:00"),
        ("05-Sep-2022 14:03", "dd-MMM-yyyy HH:mm", "en", "UTC", "2022-09-05 14:03:00"),
        ("", "yyyy-MM-dd", "en", "UTC", None),
        ("not a date", "yyyy-MM-dd", "en", "UTC", None),
    ],
)
def test_date_of_the_language(text: str, pattern: str, locale: str, zone: str, expected: str | None) -> None:
    found = dates.compile_pattern(pattern, locale).parse(text, zone)
    shown = None if found is None else str(found.astimezone(zones.as_zone(zone)).replace(tzinfo=None))
    assert shown == expected


def test_two_digit_years_slide_with_today() -> None:
    pattern = dates.compile_pattern("yy-MM-dd", today=datetime(2025, 6, 15, tzinfo=UTC))
    years = [
        found.year for text in ("45-06-14", "45-06-15", "99-01-01", "24-01-01") if (found := pattern.parse(text, "UTC"))
    ]
    assert years == [2045, 1945, 1999, 2024]


def test_columns() -> None:
    pattern = dates.compile_pattern("yyyy-MM-dd HH:mm")
    parsed = dates.parse_array(
        pa.chunked_array([["2024-01-01 09:00", None], ["bad", "2024-01-01 09:00"]]), pattern, "Asia/Seoul"
    )
    assert parsed.type == pa.timestamp("us", tz="UTC")
    midnight = datetime(2024, 1, 1, tzinfo=UTC)
    assert parsed.to_pylist() == [midnight, None, None, midnight]
    assert dates.format_array(parsed, pattern, "Asia/Seoul").to_pylist() == [
        "2024-01-01 09:00",
        None,
        None,
        "2024-01-01 09:00",
    ]


def test_milliseconds_before_1970_are_cut_downwards() -> None:
    instants = pa.array([-1, 1_999, None], pa.timestamp("us", tz="UTC"))
    pattern = dates.compile_pattern("ss.SSS")
    assert dates.format_array(instants, pattern, "UTC").to_pylist() == ["59.999", "00.001", None]


def fast(db: duckdb.DuckDBPyConnection, pattern: dates.DatePattern, text: str, zone: str) -> datetime | None:
    """The fast path as it stands in SQL; None when the guard sends the text to the slow path."""
    db.execute("SET TimeZone = ?", [zone])
    guarded = "CASE WHEN regexp_full_match($t, $s) THEN try_strptime($t, $f) END"
    instant = {None: f"({guarded})::TIMESTAMPTZ", "UTC": f"timezone('UTC', {guarded})", "offset": guarded}
    sql = f"SELECT epoch_ms({instant[pattern.strptime_zone]})"
    arguments = {"t": text, "s": pattern.shape_regex, "f": pattern.strptime}
    millis = db.execute(sql, arguments).fetchall()[0][0]
    return None if millis is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)


FAST = {
    "yyyy-MM-dd HH:mm:ss": "2024-02-29 23:59:58",
    "yyyy-MM-dd": "2024-02-29",
    "yyyyMMdd": "20240229",
    "yyyyMMddHHmmss": "20240229235958",
    "yyyyMMddHHmmssSSS": "20240229235958007",
    "yyyy-MM-dd HH:mm:ss.SSS": "2024-02-29 23:59:58.070",
    "yyyy-MM-dd'T'HH:mm:ssZ": "2024-02-29T23:59:58-0330",
    "yyyy-MM-dd'T'HH:mm:ss.SSSX": "2024-02-29T23:59:58.007Z",
    "dd/MMM/yyyy:HH:mm:ss": "29/Feb/2024:23:59:58",
    "dd/MMM/yyyy:HH:mm:ss Z": "29/Feb/2024:23:59:58 +0900",
    "d MMMM yyyy hh:mm a": "29 February 2024 12:05 AM",
    "yyyy.M.d H:m:s": "2024.02.29 03:04:05",
    "yyyy-MM-dd 100%": "2024-02-29 100%",
    "yyyy년 MM월 dd일 HH시": "2024년 02월 29일 23시",
}


@pytest.mark.parametrize(("pattern", "text"), FAST.items())
@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York"])
def test_fast_path_takes_ordinary_text(pattern: str, text: str, zone: str, db: duckdb.DuckDBPyConnection) -> None:
    found = dates.compile_pattern(pattern)
    expected = found.parse(text, zone)
    assert expected is not None
    assert fast(db, found, text, zone) == expected


@pytest.mark.parametrize("text", ["2024-03-10 02:30:00", "2024-11-03 01:30:00", "2023-02-30 01:00:00"])
def test_fast_path_at_clock_changes_and_roll_over(text: str, db: duckdb.DuckDBPyConnection) -> None:
    found = dates.compile_pattern("yyyy-MM-dd HH:mm:ss")
    assert fast(db, found, text, "America/New_York") in (None, found.parse(text, "America/New_York"))


@pytest.mark.parametrize(
    "pattern",
    [
        "yy-MM-dd",
        "yyyy",
        "MM-dd",
        "HH:mm",
        "yyyy-MM-dd hh:mm",
        "yyyyMd",
        "yyyy-MM-dd S",
        "yyyy-DDD",
        "yyyy-MM-dd z",
        "EEE d M y",
    ],
)
def test_no_fast_path(pattern: str) -> None:
    found = dates.compile_pattern(pattern)
    assert (found.strptime, found.shape_regex) == (None, None)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One for all examples: opening one costs more than a hundred of them."""
    return duckdb.connect()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_fast_path_never_differs(data: st.DataObject) -> None:
    """Changed samples: whatever passes the guard must mean what the slow path says."""
    pattern, text = data.draw(st.sampled_from(list(FAST.items())))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text = text[:at] + data.draw(st.sampled_from("0123456789-: APZ")) + text[at + data.draw(st.integers(0, 1)) :]
    zone = data.draw(st.sampled_from(["UTC", "Asia/Seoul", "America/New_York"]))
    found = dates.compile_pattern(pattern)
    quick = fast(_connection(), found, text, zone)
    # Before 1910, ICU and the Python zone data round local mean time differently.
    early = quick is not None and quick.year <= 1910
    assert quick is None or early or quick == found.parse(text, zone)


@pytest.mark.parametrize(
    "pattern",
    [
        "yyyy-MM-dd HH:mm:ss.SSS",
        "yy M/d h:m:s a",
        "EEE, d MMM yyyy",
        "EEEE MMMM dd hh K".replace(" K", ""),
        "D DDD u",
        "yyyy-MM-dd'T'HH '%'",
    ],
)
def test_strftime_prints_the_same(pattern: str, db: duckdb.DuckDBPyConnection) -> None:
    found = dates.compile_pattern(pattern)
    assert found.strftime is not None
    for millis in (0, 1_720_000_000_123, 1_709_164_800_000, 1_735_430_400_007, 951_782_400_000):
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
        shown = db.execute("SELECT strftime(make_timestamp_ms($m), $f)", {"m": millis, "f": found.strftime}).fetchall()
        assert shown == [(found.format(instant, "UTC"),)]


@pytest.mark.parametrize("pattern", ["Z", "z", "X", "k", "K", "w", "W", "F", "G", "Y", "SS", "DD", "dddd", "yyyyy"])
def test_strftime_has_no_letter(pattern: str) -> None:
    assert dates.compile_pattern(pattern).strftime is None
    assert dates.compile_pattern("MMM", "ko").strftime is None
