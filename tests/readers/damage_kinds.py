"""What the damage tests and ``bench/fuzz.py`` read: for every kind of file a reader, small sound files and limits.

The seeds are as small as the format allows, so that nearly every mutation hits something that is read.
"""

from __future__ import annotations

import gzip
import io
import lzma
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sample_data import make_hive
from sample_data.make_ntfs import Change, Entry, journal, mft, story, usn_record
from tests.readers import test_hive_replay as replay
from tests.readers.damage_support import Kind
from tests.readers.evtx_support import log as evtx_log
from tests.readers.test_ntfs_more import _volume
from tests.readers.view_support import VIEWS
from tests.support import shared_data
from udfs.readers.base import ReadContext, Reader, ReaderError, null_context, select
from udfs.readers.evtx import EvtxReader
from udfs.readers.hive import HiveReader
from udfs.readers.ntfs_logfile import LogFileReader
from udfs.readers.ntfs_mft import MftReader
from udfs.readers.ntfs_usnjrnl import UsnJrnlReader
from udfs.readers.regviews.reader import ViewReader, rows_of, schema_of
from udfs.readers.regviews.view import RegValue
from udfs.readers.request import Request
from udfs.readers.sqlite import SqliteRecordsReader, SqliteTablesReader
from udfs.readers.zipmembers import ZipEntriesReader, ZipLinesReader

# --- NTFS -------------------------------------------------------------------------------------------------------------


def _each(path: str, option: str) -> Reader:
    """One row a name, or a stream."""
    return MftReader.of(Request([path], null_context(), {option: True}))


def _mft_seeds() -> list[bytes]:
    rows = list(mft(story()))
    # Few records, so that most damage hits something: system files, folders, the deleted tool.
    seeds = [b"".join(rows[:8]), b"".join(rows[24:34]), b"".join(rows[40:46])]
    volume = story()
    volume.add(Entry(46, "big.bin", 5, size=9_000_000, short="BIG~1.BIN"))
    return [*seeds, b"".join(list(mft(volume, 4096))[44:47])]


def _journal_seeds() -> list[bytes]:
    third = b"".join(usn_record(Change(n, n, 5, 5, "이름" * n, 0x100, 1.0), 8 * n, 2 + n % 2) for n in range(1, 20))
    return [b"".join(journal(story(), front=512)), third]


def _logfile_seeds() -> list[bytes]:
    data = lzma.decompress(shared_data("forensics", "logfile", "tiny-volume-LogFile.xz").read_bytes())
    # Records are found by their place in the file: pages 4 to 6, with the restart pages, which tell the size.
    made = bytearray(data[: 7 * 4096])
    for page in (0, 4096):
        struct.pack_into("<Q", made, page + 48 + 24, len(made))
    return [bytes(made)]


_BESIDE = b"\xf5a second file\xf5"
"""Between the two files that a reader needs: either is damaged, and where this is, there is no second one."""


def _parts(path: str, first: str, second: str) -> tuple[str, str]:
    """The two files of a seed, beside it."""
    one, _, two = Path(path).read_bytes().partition(_BESIDE)
    folder = Path(path + ".parts")
    folder.mkdir(exist_ok=True)
    (folder / first).write_bytes(one)
    (folder / second).write_bytes(two)
    return str(folder / first), str(folder / second)


def _with_paths(path: str) -> Reader:
    """A journal whose paths come from an $MFT."""
    journal_path, mft_path = _parts(path, "$J", "$MFT")
    return UsnJrnlReader.of(Request([journal_path], null_context(), {"path": mft_path}))


def _with_paths_seeds() -> list[bytes]:
    return [b"".join(journal(story(), front=512)) + _BESIDE + b"".join(mft(story()))]


def _replayed(path: str) -> Reader:
    """A hive with its transaction log."""
    return HiveReader(_parts(path, "SYSTEM", "SYSTEM.LOG1")[0], replay=True)


@cache
def _replay_seeds() -> list[bytes]:
    states = [replay.hive_in(state, 40) for state in range(4)]
    new = replay.dirty(states[0], 8, 7) + _BESIDE + replay.new_log(7, states)
    return [new, replay.dirty(states[0], 5, 4) + _BESIDE + replay.old_log(states[0], states[1])]


