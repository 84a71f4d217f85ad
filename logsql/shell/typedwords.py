"""Words of the command line and of the shell that were typed as a query: ``-q "hlep stats"``, ``-q "\\set x=1"``."""

from __future__ import annotations

from dataclasses import replace

from logsql.conversation.outcome import Outcome
from logsql.diagnostics.errors import nearest
from logsql.diagnostics.language import UNSUPPORTED_COMMAND
from logsql.diagnostics.messages import message
from logsql.registry import COMMANDS
from logsql.shell.invocation import VERBS
from logsql.shell.metas import METAS

#: How near a misspelt verb is: `hlep` is "help" (0.75).
_NEAR = 0.75


def helped(outcome: Outcome, text: str) -> Outcome:
    """The outcome; where the first word of the query is no command, and one of the command line, its help says so."""
    error = outcome.error
    if error is None or error.code != UNSUPPORTED_COMMAND.code or (help := meant(text)) is None:
        return outcome
    return replace(outcome, error=replace(error, help=help))


def meant(text: str) -> str | None:
    """What the first word of a query is that is no command; None where it is nothing of ours.

    >>> meant("hlep stats")
    'perhaps help, which stands on the command line: logsql help [NAME]'
    >>> meant("\\\\set x=1"), meant("quit")
    ('\\\\set is a word of the shell: start logsql without -q', 'quit is a word of the shell: start logsql without -q')
    >>> meant("explain select 1"), meant("stats count"), meant("statz count")
    (None, None, None)
    """
    word, *rest = text.split(None, 2) or [""]
    if word in COMMANDS:
        return None
    if word.rstrip(";").removesuffix("()") in ("exit", "quit"):
        return message("help-shell-word", word=word)
    if word.startswith("\\"):
        names = [meta.name for meta in METAS]
        found = word if word in names else next(iter(nearest(word, names)), None)
        return None if found is None else message("help-shell-word", word=found)
    if word in VERBS:  # EXPLAIN SELECT is SQL
        known = word != "explain" or (bool(rest) and rest[0] in COMMANDS)
        return message("help-verb", word=word, usage=VERBS[word].usage) if known else None
    if nearest(word, COMMANDS, cutoff=_NEAR) or not (near := nearest(word, VERBS, cutoff=_NEAR)):
        return None
    return message("help-near-verb", word=near[0], usage=VERBS[near[0]].usage)
