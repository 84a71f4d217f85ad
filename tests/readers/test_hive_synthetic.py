"""Hives written by our own generator: typed values, names, order, damage, errors, columns, stopping."""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sample_data import make_hive
from sample_data.make_hive import BINARY, DWORD, MULTI_SZ, SZ, Key, build, text
from tests.readers.hive_support import image_of, plain, rows_of, table
from tests.readers.test_hive_answers import usb_join_parts
from tests.support import shared_data
from udfs.readers import base
from udfs.readers.base import (
    BATCH_ROWS,
    ListLoss,
    NullProgress,
    ReadCancelled,
    ReadContext,
    Reader,
    ReaderError,
    null_context,
)
from udfs.readers.files import Files
from udfs.readers.hive import HiveReader

_WHEN = make_hive.EPOCH + 12_345_678_901_234_567

_TYPED: dict[str, tuple[str, str, Any]] = {
    # name -> type, column, value; the rules are the house rules for value typing
    "": ("SZ", "text", "default"),
    "none": ("NONE", "bytes", b""),
    "sz": ("SZ", "text", "plain"),
    "sz empty": ("SZ", "text", ""),
    "sz no end": ("SZ", "text", "no end"),
    "sz odd": ("SZ", "text", "odd"),
    "sz inline": ("SZ", "text", "x"),
    "sz inner": ("SZ", "text", "before"),
    "sz korean": ("SZ", "text", "값"),
    "link": ("LINK", "text", "\\a"),
    "sz pair": ("SZ", "text", "\U0001f600"),
    "sz half": ("SZ", "text", "a\ufffdb"),
    "expand": ("EXPAND_SZ", "text", "%a%"),
    "bin": ("BINARY", "bytes", bytes(range(40))),
    "bin empty": ("BINARY", "bytes", b""),
    "bin 3": ("BINARY", "bytes", b"\1\2\3"),
    "dword": ("DWORD", "int", 4294967294),
    "dword short": ("DWORD", "bytes", b"\5\0"),
    "dword long": ("DWORD", "int", 0x03020100),
    "be": ("DWORD_BIG_ENDIAN", "int", 0x12345678),
    "qword": ("QWORD", "int", 2**64 - 2),
    "qword short": ("QWORD", "bytes", b"\1\1\1\1"),
    "multi": ("MULTI_SZ", "list", ["one", "둘"]),
    "multi no end": ("MULTI_SZ", "list", ["a", "bc"]),
    "multi empty": ("MULTI_SZ", "list", []),
    "multi nothing": ("MULTI_SZ", "list", []),
    "multi gap": ("MULTI_SZ", "list", ["a", "", "c"]),
    "resource": ("RESOURCE_LIST", "bytes", b"\1" * 20),
    "property": ("4294901778", "bytes", b"p\0\0\0"),
    "rid": ("500", "bytes", b""),
}


@pytest.fixture(scope="module")
def odd() -> list[dict[str, Any]]:
    return rows_of(build(make_hive.odd()))


@pytest.mark.parametrize("name", _TYPED)
def test_values_are_typed(odd: list[dict[str, Any]], name: str) -> None:
    (row,) = (row for row in odd if row["key"] == "ROOT\\types" and row["name"] == name)
    kind, column, value = _TYPED[name]
    assert row["type"] == kind
    assert {c: row["value." + c] for c in ("text", "int", "list", "bytes") if row["value." + c] is not None} == {
        column: value
    }


def test_every_value_of_the_generator_is_typed_above() -> None:
    assert set(_TYPED) == {name for name, _, _ in make_hive._odd_values()}


def test_raw_bytes_are_the_stored_ones(odd: list[dict[str, Any]]) -> None:
    stored = {name: data for name, _, data in make_hive._odd_values()}
    assert {
        r["name"]: r["value.raw"] for r in odd if r["key"] == "ROOT\\types" and r["value.raw"] is not None
    } == stored


def test_unreadable_data_leaves_null_and_a_loss() -> None:
    loss = ListLoss()
    rows = rows_of(build(make_hive.odd()), None, loss)
    empty = [r["name"] for r in rows if all(r[c] is None for c in r if c.startswith("value."))]
    assert empty == ["past the file", "past the cell"]
    assert loss.total("damaged-data") == 2


