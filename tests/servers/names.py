"""A name server that answers as a test says: records, refusals, silence, and answers that UDP cannot hold."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal, cast

from dnslib import QTYPE, RCODE, RR, DNSRecord

from tests.servers.loop import LoopThread

Trouble = Literal["SERVFAIL", "REFUSED", "NXDOMAIN", "FORMERR", "NOTIMP", "silence", "truncated", "wrong-id", "garbage"]
ZONE = """
$TTL 300
lab.test.               IN SOA   ns1.lab.test. root.lab.test. 1 2 3 4 300
lab.test.               IN NS    ns1.lab.test.
lab.test.               IN NS    ns2.lab.test.
lab.test.               IN MX    10 mail.lab.test.
lab.test.               IN MX    20 backup.lab.test.
lab.test.               IN TXT   "v=spf1 -all"
lab.test.               IN TXT   "two " "strings"
one.lab.test.           IN A     192.0.2.1
many.lab.test.          IN A     192.0.2.11
many.lab.test.          IN A     192.0.2.12
many.lab.test.          IN A     192.0.2.13
six.lab.test.           IN AAAA  2001:db8::6
both.lab.test.          IN A     192.0.2.7
both.lab.test.          IN AAAA  2001:db8::7
alias.lab.test.         IN CNAME one.lab.test.
far.lab.test.           IN CNAME alias.lab.test.
xn--bj0bj06e.lab.test.  IN A     192.0.2.9
mail.lab.test.          IN A     192.0.2.25
1.2.0.192.in-addr.arpa. IN PTR   one.lab.test.
6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR six.lab.test.
"""
"""What it knows at first: each kind of record, chains of aliases, a Korean name."""


@dataclass(frozen=True)
class Asked:
    """A question that came."""

    name: str
    kind: str
    transport: Literal["udp", "tcp"]


@dataclass
class NameServer:
    """A server on 127.0.0.1, UDP and TCP on one port. ``add("x.lab.test. 60 IN A 192.0.2.5")`` adds records,
    ``trouble["x.lab.test"] = "SERVFAIL"`` answers a name wrongly (``truncated``: over UDP without records, whole over
    TCP; ``silence``: not at all), ``delay`` seconds pass before each answer. ``asked`` holds the questions."""

    thread: LoopThread
    port: int = 0
    trouble: dict[str, Trouble] = field(default_factory=dict)
    delay: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    under_way: int = 0
    peak: int = 0
    """Most questions that were under way at a time."""
    _records: list[RR] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _udp: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, zone: str) -> None:
        """Add records, written as in a zone file."""
        self._records += RR.fromZone(zone)

    def start(self) -> NameServer:
        """Listen on a free port."""
        self.reset()
        self.thread.run(self._listen())
        return self

    def stop(self) -> None:
        """Listen no longer."""
        assert self._server is not None
        assert self._udp is not None
        self.thread.loop.call_soon_threadsafe(self._server.close)
        self.thread.loop.call_soon_threadsafe(self._udp.close)

    def reset(self) -> None:
        """Know the first zone only, and forget the questions."""
        self.trouble.clear()
        self.asked.clear()
        self.delay, self.peak = 0.0, 0
        self._records = list(RR.fromZone(ZONE))

    async def _listen(self) -> None:
        for _ in range(20):  # the port must be free for both
            self._server = await asyncio.start_server(self._stream, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            try:
                made = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
                )
            except OSError:
                self._server.close()
                continue
            self._udp = made[0]
            return

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                answer = await self.answer(await reader.readexactly(size), "tcp")
                if answer is not None:
                    writer.write(len(answer).to_bytes(2, "big") + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, data: bytes, transport: Literal["udp", "tcp"]) -> bytes | None:
        """The answer to a question; None is silence."""
        question = DNSRecord.parse(data)
        name = str(question.q.qname).rstrip(".").lower()
        self.asked.append(Asked(name, QTYPE[question.q.qtype], transport))
        self.under_way += 1
        self.peak = max(self.peak, self.under_way)
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            return self._made(question, name, transport)
        finally:
            self.under_way -= 1

    def _made(self, question: DNSRecord, name: str, transport: Literal["udp", "tcp"]) -> bytes | None:
        reply = question.reply(aa=1, ra=1)
        match self.trouble.get(name):
            case "silence":
                return None
            case "garbage":
                return b"\x00" * 5
            case "truncated" if transport == "udp":
                reply.header.tc = 1
                return bytes(reply.pack())
            case "wrong-id":
                reply.header.id = (question.header.id + 1) % 65_536
            case "SERVFAIL" | "REFUSED" | "NXDOMAIN" | "FORMERR" | "NOTIMP" as code:
                reply.header.rcode = getattr(RCODE, code)
                return bytes(reply.pack())
        known = self._follow(name, QTYPE[question.q.qtype])
        reply.add_answer(*known)
        if not known and not any(str(record.rname).rstrip(".").lower() == name for record in self._records):
            reply.header.rcode = RCODE.NXDOMAIN
        packed = bytes(reply.pack())
        if transport == "udp" and len(packed) > 512:
            cut = question.reply(aa=1, ra=1)  # dnslib's own leaves the question out, and no resolver takes that
            cut.header.tc = 1
            return bytes(cut.pack())
        return packed

    def _follow(self, name: str, kind: str) -> list[RR]:
        """The records of a name, behind its aliases."""
        found: list[RR] = []
        while True:
            here = [record for record in self._records if str(record.rname).rstrip(".").lower() == name]
            right = [record for record in here if kind in ("ANY", QTYPE[record.rtype])]
            alias = [record for record in here if QTYPE[record.rtype] == "CNAME"]
            found += right
            if right or not alias:
                return found
            found += alias
            name = str(alias[0].rdata).rstrip(".").lower()


class _Datagrams(asyncio.DatagramProtocol):
    """Questions over UDP."""

    def __init__(self, server: NameServer) -> None:
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        task = asyncio.ensure_future(self._reply(data, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, data: bytes, address: tuple[str, int]) -> None:
        answer = await self._server.answer(data, "udp")
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, address)
