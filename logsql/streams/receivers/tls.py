"""TLS of a receiver: its certificate, who may connect, and one connection's bytes in and out.

A connection's TLS is done here over memory, not by the event loop's: that keeps a quarter of a megabyte for each
connection, and its certificate for as long as it listens.
"""

from __future__ import annotations

import fnmatch
import ssl
from collections.abc import Sequence

from logsql.diagnostics.errors import diagnostic
from logsql.diagnostics.receivers import BAD_CERTIFICATE
from logsql.store.files import Files
from logsql.streams.receivers.base import StartError
from logsql.streams.settings import Tls

_VERIFY = {"none": ssl.CERT_NONE, "request": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}
_READ = 65_536


def context_of(name: str, tls: Tls) -> ssl.SSLContext:
    """What a receiver needs to speak TLS 1.2 or newer, its files read now. Raises StartError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    path = tls.cert
    try:
        for path in (tls.cert, tls.key):  # which of the two is none OpenSSL does not tell
            if "-----BEGIN" not in Files().read_as_text(path):
                raise ValueError(path)
        context.load_cert_chain(tls.cert, tls.key, password=lambda: b"")  # else OpenSSL asks the terminal
        if tls.client_ca is not None:
            path = tls.client_ca
            context.load_verify_locations(cadata=Files().read_as_text(path))
    except (OSError, ValueError) as error:
        plain = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
        reason = (plain and getattr(error, "strerror", None)) or getattr(error, "reason", None) or "PEM"
        raise StartError(diagnostic(BAD_CERTIFICATE, name=name, path=path, reason=reason)) from None
    # A sender that never reads has the tickets unread when it closes: its system resets the connection then, and what
    # it sent last is gone.
    context.num_tickets = 0
    context.verify_mode = _VERIFY[tls.client_auth]
    return context


class TlsStream:
    """The bytes of one connection. Nothing is written or read here: what is to be sent is :meth:`to_send`."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.ready = False
        self.ended = False
        """The peer has said that nothing more comes."""

    def received(self, data: bytes) -> bytes:
        """What these bytes say. Raises SSLError: the connection is none, or no longer."""
        self._incoming.write(data)
        parts: list[bytes] = []
        try:
            if not self.ready:
                self._object.do_handshake()
                self.ready = True
            while part := self._object.read(_READ):
                parts.append(part)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError:
            if not parts:
                raise
            self.ended = True  # what was read before is good
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def to_send(self) -> bytes:
        """What the peer is to get: handshake, alerts."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def names(self) -> list[str]:
        """The names of the peer's certificate, the common name first; none without a certificate."""
        found = self._object.getpeercert()
        if not found:
            return []
        # ((("commonName", "client.lab.test"),), ...): parts of the subject, each of some pairs.
        parts = [pair for part in found.get("subject", ()) for pair in part if len(pair) == 2]
        common = [str(pair[1]) for pair in parts if pair[0] == "commonName"]
        others = [str(pair[1]) for pair in found.get("subjectAltName", ()) if pair[0] in ("DNS", "IP Address")]
        return list(dict.fromkeys([*common, *others]))


def is_named(names: Sequence[str], allowed: Sequence[str]) -> bool:
    """Whether a certificate has one of the names that are allowed; ``*.example.com`` is any name below it."""
    return any(fnmatch.fnmatchcase(name.lower(), wanted.lower()) for name in names for wanted in allowed)
