"""What all commands declare of collected files (``SourceSpec.artefact``), for the commands that look at collections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from logsql.planner.catalog import SourceSpec
from logsql.planner.spec import COMMANDS
from udfs.readers.artefacts import Readable

if TYPE_CHECKING:
    from udfs.readers.base import Reader
    from udfs.readers.request import Request

#: Where the commands are that read files.
_ROOMS = ("logsql.commands.forensic", "logsql.commands.sources")


def artefacts() -> tuple[Readable, ...]:
    """Every command that declares one, by name; a command of several names counts once."""
    return tuple(
        Readable(name, spec.reads.artefact, _opener(spec.reads))
        for name, spec in COMMANDS.loaded(*_ROOMS).items()
        if name == spec.name and spec.reads is not None and spec.reads.artefact is not None
    )


def _opener(source: SourceSpec) -> Callable[[Request], Reader]:
    return lambda request: source.load().of(replace(request, given=source.given))
