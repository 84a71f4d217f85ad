"""``dbcall``: a stored procedure of another database."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logsql.commands.network._databases import (
    ERRORS,
    EXTRA,
    SqlArgs,
    connection,
    database,
    ending,
    parameter,
    parse_sql,
    planned,
    source,
)
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.databases import (
    DUPLICATE_COLUMN,
    NO_DATE,
    NO_DECIMAL,
    NO_SQL,
    NOT_DECIMAL,
    NOT_UTF8,
    ROUTINE_UNKNOWN,
    UNKNOWN_SQL_PARAMETER,
)
from logsql.language.foreignsql import tokens
from logsql.language.reader import ArgReader
from logsql.language.tree import Span, Text
from logsql.planner import duties
from logsql.planner.connections.databases import DatabaseProblem, Opened, Routine
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

NOT_A_CALL = define(
    "E2078",
    "not-a-call",
    ("the text is no {{call NAME(...)}}", "{{call 이름(...)}} 형식이 아닙니다"),
    ("this is no call of a procedure", "프로시저 호출 형식이 아닙니다"),
    help=syntax("dbcall PROFILE {{call NAME(:in, :out(varchar))}}"),
)
BAD_ARGUMENT = NOT_A_CALL.says(
    (
        "{argument} is no argument: a value, :in or :out(varchar|int|datetime)",
        "{argument}은(는) 인자가 아닙니다. 값, :in, :out(varchar|int|datetime)을 씁니다",
    )
)
_PART = r'(?:[^\W\d][\w$]*|"(?:[^"]|"")+")'
_CALL = re.compile(
    rf"\{{\s*call\s+(?P<name>{_PART}(?:\.{_PART})*)\s*\((?P<arguments>.*)\)\s*\}}", re.IGNORECASE | re.DOTALL
)
_OUTPUT = re.compile(r":([^\W\d]\w*)\s*\(\s*(\w+)\s*\)")
_INPUT = re.compile(r":([^\W\d]\w*)")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
#: Types of output parameters as the vendor names them, and some that mean the same.
TYPES = frozenset(
    {
        "varchar",
        "char",
        "text",
        "string",
        "int",
        "integer",
        "bigint",
        "long",
        "double",
        "float",
        "decimal",
        "numeric",
        "boolean",
        "bool",
        "date",
        "datetime",
        "timestamp",
    }
)
_WORDS: dict[str, object] = {"null": None, "true": True, "false": False}


@dataclass(frozen=True)
class CallArgs(SqlArgs):
    """The profile, the name of the procedure, its arguments as they are written, and the text of the call."""

    routine: str
    arguments: tuple[Text, ...]


def parse(reader: ArgReader) -> CallArgs:
    found = parse_sql(reader)
    call = _CALL.fullmatch(found.sql.value)
    if call is None:
        reader.fail(NOT_A_CALL, found.sql.span)
    arguments = tuple(_arguments(call["arguments"], found.sql.span.start + call.start("arguments")))
    for one in arguments:
        output = _OUTPUT.fullmatch(one.value)
        known = output is not None and output[2].lower() in TYPES
        if not known and not _INPUT.fullmatch(one.value) and not _literal(one.value)[0]:
            reader.fail(BAD_ARGUMENT, one.span, argument=one.value)
    return CallArgs(found.profile, found.sql, call["name"], arguments)


def _arguments(text: str, offset: int) -> list[Text]:
    """The arguments between commas that stand outside quotes and parentheses."""
    if not text.strip():
        return []
    covered: set[int] = set()
    for token in tokens(text):
        if token.kind not in ("open", "close"):
            covered.update(range(token.start, token.end))
    depth = 0
    ends: list[int] = []
    for at, char in enumerate(text):
        if at in covered:
            continue
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            ends.append(at)
    found: list[Text] = []
    start = 0
    for end in (*ends, len(text)):
        piece = text[start:end]
        begin = start + len(piece) - len(piece.lstrip())
        found.append(Text(piece.strip(), Span(offset + begin, offset + begin + max(len(piece.strip()), 1))))
        start = end + 1
    return found


def _literal(text: str) -> tuple[bool, object]:
    """Whether a text is a value, and the value: text in either quotes, a number, null, true, false."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return True, text[1:-1].replace(text[0] * 2, text[0])
    if _NUMBER.fullmatch(text):
        return True, text
    return text.lower() in _WORDS, _WORDS.get(text.lower())


def lower(stage: Stage) -> Rel:
    args = stage.arguments(CallArgs)
    profile = database(stage, args.profile)
    values: list[object] = []
    outputs: dict[int, tuple[str, str]] = {}
    for at, one in enumerate(args.arguments):
        output, given = _OUTPUT.fullmatch(one.value), _INPUT.fullmatch(one.value)
        if output is not None:
            outputs[at] = output[1], output[2].lower()
            values.append(None)
        elif given is not None:
            values.append(parameter(stage, given[1], one.span))
        else:
            values.append(_literal(one.value)[1])
    routine = Routine(args.routine, tuple(values), outputs)
    databases = connection(stage)

    def call() -> Opened:
        try:
            return databases.call(profile, routine, ending(stage))
        except DatabaseProblem as problem:
            problem.position = None  # in a statement of ours
            raise

    opened = planned(stage, args.sql, call)
    return source(stage, opened, args.sql, once=True)


register(
    CommandSpec(
        name="dbcall",
        group=Group.NETWORK,
        summary=("Call a stored procedure of another database.", "다른 데이터베이스의 저장 프로시저를 호출합니다."),
        usage=("dbcall PROFILE {call NAME(ARGUMENT, ...)}",),
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
        takes_options=False,
        for_effect=True,
        sql=True,
        extra=EXTRA,
        description="""\
An argument is a value (`'text'`, `"text"`, a number, null, true, false), a parameter of `set` or `-d` (`:name`, bound),
or an output parameter with its type (`:line(varchar)`; varchar, int, datetime and the like). Output parameters are the
fields of one row under the names written here; a function gives its rows, and where it declares as many output
parameters as are written, its columns have these names. Values have the types that the server gives them.

The call is one transaction, which is committed: unlike `dbquery` it may write. It runs once, whatever follows, and not
for `translate`, `check` and `explain`. Only PostgreSQL has calls here; of a function of several forms the name must
tell which.
""",
        examples=(
            Example(
                "The line of an id, as a procedure gives it",
                "set id = 1000 | dbcall mssql {call GetLine(:id, :line(varchar))}",
            ),
        ),
        errors=(*ERRORS, NO_SQL, NOT_A_CALL, UNKNOWN_SQL_PARAMETER, ROUTINE_UNKNOWN),
        ledger=(NOT_DECIMAL, NO_DECIMAL, NO_DATE, NOT_UTF8, DUPLICATE_COLUMN),
    )
)
