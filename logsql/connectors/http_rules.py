"""What becomes of a request besides being sent: redirects, repetitions, the patience with a host, kept answers."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import sha256
from typing import ParamSpec, TypeVar

from tenacity import RetryCallState, wait_exponential_jitter

from logsql.configuration.settings import Host, Network, Rate
from logsql.connectors.fence import Fence, Refused
from logsql.connectors.http_exchange import Exchange, NoAnswer, Reply
from logsql.connectors.http_urls import (
    Headers,
    Site,
    Target,
    bad,
    bad_of_row,
    injected,
    redirected,
    settings_of,
    target_of,
)
from logsql.connectors.rates import Rates
from logsql.planner.connections.http import Answer, Ask
from logsql.store.answers import Answers

P = ParamSpec("P")
T = TypeVar("T")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
#: Answers after which a request that may be repeated is repeated.
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Those after which POST is, too, where the server says when.
_AGAIN_POST = frozenset({429, 503})
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
#: Headers that go along to another origin.
_HARMLESS = frozenset({"accept", "accept-encoding", "user-agent"})
_SECONDS = re.compile(r"\s*(\d+(?:\.\d+)?)\s*", re.ASCII)
#: First wait between two attempts, and the chance that is added to each.
_FIRST, _JITTER = 0.5, 0.25
#: Answers of this many bytes in all are remembered within a run, so that equal requests are one.
_REMEMBERED = 64_000_000


@dataclass(frozen=True)
class Limits:
    """The terms of one query, settings filled in. Times in seconds. ``until``: when the query's time is over."""

    timeout: float
    parallel: int
    retries: int
    cache: float | None
    rate: Rate | None
    until: float | None


