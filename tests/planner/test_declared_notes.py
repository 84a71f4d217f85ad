"""What a source declares of its fields, told where a query asks otherwise: an event's own values by a path, words of
the event viewer and of Windows headers, fields that come with an option.

Expected are the values that the formats give ([MS-EVEN6], winmeta.xml, winioctl.h) and queries that have rows.
"""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from logsql.diagnostics.messages import LANGUAGE
from logsql.engine.session import Session
from sample_data.make_hive import SZ, Key, build, text
from sample_data.make_ntfs import journal, mft, story, write
from tests.support import shared_data

EVENTS = [
    ('search event_data.TargetUserName == "*"', "", ""),
    ('search TargetUserName == "x"', "N1001", "event_data.TargetUserName"),
    ("stats count by TargetUserName", "N1001", "event_data.TargetUserName"),
    ("fields TargetUserName", "N1001", "event_data.TargetUserName"),
    ("sort -TargetUserName", "N1001", "event_data.TargetUserName"),
    ("eval a = lower(targetusername)", "N1001", "event_data.TargetUserName"),
    ("stats dc(EventData.TargetUserName)", "N1001", "event_data.TargetUserName"),
    ("eval a = 1 | sort _time | limit 3 | search SubjectLogonId == 1", "N1001", "event_data.SubjectLogonId"),
    ("fields ShareName", "N1001", "the row's own values stand in event_data: write event_data.ShareName"),
    ("search EventID == 4624", "N1001", "event_id"),
    ("fields event_id | search TargetUserName == 3", "N1001", "there are event_id"),
    ('join event_data.SubjectLogonId [ json "{a:1}" ]', "N1702", "eval SubjectLogonId = event_data.SubjectLogonId"),
    ('join SubjectLogonId [ json "{SubjectLogonId:1}" ]', "N1702", "eval SubjectLogonId = event_data.SubjectLogonId"),
    ("stats count by TimeCreated", "N1001", "write _time"),
    ("stats count by Security.UserID", "N1001", "user_sid"),
    ('search keywords == "Audit Failure"', "N1234", 'keywords == "0x8010000000000000"'),
    ('search keywords != "audit success"', "N1234", 'keywords != "0x8020000000000000"'),
    ('search keywords == "*failure*"', "N1234", 'keywords == "0x8010000000000000"'),
    ('search keywords == "Failure"', "N1234", 'keywords == "0x8010000000000000"'),
    ('search in(keywords, "Audit Success")', "N1234", '"0x8020000000000000"'),
    ('search keywords == "0x8020000000000000"', "", ""),
    ('search keywords == "0x80*"', "", ""),
    ('eval keywords = "Audit Failure" | search keywords == "Audit Failure"', "", ""),
    ('search level == "Error"', "N1203", "level == 2"),
    ('search level != "Information"', "N1203", "(level != 0 and level != 4)"),
    ("search level == 2 or opcode == 0", "", ""),
    # The path had no letter case that any event has: null in every row, and nothing said so.
    ('search event_data.targetusername == "x"', "N1228", "write event_data.TargetUserName"),
    ("stats count by event_data.TargetUsername", "N1228", "write event_data.TargetUserName"),
    ("fields event_data.IPAddress", "N1228", "write event_data.IpAddress"),
    ('search event_data.IpAddress == "-" and event_data.LogonGuid == "*"', "", ""),
    ("search Event.System.EventID == 4648", "N1001", "write event_id"),  # was event_data.EventID, which no event has
    ("fields TaskCategory", "N1001", "write task"),
    ("fields timestamp", "N1001", "write _time"),
]


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(tz="UTC")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real events of Security: 4648 and others."""
    path = tmp_path_factory.mktemp("events") / "Security.evtx"
    packed = shared_data("evidence2", "d02-repeated-names.evtx.xz")
    path.write_bytes(lzma.decompress(packed.read_bytes()))
    return path


def _told(session: Session, query: str) -> list[tuple[str, str]]:
    return [(note.code, note.help or "") for note in session.query(query).notes]


@pytest.mark.evidence
@pytest.mark.parametrize(("query", "code", "help"), EVENTS)
def test_of_events(query: str, code: str, help: str, session: Session, log: Path) -> None:
    told = _told(session, f'evtx-file "{log}" | {query}')
    assert [found for found, _ in told] == [code] * bool(code), told
    assert help in "".join(said for _, said in told)


FILES = [
    (r'hive-file "{0}/NTUSER.DAT" | search key == "HKCU\\Software\\*"', "N1234", r'key == "*\\Software\\*"'),
    (r'hive-file "{0}/NTUSER.DAT" | search key == "HKLM\\SYSTEM\\Select"', "N1234", r'key == "*\\Select"'),
    # Of a hive that lies in a file no set is current: the help was "*\\CurrentControlSet\\...", without a row.
    (
        r'hive-file "{0}/NTUSER.DAT" | search key == "HKLM\\SYSTEM\\CurrentControlSet\\Enum"',
        "N1234",
        r'key == "*\\ControlSet*\\Enum"',
    ),
    # NTUSER.DAT has such keys.
    (r'hive-file "{0}/NTUSER.DAT" | search key == "*\\CurrentControlSet\\*"', "", ""),
    (r'hive-file "{0}/NTUSER.DAT" | search key == "*\\ControlSet*\\Enum*"', "", ""),
    (r'hive-file "{0}/NTUSER.DAT" | search key == "Computer\\HKEY_USERS\\S-1\\Software"', "N1234", r'"*\\Software"'),
    (r'hive-file "{0}/NTUSER.DAT" | search key == "HKCU:\\Software\\Vendor"', "N1234", r'"*\\Software\\Vendor"'),
    (r'hive-file "{0}/NTUSER.DAT" | search key == "\\Software\\Vendor"', "N1234", r'"*\\Software\\Vendor"'),
    (r'hive-file "{0}/NTUSER.DAT" | search contains(key, "HKCU\\Software")', "N1234", r'"\\Software"'),
    (r'hive-file "{0}/NTUSER.DAT" | search contains(key, "\\Software") or contains(type, "SZ")', "", ""),
    ('hive-file "{0}/NTUSER.DAT" | search type == "RegMultiSz"', "N1234", 'type == "MULTI_SZ"'),
    (r'hive-file "{0}/NTUSER.DAT" | search key == "*\\Software\\*" or key == "ROOT\\*"', "", ""),
    ('hive-file "{0}/NTUSER.DAT" | stats count by ValueName', "N1001", "write name"),
    (r'ntfs-mft "{0}/$MFT" | search file_path == "C:\\Windows\\*"', "N1234", r'file_path == "Windows\\*"'),
    (r'ntfs-mft "{0}/$MFT" | search in(file_path, "\\Users\\*")', "N1234", r'"Users\\*"'),
    # The help was ".\\C:\\Users", which no row has.
    (r'ntfs-mft "{0}/$MFT" | search file_path == "\\\\.\\C:\\Users"', "N1234", 'file_path == "Users"'),
    ('ntfs-mft "{0}/$MFT" | search file_path == "c:/Users/*"', "N1234", r'file_path == "Users\\*"'),
    (r'ntfs-mft "{0}/$MFT" | search file_path == ".\\Users\\*"', "N1234", r'file_path == "Users\\*"'),
    (r'ntfs-mft "{0}/$MFT" | search contains(file_path, "C:\\Users")', "N1234", 'write "Users"'),
    (r'ntfs-mft "{0}/$MFT" | search contains(file_path, "\\Users\\")', "", ""),
    (r'ntfs-mft "{0}/$MFT" | search file_name == "C:\\Users\\a.exe"', "N1234", 'file_name == "a.exe"'),
    ('ntfs-mft "{0}/$MFT" | stats max(mtime)', "N1001", "write std_modified_at"),
    (r'ntfs-mft "{0}/$MFT" | search file_path == "Users\\*" or file_path == "*.exe"', "", ""),
    ('ntfs-mft "{0}/$MFT" | search inode == 5', "N1001", "write no"),
    ('ntfs-mft "{0}/$MFT" | search is_deleted == true', "N1001", "in_use == false"),
    ('ntfs-mft "{0}/$MFT" | search file_size > 100MB', "N1001", "100 * 1024 * 1024"),
    ('ntfs-mft "{0}/$MFT" | search file_size > "100 KB"', "N1201", "file_size > 100 * 1024"),
    ('timeline "{0}" | search source == "MFT"', "N1234", 'source == "mft"'),
    ('timeline "{0}" | search source == "mft" or source == "mft name"', "", ""),
    # The helps were "$mft" and "reg", which are no sources.
    ('timeline "{0}" | search source == "$MFT"', "N1234", 'source == "mft"'),
    ('timeline "{0}" | search source == "REG"', "N1234", 'source == "registry"'),
    ('hive-file "{0}/NTUSER.DAT" | search type == "REG_SZ"', "N1234", 'type == "SZ"'),
    ('hive-file "{0}/NTUSER.DAT" | search in(type, "REG_DWORD", "REG_QWORD")', "N1234", '"DWORD"'),
    ('hive-file "{0}/NTUSER.DAT" | search type == "SZ" or type == "DWORD"', "", ""),
    ('hive-file "{0}/NTUSER.DAT" | search is_deleted == true', "N1001", "deleted=t"),
    ('hive-file deleted=t "{0}/NTUSER.DAT" | search is_deleted == true', "", ""),
    ('ntfs-usnjrnl "{0}/$J" | search reason == "USN_REASON_FILE_DELETE"', "N1234", 'contains(reason, "FILE_DELETE")'),
    ('ntfs-usnjrnl "{0}/$J" | search contains(reason, "USN_REASON_CLOSE")', "N1234", '"CLOSE"'),
    # The help was contains(reason, "FileCreate"), without a row.
    ('ntfs-usnjrnl "{0}/$J" | search reason == "FileCreate"', "N1234", 'contains(reason, "FILE_CREATE")'),
    ('ntfs-usnjrnl "{0}/$J" | search contains(reason, "file_delete")', "N1234", '"FILE_DELETE"'),
    ('ntfs-usnjrnl "{0}/$J" | search contains(file_attributes, "Archive")', "N1234", '"ARCHIVE"'),
    ('ntfs-usnjrnl "{0}/$J" | stats max(UpdateTimestamp)', "N1001", "write _time"),
    ('ntfs-usnjrnl "{0}/$J" | search contains(reason, "FILE_DELETE")', "", ""),
    ('ntfs-usnjrnl "{0}/$J" | fields file_path', "N1001", "path=MFT"),
    ('ntfs-mft "{0}/$MFT" | search stream_name == "Zone.Identifier"', "N1001", "streams=t"),
    ('ntfs-mft streams=t "{0}/$MFT" | search stream_name == "Zone.Identifier"', "", ""),
    ('ntfs-mft "{0}/$MFT" | search ads == "Zone.Identifier"', "N1235", 'streams=t: stream_name == "Zone.Identifier"'),
    ('ntfs-mft "{0}/$MFT" | search contains(ads, "Zone.Identifier")', "N1235", "stream_name"),
    ('ntfs-mft "{0}/$MFT" | search ads == "*Zone.Identifier*" or isnotnull(ads)', "", ""),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("host")
    root = Key("ROOT", 133_500_000_000_000_000)
    root.child("Software\\Vendor").set("Path", SZ, text("C:\\a.exe"))
    (path / "NTUSER.DAT").write_bytes(build(root))
    write(path / "$MFT", mft(story()))
    write(path / "$J", journal(story(), 4096))
    return path


@pytest.mark.parametrize(("query", "code", "help"), FILES)
def test_of_files(query: str, code: str, help: str, session: Session, folder: Path) -> None:
    told = _told(session, query.format(folder))
    assert {found for found, _ in told} == {code} - {""}, told
    assert help in "".join(said for _, said in told)


def test_without_the_data_and_in_korean(session: Session) -> None:
    """Which names the first events have is not known then; the path is the one that they would have."""
    token = LANGUAGE.set("ko")
    try:
        plan, *_ = session.plan(
            'evtx-file none.evtx | search TargetUserName == "x" or keywords == "Audit Failure"', data=False
        )
    finally:
        LANGUAGE.reset(token)
    assert [(note.code, note.help) for note in plan.notes] == [
        ("N1001", "행마다 다른 값은 event_data에 있습니다: event_data.TargetUserName(으)로 쓰세요"),
        ("N1234", 'keywords == "0x8010000000000000"(으)로 쓰세요'),
    ]
