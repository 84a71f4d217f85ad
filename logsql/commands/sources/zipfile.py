"""``zipfile``: the lines of text files inside ZIP archives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.sources._files import (
    LIMIT,
    OFFSET,
    ZIP_CHARSET,
    ZIP_NAMES,
    PathArgs,
    all_options,
    open_files,
    path_text,
    scan_source,
)
from logsql.diagnostics.codes import define, syntax
from logsql.language.tree import Call, Text
from logsql.planner import duties
from logsql.planner.catalog import SourceSpec
from logsql.planner.options import extensions
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_ENTRY = define(
    "14000",
    "no-such-entry",
    ("nothing in the archive matches", "아카이브에 맞는 항목이 없습니다"),
)
MISSING = define(
    "14002",
    "missing-field",
    ("archive or entry is missing", "아카이브나 항목이 없습니다"),
    ("zipfile needs an archive and an entry", "zipfile에는 아카이브와 항목이 필요합니다"),
    help=syntax("zipfile ARCHIVE.zip ENTRY"),
)


@dataclass(frozen=True)
class ZipArgs(PathArgs):
    """Archive and entry, ``*`` allowed in both."""

    entry: Text | Call


def parse(reader: ArgReader) -> ZipArgs:
    path, entry = reader.path_word(), reader.path_word()
    if path is None or entry is None:
        reader.fail(MISSING)
    return ZipArgs(path, entry)


def lower(stage: Stage) -> Rel:
    options = all_options(stage)
    options["entry"] = path_text(stage, stage.arguments(ZipArgs).entry)
    return scan_source(stage, open_files(stage, options))


register(
    CommandSpec(
        name="zipfile",
        group=Group.SOURCE,
        summary=(
            "Read text lines from the entries of ZIP archives.",
            "ZIP 압축 파일 안의 텍스트 파일을 한 줄씩 읽습니다.",
        ),
        usage=("zipfile [limit=N] [offset=N] [cs=CHARSET] [zipcharset=CHARSET] ARCHIVE ENTRY",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.PATH, duties.Argument(duties.Kind.TEXT)),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        reads=SourceSpec("udfs.readers.zipmembers:ZipLinesReader", code=NO_ENTRY.code, suffixes=(".zip",)),
        options=(
            LIMIT,
            OFFSET,
            *extensions(
                OptionSpec("cs", OptionKind.TEXT, ("charset of the text", "텍스트의 문자 집합"), default="utf-8"),
                ZIP_CHARSET,
            ),
        ),
        description=f"""\
`*` and `**` may stand in the path of the archive and in the entry; an entry without a folder (`*.txt`) is looked for in
every one. Paths that hold blanks stand
in double quotes. A gzip file inside the archive is unpacked. {ZIP_NAMES}
""",
        errors=(
            NO_ENTRY,
            NO_ENTRY.when(("the archive does not exist", "아카이브가 없습니다"), name="file-not-found"),
            MISSING,
        ),
    )
)
