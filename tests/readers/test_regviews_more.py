"""Views of devices, services, programs that start, what was typed, and the application inventory.

Hives made here by the descriptions of the format, and real ones against the answers of other programs.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import lzma
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logsql.commands.forensic.reg_shim_cache import entries
from sample_data.make_hive import BINARY, DWORD, EXPAND_SZ, MULTI_SZ, QWORD, SZ, Key, build, filetime, text
from tests.readers.view_support import open_view
from tests.support import shared_data
from udfs.readers.base import ListLoss, null_context

_WHEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
_TIME = struct.pack("<Q", filetime(_WHEN))


def _rows(view: str, root: Key | bytes, folder: Path, loss: ListLoss | None = None) -> list[dict[str, Any]]:
    path = folder / "hive"
    path.write_bytes(root if isinstance(root, bytes) else build(root))
    return [row for batch in open_view(view, str(path)).scan(None, null_context(loss)) for row in batch.to_pylist()]


def _number(value: int) -> bytes:
    return struct.pack("<I", value)


def test_programs_that_start(tmp_path: Path) -> None:
    root = Key("ROOT", filetime(_WHEN))
    place = "Software\\Microsoft\\Windows\\CurrentVersion"
    root.child(f"{place}\\Run").set("Sync", SZ, text("C:\\sync.exe /quiet")).set("odd", DWORD, bytes(4))
    root.child(f"{place}\\RunOnce").set("Cleanup", SZ, text("C:\\지움.bat"))
    root.child(f"{place}\\Policies\\Explorer\\Run").set("1", EXPAND_SZ, text("%TEMP%\\x.exe"))
    root.child(f"{place}\\Explorer\\RunMRU").set("a", SZ, text("cmd\\1"))
    logon = root.child("Software\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon")
    logon.set("Shell", SZ, text("explorer.exe, evil.exe")).set("Background", SZ, text("0 0 0"))
    root.child("Software\\Microsoft\\Windows NT\\CurrentVersion\\Windows").set("Load", SZ, text(""))
    loss = ListLoss()
    rows = _rows("reg-run-keys", root, tmp_path, loss)
    assert {(row["key"].rsplit("\\", 1)[-1], row["entry"], row["command"]) for row in rows} == {
        ("Run", "Sync", "C:\\sync.exe /quiet"), ("Run", "1", "%TEMP%\\x.exe"), ("RunOnce", "Cleanup", "C:\\지움.bat"),
        ("Winlogon", "Shell", "explorer.exe, evil.exe"),
    }  # fmt: skip
    assert {row["last_written"] for row in rows} == {_WHEN}
    assert loss.total("unreadable-entry") == 1


def test_services_of_the_set_in_use(tmp_path: Path) -> None:
    root = Key("ROOT", filetime(_WHEN))
    for number in (1, 2):
        key = root.child(f"ControlSet00{number}\\Services\\Spool{number}")
        key.set("Start", DWORD, _number(2)).set("Type", DWORD, _number(0x20)).set(
            "ImagePath", EXPAND_SZ, text("svchost")
        )
        key.set("ObjectName", SZ, text("LocalSystem")).set("DisplayName", SZ, text("인쇄"))
        root.child(f"ControlSet00{number}\\Services\\Spool{number}\\Parameters").set("ServiceDll", SZ, text("x.dll"))
    root.child("ControlSet002\\Services\\odd").set("Start", DWORD, _number(9)).set("Type", BINARY, b"x")
    root.child("ControlSet002\\Services\\group").set("Group", SZ, text("x"))
    root.child("Select").set("Current", DWORD, _number(2))
    loss = ListLoss()
    first, second = _rows("reg-services", root, tmp_path, loss)
    assert {name: first[name] for name in first if name not in ("_file", "_path", "last_written")} == {
        "name": "Spool2", "display_name": "인쇄", "description": None, "image_path": "svchost", "service_dll": "x.dll",
        "start": "auto", "type": "shared process", "account": "LocalSystem",
    }  # fmt: skip
    assert (second["name"], second["start"], second["type"]) == ("odd", "9", None)
    assert loss.total("unreadable-entry") == 1


def test_usb_storage(tmp_path: Path) -> None:
    root = Key("ROOT", filetime(_WHEN))
    root.child("Select").set("Current", DWORD, _number(1))
    device = "ControlSet001\\Enum\\USBSTOR\\Disk&Ven_Acme&Prod_Stick&Rev_1.0\\0011AA&0"
    root.child(device).set("FriendlyName", SZ, text("Acme Stick"))
    times = f"{device}\\Properties\\{{83da6326-97a6-4088-9453-a1923f573b29}}"
    root.child(f"{times}\\0066").set("", QWORD, _TIME)
    root.child(f"{times}\\00000065\\00000000").set("Data", BINARY, _TIME)
    root.child(f"{times}\\0067").set("", BINARY, b"\1")
    root.child("ControlSet001\\Enum\\USB\\VID_0a5b&PID_5407\\0011AA", filetime(_WHEN)).set("Mfg", SZ, text("x"))
    old = "ControlSet001\\Enum\\USBSTOR\\Disk&Ven_Old&Prod_Key&Rev_2\\7&1a2b&0"
    root.child(old).set("ParentIdPrefix", SZ, text("8&77&0"))
    mounted = root.child("MountedDevices")
    mounted.set(
        "\\DosDevices\\E:", BINARY, "_??_USBSTOR#Disk&Ven_Acme&Prod_Stick&Rev_1.0#0011AA&0#{g}".encode("utf-16-le")
    )
    mounted.set("\\??\\Volume{v}", BINARY, "\\??\\STORAGE#RemovableMedia#8&77&0#{g}".encode("utf-16-le"))
    mounted.set("\\DosDevices\\C:", BINARY, bytes(12))
    loss = ListLoss()
    first, second = _rows("reg-usb", root, tmp_path, loss)
    shown = ("vendor", "product", "revision", "serial", "vid", "pid", "friendly_name", "drive_letters", "volume_guids")
    assert [first[name] for name in shown] == [
        "Acme", "Stick", "1.0", "0011AA", "0A5B", "5407", "Acme Stick", "E:", None,
    ]  # fmt: skip
    assert (first["arrived_at"], first["first_installed_at"], first["removed_at"]) == (_WHEN, _WHEN, None)
    assert first["usb_written"] == _WHEN
    # Windows made up the number of a device that has none of its own; XP mounts it by its prefix.
    assert [second[name] for name in shown[2:6]] == ["2", "7&1a2b&0", None, None]
    assert (second["drive_letters"], second["volume_guids"]) == (None, "{v}")
    assert loss.total("unreadable-entry") == 1


def test_names_of_volumes_in_software(tmp_path: Path) -> None:
    root = Key("ROOT", filetime(_WHEN))
    place = "Microsoft\\Windows Portable Devices\\Devices"
    for name in (
        "WPDBUSENUMROOT#UMB#2&37&0&STORAGE#VOLUME#_??_USBSTOR#DISK&VEN_ACME&PROD_STICK&REV_1.0#0011AA&0#",
        "USB#X",
    ):
        root.child(f"{place}\\{name}").set("FriendlyName", SZ, text("BACKUP"))
    first, second = _rows("reg-usb", root, tmp_path)
    assert (first["vendor"], first["serial"], first["volume_name"]) == ("ACME", "0011AA", "BACKUP")
    assert (second["vendor"], second["serial"]) == (None, "X")


def test_what_was_typed(tmp_path: Path) -> None:
    root = Key("ROOT", filetime(_WHEN))
    explorer = "Software\\Microsoft\\Windows\\CurrentVersion\\Explorer"
    root.child(f"{explorer}\\TypedPaths").set("url1", SZ, text("D:\\비밀")).set("url2", SZ, text("C:\\"))
    run = root.child(f"{explorer}\\RunMRU").set("MRUList", SZ, text("ba"))
    run.set("a", SZ, text("cmd\\1")).set("b", SZ, text("regedit\\1")).set("c", BINARY, b"\1")
    urls = "Software\\Microsoft\\Internet Explorer\\TypedURLs"
    root.child(urls).set("url1", SZ, text("http://x/")).set("url2", SZ, text("http://y/"))
    root.child(f"{urls}Time").set("url1", BINARY, _TIME).set("url2", BINARY, bytes(8))
    loss = ListLoss()
    rows = _rows("reg-mru", root, tmp_path, loss)
    assert {(row["kind"], row["order"], row["text"]) for row in rows} == {
        ("command", 0, "regedit"), ("command", 1, "cmd"), ("path", 0, "D:\\비밀"), ("path", 1, "C:\\"),
        ("url", 0, "http://x/"), ("url", 1, "http://y/"),
    }  # fmt: skip
    assert {row["visited_at"] for row in rows} == {_WHEN, None}
    assert loss.total("unreadable-entry") == 1


def test_inventory_of_windows_8(tmp_path: Path) -> None:
    root = Key("ROOT", filetime(_WHEN))
    file = root.child("Root\\File\\{d1}\\e0000430d").set("15", SZ, text("C:\\Tools\\a.exe"))
    file.set("101", SZ, text("0000" + "AB" * 20)).set("6", DWORD, _number(99)).set("12", QWORD, _TIME)
    file.set("f", DWORD, _number(1_600_000_000)).set("100", SZ, text("p1")).set("11", BINARY, b"x")
    root.child("Root\\File\\{d1}\\1").set("6", DWORD, _number(1))
    root.child("Root\\Programs\\p1").set("0", SZ, text("Tools")).set("a", DWORD, _number(86_400))
    loss = ListLoss()
    (row,) = _rows("amcache-files", root, tmp_path, loss)
    assert (row["file_path"], row["file_name"], row["sha1"]) == ("C:\\Tools\\a.exe", "a.exe", "ab" * 20)
    assert (row["file_size"], row["mft_no"], row["created_at"], row["modified_at"]) == (99, 0x430D, _WHEN, None)
    assert row["link_date"] == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert loss.total("unreadable-entry") == 2  # a time of one byte, an entry without a path
    (program,) = _rows("amcache-programs", root, tmp_path)
    assert (program["program_id"], program["name"]) == ("p1", "Tools")
    assert program["installed_at"] == datetime(1970, 1, 2)


def test_sizes_that_are_texts(tmp_path: Path) -> None:
    """A size with a leading zero ended the query in a ValueError of Python, one in hexadecimal was null untold."""
    root = Key("ROOT", filetime(_WHEN))
    for name, size in (("a", "042"), ("b", "0x2A"), ("c", "")):
        file = root.child(f"Root\\InventoryApplicationFile\\{name}")
        file.set("LowerCaseLongPath", SZ, text(f"c:\\{name}")).set("Size", SZ, text(size))
    loss = ListLoss()
    assert {row["file_path"]: row["file_size"] for row in _rows("amcache-files", root, tmp_path, loss)} == {
        "c:\\a": 42, "c:\\b": None, "c:\\c": None,
    }  # fmt: skip
    assert loss.total("unreadable-entry") == 1


def test_an_empty_text_is_a_text_in_every_view(tmp_path: Path) -> None:
    """Two views gave null for an empty text and one the text; python-registry and regipy print it as it is."""
    root = Key("ROOT", filetime(_WHEN))
    file = root.child("Root\\InventoryApplicationFile\\a").set("LowerCaseLongPath", SZ, text("c:\\a"))
    file.set("FileId", SZ, text("")).set("Publisher", SZ, text("")).set("LinkDate", SZ, text(""))
    program = root.child("Root\\InventoryApplication\\p").set("Name", SZ, text("P")).set("InstallDate", SZ, text(""))
    program.set("Source", MULTI_SZ, text("x")).set("Publisher", SZ, text(""))
    service = root.child("ControlSet001\\Services\\S").set("Start", DWORD, _number(2)).set("Type", DWORD, b"\1")
    service.set("DisplayName", SZ, text("")).set("Description", DWORD, _number(1))
    losses = ListLoss()
    (row,) = _rows("amcache-files", root, tmp_path, losses)
    assert [row[name] for name in ("publisher", "sha1", "version", "link_date")] == ["", "", None, None]
    (row,) = _rows("amcache-programs", root, tmp_path, losses)
    assert [row[name] for name in ("publisher", "source", "version", "installed_at")] == ["", "x", None, None]
    assert losses.entries == []
    (row,) = _rows("reg-services", root, tmp_path, losses)
    assert [row[name] for name in ("display_name", "description", "image_path", "type")] == ["", None, None, None]
    assert losses.total("unreadable-entry") == 1  # a type of one byte


@pytest.mark.evidence
def test_inventory_of_windows_10_as_another_program_reads_it(tmp_path: Path) -> None:
    answers = json.loads(shared_data("artefacts", "expected-amcache.json").read_text())
    (entry,) = (file for file in answers["files"] if file["group"] == "plaso-win10")
    data = lzma.decompress(shared_data("artefacts", *entry["stored"].split("/")).read_bytes())
    rows = {row["file_path"]: row for row in _rows("amcache-files", data, tmp_path)}
    expected = entry["values"]["InventoryApplicationFile"]
    assert len(rows) >= len(expected) > 0
    for known in expected:
        values = known["v"]
        row = rows[values["LowerCaseLongPath"]]
        assert (row["file_name"], row["publisher"], row["program_id"]) == (
            values["Name"], values.get("Publisher"), values["ProgramId"],
        )  # fmt: skip
        assert (row["product_name"], row["version"]) == (values.get("ProductName"), values.get("Version"))
        assert values["FileId"] == ("0000" + row["sha1"] if row["sha1"] else "")
        assert row["last_written"].isoformat()[:19] == known["last_written"][:19]
    programs = _rows("amcache-programs", data, tmp_path)
    assert len(programs) == entry["counts"]["InventoryApplication"] == 75


@pytest.mark.evidence
@pytest.mark.parametrize("group", ["plaso-win10", "velociraptor", "win10-apt", "win2012r2"])
def test_every_file_of_an_inventory_is_listed(group: str, tmp_path: Path) -> None:
    """All paths, by their digest, as yarp reads them with the logs; one of win10-apt is in the logs alone."""
    answers = json.loads(shared_data("artefacts", "expected-amcache.json").read_text())
    (entry,) = (file for file in answers["files"] if file["group"] == group)
    for file in (entry, *entry["side"]):
        packed = shared_data("artefacts", *file["stored"].split("/"))
        (tmp_path / file["name"]).write_bytes(lzma.decompress(packed.read_bytes()))
    for replay, counts in ((True, entry["counts"]), (False, entry["counts_without_logs"])):
        made = open_view("amcache-files", str(tmp_path / entry["name"]), replay=replay)
        paths = [path for batch in made.scan(["file_path"], null_context()) for path in batch["file_path"].to_pylist()]
        assert len(paths) == counts.get("InventoryApplicationFile", 0) + counts.get("File", 0)
        if replay:
            digest = hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()
            assert digest == entry.get("paths_sha256", entry.get("old_paths_sha256"))


def test_times_that_cannot_be_are_kept_and_counted(tmp_path: Path) -> None:
    root = Key("ROOT", filetime(_WHEN))
    count = root.child("Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\UserAssist\\{G}\\Count")
    for name, time in (("a", filetime(_WHEN)), ("b", filetime(datetime(2150, 1, 1, tzinfo=UTC))), ("c", 10)):
        data = struct.pack("<4I", 1, 2, 3, 4000).ljust(60, b"\0") + struct.pack("<Q", time) + bytes(4)
        count.set(codecs.encode(f"{{D65231B0-B2F1-4857-A4CE-A8E7C6EA7D27}}\\{name}", "rot13"), BINARY, data)
    loss = ListLoss()
    rows = _rows("reg-user-assists", root, tmp_path, loss)
    assert [row["last_execution"].year for row in rows] == [2024, 2150, 1601]
    assert [(entry.reason, entry.count, entry.sample) for entry in loss.entries] == [
        ("time-out-of-range", 2, "last_execution")
    ]
    assert [(row["file_path"], row["focus_count"]) for row in rows] == [(f"System32\\{name}", 3) for name in "abc"]


def test_what_the_shim_cache_says_of_execution() -> None:
    path = "C:\\a.exe".encode("utf-16-le")
    made = []
    for last in (b"\1\0\0\0", bytes(4), b""):
        body = struct.pack("<H", len(path)) + path + _TIME + struct.pack("<I", len(last)) + last
        made.append(b"10ts" + bytes(4) + struct.pack("<I", len(body)) + body)
    ten = struct.pack("<I", 52).ljust(52, b"\0") + b"".join(made)
    assert [executed for _, _, executed in entries(ten)] == [True, False, None]
    body = struct.pack("<H", len(path)) + path + struct.pack("<HII", 0, 2, 0) + _TIME + bytes(4)
    eight = struct.pack("<I", 128).ljust(128, b"\0") + b"00ts" + bytes(4) + struct.pack("<I", len(body)) + body
    assert [executed for _, _, executed in entries(eight)] == [True]


@pytest.mark.evidence
def test_places_and_flags_of_a_real_shim_cache(tmp_path: Path) -> None:
    data = lzma.decompress(shared_data("evidence2", "d06-SYSTEM_Win80.xz").read_bytes())
    rows = _rows("reg-shim-cache", data, tmp_path)
    assert [row["position"] for row in rows] == list(range(104))
    assert {row["control_set"] for row in rows} == {1}
    assert {row["executed"] for row in rows} == {True, False}
