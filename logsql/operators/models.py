"""Features of rows for the model commands: their SQL, the join-back of distinct vectors, stages over whole tables.

A model answers each distinct feature vector once: ``SELECT DISTINCT`` of the features goes through the Python stage and
the answers are joined back with IS NOT DISTINCT FROM (25 to 40 times faster than scoring every row of bot data, where
0.7 % of the vectors are distinct). The input is read twice, so unless it is a plain table it is stored first; an
``eval x = rand()`` would otherwise give other vectors the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.modeldata import (
    A_BOOLEAN,
    A_LIST,
    A_MAP,
    AN_ADDRESS,
    BINARY,
    NUMBERS_NEEDED,
    TEXT,
    UNSUITABLE,
    WRONG_TYPE,
    unknown_field,
)
from logsql.diagnostics.models import THE_ROWS, MlError, fields_note
from logsql.language.tree import Name, Span
from logsql.ml.features import FeatureKind, FeatureSpec, check_schema
from logsql.ml.forms import FieldForms, Form
from logsql.operators.passing import Field as Value
from logsql.operators.passing import Slices, passed
from logsql.planner.plan import Stream
from logsql.planner.relation import Column, OrderKey, Rel
from logsql.planner.spec import COMMANDS
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, BOOL, DATE, DOUBLE, LONG, STRING, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.planner.plan import Transform
    from logsql.planner.runtime import StageRuntime

ROW = "__row"
WEIGHT = "__rows"


@dataclass(frozen=True)
class Feature:
    """A field that a model reads: its name, its value over the relation, and where the query names it."""

    name: str
    value: Typed
    span: Span | None = None


@dataclass(frozen=True)
class Answer:
    """A field that a stage adds."""

    name: str
    type: LType


def at(error: LogsqlError, span: Span | None) -> LogsqlError:
    """The error, pointing at a place of the query unless it does already."""
    if error.diagnostic.span is None and span is not None:
        error.diagnostic = replace(error.diagnostic, span=span)
    return error


def known(rel: Rel, name: str) -> bool:
    """Whether a field may exist: a column, or perhaps one of the open part of the row."""
    return rel.column(name) is not None or (rel.rest is not None and name not in rel.rest.hidden)


def features(stage: Stage, rel: Rel, names: Sequence[Name | str], owner: str) -> tuple[Rel, list[Feature]]:
    """The fields of a flushed relation by name, each once. owner: whose fields they are, for the error.

    Raises MlError: a field that the rows cannot have.
    """
    rel = stage.flush(rel)
    wanted: dict[str, Span | None] = {}
    for name in names:
        text, span = (name, None) if isinstance(name, str) else (name.text, name.span)
        wanted.setdefault(text, span)
    for text, span in wanted.items():
        if not known(rel, text):
            raise at(unknown_field(text, rel.names, owner), span)
    rel, found = stage.lowered(rel, lambda cx: [cx.field(text) for text in wanted])
    return rel, [Feature(text, value, span) for (text, span), value in zip(wanted.items(), found, strict=True)]


# --- types ------------------------------------------------------------------------------------------------------------

_UNSUITABLE = {Kind.LIST: A_LIST, Kind.MAP: A_MAP, Kind.BINARY: BINARY}
_NO_NUMBER = {Kind.STRING: TEXT, Kind.IP: AN_ADDRESS, Kind.BOOL: A_BOOLEAN, **_UNSUITABLE}


def check_suitable(found: Sequence[Feature], command: str) -> None:
    """Refuse lists, maps and binary values. Raises MlError."""
    for feature in found:
        what = _UNSUITABLE.get(feature.value.kind)
        if what is not None:
            raise at(MlError(UNSUITABLE, name=feature.name, found=what.fill(), command=command), feature.span)


def check_numeric(found: Sequence[Feature], command: str, names: Sequence[str]) -> None:
    """Refuse fields that hold no number: text is none, also when it looks like one. Raises MlError."""
    for feature in found:
        what = _NO_NUMBER.get(feature.value.kind)
        if what is not None:
            notes = [fields_note(THE_ROWS.fill(), names)]
            error = MlError(NUMBERS_NEEDED, notes=notes, command=command, name=feature.name, found=what.fill())
            raise at(error, feature.span)


def schema_of(found: Sequence[Feature], specs: Sequence[FeatureSpec]) -> pa.Schema:
    """The Arrow types that the features will arrive in; a mixed field has the type the model wants, if it can."""
    wanted = {spec.name: spec.kind for spec in specs}
    return pa.schema([pa.field(f.name, _arrow_type(f.value, wanted.get(f.name))) for f in found])


def _arrow_type(value: Typed, wanted: FeatureKind | None) -> pa.DataType:
    kind = value.kind
    if value.type.number:
        return pa.float64()
    if kind is Kind.ANY:
        if wanted in (FeatureKind.NUMERIC, FeatureKind.BOOL):
            return pa.float64()
        date = wanted is FeatureKind.DATE and values.date_sql(value) is not None
        return pa.timestamp("us", "UTC") if date else pa.string()
    if kind in (Kind.STRING, Kind.IP):
        return pa.string()
    plain = {Kind.BOOL: pa.bool_(), Kind.DATE: pa.timestamp("us", "UTC"), Kind.NULL: pa.null()}
    return plain.get(kind, pa.list_(pa.null()))


def check_against(specs: Sequence[FeatureSpec], found: Sequence[Feature], owner: str) -> None:
    """Refuse rows whose fields are of another type than a model was trained on. Raises MlError."""
    spans = {f.name: f.span for f in found}
    for spec in specs:
        try:
            check_schema([spec], schema_of([f for f in found if f.name == spec.name], specs), owner)
        except MlError as error:
            if error.code == WRONG_TYPE.code:
                note = fields_note(owner, [f"{s.name} ({s.kind})" for s in specs])
                error.diagnostic = replace(error.diagnostic, notes=(note,))
            raise at(error, spans.get(spec.name)) from None


def expected_specs(found: Sequence[Feature]) -> list[FeatureSpec]:
    """What a training on these fields will find, where their types already tell (a mixed field does not)."""
    kinds = {Kind.BOOL: FeatureKind.BOOL, Kind.DATE: FeatureKind.DATE, Kind.STRING: FeatureKind.CATEGORICAL}
    specs = []
    for f in found:
        kind = FeatureKind.NUMERIC if f.value.type.number else kinds.get(f.value.kind)
        if kind is not None:
            specs.append(FeatureSpec(f.name, kind))
    return specs


# --- forms ------------------------------------------------------------------------------------------------------------


def forms_of(value: Typed) -> list[tuple[Form, Sql, LType]]:
    """The SQL columns that carry a value to Python: one, or one per type of a mixed value (text last)."""
    kind = value.kind
    if value.type.number:
        wide = value.type.physical in ("HUGEINT", "UHUGEINT")  # Arrow would bring 128 bits as decimals
        return [
            (Form.NUMBER, sql.cast(value.expr, "DOUBLE"), DOUBLE) if wide else (Form.NUMBER, value.expr, value.type)
        ]
    if kind is Kind.BOOL:
        return [(Form.BOOL, value.expr, BOOL)]
    if kind is Kind.DATE:
        return [(Form.DATE, value.expr, DATE)]
    if kind is Kind.NULL:
        return [(Form.NULL, sql.null("VARCHAR"), STRING)]
    if kind is not Kind.ANY:
        return [(Form.TEXT, values.text_sql(value), STRING)]
    found: list[tuple[Form, Sql, LType]] = []
    numbers = [n for n in (values.number_sql(value), _bool_number(value)) if n is not None]
    if numbers:
        found.append((Form.NUMBER, numbers[0] if len(numbers) == 1 else sql.coalesce(*numbers), DOUBLE))
    if (date := values.date_sql(value)) is not None:
        found.append((Form.DATE, date, DATE))
    return [*found, (Form.TEXT, values.text_sql(value), STRING)]


def label_forms(value: Typed) -> list[tuple[Form, Sql, LType]]:
    """The SQL columns that carry a label: one of its own type, or one per type of a mixed label (text last)."""
    if value.type.physical in ("HUGEINT", "UHUGEINT"):  # 128 bits do not cross
        return [(Form.NUMBER, sql.try_cast(value.expr, "BIGINT"), LONG)]
    if value.kind is not Kind.ANY:
        return forms_of(value)
    flag, whole, number = values.bool_sql(value), values.integer_sql(value), values.number_sql(value)
    found: list[tuple[Form, Sql, LType]] = []
    if whole is not None:
        found.append((Form.WHOLE, whole, LONG))
    if number is not None:
        found.append((Form.NUMBER, number, DOUBLE))
    if flag is not None:
        found.append((Form.BOOL, flag, BOOL))
    if (date := values.date_sql(value)) is not None:
        found.append((Form.DATE, date, DATE))
    return [*found, (Form.TEXT, values.text_sql(value), STRING)]


def label_answer(value: Typed) -> LType:
    """The type of a guess of this label: its own. Which one a mixed label has, only its values tell."""
    if value.kind is Kind.ANY:
        return ANY_JSON
    if value.kind is Kind.NULL:
        return STRING
    return LONG if value.type.physical in ("HUGEINT", "UHUGEINT") else value.type


def _bool_number(value: Typed) -> Sql | None:
    flag = values.bool_sql(value)
    return None if flag is None else sql.cast(flag, "DOUBLE")


def number_form(value: Typed) -> list[tuple[Form, Sql, LType]]:
    """The one column of a command that only takes numbers: what is none is null. Dates count in milliseconds."""
    if value.kind is not Kind.ANY:
        return forms_of(value)
    number = values.number_sql(value)
    return [(Form.NULL, sql.null("VARCHAR"), STRING) if number is None else (Form.NUMBER, number, DOUBLE)]


def date_form(value: Typed) -> list[tuple[Form, Sql, LType]]:
    """The one column of a time: what is no date is null."""
    date = values.date_sql(value)
    return [(Form.NULL, sql.null("VARCHAR"), STRING) if date is None else (Form.DATE, date, DATE)]


def text_form(value: Typed) -> list[tuple[Form, Sql, LType]]:
    """The value as text, whatever it is."""
    return [(Form.TEXT, values.text_sql(value), STRING)]


def group_form(value: Typed) -> list[tuple[Form, Sql, LType]]:
    """A column that tells groups apart: typed where every value is of one type, else the text of the value."""
    if value.kind is Kind.DATE:  # a whole number keeps the microseconds that a text would lose
        return [(Form.NUMBER, sql.func("epoch_us", value.expr), LONG)]
    return forms_of(value) if value.kind in (Kind.STRING, Kind.IP, Kind.BOOL) or value.type.number else text_form(value)


Forms = Callable[[Typed], list[tuple[Form, Sql, LType]]]


def with_forms(
    stage: Stage, rel: Rel, found: Sequence[tuple[Feature, Forms]]
) -> tuple[Rel, list[FieldForms], list[Column]]:
    """The relation with every form as a plain column (carried unseen), how the fields map to them, and the columns."""
    taken: list[str] = []
    items: list[tuple[str, Sql]] = []
    columns: dict[str, Column] = {}
    fields: list[FieldForms] = []
    for feature, forms in found:
        named: list[tuple[Form, str]] = []
        for form, node, type_ in forms(feature.value):
            ident = node.name if isinstance(node, exp.Column) and not node.table else ""
            if not ident:
                ident = rel.fresh_ident(f"__{feature.name}_{form}", taken)
                taken.append(ident)
                items.append((ident, node))
            columns[ident] = Column(ident, ident, type_)
            named.append((form, ident))
        fields.append(FieldForms(feature.name, tuple(named)))
    if items:
        rel = stage.select("features", rel, [*((i, rel.expr(i)) for i in rel.all_idents()), *items])
        rel = replace(rel, carried=(*rel.carried, *(columns[ident] for ident, _ in items)))
    return rel, fields, list(columns.values())


# --- distinct vectors -------------------------------------------------------------------------------------------------


def scored(
    stage: Stage,
    rel: Rel,
    found: Sequence[Feature],
    answers: Sequence[Answer],
    transform: Callable[[tuple[FieldForms, ...], str | None], Transform],
    inputs: Sequence[Rel] = (),
) -> Rel:
    """The relation with the answers of a stage that sees each distinct feature vector once.

    ``transform(fields, weight column)`` makes the stage; ``weight`` (how many rows a vector stands for) is None when
    nothing of a vector can be counted: no field is mixed or text.
    """
    if stage.chain.carry is not None and not inputs:
        return _scored_in_place(stage, rel, found, answers, transform)
    base = stage.with_keys(rel) if stage.order_needed and rel.order.defined else rel
    wide, fields, columns = with_forms(stage, base, [(f, forms_of) for f in found])
    if wide is not base or not repeatable(stage, wide):
        wide = stage.stored(wide)
    counted = any(f.mixed or f.ident(Form.TEXT) for f in fields)
    items: list[Sql] = [sql.col(c.ident) for c in columns]
    group = None
    if counted:
        group = exp.Group(expressions=[sql.col(c.ident) for c in columns])
        items.append(sql.alias(sql.func("count", exp.Star()), WEIGHT))
    distinct = None if counted else exp.Distinct()
    query = sql.select(items, sql.table(wide.source), distinct=distinct, group=group)
    weighted = [*columns, *([Column(WEIGHT, WEIGHT, LONG)] if counted else [])]
    vectors = stage.derived("vectors", query, (wide.source,), weighted)
    made = [Column(a.name, a.name, a.type) for a in answers]
    stream = stage.stream(
        vectors, [*columns, *made], transform(tuple(fields), WEIGHT if counted else None), inputs=inputs
    )
    on = sql.and_(*(_alike(c.ident) for c in columns))
    rows = replace(wide, columns=base.columns, carried=base.carried, rest=base.rest)
    rows = stage.reordered(rows, wide.order.keys or () if stage.order_needed else ())
    return _joined(stage, rows, stream, answers, on)


def _scored_in_place(
    stage: Stage,
    rel: Rel,
    found: Sequence[Feature],
    answers: Sequence[Answer],
    transform: Callable[[tuple[FieldForms, ...], str | None], Transform],
) -> Rel:
    """As :func:`scored`, each batch on its way: one statement instead of a table, a DISTINCT and a join.

    What scores sees each vector of a batch once by itself, and a vector has the same answer wherever it stands.
    """
    asked: list[Value] = []
    fields: list[FieldForms] = []
    for feature in found:
        named = []
        for form, node, type_ in forms_of(feature.value):
            asked.append(Value(f"__feature{len(asked)}", type_, node))
            named.append((form, asked[-1].name))
        fields.append(FieldForms(feature.name, tuple(named)))
    score = transform(tuple(fields), None)

    def work(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Slices:
        for rows in batches:
            for scored_rows in score(iter([rows]), runtime):
                yield rows, {a.name: scored_rows.column(a.name) for a in answers}

    return passed(stage, rel, asked, [Value(a.name, a.type) for a in answers], work)


def _alike(ident: str) -> Sql:
    return sql.binary("is not distinct", sql.col(ident, "i"), sql.col(ident, "s"))


def repeatable(stage: Stage, rel: Rel) -> bool:
    """Whether a relation only reads tables, so that reading it twice is cheap and gives the same."""
    by_name = {c.name: c for c in stage.chain.ctes}
    streams = {s.name for s in stage.chain.steps if isinstance(s, Stream)}
    pending, own = [rel.source], f"s{stage.number}_"
    while pending:
        source = pending.pop()
        cte = by_name.get(source)
        if source in streams or (cte and not _twice(cte.command) and not source.startswith(own)):
            return False
        if cte is not None and any(str(call.this) != "row_number" for call in sql.below(cte.query, exp.Anonymous)):
            return False  # ``table duration=1h`` reads now(), which moves on between two readings
        pending.extend(cte.reads if cte else ())
    return True


def _twice(name: str) -> bool:
    """Whether a command gives the rows of a table as it is."""
    spec = COMMANDS.get(name)
    return spec is not None and spec.twice


def _joined(stage: Stage, rel: Rel, stream: Rel, answers: Sequence[Answer], on: Sql, side: str = "LEFT") -> Rel:
    """Rows of ``rel`` with the answers of ``stream``; a field of the same name is replaced."""
    idents = rel.all_idents()
    items = [sql.alias(sql.col(i, "i"), i) for i in idents]
    columns = list(rel.columns)
    taken: list[str] = []
    for answer in answers:
        ident = rel.fresh_ident(answer.name, taken)
        taken.append(ident)
        node: Sql = sql.col(answer.name, "s")
        if "JSON" in answer.type.physical:  # crosses as text
            node = sql.cast(node, answer.type.physical)
        items.append(sql.alias(node, ident))
        column = Column(answer.name, ident, answer.type)
        place = next((n for n, c in enumerate(columns) if c.name == answer.name), None)
        if place is None:
            columns.append(column)
        else:
            columns[place] = column
    node = sql.select(items, sql.table(rel.source, "i"))
    node.set("joins", [exp.Join(this=sql.table(stream.source, "s"), side=side, on=on)])
    rest = None if rel.rest is None else rel.rest.hide([a.name for a in answers])
    return replace(stage.joined(stage.spec.name, rel, node, stream.source), columns=tuple(columns), rest=rest)


# --- whole tables -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """Stored rows with their number, ready for a stage over all of them."""

    rel: Rel
    wide: Rel
    stored: Rel
    fields: tuple[FieldForms, ...]
    columns: tuple[Column, ...]


def numbered_rows(stage: Stage, rel: Rel, found: Sequence[tuple[Feature, Forms]]) -> Rows:
    """Store the input in order and number its rows (``ROW``). ``rel`` of the result has the input's own columns."""
    wide, fields, columns = with_forms(stage, rel, found)
    wide = stage.materialise(wide)
    items = [*((i, sql.col(i)) for i in wide.all_idents()), (ROW, sql.col("rowid"))]
    stored = stage.select("rows", wide, items)
    row = Column(ROW, ROW, LONG)
    wide = stage.reordered(replace(stored, carried=(*wide.carried, row)), [OrderKey(ROW, LONG)])
    base = replace(wide, columns=rel.columns, carried=(*rel.carried, row), rest=rel.rest)
    return Rows(base, wide, stage.arriving(stored), tuple(fields), (row, *columns))


