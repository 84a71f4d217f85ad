"""What a test function must not do: end without having asserted anything.

The syntax tree of every test is followed along its paths. A path that reaches a ``return`` or the end of the function
without an assertion is a case that counts as passed whatever the product does; so is a loop over what may be empty, or
an ``if`` around the only assertion. An assertion is ``assert``, ``pytest.raises``, ``pytest.fail`` or a call of a
function of the tests that asserts on all of its own paths. Skips say why; nothing is expected to fail.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from bench import house
from tests.support import ROOT

FOLDER = ROOT / "tests"
FILES = sorted(FOLDER.rglob("*.py"))
#: Methods of libraries that raise when what they name is not so.
RAISING = {
    "expect": "pexpect: the terminal must show the text before the time is over",
    "expect_exact": "pexpect: the same, without a pattern",
    "validate": "pyarrow: the buffers must be what the type says",
    "assert_array_equal": "numpy.testing",
    "assert_allclose": "numpy.testing",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(path: Path) -> ast.Module:
    return house.parsed(path)


@cache
def functions(path: Path) -> dict[str, Function]:
    """Functions and methods of a file by name."""
    return {n.name: n for n in house.walk(tree(path)) if isinstance(n, Function)}


@cache
def imported(path: Path) -> dict[str, tuple[Path, str]]:
    """Names that a file takes from other files of the tests."""
    found = {}
    for node in house.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests"):
            file = ROOT.joinpath(*(node.module or "").split(".")).with_suffix(".py")
            found.update({a.asname or a.name: (file, a.name) for a in node.names if file.exists()})
    return found


def called(node: ast.expr) -> str:
    """Last name of what is called: ``raises`` of ``pytest.raises(...)``."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@cache
def asserting(path: Path, name: str) -> bool:
    """Whether a function of the tests asserts on every path; its own calls are followed, circles assert nothing."""
    file, name = imported(path).get(name, (path, name))
    function = functions(file).get(name)
    return function is not None and (file, name) not in _FOLLOWED and Paths(file, name).silent(function) == []


_FOLLOWED: set[tuple[Path, str]] = set()


class Paths:
    """The paths of one function: where they end without an assertion."""

    def __init__(self, path: Path, name: str = "") -> None:
        self.path = path
        self.name = name
        self.ends: list[int] = []

    def silent(self, function: Function) -> list[int]:
        """Lines at which a path ends that has asserted nothing; the first line of the function is its end."""
        _FOLLOWED.add((self.path, self.name))
        if self.block(function.body, False) is False:
            self.ends.append(function.lineno)
        _FOLLOWED.discard((self.path, self.name))
        return self.ends

    def block(self, statements: Sequence[ast.stmt], asserted: bool) -> bool | None:
        """Whether something is asserted when the block is left; None when it is never left at its end."""
        state: bool | None = asserted
        for statement in statements:
            state = self.statement(statement, bool(state))
            if state is None:
                return None
        return state

    def statement(self, node: ast.stmt, asserted: bool) -> bool | None:
        match node:
            case ast.Return():
                if not asserted and not (node.value and self.calls(node.value)):
                    self.ends.append(node.lineno)
                return None
            case ast.Raise() | ast.Continue() | ast.Break():
                return None
            case ast.Assert():
                return True
            case ast.If():
                left, right = self.block(node.body, asserted), self.block(node.orelse, asserted)
                return None if left is None and right is None else left is not False and right is not False
            case ast.For():
                inside = self.block(node.body, asserted)
                return asserted or (inside is True and self.full(node.iter))
            case ast.While():
                self.block(node.body, asserted)
                return asserted
            case ast.With():
                checks = any(self.calls(item.context_expr) for item in node.items)
                return self.block(node.body, asserted) or checks or asserted
            case ast.Try():
                inside = self.block([*node.body, *node.orelse], asserted)
                ends = [inside, *(self.block(handler.body, asserted) for handler in node.handlers)]
                last = self.block(node.finalbody, False)
                left = [end for end in ends if end is not None]
                return last or (all(left) if left else None)
            case ast.FunctionDef() | ast.ClassDef():
                return asserted
            case _:
                return asserted or any(self.calls(e) for e in ast.iter_child_nodes(node) if isinstance(e, ast.expr))

    def calls(self, node: ast.expr) -> bool:
        """Whether an expression calls something that asserts."""
        for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
            name = called(call.func)
            if name in ("raises", "fail", "warns") or name in RAISING or asserting(self.path, name):
                return True
        return False

    def full(self, node: ast.expr) -> bool:
        """Whether a loop goes over something that is never empty: a literal, or a constant of a module."""
        match node:
            case ast.Tuple() | ast.List() | ast.Set():
                return bool(node.elts)
            case ast.Name():
                return node.id.isupper()
            case ast.Attribute():
                return node.attr.isupper()
            case ast.Call(func=ast.Attribute(attr="items" | "values" | "keys" | "splitlines", value=value)):
                return self.full(value)
            case ast.Call(func=ast.Name(id="range")):
                return True
            case ast.Call(func=ast.Name(id="zip" | "enumerate" | "sorted" | "reversed"), args=args):
                return bool(args) and self.full(args[0])
        return False


