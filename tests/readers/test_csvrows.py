"""csvfile: the documented dialects, ragged and damaged files; the fast and the exact way must not differ."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support import shared_data
from udfs.readers.base import ListLoss, ReaderError, null_context
from udfs.readers.cache import StateCache
from udfs.readers.csvrows import CsvReader, Plan
from udfs.readers.dataset import ReaderDataset
from udfs.readers.files import Files
from udfs.readers.sources import Source


def read(
    path: Path, loss: ListLoss | None = None, exact: bool = False, **options: Any
) -> tuple[list[str], list[tuple[str | None, ...]]]:
    """Column names without ``_file``, and rows; ``exact`` forces the own parser."""
    reader = CsvReader([str(path)], **options)
    if exact:
        plans = tuple(replace(plan, way="exact") for plan in reader.plans)
        object.__setattr__(reader, "plans", plans)
    names = [name for name in reader.schema.names if name != "_file"]
    found = [tuple(row.values()) for batch in reader.scan(names, null_context(loss)) for row in batch.to_pylist()]
    return names, found


def written(tmp_path: Path, data: str | bytes, name: str = "a.csv") -> Path:
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return tmp_path / name


@pytest.mark.parametrize(
    ("data", "names", "rows"),
    [
        ("a,b\n1,2\n", ["a", "b"], [("1", "2")]),
        ("a,b\r\n1,2\r\n3,4", ["a", "b"], [("1", "2"), ("3", "4")]),
        ('a,b\n,""\n', ["a", "b"], [("", "")]),
        ("a,b,c\n1\n1,2,3\n", ["a", "b", "c"], [("1", None, None), ("1", "2", "3")]),
        ("a,b\n1,2,3,4\n5,6\n", ["a", "b", "column2", "column3"], [("1", "2", "3", "4"), ("5", "6", None, None)]),
        ('a,b\n"x,1","line\nbreak"\n', ["a", "b"], [("x,1", "line\nbreak")]),
        ('a,b\n"crlf\r\ninside",2\r\n', ["a", "b"], [("crlf\r\ninside", "2")]),
        ('a\n"say ""hi"""\n', ["a"], [('say "hi"',)]),
        ('a,b\nx"y,"p"q\n', ["a", "b"], [('x"y', "pq")]),
        ("\ufeffa,b\n1,2\n", ["a", "b"], [("1", "2")]),
        ("a,a,a\n1,2,3\n", ["a", "a_1", "a_2"], [("1", "2", "3")]),
        ("a,a_1,a\n1,2,3\n", ["a", "a_1", "a_2"], [("1", "2", "3")]),
        ("a,,_file\n1,2,3\n", ["a", "column1", "_file_1"], [("1", "2", "3")]),
        ("a,b\n\n1,2\n\n\n3,4\n\n", ["a", "b"], [("1", "2"), ("3", "4")]),
        ("a,b\n1,nul\0x\n", ["a", "b"], [("1", "nul\0x")]),
        ("a,b\n1,lone\rcr\n", ["a", "b"], [("1", "lone\rcr")]),
        ("a,b\r1,2\r3,4\r", ["a", "b"], [("1", "2"), ("3", "4")]),
        ('a,b\r"x\ny\nz\n",2\r3,4', ["a", "b"], [("x\ny\nz\n", "2"), ("3", "4")]),
        ("a,b\r\n1,2\n3,4\r\n", ["a", "b"], [("1", "2"), ("3", "4")]),
        ("a,b\n", ["a", "b"], []),
        ("a,b", ["a", "b"], []),
        ("", [], []),
        ("\n\n", [], []),
        ("a,b\n1,\n,\n", ["a", "b"], [("1", ""), ("", "")]),
        ("a,b\nnull,NA\n", ["a", "b"], [("null", "NA")]),
        ('a,b\n1,"open\n2,3\n', ["a", "b"], [("1", "open"), ("2", "3")]),
        ('path,b\n"C:\\temp\\",2\n3,4\n', ["path", "b"], [("C:\\temp\\", "2"), ("3", "4")]),
    ],
)
def test_small_files(tmp_path: Path, data: str, names: list[str], rows: list[tuple[str | None, ...]]) -> None:
    path = written(tmp_path, data)
    assert read(path) == (names, rows)
    assert read(path, exact=True) == (names, rows)


DIALECTS = 'F1, "F2",F3\n"a \\"b\\" c", "d ""e"" f" ,g\n'


def test_lenient_takes_blanks_around_quotes_and_backslash_quotes(tmp_path: Path) -> None:
    assert read(written(tmp_path, DIALECTS)) == (["F1", "F2", "F3"], [('a "b" c', 'd "e" f', "g")])


