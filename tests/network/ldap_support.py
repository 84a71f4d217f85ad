"""Profiles for tests of ``ldapsearch``, and a session that has them."""

from __future__ import annotations

from pathlib import Path

import logsql
from logsql.api import Session
from tests.servers import directory as d

#: The three queries of the article "액티브 디렉터리 LDAP 연동", as they are printed.
ARTICLE = (
    'ldapsearch profile=AD filter="(&(userPrincipalName=*))"',
    'ldapsearch profile=AD filter="(&(userPrincipalName=*))" | eval lastLogon = if(lastLogon == "0", null, '
    "epoch(floor(long(lastLogon) / 10000 - 11644473600000))) | eval badPasswordTime = "
    'if(badPasswordTime == "0", null, epoch(floor(long(badPasswordTime) / 10000 - 11644473600000))) '
    "| order sAMAccountName, lastLogon, badPasswordTime",
    'ldapsearch profile=AD filter="(&(servicePrincipalName=*))" | eval lastLogon = '
    "epoch(floor(long(lastLogon) / 10000 - 11644473600000)) "
    "| order cn, operatingSystem, operatingSystemVersion, lastLogon, whenCreated, whenChanged",
)
READER = {"user": d.READER, "password": d.PASSWORD, "base": d.BASE}


def configuration(folder: Path, **profiles: dict[str, object]) -> Path:
    """A configuration file with these directory profiles."""
    lines = []
    for name, keys in profiles.items():
        lines += [f"[profiles.{name}]", 'kind = "ldap"']
        lines += [f"{key} = {_toml(value)}" for key, value in keys.items()]
    path = folder / "config.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, int) else "'" + str(value) + "'"


def session(folder: Path, **profiles: dict[str, object]) -> Session:
    """A session that has these profiles."""
    return logsql.connect(tz="UTC", config=str(configuration(folder, **profiles)))