def _view_replayed(path: str) -> Reader:
    """A view over a hive with its transaction log."""
    return ViewReader(VIEWS["reg-run-keys"], _parts(path, "NTUSER.DAT", "NTUSER.DAT.LOG1")[0], replay=True)


def _started_in(state: int) -> bytes:
    """A hive in one of its states: the number stands in every command that is run at logon."""
    root = make_hive.Key("ROOT", 132_000_000_000_000_000)
    place = root.child("Software\\Microsoft\\Windows\\CurrentVersion\\Run")
    for number in range(40):
        place.set(f"tool{number}", make_hive.SZ, make_hive.text(f"C:\\tools\\{state}\\{number}.exe /background"))
    return make_hive.build(root)


@cache
def _view_replay_seeds() -> list[bytes]:
    states = [_started_in(state) for state in range(4)]
    new = replay.dirty(states[0], 8, 7) + _BESIDE + replay.new_log(7, states)
    return [new, replay.dirty(states[0], 5, 4) + _BESIDE + replay.old_log(states[0], states[1])]


def _hive_seeds() -> list[bytes]:
    return [make_hive.build(make_hive.small(n), 3 + 2 * (n & 1)) for n in range(8)]


# --- event logs -------------------------------------------------------------------------------------------------------

_EVTX_HEAD = 128
_CHUNK = 65_536


@cache
def _evtx_seeds() -> list[bytes]:
    """The first records of three logs, without the empty space: a file header and one chunk up to its last record."""
    found = []
    for name, records in (
        ("new-user-security.evtx", 4),
        ("Microsoft-Windows-LanguagePackSetup-Operational.evtx", 3),
        ("plaso_System.evtx", 5),
    ):
        data = lzma.decompress(shared_data("forensics", "evtx", name + ".xz").read_bytes())
        chunk = bytearray(data[4096 : 4096 + _CHUNK])
        last, end = 512, 512
        for _ in range(records):
            last, end = end, end + struct.unpack_from("<I", chunk, end + 4)[0]
        first_id = struct.unpack_from("<Q", chunk, 8)[0]
        struct.pack_into("<QQQQ", chunk, 8, first_id, first_id + records - 1, first_id, first_id + records - 1)
        struct.pack_into("<II", chunk, 44, last, end)
        # The tables of common strings and templates point at places behind the cut, too.
        for at in range(128, 512, 4):
            if struct.unpack_from("<I", chunk, at)[0] >= end:
                struct.pack_into("<I", chunk, at, 0)
        head = bytearray(data[:_EVTX_HEAD])
        struct.pack_into("<QQ", head, 8, 0, 0)
        struct.pack_into("<H", head, 42, 1)
        found.append(bytes(head + chunk[:end]))
    return found


def _evtx_partly() -> list[bytes]:
    """Events whose data the parser would hand on in part: the names of elements are changed for it."""
    made = evtx_log(
        '<EventData><Data Name="a">A</Data><Data>x</Data></EventData>',
        '<EventData how="own"><Data Name="a" Type="t">A</Data><Data>x</Data><Data>y</Data></EventData>',
    )
    end = 4096 + int.from_bytes(made[4096 + 48 : 4096 + 52], "little")
    return [made[:_EVTX_HEAD] + made[4096:end]]


def _evtx_file(data: bytes) -> bytes:
    """The whole file of a seed: the empty space put back, most of the time with checksums that fit, at times twice."""
    choice = zlib.crc32(data) & 7
    head = bytearray(data[:_EVTX_HEAD])
    chunk = bytearray(data[_EVTX_HEAD : _EVTX_HEAD + _CHUNK])
    if choice == 0 or len(head) < _EVTX_HEAD or len(chunk) < 512:
        return bytes(head).ljust(4096, b"\0") + bytes(chunk)
    if choice > 2:
        struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
        used = struct.unpack_from("<I", chunk, 48)[0]
        struct.pack_into("<I", chunk, 52, zlib.crc32(chunk[512:used]))
        struct.pack_into("<I", chunk, 124, zlib.crc32(chunk[:120] + chunk[128:512]))
    return bytes(head).ljust(4096, b"\0") + bytes(chunk).ljust(_CHUNK, b"\0") * (2 if choice == 7 else 1)


# --- SQLite -----------------------------------------------------------------------------------------------------------


