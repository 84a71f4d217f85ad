"""``checktable``: whether the stored rows of tables can be read back whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from logsql.commands.sources._days import OPTIONS, days, tables, time_of
from logsql.commands.sources._tables import table_node
from logsql.diagnostics.tables import TABLE_NOT_FOUND, TABLE_SPEC
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Column, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import LONG, STRING

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import Runtime, StageRuntime


@dataclass(frozen=True)
class ChecktableArgs:
    """The tables (none: all)."""

    tables: tuple[Name, ...]


def parse(reader: ArgReader) -> ChecktableArgs:
    return ChecktableArgs(tuple(reader.name_list(trailing_comma=TABLE_SPEC)))


_COLUMNS = (("table", STRING), ("rows", LONG), ("hash", STRING), ("msg", STRING), ("detail", STRING))


def lower(stage: Stage) -> Rel:
    range_ = days(stage)
    trace: bool = stage.option("trace")
    checks: list[tuple[str, str]] = []
    for info in tables(stage, stage.arguments(ChecktableArgs).tables):
        time = time_of(info)
        test = range_.test(time) if time is not None and range_.bounded else None
        node = table_node(info)
        node.set("alias", exp.TableAlias(this=sql.ident("checked")))
        whole = sql.func("bit_xor", sql.func("hash", sql.col("checked")))
        items = [sql.func("count", exp.Star()), sql.func("lower", sql.func("to_hex", whole))]
        checks.append((info.name, sql.select(items, node, test).sql("duckdb")))

    def check(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        rows = [row for name, text in checks if (row := _check(runtime, name, text, trace)) is not None]
        cells = list(zip(*rows, strict=True)) if rows else [()] * len(_COLUMNS)
        types = [pa.int64() if t is LONG else pa.string() for _, t in _COLUMNS]
        arrays = [pa.array(list(c), t) for c, t in zip(cells, types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=[n for n, _ in _COLUMNS])

    return stage.stream(None, [Column(n, n, t) for n, t in _COLUMNS], check)


def _check(runtime: Runtime, name: str, text: str, trace: bool) -> tuple[object, ...] | None:
    """Read every row of a table: DuckDB verifies the checksum of each block it reads."""
    import duckdb

    cursor = runtime.database.cursor()
    try:
        for known, thing in runtime.database.registered.items():
            cursor.register(known, thing)
        ((count, hash_),) = cursor.execute(text).fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        return (name, None, None, "corrupted", str(error).splitlines()[0])
    finally:
        cursor.close()
    return (name, count, hash_, "valid", None) if trace else None


register(
    CommandSpec(
        name="checktable",
        group=Group.OUTPUT,
        summary=("Check that tables can be read back whole.", "테이블을 온전히 읽을 수 있는지 점검합니다."),
        usage=("checktable [from=DAY] [to=DAY] [trace=t] [TABLE, ...]",),
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
        options=(
            *OPTIONS,
            OptionSpec(
                "trace",
                OptionKind.BOOL,
                ("t also gives a row for tables that are whole", "t면 이상이 없는 테이블도 행으로 출력"),
                default=False,
            ),
        ),
        description="""\
Every row of the tables (all tables without names) is read, and DuckDB compares the checksum of every block it reads. A
table that cannot be read gives a row with `msg` `corrupted` and the reason in `detail`; no rows mean that all is well.
With `trace=t` whole tables give a row too, with the number of `rows` and a `hash` that is the same for the same rows in
any order. Tables are not signed, so a change made through DuckDB itself is not detected: compare the hash.
""",
        examples=(
            Example(
                "Is the table whole?",
                "checktable trace=t t | fields table, rows, msg",
                ({"table": "t", "rows": 2, "msg": "valid"},),
                {"t": [{"a": 1}, {"a": 2}]},
            ),
        ),
        errors=(TABLE_NOT_FOUND,),
    )
)
