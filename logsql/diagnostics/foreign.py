"""The help line for a name of another query language (``where``, ``strlen``, ``p95``), from the table of bridges."""

from __future__ import annotations

from logsql.diagnostics.messages import message
from logsql.diagnostics.places import Place


def foreign_name(word: str, place: Place) -> str | None:
    """``help:`` for an unknown name that Splunk, KQL, ES|QL or SQL know; None for one that no row of the table has.

    >>> foreign_name("where", Place.COMMAND)
    'use search CONDITION'
    """
    from logsql.diagnostics.bridges import written_here  # for cost: a hundred rows that only a mistake needs

    form = written_here(word, place)
    return None if form is None else message("help-use", form=form)
