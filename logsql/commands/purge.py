"""``purge``: remove the rows of some days from tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import exp

from logsql.commands._tables import table_node
from logsql.commands.base import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.commands.table import day_range, tables_of
from logsql.language.tree import Name
from logsql.planner import sql
from logsql.planner.catalog import TableInfo
from logsql.planner.relation import Column, Rel
from logsql.planner.sql import Sql
from logsql.planner.stage import Stage
from logsql.planner.types import LONG, STRING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logsql.language.reader import ArgReader

_DAYS = ("11400", "missing-days")


@dataclass(frozen=True)
class PurgeArgs:
    """The tables."""

    names: tuple[Name, ...]


def parse(reader: ArgReader) -> PurgeArgs:
    names = reader.name_list(trailing_comma=("11401", "missing-table"))
    if not names:
        help_text = "purge from=yyyyMMdd to=yyyyMMdd TABLE, ..."
        reader.fail("11401", "missing-table", "purge needs the tables", help=help_text)
    return PurgeArgs(tuple(names))


def lower(stage: Stage) -> Rel:
    low, high = day_range(stage, stage.option("from"), stage.option("to"))
    if low is None or high is None:
        stage.fail(*_DAYS, "purge needs the first and the last day: from=yyyyMMdd to=yyyyMMdd")
    infos = [info for name in stage.args.names for _, info, _ in tables_of(stage, name)]
    for info in infos:
        timed = any(c.name == "_time" and c.sql_type.upper().startswith("TIMESTAMP") for c in info.columns)
        if not info.has_rowid or not timed:
            stage.fail("11402", "not-a-log-table", f"{info.name} is no stored table with a date in _time")
    removed: dict[str, int] = {}

    def run(runtime: Any) -> None:
        runtime.policy.check_write("tables of the database")
        for info in infos:
            removed[info.name] = _remove(runtime, info, low, high)

    stage.action(f"purge {', '.join(i.name for i in infos)}", run)
    return _removed(stage, removed)


def _remove(runtime: Any, info: TableInfo, low: Sql, high: Sql) -> int:
    time = sql.cast(sql.col("_time"), "TIMESTAMP WITH TIME ZONE")
    test = sql.and_(sql.binary(">=", time, low.copy()), sql.binary("<", time.copy(), high.copy()))
    target = table_node(info)
    target.set("db", sql.ident("main"))
    target.set("catalog", sql.ident(runtime.session.database))
    rows = runtime.execute(exp.Delete(this=target, where=exp.Where(this=test)))
    return int(rows[0][0]) if rows else 0


def _removed(stage: Stage, removed: dict[str, int]) -> Rel:
    columns = [Column("table", "table", STRING), Column("count", "count", LONG)]

    def rows(batches: Iterator[Any], runtime: Any) -> Iterator[Any]:
        arrays = [pa.array(list(removed), pa.string()), pa.array(list(removed.values()), pa.int64())]
        yield pa.RecordBatch.from_arrays(arrays, names=["table", "count"])

    return stage.stream(None, columns, rows)


register(
    CommandSpec(
        name="purge",
        group=Group.SYSTEM,
        summary="Remove the rows of some days from tables.",
        usage=("purge from=yyyyMMdd to=yyyyMMdd TABLE, ...",),
        parse=parse,
        lower=lower,
        source=True,
        options=(
            OptionSpec("from", OptionKind.TEXT, "the first day, yyyyMMdd"),
            OptionSpec("to", OptionKind.TEXT, "the last day, yyyyMMdd, included"),
        ),
        description="""\
Deletes the rows whose `_time` is on one of the days, both ends included, in the session's zone, and says how many they
were. Rows without a time stay. There is no way back.
""",
        output="table, count",
        errors=(
            (*_DAYS, "from= or to= is missing"),
            ("11401", "missing-table", "no table is named"),
            ("11402", "not-a-log-table", "the table is a view or has no _time"),
        ),
    )
)
