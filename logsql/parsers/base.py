"""The registry of log parsers."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logsql.planner.relation import Rel
    from logsql.planner.stage import Stage


@dataclass(frozen=True)
class ParserSpec:
    """A log format: its name in ``parse NAME``, what it reads, its fields, a sample line and what that line gives."""

    name: str
    summary: str
    fields: tuple[str, ...]
    lower: Callable[[Stage], Rel]
    samples: tuple[tuple[str, dict[str, object]], ...] = ()
    aliases: tuple[str, ...] = ()


PARSERS: dict[str, ParserSpec] = {}


def register(*specs: ParserSpec) -> None:
    """Add parsers under their names and aliases, lower case."""
    for spec in specs:
        for name in (spec.name, *spec.aliases):
            if name.lower() in PARSERS:
                raise ValueError(f"parser {name} is registered twice")
            PARSERS[name.lower()] = spec


def load_all() -> None:
    """Import every parser module once."""
    import logsql.parsers as package

    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "base":
            importlib.import_module(f"logsql.parsers.{module.name}")