@dataclass
class _HostState:
    """What a query knows of a host: requests under way, and when it may be asked again."""

    under_way: asyncio.Semaphore | None
    settings: Host | None
    rates: list[Rate]
    unsafe: bool
    """Whether it would be reached without TLS, and may not be."""
    paused: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Requests ask for their moment in their order."""


@dataclass
class Shared:
    """What the queries of a session share."""

    network: Network
    fence: Fence
    exchange: Exchange
    rates: Rates
    answers: Answers | None


@dataclass
class Query:
    """The requests of one query, on the loop of its session. ``waiting`` says how long a host is waited for.

    ``aside`` holds a context as long as a request waits for something else than its answer: others may go ahead.
    """

    shared: Shared
    limits: Limits
    waiting: Callable[[str, float], None]
    aside: Callable[[], AbstractContextManager[None]]
    _hosts: dict[tuple[str, str, int], _HostState] = field(default_factory=dict)
    _flights: dict[bytes, asyncio.Future[Answer]] = field(default_factory=dict)
    _remembered: int = 0

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.limits.parallel)

    async def answer(self, ask: Ask) -> Answer:
        """The answer of a request, or why there is none."""
        try:
            target = target_of(ask.url)
        except Refused as refused:
            return Answer("", "", error=refused.word)
        if ask.bad_header or (ask.headers and bad_of_row(ask.headers)):
            return Answer(target.shown, target.site.place, error="bad-header")
        state = self._state(target.site)
        host, age = state.settings, self.limits.cache
        if age is None and host is not None:
            age = host.cache
        if age is not None and ask.method == "GET":
            return await self._kept(ask, target, state, age)
        return await self._attempts(ask, target, state)

    # --- kept answers -----------------------------------------------------------------------------------------------

    async def _kept(self, ask: Ask, target: Target, state: _HostState, age: float) -> Answer:
        """The answer of an equal request: one that is under way, one of this run, one of the last ``age`` seconds."""
        key = _key(ask, target)
        flight = self._flights.get(key)
        if flight is not None:
            with self.aside():
                return await asyncio.shield(flight)
        answers = self.shared.answers
        if answers is not None and (kept := answers.get(key, age)) is not None:
            return Answer(target.shown, target.site.place, 200, content_type=kept.kind, body=kept.body)
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._attempts(ask, target, state)
        except BaseException as problem:
            del self._flights[key]
            flight.set_exception(problem if isinstance(problem, Exception) else asyncio.CancelledError())
            flight.exception()
            raise
        flight.set_result(answer)
        good = answer.code == 200 and answer.body is not None
        if answer.body is not None and good and answers is not None:
            answers.put(key, answer.content_type, answer.body)
        self._remembered += len(answer.body or b"")
        if not good or self._remembered > _REMEMBERED:
            del self._flights[key]
        return answer

    # --- repetitions ------------------------------------------------------------------------------------------------

    async def _attempts(self, ask: Ask, target: Target, state: _HostState) -> Answer:
        """Attempts until an answer is good, or the last one allowed."""
        attempt = 1
        if state.under_way is not None:
            with self.aside() if state.under_way.locked() else nullcontext():
                await state.under_way.acquire()
        try:
            while True:
                answer, wait = await self._attempt(ask, target, state, attempt)
                if wait is None or attempt > self.limits.retries:
                    return answer
                if state.paused < time.monotonic():
                    await self._sleep(target.site.host, wait)
                attempt += 1
        finally:
            if state.under_way is not None:
                state.under_way.release()

    async def _attempt(self, ask: Ask, target: Target, state: _HostState, attempt: int) -> tuple[Answer, float | None]:
        """One attempt, and the seconds to wait for the next one; None: it is the answer."""
        try:
            reply = await self._follow(ask, target, state)
        except NoAnswer as no:
            again = no.unsent or (no.reading and ask.method in _REPEATABLE)
            failed = Answer(target.shown, target.site.place, no.status, no.word, no.kind)
            return failed, _backoff(attempt, self.shared.network.retry_wait) if again else None
        host, status = state.settings, reply.status
        kind = reply.headers.get("Content-Type", "")
        answer = Answer(target.shown, target.site.place, status, content_type=kind, body=reply.body)
        full = status == 429 or (host is not None and status in host.quota_status)
        if not full and status not in _AGAIN:
            return answer, None
        said = _retry_after(reply.headers.get("Retry-After"))
        answer = replace(answer, wait=said)
        if not self._repeated(ask.method, status, full, said):
            return answer, None
        longest = self.shared.network.retry_wait
        if said is not None and not 0 <= said <= longest:
            return answer, None
        wait = said if said is not None else _backoff(attempt, longest)
        if full:
            state.paused = max(state.paused, time.monotonic() + wait)
        return answer, wait

    @staticmethod
    def _repeated(method: str, status: int, full: bool, said: float | None) -> bool:
        if method in _REPEATABLE:
            return full or status in _AGAIN
        return said is not None and (full or status in _AGAIN_POST)

    # --- redirects --------------------------------------------------------------------------------------------------

    async def _follow(self, ask: Ask, target: Target, state: _HostState) -> Reply:
        """Send a request and those that its redirects ask for. Raises NoAnswer."""
        method, body = ask.method, ask.body
        headers = _with_auth(ask, target)
        for _ in range(self.shared.network.redirects + 1):
            reply = await self._send(target, state, method, headers, body)
            if reply.status not in _REDIRECTS or (location := reply.headers.get("Location")) is None:
                return reply
            try:
                there = redirected(target, location)
            except Refused as refused:
                raise NoAnswer(refused.word) from None
            if target.site.scheme == "https" and there.site.scheme == "http":
                raise NoAnswer("refused-scheme")
            if there.site.origin != target.site.origin:
                if reply.status in _KEEP_METHOD:
                    raise NoAnswer("refused-redirect")
                headers = tuple(pair for pair in headers if pair[0].lower() in _HARMLESS)
            if reply.status not in _KEEP_METHOD:
                if ask.whole and body is not None:
                    raise NoAnswer("refused-redirect")
                method, body = "GET", None
                headers = tuple(pair for pair in headers if pair[0].lower() != "content-type")
            target, state = there, self._state(there.site)
        raise NoAnswer("too-many-redirects")

    async def _send(
        self, target: Target, state: _HostState, method: str, headers: Headers, body: bytes | None
    ) -> Reply:
        """One request, when its host may be asked and there is room for it. Raises NoAnswer."""
        if state.unsafe:
            raise NoAnswer("refused-scheme")
        name, host, rates = target.site.host, state.settings, state.rates
        asked, with_settings = injected(target, headers, host)
        if with_settings is not headers and bad(with_settings):  # a file of a secret may have two lines
            raise NoAnswer("bad-header")
        while True:
            if state.paused and (pause := state.paused - time.monotonic()) > 0:
                await self._sleep(name, pause)
                continue
            async with self._slots:
                wait, moment = state.paused and state.paused - time.monotonic(), 0.0
                if wait <= 0 and rates:
                    wait, moment = await self._taken(name, state, rates)
                if wait <= 0:
                    try:
                        return await self.shared.exchange.ask(
                            asked, host, method, with_settings, body, self.limits.timeout
                        )
                    finally:
                        if rates:
                            self._in_thread(self.shared.rates.arrived, name, moment)
            if self.limits.until is not None and time.monotonic() + wait > self.limits.until:
                raise NoAnswer("rate-limited")
            await self._sleep(name, wait)

    async def _taken(self, host: str, state: _HostState, rates: list[Rate]) -> tuple[float, float]:
        """0 and the moment when the host's rates let one request go, else the seconds to wait."""
        async with state.turn:
            return await self._in_thread(self.shared.rates.take, host, rates)

    @staticmethod
    def _in_thread(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> asyncio.Future[T]:
        """Begin with what takes a file's time."""
        return asyncio.get_running_loop().run_in_executor(None, partial(work, *args, **named))

    async def _sleep(self, host: str, seconds: float) -> None:
        self.waiting(host, seconds)
        with self.aside():
            await asyncio.sleep(seconds)

    def _state(self, site: Site) -> _HostState:
        state = self._hosts.get(site.origin)
        if state is None:
            host = settings_of(self.shared.network.hosts, site)
            most = host.parallel if host is not None else None
            rates = [rate for rate in (host.rate if host is not None else None, self.limits.rate) if rate is not None]
            unsafe = site.scheme == "http" and not self.shared.fence.plain(site.host, site.port)
            under_way = asyncio.Semaphore(most) if most else None
            state = self._hosts[site.origin] = _HostState(under_way, host, rates, unsafe)
        return state


def _with_auth(ask: Ask, target: Target) -> Headers:
    """The headers of a row, with those of ``auth=`` or of the user in the URL unless it brings its own."""
    user = ask.auth if ask.auth is not None else target.user
    if user is None or any(name.lower() == "authorization" for name, _ in ask.headers):
        return ask.headers
    if ask.auth is None:
        from urllib.parse import unquote  # for cost: few URLs have a user

        user = unquote(user)
    return (*ask.headers, ("Authorization", "Basic " + base64.b64encode(user.encode()).decode()))


def _key(ask: Ask, target: Target) -> bytes:
    """The hash of a request as it was before the settings of its host were put in."""
    parts = [ask.method, target.url, target.user or "", ask.auth or ""]
    parts += [text for pair in sorted((name.lower(), value) for name, value in ask.headers) for text in pair]
    digest = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def _backoff(attempt: int, longest: float) -> float:
    """Seconds before the next attempt: 0.5, 1, 2 ... and a little by chance."""
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]
    state.attempt_number = attempt
    return wait_exponential_jitter(multiplier=_FIRST, max=longest, jitter=_JITTER)(state)


def _retry_after(text: str | None) -> float | None:
    """Seconds that a server asks for, below 0 for what is no time; None where it says nothing."""
    if text is None:
        return None
    if (found := _SECONDS.fullmatch(text)) is not None:
        return float(found[1])
    try:
        when = parsedate_to_datetime(text)
        seconds = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return -1.0
    return seconds if seconds > 0 else (0.0 if seconds > -1 else -1.0)