def test_long_data_in_segments(odd: list[dict[str, Any]]) -> None:
    big = {row["name"]: row for row in odd if row["key"] == "ROOT\\big"}
    assert big["two segments"]["value.bytes"] == bytes(i * 7 & 255 for i in range(16345))
    assert big["text"]["value.text"] == "가" * 20_000
    assert big["just one cell"]["value.bytes"] == b"\xab" * 16344


def test_format_1_3_keeps_long_data_in_one_cell_even_when_it_begins_with_db() -> None:
    root = Key("R", _WHEN).set("v", BINARY, b"db\2\0" + bytes(20_000))
    (row,) = rows_of(build(root, minor=3))
    assert row["value.bytes"] == b"db\2\0" + bytes(20_000)


def test_names_outside_ascii(odd: list[dict[str, Any]]) -> None:
    assert [row["name"] for row in odd if row["key"] == "ROOT\\names"] == ["latin é ü", "한글 이름"]
    below = [row["key"].split("\\")[2] for row in odd if row["key"].startswith("ROOT\\names\\")]
    assert below == ["Ключ", "café", "키\U0001f511", "half \ufffd"]


def test_surrogates_at_the_border_of_two_names_do_not_pair() -> None:
    root = Key("R", _WHEN).set("a\ud83d", DWORD, b"\1\0\0\0").set("\ude00b", DWORD, b"\2\0\0\0")
    assert [row["name"] for row in rows_of(build(root))] == ["a\ufffd", "\ufffdb"]


def test_times(odd: list[dict[str, Any]]) -> None:
    times = {row["key"].rsplit("\\")[-1]: row["last_written"] for row in odd if row["key"].startswith("ROOT\\times")}
    assert times == {"zero": None, "1601": -11_644_473_599_000_000, "1969": -1, "top bit": None}
    (plain_time,) = {row["last_written"] for row in odd if row["key"] == "ROOT\\types"}
    assert plain_time == 1_577_934_245_123_456  # 2020-01-02 03:04:05.123456 UTC


def test_every_list_kind_and_a_deep_branch(odd: list[dict[str, Any]]) -> None:
    for kind in ("lf", "lh", "li", "ri"):
        assert [r["value.int"] for r in odd if r["key"].startswith(f"ROOT\\list {kind}\\")] == list(range(20))
    assert [r["value.int"] for r in odd if r["key"].startswith("ROOT\\many\\")] == list(range(1200))
    assert odd[-1]["key"] == "ROOT\\deep" + "\\d" * 510
    assert odd[-1]["value.text"] == "reached"


def _expected_rows(root: Key) -> list[tuple[str, str, bytes]]:
    found = []
    stack = [(root, root.name)]
    while stack:
        key, path = stack.pop()
        found += [(path, value.name, value.data) for value in key.values]
        stack += [(child, f"{path}\\{child.name}") for child in reversed(key.subkeys)]
    return found


def test_a_larger_tree_in_depth_first_order() -> None:
    root = make_hive.big(4000, seed=7)
    rows = rows_of(build(root), ["key", "name", "value.raw"])
    assert [(r["key"], r["name"], r["value.raw"]) for r in rows] == _expected_rows(root)


def test_batches_are_bounded_and_keep_the_order() -> None:
    root = Key("R", _WHEN)
    for number in range(3):
        child = root.child(f"k{number}")
        for place in range(50_000):
            child.set(f"v{number}{place}", DWORD, struct.pack("<I", place))
    image = image_of(build(root))
    from udfs.readers.hive.reader import scan_image

    batches = list(scan_image(image, HiveReader.columns, "f", null_context()))
    assert [batch.num_rows for batch in batches] == [BATCH_ROWS, 150_000 - BATCH_ROWS]
    names = [name for batch in batches for name in batch.column("name").to_pylist()]
    assert names == [f"v{number}{place}" for number in range(3) for place in range(50_000)]
    keys = pa.concat_arrays([batch.column("key") for batch in batches])
    assert keys.value_counts().to_pylist() == [{"values": f"R\\k{n}", "counts": 50_000} for n in range(3)]


