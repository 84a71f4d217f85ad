"""What functions and operators give in Python (``direct=``) is what SQL gives, wherever Python is certain at all."""

from __future__ import annotations

import datetime as dt
import math

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import logsql
from logsql.language.parser import parse_query
from logsql.language.tree import Binary, Call, Expr, Field, Literal, NamedArg
from logsql.operators.contexts.plain import binary, matching
from logsql.planner.function_spec import FUNCTIONS
from logsql.registry import GRAMMAR
from logsql.values import cells
from logsql.values.cells import Cell
from tests.support import sample

BEGIN = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
KINDS = {"l": "long", "m": "long", "d": "double", "s": "string", "t": "string", "b": "bool", "w": "date", "x": "date"}
SCHEMA = pa.schema(
    [
        ("l", pa.int64()),
        ("m", pa.int64()),
        ("d", pa.float64()),
        ("s", pa.string()),
        ("t", pa.string()),
        ("b", pa.bool_()),
        ("w", pa.timestamp("us", "UTC")),
        ("x", pa.timestamp("us", "UTC")),
    ]
)
PAIRS = ("lm", "ld", "st", "ls", "bl", "ww", "sl", "dd")
EXPRESSIONS = [
    *(f"{a} {op} {b}" for op in ("==", "!=", "<", "<=", ">", ">=") for a, b in PAIRS),
    *(f"{a} {op} {b}" for op in "+-*" for a, b in ("lm", "ld", "dd", "ls")),
    *(f"{a} {op} {b}" for op in ("and", "or") for a, b in ("lb", "bb", "sb", "wd")),
    *('s == "a"', 's != "a"', 's == "a*"', 'l == "1"', 's == ""', "l == null", "nvl(l, m)", "nvl(s, l)"),
    *("if(b, s, t)", "if(l > m, l, s)", "isnull(s)", "isnotnull(d)", "concat(s, l, b, t)", "concat(s, d)"),
    *("contains(s, t)", "contains(s, l)", "contains(null, s)", "len(s)", "len(l)", "string(l)", "string(s)"),
    *("lower(s)", "upper(s)", "left(s, 2)", "right(s, 2)", "right(s, l)", "nvl(l, 0) + 1"),
    *("if(isnull(s), 0, l) * 2 > m", "len(nvl(s, t)) == m"),
    *("l / m", "d / l", "l / 2", "d / 0", "not(b)", "not(l)", "not(s == t)", "not(null)", "w < x"),
    *("case(b, s, l > m, t)", "case(l > 0, 1, d > 0, 2, 3)", "case(s, l, m)", "case(null, s, b, l, w)"),
    *('in(s, "a", "B")', 'in(l, 1, 2.0, "1")', "in(s, t)", "in(l, m, 0)", "in(d, 1, l)", 'in(s, "a*", t)', "in(b, l)"),
    *(f'datediff(w, x, "{unit}")' for unit in ("msec", "sec", "min", "hour", "day", "mon", "year")),
    'datediff(x, w, "sec") > 60',
]

texts = st.one_of(st.none(), st.text(st.sampled_from("aB1*%_ \\é한İ"), max_size=4))
longs = st.one_of(st.none(), st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.sampled_from([2**53, 2**53 + 1]))
doubles = st.one_of(st.none(), st.floats(), st.integers(-3, 3).map(float))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "l": longs,
            "m": longs,
            "d": doubles,
            "s": texts,
            "t": texts,
            "b": st.one_of(st.none(), st.booleans()),
            "x": st.one_of(
                st.none(), st.datetimes(dt.datetime(1969, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC))
            ),
            "w": st.one_of(st.none(), st.integers(0, 3).map(lambda n: dt.datetime(2026, 1, 1 + n, tzinfo=dt.UTC))),
        }
    ),
    min_size=1,
    max_size=6,
)


def parsed(text: str) -> Expr:
    """The tree of an expression."""
    (command,) = parse_query(f"eval r = {text}", GRAMMAR).commands
    expr: Expr = command.args.assignments[0].expr
    return expr


def computed(expr: Expr | NamedArg, row: dict[str, object]) -> Cell | None:
    """The value in Python."""
    if isinstance(expr, Literal):
        return cells.literal(expr.value)
    if isinstance(expr, Field):
        value = row[expr.name]
        if isinstance(value, dt.datetime):
            value = (value - BEGIN) // dt.timedelta(microseconds=1)
        return cells.NULL if value is None else (KINDS[expr.name], value)
    if isinstance(expr, Binary):
        if expr.op in ("==", "!=") and isinstance(expr.right, Literal) and isinstance(expr.right.value, str):
            return matching(expr.op, expr.right.value)([computed(expr.left, row)])
        return binary(expr.op)([computed(expr.left, row), computed(expr.right, row)])
    assert isinstance(expr, Call)
    direct = FUNCTIONS[expr.name].direct
    assert direct is not None
    return direct([computed(arg, row) for arg in expr.args])


TREES = [(text, parsed(text)) for text in EXPRESSIONS]


@settings(max_examples=sample(1000, 40), deadline=None)
@given(rows)
def test_python_gives_what_sql_gives(found: list[dict[str, object]]) -> None:
    with logsql.connect(tz="UTC") as session:
        session.register("t", pa.Table.from_pylist(found, SCHEMA))
        items = ", ".join(f"r{n} = {text}" for n, text in enumerate(EXPRESSIONS))
        answers = session.query(f"table order=asc t | eval n = seq(), {items}").rows()
        ordered = session.query("table order=asc t").rows()
    certain = 0
    for row, answer in zip(ordered, answers, strict=True):
        for n, (text, tree) in enumerate(TREES):
            cell = computed(tree, row)
            if cell is None:
                continue
            certain += 1
            sql = answer[f"r{n}"]
            if isinstance(sql, dt.datetime):
                sql = (sql - BEGIN) // dt.timedelta(microseconds=1)
            same = sql == cell[1] and isinstance(sql, bool) is isinstance(cell[1], bool)
            both_nan = isinstance(sql, float) and isinstance(cell[1], float) and math.isnan(sql) and math.isnan(cell[1])
            assert same or both_nan, (text, row, sql, cell)
    assert certain > 20 * len(found)
