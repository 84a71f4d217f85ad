"""Mail by aiosmtplib: a queue of letters, worked off by a few connections that are kept until the query ends.

TLS always: from the first byte (``smtps``) or by STARTTLS (``smtp``), without which nothing is sent. A letter goes to
another connection only when the server has not been given its text: none is sent twice.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from logsql.configuration.settings import Profile
from logsql.connectors.access import Access
from logsql.connectors.failures import no_answer, word_for
from logsql.connectors.letters import Envelope, Unfit, address, envelope
from logsql.connectors.loops import Loop
from logsql.connectors.profiles import Place, check_place, password_of, place_of, tls_of
from logsql.connectors.tls import Context
from logsql.diagnostics.redaction import masked
from logsql.planner.connections.mail import NOT_SENT, Fate, Letter
from udfs.readers.errors import ReadCancelled

#: Connections to one server.
CONNECTIONS = 4
#: Connections in a row that did not come about, until no further one is tried.
_TRIES = 3
#: Seconds that letters which are under way have when the query is to stop.
_GRACE = 0.5
_PORTS = {"smtps": 465, "smtp": 587}
_TAKEN = Fate(None)
_LEFT = Fate(NOT_SENT)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Failed(Exception):
    """A mail that could not begin, or a connection that did not come about: why, as a word."""

    def __init__(self, word: str, detail: str = "") -> None:
        super().__init__(word)
        self.word = word
        self.detail = detail


class NotConnected(Failed):
    """A connection did not come about."""


class Postman:
    """See :class:`logsql.planner.connections.mail.Mail`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._loop = Loop("mail")

    def check(self, profile: Profile) -> None:
        """Raise PolicyError (safe mode), or SourceError for a URL that is no mail server's."""
        check_place(place_of(profile, _PORTS), self._access)

    def outbox(self, profile: Profile) -> Queue:
        """A queue for one query. Raises UsageError for a password that cannot be read."""
        self.check(profile)
        password_of(profile)
        try:
            address(_sender_of(profile))
        except Unfit as problem:
            raise no_answer(place_of(profile, _PORTS).told, problem.word) from None
        return Queue(profile, place_of(profile, _PORTS), tls_of(profile, self._access), self._loop)

    def test(self, profile: Profile) -> str:
        """Connect and log in; the server that answered. Raises SourceError with the word for what went wrong."""
        queue = self.outbox(profile)
        try:
            self._loop.result(queue.try_out())
        except Failed as problem:
            raise no_answer(place_of(profile, _PORTS).told, problem.word) from None
        finally:
            queue.close()
        return place_of(profile, _PORTS).told

    def close(self) -> None:
        """End the thread."""
        self._loop.close()


def _sender_of(profile: Profile) -> str:
    """Whom the mails of a profile come from."""
    return profile.sender or place_of(profile, _PORTS).user or ""


