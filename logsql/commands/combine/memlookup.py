"""``memlookup``: lookup tables made from the rows of a query, kept for the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from logsql.diagnostics.codes import define
from logsql.diagnostics.errors import did_you_mean
from logsql.language.tree import Command, Name
from logsql.operators.lookupkeys import texts_of
from logsql.planner import duties
from logsql.planner.plan import order_items
from logsql.planner.relation import Column, Rel
from logsql.planner.services import LOOKUPS
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql, values
from logsql.values.types import LONG, STRING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logsql.language.reader import ArgReader

UNSUPPORTED_OP = define(
    "22000",
    "unsupported-memlookup-op",
    ("op is none of build, drop, list", "op가 build, drop, list 중 하나가 아닙니다"),
)
NO_NAME = define(
    "22001",
    "missing-name",
    ("op=build or op=drop without name=", "op=build나 op=drop에 name=이 없습니다"),
    ("memlookup op={op} needs name=", "memlookup op={op}에는 name=이 필요합니다"),
)
NO_KEY = define(
    "22002",
    "missing-key",
    ("op=build without key=", "op=build에 key=가 없습니다"),
    ("memlookup op=build needs key=", "memlookup op=build에는 key=가 필요합니다"),
    help=("add key=FIELD", "key=필드를 추가하세요"),
)
NO_VALUE = define("22003", "missing-field", ("a field is missing beside the comma", "쉼표 옆에 필드가 없습니다"))
NOT_DROPPED = define(
    "22004",
    "invalid-name",
    ("op=drop of a table that memlookup did not make", "op=drop의 테이블이 memlookup으로 만든 것이 아닙니다"),
    ("memlookup made no table {name}", "memlookup으로 만든 테이블 {name}이(가) 없습니다"),
)
NOT_LISTED = define(
    "22005",
    "invalid-name",
    ("op=list of a table that memlookup did not make", "op=list의 테이블이 memlookup으로 만든 것이 아닙니다"),
    NOT_DROPPED.text,
)


@dataclass(frozen=True)
class MemlookupArgs:
    """The value fields of ``op=build``."""

    fields: tuple[Name, ...]


def parse(reader: ArgReader) -> MemlookupArgs:
    return MemlookupArgs(tuple(reader.name_list(trailing_comma=NO_VALUE)))


def lower(stage: Stage) -> Rel:
    operation: str = stage.option("op")
    name: str | None = stage.option("name")
    if operation == "list" and not name:
        return _list(stage)
    if not name:
        stage.fail(NO_NAME, stage.command.name_span, op=operation)
    if operation == "build":
        return _build(stage, name)
    table = stage.catalog.lookup(name)
    if table is None or not table.memory:
        option = stage.command.option("name")
        known = stage.catalog.service(LOOKUPS)
        near = did_you_mean(name, known.names() if known is not None else [])
        said = NOT_DROPPED if operation == "drop" else NOT_LISTED
        stage.fail(said, option.value_span if option else None, help=near, name=name)
    if operation == "drop":
        stage.action(f"drop lookup table {name}", lambda runtime: _drop(runtime, name))
        return _nothing(stage)
    info = stage.catalog.bind("lookup", table.table)
    return stage.scan(sql.table(info.name), info.name, info.columns)


def _nothing(stage: Stage) -> Rel:
    """No rows: ``build`` consumes its input and ``drop`` has none."""
    return stage.nothing("memlookup")


def _build(stage: Stage, name: str) -> Rel:
    key: str | None = stage.option("key")
    if not key:
        stage.fail(NO_KEY, stage.command.name_span)
    rel = stage.rel
    if not rel.order.physical and rel.order.defined:
        rel = stage.with_keys(rel)
    wanted = [n for n in (names_of(stage.arguments(MemlookupArgs).fields) or list(rel.names)) if n != key]
    rel, given = stage.lowered(stage.flush(rel), lambda cx: [(n, cx.field(n)) for n in (key, *wanted)])
    items = [sql.alias(sql.cast(values.text_sql(value), "VARCHAR"), f"c{i}") for i, (_, value) in enumerate(given)]
    columns = pa.schema([texts_of(n, value.type) for n, value in given])
    keys = [] if rel.order.physical else order_items(rel)
    query = sql.select(items, sql.table(rel.source), rel.where, order=sql.order_by(keys) if keys else None)
    whole = stage.chain.with_ctes(query, rel.source)

    def run(runtime: Any) -> None:
        runtime.service(LOOKUPS).build(name, key, columns, runtime.batches(whole))

    stage.action(f"build lookup table {name}", run)
    return _nothing(stage)


def _drop(runtime: Any, name: str) -> None:
    runtime.service(LOOKUPS).remove(name)


def _list(stage: Stage) -> Rel:
    columns = [Column("name", "name", STRING), Column("key", "key", STRING), Column("size", "size", LONG)]

    def tables(batches: Iterator[Any], runtime: Any) -> Iterator[Any]:
        found = sorted((t.name, t.key, t.table.num_rows) for t in runtime.service(LOOKUPS).in_memory())
        names, keys, sizes = zip(*found, strict=True) if found else ((), (), ())
        arrays = [pa.array(names, pa.string()), pa.array(keys, pa.string()), pa.array(sizes, pa.int64())]
        yield pa.RecordBatch.from_arrays(arrays, names=["name", "key", "size"])

    return stage.stream(None, columns, tables)


def duty(command: Command) -> duties.Fields:
    """Only ``op=build`` reads rows: the fields it names, or all."""
    op = command.option("op")
    if op is not None and op.value == "build":
        return duties.CLOSES if command.args.fields else duties.WHOLE_ROW
    return duties.STARTS if op is None or isinstance(op.value, str) else duties.WHOLE_ROW


register(
    CommandSpec(
        name="memlookup",
        group=Group.COMBINE,
        summary=("Build, show or drop a lookup table in memory.", "메모리 룩업 테이블을 생성, 조회, 삭제합니다."),
        usage=(
            "memlookup op=build name=NAME key=FIELD [FIELD, ...]",
            "memlookup [op=list] [name=NAME]",
            "memlookup op=drop name=NAME",
        ),
        parse=parse,
        lower=lower,
        fields=duty,
        arguments=(duties.FIELD_LIST,),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_AND_SORTS,
        stream=duties.InStream.BARRIER,
        instead=(
            "build the lookup table in a query of its own; lookup and streamjoin read tables in a stream",
            "룩업 테이블은 별도의 쿼리로 만들고, 스트림에서는 lookup이나 streamjoin으로 읽으세요",
        ),
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "op", OptionKind.CHOICE, ("what to do", "수행할 작업"), "list", ("build", "drop", "list"),
                error=UNSUPPORTED_OP,
            ),
            OptionSpec("name", OptionKind.TEXT, ("name of the lookup table", "룩업 테이블 이름")),
            OptionSpec(
                "key", OptionKind.FIELD, ("the field that is looked up (op=build)", "조회 키로 쓸 필드 (op=build)")
            ),
        ),
        description="""\
`op=build` takes all rows of its input and makes of them the lookup table `name` for the rest of the session, replacing
one of that name: `key` is the field to look up, the listed fields (default: all others) are what it maps to. Values
are kept as text, rows without a key are left out, and of several rows with one key the last counts. No rows come out.

`op=list` shows name, key and size of the tables so made, or with `name=` the rows of one. `op=drop` removes one.
""",
        examples=(
            Example(
                "Make a lookup table of status codes",
                "table codes | memlookup op=build name=http_status key=status desc",
                (),
                {"codes": [{"status": 200, "desc": "OK"}, {"status": 404, "desc": "Not Found"}]},
            ),
            Example("Which are there", "memlookup op=list"),
        ),
        errors=(
            UNSUPPORTED_OP,
            NO_NAME,
            NO_KEY,
            NO_VALUE,
            NOT_DROPPED,
            NOT_LISTED,
        ),
    )
)  # fmt: skip
