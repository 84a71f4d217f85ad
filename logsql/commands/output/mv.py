"""``mv``: move a file when the rows before it are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.planner import duties
from logsql.planner.plan import Action
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import ActionRuntime
    from logsql.store.files import Files

MISSING = define(
    "30501",
    "missing-field",
    ("from= or to= is missing", "from=이나 to=가 없습니다"),
    ("mv needs {option}=", "mv에는 {option}=이 필요합니다"),
    help=syntax("mv from=PATH to=PATH"),
)
EMPTY_PATH = MISSING.says(("{option}= holds no path", "{option}=에 경로가 없습니다"))
EXISTS = define(
    "30502",
    "file-exists",
    ("there is a file at to= already", "to= 위치에 파일이 이미 있습니다"),
    ("the file {path} exists already", "{path} 파일이 이미 있습니다"),
)
IO_ERROR = define(
    "30503",
    "io-error",
    ("the file cannot be moved", "파일을 옮길 수 없습니다"),
    ("cannot move {source} to {target}: {reason}", "{source} 파일을 {target}(으)로 옮길 수 없습니다: {reason}"),
)


def parse(reader: ArgReader) -> None:
    for key in ("from", "to"):
        if reader.option(key) is None:
            reader.fail(MISSING, option=key)
    return None


def lower(stage: Stage) -> Rel:
    source, target = stage.option("from"), stage.option("to")
    for key, path in (("from", source), ("to", target)):
        if not path:
            option = stage.command.option(key)
            stage.fail(EMPTY_PATH, option.value_span if option else None, option=key)
    rel = stage.rel

    def check(runtime: ActionRuntime) -> None:
        runtime.policy.check_write(source)
        runtime.policy.check_write(target)
        if runtime.files.has(target):
            raise _exists(target)

    stage.chain.steps.insert(0, Action(f"check that {source} can be moved to {target}", check))
    stage.action(f"move {source} to {target}", lambda runtime: move(runtime.files, source, target))
    return rel


def _exists(target: str) -> RunError:
    return RunError(diagnostic(EXISTS, path=target))


def move(files: Files, source: str, target: str) -> None:
    """Rename a file, onto another file system if need be; never over a file that exists."""
    try:
        files.move(source, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError as error:
        reason = error.strerror or error
        raise RunError(diagnostic(IO_ERROR, source=source, target=target, reason=reason)) from None


register(
    CommandSpec(
        name="mv",
        group=Group.OUTPUT,
        summary=("Move a file that the query has written.", "쿼리가 쓴 파일을 옮깁니다."),
        usage=("mv from=PATH to=PATH",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.BARRIER,
        instead=(
            "a sink of kind file begins new files by size and time, and their names hold the date",
            "kind가 file인 싱크는 크기와 시간에 따라 새 파일을 만들고 이름에 날짜를 씁니다",
        ),
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("from", OptionKind.PATH, ("the file to move", "옮길 파일"), required=True, error=MISSING),
            OptionSpec(
                "to",
                OptionKind.PATH,
                ("where to; no file may be there", "옮길 위치. 같은 이름의 파일이 없어야 함"),
                required=True,
                error=MISSING,
            ),
        ),
        description="""\
Moves a file once the output commands before it have finished their files, so that another program that watches the
folder of `to=` sees only finished files. The rows pass on. A query that fails before moves nothing. That there is a
file at `to=` already is said before any row is read.
""",
        examples=(
            Example(
                "Hand a finished file over to a folder that is watched",
                "table fw | outputtxt work/log.txt line | mv from=work/log.txt to=inbox/log.txt",
            ),
        ),
        errors=(MISSING, EXISTS, IO_ERROR),
    )
)
