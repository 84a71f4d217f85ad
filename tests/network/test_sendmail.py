"""``sendmail`` against mail servers with TLS from the first byte, with STARTTLS and without TLS."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import logsql
from tests.network.others_support import configured, interrupted_after, profile, ran, refusal

if TYPE_CHECKING:
    from tests.servers.mail import Mails, MailServer
    from tests.servers.pki import Authority

Connect = Callable[..., logsql.Session]
#: The vendor's two examples, as printed.
NEWS = (
    'json "{}" | eval subject="HELLO WORLD", message="bcc 필드에 값을 재할당하므로 실제로는 두 번째 값만 적용됩니다." '
    '| eval to="gildong.hong@example.com", bcc="forgotten@example.com", bcc="survivor@example.com" | sendmail html=t'
)
HELLO = (
    'json "{}"| eval to="example_1@example.com, example_2@example.com",       bcc="example_3@example.com",       '
    'cc="example_4@example.com",       subject="Hello World",       message="<h1>Hello, World</h1>"| sendmail html=t'
)
ONE = 'eval to="a@lab.test", subject="s", message="m"'


@pytest.fixture
def connected(tls: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """``connected(server)``: a session with the profile ``mail`` of that server; ``keys`` change the profile."""

    def get(server: MailServer, safe: bool = False, network: str = "", **keys: object) -> logsql.Session:
        monkeypatch.setenv("MAIL_PASSWORD", server.password)
        made: dict[str, object] = {
            "kind": "smtp", "url": server.url, "user": server.user, "password": "env:MAIL_PASSWORD",
            "ca_file": tls.ca_file,
        }  # fmt: skip
        return logsql.connect(config=configured(tmp_path, network + profile("mail", **made | keys)), safe=safe)

    return get


@pytest.mark.parametrize("mode", ["tls", "starttls"])
def test_the_vendors_examples(mode: str, mail: Mails, connected: Connect) -> None:
    server = mail(mode)  # type: ignore[arg-type]
    server.auth_required = True
    session = connected(server)
    rows, lost = ran(session, HELLO)
    assert (rows[0]["_sendmail_fail"], lost) == (None, {})
    assert rows[0]["subject"] == "Hello World"  # rows pass on
    (found,) = server.mails
    assert (found.tls, found.user, found.sender) == (True, server.user, server.user)
    assert sorted(found.recipients) == [f"example_{n}@example.com" for n in range(1, 5)]
    assert found.message["to"] == "example_1@example.com, example_2@example.com"
    assert found.message["cc"] == "example_4@example.com"
    assert b"example_3" not in found.data  # a blind copy is blind
    assert found.message.get_content_type() == "text/html"
    assert found.message.get_content().strip() == "<h1>Hello, World</h1>"
    ran(session, NEWS)
    assert server.mails[1].recipients == ("gildong.hong@example.com", "survivor@example.com")
    assert "두 번째 값만" in server.mails[1].message.get_content()


def test_korean_subjects_names_and_long_lines(mail: Mails, connected: Connect) -> None:
    server = mail("tls")
    subject = "보안 경보: 서버에 이상 로그인이 감지되었습니다 " * 6
    message = "긴 줄 " * 2000 + "\n.\n.점으로 시작하는 줄\r\nend"
    session = connected(server, **{"from": "관제 <soc@lab.test>"})
    to = '"홍, 길동" <gildong@lab.test>, <b@lab.test>,'
    session.register("m", pa.table({"to": [to], "subject": [subject], "message": [message]}))
    rows, lost = ran(session, "table m | sendmail")
    assert (rows[0]["_sendmail_fail"], lost) == (None, {})
    (found,) = server.mails
    assert found.recipients == ("gildong@lab.test", "b@lab.test")
    assert found.message["subject"] == subject.rstrip() or found.message["subject"] == subject
    assert found.message["from"] == "관제 <soc@lab.test>"
    assert [a.display_name for a in found.message["to"].addresses] == ["홍, 길동", ""]
    assert found.message.get_content().replace("\r\n", "\n").rstrip("\n") == message.replace("\r\n", "\n")
    assert all(len(line) <= 998 for line in found.data.split(b"\r\n"))
    assert found.data.isascii()
    assert found.message["date"]
    assert found.message["message-id"].endswith("@lab.test>")


@pytest.mark.parametrize(
    ("row", "fail"),
    [
        ({}, "missing-field: to"),
        ({"subject": None}, "missing-field: subject"),
        ({"message": None}, "missing-field: message"),
        ({"to": ""}, "missing-field: to"),
        ({"to": " , "}, "missing-field: to"),
        ({"to": "nobody"}, "bad-address: nobody"),
        ({"to": "a@lab.test; b@lab.test"}, "bad-address: a@lab.test; b@lab.test"),
        ({"to": "a@lab.test b@lab.test"}, "bad-address: a@lab.test b@lab.test"),
        ({"cc": "x@"}, "bad-address: x@"),
        ({"to": "a@127.1"}, "bad-address: a@127.1"),
        ({"to": "a@lab.test\nBcc: spy@evil.test"}, "bad-header: to"),
        ({"subject": "hi\r\nBcc: spy@evil.test"}, "bad-header: subject"),
        ({"subject": "hi\rX: y"}, "bad-header: subject"),
    ],
)
def test_rows_that_are_no_mail(row: dict[str, object], fail: str, mail: Mails, connected: Connect) -> None:
    server = mail("tls")
    given = {"to": "a@lab.test", "cc": None, "bcc": None, "subject": "s", "message": "m"} if row else {"x": 1}
    session = connected(server)
    session.register("m", pa.Table.from_pylist([{**given, **row}]))
    rows, lost = ran(session, "table m | sendmail")
    assert rows[0]["_sendmail_fail"] == fail
    assert lost == {"mails-not-sent": 1}
    assert server.mails == []


def test_what_the_server_refuses(mail: Mails, connected: Connect) -> None:
    server = mail("starttls")
    server.refuse["no@lab.test"] = "550 5.1.1 no such user"
    session = connected(server)
    to = ["a@lab.test, no@lab.test, b@lab.test", "no@lab.test", "c@lab.test"]
    session.register("m", pa.table({"to": to, "subject": ["s"] * 3, "message": ["m"] * 3}))
    rows, lost = ran(session, "table m | sendmail")
    refused = "recipient-refused: no@lab.test (550 5.1.1 no such user)"
    assert [r["_sendmail_fail"] for r in rows] == [refused, refused, None]
    assert lost == {"mails-not-sent": 2}
    assert sorted(m.recipients for m in server.mails) == [("a@lab.test", "b@lab.test"), ("c@lab.test",)]
    server.reset()
    server.data_reply = "554 5.7.1 looks like spam"
    rows, _ = ran(session, "table m | limit 1 | sendmail")
    assert rows[0]["_sendmail_fail"] == "message-refused: 554 5.7.1 looks like spam"
    server.reset()
    server.refuse[server.user] = "550 not you"
    rows, _ = ran(session, "table m | sendmail")
    assert [r["_sendmail_fail"] for r in rows] == ["message-refused: 550 not you"] * 3


def test_a_reply_that_repeats_the_password_is_not_repeated(mail: Mails, connected: Connect) -> None:
    server = mail("tls")
    server.data_reply = f"554 no mail for {server.password} here"
    result = connected(server).query(f'json "{{}}" | {ONE} | sendmail')
    (row,) = result.rows()
    assert row["_sendmail_fail"] == "message-refused: 554 no mail for *** here"
    assert server.password not in f"{[entry.sample for entry in result.ledger]}"


def test_5000_rows_over_few_connections(mail: Mails, connected: Connect) -> None:
    server = mail("starttls")
    session = connected(server)
    session.register("m", pa.table({"n": list(range(5000)), "to": ["a@lab.test"] * 5000, "message": ["m"] * 5000}))
    rows, lost = ran(session, 'table m | eval subject = concat("no ", n) | sendmail | fields n, _sendmail_fail')
    assert [r["n"] for r in rows] == list(range(5000))
    assert lost == {}
    assert sorted(int(m.message["subject"][3:]) for m in server.mails) == list(range(5000))
    assert server.sessions <= 4


@pytest.mark.parametrize(
    "behind",
    ["", "| limit 1", "| stats count", "| search subject == \"nothing\"", "| fields to | sort -to",
     "| union [ json \"{to: 'z'}\" ]", "| json \"{}\"", "| pivot count rows to cols subject",
     "| join to [ json \"{to: 'a@lab.test'}\" ]", "| sendmail"],
)  # fmt: skip
def test_each_row_is_sent_once_whatever_stands_behind(behind: str, mail: Mails, connected: Connect) -> None:
    server = mail("tls")
    query = f'json "{{n: [1, 2, 3]}}" | explode n | {ONE} | sendmail {behind}'
    with connected(server) as session:
        result = session.query(query)
        result.rows()
        assert len(server.mails) == (6 if behind == "| sendmail" else 3)
        result.rows()  # a result that is read again
        assert len(server.mails) == (6 if behind == "| sendmail" else 3)
    assert server.mails


@pytest.mark.parametrize("variant", ["plain", "name", "down", "password", "untrusted"])
def test_a_server_that_is_of_no_use_ends_no_query(
    variant: str, mail: Mails, connected: Connect, tls: Authority, tmp_path: Path
) -> None:
    server = mail("plain" if variant == "plain" else "starttls")
    server.auth_required = variant == "password"
    keys: dict[str, object] = {}
    if variant == "down":
        keys["url"] = "smtp://localhost:1"
    elif variant == "password":
        keys["password"] = "wrong-planted-secret"
    elif variant == "untrusted":
        keys["ca_file"] = None
    elif variant == "name":
        keys["certificate_name"] = "another.example"
    word = {
        "plain": "tls-failed", "name": "tls-name-mismatch", "down": "connect-failed",
        "password": "bad-credentials", "untrusted": "tls-untrusted",
    }[variant]  # fmt: skip
    session = connected(server, **keys)
    rows, lost = ran(session, f'json "{{n: [1,2,3,4,5,6,7,8,9,10,11,12]}}" | explode n | {ONE} | sendmail')
    assert [r["_sendmail_fail"] for r in rows] == [word] * 12
    assert lost == {"mails-not-sent": 12}
    assert server.mails == []
    assert server.sessions <= 4
    assert len(server.logins) == (variant == "password")  # servers lock accounts that try again
    if variant == "plain":
        assert server.logins == []  # no password without TLS


def test_a_server_that_wants_one_connection_at_a_time(
    mail: Mails, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = mail("tls")
    taken: list[object] = []
    own = type(server)._protocol

    def protocol(self: MailServer) -> object:
        made = own(self)
        if taken:
            made.connection_made = lambda transport: transport.abort()  # type: ignore[method-assign]
        taken.append(made)
        return made

    monkeypatch.setattr(type(server), "_protocol", protocol)
    session = connected(server)
    session.register("m", pa.table({"to": ["a@lab.test"] * 200, "subject": ["s"] * 200, "message": ["m"] * 200}))
    rows, lost = ran(session, "table m | sendmail")
    assert [r["_sendmail_fail"] for r in rows] == [None] * 200
    assert (lost, len(server.mails)) == ({}, 200)


def test_a_password_that_is_not_there(mail: Mails, connected: Connect) -> None:
    server = mail("tls")
    told = refusal(connected(server, password="env:NO_SUCH_VARIABLE_HERE"), f'json "{{}}" | {ONE} | sendmail')
    assert "NO_SUCH_VARIABLE_HERE" in told
    assert server.sessions == 0


def test_a_connection_that_breaks(mail: Mails, connected: Connect) -> None:
    server = mail("tls")
    server.drop = True
    rows, lost = ran(connected(server), f'json "{{}}" | {ONE} | sendmail')
    assert rows[0]["_sendmail_fail"] == "truncated"
    assert lost == {"mails-not-sent": 1}


def test_which_profile(mail: Mails, tls: Authority, tmp_path: Path) -> None:
    server, other = mail("tls"), mail("starttls")
    query = f'json "{{}}" | {ONE} | sendmail'
    keys = {"kind": "smtp", "user": server.user, "password": server.password, "ca_file": tls.ca_file}

    def ended(text: str, query: str = query) -> str:
        with logsql.connect(config=configured(tmp_path, text)) as session:
            return refusal(session, query)

    assert "E3090" in ended("")
    two = profile("one", url=server.url, **keys) + profile("two", url=other.url, **keys)
    assert "E3090" in ended(two)
    assert "E3040" in ended(two, query + " profile=tow")
    assert "E3040" in ended(two + profile("d", kind="ldap", url="ldaps://localhost"), query + " profile=d")
    assert "E3090" in ended(profile("mail", kind="smtp", url=server.url, user="reader"))
    with logsql.connect(config=configured(tmp_path, two)) as session:
        ran(session, query + " profile=two")
        assert (len(server.mails), len(other.mails)) == (0, 1)
    only = profile("one", url=server.url, **keys)
    with logsql.connect(config=configured(tmp_path, only)) as session:
        ran(session, query)
        assert (len(server.mails), len(other.mails)) == (1, 1)


def test_safe_mode_and_secrets(mail: Mails, connected: Connect) -> None:
    server = mail("tls")
    query = f'json "{{}}" | {ONE} | sendmail'
    told = refusal(connected(server, safe=True), query)
    assert "E4001" in told
    assert server.password not in told
    assert server.sessions == 0
    allowed = f'[network]\nallow = ["localhost:{server.port}"]\n'
    rows, _ = ran(connected(server, safe=True, network=allowed), query)
    assert rows[0]["_sendmail_fail"] is None
    assert server.password not in connected(server).query(query).sql


def test_an_interrupted_query_tells_what_was_not_sent(mail: Mails, connected: Connect) -> None:
    server = mail("starttls")
    session = connected(server)
    many = 20_000
    session.register("m", pa.table({"to": ["a@lab.test"] * many, "subject": ["s"] * many, "message": ["m"] * many}))
    result = session.query("table m | sendmail")
    interrupted_after(session, 1.0)
    start = time.monotonic()
    with pytest.raises(logsql.LogsqlError) as problem:
        result.rows()
    assert problem.value.code == "E1300"
    assert time.monotonic() - start < 6
    counted = {entry.reason: entry.count for entry in result.ledger}
    assert counted.get("mails-not-sent-when-interrupted", 0) > 0
    time.sleep(0.5)
    sent = len(server.mails)
    assert 0 < sent < many
    time.sleep(0.5)
    assert len(server.mails) == sent
