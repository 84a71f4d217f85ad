"""The one place that loads commands, functions and log parsers.

Importing this module fills the registries that the parser and the planner read (:data:`logsql.planner.spec.COMMANDS`,
:data:`logsql.planner.function_spec.FUNCTIONS` and ``AGGREGATES``, :data:`logsql.commands.parse.logs.base.PARSERS`).
A session imports it with its first query, the shell and the pages of help when they start: opening a session costs
nothing of it. What plans or runs a query sees declarations, never the rooms they come from.
"""

from __future__ import annotations

import importlib
import pkgutil

from logsql.loading import collector_paused
from logsql.planner.function_spec import AGGREGATES, FUNCTIONS, REFUSED_FUNCTIONS
from logsql.planner.spec import COMMANDS, GRAMMAR, REFUSED_COMMANDS

__all__ = ["AGGREGATES", "COMMANDS", "FUNCTIONS", "GRAMMAR", "REFUSED_COMMANDS", "REFUSED_FUNCTIONS", "load"]

#: Packages whose modules register themselves when they are imported. A module whose name begins with ``_`` is a helper.
ROOMS = ("logsql.commands", "logsql.functions")


def load() -> None:
    """Import every module of the rooms once (cheap: none imports a heavy library at import time)."""
    with collector_paused():
        for room in ROOMS:
            _import_below(room)


def _import_below(name: str) -> None:
    package = importlib.import_module(name)
    for module in pkgutil.iter_modules(package.__path__, f"{name}."):
        if module.ispkg:
            _import_below(module.name)
        else:
            importlib.import_module(module.name)


load()
