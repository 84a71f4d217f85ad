"""Every kind of value in JSON lines and CSV, byte for byte.

Expected texts come from the rules: decisions.md 17 (compact, dates as ``yyyy-MM-dd HH:mm:ss+ZZZZ``, binary as hex, all
digits), RFC 8259 (what may stand in JSON), RFC 4180 (quoting), and Python's datetime for instants it can hold.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.support import column, rendered

US = 1_000_000


def jsonl(values: pa.Array, label: str | None = None) -> list[str]:
    text, _ = rendered("jsonl", column(values, label))
    return [line.removeprefix('{"v":').removesuffix("}") for line in text.split("\n")[:-1]]


def csv(values: pa.Array, label: str | None = None) -> list[str]:
    text, _ = rendered("csv", column(values, label))
    return text.split("\n")[1:-1]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([2**63 - 1, -(2**63), None]), ["9223372036854775807", "-9223372036854775808", "null"]),
        (pa.array([2**53 + 1]), ["9007199254740993"]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([Decimal(10**37 + 1)], pa.decimal128(38, 0)), ["10000000000000000000000000000000000001"]),
        (pa.array([Decimal("1.50"), Decimal("-0.07")], pa.decimal128(9, 2)), ["1.50", "-0.07"]),
        (pa.array([404.0, 0.1, -0.0, 12345678.25]), ["404.0", "0.1", "-0.0", "12345678.25"]),
        (pa.array([float("nan"), float("inf"), float("-inf"), None]), ["null"] * 4),
        (pa.array([True, False, None]), ["true", "false", "null"]),
        (pa.array([b"\x00\xab\xff", b"", None]), ['"00abff"', '""', "null"]),
        (pa.array([b"ab"], pa.binary(2)), ['"6162"']),
        (pa.array(["서울", "", None]), ['"서울"', '""', "null"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ['"a"', '"b"', '"a"']),
        (pa.array(["x" * 20, "y"], pa.string_view()), [f'"{"x" * 20}"', '"y"']),
        (pa.nulls(2), ["null", "null"]),
        (pa.array([dt.date(2024, 2, 29)]), ['"2024-02-29"']),
        (pa.array([["a", None], [], None]), ['["a",null]', "[]", "null"]),
        (pa.array([[[1], None], None]), ["[[1],null]", "null"]),
        (pa.array([[1, 2]], pa.list_(pa.int32(), 2)), ["[1,2]"]),
        (pa.array([{"a": 1, "b": ["x"]}, None]), ['{"a":1,"b":["x"]}', "null"]),
        (pa.array([[('k"', 1)], None], pa.map_(pa.string(), pa.int64())), ['{"k\\"":1}', "null"]),
        (pa.array([[b"ab"], [None]]), ['["6162"]', "[null]"]),
    ],
)  # fmt: skip
def test_json_literal(values: pa.Array, expected: list[str]) -> None:
    assert jsonl(values) == expected
    assert jsonl(pa.concat_arrays([values, values])[len(values) :]) == expected, "a slice prints as the whole does"


def test_text_is_escaped_as_json_demands_and_no_further() -> None:
    text = "".join(chr(code) for code in range(32)) + '"\\/\x7f\u2028é한😀'
    (line,) = jsonl(pa.array([text]))
    assert json.loads(line) == text
    assert line.endswith('\\"\\\\/\x7f\u2028é한😀"')
    assert "\\u0000" in line
    assert "\\n" in line


@given(st.lists(st.one_of(st.none(), st.text())))
def test_any_text_survives_json_lines(values: list[str | None]) -> None:
    text, _ = rendered("jsonl", column(pa.array(values, pa.string())))
    assert [json.loads(line)["v"] for line in text.split("\n")[:-1]] == values


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_doubles_read_back_to_the_same_value(values: list[float]) -> None:
    text, _ = rendered("jsonl", column(pa.array(values, pa.float64())))
    found = [json.loads(line)["v"] for line in text.splitlines()]
    assert np.array(found, np.float64).tobytes() == np.array(values, np.float64).tobytes()
    assert all(isinstance(value, float) for value in found), "a double never prints as an integer"


SEOUL = pa.timestamp("us", "Asia/Seoul")


def test_instants_in_the_session_zone() -> None:
    values = pa.array([1298093646_123456, 0, None, -1], SEOUL)
    # The vendor prints 2011-02-19 14:34:06+0900 for this instant; fractions stay in Parquet and Arrow output.
    assert jsonl(values) == [
        '"2011-02-19 14:34:06+0900"',
        '"1970-01-01 09:00:00+0900"',
        "null",
        '"1970-01-01 08:59:59+0900"',
    ]


def test_instants_beyond_python_dates_print() -> None:
    year_30828 = 910_692_730_085 * US  # the last instant of a Windows FILETIME with a sign: 30828-09-14 02:48:05 UTC
    values = pa.array(
        [253402300800 * US, year_30828, -62135596801 * US, 2**63 - 1, -(2**63) + 1], pa.timestamp("us", "UTC")
    )
    assert csv(values) == [
        "10000-01-01 00:00:00+0000",
        "30828-09-14 02:48:05+0000",
        "0000-12-31 23:59:59+0000",
        "infinity",
        "-infinity",
    ]


def test_years_beyond_arrow_print() -> None:
    cycles = 2000 * 146_097 * 86_400  # 800,000 years would leave 64-bit microseconds: whole seconds here
    assert csv(pa.array([cycles], pa.timestamp("s", "UTC"))) == ["801970-01-01 00:00:00+0000"]
    assert csv(pa.array([40 * 146_097 * 86_400 * US, None], pa.timestamp("us", "UTC"))) == [
        "17970-01-01 00:00:00+0000",
        '""',
    ]
    assert csv(pa.array([100 * 146_097 * 86_400 * US], pa.timestamp("us", "UTC"))) == ["41970-01-01 00:00:00+0000"]


def test_daylight_saving_holds_in_far_years() -> None:
    # The calendar repeats every 400 years: July of 10023 has the summer offset that July of 9623 has.
    july = int(dt.datetime(9623, 7, 1, 12, tzinfo=dt.UTC).timestamp()) + 146_097 * 86_400
    assert csv(pa.array([july * US], pa.timestamp("us", "America/New_York"))) == ["10023-07-01 08:00:00-0400"]


@pytest.mark.parametrize(
    "zone", ["Asia/Seoul", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu"]
)
@given(moments=st.lists(st.integers(-62_135_510_400, 253_402_214_400), min_size=1, max_size=20))
def test_instants_agree_with_zoneinfo(zone: str, moments: list[int]) -> None:
    found = csv(pa.array([m * US for m in moments], pa.timestamp("us", zone)))
    assert len(found) == len(moments)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    for moment, text in zip(moments, found, strict=True):
        local = (epoch + dt.timedelta(seconds=moment)).astimezone(ZoneInfo(zone))
        minutes = int(abs(local.utcoffset() or dt.timedelta(0)).total_seconds()) // 60
        sign = "-" if (local.utcoffset() or dt.timedelta(0)) < dt.timedelta(0) else "+"
        assert text == f"{local.year:04d}{local:-%m-%d %H:%M:%S}{sign}{minutes // 60:02d}{minutes % 60:02d}"


def test_both_sides_of_a_daylight_change_to_the_second() -> None:
    change = 1710054000  # 2024-03-10 07:00:00 UTC: New York goes from -0500 to -0400
    found = csv(pa.array([(change - 1) * US, change * US], pa.timestamp("us", "America/New_York")))
    assert found == ["2024-03-10 01:59:59-0500", "2024-03-10 03:00:00-0400"]


def test_fixed_offset_zones_and_timestamps_without_zone() -> None:
    assert csv(pa.array([0], pa.timestamp("s", "-05:30"))) == ["1969-12-31 18:30:00-0530"]
    assert csv(pa.array([0], pa.timestamp("ns"))) == ["1970-01-01 00:00:00"]


@pytest.mark.parametrize("label", ["any", "map", "list"])
def test_json_text_is_compacted_and_otherwise_untouched(label: str) -> None:
    values = pa.array(['{"a b": 1.10,\n "c": "x \\" y ,"}', "1e400", "0.10000000000000000555", None])
    assert jsonl(values, label) == ['{"a b":1.10,"c":"x \\" y ,"}', "1e400", "0.10000000000000000555", "null"]


def test_mixed_values_are_text_in_csv() -> None:
    values = pa.array(['"plain"', '"t\\u00e9 \\"q\\""', "404", "null", '[1,"a"]', None])
    assert csv(values, "any") == ["plain", '"té ""q"""', "404", '""', '"[1, a]"', '""']


def test_lists_are_one_text_in_csv_whatever_holds_them() -> None:
    typed = pa.array([["a", None], [], None], pa.list_(pa.string()))
    assert csv(typed) == ['"[a, null]"', "[]", '""']
    mixed = pa.array(['["a",null]', "[]", None, '[{"b":[1,"x"]},[2]]'])
    assert csv(mixed, "any") == ['"[a, null]"', "[]", '""', '"[{""b"":[1,""x""]}, [2]]"']


def test_half_a_surrogate_stays_as_it_is_written() -> None:
    assert csv(pa.array(['"\\ud800"']), "any") == ['"""\\ud800"""']


def test_addresses_are_plain_text() -> None:
    assert jsonl(pa.array(["10.0.0.1"]), "ip") == ['"10.0.0.1"']


def test_uuid_columns_print_as_uuids() -> None:
    value = uuid.UUID("12345678-1234-5678-1234-567812345678")
    storage = pa.array([value.bytes, None], pa.binary(16))
    assert csv(pa.ExtensionArray.from_storage(pa.uuid(), storage)) == [str(value), '""']


def test_json_extension_columns_hold_json() -> None:
    array = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None]))
    assert jsonl(array) == ['{"a":1}', "null"]
