"""The support matrix, made by running: every manual example and every conformance case through the product.

A command or function counts a conformance case when the case uses it; the matrix says how many of them pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from docs.reference import cell, own
from logsql.diagnostics.errors import LogsqlError
from logsql.language.parser import parse_query
from logsql.language.tree import Aggregate, Call, Command, Query
from logsql.planner.folds import tree_nodes
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS, GRAMMAR, REFUSED_COMMANDS, REFUSED_FUNCTIONS
from tests.conformance_cases import Case, arrow_tables, error_matches, load, manual
from tests.run_case import difference, run


def passes(case: Case) -> bool:
    """Whether the product gives what the case expects."""
    try:
        rows = run(case.query, arrow_tables(case), case.tz, case.params)
    except LogsqlError as error:
        return bool(case.errors) and error_matches(case, str(error))
    return case.expect is not None and difference(case, rows) is None


def used(query: Query) -> Iterator[str]:
    """Names of the commands, functions and aggregates of a query, subqueries included."""
    for node in tree_nodes(query):
        if isinstance(node, Command):
            yield f"command {node.name}"
        elif isinstance(node, Call):
            yield f"function {node.name}"
        elif isinstance(node, Aggregate):
            yield f"aggregate {node.function.text}"


def conformance(passed: Callable[[Case], bool]) -> dict[str, tuple[int, int]]:
    """Cases passed and cases in all, by what they use."""
    counts: dict[str, tuple[int, int]] = {}
    for case in (*load("language"), *load("functions"), *load("pipelines")):
        good_case = passed(case)
        try:
            names = set(used(parse_query(case.query, GRAMMAR)))
        except LogsqlError:
            names = set()
        for name in {*names, "all"}:
            good, total = counts.get(name, (0, 0))
            counts[name] = (good + good_case, total + 1)
    return counts


def examples(spec_name: str, passed: Callable[[Case], bool]) -> str:
    """Manual examples of a command that give the rows printed, of those that print rows."""
    shown = [passed(case) for case in manual() if case.id.rpartition("-")[0] == spec_name]
    return f"{sum(shown)} of {len(shown)}" if shown else "-"


def share(counts: dict[str, tuple[int, int]], *names: str) -> str:
    good, total = (sum(counts.get(n, (0, 0))[i] for n in names) for i in (0, 1))
    return f"{good} of {total}" if total else "-"


def support_page(passed: Callable[[Case], bool] = passes) -> str:
    """The matrix as Markdown; ``passed`` says of a case whether the product gives what it expects (by running it)."""
    counts = conformance(passed)
    good, total = counts["all"]
    lines = ["# Support matrix", "", f"Made by running: {good} of {total} conformance cases pass.", ""]
    lines += ["## Commands", "", "| command | examples | conformance cases | needs |", "| --- | --- | --- | --- |"]
    for spec in own(COMMANDS):
        names = [f"command {n}" for n in (spec.name, *spec.aliases)]
        extra = f"extra `{spec.extra}`" if spec.extra else ""
        lines.append(f"| `{spec.name}` | {examples(spec.name, passed)} | {share(counts, *names)} | {extra} |")
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
    lines += [f"| `{name}` | {cell(reason.en)} |" for name, reason in sorted(REFUSED_COMMANDS.items())]
    lines += [f"| `{name}()` | {cell(reason.en)} |" for name, reason in sorted(REFUSED_FUNCTIONS.items())]
    return "\n".join(lines) + "\n"