@pytest.mark.parametrize("charset", ["UTF-16LE", "UTF-16BE", "UTF-8", "UTF-32"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path, charset: str) -> None:
    for codec in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"):
        path = written(tmp_path, "\ufeffUser,b\r\n한,2\r\n".encode(codec))
        assert read(path, charset=charset) == (["User", "b"], [("한", "2")])


_WITH_A_MARK = [("1", "x\n# in the cell\ny"), ("2", "#y")]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("data", "options", "names", "rows"),
    [
        ("a;b\n1;2,5\n", {"delim": ";"}, ["a", "b"], [("1", "2,5")]),
        ("sep=;\r\na;b\r\n1;2\r\n", {}, ["a", "b"], [("1", "2")]),
        ("SEP=|\na|b\n1\n", {}, ["a", "b"], [("1", None)]),
        ("sep=;\n1,2\n", {"delim": ","}, ["sep=;", "column1"], [("1", "2")]),
        ("1,2\n3,4\n", {"header": False}, ["column0", "column1"], [("1", "2"), ("3", "4")]),
        ("title\n\na,b\n# no\n1,2\n#3,4", {"skip": 2, "comment": "#"}, ["a", "b"], [("1", "2")]),
        ("title", {"skip": 2}, [], []),
        ('#"x\na,b\n1,"x\n# in the cell\ny"\n#"no\n2,"#y"\n', {"comment": "#"}, ["a", "b"], _WITH_A_MARK),
        ('a,b\n#no\n1,"x\n# in the cell\ny"\n#no\n2,#y', {"comment": "#"}, ["a", "b"], _WITH_A_MARK),
    ],
)
def test_other_shapes_of_files(
    tmp_path: Path,
    data: str,
    options: dict[str, Any],
    names: list[str],
    rows: list[tuple[str | None, ...]],
    exact: bool,
) -> None:
    assert read(written(tmp_path, data), exact=exact, **options) == (names, rows)


def test_the_ledger_counts_the_lines_that_are_left_out(tmp_path: Path) -> None:
    # Comments were taken away before lines were numbered: the place of a fault was too small by as many.
    loss = ListLoss()
    path = written(tmp_path, 'sep=,\ntitle\n# one\na,b\n# two\n1,"open\n2,3\n')
    assert read(path, loss, skip=1, comment="#")[1] == [("1", "open"), ("2", "3")]
    assert [(entry.reason, entry.position) for entry in loss.entries] == [("unclosed-quote", 6)]


def test_strict_takes_them_as_text(tmp_path: Path) -> None:
    names, rows = read(written(tmp_path, 'F1, "F2"\na\\, "b c"\n'), strict=True)
    assert (names, rows) == (["F1", ' "F2"'], [("a\\", ' "b c"')])


@pytest.mark.evidence
@pytest.mark.parametrize("number", [1, 2])
def test_strict_option_samples_of_the_manual(number: int) -> None:
    path = shared_data("logs", f"csvfile-strict-option-test-{number}.csv")
    names, rows = read(path)
    assert names == ["F1", "F2", "F3", "F4"]
    assert rows == [("Chevy", 'Venture "Extended Edition, Very Large"', "MUST SELL! air, moon roof, loaded", "5000.00")]
    if number == 2:
        assert read(path, strict=True) == (names, rows)
    else:
        # Blank and quote are plain text: the header keeps them and the commas inside quotes cut cells.
        strict_names, strict_rows = read(path, strict=True)
        assert strict_names[:4] == ["F1", ' "F2"', ' "F3"', ' "F4"']
        assert strict_rows[0][:2] == ("Chevy", ' "Venture ""Extended Edition')


