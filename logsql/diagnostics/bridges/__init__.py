"""Names that analysts bring from other query languages, and how the same is written here.

One row per idea: the words of Splunk's SPL, of KQL, of ES|QL and of SQL that mean it, the form here, and one query over
the rows of ``TABLE`` with the SQL statement that gives the same rows (the suite runs both). The ``help:`` line of an
unknown command, function or aggregate comes from here, and so does the page "Coming from Splunk, KQL or SQL". What the
words mean there is told by the public command references of the four languages.
"""

from __future__ import annotations

from logsql.diagnostics.bridges.aggregates import AGGREGATES
from logsql.diagnostics.bridges.commands import COMMANDS
from logsql.diagnostics.bridges.functions import FUNCTIONS
from logsql.diagnostics.bridges.row import SOURCE, TABLE, Bridge
from logsql.diagnostics.messages import message
from logsql.diagnostics.places import Place

__all__ = ["BRIDGES", "SOURCE", "TABLE", "Bridge", "bridges_of", "foreign_words", "written_here"]

#: Every row: commands, functions, aggregates.
BRIDGES: tuple[Bridge, ...] = COMMANDS + FUNCTIONS + AGGREGATES


def written_here(word: str, place: Place) -> str | None:
    """How what another language calls ``word`` is written here; None for a word that no row knows.

    Letter case does not matter, a hyphen and an underscore are the same. A word with several meanings gives each.

    >>> written_here("WHERE", Place.COMMAND)
    'search CONDITION'
    >>> written_here("p95", Place.AGGREGATE)
    'percentile(x, 95)'
    >>> written_here("nothing", Place.COMMAND) is None
    True
    """
    forms = [bridge.form for bridge in bridges_of(word) if bridge.place is place]
    return message("word-or").join(dict.fromkeys(forms)) or None


def bridges_of(word: str) -> list[Bridge]:
    """The rows that have a word, whatever it is the name of."""
    wanted = _plain(word)
    return [bridge for bridge in BRIDGES if any(_plain(w) == wanted for w in bridge.words())]


def foreign_words(place: Place) -> list[str]:
    """The names that other languages have for a command, a function or an aggregate."""
    return list(dict.fromkeys(word for bridge in BRIDGES if bridge.place is place for word in bridge.words()))


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
