"""What ``ldapsearch`` must not do: show a secret anywhere, or load a library where it is not run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from logsql.configuration.settings import Configuration
from logsql.connectors.access import Access
from logsql.connectors.ldap import Client
from logsql.diagnostics.errors import LogsqlError
from logsql.store.files import Files
from tests.network.ldap_support import READER, configuration
from tests.servers import directory as d
from tests.servers.directory import Directory

pytest.importorskip("ldap3", reason="package not installed: ldap3 (extra ldap)")

MODULES = ("ldap3", "pyasn1", "ssl", "socket", "asyncio")
LOADED = (
    "import sys\n{what}\nfound = [n for n in {modules} if n in sys.modules]\n"
    "assert not found, found"
)  # fmt: skip


@pytest.mark.parametrize(
    "what",
    [
        "import logsql",
        "import logsql; logsql.connect().query('json \"{}\"').rows()",
        "import logsql; logsql.connect(config=PATH).translate('ldapsearch profile=AD filter=\"(a=*)\" | fields a')",
        "import logsql; logsql.connect(config=PATH).translate('ldapsearch profile=AD filter=\"(cn=*)\"')",
        "import logsql; logsql.connect(config=PATH).query('ldapsearch profile=AD filter=\"(cn=*)\"')",
    ],
    ids=["import", "another query", "translate", "translate whole rows", "planned"],
)
def test_no_library_is_loaded_before_a_search_runs(tmp_path: Path, what: str) -> None:
    """``socket`` is loaded by pyarrow and others: only what an import of logsql does not load counts."""
    config = configuration(tmp_path, AD={"url": "ldaps://127.0.0.1:1", **READER})
    base = f"import sys, logsql, logsql.api\nprint([n for n in {MODULES} if n in sys.modules])"
    there = eval(subprocess.run([sys.executable, "-c", base], capture_output=True, text=True, check=True).stdout)
    assert "ldap3" not in there
    modules = tuple(name for name in MODULES if name not in there)
    code = LOADED.format(what=what.replace("PATH", repr(str(config))), modules=modules)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


SECRET = d.PASSWORD


@pytest.mark.posix("slapd")
@pytest.mark.parametrize("reference", ["literal", "env", "file"])
def test_a_password_is_nowhere(directory: Directory, tmp_path: Path, reference: str) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "secret").chmod(0o600)
    given = {"literal": SECRET, "env": "env:PLANTED_LDAP", "file": f"file:{tmp_path / 'secret'}"}[reference]
    keys = {"url": directory.tls_url, "ca_file": str(directory.authority.ca_file), **READER, "password": given}
    config = configuration(
        tmp_path, AD=keys, BAD={**keys, "user": d.user_dn(1)}, DEAD={**keys, "url": "ldaps://127.0.0.1:1"}
    )
    home = tmp_path / "home"
    home.mkdir()
    env = {**os.environ, "HOME": str(home), "PLANTED_LDAP": SECRET, "XDG_STATE_HOME": str(home / "state"),
           "XDG_CACHE_HOME": str(home / "cache"), "XDG_DATA_HOME": str(home / "data")}  # fmt: skip

    def said(*args: str) -> str:
        command = [sys.executable, "-m", "logsql", "--config", str(config), *args]
        ran = subprocess.run(command, capture_output=True, text=True, env=env, check=False, cwd=home)
        return ran.stdout + ran.stderr

    query = 'ldapsearch profile=AD filter="(cn=User 00001)"'
    outputs = [
        said("-q", query, "--stats", "--loss", "--debug", "--keep"),
        said("-q", query + " | fields cn", "-f", "csv"),
        said("-q", query.replace("AD", "BAD"), "--debug"),
        said("-q", query.replace("AD", "DEAD"), "--debug"),
        said("-q", query.replace("(cn=", "(cn"), "--debug"),
        said("translate", query),
        said("explain", query, "--run"),
        said("-q", "system queries"),
        said("profile", "show", "AD"),
        said("profile", "list"),
        said("profile", "test", "AD"),
        said("profile", "test", "BAD"),
    ]
    assert "User 00001" in outputs[0]
    assert "bad-credentials" in outputs[2]
    assert "connect-failed" in outputs[3]
    for output in outputs:
        assert SECRET not in output
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]


@pytest.mark.posix("slapd")
def test_a_profile_is_tried(directory: Directory, tmp_path: Path) -> None:
    """One line: the server, and who is bound (RFC 4532)."""
    from logsql.configuration.reading import configuration as read

    keys = {"url": directory.tls_url, "ca_file": str(directory.authority.ca_file), **READER}
    path = configuration(
        tmp_path, AD=keys, BAD={**keys, "password": "wrong"}, NOBODY={"url": keys["url"], "ca_file": keys["ca_file"]}
    )
    settings: Configuration = read(str(path))
    client = Client(Access(lambda: settings, Files(), "UTC"))
    assert client.test(settings.profiles["AD"]) == (
        f"ldaps://localhost:{directory.tls_port} (TLSv1.3): bound as {d.READER}"
    )
    assert client.test(settings.profiles["NOBODY"]).endswith(": bound as nobody (anonymous)")
    with pytest.raises(LogsqlError) as caught:
        client.test(settings.profiles["BAD"])
    assert caught.value.exit_code == 3
