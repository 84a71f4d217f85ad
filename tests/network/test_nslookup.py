"""``nslookup`` against a name server. Expectations come from the zone in ``tests/servers/names.py``."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pytest
from dnslib import RR, DNSQuestion, DNSRecord

import logsql
from tests.network.others_support import configured, interrupted_after, ran, refusal

if TYPE_CHECKING:
    from tests.servers.loop import LoopThread
    from tests.servers.names import NameServer


@pytest.fixture
def session(name_server: NameServer, tmp_path: Path) -> logsql.Session:
    config = configured(tmp_path, f'[network]\nallow = ["{name_server.address}"]\n')
    return logsql.connect(tz="UTC", config=config)


def asked(server: NameServer, names: str, options: str = "", output: str = "ip, status") -> str:
    """A query that asks for the names, a JSON list of texts."""
    return (
        f'json "{{n: {names}}}" | explode n | nslookup ns=127.0.0.1 port={server.port} timeout=2 {options} '
        f"n output {output}"
    )


def test_each_type_of_record(session: logsql.Session, name_server: NameServer) -> None:
    rows, lost = ran(session, asked(name_server, "['one.lab.test','many.lab.test','far.lab.test','no.lab.test']"))
    assert [(r["ip"], r["status"]) for r in rows] == [
        ("192.0.2.1", "NO_ERROR"),
        ("192.0.2.11", "NO_ERROR"),
        ("192.0.2.1", "NO_ERROR"),  # behind two aliases
        (None, "NAME_ERROR"),
    ]
    assert lost == {}
    assert session.query(asked(name_server, "['one.lab.test']")).schema["ip"] == "ip"
    for type_, name, data in [
        ("AAAA", "six.lab.test", ["2001:db8::6"]),
        ("MX", "lab.test", ["mail.lab.test", "backup.lab.test"]),
        ("NS", "lab.test", ["ns1.lab.test", "ns2.lab.test"]),
        ("TXT", "lab.test", ["v=spf1 -all", "two strings"]),
        ("CNAME", "alias.lab.test", ["one.lab.test"]),
        ("PTR", "192.0.2.1", ["one.lab.test"]),
        ("PTR", "2001:db8::6", ["six.lab.test"]),
        ("PTR", "1.2.0.192.in-addr.arpa", ["one.lab.test"]),
    ]:
        rows, _ = ran(session, asked(name_server, f"['{name}']", f"type={type_}", "answers"))
        found = rows[0]["answers"]
        assert isinstance(found, list)
        assert [record["data"] for record in found] == data, type_


def test_records_are_maps(session: logsql.Session, name_server: NameServer) -> None:
    rows, _ = ran(session, asked(name_server, "['lab.test']", "type=MX", "flags, answers, authorities, additionals"))
    assert rows == [
        {
            "n": "lab.test",
            "flags": "AA RD RA",
            "answers": [
                {"name": "lab.test", "type": "MX", "ttl": 300, "preference": 10, "data": "mail.lab.test"},
                {"name": "lab.test", "type": "MX", "ttl": 300, "preference": 20, "data": "backup.lab.test"},
            ],
            "authorities": [],
            "additionals": [],
        }
    ]
    query = asked(name_server, "['lab.test']", "type=MX", "answers") + " | explode answers | parsemap field=answers"
    rows, _ = ran(session, query + " | fields preference, data | limit 1")
    assert rows == [{"preference": 10, "data": "mail.lab.test"}]


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        ("SERVFAIL", "SERVER_FAILURE"),
        ("REFUSED", "REFUSED"),
        ("NXDOMAIN", "NAME_ERROR"),
        ("FORMERR", "FORMAT_ERROR"),
        ("NOTIMP", "NOT_IMPLEMENTED"),
    ],
)
def test_words_of_status(session: logsql.Session, name_server: NameServer, trouble: str, status: str) -> None:
    name_server.trouble["x.lab.test"] = trouble  # type: ignore[assignment]
    rows, lost = ran(session, asked(name_server, "['x.lab.test','one.lab.test']"))
    assert [r["status"] for r in rows] == [status, "NO_ERROR"]
    assert lost == {}


@pytest.mark.parametrize("trouble", ["silence", "wrong-id", "garbage"])
def test_what_is_no_answer_is_a_timeout(session: logsql.Session, name_server: NameServer, trouble: str) -> None:
    name_server.trouble["x.lab.test"] = trouble  # type: ignore[assignment]
    query = asked(name_server, "['x.lab.test','one.lab.test']", "timeout=1", "ip, status, flags, answers")
    rows, lost = ran(session, query)
    assert [(r["status"], r["ip"], r["flags"], r["answers"] is None) for r in rows] == [
        ("TIMEOUT", None, None, True),
        ("NO_ERROR", "192.0.2.1", "AA RD RA", False),
    ]
    assert lost == {"names-not-answered": 1}
    assert [a.name for a in name_server.asked].count("x.lab.test") == 2  # a datagram may be lost: sent twice


def test_a_cut_answer_comes_over_tcp(session: logsql.Session, name_server: NameServer) -> None:
    name_server.trouble["many.lab.test"] = "truncated"
    name_server.add("".join(f"big.lab.test. 60 IN A 198.51.100.{n}\n" for n in range(1, 100)))
    rows, _ = ran(session, asked(name_server, "['many.lab.test','big.lab.test']", "", "ip, flags, answers"))
    assert [(r["ip"], r["flags"], len(r["answers"])) for r in rows] == [  # type: ignore[arg-type]
        ("192.0.2.11", "AA RD RA", 3),
        ("198.51.100.1", "AA RD RA", 99),
    ]
    assert [a.transport for a in name_server.asked if a.name == "many.lab.test"] == ["udp", "tcp"]


def test_korean_names_nulls_and_texts_that_are_none(session: logsql.Session, name_server: NameServer) -> None:
    long = "a" * 64
    rows, lost = ran(session, asked(name_server, f"['한글.lab.test', null, '', 'a..b', '{long}.x', 'ONE.LAB.TEST.']"))
    assert [(r["ip"], r["status"]) for r in rows] == [
        ("192.0.2.9", "NO_ERROR"), (None, None), (None, None), (None, None), (None, None), ("192.0.2.1", "NO_ERROR"),
    ]  # fmt: skip
    assert lost == {"no-domain-name": 3}
    query = f'json "{{a: 1}}" | nslookup ns=127.0.0.1 port={name_server.port} n output ip, status'
    rows, _ = ran(session, query)
    assert rows == [{"a": 1, "ip": None, "status": None}]  # no row has the field


def test_sixteen_at_a_time_in_order(session: logsql.Session, name_server: NameServer) -> None:
    name_server.delay = 0.02
    names = [f"h{n}.lab.test" for n in range(400)]
    name_server.add("".join(f"{name}. 60 IN A 198.51.{n // 250}.{n % 250 + 1}\n" for n, name in enumerate(names)))
    session.register("hosts", pa.table({"n": names, "place": list(range(400))}))
    query = f"table hosts | nslookup ns=127.0.0.1 port={name_server.port} n output ip"
    rows, _ = ran(session, query)
    assert [r["place"] for r in rows] == list(range(400))
    assert [r["ip"] for r in rows] == [f"198.51.{n // 250}.{n % 250 + 1}" for n in range(400)]
    assert 8 < name_server.peak <= 16
    name_server.asked.clear()
    ran(session, query + " | limit 3")
    assert len(name_server.asked) <= 80


@pytest.mark.parametrize(
    "behind",
    ["", "| union [ json \"{n: 'z'}\" ]", "| join n [ json \"{n: 'one.lab.test'}\" ]", "| stats count by ip",
     "| eval _time = now() | timechart span=1d count", "| fields ip, n | sort -n", "| pivot count rows n cols ip"],
)  # fmt: skip
def test_a_row_is_asked_for_once(session: logsql.Session, name_server: NameServer, behind: str) -> None:
    rows, _ = ran(session, asked(name_server, "['one.lab.test','six.lab.test']", "cache=0") + behind)
    assert rows
    assert sorted(a.name for a in name_server.asked) == ["one.lab.test", "six.lab.test"]


def test_the_cache(session: logsql.Session, name_server: NameServer) -> None:
    same = "['one.lab.test','ONE.lab.test','one.lab.test.','no.lab.test','no.lab.test']"
    rows, _ = ran(session, asked(name_server, same))
    assert [r["status"] for r in rows] == ["NO_ERROR"] * 3 + ["NAME_ERROR"] * 2
    assert sorted(a.name for a in name_server.asked) == ["no.lab.test", "one.lab.test"]
    name_server.asked.clear()
    ran(session, asked(name_server, same, "cache=0"))
    assert len(name_server.asked) == 5
    name_server.asked.clear()
    ran(session, asked(name_server, "['one.lab.test']"))
    assert len(name_server.asked) == 1  # another query asks anew


def test_the_server_must_be_allowed(name_server: NameServer, tmp_path: Path) -> None:
    query = asked(name_server, "['one.lab.test']")
    with logsql.connect(config=configured(tmp_path, "")) as session:
        assert "E3041" in refusal(session, query)
        assert "refused-private" in refusal(session, query)
    other = configured(tmp_path, f'[network]\nallow = ["127.0.0.1:{name_server.port + 1}"]\n')
    with logsql.connect(config=other) as session:
        assert "refused-private" in refusal(session, query)
    with logsql.connect(config=configured(tmp_path, ""), safe=True) as session:
        assert "E4001" in refusal(session, query.replace("127.0.0.1", "192.0.2.53"))
    named = configured(tmp_path, '[network]\nallow = ["127.0.0.0/8"]\n')
    with logsql.connect(config=named, safe=True) as session:
        assert ran(session, query)[0] == [{"n": "one.lab.test", "ip": "192.0.2.1", "status": "NO_ERROR"}]


def test_refused_before_a_row_is_read(tmp_path: Path) -> None:
    with logsql.connect(config=configured(tmp_path, "")) as session:
        query = 'json "{n: 1}" | nslookup ns=127.0.0.1 n output ip | outputjson "out.json"'.replace(
            "out.json", str(tmp_path / "out.json")
        )
        assert "E3041" in refusal(session, query)
    assert not (tmp_path / "out.json").exists()


class Spoofed(asyncio.DatagramProtocol):
    """Sends answers that are not to be believed before the right one: from another port, to another question."""

    def __init__(self, stranger: socket.socket) -> None:
        self._stranger = stranger
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        assert self._transport is not None
        question = DNSRecord.parse(data)
        wrong, right, other = (question.reply() for _ in range(3))
        for reply, found in ((wrong, "203.0.113.66"), (right, "192.0.2.1"), (other, "203.0.113.67")):
            reply.add_answer(*RR.fromZone(f"{question.q.qname} 60 IN A {found}"))
        other.questions = [DNSQuestion("other.lab.test")]
        other_id = question.reply()
        other_id.header.id = (question.header.id + 1) % 65_536
        self._stranger.sendto(wrong.pack(), address)
        for packed in (other.pack(), other_id.pack(), b"nonsense", right.pack()):
            self._transport.sendto(packed, address)


def test_answers_that_are_not_to_be_believed(loop_thread: LoopThread, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))

        async def listen() -> asyncio.DatagramTransport:
            loop = asyncio.get_running_loop()
            return (await loop.create_datagram_endpoint(lambda: Spoofed(stranger), local_addr=("127.0.0.1", 0)))[0]

        transport = loop_thread.run(listen())
        port = transport.get_extra_info("sockname")[1]
        with logsql.connect(config=configured(tmp_path, '[network]\nallow = ["127.0.0.1"]\n')) as session:
            query = f"json \"{{n: 'one.lab.test'}}\" | nslookup ns=127.0.0.1 port={port} timeout=2 n output ip, status"
            rows, _ = ran(session, query)
        loop_thread.loop.call_soon_threadsafe(transport.close)
    assert rows == [{"n": "one.lab.test", "ip": "192.0.2.1", "status": "NO_ERROR"}]


def test_rows_go_on_as_they_were(session: logsql.Session, name_server: NameServer, tmp_path: Path) -> None:
    """Each type that a row may hold crosses to Python and back."""
    source = tmp_path / "rows.jsonl"
    lines = [
        '{"n": "one.lab.test", "mixed": 1, "list": [1, "a", null], "map": {"a": [1]}, "big": 9223372036854775807}',
        '{"n": null, "mixed": "x", "list": [], "map": null, "big": 18446744073709551615, "open": true}',
        '{"n": 7, "mixed": [1.5], "list": null, "map": {}, "ip": "10.0.0.1"}',
    ]
    source.write_text("\n".join(lines), encoding="utf-8")
    ask = f"| nslookup ns=127.0.0.1 port={name_server.port} timeout=1 n output ip, status"
    for begin in (
        f'jsonfile {source} | eval a = ip(ip), d = date("2024-01-01", "yyyy-MM-dd"), b = frombase64("aGk="), f = 1.5',
        f"textfile {source} | parsejson",
        f"textfile {source} | parsejson overlay=t | fields - _time",
        f"jsonfile {source} | sort -mixed",
    ):
        before = session.query(begin).rows()
        after, _ = ran(session, begin + ask)
        assert [{**b, "ip": None, "status": None} for b in before] == [{**a, "ip": None, "status": None} for a in after]
        assert [a["status"] for a in after if a["n"] == "one.lab.test"] == ["NO_ERROR"]


def test_ctrl_c_and_the_time_limit(name_server: NameServer, tmp_path: Path) -> None:
    for n in range(40):
        name_server.trouble[f"s{n}.lab.test"] = "silence"
    names = "[" + ",".join(f"'s{n}.lab.test'" for n in range(40)) + "]"
    config = configured(tmp_path, f'[network]\nallow = ["{name_server.address}"]\n')
    with logsql.connect(config=config) as session:
        interrupted_after(session, 0.5)
        start = time.monotonic()
        assert "E1300" in refusal(session, asked(name_server, names, "timeout=30"))
        assert time.monotonic() - start < 5
        start = time.monotonic()
        session.timeout = 0.5
        assert "E1301" in refusal(session, asked(name_server, names, "timeout=30"))
        assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("nslookup ns=8.8.8.8 domain", "E2080"),
        ("nslookup 8.8.8.8 domain", "ns="),
        ("nslookup ns=8.8.8.8", "E2080"),
        ("nslookup domain output ip", "ns"),
        ("nslookup ns=dns.google domain output ip", "90001"),
        ("nslookup ns=8.8.8.8 domain output ip, ip", "E2080"),
        ("nslookup ns=8.8.8.8 domain output ips", "ip"),
        ("nslookup ns=8.8.8.8 type=SRV domain output ip", "A, AAAA"),
        ("nslookup ns=8.8.8.8 port=70000 domain output ip", "65535"),
        ("nslookup ns=8.8.8.8 timeout=0 domain output ip", "timeout"),
        ("nslookup ns=127.0.0.1:5353 domain output ip", "nslookup ns=127.0.0.1 port=5353 FIELD"),
        ('nslookup ns="[::1]:5353" domain output ip', "nslookup ns=::1 port=5353 FIELD"),
    ],
)
def test_slips(query: str, said: str) -> None:
    with logsql.connect() as session:
        assert said in refusal(session, 'json "{domain: 1}" | ' + query)


def test_a_name_that_is_no_idna_is_told_as_it_was_sent(session: logsql.Session, name_server: NameServer) -> None:
    """Any owner of a zone can write such a name; the whole answer was given up and told as a TIMEOUT."""
    name_server.add("odd.lab.test. 60 IN CNAME xn--zzzzzz99999.lab.test.\nodd.lab.test. 60 IN MX 1 xn--zzzzzz99999.x.")
    rows, _ = ran(session, asked(name_server, "['odd.lab.test']", "type=MX", "status, answers"))
    assert rows[0]["status"] == "NO_ERROR"
    assert "xn--zzzzzz99999.x" in [one["data"] for one in rows[0]["answers"]]
