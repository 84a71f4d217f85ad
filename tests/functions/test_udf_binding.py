"""The Arrow functions behind SQL: registration, bad rows, errors that must be seen, random values."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from logsql.udfbridge import registry as udfs
from logsql.udfbridge.registry import UDFS, UdfSpec, install
from tests.functions.harness import Bench, single
from udfs.java.javaregex import RegexTimeout


def fails_on_x(values: Any) -> Any:
    """A target of a test row: refuses a batch that holds "x"."""
    if "x" in values.to_pylist():
        raise ValueError("x")
    return values


def runs_away(values: Any) -> Any:
    """A target of a test row: a pattern that does not end."""
    raise RegexTimeout("(a+)+b", 5.0)


@pytest.fixture
def connection() -> Any:
    found = duckdb.connect()
    yield found
    found.close()


def test_installing_twice_and_on_another_cursor_is_harmless(connection: Any) -> None:
    install(connection, ["lq_ip"], "UTC")
    install(connection, ["lq_ip", "lq_hash"], "Asia/Seoul")
    other = connection.cursor()
    install(other, ["lq_hash"], "UTC")
    assert other.execute("SELECT lq_ip('::1')").fetchall() == [("0:0:0:0:0:0:0:1",)]


def test_only_the_named_functions_are_registered(connection: Any) -> None:
    install(connection, ["lq_ip"], "UTC")
    with pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT lq_hash('a'::BLOB, 'sha512')")


def test_an_unknown_name_is_a_bug(connection: Any) -> None:
    with pytest.raises(KeyError):
        install(connection, ["lq_nosuch"], "UTC")


@pytest.mark.parametrize("name", list(UDFS))
def test_every_row_registers_and_its_target_exists(connection: Any, name: str) -> None:
    install(connection, [name], "UTC")
    assert callable(udfs._resolve(UDFS[name].target))


def test_a_bad_row_becomes_null_and_the_others_keep_their_value(monkeypatch: Any, connection: Any) -> None:
    spec = UdfSpec("lq_test_rows", ("VARCHAR",), "VARCHAR", f"{__name__}:fails_on_x")
    monkeypatch.setitem(UDFS, spec.name, spec)
    install(connection, [spec.name], "UTC")
    rows = connection.execute("SELECT lq_test_rows(v) FROM (VALUES ('a'), ('x'), ('b'), (NULL)) t(v)").fetchall()
    assert rows == [("a",), (None,), ("b",), (None,)]


def test_a_runaway_pattern_ends_the_query_by_name(monkeypatch: Any, connection: Any) -> None:
    spec = UdfSpec("lq_test_away", ("VARCHAR",), "VARCHAR", f"{__name__}:runs_away")
    monkeypatch.setitem(UDFS, spec.name, spec)
    install(connection, [spec.name], "UTC")
    with pytest.raises(duckdb.Error, match=r"\(a\+\)\+b"):
        connection.execute("SELECT lq_test_away('a')")


def test_an_empty_input_gives_no_rows() -> None:
    bench = Bench([{"s": "a", "d": "2020-01-01T00:00:00"}], {"d": "date"})
    for call in ("LQ_FORMAT('%x', 'v', 'UTC', 5)", "LQ_DATE(s, 'yyyy', 'en', 'UTC')", "LQ_MATCH(s, 'a(?=b)')"):
        assert bench.run(f"SELECT {call} AS v FROM t WHERE s = 'nothing'") == []


def test_random_bytes_differ_between_rows() -> None:
    values = Bench([{"n": i} for i in range(50)]).values("tohex(randbytes(16))")
    assert len(set(values)) == 50
    assert {len(v) for v in values} == {32}


def test_a_seed_gives_the_sequence_of_java_util_random() -> None:
    # new java.util.Random(42).nextInt(10), JDK 17
    values = Bench([{"n": i} for i in range(8)]).values("rand(10, 42)")
    assert values == [0, 3, 8, 4, 0, 5, 5, 8]


def test_guid_differs_between_rows() -> None:
    assert len(set(Bench([{"n": i} for i in range(50)]).values("guid()"))) == 50


def test_seq_counts_in_row_order_and_per_call() -> None:
    bench = Bench([{"n": i} for i in range(5)])
    assert bench.values("seq()") == [1, 2, 3, 4, 5]
    assert bench.values("seq() * 10 + seq()") == [11, 22, 33, 44, 55]


@pytest.mark.parametrize(
    "expression",
    [
        "abs(v)",
        "-v",
        "round(v, -2)",
        "ceil(v, -18)",
        "epoch(v)",
        "long2ip(v)",
        "ip(v)",
        "v + v",
        "v * v",
        "mod(v, 0 - 1)",
        "substr(w, v)",
        "left(w, v)",
        "lpad(w, v)",
        "indexof(w, w, v)",
        "lastindexof(w, w, v)",
        "subarray(array(1), v)",
        "valueof(array(1), v)",
        "floor(v / 3, v)",
        "sumarray(array(v, v, v))",
        "pow(v, v)",
        "exp(v)",
        "network(w, v)",
        "int(v / 1)",
        "long(v * 1.0)",
    ],
)
@pytest.mark.parametrize("value", [9223372036854775807, -9223372036854775808, -2147483648, 0, -1])
def test_extreme_numbers_never_stop_a_query(expression: str, value: int) -> None:
    bench = Bench([{"v": value, "w": "some text"}])
    assert len(bench.values(expression)) == 1
    if not (expression.startswith("left(") and value < 0):  # refused as a constant
        assert len(bench.values(re.sub(r"\bv\b", f"({value})" if value >= 0 else f"(0 - {-value})", expression))) == 1


@pytest.mark.parametrize("aggregate", ["sum(v)", "range(v)", "avg(v)", "var(v)", "corr(v, v)", "median(v)", "max(v)"])
def test_extreme_sums_never_stop_a_query(aggregate: str) -> None:
    for values in ((9223372036854775807, -9223372036854775808, 9223372036854775807), (1e308, 1e308, -1e308)):
        found = Bench([{"v": v} for v in values]).aggregate(aggregate)
        assert found is None or isinstance(found, (int, float, Decimal))


def test_a_sum_beyond_64_bits_is_null() -> None:
    assert Bench([{"v": 9223372036854775807}, {"v": 1}]).aggregate("sum(v)") is None


@pytest.mark.parametrize(
    "text", ["", " ", "é", "👩‍👩‍👧", "a\u0000b", "\ud7ff", "%", "%zz", "::", "1.2.3.4:80", "a" * 5000]
)
def test_odd_texts_never_stop_a_query(text: str) -> None:
    bench = Bench([{"s": text}])
    for expression in (
        "upper(s)", "trim(s)", "substr(s, 1)", "urldecode(s)", "urlencode(s)", 'split(s, "a")', "ip(s)", "fromhex(s)",
        "frombase64(s)", 'date(s, "yyyy-MM-dd")', 'groups(s, "(.)(.)")', 'replace(s, "(.)", "$1$1", "re")', "int(s)",
        "double(s)", 'hash("sha512", binary(s))', 'decode(binary(s, "UTF-16LE"), "EUC-KR")', 'network(s, 8)',
        "signature(s)", "reverseip(s)", "lastindexof(s, s)", 'match(s, "(.)\\\\1")', 'format("%5s|", s)',
    ):  # fmt: skip
        assert len(bench.values(expression)) == 1, expression


def test_bytes_that_are_no_text_are_shown_with_replacement_characters() -> None:
    assert single('decode(fromhex("41ff42"))') == "A\ufffdB"


def test_arrow_types_are_known_for_every_row() -> None:
    for spec in UDFS.values():
        assert isinstance(udfs._arrow_type(spec.returns), pa.DataType)
