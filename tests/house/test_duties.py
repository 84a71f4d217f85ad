"""Duties: every command and function declares them, the declarations are true, and no other file lists commands."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

from bench import house
from logsql.api import connect
from logsql.commands.filter import limit
from logsql.diagnostics.codes import CODES, SENTENCES, Code
from logsql.engine.session import Session
from logsql.functions import network
from logsql.language.parser import parse_query
from logsql.planner import folds
from logsql.planner.duties import Flow, InStream, Kind, Lowering, OrderGiven, OrderNeed, Runs, Subquery
from logsql.planner.function_spec import AGGREGATES, FUNCTIONS, AggregateSpec, FunctionSpec
from logsql.planner.spec import CommandSpec, Example
from logsql.registry import COMMANDS, GRAMMAR
from logsql.shell.complete import complete
from tests.compare import rows_equal
from tests.conformance_cases import arrow_table
from tests.run_case import run, session
from tests.shell.test_complete import FakeCatalog

ROOT = Path(__file__).resolve().parents[2]
ZONE = "Asia/Seoul"
DUTIES = ("fields", "arguments", "subquery", "order", "stream", "lowering", "twice", "state")
OWN = [spec for name, spec in sorted(COMMANDS.items()) if name == spec.name]
NAMES = [spec.name for spec in OWN]


# --- declared, without defaults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declaration", "duties"), [(CommandSpec, DUTIES), (FunctionSpec, ("duty",)), (AggregateSpec, ("duty",))]
)
def test_a_duty_has_no_default(declaration: type, duties: tuple[str, ...]) -> None:
    declared = {f.name: f for f in fields(declaration)}
    assert [d for d in duties if declared[d].default is not MISSING or declared[d].default_factory is not MISSING] == []


@pytest.mark.parametrize("duty", DUTIES)
def test_a_command_that_leaves_a_duty_out_stops_the_import(duty: str) -> None:
    with pytest.raises(TypeError, match=duty):
        imported(limit, rf"^        {duty}=.*,\n")


def test_a_function_that_leaves_its_duty_out_stops_the_import() -> None:
    with pytest.raises(TypeError, match="declares no duty"):
        imported(network, r"\b(DUCKDB|PARTLY|PLAIN),(?=\n)")


def imported(module: ModuleType, without: str) -> None:
    """Run the source of a module again with what matches taken out."""
    text = inspect.getsource(module)
    less = re.sub(without, "", text, flags=re.MULTILINE)
    assert less != text
    changed = ModuleType("changed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "changed", changed)
        for name in vars(module).values():  # the module defines its rows again
            if isinstance(name, Code):
                patch.delitem(CODES, name.code, raising=False)
                patch.delitem(SENTENCES, name.code, raising=False)
        exec(compile(less, "changed.py", "exec"), changed.__dict__)


# --- declared truly ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", OWN, ids=NAMES)
def test_the_usage_says_what_the_arguments_say(spec: CommandSpec) -> None:
    usage = " ".join(spec.usage)
    kinds = {argument.kind for argument in spec.arguments}
    assert (Kind.QUERY in kinds) == bool(re.search(r"\[ (QUERY|COMMANDS) \]", usage)), usage
    assert (Kind.QUERY in kinds) <= (spec.subquery is not Subquery.NONE)
    for argument in spec.arguments:
        for word in argument.after:
            assert re.search(rf"\b{word}\b", usage), f"{word} stands in no usage"
    assert any("by" in argument.after for argument in spec.arguments) == bool(re.search(r"\bby\b", usage))
    assert (Kind.AGGREGATES in kinds) == ("AGGREGATE" in usage)


def cases() -> Iterator[tuple[CommandSpec, Example, str]]:
    """The first example of each command that has it right behind ``table NAME``, cut behind the command."""
    for spec in OWN:
        for example in spec.examples:
            commands = parse_query(example.query, GRAMMAR).commands
            if [c.name for c in commands[:2]] == ["table", spec.name] and example.rows is not None:
                yield spec, example, example.query[: commands[1].span.end]
                break


CASES = list(cases())


def tables(example: Example) -> dict[str, pa.Table]:
    return {name: arrow_table(rows, {"_time": "date"}, ZONE) for name, rows in (example.tables or {}).items()}


def first_table(example: Example) -> str:
    command = parse_query(example.query, GRAMMAR).commands[0]
    return str(command.args.names[0].text)


def waits_for(query: str) -> InStream:
    return folds.in_stream(parse_query(query, GRAMMAR).commands[1])


def reads_itself(example: Example, query: str) -> bool:
    """Whether a subquery reads the table, too: it would change with it."""
    return query.count(f"table {first_table(example)}") > 1


ROW_WISE = [c for c in CASES if waits_for(c[2]) is InStream.ROW_WISE and not reads_itself(c[1], c[2])]


@pytest.mark.parametrize(("spec", "example", "query"), ROW_WISE, ids=[c[0].name for c in ROW_WISE])
def test_row_wise_gives_for_two_inputs_the_two_results(spec: CommandSpec, example: Example, query: str) -> None:
    given, name = tables(example), first_table(example)
    rows = given[name]
    turned = rows.take(list(range(rows.num_rows))[::-1])
    results = [run(query, {**given, name: part}, ZONE) for part in (rows, turned, pa.concat_tables([rows, turned]))]
    difference = rows_equal([*results[0], *results[1]], results[2], ordered=True, tz=ZONE)
    assert difference is None, f"{spec.name} is declared row-wise\n{difference}"


RUNNING = [c for c in CASES if waits_for(c[2]) is InStream.RUNNING and not reads_itself(c[1], c[2])]


@pytest.mark.parametrize(("spec", "example", "query"), RUNNING, ids=[c[0].name for c in RUNNING])
def test_running_gives_for_the_first_rows_the_first_results(spec: CommandSpec, example: Example, query: str) -> None:
    given, name = tables(example), first_table(example)
    rows = given[name]
    assert rows.num_rows > 1
    whole = run(query, given, ZONE)
    parts = [run(query, {**given, name: rows.slice(0, count)}, ZONE) for count in range(1, rows.num_rows)]
    differences = [rows_equal(whole[: len(part)], part, ordered=True, tz=ZONE) for part in parts]
    assert differences == [None] * len(parts), f"{spec.name} is declared running"


WINDOWED = [c for c in CASES if waits_for(c[2]) is InStream.WINDOWED and not reads_itself(c[1], c[2])]


@pytest.mark.parametrize(("spec", "example", "query"), WINDOWED, ids=[c[0].name for c in WINDOWED])
def test_windowed_gives_for_a_window_what_its_rows_alone_give(spec: CommandSpec, example: Example, query: str) -> None:
    given, name = tables(example), first_table(example)
    rows = given[name]
    windows = [rows, rows.slice(1), rows.slice(0, rows.num_rows - 1)]
    with connect(tz=ZONE) as running:
        after_others = [windowed(running, query, {**given, name: window}) for window in windows]
    alone = []
    for window in windows:
        with connect(tz=ZONE) as one:
            alone.append(windowed(one, query, {**given, name: window}))
    differences = [rows_equal(*pair, ordered=False, tz=ZONE) for pair in zip(alone, after_others, strict=True)]
    assert differences == [None] * 3, f"{spec.name} is declared windowed, but rows of another window count"


def windowed(s: Session, query: str, given: dict[str, pa.Table]) -> list[dict[str, Any]]:
    for name, table in given.items():
        s.register(name, table)
    return s.query(query).rows()


def needs(query: str) -> OrderNeed:
    return folds.order_need(parse_query(query, GRAMMAR).commands[1])


ANY_ORDER = [case for case in CASES if needs(case[2]) is not OrderNeed.NEEDS]


@pytest.mark.parametrize(("spec", "example", "query"), ANY_ORDER, ids=[c[0].name for c in ANY_ORDER])
def test_what_does_not_need_the_order_gives_the_same_rows_for_any(
    spec: CommandSpec, example: Example, query: str
) -> None:
    given, name = tables(example), first_table(example)
    rows = given[name]
    places = list(range(rows.num_rows))
    sorted_so = needs(query) is OrderNeed.IGNORES and spec.order.gives is OrderGiven.OWN
    first = run(query, given, ZONE)
    for other in (
        places[::-1],
        [*places[1:], *places[:1]],
    ):  # every second of five rows are the same ones, turned round
        found = run(query, {**given, name: rows.take(other)}, ZONE)
        difference = rows_equal(first, found, ordered=sorted_so, tz=ZONE)
        assert difference is None, f"{spec.name} is declared not to need the order of its input\n{difference}"


def test_the_behaviour_of_many_commands_is_looked_at() -> None:
    assert len(ROW_WISE) > 20
    assert len(ANY_ORDER) >= 30
    assert len(RUNNING) >= 4
    assert len(WINDOWED) >= 12


@pytest.mark.parametrize(("spec", "example", "query"), CASES, ids=[c[0].name for c in CASES])
def test_a_plan_with_python_in_it_is_declared(spec: CommandSpec, example: Example, query: str) -> None:
    opened = session(ZONE)
    for name, table in tables(example).items():
        opened.register(name, table)
    plan = opened.plan(query, {})[0]
    called = set(re.findall(r"(\$|\w+)\(", query)) & set(FUNCTIONS)
    python = any(FUNCTIONS[name].duty.runs is not Runs.SQL for name in called)
    assert not plan.python or python or spec.lowering is Lowering.PYTHON, (plan.udfs, plan.steps)


def test_a_source_is_what_reads_no_rows() -> None:
    assert all(spec.source == (spec.stream is InStream.SOURCE) for spec in OWN)
    assert {f.duty.places for f in FUNCTIONS.values() if f.duty.repeats} == {False}
    assert [a.name for a in AGGREGATES.values() if a.duty.ordered] == ["first", "last", "array"]


# --- completion -------------------------------------------------------------------------------------------------------

#: A word that the catalogue of the completion tests offers for a kind of argument.
OFFERED = {
    Kind.FIELDS: {"status"},
    Kind.AGGREGATES: {"sum"},
    Kind.EXPRESSION: {"concat(", "status"},
    Kind.ASSIGNMENTS: {"concat(", "status"},
    Kind.PATH: {"b.csv"},
    Kind.TABLE: {"firewall"},
    Kind.LOOKUP: {"owners"},
}


@pytest.mark.parametrize("spec", OWN, ids=NAMES)
def test_completion_offers_what_the_arguments_are(spec: CommandSpec) -> None:
    typed = f"{'' if spec.source else 'table web | '}{spec.name} "
    for words in {(), *(a.after for a in spec.arguments)}:
        text = typed + (f"x {words[0]} " if words else "")
        found = {s.text for s in complete(text, len(text), FakeCatalog())}
        kinds = [a.kind for a in spec.arguments if a.after == words and a.kind in OFFERED]
        assert found & set[str]().union(*OFFERED.values()) == set[str]().union(*(OFFERED[k] for k in kinds)), text


# --- no lists of names elsewhere --------------------------------------------------------------------------------------

#: (file, what stands there): names that are also commands, and stand there for something else.
ALLOWED = {
    # The value of an option, an option, a function, a type.
    ("logsql/commands/combine/memlookup.py", "operation == 'drop'"),
    ("logsql/commands/filter/search.py", "o.key == 'limit'"),
    ("logsql/commands/filter/sort.py", "o.key == 'limit'"),
    ("logsql/commands/network/_requests.py", "self.format != 'json'"),
    ("logsql/functions/arrays.py", "node.name != 'split'"),
    ("logsql/planner/notes/lists.py", "option.name == 'limit'"),
    ("logsql/shell/ml_commands.py", "'fields' in options"),
    ("logsql/values/imports.py", "source.logical == 'json'"),
    ("logsql/values/imports.py", "source.logical in ('json', 'map')"),
}


def literals(node: ast.AST) -> list[str]:
    """The strings written in a collection, or as a constant."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    parts: list[ast.expr] = []
    if isinstance(node, (ast.Set, ast.List, ast.Tuple)):
        parts = node.elts
    elif isinstance(node, ast.Dict):
        parts = [k for k in node.keys if k is not None]
    return [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]