def _database(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "seed.db")
        database = sqlite3.connect(path)
        for statement in ("PRAGMA page_size = 512", *statements):
            database.execute(statement)
        database.commit()
        database.close()
        return path.read_bytes()


@cache
def _sqlite_seeds() -> list[bytes]:
    """Databases of 512-byte pages: leaf and interior pages, overflow chains, an index, free pages, no rowid, UTF-16."""
    rows = ", ".join(f"({n}, 'name {n}', x'0{n % 10}')" for n in range(60))
    mixed = "(1, 'one', x'00ff'), (2.5, NULL, '이름'), ('three', 3, -4)"
    return [
        _database("CREATE TABLE t(a, b, c)", f"INSERT INTO t VALUES {rows}"),
        _database("CREATE TABLE t(a, b, c)", f"INSERT INTO t VALUES {mixed}, (zeroblob(1500), hex(zeroblob(400)), 1)"),
        _database(
            "CREATE TABLE gone(x)", "INSERT INTO gone VALUES (zeroblob(1200))", "CREATE VIEW v AS SELECT a FROM t",
            "CREATE TABLE t(a TEXT PRIMARY KEY, b, c) WITHOUT ROWID", f"INSERT INTO t VALUES {mixed}",
            "DROP TABLE gone",
        ),
        _database(
            "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE, c AS (b || a))",
            "CREATE TRIGGER r AFTER DELETE ON t BEGIN SELECT 1; END", "INSERT INTO t(b) VALUES ('하나'), ('둘')",
        ),
    ]  # fmt: skip


# --- ZIP --------------------------------------------------------------------------------------------------------------


class _Pipe(io.RawIOBase):
    """What an archive is written to that cannot go back: every entry gets a data descriptor."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += data
        return len(data)


def _archive(entries: Sequence[tuple[str, bytes, int]], stream: _Pipe | io.BytesIO) -> bytes:
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data, method in entries:
            info = zipfile.ZipInfo(name, (2024, 3, 11, 12, 30, 10))
            info.compress_type = method
            with archive.open(info, "w", force_zip64=name.startswith("big")) as target:
                target.write(data)
        archive.comment = b"a comment"
    return bytes(stream.data) if isinstance(stream, _Pipe) else stream.getvalue()


def _with_zip64_end(data: bytes) -> bytes:
    """The same archive whose directory is found through a ZIP64 end record (APPNOTE 4.3.14 to 4.3.16)."""
    end = data.rindex(b"PK\5\6")
    count, size, offset = struct.unpack_from("<HII", data, end + 10)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    short = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:end] + record + locator + short


@cache
def _zip_seeds() -> list[bytes]:
    """Archives with every method, data descriptors, UTF-8 and CP949 names, ZIP64 sizes and a ZIP64 end record."""
    line = b"one line\nand another\n"
    korean = "보고서.txt".encode("cp949")
    stored = [("a.txt", line, zipfile.ZIP_STORED), ("보고서.txt", line, zipfile.ZIP_STORED), ("d/", b"", 0)]
    packed = [("x" * len(korean), line * 9, zipfile.ZIP_DEFLATED), ("big.txt", line, zipfile.ZIP_DEFLATED)]
    others = [("b.txt", line * 3, zipfile.ZIP_BZIP2), ("l.txt", line * 3, zipfile.ZIP_LZMA)]
    inner = [("a.gz", gzip.compress(line, mtime=0), 0), ("a.zst", pa.compress(line * 9, "zstd", asbytes=True), 8)]
    return [
        _archive(stored, io.BytesIO()),
        _archive(packed, io.BytesIO()).replace(b"x" * len(korean), korean),
        _archive([*stored[:1], *packed[:1]], _Pipe()),
        _archive(others, io.BytesIO()),
        _archive(inner, io.BytesIO()),
        _with_zip64_end(_archive([*stored[:1], *packed], io.BytesIO())),
    ]


# --- registry views ---------------------------------------------------------------------------------------------------

_BETWEEN_VALUES = b"\xfe\xfd\xfc"
_BETWEEN_PARTS = b"\xfb\xfa\xf9"
_NOT_FOUND = "not-a-list-of-values"


class ValuesReader:
    """A registry view over values that stand one after another in a file: key, name, type and data of each.

    What is damaged are the values and the names around them, not the hive that holds them.
    """

    def __init__(self, view: str, path: str) -> None:
        self._view = VIEWS[view]
        self._path = path

    @property
    def schema(self) -> pa.Schema:
        """The view's schema."""
        return schema_of(self._view)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """One batch."""
        values = []
        for text in Path(self._path).read_bytes().split(_BETWEEN_VALUES):
            key, *parts = text.split(_BETWEEN_PARTS)
            name, kind, data = [*parts, b"", b"", b""][:3]
            key, name, kind = (part.decode("utf-8", "replace") for part in (key, name, kind))
            values.append(RegValue(key, name, kind, data, 1_700_000_000_000_000))
        if not values:
            raise ReaderError("no values in {path}", self._path, _NOT_FOUND)
        yield rows_of(
            self._view,
            values,
            select(self.schema, columns),
            "f",
            lambda value: context.loss.lost(self._path, "unreadable-entry"),
        )


