"""TLS for every connector: who is trusted, what is asked for, and the word for what failed.

Chain, dates and name are always checked, TLS is 1.2 or newer; there is no way to ask for less. An authority of the
user's own is added to the system's.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence

from logsql.diagnostics.errors import UsageError, diagnostic
from logsql.diagnostics.network import CERTIFICATE_FILE
from logsql.store.files import Files

#: Numbers of OpenSSL (``X509_V_ERR_*``) for certificates that are right but for their time or their name.
_TIMES = frozenset({9, 10, 13, 14})
_NAMES = frozenset({62, 63, 64})


class Context(ssl.SSLContext):
    """A context whose connections may be checked for another name than that of the URL.

    Libraries give the host of their URL as ``server_hostname``; :attr:`certificate_name`, where it is set, is asked
    for (SNI) and checked instead.
    """

    certificate_name: str | None = None

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """As :meth:`ssl.SSLContext.wrap_socket`."""
        name = self.certificate_name or server_hostname
        return super().wrap_socket(sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, name, session)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As :meth:`ssl.SSLContext.wrap_bio`."""
        return super().wrap_bio(incoming, outgoing, server_side, self.certificate_name or server_hostname, session)


def context(
    ca_files: Sequence[str | None] = (),
    client_cert: str | None = None,
    client_key: str | None = None,
    certificate_name: str | None = None,
) -> Context:
    """A context for a client. ``ca_files``: PEM files of further authorities, None for one that is not set.

    ``client_cert``: PEM file of our own certificate, with its key unless ``client_key`` holds that. Raises UsageError
    for a file that cannot be read.
    """
    made = Context(ssl.PROTOCOL_TLS_CLIENT)  # checks chain, dates and name
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_default_certs()
    made.certificate_name = certificate_name
    for path in dict.fromkeys(filter(None, ca_files)):
        try:
            made.load_verify_locations(cadata=Files().read_as_text(path))
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
    if client_cert is not None:
        try:
            made.load_cert_chain(client_cert, client_key, password=lambda: b"")  # else OpenSSL asks the terminal
        except (OSError, ValueError) as error:
            raise _unreadable(client_cert, error) from None
    return made


def _unreadable(path: str, error: Exception) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
    return UsageError(diagnostic(CERTIFICATE_FILE, path=path, reason=reason or "PEM"))


def word_of(error: BaseException) -> str | None:
    """The word for what TLS found wrong (``tls-untrusted`` ...), None where TLS is not the reason.

    Libraries wrap the exception of :mod:`ssl`: it is looked for among the causes, too.
    """
    found = list(_causes(error))
    codes = (getattr(one, "verify_code", None) for one in found if isinstance(one, ssl.SSLCertVerificationError))
    code = next(filter(None, codes), None)  # an exception of aiohttp's is one of ssl's too, and has no code
    if code is not None:
        if code in _TIMES:
            return "tls-expired"
        return "tls-name-mismatch" if code in _NAMES else "tls-untrusted"
    return "tls-failed" if any(isinstance(one, ssl.SSLError) for one in found) else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and those behind it. aiohttp keeps its cause in attributes, ldap3 and others in the arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        kept = (one.__cause__, one.__context__, getattr(one, "certificate_error", None), getattr(one, "os_error", None))
        waiting += [other for other in (*kept, *one.args) if isinstance(other, BaseException)]
