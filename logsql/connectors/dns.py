"""Names of the internet by dnspython: over UDP, over TCP where the answer does not fit, several at a time.

Each question goes out from a port of its own with an id of its own; what comes from another address, has another id or
answers another question is not looked at (RFC 5452). A datagram may be lost: the question is sent a second time before
the time is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.reversename
import dns.rrset
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from logsql.connectors.access import Access
from logsql.connectors.failures import refused
from logsql.connectors.fence import Refused
from logsql.connectors.loops import Loop
from logsql.planner.connections.dns import TIMEOUT, Answer, Record, Server

PARALLEL = 16
#: The part of the time after which the question is sent a second time.
_AGAIN = 0.4
_STATUS = {
    0: "NO_ERROR",
    1: "FORMAT_ERROR",
    2: "SERVER_FAILURE",
    3: "NAME_ERROR",
    4: "NOT_IMPLEMENTED",
    5: "REFUSED",
}
_FLAGS = (("AA", dns.flags.AA), ("TC", dns.flags.TC), ("RD", dns.flags.RD), ("RA", dns.flags.RA))
#: Seconds for which an answer is kept that says nothing of its lifetime: what failed may soon go well.
_UNSAID = 5.0


class Resolver:
    """See :class:`logsql.planner.connections.dns.Names`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._loop = Loop("names")

    def check(self, server: Server) -> None:
        """Raise PolicyError (safe mode) or SourceError where the server may not be asked."""
        try:
            self._access.fence.checked(server.address, server.port, [server.address])
        except Refused as problem:
            raise refused(problem, self._access) from None

    def ask(self, server: Server, type_: str, names: Sequence[str], cancelled: Callable[[], bool]) -> list[Answer]:
        """The answers in the order of the names."""
        self.check(server)
        return self._loop.result(_all(server, type_, names), cancelled)

    def close(self) -> None:
        """End the thread."""
        self._loop.close()


async def _all(server: Server, type_: str, names: Sequence[str]) -> list[Answer]:
    free = asyncio.Semaphore(PARALLEL)

    async def one(name: str) -> Answer:
        async with free:
            return await _one(server, type_, name)

    return await asyncio.gather(*map(one, names))


async def _one(server: Server, type_: str, name: str) -> Answer:
    asked = _name(name, type_)
    if asked is None:
        return Answer(None)
    try:
        async with asyncio.timeout(server.timeout):
            return _read(await _exchange(server, asked, type_), type_)
    except (TimeoutError, OSError, EOFError, dns.exception.DNSException):
        return Answer(TIMEOUT)


async def _exchange(server: Server, name: dns.name.Name, type_: str) -> dns.message.Message:
    """The answer to one question, asked for a second time when the first one seems lost."""
    first = server.timeout * _AGAIN
    for wait in (first, server.timeout - first):
        question = dns.message.make_query(name, type_)
        try:
            answer, _ = await dns.asyncquery.udp_with_fallback(
                question, server.address, wait, server.port, ignore_unexpected=True, ignore_errors=True
            )
        except dns.exception.Timeout:
            continue
        return answer
    raise TimeoutError


def _name(text: str, type_: str) -> dns.name.Name | None:
    """The name to ask for; of an address its name in the reverse tree where a PTR is wanted. None for no name."""
    text = text.strip()
    try:
        if type_ == "PTR":
            try:
                return dns.reversename.from_address(text)
            except dns.exception.SyntaxError:
                pass
        return dns.name.from_text(text) if text else None
    except (dns.exception.DNSException, UnicodeError, ValueError):
        return None


def _read(message: dns.message.Message, type_: str) -> Answer:
    answers = _records(message.answer)
    address = next((str(r["data"]) for r in answers if r["type"] == ("AAAA" if type_ == "AAAA" else "A")), None)
    code = message.rcode()
    return Answer(
        _STATUS.get(code) or dns.rcode.to_text(code),
        address,
        tuple(name for name, flag in _FLAGS if message.flags & flag),
        answers,
        _records(message.authority),
        _records(message.additional),
        _lifetime(message),
    )


def _lifetime(message: dns.message.Message) -> float:
    """Seconds for which an answer holds: the shortest TTL; of a name that is not there what its zone says."""
    if message.answer:
        return float(min(rrset.ttl for rrset in message.answer))
    zone = [min(rrset.ttl, rrset[0].minimum) for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA]
    return float(min(zone)) if zone else _UNSAID


def _records(section: Sequence[dns.rrset.RRset]) -> list[Record]:
    found: list[Record] = []
    for rrset in section:
        name = _spelled(rrset.name)
        for data in rrset:
            record: dict[str, str | int] = {"name": name, "type": dns.rdatatype.to_text(rrset.rdtype)}
            record["ttl"] = rrset.ttl
            if isinstance(data, MX):
                record |= {"preference": data.preference, "data": _spelled(data.exchange)}
            elif isinstance(data, TXT):
                record["data"] = b"".join(data.strings).decode("utf-8", "replace")
            elif (target := getattr(data, "target", None)) is not None and rrset.rdtype in _NAMED:
                record["data"] = _spelled(target)
            else:
                record["data"] = data.to_text()
            found.append(record)
    return found


def _spelled(name: dns.name.Name) -> str:
    """A name in its own letters; one that only begins like such a name (``xn--99999``) as it was sent."""
    try:
        return name.to_unicode(omit_final_dot=True)
    except dns.exception.DNSException:
        return name.to_text(omit_final_dot=True)


#: Types whose whole data is a name.
_NAMED = frozenset({dns.rdatatype.CNAME, dns.rdatatype.NS, dns.rdatatype.PTR, dns.rdatatype.DNAME})
