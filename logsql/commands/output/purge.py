"""``purge``: delete days of tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from logsql.commands.sources._days import OPTIONS, days, tables, time_of
from logsql.commands.sources._tables import table_node
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.tables import PURGE_NOT_ENABLED
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Column, Rel
from logsql.planner.services import PURGING
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values.types import LONG, STRING

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import ActionRuntime, StageRuntime


@dataclass(frozen=True)
class PurgeArgs:
    """The tables."""

    tables: tuple[Name, ...]


_FORM = syntax("purge from=yyyyMMdd to=yyyyMMdd TABLE, ...")
MISSING_FROM = define(
    "11400",
    "missing-from",
    ("no from=", "from=이 없습니다"),
    ("purge needs from=", "purge에는 from=이 필요합니다"),
    help=_FORM,
)
MISSING_TO = define(
    "11401",
    "missing-to",
    ("no to=", "to=가 없습니다"),
    ("purge needs to=", "purge에는 to=가 필요합니다"),
    help=_FORM,
)
INVALID_FROM = define("11402", "invalid-from", ("from= is no day", "from=이 날짜가 아닙니다"))
INVALID_TO = define("11403", "invalid-to", ("to= is no day", "to=가 날짜가 아닙니다"))
MISSING_TABLE = define(
    "11404",
    "missing-table",
    ("no table", "테이블이 없습니다"),
    ("purge needs the name of a table", "purge에는 테이블 이름이 필요합니다"),
    help=("use * for all tables", "모든 테이블은 *로 씁니다"),
)
NOT_FOUND = define(
    "11405",
    "table-not-found",
    ("no such table, or one without _time", "그런 테이블이 없거나 테이블에 _time이 없습니다"),
)
UNTIMED = NOT_FOUND.says(
    (
        "{table} has no _time that is a date, so no days of it can be deleted",
        "{table} 테이블에는 날짜 타입의 _time이 없어 날짜 단위로 지울 수 없습니다",
    )
)
NOT_STORED = NOT_FOUND.says(
    (
        "{table} is no stored table, so no days of it can be deleted",
        "{table}은(는) 저장된 테이블이 아니어서 날짜 단위로 지울 수 없습니다",
    )
)
NOT_ALLOWED = PURGE_NOT_ENABLED.says(
    (
        "purge deletes rows for good, which this session does not allow",
        "purge는 행을 영구히 지우며, 이 세션은 이를 허용하지 않습니다",
    ),
    help=("open it with connect(..., allow_purge=True)", "세션을 connect(..., allow_purge=True)로 여세요"),
)


def parse(reader: ArgReader) -> PurgeArgs:
    for row, key in ((MISSING_FROM, "from"), (MISSING_TO, "to")):
        if reader.option(key) is None:
            reader.fail(row)
    names = reader.name_list(trailing_comma=MISSING_TABLE)
    if not names:
        reader.fail(MISSING_TABLE)
    return PurgeArgs(tuple(names))


def lower(stage: Stage) -> Rel:
    range_ = days(stage, (INVALID_FROM, INVALID_TO))
    allowed = stage.catalog.service(PURGING)
    if not allowed:
        stage.fail(NOT_ALLOWED, stage.command.name_span)
    deletes: list[tuple[str, exp.Expression]] = []
    for info in tables(stage, stage.arguments(PurgeArgs).tables, NOT_FOUND):
        time = time_of(info)
        if time is None or not info.has_rowid:
            stage.fail(UNTIMED if info.has_rowid else NOT_STORED, table=info.name)
        deletes.append((info.name, exp.Delete(this=table_node(info), where=exp.Where(this=range_.test(time)))))
    done: list[tuple[str, int]] = []

    def run(runtime: ActionRuntime) -> None:
        runtime.policy.check_write(runtime.database.path)
        done.clear()
        for name, delete in deletes:
            done.append((name, int(runtime.execute(delete)[0][0])))

    stage.action("delete rows", run)

    def report(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        names, counts = [n for n, _ in done], [c for _, c in done]
        arrays = [pa.array(names, pa.string()), pa.array(counts, pa.int64())]
        yield pa.RecordBatch.from_arrays(arrays, names=["table", "count"])

    return stage.stream(None, [Column("table", "table", STRING), Column("count", "count", LONG)], report)


register(
    CommandSpec(
        name="purge",
        group=Group.OUTPUT,
        summary=("Delete days of tables.", "테이블에서 지정한 기간의 데이터를 날짜 단위로 삭제합니다."),
        usage=("purge from=DAY to=DAY TABLE, ...",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TABLE),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        instead=(
            'retention = "30d" of a table sink deletes old rows once an hour',
            '테이블 싱크의 retention = "30d"는 오래된 행을 한 시간마다 지웁니다',
        ),
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=OPTIONS,
        description="""\
Deletes the rows whose `_time` lies in the days from `from=` to `to=` (yyyyMMdd, both included, session zone) and gives
one row per table with the number deleted. `*` at an end of a name selects several tables. The session must allow it
(`allow_purge`): rows are gone for good.
""",
        examples=(Example("Forget January", "purge from=20140101 to=20140131 sample1, sample2"),),
        errors=(
            MISSING_FROM,
            MISSING_TO,
            INVALID_FROM,
            INVALID_TO,
            MISSING_TABLE,
            NOT_FOUND,
            PURGE_NOT_ENABLED,
        ),
    )
)
