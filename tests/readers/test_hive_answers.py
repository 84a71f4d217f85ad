"""Hives of other projects' test suites against answers that independent readers agree on."""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.readers.hive_support import digests, micros, plain, table, unpacked
from tests.support import SHARED, shared_data
from udfs.readers.base import ListLoss

pytestmark = pytest.mark.evidence

_FOLDER = SHARED / "data" / "forensics"
_ANSWERS = _FOLDER / "expected-hives.json"
_FILES: dict[str, Any] = json.loads(_ANSWERS.read_text()) if _ANSWERS.exists() else {}
_MORE_THAN_EXPECTED = {
    # A key whose name is a lone surrogate: hivex and python-registry drop it, the other readers show it; so do we.
    "hives/yarp/TruncatedPairHive.xz": "keys",
    # Half of this hive is overwritten. hivex drops a whole value list for one bad element; we drop the element.
    "hives/regipy/corrupted_system_hive.xz": "values",
}
_REPLAYS = {
    "regipy/transactions_NTUSER.DAT": ("regipy/transactions_NTUSER.DAT", "regipy/transactions_NTUSER.DAT"),
    "regipy/SYSTEM_B": ("regipy/SYSTEM_B", "regipy/SYSTEM_B"),
    # The dirty hive itself is not in the collection, but BadLogHive is the same file with another log.
    "yarp/OldDirtyHive/OldDirtyHive": ("yarp/BadLogHive1/BadLogHive", "yarp/OldDirtyHive/OldDirtyHive"),
}


def test_answer_file_is_there() -> None:
    shared_data("forensics", "expected-hives.json")
    assert len(_FILES) > 50


@pytest.mark.parametrize("name", sorted(_FILES))
def test_answers_of_independent_readers(name: str, tmp_path: Path) -> None:
    expected = _FILES[name]
    path = unpacked(_FOLDER / name, tmp_path)
    found = digests(path)
    more = _MORE_THAN_EXPECTED.get(name)
    if more is None:
        assert found == {key: expected[key] for key in found}
    else:
        assert found["keys"] >= expected["keys"]
        assert found["values"] >= expected["values"]
        assert found["keys_sha"] == expected["keys_sha"] or more == "keys"
    rows = {(row["key"], row["name"]): row for row in plain(table(path))}
    for key, value_name, _, data, written in expected["samples"]:
        row = rows[key, value_name]
        # Long samples are shortened in the answer file.
        assert data.startswith("sha256:") or row["value.raw"].hex().startswith(data.rstrip("."))
        assert row["last_written"] == micros(written)


def test_every_readable_value_has_exactly_one_typed_column(tmp_path: Path) -> None:
    path = unpacked(shared_data("forensics", "hives", "regipy", "SYSTEM.xz"), tmp_path)
    rows = table(path, ["value.text", "value.int", "value.list", "value.bytes", "value.raw"])
    filled = sum(rows.column(name).is_valid().cast(pa.int8()).to_numpy() for name in rows.column_names[:4])
    assert (filled == 1).all()
    assert rows.column("value.raw").null_count == 0


def test_damage_is_counted_with_its_place(tmp_path: Path) -> None:
    path = unpacked(shared_data("forensics", "hives", "regipy", "corrupted_system_hive.xz"), tmp_path)
    loss = ListLoss()
    table(path, [], loss)
    assert {entry.reason for entry in loss.entries} == {"damaged-key", "damaged-subkey-list", "damaged-value"}
    assert all(entry.position is not None and 4096 <= entry.position < path.stat().st_size for entry in loss.entries)


def test_loss_does_not_depend_on_the_columns(tmp_path: Path) -> None:
    path = unpacked(shared_data("forensics", "hives", "regipy", "corrupted_system_hive.xz"), tmp_path)
    few, all_of_them = ListLoss(), ListLoss()
    assert table(path, ["key"], few).num_rows == table(path, None, all_of_them).num_rows
    assert few.total("damaged-value") == all_of_them.total("damaged-value") > 400


