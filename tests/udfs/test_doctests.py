"""Every example in a public docstring of the scalar functions runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import udfs
import udfs.java


def _modules(package: str, path: list[str]) -> list[str]:
    return [m.name for m in pkgutil.iter_modules(path, f"{package}.") if not m.ispkg]


MODULES = tuple(
    name
    for name in _modules("udfs", list(udfs.__path__)) + _modules("udfs.java", list(udfs.java.__path__))
    if any(test.examples for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name)))
)


def test_examples_are_found() -> None:
    assert len(MODULES) >= 11


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0