@pytest.mark.parametrize("columns", [[], ["key"], ["value.int"], ["_file", "last_written"], ["value.raw", "type"]])
def test_only_the_wanted_columns(tmp_path: Path, columns: list[str]) -> None:
    path = tmp_path / "odd.hive"
    path.write_bytes(build(make_hive.odd()))
    everything = table(path)
    some = table(path, columns)
    assert some.column_names == [name for name in everything.column_names if name in columns]
    assert some.num_rows == everything.num_rows
    assert some.equals(everything.select(some.column_names)) or not columns
    for column in some.columns:
        column.validate(full=True)


def test_batches_are_valid_arrow(tmp_path: Path) -> None:
    path = tmp_path / "odd.hive"
    path.write_bytes(build(make_hive.odd()))
    batches = list(HiveReader(str(path)).scan(None, null_context()))
    assert sum(batch.num_rows for batch in batches) > 0
    for batch in batches:
        batch.validate(full=True)


def test_schema_names_the_variants() -> None:
    marks = {f.name: f.metadata for f in HiveReader.columns if f.metadata}
    assert {name for name, mark in marks.items() if mark == {b"logsql.variant": b"value"}} == {
        "value.text",
        "value.int",
        "value.list",
        "value.bytes",
    }
    assert isinstance(HiveReader(__file__), Reader)


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _nk(data: bytes, name: str) -> int:
    """Position of the content of the (first) key with this ASCII name."""
    at = data.index(name.encode(), 4096) - 76
    assert data[at : at + 2] == b"nk"
    return at


def _tree() -> bytes:
    root = Key("R", _WHEN)
    for name in ("alpha", "beta", "gamma"):
        root.child(name).set("v", SZ, text(name))
        root.child(f"{name}\\{name}-sub").set("v", SZ, text("sub " + name))
    return build(root)


def test_a_loop_ends_and_is_counted() -> None:
    data = _tree()
    # beta's list names beta-sub; let it name the root instead.
    root = struct.unpack_from("<I", data, 36)[0]
    listed = struct.unpack_from("<I", data, _nk(data, "beta") + 28)[0] + 4096 + 4 + 4
    loss = ListLoss()
    rows = rows_of(_patched(data, listed, struct.pack("<I", root)), ["key"], loss)
    assert [row["key"] for row in rows] == [
        "R\\alpha",
        "R\\alpha\\alpha-sub",
        "R\\beta",
        "R\\gamma",
        "R\\gamma\\gamma-sub",
    ]
    assert [(entry.reason, entry.position) for entry in loss.entries] == [("key-loop", listed)]


def test_a_key_in_two_lists_is_shown_twice() -> None:
    data = _tree()
    listed = struct.unpack_from("<I", data, _nk(data, "alpha") + 28)[0]
    shared = _patched(data, _nk(data, "gamma") + 28, struct.pack("<I", listed))
    keys = [row["key"] for row in rows_of(shared, ["key"])]
    assert keys == [
        "R\\alpha",
        "R\\alpha\\alpha-sub",
        "R\\beta",
        "R\\beta\\beta-sub",
        "R\\gamma",
        "R\\gamma\\alpha-sub",
    ]


def test_lists_that_multiply_are_bounded() -> None:
    """Forty levels that each name the next one twice would be 2**40 keys."""
    root = Key("R", _WHEN)
    here = root
    for _ in range(40):
        here.subkeys = [Key("a", _WHEN), Key("b", _WHEN)]
        here = here.subkeys[0]
    here.set("v", DWORD, b"\1\0\0\0")
    data = bytearray(build(root))
    at = struct.unpack_from("<I", data, 36)[0] + 4100
    for _ in range(40):
        listed = struct.unpack_from("<I", data, at + 28)[0] + 4100
        first = struct.unpack_from("<I", data, listed + 4)[0]
        struct.pack_into("<I", data, listed + 12, first)
        at = first + 4100
    loss = ListLoss()
    rows_of(bytes(data), [], loss)
    assert loss.total("too-many-keys") > 0


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        (28, 0x7FFFFFF0, "damaged-subkey-list"),
        (28, 0x21, "damaged-subkey-list"),  # no multiple of 4
        (28, 0x20, "damaged-subkey-list"),  # an sk cell
        (28, 0xFFFFFFFF, "damaged-subkey-list"),
        (40, 0x7FFFFFF0, "damaged-value-list"),
    ],
)
def test_a_bad_reference_costs_only_what_it_refers_to(field: int, value: int, reason: str) -> None:
    data = _tree()
    at = _nk(data, "beta") + field
    loss = ListLoss()
    keys = [row["key"] for row in rows_of(_patched(data, at, struct.pack("<I", value)), ["key"], loss)]
    lost = "R\\beta\\beta-sub" if field == 28 else "R\\beta"
    everything = [f"R\\{n}{sub}" for n in ("alpha", "beta", "gamma") for sub in ("", f"\\{n}-sub")]
    assert keys == [key for key in everything if key != lost]
    assert [(entry.reason, entry.position) for entry in loss.entries] == [(reason, at)]


