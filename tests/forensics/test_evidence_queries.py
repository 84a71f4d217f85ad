"""Evidence files in whole queries: journal joined with $MFT, SQL table functions, archives, globs, damaged files.

Expected rows are worked out from the entries that ``sample_data.make_ntfs`` and ``sample_data.make_hive`` were told to
write, not from what the readers give.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.planner.spec import COMMANDS as SPECS
from logsql.shell.manual import page
from sample_data.make_hive import BINARY, DWORD, MULTI_SZ, STICKS, SZ, Key, build, filetime, text
from sample_data.make_ntfs import ROOT as ROOT_FOLDER
from sample_data.make_ntfs import Volume, crowd, journal, mft, write
from tests.cli.support import run
from tests.support import ROOT
from udfs.readers.base import ReadContext
from udfs.readers.ntfs_mft import MftReader

HIVES = ROOT / "sample_data" / "usb-leak"
#: Names of USN_RECORD_V2 reason bits (Microsoft, "USN_RECORD_V2 structure"), without USN_REASON_.
REASONS = {
    0x1: "DATA_OVERWRITE",
    0x2: "DATA_EXTEND",
    0x100: "FILE_CREATE",
    0x200: "FILE_DELETE",
    0x1000: "RENAME_OLD_NAME",
    0x2000: "RENAME_NEW_NAME",
    0x8000: "BASIC_INFO_CHANGE",
    0x80000000: "CLOSE",
}
MIDNIGHT = datetime(2024, 3, 11, tzinfo=UTC)
"""Of the volume's story."""


def rows(text: str, sql: bool = False) -> list[dict[str, Any]]:
    with logsql.connect(tz="Asia/Seoul") as session:
        return (session.sql(text) if sql else session.query(text)).rows()


def refused(text: str, sql: bool = False) -> LogsqlError:
    with pytest.raises(LogsqlError) as caught:
        rows(text, sql)
    return caught.value


def path_of(volume: Volume, no: int) -> str:
    """The path of an entry by its parents."""
    entry = volume.entries[no]
    return entry.name if entry.parent == ROOT_FOLDER else f"{path_of(volume, entry.parent)}\\{entry.name}"


def names_of(reason: int) -> set[str]:
    return {name for bit, name in REASONS.items() if reason & bit}


@pytest.fixture(scope="module")
def volume() -> Volume:
    return crowd(400)


