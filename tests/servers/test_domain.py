"""Samba's controller, as ldapsearch and Debian's reader of its files see it."""

from __future__ import annotations

import base64
import uuid

import pytest

from tests.servers.clients import Ran, run
from tests.servers.domain import ADMIN, BASE, GROUP, HOSTS, MEMBERS, PASSWORD, STAFF, USERS, Controller
from tests.servers.test_directory import found, values

pytestmark = pytest.mark.posix("Samba")


def ask(controller: Controller, *args: str, url: str | None = None, password: str = PASSWORD) -> Ran:
    """``ldapsearch`` over TLS; the name of the certificate is not that of the URL."""
    env = {"LDAPTLS_CACERT": str(controller.ca_file), "LDAPTLS_REQCERT": "allow"}
    place = ("-H", url or controller.tls_url, "-D", ADMIN, "-w", password)
    return run("ldapsearch", "-x", "-L", "-o", "ldif-wrap=no", *place, *args, env=env)


def test_users_and_hosts(samba: Controller) -> None:
    people = ask(samba, "-E", "pr=100/noprompt", "-b", STAFF, "(userPrincipalName=*)", "lastLogon", "whenCreated")
    assert (people.code, len(found(people))) == (0, USERS)
    assert values(people, "lastLogon").count(b"0") == (USERS + 6) // 7
    assert all(value.endswith(b".0Z") for value in values(people, "whenCreated"))
    hosts = ask(samba, "-b", f"CN=Computers,{BASE}", "(operatingSystem=*)", "servicePrincipalName")
    assert (len(found(hosts)), len(values(hosts, "servicePrincipalName"))) == (HOSTS, 2 * HOSTS)


def test_identifiers_are_those_of_the_reader_of_files(samba: Controller) -> None:
    [entry] = samba.ldbsearch("(sAMAccountName=user00001)", "objectGUID", "objectSid")
    asked = ask(samba, "-b", STAFF, "(sAMAccountName=user00001)", "objectGUID", "objectSid")
    [guid] = values(asked, "objectGUID")
    assert entry["objectGUID"] == [str(uuid.UUID(bytes_le=guid))]
    [sid] = values(asked, "objectSid")
    numbers = [int.from_bytes(sid[i : i + 4], "little") for i in range(8, len(sid), 4)]
    assert entry["objectSid"] == ["-".join(["S", "1", "5", *map(str, numbers)])]


def test_a_large_group_comes_whole_or_in_the_ranges_that_are_asked_for(samba: Controller) -> None:
    query = ("-s", "base", "-b", GROUP)
    assert len(values(ask(samba, *query, "member"), "member")) == MEMBERS
    assert len(values(ask(samba, *query, "(cn=*)", "member;range=0-1499"), "member;range=0-1499")) == 1500
    assert len(values(ask(samba, *query, "(cn=*)", "member;range=1500-*"), "member;range=1500-*")) == MEMBERS - 1500


def test_refusals_are_those_of_an_active_directory(samba: Controller) -> None:
    query = ("-s", "base", "-b", BASE, "dn")
    assert ask(samba, *query, url=samba.url).code == 8
    assert found(ask(samba, "-ZZ", *query, url=samba.url)) == [f"dn: {BASE}"]
    assert ask(samba, *query, password="wrong").code == 49
    assert base64.b64encode(PASSWORD.encode()).decode() not in ask(samba, "-b", BASE, "(cn=Administrator)").text
    shown = run("openssl", "s_client", "-connect", "127.0.0.1:636", "-CAfile", str(samba.ca_file)).text
    assert samba.certificate_name.lower() in shown.lower()