def test_a_list_longer_than_its_cell_is_cut() -> None:
    data = _tree()
    at = struct.unpack_from("<I", data, struct.unpack_from("<I", data, 36)[0] + 4100 + 28)[0] + 4100
    loss = ListLoss()
    rows = rows_of(_patched(data, at + 2, b"\xff\xff"), ["key"], loss)
    assert len(rows) == 6
    assert loss.total("subkey-list-cut") == 1


def test_wrong_length_and_trailing_garbage_do_not_matter() -> None:
    data = _tree()
    wrong = _patched(data, 40, struct.pack("<I", 4096))
    assert rows_of(wrong + b"garbage") == rows_of(data)


def test_a_root_offset_that_leads_nowhere() -> None:
    data = _tree()
    assert rows_of(_patched(data, 36, struct.pack("<I", 0x13579BDF))) == rows_of(data)


def test_truncated_in_the_middle_gives_what_is_left() -> None:
    data = build(make_hive.big(2000))
    loss = ListLoss()
    rows = rows_of(data[: len(data) // 2], ["key", "name"], loss)
    whole = {(row["key"], row["name"]) for row in rows_of(data, ["key", "name"])}
    assert 0 < len(rows) < len(whole)
    assert {(row["key"], row["name"]) for row in rows} <= whole
    assert sum(entry.count for entry in loss.entries) > 0


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "not-a-hive", "is empty"),
        (b"MZ" + bytes(8000), "not-a-hive", "does not begin with 'regf'"),
        (bytes(8192), "not-a-hive", "begins with zeros"),
        (b"regf" + bytes(2000), "truncated", "is truncated"),
        (b"regf" + bytes(20_000), "damaged-hive", "root key cannot be read"),
        (b"ElfFile\0" + bytes(70_000), "not-a-hive", "does not begin with 'regf'"),
    ],
)
def test_what_is_no_hive_is_one_clear_sentence(tmp_path: Path, content: bytes, code: str, said: str) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    with pytest.raises(ReaderError) as caught:
        table(path)
    assert caught.value.code == code
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="file not found"):
        table(tmp_path / "none.hive")


def test_a_transaction_log_gives_no_rows_and_says_so(tmp_path: Path) -> None:
    """``hive-file config\\SYSTEM*`` also matches SYSTEM.LOG1: that must not end the query."""
    path = tmp_path / "SYSTEM.LOG1"
    path.write_bytes(_patched(_tree()[:4096], 28, struct.pack("<I", 6)) + bytes(4096))
    loss = ListLoss()
    assert table(path, None, loss).num_rows == 0
    assert [entry.reason for entry in loss.entries] == ["transaction-log"]


def test_several_files_and_the_one_that_is_no_hive(tmp_path: Path) -> None:
    for number, name in enumerate(("a1.hive", "a2.hive", "a10.hive")):
        (tmp_path / name).write_bytes(build(Key(f"R{number}", _WHEN).set("v", DWORD, bytes(4))))
    (tmp_path / "a3.hive").write_text("no hive")
    loss = ListLoss()
    rows = plain(table(tmp_path / "a*.hive", None, loss))
    assert [(row["_file"], row["key"]) for row in rows] == [("a1.hive", "R0"), ("a2.hive", "R1"), ("a10.hive", "R2")]
    assert [(Path(entry.source).name, entry.reason) for entry in loss.entries] == [("a3.hive", "not-a-hive")]


