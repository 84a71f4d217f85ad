"""``dblookup``: fields of another database for each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from logsql.commands.network._databases import (
    ERRORS,
    EXTRA,
    SqlArgs,
    columns_of,
    connection,
    database,
    ending,
    error_of,
    parse_sql,
    planned,
)
from logsql.diagnostics.codes import define
from logsql.diagnostics.databases import KEY_REFUSED, NO_DATE, NO_DECIMAL, NO_SQL, NOT_A_SELECT, NOT_DECIMAL, NOT_UTF8
from logsql.diagnostics.errors import did_you_mean
from logsql.language.expressions import parse_expression
from logsql.language.tree import Expr, Span, Text
from logsql.operators.passing import Field, passed
from logsql.planner import duties
from logsql.planner.connections.databases import SCALES, DatabaseProblem, DbField, Lookup, Statement
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import mixing, sql, values
from logsql.values.types import ANY, ANY_JSON, BOOL, DATE, DOUBLE, LONG, STRING, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

FIELD_UNKNOWN = define(
    "N1050",
    "unknown-lookup-field",
    ("SQL names a field that the rows do not have: it is null", "SQL에 쓴 필드가 행에 없어 null입니다"),
    ("the rows have no field {name}: :{name} is null", "행에 {name} 필드가 없어 :{name}은(는) null입니다"),
)
#: Classes of SQLSTATE for values that a statement cannot take.
_DATA = "22"


@dataclass(frozen=True)
class LookupArgs(SqlArgs):
    """``PROFILE SQL``, and the expression of ``bypass=`` where it is written out."""

    bypass: Expr | None


def parse(reader: ArgReader) -> LookupArgs:
    found = parse_sql(reader)
    option = reader.option("bypass")
    bypass = None
    if option is not None and isinstance(option.value, str):
        begin = option.value_span.start
        begin += reader.source.original.startswith('"', begin)
        bypass = parse_expression(option.value, begin, reader.source.original)
    return LookupArgs(found.profile, found.sql, bypass)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(LookupArgs)
    profile = database(stage, args.profile)
    asked = Statement.of(args.sql.value)
    rel = stage.flush(stage.rel)
    _tell_unknown(stage, rel, asked, args.sql)
    option = stage.command.option("bypass")
    written = args.bypass
    if option is not None and written is None:
        written = parse_expression(stage.option_text(option))
    opened = connection(stage)
    lookup = planned(stage, args.sql, lambda: opened.lookup(profile, asked, ending(stage)))

    def made(cx: ExprContext) -> list[Field]:
        keys = [_key(f"__key{at}", cx.field(name)) for at, name in enumerate(asked.names)]
        skipped = sql.boolean(False) if written is None else sql.coalesce(cx.condition(written), sql.boolean(False))
        return [*keys, Field("__skipped", BOOL, skipped)]

    rel, given = stage.lowered(rel, made)
    answers = _answers(lookup.fields)
    names = [f"__answer{at}" for at in range(len(answers))]
    work = Asking(lookup, tuple(names), len(asked.names), stage.spec.name, args.sql)
    fields = [Field(name, _crossing(type_)) for name, (_, type_) in zip(names, answers, strict=True)]
    rel = passed(stage, rel, given, [*fields, Field("__asked", BOOL)], work)
    return _merged(stage, rel, names, answers)


def _merged(stage: Stage, rel: Rel, names: Sequence[str], answers: Sequence[tuple[str, LType]]) -> Rel:
    """The answers under their names; a row that was not asked for keeps the fields it had."""
    asked = _ident(rel, "__asked")
    for at, (name, type_) in zip(names, answers, strict=True):

        def value(cx: ExprContext, at: str = at, name: str = name, type_: LType = type_) -> Typed:
            old, new = cx.field(name), cx.field(at)
            new = _exact(new.expr) if type_.kind is Kind.ANY and not type_.json else new
            return new if old.kind is Kind.NULL else mixing.choose([(sql.col(asked), new)], old)

        rel, found = stage.lowered(rel, value)
        rel = stage.assign(rel, name, found)
    hidden = {*names, "__asked"}
    return rel.with_columns(column for column in rel.columns if column.name not in hidden)


def _ident(rel: Rel, name: str) -> str:
    column = rel.column(name)
    assert column is not None
    return column.ident


def _tell_unknown(stage: Stage, rel: Rel, asked: Statement, text: Text) -> None:
    if rel.rest is not None:
        return
    for place in asked.places:
        if rel.column(place.name) is None:
            span = Span(text.span.start + place.start, text.span.start + place.end)
            stage.note(FIELD_UNKNOWN, span, name=place.name, help=did_you_mean(place.name, rel.names))


def _key(name: str, value: Typed) -> Field:
    """A field as it is bound: numbers as numbers, dates with their offset, everything else as text."""
    if value.type.integer:
        return Field(name, LONG, sql.try_cast(value.expr, "BIGINT"))
    if value.type.number:
        return Field(name, DOUBLE, sql.cast(value.expr, "DOUBLE"))
    if value.kind is Kind.DATE:
        return Field(name, DATE, value.expr)
    return Field(name, STRING, values.text_sql(value))


def _answers(fields: Sequence[DbField]) -> list[tuple[str, LType]]:
    """The names and types of the fields, as they stand in a row."""
    named = zip(columns_of(fields).columns, fields, strict=True)
    return [(column.name, _type(field)) for column, field in named]


def _type(field: DbField) -> LType:
    if field.parts:
        return ANY_JSON
    if field.type.physical == "HUGEINT":
        return LType(Kind.DOUBLE, field.crossing)
    return field.type


def _crossing(type_: LType) -> LType:
    """A number without a declared size comes as its digits."""
    return STRING if type_.kind is Kind.ANY and not type_.json else type_


#: Numbers as text, and the type that holds them.
_HOLDS = (
    (r"-?\d{1,18}", "BIGINT"),
    (r"-?\d{1,38}", "DECIMAL(38,0)"),
    *((rf"-?\d{{1,{38 - scale}}}(\.\d{{1,{scale}}})?", f"DECIMAL(38,{scale})") for scale in SCALES[1:]),
)


def _exact(digits: sql.Sql) -> Typed:
    """A number without a declared size: each value has the first type that holds its digits; else it stays text."""
    found = [
        (sql.func("regexp_full_match", digits, sql.string(form)), sql.cast(sql.cast(digits, held), ANY.physical))
        for form, held in _HOLDS
    ]
    return Typed(sql.case(found, sql.cast(digits, ANY.physical)), ANY)


@dataclass(frozen=True)
class Asking:
    """Asks for the keys of each batch, equal ones once."""

    lookup: Lookup
    names: tuple[str, ...]
    width: int
    command: str
    text: Text

    def __call__(
        self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime
    ) -> Iterator[tuple[pa.RecordBatch, Mapping[str, pa.Array]]]:
        for batch in batches:
            skipped = batch.column("__skipped").to_pylist()
            columns = [batch.column(f"__key{at}").to_pylist() for at in range(self.width)]
            rows = list(zip(*columns, strict=True)) if columns else [()] * batch.num_rows
            numbers: dict[tuple[object, ...], int] = {}
            places = [
                None if skip else numbers.setdefault(row, len(numbers)) for row, skip in zip(rows, skipped, strict=True)
            ]
            taken = pa.array(places, pa.int64())
            found = self._asked(list(numbers), runtime)
            zone = runtime.zone
            made = {
                name: _final(found.column(at + 1).combine_chunks(), zone).take(taken)
                for at, name in enumerate(self.names)
            }
            made["__asked"] = pc.is_valid(taken)
            yield batch, made

    def _asked(self, keys: list[tuple[object, ...]], runtime: StageRuntime) -> pa.Table:
        """One row for each key. Of keys among which the server refuses one, that one is found by halves."""
        try:
            return self.lookup.answers(keys, runtime.cancelled, runtime.loss)
        except DatabaseProblem as problem:
            if not (problem.state or "").startswith(_DATA) or not self.width:
                raise error_of(problem, self.text, self.command) from None
            if len(keys) == 1:
                runtime.loss.lost(self.command, KEY_REFUSED.name, 1, sample=problem.message)
                return self._none(runtime)
        half = len(keys) // 2
        parts = [self._asked(keys[:half], runtime), self._asked(keys[half:], runtime)]
        return pa.concat_tables(parts)

    def _none(self, runtime: StageRuntime) -> pa.Table:
        """The answer to a key that nothing is known of."""
        try:
            return self.lookup.answers([(None,) * self.width], runtime.cancelled, runtime.loss)
        except DatabaseProblem as problem:  # whatever is asked: bytes of an SQL_ASCII database that are no text
            raise error_of(problem, self.text, self.command) from None


def _final(array: pa.Array, zone: str) -> pa.Array:
    """A column as it stands in a row: dates without a zone have that of the session."""
    if pa.types.is_date32(array.type):
        array = array.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(array.type) and array.type.tz is None:
        array = pc.assume_timezone(array, zone, ambiguous="earliest", nonexistent="earliest")
        return array.cast(pa.timestamp("us", "UTC"))
    return array


register(
    CommandSpec(
        name="dblookup",
        group=Group.NETWORK,
        summary=(
            "Look up each row in another database.",
            "각 행을 다른 데이터베이스에서 조회해 필드를 붙입니다.",
        ),
        usage=("dblookup PROFILE [bypass=EXPR] SQL",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        sql=True,
        extra=EXTRA,
        options=(
            OptionSpec(
                "bypass",
                OptionKind.TEXT,
                (
                    "rows for which it is true pass on without a look-up",
                    "이 조건이 참인 행은 조회하지 않고 그대로 통과",
                ),
            ),
        ),
        description="""\
`:field` in the SQL is the field of the row, bound and converted by the server to the type that it expects. The first
row of the answer is merged into the row; its fields are null where there is no answer. A field that the row has already
is replaced, but not in a row that `bypass` lets pass.

Rows keep their order. Equal keys of a batch are asked for once, and PostgreSQL answers all keys of a batch in one
statement. A key that the server cannot convert (`abc` for an integer) has no answer and is counted. For the end of the
SQL and for types see `dbquery`; a number without a declared size has all its digits here too, each one in a type that
holds it.
""",
        examples=(
            Example(
                "Name and sex of the user who logged in",
                "json \"{'login':'logpresso'}\" | dblookup USERDB bypass=\"isnull(login)\""
                "  select name, sex from users where login = :login",
            ),
        ),
        errors=(*ERRORS, NO_SQL, NOT_A_SELECT),
        ledger=(KEY_REFUSED, NOT_DECIMAL, NO_DECIMAL, NO_DATE, NOT_UTF8),
    )
)
