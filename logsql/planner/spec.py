"""The command registry: one frozen declaration per command, one file per command.

Help, completion, option validation, the support matrix and the reference pages are derived from these declarations. A
command file holds its declaration, its argument parser (over :class:`logsql.language.reader.ArgReader`), its lowering
(over :class:`logsql.planner.stage.Stage`), its manual text and its examples, and nothing else holds any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.relation import Rel
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


class Group(Enum):
    """Chapters of the command reference."""

    SOURCE = "Source"
    FILTER = "Filter and shape"
    TRANSFORM = "Transform"
    PARSE = "Parse"
    STATISTICS = "Statistics"
    COMBINE = "Join, set and lookup"
    TIME = "Time series"
    ML = "Machine learning"
    FORENSIC = "Forensic"
    NETWORK = "Network and external"
    OUTPUT = "Output"
    SYSTEM = "System"


class OrderNeed(Enum):
    """What a command's result does with the order of its input."""

    KEEPS = "the order matters if it matters later"
    NEEDS = "the result depends on the order of rows"
    IGNORES = "the result does not depend on the order of rows"


@dataclass(frozen=True)
class Example:
    """A question an analyst asks, the query, and the printed rows as JSON lines (run by the test suite).

    ``tables`` gives input tables by name (lists of dicts). ``rows`` is None where the result depends on files outside.
    """

    question: str
    query: str
    rows: tuple[dict[str, Any], ...] | None = None
    tables: dict[str, list[dict[str, Any]]] | None = None


def keeps_order(args: Any) -> OrderNeed:
    return OrderNeed.KEEPS


def needs_order(args: Any) -> OrderNeed:
    return OrderNeed.NEEDS


def ignores_order(args: Any) -> OrderNeed:
    return OrderNeed.IGNORES


@dataclass(frozen=True)
class CommandSpec:
    """A command. ``parse`` makes the frozen ``args`` of :class:`~logsql.language.tree.Command`; ``lower`` plans it.

    ``source`` commands start a query and ignore input. ``options_anywhere``: options may follow the object too.
    ``ledger``: reasons (several with commas between) and what they mean, for the manual.
    ``takes_options`` False: the argument text is never read as ``key=value`` pairs (eval, set, rename ...).
    """

    name: str
    group: Group
    summary: str
    usage: tuple[str, ...]
    parse: Callable[[ArgReader], Any]
    lower: Callable[[Stage], Rel | None]
    description: str = ""
    options: tuple[OptionSpec, ...] = ()
    source: bool = False
    order: Callable[[Any], OrderNeed] = keeps_order
    options_anywhere: bool = False
    takes_options: bool = True
    examples: tuple[Example, ...] = ()
    errors: tuple[tuple[str, str, str], ...] = ()
    ledger: tuple[tuple[str, str], ...] = ()
    output: str = ""
    notes: tuple[str, ...] = ()
    extra: str | None = None
    streaming: bool = True
    aliases: tuple[str, ...] = ()

    @property
    def option_names(self) -> tuple[str, ...]:
        return tuple(o.name for o in self.options)

    def option(self, name: str) -> OptionSpec:
        """The declaration of an option; a wrong name is a programming error."""
        for option in self.options:
            if option.name == name:
                return option
        raise KeyError(f"{self.name} declares no option {name}")


COMMANDS: dict[str, CommandSpec] = {}
#: Commands of the language that make no sense on one machine or are not offered: name and the reason shown to the user.
REFUSED_COMMANDS: dict[str, str] = {}


def register(*specs: CommandSpec) -> None:
    """Add commands to the registry under their names and aliases."""
    for spec in specs:
        for name in (spec.name, *spec.aliases):
            if name in COMMANDS:
                raise ValueError(f"command {name} is registered twice")
            COMMANDS[name] = spec
            REFUSED_COMMANDS.pop(name, None)


class RegistryGrammar:
    """The parser's view of the registry."""

    refused: Mapping[str, str] = REFUSED_COMMANDS

    def command(self, name: str) -> CommandSpec | None:
        return COMMANDS.get(name)

    def command_names(self) -> Iterable[str]:
        return COMMANDS


GRAMMAR = RegistryGrammar()

__all__ = [
    "COMMANDS",
    "GRAMMAR",
    "REFUSED_COMMANDS",
    "CommandSpec",
    "Example",
    "Group",
    "OptionKind",
    "OptionSpec",
    "OrderNeed",
    "RegistryGrammar",
    "ignores_order",
    "keeps_order",
    "needs_order",
    "register",
]
