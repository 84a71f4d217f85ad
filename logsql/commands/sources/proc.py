"""``proc``: a stored query, called with arguments.

A stored query is a file ``NAME.lq``. Its first command may be a comment that declares the parameters::

    # proc cpu_overload(threshold int = 90, host string = null): hosts whose load stays above a threshold
    | table cpu | search load >= $("threshold")

A file without such a comment takes no arguments. The body sees its parameters and nothing else of the caller.
"""

from __future__ import annotations

import datetime as dt
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logsql.diagnostics.codes import define
from logsql.diagnostics.errors import LogsqlError, did_you_mean
from logsql.diagnostics.messages import plural, text
from logsql.diagnostics.options import USAGE
from logsql.language.expressions import parse_expression
from logsql.language.parser import parse_query
from logsql.language.tree import Call, Expr, NamedArg, Query, Span
from logsql.planner import duties
from logsql.planner.chain import param_value
from logsql.planner.relation import Rel
from logsql.planner.services import PROCEDURES
from logsql.planner.spec import GRAMMAR, CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import DOUBLE, IP, LONG
from logsql.values.values import NULL_VALUE, Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NOT_FOUND = define(
    "11000",
    "procedure-not-found",
    ("there is no such file", "그런 파일이 없습니다"),
    ("there is no stored query {name}", "저장된 쿼리가 없습니다: {name}"),
    help=(
        "save the query as {name}.lq in the current directory",
        "쿼리를 현재 디렉터리에 {name}.lq로 저장하세요",
    ),
)
STORED = text("stored queries: {names}", "저장된 쿼리: {names}")
NONE_STORED = text("there are no stored queries", "저장된 쿼리가 하나도 없습니다")
TYPE_MISMATCH = define(
    "11001",
    "variable-type-mismatch",
    ("an argument has another type than declared", "인자의 타입이 선언과 다릅니다"),
    ("{parameter} takes {type}, not {value!r}", "{parameter}에는 {type} 타입을 씁니다: {value!r}"),
    help=USAGE,
)
MISMATCH = define(
    "11003",
    "parameter-mismatch",
    (
        "too many or too few arguments, or a malformed declaration",
        "인자가 많거나 적습니다. 또는 선언 형식이 잘못되었습니다",
    ),
)
TOO_MANY = MISMATCH.says(
    ("{name} takes {count} argument{s}", "{name}에는 인자를 {count}개 씁니다"),
    help=USAGE,
)
NO_ARGUMENT = MISMATCH.says(
    ("{name} needs the argument {parameter}", "{name}에는 {parameter} 인자가 필요합니다"), help=USAGE
)
NOT_CLOSED = MISMATCH.says(
    ("{path}: the parameter list is never closed", "{path}: 매개변수 목록의 괄호가 닫히지 않았습니다")
)
NO_PARAMETER = MISMATCH.says(
    (
        '{path}: "{declared}" does not begin with NAME TYPE, where TYPE is one of {types}',
        '{path}: 매개변수는 이름과 타입으로 시작하며, 타입은 {types} 중 하나입니다: "{declared}"',
    )
)
RECURSION = define(
    "11005",
    "procedure-recursion",
    ("a stored query calls itself", "저장된 쿼리가 자기 자신을 호출합니다"),
    ("the stored query {name} calls itself: {chain}", "저장된 쿼리 {name}이(가) 자기 자신을 호출합니다: {chain}"),
)


@dataclass(frozen=True)
class ProcArgs:
    """The call: name and argument expressions."""

    call: Call


@dataclass(frozen=True)
class Parameter:
    """A declared parameter; ``default`` None means that it must be given."""

    name: str
    type: str
    default: Expr | None = None


@dataclass(frozen=True)
class Header:
    """What the first comment of a stored query declares."""

    parameters: tuple[Parameter, ...] = ()
    description: str = ""


TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "long": (int,),
    "double": (int, float),
    "bool": (bool,),
    "date": (dt.datetime,),
    "ip": (str,),
    "any": (object,),
}
_HEADER = re.compile(
    r'proc\s+[\w.-]+\s*\((?P<parameters>(?:"(?:[^"\\]|\\.)*"|[^)"])*)\)\s*(?::\s*(?P<text>.*))?', re.DOTALL
)
_PARAMETER = re.compile(r'\s*(\w+)\s+(\w+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^,]+?)\s*)?(?:,|\Z)')
#: Names of the stored queries that are being planned, outermost first.
_ACTIVE: ContextVar[tuple[str, ...]] = ContextVar("logsql_procedures", default=())


def parse(reader: ArgReader) -> ProcArgs:
    return ProcArgs(reader.call())


def header(stage: Stage, query: Query, path: str, span: Span) -> Header:
    """The declaration in a stored query's first comment; one that is malformed is refused at ``span``."""
    comments = [c for c in query.comments if c.position == 0]
    if not comments or not re.match(r"proc\s+[\w.-]+\s*\(", comments[0].text):
        return Header()
    found = _HEADER.match(comments[0].text)
    if found is None:
        stage.fail(NOT_CLOSED, span, path=path)
    declared, parameters, position = found["parameters"].strip(), [], 0
    while position < len(declared):
        item = _PARAMETER.match(declared, position)
        if item is None or item[2] not in TYPES:
            rest, types = declared[position:].strip(), ", ".join(TYPES)
            stage.fail(NO_PARAMETER, span, path=path, declared=rest, types=types)
        parameters.append(Parameter(item[1], item[2], _default(item[3])))
        position = item.end()
    return Header(tuple(parameters), " ".join((found["text"] or "").split()))


