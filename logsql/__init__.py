"""logsql: pipe queries over logs and forensic evidence at the speed of hand-written DuckDB SQL."""

import os
import sys

# ``python -m logsql`` lets Python look for modules in the working folder first: a folder of evidence, whose ``json.py``
# would be run. It stays where the program itself lies in it (a checkout). Nothing may be imported before this, not even
# ``__future__``; os and sys are there since Python began.
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if sys.argv[:1] == ["-m"] and sys.path and sys.path[0] in ("", os.getcwd()) and os.getcwd() != _OURS:
    del sys.path[0]

from typing import TYPE_CHECKING, Any  # noqa: E402  # see above

__version__ = "0.1.0"
__all__ = ["Diagnostic", "LogsqlError", "Session", "connect", "parse", "translate"]

if TYPE_CHECKING:
    from logsql.api import Session, connect, parse, translate
    from logsql.diagnostics.errors import Diagnostic, LogsqlError


def __getattr__(name: str) -> Any:
    """Load the engine only when it is used, and the error types when they are: ``import logsql`` costs nothing."""
    if name in ("Diagnostic", "LogsqlError"):
        from logsql.diagnostics import errors  # for cost: most of a short command

        return getattr(errors, name)
    if name in __all__:
        from logsql.loading import collector_paused  # for cost: only the engine needs it

        with collector_paused():
            from logsql import api  # for cost: the whole program

        return getattr(api, name)
    raise AttributeError(f"module 'logsql' has no attribute {name!r}")
