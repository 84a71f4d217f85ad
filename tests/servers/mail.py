"""A mail server that keeps what it is given: STARTTLS, TLS from the first byte, or no TLS at all."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.loop import LoopThread

USER = "sender@lab.test"
PASSWORD = "planted-smtp-7c41aa"
Mode = Literal["starttls", "tls", "plain"]


@dataclass(frozen=True)
class Mail:
    """A mail as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    tls: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        """Its headers and parts, decoded."""
        found = email.message_from_bytes(self.data, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found


@dataclass
class MailServer:
    """A server of one mode. ``mails`` holds what came; ``refuse`` answers a recipient or sender with a line of its own
    (``{"nobody@lab.test": "550 no such user"}``), ``data_reply`` the mail itself; ``drop`` closes the connection
    instead of answering the mail. ``sessions`` counts connections."""

    thread: LoopThread
    mode: Mode
    context: ssl.SSLContext
    auth_required: bool = False
    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    data_reply: str = "250 OK: kept"
    drop: bool = False
    sessions: int = 0
    logins: list[str] = field(default_factory=list)
    """Users that tried, right and wrong."""
    _server: asyncio.Server | None = None

    user = USER
    password = PASSWORD

    @property
    def url(self) -> str:
        """``smtps://localhost:PORT``, or ``smtp://`` for the two others."""
        return f"{'smtps' if self.mode == 'tls' else 'smtp'}://localhost:{self.port}"

    def start(self) -> MailServer:
        """Listen on a free port."""
        self.thread.run(self._listen())
        return self

    def stop(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self.thread.loop.call_soon_threadsafe(self._server.close)

    def reset(self) -> None:
        """Forget mails and settings."""
        for kept in (self.mails, self.logins):
            kept.clear()
        self.refuse.clear()
        self.data_reply, self.drop, self.sessions, self.auth_required = "250 OK: kept", False, 0, False

    async def _listen(self) -> None:
        first = self.context if self.mode == "tls" else None
        self._server = await asyncio.get_running_loop().create_server(self._protocol, "127.0.0.1", 0, ssl=first)
        self.port = self._server.sockets[0].getsockname()[1]

    def _protocol(self) -> SMTP:
        self.sessions += 1
        return SMTP(
            _Handler(self),
            hostname="mail.lab.test",
            enable_SMTPUTF8=True,
            tls_context=self.context if self.mode == "starttls" else None,
            require_starttls=self.mode == "starttls",
            auth_required=self.auth_required,
            auth_require_tls=self.mode == "starttls",
            authenticator=self._login,
        )

    def _login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append(given.login.decode())
        right = (given.login.decode(), given.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=right, handled=False, auth_data=given.login.decode())


@dataclass
class _Handler:
    """What aiosmtpd calls; the names are its own."""

    kept: MailServer

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.kept.refuse:
            return self.kept.refuse[address]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.kept.refuse:
            return self.kept.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.kept.drop:
            transport = server.transport
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
            return "451 gone"
        if not self.kept.data_reply.startswith("2"):
            return self.kept.data_reply
        data = envelope.content
        assert isinstance(data, bytes)
        user = session.auth_data if isinstance(session.auth_data, str) else None
        tls = self.kept.mode == "tls" or session.ssl is not None
        self.kept.mails.append(Mail(envelope.mail_from or "", tuple(envelope.rcpt_tos), data, tls, user))
        return self.kept.data_reply


Mails = Callable[[Mode], MailServer]
