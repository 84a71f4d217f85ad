"""What is meant by the call of a function that there is not."""

from __future__ import annotations

from logsql.diagnostics.codes import text
from logsql.diagnostics.foreign import foreign_name, is_wrapper, meant_name
from logsql.diagnostics.places import Place
from logsql.language.tree import Binary, Call, NamedArg, canonical
from logsql.planner import function_spec as registry
from logsql.planner.calls import Lowering
from logsql.planner.function_spec import FunctionSpec
from logsql.planner.notes.words import WRITE
from logsql.planner.relation import Rel

AGGREGATE = text(
    "{name}() works on many rows: stats {call} as NAME, with by FIELD for groups",
    "{name}()은(는) 여러 행을 집계합니다. stats {call} as 이름, 그룹은 by 필드로 쓰세요",
)


def meant_arguments(cx: Lowering, spec: FunctionSpec, call: Call) -> str:
    """The help of a call with too few or too many arguments: what it means, where they tell, else how it is used."""
    better = None if spec.meant is None else spec.meant(cx, call)
    return USAGE.fill(usage=spec.signature) if better is None else WRITE.fill(better=better)


USAGE = text("usage: {usage}", "사용법: {usage}")
_COMPARES = ("==", "!=", "<", "<=", ">", ">=", "and", "or")


def _wrapped(call: Call) -> str | None:
    """What ``count(eval(status >= 500))`` and ``sum(eval(bytes * 8))`` of Splunk wrap, as an argument here."""
    if not is_wrapper(call.name) or len(call.args) != 1:
        return None
    inner = call.args[0]
    if isinstance(inner, NamedArg):  # eval(status=500)
        return f"if({inner.name} == {canonical(inner.value)}, 1, null)"
    condition = isinstance(inner, Binary) and inner.op in _COMPARES
    written = canonical(inner).removeprefix("(").removesuffix(")") if isinstance(inner, Binary) else canonical(inner)
    return f"if({written}, 1, null)" if condition else written


def meant_call(call: Call, rel: Rel | None) -> str | None:
    """The help: the result of an aggregate by its name (``search avg(a) > 1`` behind ``stats avg(a)``), ``stats`` for
    an aggregate in an expression, else the nearest name."""
    written = canonical(call)
    if rel is not None and rel.column(written) is not None:
        quoted = written.replace("\\", "\\\\").replace('"', '\\"')
        return WRITE.fill(better=f'field("{quoted}")')
    if call.name in registry.AGGREGATES:
        return AGGREGATE.fill(name=call.name, call=written)
    if (inner := _wrapped(call)) is not None:
        return WRITE.fill(better=inner)
    return meant_name(call.name, Place.FUNCTION, registry.FUNCTIONS) or foreign_name(call.name, Place.AGGREGATE)
