"""What ``evtctxadd`` and ``evtctxdel`` share: their options and their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.diagnostics.contexts import IGNORED
from logsql.diagnostics.options import ADD_OPTION, INVALID_OPTION, OPTION_MISSING
from logsql.language.tree import Command
from logsql.operators.contexts.program import ContextArgs
from logsql.planner import duties
from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.relation import Rel
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

MISSING = INVALID_OPTION.when(
    ("no topic= or no key=, and no dynamic=t", "topic=이나 key=이 없고 dynamic=t도 아닙니다"),
)
#: Options whose values come from the row with ``dynamic=t``.
LIMITS = ("expire", "timeout", "maxrows")
FROM_ROW = ("topic", *LIMITS)

TOPIC = OptionSpec("topic", OptionKind.TEXT, ("the topic, a name for the rule", "토픽. 규칙에 붙이는 이름"))
KEY = OptionSpec(
    "key",
    OptionKind.FIELD,
    ("the field whose value tells contexts apart", "컨텍스트를 구분하는 값이 든 필드"),
)
LOGTICK = OptionSpec(
    "logtick",
    OptionKind.FIELD,
    (
        "the field that names the host: time is that of its rows (_time) and not real time",
        "호스트 이름이 든 필드. 실제 시각 대신 그 호스트 행의 _time이 시각이 됨",
    ),
)
DYNAMIC = OptionSpec(
    "dynamic",
    OptionKind.BOOL,
    ("t takes topic and the limits from fields of the row", "t면 토픽과 제한을 행의 필드에서 읽음"),
    default=False,
)


def parse(reader: ArgReader) -> ContextArgs:
    return ContextArgs(reader.expr())


def reads(command: Command) -> duties.Fields:
    """The key, the host and its time, and what the condition reads; the whole row where it is kept."""
    dynamic, logged = (command.option(name) is not None for name in ("dynamic", "logtick"))
    found = {"_time"} if logged else set()
    found |= {"topic", "key", *LIMITS} if dynamic else set()
    return duties.Fields(duties.Flow.PASSES, frozenset(found), duties.NOTHING)


def keeps(command: Command) -> duties.Fields:
    """As :func:`reads`, where a context keeps rows any field."""
    most = command.option("maxrows")
    return reads(command) if most is not None and most.value == "0" else duties.WHOLE_ROW


def lower(stage: Stage) -> Rel:
    """The rows as they are: what happens to contexts is planned for all such commands together."""
    dynamic = stage.option("dynamic")
    for option in stage.command.options:
        if dynamic and option.key in FROM_ROW:
            stage.note(IGNORED, option.span, option=option.key)
    for name in () if dynamic else ("topic", "key"):
        if stage.command.option(name) is None:
            said = MISSING.with_text(OPTION_MISSING, ADD_OPTION)
            stage.fail(said, stage.command.name_span, command=stage.spec.name, option=name)
    return stage.rel
