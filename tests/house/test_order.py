"""Order is part of the meaning: every command over 300,000 rows, with one thread and with four.

The first example of each command's manual page, cut behind the command, runs over its input table repeated with a
running number. Both runs must agree in order, and behind a command that keeps the order the number ascends. Behind that
stands the construction: the moves of a stage tell the order from the SELECT (``logsql/planner/arrival.py``), and a
query whose rows would be in no order is refused when it is planned. The last tests are the experiments: commands that
forget their order, as one copies them from another.
"""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

import logsql
from bench import house
from logsql.engine.session import Session
from logsql.language.parser import parse_query
from logsql.language.tree import Command, Query
from logsql.planner.arrival import OrderLost
from logsql.planner.duties import OrderGiven
from logsql.planner.relation import Rel
from logsql.planner.spec import COMMANDS, GRAMMAR, Example
from logsql.planner.stage import Stage
from logsql.values import sql
from tests.conformance_cases import arrow_table
from tests.run_case import load_tables

ROOT = Path(__file__).parents[2]
ROWS = 300_000
NUMBER = "running_number"
THREADS = (1, 4)
#: Set by a run of everything, however long it takes.
NIGHTLY = os.environ.get("LOGSQL_NIGHTLY") == "1"
ZONE = "Asia/Seoul"

SERIES = "series"
#: Models learn from their rows, and the running state of this example takes a step per row: fewer rows.
FEWER = {
    "anomalies": 500,
    "evalc": 10_000,
    "forecast": 3_000,
    "kmeans": 5_000,
    "lof": 3_000,
    "rforest": 3_000,
    "gboost": 3_000,
    "logit": 3_000,
    "stl": 5_000,
}
#: Dear by the row or by the model, and made of moves that the others test too: at night. A new command is not here.
DEAR = frozenset(
    {
        *("anomalies", "curvefit", "evalc", "forecast", "gboost", "kmeans", "lof", "logit", "rforest", "stl", "tfidf"),
        *("flowsearch", "mpsearch", "parsecsv", "parsejson", "parsekv", "parsemap", "parsexml", "signature"),
        *("cube", "timechart", "tojson", "transaction"),
    }
)
#: What an example says, and what it has to say over many rows: no waiting, no two rows of a series at one time.
CHANGED = {
    "ratelimit 1000": "ratelimit 1000000000",
    "count=2 n |": f"count=2 n by {SERIES} |",
    "period=7d n |": f"period=7d n by {SERIES} |",
}
#: Models of series: their rows come out by time.
TIMED = frozenset({"forecast", "stl"})
#: Fields that are of the moment at which the file is read.
OF_NOW = {"textfile": "_time"}


class Case(NamedTuple):
    """A query that ends with the command, and the table that its first command reads, if it reads one."""

    query: str
    tables: dict[str, pa.Table]
    last: Command


def examples() -> Iterator[tuple[str, Example]]:
    for name, spec in sorted(COMMANDS.items()):
        found = next((e for e in spec.examples if e.rows is not None), None)
        if name == spec.name and found is not None and (NIGHTLY or name not in DEAR):
            yield name, found