def test_zip_entries(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "case.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config/SYSTEM", build(Key("S", _WHEN).set("v", DWORD, bytes(4))))
        archive.writestr("config/SOFTWARE", build(Key("W", _WHEN).set("v", DWORD, bytes(4))))
    rows = plain(table("config/S*", zippath=str(tmp_path / "case.zip")))
    assert {(row["_file"], row["key"]) for row in rows} == {("SYSTEM", "S"), ("SOFTWARE", "W")}


class _Positions(NullProgress):
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def advance(self, source: str, done_bytes: int, total_bytes: int) -> None:
        self.seen.append((done_bytes, total_bytes))


def _context(cancelled: Callable[[], bool], progress: NullProgress | None = None) -> ReadContext:
    return ReadContext(ListLoss(), progress or NullProgress(), cancelled, Files())


def test_progress_ends_at_the_size(tmp_path: Path) -> None:
    path = tmp_path / "t.hive"
    path.write_bytes(_tree())
    progress = _Positions()
    made = HiveReader(str(path))
    list(made.scan(["key"], _context(lambda: False, progress)))
    size = path.stat().st_size
    assert progress.seen[-1] == (size, size)
    assert progress.seen == sorted(progress.seen)


def test_cancelling_stops_the_scan(tmp_path: Path) -> None:
    path = tmp_path / "t.hive"
    path.write_bytes(_tree())
    for polls in range(4):
        left = iter([False] * polls)
        with pytest.raises(ReadCancelled):
            list(HiveReader(str(path)).scan(None, _context(lambda left=left: next(left, True))))


def test_files_are_opened_through_the_context_only(tmp_path: Path) -> None:
    path = tmp_path / "t.hive"
    path.write_bytes(_tree())

    context = ReadContext(ListLoss(), NullProgress(), lambda: False, Files(lambda name: False))
    with pytest.raises(ReaderError, match="is not allowed"):
        list(HiveReader(str(path)).scan(None, context))


def test_sample_case_has_one_answer(tmp_path: Path) -> None:
    folder = Path(make_hive.HERE) / "usb-leak"
    assert (folder / "system.hive").read_bytes() == build(make_hive.usb_system(), 3, "SYSTEM")
    assert (folder / "software.hive").read_bytes() == build(make_hive.usb_software(), 3, "SOFTWARE")
    mounted, connected, volumes = usb_join_parts(
        plain(table(folder / "system.hive")), plain(table(folder / "software.hive"))
    )
    day = (1_298_214_000_000_000, 1_298_300_400_000_000)  # 2011-02-21 00:00 +09:00 and a day later
    final = [
        (device[:4], count, volumes[device[3]])
        for device, count in mounted.items()
        if device[3] in volumes and day[0] <= connected[device[3]] <= day[1]
    ]
    assert final == [(("Norcliff", "Pocket_Drive", "1.02", "9c0211f4e77a"), 2, "AURORA")]
    # Each of the three conditions is needed: without it another device stays.
    assert len([d for d in mounted if d[3] in volumes]) > 1
    assert len([d for d in mounted if day[0] <= connected[d[3]] <= day[1]]) > 1
    assert len([s for s in volumes if s in connected and day[0] <= connected[s] <= day[1]]) > 1


def test_multi_strings_across_values_do_not_mix() -> None:
    root = Key("R", _WHEN)
    lists: list[list[str]] = [["a", "b"], [], ["", "x"], ["코"], ["end"]]
    for number, parts in enumerate(lists):
        root.set(str(number), MULTI_SZ, b"".join(text(part) for part in parts))
    found = [row["value.list"] for row in rows_of(build(root))]
    assert found == [["a", "b"], [], ["", "x"], ["코"], ["end"]]


@pytest.mark.evidence
def test_empty_names_of_a_pending_deletion_are_kept(tmp_path: Path) -> None:
    """As hivexget, python-registry, regipy and reglookup read it; the file behind an empty name is deleted at boot."""
    path = tmp_path / "d05.hive"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d05-multi-sz.hive.xz").read_bytes()))
    lists = {r["name"]: r["value.list"] for r in plain(table(path)) if r["type"] == "MULTI_SZ"}
    assert lists["PendingFileRenameOperations"] == [
        "\\??\\C:\\Temp\\first.tmp", "", "\\??\\C:\\Temp\\second.tmp", "",
        "\\??\\C:\\Temp\\evil.exe", "!\\??\\C:\\Windows\\good.exe",
    ]  # fmt: skip
    assert lists["LeadingEmpty"] == ["", "a"]


