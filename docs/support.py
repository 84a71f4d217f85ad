"""The support matrix, made by running: every manual example and every conformance case through the product.

A command or function counts a conformance case when the case uses it; the matrix says how many of them pass.
"""

from __future__ import annotations

from collections.abc import Iterator

from docs.reference import cell, own
from logsql.diagnostics.errors import LogsqlError
from logsql.language.parser import parse_query
from logsql.language.tree import Aggregate, Call, Command, Query
from logsql.planner.folds import tree_nodes
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS, GRAMMAR, REFUSED_COMMANDS, REFUSED_FUNCTIONS
from tests.compare import rows_equal, values_equal
from tests.conformance_cases import Case, arrow_table, arrow_tables, error_matches, load
from tests.run_case import run

ZONE = "Asia/Seoul"


def passes(case: Case) -> bool:
    """Whether the product gives what the case expects."""
    try:
        rows = run(case.query, arrow_tables(case), case.tz, case.params)
    except LogsqlError as error:
        return bool(case.errors) and error_matches(case, str(error))
    if case.expect is None:
        return False
    if case.expect_len is not None:
        return all(len(row["v"]) == case.expect_len for row in rows)
    if case.unordered_lists:
        pairs = zip(case.expect, rows, strict=True)
        return all(values_equal(e["v"], r["v"], case.tz, unordered=True) is None for e, r in pairs)
    return rows_equal(case.expect, rows, case.ordered, case.tz) is None


def used(query: Query) -> Iterator[str]:
    """Names of the commands, functions and aggregates of a query, subqueries included."""
    for node in tree_nodes(query):
        if isinstance(node, Command):
            yield f"command {node.name}"
        elif isinstance(node, Call):
            yield f"function {node.name}"
        elif isinstance(node, Aggregate):
            yield f"aggregate {node.function.text}"


def conformance() -> dict[str, tuple[int, int]]:
    """Cases passed and cases in all, by what they use."""
    counts: dict[str, tuple[int, int]] = {}
    for case in (*load("language"), *load("functions"), *load("pipelines")):
        passed = passes(case)
        try:
            names = set(used(parse_query(case.query, GRAMMAR)))
        except LogsqlError:
            names = set()
        for name in {*names, "all"}:
            good, total = counts.get(name, (0, 0))
            counts[name] = (good + passed, total + 1)
    return counts


def examples(spec_name: str) -> str:
    """Manual examples of a command that give the rows printed, of those that print rows."""
    shown = [e for e in COMMANDS[spec_name].examples if e.rows is not None]
    good = 0
    for example in shown:
        tables = {name: arrow_table(rows, {"_time": "date"}, ZONE) for name, rows in (example.tables or {}).items()}
        assert example.rows is not None
        good += rows_equal(example.rows, run(example.query, tables, ZONE), True, ZONE) is None
    return f"{good} of {len(shown)}" if shown else "-"


def share(counts: dict[str, tuple[int, int]], *names: str) -> str:
    good, total = (sum(counts.get(n, (0, 0))[i] for n in names) for i in (0, 1))
    return f"{good} of {total}" if total else "-"


def support_page() -> str:
    """The matrix as Markdown."""
    counts = conformance()
    good, total = counts["all"]
    lines = ["# Support matrix", "", f"Made by running: {good} of {total} conformance cases pass.", ""]
    lines += ["## Commands", "", "| command | examples | conformance cases | needs |", "| --- | --- | --- | --- |"]
    for spec in own(COMMANDS):
        names = [f"command {n}" for n in (spec.name, *spec.aliases)]
        extra = f"extra `{spec.extra}`" if spec.extra else ""
        lines.append(f"| `{spec.name}` | {examples(spec.name)} | {share(counts, *names)} | {extra} |")
    lines += ["", "## Functions", "", "| function | conformance cases | runs in |", "| --- | --- | --- |"]
    for function in own(FUNCTIONS):
        names = [f"function {n}" for n in (function.name, *function.aliases)]
        runs = function.duty.runs.value
        lines.append(f"| `{function.name}` | {share(counts, *names)} | {runs} |")
    lines += ["", "## Aggregates", "", "| aggregate | conformance cases |", "| --- | --- |"]
    for aggregate in own(AGGREGATES):
        names = [f"aggregate {n}" for n in (aggregate.name, *aggregate.aliases)]
        lines.append(f"| `{aggregate.name}` | {share(counts, *names)} |")
    lines += ["", "## Refused by name", "", "| command or function | reason |", "| --- | --- |"]
    lines += [f"| `{name}` | {cell(reason)} |" for name, reason in sorted(REFUSED_COMMANDS.items())]
    lines += [f"| `{name}()` | {cell(reason)} |" for name, reason in sorted(REFUSED_FUNCTIONS.items())]
    return "\n".join(lines) + "\n"
