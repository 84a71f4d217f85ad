"""The one place that says where commands and functions are.

Importing this module fills the registries of functions (:data:`logsql.planner.function_spec.FUNCTIONS` and
``AGGREGATES``) and tells that of commands (:data:`logsql.planner.spec.COMMANDS`) where its rows are: the module of a
command is imported when its name is first asked for, all of them when somebody looks through the names. A session
imports it with its first query, the shell and the pages of help when they start: opening a session costs nothing of
it. What plans or runs a query sees declarations, never the rooms they come from.
"""

from __future__ import annotations

import importlib

from logsql.loading import collector_paused, modules_below
from logsql.planner.function_spec import AGGREGATES, FUNCTIONS, REFUSED_FUNCTIONS
from logsql.planner.spec import COMMANDS, GRAMMAR, REFUSED_COMMANDS

__all__ = ["AGGREGATES", "COMMANDS", "FUNCTIONS", "GRAMMAR", "REFUSED_COMMANDS", "REFUSED_FUNCTIONS"]

#: Commands and log parsers are found by their names; a function may stand in any module of its room, so all are read.
FUNCTION_ROOM = "logsql.functions"

COMMANDS.rooms("logsql.commands", group="logsql.commands")
REFUSED_COMMANDS.rooms("logsql.commands.system")
with collector_paused():
    for _module in modules_below(FUNCTION_ROOM):
        importlib.import_module(_module)
