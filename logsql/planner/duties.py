"""The words in which a command or function says what it answers for.

A declaration (:class:`logsql.planner.spec.CommandSpec`, :class:`logsql.planner.function_spec.FunctionSpec`) gives every
duty, none has a default: what a registration leaves out stops the import. Demand, order, completion, the moving of
``evalc``, reading rows twice and the reference pages are folds over these words, and none
of them knows a command's name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from logsql.language.tree import Command

Names = frozenset[str]
NOTHING: Names = frozenset()
#: Fields that are read of rows; None stands for every field.
Demand = Names | None


# --- fields -----------------------------------------------------------------------------------------------------------


class Flow(Enum):
    """What becomes of the fields of the rows that arrive."""

    STARTS = "rows of its own, what arrives is not read"
    PASSES = "rows go on, read are the fields that are named"
    CLOSES = "behind it there are only fields that it names or makes"
    WHOLE_ROW = "any field of the row may be read"
    INNER = "the commands of its subquery say it"


@dataclass(frozen=True)
class Fields:
    """``reads``: fields read beside those named in the arguments. ``sets``: fields given a new value in every row."""

    flow: Flow
    reads: Names
    sets: Names


STARTS = Fields(Flow.STARTS, NOTHING, NOTHING)
PASSES = Fields(Flow.PASSES, NOTHING, NOTHING)
CLOSES = Fields(Flow.CLOSES, NOTHING, NOTHING)
WHOLE_ROW = Fields(Flow.WHOLE_ROW, NOTHING, NOTHING)
INNER = Fields(Flow.INNER, NOTHING, NOTHING)


def assigned(command: Command) -> Fields:
    """The fields of ``NAME = EXPR, ...``: every row gets them."""
    return Fields(Flow.PASSES, NOTHING, frozenset(a.target.text for a in command.args.assignments))


class Subquery(Enum):
    """What the rows of a command's subquery are to it."""

    NONE = "there is no subquery"
    CONTINUES = "its commands take the rows that arrive"
    ADDS = "its rows, or their fields, become part of the rows that go on"
    ALONE = "the command reads it for itself"


# --- arguments --------------------------------------------------------------------------------------------------------


class Kind(Enum):
    """What an argument is, for completion and the pages."""

    FIELDS = "fields"
    NEW_FIELDS = "names of new fields"
    ASSIGNMENTS = "NAME = EXPR, ..."
    AGGREGATES = "aggregates"
    EXPRESSION = "expression"
    PATH = "path"
    TABLE = "tables"
    LOOKUP = "lookup table"
    MODEL = "trained model"
    PARSER = "log parser"
    QUERY = "query in brackets"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True)
class Argument:
    """One argument behind the options. ``after``: the words that introduce it (``by``, ``rows``); () for the first.
    ``whole``: fields as such are meant, and a way into a map (``m.a``) is none."""

    kind: Kind
    after: tuple[str, ...] = ()
    whole: bool = False


FIELD_LIST = Argument(Kind.FIELDS)
WHOLE_FIELDS = Argument(Kind.FIELDS, whole=True)
BY_FIELDS = Argument(Kind.FIELDS, ("by",))
QUERY = Argument(Kind.QUERY)
PATH = Argument(Kind.PATH)


# --- order ------------------------------------------------------------------------------------------------------------


class OrderNeed(Enum):
    """What a command's result does with the order of its input."""

    KEEPS = "the order matters if it matters later"
    NEEDS = "the result depends on the order of rows"
    IGNORES = "the result does not depend on the order of rows"


class OrderGiven(Enum):
    """What order the rows of the result have."""

    INPUT = "that of the input"
    OWN = "one of its own: sorted, or as the source has it"
    NONE = "none"


@dataclass(frozen=True)
class OrderDuty:
    """What a command needs of the order of its input, which may depend on its arguments, and the order it gives."""

    need: Callable[[Any], OrderNeed]
    gives: OrderGiven


def _keeps(args: object) -> OrderNeed:
    return OrderNeed.KEEPS


def _needs(args: object) -> OrderNeed:
    return OrderNeed.NEEDS


def _ignores(args: object) -> OrderNeed:
    return OrderNeed.IGNORES


#: Rows come out as they came in.
KEEPS_ORDER = OrderDuty(_keeps, OrderGiven.INPUT)
#: The rows, or their values, depend on the order in which they arrive; they keep it.
NEEDS_ORDER = OrderDuty(_needs, OrderGiven.INPUT)
#: The rows depend on the order in which they arrive and come out in another.
NEEDS_AND_SORTS = OrderDuty(_needs, OrderGiven.OWN)
#: The rows are the same however they arrive, and come out in an order of their own.
SORTS = OrderDuty(_ignores, OrderGiven.OWN)
#: A source: the order is that of the file, table or text, whatever stood before.
SOURCE_ORDER = SORTS
#: There are no rows behind it.
NO_ROWS = OrderDuty(_ignores, OrderGiven.NONE)