@pytest.mark.parametrize(
    ("stored", "strings"),
    [
        ("a\0\0", ["a"]),
        ("a\0\0\0", ["a", ""]),  # a last pair that deletes
        ("a\0\0b\0\0\0", ["a", "", "b", ""]),
        ("\0\0", []),
        ("\0", []),
        ("\0a", ["", "a"]),
    ],
)
def test_multi_strings_with_empty_ones(stored: str, strings: list[str]) -> None:
    root = Key("R", _WHEN)
    root.set("before", MULTI_SZ, text("x") + b"\0\0")
    root.set("this", MULTI_SZ, stored.encode("utf-16-le"))
    root.set("behind", MULTI_SZ, text("y") + b"\0\0")
    assert [row["value.list"] for row in rows_of(build(root))] == [["x"], strings, ["y"]]


def _with_empty_keys() -> Key:
    root = Key("R", _WHEN)
    root.child("a\\b")
    root.child("c").set("v", SZ, text("x"))
    root.child("c\\d", _WHEN + 10_000_000)
    root.child("e").set("w", SZ, text("y")).set("z", SZ, text("y"))
    root.child("f")
    return root


def test_keys_without_values_are_rows_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "h"
    path.write_bytes(build(_with_empty_keys()))
    for most in (base.BATCH_ROWS, 1):
        monkeypatch.setattr(base, "BATCH_ROWS", most)
        made = HiveReader(str(path), keys=True)
        rows = [row for batch in made.scan(None, base.null_context()) for row in batch.to_pylist()]
        assert [(r["key"], r["name"], r["type"], r["value.text"]) for r in rows] == [
            ("R", None, None, None), ("R\\a", None, None, None), ("R\\a\\b", None, None, None),
            ("R\\c", "v", "SZ", "x"), ("R\\c\\d", None, None, None),
            ("R\\e", "w", "SZ", "y"), ("R\\e", "z", "SZ", "y"), ("R\\f", None, None, None),
        ]  # fmt: skip
        assert rows[4]["last_written"] > rows[3]["last_written"]
    assert [r["key"] for r in rows_of(build(_with_empty_keys()))] == ["R\\c", "R\\e", "R\\e"]


def test_a_hive_of_keys_alone(tmp_path: Path) -> None:
    path = tmp_path / "h"
    path.write_bytes(build(Key("R", _WHEN)))
    made = HiveReader(str(path), keys=True)
    assert [row["key"] for batch in made.scan(["key"], base.null_context()) for row in batch.to_pylist()] == ["R"]


def test_class_names(tmp_path: Path) -> None:
    """The class of LSA's keys holds the boot key: a length in the key and a cell of UTF-16 text."""
    data = bytearray(build(_with_empty_keys()))
    nk = next(m.start() for m in re.finditer(b"nk", data) if data[m.start() + 72 : m.start() + 78] == b"\1\0\0\0c\0")
    free = len(data) - 64  # inside the free cell at the end of the bin
    data[free : free + 16] = struct.pack("<i", -16) + "4b3d".encode("utf-16-le") + bytes(4)
    struct.pack_into("<I", data, nk + 48, free - 4096)
    struct.pack_into("<H", data, nk + 74, 8)
    path = tmp_path / "h"
    path.write_bytes(bytes(data))
    rows = [row for batch in HiveReader(str(path)).scan(None, base.null_context()) for row in batch.to_pylist()]
    assert [(r["key"], r["class_name"]) for r in rows] == [("R\\c", "4b3d"), ("R\\e", None), ("R\\e", None)]


@pytest.mark.evidence
def test_the_empty_key_of_a_hive_of_all_types(tmp_path: Path) -> None:
    path = tmp_path / "d14.hive"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d14-value-types.hive.xz").read_bytes()))
    made = HiveReader(str(path), keys=True).scan(["key", "name", "type", "value.raw"], base.null_context())
    rows = [row for batch in made for row in batch.to_pylist()]
    (row,) = (row for row in rows if row["key"] == "ROOT\\empty")
    assert (row["name"], row["type"], row["value.raw"]) == (None, None, None)