class Queue:
    """Letters of one query, and the connections that they go over."""

    def __init__(self, profile: Profile, place: Place, trusted: Context, loop: Loop) -> None:
        self._profile = profile
        self._place = place
        self._trusted = trusted
        self._loop = loop
        self._idle: list[aiosmtplib.SMTP] = []
        self._tries = self._working = 0
        self._broken: str | None = None
        sender = _sender_of(profile)
        self._from = sender
        self._sender = address(sender).addr_spec

    # --- the thread of the query --------------------------------------------------------------------

    def send(self, letters: Sequence[Letter], cancelled: Callable[[], bool]) -> list[Fate]:
        """What became of each letter."""
        fates = [_LEFT] * len(letters)
        waiting: deque[tuple[int, Envelope]] = deque()
        for number, letter in enumerate(letters):
            try:
                waiting.append((number, envelope(letter, self._from)))
            except Unfit as problem:
                fates[number] = Fate(problem.word, problem.detail)
        if not waiting or cancelled():
            return fates
        workers: set[asyncio.Task[None]] = set()
        try:
            self._loop.result(self._work_off(waiting, fates, workers), cancelled)
        except ReadCancelled:
            waiting.clear()
            self._loop.result(_settled(workers))
        return fates

    def close(self) -> None:
        """Say goodbye to the server."""
        idle, self._idle = self._idle, []
        if idle:
            with suppress(ReadCancelled, TimeoutError):
                self._loop.result(_goodbye(idle))

    # --- the loop -----------------------------------------------------------------------------------

    async def try_out(self) -> None:
        """One connection, to see whether it comes about. Raises :class:`Failed`."""
        self._idle.append(await self._connected())

    async def _work_off(
        self, waiting: deque[tuple[int, Envelope]], fates: list[Fate], workers: set[asyncio.Task[None]]
    ) -> None:
        """Send what waits. Cancelling this leaves the workers to themselves (:func:`_settled`)."""
        if not self._idle:
            # Alone: a password that is wrong is tried once, and a server that is not there, too.
            with suppress(Failed):
                self._idle.append(await self._connected())
        count = min(CONNECTIONS, len(waiting)) if self._idle else 1
        workers |= {asyncio.create_task(self._worker(waiting, fates)) for _ in range(count)}
        done, _ = await asyncio.wait(workers)
        for worker in done:
            worker.result()

    async def _worker(self, waiting: deque[tuple[int, Envelope]], fates: list[Fate]) -> None:
        self._working += 1
        try:
            while waiting:
                number, mail = waiting.popleft()
                try:
                    client = await self._begun()
                    fates[number] = await self._handed_over(client, mail, fates, number)
                except NotConnected as problem:
                    if self._working > 1:  # a server that wants fewer connections: the others go on
                        waiting.appendleft((number, mail))
                        return
                    fates[number] = Fate(problem.word)
                except Failed as problem:
                    fates[number] = Fate(problem.word, problem.detail)
        finally:
            self._working -= 1

    async def _begun(self) -> aiosmtplib.SMTP:
        """A connection on which a mail has begun: a kept one, or a new one where that was closed meanwhile."""
        while self._idle:
            client = self._idle.pop()
            with suppress(SMTPServerDisconnected):
                return await self._from_us(client)
        client = await self._connected()
        try:
            return await self._from_us(client)
        except SMTPServerDisconnected:
            raise Failed("truncated") from None

    async def _from_us(self, client: aiosmtplib.SMTP) -> aiosmtplib.SMTP:
        try:
            await client.mail(self._sender)
        except SMTPSenderRefused as problem:
            await self._keep(client)
            raise Failed("message-refused", _reply(problem)) from None
        except SMTPServerDisconnected:
            raise
        except (SMTPException, OSError) as problem:
            client.close()
            raise Failed(_word(problem)) from None
        return client

    async def _handed_over(self, client: aiosmtplib.SMTP, mail: Envelope, fates: list[Fate], number: int) -> Fate:
        """Recipients and text. From the text on nobody knows what became of a mail until the server has answered."""
        refused: list[str] = []
        try:
            for recipient in mail.recipients:
                try:
                    await client.rcpt(recipient)
                except SMTPRecipientRefused as problem:
                    refused.append(f"{recipient} ({_reply(problem)})")
            told = Fate("recipient-refused", ", ".join(refused)) if refused else _TAKEN
            if len(refused) < len(mail.recipients):
                fates[number] = Fate("truncated")
                await client.data(mail.data)
                self._idle.append(client)
            else:
                await self._keep(client)
        except SMTPResponseException as problem:
            await self._keep(client)
            return Fate("message-refused", _reply(problem))
        except (SMTPException, OSError) as problem:
            client.close()
            return Fate(_word(problem))
        return told

    async def _keep(self, client: aiosmtplib.SMTP) -> None:
        """Have the connection ready for the next letter, where the server goes on."""
        try:
            await client.rset()
        except (SMTPException, OSError):
            client.close()
        else:
            self._idle.append(client)

    async def _connected(self) -> aiosmtplib.SMTP:
        """A connection that is logged in. Raises :class:`Failed`; after a few in a row without trying again."""
        if self._broken is not None and self._tries >= _TRIES:
            raise NotConnected(self._broken)
        try:
            client = await self._connection()
        except Failed as problem:
            self._tries += 1
            # A password that is wrong is so for each letter, and servers lock accounts that try again.
            self._tries = _TRIES if problem.word == "bad-credentials" else self._tries
            self._broken = problem.word
            raise
        self._tries, self._broken = 0, None
        return client

    async def _connection(self) -> aiosmtplib.SMTP:
        place, implicit = self._place, self._place.scheme == "smtps"
        client = aiosmtplib.SMTP(
            hostname=place.host,
            port=place.port,
            timeout=self._profile.timeout,
            use_tls=implicit,
            start_tls=not implicit,
            tls_context=self._trusted,
            local_hostname="[127.0.0.1]",  # the name of this machine is nobody's business, and asking for it takes time
        )
        try:
            await client.connect()
            if place.user is not None and (password := password_of(self._profile)) is not None:
                await _logged_in(client, place.user, password)
        except SMTPAuthenticationError:
            client.close()
            raise NotConnected("bad-credentials") from None
        except (SMTPException, OSError, ValueError) as problem:
            client.close()
            raise NotConnected(_word(problem, starting=not implicit)) from None
        return client


async def _logged_in(client: aiosmtplib.SMTP, user: str, password: str) -> None:
    """Log in once: the library's own login tries a wrong password in every way that the server knows."""
    if client.is_ehlo_or_helo_needed:
        await client.ehlo()
    ways = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
    known = [way for name, way in ways.items() if name in client.supported_auth_methods]
    await (known[0] if known else client.login)(user, password)


def _word(problem: BaseException, starting: bool = False) -> str:
    """The word for what an exception of the library means."""
    if isinstance(problem, SMTPServerDisconnected):
        return "truncated"
    word = word_for(problem)
    if starting and word == "protocol-error" and "STARTTLS" in str(problem):
        return "tls-failed"
    return word


def _reply(problem: SMTPResponseException) -> str:
    """What the server said, on one line; one that repeats the password is not repeated."""
    return masked(f"{problem.code} {_CONTROL.sub(' ', problem.message)}")[:200]


async def _settled(workers: set[asyncio.Task[None]]) -> None:
    """What is under way has a moment to end."""
    if workers:
        _, left = await asyncio.wait(workers, timeout=_GRACE)
        for worker in left:
            worker.cancel()


async def _goodbye(clients: Sequence[aiosmtplib.SMTP]) -> None:
    for client in clients:
        with suppress(SMTPException, OSError, TimeoutError):
            async with asyncio.timeout(1):
                await client.quit()
        client.close()
