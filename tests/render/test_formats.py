"""Output formats, byte for byte: separators, quoting, headers, empty results, limits, cutting, streaming."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logsql.render import FORMATS, Layout, format_of_file, write
from logsql.render.safe import cut, visible, width
from logsql.render.tables import fit
from tests.render.support import FakeRows, column, rendered

ROWS = pa.table({"name": ["a|b", None, "줄\n바꿈"], "n": [1, 22, None], "x": [0.5, None, 2.0]})
EMPTY = pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})


def test_json_lines() -> None:
    text, outcome = rendered("jsonl", ROWS)
    assert text == (
        '{"name":"a|b","n":1,"x":0.5}\n{"name":null,"n":22,"x":null}\n{"name":"줄\\n바꿈","n":null,"x":2.0}\n'
    )
    assert (outcome.rows, outcome.shown, outcome.notices) == (3, 3, ())


@pytest.mark.parametrize("size", [1, 2, 65536])
def test_json_array_is_one_document_however_it_is_cut(size: int) -> None:
    text, _ = rendered("json", ROWS, size=size)
    assert json.loads(text) == [
        {"name": "a|b", "n": 1, "x": 0.5},
        {"name": None, "n": 22, "x": None},
        {"name": "줄\n바꿈", "n": None, "x": 2.0},
    ]
    assert text.count("\n") == 5, "one row per line between the brackets"


def test_csv() -> None:
    text, _ = rendered("csv", ROWS)
    assert text == 'name,n,x\na|b,1,0.5\n,22,\n"줄\n바꿈",,2.0\n'


def test_csv_quotes_what_readers_would_change() -> None:
    table = pa.table({"a,b": ['say "hi"', "", " lead", "x\r", "plain"], "n": [1, 2, 3, 4, 5]})
    text, _ = rendered("csv", table)
    assert text == '"a,b",n\n"say ""hi""",1\n"",2\n" lead",3\n"x\r",4\nplain,5\n'


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text()), min_size=1))
def test_csv_reads_back(rows: list[tuple[str, str]]) -> None:
    table = pa.table({"a": [r[0] for r in rows], "b": [r[1] for r in rows]})
    text, _ = rendered("csv", table)
    assert list(csv.reader(io.StringIO(text, newline="")))[1:] == [list(row) for row in rows]


def test_a_lone_null_keeps_its_line() -> None:
    text, _ = rendered("csv", column(pa.array(["x", None])))
    assert text == 'v\nx\n""\n'
    assert len(list(csv.reader(io.StringIO(text)))) == 3


def test_tsv_escapes_its_separators() -> None:
    table = pa.table({"a": ["x\ty", "back\\slash", None], "b": ["1\n2", "\r", "z"]})
    text, _ = rendered("tsv", table)
    assert text == "a\tb\nx\\ty\t1\\n2\nback\\\\slash\t\\r\n\tz\n"


def test_markdown() -> None:
    text, _ = rendered("md", ROWS)
    assert (
        text == "| name | n | x |\n| --- | ---: | ---: |\n| a\\|b | 1 | 0.5 |\n|  | 22 |  |\n| 줄<br>바꿈 |  | 2.0 |\n"
    )


def test_table_aligns_wide_characters_and_numbers() -> None:
    table = pa.table({"도시": ["서울", "Rome", None], "count": [5, 12345, None]})
    text, _ = rendered("table", table)
    assert text == "도시  count\n----  -----\n서울      5\nRome  12345\n\n"


def test_table_shows_control_characters_instead_of_sending_them() -> None:
    text, _ = rendered("table", column(pa.array(["a\x1b[31mred", "two\nlines", "x\u202egpj.exe", "\x9b1m"])))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.splitlines()[2:] == ["a\\x1b[31mred", "two\\nlines", "x\\u202egpj.exe", "\\x9b1m"]


def test_table_cuts_to_the_terminal_and_says_so() -> None:
    table = pa.table(
        {"id": [1, 2], "agent": ["Mozilla/5.0 (X11; Linux x86_64)", "curl"], "한글": ["가나다라마바사", "가"]}
    )
    text, outcome = rendered("table", table, Layout(width=30))
    assert all(width(line) <= 30 for line in text.splitlines())
    assert "…" in text
    assert "curl" in text
    (notice,) = outcome.notices
    assert notice.startswith("2 cells are cut to fit 30 columns")


def test_table_hides_columns_only_when_nothing_else_helps_and_names_them() -> None:
    table = pa.table({f"column{i}": ["value value"] for i in range(6)})
    text, outcome = rendered("table", table, Layout(width=30))
    assert text.splitlines()[0].count("colum") == 4  # 4 x 6 columns and 3 gaps of 2 are 30
    assert any(n.startswith("2 of 6 columns") for n in outcome.notices)
    assert any("column5" in n for n in outcome.notices)


def test_without_a_terminal_nothing_is_cut() -> None:
    value = "x" * 5000
    text, outcome = rendered("table", column(pa.array([value])))
    assert value in text
    assert outcome.notices == ()


def test_row_limit_is_a_display_limit() -> None:
    table = pa.table({"n": list(range(5000))})
    text, outcome = rendered("table", table, Layout(rows=3), size=100)
    assert [line.strip() for line in text.splitlines()[2:]] == ["0", "1", "2"]
    assert (outcome.rows, outcome.shown) == (5000, 3)
    assert outcome.notices[0].startswith("3 of 5,000 rows shown")
    text, outcome = rendered("vertical", table, Layout(rows=2), size=100)
    assert text == "-[ row 1 ]\nn | 0\n-[ row 2 ]\nn | 1\n"
    assert outcome.notices[0].startswith("2 of 5,000 rows shown")


