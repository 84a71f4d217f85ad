"""One damaged field in a sound hive: no row is lost that the rest of the hive still tells."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from sample_data.make_hive import BINARY, DWORD, SEGMENT, SZ, Key, build, text
from tests.readers.hive_support import image_of, rows_of, table
from udfs.readers.base import ListLoss

_KINDS = ("lf", "lh", "li", "ri")
_LONG = bytes(i * 7 & 255 for i in range(2 * SEGMENT + 5))
_Row = tuple[str, str, bytes | None]


def _tree() -> Key:
    root = Key("ROOT", 132_000_000_000_000_000)
    for kind in _KINDS:
        parent = root.child("par " + kind)
        parent.list_kind = kind
        for number in range(7):
            child = parent.child(f"{kind}-child{number}")
            for place in range(number % 4):
                child.set(f"{kind}{number} val{place}", SZ, text(f"text {place}"))
            child.child(f"below {kind}{number}").set(f"num {kind}{number}", DWORD, b"\1\2\3\4")
    root.child("big").set("long", BINARY, _LONG)
    return root


_SOUND = build(_tree())
_ROOT = struct.unpack_from("<I", _SOUND, 36)[0] + 4100


def _word(data: bytes, at: int) -> int:
    found: int = struct.unpack_from("<I", data, at)[0]
    return found


def _rows(data: bytes, loss: ListLoss | None = None) -> list[_Row]:
    return [(row["key"], row["name"], row["value.raw"]) for row in rows_of(data, ["key", "name", "value.raw"], loss)]


_ALL = _rows(_SOUND)


def _nk(name: str) -> int:
    at = _SOUND.index(name.encode(), 4096) - 76
    assert _SOUND[at : at + 2] == b"nk"
    return at


def _vk(name: str) -> int:
    at = _SOUND.index(name.encode(), 4096) - 20
    assert _SOUND[at : at + 2] == b"vk"
    return at


def _list(name: str) -> int:
    return _word(_SOUND, _nk(name) + 28) + 4100


def _values(name: str) -> int:
    return _word(_SOUND, _nk(name) + 40) + 4100


def _data(name: str) -> int:
    return _word(_SOUND, _vk(name) + 8) + 4100


def _size(at: int, change: int) -> bytes:
    """The hive with a cell's size changed: ``at`` is where its content begins."""
    size = struct.unpack_from("<i", _SOUND, at - 4)[0]
    return _with(at - 4, struct.pack("<i", size + change))


def _with(at: int, new: bytes) -> bytes:
    return _SOUND[:at] + new + _SOUND[at + len(new) :]


def test_the_sound_hive_has_every_row_and_no_loss() -> None:
    loss = ListLoss()
    assert len(_rows(_SOUND, loss)) == 4 * (9 + 7) + 1
    assert not loss.entries


_NOTHING_LOST: dict[str, tuple[Callable[[], bytes], str]] = {
    # what is damaged -> the hive, the reason in the ledger
    **{f"size of {kind} list": (lambda kind=kind: _size(_list("par " + kind), 8), "") for kind in _KINDS},
    **{f"size of {kind} list by one": (lambda kind=kind: _size(_list("par " + kind), 1), "") for kind in _KINDS},
    "size of a key": (lambda: _size(_nk("lf-child4"), 8), ""),
    "size of a value": (lambda: _size(_vk("lh5 val0"), 8), ""),
    "size of a value list": (lambda: _size(_values("lh-child3"), 8), ""),
    "size of data": (lambda: _size(_data("li3 val2"), 8), ""),
    "size of a segment": (lambda: _size(_word(_SOUND, _word(_SOUND, _data("long") + 4) + 4100) + 4100, 16), ""),
    "sign of a key's size": (lambda: _with(_nk("lf-child4") - 4, struct.pack("<I", 96)), ""),
    "mark of a key": (lambda: _with(_nk("lf-child4"), b"\0\0"), "key-without-mark"),
    "mark of a key looks like another": (lambda: _with(_nk("par ri"), b"vk"), "key-without-mark"),
    "mark of a value": (lambda: _with(_vk("ri5 val0"), b"xy"), "value-without-mark"),
    "mark of the root": (lambda: _with(_ROOT, b"\xff\xff"), ""),
    "count of a list is 0": (lambda: _with(_list("par lh") + 2, b"\0\0"), "subkey-count-differs"),
    "count of a list is less": (lambda: _with(_list("par li") + 2, b"\3\0"), "subkey-count-differs"),
    "count of a key is 0": (lambda: _with(_nk("par lf") + 20, bytes(4)), "subkey-count-differs"),
    "count of a key is less": (lambda: _with(_nk("par ri") + 20, b"\1"), "subkey-count-differs"),
    "count of a key is huge": (lambda: _with(_nk("par lf") + 20, b"\xff" * 4), "subkey-count-differs"),
    "count of segments": (lambda: _with(_data("long") + 2, b"\1\0"), ""),
    "length of a number": (lambda: _with(_vk("num li4") + 4, b"\xff\xff\xff\x7f"), "damaged-data"),
    "length of a number in place": (lambda: _with(_vk("num li4") + 4, b"\x0c\0\0\x80"), "data-cut"),
    "mark of the file": (lambda: _with(0, b"RGEF"), ""),
    "the base block": (lambda: _with(0, bytes(4096)), ""),
    "the base block, with FF": (lambda: _with(0, b"\xff" * 4096), ""),
    "offset of the root": (lambda: _with(36, b"\xff" * 4), ""),
    "length of the bins": (lambda: _with(40, bytes(4)), ""),
}


