"""The command registry: one frozen declaration per command, one file per command.

Help, completion, option validation, the support matrix and the reference pages are derived from these declarations. A
command file holds its declaration, its argument parser (over :class:`logsql.language.reader.ArgReader`), its lowering
(over :class:`logsql.planner.stage.Stage`), its manual text and its examples, and nothing else holds any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from logsql.diagnostics.codes import Code, Pair, Text
from logsql.diagnostics.losses import Loss
from logsql.diagnostics.messages import marked, told
from logsql.language.tree import Command, Name
from logsql.loading import Rows
from logsql.planner.catalog import SourceSpec
from logsql.planner.duties import Argument, Fields, Flow, InStream, Lowering, OrderDuty, RowState, Subquery, Together
from logsql.planner.function_spec import AGGREGATES, FUNCTIONS
from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.relation import Rel
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


#: Stands for the names of a reader's fields in the description of its command.
FIELDS = "{fields}"


class Group(Enum):
    """Chapters of the command reference, in English and Korean."""

    SOURCE = ("Source", "데이터 소스")
    FILTER = ("Filter and shape", "필터와 정렬")
    TRANSFORM = ("Transform", "변환")
    PARSE = ("Parse", "파싱")
    STATISTICS = ("Statistics", "통계")
    COMBINE = ("Join, set and lookup", "조인, 집합, 룩업")
    TIME = ("Time series", "시계열")
    ML = ("Machine learning", "머신러닝")
    FORENSIC = ("Forensic", "포렌식")
    NETWORK = ("Network and external", "네트워크와 외부")
    OUTPUT = ("Output", "출력")
    STREAM = ("Streams and event contexts", "스트림과 이벤트 컨텍스트")
    SYSTEM = ("System", "시스템")

    @property
    def title(self) -> str:
        """Its name in the language in force."""
        return told(self.value)


@dataclass(frozen=True)
class Example:
    """A question an analyst asks, the query, and the printed rows as JSON lines (run by the test suite).

    ``tables`` gives input tables by name (lists of dicts). ``rows`` is None where the result depends on files outside.
    """

    question: str
    query: str
    rows: tuple[dict[str, object], ...] | None = None
    tables: Mapping[str, Sequence[Mapping[str, object]]] | None = None


@dataclass(frozen=True, kw_only=True)
class CommandSpec:
    """A command. ``parse`` makes the frozen ``args`` of :class:`~logsql.language.tree.Command`; ``lower`` plans it.

    The duties have no default, and their words are in :mod:`logsql.planner.duties`. ``fields``: what it reads, sets and
    closes, a function where that depends on what is written. ``arguments``: what may stand behind the options.
    ``order``: what it needs of the order of its input and the order it gives. ``stream``: what it waits for where rows
    never end. ``twice``: its rows are those of a table as it is, so reading them again is cheap and gives the same.
    ``state``: what an ``evalc`` that moves before it meets.

    ``summary``: what it does, in one sentence, in English and Korean; ``usage``: forms of syntax, which are the same in
    both. ``options_anywhere``: options may follow the object too. ``takes_options`` False: the argument text is never
    read as ``key=value`` pairs (eval, set, rename ...). ``errors``: rows of the
    catalogue, each with the cause it has here. ``ledger``: reasons, rows of the catalogue.
    ``for_effect``: often written for what it does and not for its rows, so that a source may stand behind it.
    ``names``: the names in its arguments that are fields of the rows that arrive; without it, where an argument is a
    list of fields, every name is (of pairs the first). ``reads``: how the files of a source command are read;
    :data:`FIELDS` in the description are the reader's fields. ``extension``: the vendor has no such command, so that
    its options bear no mark of their own. ``sql``: the text behind the first word and the options is SQL of a database:
    its quotes, comments and brackets are those of SQL (``language/foreignsql.py``). ``instead``: what to write where
    the rows of a stream do not allow it, in English and Korean. ``together``: a row passes it and others of its kind
    before the next one enters.
    """

    name: str
    group: Group
    summary: Pair
    usage: tuple[str, ...]
    parse: Callable[[ArgReader], object]
    lower: Callable[[Stage], Rel | None]
    fields: Fields | Callable[[Command], Fields]
    arguments: tuple[Argument, ...]
    subquery: Subquery
    order: OrderDuty
    stream: InStream | Callable[[Command], InStream]
    lowering: Lowering
    twice: bool
    state: RowState
    description: str = ""
    options: tuple[OptionSpec, ...] = ()
    options_anywhere: bool = False
    takes_options: bool = True
    examples: tuple[Example, ...] = ()
    errors: tuple[Code, ...] = ()
    ledger: tuple[Loss, ...] = ()
    for_effect: bool = False
    notes: tuple[Pair, ...] = ()
    extra: str | None = None
    aliases: tuple[str, ...] = ()
    reads: SourceSpec | None = None
    names: Callable[[Any], Sequence[Name]] | None = None
    extension: bool = False
    sql: bool = False
    instead: Pair | None = None
    together: Together | None = None

    @property
    def told(self) -> str:
        """What it does, in the language in force, and whether it is an extension."""
        return marked(self.summary, self.extension)

    def option_told(self, option: OptionSpec) -> str:
        """What one of its options does, in the language in force, and whether it is an extension."""
        return marked(option.help, option.extension and not self.extension)

    @property
    def manual(self) -> str:
        """The description; ``{fields}`` in it are those of the reader, which is asked now and not at start-up."""
        text = self.description.strip()
        if self.reads is None or FIELDS not in text:
            return text
        return text.replace(FIELDS, ", ".join(self.reads.fields()))

    @property
    def source(self) -> bool:
        """Whether the command starts a query: it makes rows of its own however it is written."""
        return isinstance(self.fields, Fields) and self.fields.flow is Flow.STARTS

    def field_duty(self, command: Command) -> Fields:
        """What this command, as written, reads, sets and closes."""
        return self.fields if isinstance(self.fields, Fields) else self.fields(command)

    def in_stream(self, command: Command) -> InStream:
        """What this command, as written, waits for where rows never end."""
        return self.stream if isinstance(self.stream, InStream) else self.stream(command)

    @property
    def option_names(self) -> tuple[str, ...]:
        return tuple(o.name for o in self.options)

    def option(self, name: str) -> OptionSpec:
        """The declaration of an option; a wrong name is a programming error."""
        for option in self.options:
            if option.name == name:
                return option
        raise KeyError(f"{self.name} declares no option {name}")


COMMANDS: Rows[CommandSpec] = Rows()
#: Commands of the language that make no sense on one machine or are not offered: name and the reason shown to the user.
REFUSED_COMMANDS: Rows[Text] = Rows()


def register(*specs: CommandSpec) -> None:
    """Add commands to the registry under their names and aliases."""
    for spec in specs:
        for name in (spec.name, *spec.aliases):
            COMMANDS.add(name, spec)


class RegistryGrammar:
    """The parser's view of the registry."""

    refused: Mapping[str, Text] = REFUSED_COMMANDS

    def command(self, name: str) -> CommandSpec | None:
        return COMMANDS.get(name)

    def command_names(self) -> Iterable[str]:
        return COMMANDS

    def computes(self, name: str) -> str | None:
        """The command in which a function or an aggregate stands that was written as a command: ``lower a``."""
        word = name.lower()
        if (function := FUNCTIONS.get(word)) is not None:
            condition = function.returns == "bool"
            return f"search {function.signature}" if condition else f"eval NAME = {function.signature}"
        aggregate = AGGREGATES.get(word)
        return None if aggregate is None else f"stats {aggregate.signature}"

    def reader_of(self, path: str) -> str | None:
        """The command that reads files whose names end as this one's does."""
        lower = path.lower()
        readers = [(end, spec.name) for spec in COMMANDS.values() if spec.reads for end in spec.reads.suffixes]
        return next((name for end, name in sorted(readers, key=lambda r: -len(r[0])) if lower.endswith(end)), None)


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
    "RegistryGrammar",
    "register",
]
