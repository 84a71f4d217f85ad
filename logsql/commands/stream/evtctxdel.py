"""``evtctxdel``: rows end event contexts."""

from __future__ import annotations

from logsql.commands.stream._contexts import DYNAMIC, KEY, LOGTICK, MISSING, TOPIC, lower, parse, reads
from logsql.diagnostics.contexts import BETWEEN, NO_KEY
from logsql.planner import duties
from logsql.planner.spec import CommandSpec, Example, Group, register

register(
    CommandSpec(
        name="evtctxdel",
        group=Group.STREAM,
        summary=(
            "End an event context when a condition is true.",
            "조건이 참이면 이벤트 컨텍스트를 끝냅니다.",
        ),
        usage=("evtctxdel topic=TOPIC key=FIELD [logtick=FIELD] EXPR", "evtctxdel dynamic=t [key=FIELD] EXPR"),
        parse=parse,
        lower=lower,
        fields=reads,
        arguments=(duties.Argument(duties.Kind.EXPRESSION),),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.RUNNING,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        together=duties.Together(duties.EVENT_CONTEXTS, "DELETE", writes=True),
        options=(TOPIC, KEY, LOGTICK, DYNAMIC),
        description="""\
A row for which the expression is neither null nor false ends the context of its topic and key, which `evtctxadd` made:
the cause of its end is REMOVAL, where a deadline that is reached says TIMEOUT or EXPIRE. Every row passes on.

With `dynamic=t` the topic is that of the row's field `topic`, and the key that of its field `key` where `key=` is not
written. Contexts made with `logtick=` belong to a host, and are ended with the same `logtick=`.
""",
        examples=(
            Example(
                "What was sent and not received?",
                'table tx | evtctxadd topic=txmatch key=txkey timeout=10s type == "send" '
                '| evtctxdel topic=txmatch key=txkey type == "recv" '
                '| eval open = evtctxcnt("txmatch") | fields txkey, type, open',
                (
                    {"txkey": "001122", "type": "send", "open": 1},
                    {"txkey": "001123", "type": "send", "open": 2},
                    {"txkey": "001122", "type": "recv", "open": 1},
                ),
                {
                    "tx": [
                        {"txkey": "001122", "type": "send"},
                        {"txkey": "001123", "type": "send"},
                        {"txkey": "001122", "type": "recv"},
                    ]
                },
            ),
        ),
        errors=(MISSING, BETWEEN),
        ledger=(NO_KEY,),
    )
)