def lists_of_commands(tree: ast.AST) -> Iterator[str]:
    """Collections of three or more names of commands, and comparisons with one."""
    names = set(COMMANDS) - {"-"}
    for node in house.walk(tree):
        if isinstance(node, (ast.Set, ast.List, ast.Tuple, ast.Dict)):
            found = [word for word in literals(node) if word in names]
            if len(found) >= 3:
                yield " ".join(found)
        elif isinstance(node, ast.Compare):
            if any(word in names for side in (node.left, *node.comparators) for word in literals(side)):
                yield ast.unparse(node)
        elif isinstance(node, ast.MatchValue) and any(word in names for word in literals(node.value)):
            yield ast.unparse(node.value)


def test_no_file_but_a_commands_own_knows_names_of_commands() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), what)
        for path in sorted((ROOT / "logsql").rglob("*.py"))
        for what in lists_of_commands(house.parsed(path))
    }
    assert not found - ALLOWED, "what a command does is declared with the command (logsql/planner/duties.py)"
    assert not ALLOWED - found, "gone: take it off the list"


@pytest.mark.parametrize(
    "text",
    [
        '_PASSING = frozenset({"search", "eval", "limit"})',
        'WANTS = {"stats": 1, "pivot": 2, "cube": 3}',
        'if command.name == "setq": pass',
        'if spec.name not in ("set", "setq"): pass',
        'match name:\n    case "evalc": pass',
    ],
)
def test_a_new_list_of_commands_is_found(text: str) -> None:
    assert list(lists_of_commands(ast.parse(text)))


