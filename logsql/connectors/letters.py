"""Mails as they go out: addresses taken apart and checked, headers encoded, nothing in a header that ends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from logsql.connectors.fence import Refused, spelled
from logsql.planner.connections.mail import Letter

#: The items of a comma list; a comma inside quotes is none.
_ITEM = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^",])+')
_NAMED = re.compile(r'(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[^<>"]*))\s*<(?P<address>[^<>\s]+)>')
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_BREAK = re.compile(r"[\r\n\0]")
_OTHER_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Unfit(Exception):
    """A letter that cannot go out: the word, and what it is about."""

    def __init__(self, word: str, detail: str) -> None:
        super().__init__(word)
        self.word = word
        self.detail = detail


@dataclass(frozen=True)
class Envelope:
    """A mail ready to be sent: to whom, and its bytes."""

    recipients: tuple[str, ...]
    data: bytes


def envelope(letter: Letter, sender: str) -> Envelope:
    """The mail of a letter. ``sender``: an address, which may have a name. Raises :class:`Unfit`."""
    for name in ("to", "subject", "message"):
        if not getattr(letter, name) and not (name != "to" and getattr(letter, name) == ""):
            raise Unfit("missing-field", name)
    for name in ("to", "cc", "bcc", "subject"):
        if _BREAK.search(getattr(letter, name) or ""):
            raise Unfit("bad-header", name)
    lists = {name: list(_addresses(getattr(letter, name) or "")) for name in ("to", "cc", "bcc")}
    if not lists["to"]:
        raise Unfit("missing-field", "to")
    message = EmailMessage(policy=SMTP)
    own = address(sender)
    message["From"] = own
    message["To"] = lists["to"]
    if lists["cc"]:
        message["Cc"] = lists["cc"]
    message["Subject"] = _OTHER_CONTROL.sub(" ", letter.subject or "")
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=own.domain)
    text = (letter.message or "").encode("utf-8", "replace").decode("utf-8")
    message.set_content(text, subtype="html" if letter.html else "plain", charset="utf-8")
    everybody = dict.fromkeys(one.addr_spec for found in lists.values() for one in found)
    return Envelope(tuple(everybody), message.as_bytes())


def _addresses(text: str) -> Iterator[Address]:
    """The addresses of a comma list; an empty item is none. Raises :class:`Unfit`."""
    rest = _ITEM.sub("", text)
    if rest.strip(", \t"):
        raise Unfit("bad-address", text)
    for item in _ITEM.findall(text):
        if item.strip():
            yield address(item.strip())


def address(text: str) -> Address:
    """``a@b.example``, ``<a@b.example>``, ``Name <a@b.example>``. Raises :class:`Unfit`, ``bad-address``.

    >>> address("홍길동 <gildong@예시.example>").addr_spec
    'gildong@xn--vv4b11d.example'
    """
    named = _NAMED.fullmatch(text)
    spec = named["address"] if named else text
    local, at, domain = spec.rpartition("@")
    if not at or _LOCAL.fullmatch(local) is None or len(local) > 64:
        raise Unfit("bad-address", text)
    name = ""
    if named:
        name = re.sub(r"\\(.)", r"\1", named["quoted"]) if named["quoted"] is not None else named["plain"].strip()
    try:
        return Address(_OTHER_CONTROL.sub(" ", name), local, spelled(domain))
    except (Refused, ValueError):
        raise Unfit("bad-address", text) from None
