"""The help line for a name of another query language (``where``, ``strlen``, ``p95``), from the table of bridges."""

from __future__ import annotations

from collections.abc import Iterable

from logsql.diagnostics.errors import did_you_mean, nearest
from logsql.diagnostics.messages import message
from logsql.diagnostics.places import Place

#: How near a misspelt name of another language is: `whre` is "where" (0.89), `grep` is not "group" (0.67).
_NEAR = 0.82


def foreign_name(word: str, place: Place) -> str | None:
    """``help:`` for an unknown name that Splunk, KQL, ES|QL or SQL know; None for one that no row of the table has.

    >>> foreign_name("where", Place.COMMAND)
    'use search CONDITION'
    """
    from logsql.diagnostics.bridges import written_here  # for cost: a hundred rows that only a mistake needs

    form = written_here(word, place)
    return None if form is None else message("help-use", form=form)


def meant_name(word: str, place: Place, names: Iterable[str]) -> str | None:
    """``help:`` for an unknown name: the form here of what another language calls so, else the nearest of ``names``
    and of the names that other languages have; of those with the form here.

    >>> meant_name("statz", Place.COMMAND, ["stats", "search"])
    'did you mean "stats"?'
    >>> meant_name("whre", Place.COMMAND, ["stats", "search"])
    'did you mean "where"? use search CONDITION'
    """
    from logsql.diagnostics.bridges import foreign_words  # for cost: a hundred rows that only a mistake needs

    if form := foreign_name(word, place):
        return form
    known = list(names)
    near = nearest(word, known)
    theirs = nearest(word, [*near, *foreign_words(place)], cutoff=_NEAR)
    if not theirs or theirs[0] in near:
        return did_you_mean(word, known)
    return message("help-did-you-mean", names=f'"{theirs[0]}"') + f" {foreign_name(theirs[0], place)}"