def test_edge_cases_of_the_synthetic_hive(tmp_path: Path) -> None:
    path = unpacked(shared_data("forensics", "hives", "synthetic", "edge.hive.xz"), tmp_path)
    answers = json.loads(shared_data("forensics", "hives", "synthetic", "edge.expected.json").read_text())
    assert digests(path) == answers["digests"]
    loss = ListLoss()
    rows = plain(table(path, None, loss))
    assert [row["name"] for row in rows if row["value.raw"] is None] == answers["bad_values"]
    assert loss.total("damaged-data") == 2
    # Depth first, in list order: that generator sorts subkeys by name and writes values as they were given.
    expected = [(key, name) for key, name, *_ in answers["values"]]
    mine = [(r["key"], r["name"]) for r in rows if r["value.raw"] is not None and "\\many\\" not in r["key"]]
    assert mine == expected


def _with_logs(hive: str, logs: str, folder: Path) -> Path:
    source = shared_data("forensics", "hives")
    name = Path(logs).name
    path = unpacked(source / f"{hive}.xz", folder, name)
    for suffix in (".LOG1", ".LOG2"):
        unpacked(source / f"{logs}{suffix}.xz", folder, name + suffix)
    return path


@pytest.mark.parametrize("name", sorted(_REPLAYS))
def test_replay_gives_what_windows_recovers(name: str, tmp_path: Path) -> None:
    expected = json.loads(shared_data("forensics", "expected-hive-replay.json").read_text())[name]
    path = _with_logs(*_REPLAYS[name], tmp_path)
    before = path.read_bytes()
    assert digests(path) == expected["without_replay"]
    assert digests(path, replay=True) == expected["after_replay"]
    assert path.read_bytes() == before
    recovered = expected["windows_recovered_hive"]
    assert recovered is None or recovered == expected["after_replay"]


def test_new_logs_rebuild_every_page_they_name(tmp_path: Path) -> None:
    """Windows' own recovered hive, its pages that the logs hold wiped out and its base block made dirty again."""
    folder = shared_data("forensics", "hives", "yarp", "NewDirtyHive1")
    recovered = unpacked(folder / "RecoveredHive_Windows10.xz", tmp_path)
    for suffix in (".LOG1", ".LOG2"):
        unpacked(folder / f"NewDirtyHive{suffix}.xz", tmp_path, "hive" + suffix)
    data = bytearray(recovered.read_bytes())
    wiped = _pages(tmp_path / "hive.LOG1") | _pages(tmp_path / "hive.LOG2")
    assert wiped
    for at in wiped:
        data[at : at + 4096] = b"\xee" * 4096
    data[4:12] = (3).to_bytes(4, "little") + (2).to_bytes(4, "little")
    _fix_checksum(data)
    path = tmp_path / "hive"
    path.write_bytes(data)
    assert digests(path, replay=True) == digests(recovered)


def _pages(log: Path) -> set[int]:
    """Absolute positions of the 4-KiB pages that a log's entries name (offset and size pairs at byte 40)."""
    data = log.read_bytes()
    pages: set[int] = set()
    at = 512
    while data[at : at + 4] == b"HvLE":
        size, count = int.from_bytes(data[at + 4 : at + 8], "little"), int.from_bytes(data[at + 20 : at + 24], "little")
        for pair in range(at + 40, at + 40 + 8 * count, 8):
            offset = int.from_bytes(data[pair : pair + 4], "little")
            length = int.from_bytes(data[pair + 4 : pair + 8], "little")
            pages |= {4096 + page for page in range(offset, offset + length, 4096) if length >= 4096}
        at += size
    return pages


def _fix_checksum(data: bytearray) -> None:
    value = 0
    for at in range(0, 508, 4):
        value ^= int.from_bytes(data[at : at + 4], "little")
    data[508:512] = value.to_bytes(4, "little")


@pytest.mark.parametrize(("folder", "reason"), [("BadLogHive1", "damaged-log"), ("BadLogHive2", "damaged-log")])
def test_a_log_that_is_not_sound_is_not_applied(folder: str, reason: str, tmp_path: Path) -> None:
    name = f"yarp/{folder}/BadLogHive"
    path = _with_logs(name, name, tmp_path)
    loss = ListLoss()
    assert table(path, None, loss, replay=True).num_rows == 0  # as without the log: 5,003 keys, no values
    assert loss.total(reason) == 1
    assert digests(path, replay=True) == digests(path)


