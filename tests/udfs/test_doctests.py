"""Every example in a public docstring of the scalar functions runs."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = (
    "codepoints",
    "collections",
    "columns",
    "crypto",
    "date_calendar",
    "dates",
    "javaformat",
    "javaregex",
    "network",
    "text",
    "zones",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"udfs.{name}"))
    assert results.attempted > 0
    assert results.failed == 0
