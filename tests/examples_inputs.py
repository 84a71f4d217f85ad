"""Inputs for the vendor's own queries (tests/test_examples.py), as data.

The queries name files and tables of the vendor's machines. ``SHARED``, ``ZIPS`` and ``TEXTS`` say which file stands
for each: one of the outside data, an archive of them, or a small one made from text. ``TABLES`` are rows for the
tables, ``BEFORE`` the queries that must have run before, ``SAVED`` saved results, ``PARAMS`` the parameters.
"""

from __future__ import annotations

import gzip
import io
import lzma
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

from tests.support import SHARED

DATA = SHARED / "data"
NTUSER = "forensics/hives/plaso/NTUSER.DAT.xz"
SYSTEM = "forensics/scenario/system.hive"
SOFTWARE = "forensics/scenario/software.hive"
MFT = "forensics/mft/codegate2012-MFT"
USN = "forensics/usn/plaso-UsnJrnl.xz"
EVTX = "forensics/evtx/plaso_System.evtx.xz"
LOGFILE = "forensics/logfile/tiny-volume-LogFile.xz"

#: Path as a query writes it -> file below shared/data.
SHARED: dict[str, str] = {
    "codegate2011\\system.bak": SYSTEM,
    "codegate2011\\software.bak": SOFTWARE,
    "E:\\codegate2012\\$MFT": MFT,
    "ntfs-mft MFT": MFT,
    "ntfs-usnjrnl UsnJrnl": USN,
    "ntfs-usnjrnl USNJRNL": USN,
    "NTUSER.DAT": NTUSER,
    "NTUSER.dat": NTUSER,
    "Bits-Client.evtx": EVTX,
    "TerminalServices-RemoteConnectionManager.evtx": EVTX,
    "/opt/logpresso/wp-nginx.csv": "logs/wp-nginx.csv",
    "/opt/logpresso/csvfile-strict-option-test-1.csv": "logs/csvfile-strict-option-test-1.csv",
    "/opt/logpresso/csvfile-strict-option-test-2.csv": "logs/csvfile-strict-option-test-2.csv",
    "/opt/logpresso/iris.csv": "logs/iris.csv",
    "books.xml": "logs/books.xml",
    "/test/sam_train.csv": "logs/stocks.csv",
    "/test/train.csv": "logs/titanic/train.csv",
    "D:\\data\\evtx\\System.evtx": EVTX,
    "D:\\data\\evtx\\application.evtx": EVTX,
    "D:\\data\\registry\\SYSTEM": SYSTEM,
    "D:\\data\\registry\\SOFTWARE": SOFTWARE,
    "D:\\data\\registry\\NTUSER.DAT": NTUSER,
    "D:\\data\\NTFS\\test_LogFile": LOGFILE,
    "D:\\data\\NTFS\\test_MFT": MFT,
    "D:\\data\\NTFS\\test_UsnJrnl": USN,
}
#: Archive as a query writes it -> entries and the files they hold.
ZIPS: dict[str, dict[str, str]] = {
    "D:\\data\\evtx.zip": {"evtx\\System.evtx": EVTX},
    "D:\\data\\registry.zip": {"registry\\SYSTEM": SYSTEM, "registry\\NTUSER.DAT": NTUSER},
    "D:\\data\\NTFS.zip": {"NTFS\\test_LogFile": LOGFILE, "NTFS\\test_MFT": MFT, "NTFS\\test_UsnJrnl": USN},
    "D:\\data\\entry.zip": {"iis.txt": "logs/access.log"},
    "/opt/logpresso/testdata.zip": {"iis.txt": "logs/access.log"},
    "iis.zip": {"iis.log": "logs/access.log"},
}
_ACCESS = (
    '{"_time":"2022-03-07 10:00:00+0900","log_id":1,"pin":"IP_09686","label":"MALICIOUS","reputation":"bad",'
    '"country":"KR","asn":"AS4766 Korea Telecom","method":"GET","uri":"/a?b=1","path":"/a","query":"b=1",'
    '"params":"b=1","status":404,"duration":12,"headers":"Host: x\\nUser-Agent: Slack-ImgProxy chrome/99"}\n'
    '{"_time":"2022-03-07 10:00:01+0900","log_id":2,"pin":"IP_1","label":"BENIGN","country":"FR","asn":"AS16276 OVH",'
    '"method":"GET","uri":"/","path":"/","status":304,"duration":3,"headers":"Host: y\\nAccept: */*"}\n'
)
_SECURE = (
    "Apr  6 11:43:26 wood sshd[23029]: pam_unix(sshd:auth): authentication failure; rhost=192.0.2.1  user=user2\n"
    "Apr  6 11:44:00 wood sshd[23029]: Accepted password for user1 from 192.0.2.1 port 50000 ssh2\n"
)
_FIREPOWER = (
    "<134>Oct 17 05:54:19 FP60 SFIMS: Protocol: TCP, SrcIP: 172.20.8.30, DstIP: 172.20.72.133, SrcPort: 61360, "
    "DstPort: 443, TCPFlags: 0x0, IngressInterface: eth1, InitiatorPackets: 2, InitiatorBytes: 120\n"
)
_LINES = "2020-06-01 10:00:00 one\n[07/Mar/2022] two end\n2020-06-01 10:00:01 three\n"
_SAMPLE = "session:1 Proto:TCP,Policy:p,Rule:r,Start_Time:a,End_Time:b\n"
#: Path as a query writes it -> text of the file.
TEXTS: dict[str, str] = {
    "masked_labeled_store_access.json": _ACCESS,
    "/opt/logpresso/wp-nginx.json": '{"line":"a","status":200}\n{"line":"b","status":404}\n',
    "/opt/logpresso/csvfile-strict-option-test-3.csv": 'a,b\n"1","2"\n"x""y",3\n',
    "/var/log/secure": _SECURE,
    "fw.log": _FIREPOWER,
    "textfile cs=euc-kr iis.txt": _LINES,
    "test.txt": _LINES,
    "report_kr.xml": "<report><row>1</row></report>",
    "/opt/logpresso/sample.txt": _SAMPLE,
    "http_status.csv": "status,desc1,desc2\n200,OK,fine\n404,Not Found,gone\n",
}
#: Places below which queries write; each query gets a folder of its own.
OUTPUTS = ("/opt/logpresso/files", "/home/logpresso/files", "/backup", "e:\\\\backup")

