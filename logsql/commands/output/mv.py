"""``mv``: move a file when the rows before it are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logsql.planner import duties
from logsql.planner.plan import Action
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

_MISSING = ("30501", "missing-field")
_EXISTS = ("30502", "file-exists")
_IO = ("30503", "io-error")


def parse(reader: ArgReader) -> None:
    for key in ("from", "to"):
        if reader.option(key) is None:
            reader.fail(*_MISSING, f"mv needs {key}=", help="mv from=PATH to=PATH")
    return None


def lower(stage: Stage) -> Rel:
    source, target = stage.option("from"), stage.option("to")
    for key, path in (("from", source), ("to", target)):
        if not path:
            option = stage.command.option(key)
            stage.fail(*_MISSING, f"{key}= holds no path", option.value_span if option else None)
    rel = stage.rel

    def check(runtime: Any) -> None:
        runtime.policy.check_write(source)
        runtime.policy.check_write(target)
        _free(target)

    stage.chain.steps.insert(0, Action(f"check that {source} can be moved to {target}", check))
    stage.action(f"move {source} to {target}", lambda runtime: move(source, target))
    return rel


def _free(target: str) -> None:
    import os

    from logsql.diagnostics.errors import Diagnostic, RunError

    if os.path.lexists(target):
        raise RunError(Diagnostic(*_EXISTS, f"the file {target} exists already"))


def move(source: str, target: str) -> None:
    """Rename a file, onto another file system if need be; never over a file that exists."""
    import shutil

    from logsql.diagnostics.errors import Diagnostic, RunError

    _free(target)
    try:
        shutil.move(source, target)
    except OSError as error:
        message = f"cannot move {source} to {target}: {error.strerror or error}"
        raise RunError(Diagnostic(*_IO, message)) from None


register(
    CommandSpec(
        name="mv",
        group=Group.OUTPUT,
        summary="Move a file that the query has written.",
        usage=("mv from=PATH to=PATH",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.BARRIER,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("from", OptionKind.PATH, "the file to move", required=True, error=_MISSING),
            OptionSpec("to", OptionKind.PATH, "where to; no file may be there", required=True, error=_MISSING),
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
        errors=(
            (*_MISSING, "from= or to= is missing"),
            (*_EXISTS, "there is a file at to= already"),
            (*_IO, "the file cannot be moved"),
        ),
    )
)
