"""What becomes of each type of PostgreSQL. Expectations come from the values written and the rules of the page."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.network.others_support import ran

if TYPE_CHECKING:
    from tests.network.db_support import Database

SEOUL = dt.timezone(dt.timedelta(hours=9))


def value(emp: Database, sql: str, as_type: str | None = None) -> object:
    """The one value of an SQL expression; nothing is lost on the way."""
    rows, lost = ran(emp.session, f"dbquery emp select {sql} as v")
    assert lost == {}
    if as_type is not None:
        assert emp.session.query(f"dbquery emp select {sql} as v").schema["v"] == as_type
    (row,) = rows
    return row["v"]


@pytest.mark.parametrize(
    ("sql", "expected", "type_"),
    [
        ("true", True, "bool"),
        ("32767::int2", 32767, "short"),
        ("(-2147483648)::int4", -(2**31), "int"),
        ("9223372036854775807", 2**63 - 1, "long"),
        ("(-9223372036854775808)::int8", -(2**63), "long"),
        ("4294967295::oid", 4294967295, "long"),
        ("1.5::float4", 1.5, "float"),
        ("'-Infinity'::float8", -math.inf, "double"),
        ("''", "", "string"),
        ("null::text", None, "string"),
        ("'한글 \U0001f600'", "한글 \U0001f600", "string"),
        ("'ab '::char(5)", "ab   ", "string"),
        ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "string"),
        ("'\\x00ff'::bytea", b"\x00\xff", "binary"),
        ("'12:34:56.789'::time", "12:34:56.789", "string"),
        ("'12:34:56+09'::timetz", "12:34:56+09", "string"),
        ("'1 mon 2 days 03:04:05'::interval", "1 mon 2 days 03:04:05", "string"),
        ("'1234.50'::money", "$1,234.50", "string"),
        ("'<a/>'::xml", "<a/>", "string"),
        ("B'101'", "101", "string"),
        ("point(1,2)", "(1,2)", "string"),
        ("int4range(1,5)", "[1,5)", "string"),
        ("'08:00:2b:01:02:03'::macaddr", "08:00:2b:01:02:03", "string"),
        ("'pg_class'::regclass", "pg_class", "string"),
        # numbers with all their digits
        (
            "1234567890123456789012345678901234.5678::numeric(38,4)",
            Decimal("1234567890123456789012345678901234.5678"),
            "double",
        ),
        ("12345678901234567890123456789012345678::numeric(38,0)", 12345678901234567890123456789012345678, "long"),
        ("0.1::numeric(3,2)", Decimal("0.10"), "double"),
        ("7::numeric(18,0)", 7, "long"),
        ("2.5::numeric", Decimal("2.5"), "double"),
        ("sum(9223372036854775807::int8)", 9223372036854775807, "long"),
        ("1200::numeric(2,-2)", 1200, "long"),
        # addresses
        ("'10.0.0.1'::inet", "10.0.0.1", "ip"),
        ("'2001:db8::1'::inet", "2001:db8::1", "ip"),
        ("'10.1.2.3/8'::inet", "10.1.2.3/8", "ip"),
        ("'10.0.0.0/8'::cidr", "10.0.0.0/8", "string"),
        ("'2001:db8::/32'::cidr", "2001:db8::/32", "string"),
        # dates
        ("'2026-01-02 03:04:05.678901+00'::timestamptz", dt.datetime(2026, 1, 2, 12, 4, 5, 678901, SEOUL), "date"),
        ("'2026-01-02 03:04:05'::timestamp", dt.datetime(2026, 1, 2, 3, 4, 5, 0, SEOUL), "date"),
        ("'2026-01-02'::date", dt.datetime(2026, 1, 2, 0, 0, 0, 0, SEOUL), "date"),
        ("'1969-12-31 23:59:59.5+09'::timestamptz", dt.datetime(1969, 12, 31, 23, 59, 59, 500000, SEOUL), "date"),
        ("null::timestamptz", None, "date"),
        # lists and maps
        ("array[1,null,3]", [1, None, 3], None),
        ("array[[1,2],[3,4]]", [[1, 2], [3, 4]], None),
        ("'{}'::int[]", [], None),
        ("null::int[]", None, None),
        ("array['a','b c',null]", ["a", "b c", None], None),
        ("array[9223372036854775807]", [9223372036854775807], None),
        ("array['10.0.0.1'::inet]", ["10.0.0.1"], None),
        ('\'{"a": {"b": [1, "x", null]}}\'::jsonb', {"a": {"b": [1, "x", None]}}, None),
        ("'[1, 2]'::json", [1, 2], None),
        ("'\"x\"'::jsonb", "x", None),
        ("row(1, 'a')", {"f1": 1, "f2": "a"}, None),
    ],
)
def test_a_value_of_each_type(emp: Database, sql: str, expected: object, type_: str | None) -> None:
    found = value(emp, sql, type_)
    assert found == expected
    assert type(found) is type(expected) or type_ == "ip"


def test_an_average_is_a_number(emp: Database) -> None:
    rows, lost = ran(emp.session, "dbquery emp select avg(x) as a, avg(x + 0.5) as b from (values (1),(2)) t(x)")
    assert (rows, lost) == ([{"a": Decimal("1.5"), "b": 2}], {})


def test_nan_is_a_number(emp: Database) -> None:
    found = value(emp, "'NaN'::float8")
    assert isinstance(found, float)
    assert math.isnan(found)


def test_numbers_that_no_decimal_holds_are_text(emp: Database) -> None:
    """One column: those that 38 digits hold are numbers, the others keep their digits as text and are counted."""
    big = "1" + "0" * 40
    query = f"dbquery emp select x from (values (1.5::numeric), ({big}), ('NaN'), (null), ('Infinity'), (2)) t(x)"
    rows, lost = ran(emp.session, query)
    assert [r["x"] for r in rows] == [Decimal("1.5"), big, "NaN", None, "Infinity", Decimal("2.0")]
    assert lost == {"not-a-decimal": 3}


def test_a_declared_number_that_is_none_is_null(emp: Database) -> None:
    rows, lost = ran(emp.session, "dbquery emp select x::numeric(5,2) as x from (values ('NaN'),('1')) t(x)")
    assert [r["x"] for r in rows] == [None, Decimal("1.00")]
    assert lost == {"number-without-place": 1}


def test_numbers_of_every_length(emp: Database) -> None:
    """Each is what the server writes, whatever stands beside it: zeros at both ends, signs, 1 to 38 digits."""
    emp.psql(
        "create table t as select i, (case when i % 7 = 0 then -1 else 1 end * i::numeric ^ (i % 9)) "
        "/ (10::numeric ^ (i % 6)) as x from generate_series(1, 3000) i; grant all on t to app"
    )
    written = [Decimal(line) for line in emp.psql("select x from t order by i").split()]
    rows, lost = ran(emp.session, "dbquery emp select x from t order by i")
    assert [row["x"] for row in rows] == written
    assert lost == {}
    emp.psql("insert into t values (0, 'NaN')")
    rows, lost = ran(emp.session, "dbquery emp select x from t order by i | eval x = string(x)")
    assert rows[0] == {"x": "NaN"}
    assert [Decimal(row["x"]) for row in rows[1:]] == written
    assert lost == {"not-a-decimal": 1}


def test_many_numbers_without_a_size_are_one_column_of_decimals(emp: Database) -> None:
    """An answer that is known to its end has no second type for what might come."""
    query = "dbquery emp select g * 1.25 as x from generate_series(1, 200000) g"
    found = emp.session.query(query)
    assert found.schema == {"x": "double"}
    assert str(found.arrow().schema.field("x").type) == "decimal128(8, 2)"  # 250000.00


def test_addresses_of_both_kinds_side_by_side(emp: Database) -> None:
    texts = [f"{n % 256}.{n // 256}.255.0" for n in range(3000)]
    texts += ["2001:db8::1", "::1", "10.1.2.3/8", "2001:db8::/64"]
    listed = ", ".join(f"({number}, '{text}')" for number, text in enumerate(texts))
    rows, lost = ran(
        emp.session, f"dbquery emp select x::inet as x from (values {listed}, (-1, null)) t(n, x) order by n"
    )
    assert [row["x"] for row in rows] == [None, *texts]
    assert lost == {}


def test_dates_without_an_end(emp: Database) -> None:
    rows, lost = ran(
        emp.session,
        "dbquery emp select 'infinity'::timestamptz a, '-infinity'::timestamp b, 'infinity'::date c, "
        "'294276-12-31'::timestamptz d, '5874897-01-01'::date e",
    )
    assert rows == [{"a": None, "b": None, "c": None, "d": None, "e": None}]
    assert lost == {"database-date-out-of-range": 5}


def test_dates_before_the_common_era(emp: Database) -> None:
    """Ides of March of 44 BC, midnight in the zone of the session."""
    query = "dbquery emp select '0044-03-15 BC'::date a, '0044-03-15 00:00:00 BC'::timestamp b"
    asked = 'eval same = a == b, old = a < date("0100-01-01", "yyyy-MM-dd") | fields same, old'
    rows, lost = ran(emp.session, f"{query} | {asked}")
    assert rows == [{"same": True, "old": True}]
    assert lost == {}


def test_types_that_the_user_made(emp: Database) -> None:
    emp.psql(
        "create type mood as enum ('sad', 'ok'); create domain code as int check (value > 0);"
        "create type place as (city text, zip int);"
        "create table t(m mood, c code, p place, ms mood[]); grant all on t to app;"
        "insert into t values ('ok', 5, row('Seoul', 1), '{sad,ok}')"
    )
    rows, lost = ran(emp.session, "dbquery emp select * from t")
    assert rows == [{"m": "ok", "c": 5, "p": {"city": "Seoul", "zip": 1}, "ms": ["sad", "ok"]}]
    assert lost == {}


def test_documents_are_open(emp: Database) -> None:
    query = 'dbquery emp select \'{"a": {"b": [10, 20]}}\'::jsonb as j | eval x = j.a.b[1] | fields x'
    assert ran(emp.session, query) == ([{"x": 20}], {})


def test_names_of_columns(emp: Database) -> None:
    """Two of one name, names that differ in case only, quotes; the later of two equal ones has a number."""
    rows, lost = ran(
        emp.session, 'dbquery emp select 1 as "a", 2 as "a", 3 as "A", 4 as "q""x", 5 as "한글 b", 6 as "a_1"'
    )
    assert rows == [{"a": 1, "a_2": 2, "A": 3, 'q"x': 4, "한글 b": 5, "a_1": 6}]
    assert lost == {"duplicate-column": 0}


def test_a_thousand_columns(emp: Database) -> None:
    columns = ", ".join(f"{n} as c{n}" for n in range(1000))
    rows, _ = ran(emp.session, f"dbquery emp select {columns}")
    assert rows == [{f"c{n}": n for n in range(1000)}]


def test_a_very_long_text(emp: Database) -> None:
    rows, _ = ran(
        emp.session, "dbquery emp select repeat('가', 10000000) as x, 1.5::numeric as n | eval l = len(x) | fields l"
    )
    assert rows == [{"l": 10_000_000}]