def values_file(values: Sequence[tuple[str, str, bytes]], kind: str = "BINARY") -> bytes:
    """The file ``ValuesReader`` reads, of (key, name, data)."""
    return _BETWEEN_VALUES.join(
        _BETWEEN_PARTS.join((key.encode(), name.encode(), kind.encode(), data)) for key, name, data in values
    )


_TIME = struct.pack("<Q", 132_332_296_000_000_000)
_ORDER = struct.pack("<3I", 1, 0, 0xFFFFFFFF)


def _wide(value: str) -> bytes:
    return value.encode("utf-16-le")


def _items() -> list[bytes]:
    """Shell items: a folder of the desktop, a drive, a file with its extension block, a delegate item, an address,
    a property store with a name."""
    long_name = _wide("long name.txt") + b"\0\0"
    extension = struct.pack("<HHIIIH", 46 + len(long_name), 9, 0xBEEF0004, 0x4A216C55, 0x4A216C55, 46)
    extension += bytes(2) + struct.pack("<Q", 5 << 48 | 77) + bytes(18) + long_name + struct.pack("<H", 24)
    entry = b"\x32\0" + struct.pack("<IHHH", 1234, 0x6C55, 0x4A21, 32) + b"LONGNA~1.T" + extension
    computer = b"\x1f\x50" + bytes.fromhex("e04fd020ea3a6910a2d808002b30309d")
    drive = b"\x2f" + b"C:\\".ljust(22, b"\0")
    inner = struct.pack("<H", len(entry) + 2) + entry
    delegate = b"\x74\0\0\0" + b"CFSF" + inner + bytes(38)
    address = b"\x61\x80\0\0" + _wide("http://example.org") + b"\0\0"
    name = struct.pack("<IIxHxxI", 17 + 10, 10, 31, 5) + _wide("name\0") + bytes(4)
    chain = struct.pack("<I", 24 + len(name)) + b"1SPS" + bytes.fromhex("30f125b7ef471a10a5f102608c9eebac") + name
    store = b"\0\0\0\0" + chain + bytes(4)
    return [struct.pack("<H", len(body) + 2) + body for body in (computer, drive, entry, delegate, address, store)]


def _shim_caches() -> list[bytes]:
    """The five layouts of the application compatibility cache, some in 32 and 64 bits."""
    path = _wide("\\??\\C:\\a.exe")
    found = [struct.pack("<II", 0xDEADBEEF, 1).ljust(400, b"\0") + path.ljust(528, b"\0") + _TIME * 3]
    for mark, header, wide, tail in (
        (0xBADC0FFE, 8, False, 8), (0xBADC0FFE, 8, True, 8), (0xBADC0FEE, 128, False, 16), (0xBADC0FEE, 128, True, 24),
    ):  # fmt: skip
        offset = header + 2 * ((24 if wide else 16) + tail)
        place = struct.pack("<HHxxxxQ" if wide else "<HHI", len(path), len(path), offset)
        found.append(struct.pack("<II", mark, 2).ljust(header, b"\0") + (place + _TIME + bytes(tail)) * 2 + path)
    for mark, header, middle in (
        (b"00ts", 128, bytes(8)), (b"10ts", 128, struct.pack("<H", 4) + b"pkg\0" + bytes(8)), (b"10ts", 52, b""),
    ):  # fmt: skip
        body = struct.pack("<H", len(path)) + path + middle + _TIME + bytes(4)
        entry = mark + bytes(4) + struct.pack("<I", len(body)) + body
        found.append(struct.pack("<I", header).ljust(header, b"\0") + entry * 2)
    return found


