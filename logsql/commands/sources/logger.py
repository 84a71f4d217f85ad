"""``logger``: rows of receivers of a running server, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.commands.sources._live import MISSED, WINDOW, LiveArgs, live_names, live_rows
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.live import NO_SERVER, NOT_NAMED
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_PERMISSION = define(
    "11300",
    "no-read-permission",
    ("the control socket of the server belongs to another user", "서버의 제어 소켓이 다른 사용자의 것입니다"),
    ("the server at {path} belongs to another user", "{path}의 서버는 다른 사용자의 것입니다"),
)
NO_WINDOW = define(
    "11301",
    "missing-window-option",
    ("window= is missing", "window=이 없습니다"),
    ("logger waits for rows and needs window=", "logger는 행을 기다리므로 window=이 필요합니다"),
    help=syntax("logger window=10s NAME"),
)
NO_LOGGERS = define(
    "11302",
    "empty-loggers",
    ("no receiver is named", "수신기 이름이 없습니다"),
    ("logger needs the name of a receiver", "logger에는 수신기 이름이 필요합니다"),
    help=syntax("logger window=10s NAME, ..."),
)


def parse(reader: ArgReader) -> LiveArgs:
    return live_names(reader, NO_LOGGERS)


def lower(stage: Stage) -> Rel:
    if stage.option("window") is None:
        stage.fail(NO_WINDOW)
    return live_rows(stage, "receivers", stage.arguments(LiveArgs).names)


register(
    CommandSpec(
        name="logger",
        group=Group.SOURCE,
        summary=(
            "Rows that receivers of a live server take in, for a time.",
            "실시간 서버의 수신기가 받는 행을 정한 시간 동안 읽습니다.",
        ),
        usage=("logger window=SPAN NAME, ...",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(WINDOW,),
        description="""\
Waits for `window=` and gives what the named receivers of the server accept meanwhile; `*` may stand in a name, and
`local\\\\NAME` is `NAME`. The server is the one that `--server CONFIG|STATE_DIR` or `LOGSQL_SERVER` names:
`logsql --server /var/lib/logsql -q "logger window=10s edge | stats count by remote_ip"`. The fields are those of a
received row (`line`, `_time`, `remote_ip`, ...). Rows that came while this process was too slow are counted.
""",
        errors=(NO_PERMISSION, NO_WINDOW, NO_LOGGERS, NO_SERVER, NOT_NAMED),
        ledger=(MISSED,),
    )
)
