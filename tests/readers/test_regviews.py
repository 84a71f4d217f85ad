"""Registry views: real hives against digests of regipy's output (with libfwsi for shell items), and hives of our own.

The digests were computed over regipy 6.5's plugins on the same files: SHA-256 over the sorted lines, fields joined by
``|``, seconds only. regipy reads both control sets of a SYSTEM hive, lists UserAssist twice and leaves the packaged
apps out of the Windows 10 shim cache; the sets below are what remains after that.
"""

from __future__ import annotations

import codecs
import hashlib
import lzma
import random
import struct
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from logsql.commands.forensic.reg_shim_cache import entries
from sample_data.make_hive import BINARY, DWORD, SZ, Key, build, filetime, text
from tests.readers.hive_support import unpacked
from tests.readers.view_support import VIEWS, open_view
from tests.support import shared_data
from udfs.readers.base import ListLoss, Reader, null_context
from udfs.readers.regviews.shellitems import parse

_WHEN = datetime(2020, 5, 6, 7, 8, 9, tzinfo=UTC)
_FILETIME = filetime(_WHEN)


def _rows(view: str, path: Path | str, loss: ListLoss | None = None, **options: Any) -> list[dict[str, Any]]:
    made = open_view(view, str(path), **options)
    return [row for batch in made.scan(None, null_context(loss)) for row in batch.to_pylist()]


