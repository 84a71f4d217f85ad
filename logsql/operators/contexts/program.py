"""What rows do with event contexts, as data: the operations in the order in which a row meets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sqlglot import exp

from logsql.language.tree import Expr
from logsql.operators.contexts.plain import Plain
from logsql.values.types import ANY_JSON, BINARY, BOOL, DATE, DOUBLE, INT_WIDE, IP, LONG, STRING, LType

#: Kinds of the values that variables hold, and the types of the parts in which they cross to Python and back.
KINDS: dict[str, LType] = {
    "bool": BOOL,
    "long": LONG,
    "double": DOUBLE,
    "date": DATE,
    "ip": IP,
    "string": STRING,
    "binary": BINARY,
    "document": ANY_JSON,
}


class What(Enum):
    """What an operation does with the row."""

    FILTER = "stops rows whose test is not true"
    ADD = "makes or touches a context"
    DELETE = "ends a context"
    GET = "reads an attribute of a context"
    VAR = "reads a variable of a context"
    SET = "sets a variable of a context"
    COUNT = "counts the contexts of a topic"
    HOLD = "keeps a value that would be another one if it were computed again"


#: The attributes that ``evtctxget`` reads, and their types.
ATTRIBUTES: dict[str, LType] = {
    "counter": INT_WIDE,
    "created": DATE,
    "expire": DATE,
    "timeout": DATE,
    "rows": ANY_JSON,
}


@dataclass(frozen=True)
class Arg:
    """An argument of an operation: a constant, or the column that holds it."""

    ident: str | None = None
    constant: object = None


NONE = Arg()


@dataclass(frozen=True)
class Question:
    """SQL that answers for rows what depends on event contexts: the columns ``gives``, by the number of the row.
    ``text``: that of ``query``, by which questions are told apart.

    ``rows``: the columns of the row that it reads, and the type to which each is cast; ``results``: the columns of
    results that it reads, with their types.
    """

    text: str
    query: exp.Expression = field(compare=False)
    gives: tuple[str, ...]
    rows: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """One operation. ``args`` by their roles; ``results``: the columns of its result, a kind and a name each.

    ``asks``: what its arguments depend on, without ``doc``, which ``asks_doc`` is for: a row that is kept is asked for
    at the end, as nothing depends on it. ``plain``: how Python computes the arguments that depend on results, None
    where it cannot compute all of them (the value of a variable is one, ``value``, for all its kinds).
    """

    what: What
    name: str
    args: dict[str, Arg]
    results: tuple[tuple[str, str], ...] = ()
    attribute: str = ""
    expire: int | None = None
    timeout: int | None = None
    maxrows: int = 10
    asks: Question | None = None
    asks_doc: Question | None = None
    plain: Mapping[str, Plain] | None = None


@dataclass(frozen=True)
class Program:
    """The operations of a run of commands, and the Arrow type (as SQL) of each column of results."""

    operations: tuple[Operation, ...]
    results: dict[str, str]

    @property
    def asks(self) -> bool:
        """Whether an argument depends on event contexts."""
        return any(one.asks is not None or one.asks_doc is not None for one in self.operations)


# --- arguments of the commands ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ContextArgs:
    """The condition of ``evtctxadd`` and ``evtctxdel``."""

    condition: Expr
