"""The scripted directory speaks LDAP, as ldapsearch sees it."""

from __future__ import annotations

import pytest

from tests.servers.clients import Ran
from tests.servers.scripted_directory import (
    TIME_LIMIT,
    Answer,
    Entry,
    ScriptedDirectory,
    ends_at,
    paged,
    ranged,
    unpaged,
    users,
)
from tests.servers.test_directory import found, ldapsearch, values

pytestmark = pytest.mark.posix("clients and signals of Debian")
GROUP = Entry("cn=g,dc=fake,dc=test", {"cn": [b"g"], "member": [f"cn=U{i}".encode() for i in range(3100)]})


def ask(server: ScriptedDirectory, *args: str) -> Ran:
    return ldapsearch(server.url, "-b", server.base, *args, user="cn=a", password="secret")


def test_pages(scripted_directory: ScriptedDirectory) -> None:
    scripted_directory.script = paged(users(25))
    got = ask(scripted_directory, "-E", "pr=10/noprompt", "(cn=*)", "cn")
    assert (got.code, len(found(got)), values(got, "cn")[24]) == (0, 25, b"U24")
    assert [search.cookie for search in scripted_directory.searches] == [b"", b"10", b"20"]
    assert scripted_directory.searches[0].attributes == ("cn",)
    assert scripted_directory.binds == [("cn=a", "secret")]


def test_limits_without_pages_and_in_the_middle(scripted_directory: ScriptedDirectory) -> None:
    scripted_directory.script = unpaged(users(25), 10)
    got = ask(scripted_directory, "-E", "pr=5/noprompt", "(cn=*)")
    assert (got.code, len(found(got))) == (4, 10)
    scripted_directory.script = ends_at(users(25), 1, Answer(code=TIME_LIMIT))
    got = ask(scripted_directory, "-E", "pr=10/noprompt", "(cn=*)")
    assert (got.code, len(found(got))) == (3, 20)
    scripted_directory.script = ends_at(users(25), 1, Answer(broken=b"\x30\x84\xff"))
    got = ask(scripted_directory, "-E", "pr=10/noprompt", "(cn=*)")
    assert (got.code, len(found(got))) == (255, 20)


def test_ranges(scripted_directory: ScriptedDirectory) -> None:
    scripted_directory.script = ranged(GROUP)
    first = ask(scripted_directory, "(cn=*)")
    assert len(values(first, "member;range=0-1499")) == 1500
    assert values(first, "cn") == [b"g"]
    assert len(values(ask(scripted_directory, "(cn=*)", "member;range=1500-*"), "member;range=1500-2999")) == 1500
    assert len(values(ask(scripted_directory, "(cn=*)", "member;range=3000-*"), "member;range=3000-*")) == 100


def test_references_referrals_and_refusals(scripted_directory: ScriptedDirectory) -> None:
    link = "ldap://127.0.0.1:1/dc=x"
    scripted_directory.script = lambda search: Answer(users(1), references=[link])
    assert "# refldap://127.0.0.1:1/dc=x" in ask(scripted_directory, "(cn=*)").text
    scripted_directory.script = lambda search: Answer(code=10, referral=[link])
    assert ask(scripted_directory, "(cn=*)").code == 10
    scripted_directory.bind_code = 49
    assert ask(scripted_directory, "(cn=*)").code == 49
    assert ldapsearch(scripted_directory.url, "-ZZ", "(cn=*)").code != 0
    assert scripted_directory.failures == []
