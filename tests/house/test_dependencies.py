"""What is imported is declared, and what is declared is imported; a package of an extra is never loaded at start-up."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from bench import house
from tests.support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OWN = {"logsql", "udfs", "tests", "bench", "docs", "sample_data"}
#: Module of a package that is called otherwise.
MODULES = {"scikit-learn": "sklearn", "python-calamine": "python_calamine", "prompt-toolkit": "prompt_toolkit",
           "dnspython": "dns", "beautifulsoup4": "bs4"}  # fmt: skip
#: Modules that the distribution's own Python has; a script of the tests is run by that.
SYSTEM = {"ldb", "samba"}
#: Declared though no file imports it, and why.
UNSEEN = {
    "tzdata": "zoneinfo reads it where the system has no time zones",
    "pandas": "Result.df() lets DuckDB make its frame",
}
#: Licences of what is always installed; an extra may be LGPL, too.
PERMISSIVE = re.compile(r"MIT|BSD|Apache|PSF|Python Software Foundation|ISC|0BSD|CNRI", re.I)


def names(requirements: list[str]) -> set[str]:
    """Names of packages without versions and conditions; ``logsql[...]`` stands for other extras."""
    found = {re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}
    return found - {"logsql"}


BASE = names(PROJECT["dependencies"])
EXTRAS = {extra: names(found) for extra, found in PROJECT["optional-dependencies"].items()}
DEV = EXTRAS.pop("dev")


def module(package: str) -> str:
    return MODULES.get(package, package.replace("-", "_"))


def imported(folder: str) -> Iterator[tuple[str, Path]]:
    """Top-level names of other people's modules that a folder's files import, anywhere in the file."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in house.walk(house.parsed(path)):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found = [node.module]
            else:
                continue
            for name in found:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in OWN:
                    yield top, path.relative_to(ROOT)


def test_what_the_product_imports_is_declared() -> None:
    declared = {module(name) for found in (BASE, *EXTRAS.values()) for name in found}
    assert [(name, str(path)) for folder in ("logsql", "udfs") for name, path in imported(folder)
            if name not in declared] == []  # fmt: skip


def test_what_the_tests_import_is_declared() -> None:
    declared = {module(name) for found in (BASE, DEV, *EXTRAS.values()) for name in found}
    assert [(name, str(path)) for name, path in imported("tests") if name not in declared | SYSTEM] == []


@pytest.mark.parametrize("folder", ["logsql", "udfs"])
def test_no_class_inherits_from_one_of_sqlglot(folder: str) -> None:
    """Where a user has sqlglot in its compiled form (``sqlglot[c]``), the making of the first object of such a class
    ends every query in a TypeError."""
    classes = inherited = 0
    for path in sorted((ROOT / folder).rglob("*.py")):
        nodes = list(house.walk(house.parsed(path)))
        theirs = {
            alias.asname or alias.name
            for node in nodes
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "sqlglot"
            for alias in node.names
        }
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                classes += 1
                roots = [ast.unparse(base).partition(".")[0] for base in node.bases]
                inherited += len(theirs.intersection(roots))
    assert classes > 20
    assert inherited == 0


def test_what_is_declared_is_imported() -> None:
    seen = {name for folder in ("logsql", "udfs") for name, _ in imported(folder)}
    declared = {name for found in (BASE, *EXTRAS.values()) for name in found}
    assert {name for name in declared if module(name) not in seen} == set(UNSEEN)


def test_the_extra_all_names_every_other_one() -> None:
    (everything,) = PROJECT["optional-dependencies"]["all"]
    assert set(everything.removeprefix("logsql[").removesuffix("]").split(",")) == set(EXTRAS) - {"all"}


@pytest.mark.parametrize("package", sorted(BASE))
def test_what_is_always_installed_has_a_permissive_licence(package: str) -> None:
    try:
        facts = metadata(package)
    except PackageNotFoundError:
        assert package == "tzdata", f"{package} is declared and not installed"
        return
    licences = [facts.get("License-Expression") or "", (facts.get("License") or "")[:200]]
    licences += [line for line in facts.get_all("Classifier") or [] if line.startswith("License")]
    said = " ".join(licences)
    assert PERMISSIVE.search(said), f"{package}: {said}"
    assert not re.search(r"\bA?GPL", said), f"{package}: {said}"
