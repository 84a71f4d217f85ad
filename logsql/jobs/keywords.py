"""Rules of keywords over texts: what ``mpsearch`` runs.

A rule is a boolean expression of quoted keywords (``"/root/" and ("a.php" or "b.php")``, ``not "x"``), optionally with
a second expression of the language over the fields of the row. All keywords of all rules are searched at once
(Aho-Corasick of the package ahocorasick-rs where it is installed). Keywords are literal text, letter case counts. A
keyword counts as present when any of the searched fields holds it.

Compiled rules are kept under a token while a query runs, because the Arrow function that DuckDB calls has no other way
to reach them; the oldest go when many queries have come.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.language.expressions import parse_expression
from logsql.language.tree import Binary, Call, Expr, Literal, operands
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel, Rest
from logsql.planner.services import Service
from logsql.udfbridge.registry import UdfSpec, register_udf
from logsql.udfbridge.registry import install as install_functions
from logsql.values import sql
from logsql.values.texts import DOCUMENT_TEXT
from logsql.values.types import ANY_JSON

register_udf(UdfSpec("lq_mpsearch", ("VARCHAR[]", "VARCHAR", "VARCHAR"), "VARCHAR[]", "logsql.jobs.keywords:search"))

#: Rule sets of running queries by token.
RULES: dict[str, RuleSet] = {}
KEPT = 64

T = TypeVar("T")
Hits = frozenset[int]
Test = Callable[[Hits], bool]


class BadRule(ValueError):
    """A rule whose expression is none."""


@dataclass(frozen=True)
class Rule:
    """One rule: the keyword test, the second expression's text, and the map shown where it matches."""

    test: Test
    second: str | None
    shown: str