_CPU: list[dict[str, Any]] = [
    {"_time": f"2013-06-05T10:0{i}:00", "_id": i, "kernel": i, "user": 20 + i, "idle": 70 - i} for i in range(1, 7)
]
_LOG: list[dict[str, Any]] = [
    {"_time": f"2013-06-05T10:0{i}:00", "_id": i, "line": f"game MSIE 1.2.3.4 failure {i}"} for i in range(1, 7)
]


def _rows(**more: Any) -> list[dict[str, Any]]:
    return [{**row, **more} for row in _LOG]


TABLES: dict[str, list[dict[str, Any]]] = {
    "transaction": [{**row, "age": 20 + row["_id"], "cnt": row["_id"]} for row in _LOG],
    "araqne_query_logs": _rows(login_name="root"),
    "logpresso-log-trend": _rows(),
    "sys_cpu_logs": _CPU,
    "sys_mem_logs": _CPU,
    "sys_gc_logs": _rows(),
    "iis": _rows(),
    "web_access": [{"date": row["_time"], "status": 200} for row in _LOG],
    "big_table": [{"b": 1}, {"b": 2}],
    "ssh_log": _rows(line=_SECURE.splitlines()[1]),
    "weblog": _rows(response_time=3, service_name="a"),
    "security_events": _rows(severity="high"),
    "sales_log": _rows(amount=3, region="kr"),
    "stocks": [{"_time": f"2017-09-0{i}T00:00:00", "stocks": 2400000 + i} for i in range(1, 9)],
    "titanic_test": [{"Pclass": "3", "Sex": "male", "Age": 34.5, "Fare": 7.8292, "Embarked": "Q"}],
    "iis_result": _rows(),
    "iis_idf": _rows(),
    "FW_PALOALTO": _rows(),
    "gate.SSLVPN": _rows(),
    "syslog_gate": _rows(),
    "YOUR_TABLE": _rows(),
    "A": _rows(),
    "test": _rows(),
    "sample": _rows(),
    "sample1": _rows(),
    "sample2": _rows(),
}
TYPES: dict[str, dict[str, str]] = {"web_access": {"date": "date"}}