_USER = "ROOT\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\"
_SYSTEM = "ROOT\\ControlSet001\\"
_SELECT = ("ROOT\\Select", "Current", struct.pack("<I", 1))


def _view_seeds(view: str) -> list[bytes]:
    if view == "reg-user-assists":
        key = _USER + "UserAssist\\{G}\\Count"
        new = struct.pack("<4I", 1, 2, 3, 4000).ljust(60, b"\0") + _TIME + bytes(4)
        values = [(key, "P:\\arj.rkr", new), (key, "HRZR_EHACNGU", struct.pack("<II", 3, 7) + _TIME)]
    elif view == "reg-recent-docs":
        key = _USER + "RecentDocs"
        values = [(key, "MRUListEx", _ORDER), (key, "0", _wide("plan.docx\0") + b"\x14\0rest")]
        values += [(key, "1", _wide("계획"))]
        values += [(key + "\\.docx", "MRUListEx", _ORDER), (key + "\\.docx", "0", _wide("plan.docx\0"))]
    elif view == "reg-opensave-files":
        key = _USER + "ComDlg32\\OpenSavePidlMRU\\txt"
        lists = [b"".join(_items()[:3]) + b"\0\0", b"".join(_items()[3:]) + b"\0\0"]
        values = [(key, "MRUListEx", _ORDER), *((key, str(n), data) for n, data in enumerate(lists))]
    elif view == "reg-shellbags":
        key = "ROOT\\Software\\Microsoft\\Windows\\Shell\\BagMRU"
        values = [(key, "MRUListEx", _ORDER)]
        for number, item in enumerate(_items()):
            values.append((key + "\\0" * number, "0", item + b"\0\0"))
    elif view == "reg-shim-cache":
        key = _SYSTEM + "Control\\Session Manager\\AppCompatCache"
        return [values_file([_SELECT, (key, "AppCompatCache", data)]) for data in _shim_caches()]
    elif view == "reg-bam-entries":
        key = _SYSTEM + "Services\\bam\\State\\UserSettings\\S-1-5-18"
        other = key.replace("001", "002")
        values = [_SELECT, *((k, "\\Device\\HarddiskVolume1\\a.exe", _TIME + bytes(16)) for k in (key, other))]
    elif view == "reg-run-keys":
        key = "ROOT\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
        return [values_file([(key, name, _wide("C:\\a.exe\0")) for name in ("a", "b", "c", "d")], "SZ")]
    elif view == "reg-services":
        values = [_SELECT]
        for name in ("a", "b", "c"):
            key = _SYSTEM + f"Services\\{name}"
            values += [(key, "Start", struct.pack("<I", 2)), (key, "Type", struct.pack("<I", 0x20))]
    elif view == "reg-usb":
        key = _SYSTEM + "Enum\\USBSTOR\\Disk&Ven_A&Prod_B&Rev_1\\"
        times = "\\Properties\\{83da6326-97a6-4088-9453-a1923f573b29}\\0066"
        values = [_SELECT, ("ROOT\\MountedDevices", "\\DosDevices\\E:", _wide("_??_USBSTOR#D#S1&0#{g}"))]
        for serial in ("S1&0", "S2&0", "S3"):
            values += [(key + serial, "FriendlyName", _wide("x\0")), (key + serial + times, "", _TIME)]
    elif view == "reg-mru":
        values = [(_USER + "TypedPaths", f"url{n}", _wide("C:\\a\0")) for n in range(1, 5)]
        return [values_file([*values, (_USER + "RunMRU", "a", _wide("cmd\\1\0"))], "SZ")]
    elif view == "amcache-files":
        values = []
        for name in ("a", "b", "c"):
            key = f"ROOT\\Root\\InventoryApplicationFile\\{name}"
            values += [
                (key, "LowerCaseLongPath", _wide("c:\\a.exe\0")),
                (key, "LinkDate", _wide("12/31/2019 23:59:59\0")),
            ]
        return [values_file(values, "SZ")]
    elif view == "amcache-programs":
        keys = [f"ROOT\\Root\\InventoryApplication\\{name}" for name in ("a", "b", "c")]
        values = [(key, "Name", _wide("n\0")) for key in keys]
        values += [(key, "InstallDate", _wide("12/31/2019 23:59:59\0")) for key in keys]
        return [values_file(values, "SZ")]
    elif view == "reg-network-profiles":
        key = "ROOT\\Microsoft\\Windows NT\\CurrentVersion\\NetworkList\\Profiles\\{G}"
        date = struct.pack("<8H", 2011, 2, 1, 21, 15, 24, 16, 250)
        values = [(key, "ProfileName", _wide("cafe\0")), (key, "Description", _wide("카페"))]
        values += [(key, name, date) for name in ("DateCreated", "DateLastConnected")]
        values += [(key, name, struct.pack("<I", 6)) for name in ("Category", "NameType", "Managed")]
    else:
        raise LookupError(f"{view} has no sound values here to damage: add some (docs/contributing/view.md)")
    return [values_file(values)]