def test_a_flipped_bit_in_a_new_log_stops_the_replay(tmp_path: Path) -> None:
    name = "regipy/transactions_NTUSER.DAT"
    path = _with_logs(name, name, tmp_path)
    log = path.with_name(path.name + ".LOG1")
    data = bytearray(log.read_bytes())
    second = data.index(b"HvLE", 600)
    data[second + 600] ^= 1
    log.write_bytes(data)
    loss = ListLoss()
    rows = table(path, [], loss, replay=True).num_rows
    assert loss.total("log-entry-damaged") == 1
    assert [entry.position for entry in loss.entries if entry.reason == "log-entry-damaged"] == [second]
    assert rows != 4695  # one entry of 23 is not the recovered hive


def test_dirty_hive_without_logs_is_read_as_it_is(tmp_path: Path) -> None:
    path = unpacked(shared_data("forensics", "hives", "regipy", "transactions_NTUSER.DAT.xz"), tmp_path)
    loss = ListLoss()
    assert table(path, [], loss, replay=True).num_rows == 4119
    assert [entry.reason for entry in loss.entries] == ["no-transaction-log"]


def test_replay_inside_a_zip(tmp_path: Path) -> None:
    name = "regipy/transactions_NTUSER.DAT"
    (tmp_path / "in").mkdir()
    path = _with_logs(name, name, tmp_path / "in")
    archive = shutil.make_archive(str(tmp_path / "case"), "zip", tmp_path / "in")
    assert table(path.name, [], zippath=archive, replay=True).num_rows == 4695
    assert table(path.name, [], zippath=archive).num_rows == 4119


def test_usb_scenario() -> None:
    """The three parts of the vendor's USB-leak query, joined as it joins them; one row must be left."""
    answers = json.loads(shared_data("forensics", "scenario", "expected.json").read_text())
    folder = shared_data("forensics", "scenario")
    for name, expected in answers["hives"].items():
        assert digests(folder / name) == expected
    system = plain(table(folder / "system.hive"))
    software = plain(table(folder / "software.hive"))
    mounted, connected, volumes = usb_join_parts(system, software)
    assert len(connected) == answers["enum_usb_serials"]
    assert {s: micros(t) for s, t in answers["enum_usb_last_connect_filetime"].items()} == connected
    assert len(volumes) == answers["portable_device_groups"]
    assert volumes[None] == answers["portable_device_null_serial"]
    final = [
        (*device, count, volumes[device[3]])
        for device, count in mounted.items()
        if device[3] in volumes and _day(connected[device[3]]) == "2011-02-21"
    ]
    (row,) = answers["final_rows"]
    wanted = ("vendor", "product", "version", "serial", "value", "count", "volume_name")
    assert final == [tuple(row[name] for name in wanted)]


def _day(micros_since_1970: int) -> str:
    return datetime.fromtimestamp(micros_since_1970 / 1e6, timezone(timedelta(hours=9))).strftime("%Y-%m-%d")


def usb_join_parts(
    system: list[dict[str, Any]], software: list[dict[str, Any]]
) -> tuple[dict[tuple[str, ...], int], dict[str, Any], dict[str | None, str]]:
    """Mounted devices with their counts, last connection by serial, volume name by serial."""
    mounted: dict[tuple[str, ...], int] = {}
    connected: dict[str, Any] = {}
    volumes: dict[str | None, str] = {}
    device = re.compile(r"Ven_([^&]+)&Prod_([^&]+)&Rev_([^#]+)#([^&]+)")
    for row in system:
        if "MountedDevices" in row["key"]:
            text = row["value.raw"].decode("utf-16-le", "replace")[4:]
            found = device.search(text)
            if "USB" in text and found:
                group = (*found.groups()[:3], found[4].lower(), text)
                mounted[group] = mounted.get(group, 0) + 1
        if "USB\\VID_" in row["key"]:
            serial = row["key"].split("\\")[5].lower()
            connected[serial] = max(connected.get(serial, row["last_written"]), row["last_written"])
    for row in software:
        if "Windows Portable Devices" in row["key"] and row["name"] == "FriendlyName":
            match = re.search(r"&REV_[^#]+#([^&]+)", row["key"])
            volumes.setdefault(match[1].lower() if match else None, row["value.text"])
    return mounted, connected, volumes
