"""``ldapsearch`` against OpenLDAP with ten thousand entries."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from logsql import LogsqlError
from logsql.api import Session
from tests.network.ldap_support import ARTICLE, READER, configuration, session
from tests.servers import directory as d
from tests.servers.directory import Directory
from tests.servers.relay import Relay

pytest.importorskip("ldap3", reason="package not installed: ldap3 (extra ldap)")
pytestmark = pytest.mark.posix("slapd")


def profile(directory: Directory, **keys: object) -> dict[str, object]:
    return {"url": directory.tls_url, "ca_file": str(directory.authority.ca_file), **READER, **keys}


@pytest.fixture
def ad(directory: Directory, tmp_path: Path) -> Session:
    """A session with the profile ``AD``: LDAPS and an ordinary user."""
    return session(tmp_path, AD=profile(directory))


def rows(home: Session, text: str) -> list[dict[str, Any]]:
    return home.query(text).rows()


def word(home: Session, text: str) -> str:
    """The message of the error, which must have exit code 3."""
    with pytest.raises(LogsqlError) as caught:
        rows(home, text)
    assert caught.value.exit_code == 3, caught.value
    return caught.value.diagnostic.message


# --- the article ----------------------------------------------------------------------------------------------------


def test_the_first_query_of_the_article_lists_all_accounts(ad: Session) -> None:
    found = rows(ad, ARTICLE[0])
    assert len(found) == d.USERS  # the server gives 1,000 at a time
    assert [row["sAMAccountName"] for row in found] == [f"user{i:05d}" for i in range(d.USERS)]
    assert next(iter(found[0])) == "dn"


def when(filetime: str) -> dt.datetime | None:
    if filetime == "0":
        return None
    ticks = int(filetime) - 116_444_736_000_000_000
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ticks // 10_000)


def test_the_second_query_of_the_article_has_times(ad: Session) -> None:
    found = rows(ad, ARTICLE[1])
    assert len(found) == d.USERS
    assert [row["lastLogon"] for row in found] == [when(d.filetime(i)) for i in range(d.USERS)]
    assert [row["badPasswordTime"] for row in found] == [
        None if i % 3 else when(d.filetime(i + 1)) for i in range(d.USERS)
    ]
    assert list(found[0])[:3] == ["sAMAccountName", "lastLogon", "badPasswordTime"]


def test_the_third_query_of_the_article_lists_hosts(ad: Session) -> None:
    found = rows(ad, ARTICLE[2])
    assert [row["cn"] for row in found] == [f"WS{i:03d}" for i in range(d.HOST_COUNT)]
    assert list(found[0])[:6] == [
        "cn", "operatingSystem", "operatingSystemVersion", "lastLogon", "whenCreated", "whenChanged",
    ]  # fmt: skip
    assert found[1]["lastLogon"] == when(d.filetime(1))
    assert found[0]["lastLogon"] is None
    assert found[0]["whenCreated"] == dt.datetime(2026, 3, 1, 9, 8, 7, tzinfo=dt.UTC)
    assert found[0]["whenChanged"] == dt.datetime(2026, 3, 2, 10, 11, 12, 500_000, tzinfo=dt.UTC)
    assert [row["servicePrincipalName"] for row in found[:2]] == [
        ["HOST/ws000"],
        ["HOST/ws001", "HOST/ws001.lab.test"],
    ]


# --- values ---------------------------------------------------------------------------------------------------------


def test_values_of_a_whole_row(ad: Session) -> None:
    first, second, third, fourth = (rows(ad, f'ldapsearch profile=AD filter="(cn=User {i:05d})"')[0] for i in range(4))
    assert first["objectGUID"] == str(d.GUID)
    assert first["objectSid"] == d.SID
    assert first["jpegPhoto"] == d.PHOTO
    assert first["displayName"] == first["displayName;lang-ko"] == "홍길동"
    assert first["displayName;lang-en"] == "Hong Gildong"
    assert first["mail"] == ["hong@lab.test", "gildong@lab.test"]
    assert first["objectClass"] == ["user"]
    assert first["memberOf"] == [d.GROUP]
    assert second["description"] == d.LONG
    assert second["sIDHistory"] == d.SID
    assert second["msExchMailboxGuid"] == str(d.GUID)
    assert third["description"] == ["one", "둘"]
    assert fourth["displayName"] == "별표 * (괄호) \\ 역슬래시"
    assert fourth["description"] == " leading blank"
    assert fourth["mail"] == "only@lab.test"
    assert first["lastLogon"] == "0"
    assert second["lastLogon"] == d.filetime(1)
    assert first["whenCreated"] == dt.datetime(2026, 3, 1, 9, 8, 7, tzinfo=dt.UTC)


#: Fields that have every type there is.
NAMES = (
    "dn", "objectClass", "memberOf", "mail", "jpegPhoto", "objectGUID", "objectSid", "whenCreated", "lastLogon",
    "description", "displayName;lang-ko",
)  # fmt: skip


def test_named_fields_have_the_values_of_the_whole_row(ad: Session) -> None:
    quoted = ", ".join(f'"{name}"' for name in NAMES)
    asked = 'ldapsearch profile=AD filter="(cn=User 0000*)" attributes="*,displayName;lang-ko"'
    whole = rows(ad, asked)
    named = rows(ad, f'ldapsearch profile=AD filter="(cn=User 0000*)" | fields {quoted}')
    assert named == [{name: row.get(name) for name in NAMES} for row in whole]


def test_a_whole_row_is_typed_in_every_output(directory: Directory, tmp_path: Path) -> None:
    config = configuration(tmp_path, AD=profile(directory))
    query = 'ldapsearch profile=AD filter="(cn=User 00000)"'

    def run(*args: str) -> str:
        command = [sys.executable, "-m", "logsql", "--config", str(config), "--tz", "UTC", "-q", query, *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    line = json.loads(run("-f", "jsonl"))
    assert line["jpegPhoto"] == d.PHOTO.hex()
    assert line["memberOf"] == [d.GROUP]
    assert line["whenCreated"] == "2026-03-01 09:08:07+0000"
    assert line["lastLogon"] == "0"
    header, *text = run("-f", "csv").splitlines()
    assert header.startswith("dn,objectClass,cn,sn,sAMAccountName")
    assert f"{d.PHOTO.hex()}," in text[0]
    assert "2026-03-01 09:08:07+0000" in text[0]
    assert f'"[{d.GROUP}]"' in text[0]
    assert "2026-03-01 09:08:07+0000" in run("-f", "table")
    assert d.SID in run("-f", "table")
    run("-o", str(tmp_path / "a.parquet"))
    table = pq.read_table(tmp_path / "a.parquet")
    (row,) = table.to_pylist()
    assert row["jpegPhoto"] == d.PHOTO
    assert row["memberOf"] == [d.GROUP]
    assert row["cn"] == "User 00000"
    assert row["whenCreated"] == dt.datetime(2026, 3, 1, 9, 8, 7, tzinfo=dt.UTC)
    assert row["mail"] == ["hong@lab.test", "gildong@lab.test"]


def test_named_fields_are_typed_by_their_values(ad: Session) -> None:
    """A frame of accounts holds texts, and no texts in quotes; what has several types stays mixed."""
    source = 'ldapsearch profile=AD filter="(cn=User 0000*)" '
    result = ad.query(source + "| fields cn, lastLogon, whenCreated, memberOf, jpegPhoto, mail")
    assert [str(field.type) for field in result.arrow().schema] == [
        "string", "string", "timestamp[us, tz=UTC]", "list<l: string>", "binary", "string",
    ]  # fmt: skip
    assert result.types == ["string", "string", "date", "list<string>", "binary", "any"]
    assert result.arrow().column("cn").to_pylist() == [f"User 0000{i}" for i in range(10)]
    assert result.arrow().column("mail").to_pylist()[:4] == [
        '["hong@lab.test","gildong@lab.test"]',
        None,
        None,
        '"only@lab.test"',
    ]
    grouped = ad.query(source + "| stats count by cn | sort cn | limit 1").arrow()
    assert grouped.to_pylist() == [{"cn": "User 00000", "count": 1}]


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        ("fields sAMAccountName, memberOf | limit 1", [{"sAMAccountName": "user00000", "memberOf": [d.GROUP]}]),
        ("explode memberOf | stats count by memberOf", [{"memberOf": d.GROUP, "count": 10}]),
        ("explode mail | fields mail", None),
        ('search whenCreated > date("2024","yyyy") | stats count', [{"count": 10}]),
        ('search whenCreated > date("2027","yyyy") | stats count', [{"count": 0}]),
        ('search cn == "user 0000*" | stats count', [{"count": 0}]),
        ('search cn == "User 0000*" | stats count', [{"count": 10}]),
        ("stats count by userAccountControl", [{"userAccountControl": "514", "count": 10}]),
        ("eval n = long(lastLogon) | stats max(n) as n", [{"n": int(d.filetime(9))}]),
        ("stats count by whenCreated", [{"whenCreated": dt.datetime(2026, 3, 1, 9, 8, 7, tzinfo=dt.UTC), "count": 10}]),
        ("sort -lastLogon | limit 1 | fields cn", [{"cn": "User 00009"}]),
        ("search isnotnull(jpegPhoto) | fields jpegPhoto", [{"jpegPhoto": d.PHOTO}]),
        ("eval n = len(jpegPhoto) | search n > 0 | fields cn", None),
    ],
)
@pytest.mark.parametrize("whole", [False, True], ids=["named", "whole"])
def test_later_commands_read_the_fields(
    ad: Session, behind: str, expected: list[dict[str, object]] | None, whole: bool
) -> None:
    """``whole``: the same when the whole row is read before."""
    source = 'ldapsearch profile=AD filter="(cn=User 0000*)"'
    found = rows(ad, f"{source} | {'order cn | ' if whole else ''}{behind}")
    assert found == expected if expected is not None else len(found) in (1, 3, 11)


@pytest.mark.parametrize("value", ["0", *d.NEVER])
def test_moments_that_no_calendar_has_do_not_end_the_query(directory: Directory, tmp_path: Path, value: str) -> None:
    """Decision 35: FILETIME 0 is null. "Never" is a date of the year 30828, which Python has no object for: null."""
    home = session(tmp_path, AD=profile(directory))
    query = (
        f'ldapsearch profile=AD filter="(accountExpires={value})" '
        "| eval t = epoch(floor(long(accountExpires) / 10000 - 11644473600000)) | fields t"
    )
    result = home.query(query)
    assert result.rows() == [{"t": None}]
    assert ("python-date-beyond-9999" in {entry.reason for entry in result.ledger}) == (value != "0")
    micros = None if value == "0" else (int(value) // 10_000 - 11_644_473_600_000) * 1000
    assert home.query(query).arrow().column("t").cast("int64").to_pylist() == [micros]
    config = configuration(tmp_path, AD=profile(directory))
    for form in ("table", "jsonl", "csv"):
        command = [sys.executable, "-m", "logsql", "--config", str(config), "--tz", "UTC", "-q", query, "-f", form]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert ("30828-09-14" in out) == (value != "0")


# --- what is asked --------------------------------------------------------------------------------------------------


def test_the_base_the_scope_and_the_limit(ad: Session) -> None:
    def names(options: str, filter: str = "(objectClass=*)") -> list[str]:
        return [row["dn"] for row in rows(ad, f'ldapsearch profile=AD filter="{filter}" {options} | fields dn')]

    assert names(f'base="{d.user_dn(7)}" scope=base') == [d.user_dn(7)]
    assert names(f'base="ou=Hosts,{d.BASE}" scope=base') == [d.HOSTS]
    assert len(names(f'base="ou=Hosts,{d.BASE}" scope=one')) == d.HOST_COUNT
    assert len(names(f'base="ou=Hosts,{d.BASE}"')) == d.HOST_COUNT + 1
    assert names(f'base="ou=Staff,{d.BASE}" scope=one limit=2', "(cn=User*)") == [d.user_dn(0), d.user_dn(1)]
    assert names("scope=one", "(cn=User*)") == []
    assert names("", "(sAMAccountName=leejin)") == [
        d.AWKWARD.replace("\\,", "\\2C").replace("\\+", "\\2B")
    ]  # as slapd writes it


def test_attributes_that_nobody_reads_are_not_sent(
    directory: Directory, relay: Callable[..., Relay], tmp_path: Path
) -> None:
    def sent(behind: str, options: str = "") -> int:
        way = relay(directory.port)
        home = session(tmp_path, AD=profile(directory, url=f"ldap://127.0.0.1:{way.port}", tls="none"))
        rows(home, f'ldapsearch profile=AD filter="(cn=User 0000*)" {options} {behind}')
        return way.passed

    whole, two, none = sent(""), sent("| fields cn, mail"), sent("| stats count")
    assert none < two < 3000 < 360_000 < whole  # one description has 360,000 bytes
    assert sent("", 'attributes="cn"') < 3000
    assert sent("| fields cn", 'attributes="*"') < 3000


def test_a_limit_ends_the_search(directory: Directory, relay: Callable[..., Relay], tmp_path: Path) -> None:
    def sent(query: str) -> int:
        way = relay(directory.port)
        home = session(tmp_path, AD=profile(directory, url=f"ldap://127.0.0.1:{way.port}", tls="none", page=100))
        assert len(rows(home, query)) == 5
        return way.passed

    every = 'ldapsearch profile=AD filter="(userPrincipalName=*)" '
    assert sent(every + "limit=5 | fields cn") < 2_000
    assert sent(every + "| limit 5 | fields cn") < 400_000  # a few pages of a hundred
    assert sent(every + "| fields cn | limit 5") < 400_000


def test_names_in_other_letters_are_null_and_told(ad: Session) -> None:
    """Field names are case-sensitive (language.md 1.4), names of attributes are not (RFC 4512, 2.5)."""
    source = 'ldapsearch profile=AD filter="(cn=User 0000*)" '
    for query in (source + "| fields samaccountname, CN", source + "| eval n = samaccountname, m = CN"):
        result = ad.query(query)
        assert {row.get("samaccountname") for row in result.rows()} == {None}
        told = {(entry.source, entry.count, entry.sample) for entry in result.ledger if "spelled" in entry.reason}
        assert told == {("ldapsearch(samaccountname)", 10, "sAMAccountName"), ("ldapsearch(CN)", 10, "cn")}
    for behind in ("| fields DN", "| eval n = DN"):
        result = ad.query(source + behind)
        result.rows()
        assert [e.sample for e in result.ledger if e.source == "ldapsearch(DN)"] == ["dn"]
    result = ad.query(source + "| fields cn, CN, sAMAccountName")
    assert [row["cn"] for row in result.rows()] == [f"User 0000{i}" for i in range(10)]


def test_operational_attributes_come_when_they_are_named(ad: Session) -> None:
    source = 'ldapsearch profile=AD filter="(cn=User 00000)" '
    assert "createTimestamp" not in rows(ad, source)[0]
    for query in (source + "| order createTimestamp", source + "| fields createTimestamp", source + 'attributes="*,+"'):
        assert isinstance(rows(ad, query)[0]["createTimestamp"], dt.datetime)


def test_references_to_other_servers_are_counted_and_not_followed(ad: Session) -> None:
    result = ad.query('ldapsearch profile=AD filter="(objectClass=organizationalUnit)" | fields dn')
    assert f"ou=Elsewhere,{d.BASE}" not in {row["dn"] for row in result.rows()}
    assert [(e.reason, e.count) for e in result.ledger] == [("referral-not-followed", 1)]


# --- the filter -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("별표 * (괄호) \\ 역슬래시", ["User 00003"]),
        ("*", []),
        (")(cn=*", []),
        ("홍길동", ["User 00000"]),
        ("\\2a", []),
    ],
)
def test_a_parameter_in_a_filter_means_itself(ad: Session, value: str, found: list[str]) -> None:
    query = r'ldapsearch profile=AD filter="(displayName=$(\"x\"))" | fields cn'
    result = ad.query(query, params={"x": value})
    assert [row["cn"] for row in result.rows()] == found
    assert not result.notes
    plain = 'ldapsearch profile=AD filter="(displayName=$("x"))" | fields cn'
    assert [row["cn"] for row in ad.query(plain, params={"x": value}).rows()] == found
    inside = 'set x = "User 00003" | ' + r'ldapsearch profile=AD filter="(&(cn=$(\"x\"))(cn=*))" | fields cn'
    assert rows(ad, inside) == [{"cn": "User 00003"}]


@pytest.mark.parametrize(
    ("written", "place"),
    [("(cn=a", "("), ("(cn=a))", ")"), ("(&(cn=a)x)", "x"), (r"(cn=a\zz)", "\\"), ("(cn=*)(", "(")],
)
def test_a_bad_filter_is_pointed_at_before_anything_is_sent(tmp_path: Path, written: str, place: str) -> None:
    home = session(tmp_path, AD={"url": "ldaps://127.0.0.1:1", **READER})
    query = f'ldapsearch profile=AD filter="{written}"'
    with pytest.raises(LogsqlError) as caught:
        home.query(query)
    assert (caught.value.name, caught.value.exit_code) == ("bad-filter", 3)
    span = caught.value.span
    assert span is not None
    assert query[span.start : span.end] == place
    assert span.start >= query.index('"')


# --- connections ----------------------------------------------------------------------------------------------------

ONE = 'ldapsearch profile=AD filter="(cn=User 00000)" | fields cn'


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("encrypted", [True, False], ids=["ldaps", "starttls"])
def test_tls_is_checked_for_names_and_addresses(
    directory: Directory, tmp_path: Path, host: str, encrypted: bool
) -> None:
    url = (directory.tls_url if encrypted else directory.url).replace("localhost", host)
    assert rows(session(tmp_path, AD=profile(directory, url=url)), ONE) == [{"cn": "User 00000"}]


@pytest.mark.parametrize(
    ("certificate", "host", "expected"),
    [
        ("expired", "localhost", "tls-expired"),
        ("other_name", "localhost", "tls-name-mismatch"),
        ("name_only", "127.0.0.1", "tls-name-mismatch"),
        ("self_signed", "localhost", "tls-untrusted"),
        ("foreign", "localhost", "tls-untrusted"),
    ],
)
@pytest.mark.parametrize("encrypted", [True, False], ids=["ldaps", "starttls"])
def test_a_wrong_certificate_ends_it_before_the_password(
    directories: Callable[[str], Directory], tmp_path: Path, certificate: str, host: str, expected: str, encrypted: bool
) -> None:
    server = directories(certificate)
    url = (server.tls_url if encrypted else server.url).replace("localhost", host)
    assert f": {expected}: " in word(session(tmp_path, AD=profile(server, url=url)), ONE)


def test_the_name_of_a_certificate_can_be_given(directories: Callable[[str], Directory], tmp_path: Path) -> None:
    server = directories("other_name")
    right = profile(server, certificate_name="elsewhere.example.test")
    assert rows(session(tmp_path, AD=right), ONE) == [{"cn": "User 00000"}]
    assert "tls-name-mismatch" in word(session(tmp_path, AD={**right, "certificate_name": "localhost"}), ONE)


def test_the_system_does_not_trust_an_authority_of_ours(directory: Directory, tmp_path: Path) -> None:
    without = {key: value for key, value in profile(directory).items() if key != "ca_file"}
    assert ": tls-untrusted: " in word(session(tmp_path, AD=without), ONE)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"password": "wrong"}, "bad-credentials"),
        ({"user": "cn=nobody,dc=lab,dc=test"}, "bad-credentials"),
        ({"user": "reader@lab.test"}, "bad-credentials"),
        ({"password": ""}, "empty-password"),
        ({"base": "ou=Nowhere,dc=lab,dc=test"}, "no-such-base"),
        ({"base": "no dn"}, "no-such-base"),
        ({"base": f"cn=strongerAuthRequired,{d.CODES}"}, "strong-auth-required"),
        ({"base": f"cn=busy,{d.CODES}"}, "server-refused"),
    ],
)
def test_what_a_server_refuses_has_a_word(
    directory: Directory, tmp_path: Path, keys: dict[str, object], expected: str
) -> None:
    assert f": {expected}: " in word(session(tmp_path, AD=profile(directory, **keys)), ONE)


def test_a_user_without_a_password_is_refused_before_a_connection(tmp_path: Path) -> None:
    home = session(tmp_path, AD={"url": "ldaps://127.0.0.1:1", "user": d.READER, "base": d.BASE})
    assert ": empty-password: " in word(home, ONE)


def test_nobody_may_search_where_the_server_lets_them(directory: Directory, tmp_path: Path) -> None:
    keys = {"url": directory.tls_url, "ca_file": str(directory.authority.ca_file), "base": d.BASE}
    assert rows(session(tmp_path, AD=keys), ONE) == [{"cn": "User 00000"}]


def test_a_password_is_sent_in_plain_text_to_this_machine_only(directory: Directory, tmp_path: Path) -> None:
    plain = profile(directory, url=directory.url, tls="none")
    assert rows(session(tmp_path, AD=plain), ONE) == [{"cn": "User 00000"}]
    with pytest.raises(LogsqlError) as caught:
        rows(session(tmp_path, AD={**plain, "url": "ldap://192.0.2.1:389"}), ONE)
    assert caught.value.exit_code == 2  # the configuration is wrong
    home = session(tmp_path, AD=plain)
    config = tmp_path / "config.toml"
    away = f'[network]\nresolve = {{ "localhost:{directory.port}" = "192.0.2.1:389" }}\n'  # TEST-NET-1
    config.write_text(away + config.read_text())
    started = time.monotonic()
    assert ": tls-required: " in word(home, ONE)  # before a socket is made
    assert time.monotonic() - started < 5


def test_urls_are_tried_in_order(directory: Directory, tmp_path: Path) -> None:
    dead, alive = "ldaps://localhost:1", directory.tls_url
    assert rows(session(tmp_path, AD=profile(directory, url=[dead, alive])), ONE) == [{"cn": "User 00000"}]
    assert ": connect-failed: " in word(session(tmp_path, AD=profile(directory, url=[dead, dead])), ONE)
    # A password that one server does not take is not tried on the next one: accounts are locked by that.
    wrong = profile(directory, url=[alive, alive], password="wrong")
    assert ": bad-credentials: " in word(session(tmp_path, AD=wrong), ONE)


def test_an_unknown_profile_names_the_nearest(ad: Session) -> None:
    with pytest.raises(LogsqlError) as caught:
        ad.query('ldapsearch profile=ADD filter="(cn=*)"')
    assert (caught.value.name, caught.value.exit_code) == ("unknown-profile", 3)
    assert "AD" in (caught.value.help or "")


def test_safe_mode_reaches_what_allow_names(directory: Directory, tmp_path: Path) -> None:
    config = configuration(tmp_path, AD=profile(directory, ca_file=str(directory.authority.ca_file)))

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "logsql", "--config", str(config), "--safe", "-q", ONE]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    refused = run()
    assert refused.returncode == 3
    assert "E4001" in refused.stderr
    assert not refused.stdout
    config.write_text(f'[network]\nallow = ["localhost:{directory.tls_port}"]\n' + config.read_text())
    assert run().stdout == '{"cn":"User 00000"}\n'


# --- answers that are not whole -------------------------------------------------------------------------------------


def cut(home: Session, query: str) -> tuple[int, str]:
    """Rows that came before the error, and its message."""
    count = [0]

    def read() -> None:
        for _ in home.query(query):
            count[0] += 1

    with pytest.raises(LogsqlError) as caught:
        read()
    assert (caught.value.name, caught.value.exit_code) == ("answer-cut", 1)
    return count[0], caught.value.diagnostic.message


EVERY = 'ldapsearch profile=AD filter="(userPrincipalName=*)"'


@pytest.mark.parametrize("behind", ["", " | fields cn"])
@pytest.mark.parametrize(
    ("user", "count"), [(d.UNPAGED, d.SIZE_LIMIT), (d.LIMITED, d.TOTAL_LIMIT)], ids=["unpaged", "limited"]
)
def test_a_limit_of_the_server_is_an_error_behind_the_rows(
    directory: Directory, tmp_path: Path, user: str, count: int, behind: str
) -> None:
    home = session(tmp_path, AD=profile(directory, user=user))
    assert cut(home, EVERY + behind)[0] == count
    assert "sizeLimitExceeded" in cut(home, EVERY + behind)[1]
    assert len(rows(home, f"{EVERY} limit=700{behind}")) == 700


@pytest.mark.parametrize("behind", ["", " | fields cn"])
def test_a_server_that_dies_in_a_page_is_an_error_behind_the_rows(
    directory: Directory, relay: Callable[..., Relay], tmp_path: Path, behind: str
) -> None:
    way = relay(directory.port, cut_after=500_000 if behind else 2_500_000, then=directory.kill)
    home = session(tmp_path, AD=profile(directory, url=f"ldap://127.0.0.1:{way.port}", tls="none"))
    count, message = cut(home, EVERY + behind)
    assert 1000 < count < d.USERS
    assert "truncated" in message


def test_the_rows_and_the_error_reach_the_command_line(directory: Directory, tmp_path: Path) -> None:
    config = configuration(tmp_path, AD=profile(directory, user=d.UNPAGED))
    for form in ("jsonl", "csv", "table"):
        command = [sys.executable, "-m", "logsql", "--config", str(config), "-q", EVERY, "-f", form]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 1
        assert "E3070" in ran.stderr
        assert "sizeLimitExceeded" in ran.stderr
        assert sum("@lab.test" in line for line in ran.stdout.splitlines()) == d.SIZE_LIMIT, form


def test_a_query_that_is_told_to_stop_does(directory: Directory, relay: Callable[..., Relay], tmp_path: Path) -> None:
    way = relay(directory.port, cut_after=300_000, hang=True)
    home = session(tmp_path, AD=profile(directory, url=f"ldap://127.0.0.1:{way.port}", tls="none"))
    result = home.query(EVERY + " | fields cn | stats count")
    told = [0.0]

    def stop() -> None:
        told[0] = time.monotonic()
        home.interrupt()

    timer = threading.Timer(1.0, stop)
    timer.start()
    with pytest.raises(LogsqlError) as caught:
        result.rows()
    assert caught.value.exit_code == 130
    assert time.monotonic() - told[0] < 1.0


def test_a_time_limit_ends_a_search(directory: Directory, relay: Callable[..., Relay], tmp_path: Path) -> None:
    way = relay(directory.port, cut_after=300_000, hang=True)
    config = configuration(tmp_path, AD=profile(directory, url=f"ldap://127.0.0.1:{way.port}", tls="none"))
    command = [sys.executable, "-m", "logsql", "--config", str(config), "--timeout", "1.5", "-q", EVERY]
    started = time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 4
    assert time.monotonic() - started < 10


def test_an_answer_has_the_time_of_the_profile(
    directory: Directory, relay: Callable[..., Relay], tmp_path: Path
) -> None:
    way = relay(directory.port, cut_after=10_000, hang=True)
    home = session(tmp_path, AD=profile(directory, url=f"ldap://127.0.0.1:{way.port}", tls="none", timeout="1s"))
    count, message = cut(home, EVERY)
    assert count > 0
    assert ": timeout: " in message


def test_attributes_that_the_profile_names_are_lists(directory: Directory, tmp_path: Path) -> None:
    home = session(tmp_path, AD=profile(directory, lists=["Mail", "sAMAccountName", "objectSid"]))
    source = 'ldapsearch profile=AD filter="(mail=*)" '
    for query in (source, source + "| fields mail, sAMAccountName, objectSid"):
        found = rows(home, query)
        assert [row["mail"] for row in found] == [["hong@lab.test", "gildong@lab.test"], ["only@lab.test"]]
        assert [row["sAMAccountName"] for row in found] == [["user00000"], ["user00003"]]
        assert [row["objectSid"] for row in found] == [[d.SID], None]
    assert len(rows(home, source + "| explode mail")) == 3


@pytest.mark.parametrize("language", ["en", "ko"])
def test_errors_are_told_in_both_languages(directory: Directory, tmp_path: Path, language: str) -> None:
    config = configuration(tmp_path, AD=profile(directory, password="not-it-7"), CUT=profile(directory, user=d.UNPAGED))

    def said(query: str) -> str:
        command = [sys.executable, "-m", "logsql", "--lang", language, "--config", str(config), "-q", query]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    words = {
        "en": ("password is wrong", "is missing", "ended behind"),
        "ko": ("암호가 틀렸습니다", "없습니다", "답이 끝났으며"),
    }
    wrong, bad, cut_ = words[language]
    assert wrong in said(ONE)
    assert bad in said('ldapsearch profile=AD filter="cn=a"')
    assert cut_ in said('ldapsearch profile=CUT filter="(userPrincipalName=*)" | stats count')
