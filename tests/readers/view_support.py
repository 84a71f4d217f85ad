"""The registry views as their commands declare them."""

from __future__ import annotations

from collections.abc import Sequence

from logsql.registry import COMMANDS
from udfs.readers.regviews.reader import ViewReader
from udfs.readers.regviews.view import View

VIEWS: dict[str, View] = {
    name: spec.reads.given
    for name, spec in COMMANDS.items()
    if spec.reads is not None and isinstance(spec.reads.given, View)
}


def open_view(
    name: str, paths: str | Sequence[str], zippath: str | None = None, zipcharset: str = "utf-8", replay: bool = False
) -> ViewReader:
    """The reader of a view by the name of its command."""
    return ViewReader(VIEWS[name], paths, zippath, zipcharset, replay)
