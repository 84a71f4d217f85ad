"""The vendor's own queries of ``nslookup``, ``sendmail``, ``ftp`` and ``sftp``, as the manual prints them.

The FTP server's root is a folder of the test; OpenSSH's is that of this machine, so that paths of ``sftp`` queries get
the home folder in front. What the pages print is held against the rows, but for times and sizes of the vendor's disk.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import logsql
from tests.network.others_support import configured, profile, ran, refusal, with_classes
from tests.test_examples import RECORDS, SERVED

if TYPE_CHECKING:
    from tests.servers.ftp import FtpServer
    from tests.servers.mail import Mails
    from tests.servers.names import NameServer
    from tests.servers.pki import Authority
    from tests.servers.sftp import SftpServer

pytestmark = pytest.mark.evidence
SCRIPT = (
    "#!/bin/bash\n \n######################################\nexport JAVA_HOME=/usr/lib/jvm/java-7-oracle/jre\n"
    "HOSTNAME=`hostname`\n\n"
)
CLASSES = '{"Verbose":false,"LoadedClassCount":9100,"UnloadedClassCount":0,"TotalLoadedClassCount":9100}\n'
CSV = '"LoadedClassCount","UnloadedClassCount","TotalLoadedClassCount"\n"9100","0","9100"\n"9101","0","9102"\n'
#: A misprint of the older manual: the ending of the file stands inside the date pattern.
MISPRINT = "ex0647"


def of(command: str) -> list[str]:
    """Ids of the queries with a command."""
    return [key for key in SERVED if key in RECORDS and command in RECORDS[key]["commands"]]


def filled(put: object) -> None:
    """The files that the pages read."""
    assert callable(put)
    put("logpresso.sh", SCRIPT.encode())
    put("sample.json", b'{"id": 1, "name": "foo"}\n{"id": 2, "name": "bar"}\n{"id": 3, "name": "baz"}\n')
    put("data/logs/201401190846.log", b"x")
    put("data/classloading.json", CLASSES.encode())
    put("data/classloading.csv", CSV.encode())


def printed(key: str) -> list[str]:
    """The values of the field ``line`` that a page prints."""
    text = str(RECORDS[key].get("output", ""))
    return [found.replace("\n", "") for found in re.findall(r"\{line=(.*?)\}(?=\n\{line=|\ntotal )", text, re.DOTALL)]


def check(key: str, session: logsql.Session, query: str, home: Path) -> None:
    """Run a query of a page as it is printed, or with other paths, and hold the rows against the page."""
    if " put" in query:
        for name in re.findall(r"/data/\S+", RECORDS[key]["query"]):
            (home / name.lstrip("/")).unlink(missing_ok=True)
    rows, lost = ran(session, query)
    assert lost == {}
    assert rows
    if "cat" in query.split():
        lines = [line for line in printed(key) if "_time" not in line]
        assert [row["line"] for row in rows][: len(lines)] == lines if lines else rows
    if key in ("ex0280",):
        assert [(row["id"], row["name"]) for row in rows] == [(1, "foo"), (2, "bar"), (3, "baz")]
    if " ls " in query:
        named = set(re.findall(r"(\w+)=", str(RECORDS[key].get("output", ""))))
        assert named <= set(rows[0])


@pytest.mark.parametrize("key", of("ftp"))
def test_ftp(key: str, ftps: FtpServer, tls: Authority, tmp_path: Path) -> None:
    filled(ftps.put)
    text = profile("srv", kind="ftps", url=ftps.url, password=ftps.password, ca_file=tls.ca_file)
    with logsql.connect(tz="Asia/Seoul", config=configured(tmp_path, text)) as session:
        check(key, with_classes(session), RECORDS[key]["query"], ftps.home)
        assert key in SERVED


@pytest.mark.parametrize("key", of("sftp"))
def test_sftp(key: str, sftp: SftpServer, tmp_path: Path) -> None:
    filled(sftp.put)
    text = profile("srv", kind="sftp", url=sftp.url, key_file=str(sftp.key_file), host_key=sftp.host_key)
    query = re.sub(r"(?<=\s)/(?=\S*$)|(?<=\s)(?=\{logtime)", f"{sftp.home}/", RECORDS[key]["query"])
    with logsql.connect(tz="Asia/Seoul", config=configured(tmp_path, text)) as session:
        if key == MISPRINT:
            assert "{now:HHmm}" in refusal(with_classes(session), query)  # the help says where the ending belongs
            query = query.replace("{now:HHmm.txt}", "{now:HHmm}.txt")
        check(key, with_classes(session), query, sftp.home)
        assert str(sftp.home) in query


@pytest.mark.parametrize("key", of("sendmail"))
def test_sendmail(key: str, mail: Mails, tls: Authority, tmp_path: Path) -> None:
    server = mail("tls")
    text = profile("mail", kind="smtp", url=server.url, user=server.user, password=server.password, ca_file=tls.ca_file)
    with logsql.connect(config=configured(tmp_path, text)) as session:
        rows, lost = ran(session, RECORDS[key]["query"])
        assert (len(rows), rows[0]["_sendmail_fail"], lost) == (1, None, {})
    assert len(server.mails) == 1


@pytest.mark.parametrize("key", of("nslookup"))
def test_nslookup(key: str, name_server: NameServer, tmp_path: Path) -> None:
    config = configured(tmp_path, f'[network]\nallow = ["{name_server.address}"]\n')
    query = RECORDS[key]["query"].replace('ns="8.8.8.8"', f'ns="127.0.0.1" port={name_server.port}')
    assert query != RECORDS[key]["query"]
    with logsql.connect(config=config) as session:
        session.register("spamhouse", pa.table({"domain": ["one.lab.test", "no.lab.test"]}))
        rows, lost = ran(session, query)
    assert lost == {}
    assert [row["status"] for row in rows] == ["NO_ERROR", "NAME_ERROR"]
    assert list(rows[0]) == ["domain", "ip", "status", "flags", "answers", "authorities", "additionals"]
