"""Functions of event contexts: they are computed row by row, with the commands that make and end contexts.

What they give is planned in ``operators/contexts/``, which takes the calls out of the commands; here is where a call is
left that stands where no row is.
"""

from __future__ import annotations

from dataclasses import replace

from logsql.diagnostics.contexts import NOT_HERE
from logsql.functions.lowering import example
from logsql.planner.calls import FunctionCall
from logsql.planner.duties import EVENT_CONTEXTS, VOLATILE_PYTHON, Together
from logsql.planner.function_spec import FunctionSpec, register
from logsql.values.values import Typed

#: The value depends on the rows before.
_DUTY = replace(VOLATILE_PYTHON, places=True)


def _lower(call: FunctionCall) -> Typed:
    call.fail(NOT_HERE, function=call.spec.name)


_HOST = (
    "with HOST it reads the contexts of that host, which commands with logtick= make, else those without a host",
    "HOST를 쓰면 logtick=을 쓴 명령이 만든 그 호스트의 컨텍스트를, 쓰지 않으면 호스트가 없는 컨텍스트를 읽습니다",
)

register(
    FunctionSpec(
        "evtctxget", "event context", "evtctxget(topic, key, attribute, [host])",
        (
            "An attribute of an event context: counter, created, expire, timeout or rows; null where there is none.",
            "이벤트 컨텍스트의 속성(counter, created, expire, timeout, rows)을 반환하며, 컨텍스트가 없으면 null입니다.",
        ),
        _lower, 3, 4, "any", _DUTY,
        (example('evtctxget("login", user, "counter")', shown=False),),
        notes=(
            _HOST,
            (
                "counter is a number, created, expire and timeout are dates, rows is a list of maps",
                "counter는 숫자, created, expire, timeout은 날짜, rows는 맵의 목록입니다",
            ),
        ),
        together=Together(EVENT_CONTEXTS, "GET", writes=False),
    ),
    FunctionSpec(
        "evtctxgetvar", "event context", "evtctxgetvar(topic, key, name, [host])",
        (
            "A variable of an event context; null where there is no context or no such variable.",
            "이벤트 컨텍스트의 변수를 반환하며, 컨텍스트나 변수가 없으면 null입니다.",
        ),
        _lower, 3, 4, "any", _DUTY,
        (example('evtctxgetvar("login", user, "last_ip")', shown=False),),
        notes=(_HOST,),
        together=Together(EVENT_CONTEXTS, "VAR", writes=False),
    ),
    FunctionSpec(
        "evtctxsetvar", "event context", "evtctxsetvar(topic, key, name, value, [host])",
        (
            "Set a variable of an event context: true, or false where there is no context or the name is null.",
            "이벤트 컨텍스트의 변수를 설정하고 true를 반환하며, 컨텍스트가 없거나 이름이 null이면 false입니다.",
        ),
        _lower, 4, 5, "bool", _DUTY,
        (example('evtctxsetvar("login", user, "last_ip", ip)', shown=False),),
        notes=(
            _HOST,
            (
                "inside if() and behind and/or it sets the variable only in rows that come to it",
                "if() 안이나 and/or 뒤에서는 그 식까지 계산하는 행에서만 설정합니다",
            ),
        ),
        together=Together(EVENT_CONTEXTS, "SET", writes=True),
    ),
    FunctionSpec(
        "evtctxcnt", "event context", "evtctxcnt(topic)",
        ("How many event contexts of a topic there are.", "토픽에 속한 이벤트 컨텍스트의 수를 반환합니다."),
        _lower, 1, 1, "long", _DUTY,
        (example('evtctxcnt("login")', shown=False),),
        together=Together(EVENT_CONTEXTS, "COUNT", writes=False),
    ),
)  # fmt: skip
