"""``logsql profile test`` of mail and file servers: right, and wrong in one way each."""

from __future__ import annotations

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


@pytest.mark.parametrize("kind", ["smtp", "ftps", "sftp"])
def test_profiles_are_tried(
    kind: str, mail: Mails, ftps: FtpServer, sftp: SftpServer, tls: Authority, tmp_path: Path
) -> None:
    server = mail("starttls")
    keys: dict[str, dict[str, object]] = {
        "smtp": {"url": server.url, "user": server.user, "password": server.password, "ca_file": tls.ca_file},
        "ftps": {"url": ftps.url, "password": ftps.password, "ca_file": tls.ca_file},
        "sftp": {"url": sftp.url, "key_file": str(sftp.key_file), "host_key": sftp.host_key},
    }
    wrong: dict[str, tuple[dict[str, object], str]] = {
        "smtp": ({"password": "other-planted"}, "bad-credentials"),
        "ftps": ({"ca_file": None}, "tls-untrusted"),
        "sftp": ({"host_key": "SHA256:" + "A" * 43}, "host-key-mismatch"),
    }

    def tried(changed: dict[str, object]) -> tuple[int, str, str]:
        config = configured(tmp_path, profile("srv", kind=kind, **{**keys[kind], **changed}))
        args = [sys.executable, "-m", "logsql", "--config", config, "profile", "test", "srv"]
        run = subprocess.run(args, capture_output=True, text=True, cwd=ROOT, timeout=60)
        return run.returncode, run.stdout, run.stderr

    code, out, err = tried({})
    assert (code, err) == (0, "")
    (line,) = out.splitlines()
    assert str(keys[kind]["url"]).rpartition("@")[2].partition("//")[2] in line or "localhost" in line
    code, out, err = tried(wrong[kind][0])
    assert code == 3
    assert wrong[kind][1] in err
    assert "planted" not in out + err
