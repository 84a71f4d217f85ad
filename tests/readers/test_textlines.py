"""textfile: lines, charsets, records, times; expected values are written by hand or by Python's own splitting."""

from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.readers import lines as lines_module
from udfs.readers.base import Line, ListLoss, ReadCancelled, ReadContext, ReaderError, null_context
from udfs.readers.files import Files
from udfs.readers.textlines import TextReader, joined


def read(path: Path, loss: ListLoss | None = None, **options: Any) -> list[str]:
    batches = TextReader([str(path)], **options).scan(["line"], null_context(loss))
    return [line for batch in batches for line in batch.column(0).to_pylist()]


class Bytes:
    """A source that hands out chunks of the given sizes."""

    name = "bytes"

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = list(chunks)

    def read(self, size: int = 0) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\n", ["a"]),
        (b"a\n\n\nb\n", ["a", "", "", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\r\n\r\nb", ["a", "", "b"]),
        (b"a\rb\n\rc\n", ["a\rb", "\rc"]),
        (b"mixed\r\nends\n", ["mixed", "ends"]),
        (b"\xef\xbb\xbfa\nb", ["a", "b"]),
        (b"nul\0inside\nb", ["nul\0inside", "b"]),
        ("한글\n줄".encode(), ["한글", "줄"]),
    ],
)
def test_lines_of_small_files(tmp_path: Path, data: bytes, expected: list[str]) -> None:
    (tmp_path / "a.log").write_bytes(data)
    loss = ListLoss()
    assert read(tmp_path / "a.log", loss) == expected
    assert loss.entries == []


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("euc-kr", "euc-kr"), ("EUC-KR", "cp949"), ("cp949", "cp949"), ("MS949", "cp949"), ("utf-16", "utf-16"),
        ("UTF-16LE", "utf-16-le"), ("UTF-16BE", "utf-16-be"), ("utf-16", "utf-16-le"), ("utf-16", "utf-16-be"),
        ("utf-8", "utf-8-sig"), ("utf-8", "utf-16"), ("shift_jis", "shift_jis"),
    ],
)  # fmt: skip
def test_charsets(tmp_path: Path, charset: str, encoding: str) -> None:
    words = ["login ok", "日本語" if "jis" in encoding else "로그인 실패", "", "end"]
    text = "\n".join(words * 30_000)
    (tmp_path / "a.log").write_bytes(text.encode(encoding))
    loss = ListLoss()
    assert read(tmp_path / "a.log", loss, charset=charset) == words * 30_000
    assert loss.entries == []


def test_latin_1_takes_every_byte(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(bytes(range(11, 256)) + b"\n")
    assert read(tmp_path / "a.log", charset="latin-1") == [bytes(range(11, 256)).decode("latin-1")]


def test_broken_utf8_keeps_the_rows_and_counts_the_lines(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"good\nbad \xff\xfe x\n\xea\xb0 cut\n" + "진짜 � 글자\n".encode() + b"end \xc3")
    loss = ListLoss()
    assert read(tmp_path / "a.log", loss) == ["good", "bad �� x", "� cut", "진짜 � 글자", "end �"]
    assert sum(entry.count for entry in loss.entries) == 3
    assert {entry.reason for entry in loss.entries} == {"invalid-utf-8"}
    assert loss.entries[0].position == Line(2)


def test_broken_euc_kr_keeps_the_rows(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes("가\n나".encode("cp949") + b" \xff\xff\n" + "다".encode("cp949"))
    loss = ListLoss()
    assert read(tmp_path / "a.log", loss, charset="euc-kr") == ["가", "나 ��", "다"]
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("invalid-cp949", 1)]


def test_half_a_utf16_character_at_the_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes("ab\ncd".encode("utf-16-le") + b"\x00")
    loss = ListLoss()
    assert read(tmp_path / "a.log", loss, charset="utf-16le") == ["ab", "cd�"]
    assert loss.total("invalid-utf-16-le") == 1


@pytest.mark.parametrize(
    "named", ["UTF-16LE", "UTF-16BE", "UTF-16", "UTF-8", "UTF-32LE", "UTF-32BE", "UTF-32", "utf-8"]
)
@pytest.mark.parametrize("written", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_is_no_text_whatever_charset_is_named(tmp_path: Path, named: str, written: str) -> None:
    (tmp_path / "a.log").write_bytes("\ufeffone\n두\n".encode(written))
    assert read(tmp_path / "a.log", charset=named) == ["one", "두"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"one\rtwo\rthree\r", ["one", "two", "three"]),
        (b"one\r\rthree", ["one", "", "three"]),
        (b"1%\r2%\ndone\n", ["1%\r2%", "done"]),
        (b"one\r\ntwo\nthree\r\n", ["one", "two", "three"]),
        (b"x" * 70_000 + b"\n1%\r2%\n", ["x" * 70_000, "1%\r2%"]),
    ],
)
def test_line_ends(tmp_path: Path, data: bytes, expected: list[str]) -> None:
    # Files of old Macintosh programs were one line.
    (tmp_path / "a.log").write_bytes(data)
    assert read(tmp_path / "a.log") == expected


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n", "가".encode(), b"\xff", b"\xea\xb0", b"xyz", b"\0"])),
    st.randoms(use_true_random=False),
)
def test_any_cut_into_chunks_gives_the_lines_of_the_whole(parts: list[bytes], rng: random.Random) -> None:
    data = b"".join(parts)
    cuts = sorted(rng.choices(range(len(data) + 1), k=3))
    chunks = [c for c in (data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)) if c]
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    if "\n" not in text:
        text = text.replace("\r", "\n")  # lines that end in CR alone
    expected = text.split("\n")
    if expected[-1] == "":
        expected.pop()  # behind the last newline is no line
    loss = ListLoss()
    got = [
        line
        for block in lines_module.read_lines(Bytes(chunks), "utf-8", null_context(loss))
        for line in block.array.to_pylist()
    ]
    assert got == expected
    # Where lone CR become line ends the lines between them may count, or the whole: a file without LF is one line then.
    bad_lines = sum("�" in line for line in data.decode("utf-8", "replace").split("\n"))
    most = max(bad_lines, sum("�" in line for line in expected))
    assert bad_lines <= loss.total("invalid-utf-8") <= most + 3  # a line cut between chunks may count per chunk


