"""Diagnostics: one type for everything the product says about a query that it cannot run.

A :class:`Diagnostic` holds facts (code, symbolic name, sentence, span, notes, help); ``language.spans.render`` makes
the text that points at the user's own line. Every failure that reaches a user is a :class:`LogsqlError` (or a subclass
that says which exit code fits). What it says is a row of the catalogue (``codes.py``): :func:`diagnostic` fills it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.language import TOO_LONG
from logsql.diagnostics.messages import message, shortened
from logsql.diagnostics.redaction import masked

if TYPE_CHECKING:
    from logsql.language.tree import Span


@dataclass(frozen=True)
class Diagnostic:
    """One finding about a query.

    ``code`` is the number of language.md section 10 where there is one (``"90001"``), else ``E`` and four digits;
    ``name`` its symbolic name; ``span`` offsets into ``text``, the whole query as the user wrote it.
    """

    code: str
    name: str
    message: str
    span: Span | None = None
    notes: tuple[str, ...] = ()
    help: str | None = None
    text: str | None = None
    origin: str | None = None

    def located(self, text: str, origin: str | None = None) -> Diagnostic:
        """The same finding with the query text it belongs to, unless it already has one; the name of that text too."""
        if self.text is None:
            return replace(self, text=text, origin=origin)
        return replace(self, origin=origin) if self.origin is None and self.text == text else self


def diagnostic(
    said: Sentence,
    span: Span | None = None,
    /,
    *,
    help: str | None = None,
    notes: Iterable[str] = (),
    **facts: object,
) -> Diagnostic:
    """A row or sentence of the catalogue with its places filled, in the language in force.

    ``help`` takes the place of the sentence's own help line. A place without a fact is a programming error (KeyError).
    """
    if help is None and said.help is not None:
        help = said.help.fill(**facts)
    name = said.name.format_map(facts) if "{" in said.name else said.name
    told = said.text.fill(**facts)
    return Diagnostic(said.code, name, told, span, tuple(map(masked, notes)), None if help is None else masked(help))


class LogsqlError(Exception):
    """A query that cannot run, or failed while running. ``exit_code`` is what the command line returns."""

    exit_code = 1

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(f"[{diagnostic.code} {diagnostic.name}] {diagnostic.message}")
        self.diagnostic = diagnostic

    @property
    def code(self) -> str:
        return self.diagnostic.code

    @property
    def name(self) -> str:
        return self.diagnostic.name

    @property
    def span(self) -> Span | None:
        return self.diagnostic.span

    @property
    def notes(self) -> tuple[str, ...]:
        return self.diagnostic.notes

    @property
    def help(self) -> str | None:
        return self.diagnostic.help

    def located(self, text: str, origin: str | None = None) -> LogsqlError:
        """Attach the query text in place (errors are raised deep down, where the text is not known)."""
        self.diagnostic = self.diagnostic.located(text, origin)
        return self


class QueryError(LogsqlError):
    """The query is wrong: refused before a row is read."""


def too_long() -> QueryError:
    """An expression that is written flat but makes a deep tree: ``a + a + ...`` with a thousand operands."""
    return QueryError(diagnostic(TOO_LONG))


class RunError(LogsqlError):
    """The query was right but could not be carried out."""


class SourceError(RunError):
    """A file, table or address is missing, unreadable or not what the command reads."""

    exit_code = 3


class PolicyError(RunError):
    """The policy does not allow what the query asks for.

    It points at where the path begins and no further: what is said of two files is the same but for their names.
    """

    exit_code = 3

    def located(self, text: str, origin: str | None = None) -> LogsqlError:
        super().located(text, origin)
        if (span := self.diagnostic.span) is not None and span.end > span.start + 1:
            self.diagnostic = replace(self.diagnostic, span=replace(span, end=span.start + 1))
        return self


class TimeoutError_(RunError):
    """The time limit ended the query."""

    exit_code = 4


class Interrupted(RunError):
    """The user ended the query."""

    exit_code = 130


class UsageError(LogsqlError):
    """The command line or the configuration is wrong."""

    exit_code = 2


def nearest(name: str, candidates: Iterable[str], limit: int = 3, cutoff: float = 0.6) -> list[str]:
    """Names close to ``name``, nearest first, at most ``limit`` (for ``help:`` lines); ``cutoff`` from 0 to 1."""
    import difflib  # for cost: only mistakes need it

    pool = list(dict.fromkeys(candidates))
    lowered = {c.lower(): c for c in reversed(pool)}
    exact = [lowered[name.lower()]] if name.lower() in lowered and lowered[name.lower()] != name else []
    close = difflib.get_close_matches(name.lower(), list(lowered), n=limit + 1, cutoff=cutoff)
    found = exact + [lowered[c] for c in close if lowered[c] not in exact and lowered[c] != name]
    return found[:limit]


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """A help sentence with the nearest names, or None when nothing is near."""
    found = nearest(name, candidates)
    if not found:
        return None
    return message("help-did-you-mean", names=message("word-or").join(f'"{shortened(near)}"' for near in found))