def test_long_tables_keep_every_row() -> None:
    table = pa.table({"n": list(range(3000))})
    text, outcome = rendered("table", table, size=700)
    assert [int(line) for line in text.splitlines()[2:]] == list(range(3000))
    assert outcome.shown == 3000


def test_vertical() -> None:
    text, _ = rendered("vertical", ROWS.slice(2, 1))
    assert text == "-[ row 1 ]\nname | 줄\\n바꿈\nn    |\nx    | 2.0\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("jsonl", ""),
        ("json", "[]\n"),
        ("csv", "a,b\n"),
        ("tsv", "a\tb\n"),
        ("md", "| a | b |\n| --- | --- |\n"),
        ("table", "a  b\n-  -\n"),
        ("vertical", ""),
    ],
)
@pytest.mark.parametrize("batches", [0, 1])
def test_empty_results(name: str, expected: str, batches: int) -> None:
    table = EMPTY if batches else pa.Table.from_batches([], EMPTY.schema)
    text, outcome = rendered(name, table)
    assert text == expected
    assert outcome.rows == 0


@pytest.mark.parametrize("name", ["jsonl", "json", "csv", "tsv", "md", "table", "vertical"])
def test_rows_without_fields(name: str) -> None:
    batch = pa.RecordBatch.from_struct_array(pa.array([{}, {}], pa.struct([])))

    class NoFields(FakeRows):
        def batches(self, size: int = 65536) -> Iterator[pa.RecordBatch]:
            return iter([batch])

    sink = io.BytesIO()
    assert write(NoFields(pa.table({})), name, sink).rows == 2


def test_parquet_keeps_types_and_full_precision() -> None:
    table = pa.table({"t": pa.array([1298093646_123456, None], pa.timestamp("us", "Asia/Seoul")), "b": [b"\x00", None]})
    sink = io.BytesIO()
    outcome = write(FakeRows(table), "parquet", sink)
    assert outcome.rows == 2
    back = pq.read_table(io.BytesIO(sink.getvalue()))
    assert back.column("t").cast(pa.int64()).to_pylist() == [1298093646_123456, None]
    assert back.column("b").to_pylist() == [b"\x00", None]


@pytest.mark.parametrize("seekable", [True, False])
def test_arrow_file_and_stream(seekable: bool) -> None:
    sink = io.BytesIO()
    write(FakeRows(ROWS, size=1), "arrow", sink, Layout(seekable=seekable))
    opened = pa.ipc.open_file if seekable else pa.ipc.open_stream
    assert opened(sink.getvalue()).read_all().to_pylist() == ROWS.to_pylist()


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_binary_formats_without_batches_have_the_schema(name: str) -> None:
    sink = io.BytesIO()
    rows = FakeRows(pa.Table.from_batches([], EMPTY.schema), types=("long", "map"))
    write(rows, name, sink)
    data = io.BytesIO(sink.getvalue())
    schema = pq.read_schema(data) if name == "parquet" else pa.ipc.open_stream(data).schema
    assert schema.names == ["a", "b"]
    assert schema.field("a").type == pa.int64()
    assert schema.field("b").metadata[b"logsql.type"] == b"map"


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_half_a_result_has_no_footer(name: str) -> None:
    class Failing(FakeRows):
        def batches(self, size: int = 65536) -> Iterator[pa.RecordBatch]:
            yield from ROWS.to_batches()
            raise ValueError("reader failed")

    sink = io.BytesIO()
    with pytest.raises(ValueError, match="reader failed"):
        write(Failing(ROWS), name, sink, Layout(seekable=True))
    with pytest.raises(pa.ArrowInvalid):
        _ = (
            pq.read_table(io.BytesIO(sink.getvalue()))
            if name == "parquet"
            else pa.ipc.open_file(sink.getvalue()).read_all()
        )


@pytest.mark.parametrize("name", [f for f in FORMATS if not FORMATS[f].binary])
def test_batch_boundaries_do_not_show(name: str) -> None:
    table = pa.table({"n": list(range(50)), "t": [f"v{i}" for i in range(50)]})
    assert rendered(name, table, size=7)[0] == rendered(name, table)[0]


def test_large_values_are_cut_into_pieces_before_they_become_text() -> None:
    big = "\n" * (3 << 20)  # doubles when escaped
    table = pa.table({"v": [big] * 30})
    text, outcome = rendered("jsonl", table)
    assert outcome.rows == 30
    assert text.count("\n") == 30
    assert json.loads(text.splitlines()[-1])["v"] == big


def test_widths_and_cutting() -> None:
    assert width("가나abc") == 7
    assert cut("가나다라", 6) == "가나…"
    assert cut("가나다라", 8) == "가나다라"
    assert cut("abcdef", 4) == "abc…"
    assert visible("tab\there\x00") == "tab\\there\\x00"


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.integers(20, 250))
def test_fitted_columns_never_exceed_the_terminal(widths: list[int], room: int) -> None:
    shown, fitted = fit(widths, room)
    assert shown == list(range(len(shown)))
    assert sum(fitted[i] for i in shown) + 2 * (len(shown) - 1) <= room
    assert all(fitted[i] <= widths[i] for i in shown)
    if sum(widths) + 2 * (len(widths) - 1) <= room:
        assert fitted == widths


def test_file_names_choose_the_format() -> None:
    assert format_of_file("out.CSV") == "csv"
    assert format_of_file("a.jsonl") == "jsonl"
    assert format_of_file("a.json") == "json"
    assert format_of_file("case.parquet") == "parquet"
    assert format_of_file("noending") is None
