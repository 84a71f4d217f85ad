"""Safe mode and the commands that reach other machines: refused before a row is read, driven by the registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import logsql
from logsql.diagnostics.errors import PolicyError
from logsql.registry import COMMANDS

#: Profiles of every kind, none of which ``allow`` names.
PROFILES = """
[profiles.dir]
kind = "ldap"
url = "ldaps://127.0.0.1:1"
base = "dc=x"
[profiles.db]
kind = "postgresql"
url = "postgresql://app@127.0.0.1:1/x"
[profiles.mail]
kind = "smtp"
url = "smtps://127.0.0.1:1"
from = "a@example.com"
[profiles.srv]
kind = "sftp"
url = "sftp://127.0.0.1:1"
user = "a"
host_key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
[profiles.old]
kind = "ftps"
url = "ftps://127.0.0.1:1"
user = "a"
"""
#: One query a command; a command that is not here is not known to be refused.
QUERIES = {
    "wget": 'wget url="https://example.com/"',
    "rss": 'rss url="https://example.com/feed"',
    "ldapsearch": 'ldapsearch profile=dir filter="(cn=*)"',
    "dbquery": "dbquery db select 1",
    "dblookup": "table t | dblookup db select 1 as one",
    "dbload": "table t | dbload db table=x a",
    "dboutput": "table t | dboutput db table=x a",
    "dbcall": "dbcall db {call f(:x)}",
    "dbscript": "dbscript db q.sql",
    "nslookup": "table t | nslookup ns=8.8.8.8 a output ip",
    "sendmail": "table t | sendmail",
    "sendsyslog": "table t | sendsyslog dst=192.0.2.1",
    "sendsyslog-tcp": "table t | sendsyslog-tcp dst=192.0.2.1",
    "sftp": "sftp srv ls /",
    "ftp": "ftp old ls /",
}


def reaching() -> set[str]:
    """The commands that reach other machines: those of the room of its own."""
    return {name for name, spec in COMMANDS.items() if spec.lower.__module__.startswith("logsql.commands.network.")}


def test_every_command_that_reaches_out_is_tried_here() -> None:
    assert reaching() == set(QUERIES)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_it_is_refused_before_a_row_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(PROFILES, encoding="utf-8")
    (tmp_path / "q.sql").write_text("select 1", encoding="utf-8")
    read: list[object] = []

    with logsql.connect(config=str(tmp_path / "config.toml"), safe=True, allow_dirs=[str(tmp_path)]) as session:
        session.cursor().execute("CREATE TABLE t AS SELECT 'a' AS a, 'x@example.com' AS \"to\", 's' AS subject")
        query = QUERIES[name].replace("q.sql", str(tmp_path / "q.sql"))
        with pytest.raises(PolicyError) as caught:
            read.extend(session.query(query, {"x": "1"}))
    assert caught.value.code == "E4001"
    assert caught.value.exit_code == 3
    assert not read


def test_nothing_of_the_network_is_imported_for_the_refusal(tmp_path: Path) -> None:
    """What is refused needs no connector, so nothing can have been reached."""
    code = (
        "import sys, logsql\n"
        "session = logsql.connect(safe=True)\n"
        "try:\n"
        "    list(session.query('wget url=\"https://example.com/\"'))\n"
        "except logsql.LogsqlError as error:\n"
        "    print(error.code, 'aiohttp' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["E4001", "False"], done.stderr
