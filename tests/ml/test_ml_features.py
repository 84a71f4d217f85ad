"""Encoding rules: offsets, nulls, texts, addresses, dates, booleans, and the errors on unsuitable data."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logsql.ml.errors import MlError
from logsql.ml.features import (
    FeatureKind,
    FeatureSpec,
    build_features,
    check_list,
    check_schema,
    encode,
    label_text,
    labels,
    row_encoder,
)


def matrix(table: pa.Table, *names: str) -> np.ndarray:
    return encode(build_features(table, names), table)


def test_one_hour_of_milliseconds_keeps_its_instants_in_float32() -> None:
    start = 1_700_000_000_000
    at = pa.array(range(start, start + 3_600_000, 1000), pa.timestamp("ms", tz="UTC"))
    raw = np.arange(start, start + 3_600_000, 1000).astype(np.float32)
    assert len(np.unique(raw)) == 28  # what a forest would see without the offset
    assert len(np.unique(matrix(pa.table({"_time": at}), "_time"))) == 3600


def test_every_kind_and_null() -> None:
    table = pa.table(
        {
            "n": pa.array([5, None, 7]),
            "d": pa.array([Decimal("1.50"), Decimal("2.25"), None]),
            "t": pa.array(["b", "a", None]),
            "when": pa.array([dt.date(2024, 1, 2), None, dt.date(2024, 1, 1)]),
            "src": pa.array(["10.0.0.2", "10.0.0.1", None]),
            "ok": pa.array([True, False, None]),
        }
    )
    names = table.column_names
    specs = build_features(table, names)
    assert [s.kind.value for s in specs] == ["NUMERIC", "NUMERIC", "CATEGORICAL", "DATE", "IP", "BOOL"]
    nan = np.nan
    expected = [[0, 0, 1, 86_400_000, 1, 1], [nan, 0.75, 0, nan, 0, 0], [2, nan, nan, 0, nan, nan]]
    np.testing.assert_array_equal(encode(specs, table), np.array(expected, dtype=np.float32))


def test_unseen_text_is_nan_and_infinity_is_clipped() -> None:
    specs = build_features(pa.table({"t": ["x", "y"], "n": [0.0, 1.0]}), ["t", "n"])
    seen = encode(specs, pa.table({"t": ["z", "y"], "n": [float("inf"), 1e300]}))
    assert np.isnan(seen[0, 0])
    assert seen[1, 0] == 1
    assert (seen[:, 1] == np.finfo(np.float32).max).all()


def test_ipv6_follows_ipv4_and_mixed_text_is_no_address() -> None:
    values = matrix(pa.table({"a": ["255.255.255.255", "2001:db8::1", "1.2.3.4"]}), "a")[:, 0]
    assert values[2] < values[0] < values[1]
    assert build_features(pa.table({"a": ["1.2.3.4", "host"]}), ["a"])[0].kind is FeatureKind.CATEGORICAL


def test_rules_survive_json() -> None:
    specs = build_features(pa.table({"t": ["한글", "b"], "n": [1.5, 2.0]}), ["t", "n"])
    text = json.dumps([spec.to_json() for spec in specs])
    assert tuple(FeatureSpec.from_json(item) for item in json.loads(text)) == specs


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**40), 2**40),
            st.none() | st.floats(allow_nan=False, width=64),
            st.none() | st.sampled_from(["a", "b", "로그"]),
            st.none() | st.datetimes(dt.datetime(1960, 1, 1), dt.datetime(2040, 1, 1)),
            st.none() | st.booleans(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_single_event_is_encoded_like_a_table(rows: list[tuple[object, ...]]) -> None:
    types = [pa.int64(), pa.float64(), pa.string(), pa.timestamp("us", tz="UTC"), pa.bool_()]
    columns = []
    for position, type_ in enumerate(types):
        values = [row[position] for row in rows]
        if pa.types.is_timestamp(type_):
            values = [None if v is None else v.replace(tzinfo=dt.UTC) for v in values]  # type: ignore[attr-defined]
        columns.append(pa.array(values, type_))
    table = pa.table(columns, names=list("abcde"))
    names = [n for n in table.column_names if table.column(n).null_count < table.num_rows]
    assume(names)  # a field that is null everywhere cannot be learnt from (41114)
    specs = build_features(table, names)
    single = np.array([row_encoder(specs)(row) for row in table.to_pylist()], dtype=np.float32)
    np.testing.assert_array_equal(single, encode(specs, table))


@pytest.mark.parametrize(
    ("table", "fields", "code", "word"),
    [
        (pa.table({"a": [1]}), ["b"], "41110", "b"),
        (pa.table({"a": pa.array([], pa.int64())}), ["a"], "41113", "no rows"),
        (pa.table({"a": pa.array([None, None], pa.int64())}), ["a"], "41114", "'a' is null in all 2"),
        (pa.table({"a": [[1], [2]]}), ["a"], "41115", "list"),
        (pa.table({"a": [1]}), [], "41118", "feature"),
    ],
)
def test_training_errors_name_the_field_and_list_the_others(
    table: pa.Table, fields: list[str], code: str, word: str
) -> None:
    with pytest.raises(MlError) as caught:
        build_features(table, fields)
    assert caught.value.code == code
    assert word in caught.value.message
    assert any("a" in note for note in caught.value.notes)


def test_text_where_a_number_was_trained() -> None:
    specs = build_features(pa.table({"chrome_ver": [100, 101], "n": [1, 2]}), ["chrome_ver", "n"])
    with pytest.raises(MlError) as caught:
        check_schema(specs, pa.schema([("chrome_ver", pa.string()), ("n", pa.int64())]), "model bot")
    assert caught.value.code == "41115"
    assert "chrome_ver" in caught.value.message
    assert caught.value.help == "convert it first: eval chrome_ver = double(chrome_ver)"
    assert caught.value.notes == ("fields of model bot: chrome_ver (NUMERIC), n (NUMERIC)",)


def test_field_list_after_model() -> None:
    specs = build_features(pa.table({"a": [1], "b": [2]}), ["a", "b"])
    check_list(specs, ["b", "a"], "model m")
    check_list(specs, None, "model m")
    for wanted in (["a", "c"], ["a"]):
        with pytest.raises(MlError, match=r"c|b") as caught:
            check_list(specs, wanted, "model m")
        assert "fields of model m: a, b" in caught.value.notes


def test_labels() -> None:
    found = labels(pa.table({"y": pa.array(["b", None, "a", "b"])}), "y")
    assert found.classes == ("a", "b")
    assert found.codes.tolist() == [1, 0, 1]
    assert found.kept.tolist() == [True, False, True, True]
    assert labels(pa.table({"y": [1, 0]}), "y").classes == ("0", "1")
    assert [label_text(v) for v in (True, 1, 1.0)] == ["true", "1", "1.0"]


@pytest.mark.parametrize(
    ("values", "code"), [(["x", "x"], "41112"), ([None, None], "41114")], ids=["one class", "all null"]
)
def test_labels_that_cannot_train(values: list[str | None], code: str) -> None:
    with pytest.raises(MlError) as caught:
        labels(pa.table({"y": pa.array(values, pa.string())}), "y")
    assert caught.value.code == code
    with pytest.raises(MlError) as caught:
        labels(pa.table({"y": values}), "label")
    assert caught.value.code == "41111"
