"""``ldapsearch`` against Samba's Active Directory, beside what Debian's reader of its files says (``ldbsearch``)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from logsql import LogsqlError
from logsql.api import Session
from tests.network.ldap_support import ARTICLE, session
from tests.servers.domain import BASE, GROUP, HOSTS, MEMBERS, STAFF, USERS, Controller

pytest.importorskip("ldap3", reason="package not installed: ldap3 (extra ldap)")
pytestmark = pytest.mark.posix("Samba")


def keys(samba: Controller, **other: object) -> dict[str, object]:
    found: dict[str, object] = {
        "url": samba.tls_url,
        "user": samba.user,
        "password": samba.password,
        "base": samba.base,
        "ca_file": str(samba.ca_file),
        "certificate_name": samba.certificate_name,
    }
    return {**found, **other}


@pytest.fixture
def ad(samba: Controller, tmp_path: Path) -> Session:
    return session(tmp_path, AD=keys(samba, page=100))


def instant(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y%m%d%H%M%S.0Z").replace(tzinfo=dt.UTC)


def moment(filetime: str) -> dt.datetime | None:
    """An own conversion of a FILETIME, to the millisecond."""
    if filetime == "0":
        return None
    return dt.datetime(1601, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=int(filetime) // 10_000)


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["sAMAccountName"]: row for row in rows}


def test_identifiers_times_and_numbers_are_those_of_the_files(ad: Session, samba: Controller) -> None:
    names = ("objectGUID", "objectSid", "whenCreated", "whenChanged", "lastLogon", "badPasswordTime", "department",
             "displayName", "userAccountControl", "pwdLastSet")  # fmt: skip
    expected = {e["sAMAccountName"][0]: e for e in samba.ldbsearch("(userPrincipalName=*)", "sAMAccountName", *names)}
    whole = by_name(ad.query(ARTICLE[0]).rows())
    named = by_name(ad.query(f"{ARTICLE[0]} | fields sAMAccountName, {', '.join(names)}").rows())
    assert len(whole) == len(named) == len(expected) >= USERS
    for account, entry in expected.items():
        for row in (whole[account], named[account]):
            assert row["objectGUID"] == entry["objectGUID"][0]
            assert row["objectSid"] == entry["objectSid"][0]
            assert row["whenCreated"] == instant(entry["whenCreated"][0])
            assert row["whenChanged"] == instant(entry["whenChanged"][0])
            for name in ("lastLogon", "badPasswordTime", "userAccountControl", "pwdLastSet"):
                assert [row.get(name)] == entry.get(name, [None])


def test_the_queries_of_the_article(ad: Session, samba: Controller) -> None:
    users = {e["sAMAccountName"][0]: e for e in samba.ldbsearch("(userPrincipalName=*)", "sAMAccountName", "lastLogon")}
    found = by_name(ad.query(ARTICLE[1]).rows())
    assert {name: row["lastLogon"] for name, row in found.items()} == {
        name: moment(entry.get("lastLogon", ["0"])[0]) for name, entry in users.items()
    }
    hosts = ad.query(ARTICLE[2]).rows()
    assert {row["cn"] for row in hosts} >= {f"WS{i:03d}" for i in range(HOSTS)}
    assert {row["operatingSystem"] for row in hosts} >= {"Windows 10 Pro"}
    assert all(isinstance(row["servicePrincipalName"], list) for row in hosts)


def test_a_large_group_is_whole(ad: Session) -> None:
    (row,) = ad.query(f'ldapsearch profile=AD base="{GROUP}" scope=base filter="(member=*)" | fields member').rows()
    assert len(set(row["member"])) == MEMBERS
    counted = f'ldapsearch profile=AD filter="(&(objectClass=group)(distinguishedName={GROUP}))" | explode member'
    assert ad.query(f"{counted} | stats count").rows() == [{"count": MEMBERS}]


def test_departments_are_counted(ad: Session, samba: Controller) -> None:
    entries = samba.ldbsearch("(department=*)", "department")
    expected: dict[str, int] = {}
    for entry in entries:
        expected[entry["department"][0]] = expected.get(entry["department"][0], 0) + 1
    rows = ad.query('ldapsearch profile=AD filter="(department=*)" | stats count by department').rows()
    assert {row["department"]: row["count"] for row in rows} == expected


def test_every_attribute_of_an_account_is_there(ad: Session, samba: Controller) -> None:
    (entry,) = samba.ldbsearch("(sAMAccountName=user00001)")
    (row,) = ad.query('ldapsearch profile=AD filter="(sAMAccountName=user00001)"').rows()
    # Attributes that only the files have are not sent: those of passwords.
    assert set(row) - {"dn"} <= set(entry)
    assert {"cn", "objectCategory", "primaryGroupID", "sAMAccountType", "uSNChanged", "codePage"} <= set(row)
    assert row["dn"] == entry["dn"][0] == row["distinguishedName"]
    for name in set(row) & {"cn", "name", "instanceType", "uSNCreated", "codePage", "countryCode", "primaryGroupID"}:
        assert row[name] == entry[name][0]


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"password": "wrong"}, "bad-credentials"),
        ({"url": "ldap://127.0.0.1:389", "tls": "none"}, "strong-auth-required"),
        ({"certificate_name": "dc2.lab.example.test"}, "tls-name-mismatch"),
        ({"base": f"OU=Nowhere,{BASE}"}, "no-such-base"),
    ],
)
def test_refusals_have_a_word(samba: Controller, tmp_path: Path, other: dict[str, object], word: str) -> None:
    with pytest.raises(LogsqlError) as caught:
        session(tmp_path, AD=keys(samba, **other)).query(ARTICLE[0]).rows()
    assert caught.value.exit_code == 3
    assert f": {word}: " in caught.value.diagnostic.message


def test_nobody_is_told_to_bind(samba: Controller, tmp_path: Path) -> None:
    plain = {key: value for key, value in keys(samba).items() if key not in ("user", "password")}
    with pytest.raises(LogsqlError) as caught:
        session(tmp_path, AD=plain).query(ARTICLE[0]).rows()
    assert ": strong-auth-required: " in caught.value.diagnostic.message


@pytest.mark.parametrize("user", ["LAB\\administrator", f"CN=Administrator,CN=Users,{BASE}"])
def test_starttls_and_the_other_forms_of_a_user(samba: Controller, tmp_path: Path, user: str) -> None:
    home = session(tmp_path, AD=keys(samba, url=samba.url, user=user))
    query = f'ldapsearch profile=AD base="{STAFF}" scope=base filter="(objectClass=*)" | fields dn'
    assert home.query(query).rows() == [{"dn": STAFF}]
