"""The structure of the program as its import statements tell it: ``make house`` prints the table of measures.

Imports inside functions and those for type checkers count as imports: a room that is named there is known there.
``tests/house`` holds the same measures against their goals.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("logsql", "udfs")

#: (room, room it must never import). A room is the first folder or file below ``logsql``, or ``udfs``.
NEVERS: tuple[tuple[str, str], ...] = (
    ("planner", "commands"),
    ("planner", "functions"),
    ("planner", "ml"),
    ("planner", "engine"),
    ("engine", "commands"),
    ("engine", "render"),
    ("engine", "shell"),
    ("ml", "engine"),
    ("render", "engine"),
    ("commands", "engine"),
    ("udfs", "logsql"),
    ("language", "planner"),
    ("conversation", "shell"),
    ("engine", "conversation"),
    ("render", "conversation"),
    ("planner", "operators"),
    ("values", "planner"),
    ("values", "operators"),
)
#: Rooms that only the public interface and the command line may import; the server sends over connectors, too.
TOP_ROOMS = ("connectors", "streams")
TOP = ("api", "cli", "__init__", "__main__")
ALSO = (("streams", "connectors"),)


@dataclass(frozen=True)
class Import:
    """One import statement of a first-party module: who, whom, where, and whether it stands inside a function."""

    source: str
    target: str
    line: int
    in_function: bool

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Dotted name of every module of the program, with its file."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


@cache
def parsed(path: Path) -> ast.Module:
    """The tree of a file, read once in a process: many rules look at every file. Nobody changes it."""
    return ast.parse(path.read_text(encoding="utf-8"))


def walk(tree: ast.AST) -> Iterable[ast.AST]:
    """As ``ast.walk``; of a whole file only once: a dozen rules look at every node of every file, seconds each time."""
    if not isinstance(tree, ast.Module):
        return ast.walk(tree)
    if id(tree) not in _WALKED:
        _WALKED[id(tree)] = (tree, tuple(ast.walk(tree)))
    return _WALKED[id(tree)][1]


#: The nodes of each file, and the file's tree, without which its id could become another's.
_WALKED: dict[int, tuple[ast.Module, tuple[ast.AST, ...]]] = {}


@cache
def imports(root: Path = ROOT) -> tuple[Import, ...]:
    """Every import of one module of the program by another."""
    known = modules(root)
    return tuple(found for name, path in known.items() for found in _imports_of(name, path, known))


def _imports_of(name: str, path: Path, known: dict[str, Path]) -> Iterator[Import]:
    tree = parsed(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    inside = {
        id(node)
        for function in walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    for node in walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for target in dict.fromkeys(_targets(node, package, known)):
                if target != name:
                    yield Import(name, target, node.lineno, id(node) in inside)


def _targets(node: ast.Import | ast.ImportFrom, package: str, known: dict[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
        return
    base = node.module or ""
    if node.level:
        parts = package.split(".")
        base = ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
    for alias in node.names:
        full = f"{base}.{alias.name}"
        if full in known:
            yield full
        elif base in known:
            yield base


def room(module: str) -> str:
    """The room a module is in: ``planner`` for ``logsql.planner.stage``, ``udfs`` for ``udfs.readers.evtx``."""
    parts = module.split(".")
    if parts[0] != "logsql":
        return parts[0]
    return parts[1] if len(parts) > 1 else "__init__"


def broken_nevers(found: Iterable[Import]) -> list[Import]:
    """Imports that a room must never make."""
    return [i for i in found if _is_never(room(i.source), room(i.target), i.target)]


def _is_never(source: str, target: str, module: str) -> bool:
    if source == target:
        return False
    if source == "udfs" and module.startswith("logsql"):
        return True
    return (source, target) in NEVERS or (target in TOP_ROOMS and source not in TOP and (source, target) not in ALSO)


def circles(found: Iterable[Import]) -> list[tuple[str, ...]]:
    """Groups of files that import each other, directly or by a way round (strongly connected components)."""
    edges: dict[str, set[str]] = defaultdict(set)
    for one in found:
        edges[one.source].add(one.target)
    return _components(edges)


def _components(edges: dict[str, set[str]]) -> list[tuple[str, ...]]:
    """Tarjan's algorithm with a stack of its own, so that a long chain of imports needs no recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    result: list[tuple[str, ...]] = []
    for start in list(edges):
        if start in index:
            continue
        work = [(start, iter(sorted(edges.get(start, ()))))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(edges.get(target, ())))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    at = stack.index(node)
                    group = stack[at:]
                    del stack[at:]
                    on_stack.difference_update(group)
                    if len(group) > 1:
                        result.append(tuple(sorted(group)))
    return sorted(result)


