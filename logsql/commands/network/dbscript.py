"""``dbscript``: an SQL file that another database runs."""

from __future__ import annotations

from dataclasses import dataclass

from logsql.commands.network._databases import (
    ERRORS,
    EXTRA,
    connection,
    database,
    ending,
    given,
    planned,
    profile_word,
    source,
)
from logsql.commands.sources._files import path_text
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.databases import (
    DUPLICATE_COLUMN,
    NO_DATE,
    NO_DECIMAL,
    NOT_A_SELECT,
    NOT_DECIMAL,
    NOT_UTF8,
    READ_ONLY,
    UNKNOWN_SQL_PARAMETER,
)
from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.messages import text
from logsql.language.foreignsql import Parameter, tokens
from logsql.language.reader import ArgReader
from logsql.language.tree import Call, Name, Text
from logsql.planner import duties
from logsql.planner.connections.databases import DatabaseProblem, Opened, Statement
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

#: Bytes of a script.
MOST = 1_000_000

NO_SCRIPT = define(
    "E2076",
    "script-missing",
    ("the path of the script is missing", "스크립트 경로가 없습니다"),
    ("dbscript needs the path of a script", "dbscript에는 스크립트 경로가 필요합니다"),
    help=syntax("dbscript PROFILE PATH [:NAME ...]"),
)
BAD_SCRIPT = define(
    "E3065",
    "script-unreadable",
    (
        "a script cannot be read, is larger than 1 MB or no text of its charset",
        "스크립트를 읽을 수 없거나, 1MB보다 크거나, 문자 집합에 맞지 않습니다",
    ),
    ("cannot read {path}: {reason}", "{path}을(를) 읽을 수 없습니다: {reason}"),
)
TOO_LARGE = BAD_SCRIPT.says(("{path} is larger than 1 MB", "{path}이(가) 1MB보다 큽니다"))
LINE = text(", line {line}", ", {line}행")
WRONG_COUNT = define(
    "E2077",
    "script-parameters",
    ("a script has more or fewer ? than parameters are named", "스크립트의 ? 수와 매개변수 수가 다릅니다"),
    (
        "the script has {wanted} ?, and {given} parameters are named",
        "스크립트의 ?는 {wanted}개인데 매개변수는 {given}개입니다",
    ),
)


@dataclass(frozen=True)
class ScriptArgs:
    """``PROFILE PATH [:NAME ...]``."""

    profile: Name
    path: Text | Call
    names: tuple[Name, ...]

    @property
    def binds(self) -> tuple[str, ...]:
        """The parameters that are bound."""
        return tuple(name.text for name in self.names)


def parse(reader: ArgReader) -> ScriptArgs:
    profile = profile_word(reader)
    path = reader.path_word()
    if path is None:
        reader.fail(NO_SCRIPT)
    names: list[Name] = []
    while reader.peek_word().startswith(":") and (word := reader.word()) is not None:
        names.append(Name(word.text[1:].rstrip(","), word.span))
    return ScriptArgs(profile, path, tuple(names))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(ScriptArgs)
    profile = database(stage, args.profile)
    opened = connection(stage)
    path = path_text(stage, args.path)
    try:
        written = opened.script(path, stage.option("cs"), MOST)
    except (OSError, LookupError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(diagnostic(BAD_SCRIPT, args.path.span, path=path, reason=reason)) from None
    except ValueError:
        raise SourceError(diagnostic(TOO_LARGE, args.path.span, path=path)) from None
    asked = _asked(stage, written, args)
    place = Text(args.path.value if isinstance(args.path, Text) else path, args.path.span)
    values = given(stage, asked, place, {name.text: name.span for name in args.names})

    def query() -> Opened:
        try:
            return opened.query(profile, asked, values, ending(stage))
        except DatabaseProblem as problem:
            problem.message += _line(asked.text, problem.position)
            problem.position = None  # in the script, which is not the query
            raise

    return source(stage, planned(stage, place, query), place)


def _asked(stage: Stage, written: str, args: ScriptArgs) -> Statement:
    """The script with the named parameters in the places of its ``?``, in order."""
    plain = Statement.of(written)
    marks = [token for token in tokens(plain.text) if token.kind == "mark"]
    if len(marks) != len(args.names):
        stage.fail(WRONG_COUNT, args.path.span, wanted=len(marks), given=len(args.names))
    places = [Parameter(name.text, mark.start, mark.end) for mark, name in zip(marks, args.names, strict=True)]
    return Statement(plain.text, tuple(places))


def _line(script: str, position: int | None) -> str:
    """Where in a script an error stands."""
    return "" if position is None else LINE.fill(line=script.count("\n", 0, position - 1) + 1)


register(
    CommandSpec(
        name="dbscript",
        group=Group.NETWORK,
        summary=("Run an SQL file on another database.", "다른 데이터베이스에서 SQL 파일을 실행합니다."),
        usage=("dbscript PROFILE [cs=CHARSET] PATH [:NAME ...]",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TEXT), duties.PATH),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options_anywhere=True,
        extra=EXTRA,
        options=(OptionSpec("cs", OptionKind.TEXT, ("charset of the file", "파일의 문자 집합"), default="utf-8"),),
        description="""\
The file holds one statement that reads, of at most 1 MB. Each `?` in it, outside quotes and comments, is filled by the
parameter named in its place: `dbscript emp week.sql :from :to`. The rest is as in `dbquery`. In safe mode the file must
be one that may be read.
""",
        examples=(
            Example(
                "A report kept in a file, of the last week",
                'set since = string(dateadd(now(), "day", -7), "yyyy-MM-dd") | dbscript emp reports/hired.sql :since',
            ),
        ),
        errors=(*ERRORS, NO_SCRIPT, BAD_SCRIPT, WRONG_COUNT, UNKNOWN_SQL_PARAMETER, NOT_A_SELECT, READ_ONLY),
        ledger=(NOT_DECIMAL, NO_DECIMAL, NO_DATE, NOT_UTF8, DUPLICATE_COLUMN),
    )
)