# --- all of them ------------------------------------------------------------------------------------------------------


def _view(name: str) -> Kind:
    def make(path: str) -> Reader:
        return ValuesReader(name, path)

    return Kind(make, lambda: _view_seeds(name), lambda size: size // 2 + 1)


def _lines(path: str) -> Reader:
    return ZipLinesReader(path, "*")


KINDS: dict[str, Kind] = {
    "ntfs-mft": Kind(MftReader, _mft_seeds, lambda size: size // 512 + 1),
    "ntfs-mft names": Kind(lambda path: _each(path, "names"), lambda: [_volume()], lambda size: size // 64 + 1),
    "ntfs-mft streams": Kind(lambda path: _each(path, "streams"), lambda: [_volume()], lambda size: size // 24 + 1),
    "ntfs-usnjrnl": Kind(UsnJrnlReader, _journal_seeds, lambda size: size // 64 + 1),
    "ntfs-logfile": Kind(LogFileReader, _logfile_seeds, lambda size: size // 48 + 1),
    "ntfs-usnjrnl path": Kind(_with_paths, _with_paths_seeds, lambda size: size // 64 + 1),
    "hive-file keys": Kind(lambda path: HiveReader(path, keys=True), _hive_seeds, lambda size: size // 4),
    "hive-file replay": Kind(_replayed, _replay_seeds, lambda size: size // 4),
    "reg-run-keys replay": Kind(_view_replayed, _view_replay_seeds, lambda size: size // 4),
    "hive-file deleted": Kind(lambda path: HiveReader(path, deleted=True), _hive_seeds, lambda size: size // 4),
    "hive-file": Kind(HiveReader, _hive_seeds, lambda size: size // 4),
    "evtx-file": Kind(EvtxReader, _evtx_seeds, lambda size: size // 24, _evtx_file),
    "evtx-file partly": Kind(EvtxReader, _evtx_partly, lambda size: size // 24, _evtx_file),
    "sqlite-tables": Kind(SqliteTablesReader, _sqlite_seeds, lambda size: size // 4 + 1),
    "sqlite-records": Kind(lambda path: SqliteRecordsReader(path, "t"), _sqlite_seeds, lambda size: size // 4 + 1),
    # An entry of the directory takes 46 bytes at least; 22 are the end record.
    "zipfile-entries": Kind(lambda path: ZipEntriesReader(path, "cp949"), _zip_seeds, lambda size: size // 46 + 1),
    "zipfile": Kind(_lines, _zip_seeds, lambda size: 1100 * size),
    **{name: _view(name) for name in sorted(VIEWS)},
}
"""By the name of the command that reads them."""

OF_TWO_FILES = ("hive-file replay", "reg-run-keys replay", "ntfs-usnjrnl path")
"""Kinds that take a seed apart before a reader opens anything."""
EVIDENCE = ("evtx-file", "ntfs-logfile")
"""Kinds whose seeds are cut from files that may not be passed on."""


def by_name(names: Iterable[str]) -> list[Any]:
    """Names of kinds as parameters of a test, in order; those of ``EVIDENCE`` carry the marker."""
    return [pytest.param(n, marks=[pytest.mark.evidence] if n in EVIDENCE else []) for n in sorted(names)]
