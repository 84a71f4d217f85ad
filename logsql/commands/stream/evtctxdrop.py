"""``evtctxdrop``: end all event contexts of a topic, or all there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.diagnostics.codes import syntax
from logsql.diagnostics.options import INVALID_OPTION
from logsql.planner import duties
from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.relation import Rel
from logsql.planner.runtime import ActionRuntime
from logsql.planner.services import CONTEXTS
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NEEDS_ONE = INVALID_OPTION.says(
    ("evtctxdrop needs either topic= or all=t", "evtctxdrop에는 topic=과 all=t 중 하나만 씁니다"),
    help=syntax("evtctxdrop topic=TOPIC | evtctxdrop all=t"),
)


def parse(reader: ArgReader) -> None:
    return None


def lower(stage: Stage) -> Rel:
    topic: str | None = stage.option("topic")
    if (topic is None) is not stage.option("all"):
        stage.fail(NEEDS_ONE, stage.command.name_span)

    def drop(runtime: ActionRuntime) -> None:
        contexts = runtime.service(CONTEXTS)
        if contexts is not None:
            with contexts:
                contexts.drop(topic)

    stage.action("evtctxdrop", drop)
    return stage.nothing("dropped")


register(
    CommandSpec(
        name="evtctxdrop",
        group=Group.STREAM,
        summary=(
            "End all event contexts of a topic, or all there are.",
            "한 토픽의 이벤트 컨텍스트나 모든 이벤트 컨텍스트를 끝냅니다.",
        ),
        usage=("evtctxdrop topic=TOPIC", "evtctxdrop all=t"),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.NO_ROWS,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("topic", OptionKind.TEXT, ("the topic whose contexts end", "컨텍스트를 끝낼 토픽")),
            OptionSpec(
                "all",
                OptionKind.BOOL,
                ("t ends the contexts of all topics", "t면 모든 토픽의 컨텍스트를 끝냄"),
                default=False,
            ),
        ),
        description="""\
The cause of their end is REMOVAL. The command gives no rows; `evtctxlist` and `system ceptopics` show what there is.
""",
        examples=(Example("Begin anew", "evtctxdrop topic=login"),),
        errors=(
            INVALID_OPTION.when(("neither topic= nor all=t, or both", "topic=과 all=t가 둘 다 없거나 둘 다 있습니다")),
        ),
    )
)
