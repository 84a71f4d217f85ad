"""What a target asks for: a class per row, or a number.

Contract
- Texts, booleans, dates and few numbers are classes. A number with many values is continuous: one class per value would
  guess none of the values between, so it is regressed, or refused where classes were asked for.
- Rows without a target take no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from logsql.diagnostics.modeldata import (
    CONTINUOUS,
    CONTINUOUS_LINEAR,
    NO_CLASS,
    NOT_A_NUMBER,
    TOO_MANY_CLASSES,
)
from logsql.diagnostics.models import TRAINING_DATA, MlError, fields_note
from logsql.ml.features import Labels, labels
from logsql.ml.model import ModelKind, Task
from logsql.ml.untyped import Values

#: More numbers than this are continuous where they have fractions; whole ones (codes, ports) where they are as many
#: as this for a row, or more than MOST_CLASSES.
FEW_CLASSES = 20
#: More classes than this are refused, and so is a text that is another one in most rows.
MOST_CLASSES = 1000
FEW_ROWS = 20


@dataclass(frozen=True)
class Target:
    """The target of the rows that have one. values: class codes, or numbers; classes: empty for numbers; type: key of
    ``features.LABEL_TYPES``."""

    task: Task
    values: Values
    kept: NDArray[np.bool_]
    classes: tuple[str, ...]
    type: str


def target_of(rows: pa.Table, name: str, kind: ModelKind, asked: str = "auto") -> Target:
    """The target of training rows. asked: ``auto``, ``classify`` or ``regress``.

    Raises MlError: no such field, no value, one class, one class per row, a continuous target of a classifier, a target
    to be regressed that is no number.
    """
    column = rows.column(name).combine_chunks() if name in rows.column_names else None
    number = column is not None and _number(column.type)
    if column is not None and (number or asked == "regress"):
        distinct = len(pc.unique(column.drop_null()))
        many = number and continuous(column, distinct)
        if (many or asked == "regress") and kind is ModelKind.LOGIT:
            raise MlError(CONTINUOUS_LINEAR, name=name, count=distinct)
        if many and asked == "classify":
            raise MlError(CONTINUOUS, name=name, count=distinct)
        if asked == "regress" and not number:
            raise MlError(NOT_A_NUMBER, name=name, type=column.type)
        if many or asked == "regress":
            return _numbers(rows, name, column)
    found = labels(rows, name)
    _check_classes(name, found)
    return Target(Task.CLASSIFY, found.codes, found.kept, found.classes, found.type)


def _number(type_: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_))


def continuous(column: pa.Array, distinct: int) -> bool:
    """Whether numbers are too many to be classes."""
    if distinct <= FEW_CLASSES:
        return False
    if distinct > MOST_CLASSES or distinct * FEW_CLASSES > len(column) - column.null_count:
        return True
    if pa.types.is_integer(column.type):
        return False
    values = column.drop_null().cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return bool((values != np.floor(values)).any())


def _numbers(rows: pa.Table, name: str, column: pa.Array) -> Target:
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    kept = np.isfinite(values)
    if not kept.any():
        notes = [fields_note(TRAINING_DATA.fill(), rows.column_names)]
        raise MlError(NO_CLASS, notes=notes, name=name, rows=rows.num_rows)
    return Target(Task.REGRESS, values[kept], kept, (), "DOUBLE")


def _check_classes(name: str, found: Labels) -> None:
    """Refuse one class per row, such as an identifier."""
    count, rows = len(found.classes), len(found.codes)
    if count > MOST_CLASSES or (rows >= FEW_ROWS and count > rows // 2):
        raise MlError(TOO_MANY_CLASSES, name=name, count=count, rows=rows)
