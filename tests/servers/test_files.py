"""The servers of files, as sftp and curl see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.clients import Ran, curl, run
from tests.servers.ftp import FtpServer
from tests.servers.pki import Authority
from tests.servers.sftp import SftpServer

pytestmark = pytest.mark.posix("clients and signals of Debian")
DATA = bytes(range(256)) * 100


@pytest.fixture
def known(sftp: SftpServer, tmp_path: Path) -> Path:
    """A file with the server's host key."""
    path = tmp_path / "known"
    path.write_text(sftp.known_hosts)
    return path


def client(server: SftpServer, known: Path, script: str, *options: str, key: Path | None = None) -> Ran:
    """``sftp`` with a script, with a key and with no configuration of the user."""
    trust = ["-F", "none", "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"]
    trust += ["-o", "GlobalKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"]
    place = ["-P", str(server.port), "-i", str(key or server.key_file), *options, f"{server.user}@localhost"]
    return run("sftp", "-b", "-", *trust, *place, stdin=script.encode())


def test_sftp_lists_gets_and_puts(sftp: SftpServer, known: Path, tmp_path: Path) -> None:
    sftp.put("sub/보고서.log", DATA)
    got = tmp_path / "got"
    listed = client(sftp, known, f"ls -1 sub\nget sub/보고서.log {got}\nput {got} up.bin\n")
    assert listed.code == 0, listed.err
    assert "sub/보고서.log" in listed.text
    assert got.read_bytes() == (sftp.home / "up.bin").read_bytes() == DATA


def test_sftp_knows_its_own_key_and_no_strangers(sftp: SftpServer, known: Path, tmp_path: Path) -> None:
    told = run("ssh-keygen", "-l", "-f", str(known)).text
    assert sftp.host_key in told
    assert sftp.host_key.startswith("SHA256:")
    refused = client(sftp, known, "ls\n", key=sftp.stranger_key)
    assert "Permission denied" in refused.err
    (tmp_path / "empty").touch()
    assert "Host key verification failed" in client(sftp, tmp_path / "empty", "ls\n").err


def test_sftp_takes_the_password_where_root_starts_it(sftp: SftpServer, known: Path, tmp_path: Path) -> None:
    if sftp.password is None:
        pytest.skip("only root can start a server that checks passwords, in a mount namespace of its own")
    sftp.put("a", b"x")
    for password, code in ((sftp.password, 0), ("wrong", 255)):
        ask = tmp_path / "ask"
        ask.write_text(f"#!/bin/sh\necho '{password}'\n")
        ask.chmod(0o700)
        only = ["-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=1", "-o", "BatchMode=no"]
        trust = ["-F", "none", "-o", f"UserKnownHostsFile={known}", "-o", "GlobalKnownHostsFile=/dev/null", *only]
        place = ["-P", str(sftp.port), f"{sftp.user}@localhost"]
        env = {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
        assert run("sftp", "-q", *trust, *place, stdin=b"ls\n", env=env).code == code


def test_sftp_comes_back_after_being_killed(sftp: SftpServer, known: Path) -> None:
    sftp.kill()
    assert client(sftp, known, "ls\n").code == 255
    sftp.restart()
    assert client(sftp, known, "ls\n").code == 0


@pytest.mark.parametrize("secure", [True, False])
def test_ftp_lists_gets_and_puts(
    tls: Authority, ftp_servers: Callable[[bool], FtpServer], secure: bool, tmp_path: Path
) -> None:
    server = ftp_servers(secure)
    server.put("sub/보고서.log", DATA)
    user = ("-u", f"{server.user}:{server.password}", *(("--ssl-reqd",) if secure else ()))
    url = f"ftp://localhost:{server.port}/"
    assert "보고서.log" in curl(f"{url}sub/", *user, "-l", ca=tls.ca_file).text
    assert curl(f"{url}sub/보고서.log", *user, ca=tls.ca_file).out == DATA
    (tmp_path / "up").write_bytes(DATA)
    assert curl(f"{url}up.bin", *user, "-T", str(tmp_path / "up"), ca=tls.ca_file).code == 0
    assert (server.home / "up.bin").read_bytes() == DATA
    assert curl(f"{url}none", *user, ca=tls.ca_file).code == 78
    assert curl(url, "-u", "ftper:wrong", *user[2:], ca=tls.ca_file).code == 67
    assert "PASS" in server.commands
    assert not any(server.password in line for line in server.commands)


def test_ftps_demands_tls_and_ftp_has_none(tls: Authority, ftps: FtpServer, ftp: FtpServer) -> None:
    for server, option, code in ((ftps, "--no-ssl", 67), (ftp, "--ssl-reqd", 64)):
        options = ("-u", f"{server.user}:{server.password}", *((option,) if option == "--ssl-reqd" else ()))
        assert curl(f"ftp://localhost:{server.port}/", *options, ca=tls.ca_file).code == code
    user = ("-u", f"{ftps.user}:{ftps.password}", "--ssl-reqd")
    assert curl(f"ftp://localhost:{ftps.port}/", *user).code == 60
