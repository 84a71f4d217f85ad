"""``prev``: values of the row before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlglot import exp

from logsql.diagnostics.codes import define, syntax
from logsql.language.tree import Command, Name
from logsql.loading import at
from logsql.operators.passing import Field, passed, remembered
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql
from logsql.values.types import Kind
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.jobs.lookingback import Shifted
    from logsql.language.reader import ArgReader
    from logsql.planner.running import Memory

MISSING_FIELD = define(
    "22500",
    "missing-field",
    ("no name", "필드 이름이 없습니다"),
    ("prev needs the name of a field", "prev에는 필드 이름이 필요합니다"),
    help=syntax("prev NAME, ..."),
)


@dataclass(frozen=True)
class PrevArgs:
    """Fields whose previous value is wanted."""

    names: tuple[Name, ...]


def parse(reader: ArgReader) -> PrevArgs:
    names = reader.name_list(blanks=True, trailing_comma=MISSING_FIELD)
    if not names:
        reader.fail(MISSING_FIELD)
    return PrevArgs(tuple(names))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(PrevArgs)
    names = names_of(args.names)
    # All values are those before the command: `prev f, prev_f` reads the old prev_f (decisions.md 22).
    rel, found = stage.lowered(stage.flush(stage.rel), lambda cx: [cx.field(n) for n in names])
    if (carry := stage.chain.carry) is not None:
        return _carried(stage, rel, dict(zip(names, found, strict=True)), carry.memory("prev"))
    order = stage.window_order(rel)
    for name, value in zip(names, found, strict=True):
        rel = stage.assign(rel, f"prev_{name}", lagged(value, order))
    return stage.flush(rel)


def _carried(stage: Stage, rel: Rel, given: Mapping[str, Typed], memory: Memory) -> Rel:
    """The values of the row before, of which the first has those that the run before left."""
    kept = {name: remembered(value) for name, value in given.items()}
    asked = [Field(f"__now{n}", type_, node) for n, (type_, node) in enumerate(kept.values())]
    made = [Field(f"prev_{name}", type_) for name, (type_, _) in kept.items()]
    shifted = cast("type[Shifted]", at("logsql.jobs.lookingback:Shifted"))
    work = shifted(tuple(f.name for f in asked), tuple(f.name for f in made), memory)
    return passed(stage, rel, asked, made, work)


def lagged(value: Typed, order: exp.Order | None) -> Typed:
    """The value in the row before, null in the first."""
    if value.kind is Kind.NULL:
        return value
    if value.parts:
        return Typed(value.expr, value.type, parts=tuple(lagged(p, order) for p in value.parts))
    window = exp.Window(this=sql.func("lag", value.expr), order=order.copy() if order is not None else None)
    return Typed(window, value.type)


def duty(command: Command) -> duties.Fields:
    """Every row gets the value of the row before."""
    sets = frozenset(f"prev_{name}" for name in names_of(command.args.names))
    return duties.Fields(duties.Flow.PASSES, duties.NOTHING, sets)


register(
    CommandSpec(
        name="prev",
        group=Group.TRANSFORM,
        summary=("Add the values that fields had in the row before.", "직전 행의 필드 값을 추가합니다."),
        usage=("prev NAME, ...",),
        parse=parse,
        lower=lower,
        fields=duty,
        arguments=(duties.FIELD_LIST,),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.RUNNING,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
For every listed field `f` the field `prev_f` holds its value in the previous row, null in the first row and where the
previous row had none. `prev _time` gives `prev__time`.
""",
        examples=(
            Example(
                "The change from row to row",
                "table t | prev count | eval delta = count - prev_count",
                (
                    {"count": 5, "prev_count": None, "delta": None},
                    {"count": 8, "prev_count": 5, "delta": 3},
                ),
                {"t": [{"count": 5}, {"count": 8}]},
            ),
        ),
        errors=(MISSING_FIELD,),
    )
)
