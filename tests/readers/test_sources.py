"""Paths, byte streams, archives and the bridge to DuckDB: what all readers share."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from udfs.appendnote import Note, note_path
from udfs.readers import base, sources
from udfs.readers.base import ListLoss, ReadContext, ReaderError, null_context
from udfs.readers.dataset import ReaderDataset
from udfs.readers.files import Files, noted_end


def read_all(path: str | sources.Member, loss: ListLoss | None = None) -> bytes:
    with sources.open_source(path, null_context(loss)) as source:
        return b"".join(iter(lambda: source.read(1000), b""))


def zst(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return bytes(sink.getvalue())


class TestPaths:
    def test_star_ignores_case_and_sorts_by_number(self, tmp_path: Path) -> None:
        for name in ("log.10", "LOG.2", "log.1", "other.1"):
            (tmp_path / name).touch()
        (tmp_path / "log.dir").mkdir()
        assert [Path(p).name for p in Files().expand(f"{tmp_path}/log.*")] == ["log.1", "LOG.2", "log.10"]

    @pytest.mark.parametrize("name", ["a[1].log", "what?.log", "a*b.log", "빈 칸.log", "$MFT"])
    def test_literal_name_wins_over_pattern(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        (tmp_path / "a1.log").touch()
        assert Files().expand(str(tmp_path / name)) == [str(tmp_path / name)]

    def test_only_star_is_special(self, tmp_path: Path) -> None:
        (tmp_path / "a1x.log").touch()
        (tmp_path / "a[1]x.log").touch()
        assert [Path(p).name for p in Files().expand(f"{tmp_path}/a[1]*")] == ["a[1]x.log"]

    def test_backslash_separates_when_the_literal_path_does_not_exist(self, tmp_path: Path) -> None:
        (tmp_path / "case").mkdir()
        (tmp_path / "case" / "a.log").touch()
        assert Files().expand(f"{tmp_path}\\case\\a.log") == [f"{tmp_path}/case/a.log"]
        assert Files().expand(f"{tmp_path}\\case\\*.log") == [f"{tmp_path}/case/a.log"]

    def test_backslash_in_an_existing_name_is_kept(self, tmp_path: Path) -> None:
        (tmp_path / "a\\b.log").touch()
        assert Files().expand(str(tmp_path / "a\\b.log")) == [str(tmp_path / "a\\b.log")]

    @pytest.mark.parametrize(
        ("pattern", "code"), [("absent.log", "file-not-found"), ("*.none", "no-match"), (".", "is-a-directory")]
    )
    def test_what_is_not_there_is_refused(self, tmp_path: Path, pattern: str, code: str) -> None:
        with pytest.raises(ReaderError) as caught:
            Files().expand(str(tmp_path / pattern))
        assert caught.value.code == code
        assert str(tmp_path) in str(caught.value)

    @pytest.mark.posix("file modes")
    @pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root reads everything")
    def test_unreadable_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "secret").touch(0o000)
        with pytest.raises(ReaderError) as caught:
            Files().expand(str(tmp_path / "secret"))
        assert caught.value.code == "permission-denied"

    def test_permission_denied_by_the_system_is_one_sentence(self) -> None:
        problem = base.os_error(PermissionError(13, "Permission denied"), "/x/y")
        assert (problem.code, problem.path, str(problem)) == ("permission-denied", "/x/y", "no permission to read /x/y")


class TestStreams:
    TEXT = b"".join(b"line %d\n" % n for n in range(50_000))

    @pytest.mark.parametrize("name", ["a.log", "a.log.gz", "a.log.zst", "gzip-without-suffix", "zstd-without-suffix"])
    def test_plain_gzip_and_zstd_give_the_same_bytes(self, tmp_path: Path, name: str) -> None:
        packed = gzip.compress(self.TEXT) if "gz" in name else zst(self.TEXT) if "zst" in name else self.TEXT
        (tmp_path / name).write_bytes(packed)
        assert read_all(str(tmp_path / name)) == self.TEXT

    def test_concatenated_and_padded_gzip_members(self, tmp_path: Path) -> None:
        (tmp_path / "a.gz").write_bytes(gzip.compress(b"one\n") + gzip.compress(self.TEXT) + b"\0" * 512)
        loss = ListLoss()
        assert read_all(str(tmp_path / "a.gz"), loss) == b"one\n" + self.TEXT
        assert loss.entries == []

    def test_truncated_gzip_gives_what_precedes_the_end(self, tmp_path: Path) -> None:
        packed = gzip.compress(self.TEXT)
        (tmp_path / "a.gz").write_bytes(packed[: len(packed) // 2])
        loss = ListLoss()
        got = read_all(str(tmp_path / "a.gz"), loss)
        assert len(got) > 10_000
        assert self.TEXT.startswith(got)
        assert [(e.reason, e.position) for e in loss.entries] == [("truncated-gzip", len(got))]

    def test_gzip_with_flipped_bytes_ends_there(self, tmp_path: Path) -> None:
        packed = bytearray(gzip.compress(self.TEXT))
        packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
        (tmp_path / "a.gz").write_bytes(packed)
        loss = ListLoss()
        read_all(str(tmp_path / "a.gz"), loss)
        assert [e.reason for e in loss.entries] == ["damaged-gzip"]

    def test_truncated_zstd_gives_what_precedes_the_end(self, tmp_path: Path) -> None:
        packed = zst(os.urandom(400_000))
        (tmp_path / "a.zst").write_bytes(packed[:300_000])
        loss = ListLoss()
        got = read_all(str(tmp_path / "a.zst"), loss)
        assert len(got) >= 128_000
        assert [(e.reason, e.position) for e in loss.entries] == [("damaged-zstd", len(got))]

    def test_gz_suffix_on_plain_text_is_read_as_it_is_and_noted(self, tmp_path: Path) -> None:
        (tmp_path / "a.gz").write_bytes(b"plain\n")
        loss = ListLoss()
        assert read_all(str(tmp_path / "a.gz"), loss) == b"plain\n"
        assert [e.reason for e in loss.entries] == ["not-gzip"]

    def test_empty_gz(self, tmp_path: Path) -> None:
        (tmp_path / "a.gz").write_bytes(b"")
        assert read_all(str(tmp_path / "a.gz")) == b""

    def test_random_access_into_compressed_files_and_members(self, tmp_path: Path) -> None:
        (tmp_path / "a.gz").write_bytes(gzip.compress(self.TEXT))
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("in/x.bin", self.TEXT)
        for path in (str(tmp_path / "a.gz"), sources.Member(str(tmp_path / "a.zip"), "in/x.bin")):
            with sources.open_random(path, null_context()) as file:
                file.seek(7)
                assert file.read(7) == b"line 1\n"

    def test_opening_is_asked_of_the_context(self, tmp_path: Path) -> None:
        (tmp_path / "a.log").write_bytes(b"x")

        context = ReadContext(ListLoss(), base.NullProgress(), lambda: False, Files(lambda path: False))
        with pytest.raises(ReaderError, match="not allowed"):
            sources.open_source(str(tmp_path / "a.log"), context)


class TestZip:
    def test_stars_in_archive_and_entry(self, tmp_path: Path) -> None:
        for number in (1, 2, 10):
            with zipfile.ZipFile(tmp_path / f"day{number}.zip", "w") as archive:
                archive.writestr("logs/b.TXT", b"b")
                archive.writestr("logs/a.txt", b"a")
                archive.writestr("logs/a.dat", b"-")
        found = sources.expand_members(f"{tmp_path}/day*.zip", "*.txt", null_context())
        assert [(Path(m.zip_path).name, m.entry) for m in found] == [
            (f"day{n}.zip", entry) for n in (1, 2, 10) for entry in ("logs/a.txt", "logs/b.TXT")
        ]

    def test_names_in_another_charset(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "kr.zip", "w") as archive:
            archive.writestr("AB.txt", "x")
        data = (tmp_path / "kr.zip").read_bytes().replace(b"AB.txt", "가".encode("cp949") + b".txt")
        (tmp_path / "kr.zip").write_bytes(data)
        found = sources.expand_members(str(tmp_path / "kr.zip"), "가.txt", null_context(), "cp949")
        assert read_all(found[0]) == b"x"

    def test_one_name_in_another_charset_blocks_nothing(self, tmp_path: Path) -> None:
        path = str(tmp_path / "kr.zip")
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("plain.txt", "AB.txt", "보고.txt"):
                archive.writestr(name, name[:2])
        data = Path(path).read_bytes().replace(b"AB.txt", "가".encode("cp949") + b".txt")
        Path(path).write_bytes(data)
        for charset in (None, "utf-8", "cp949"):
            loss = ListLoss()
            (plain,) = sources.expand_members(path, "plain.txt", null_context(loss), charset)
            assert (read_all(plain), loss.entries) == (b"pl", [])
            (marked,) = sources.expand_members(path, "보고.txt", null_context(loss), charset)
            assert (read_all(marked), loss.entries) == ("보고".encode(), [])
        # 0xB0 0xA1 are a shaded block and an i with acute in CP437.
        every = sources.expand_members(path, "*", null_context(loss := ListLoss()), "utf-8")
        assert [m.entry for m in every] == ["plain.txt", "░í.txt", "보고.txt"]
        assert [read_all(m) for m in every] == [b"pl", b"AB", "보고".encode()]
        assert [(entry.reason, entry.count) for entry in loss.entries] == [("entry-name-charset", 1)]
        with pytest.raises(ReaderError, match="1 names are no utf-8: give zipcharset"):
            sources.expand_members(path, "가.txt", null_context())

    def test_names_in_utf_8_need_no_mark(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("ABC.txt", "x")
        data = (tmp_path / "a.zip").read_bytes().replace(b"ABC.txt", "가.txt".encode())
        (tmp_path / "a.zip").write_bytes(data)
        assert [m.entry for m in sources.expand_members(str(tmp_path / "a.zip"), "*", null_context())] == ["가.txt"]

    def test_one_file_that_is_no_archive_among_several(self, tmp_path: Path) -> None:
        for name in ("a.zip", "c.zip"):
            with zipfile.ZipFile(tmp_path / name, "w") as archive:
                archive.writestr("x.txt", name)
        (tmp_path / "b.zip").write_bytes(b"no archive")
        found = sources.expand_members(f"{tmp_path}/*.zip", "x.txt", null_context(loss := ListLoss()))
        assert [read_all(member) for member in found] == [b"a.zip", b"c.zip"]
        assert [(Path(e.source).name, e.reason, e.count) for e in loss.entries] == [("b.zip", "not-a-zip", 1)]

    @pytest.mark.parametrize(("data", "code"), [(b"PK\3\4 no directory", "not-a-zip"), (b"", "not-a-zip")])
    def test_no_archive_is_refused(self, tmp_path: Path, data: bytes, code: str) -> None:
        (tmp_path / "a.zip").write_bytes(data)
        with pytest.raises(ReaderError) as caught:
            sources.expand_members(str(tmp_path / "a.zip"), "*", null_context())
        assert caught.value.code == code

    def test_absent_entry_and_unknown_charset_are_refused(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("x", "x")
        for entry, charset, code in (("y", None, "no-such-entry"), ("x", "klingon", "unknown-charset")):
            with pytest.raises(ReaderError) as caught:
                sources.expand_members(str(tmp_path / "a.zip"), entry, null_context(), charset)
            assert caught.value.code == code

    def test_encrypted_entry_is_refused(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("x", "secret")
        data = bytearray((tmp_path / "a.zip").read_bytes())
        data[6] |= 1
        data[data.index(b"PK\1\2") + 8] |= 1
        (tmp_path / "a.zip").write_bytes(data)
        with pytest.raises(ReaderError) as caught:
            read_all(sources.Member(str(tmp_path / "a.zip"), "x"))
        assert caught.value.code == "archive-encrypted"

    def test_wrong_checksum_keeps_the_data_and_tells(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("x", b"abc\n" * 50_000)
        data = bytearray((tmp_path / "a.zip").read_bytes())
        data[150_000] ^= 1
        (tmp_path / "a.zip").write_bytes(data)
        loss = ListLoss()
        got = read_all(sources.Member(str(tmp_path / "a.zip"), "x"), loss)
        assert len(got) > 150_000
        assert [e.reason for e in loss.entries] == ["damaged-zip-entry"]

    def test_gzip_inside_zip(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.gz", gzip.compress(b"inner\n"))
        assert read_all(sources.Member(str(tmp_path / "a.zip"), "x.gz")) == b"inner\n"


class Numbers:
    """A reader of three batches that notes which columns it was asked for."""

    schema = pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.string())])

    def __init__(self, fail: bool = False) -> None:
        self.asked: list[Sequence[str] | None] = []
        self.fail = fail

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        self.asked.append(columns)
        for start in (0, 4, 8):
            full = {
                "a": pa.array(range(start, start + 4), pa.int64()),
                "b": pa.array(["x", "y", None, "z"]),
                "c": pa.array(["c"] * 4),
            }
            yield base.batch_of(base.select(self.schema, columns), full, 4)
            context.loss.lost("numbers", "bad", 2, start)
            if self.fail:
                raise ReaderError("the disk is on fire", "numbers", "read-failed")


class TestDataset:
    @pytest.fixture
    def db(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect(config={"python_enable_replacements": False})
        yield connection
        connection.close()

    @pytest.mark.parametrize(
        ("sql", "rows", "asked"),
        [
            ("SELECT count(*) FROM t", [(12,)], ["a"]),
            ("SELECT a FROM t WHERE b = 'x'", [(0,), (4,), (8,)], ["a", "b"]),
            ("SELECT c, a FROM t WHERE a > 9 AND b IS NOT NULL", [("c", 11)], ["a", "b", "c"]),
            ("SELECT a FROM t LIMIT 1", [(0,)], ["a"]),
            ("WITH s AS (SELECT * FROM t), u AS (SELECT a, b FROM s) SELECT a FROM u WHERE a = 3", [(3,)], ["a"]),
        ],
    )
    def test_columns_and_filters_reach_the_reader(
        self, db: duckdb.DuckDBPyConnection, sql: str, rows: list[tuple[object]], asked: list[str]
    ) -> None:
        reader = Numbers()
        db.register("t", ReaderDataset(reader, null_context()))
        assert db.execute(sql).fetchall() == rows
        assert reader.asked == [asked]

    def test_every_reference_scans_afresh_but_losses_count_once(self, db: duckdb.DuckDBPyConnection) -> None:
        reader, loss = Numbers(), ListLoss()
        db.register("t", ReaderDataset(reader, null_context(loss)))
        sql = "SELECT count(*) FROM t JOIN t AS other USING (a)"
        assert db.execute(sql).fetchall() == [(12,)]
        assert len(reader.asked) == 2
        assert loss.total("bad") == 6

    def test_original_error_is_kept(self, db: duckdb.DuckDBPyConnection) -> None:
        dataset = ReaderDataset(Numbers(fail=True), null_context())
        db.register("t", dataset)
        with pytest.raises(duckdb.Error, match="the disk is on fire"):
            db.execute("SELECT sum(a) FROM t").fetchall()
        assert isinstance(dataset.last_error, ReaderError)

    def test_reader_protocol_holds(self) -> None:
        assert isinstance(Numbers(), base.Reader)
        assert base.batch_of(pa.schema([]), {}, 5).num_rows == 5


class TestSmallFiles:
    """What a folder of a thousand of them is read by goes through the same door as every other file."""

    def test_head_and_whole(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"0123456789")
        files = Files()
        assert files.head(str(tmp_path / "a"), 4) == b"0123"
        assert files.head(str(tmp_path / "a"), 64) == b"0123456789"
        assert files.small(str(tmp_path / "a"), 10) == b"0123456789"
        assert files.small(str(tmp_path / "a"), 9) is None

    @pytest.mark.parametrize("ask", [lambda f, p: f.head(p, 4), lambda f, p: f.small(p, 4)], ids=["head", "small"])
    def test_what_is_refused(self, ask: Callable[[Files, str], object], tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"x")
        for files, place, code in (
            (Files(lambda path: False), "a", "read-not-allowed"),
            (Files(opened=lambda path, handle: False), "a", "read-not-allowed"),
            (Files(), "none", "file-not-found"),
            (Files(), ".", "is-a-directory"),
        ):
            with pytest.raises(ReaderError) as caught:
                ask(files, str(tmp_path / place))
            assert caught.value.code == code

    @pytest.mark.posix("links need a privilege elsewhere")
    def test_the_note_of_a_writer_lies_where_the_file_does(self, tmp_path: Path) -> None:
        """A link at the end of a path leads to another folder, one in the middle to the same file by the same name."""
        real, linked = tmp_path / "real", tmp_path / "linked"
        real.mkdir()
        linked.symlink_to(real)
        file = real / "a.csv"
        file.write_bytes(b"whole\nunfinished")
        (tmp_path / "b.csv").symlink_to(file)
        found = file.stat()
        note = Note(found.st_dev, found.st_ino, 6, 100)
        Path(note_path(str(file))).write_bytes(note.written())
        for path in (file, linked / "a.csv", tmp_path / "b.csv"):
            assert noted_end(str(path)) == 6
            assert read_all(str(path)) == b"whole\n"
