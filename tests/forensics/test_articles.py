"""The vendor's two tutorials on forensics, replayed: USB sticks in the registry, deleted programs in the $MFT.

The queries are the articles'. Expected values are what the articles print, for `codegate2012-MFT`, and what the
generator of the scenario hives says it wrote (``expected.json``), for the registry: the hives of the first article
cannot be had, the scenario repeats their structure and the devices that the article shows.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import logsql
from logsql.cli import main
from tests.support import shared_data

pytestmark = pytest.mark.evidence

MOUNTED = r"""hive-file codegate2011\system.bak
| search key == "*MountedDevices" and name == "\\DosDevices*" """
SERIALS = r"""hive-file codegate2011\system.bak
| search key == "*USB\\VID_*"
| eval serial = lower(valueof(split(key, "\\"), 5))
| stats max(last_written) as last_connect by serial"""
VOLUMES = r"""hive-file codegate2011\software.bak
| search key == "*Windows Portable Devices*" and name == "FriendlyName"
| rex field=key "&REV_[^#]+#(?<serial>[^&]+)"
| eval serial = lower(serial)
| stats first(value) as volume_name by serial"""
PARTS = r"""rex field=value "Ven_(?<vendor>[^&]+)&Prod_(?<product>[^&]+)&Rev_(?<version>[^#]+)#(?<serial>[^&]+)"
| eval serial = lower(serial)"""
LEAK = rf"""hive-file codegate2011\system.bak
| search key == "*MountedDevices*"
| eval value = substr(decode(value, "UTF-16LE"), 4)
| search value == "*USB*"
| {PARTS}
| stats count by vendor, product, version, serial, value
| join serial [ {SERIALS} ]
| join serial [ {VOLUMES} ]
| search last_connect >= date("2011-02-21", "yyyy-MM-dd") and last_connect <= date("2011-02-22", "yyyy-MM-dd")
| order volume_name, vendor, product, version, serial, last_connect"""
LAST_WRITTEN = "2011-02-19 14:34:06+0900"
CLASS = "{53f5630d-b6bf-11d0-94f2-00a0c91efb8b}"
PRINTED_DEVICES = {
    "\\DosDevices\\C:": "\0\0",
    "\\DosDevices\\D:": f"IDE#CdRomMATSHITA_DVD-R___UJ-868_________________KB19____#5&290fd3ab&0&1.0.0#{CLASS}",
    "\\DosDevices\\A:": f"FDC#GENERIC_FLOPPY_DRIVE#6&2bc13940&0&0#{CLASS}",
    "\\DosDevices\\E:": "USBSTOR#Disk&Ven_Corsair&Prod_UFD&Rev_0.00#ddf08fb7a86075&0#"
    "{53f56307-b6bf-11d0-94f2-00a0c91efb8b}",
    "\\DosDevices\\F:": f"DTSOFTBUS&Rev1#DTCDROM&Rev1#1&79f5d87&0&00#{CLASS}",
    "\\DosDevices\\G:": "USBSTOR#Disk&Ven_SanDisk&Prod_U3_Cruzer_Micro&Rev_2.18#0000156059605A5C&0#"
    "{53f56307-b6bf-11d0-94f2-00a0c91efb8b}",
}
"""Decoded values as the article prints them; H: and I: have other serial numbers in the scenario."""


def rows(text: str, **params: Any) -> list[dict[str, Any]]:
    with logsql.connect(tz="Asia/Seoul") as session:
        return session.query(text, params=params).rows()


def printed(text: str, capture: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The JSON lines that the command line prints."""
    capture.readouterr()
    assert main(["--tz", "Asia/Seoul", "-q", text, "-f", "jsonl"]) == 0
    return [json.loads(line) for line in capture.readouterr().out.splitlines()]


def from_filetime(ticks: int) -> datetime:
    return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)


