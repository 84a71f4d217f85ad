"""The answer to one search: page by page (RFC 2696), ranges of values to the end, referrals counted and not followed.

What ends a search early is told beside the rows that came; it is raised only where none came.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from logsql.configuration.settings import Profile
from logsql.connectors import ldapwire as wire
from logsql.connectors.ldapvalues import dn_text, merged, ranges, value
from logsql.connectors.ldapwire import Entry, Failed, Link, Result
from logsql.diagnostics.errors import LogsqlError, RunError, SourceError, diagnostic
from logsql.diagnostics.network import ANSWER_CUT, LDAP_CODES, SERVER_REFUSED, WORDS, search_word, unanswered
from logsql.diagnostics.redaction import Said
from logsql.planner.connections.directory import REFERRAL, Page, Search, Told

#: Bytes of entries that are handed on before their page is whole.
_AT_ONCE = 8 << 20
#: Pages without an entry, one after the other, that a server may send.
_EMPTY_PAGES = 1000
#: Codes of a search that ended before its end: timeLimitExceeded, sizeLimitExceeded, adminLimitExceeded.
_CUT = frozenset({3, 4, 11})
#: Codes of a server that knows no pages, or that grants none to this user.
_NO_PAGES = frozenset({11, 12, 53})
_OPERATIONS_ERROR, _REFERRED = 1, 10


def no_answer(target: str, word: str) -> LogsqlError:
    """The error for a word."""
    return unanswered(target, word)


def failure(target: str, problem: Failed) -> LogsqlError:
    """The error for what a server did or did not answer. Never the server's own text, which may quote the request."""
    if problem.word != "server-refused":
        return no_answer(target, problem.word)
    code = problem.code or 0
    meaning, name = WORDS[problem.word].fill(), LDAP_CODES.get(code, "?")
    said = diagnostic(SERVER_REFUSED, target=target, word=Said(problem.word), meaning=meaning, name=name, code=code)
    return SourceError(said)


@dataclass
class Pages:
    """One search over a bound connection."""

    target: str
    link: Link
    profile: Profile
    search: Search
    told: Told
    given: int = 0
    paged: bool = True

    def all(self) -> Iterator[Page]:
        """All pages. Raises LogsqlError only where no entry came."""
        try:
            yield from self._all()
        except Failed as problem:
            if not self.given:
                raise failure(self.target, problem) from None
            named = LDAP_CODES.get(problem.code or 0, "") if problem.word == "server-refused" else ""
            self._cut(named or problem.word)

    @property
    def left(self) -> int | None:
        """Entries that are still wanted; None for all."""
        return None if self.search.limit is None else self.search.limit - self.given

    def _all(self) -> Iterator[Page]:
        cookie, empty = b"", 0
        while self.left is None or self.left > 0:
            before = self.given
            end = yield from self._page(cookie)
            if self.left == 0:
                return
            if end.code in _NO_PAGES and self.paged and not self.given:
                self.paged = False
                continue
            if end.code != 0:
                self._ended(end.code)
                return
            empty = 0 if self.given > before else empty + 1
            if not end.cookie:
                return
            if (empty and end.cookie == cookie) or empty > _EMPTY_PAGES:
                raise Failed("protocol-error")
            cookie = end.cookie

    def _ended(self, code: int) -> None:
        if code == _REFERRED:
            self.told.lost(REFERRAL, 1, None)
        elif code in _CUT:
            self._cut(LDAP_CODES[code])
        elif code == _OPERATIONS_ERROR and not self.profile.user:  # what Active Directory says to who is not bound
            raise Failed("strong-auth-required", code)
        else:
            raise Failed(search_word(code), code)

    def _cut(self, reason: str) -> None:
        """The rows that came are handed on, and the query ends in an error behind them."""
        self.told.failed(RunError(diagnostic(ANSWER_CUT, target=self.target, reason=reason, rows=self.given)))

    # --- one page ---------------------------------------------------------------------------------

    def _page(self, cookie: bytes) -> Generator[Page, None, Result]:
        """The entries of one page, in one part or, where they are large, in several; its result."""
        held: list[Entry] = []
        size, whole = 0, True
        number = self.link.ask(lambda number: self._request(number, cookie))
        try:
            for found in self.link.answers(number):
                if isinstance(found, Result):
                    yield from self._handed(held)
                    return found
                if found is None:
                    self.told.lost(REFERRAL, 1, None)
                    continue
                held.append(found)
                size, whole = size + found.size, whole and not ranges(found.attributes)
                if size > _AT_ONCE and whole:
                    started = time.monotonic()
                    yield from self._handed(held)
                    self.link.paused(time.monotonic() - started)
                    held, size = [], 0
                    if self.left == 0:
                        return Result(0)
        except Failed:
            # What came before the break is whole, but for ranges that nobody can be asked for any more.
            yield from self._handed([one for one in held if not any(ranges(one.attributes).values())])
            raise
        raise Failed("protocol-error")

    def _request(self, number: int, cookie: bytes) -> bytes:
        search, page = self.search, None
        if self.paged:
            page = self.profile.page if self.left is None else min(self.profile.page, self.left)
        return wire.search_request(number, search.base, search.scope, search.filter, search.attributes, page, cookie)

    def _handed(self, entries: list[Entry]) -> Iterator[Page]:
        """Entries as they are handed on: as many as are wanted, their ranges fetched."""
        wanted = entries if self.left is None else entries[: self.left]
        if not wanted:
            return
        lists = frozenset(name.lower() for name in self.profile.lists)
        page = []
        for one in wanted:
            attributes = self._fetched(one)
            values = {name: value(name, given, lists, self.told.lost) for name, given in attributes.items()}
            page.append((dn_text(one.dn, self.told.lost), values))
        self.given += len(page)
        yield page

    def _fetched(self, one: Entry) -> dict[str, list[bytes]]:
        """The attributes of an entry with all their values (MS-ADTS 3.1.1.3.1.3.3)."""
        found = ranges(one.attributes)
        attributes = merged(one.attributes)
        for name, start in found.items():
            while start:
                more, after = self._range(one.dn, name, start)
                attributes.setdefault(name, []).extend(more)
                if after and after <= start:
                    raise Failed("protocol-error")
                start = after
        return attributes

    def _range(self, dn: bytes, name: str, start: int) -> tuple[list[bytes], int]:
        """The values of an attribute from a place on, and the place behind them (0: the end)."""
        asked = (f"{name};range={start}-*",)
        base = dn.decode("utf-8", "replace")
        request = self.link.ask(lambda number: wire.search_request(number, base, "base", "(objectClass=*)", asked))
        came: Entry | None = None
        for found in self.link.answers(request):
            if isinstance(found, Entry):
                came = found
            elif isinstance(found, Result) and found.code != 0:
                raise Failed(search_word(found.code), found.code)
        following = {} if came is None else {key.lower(): place for key, place in ranges(came.attributes).items()}
        if came is None or name.lower() not in following:
            raise Failed("truncated")
        values = [one for key, given in came.attributes.items() if ";range=" in key.lower() for one in given]
        return values, following[name.lower()]
