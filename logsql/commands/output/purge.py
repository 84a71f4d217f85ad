"""``purge``: delete days of tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import exp

from logsql.commands.sources._days import OPTIONS, days, tables, time_of
from logsql.commands.sources._tables import table_node
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Column, Rel
from logsql.planner.services import PURGING
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values.types import LONG, STRING

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class PurgeArgs:
    """The tables."""

    tables: tuple[Name, ...]


_CODES = (("11402", "invalid-from"), ("11403", "invalid-to"))


def parse(reader: ArgReader) -> PurgeArgs:
    for code, key in (("11400", "from"), ("11401", "to")):
        if reader.option(key) is None:
            help_text = "purge from=yyyyMMdd to=yyyyMMdd TABLE, ..."
            reader.fail(code, f"missing-{key}", f"purge needs {key}=", help=help_text)
    names = reader.name_list(trailing_comma=("11404", "missing-table"))
    if not names:
        reader.fail("11404", "missing-table", "purge needs the name of a table", help="use * for all tables")
    return PurgeArgs(tuple(names))


def lower(stage: Stage) -> Rel:
    range_ = days(stage, _CODES)
    allowed = stage.catalog.service(PURGING)
    if not allowed:
        message = "purge deletes rows for good, which this session does not allow"
        help_text = "open it with connect(..., allow_purge=True)"
        stage.fail("11406", "purge-not-enabled", message, stage.command.name_span, help_text)
    deletes: list[tuple[str, exp.Expression]] = []
    for info in tables(stage, stage.arguments(PurgeArgs).tables, ("11405", "table-not-found")):
        time = time_of(info)
        if time is None or not info.has_rowid:
            why = "has no _time that is a date" if info.has_rowid else "is no stored table"
            stage.fail("11405", "table-not-found", f"{info.name} {why}, so no days of it can be deleted")
        deletes.append((info.name, exp.Delete(this=table_node(info), where=exp.Where(this=range_.test(time)))))
    done: list[tuple[str, int]] = []

    def run(runtime: Any) -> None:
        runtime.policy.check_write(runtime.database.path)
        done.clear()
        for name, delete in deletes:
            done.append((name, int(runtime.execute(delete)[0][0])))

    stage.action("delete rows", run)

    def report(batches: Iterator[Any], runtime: Any) -> Iterator[Any]:
        names, counts = [n for n, _ in done], [c for _, c in done]
        arrays = [pa.array(names, pa.string()), pa.array(counts, pa.int64())]
        yield pa.RecordBatch.from_arrays(arrays, names=["table", "count"])

    return stage.stream(None, [Column("table", "table", STRING), Column("count", "count", LONG)], report)


register(
    CommandSpec(
        name="purge",
        group=Group.OUTPUT,
        summary="Delete days of tables.",
        usage=("purge from=DAY to=DAY TABLE, ...",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TABLE),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
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
            ("11400", "missing-from", "no from="),
            ("11401", "missing-to", "no to="),
            ("11402", "invalid-from", "from= is no day"),
            ("11403", "invalid-to", "to= is no day"),
            ("11404", "missing-table", "no table"),
            ("11405", "table-not-found", "no such table, or one without _time"),
            ("11406", "purge-not-enabled", "the session does not allow deleting"),
        ),
    )
)