@pytest.mark.parametrize("what", _NOTHING_LOST)
def test_one_damaged_field_costs_no_row(what: str) -> None:
    make, reason = _NOTHING_LOST[what]
    loss = ListLoss()
    assert _rows(make(), loss) == _ALL
    assert not reason or reason in {entry.reason for entry in loss.entries}


def test_a_list_that_is_longer_than_its_sound_cell_takes_nothing_from_its_neighbours() -> None:
    """The count is what is wrong here: the cells behind the list follow one another as they should."""
    loss = ListLoss()
    assert _rows(_with(_list("par lf") + 2, b"\xff\xff"), loss) == _ALL
    assert loss.total("subkey-list-cut") == 1
    loss = ListLoss()
    assert _rows(_with(_nk("lh-child3") + 36, b"\xff\0\0\0"), loss) == _ALL
    assert loss.total("value-list-cut") == 1


def test_two_damages_in_one_bin_do_not_drown_the_rest() -> None:
    """A count of 65,535 and, behind it, a size that is no size: the list must not run through the whole bin."""
    data = bytearray(_with(_list("par lf") + 2, b"\xff\xff"))
    data[_list("par lf") + 4 + 7 * 8 + 4 :][:4] = b"\3\0\0\0"
    struct.pack_into("<I", data, _list("par lf") + 4 + 7 * 8, 3)
    loss = ListLoss()
    assert set(_rows(bytes(data), loss)) >= set(_ALL)
    assert loss.total("too-many-keys") == 0


def test_data_behind_the_last_bin_is_still_data() -> None:
    """A cell in what follows the bins, longer than it says: no bin tells whether its size is right."""
    data = bytearray(_SOUND + bytes(4096) + struct.pack("<i", -16) + b"0123456789abcdefghij")
    struct.pack_into("<II", data, _vk("lf3 val2") + 4, 20, len(_SOUND))
    assert ("ROOT\\par lf\\lf-child3", "lf3 val2", b"0123456789abcdefghij") in _rows(bytes(data))


def test_deleted_keys_stay_deleted() -> None:
    """A freed key that the slack of a list still names is no live one, though it names its parent."""
    data = bytearray(_with(_list("par li") + 2, b"\6\0"))  # the last of the seven is deleted, its cell freed
    gone = _nk("li-child6")
    struct.pack_into("<i", data, gone - 4, -struct.unpack_from("<i", data, gone - 4)[0])
    assert {key for key, _, _ in _rows(bytes(data))} == {key for key, _, _ in _ALL if "li-child6" not in key}


def test_data_longer_than_its_cell_is_cut_there() -> None:
    loss = ListLoss()
    found = {name: data for _, name, data in _rows(_with(_vk("ri3 val1") + 4, struct.pack("<I", 500)), loss)}
    assert found["ri3 val1"] == text("text 1") + bytes(6)  # 14 bytes of text in a cell of 24 bytes, 4 for its size
    assert [(entry.reason, entry.position) for entry in loss.entries] == [("data-cut", _vk("ri3 val1"))]


def test_a_predefined_handle_is_no_count_of_values() -> None:
    """Perflib's keys: flag 0x40, and 0x80000004 where the count of values would be."""
    at = _nk("lf-child0")
    data = bytearray(_SOUND)
    struct.pack_into("<H", data, at + 2, struct.unpack_from("<H", data, at + 2)[0] | 0x40)
    struct.pack_into("<I", data, at + 36, 0x80000004)
    loss = ListLoss()
    assert _rows(bytes(data), loss) == _ALL
    assert not loss.entries


def test_a_file_cut_in_the_hash_of_a_list_element_keeps_the_element() -> None:
    """The name of the key lies before; only the last four bytes, which nobody reads, are gone."""
    root = Key("R", 0)
    root.child("only").set("v", DWORD, bytes(4))
    data = build(root)
    listed = _word(data, _word(data, 36) + 4100 + 28) + 4100
    grown = bytearray(data + struct.pack("<i", -16) + data[listed : listed + 8])
    struct.pack_into("<I", grown, _word(data, 36) + 4100 + 28, len(data) - 4096)
    assert [row["key"] for row in rows_of(bytes(grown), ["key"])] == ["R\\only"]


def test_a_root_without_subkeys_and_without_its_mark() -> None:
    data = bytearray(build(Key("R", 0).set("v", DWORD, b"\1\0\0\0")))
    at = _word(bytes(data), 36) + 4100
    data[at : at + 2] = b"??"
    assert [row["name"] for row in rows_of(bytes(data), ["name"])] == ["v"]


def test_the_base_block_is_named_in_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "SYSTEM"
    for data, reasons in (
        (_SOUND, []),
        (_with(0, bytes(4096)), ["damaged-base-block", "root-key-elsewhere"]),
        (_with(508, b"\0\1\2\3"), ["damaged-base-block"]),
        (_with(36, b"\xff" * 4), ["damaged-base-block", "root-key-elsewhere"]),
    ):
        path.write_bytes(data)
        loss = ListLoss()
        table(path, ["key"], loss)
        assert [entry.reason for entry in loss.entries] == reasons
        assert loss.total("damaged-base-block") == 0  # it costs no row


def test_a_cut_file_gives_only_what_the_whole_one_has() -> None:
    """Rows whose data lies behind the cut are null, or hold what lies before it; no row is made up."""
    whole = {(key, name): data for key, name, data in _ALL}
    found = 0
    for cut in range(len(_SOUND) - 4096, 8192, -1236):
        for key, name, data in _rows(_SOUND[:cut]):
            expected = whole[key, name]
            assert data is None or (expected is not None and expected.startswith(data))
            found += 1
    assert found > 100
    assert image_of(_SOUND[:8192]).root == _ROOT