@pytest.mark.evidence
def test_web_log_with_short_rows_equals_python_csv(tmp_path: Path) -> None:
    path = shared_data("logs", "wp-nginx.csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, *expected = [row for row in csv.reader(file) if row]
    assert {len(row) for row in expected} == {6, 10}
    assert CsvReader([str(path)]).plans[0].way == "ragged"
    assert read(path) == (header, [tuple(row + [None] * (10 - len(row))) for row in expected])  # type: ignore[list-item]
    with (tmp_path / "full.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *(row for row in expected if len(row) == 10)])
    assert CsvReader([str(tmp_path / "full.csv")]).plans[0].way == "even"
    assert read(tmp_path / "full.csv")[1] == [tuple(row) for row in expected if len(row) == 10]


def test_maxcol_and_rest(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b,c,d\n1,2,3,4\n"x,y",6,"7, z",8,9\n10\n11,12\n')
    assert read(path, maxcol=2) == (["a", "b"], [("1", "2"), ("x,y", "6"), ("10", None), ("11", "12")])
    assert read(path, maxcol=2, rest=True) == (
        ["a", "b", "_rest"],
        [("1", "2", "3,4"), ("x,y", "6", '"7, z",8,9'), ("10", None, None), ("11", "12", None)],
    )
    even = written(tmp_path, "a,b,c\n1,2,3\n")
    assert read(even, maxcol=2) == (["a", "b"], [("1", "2")])
    assert CsvReader([str(even)], maxcol=2).plans[0].way == "even"


def test_tab_separated(tmp_path: Path) -> None:
    assert read(written(tmp_path, 'a\tb\n1,5\t"x\ty"\n\t\n'), tab=True) == (["a", "b"], [("1,5", "x\ty"), ("", "")])
    with pytest.raises(ReaderError) as caught:
        CsvReader([], strict=True, tab=True)
    assert caught.value.code == "strict-with-tab"


def test_renamed_headers_and_unclosed_quotes_are_told(tmp_path: Path) -> None:
    loss = ListLoss()
    read(written(tmp_path, 'a,a\n1,"open\n2,3\n'), loss)
    assert [(entry.reason, entry.position) for entry in loss.entries] == [
        ("duplicate-header", 1), ("unclosed-quote", 2),
    ]  # fmt: skip
    assert loss.entries[0].sample == "column 1: a is read as a_1"


def test_broken_utf8_keeps_the_row(tmp_path: Path) -> None:
    loss = ListLoss()
    assert read(written(tmp_path, b"a,b\nx\xff,2\n"), loss)[1] == [("x�", "2")]
    assert loss.total("invalid-utf-8") == 1


@pytest.mark.parametrize("encoding", ["cp949", "utf-16", "utf-8-sig"])
def test_charsets(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, '이름,값\n"가, 나",1\n'.encode(encoding))
    charset = "utf-8" if encoding.startswith("utf-8") else encoding
    assert read(path, charset=charset) == (["이름", "값"], [("가, 나", "1")])


def test_several_files_unite_their_columns(tmp_path: Path) -> None:
    one = written(tmp_path, "a,b\n1,2\n3,4\n", "1.csv")
    two = written(tmp_path, "b,c\n5,6\n7,8,9\n", "2.csv")
    reader = CsvReader([str(one), str(two)], offset=1, limit=2)
    assert reader.schema.names == ["a", "b", "c", "column2", "_file"]
    rows = [row for batch in reader.scan(["a", "b", "_file"], null_context()) for row in batch.to_pylist()]
    assert rows == [{"a": "3", "b": "4", "_file": "1.csv"}, {"a": None, "b": "5", "_file": "2.csv"}]


def test_late_surplus_in_a_large_file(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n" + "1,x y\n" * 400_000 + "2,3,surplus\n")
    names, rows = read(path)
    assert names == ["a", "b", "column2"]
    assert (len(rows), rows[-1], rows[5]) == (400_001, ("2", "3", "surplus"), ("1", "x y", None))


def test_duckdb_reads_it_column_by_column(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,c\n" + "".join(f"{n},v{n % 3},z\n" for n in range(250_000)))
    with duckdb.connect() as db:
        db.register("t", ReaderDataset(CsvReader([str(path)]), null_context()))
        assert db.execute("SELECT count(*) FROM t").fetchall() == [(250_000,)]
        assert db.execute("SELECT sum(a::INT) FROM t WHERE b = 'v1'").fetchall() == [(sum(range(1, 250_000, 3)),)]
        assert db.execute("SELECT _file, count(*) FROM t GROUP BY 1").fetchall() == [("a.csv", 250_000)]


def test_discovery_is_not_repeated_for_an_unchanged_file(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n")
    opened = []

    class Counted(Files):
        def open(self, path: str) -> BinaryIO:
            opened.append(path)
            return super().open(path)

    context = replace(null_context(), files=Counted())
    cache: StateCache[Plan] = StateCache()
    CsvReader([str(path)], context=context, cache=cache)
    first = len(opened)
    CsvReader([str(path)], context=context, cache=cache)
    assert first > 0
    assert len(opened) == first
    written(tmp_path, "c,d,e\n1,2\n")
    assert CsvReader([str(path)], context=context, cache=cache).schema.names == ["c", "d", "e", "_file"]


PIECES = st.sampled_from(["a", "b", ",", ",", "\n", "\n", "\r\n", '"', '""', '","', " ", "\\", "\t", "\0", "é", "\r"])


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=24), st.booleans(), st.booleans())
@example(["a", "\n", '"', "\n", '"', ",", "b"], False, False)
@example(["a", "\n", "a", '""', "b"], True, False)
def test_fast_and_exact_give_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], strict: bool, tab: bool
) -> None:
    path = written(tmp_path_factory.mktemp("c"), "".join(pieces))
    options = {"strict": strict, "tab": tab and not strict}
    assert read(path, **options) == read(path, exact=True, **options)


CELLS = st.text(st.sampled_from('ab,"\n\\ é'), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_what_python_writes_by_rfc_4180_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["h0", "h1"], *rows])
    path = written(tmp_path_factory.mktemp("w"), text.getvalue())
    width = max(2, *(len(row) for row in rows))
    for exact in (False, True):
        got = read(path, exact=exact, strict=True)[1]
        assert got == [tuple(row + [None] * (width - len(row))) for row in rows]  # type: ignore[list-item]


ROWS = st.lists(
    st.lists(st.sampled_from(["a", '"b"', '"x,y"', '"p\nq"', '""', '"u""v"', "é", ""]), min_size=1, max_size=3),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.integers(1, 9), st.booleans())
def test_cuts_between_chunks_do_not_show(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str, step: int, strict: bool
) -> None:
    path = written(tmp_path_factory.mktemp("k"), "".join(",".join(row) + end for row in rows))
    whole = read(path, strict=strict)
    plain = Source.read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Source, "read", lambda self, size=0: plain(self, step))
        assert read(path, strict=strict) == whole
        assert read(path, exact=True, strict=strict) == whole
