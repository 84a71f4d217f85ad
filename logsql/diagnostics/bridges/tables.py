"""The tables of this folder in one place, so that a mistake loads them with one import."""

from __future__ import annotations

from logsql.diagnostics.bridges import constructs, foreign_words, options, units, written_here
from logsql.diagnostics.bridges.operators import OPERATORS, WRAPPERS


class Tables:
    """What :mod:`logsql.diagnostics.foreign` asks of the bridges."""

    written_here = staticmethod(written_here)
    foreign_words = staticmethod(foreign_words)
    option_help = staticmethod(options.option_help)
    moved = staticmethod(units.moved)
    span_here = staticmethod(units.span_here)
    cast = staticmethod(units.cast)
    moments = units.MOMENTS
    operators = OPERATORS
    wrappers = WRAPPERS
    assignments = constructs.ASSIGNMENTS
    aggregates = constructs.AGGREGATES
    units = units.UNITS
    constructs = constructs.CONSTRUCTS
