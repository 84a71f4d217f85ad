"""Filters of a directory that are written as in other languages: what they mean here is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from logsql.api import Session
from tests.network.ldap_support import READER, session
from tests.servers.directory import Directory

pytest.importorskip("ldap3", reason="package not installed: ldap3 (extra ldap)")
pytestmark = pytest.mark.posix("slapd")


@pytest.fixture
def ad(directory: Directory, tmp_path: Path) -> Session:
    """A session with the profile ``AD``: LDAPS and an ordinary user."""
    return session(tmp_path, AD={"url": directory.tls_url, "ca_file": str(directory.authority.ca_file), **READER})


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("(cn==User 00003)", "(cn=User 00003)"),
        ("(cn=a AND sn=b)", "(&(cn=a)(sn=b))"),
        ("(&(objectClass=person)(cn=a or mail>=b))", "(|(cn=a)(mail>=b))"),
        (r"(cn==$(\"x\"))", '(cn=$("x"))'),
    ],
)
def test_a_filter_of_another_language_is_told(ad: Session, written: str, meant: str) -> None:
    result = ad.query(f'ldapsearch profile=AD filter="{written}" | fields cn', params={"x": "User 00003"})
    assert result.rows() == []
    (note,) = (note for note in result.notes if note.code == "N1052")
    assert meant in (note.help or "")


@pytest.mark.parametrize("written", [r"(cn=\3dx)", "(cn=Research AND Development)", "(|(cn=x=y)(cn=z))", '(cn=$("x"))'])
def test_what_is_a_value_is_left_alone(ad: Session, written: str) -> None:
    result = ad.query(f'ldapsearch profile=AD filter="{written}" | fields cn', params={"x": "=a AND b=c"})
    assert result.rows() == []
    assert "N1052" not in {note.code for note in result.notes}


def test_a_join_with_an_attribute_is_not_told_that_it_may_be_a_list(ad: Session) -> None:
    """The tutorial's own query was told: user is a list in some of the rows."""
    inner = 'ldapsearch profile=AD filter="(sAMAccountName=user0000*)" | eval user = sAMAccountName | fields user, cn'
    result = ad.query(f"json \"[{{user: 'user00003'}}, {{user: 'ghost'}}]\" | join type=left user [ {inner} ]")
    assert [row["cn"] for row in result] == ["User 00003", None]
    assert [note.code for note in result.notes] == []