@pytest.fixture
def hives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The scenario under the article's names, in the current folder; the answers."""
    scenario = shared_data("forensics", "scenario")
    (tmp_path / "codegate2011").mkdir()
    for name in ("system", "software"):
        shutil.copy(scenario / f"{name}.hive", tmp_path / "codegate2011" / f"{name}.bak")
    monkeypatch.chdir(tmp_path)
    answers: dict[str, Any] = json.loads((scenario / "expected.json").read_text("utf-8"))
    return answers


@pytest.fixture
def mft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    r"""The second article's file as `codegate2012\$MFT`."""
    source = shared_data("forensics", "mft", "codegate2012-MFT")
    (tmp_path / "codegate2012").mkdir()
    shutil.copy(source, tmp_path / "codegate2012" / "$MFT")
    monkeypatch.chdir(tmp_path)
    return r"ntfs-mft codegate2012\$MFT"


# --- the registry -----------------------------------------------------------------------------------------------------


def test_mounted_devices_print_as_in_the_article(hives: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    found = {row["name"]: row for row in printed(MOUNTED, capsys)}
    assert sorted(found) == [f"\\DosDevices\\{letter}:" for letter in "ACDEFGHI"]
    assert found["\\DosDevices\\C:"] == {
        "_file": "system.bak",
        "name": "\\DosDevices\\C:",
        "last_written": LAST_WRITTEN,
        "type": "BINARY",
        "value": "16726f7d0000100000000000",
        "key": "CMI-CreateHive{F10156BE-0E87-4EFB-969E-5DA29D131144}\\MountedDevices",
    }
    assert found["\\DosDevices\\A:"]["value"].startswith("5c003f003f005c004600440043002300470045004e00")
    assert {row["last_written"] for row in found.values()} == {LAST_WRITTEN}


def test_decoded_devices_print_as_in_the_article(hives: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    decoded = printed(MOUNTED + '| eval value = substr(decode(value, "UTF-16LE"), 4)', capsys)
    found = {row["name"]: row["value"] for row in decoded}
    assert len(decoded) == len(found) == 8
    assert {name: found[name] for name in PRINTED_DEVICES} == PRINTED_DEVICES


def test_usb_devices_have_maker_product_and_serial(hives: dict[str, Any]) -> None:
    text = (
        MOUNTED
        + rf"""| eval value = substr(decode(value, "UTF-16LE"), 4) | search value == "*USB*"
        | {PARTS} | fields vendor, product, version, serial, value"""
    )
    found = rows(text)
    assert [list(row) for row in found] == [["vendor", "product", "version", "serial", "value"]] * 4
    wanted = ("vendor", "product", "version", "serial")
    assert sorted(tuple(row[k] for k in wanted) for row in found) == sorted(
        tuple(device[k] for k in wanted) for device in hives["mounted_usb"]
    )


def test_last_connection_of_every_serial(hives: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert hives["enum_usb_serials"] == 66
    found = {row["serial"]: row["last_connect"] for row in rows(SERIALS)}
    assert found == {serial: from_filetime(t) for serial, t in hives["enum_usb_last_connect_filetime"].items()}
    assert len(found) == 66
    lines = printed(SERIALS, capsys)
    assert {"serial": "00000000000001", "last_connect": "2011-02-17 15:34:14+0900"} in lines
    assert {"serial": "07751718047d", "last_connect": "2011-02-17 15:28:50+0900"} in lines


def test_volume_names_and_the_null_serial(hives: dict[str, Any]) -> None:
    found = rows(VOLUMES)
    assert len(found) == hives["portable_device_groups"] == 40
    named = {row["serial"]: row["volume_name"] for row in found}
    assert named.pop(None) == hives["portable_device_null_serial"] == "Apple iPhone"
    assert named == hives["portable_devices"]
    assert {k: named[k] for k in ("00000002b5eb8d", "0000156059605a5c", "000a27001973c954")} == {
        "00000002b5eb8d": "ADATA UFD",
        "0000156059605a5c": "G:\\",
        "000a27001973c954": "PRONEERIPOD",
    }


def test_three_way_join_leaves_the_one_stick(hives: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(LEAK, capsys) == hives["final_rows"]
    assert hives["final_rows"][0]["serial"] == "ddf08fb7a86075"
    (row,) = rows(LEAK)
    assert row["last_connect"] == datetime.fromisoformat("2011-02-21T15:24:16+09:00")


def test_join_steps_each_remove_somebody(hives: dict[str, Any]) -> None:
    """Without the day every stick is left that was mounted, plugged in and named."""
    without_day = "\n".join(line for line in LEAK.splitlines() if not line.startswith("| search last_connect"))
    mounted = {device["serial"] for device in hives["mounted_usb"]}
    named = mounted & hives["portable_devices"].keys() & hives["enum_usb_last_connect_filetime"].keys()
    assert {row["serial"] for row in rows(without_day)} == named
    assert len(named) == 3


# --- the $MFT ---------------------------------------------------------------------------------------------------------


def published() -> dict[str, Any]:
    answers = json.loads(shared_data("forensics", "expected-mft.json").read_text("utf-8"))
    found: dict[str, Any] = answers["mft/codegate2012-MFT"]
    return found


def test_folders_and_files_as_published(mft: str) -> None:
    told = published()["published_by_vendor"]
    assert (told["is_dir_false"], told["is_dir_true"]) == (247, 1285)
    found = {row["is_dir"]: row["count"] for row in rows(f"{mft} | stats count by is_dir")}
    assert found == {False: 247, True: 1285}


def test_five_largest_files_as_published(mft: str) -> None:
    """Sizes are the article's; it prints 8.3 names where we give the long ones, which ``short_name`` still has."""
    told = published()
    found = rows(f"{mft} | sort limit=5 -file_size | fields file_path, short_name, file_size")
    assert [[row["file_path"], row["file_size"]] for row in found] == told["five_largest"]
    for row, (path, size) in zip(found, told["published_by_vendor"]["five_largest_as_published"], strict=True):
        assert row["file_size"] == size
        assert path.rpartition("\\")[2] in (row["short_name"], row["file_path"].rpartition("\\")[2])


def test_programs_of_the_day_as_published(mft: str) -> None:
    told = published()["published_by_vendor"]
    text = f"""{mft} | search file_name == "*.exe" and created_at >= date("2012-02-23", "yyyy-MM-dd")
        | sort created_at, no | eval at = string(created_at, "yyyy-MM-dd HH:mm:ssZ") | fields file_path, at"""
    assert [[row["file_path"], row["at"]] for row in rows(text)] == told["exe_since_2012_02_23_kst"]


def test_r32_exe_as_published(mft: str) -> None:
    (row,) = rows(f'{mft} | search file_name == "r32.exe"')
    assert row["file_size"] == published()["published_by_vendor"]["r32_exe_file_size"] == 82_944
    assert row["created_at"].replace(microsecond=0) == datetime.fromisoformat("2012-02-23T02:39:18+09:00")
    assert (row["file_path"], row["in_use"], row["_file"]) == ("$Recycle.Bin\\r32.exe", True, "$MFT")


def test_records_not_in_use_as_published(mft: str) -> None:
    told = published()["published_by_vendor"]
    found = rows(f"{mft} | search in_use == false")
    assert [row["no"] for row in found] == told["not_in_use"] == [*range(16, 24), 1167]
    row = found[-1]
    expected = told["row_1167"]
    for name in ("lsn", "link_count", "parent_no", "parent_file_ref", "seq", "file_size"):
        assert row[name] == expected[name], name
    assert (row["file_name"], row["short_name"]) == (expected["long_name"], expected["file_name_as_published"])


def test_collected_names_are_read_as_they_are(mft: str, tmp_path: Path) -> None:
    r"""``$`` and drive letters in paths are no syntax: the article reads `E:\codegate2012\$MFT`."""
    (tmp_path / "E:").mkdir()
    shutil.move(tmp_path / "codegate2012", tmp_path / "E:" / "codegate2012")
    found = rows(r'ntfs-mft E:\codegate2012\$MFT | search file_name == "*.exe"')
    assert len(found) == 4
    assert {row["_file"] for row in found} == {"$MFT"}
