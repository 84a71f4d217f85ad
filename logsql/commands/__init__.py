"""Commands, one file each; importing this package fills the registry."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping

from logsql.commands.base import COMMANDS, REFUSED_COMMANDS, CommandSpec

__all__ = ["COMMANDS", "GRAMMAR", "REFUSED_COMMANDS", "CommandSpec", "load_all"]


class RegistryGrammar:
    """The parser's view of the registry."""

    refused: Mapping[str, str] = REFUSED_COMMANDS

    def command(self, name: str) -> CommandSpec | None:
        return COMMANDS.get(name)

    def command_names(self) -> Iterable[str]:
        return COMMANDS


GRAMMAR = RegistryGrammar()


def load_all() -> None:
    """Import every command module once (cheap: no command imports a heavy library at import time)."""
    for module in pkgutil.iter_modules(__path__):
        if module.name != "base":
            importlib.import_module(f"{__name__}.{module.name}")


load_all()
