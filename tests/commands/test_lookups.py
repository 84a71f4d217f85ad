"""lookup, lookuptable, memlookup, geoip: language.md 8.4 and the outputs the vendor prints."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError, SourceError
from logsql.engine.session import Session
from tests.commands.mmdb import database


@pytest.fixture
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as made:
        made.register("t", pa.table({"status": [200, 404, 500], "desc": ["a", "b", "c"]}))
        made.add_lookup("codes", pa.table({"code": ["200", "404"], "desc": ["OK", None], "n": [1, 2]}), "code")
        yield made


def rows(session: Session, text: str) -> list[dict[str, Any]]:
    return session.query(text).rows()


def code(session: Session, text: str) -> str:
    with pytest.raises(LogsqlError) as caught:
        rows(session, text)
    return caught.value.code


def test_new_fields_are_null_without_a_hit_and_values_are_text(session: Session) -> None:
    assert rows(session, "table t | lookup codes status output n | fields status, n") == [
        {"status": 200, "n": "1"},
        {"status": 404, "n": "2"},
        {"status": 500, "n": None},
    ]


def test_an_existing_field_keeps_its_value_without_a_hit_or_value(session: Session) -> None:
    found = rows(session, "table t | lookup codes status output desc")
    assert [r["desc"] for r in found] == ["OK", "b", "c"]
    assert list(found[0]) == ["status", "desc"]


def test_aliases_other_key_column_and_unknown_columns(session: Session) -> None:
    text = 'json "[{k: 2}]" | lookup codes k as n output code as c, nope'
    assert rows(session, text) == [{"k": 2, "c": "404", "nope": None}]


def test_a_lookup_never_doubles_or_drops_rows_and_keeps_their_order(session: Session) -> None:
    session.add_lookup("twice", pa.table({"k": ["1", "1", None], "v": ["old", "new", "null"]}))
    session.register("many", pa.table({"i": list(range(400_000)), "k": ["1", None] * 200_000}))
    found = session.query("table many | lookup twice k output v").arrow()
    assert found["i"].to_pylist() == list(range(400_000))
    assert set(found["v"].to_pylist()) == {"new", None}


@pytest.mark.parametrize("many", [0, 1, 2, 50, 1000])
@pytest.mark.parametrize("kinds", [1, 3, 5000])
def test_the_last_row_of_a_key_counts(session: Session, many: int, kinds: int) -> None:
    """As in a map that is filled row by row (language.md 8.4); rows without a key are no entry of it."""
    chance = random.Random(many * kinds)
    keys = [None if chance.random() < 0.1 else f"k{chance.randrange(kinds)}" for _ in range(many)]
    session.add_lookup("last", pa.table({"k": pa.array(keys, pa.string()), "n": range(many)}), "k")
    filled = {key: number for number, key in enumerate(keys) if key is not None}
    session.register("asked", pa.table({"k": pa.array([f"k{n}" for n in range(kinds)])}))
    found = rows(session, "table asked | lookup last k output n")
    assert {row["k"]: row["n"] for row in found if row.get("n") is not None} == {k: str(n) for k, n in filled.items()}


def test_every_cell_of_a_lookup_file_can_be_looked_up(session: Session, tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text("k,v,v\na,1,2,over\nb,3\n", encoding="utf-8")
    session.add_lookup("wide", str(tmp_path / "wide.csv"), "k")
    text = "json \"[{k:'a'},{k:'b'}]\" | lookup wide k output v, v_1, column3"
    assert rows(session, text) == [
        {"k": "a", "v": "1", "v_1": "2", "column3": "over"},
        {"k": "b", "v": "3", "v_1": None, "column3": None},
    ]


NUMBERS = ("1", "1.0", "3.5", "9007199254740993")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (pa.array([1, 2**53 + 1], pa.int64()), ["a", "a", None, "b"]),
        (pa.array([1, 2**53 + 1], pa.uint64()), ["a", "a", None, "b"]),
        (pa.array([1.0, 3.5]), ["a", "a", "b", None]),
        (pa.array([1.0, 3.5], pa.float32()), ["a", "a", "b", None]),
        (pa.array(["1", "3.5"]), ["a", None, "b", None]),  # language.md 8.4: the key is turned into text
    ],
)
def test_numbers_among_numbers_meet_by_value(session: Session, keys: pa.Array, expected: list[str | None]) -> None:
    """decisions.md 25, 1 and 1.0 are equal keys: a double found no whole number."""
    session.add_lookup("n", pa.table({"k": keys, "v": ["a", "b"]}))
    for found, number in zip(expected, NUMBERS, strict=True):
        assert rows(session, f'json "[{{k:{number}}}]" | lookup n k output v | fields v') == [{"v": found}], number
    mixed = f'json "[{", ".join(f"{{k:{number}}}" for number in (*NUMBERS, chr(39) + "x" + chr(39)))}]"'
    assert [r["v"] for r in rows(session, f"{mixed} | lookup n k output v")] == [*expected, None]
    session.register("lines", pa.table({"line": [f'{{"k": {number}}}' for number in NUMBERS]}))
    assert [r["v"] for r in rows(session, "table lines | parsejson | lookup n k output v")] == expected


def test_text_finds_a_number_as_it_is_written_only(session: Session) -> None:
    """language.md 8.4: the key is text; text never equals a number otherwise (8.4, join)."""
    session.add_lookup("n", pa.table({"k": [1, 2], "v": ["a", "b"]}))
    found = rows(session, "json \"[{k:'1'},{k:'01'},{k:'1.0'},{k:true}]\" | lookup n k output v")
    assert [r["v"] for r in found] == ["a", None, None, None]


def test_memlookup_remembers_that_its_texts_were_numbers(session: Session) -> None:
    rows(session, 'json "[{a:1.0,b:1},{a:2.5,b:2}]" | memlookup op=build name=m key=a b')
    found = rows(session, 'json "[{a:1},{a:2.5},{a:2}]" | lookup m a output b')
    assert [r["b"] for r in found] == ["1", "2", None]
    assert rows(session, "memlookup name=m") == [{"a": "1.0", "b": "1"}, {"a": "2.5", "b": "2"}]


def test_a_lookup_over_open_rows(session: Session) -> None:
    session.register("j", pa.table({"line": ['{"status": 200, "desc": "z"}', '{"status": 1, "desc": "y"}']}))
    text = "table j | parsejson | lookup codes status output desc, n | fields status, desc, n"
    assert rows(session, text) == [{"status": 200, "desc": "OK", "n": "1"}, {"status": 1, "desc": "y", "n": None}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lookup", "20701"),
        ("lookup nope status output n", "20701"),
        ("lookup codes output n", "20702"),
        ("lookup codes status", "20700"),
        ("lookup codes status n", "20700"),
        ("lookup codes status output", "20702"),
        ("lookup codes status output n as", "20703"),
        ("lookup codes status as output n", "20703"),
        ("lookup codes status as zz output n", "20702"),
        ("lookup geoip status output country", "20701"),
    ],
)
def test_errors_of_lookup(session: Session, text: str, expected: str) -> None:
    assert code(session, f"table t | {text}") == expected


def test_lookuptable_with_options_behind_the_name(session: Session) -> None:
    assert rows(session, "lookuptable codes") == [
        {"code": "200", "desc": "OK", "n": 1},
        {"code": "404", "desc": None, "n": 2},
    ]
    assert rows(session, "lookuptable codes limit=1 offset=1 n, zz, code") == [{"n": 2, "zz": None, "code": "404"}]
    assert code(session, "lookuptable nope") == "20701"
    assert code(session, "lookuptable geoip") == "20701"


def test_files_are_read_and_kept_beside_the_database(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text('﻿code,"long name"\n7,"a, b"\n8\n', encoding="utf-8")
    with logsql.connect(str(tmp_path / "case.duckdb")) as session:
        session.add_lookup("names", file)
        found = rows(session, "lookuptable names")
        assert found == [{"code": "7", "long name": "a, b"}, {"code": "8", "long name": None}]
    with logsql.connect(str(tmp_path / "case.duckdb")) as session:
        assert session.lookup_names() == ["names"]
        text = 'json "[{c: 7}]" | lookup names c output long name as n'
        assert rows(session, text) == [{"c": 7, "n": "a, b"}]
        assert rows(session, "system lookups") == [{"name": "names"}]
    with logsql.connect() as session, pytest.raises(SourceError):
        session.add_lookup("x", tmp_path / "missing.csv")


def test_memlookup_builds_lists_and_drops(session: Session) -> None:
    assert rows(session, "table t | memlookup op=build name=m key=status desc") == []
    assert rows(session, "memlookup op=list") == [{"name": "m", "key": "status", "size": 3}]
    assert rows(session, "memlookup name=m | limit 1") == [{"status": "200", "desc": "a"}]
    assert rows(session, 'json "[{s: 404}]" | lookup m s output desc') == [{"s": 404, "desc": "b"}]
    assert rows(session, "memlookup op=drop name=m") == []
    assert rows(session, "memlookup") == []
    assert code(session, "lookuptable m") == "20701"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("memlookup op=foo", "22000"),
        ("table t | memlookup op=build key=status", "22001"),
        ("memlookup op=drop", "22001"),
        ("table t | memlookup op=build name=m", "22002"),
        ("memlookup op=drop name=codes", "22004"),
        ("memlookup op=list name=nope", "22005"),
    ],
)
def test_errors_of_memlookup(session: Session, text: str, expected: str) -> None:
    assert code(session, text) == expected


@pytest.fixture
def geo(tmp_path: Path) -> Iterator[Session]:
    city = {
        "8.8.8.0/24": {"country": {"iso_code": "US"}, "location": {"latitude": 37.751, "longitude": -97.822}},
        "14.63.0.0/16": {
            "country": {"iso_code": "KR"}, "city": {"names": {"en": "Seoul", "ko": "서울"}},
            "subdivisions": [{"iso_code": "11", "names": {"en": "Seoul Special City"}}],
            "location": {"latitude": 37.5, "longitude": 127.0},
        },
        "2001:db8::/32": {"country": {"iso_code": "DE"}},
    }  # fmt: skip
    asn = {"8.8.8.0/24": {"autonomous_system_number": 15169, "autonomous_system_organization": "GOOGLE"}}
    (tmp_path / "city.mmdb").write_bytes(database(city, "GeoLite2-City"))
    (tmp_path / "asn.mmdb").write_bytes(database(asn, "GeoLite2-ASN"))
    with logsql.connect(tz="UTC", geoip=str(tmp_path)) as made:
        yield made


def test_geoip_as_the_vendor_prints_it(geo: Session) -> None:
    # The vendor's tutorial prints country US, city null, asn "AS15169 GOOGLE" and the place as numbers for this query.
    text = 'json "{}" | eval ip="8.8.8.8" | lookup geoip ip output country, city, asn, latitude, longitude'
    place = {"country": "US", "city": None, "asn": "AS15169 GOOGLE", "latitude": 37.751, "longitude": -97.822}
    assert rows(geo, text) == [{"ip": "8.8.8.8", **place}]


def test_geoip_of_addresses_private_addresses_and_other_text(geo: Session) -> None:
    geo.register("a", pa.table({"s": ["14.63.169.218", "10.0.0.1", "no address", None, "2001:db8::1"]}))
    found = rows(geo, "table a | lookup geoip s output country as c, region, city")
    assert [(r["c"], r["region"], r["city"]) for r in found] == [
        ("KR", "Seoul Special City", "Seoul"),
        (None, None, None),
        (None, None, None),
        (None, None, None),
        ("DE", None, None),
    ]
    text = 'json "{}" | eval i = ip("14.63.169.218") | lookup geoip i output city | fields city'
    assert rows(geo, text) == [{"city": "Seoul"}]


def test_geoip_refuses_what_it_does_not_know(geo: Session, tmp_path: Path) -> None:
    assert code(geo, 'json "{}" | lookup geoip ip output contry') == "20702"
    with logsql.connect(geoip=str(tmp_path / "nothing")) as session:
        assert code(session, 'json "{}" | lookup geoip ip output country') == "20701"
    assert geo.lookup_names() == ["geoip"]
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x.mmdb").write_bytes(b"no database")
    with logsql.connect(geoip=str(tmp_path / "broken")) as session:
        assert code(session, 'json "{}" | lookup geoip ip output country') == "20701"


def test_safe_sessions_neither_read_nor_write_lookup_files(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("a,b\n1,2\n")
    with logsql.connect(safe=True) as session:
        with pytest.raises(LogsqlError):
            session.add_lookup("x", os.fspath(file))
        with pytest.raises(LogsqlError):
            session.add_lookup("x", pa.table({"a": ["1"]}), keep=True)
