"""``copytable``: back up tables as Parquet files, one per table and day."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from logsql.commands.output.outputcsv import FORM as CSV
from logsql.commands.sources._tables import table_node
from logsql.commands.sources.table import day_range, tables_of
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.diagnostics.messages import text
from logsql.diagnostics.options import INVALID_OPTION
from logsql.diagnostics.tables import AND, PURGE_NOT_ENABLED, TABLE_NOT_FOUND
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.catalog import TableInfo
from logsql.planner.relation import Column, Rel
from logsql.planner.services import PURGING
from logsql.planner.spec import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import LONG, STRING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import ActionRuntime, StageRuntime

NO_INDEXES = text(
    "there are no full-text indexes to copy: indexpath= is ignored",
    "복사할 전문 색인이 없습니다. indexpath= 옵션은 무시합니다",
)
_MODES = ("incremental", "overwrite", "worm")
_NO_TIME = "no-time"

#: The code that outputcsv has for trouble of the disk.
FILE_EXISTS = CSV.codes.io.when(("a file is there already", "파일이 이미 있습니다"), name="file-exists")
EXISTS = FILE_EXISTS.says(
    ("{path} exists already", "{path} 파일이 이미 있습니다"),
    help=(
        "add incremental=t to leave it or overwrite=t to replace it",
        "파일을 그대로 두려면 incremental=t를, 바꾸려면 overwrite=t를 추가하세요",
    ),
)
EXCLUSIVE = INVALID_OPTION.says(("{options} exclude each other", "함께 쓸 수 없는 옵션입니다: {options}"))
MOVE_NOT_ALLOWED = PURGE_NOT_ENABLED.says(
    (
        "copytable move=t deletes the rows that it copied, which this session does not allow",
        "copytable move=t는 복사한 행을 지우며, 이 세션은 이를 허용하지 않습니다",
    ),
    help=(
        "open it with connect(..., allow_purge=True) or --allow-purge, or copy without move=t",
        "세션을 connect(..., allow_purge=True)나 --allow-purge로 열거나 move=t 없이 복사하세요",
    ),
)


@dataclass
class Backup:
    """What to copy where, and what was copied: (table, day, rows, path)."""

    folder: str
    mode: str | None
    move: bool
    low: Sql | None
    high: Sql | None
    done: list[tuple[str, str, int, str]]

    def run(self, runtime: ActionRuntime, infos: list[TableInfo]) -> None:
        """Copy all tables; the rows are deleted afterwards when they are to be moved."""
        runtime.policy.check_write(self.folder)
        for info in infos:
            for day, count in runtime.execute(self._days(info)):
                self._copy(runtime, info, day, int(count))

    def _days(self, info: TableInfo) -> exp.Select:
        day = self._day(info)
        items = [sql.alias(day, "day"), sql.func("count", exp.Star())]
        group = exp.Group(expressions=[sql.integer(1)])
        return sql.select(items, table_node(info), self._range(info), group=group, order=sql.order_by([sql.integer(1)]))

    def _day(self, info: TableInfo) -> Sql:
        if not _timed(info):
            return sql.string(_NO_TIME)
        time = sql.cast(sql.col("_time"), "TIMESTAMP WITH TIME ZONE")
        text = sql.func("strftime", time, sql.string("%Y-%m-%d"))
        return sql.coalesce(text, sql.string(_NO_TIME))

    def _range(self, info: TableInfo) -> Sql | None:
        if not _timed(info):
            return None
        time = sql.cast(sql.col("_time"), "TIMESTAMP WITH TIME ZONE")
        tests = [sql.binary(">=", time, self.low.copy())] if self.low is not None else []
        if self.high is not None:
            tests.append(sql.binary("<", time.copy(), self.high.copy()))
        return sql.and_(*tests) if tests else None

    def _copy(self, runtime: ActionRuntime, info: TableInfo, day: str, count: int) -> None:
        folder = os.path.join(self.folder, folder_name(info.name))
        path = os.path.join(folder, f"{day}.parquet")
        there = runtime.files.has(path)
        if there and self.mode == "incremental":
            return
        if there and self.mode != "overwrite":
            raise RunError(diagnostic(EXISTS, path=path))
        test = sql.eq(self._day(info), sql.string(day))
        limits = self._range(info)
        where = test if limits is None else sql.and_(test, limits)
        with runtime.files.replacing(path) as temporary:
            runtime.execute(_copy_statement(sql.select([exp.Star()], table_node(info), where), temporary))
        if self.mode == "worm":
            runtime.files.make_read_only(path)
        if self.move:
            target = table_node(info)
            target.set("db", sql.ident("main"))
            target.set("catalog", sql.ident(runtime.database.name))
            runtime.execute(exp.Delete(this=target, where=exp.Where(this=where.copy())))
        self.done.append((info.name, day, count, path))


def folder_name(table: str) -> str:
    """The folder of a table's files: its name, in which what would lead to another folder is written as ``%XX``.

    >>> folder_name("../../x"), folder_name("/abs"), folder_name(".."), folder_name("web 2024.v1")
    ('..%2F..%2Fx', '%2Fabs', '%2E%2E', 'web 2024.v1')
    """
    if not table.strip("."):
        return "%2E" * len(table)
    return re.sub(r"[%/\\:\0]", lambda found: f"%{ord(found[0]):02X}", table)


def _copy_statement(query: exp.Select, path: str) -> exp.Copy:
    form = exp.CopyParameter(this=exp.Var(this="FORMAT"), expression=exp.Var(this="PARQUET"))
    return exp.Copy(this=exp.Subquery(this=query), kind=False, files=[sql.string(path)], params=[form])


def _timed(info: TableInfo) -> bool:
    return any(c.name == "_time" and c.sql_type.upper().startswith("TIMESTAMP") for c in info.columns)


@dataclass(frozen=True)
class NoArgs:
    """Everything is in the options."""


def parse(reader: ArgReader) -> NoArgs:
    return NoArgs()


def lower(stage: Stage) -> Rel:
    modes = [mode for mode in _MODES if stage.option(mode)]
    if len(modes) > 1:
        stage.fail(EXCLUSIVE, options=AND.fill().join(modes))
    if stage.option("move") and not stage.catalog.service(PURGING):
        moving = stage.command.option("move")
        stage.fail(MOVE_NOT_ALLOWED, moving.value_span if moving else None)
    names = [n.strip() for n in (stage.option("tables") or "*").split(",") if n.strip()]
    option = stage.command.option("tables")
    span = option.value_span if option is not None else stage.command.span
    infos = [info for name in names for _, info, _ in tables_of(stage, Name(name, span)) if info.has_rowid]
    low, high = day_range(stage, stage.option("from"), stage.option("to"))
    if stage.option("indexpath") is not None:
        stage.remark(NO_INDEXES)
    mode = modes[0] if modes else None
    backup = Backup(stage.option("path"), mode, stage.option("move"), low, high, [])
    stage.action(f"copy tables to {backup.folder}", lambda runtime: backup.run(runtime, infos))
    return _copied(stage, backup)


def _copied(stage: Stage, backup: Backup) -> Rel:
    columns = [
        Column("table", "table", STRING),
        Column("day", "day", STRING),
        Column("count", "count", LONG),
        Column("path", "path", STRING),
    ]

    def rows(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        types = (pa.string(), pa.string(), pa.int64(), pa.string())
        parts = zip(*backup.done, strict=True) if backup.done else [()] * len(types)
        arrays = [pa.array(list(part), type_) for part, type_ in zip(parts, types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=[c.ident for c in columns])

    return stage.stream(None, columns, rows)


register(
    CommandSpec(
        name="copytable",
        group=Group.OUTPUT,
        summary="Back up tables as Parquet files, one per table and day.",
        usage=(
            "copytable [from=yyyyMMdd] [to=yyyyMMdd] [incremental=t | overwrite=t | worm=t] [move=t] "
            '[tables="A, B"] path=FOLDER',
        ),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("path", OptionKind.PATH, ("the folder to copy to", "복사할 대상 폴더"), required=True),
            OptionSpec(
                "tables",
                OptionKind.TABLE,
                ("the tables, * allowed; all when it is not given", "대상 테이블. *를 쓸 수 있고 생략하면 전부"),
            ),
            OptionSpec("from", OptionKind.TEXT, ("the first day, yyyyMMdd", "첫날 (yyyyMMdd)")),
            OptionSpec("to", OptionKind.TEXT, ("the last day, yyyyMMdd, included", "마지막 날 (yyyyMMdd, 그날 포함)")),
            OptionSpec(
                "incremental",
                OptionKind.BOOL,
                ("t leaves files that are there", "t면 이미 있는 파일을 그대로 둠"),
                default=False,
            ),
            OptionSpec(
                "overwrite",
                OptionKind.BOOL,
                ("t replaces files that are there", "t면 이미 있는 파일을 덮어씀"),
                default=False,
            ),
            OptionSpec(
                "worm", OptionKind.BOOL, ("t makes the files read-only", "t면 파일을 읽기 전용으로 만듦"), default=False
            ),
            OptionSpec(
                "move",
                OptionKind.BOOL,
                ("t removes the copied rows; needs allow_purge", "t면 복사한 행을 지움. allow_purge가 필요함"),
                default=False,
            ),
            OptionSpec("indexpath", OptionKind.TEXT, ("accepted; there are no indexes", "받아들이지만 인덱스는 없음")),
        ),
        description="""\
Every day of a table becomes `FOLDER/TABLE/yyyy-MM-dd.parquet`, days in the session's zone; a table without `_time` and
rows without one go to `no-time.parquet`. A file appears when it is complete. `load PATH` reads such a file again.
""",
        errors=(
            FILE_EXISTS,
            PURGE_NOT_ENABLED.when(
                (
                    "move=t, and the session does not allow deleting",
                    "move=t를 썼지만 세션이 삭제를 허용하지 않습니다",
                )
            ),
            TABLE_NOT_FOUND,
        ),
    )
)