#: What a compared thing is called that is the name of a call: ``spec.name``, ``call.function.text``, ``written``.
CALLED = {"name", "function", "written", "call", "callee", "text"}
#: Names of functions that are types as well (a list of types is none of functions); ``$`` is a sign of the language.
TYPES = {"string", "int", "long", "double", "date", "ip", "binary"}

#: (file, what stands there): names that are also functions, or that a room which knows no functions must know.
ALLOWED_FUNCTIONS = {
    # Keywords and columns of a command.
    ("logsql/commands/sources/system.py", "word.text != 'count'"),
    ("logsql/commands/stats/boxplot.py", "min max count"),
    # Words of other languages, and the function that takes patterns, in the room that reads the text alone.
    ("logsql/language/slips.py", "call == 'in'"),
    # The column of c is called count.
    ("logsql/language/lists.py", "function.text == 'c'"),
    # A word behind count is the name of its column: it takes no field. Behind others it is the field.
    ("logsql/language/lists.py", "before.output.text == 'count'"),
    # Rules of a file of keywords: a language of its own, with and, or and not().
    ("logsql/jobs/keywords.py", "expr.name == 'not'"),
    # The rows of these functions: they are refused together.
    ("logsql/commands/system/refused.py", "matchblackip matchfeed matchnet matchport matchsig"),
}