def stage_input(rows: Rows) -> Rel:
    """What the stage reads of stored rows: their numbers and the columns of the fields."""
    return replace(rows.stored, columns=rows.columns, carried=(), rest=None)


def tabled(
    stage: Stage,
    rows: Rows,
    answers: Sequence[Answer],
    transform: Transform,
    inputs: Sequence[Rel] = (),
    position: str | None = None,
) -> Rel:
    """The rows with the answers that a stage over the whole table gives per row number.

    position: the answer that orders the several answers of one row; rows without an answer then fall away.
    """
    made = [Column(a.name, a.name, a.type) for a in answers]
    stream = stage.stream(stage_input(rows), [Column(ROW, ROW, LONG), *made], transform, inputs=inputs)
    on = sql.eq(sql.col(ROW, "i"), sql.col(ROW, "s"))
    if position is None:
        return _joined(stage, rows.rel, stream, answers, on)
    rel = _joined(stage, rows.rel, stream, answers, on, side="")
    place = rel.column(position)
    assert place is not None
    keys = (*(rel.order.keys or ()), OrderKey(place.ident, LONG))
    columns = tuple(c for c in rel.columns if c is not place)
    return stage.reordered(replace(rel, columns=columns, carried=(*rel.carried, place)), keys)


__all__ = ["Answer", "Feature", "Rows", "features", "scored", "tabled"]
