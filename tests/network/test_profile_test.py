"""``logsql profile test`` against real servers: one line and 0, or the word of what went wrong and 3."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logsql.cli import main
from tests.network.others_support import configured, profile
from tests.servers import directory as d

if TYPE_CHECKING:
    from tests.servers.ftp import FtpServer
    from tests.servers.mail import Mails
    from tests.servers.pki import Authority
    from tests.servers.postgres import Postgres
    from tests.servers.sftp import SftpServer

Tested = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tested(
    tls: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Tested:
    """``tested(secret, kind=..., ...)``: the exit code and what is said of a profile with these keys."""

    def get(secret: str, /, **keys: object) -> tuple[int, str, str]:
        monkeypatch.setenv("SERVER_PASSWORD", secret)
        made = {"password": "env:SERVER_PASSWORD", "ca_file": tls.ca_file, **keys}
        code = main(["--config", configured(tmp_path, profile("p", **made)), "profile", "test", "p"])
        out, err = capfd.readouterr()
        assert secret not in out + err
        return code, out, err

    return get


def test_a_directory(directory: d.Directory, tested: Tested) -> None:
    right = {"kind": "ldap", "url": directory.tls_url, "user": d.READER, "base": d.BASE}
    code, out, err = tested(d.PASSWORD, **right)
    assert (code, len(out.splitlines()), err) == (0, 1, "")
    assert f"localhost:{directory.tls_port}" in out
    code, out, err = tested("not-the-password", **right)
    assert (code, out, "bad-credentials" in err) == (3, "", True)
    code, out, err = tested(d.PASSWORD, **right | {"ca_file": None})
    assert (code, out, "tls-untrusted" in err) == (3, "", True)
    code, out, err = tested(d.PASSWORD, **right | {"url": "ldaps://localhost:1"})
    assert (code, out, "connect-failed" in err) == (3, "", True)


def test_a_database(postgres: Postgres, tested: Tested) -> None:
    pytest.importorskip("adbc_driver_postgresql", reason="package not installed: adbc-driver-postgresql (extra db)")
    right = {"kind": "postgresql", "url": postgres.url}
    code, out, err = tested(postgres.password, **right)
    assert (code, len(out.splitlines()), err) == (0, 1, "")
    assert "PostgreSQL" in out
    wrong = {
        "bad-credentials": {},
        "tls-untrusted": {"ca_file": str(postgres.authority.pair("self_signed").cert)},
        "tls-name-mismatch": {"certificate_name": "elsewhere.example"},
        "connect-failed": {"url": "postgresql://app@localhost:1/emp"},
        "no-such-database": {"url": postgres.url.replace("/emp", "/nosuch")},
    }
    for word, changed in wrong.items():
        secret = "not-the-password" if word == "bad-credentials" else postgres.password
        code, out, err = tested(secret, **right | changed)
        assert (code, out, word in err) == (3, "", True), err


def test_a_database_in_a_file(tested: Tested, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as made:
        made.execute("create table t(a)")
    made.close()
    right = {"kind": "sqlite", "path": str(tmp_path / "a.db"), "password": None, "ca_file": None}
    code, out, err = tested("unused", **right)
    assert (code, len(out.splitlines()), err, "SQLite" in out) == (0, 1, "", True)
    code, out, err = tested("unused", **right | {"path": str(tmp_path / "nosuch.db")})
    assert (code, out, "nosuch.db" in err) == (3, "", True)
    assert not (tmp_path / "nosuch.db").exists()


def test_a_mail_server(mail: Mails, tested: Tested) -> None:
    server = mail("tls")
    server.auth_required = True
    right = {"kind": "smtp", "url": server.url, "user": server.user}
    code, out, err = tested(server.password, **right)
    assert (code, len(out.splitlines()), err) == (0, 1, "")
    assert server.mails == []
    code, out, err = tested("not-the-password", **right)
    assert (code, out, "bad-credentials" in err) == (3, "", True)


def test_files_over_ssh(sftp: SftpServer, tested: Tested) -> None:
    key = {"key_file": str(sftp.key_file), "password": None, "ca_file": None}
    right = {"kind": "sftp", "url": sftp.url, "host_key": sftp.host_key, **key}
    code, out, err = tested("unused", **right)
    assert (code, len(out.splitlines()), err) == (0, 1, "")
    code, out, err = tested("not-the-password", **right | {"key_file": None, "password": "env:SERVER_PASSWORD"})
    assert (code, out, "bad-credentials" in err) == (3, "", True)
    code, out, err = tested("unused", **right | {"host_key": "SHA256:" + "A" * 43})
    assert (code, out, "error[" in err) == (3, "", True)


def test_files_over_ftp_with_tls(ftps: FtpServer, tested: Tested) -> None:
    right = {"kind": "ftps", "url": ftps.url, "user": ftps.user}
    code, out, err = tested(ftps.password, **right)
    assert (code, len(out.splitlines()), err) == (0, 1, "")
    code, out, err = tested("not-the-password", **right)
    assert (code, out, "bad-credentials" in err) == (3, "", True)


def test_a_secret_that_is_missing_is_no_fault_of_the_server(tested: Tested, directory: d.Directory) -> None:
    keys = {"kind": "ldap", "url": directory.tls_url, "user": d.READER, "password": "env:NOT_SET_AT_ALL"}
    code, out, err = tested("unused", **keys)
    assert (code, out, "env:NOT_SET_AT_ALL" in err) == (2, "", True)