def imports_in_functions(root: Path = ROOT) -> list[str]:
    """Import statements of first-party modules inside functions, once each: ``file:line``."""
    known = modules(root)
    places = {(i.source, i.line) for i in imports(root) if i.in_function}
    return [f"{known[name].relative_to(root)}:{line}" for name, line in sorted(places)]


def any_count(root: Path = ROOT) -> int:
    """How often ``Any`` is written, its imports left out."""
    count = 0
    for path in modules(root).values():
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.lstrip().startswith(("from ", "import ", "#")):
                count += len(re.findall(r"\bAny\b", line))
    return count


def codes() -> tuple[int, int, int, int]:
    """Codes on the page of errors, all codes, sentences in both languages, all sentences."""
    from docs.reference import errors_page
    from logsql.diagnostics.codes import CODES, SENTENCES
    from logsql.diagnostics.messages import TEXTS
    from logsql.shell.errorpages import entries

    shown = errors_page()
    known = {entry.code for entry in entries()} | set(CODES)
    texts = [*TEXTS, *(s.text for said in SENTENCES.values() for s in said)]
    return sum(code in shown for code in known), len(known), sum(bool(t.en and t.ko) for t in texts), len(texts)


def files_to_add() -> str:
    """Files that one touches to add a view, a reader with its command, a command, a function."""
    from tests.house.test_new_rooms import COMMAND, FUNCTION, READER, VIEW

    return " / ".join(str(len(files)) for files in (VIEW, READER, COMMAND, FUNCTION))


def test_result(*words: str) -> str:
    """How the tests that show a measure end."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return "passes" if done.returncode == 0 else "FAILS: " + done.stdout.strip().splitlines()[-1]


def main() -> int:
    """Print the measures; ``-v``: each place behind them, ``-q``: only what the files say, nothing is run."""
    options = set(sys.argv[1:])
    found = imports()
    nevers, rings, inner = broken_nevers(found), circles(found), imports_in_functions()
    for label, number, goal, places in (
        ("broken nevers", len(nevers), "0", [str(n) for n in nevers]),
        ("import circles of files", len(rings), "0", [" ".join(r) for r in rings]),
        ("imports inside functions", len(inner), "under 120", inner),
        ("Any", any_count(), "under 250", []),
    ):
        print(f"{label:<58} {number:>9}   goal: {goal}")
        if "-v" in options:
            for place in places:
                print(f"    {place}")
    if "-q" in options:
        return 0
    on_page, known, translated, sentences = codes()
    rooms, order = "tests/house/test_new_rooms.py", "tests/house/test_order.py"
    for label, text, goal in (
        ("error codes on the page of errors", f"{on_page} of {known}", "all"),
        ("sentences in English and Korean", f"{translated} of {sentences}", "all"),
        ("files for a view / a reader / a command / a function", files_to_add(), "1 / 2 / 1 / 1"),
        ("  shown by adding them to a copy of the program", test_result(rooms), "passes"),
        ("a command that forgets its order is refused", test_result(order, "-k", "forgets or hand or mends"), "passes"),
    ):
        print(f"{label:<58} {text:>9}   goal: {goal}", flush=True)
    print("serial [ stats ... ] against stats ..., processor time:", flush=True)
    return subprocess.run([sys.executable, "-m", "bench.duties"], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