def called(node: ast.expr) -> str:
    """The last name of what is compared: ``name`` of ``call.spec.name`` and of ``expr.name.lower()``."""
    if isinstance(node, ast.Call):
        node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def lists_of_functions(tree: ast.AST) -> Iterator[str]:
    """Collections of three or more names of functions and aggregates, and comparisons of a name with one."""
    names = (set(FUNCTIONS) | set(AGGREGATES)) - {"$"}
    for node in house.walk(tree):
        if isinstance(node, (ast.Set, ast.List, ast.Tuple, ast.Dict)):
            found = [word for word in literals(node) if word in names - TYPES]
            if len(found) >= 3:
                yield " ".join(found)
        elif isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            if any(called(side) in CALLED for side in sides) and any(w in names for s in sides for w in literals(s)):
                yield ast.unparse(node)
        elif isinstance(node, ast.Match) and called(node.subject) in CALLED:
            patterns = [
                part.value for case in node.cases for part in ast.walk(case.pattern) if isinstance(part, ast.MatchValue)
            ]
            yield from (ast.unparse(value) for value in patterns if set(literals(value)) & names)


def test_no_file_but_a_functions_own_knows_names_of_functions() -> None:
    """The functions stand in ``logsql/functions``; the bridges are a table of names of other languages."""
    own = ("logsql/functions/", "logsql/diagnostics/bridges/")
    found = {
        (place, what)
        for path in sorted((ROOT / "logsql").rglob("*.py"))
        if not (place := path.relative_to(ROOT).as_posix()).startswith(own)
        for what in lists_of_functions(house.parsed(path))
    }
    assert not found - ALLOWED_FUNCTIONS, "what a function does is a field of its row (logsql/planner/function_spec.py)"
    assert not ALLOWED_FUNCTIONS - found, "gone: take it off the list"


@pytest.mark.parametrize(
    "text",
    [
        '_NUMBERS = frozenset({"len", "abs", "mod"})',
        'if call.spec.name == "date": pass',
        'if name in ("max", "min"): pass',
        'if expr.name.lower() != "nvl": pass',
        'match call.name:\n    case "if" | "case": pass',
    ],
)
def test_a_new_list_of_functions_is_found(text: str) -> None:
    assert list(lists_of_functions(ast.parse(text)))


def test_the_flows_are_all_in_use() -> None:
    used = {spec.fields.flow for spec in OWN if not callable(spec.fields)}
    assert used == set(Flow)
