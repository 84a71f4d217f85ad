"""What two models say about the same rows, and how far the values of rows have moved from a training.

Contract
- ``compared`` scores the rows with both models and counts: how often they agree, each against the labels where the rows
  have them, and which rows get another answer.
- ``drifted`` goes through the fields of a model in its order; a field that the rows lack, or hold in another type, is
  told and not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.modeldata import NO_ROWS
from logsql.diagnostics.models import INPUT_NAMED, MlError
from logsql.diagnostics.modeltests import NO_PROFILE
from logsql.ml.drift import Moved, measured
from logsql.ml.features import check_schema, label_text, label_texts
from logsql.ml.metrics import Metrics, measure
from logsql.ml.model import Manifest, TrainedModel
from udfs.inference import score_distinct


@dataclass(frozen=True)
class Compared:
    """rows: how many were scored; guesses of both models per row; labels (None where a row has none); metrics of both
    over the labelled rows, in the classes ``names``; changed: numbers of the rows with different guesses, from 0."""

    rows: int
    guesses: tuple[list[str], list[str]]
    labels: list[str | None]
    names: tuple[str, ...]
    metrics: tuple[Metrics, Metrics] | None
    changed: list[int]

    @property
    def agreement(self) -> float:
        return 1.0 - len(self.changed) / self.rows


def compared(first: TrainedModel, second: TrainedModel, rows: pa.Table, owner: str) -> Compared:
    """Score the rows of ``owner`` with two classifiers. Raises MlError: no rows, a field of a model that they lack."""
    if not rows.num_rows:
        raise MlError(NO_ROWS, owner=owner)
    one, two = guesses(first, rows), guesses(second, rows)
    target = first.manifest.target or ""
    labels: list[str | None] = [None] * rows.num_rows
    if target in rows.column_names:
        texts, kept = label_texts(rows, target)
        for place, text in zip(np.flatnonzero(kept).tolist(), texts, strict=True):
            labels[place] = text
    names = tuple(sorted({*one, *two, *(label for label in labels if label is not None)}))
    code = {name: number for number, name in enumerate(names)}
    known = [number for number, label in enumerate(labels) if label is not None]
    truth = np.array([code[labels[n] or ""] for n in known], dtype=np.int64)
    both: tuple[Metrics, Metrics] | None = None
    if known:
        found = [measure(truth, np.array([code[g[n]] for n in known], dtype=np.int64), len(names)) for g in (one, two)]
        both = (found[0], found[1])
    changed = [number for number, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    return Compared(rows.num_rows, (one, two), labels, names, both, changed)


def guesses(model: TrainedModel, rows: pa.Table) -> list[str]:
    """The guess of each row, as the text of its class."""
    return [label_text(value) for value in score_distinct(rows, model)["_guess"].to_pylist()]


def drifted(manifest: Manifest, rows: pa.Table, owner: str) -> list[Moved]:
    """How far each field of the rows of ``owner`` has moved from the training of a model.

    Raises MlError: no rows, or a model of before, whose training did not note its values.
    """
    training = manifest.training
    if training is None or not training.profile:
        raise MlError(NO_PROFILE, name=manifest.name)
    if not rows.num_rows:
        raise MlError(NO_ROWS, owner=owner)
    out: list[Moved] = []
    for spec, known in zip(training.features, training.profile, strict=True):
        try:
            check_schema([spec], rows.schema, owner)
            out.append(measured(spec, known, rows.column(spec.name)))
        except LogsqlError as error:
            out.append(
                Moved(spec.name, spec.kind, None, 0.0, (known.nulls / known.rows, 0.0), error.diagnostic.message)
            )
    return out


def input_owner(name: str) -> str:
    """An input as a sentence names it."""
    return INPUT_NAMED.fill(name=name)


__all__: Sequence[str] = ["Compared", "compared", "drifted", "guesses", "input_owner"]
