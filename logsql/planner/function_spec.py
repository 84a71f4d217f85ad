"""The function registry: one frozen row per scalar function and per aggregate.

Help, completion, validation, the support matrix and the reference pages are derived from these rows. A row's ``lower``
builds SQL from typed arguments; it prefers a DuckDB expression, then SQL built from parts, then an Arrow UDF.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from logsql.diagnostics.losses import Loss
from logsql.diagnostics.messages import Pair, Text, marked, told
from logsql.language.tree import Call
from logsql.planner.calls import AggregateCall, FunctionCall, Lowering
from logsql.planner.duties import AggregateDuty, FunctionDuty, Plain, Takes, Together
from logsql.planner.results import Gives
from logsql.values.cells import Direct
from logsql.values.sql import Sql
from logsql.values.values import Typed


@dataclass(frozen=True)
class FunctionExample:
    """``expression`` gives ``result`` (JSON-like; dates as local ISO text, binary as lower-case hex). Runs as a test.

    ``row`` holds fields the expression reads; ``shown`` is False where the result varies (``now()``).
    """

    expression: str
    result: object = None
    row: dict[str, object] = field(default_factory=dict)
    zone: str = "Asia/Seoul"
    shown: bool = True

    @property
    def line(self) -> str:
        """As a page prints it; one call over two rows has two results.

        >>> FunctionExample('if(ok, "a", "b")', "b", {"ok": False}).line
        'if(ok, "a", "b")  ->  "b"  # {"ok": false}'
        """
        result, row = (json.dumps(value, ensure_ascii=False, default=str) for value in (self.result, self.row))
        return f"{self.expression}  ->  {result}" + (f"  # {row}" if self.row else "")


class Idiom(Enum):
    """What a call says by its form alone, for those who look for a form: a running sum, the last value, the largest."""

    #: The second argument where the first is null: ``nvl(a, b)``.
    OTHERWISE = auto()
    #: The second argument where the first is true, else the third: ``if(c, a, b)``.
    CHOICE = auto()
    #: The largest and the smallest argument.
    GREATEST = auto()
    LEAST = auto()
    #: A number whatever the argument is, null as well: ``len(a)``.
    NEVER_NULL = auto()


@dataclass(frozen=True)
class FunctionSpec:
    """A scalar function.

    ``duty`` has no default (:mod:`logsql.planner.duties`). ``summary`` and each of the ``notes`` is one
    sentence in English and Korean. ``constant`` lists argument positions that must be
    computable without a row; ``patterns``: arguments after the first are matched as patterns with ``*``. ``loss``: the
    function converts its first argument, and a value that is not null and becomes null is counted under this reason;
    ``tests_null``: its arguments may well be null, so that conversions that stand directly in it are not counted;
    ``branches``: some arguments are evaluated in some rows only; ``numbers``: so many first arguments are numbers, and
    other values, for which the function is null, are counted; ``integers``: so are fractions; ``no_loss``:
    whether a value means none (FILETIME 0), so that null is right; ``takes``: argument positions of one type only;
    ``plain``: an argument that is no pattern here; ``searches``: the arguments behind the first are values that are
    looked for in it; ``finds_place``: the result is a place in a text, of which 0 is the first; ``never``: constants at
    argument positions for which the result is always null; ``gives``: what all results have in common; ``idiom``: what
    a call says by its form; ``meant``: the call that one with too few or too many arguments means, None where they do
    not tell; ``extension``: the vendor has no such function; ``together``: a row passes it and others of its kind
    before the next one enters; ``direct``: what it gives in Python, for values of which that is certain.
    """

    name: str
    family: str
    signature: str
    summary: Pair
    lower: Callable[[FunctionCall], Typed]
    min_args: int
    max_args: int | None
    returns: str
    duty: FunctionDuty
    examples: tuple[FunctionExample, ...] = ()
    constant: tuple[int, ...] = ()
    named: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    patterns: bool = False
    notes: tuple[Pair, ...] = ()
    loss: Loss | None = None
    tests_null: bool = False
    branches: bool = False
    numbers: int = 0
    integers: bool = False
    no_loss: Callable[[Typed], Sql | None] | None = None
    takes: tuple[tuple[int, Takes], ...] = ()
    plain: Plain | None = None
    searches: bool = False
    finds_place: bool = False
    never: tuple[tuple[int, Callable[[FunctionCall, object], bool]], ...] = ()
    gives: Gives | None = None
    idiom: Idiom | None = None
    meant: Callable[[Lowering, Call], str | None] | None = None
    extension: bool = False
    together: Together | None = None
    direct: Direct | None = None

    @property
    def told(self) -> str:
        """What it does, in the language in force, and whether it is an extension."""
        return marked(self.summary, self.extension)

    @property
    def computes_number(self) -> bool:
        """Whether it makes a number of its own (``len``, ``abs``), and neither hands one on (``nvl``, ``max``) nor
        reads one out of a value (``long``)."""
        made = self.returns.split(" ", 1)[0] in ("int", "long", "double")
        return self.loss is None and (made or self.numbers > 0)


@dataclass(frozen=True)
class AggregateSpec:
    """An aggregate of stats, timechart, pivot, rollup and cube. ``duty`` has no default.

    The ``row`` of an example holds the values of each field as a list, one per record. ``numbers``: so many first
    arguments are numbers; other values are left out and counted. ``counts``: the result is the number of the values
    that are not null, whatever they are; ``extreme``: it is one of the values, chosen by their order; ``extension``:
    the vendor has no such aggregate.
    """

    name: str
    signature: str
    summary: Pair
    lower: Callable[[AggregateCall], Typed]
    min_args: int
    max_args: int
    returns: str
    duty: AggregateDuty
    aliases: tuple[str, ...] = ()
    constant: tuple[int, ...] = ()
    examples: tuple[FunctionExample, ...] = ()
    notes: tuple[Pair, ...] = ()
    numbers: int = 0
    counts: bool = False
    extreme: bool = False
    extension: bool = False

    @property
    def told(self) -> str:
        """What it does, in the language in force, and whether it is an extension."""
        return marked(self.summary, self.extension)


#: Chapters of functions, in English and Korean.
FAMILIES: dict[str, Pair] = {
    "aggregates": ("aggregates", "집계 함수"),
    "array": ("array", "배열"),
    "conditional": ("conditional", "조건"),
    "conversion": ("conversion", "타입 변환"),
    "crypto": ("crypto", "암호화"),
    "date": ("date", "날짜"),
    "event context": ("event context", "이벤트 컨텍스트"),
    "ip": ("ip", "IP 주소"),
    "numeric": ("numeric", "숫자"),
    "object group": ("object group", "객체 그룹"),
    "reference": ("reference", "참조"),
    "string": ("string", "문자열"),
    "type check": ("type check", "타입 검사"),
}
#: What a function returns where that is no name of a type alone.
RETURNS: dict[str, Pair] = {
    "any": ("any", "모든 타입"),
    "as the argument": ("as the argument", "인자와 같은 타입"),
    "double or as the argument": ("double or as the argument", "double 또는 인자와 같은 타입"),
    "list of date": ("list of date", "date의 목록"),
    "list of lists": ("list of lists", "목록의 목록"),
    "list of string": ("list of string", "string의 목록"),
    "long or double": ("long or double", "long 또는 double"),
    "number": ("number", "숫자"),
}
FUNCTIONS: dict[str, FunctionSpec] = {}
AGGREGATES: dict[str, AggregateSpec] = {}
#: Functions of the language that make no sense on one machine: name and the reason shown to the user.
REFUSED_FUNCTIONS: dict[str, Text] = {}


def kind_told(spec: FunctionSpec | AggregateSpec) -> str:
    """What a function returns, in the language in force; names of types are the same in both."""
    return told(RETURNS[spec.returns]) if spec.returns in RETURNS else spec.returns


def idiom(expr: object, arguments: int) -> Idiom | None:
    """What a call with so many arguments says by its form; None for anything else."""
    if not isinstance(expr, Call) or len(expr.args) != arguments or (spec := FUNCTIONS.get(expr.name)) is None:
        return None
    return spec.idiom


def register(*specs: FunctionSpec) -> None:
    """Add scalar functions to the registry, under their names and aliases."""
    for spec in specs:
        if not isinstance(spec.duty, FunctionDuty):  # a row is positional: what is left out is not missing but shifted
            raise TypeError(f"function {spec.name} declares no duty")
        for name in (spec.name, *spec.aliases):
            if name in FUNCTIONS:
                raise ValueError(f"function {name} is registered twice")
            FUNCTIONS[name] = spec


def register_aggregate(*specs: AggregateSpec) -> None:
    """Add aggregates to the registry, under their names and aliases."""
    for spec in specs:
        if not isinstance(spec.duty, AggregateDuty):  # a row is positional: what is left out is not missing but shifted
            raise TypeError(f"aggregate {spec.name} declares no duty")
        for name in (spec.name, *spec.aliases):
            if name in AGGREGATES:
                raise ValueError(f"aggregate {name} is registered twice")
            AGGREGATES[name] = spec
