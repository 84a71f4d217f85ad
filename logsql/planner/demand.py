"""Which fields of a source a pipeline can observe, from the syntax alone (architecture 4.4).

A source that must look at its data to know its types looks at these fields only. The answer may name too many fields,
never too few: where a command or function could see the whole row, it is None (every field). It is a fold from the end
of the pipeline to its source, over what each command declares (:class:`logsql.planner.duties.Fields`).
"""

from __future__ import annotations

from collections.abc import Sequence

from logsql.language.tree import Call, Command, Field, Literal, Name, Option
from logsql.language.tree import Subquery as SubqueryNode
from logsql.planner.duties import Demand, Flow, Reads, Subquery
from logsql.planner.folds import first_ones_first, own_nodes
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.spec import COMMANDS, CommandSpec, OptionKind
from logsql.values.paths import parents


def demanded(commands: Sequence[Command], behind: Demand = None) -> Demand:
    """Fields that a chain of commands can read of the rows that enter it, when ``behind`` are read of its result."""
    for command in reversed(commands):
        behind = before(command, behind)
    return behind


def before(command: Command, behind: Demand) -> Demand:
    """Fields that a command, and what reads ``behind`` of its result, can read of its input."""
    spec = COMMANDS[command.name]
    duty = spec.field_duty(command)
    if duty.flow is Flow.STARTS:
        return frozenset()
    if duty.flow is Flow.WHOLE_ROW:
        return None
    if duty.flow is Flow.INNER:
        return demanded(first_ones_first(continued(command)), behind)
    named = _named(spec, command)
    if named is None or (behind is None and duty.flow is not Flow.CLOSES):
        return None
    through = frozenset() if behind is None or duty.flow is Flow.CLOSES else behind - duty.sets
    return through | named | duty.reads


def of_subquery(command: Command, behind: Demand) -> Demand:
    """Fields that are read of the rows of a command's subquery, when ``behind`` are read of its own result."""
    spec = COMMANDS[command.name]
    if spec.subquery is Subquery.CONTINUES:
        return behind
    named = _named(spec, command)
    if spec.subquery is not Subquery.ADDS or behind is None or named is None:
        return None
    return behind | named


def continued(command: Command) -> tuple[Command, ...]:
    """The commands of a subquery that take the rows of this command."""
    args = command.args
    found = [v for v in (getattr(args, name) for name in args.__dataclass_fields__) if isinstance(v, SubqueryNode)]
    return found[0].query.commands


def _named(spec: CommandSpec, command: Command) -> Demand:
    """Every name a command could read, and the fields that a path may lead into; targets of assignments are no reads.
    None: it may read any.
    """
    found: set[str] = set()
    for node in own_nodes(command):
        if isinstance(node, (Field, Name)):
            found.add(node.name if isinstance(node, Field) else node.text)
        elif isinstance(node, Option) and isinstance(node.value, str):
            found |= {node.value, *node.value.replace(",", " ").split()}
        elif isinstance(node, Call):
            function = FUNCTIONS.get(node.name)
            reads = function.duty.reads if function is not None else Reads.ARGUMENTS
            first = node.args[0] if node.args else None
            if reads is Reads.WHOLE_ROW or (reads is Reads.NAMED and not isinstance(first, Literal)):
                return None
            if reads is Reads.NAMED and isinstance(first, Literal):
                found.add(str(first.value))
    for option in spec.options:
        if option.kind is OptionKind.FIELD:
            written = command.option(option.name)
            if written is None and isinstance(option.default, str):
                found.add(option.default)
            elif written is not None and not isinstance(written.value, str):
                return None  # a parameter names the field
    return frozenset(found).union(*map(parents, found))
