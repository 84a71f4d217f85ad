"""``evtctxlist``: the event contexts that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.commands.sources._live import listed_cells
from logsql.commands.stream._lists import listed
from logsql.planner import duties
from logsql.planner.connections.live import LIVE
from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.relation import Rel
from logsql.planner.runtime import StageRuntime
from logsql.planner.services import CONTEXTS
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values.types import ANY_JSON, DATE, LONG, MAP, STRING

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

_SHAPE = (
    ("topic", STRING),
    ("key", STRING),
    ("host", STRING),
    ("counter", LONG),
    ("created", DATE),
    ("expire_at", DATE),
    ("timeout_at", DATE),
    ("maxrows", LONG),
    ("vars", MAP),
    ("rows", ANY_JSON),
)


def parse(reader: ArgReader) -> None:
    return None


def lower(stage: Stage) -> Rel:
    topic: str | None = stage.option("topic")

    def rows(runtime: StageRuntime) -> list[tuple[object, ...]]:
        if (server := runtime.service(LIVE)) is not None:
            found = listed_cells(server, "contexts", [name for name, _ in _SHAPE])
            return [row for row in found if topic is None or row[0] == topic]
        contexts = runtime.service(CONTEXTS)
        return [] if contexts is None else contexts.listed(topic, runtime.zone)

    return listed(stage, _SHAPE, rows)


register(
    CommandSpec(
        name="evtctxlist",
        group=Group.STREAM,
        summary=("List the event contexts that there are.", "현재 있는 이벤트 컨텍스트를 조회합니다."),
        usage=("evtctxlist [topic=TOPIC]",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(OptionSpec("topic", OptionKind.TEXT, ("only contexts of this topic", "이 토픽의 컨텍스트만 조회")),),
        description="""\
A row for each context: `topic`, `key`, `host` (null without `logtick=`), `counter`, `created`, `expire_at`,
`timeout_at`, `maxrows`, `vars` (map) and `rows` (list of maps). Contexts whose deadline has passed are gone. With
`--server CONFIG|STATE_DIR` (or `LOGSQL_SERVER`) these are the contexts of a running server.
""",
        examples=(Example("Which contexts are open?", "evtctxlist topic=login | fields key, counter, timeout_at"),),
    )
)
