"""``stream``: rows of streams of a running server as they come, or rows for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from logsql.commands.sources._live import MISSED, WINDOW, LiveArgs, live_names, live_rows, local, server_of
from logsql.commands.sources.logger import NO_PERMISSION
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.live import NO_SERVER, NOT_NAMED, REFUSED_BY_SERVER
from logsql.language.tree import Command
from logsql.loading import at
from logsql.planner import duties
from logsql.planner.connections.live import LIVE
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import ActionRuntime

NEITHER = define(
    "E3204",
    "stream-mode",
    ("neither window= nor forward=t, or both", "window=과 forward=t 중 하나만 써야 합니다"),
    ("stream takes window=SPAN, or forward=t", "stream에는 window=SPAN이나 forward=t를 씁니다"),
    help=syntax("stream window=10s NAME, or ... | stream forward=t NAME"),
)
NO_STREAMS = NEITHER.says(
    ("stream needs the name of a stream", "stream에는 스트림 이름이 필요합니다"),
    help=syntax("stream window=10s NAME, or ... | stream forward=t NAME"),
)


def parse(reader: ArgReader) -> LiveArgs:
    return live_names(reader, NO_STREAMS)


def lower(stage: Stage) -> Rel:
    names = stage.arguments(LiveArgs).names
    forward = stage.option("forward")
    if bool(forward) == (stage.option("window") is not None):
        stage.fail(NEITHER)
    if not forward:
        return live_rows(stage, "streams", names)
    server_of(stage)
    targets = [local(name.text) for name in names]
    rel = stage.materialise(stage.rel, "stream")

    def run(runtime: ActionRuntime) -> None:
        live = runtime.service(LIVE)
        assert live is not None
        presented = cast(
            "Callable[[ActionRuntime, Rel], Iterator[pa.RecordBatch]]", at("logsql.jobs.forwarding:presented")
        )
        live.forward(targets, presented(runtime, rel))

    stage.action(f"forward to {', '.join(targets)}", run)
    return rel


def _forwards(command: Command) -> bool:
    option = command.option("forward")
    return option is not None and option.value not in ("f", "false")


register(
    CommandSpec(
        name="stream",
        group=Group.SOURCE,
        summary=(
            "Rows that streams of a live server give, for a time; or rows for them.",
            "실시간 서버의 스트림이 내보내는 행을 정한 시간 동안 읽거나, 스트림에 행을 보냅니다.",
        ),
        usage=("stream window=SPAN NAME, ...", "... | stream forward=t NAME, ..."),
        parse=parse,
        lower=lower,
        fields=lambda command: duties.WHOLE_ROW if _forwards(command) else duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=lambda command: duties.InStream.ROW_WISE if _forwards(command) else duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        for_effect=True,
        options=(
            WINDOW,
            OptionSpec(
                "forward",
                OptionKind.BOOL,
                ("hand the rows to the streams, as if a source of theirs had given them", "행을 스트림에 전달"),
                default=False,
            ),
        ),
        description="""\
With `window=` it waits for that long and gives the rows that the named streams of the server give meanwhile; with
`forward=t` the rows that arrive are handed to the streams, as if a source of theirs had given them, and pass on. `*`
may stand in a name. The server is the one that `--server CONFIG|STATE_DIR` or `LOGSQL_SERVER` names. Fields that a
stream does not always have are read out of the rows as they come.
""",
        errors=(NO_PERMISSION, NEITHER, NO_SERVER, NOT_NAMED, REFUSED_BY_SERVER),
        ledger=(MISSED,),
    )
)
