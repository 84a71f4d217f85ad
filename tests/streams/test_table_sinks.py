"""Tables of sinks: made of the first batch, wider with later ones, nothing changed and nothing lost."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from logsql.streams.book import Commit
from logsql.streams.rows import INSTANT
from logsql.streams.settings import Sink
from tests.streams.sink_support import BEGIN, Serving, numbered, until

Row = dict[str, object]


def given(serving: Serving, *batches: list[Row] | pa.Table) -> list[Row]:
    """The rows of the table after these batches, without what is null."""
    for batch in batches:
        serving.give(pa.Table.from_pylist(batch) if isinstance(batch, list) else batch)
    rows = serving.session.query("table alerts").rows()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    return Serving(tmp_path, Sink("alerts", "table"))


def test_new_fields_are_new_columns_and_integers_widen(serving: Serving) -> None:
    rows = given(serving, [{"n": 1}], [{"m": "x"}], numbered(5, 1).select(["n"]), [{"n": 2**40}])
    assert rows == [{"n": 1}, {"m": "x"}, {"n": 5}, {"n": 2**40}]
    small = pa.table({"k": pa.array([1], pa.int8())})
    assert given(serving, small, [{"k": 2**33}])[4:] == [{"k": 1}, {"k": 2**33}]


def test_rows_without_fields_are_rows(serving: Serving) -> None:
    """What ``parsejson`` makes of the message ``{}``, into a new table and into one that has columns."""
    bare = pa.Table.from_batches([pa.RecordBatch.from_struct_array(pa.array([{}] * 3, pa.struct([])))])
    assert given(serving, bare, [{"n": 1}], bare) == [{}] * 3 + [{"n": 1}] + [{}] * 3


def test_a_value_that_does_not_fit_is_text_in_rest(serving: Serving) -> None:
    batches: list[list[Row]] = [
        [{"n": 1, "t": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "b": True}],
        [{"n": 1.5}, {"n": 2.0}],
        [{"n": "abc", "t": "soon"}, {"n": "12"}, {"n": "012"}],
        [{"b": 1, "N": "other"}],
        [{"n": [1, "x"][:1], "t": None}],
    ]
    assert given(serving, *batches)[1:] == [
        {"_rest": {"n": "1.5"}},
        {"n": 2},
        {"_rest": {"n": "abc", "t": "soon"}},
        {"n": 12},
        {"_rest": {"n": "012"}},
        {"_rest": {"b": "1", "N": "other"}},
        {"_rest": {"n": "[1]"}},
    ]
    assert serving.made.status()[0]["rest"] == 7
    assert serving.rows_of("alerts") == 8


def test_texts_hold_everything_as_the_language_prints_it(serving: Serving) -> None:
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    rows = given(serving, [{"s": "x"}], [{"s": 5}], [{"s": 1.5}], [{"s": when}], [{"s": True}])
    assert [row["s"] for row in rows] == ["x", "5", "1.5", "2026-01-01 00:00:00+0000", "true"]


def test_maps_are_maps_again(serving: Serving) -> None:
    shape = pa.schema([pa.field("m", pa.string(), metadata={"logsql.type": "map"})])
    assert given(serving, pa.table({"m": ['{"a": {"b": 1}}', None]}, schema=shape)) == [{"m": {"a": {"b": 1}}}, {}]
    assert serving.session.query("table alerts | eval x = m.a.b | fields x | limit 1").rows() == [{"x": 1}]


def test_a_field_of_nulls_has_no_type_yet(serving: Serving) -> None:
    assert given(serving, [{"a": None}], [{"a": None, "b": 1}], [{"a": 2.5}]) == [{}, {"b": 1}, {"a": 2.5}]


def test_rows_of_the_users_own_rest_are_kept(serving: Serving) -> None:
    shape = pa.schema([pa.field("_rest", pa.string(), metadata={"logsql.type": "map"}), ("n", pa.string())])
    rows = pa.table({"_rest": ['{"own": 1}', '{"own": 2}'], "n": ["7", "x"]}, schema=shape)
    assert given(serving, [{"n": 1}], rows)[1:] == [{"_rest": {"own": 1}, "n": 7}, {"_rest": {"own": 2, "n": "x"}}]


def test_a_batch_that_is_not_committed_is_not_there(serving: Serving) -> None:
    sink = serving.made.sinks["alerts"]
    sink.stage(numbered(0, 5), "unit")
    sink.aborted("unit")
    sink.stage(numbered(5, 2), "unit")
    assert [rows.num_rows for _, rows in sink.staged("unit").tables] == [2]
    with pytest.raises(ZeroDivisionError):
        serving.book.commit(Commit("unit", tables=sink.staged("unit").tables, inside=(lambda _: 1 / 0,)))  # type: ignore[arg-type, return-value]
    assert serving.session.tables() == []


def test_old_rows_go(tmp_path: Path) -> None:
    now = BEGIN.timestamp() + 1000
    serving = Serving(tmp_path, Sink("alerts", "table", retention=600.0), now=lambda: now)
    times = [BEGIN + dt.timedelta(seconds=s) for s in (0, 399, 401, 999)]
    serving.give(pa.table({"n": [0, 1, 2, 3], "_time": pa.array(times, INSTANT)}))
    serving.stop()
    serving = Serving(tmp_path, Sink("alerts", "table", retention=600.0), now=lambda: now)
    until(lambda: len(serving.session.query("table alerts").rows()) == 2)
    assert [row["n"] for row in serving.session.query("table alerts | sort n").rows()] == [2, 3]
    serving.stop()


def test_two_units_write_at_once(tmp_path: Path) -> None:
    serving = Serving(tmp_path, Sink("alerts", "table"))

    def unit(name: str, field: str) -> None:
        for number in range(40):
            serving.give(pa.table({field: [number], "unit": [name]}), name)

    threads = [threading.Thread(target=unit, args=(f"u{n}", f"f{n}")) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = serving.session.query("table alerts").rows()
    for number in range(3):
        assert [row[f"f{number}"] for row in rows if row["unit"] == f"u{number}"] == list(range(40))
    serving.stop()