def _default(text: str | None) -> Expr | None:

    return None if text is None else parse_expression(text)


def lower(stage: Stage) -> Rel:

    call: Call = stage.arguments(ProcArgs).call
    service = stage.service(PROCEDURES)
    file = service.find(call.name)
    if file is None:
        names = service.names()
        notes = [STORED.fill(names=", ".join(names[:10])) if names else NONE_STORED.fill()]
        stage.fail(NOT_FOUND, call.span, name=call.name, help=did_you_mean(call.name, names), notes=notes)
    active = _ACTIVE.get()
    if call.name in active:
        chain = " > ".join((*active, call.name))
        stage.fail(RECURSION, call.span, name=call.name, chain=chain)
    try:
        query = parse_query(file.text, GRAMMAR)
    except LogsqlError as error:
        raise error.located(file.text, file.path) from None
    bound = _bind(stage, call, header(stage, query, file.path, call.span))
    token = _ACTIVE.set((*active, call.name))
    try:
        with stage.chain.notes.within(file.text, file.path):
            return stage.chain.subplan(query, stage.order_needed, bound, stage.demand)
    except LogsqlError as error:
        raise error.located(file.text, file.path) from None
    finally:
        _ACTIVE.reset(token)


def _bind(stage: Stage, call: Call, declared: Header) -> dict[str, Typed]:
    """The parameters' values: arguments by position or name, then defaults."""
    usage = f"{call.name}({', '.join(f'{p.name} {p.type}' for p in declared.parameters)})"
    given: dict[str, Expr] = {}
    names = [p.name for p in declared.parameters]
    for position, arg in enumerate(call.args):
        name = arg.name if isinstance(arg, NamedArg) else names[position] if position < len(names) else None
        if name not in names or name in given:
            count = len(names)
            stage.fail(TOO_MANY, arg.span, name=call.name, count=count, s=plural(count), usage=usage)
        given[name] = arg.value if isinstance(arg, NamedArg) else arg
    bound: dict[str, Typed] = {}
    for parameter in declared.parameters:
        node = given.get(parameter.name, parameter.default)
        if node is None:
            stage.fail(NO_ARGUMENT, call.span, name=call.name, parameter=parameter.name, usage=usage)
        value = stage.constant(node, f"argument {parameter.name}")
        if value is not None and not _fits(value, parameter.type):
            span = node.span if parameter.name in given else call.span
            facts = {"parameter": parameter.name, "type": parameter.type, "value": value, "usage": usage}
            stage.fail(TYPE_MISMATCH, span, **facts)
        bound[parameter.name] = _typed(value, parameter.type)
    return bound


def _fits(value: Any, type_: str) -> bool:
    if type_ != "any" and isinstance(value, bool) is not (type_ == "bool"):
        return False
    if type_ == "int" and isinstance(value, int) and not -(2**31) <= value < 2**31:
        return False
    return isinstance(value, TYPES[type_])


def _typed(value: Any, type_: str) -> Typed:

    if value is None:
        return NULL_VALUE
    if type_ == "double":
        return Typed(sql.double(float(value)), DOUBLE)
    if type_ == "long":
        return Typed(sql.cast(sql.integer(value), "BIGINT"), LONG)
    typed = param_value(value)
    return Typed(typed.expr, IP) if type_ == "ip" else typed


register(
    CommandSpec(
        name="proc",
        group=Group.SOURCE,
        summary=("Run a stored query.", "저장된 쿼리를 실행합니다."),
        usage=("proc NAME([ARG, ...])",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.ADDS,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        instead=(
            'a stream takes its rows from `from`: put the stored commands into the stream itself with file = "NAME.lq" '
            "and params = { ... }, or read a stored table with streamjoin KEY [ proc NAME(...) ]",
            '스트림의 행은 `from`에서 옵니다. file = "NAME.lq"와 params = { ... }로 저장된 명령을 스트림에 넣거나, '
            "streamjoin KEY [ proc NAME(...) ]로 저장된 쿼리의 행을 붙이세요",
        ),
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        for_effect=True,
        description="""\
A stored query is a file `NAME.lq`, searched in the folders given with `--procs`, in `procs` of the state folder, and in
the current directory. Its first command may be a comment that declares parameters and says what it does:

    # proc cpu_overload(threshold int = 90, host string = null): hosts whose load stays above a threshold
    | table cpu
    | search load >= $("threshold") and (isnull($("host")) or host == $("host"))

A parameter is `NAME TYPE` with an optional default, where the type is one of string, int, long, double, bool, date, ip
and any. Arguments are constants, by position or `NAME=VALUE`; the query reads them as `$("NAME")`. It sees no other
parameters, and parameters it sets stay inside. A file without the comment takes no arguments.
""",
        examples=(Example("Hosts above 90 % load", "proc cpu_overload(90) | stats count by host"),),
        errors=(NOT_FOUND, TYPE_MISMATCH, MISMATCH, RECURSION),
        notes=(
            (
                "11002 owner-not-found and 11004 not-granted concern owners and grants, which files here do not have",
                "11002 owner-not-found와 11004 not-granted는 소유자와 권한에 관한 것으로, 여기의 파일에는 없습니다",
            ),
        ),
    )
)
