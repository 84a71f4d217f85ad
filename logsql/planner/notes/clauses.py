"""Clauses of other languages behind the new name of a result: ``stats count as n where a > 1``."""

from __future__ import annotations

import re

from logsql.diagnostics.names import (
    CLAUSE_IN_NAME,
    COMMAND_BEHIND,
    KEYS_BEHIND,
    SEARCH_BEFORE,
    SEARCH_BEHIND,
)
from logsql.language.tree import Aggregate
from logsql.planner.notes.fields import Say

_CLAUSE = re.compile(
    r"(?P<name>\w+)\s+(?P<word>where|filter|if|when|having|search|sort|limit)\s+(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)
#: What stands before ``by``, which begins the keys.
_BEFORE_BY = re.compile(r"(?P<name>\w+)\s+(?P<word>group|order)(?P<rest>)", re.IGNORECASE)


def tell_output(note: Say, command: str, aggregate: Aggregate) -> None:
    """Look at the name that ``as`` gives to the result of an aggregate."""
    text = aggregate.output.text if aggregate.aliased else ""
    found = _CLAUSE.fullmatch(text) or _BEFORE_BY.fullmatch(text)
    if found is None:
        return
    word = found["word"].lower()
    facts = {"command": command, "name": found["name"], "rest": found["rest"] or "...", "word": word}
    if word in ("where", "filter", "if", "when"):
        help = SEARCH_BEFORE.fill(**facts)
    elif word in ("having", "search"):
        help = SEARCH_BEHIND.fill(**facts)
    elif word == "group":
        help = KEYS_BEHIND.fill(**facts)
    else:
        help = COMMAND_BEHIND.fill(**{**facts, "word": "sort" if word == "order" else word})
    note(CLAUSE_IN_NAME, aggregate.output.span, help=help, text=text, word=word)
