"""Small constructors for sqlglot nodes: the only vocabulary in which this package writes SQL.

Nodes are built with classes, never by parsing text (45 times dearer) and never by formatting user text. Operands that
bind looser than their surroundings are parenthesised here, because the generator prints trees as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlglot import exp

from logsql.values.types import data_type

Sql = exp.Expression
Node = TypeVar("Node", bound=exp.Expr)

_LOOSE = (exp.Binary, exp.Not, exp.Neg, exp.In, exp.Between, exp.Lambda, exp.Alias)


def paren(node: Sql) -> Sql:
    """The node, parenthesised when it is an operator."""
    return exp.Paren(this=node) if isinstance(node, _LOOSE) and not isinstance(node, exp.Dot) else node


def cast_node(node: object) -> Sql:
    """The node as the common type (sqlglot's operator classes share a base that its stubs do not relate)."""
    assert isinstance(node, exp.Expression)
    return node


def ident(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def col(name: str, table: str | None = None) -> exp.Column:
    """A quoted column reference."""
    return exp.Column(this=ident(name), table=ident(table) if table else None)


def var(name: str) -> exp.Column:
    """A lambda parameter."""
    return exp.Column(this=exp.Identifier(this=name, quoted=False))


def string(value: str) -> Sql:
    """A string literal. A NUL cannot stand in SQL text, so it is spliced in with ``chr(0)``."""
    if "\0" not in value:
        return exp.Literal.string(value)
    parts: list[Sql] = []
    for index, piece in enumerate(value.split("\0")):
        if index:
            parts.append(func("chr", integer(0)))
        if piece:
            parts.append(exp.Literal.string(piece))
    return parts[0] if len(parts) == 1 else exp.Paren(this=concat(*parts))


def integer(value: int) -> Sql:
    # Not Literal.number: it reads the text of every number again to see its sign.
    digits = exp.Literal(this=str(abs(value)), is_string=False)
    return digits if value >= 0 else exp.Paren(this=exp.Neg(this=digits))


def double(value: float) -> Sql:
    """A DOUBLE literal: a bare ``1.5`` is DECIMAL in DuckDB, an exponent makes it DOUBLE."""
    if value != value or value in (float("inf"), float("-inf")):
        return cast(string(repr(value)), "DOUBLE")
    text = repr(abs(value))
    node: Sql = exp.Literal.number(text if "e" in text else text + "e0")
    return exp.Paren(this=exp.Neg(this=node)) if value < 0 or repr(value).startswith("-") else node


def null(physical: str | None = None) -> Sql:
    """NULL, typed when a physical type is given."""
    return cast(exp.Null(), physical) if physical else exp.Null()


def boolean(value: bool) -> Sql:
    return exp.Boolean(this=value)


def func(name: str, *args: Sql) -> Sql:
    """A function call by its DuckDB name, printed as it is."""
    return exp.Anonymous(this=name, expressions=list(args))


#: How the functions begin that count losses (``udfbridge/counters.py``).
COUNTER = "lq_count_"
#: How those begin that tell, once a vector of rows, whether a counter goes on.
GATE = "lq_gate_"
#: Between the parts of the text that names an entry of the ledger, or a fate of rows, to the functions of SQL.
MARK = "\x1f"
#: Of so many losses at one place one is told to Python, which looks whether the counter goes on.
TOLD_ONE_OF = 16_384
#: Behind the place of every row.
LAST_PLACE = (1 << 63) - 1
_COUNTING = "counting"
_PLAIN = "plain"


def attempt(node: Sql) -> Sql:
    """``node``, null where it fails. TRY takes no volatile function: what counts losses inside is not counted there.

    ``-(a * 99999999999)`` in a branch of ``if()``, where it cannot be computed once beforehand, was refused by the
    engine.
    """
    return func("try", node.transform(_uncounted) if counts(node) else node)


def counts(node: Sql) -> bool:
    """Whether the node counts losses."""
    return any(_is_counter(call) for call in below(node, exp.Anonymous))


def _is_counter(node: Sql | None) -> bool:
    return isinstance(node, exp.Anonymous) and (_PLAIN in node.meta or str(node.this).startswith(COUNTER))


def counting_call(node: Sql, plain: Sql) -> Sql:
    """``node``, a call of a Python function that counts, and the call that gives the same where nothing is counted."""
    node.meta[_PLAIN] = plain
    return node


def counting(node: Sql, physical: str | None) -> Sql:
    """``node``, which counts a value, where nothing is counted to be null of a type, or false."""
    node.meta[_COUNTING] = physical
    return node


def _uncounted(node: Sql) -> Sql:
    if isinstance(node, exp.Anonymous) and _PLAIN in node.meta:
        plain: Sql = node.meta[_PLAIN]
        return plain.copy()
    if isinstance(node, exp.Case) and _COUNTING in node.meta:
        physical: str | None = node.meta[_COUNTING]
        return boolean(False) if physical is None else null(physical)
    return node


def cast(node: Sql, physical: str) -> Sql:
    return exp.Cast(this=node, to=data_type(physical))


def try_cast(node: Sql, physical: str) -> Sql:
    return exp.TryCast(this=node, to=data_type(physical))


def case(branches: Sequence[tuple[Sql, Sql]], default: Sql | None = None) -> Sql:
    """``CASE WHEN .. THEN .. ELSE .. END``."""
    return exp.Case(ifs=[exp.If(this=test, true=value) for test, value in branches], default=default)


def when(test: Sql, value: Sql) -> Sql:
    """``CASE WHEN test THEN value END``: null otherwise."""
    return case([(test, value)])


def binary(op: str, left: Sql, right: Sql) -> Sql:
    """An infix operator by its SQL spelling."""
    return cast_node(_BINARY[op](this=paren(left), expression=paren(right)))


_BINARY: dict[str, type[exp.Binary]] = {
    "+": exp.Add,
    "-": exp.Sub,
    "*": exp.Mul,
    "/": exp.Div,
    "//": exp.IntDiv,
    "%": exp.Mod,
    "=": exp.EQ,
    "<>": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
    "||": exp.DPipe,
    "is distinct": exp.NullSafeNEQ,
    "is not distinct": exp.NullSafeEQ,
    "<<": exp.BitwiseLeftShift,
    ">>": exp.BitwiseRightShift,
    "&": exp.BitwiseAnd,
    "|": exp.BitwiseOr,
}


def is_literal(node: Sql) -> bool:
    """Whether the node is a bare constant, which ORDER BY would refuse or take for a position."""
    inner = node.this if isinstance(node, (exp.Paren, exp.Neg)) else node
    inner = inner.this if isinstance(inner, (exp.Paren, exp.Neg)) else inner
    return isinstance(inner, (exp.Literal, exp.Boolean, exp.Null))


def eq(left: Sql, right: Sql) -> Sql:
    return binary("=", left, right)


_FLAT = 200


def concat(*parts: Sql) -> Sql:
    """``a || b || c``; many parts as a shallow tree, because DuckDB follows 1,000 levels at most."""
    if len(parts) > _FLAT:
        half = len(parts) // 2
        return exp.DPipe(this=paren(concat(*parts[:half])), expression=paren(concat(*parts[half:])))
    node = parts[0]
    for part in parts[1:]:
        node = exp.DPipe(this=node if isinstance(node, exp.DPipe) else paren(node), expression=paren(part))
    return node


def _join(kind: type[exp.Connector], nodes: Iterable[Sql], empty: bool) -> Sql:
    result: Sql | None = None
    nodes = list(nodes)
    if len(nodes) > _FLAT:
        half = len(nodes) // 2
        nodes = [_join(kind, nodes[:half], empty), _join(kind, nodes[half:], empty)]
    for node in nodes:
        loose = isinstance(node, (exp.Or, exp.And)) and not isinstance(node, kind)
        item: Sql = exp.Paren(this=node) if loose else node
        result = item if result is None else cast_node(kind(this=result, expression=item))
    return boolean(empty) if result is None else result


def and_(*nodes: Sql) -> Sql:
    return _join(exp.And, nodes, True)


def or_(*nodes: Sql) -> Sql:
    return _join(exp.Or, nodes, False)


def not_(node: Sql) -> Sql:
    return exp.Not(this=paren(node))


def is_null(node: Sql) -> Sql:
    return exp.Is(this=paren(node), expression=exp.Null())


def not_null(node: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=paren(node), expression=exp.Null()))


def in_(node: Sql, items: Sequence[Sql]) -> Sql:
    return exp.In(this=paren(node), expressions=list(items))


def coalesce(*nodes: Sql) -> Sql:
    return func("coalesce", *nodes)


def alias(node: Sql, name: str) -> Sql:
    """``node AS "name"``; a column already called so is left alone."""
    if isinstance(node, exp.Column) and node.name == name and node.this.args.get("quoted"):
        return node
    return exp.Alias(this=node, alias=ident(name))


def lambda_(parameters: Sequence[str], body: Sql) -> Sql:
    return exp.Lambda(this=body, expressions=[exp.Identifier(this=p, quoted=False) for p in parameters])


def index(node: Sql, position: Sql) -> Sql:
    """``list_extract(node, position)``: one-based, null when out of range."""
    return func("list_extract", node, position)


def named(name: str, node: Sql, make: Callable[[Sql], Sql]) -> Sql:
    """What ``make`` makes of a value that it reads several times: the value is written and computed once.

    ``make`` may read no column called ``name``: DuckDB would take the value for it.

    >>> named("o", func("list_sort", col("a")), lambda o: func("list_zip", o, o.copy())).sql("duckdb")
    'LIST_EXTRACT(LIST_TRANSFORM(LIST_VALUE(LIST_SORT("a")), LAMBDA o : LIST_ZIP(o, o)), 1)'
    """
    return index(func("list_transform", array([node]), lambda_([name], make(var(name)))), integer(1))


def dot(node: Sql, field: str) -> Sql:
    """A field of a STRUCT."""
    return func("struct_extract", node, string(field))


def array(items: Sequence[Sql]) -> Sql:
    return func("list_value", *items)


def struct(fields: Sequence[tuple[str, Sql]]) -> Sql:
    return exp.Struct(expressions=[exp.PropertyEQ(this=ident(name), expression=value) for name, value in fields])


def interval(amount: Sql | int, unit: str) -> Sql:
    """An interval of a whole number of ``unit``: ``to_days(3)``, so that the amount may be any expression."""
    value = integer(amount) if isinstance(amount, int) else amount
    return func(f"to_{unit}", value)


def select(
    columns: Sequence[Sql],
    source: Sql | None = None,
    where: Sql | None = None,
    **clauses: object,
) -> exp.Select:
    """A SELECT from ready nodes; extra clauses by sqlglot argument name."""
    node = exp.Select(expressions=list(columns))
    if source is not None:
        node.set("from_", exp.From(this=source))
    if where is not None:
        node.set("where", exp.Where(this=where))
    for key, value in clauses.items():
        if value is not None:
            node.set(key, value)
    return node


def table(name: str, alias_name: str | None = None) -> exp.Table:
    return exp.Table(
        this=ident(name),
        alias=exp.TableAlias(this=exp.Identifier(this=alias_name, quoted=False)) if alias_name else None,
    )


def order_by(keys: Sequence[Sql]) -> exp.Order:
    return exp.Order(expressions=list(keys))


def ordered(node: Sql, descending: bool = False) -> Sql:
    """A sort key: null is the smallest value, so it comes first ascending and last descending (language.md 8.2)."""
    return exp.Ordered(this=node, desc=descending, nulls_first=not descending)


def row_number(order: exp.Order | None = None, partition: Sequence[Sql] = ()) -> Sql:
    return exp.Window(this=func("row_number"), partition_by=list(partition), order=order)


def below(node: Sql, kind: type[Node]) -> list[Node]:
    """The nodes of a kind in a tree, the tree itself among them, in no particular order.

    ``find_all`` goes through three nested generators and takes four times as long.
    """
    found: list[Node] = []
    pending: list[object] = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, list):
            pending += one
        elif isinstance(one, exp.Expr):
            if isinstance(one, kind):
                found.append(one)
            pending += one.args.values()
    return found


def size(node: Sql, limit: int = 1000) -> int:
    """Number of nodes below ``node``, counted up to ``limit``."""
    # Not node.walk(), three nested generators: every argument of every call is asked.
    count = 0
    pending: list[object] = [node]
    for found in pending:  # the list grows while it is read
        if isinstance(found, exp.Expr):
            count += 1
            if count == limit:
                break
            pending += found.args.values()
        elif isinstance(found, list):
            pending += found
    return count