def every_test() -> Iterator[tuple[Path, Function]]:
    for path in FILES:
        if path.name.startswith("test_"):
            for node in house.walk(tree(path)):
                if isinstance(node, Function) and node.name.startswith("test_"):
                    yield path, node


def test_no_path_through_a_test_asserts_nothing() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {function.name}"
        for path, function in every_test()
        for line in Paths(path, function.name).silent(function)
    ]
    assert not found, "these paths pass whatever the product does:\n" + "\n".join(found)


def test_skips_say_why_and_nothing_is_expected_to_fail() -> None:
    found = []
    for path in FILES:
        for node in house.walk(tree(path)):
            if isinstance(node, ast.Attribute) and node.attr == "xfail":
                found.append(f"{path.name}:{node.lineno} expects to fail")
            if isinstance(node, ast.Call) and called(node.func) in ("skip", "skipif", "importorskip"):
                why = [k.arg for k in node.keywords if k.arg == "reason"] or (called(node.func) == "skip" and node.args)
                if not why:
                    found.append(f"{path.name}:{node.lineno} skips without a reason")
            if (
                isinstance(node, ast.Attribute)
                and path.name != "conftest.py"
                and ast.unparse(node) == "pytest.mark.skip"
            ):
                found.append(f"{path.name}:{node.lineno} is never run")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "silent"),
    [
        ("assert f()", []),
        ("if f():\n        return\n    assert f()", [3]),
        ("if f():\n        assert g()\n        return\n    assert h()", []),
        ("if f():\n        assert g()", [1]),
        ("if f():\n        assert g()\n    else:\n        assert h()", []),
        ("for x in f():\n        assert x", [1]),
        ("for x in (1, 2):\n        assert x", []),
        ("for x in (1, 2):\n        if x:\n            continue\n        assert x", []),
        ("try:\n        f()\n    except E:\n        return\n    assert g()", [5]),
        ("f()", [1]),
        ("with pytest.raises(E):\n        f()", []),
    ],
)
def test_paths_are_followed(text: str, silent: list[int]) -> None:
    function = ast.parse(f"def test_it():\n    {text}\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert Paths(Path(__file__)).silent(function) == silent


# --- Windows collects every file ------------------------------------------------------------------------------------

#: Modules that only POSIX systems have, and one that does not do there what the tests need.
POSIX = frozenset({"fcntl", "grp", "pexpect", "pty", "pwd", "resource", "termios", "tty"})


def posix_imports(tree: ast.Module) -> list[str]:
    """POSIX-only modules that are imported as soon as a file is collected."""
    found = [a.name for node in tree.body if isinstance(node, ast.Import) for a in node.names]
    found += [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    return [name for name in found if name.partition(".")[0] in POSIX]


def test_no_file_of_the_tests_needs_a_posix_system_to_be_collected() -> None:
    files = [*(ROOT / "tests").rglob("*.py"), ROOT / "bench" / "house.py"]  # what tests import of bench
    found = {f.name: n for f in files if (n := posix_imports(house.parsed(f)))}
    assert not found, "import it in the test (marker posix), or pytest.importorskip(NAME, reason=...)"
    assert posix_imports(ast.parse("import os, fcntl\nfrom pty import fork")) == ["fcntl", "pty"]
