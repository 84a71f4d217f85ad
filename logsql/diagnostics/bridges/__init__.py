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
from logsql.diagnostics.places import Place

__all__ = ["BRIDGES", "SOURCE", "TABLE", "Bridge", "written_here"]

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
    wanted = _plain(word)
    forms = [b.form for b in BRIDGES if b.place is place and any(_plain(w) == wanted for w in b.words())]
    return "; ".join(dict.fromkeys(forms)) or None


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
