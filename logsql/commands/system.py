"""``system``: tables, row counts, results and lookup tables of the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import exp

from logsql.commands._literal_rows import rows_relation
from logsql.commands._tables import table_node
from logsql.commands.base import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.commands.table import day_range, tables_of
from logsql.language.tree import Name
from logsql.planner import sql
from logsql.planner.catalog import TableInfo
from logsql.planner.relation import PHYSICAL, Column, Rel
from logsql.planner.sql import Sql
from logsql.planner.stage import Stage
from logsql.planner.types import DATE, LONG, STRING, list_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logsql.language.reader import ArgReader

SUBJECTS = ("tables", "count", "queries", "lookups")
_REFUSED = "the subject belongs to the vendor's server"


@dataclass(frozen=True)
class SystemArgs:
    """What to list, and for ``count`` which tables."""

    subject: str
    names: tuple[Name, ...] = ()


def parse(reader: ArgReader) -> SystemArgs:
    word = reader.word()
    help_text = f"system {{{'|'.join(SUBJECTS)}}}"
    if word is None:
        reader.fail("92000", "unsupported-command", "system needs a subject", help=help_text)
    if word.text not in SUBJECTS:
        message = f"system {word.text} is not supported: {_REFUSED}"
        reader.fail("92000", "unsupported-command", message, word.span, help_text)
    names = reader.name_list(trailing_comma=("10603", "invalid-table-spec")) if word.text == "count" else []
    return SystemArgs(word.text, tuple(names))


def lower(stage: Stage) -> Rel:
    subject = stage.args.subject
    if subject == "count":
        return _count(stage)
    for option in stage.command.options:
        stage.fail("90001", "invalid-option", f"option {option.key} is for system count", option.span)
    if subject == "tables":
        infos = [(name, stage.catalog.table(name)) for name in sorted(stage.catalog.tables())]
        made = [_described(name, info) for name, info in infos if info is not None]
        return rows_relation(stage, made) if made else _nothing(stage)
    if subject == "lookups":
        known = stage.catalog.service("lookups")
        found = [{"name": name} for name in (known() if known is not None else [])]
        return rows_relation(stage, found) if found else _nothing(stage)
    return _queries(stage)


def _described(name: str, info: TableInfo) -> dict[str, Any]:
    kind = "table" if info.has_rowid else "view"
    return {"table": name, "type": kind, "columns": [c.name for c in info.columns]}


def _nothing(stage: Stage) -> Rel:
    select = sql.select([sql.alias(sql.boolean(True), "__row")], where=sql.boolean(False))
    return Rel(stage.add("nothing", select), ())


def _count(stage: Stage) -> Rel:
    """Rows per table and day of ``_time``; a table without a time is counted as a whole."""
    wanted = [info for name in stage.args.names for _, info, _ in tables_of(stage, name)]
    if not stage.args.names:
        wanted = [i for name in sorted(stage.catalog.tables()) if (i := stage.catalog.table(name)) is not None]
    low, high = day_range(stage, stage.option("from"), stage.option("to"))
    selects = [_table_count(info, low, high) for info in wanted]
    if not selects:
        return _nothing(stage)
    node: exp.Expression = selects[0]
    for more in selects[1:]:
        node = exp.Union(this=node, expression=more, distinct=False)
    counted = stage.add("system_count", node)
    columns = (Column("_time", "_time", DATE), Column("table", "table", STRING), Column("count", "count", LONG))
    order = sql.order_by([sql.ordered(sql.col("table")), sql.ordered(sql.col("_time"))])
    ordered = sql.select([sql.col(c.ident) for c in columns], sql.table(counted), order=order)
    name = stage.add("system_sorted", ordered, counted)
    return Rel(name, columns, order=PHYSICAL)


def _table_count(info: TableInfo, low: Sql | None, high: Sql | None) -> exp.Select:
    timed = any(c.name == "_time" and c.sql_type.upper().startswith("TIMESTAMP") for c in info.columns)
    time = sql.cast(sql.col("_time"), DATE.physical)
    day = sql.func("date_trunc", sql.string("day"), time) if timed else sql.null(DATE.physical)
    tests = []
    if low is not None:
        tests.append(sql.binary(">=", time.copy(), low.copy()) if timed else sql.boolean(False))
    if high is not None:
        tests.append(sql.binary("<", time.copy(), high.copy()) if timed else sql.boolean(False))
    items = [
        sql.alias(day, "_time"),
        sql.alias(sql.string(info.name), "table"),
        sql.alias(sql.cast(sql.func("count", exp.Star()), "BIGINT"), "count"),
    ]
    group = exp.Group(expressions=[sql.integer(1)]) if timed else None
    return sql.select(items, table_node(info), sql.and_(*tests) if tests else None, group=group)


def _queries(stage: Stage) -> Rel:
    """Results of the session that ``result`` can read."""
    columns = [Column("id", "id", LONG), Column("rows", "rows", LONG), Column("fields", "fields", list_of(STRING))]

    def kept(batches: Iterator[Any], runtime: Any) -> Iterator[Any]:
        found = [(int(i), t.num_rows, list(t.schema.names)) for i, t in runtime.session.kept.items()]
        ids, rows, fields = zip(*found, strict=True) if found else ((), (), ())
        arrays = [pa.array(ids, pa.int64()), pa.array(rows, pa.int64()), pa.array(fields, pa.list_(pa.string()))]
        yield pa.RecordBatch.from_arrays(arrays, names=["id", "rows", "fields"])

    return stage.stream(None, columns, kept)


register(
    CommandSpec(
        name="system",
        group=Group.SYSTEM,
        summary="List tables, row counts, results of the session, or lookup tables.",
        usage=(
            "system tables",
            "system count [from=yyyyMMdd] [to=yyyyMMdd] [TABLE, ...]",
            "system queries",
            "system lookups",
        ),
        parse=parse,
        lower=lower,
        source=True,
        options_anywhere=True,
        options=(
            OptionSpec("from", OptionKind.TEXT, "count: the first day, yyyyMMdd"),
            OptionSpec("to", OptionKind.TEXT, "count: the last day, yyyyMMdd, included"),
            OptionSpec("diskonly", OptionKind.BOOL, "accepted; every row is stored", default=False),
        ),
        description="""\
`system tables` lists the tables and views with their columns. `system count` counts rows per table and day of `_time`;
a table without `_time` is one row without a day. `system queries` lists the kept results that `result` reads, and
`system lookups` the lookup tables.
""",
        examples=(
            Example(
                "How many rows a table has each day",
                "system count ev | fields table, count",
                ({"table": "ev", "count": 2}, {"table": "ev", "count": 1}),
                {
                    "ev": [
                        {"_time": "2024-01-01T10:00:00"},
                        {"_time": "2024-01-01T11:00:00"},
                        {"_time": "2024-01-02T10:00:00"},
                    ]
                },
            ),
        ),
        errors=(("92000", "unsupported-command", "a subject that only the vendor's server has"),),
    )
)