@pytest.fixture(scope="module")
def case(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MFT, UsnJrnl and archives of them."""
    folder = tmp_path_factory.mktemp("case")
    write(folder / "MFT", mft(volume))
    write(folder / "UsnJrnl", journal(volume))
    with zipfile.ZipFile(folder / "case.zip", "w") as archive:
        archive.write(folder / "MFT", "disk/MFT")
        archive.write(HIVES / "system.hive", "XXXX/system.hive")
        archive.write(HIVES / "software.hive", "XXXX/software.hive")
    # The name as a Korean Windows stores it: code page 949, not marked as UTF-8.
    data = (folder / "case.zip").read_bytes().replace(b"XXXX/", "증거/".encode("cp949"))
    (folder / "korean.zip").write_bytes(data)
    return folder


# --- journal and $MFT -------------------------------------------------------------------------------------------------


def test_journal_joined_with_mft(volume: Volume, case: Path) -> None:
    found = rows(f"ntfs-usnjrnl {case}/UsnJrnl | join file_no [ ntfs-mft {case}/MFT | rename no as file_no ]")
    assert len(volume.changes) > 600
    assert len(found) == len(volume.changes)
    for row, change in zip(found, volume.changes, strict=True):
        entry = volume.entries[change.no]
        assert row["file_no"] == change.no
        assert abs(row["_time"] - MIDNIGHT - timedelta(seconds=change.at)) <= timedelta(microseconds=1)
        assert set(row["reason"]) == names_of(change.reason)
        assert (row["in_use"], row["file_size"]) == (entry.in_use, entry.size)
        assert row["file_path"] == path_of(volume, change.no)
        # Both sides have file_name: the subquery's row overwrites (language.md, join).
        assert row["file_name"] == entry.name


def test_journal_by_hour_and_reason(volume: Volume, case: Path) -> None:
    counts: Counter[tuple[datetime, str]] = Counter()
    for change in volume.changes:
        hour = MIDNIGHT + timedelta(hours=change.at // 3600)
        counts.update((hour, name) for name in names_of(change.reason))
    found = rows(f"ntfs-usnjrnl {case}/UsnJrnl | explode reason | timechart span=1h count by reason")
    assert {name for row in found for name in row if name != "_time"} == {name for _, name in counts}
    told = {(row["_time"], name): n for row in found for name, n in row.items() if name != "_time" and n}
    assert told == dict(counts)
    assert len({hour for hour, _ in counts}) >= 2


# --- the same in SQL --------------------------------------------------------------------------------------------------


def test_mft_as_a_table_function(volume: Volume, case: Path) -> None:
    text = f"select no, file_path from ntfs_mft('{case}/MFT') where not in_use and file_name is not null order by no"
    deleted = [no for no, entry in sorted(volume.entries.items()) if not entry.in_use]
    assert rows(text, sql=True) == [{"no": no, "file_path": path_of(volume, no)} for no in deleted]
    assert len(deleted) > 5


def test_table_functions_join_in_sql(volume: Volume, case: Path) -> None:
    text = (
        f"select m.no, count(*) as n from ntfs_usnjrnl('{case}/UsnJrnl') u join ntfs_mft('{case}/MFT') m "
        "on m.no = u.file_no where not m.in_use group by m.no order by m.no"
    )
    counts = Counter(change.no for change in volume.changes if not volume.entries[change.no].in_use)
    assert rows(text, sql=True) == [{"no": no, "n": n} for no, n in sorted(counts.items())]


def test_named_arguments_of_table_functions(case: Path) -> None:
    plain = rows(f"select count(*) as n from hive_file('{HIVES}/system.hive')", sql=True)
    replayed = rows(f"select count(*) as n from hive_file('{HIVES}/system.hive', replay => true)", sql=True)
    archive = f"zippath => '{case}/korean.zip', zipcharset => 'cp949'"
    text = f"select count(*) as n from hive_file('증거/system.hive', {archive})"
    assert plain == replayed == rows(text, sql=True)
    assert plain[0]["n"] > 200
    unknown = refused(f"select * from hive_file('{HIVES}/system.hive', replays => true)", sql=True)
    assert "replays" in str(unknown)


@pytest.mark.parametrize("name", ["a|b", "x [y]", "k=v", "replay=t", 'q"uote', "$J", "h | limit 1", "# c", "b\\s"])
def test_any_file_name_is_a_path_in_sql(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes((HIVES / "software.hive").read_bytes())
    with zipfile.ZipFile(tmp_path / "case.zip", "w") as archive:
        archive.write(tmp_path / name, f"d/{name}")
    assert rows(f"select _file, count(*) as n from hive_file('{tmp_path}/{name}') group by all", sql=True) == [
        {"_file": name, "n": 7}
    ]
    member = f"select count(*) as n from HIVE_FILE('d/{name}', ZipPath => '{tmp_path}/case.zip')"
    assert rows(member, sql=True) == [{"n": 7}]


@pytest.mark.parametrize("arguments", ["'a.hive', 'b.hive'", "1", "'a.hive', nonsense => true"])
def test_wrong_arguments_of_table_functions(arguments: str) -> None:
    refused(f"select * from hive_file({arguments})", sql=True)


def test_values_in_sql_are_those_of_the_pipe_query(tmp_path: Path) -> None:
    root = Key("ROOT", filetime(MIDNIGHT))
    root.set("text", SZ, text("값")).set("number", DWORD, b"\7\0\0\0").set("bytes", BINARY, b"\xde\xad")
    root.set("list", MULTI_SZ, "a\0b\0\0".encode("utf-16-le"))
    (tmp_path / "h").write_bytes(build(root))
    told = {"text": "값", "number": 7, "bytes": b"\xde\xad", "list": ["a", "b"]}
    query = f"select name, value from hive_file('{tmp_path}/h')"
    assert {row["name"]: row["value"] for row in rows(query, sql=True)} == told
    printed = run("sql", query + " where name in ('text', 'bytes')", "-f", "jsonl").stdout.decode().splitlines()
    assert printed == ['{"name":"text","value":"값"}', '{"name":"bytes","value":"dead"}']
    (row,) = rows(f"select [value] as v from hive_file('{tmp_path}/h') where name = 'bytes'", sql=True)
    assert row == {"v": [b"\xde\xad"]}


def test_where_reaches_the_reader_as_columns(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spied(monkeypatch)
    rows(f"select file_name from ntfs_mft('{case}/MFT') where in_use and no = 45", sql=True)
    assert asked == [{"file_name", "in_use", "no"}]


# --- only the columns that a query needs ------------------------------------------------------------------------------


def spied(monkeypatch: pytest.MonkeyPatch) -> list[set[str] | None]:
    """The columns of each scan of an $MFT from now on."""
    asked: list[set[str] | None] = []
    scan = MftReader.scan

    def noting(self: MftReader, columns: Sequence[str] | None, context: ReadContext) -> Any:
        asked.append(None if columns is None else set(columns))
        return scan(self, columns, context)

    monkeypatch.setattr(MftReader, "scan", noting)
    return asked


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("| fields file_name", {"file_name"}),
        ("| stats count by is_dir", {"is_dir"}),
        ("| sort limit=3 -file_size | fields no", {"file_size", "no"}),
        ('| search file_name == "*.exe" | fields file_path', {"file_name", "file_path"}),
        ("| eval age = seq + 1 | fields age", {"seq"}),
    ],
)
def test_reader_is_asked_for_the_columns_in_use(
    case: Path, monkeypatch: pytest.MonkeyPatch, query: str, columns: set[str]
) -> None:
    asked = spied(monkeypatch)
    assert rows(f"ntfs-mft {case}/MFT {query}")
    assert asked[-1] == columns
    # Before it a note may look at the first values of a field that is compared with a text, and at nothing else.
    assert asked[:-1] == ([{"file_name"}] if "file_name ==" in query else [])


def test_counting_decodes_one_cheap_column(volume: Volume, case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB wants some column to count rows: the record number, which is no part of the record's attributes."""
    asked = spied(monkeypatch)
    assert rows(f"ntfs-mft {case}/MFT | stats count") == [{"count": max(volume.entries) + 1}]
    assert len(asked) == 1
    assert asked[0] is not None
    assert asked[0] <= {"no"}


def test_joined_subquery_is_asked_for_the_columns_in_use(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spied(monkeypatch)
    text = (
        f"ntfs-usnjrnl {case}/UsnJrnl | join file_no [ ntfs-mft {case}/MFT | rename no as file_no ] | fields file_path"
    )
    assert rows(text)
    assert asked == [{"no", "file_path"}]


# --- the mixed value column -------------------------------------------------------------------------------------------


def test_values_keep_their_types(case: Path) -> None:
    devices = (len(STICKS) + 20) * 2
    found = rows(f'hive-file {HIVES}/system.hive | search type == "SZ" and value == "*USB*" | stats count by name')
    assert {row["name"]: row["count"] for row in found} == {"DeviceDesc": devices, "Service": devices}
    first = {
        row["name"]: row["v"]
        for row in rows(f'hive-file {HIVES}/system.hive | search key != "*Mounted*" | stats first(value) as v by name')
    }
    assert first["Capabilities"] == 0x94
    assert first["Service"] == "USBSTOR"
    ids = STICKS[0].usb
    assert first["HardwareID"] == [f"USB\\{ids}&REV_0100", f"USB\\{ids}"]


def test_bytes_are_decoded(case: Path) -> None:
    found = rows(f'hive-file {HIVES}/system.hive | search name == "*DosDevices*" | eval t = decode(value, "UTF-16LE")')
    mounted = [stick for stick in STICKS if stick.letter]
    assert mounted
    for stick in mounted:
        (row,) = (r for r in found if r["name"] == f"\\DosDevices\\{stick.letter}:")
        assert row["t"].startswith(f"_??_USBSTOR#Disk&Ven_{stick.vendor}&Prod_{stick.product}&")
        assert isinstance(row["value"], bytes)


# --- where the files lie ----------------------------------------------------------------------------------------------


def test_globs_and_archives(case: Path) -> None:
    each = {row["_file"]: row["count"] for row in rows(f"hive-file {HIVES}/*.hive | stats count by _file")}
    assert set(each) == {"software.hive", "system.hive"}
    for name, count in each.items():
        assert rows(f"hive-file {HIVES / name} | stats count") == [{"count": count}]
    text = f"hive-file zippath={case}/korean.zip zipcharset=cp949 증거/*.hive | stats count by _file"
    assert {row["_file"]: row["count"] for row in rows(text)} == each
    one = rows(f"ntfs-mft zippath={case}/case.zip disk/MFT | search no == 45")
    assert one == [row | {"_file": "MFT"} for row in rows(f"ntfs-mft {case}/MFT | search no == 45")]
    garbled = refused(f"hive-file zippath={case}/korean.zip 증거/system.hive")
    assert garbled.name == "no-such-entry"
    assert "2 names are no utf-8: give zipcharset" in str(garbled)
    assert refused(f"hive-file zippath={case}/case.zip disk/SYSTEM").name == "no-such-entry"


def test_the_manual_names_every_reason_in_the_ledger() -> None:
    """The reasons that stand in the code of the hive reader, however they are reported."""
    call = re.compile(r"""(?:\.lost\((?:[\w.\[\]]+), |damage\.(?:at|one)\()"([a-z0-9-]+)\"""")
    code = "".join(path.read_text("utf-8") for path in (ROOT / "udfs" / "readers" / "hive").glob("*.py"))
    reasons = set(call.findall(code))
    assert {"dirty-hive", "log-gap", "key-loop", "data-cut"} <= reasons
    told = {row.name for row in SPECS["hive-file"].ledger}
    assert reasons <= told
    assert "dirty-hive" in page("hive-file")


# --- damaged files ----------------------------------------------------------------------------------------------------

COMMANDS = {
    "hive-file": "not-a-hive",
    "ntfs-mft": "not-an-mft",
    "ntfs-usnjrnl": "not-a-journal",
    "ntfs-logfile": "not-a-logfile",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_files_that_are_none_end_in_one_message(command: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_bytes(b"just a text\n" * 1000)
    assert refused(f"{command} {tmp_path}/gone").name == "file-not-found"
    assert refused(f"{command} {tmp_path}/gone*").name == "no-match"
    assert refused(f"{command} {tmp_path}").name == "is-a-directory"
    assert refused(f"{command} {tmp_path}/text").name == COMMANDS[command]
    empty = refused(f"{command} {tmp_path}/empty")
    assert "empty" in str(empty)
    function = command.replace("-", "_")
    assert refused(f"select * from {function}('{tmp_path}/text')", sql=True).name == COMMANDS[command]


@pytest.mark.parametrize("file", ["gone", "empty", "text"])
def test_exit_code_of_unreadable_evidence(tmp_path: Path, file: str) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_bytes(b"just a text\n" * 1000)
    done = run("-q", f"ntfs-mft {file} | stats count", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout == b""
    said = done.stderr.decode()
    assert said.count("error[") == 1
    assert file in said
    assert "Traceback" not in said


def test_truncated_mft_gives_its_whole_records_and_tells(case: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes((case / "MFT").read_bytes()[: 20 * 1024 + 300])
    done = run("-q", "ntfs-mft cut | stats count", "-f", "jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b'{"count":20}\n')
    assert "1 truncated-record" in done.stderr.decode()


def test_loss_is_in_the_ledger(case: Path, tmp_path: Path) -> None:
    (tmp_path / "hive").write_bytes((HIVES / "system.hive").read_bytes()[:9000])
    (tmp_path / "journal").write_bytes((case / "UsnJrnl").read_bytes()[: 65_536 + 200])
    for command, reason in (("hive-file", "damaged-subkey-list"), ("ntfs-usnjrnl", "truncated-record")):
        file = tmp_path / command.split("-")[1].replace("file", "hive").replace("usnjrnl", "journal")
        with logsql.connect(tz="UTC") as session:
            (row,) = session.query(f"{command} {file} | stats count").rows()
            assert row["count"] > 0
            assert reason in {entry.reason for entry in session.last_ledger}


def test_one_bad_file_of_many_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.hive").write_bytes((HIVES / "software.hive").read_bytes())
    (tmp_path / "b.hive").write_bytes(b"no hive")
    with logsql.connect(tz="UTC") as session:
        found = session.query(f"hive-file {tmp_path}/*.hive | stats count by _file").rows()
        assert [row["_file"] for row in found] == ["a.hive"]
        assert {(entry.reason, entry.count) for entry in session.last_ledger} == {("not-a-hive", 1)}