_CODES = "json \"[{'code':'KR','country':'Korea','population':51},{'code':'FR','country':'France','population':68}]\""
_STATUS = (
    "json \"[{'status':'200','desc1':'OK','desc2':'fine'}]\""
    " | memlookup op=build name=http_status key=status desc1, desc2"
)
#: Queries that make what a query uses.
BEFORE: dict[str, str] = {
    **dict.fromkeys(
        ("ex0228", "ex0229", "ex0230"),
        f"{_CODES} | memlookup op=build name=country_code key=code country, population",
    ),
    **dict.fromkeys(("ex0233", "ex0234", "ex0235"), _STATUS),
}
#: Saved results that queries load: a query that makes rows of their shape.
SAVED: dict[str, str] = {
    "77836557-74ac-4304-8efc-a0c28f92e4e9": "json \"[{'path':'/a'},{'path':'/timezone'}]\"",
    "ba890e78-af76-4c4f-a658-185c68513681": "json \"[{'path':'/a'}]\"",
    "ebb9b705-7274-45b8-977d-19ecee334ee9": "json \"[{'path':'/a'}]\"",
}
PARAMS: dict[str, dict[str, Any]] = {"ex0087": {"threshold": 25}}
#: Parameters that hold a path.
PATH_PARAMS: dict[str, str] = {"ex0058": NTUSER, "ex0079": NTUSER}
#: Text replaced in a query: sizes that say nothing about the result, and a file that is written, not read.
CHANGED: dict[str, tuple[str, str]] = {
    "ex0066": ("fw.log", "/backup/fw.log"),
    "ex0171": ("count=5000000", "count=5000"),
    "ex0264": ("iter=100000", "iter=100"),
}


def content(name: str) -> bytes:
    """Bytes of a file of the outside data, unpacked."""
    raw = DATA.joinpath(name).read_bytes()
    return lzma.decompress(raw) if name.endswith(".xz") else raw


def _sqlite(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE visits (id INTEGER, url TEXT)")
        db.execute("INSERT INTO visits VALUES (1, 'http://example.com/')")
    db.close()


def _archive(entries: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, source in entries.items():
            archive.writestr(name.replace("\\", "/"), content(source))
    return buffer.getvalue()


def make(folder: Path) -> dict[str, str]:
    """Write every input below ``folder``; the text in a query -> the text that reads the file made for it."""
    paths: dict[str, str] = {}

    def put(written: str, data: bytes) -> None:
        command, _, name = written.rpartition(" ")
        base = name.replace("\\", "/").rpartition("/")[2].lstrip("$")
        path = folder / str(len(paths)) / base
        path.parent.mkdir()
        path.write_bytes(data)
        paths[written] = f"{command} {path}" if command else str(path)

    for written, source in SHARED.items():
        put(written, content(source))
    for written, entries in ZIPS.items():
        put(written, _archive(entries))
    for written, text in TEXTS.items():
        put(written, text.encode())
    put("/var/log/syslog.1.gz", gzip.compress(_SECURE.encode()))
    paths["/var/log/syslog.*.gz"] = paths["/var/log/syslog.1.gz"].replace(".1.", ".*.")
    paths["/opt/logpresso/*.zip"] = str(Path(paths["/opt/logpresso/testdata.zip"]).parent / "*.zip")
    paths["D:\\data\\*.zip"] = str(Path(paths["D:\\data\\entry.zip"]).parent / "*.zip")
    _sqlite(folder / "sqlite")
    paths["/opt/logpresso/sqlite"] = str(folder / "sqlite")
    return paths
