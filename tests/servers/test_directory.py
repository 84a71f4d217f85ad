"""The directory server holds what it promises, as ldapsearch sees it."""

from __future__ import annotations

import base64
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import directory as d
from tests.servers.clients import Ran, run
from tests.servers.directory import Directory
from tests.servers.relay import Relay

pytestmark = pytest.mark.posix("slapd")


def ldapsearch(url: str, *args: str, user: str = d.READER, password: str = d.PASSWORD, ca: Path | None = None) -> Ran:
    """``localhost`` becomes the address: libldap takes it for this machine's own name and looks for that."""
    url = url.replace("localhost", "127.0.0.1")
    env = {"LDAPNOINIT": "1", "LDAPTLS_REQCERT": "demand"} if ca is None else {"LDAPTLS_CACERT": str(ca)}
    bind = ("-D", user, "-w", password) if user else ()
    return run("ldapsearch", "-x", "-L", "-o", "ldif-wrap=no", "-H", url, *bind, *args, env=env)


def found(ran: Ran) -> list[str]:
    return [line for line in ran.text.splitlines() if line.startswith("dn:")]


def values(ran: Ran, name: str) -> list[bytes]:
    lines = [line.removeprefix(name + ":") for line in ran.text.splitlines() if line.startswith(name + ":")]
    return [base64.b64decode(line[2:]) if line.startswith(": ") else line[1:].encode() for line in lines]


def test_all_entries_come_in_pages_and_a_thousand_without(directory: Directory) -> None:
    query = ("-b", d.STAFF, "(userPrincipalName=*)", "sAMAccountName")
    paged = ldapsearch(directory.url, "-E", "pr=1000/noprompt", *query)
    assert (paged.code, len(found(paged))) == (0, d.USERS)
    whole = ldapsearch(directory.url, *query)
    assert (whole.code, len(found(whole))) == (4, d.SIZE_LIMIT)
    anonymous = ldapsearch(directory.url, *query, user="")
    assert (anonymous.code, len(found(anonymous))) == (4, d.SIZE_LIMIT)
    limited = ldapsearch(directory.url, "-E", "pr=500/noprompt", *query, user=d.LIMITED)
    assert (limited.code, len(found(limited))) == (4, d.TOTAL_LIMIT)
    unpaged = ldapsearch(directory.url, "-E", "pr=500/noprompt", *query, user=d.UNPAGED)
    assert (unpaged.code, len(found(unpaged))) == (11, 0)
    everything = ldapsearch(directory.url, *query, user=d.ADMIN)
    assert (everything.code, len(found(everything))) == (0, d.USERS)


def test_values_are_kept_to_the_byte(directory: Directory) -> None:
    first, second = (ldapsearch(directory.url, "-s", "base", "-b", d.user_dn(i)) for i in (0, 1))
    assert values(first, "objectGUID") == [d.GUID.bytes_le]
    assert values(first, "objectSid") == [d.SID_BYTES]
    assert values(first, "jpegPhoto") == [d.PHOTO]
    assert values(first, "displayName;lang-ko") == values(first, "displayName") == ["홍길동".encode()]
    assert values(first, "displayName;lang-en") == [b"Hong Gildong"]
    assert values(first, "mail") == [b"hong@lab.test", b"gildong@lab.test"]
    assert (values(first, "lastLogon"), values(first, "accountExpires")) == ([b"0"], [d.NEVER[0].encode()])
    assert values(first, "whenChanged") == [b"20260302101112.5Z"]
    assert values(second, "description") == [d.LONG.encode()]
    assert values(second, "lastLogon") == [b"132444746001234567"]
    assert found(ldapsearch(directory.url, "-b", d.BASE, '(cn=Lee, Jin + "x")', "dn")) == [
        r"dn: cn=Lee\2C Jin \2B \22x\22,ou=Staff,dc=lab,dc=test"
    ]


def test_groups_hosts_and_a_reference(directory: Directory) -> None:
    group = ldapsearch(directory.url, "-b", d.GROUP, "(objectClass=groupOfNames)", "member")
    assert len(values(group, "member")) == d.MEMBERS
    hosts = ldapsearch(directory.url, "-b", d.BASE, "(servicePrincipalName=*)", "operatingSystem")
    assert values(hosts, "operatingSystem") == [b"Windows 10 Pro"] * d.HOST_COUNT
    assert "# refldap://127.0.0.1:1/ou=Elsewhere,dc=other,dc=test??sub" in hosts.text
    assert ldapsearch(directory.url, "-b", f"ou=x,ou=Elsewhere,{d.BASE}").code == 10


def test_tls_by_port_and_by_command(directory: Directory, directories: Callable[[str], Directory]) -> None:
    ca = directory.authority.ca_file
    query = ("-s", "base", "-b", d.STAFF, "dn")
    assert found(ldapsearch(directory.tls_url, *query, ca=ca)) == [f"dn: {d.STAFF}"]
    assert found(ldapsearch(directory.url, "-ZZ", *query, ca=ca)) == [f"dn: {d.STAFF}"]
    assert ldapsearch(directory.tls_url, *query).code == 255
    assert ldapsearch(directories("other_name").tls_url, *query, ca=ca).code == 255
    assert ldapsearch(directories("expired").tls_url, *query, ca=ca).code == 255


def test_refusals(directory: Directory) -> None:
    query = ("-s", "base", "-b", d.STAFF)
    assert ldapsearch(directory.url, *query, password="wrong").code == 49
    assert ldapsearch(directory.url, "-b", "dc=none,dc=test").code == 32
    codes = {name: ldapsearch(directory.url, "-b", f"cn={name},{d.CODES}").code for name in d.RESULTS}
    assert codes == d.RESULTS
    bound = ldapsearch(directory.url, *query, user=f"cn=strongerAuthRequired,{d.CODES}")
    assert bound.code == 8
    assert "userPassword" not in ldapsearch(directory.url, "-s", "base", "-b", d.READER).text


def test_it_dies_in_the_middle_of_an_answer_and_comes_back(
    directory: Directory, directories: Callable[[str], Directory], relay: Callable[..., Relay]
) -> None:
    cut = relay(directory.port, cut_after=300_000, then=directory.kill)
    query = ("-E", "pr=1000/noprompt", "-b", d.STAFF, "(userPrincipalName=*)", "dn")
    got = ldapsearch(f"ldap://localhost:{cut.port}", *query)
    assert got.code == 255
    assert 2000 < len(found(got)) < d.USERS
    assert cut.passed == 300_000
    assert directory.child is not None
    assert directory.child.process.returncode == -signal.SIGKILL
    port = directory.port
    assert directories("right").port == port
    assert ldapsearch(directory.url, *query).code == 0