@dataclass
class RuleSet:
    """Rules compiled for one query; ``find`` gives the keywords of a text."""

    rules: list[Rule]
    keywords: list[str]
    zone: str
    find: Callable[[str], Hits] = field(init=False)
    _matched: dict[Hits, list[Rule]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.find = finder(self.keywords)

    def matching(self, hits: Hits) -> list[Rule]:
        """The rules whose keyword test holds; computed once per set of keywords."""
        found = self._matched.get(hits)
        if found is None:
            found = [rule for rule in self.rules if rule.test(hits)]
            if len(self._matched) < 100_000:
                self._matched[hits] = found
        return found


_NOT = re.compile(r'("(?:[^"\\]|\\.)*")|\bnot\s+("(?:[^"\\]|\\.)*")')


def called_not(text: str) -> str:
    """``not "x"`` written as the call ``not("x")``, which is the only form that expressions know."""
    return _NOT.sub(lambda found: found[1] or f"not({found[2]})", text)


def token() -> str:
    """A new name for a rule set."""
    return uuid.uuid4().hex


def install(name: str, rules: RuleSet) -> None:
    """Keep a rule set under its token."""
    RULES[name] = rules
    while len(RULES) > KEPT:
        RULES.pop(next(iter(RULES)))


def compile_rules(
    rows: Sequence[tuple[str | None, str | None, Any]], zone: str, lost: Callable[[int, str], None]
) -> RuleSet:
    """Compile (expr, expr2, rule) rows; a row that is no rule is reported to ``lost(position, sample)``."""
    keywords: dict[str, int] = {}
    rules: list[Rule] = []
    for position, (text, second, rule) in enumerate(rows):
        try:
            if text is None:
                raise BadRule("no expression")
            test = compile_test(parse_expression(called_not(text)), keywords)
            if second is not None and second.strip():
                parse_expression(second)
        except (BadRule, LogsqlError):
            lost(position, text or "")
            continue
        shown = {"expr": text, "rule": rule, **({"expr2": second} if second and second.strip() else {})}
        rules.append(Rule(test, shown.get("expr2"), json.dumps(shown, ensure_ascii=False)))
    return RuleSet(rules, list(keywords), zone)


def compile_test(expr: Expr, keywords: dict[str, int]) -> Test:
    """A boolean expression of keywords as a function of the keywords found; numbers them in ``keywords``."""
    if isinstance(expr, Literal) and expr.kind == "string":
        number = keywords.setdefault(str(expr.value), len(keywords))
        return lambda hits: number in hits
    if isinstance(expr, Binary) and expr.op in ("and", "or"):
        tests = [compile_test(part, keywords) for part in operands(expr, expr.op)]
        if expr.op == "and":
            return lambda hits: all(test(hits) for test in tests)
        return lambda hits: any(test(hits) for test in tests)
    if isinstance(expr, Call) and expr.name == "not" and len(expr.args) == 1:
        arg = expr.args[0]
        inner = compile_test(arg, keywords)  # type: ignore[arg-type]
        return lambda hits: not inner(hits)
    raise BadRule("a rule joins quoted keywords by and, or, not()")


def finder(keywords: Sequence[str]) -> Callable[[str], Hits]:
    """A function that gives the numbers of the keywords a text holds."""
    always = frozenset(i for i, keyword in enumerate(keywords) if not keyword)
    sought = [(i, keyword) for i, keyword in enumerate(keywords) if keyword]
    if not sought:
        return lambda text: always
    try:
        import ahocorasick_rs
    except ImportError:
        return lambda text: always.union(i for i, keyword in sought if keyword in text)
    automaton = ahocorasick_rs.AhoCorasick([keyword for _, keyword in sought])
    numbers = [i for i, _ in sought]

    def find(text: str) -> Hits:
        found = automaton.find_matches_as_indexes(text, overlapping=True)
        return always.union(numbers[f[0]] for f in found) if found else always

    return find


def search(texts: pa.Array, rows: pa.Array, tokens: pa.Array) -> pa.Array:
    """The Arrow function: per row the JSON maps of the rules that match its texts."""
    if len(texts) == 0:
        return pa.array([], pa.list_(pa.string()))
    rules = RULES[tokens[0].as_py()]
    none: Hits = frozenset()
    result: list[list[Rule]] = []
    for cells in texts.to_pylist():
        hits = none.union(*(rules.find(cell) for cell in cells or () if cell is not None))
        result.append(rules.matching(hits))
    asked: dict[str, list[int]] = {}
    for position, found in enumerate(result):
        for second in {r.second for r in found if r.second is not None}:
            asked.setdefault(second, []).append(position)
    held = {
        (second, position)
        for second, positions in asked.items()
        for position, holds in zip(positions, _holds(second, rows.take(pa.array(positions)), rules.zone), strict=True)
        if holds
    }
    shown = [
        [rule.shown for rule in found if rule.second is None or (rule.second, position) in held]
        for position, found in enumerate(result)
    ]
    return pa.array(shown, pa.list_(pa.string()))


def _holds(second: str, rows: pa.Array, zone: str) -> list[bool]:
    """Whether a second expression holds for rows given as JSON objects; false for one that cannot be evaluated."""
    import duckdb

    connection = duckdb.connect()
    try:
        connection.execute("SET TimeZone = ?", [zone])
        catalog: Any = _Constants(connection, zone)
        cx = ExprContext(catalog, Rel("rows", (), rest=Rest("doc", ANY_JSON)))
        test = cx.condition(parse_expression(second))
        install_functions(connection, cx.udfs | {DOCUMENT_TEXT}, zone)
        given = pa.table({"raw": rows, "n": pa.array(range(len(rows)), pa.int64())})
        connection.register("given", given)
        lets = "".join(f', {node.sql("duckdb")} AS "{name}"' for name, node in cx.lets.items())
        inner = 'SELECT n, CAST(raw AS JSON) AS "doc" FROM given'
        text = sql.coalesce(test, sql.boolean(False)).sql("duckdb")
        query = f'SELECT {text} FROM (SELECT *{lets} FROM ({inner}) AS "rows") AS "rows" ORDER BY n'
        return [bool(row[0]) for row in connection.execute(query).fetchall()]
    except (duckdb.Error, LogsqlError):
        return [False] * len(rows)
    finally:
        connection.close()


class _Constants:
    """The part of a catalog that expressions of a rule need."""

    def __init__(self, connection: Any, zone: str) -> None:
        self._connection = connection
        self.zone = zone
        self.run_id = None

    def evaluate(self, expression: Any) -> Any:
        table = self._connection.sql(f"SELECT {expression.sql('duckdb')} AS v").to_arrow_table()
        return table.column(0).to_pylist()[0]

    def service(self, key: Service[T]) -> T | None:
        return None
