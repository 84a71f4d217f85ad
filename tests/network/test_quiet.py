"""What mail, names and files on servers keep to themselves: their packages until they are used, secrets always."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.network.others_support import configured, profile
from tests.support import ROOT

if TYPE_CHECKING:
    from tests.servers.ftp import FtpServer
    from tests.servers.mail import Mails
    from tests.servers.pki import Authority
    from tests.servers.sftp import SftpServer

_WITHOUT = """
import sys
import logsql
from logsql.planner.spec import COMMANDS
with logsql.connect() as session:
    session.query('json "{a: 1}" | eval b = a').rows()
list(COMMANDS.values())
logsql.translate('json "{n: 1}" | nslookup ns=8.8.8.8 n output ip')
from logsql.cli import main
main(["--config", sys.argv[1], "check", "dbquery db select 1"])
with logsql.connect(config=sys.argv[1]) as session:
    for query in ("dbquery db select 1", 'json "{n: 1}" | dblookup db select :n as m | dbload db table=t n'):
        session.translate(query)
packages = {"adbc_driver_manager", "adbc_driver_postgresql"}
packages |= {"dns", "aiosmtplib", "aioftp", "paramiko", "cryptography", "asyncio", "ssl"}
print(sorted(packages & {name.partition(".")[0] for name in sys.modules}))
"""


def test_no_package_of_the_network_is_loaded_without_a_run(tmp_path: Path) -> None:
    config = configured(tmp_path, profile("db", kind="postgresql", url="postgresql://app@127.0.0.1:1/x"))
    code = [sys.executable, "-c", _WITHOUT, config]
    found = subprocess.run(code, capture_output=True, text=True, cwd=ROOT, check=True)
    assert found.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("kind", ["sendmail", "ftp", "sftp"])
def test_no_password_is_told(
    kind: str, mail: Mails, ftps: FtpServer, sftp: SftpServer, tls: Authority, tmp_path: Path
) -> None:
    secret = "planted-" + kind + "-9f31"
    made = {
        "sendmail": profile("mail", kind="smtp", url=mail("tls").url, user="a@lab.test", password="env:PLANTED",
                            ca_file=tls.ca_file),
        "ftp": profile("srv", kind="ftps", url=ftps.url, password="env:PLANTED", ca_file=tls.ca_file),
        "sftp": profile("srv", kind="sftp", url=sftp.url, password="env:PLANTED", host_key=sftp.host_key),
    }  # fmt: skip
    query = {
        "sendmail": 'json "{}" | eval to = "a@lab.test", subject = "s", message = "m" | sendmail',
        "ftp": "ftp srv ls /",
        "sftp": "sftp srv ls /",
    }[kind]
    mail("tls").auth_required = True
    home = tmp_path / "home"
    home.mkdir()
    env = {**os.environ, "PLANTED": secret, "HOME": str(home), "XDG_STATE_HOME": str(home), "XDG_CACHE_HOME": str(home)}
    config = configured(tmp_path, made[kind])
    begin = [sys.executable, "-m", "logsql", "--config", config]
    said = ""
    for args in (
        ["-q", query, "--loss", "--stats"],
        ["-q", f"explain {query}"],
        ["translate", query],
        ["check", query],
    ):
        run = subprocess.run([*begin, *args], capture_output=True, text=True, cwd=ROOT, env=env, timeout=120)
        said += run.stdout + run.stderr
    assert "bad-credentials" in said
    kept = "".join(p.read_text(errors="replace") for p in home.rglob("*") if p.is_file())
    assert secret not in said + kept
