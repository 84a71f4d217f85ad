"""Feature columns between SQL and the models: a field arrives in one column, or in one per type when it is mixed.

Contract
- SQL delivers a mixed field (VARIANT, JSON) in several *forms*: as number, as date, as text; a plain field in one.
- ``assemble`` makes one Arrow column per field again: the form that the model was trained on, else (in training) number
  or date when every value is one, and text otherwise.
- A value that has no such form becomes null and is counted by ``unfit``; it never stops a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from logsql.ml.features import FeatureKind


class Form(StrEnum):
    WHOLE = "whole"
    NUMBER = "number"
    DATE = "date"
    BOOL = "bool"
    TEXT = "text"
    NULL = "null"


@dataclass(frozen=True)
class FieldForms:
    """A field and the columns (form -> column name) that carry it; more than one when its values are of several
    types."""

    name: str
    forms: tuple[tuple[Form, str], ...]

    @property
    def mixed(self) -> bool:
        return len(self.forms) > 1

    def ident(self, form: Form) -> str | None:
        return dict(self.forms).get(form)


_WANTED = {
    FeatureKind.NUMERIC: Form.NUMBER,
    FeatureKind.BOOL: Form.NUMBER,
    FeatureKind.DATE: Form.DATE,
    FeatureKind.IP: Form.TEXT,
    FeatureKind.CATEGORICAL: Form.TEXT,
}


def assemble(rows: pa.Table, fields: Sequence[FieldForms], kinds: Mapping[str, FeatureKind] | None = None) -> pa.Table:
    """A table with one column per field. kinds: what the model was trained on, None while it is trained."""
    columns = [_column(rows, field, None if kinds is None else kinds.get(field.name)) for field in fields]
    return pa.Table.from_arrays(columns, names=[field.name for field in fields])


def _column(rows: pa.Table, field: FieldForms, kind: FeatureKind | None) -> pa.ChunkedArray | pa.Array:
    if not field.mixed:
        form, ident = field.forms[0]
        return pa.nulls(rows.num_rows) if form is Form.NULL else rows.column(ident)
    return rows.column(field.ident(_form(rows, field, kind)) or field.forms[-1][1])


def _form(rows: pa.Table, field: FieldForms, kind: FeatureKind | None) -> Form:
    """The form to use of a mixed field."""
    if kind is not None:
        return _WANTED[kind]
    text = field.ident(Form.TEXT)
    given = 0 if text is None else rows.num_rows - rows.column(text).null_count
    for form, ident in field.forms:
        if form is not Form.TEXT and given and rows.num_rows - rows.column(ident).null_count == given:
            return form
    return Form.TEXT


def unfit(
    rows: pa.Table, fields: Sequence[FieldForms], kinds: Mapping[str, FeatureKind], weight: str | None
) -> dict[str, int]:
    """Per mixed field, how many values are not null and not of the kind the model was trained on.

    weight: column with the number of rows each row stands for.
    """
    out: dict[str, int] = {}
    for field in fields:
        text, used = field.ident(Form.TEXT), field.ident(_WANTED[kinds[field.name]])
        if not field.mixed or text is None or used is None:
            continue
        bad = pc.and_(rows.column(text).is_valid(), rows.column(used).is_null())
        counts = pc.if_else(bad, rows.column(weight) if weight is not None else 1, 0)
        total = pc.sum(counts).as_py() or 0
        if total:
            out[field.name] = int(total)
    return out


def collected(batches: Sequence[pa.RecordBatch], idents: Sequence[str]) -> pa.Table:
    """Batches as one table; without any batch a table of no rows that has the columns."""
    if not batches:
        return pa.table({ident: pa.nulls(0) for ident in idents})
    return pa.Table.from_batches(batches)
