"""The mail server and the name server, as openssl, Python's smtplib and dig see them."""

from __future__ import annotations

import re
import smtplib
import time
from collections.abc import Callable

import pytest

from tests.servers.clients import run
from tests.servers.mail import PASSWORD, USER, MailServer, Mode
from tests.servers.names import Asked, NameServer
from tests.servers.pki import Authority

pytestmark = pytest.mark.posix("clients and signals of Debian")
BODY = b"From: a@lab.test\r\nSubject: =?utf-8?b?7KCc66qp?=\r\n\r\ntext\r\n.dot\r\n"


def connected(server: MailServer, tls: Authority) -> smtplib.SMTP:
    """A client that has done what the mode demands."""
    if server.mode == "tls":
        return smtplib.SMTP_SSL("localhost", server.port, timeout=20, context=tls.client_context())
    client = smtplib.SMTP("localhost", server.port, timeout=20)
    if server.mode == "starttls":
        client.starttls(context=tls.client_context())
    return client


@pytest.mark.parametrize("mode", ["starttls", "tls", "plain"])
def test_mails_are_kept_as_they_came(tls: Authority, mail: Callable[[Mode], MailServer], mode: Mode) -> None:
    server = mail(mode)
    with connected(server, tls) as client:
        client.ehlo()
        assert client.has_extn("auth") or mode == "plain"
        if mode != "plain":
            client.login(USER, PASSWORD)
        client.sendmail("a@lab.test", ["b@lab.test", "c@lab.test"], BODY)
    [kept] = server.mails
    assert (kept.sender, kept.recipients) == ("a@lab.test", ("b@lab.test", "c@lab.test"))
    assert kept.data == BODY
    assert kept.message["subject"] == "제목"
    assert (kept.tls, kept.user) == (mode != "plain", USER if mode != "plain" else None)
    assert server.sessions == 1


def test_starttls_is_demanded_and_offered_only_where_it_is(tls: Authority, mail: Callable[[Mode], MailServer]) -> None:
    with smtplib.SMTP("localhost", mail("starttls").port, timeout=20) as client:
        assert client.ehlo()[0] == 250
        assert client.has_extn("starttls")
        assert client.mail("a@lab.test")[0] == 530
    with smtplib.SMTP("localhost", mail("plain").port, timeout=20) as client:
        client.ehlo()
        assert not client.has_extn("starttls")
    place = f"127.0.0.1:{mail('starttls').port}"
    shown = run("openssl", "s_client", "-starttls", "smtp", "-connect", place, "-CAfile", str(tls.ca_file)).text
    assert "Verify return code: 0 (ok)" in shown


def test_mails_senders_and_users_may_be_refused(tls: Authority, mail: Callable[[Mode], MailServer]) -> None:
    server = mail("tls")
    server.refuse["no@lab.test"] = "550 no such user"
    server.auth_required = True
    with connected(server, tls) as client:
        client.ehlo()
        assert client.mail("a@lab.test")[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(USER, "wrong")
        client.login(USER, PASSWORD)
        assert client.sendmail("a@lab.test", ["b@lab.test", "no@lab.test"], BODY) == {
            "no@lab.test": (550, b"no such user")
        }
        server.data_reply = "554 too bad"
        with pytest.raises(smtplib.SMTPDataError):
            client.sendmail("a@lab.test", ["b@lab.test"], BODY)
        server.drop = True
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.sendmail("a@lab.test", ["b@lab.test"], BODY)
    assert (len(server.mails), set(server.logins)) == (1, {USER})


# --- names ----------------------------------------------------------------------------------------------------------


def dig(server: NameServer, *args: str) -> str:
    return run("dig", "-r", "@127.0.0.1", "-p", str(server.port), "+tries=1", "+time=5", "+noedns", *args).text


@pytest.mark.parametrize(
    ("name", "kind", "rows"),
    [
        ("one.lab.test", "A", ["192.0.2.1"]),
        ("many.lab.test", "A", ["192.0.2.11", "192.0.2.12", "192.0.2.13"]),
        ("six.lab.test", "AAAA", ["2001:db8::6"]),
        ("far.lab.test", "A", ["192.0.2.1", "alias.lab.test.", "one.lab.test."]),
        ("alias.lab.test", "CNAME", ["one.lab.test."]),
        ("lab.test", "MX", ["10 mail.lab.test.", "20 backup.lab.test."]),
        ("lab.test", "NS", ["ns1.lab.test.", "ns2.lab.test."]),
        ("lab.test", "TXT", ['"two " "strings"', '"v=spf1 -all"']),
        ("1.2.0.192.in-addr.arpa", "PTR", ["one.lab.test."]),
        ("xn--bj0bj06e.lab.test", "A", ["192.0.2.9"]),
    ],
)
def test_records(name_server: NameServer, name: str, kind: str, rows: list[str]) -> None:
    assert sorted(dig(name_server, "+short", name, kind).splitlines()) == rows
    assert name_server.asked == [Asked(name, kind, "udp")]
    assert sorted(dig(name_server, "+short", "+tcp", name, kind).splitlines()) == rows


def test_addresses_are_turned_back(name_server: NameServer) -> None:
    assert dig(name_server, "+short", "-x", "2001:db8::6") == "six.lab.test.\n"


def test_names_without_records_and_other_codes(name_server: NameServer) -> None:
    name_server.trouble |= {"s.lab.test": "SERVFAIL", "r.lab.test": "REFUSED", "one.lab.test": "NXDOMAIN"}
    said = {n: re.findall(r"status: (\w+)", dig(name_server, f"{n}.lab.test", "A")) for n in ("s", "r", "one", "none")}
    assert said == {"s": ["SERVFAIL"], "r": ["REFUSED"], "one": ["NXDOMAIN"], "none": ["NXDOMAIN"]}
    nothing = dig(name_server, "one.lab.test", "MX").replace("NXDOMAIN", "other")
    assert "ANSWER: 0" in nothing
    assert "status: NOERROR" in dig(name_server, "mail.lab.test", "AAAA")


def test_what_is_truncated_is_whole_over_tcp(name_server: NameServer) -> None:
    name_server.trouble["one.lab.test"] = "truncated"
    name_server.add("".join(f"big.lab.test. 60 IN A 192.0.2.{i}\n" for i in range(100)))
    assert dig(name_server, "+short", "one.lab.test", "A") == "192.0.2.1\n"
    assert len(dig(name_server, "+short", "big.lab.test", "A").splitlines()) == 100
    assert [asked.transport for asked in name_server.asked] == ["udp", "tcp"] * 2
    assert "flags: qr aa tc" in dig(name_server, "+ignore", "big.lab.test", "A")


def test_silence_delay_and_what_is_no_answer(name_server: NameServer) -> None:
    name_server.trouble["one.lab.test"] = "silence"
    assert "timed out" in dig(name_server, "+time=1", "one.lab.test", "A")
    name_server.trouble["one.lab.test"] = "wrong-id"
    assert "ID mismatch" in dig(name_server, "+time=1", "one.lab.test", "A")
    name_server.trouble["one.lab.test"] = "garbage"
    assert "192.0.2.1" not in dig(name_server, "+time=1", "one.lab.test", "A")
    name_server.delay = 0.3
    start = time.monotonic()
    assert dig(name_server, "+short", "mail.lab.test", "A") == "192.0.2.25\n"
    assert time.monotonic() - start >= 0.3