def scaled(name: str, example: Example) -> Case:
    """The example up to the command, its rows repeated. Rows that the query makes itself are repeated by ``repeat``."""
    text = example.query
    for said, needed in CHANGED.items():
        text = text.replace(said, needed)
    query = parse_query(text, GRAMMAR)
    last = next(c for c in reversed(query.commands) if COMMANDS[c.name].name == name)
    count = FEWER.get(name, ROWS)
    tables = {n: arrow_table(rows, {"_time": "date"}, ZONE) for n, rows in (example.tables or {}).items()}
    main = main_table(query, tables)
    if main is not None:
        tables[main] = repeated(tables[main], count)
    cut = text[: last.span.end]
    first = query.commands[0]
    if first.name == "json" and first is not last:
        times = -(-count // len(example.rows or (0,)))
        grown = f" | repeat count={times} | eval {NUMBER} = seq()"
        cut = text[: first.span.end] + grown + text[first.span.end : last.span.end]
    return Case(cut, tables, last)


def main_table(query: Query, tables: dict[str, pa.Table]) -> str | None:
    """The table that the first reading command names; the others are what it is joined with or compared to."""
    text = " ".join(repr(c.args) for c in query.commands[:2])
    return next((n for n in tables if f"'{n}'" in text), None)


def repeated(table: pa.Table, count: int) -> pa.Table:
    """``count`` rows and a few more: the rows again and again, numbered."""
    times = count // table.num_rows + 1
    grown = pa.concat_tables([table] * times).combine_chunks()
    number = np.arange(grown.num_rows)
    return grown.append_column(NUMBER, pa.array(number)).append_column(SERIES, pa.array(number // table.num_rows))


def rows(case: Case, threads: int) -> pa.Table:
    with logsql.connect(tz=ZONE, threads=threads) as session:
        return rows_in(session, case)


def rows_in(session: Session, case: Case) -> pa.Table:
    load_tables(session, case.tables)
    found = session.query(case.query).arrow()
    return found.read_all() if hasattr(found, "read_all") else found


def keeps(command: Command) -> bool:
    """Whether the command's declaration says that rows come out as they came in."""
    return COMMANDS[command.name].order.gives is OrderGiven.INPUT and command.name not in TIMED


def check(case: Case) -> None:
    """The rule of this page for one query. AssertionError and OrderLost say what is wrong."""
    one, many = (rows(case, threads) for threads in THREADS)
    if case.last.name in OF_NOW:
        one, many = (table.drop([OF_NOW[case.last.name]]) for table in (one, many))
    assert one.num_rows == many.num_rows
    assert one.equals(many), f"{broken(case)} Four threads give them in another order than one."
    if NUMBER in one.column_names and keeps(case.last):
        numbers = one.column(NUMBER).drop_null().to_numpy()
        assert (np.diff(numbers) >= 0).all(), f"{broken(case)} They come out in another order than they came in."


def broken(case: Case) -> str:
    return (
        f"{case.last.name} returns rows whose order is not defined: {case.query}. Begin its lowering with "
        "rel = stage.with_keys(rel), which numbers the rows, and hand on what the moves of the stage return "
        '(docs/architecture.md, "Order").'
    )


@pytest.mark.parametrize(("name", "example"), [pytest.param(*e, id=e[0]) for e in examples()])
def test_a_command_gives_its_rows_in_order_however_many_threads_there_are(name: str, example: Example) -> None:
    check(scaled(name, example))


def over_a_file(name: str, example: Example, folder: Path) -> str | None:
    """The example with ``jsonfile`` for the table it begins with, whose rows have no number of their own; else None."""
    query = parse_query(example.query, GRAMMAR)
    first = query.commands[0]
    tables = {n: arrow_table(rows, {"_time": "date"}, ZONE) for n, rows in (example.tables or {}).items()}
    main = main_table(query, tables)
    if first.name != "table" or main is None or name == "table":
        return None
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in tables[main].to_pylist()), encoding="utf-8")
    last = next(c for c in reversed(query.commands) if COMMANDS[c.name].name == name)
    return f"jsonfile dates=t {path}{example.query[first.span.end : last.span.end]}"


def test_no_command_forgets_the_order_of_a_file(tmp_path: Path) -> None:
    """Rows of a table have a number of their own, which finds a forgotten order again; those of a file have none."""
    planned = 0
    with logsql.connect(tz=ZONE) as session:
        for name, spec in sorted(COMMANDS.items()):
            example = next((e for e in spec.examples if e.rows is not None), None)
            query = over_a_file(name, example, tmp_path) if name == spec.name and example is not None else None
            if query is None:
                continue
            given = {n: arrow_table(r, {"_time": "date"}, ZONE) for n, r in (example.tables or {}).items()}
            load_tables(session, given)
            try:
                session.plan(query)
            except OrderLost as problem:
                pytest.fail(f"{query}: {problem}")
            planned += 1
    assert planned > 30


# --- experiments: what happens to a command that forgets its order ----------------------------------------------------


def last_of_each(stage: Stage, rel: Rel) -> Rel:
    """The last row of each ``k``, by a number within the rows of that value: moves of the stage, nothing by hand."""
    items = [(ident, rel.expr(ident)) for ident in rel.all_idents()]
    backwards = sql.order_by([sql.ordered(sql.col(NUMBER), True)])
    rank = ("__rank", sql.row_number(backwards, [sql.col("k")]))
    return stage.where(stage.select("ranked", rel, [*items, rank]), sql.eq(sql.col("__rank"), sql.integer(1)))


def forgetful(stage: Stage) -> Rel:
    return last_of_each(stage, stage.flush(stage.rel))


def careful(stage: Stage) -> Rel:
    return last_of_each(stage, stage.with_keys(stage.flush(stage.rel)))


def any_of_each(stage: Stage) -> Rel:
    """A window that was copied from ``prev``, which numbers all rows, and got a partition."""
    rel = stage.flush(stage.rel)
    items = [(ident, rel.expr(ident)) for ident in rel.all_idents()]
    rank = ("__rank", sql.row_number(stage.window_order(rel), [sql.col("k")]))
    return stage.where(stage.select("ranked", rel, [*items, rank]), sql.eq(sql.col("__rank"), sql.integer(1)))


def by_hand(stage: Stage) -> Rel:
    """The same by an author who knows SQL and not the moves: the input's relation over another CTE."""
    rel = stage.flush(stage.rel)
    rank = sql.alias(sql.row_number(None, [sql.col("k")]), "__rank")
    query = sql.select([*(sql.col(i) for i in rel.all_idents()), rank], sql.table(rel.source))
    first = sql.eq(sql.col("__rank"), sql.integer(1))
    return replace(rel, source=stage.add("ranked", query, rel.source), where=first)


Lower = Callable[[Stage], Rel]


@pytest.fixture
def dedup(monkeypatch: pytest.MonkeyPatch) -> Callable[[Lower], Case]:
    """Registers, for one test, a command ``dedup`` copied from ``bypass`` with this lowering; a case over many rows."""

    def register(lower: Lower) -> Case:
        monkeypatch.setitem(COMMANDS, "dedup", replace(COMMANDS["bypass"], name="dedup", lower=lower))
        numbers = np.arange(ROWS)
        table = pa.table({"k": numbers // 3, NUMBER: numbers})
        query = "table t | dedup"
        return Case(query, {"t": table}, parse_query(query, GRAMMAR).commands[-1])

    return register


def test_a_relation_made_by_hand_fails_the_check_over_many_rows(dedup: Callable[[Lower], Case]) -> None:
    case = dedup(by_hand)
    with pytest.raises(AssertionError, match=r"dedup returns rows whose order is not defined.*stage\.with_keys\(rel\)"):
        check(case)


def test_the_moves_keep_the_number_of_a_row_where_it_has_one(dedup: Callable[[Lower], Case]) -> None:
    check(dedup(forgetful))  # a stored table numbers its rows


def test_a_command_that_forgets_its_order_is_refused_on_three_rows(dedup: Callable[[Lower], Case]) -> None:
    dedup(forgetful)
    query = f"json \"[{{'k': 1}}, {{'k': 2}}, {{'k': 1}}]\" | eval {NUMBER} = seq() | dedup"
    with (
        logsql.connect(tz=ZONE) as session,
        pytest.raises(OrderLost, match=r"dedup returns rows whose order is not defined.*stage\.with_keys\(rel\)"),
    ):
        session.query(query).rows()


def test_a_window_over_rows_in_no_order_is_refused_on_three_rows(dedup: Callable[[Lower], Case]) -> None:
    case = dedup(any_of_each)
    with pytest.raises(OrderLost, match=r"rows of a partition in no order.*stage\.order_items\(rel\)"):
        check(case)


def test_the_order_line_mends_it(dedup: Callable[[Lower], Case]) -> None:
    case = dedup(careful)
    check(case._replace(query=f'json "{{}}" | repeat count={ROWS} | eval {NUMBER} = seq(), k = {NUMBER} / 3 | dedup'))


# --- nothing by hand --------------------------------------------------------------------------------------------------

#: Relations that no row is read from: the shape of a document for the conditions of rules, one value of a statement.
SHAPES = frozenset({"logsql/jobs/keywords.py", "logsql/engine/passthrough.py", "logsql/engine/present.py"})


def made_by_hand(path: Path) -> Iterator[str]:
    """Places outside ``planner/`` that say themselves where rows come from and how they are ordered."""
    name = path.relative_to(ROOT).as_posix()
    if "logsql.planner" not in path.read_text(encoding="utf-8"):
        return  # it knows no relations: what it replaces is something else
    for node in house.walk(house.parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "logsql.planner.relation":
            said = {a.name for a in node.names} & {"PHYSICAL", "UNORDERED", "Order"}
            yield from (f"{name}:{node.lineno} imports {word}" for word in sorted(said))
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            keywords = {k.arg for k in node.keywords}
            if called == "replace" and keywords & {"source", "order"}:
                yield f"{name}:{node.lineno} replaces the source or the order of a relation"
            if called == "Rel" and (name not in SHAPES or "order" in keywords or len(node.args) > 4):
                yield f"{name}:{node.lineno} makes a relation"


def test_only_the_moves_of_a_stage_make_relations() -> None:
    paths = [p for p in sorted((ROOT / "logsql").rglob("*.py")) if p.parent.name != "planner"]
    found = [place for path in paths for place in made_by_hand(path)]
    assert not found, (
        "hand on what a move of the stage returns (stage.select, grouped, joined, derived, read ...): "
        f"it tells the order from the SELECT. {found}"
    )
