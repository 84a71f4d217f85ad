"""``ldapsearch`` and answers that real servers give rarely: ranges, limits, broken and hostile messages."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql import LogsqlError
from logsql.api import Session
from tests.network.ldap_support import session
from tests.network.scripted_ldap import Asked, Script, Scripted, ber, done, entry, envelope, integer, outcome, reference

pytest.importorskip("ldap3", reason="package not installed: ldap3 (extra ldap)")

QUERY = 'ldapsearch profile=AD filter="(cn=*)" | fields cn'


def home(folder: Path, server: Scripted, **keys: object) -> Session:
    return session(folder, AD={"url": server.url, "tls": "none", "base": "dc=x", "timeout": "5s", **keys})


def one(number: int, name: str) -> bytes:
    return entry(number, f"cn={name},dc=x", {"cn": [name]})


def read(where: Session, query: str = QUERY) -> tuple[list[object], LogsqlError | None]:
    """The rows that come, and the error behind them."""
    found: list[object] = []
    try:
        for row in where.query(query):
            found.append(row)
    except LogsqlError as problem:
        return found, problem
    return found, None


def names(count: int) -> list[object]:
    return [{"cn": f"n{i}"} for i in range(count)]


# --- pages ----------------------------------------------------------------------------------------------------------


def paged(total: int, size: int | None = None) -> Script:
    """``total`` entries in pages as they are asked for."""

    def script(asked: Asked) -> Iterator[bytes]:
        start = int(asked.cookie or b"0")
        end = min(total, start + min(size or total, asked.page or total))
        for i in range(start, end):
            yield one(asked.number, f"n{i}")
        yield done(asked.number, cookie=b"" if end == total else str(end).encode())

    return script


def test_pages_are_asked_for_until_there_is_no_cookie(tmp_path: Path) -> None:
    with Scripted(paged(10)) as server:
        assert read(home(tmp_path, server, page=3)) == (names(10), None)
    assert [(s.page, s.cookie) for s in server.searches] == [(3, b""), (3, b"3"), (3, b"6"), (3, b"9")]
    assert {tuple(s.attributes) for s in server.searches} == {("cn",)}


def test_a_limit_asks_for_no_more(tmp_path: Path) -> None:
    with Scripted(paged(10)) as server:
        assert read(home(tmp_path, server, page=3), QUERY.replace("|", "limit=4 |")) == (names(4), None)
    assert [(s.page, s.cookie) for s in server.searches] == [(3, b""), (1, b"3")]


def test_pages_without_entries_are_no_end(tmp_path: Path) -> None:
    """Active Directory sends some where a filter costs it more time than a page may take."""

    def script(asked: Asked) -> Iterator[bytes]:
        turn = int(asked.cookie or b"0")
        if turn == 5:
            yield one(asked.number, "n0")
        yield done(asked.number, cookie=b"" if turn == 5 else str(turn + 1).encode())

    with Scripted(script) as server:
        assert read(home(tmp_path, server)) == (names(1), None)


def test_a_cookie_that_leads_nowhere_ends(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[bytes]:
        yield done(asked.number, cookie=b"again")

    with Scripted(script) as server:
        rows, problem = read(home(tmp_path, server))
    assert (rows, len(server.searches)) == ([], 2)
    assert problem is not None
    assert ": protocol-error: " in problem.diagnostic.message


def ended(code: int, count: int = 2, knows_pages: bool = True) -> Script:
    def script(asked: Asked) -> Iterator[bytes]:
        if not knows_pages and asked.page is not None:
            yield done(asked.number, 12)
            return
        for i in range(count):
            yield one(asked.number, f"n{i}")
        yield done(asked.number, code, message="PLANTED message of the server")

    return script


@pytest.mark.parametrize(
    ("code", "name"), [(3, "timeLimitExceeded"), (4, "sizeLimitExceeded"), (11, "adminLimitExceeded"), (51, "busy")]
)
@pytest.mark.parametrize("query", [QUERY, QUERY.partition(" |")[0], QUERY + " | stats count"])
def test_a_limit_of_the_server_is_an_error_behind_the_rows(tmp_path: Path, code: int, name: str, query: str) -> None:
    with Scripted(ended(code)) as server:
        rows, problem = read(home(tmp_path, server), query)
    assert len(rows) == (1 if "count" in query else 2)
    assert problem is not None
    assert (problem.name, problem.exit_code) == ("answer-cut", 1)
    assert f": {name}: " in problem.diagnostic.message
    assert "PLANTED" not in problem.diagnostic.message


def test_a_server_that_knows_no_pages_is_asked_without(tmp_path: Path) -> None:
    with Scripted(ended(4, knows_pages=False)) as server:
        rows, problem = read(home(tmp_path, server))
    assert rows == names(2)
    assert problem is not None
    assert problem.name == "answer-cut"
    with Scripted(ended(0, knows_pages=False)) as server:
        assert read(home(tmp_path, server)) == (names(2), None)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (1, "strong-auth-required"),  # operationsError: what Active Directory says to who is not bound
        (8, "strong-auth-required"),
        (32, "no-such-base"),
        (34, "no-such-base"),
        (50, "server-refused"),
        (53, "server-refused"),
    ],
)
def test_a_search_that_is_refused_has_a_word(tmp_path: Path, code: int, word: str) -> None:
    with Scripted(ended(code, count=0)) as server:
        rows, problem = read(home(tmp_path, server))
    assert (rows, problem and problem.exit_code) == ([], 3)
    assert problem is not None
    assert f": {word}: " in problem.diagnostic.message


@pytest.mark.parametrize(
    ("code", "word"),
    [(8, "strong-auth-required"), (49, "bad-credentials"), (34, "bad-credentials"), (53, "server-refused")],
)
def test_a_bind_that_is_refused_has_a_word(tmp_path: Path, code: int, word: str) -> None:
    with Scripted(paged(1), bind=code) as server:
        rows, problem = read(home(tmp_path, server, user="kim", password="planted-9d1f"))
    assert (rows, problem and problem.exit_code) == ([], 3)
    assert problem is not None
    assert f": {word}: " in problem.diagnostic.message
    assert not server.searches


def test_references_and_referrals_are_counted(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[bytes]:
        yield reference(asked.number, "ldap://127.0.0.1:1/dc=y")
        yield one(asked.number, "n0")
        yield reference(asked.number, "ldap://127.0.0.1:1/dc=z")
        referral = ber(0xA3, ber(0x04, b"ldap://127.0.0.1:1/dc=x"))
        yield done(asked.number, 10, referral=referral)

    with Scripted(script) as server:
        result = home(tmp_path, server).query(QUERY)
        assert result.rows() == names(1)
    assert [(e.reason, e.count) for e in result.ledger] == [("referral-not-followed", 3)]


# --- ranges ---------------------------------------------------------------------------------------------------------


def ranged(total: int, step: int, lose: int | None = None) -> Script:
    """An entry with ``total`` members, of which a request gets ``step`` (MS-ADTS 3.1.1.3.1.3.3)."""

    def script(asked: Asked) -> Iterator[bytes]:
        part = next((name for name in asked.attributes if "range=" in name), "member;range=0-*")
        start = int(part.partition("range=")[2].partition("-")[0])
        end = min(start + step, total)
        last = "*" if end == total else str(end - 1)
        values: list[str | bytes] = [f"cn=m{i}" for i in range(start, end)]
        given: dict[str, list[str | bytes]] = {f"member;range={start}-{last}": values}
        if start == 0:
            given = {"cn": ["n0"], "member": [], **given}
        if lose != start:
            yield entry(asked.number, "cn=n0,dc=x", given)
        yield done(asked.number, cookie=b"")

    return script


@pytest.mark.parametrize(
    "query", [QUERY.partition(" |")[0], QUERY.replace("cn", "member").replace("(member=*)", "(cn=*)")]
)
@pytest.mark.parametrize("total", [1, 1499, 1500, 1501, 4000])
def test_values_in_ranges_are_fetched_to_the_end(tmp_path: Path, query: str, total: int) -> None:
    with Scripted(ranged(total, 1500)) as server:
        (row,) = home(tmp_path, server).query(query).rows()
    assert row["member"] == [f"cn=m{i}" for i in range(total)]
    assert not [name for name in row if "range" in name]
    followed = [(s.base, s.scope, s.attributes) for s in server.searches[1:]]
    assert followed == [("cn=n0,dc=x", 0, [f"member;range={i}-*"]) for i in range(1500, total, 1500)]


def test_a_range_that_does_not_come_is_no_short_list(tmp_path: Path) -> None:
    with Scripted(ranged(4000, 1500, lose=1500)) as server:
        rows, problem = read(home(tmp_path, server))
    assert (rows, problem and problem.exit_code) == ([], 3)
    assert problem is not None
    assert ": truncated: " in problem.diagnostic.message


# --- broken -----------------------------------------------------------------------------------------------------------

GARBAGE = {
    "no sequence": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "endless length": b"\x30\x80\x02\x01\x02",
    "length of eight bytes": b"\x30\x88" + b"\xff" * 8,
    "two gigabytes": b"\x30\x84\x7f\xff\xff\xff",
    "no number": ber(0x30, ber(0x04, b"x")),
    "another number": one(99, "n0"),
    "nothing inside": ber(0x30, b""),
    "unknown operation": envelope(2, ber(0x55, b"")),
    "a value beyond its entry": envelope(2, ber(0x64, ber(0x04, b"cn=x") + b"\x30\x7f\x30\x03\x04\x01a")),
    "a value beyond its list": envelope(
        2, ber(0x64, ber(0x04, b"cn=x") + ber(0x30, ber(0x30, ber(0x04, b"cn") + b"\x31\x03\x04\x09n")))
    ),
    "a result without a code": envelope(2, ber(0x65, b"")),
    "a paging control that is none": envelope(
        2, outcome(0x65, 0), ber(0xA0, ber(0x30, ber(0x04, b"1.2.840.113556.1.4.319") + ber(0x04, b"\x30\x05")))
    ),
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("before", [0, 3])
def test_what_is_no_answer_is_told_behind_what_was(tmp_path: Path, data: bytes, before: int) -> None:
    def script(asked: Asked) -> Iterator[bytes]:
        for i in range(before):
            yield one(asked.number, f"n{i}")
        yield data

    with Scripted(script) as server:
        rows, problem = read(home(tmp_path, server))
    assert rows == names(before)
    assert problem is not None
    assert problem.exit_code == (1 if before else 3)
    assert ": protocol-error: " in problem.diagnostic.message or ": exceeds-max-size: " in problem.diagnostic.message


@pytest.mark.parametrize("seed", range(20))
def test_damaged_answers_end_in_rows_or_an_error(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)

    def script(asked: Asked) -> Iterator[bytes | None]:
        sound = b"".join(one(asked.number, f"n{i}") for i in range(5)) + done(asked.number, cookie=b"")
        data = bytearray(sound)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        yield bytes(data)
        yield None

    with Scripted(script) as server:
        rows, problem = read(home(tmp_path, server))
    assert len(rows) <= 5
    assert problem is None or problem.exit_code in (1, 3)


@pytest.mark.parametrize("cut", [1, 3, 20, 45])
def test_a_connection_that_breaks_off_is_told(tmp_path: Path, cut: int) -> None:
    def script(asked: Asked) -> Iterator[bytes | None]:
        yield one(asked.number, "n0")
        yield (one(asked.number, "n1") + done(asked.number))[:cut]
        yield None

    with Scripted(script) as server:
        rows, problem = read(home(tmp_path, server))
    assert rows == names(2 if cut == 45 else 1)
    assert problem is not None
    assert ": truncated: " in problem.diagnostic.message


def test_a_notice_of_disconnection_is_told(tmp_path: Path) -> None:
    """RFC 4511, 4.4.1: an extended response without a request."""

    def script(asked: Asked) -> Iterator[bytes | None]:
        yield one(asked.number, "n0")
        name = ber(0x8A, b"1.3.6.1.4.1.1466.20036")
        yield envelope(0, ber(0x78, integer(52, 0x0A) + ber(0x04, b"") + ber(0x04, b"") + name))
        yield None

    with Scripted(script) as server:
        rows, problem = read(home(tmp_path, server))
    assert rows == names(1)
    assert problem is not None
    assert ": truncated: " in problem.diagnostic.message


def test_bytes_that_come_one_by_one_meet_the_time_of_the_profile(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[bytes]:
        yield one(asked.number, "n0")
        for byte in one(asked.number, "n1") * 20:
            time.sleep(0.05)
            yield bytes([byte])

    with Scripted(script) as server:
        started = time.monotonic()
        rows, problem = read(home(tmp_path, server, timeout="1s"))
    assert time.monotonic() - started < 4
    assert rows == names(1)
    assert problem is not None
    assert ": timeout: " in problem.diagnostic.message


def test_bytes_in_any_pieces_are_the_same_answer(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[bytes]:
        data = b"".join(one(asked.number, f"n{i}") for i in range(50)) + done(asked.number, cookie=b"")
        for at in range(0, len(data), 7):
            yield data[at : at + 7]

    with Scripted(script) as server:
        assert read(home(tmp_path, server)) == (names(50), None)


def test_a_query_that_is_told_to_stop_says_good_bye(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[bytes]:
        yield one(asked.number, "n0")
        time.sleep(3)

    with Scripted(script) as server:
        where = home(tmp_path, server, timeout="60s")
        told: list[float] = []
        threading.Timer(0.7, lambda: (told.append(time.monotonic()), where.interrupt())).start()  # type: ignore[func-returns-value]
        _, problem = read(where)
        assert time.monotonic() - told[0] < 0.5
    assert problem is not None
    assert problem.exit_code == 130


# --- TLS --------------------------------------------------------------------------------------------------------------


def test_starttls_that_is_refused_sends_no_password(tmp_path: Path) -> None:
    with Scripted(paged(1)) as server:
        rows, problem = read(home(tmp_path, server, tls="starttls", user="kim", password="planted-9d1f"))
    assert problem is not None
    assert ": tls-failed: " in problem.diagnostic.message
    assert (rows, server.binds, server.searches) == ([], [], [])


def test_what_stands_before_tls_counts_for_nothing(tmp_path: Path) -> None:
    """An answer to a bind that comes with the one to StartTLS, before TLS begins (CVE-2011-0411 and its kind)."""
    both = lambda number: envelope(number, outcome(0x78, 0)) + envelope(number + 1, outcome(0x61, 0))  # noqa: E731
    with Scripted(paged(1), extended=both) as server:
        rows, problem = read(home(tmp_path, server, tls="starttls", user="kim", password="planted-9d1f"))
    assert problem is not None
    assert ": tls-failed: " in problem.diagnostic.message
    assert (rows, server.binds) == ([], [])


# --- one answer, many readers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behind", "searches"),
    [
        ("", 1),
        ("| fields cn", 1),
        ("| order cn", 1),
        ("| stats count by cn", 1),
        ("| sort cn | limit 1", 1),
        ("| timechart span=1d count by cn", 1),
        ("| pivot count rows cn cols dn", 1),
        ('| union [ ldapsearch profile=AD filter="(sn=*)" | fields cn ]', 2),
        ('| join cn [ ldapsearch profile=AD filter="(sn=*)" | fields cn ]', 2),
    ],
)
def test_a_search_is_sent_once(tmp_path: Path, behind: str, searches: int) -> None:
    with Scripted(paged(3)) as server:
        home(tmp_path, server).query(f'ldapsearch profile=AD filter="(cn=*)" {behind}').rows()
    assert len(server.searches) == searches
