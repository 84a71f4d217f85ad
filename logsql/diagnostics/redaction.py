"""The last line of defence of secrets: a text that leaves has the secrets that this process read masked.

Nothing should put a secret into a sentence; an exception of a library may. Every fact that a sentence is filled with
and every other line on stderr passes through :func:`masked`, which costs nothing where no secret was read. Sentences of
the catalogue are :class:`Said`, and left alone: with the password "wrong" one would read "the password is ***", which
tells the password.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping

#: What stands in the place of a secret.
MASK = "***"
#: A secret with fewer characters is no word that could be told from others in a sentence: "e" would spoil every word,
#: and be told by that. It is masked only where nothing but a secret stands: before the @ of a URL, as a parameter of
#: one, behind Bearer and behind a name that says what it is.
FEWEST = 4
_BEFORE = (
    r"(?P<before>://[^\s/@:'\"]*:(?=[^\s/@]*@)|[?&][^\s=&#?'\"]*="
    r"|\b(?i:bearer\s+|(?:password|passwd|pwd|token|secret|api[_-]?key)['\"]?\s*[=:]\s*['\"]?))"
)
_BEHIND = r"(?=[@&#\s'\")\]}>,;]|$)"


class Said(str):
    """A text that holds nothing unmasked from outside: our own words, with facts that were masked."""

    __slots__ = ()


class Redactor:
    """Remembers secrets, in all forms in which they may be written, and masks them.

    >>> redactor = Redactor()
    >>> redactor.add(["s/cr et", "s%2Fcr+et"])
    >>> redactor.masked("401 for https://a.example/?key=s%2Fcr+et and 's/cr et'")
    "401 for https://a.example/?key=*** and '***'"
    >>> redactor.add(["abc"])
    >>> redactor.masked("abc of https://me:abc@a.example/abc?key=abc&b=abcd")
    'abc of https://me:***@a.example/abc?key=***&b=abcd'
    """

    def __init__(self) -> None:
        self._forms: frozenset[str] = frozenset()
        self.pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, forms: Iterable[str]) -> None:
        """From now on these are masked; those of fewer than four characters where only secrets stand."""
        with self._lock:  # connectors read theirs in threads
            new = {form for form in forms if form} - self._forms
            if new:
                self._forms |= new
                longest = sorted(self._forms, key=len, reverse=True)
                words = [re.escape(form) for form in longest if len(form) >= FEWEST]
                short = [re.escape(form) for form in longest if len(form) < FEWEST]
                bounded = [f"{_BEFORE}(?:{'|'.join(short)}){_BEHIND}"] if short else []
                self.pattern = re.compile("|".join([*words, *bounded]))

    def masked(self, text: str) -> str:
        """The text without the secrets."""
        return text if isinstance(text, Said) or self.pattern is None else self.pattern.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    return _before(found) + MASK


def _before(found: re.Match[str]) -> str:
    """What stands before a short secret, which is no part of it."""
    return found.groupdict().get("before") or ""


#: Of this process: whichever session read a secret, it leaves through none.
SECRETS = Redactor()


def masked(text: str) -> str:
    """The text without the secrets that this process read."""
    return SECRETS.masked(text)


def covered(text: str) -> str:
    """The text without the secrets and as long as it was, so that a caret below it stands where it stood."""
    pattern = SECRETS.pattern
    return text if pattern is None else pattern.sub(_starred, text)


def _starred(found: re.Match[str]) -> str:
    before = _before(found)
    return before + "*" * (len(found[0]) - len(before))


def masked_facts(facts: Mapping[str, object]) -> Mapping[str, object]:
    """What a sentence is filled with, without the secrets; numbers and our own words stay what they are."""
    if SECRETS.pattern is None:
        return facts
    return {name: fact if isinstance(fact, int | float | Said) else _masked(fact) for name, fact in facts.items()}


def _masked(fact: object) -> object:
    """An exception is a text as well, once it is printed."""
    told = str(fact)
    shown = masked(told)
    return fact if shown == told else shown
