"""``lookup``: fields mapped through a lookup table, or from addresses through ``geoip``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.fields import HELP_FIELDS
from logsql.diagnostics.lookups import (
    INVALID_FIELD,
    INVALID_TABLE,
    LOOKUP_FORM,
    NO_SUCH_TABLE,
    meant_table,
    tables_note,
)
from logsql.diagnostics.messages import listed
from logsql.language.tree import Name, Span
from logsql.operators import lookupkeys
from logsql.planner import duties
from logsql.planner.notes.lookups import tell_key
from logsql.planner.relation import Rel
from logsql.planner.services import GEOIP, LOOKUPS
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import mixing, sql, values
from logsql.values.imports import import_column
from logsql.values.sql import Sql
from logsql.values.types import DOUBLE, STRING, LType
from logsql.values.values import NULL_VALUE, Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_OUTPUT = define(
    "20700",
    "output-token-not-found",
    ("the word output is missing", "output이 없습니다"),
    ("the word output is missing", "output이 없습니다"),
    help=LOOKUP_FORM,
)
NO_AS = define(
    "20703",
    "as-token-not-found",
    ("an item is not written COLUMN as NAME", "COLUMN as NAME 형식이 아닌 항목이 있습니다"),
)
AS_WITHOUT_COLUMN = NO_AS.says(("a column is missing after as", "as 뒤에 컬럼이 없습니다"), help=LOOKUP_FORM)
NOT_AN_OUTPUT = NO_AS.says(
    ('"{item}" is not written COLUMN as NAME', '"{item}"은(는) COLUMN as NAME 형식이 아닙니다'), help=LOOKUP_FORM
)
NO_TABLE = INVALID_TABLE.says(
    ("lookup needs the name of a lookup table", "lookup에는 룩업 테이블 이름이 필요합니다"), help=LOOKUP_FORM
)
NO_DATABASE = INVALID_TABLE.says(
    ("lookup geoip needs a geoip database", "lookup geoip에는 geoip 데이터베이스가 필요합니다"),
    help=(
        "start logsql with -g PATH, or connect(geoip=PATH), where PATH holds GeoLite2 databases",
        "GeoLite2 데이터베이스가 있는 경로를 -g PATH나 connect(geoip=PATH)로 지정하세요",
    ),
)
BAD_DATABASE = INVALID_TABLE.says(syntax("{reason}"))
NO_FIELD = INVALID_FIELD.says(
    ("lookup needs the field to look up", "lookup에는 찾을 필드가 필요합니다"), help=LOOKUP_FORM
)
COLUMN_UNKNOWN = define(
    "N1010",
    "unknown-lookup-column",
    ("a lookup table has no such column: the field is null", "룩업 테이블에 그런 컬럼이 없어 필드가 null입니다"),
    ("{table} has no column {column}: the field is null", "{table}에 {column} 컬럼이 없어 필드가 null입니다"),
)
NO_COLUMN = INVALID_FIELD.says(("a column is missing after output", "output 뒤에 컬럼이 없습니다"), help=LOOKUP_FORM)
UNKNOWN_COLUMN = INVALID_FIELD.says(
    ("lookup table {table} has no column {column}", "룩업 테이블 {table}에 {column} 컬럼이 없습니다")
)
NOT_A_PLACE = INVALID_FIELD.says(("geoip gives {fields}, not {column}", "geoip에는 {column}이(가) 없습니다: {fields}"))


@dataclass(frozen=True)
class LookupArgs:
    """``lookup TABLE FIELD [as COLUMN] output COLUMN [as FIELD], ...``; ``outputs`` are (column, field) pairs."""

    table: Name
    field: Name
    column: Name | None
    outputs: tuple[tuple[Name, Name], ...]


def parse(reader: ArgReader) -> LookupArgs:
    table = reader.word()
    if table is None or table.text.lower() == "output":
        reader.fail(NO_TABLE)
    field = None if reader.peek_word().lower() == "output" else reader.name()
    if field is None:
        reader.fail(NO_FIELD)
    column: Name | None = None
    if reader.keyword("as"):
        column = None if reader.peek_word().lower() == "output" else reader.name()
        if column is None:
            reader.fail(AS_WITHOUT_COLUMN)
    if not reader.keyword("output"):
        reader.fail(NO_OUTPUT, reader.here())
    items = reader.renamings(trailing_comma=INVALID_FIELD)
    if not items:
        reader.fail(NO_COLUMN)
    return LookupArgs(table, field, column, tuple(_output(reader, item) for item in items))


def _output(reader: ArgReader, names: list[Name]) -> tuple[Name, Name]:
    if len(names) > 2 or not all(name.text for name in names):
        span = Span(names[0].span.start, names[-1].span.end)
        reader.fail(NOT_AN_OUTPUT, span, item=reader.source.original[span.start : span.end])
    return names[0], names[-1]


# --- lowering ---------------------------------------------------------------------------------------------------------


def lower(stage: Stage) -> Rel:
    args = stage.arguments(LookupArgs)
    table = stage.catalog.lookup(args.table.text)
    if table is None and args.table.text == "geoip":
        return _geoip(stage)
    if table is None:
        known = stage.catalog.service(LOOKUPS)
        names = known.names() if known is not None else []
        name, near = args.table, meant_table(args.table.text, names)
        stage.fail(NO_SUCH_TABLE, name.span, help=near, notes=(tables_note(names),), name=name.text)
    rel, found = _joined(stage, table)
    return _assign(stage, rel, found)


def _assign(stage: Stage, rel: Rel, found: Sequence[Typed]) -> Rel:
    """Set the output fields: a mapped value that is not null, else what the field was."""
    for (_, name), value in zip(stage.arguments(LookupArgs).outputs, found, strict=True):
        rel, old = stage.lowered(rel, lambda cx, name=name: cx.field(name.text))  # type: ignore[misc]
        rel = stage.assign(rel, name.text, mixing.coalesce(value, old) if old.kind is not NULL_VALUE.kind else value)
    return rel


def _key_text(stage: Stage, rel: Rel, keys: LType = STRING) -> tuple[Rel, Sql]:
    """The looked up field as text over a relation that is written out."""
    name = stage.arguments(LookupArgs).field.text
    return stage.lowered(stage.flush(rel), lambda cx: lookupkeys.key_text(cx.field(name), keys))


def _joined(stage: Stage, table: Any) -> tuple[Rel, list[Typed]]:
    """The input joined with the lookup table; the mapped values as text, null where nothing was found."""
    args = stage.arguments(LookupArgs)
    key = args.column.text if args.column is not None else table.key
    unique = table.unique(key)
    if unique is None:
        span = args.column.span if args.column is not None else args.table.span
        near = did_you_mean(key, table.table.column_names)
        stage.fail(UNKNOWN_COLUMN, span, help=near, table=table.name, column=key)
    info = stage.catalog.bind("lookup", unique)
    rel = stage.rel
    if stage.order_needed and rel.order.defined:
        rel = stage.with_keys(rel)
    columns = {source.name: source for source in info.columns}
    keys = lookupkeys.key_type(unique, key, import_column(columns[key])[0])
    tell_key(stage, table.name, args.field, key, keys, unique)
    rel, key_sql = _key_text(stage, rel, keys)

    def text_of(name: str) -> Sql:
        type_, node = import_column(columns[name])
        return values.text_sql(Typed(node, type_))

    key_ident = rel.fresh_ident("__key")
    wanted = {c.text: rel.fresh_ident(f"__map{i}") for i, (c, _) in enumerate(args.outputs) if c.text in columns}
    items = [sql.alias(text_of(key), key_ident), *(sql.alias(text_of(c), ident) for c, ident in wanted.items())]
    side = stage.add("lookup_table", sql.select(items, sql.table(info.name)), info.name)
    plain: list[Sql] = [sql.col(i) for i in rel.all_idents()] or [sql.alias(sql.boolean(True), "__row")]
    node = sql.select([*plain, *(sql.col(ident) for ident in wanted.values())], sql.table(rel.source))
    node.set("joins", [exp.Join(this=sql.table(side), side="LEFT", on=sql.eq(key_sql, sql.col(key_ident)))])
    rel = stage.joined("lookup", rel, node, side)
    for column, _ in args.outputs:
        if column.text not in columns:
            near = did_you_mean(column.text, columns) or HELP_FIELDS.fill(fields=listed(columns))
            stage.note(COLUMN_UNKNOWN, column.span, table=table.name, column=column.text, help=near)
    found = [Typed(sql.col(wanted[c.text]), STRING) if c.text in wanted else NULL_VALUE for c, _ in args.outputs]
    return rel, found


def _geoip(stage: Stage) -> Rel:
    """Places of addresses: one call per row beside what the relation carries, then the fields asked for."""
    args = stage.arguments(LookupArgs)
    setting = stage.catalog.service(GEOIP)
    if not setting:
        stage.fail(NO_DATABASE, args.table.span)
    stage.needs_extra("lookup geoip", "maxminddb", "geoip", args.table.span)
    from logsql.jobs.geoip import FIELDS, NUMBERS, problem  # for cost: few queries need it

    if (why := problem(setting)) is not None:
        stage.fail(BAD_DATABASE, args.table.span, reason=why)
    for column, _ in args.outputs:
        if column.text not in FIELDS:
            near = did_you_mean(column.text, FIELDS)
            stage.fail(NOT_A_PLACE, column.span, help=near, fields=", ".join(FIELDS), column=column.text)
    rel, key = _key_text(stage, stage.rel)
    place = rel.fresh_ident("__place")
    stage.chain.udfs.add("lq_geoip")
    items = [(i, rel.expr(i)) for i in rel.all_idents()]
    call = sql.func("lq_geoip", key, sql.string(setting))
    rel = stage.select("geoip", rel, [*items, (place, call)])
    found: list[Typed] = []
    for column, _ in args.outputs:
        node = sql.index(sql.col(place), sql.integer(FIELDS.index(column.text) + 1))
        number = column.text in NUMBERS
        found.append(Typed(sql.try_cast(node, "DOUBLE"), DOUBLE) if number else Typed(node, STRING))
    return _assign(stage, rel, found)


register(
    CommandSpec(
        name="lookup",
        group=Group.COMBINE,
        summary=(
            "Add fields that a lookup table maps a field to.",
            "룩업 테이블에서 필드 값에 대응하는 값을 찾아 필드로 추가합니다.",
        ),
        usage=("lookup TABLE FIELD [as COLUMN] output COLUMN [as NAME], ...",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        names=lambda args: (args.field,),
        arguments=(
            duties.Argument(duties.Kind.LOOKUP),
            duties.FIELD_LIST,
            duties.Argument(duties.Kind.NEW_FIELDS, ("output",)),
        ),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
The field is turned into text and looked up in the key column of the table (or in `as COLUMN`); where both are numbers
(a table of a Parquet file or of Python, or one that `memlookup` made of numbers) they meet by value, 1.0 and 1. Where
a row is found, each of its columns that is not null is assigned as text. Where none is found a new field is null and a
field that exists keeps its value. Rows are never dropped or doubled: of several rows of the table with one key the last
counts.

Lookup tables are registered with `session.add_lookup(NAME, FILE, KEY)` from a CSV file with a header, or made by
`memlookup op=build`. `lookuptable NAME` shows one.

`geoip` is built in: it maps an address to `country` (two letters), `region`, `city`, `latitude`, `longitude` and `asn`,
from databases in MaxMind's format that `-g PATH` names (a `.mmdb` file or a folder of them).
""",
        examples=(
            Example("Where an address is", "table web | lookup geoip src_ip output country, asn"),
            Example("What a status means", "table web | lookup http_status status output desc1 as meaning"),
        ),
        errors=(
            NO_OUTPUT,
            INVALID_TABLE.when(
                (
                    "there is no such lookup table, or no geoip database",
                    "룩업 테이블이나 geoip 데이터베이스가 없습니다",
                )
            ),
            INVALID_FIELD,
            NO_AS,
        ),
        notes=(
            (
                "geoip latitude and longitude are numbers; everything else is text",
                "geoip의 위도와 경도는 숫자이고 나머지는 모두 텍스트입니다",
            ),
        ),
    )
)
