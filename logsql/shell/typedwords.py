"""Words of the command line and of the shell that were typed as a query: ``-q "hlep stats"``, ``-q "\\set x=1"``."""

from __future__ import annotations

import re
from dataclasses import replace

from logsql.conversation.outcome import Outcome
from logsql.diagnostics.errors import nearest
from logsql.diagnostics.language import UNSUPPORTED_COMMAND
from logsql.diagnostics.messages import message
from logsql.language.sqlwords import is_sql
from logsql.registry import COMMANDS
from logsql.shell.invocation import VERBS
from logsql.shell.metas import METAS

#: How near a misspelt verb is: `hlep` is "help" (0.75).
_NEAR = 0.75
_EXPLAIN = re.compile(
    r"\s*explain\s+(?P<before>(?:--run|analyze)\s+)?(?P<query>\S.*?)(?P<behind>\s+--run)?\s*", re.DOTALL
)


def explained(text: str) -> tuple[str, bool] | None:
    """The query that a text beginning with the verb ``explain`` is about, and whether it is to run too; None for
    anything else: a statement of SQL, a word that begins no query.

    >>> explained('explain --run json "{}" | limit 1'), explained('explain json "{}" --run')
    (('json "{}" | limit 1', True), ('json "{}"', True))
    >>> explained('explain analyze json "{}"')
    ('json "{}"', True)
    >>> explained("explain select 1"), explained("explain analyze select 1"), explained("EXPLAIN table t")
    (None, None, None)
    """
    found = _EXPLAIN.fullmatch(text)
    if found is None:
        return None
    words = found["query"].split(None, 1)
    begins = words[0] in COMMANDS or words[0][0] in "#["
    return (found["query"], bool(found["before"] or found["behind"])) if begins else None


def helped(outcome: Outcome, text: str) -> Outcome:
    """The outcome; where a word that is no command stands in the place of one, and is a word of the command line, its
    help says so."""
    error = outcome.error
    if error is None or error.code != UNSUPPORTED_COMMAND.code:
        return outcome
    help = meant(text)
    if help is None and error.help is None and error.span is not None:  # json "{}" | explain
        help = meant(text[error.span.start : error.span.end])
    return outcome if help is None else replace(outcome, error=replace(error, help=help))


def meant(text: str) -> str | None:
    """What the first word of a query is that is no command; None where it is nothing of ours.

    >>> meant("hlep stats")
    'perhaps help, which stands on the command line: logsql help [NAME]'
    >>> meant("\\\\set x=1"), meant("quit")
    ('\\\\set is a word of the shell: start logsql without -q', 'quit is a word of the shell: start logsql without -q')
    >>> meant("explain select 1"), meant("stats count"), meant("statz count")
    (None, None, None)
    >>> meant("explain")
    "explain stands on the command line: logsql explain 'QUERY' [--run]"
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
    if word in VERBS:
        known = word != "explain" or not is_sql(" ".join(rest), ())  # EXPLAIN SELECT is SQL
        return message("help-verb", word=word, usage=VERBS[word].usage) if known else None
    if nearest(word, COMMANDS, cutoff=_NEAR) or not (near := nearest(word, VERBS, cutoff=_NEAR)):
        return None
    return message("help-near-verb", word=near[0], usage=VERBS[near[0]].usage)