def _sha(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _in_order(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _second(when: datetime | None) -> str:
    return "None" if when is None else when.strftime("%Y-%m-%dT%H:%M:%S")


def _regipy(name: str, folder: Path) -> Path:
    return unpacked(shared_data("forensics", "hives", "regipy", name + ".xz"), folder)


@pytest.mark.evidence
def test_shellbags_like_libfwsi(tmp_path: Path) -> None:
    rows = _rows("reg-shellbags", _regipy("NTUSER_BAGMRU.DAT", tmp_path))
    assert len(rows) == 102
    lines = [
        "|".join(
            [r["file_path"], str(r["order"]), *(_second(r[c]) for c in ("created_at", "modified_at", "access_at"))]
        )
        for r in rows
    ]
    assert _sha(lines) == "832bfb20774055914c05a2cf6670995cea46267e9b4141ba4b9b35e63219c70b"


@pytest.mark.evidence
def test_bam_like_regipy(tmp_path: Path) -> None:
    rows = _rows("reg-bam-entries", _regipy("SYSTEM_B", tmp_path))
    assert len(rows) == 28
    lines = [f"{r['sid']}|{r['file_path']}|{_second(r['last_execution'])}" for r in rows]
    assert _sha(lines) == "697839f60769671a5a945eab74bf4370167d7483cb3a319971c8fc27fc977bae"


@pytest.mark.evidence
def test_shim_cache_of_windows_7_like_regipy(tmp_path: Path) -> None:
    rows = _rows("reg-shim-cache", _regipy("SYSTEM", tmp_path))
    assert len(rows) == 330
    lines = [f"{r['file_path']}|{_second(r['modified_at'])}" for r in rows]
    assert _sha(lines) == "e7ac23cde6bfac3dd67ec0f13ea67fc96a1517fb6b0f3b2ca68f09f9aae266b3"


@pytest.mark.evidence
def test_places_in_the_shim_cache_are_those_of_regipy(tmp_path: Path) -> None:
    """Paths in the order of regipy 6.5.0, the place before each; it has no apps of Windows 10, and no flag there."""
    rows = _rows("reg-shim-cache", _regipy("SYSTEM", tmp_path))
    lines = [f"{r['position']}|{r['file_path']}|{_second(r['modified_at'])}|{r['executed']}" for r in rows]
    assert _in_order(lines) == "77425e3984e3a22c07f9214a6fdeb9bdc1141930aac993aabb957a839e49c009"
    rows = _rows("reg-shim-cache", _regipy("SYSTEM_B", tmp_path))
    assert [row["position"] for row in rows] == list(range(406))
    files = sorted((r for r in rows if "\t" not in r["file_path"]), key=lambda r: int(r["position"]))
    lines = [f"{r['file_path']}|{_second(r['modified_at'])}" for r in files]
    assert _in_order(lines) == "7fc33a102775d69c4ab6e8cff5aa7e5e19efa08a4419cfabc6172cb1e47d99a2"


@pytest.mark.evidence
def test_shim_cache_of_windows_10_like_regipy(tmp_path: Path) -> None:
    rows = _rows("reg-shim-cache", _regipy("SYSTEM_B", tmp_path))
    files = {f"{r['file_path']}|{_second(r['modified_at'])}" for r in rows if "\t" not in r["file_path"]}
    assert len(files) == 279
    assert _sha(files) == "d6aae78df721277e296362042fa9fcfda9a3c8e3b83118a9973ca6399c4ddfe6"


@pytest.mark.evidence
def test_user_assists_like_regipy(tmp_path: Path) -> None:
    rows = _rows("reg-user-assists", _regipy("NTUSER.DAT", tmp_path))
    assert len(rows) == 29
    never = "1601-01-01T00:00:00"  # how regipy prints a time of 0
    lines = [
        f"{r['key'].rsplit(chr(92), 1)[-1]}|{_second(r['last_execution']).replace('None', never)}|{r['exec_count']}"
        for r in rows
    ]
    assert _sha(lines) == "78128caee71c90af918f9489ac7f5c836c5023c3e08085aa92635cdd4ac1ec47"


def test_zip_and_replay_options_reach_the_hive(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        for user in ("a", "b"):
            archive.writestr(f"{user}/NTUSER.DAT", build(_user()))
    rows = _rows("reg-user-assists", "*NTUSER.DAT", zippath=str(tmp_path / "r.zip"), replay=True)
    assert [row["_file"] for row in rows] == ["NTUSER.DAT"] * 4


def _user() -> Key:
    root = Key("ROOT", _FILETIME)
    explorer = "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer"
    count = root.child(f"{explorer}\\UserAssist\\{{75048700-EF1F-11D0-9888-006097DEACF9}}\\Count")
    run = codecs.encode("UEME_RUNPATH:C:\\tool.exe", "rot13")
    count.set(run, BINARY, struct.pack("<IIQ", 3, 7, _FILETIME))
    count.set(
        codecs.encode("C:\\new.exe", "rot13"), BINARY, struct.pack("<4I", 1, 2, 3, 4000).ljust(60, b"\0") + bytes(12)
    )
    count.set(codecs.encode("UEME_CTLSESSION", "rot13"), BINARY, bytes(8))
    count.set("bad", BINARY, bytes(5))
    docs = root.child(f"{explorer}\\RecentDocs")
    docs.set("MRUListEx", BINARY, struct.pack("<iii", 1, 0, -1))
    docs.set("0", BINARY, text("plan.docx") + b"\x14\0rest").set("1", BINARY, text("계획.txt")).set("2", BINARY, b"")
    ext = root.child(f"{explorer}\\RecentDocs\\.docx")
    ext.set("MRUListEx", BINARY, struct.pack("<ii", 0, -1)).set("0", BINARY, text("plan.docx"))
    return root


def test_user_assists_of_windows_xp(tmp_path: Path) -> None:
    path = tmp_path / "NTUSER.DAT"
    path.write_bytes(build(_user()))
    loss = ListLoss()
    old, new = _rows("reg-user-assists", path, loss)
    # The count of the old format starts at 5.
    assert {k: old[k] for k in ("key", "session_num", "exec_count", "focus_time", "last_execution")} == {
        "key": "UEME_RUNPATH:C:\\tool.exe",
        "session_num": 3,
        "exec_count": 2,
        "focus_time": None,
        "last_execution": _WHEN,
    }
    assert (new["key"], new["exec_count"], new["focus_time"], new["last_execution"]) == ("C:\\new.exe", 2, 4000, None)
    assert [(entry.reason, entry.sample.rsplit("\\", 1)[-1]) for entry in loss.entries if entry.sample] == [
        ("unreadable-entry", "bad")
    ]


def test_recent_docs(tmp_path: Path) -> None:
    path = tmp_path / "NTUSER.DAT"
    path.write_bytes(build(_user()))
    loss = ListLoss()
    rows = [(r["file_name"], r["file_ext"], r["order"]) for r in _rows("reg-recent-docs", path, loss)]
    assert rows == [("plan.docx", None, 1), ("계획.txt", None, 0), ("plan.docx", ".docx", 0)]
    assert loss.total("unreadable-entry") == 1


@pytest.mark.evidence
def test_opensave_files_of_a_real_hive() -> None:
    rows = _rows("reg-opensave-files", shared_data("forensics", "hives", "codegate2011", "proneer.NTUSER.DAT.bak"))
    (row,) = (r for r in rows if r["file_ext"] == "*" and r["order"] == 3)
    assert row["file_path"] == "C:\\Utility\\MS_Office_Professional_Plus_2010_32Bit_English.ISO"
    assert row["file_size"] == "767354880"
    assert row["modified_at"] == datetime(2010, 10, 15, 13, 42, 54, tzinfo=UTC)
    assert (row["mft_entry_index"].hex(), row["ntfs_seq"]) == ("7ca800000000", 1)
    assert sorted(r["order"] for r in rows if r["file_ext"] == "*") == list(range(6))


def test_network_profiles(tmp_path: Path) -> None:
    root = Key("ROOT", _FILETIME)
    profile = root.child("Microsoft\\Windows NT\\CurrentVersion\\NetworkList\\Profiles\\{GUID-1}")
    profile.set("ProfileName", SZ, text("cafe")).set("Description", SZ, text("카페"))
    profile.set("Category", DWORD, struct.pack("<I", 1)).set("NameType", DWORD, struct.pack("<I", 71))
    profile.set("Managed", DWORD, struct.pack("<I", 0))
    profile.set("DateCreated", BINARY, struct.pack("<8H", 2011, 2, 1, 21, 15, 24, 16, 250))
    profile.set("DateLastConnected", BINARY, struct.pack("<8H", 2011, 13, 1, 21, 15, 24, 16, 250))
    path = tmp_path / "SOFTWARE"
    path.write_bytes(build(root))
    loss = ListLoss()
    assert _rows("reg-network-profiles", path, loss) == [
        {
            "guid": "{GUID-1}",
            "profile_name": "cafe",
            "description": "카페",
            "category": "Private",
            "category_id": 1,
            "name_type": "Wireless",
            "name_type_id": 71,
            "date_created": datetime(2011, 2, 21, 15, 24, 16, 250_000),
            "date_last_connected": None,
            "managed": False,
            "_file": "SOFTWARE",
            "_path": str(path),
        }
    ]
    assert loss.total("unreadable-entry") == 1  # there is no month 13


def test_bam_of_windows_10_1809_takes_the_current_control_set(tmp_path: Path) -> None:
    root = Key("ROOT", _FILETIME)
    for number in (1, 2):
        key = root.child(f"ControlSet00{number}\\Services\\bam\\State\\UserSettings\\S-1-5-18")
        key.set("Version", DWORD, struct.pack("<I", 1)).set("SequenceNumber", DWORD, struct.pack("<I", 9))
        key.set(f"\\Device\\HarddiskVolume{number}\\a.exe", BINARY, struct.pack("<QQQ", _FILETIME, 0, 0))
    root.child("Select").set("Current", DWORD, struct.pack("<I", 2))
    path = tmp_path / "SYSTEM"
    path.write_bytes(build(root))
    (row,) = _rows("reg-bam-entries", path)
    assert (row["sid"], row["file_name"], row["last_execution"]) == ("S-1-5-18", "a.exe", _WHEN)
    assert row["file_path"] == "\\Device\\HarddiskVolume2\\a.exe"


def _utf16(value: str) -> bytes:
    return value.encode("utf-16-le")


def _table(mark: int, header: int, wide: bool, tail: int) -> bytes:
    path = _utf16("\\??\\C:\\a.exe")
    size = (24 if wide else 16) + tail
    offset = header + size
    place = (
        struct.pack("<HHxxxxQ", len(path), len(path), offset)
        if wide
        else struct.pack("<HHI", len(path), len(path), offset)
    )
    entry = place + struct.pack("<Q", _FILETIME) + bytes(tail)
    return struct.pack("<II", mark, 1).ljust(header, b"\0") + entry + path


def _marked(mark: bytes, header: int, middle: bytes) -> bytes:
    path = _utf16("C:\\a.exe")
    body = struct.pack("<H", len(path)) + path + middle + struct.pack("<QI", _FILETIME, 0)
    entry = mark + bytes(4) + struct.pack("<I", len(body)) + body
    return struct.pack("<I", header).ljust(header, b"\0") + entry * 2


@pytest.mark.parametrize(
    ("data", "count"),
    [
        # Windows XP: 400 bytes of head, entries of 552 bytes
        (struct.pack("<II", 0xDEADBEEF, 1).ljust(400, b"\0") + _utf16("\\??\\C:\\a.exe").ljust(528, b"\0")
         + struct.pack("<QQQ", _FILETIME, 0, 0), 1),
        (_table(0xBADC0FFE, 8, False, 8), 1),  # Server 2003, 32-bit
        (_table(0xBADC0FFE, 8, True, 8), 1),  # Server 2003, 64-bit
        (_table(0xBADC0FEE, 128, False, 16), 1),  # Windows 7, 32-bit
        (_table(0xBADC0FEE, 128, True, 24), 1),  # Windows 7, 64-bit
        (_marked(b"00ts", 128, struct.pack("<H", 4) + b"pkg\0" + bytes(8)), 2),  # Windows 8.0: a package name
        (_marked(b"10ts", 128, struct.pack("<H", 4) + b"pkg\0" + bytes(8)), 2),  # Windows 8.1: a package name too
        (_marked(b"10ts", 48, b""), 2),  # Windows 10
        (_marked(b"10ts", 52, b""), 2),  # Windows 10 1703 and later
    ],
)  # fmt: skip
def test_shim_cache_layouts(data: bytes, count: int) -> None:
    micros = int(_WHEN.timestamp()) * 1_000_000
    assert [(path, modified) for path, modified, _ in entries(data)] == [("C:\\a.exe", micros)] * count


@pytest.mark.parametrize(
    ("keys", "name", "told"),
    [
        ("Select", "reg-user-assists", "SYSTEM; NTUSER.DAT is needed"),
        ("Select", "reg-shellbags", "SYSTEM; NTUSER.DAT or USRCLASS.DAT is needed"),
        ("Control Panel", "reg-shim-cache", "NTUSER.DAT; SYSTEM is needed"),
        ("Control Panel", "reg-recent-docs", None),  # the right hive without such keys
        ("Something", "reg-recent-docs", None),  # a hive that does not tell
    ],
)
def test_a_view_on_another_hive_says_which_it_wants(keys: str, name: str, told: str | None, tmp_path: Path) -> None:
    root = Key("ROOT", filetime(_WHEN))
    root.child(keys).set("Current", DWORD, bytes(4))
    path = tmp_path / "hive"
    path.write_bytes(build(root))
    loss = ListLoss()
    assert not sum(batch.num_rows for batch in open_view(name, str(path)).scan(None, null_context(loss)))
    assert [(entry.reason, entry.sample) for entry in loss.entries] == ([("wrong-hive", told)] if told else [])


@pytest.mark.evidence
def test_shim_cache_of_windows_xp_lists_the_entries_in_use(tmp_path: Path) -> None:
    """AppCompatCacheParser's own test finds 17 in this cache of 96 places; so says the third word of its head."""
    path = tmp_path / "SYSTEM"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d07-SYSTEM_WinXPx86.xz").read_bytes()))
    rows = _rows("reg-shim-cache", path)
    assert len(rows) == 17
    assert all(row["file_path"] and row["modified_at"] for row in rows)


def test_shim_cache_of_windows_xp_leaves_out_what_is_no_longer_in_use() -> None:
    def slot(name: str) -> bytes:
        return _utf16(name).ljust(528, b"\0") + struct.pack("<QQQ", _FILETIME, 0, 0)

    slots = slot("\\??\\C:\\new.exe") + slot("\\??\\C:\\left.exe") + slot("") + slot("")
    listed = struct.pack("<6I", 0xDEADBEEF, 4, 2, 0, 3, 0).ljust(400, b"\xff") + slots
    assert [path for path, _, _ in entries(listed)] == ["C:\\new.exe", ""]
    unlisted = struct.pack("<4I", 0xDEADBEEF, 4, 0, 0).ljust(400, b"\0") + slots
    assert [path for path, _, _ in entries(unlisted)] == ["C:\\new.exe", "C:\\left.exe"]


@pytest.mark.evidence
def test_shim_cache_of_windows_8_0(tmp_path: Path) -> None:
    """Paths and times of Velocidex/regparser; without the package's length the times began in 1643."""
    path = tmp_path / "SYSTEM"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d06-SYSTEM_Win80.xz").read_bytes()))
    made = open_view("reg-shim-cache", str(path))
    found = pa.Table.from_batches(list(made.scan(["file_path", "modified_at"], null_context()))).to_pylist()
    assert len(found) == 104
    assert [(row["file_path"].rsplit("\\", 1)[1], int(row["modified_at"].timestamp())) for row in found[:3]] == [
        ("LogonUI.exe", 1343272849),
        ("UninstWA.exe", 1429559979),
        ("EditPadLite7.exe", 1424698620),
    ]
    assert {row["modified_at"].year for row in found} <= set(range(2005, 2016))


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_views_are_readers_with_their_columns(name: str, tmp_path: Path) -> None:
    path = tmp_path / "h"
    path.write_bytes(build(_user()))
    made = open_view(name, str(path))
    assert isinstance(made, Reader)
    assert made.schema.names[-2:] == ["_file", "_path"]
    for column in made.schema.names:
        (batch,) = made.scan([column], null_context())
        assert batch.schema.names == [column]
        assert isinstance(batch, pa.RecordBatch)


def test_damaged_data_never_raises(tmp_path: Path) -> None:
    rng = random.Random(3)
    sources = {
        "reg-shellbags": _bag_values(),
        "reg-shim-cache": [
            _table(0xBADC0FEE, 128, True, 24),
            _marked(b"10ts", 52, b""),
            _marked(b"10ts", 128, bytes(12)),
        ],
        "reg-opensave-files": _bag_values(),
        "reg-user-assists": [bytes(72), bytes(16)],
    }
    places = {
        "reg-shellbags": ("Shell\\BagMRU", "0"),
        "reg-shim-cache": ("ControlSet001\\Control\\Session Manager\\AppCompatCache", "AppCompatCache"),
        "reg-opensave-files": ("ComDlg32\\OpenSavePidlMRU\\txt", "0"),
        "reg-user-assists": ("Explorer\\UserAssist\\{G}\\Count", "n"),
    }
    path = tmp_path / "h"
    rows: Counter[str] = Counter()
    for view, seeds in sources.items():
        for _ in range(60):
            root = Key("ROOT", _FILETIME)
            key, value = places[view]
            data = bytearray(rng.choice(seeds))
            for _ in range(rng.randrange(1, 6)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            if rng.random() < 0.3:
                del data[rng.randrange(len(data)) :]
            root.child(key).set(value, BINARY, bytes(data))
            path.write_bytes(build(root))
            for batch in open_view(view, str(path)).scan(None, null_context()):
                batch.validate(full=True)
                rows[view] += batch.num_rows
    assert rows.keys() == sources.keys(), "the damage hits all that could give rows"


def _bag_values() -> list[bytes]:
    long_name = _utf16("long name.txt") + b"\0\0"
    extension = struct.pack("<HHIIIH", 46 + len(long_name), 9, 0xBEEF0004, 0x4A21_6C55, 0x4A21_6C55, 46)
    extension += bytes(2) + struct.pack("<Q", 5 << 48 | 77) + bytes(8 + 2 + 4 + 4) + long_name + struct.pack("<H", 24)
    body = b"\x32\0" + struct.pack("<IHHH", 1234, 0x6C55, 0x4A21, 32) + b"LONGNA~1.TXT\0\0"[:10] + extension
    item = struct.pack("<H", len(body) + 2) + body
    drive = struct.pack("<HB", 25, 0x2F) + b"C:\\".ljust(22, b"\0")
    return [item + b"\0\0", drive + item + b"\0\0"]


def test_a_drive_may_stand_behind_a_mark_in_the_first_item() -> None:
    # As in NTUSER_with_winscp.DAT; libfwsi reads a volume "D:\\" here, the sixteen bytes at 4 are no GUID.
    data = bytes.fromhex("55001f002f0010b7a6f519002f443a5c").ljust(0x55, b"\0")
    assert parse(data).name == "D:\\"


@pytest.mark.evidence
def test_replay_is_an_option_of_the_commands(tmp_path: Path) -> None:
    import logsql

    names = [_regipy(f"transactions_NTUSER.DAT{log}", tmp_path) for log in ("", ".LOG1", ".LOG2")]
    with logsql.connect(tz="UTC") as session:
        rows = session.query(f"reg-user-assists replay=t {names[0]}").rows()
        whole = _rows("reg-user-assists", names[0], replay=True)
        assert rows == [{name: value for name, value in row.items() if name != "_path"} for row in whole]
        assert len(rows) > len(session.query(f"reg-user-assists {names[0]}").rows())
