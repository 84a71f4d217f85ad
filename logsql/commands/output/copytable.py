"""``copytable``: back up tables as Parquet files, one per table and day."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.commands.output.outputcsv import FORM as CSV
from logsql.commands.sources._tables import table_node
from logsql.commands.sources.table import day_range, tables_of
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.diagnostics.kept import CANNOT_WRITE
from logsql.diagnostics.losses import loss
from logsql.diagnostics.messages import text
from logsql.diagnostics.options import INVALID_OPTION
from logsql.diagnostics.tables import AND, PURGE_NOT_ENABLED, TABLE_NOT_FOUND
from logsql.language.tree import NOWHERE, Name
from logsql.planner import duties
from logsql.planner.catalog import TableInfo
from logsql.planner.relation import Column, Rel
from logsql.planner.services import PURGING
from logsql.planner.spec import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.store.placing import reached
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import LONG, STRING
from udfs.readers.files import duckdb_path

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
#: What DuckDB says of a file whose columns or values are not those of the table, or that is no Parquet.
_UNLIKE = (
    duckdb.BinderException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.NotImplementedException,
)
#: Names that are devices on Windows, with any ending.
_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\.|$)", re.IGNORECASE)

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

NOT_THE_SAME = CSV.codes.io.says(
    (
        "the rows read back from the file for {path} are not those of the table: nothing was moved",
        "{path}에 쓴 행을 다시 읽으니 테이블의 행과 달라 아무것도 옮기지 않았습니다",
    ),
    help=(
        "Parquet cannot hold a value of this day exactly (a whole number beyond 2^53 in a HUGEINT column, microseconds "
        "of an interval): cast the column, or copy without move=t",
        "그날의 값 가운데 Parquet에 그대로 담을 수 없는 것이 있습니다(HUGEINT의 2^53을 넘는 정수, 간격의 마이크로초). "
        "컬럼을 변환하거나 move=t 없이 복사하세요",
    ),
)
NOT_MOVED = loss(
    "not-moved-file-holds-other-rows",
    (
        "rows of a day whose file holds other rows: neither copied nor deleted",
        "그날 파일에 다른 행이 있어 옮기지 않은 행",
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
        if self.move:
            runtime.policy.check_write(runtime.database.path)
        try:
            for info in infos:
                for day, count in runtime.execute(self._days(info)):
                    self._copy(runtime, info, day, int(count))
        except OSError as error:
            said = CSV.codes.io.with_text(CANNOT_WRITE)
            raise RunError(diagnostic(said, path=self.folder, reason=error.strerror or error)) from None

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
        path = os.path.join(self.folder, folder_name(info.name), f"{day}.parquet")
        test = sql.eq(self._day(info), sql.string(day))
        limits = self._range(info)
        rows = Day(info, test if limits is None else sql.and_(test, limits))
        if not self.move:
            if not self._left(runtime, path):
                self._write(runtime, rows, path)
                self.done.append((info.name, day, count, path))
            return
        runtime.execute(exp.Transaction())  # rows that somebody adds meanwhile are neither copied nor deleted
        try:
            if runtime.files.has(path) and self.mode != "overwrite" and rows.are_in(runtime, path):
                pass  # a run that was killed between file and deletion: what it had left to do is done now
            elif self._left(runtime, path):
                runtime.loss.lost(info.name, NOT_MOVED.name, count, sample=path)
                runtime.execute(exp.Rollback())
                return
            else:
                self._write(runtime, rows, path)
            reached("delete", path)
            deleted = rows.delete(runtime)
        except BaseException:
            runtime.execute(exp.Rollback())
            raise
        runtime.execute(exp.Commit())
        reached("deleted", path)
        self.done.append((info.name, day, deleted, path))

    def _left(self, runtime: ActionRuntime, path: str) -> bool:
        """Whether a file is there that is to be left as it is; one that is in the way is an error."""
        if not runtime.files.has(path) or self.mode == "overwrite":
            return False
        if self.mode != "incremental":
            raise RunError(diagnostic(EXISTS, path=path))
        return True

    def _write(self, runtime: ActionRuntime, rows: Day, path: str) -> None:
        with runtime.files.replacing(path) as temporary:
            runtime.execute(_copy_statement(rows.query(), temporary))
            if self.move and not rows.are_in(runtime, temporary):
                raise RunError(diagnostic(NOT_THE_SAME, path=path))
        if self.mode == "worm":
            runtime.files.make_read_only(path)


@dataclass(frozen=True)
class Day:
    """The rows of one table and day."""

    info: TableInfo
    where: Sql

    def query(self) -> exp.Select:
        return sql.select([exp.Star()], table_node(self.info), self.where.copy())

    def are_in(self, runtime: ActionRuntime, path: str) -> bool:
        """Whether a Parquet file holds exactly these rows, read back in the types of the table."""
        named = exp.Boolean(this=False)
        read = sql.func(
            "read_parquet", sql.string(duckdb_path(path)), exp.EQ(this=sql.col("hive_partitioning"), expression=named)
        )
        found = exp.Table(this=read)
        try:
            ((held,),) = runtime.execute(sql.select([sql.func("count", exp.Star())], found))
            ((wanted,),) = runtime.execute(
                sql.select([sql.func("count", exp.Star())], table_node(self.info), self.where.copy())
            )
            if held != wanted:
                return False
            columns = self.info.columns
            kept = [sql.alias(sql.try_cast(sql.col(c.name), c.sql_type), f"c{i}") for i, c in enumerate(columns)]
            have = [sql.alias(sql.col(c.name), f"c{i}") for i, c in enumerate(columns)]
            there = sql.select(kept, found.copy())
            here = sql.select(have, table_node(self.info), self.where.copy())
            missing = exp.Except(this=here, expression=there, distinct=False)
            return not runtime.execute(exp.select("*").from_(exp.Subquery(this=missing)).limit(1))
        except _UNLIKE:
            return False

    def delete(self, runtime: ActionRuntime) -> int:
        """Delete the rows; how many there were."""
        target = table_node(self.info)
        target.set("db", sql.ident("main"))
        target.set("catalog", sql.ident(runtime.database.name))
        ((count,),) = runtime.execute(exp.Delete(this=target, where=exp.Where(this=self.where.copy())))
        return int(count)


def folder_name(table: str) -> str:
    """The folder of a table's files: its name, in which what no folder can be called is written as ``%XX``.

    That is what would lead to another folder, and what Windows refuses; a long name is cut and told from others.

    >>> folder_name("../../x"), folder_name("/abs"), folder_name(".."), folder_name("web 2024.v1")
    ('..%2F..%2Fx', '%2Fabs', '%2E%2E', 'web 2024.v1')
    >>> folder_name("nul.txt"), folder_name("a?"), folder_name("end. "), len(folder_name("x" * 300))
    ('%6Eul.txt', 'a%3F', 'end.%20', 117)
    """
    if not table.strip("."):
        return "%2E" * len(table)
    safe = re.sub(r'[%/\\:<>"|?*\0-\x1f]', _coded, table)
    safe = re.sub(r"[. ]$", _coded, safe)
    safe = re.sub(r"^.", _coded, safe) if _DEVICE.match(safe) else safe
    if len(safe.encode()) <= 200:
        return safe
    return f"{safe.encode()[:100].decode(errors='ignore')}~{hashlib.sha256(table.encode()).hexdigest()[:16]}"


def _coded(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _copy_statement(query: exp.Select, path: str) -> exp.Copy:
    # DuckDB would write a file of its own beside the temporary one, which everybody may read and nobody clears away.
    settings = {"FORMAT": "PARQUET", "USE_TMP_FILE": "FALSE"}
    params = [exp.CopyParameter(this=exp.Var(this=k), expression=exp.Var(this=v)) for k, v in settings.items()]
    return exp.Copy(this=exp.Subquery(this=query), kind=False, files=[sql.string(path)], params=params)


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
    span = option.value_span if option is not None else NOWHERE
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
        summary=(
            "Back up tables as Parquet files, one per table and day.",
            "테이블을 날짜별 Parquet 파일로 백업합니다.",
        ),
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

With `move=t` the rows of a day are deleted when its file is on the disk and gives exactly these rows when it is read
back. A run that was killed between file and deletion is finished by the next one: where the file of a day holds exactly
its rows, they are deleted. Where it holds others, `incremental=t` leaves the day and says so.
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
