"""``evtctxadd``: rows make event contexts and touch them."""

from __future__ import annotations

from logsql.commands.stream._contexts import DYNAMIC, KEY, LOGTICK, MISSING, TOPIC, keeps, lower, parse
from logsql.diagnostics.contexts import BETWEEN, NO_KEY, TOO_MANY
from logsql.planner import duties
from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.spec import CommandSpec, Example, Group, register

_LOGIN = (
    {"user": "kim", "type": "fail"},
    {"user": "lee", "type": "fail"},
    {"user": "kim", "type": "fail"},
    {"user": "kim", "type": "ok"},
)

register(
    CommandSpec(
        name="evtctxadd",
        group=Group.STREAM,
        summary=(
            "Make an event context, or touch the one there is, when a condition is true.",
            "조건이 참이면 이벤트 컨텍스트를 만들거나 이미 있는 것을 갱신합니다.",
        ),
        usage=(
            "evtctxadd topic=TOPIC key=FIELD [expire=SPAN] [timeout=SPAN] [maxrows=N] [logtick=FIELD] EXPR",
            "evtctxadd dynamic=t [key=FIELD] [logtick=FIELD] EXPR",
        ),
        parse=parse,
        lower=lower,
        fields=keeps,
        arguments=(duties.Argument(duties.Kind.EXPRESSION),),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.RUNNING,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        together=duties.Together(duties.EVENT_CONTEXTS, "ADD", writes=True),
        options=(
            TOPIC,
            KEY,
            OptionSpec(
                "expire",
                OptionKind.SPAN,
                ("it ends this long after it was made", "만든 뒤 이 시간이 지나면 끝남"),
            ),
            OptionSpec(
                "timeout",
                OptionKind.SPAN,
                ("it ends this long after the last row that touched it", "마지막으로 갱신된 뒤 이 시간이 지나면 끝남"),
            ),
            OptionSpec(
                "maxrows",
                OptionKind.INT,
                ("rows that it keeps, the first ones", "보관할 행 수. 먼저 온 행부터"),
                default=10,
                minimum=0,
            ),
            LOGTICK,
            DYNAMIC,
        ),
        description="""\
An event context is what rows with one topic and key have in common: how many there were (`counter`), when the first one
came (`created`), the first `maxrows` rows, and variables that `evtctxsetvar` sets. A row for which the expression is
neither null nor false makes it, with counter 1, or touches it: the counter goes up by one, the timeout begins anew,
`expire` stays as it was. Every row passes on.

`evtctxdel` ends a context, and so do its deadlines: `expire` and `timeout`, whichever is first. Functions read it:
`evtctxget`, `evtctxgetvar`. From the first to the last command or function of event contexts in a query each row passes
before the next one enters, so that it meets the contexts as the rows before have left them.

Time is real time. With `logtick=FIELD` it is that of the rows: each host, named by FIELD, has a clock of its own that
shows the latest `_time` of its rows, and contexts belong to the host.

With `dynamic=t` the fields `topic`, `expire`, `timeout` (positive seconds) and `maxrows` of the row say what else the
options do, and the field `key` where `key=` is not written.
""",
        examples=(
            Example(
                "How many failures came before the success?",
                'table login | evtctxadd topic=fails key=user timeout=10m type == "fail" '
                '| search type == "ok" | eval fails = evtctxget("fails", user, "counter") | fields user, fails',
                ({"user": "kim", "fails": 2},),
                {"login": _LOGIN},
            ),
            Example(
                "The third failure within a minute, by the time of the log",
                "table order=asc login | evtctxadd topic=minute key=user expire=1m logtick=host true "
                '| eval n = evtctxget("minute", user, "counter", host) | search n == 3 | fields user, n',
                ({"user": "kim", "n": 3},),
                {
                    "login": [
                        {"_time": f"2024-01-01T10:0{minute}:{second:02}", "host": "a", "user": "kim"}
                        for minute, second in ((0, 0), (0, 59), (1, 0), (1, 20), (1, 40))
                    ]
                },
            ),
        ),
        errors=(MISSING, BETWEEN),
        ledger=(NO_KEY, TOO_MANY),
    )
)
