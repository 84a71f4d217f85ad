"""The help line for a name of another query language (``where``, ``strlen``, ``p95``), from the table of bridges."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Sequence
from typing import TYPE_CHECKING

from logsql.diagnostics.errors import did_you_mean, nearest
from logsql.diagnostics.messages import message
from logsql.diagnostics.places import Place

if TYPE_CHECKING:
    from logsql.diagnostics.bridges.tables import Tables

#: How near a misspelt name of another language is: `whre` is "where" (0.89), `grep` is not "group" (0.67).
_NEAR = 0.82
#: So many characters before and behind a mistake are looked at.
_AROUND = 400


def _tables() -> type[Tables]:
    from logsql.diagnostics.bridges.tables import Tables  # for cost: hundreds of rows that only a mistake needs

    return Tables


def form_here(word: str, place: Place) -> str | None:
    """How what another language calls ``word`` is written here; None for a word that no row of the table has."""
    return _tables().written_here(word, place)


def foreign_name(word: str, place: Place) -> str | None:
    """``help:`` for an unknown name that Splunk, KQL, ES|QL or SQL know; None for one that no row of the table has.

    >>> foreign_name("where", Place.COMMAND)
    'use search CONDITION'
    """
    form = _tables().written_here(word, place)
    return None if form is None else message("help-use", form=form)


def meant_construct(text: str, begin: int, end: int, at: int, place: Place | None = None) -> str | None:
    """``help:`` for an operator or clause of another language around ``at``, between ``begin`` and ``end``.

    ``place``: COMMAND where an assignment stands, AGGREGATE where an aggregate does, else an expression.

    >>> meant_construct("a between 1 and 5", 0, 17, 2)
    'use a >= 1 and a <= 5'
    >>> meant_construct("a += 1", 0, 6, 0, Place.COMMAND)
    'use a = a + 1'
    >>> meant_construct("a == 1", 0, 6, 2) is None
    True
    """
    begin, end = max(begin, at - _AROUND), min(end, at + _AROUND)
    rows = _tables().constructs
    if place is Place.COMMAND:
        rows = _tables().assignments + rows
    elif place is Place.AGGREGATE:
        rows = _tables().aggregates + rows
    form = next(filter(None, (row.meant(text, begin, end, at) for row in rows)), None)
    return None if form is None else message("help-use", form=form)


def meant_span(written: str) -> str | None:
    """``help:`` for a time span in the spelling of another language; None for a text that is none.

    >>> meant_span("5minutes")
    'use 5m'
    """
    form = _tables().span_here(written)
    return None if form is None else message("help-use", form=form)


def foreign_operator(word: str) -> str | None:
    """``help:`` for an operator of another language; None for a word that is none.

    >>> foreign_operator("&&")
    'use and'
    """
    form = _tables().operators.get(word)
    return None if form is None else message("help-use", form=form)


def is_wrapper(word: str) -> bool:
    """Whether another language wraps an expression in a function of this name: Splunk's ``count(eval(...))``."""
    return word.lower() in _tables().wrappers


def moved_by(value: str, sign: str, span: str) -> str | None:
    """A date moved by a span of another language: ``_time - 1h``; None for a text that is no span.

    >>> moved_by("now()", "-", "1h"), moved_by("_time", "+", "5min"), moved_by("_time", "-", "x")
    ('ago("1h")', 'dateadd(_time, "min", 5)', None)
    """
    found = re.fullmatch(r"(\d{1,18})([A-Za-z]+)", span)
    return None if found is None else _tables().moved(value, sign, found[1], found[2])


def relative_time(written: str) -> str | None:
    """A time relative to now as other languages write it: ``-24h@h``, ``now-1d``, ``today``; None for another text.

    >>> relative_time("-24h@h"), relative_time("now"), relative_time("2024-01-01")
    ('ago("24h")', 'now()', None)
    """
    found = re.fullmatch(r"(?:now)?\s*-\s*(\d+)([A-Za-z]+)(?:[@/]\w+)?", written)
    return _tables().moments.get(written.lower()) if found is None else moved_by("now()", "-", found[1] + found[2])


def written_elsewhere(name: str) -> str | None:
    """What is meant by a name that no row has and that another language reads as more: a span, a cast, a function.

    >>> written_elsewhere("24h"), written_elsewhere("s::int"), written_elsewhere("current_timestamp")
    ('ago("24h") / dateadd(DATE, "hour", 24)', 'int(s)', 'now()')
    """
    if re.fullmatch(r"\d+[A-Za-z]+", name) and (ago := moved_by("now()", "-", name)):
        return f"{ago} / {moved_by('DATE', '+', name)}"
    if found := re.fullmatch(r"(.+?)::(\w+)", name):
        return _tables().cast(found[1], found[2])
    form = _tables().moments.get(name.lower()) or _tables().written_here(name, Place.FUNCTION)
    return form if form in _tables().moments.values() else None


def unit_here(written: str, units: Container[str]) -> str | None:
    """A unit of ``dateadd`` in another spelling, as it is called here: ``minutes`` is min; None for none."""
    spelt = _tables().units.get(written.lower())
    return spelt[1] if spelt is not None and spelt[1] in units else None


def meant_unit(written: object, units: Collection[str]) -> str | None:
    """``help:`` for a unit of ``dateadd`` in another spelling; else the nearest of ``units``."""
    here = unit_here(str(written), units)
    return did_you_mean(str(written), units) if here is None else message("help-use", form=f'"{here}"')


def foreign_option(command: str, option: str, value: str, known: Sequence[str]) -> str | None:
    """``help:`` for an option that Splunk or KQL have and ``command``, whose options are ``known``, has not."""
    return _tables().option_help(command, option, value, known)


def meant_name(word: str, place: Place, names: Iterable[str]) -> str | None:
    """``help:`` for an unknown name: the form here of what another language calls so, else the nearest of ``names``
    and of the names that other languages have; of those with the form here.

    >>> meant_name("statz", Place.COMMAND, ["stats", "search"])
    'did you mean "stats"?'
    >>> meant_name("whre", Place.COMMAND, ["stats", "search"])
    'did you mean "where"? use search CONDITION'
    """
    if form := foreign_name(word, place):
        return form
    known = list(names)
    near = nearest(word, known)
    theirs = nearest(word, [*near, *_tables().foreign_words(place)], cutoff=_NEAR)
    if not theirs or theirs[0] in near:
        return did_you_mean(word, known)
    return message("help-did-you-mean", names=f'"{theirs[0]}"') + f" {foreign_name(theirs[0], place)}"