def test_large_file_equals_python_splitting(tmp_path: Path) -> None:
    rng = random.Random(5)
    rows = ["x" * rng.randrange(0, 60) + rng.choice(["", "é", "한"]) for _ in range(300_000)]
    (tmp_path / "a.log").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert read(tmp_path / "a.log") == rows
    batches = list(TextReader([str(tmp_path / "a.log")]).scan(None, null_context()))
    assert max(batch.num_rows for batch in batches) <= 400_000


def test_one_very_long_line_is_cut_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE", 3_000_000)
    (tmp_path / "a.log").write_bytes("가".encode() * 2_500_000 + b"\nshort\n")
    loss = ListLoss()
    got = read(tmp_path / "a.log", loss)
    assert got[-1] == "short"
    assert "".join(got[:-1]) == "가" * 2_500_000
    assert loss.total("line-cut") == len(got) - 2


def test_limit_and_offset_run_over_all_files(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.log").write_text(f"{number}a\n{number}b\n")
    reader = TextReader([str(tmp_path / f"{n}.log") for n in range(3)], offset=1, limit=3)
    rows = [row for batch in reader.scan(["line", "_file"], null_context()) for row in batch.to_pylist()]
    assert rows == [
        {"line": "0b", "_file": "0.log"}, {"line": "1a", "_file": "1.log"}, {"line": "1b", "_file": "1.log"},
    ]  # fmt: skip
    assert list(TextReader(reader.paths, limit=0).scan(None, null_context())) == []


def test_load_time_and_column_choice(tmp_path: Path) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(b"x\ny\n"))
    moment = datetime(2024, 3, 1, 12, tzinfo=UTC)
    reader = TextReader([str(tmp_path / "a.log.gz")], load_time=moment)
    assert reader.schema.names == ["line", "_time", "_file"]
    (batch,) = reader.scan(["_time", "_file"], null_context())
    assert batch.to_pylist() == [{"_time": moment, "_file": "a.log.gz"}] * 2
    (bare,) = reader.scan([], null_context())
    assert (bare.num_rows, bare.num_columns) == (2, 0)


def test_extracted_time_and_rows_without_one(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2024-01-02 03:04:05 ok\nno time here\n")

    def extract(lines: pa.Array) -> pa.Array:
        text = pc.struct_field(pc.extract_regex(lines, r"(?P<t>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"), "t")
        return pc.strptime(text, "%Y-%m-%d %H:%M:%S", "s")

    loss = ListLoss()
    (batch,) = TextReader([str(tmp_path / "a.log")], extract_time=extract).scan(["_time"], null_context(loss))
    assert batch.column(0).to_pylist() == [datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), None]
    assert loss.total("no-time-found") == 1


def starts_with(prefix: str) -> Any:
    return lambda lines: pc.starts_with(lines, prefix)


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ("#", None, ["stray", "#1\na\nE\nb", "#2", "#3\nE"]),
        (None, "E", ["stray\n#1\na\nE", "b\n#2\n#3\nE"]),
        ("#", "E", ["stray", "#1\na\nE", "b", "#2", "#3\nE"]),
        ("absent", None, ["stray\n#1\na\nE\nb\n#2\n#3\nE"]),
    ],
)
@pytest.mark.parametrize("step", [1, 2, 3, 8])
def test_records_are_joined_across_chunks(begins: str | None, ends: str | None, expected: list[str], step: int) -> None:
    lines = ["stray", "#1", "a", "E", "b", "#2", "#3", "E"]
    arrays = iter([pa.array(lines[n : n + step], pa.string()) for n in range(0, len(lines), step)])
    tests = [None if text is None else starts_with(text) for text in (begins, ends)]
    got = [text for made in joined(arrays, tests[0], tests[1], "x", null_context()) for text in made.array.to_pylist()]
    assert got == expected


def test_unknown_charset_is_refused_before_reading() -> None:
    with pytest.raises(ReaderError) as caught:
        TextReader(["/does/not/matter"], charset="klingon")
    assert caught.value.code == "unknown-charset"


def test_missing_file_is_a_reader_error() -> None:
    with pytest.raises(ReaderError, match="file not found"):
        list(TextReader(["/no/such/file"]).scan(None, null_context()))


def test_cancelling_stops_with_an_error_not_an_end(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"x\n" * 3_000_000)
    calls = []

    class Steps:
        def advance(self, source: str, done_bytes: int, total_bytes: int) -> None:
            calls.append((done_bytes, total_bytes))

    context = ReadContext(ListLoss(), Steps(), lambda: len(calls) >= 2, Files())
    with pytest.raises(ReadCancelled):
        list(TextReader([str(tmp_path / "a.log")]).scan(None, context))
    assert calls[0][1] == 6_000_000