# --- streams, engines, repetition -------------------------------------------------------------------------------------


class InStream(Enum):
    """What a command needs before a row of its result is known, where rows never end."""

    SOURCE = "starts rows"
    ROW_WISE = "each row by itself: the result of two inputs, one after the other, is the two results"
    RUNNING = "row by row, with a state that the rows before have left"
    WINDOWED = "the rows of a window, all of them"
    BARRIER = "acts once, on all rows or none: files, tables, training"


class Lowering(Enum):
    """What a plan of the command is made of, beside the expressions in it."""

    PORTABLE = "SQL that every engine has"
    DUCKDB = "SQL that needs DuckDB: lists, structs, maps, JSON, row numbers of tables, readers"
    PYTHON = "Python takes part: a reader, a stage, a function, or an action"


class RowState(Enum):
    """What ``evalc`` meets when it moves before this command, which reads its parameter of the row before."""

    STOPS = "the command cannot stand between"
    PASSES = "nothing changes"
    ASSIGNS = "its assignments go into the expression"
    FILTERS = "its condition guards the expression"
    CARRIES = "it carries a parameter itself"
    ONCE = "it reads parameters once and not for each row, and cannot stand between"
    FIRST = "as ONCE, and it runs before every other command of its pipeline"


# --- rows one at a time -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Together:
    """From the first to the last such command or function of a query a row passes before the next one enters.

    ``place``: what plans them together (``module:name``, called with :class:`logsql.planner.together.Joint`); ``part``:
    what this one is to it. ``writes``: it changes something, and is not computed where its branch is not taken.
    """

    place: str
    part: str
    writes: bool


#: Event contexts (live.md section 5).
EVENT_CONTEXTS = "logsql.operators.contexts.segment:lowered"


# --- functions --------------------------------------------------------------------------------------------------------


class Reads(Enum):
    """Which fields a function reads."""

    ARGUMENTS = "those in its arguments"
    NAMED = "the one that its argument names"
    WHOLE_ROW = "any of the row"


class Runs(Enum):
    """Where a function is computed."""

    SQL = "SQL"
    PARTLY = "SQL, Python for the rest"
    PYTHON = "Python"


@dataclass(frozen=True)
class FunctionDuty:
    """``repeats``: equal arguments give equal values. ``places``: the value depends on the place of the row.

    ``portable``: the SQL is what every engine has; False where it needs DuckDB or Python.
    """

    reads: Reads
    repeats: bool
    places: bool
    runs: Runs
    portable: bool


#: Arguments in, value out, in SQL that every engine has.
PLAIN = FunctionDuty(Reads.ARGUMENTS, repeats=True, places=False, runs=Runs.SQL, portable=True)
#: As PLAIN, in SQL that needs DuckDB.
DUCKDB = FunctionDuty(Reads.ARGUMENTS, repeats=True, places=False, runs=Runs.SQL, portable=False)
#: SQL for the usual arguments, Python for the rest.
PARTLY = FunctionDuty(Reads.ARGUMENTS, repeats=True, places=False, runs=Runs.PARTLY, portable=False)
#: Python.
PYTHON = FunctionDuty(Reads.ARGUMENTS, repeats=True, places=False, runs=Runs.PYTHON, portable=False)
#: A new value for every row.
VOLATILE = replace(DUCKDB, repeats=False)
VOLATILE_PARTLY = replace(PARTLY, repeats=False)
VOLATILE_PYTHON = replace(PYTHON, repeats=False)
#: The number of the row.
NUMBERS_ROWS = replace(VOLATILE, places=True)
#: Looks at fields that the query does not name.
READS_ROW = replace(DUCKDB, reads=Reads.WHOLE_ROW)
READS_NAMED = replace(DUCKDB, reads=Reads.NAMED)


class Takes(Enum):
    """A type that an argument must have; a value of another type makes the result null."""

    WHOLE = "whole number"
    BYTES = "bytes"
    TEXT_BYTES = "bytes of a text"
    LIST = "list"


@dataclass(frozen=True)
class Plain:
    """The argument at ``place`` is looked for as it is written, and is a pattern in other tools.

    ``pattern``: the call with the fewest arguments that takes a regular expression, ``{0}`` being the first argument as
    written. ``stars``: whether ``*x*`` may be meant as a pattern, and ``bare`` whether ``x`` alone then finds what is
    meant. ``most``: a call with more arguments takes a pattern itself.
    """

    place: int
    pattern: str | None = None
    stars: bool = True
    bare: bool = True
    most: int = 100


@dataclass(frozen=True)
class AggregateDuty:
    """``ordered``: the value depends on the order of rows. ``portable``: as of :class:`FunctionDuty`."""

    ordered: bool
    portable: bool


ANY_ORDER = AggregateDuty(ordered=False, portable=True)
ANY_ORDER_DUCKDB = AggregateDuty(ordered=False, portable=False)
IN_ORDER = AggregateDuty(ordered=True, portable=False)
