"""The language's model commands as functions over streams of record batches; the planner binds them.

Contract
- A stage takes batches and yields batches of the same rows in the same order with its columns added (replacing
columns of
  the same name). Schemas are checked on the first batch, before any row is scored.
- ``*_distinct`` is the same for SQL: a table of distinct feature vectors in, the same table with the answers out, to be
  joined back with IS NOT DISTINCT FROM on every field.
- ``anomalies`` without a stored model and ``rforest target=`` train first: barriers over their subquery only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from logsql.diagnostics.models import MlError
from logsql.ml.features import check_list
from logsql.ml.model import FitOptions, Manifest, ModelKind, TrainedModel
from logsql.ml.store import ModelStore
from logsql.ml.train import Control, fit_iforest, fit_supervised
from udfs.inference import BatchScorer, score_distinct


@dataclass(frozen=True)
class RforestOptions:
    """probabilities: add ``_probability`` and ``_probabilities``; threads: scoring threads."""

    probabilities: bool = False
    threads: int = 1


@dataclass(frozen=True)
class AnomaliesOptions:
    """scorer: number of fields in ``_scorer`` (0: none); core: scoring threads."""

    scorer: int = 0
    core: int = 1


def with_columns(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """The batch with columns added, or replaced where the name exists."""
    arrays, names = list(batch.columns), list(batch.schema.names)
    for name, column in columns.items():
        if name in names:
            arrays[names.index(name)] = column
        else:
            names.append(name)
            arrays.append(column)
    return pa.RecordBatch.from_arrays(arrays, names=names)


def stored_model(store: ModelStore, name: str, kind: ModelKind, fields: Sequence[str] | None = None) -> TrainedModel:
    """The model of ``model=NAME``; the field list after it must name exactly the model's fields, in any order.

    Raises MlError: 41100 empty, 41101 unknown, 41102 wrong type, and the store's refusals.
    """
    model = store.get(name, kind)
    check_list(model.features, fields, model.owner)
    return model


def rforest_stage(
    reader: Iterable[pa.RecordBatch],
    model: TrainedModel,
    fields: Sequence[str] | None = None,
    options: RforestOptions | None = None,
) -> Iterator[pa.RecordBatch]:
    """Add ``_guess`` (of the label's type), on request ``_probability`` (double) and ``_probabilities`` (map of doubles
    by label)."""
    chosen = options or RforestOptions()
    check_list(model.features, fields, model.owner)
    score = BatchScorer(model, probabilities=chosen.probabilities, threads=chosen.threads)
    for batch in reader:
        yield with_columns(batch, score(batch))


def anomalies_stage(
    reader: Iterable[pa.RecordBatch],
    model: TrainedModel,
    fields: Sequence[str] | None = None,
    options: AnomaliesOptions | None = None,
) -> Iterator[pa.RecordBatch]:
    """Add ``_score`` (double, 0..1), with ``scorer`` also ``_scorer`` (list of {field, weight})."""
    chosen = options or AnomaliesOptions()
    check_list(model.features, fields, model.owner)
    score = BatchScorer(model, scorer=chosen.scorer, threads=chosen.core)
    for batch in reader:
        yield with_columns(batch, score(batch))


def rforest_error_stage(reader: Iterable[pa.RecordBatch], error: MlError) -> Iterator[pa.RecordBatch]:
    """Subquery mode after a failed training: rows pass with a null ``_guess`` and the reason in ``_rforest_error``."""
    text = error.message + (f"; {error.help}" if error.help else "")
    for batch in reader:
        failed = pa.array([text] * batch.num_rows, pa.string())
        yield with_columns(batch, {"_guess": pa.nulls(batch.num_rows, pa.string()), "_rforest_error": failed})


def guess_distinct(features: pa.Table, model: TrainedModel, options: RforestOptions | None = None) -> pa.Table:
    """SQL form of ``rforest``: distinct feature vectors in, the same rows with the answer columns out."""
    chosen = options or RforestOptions()
    return _answered(
        features, score_distinct(features, model, probabilities=chosen.probabilities, threads=chosen.threads)
    )


def anomaly_distinct(features: pa.Table, model: TrainedModel, options: AnomaliesOptions | None = None) -> pa.Table:
    """SQL form of ``anomalies``: distinct feature vectors in, the same rows with the answer columns out."""
    chosen = options or AnomaliesOptions()
    return _answered(features, score_distinct(features, model, scorer=chosen.scorer, threads=chosen.core))


def _answered(features: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        features = features.append_column(name, column)
    return features


def train_guess(
    command: str,
    rows: pa.Table,
    target: str,
    fields: Sequence[str],
    options: Mapping[str, object],
    control: Control | None = None,
) -> TrainedModel:
    """Model of ``rforest``, ``gboost`` or ``logit`` ``target=T f, ... [ subquery ]``: all rows train, none are held
    out. options: by the fields of ``FitOptions``.

    Raises MlError; the planner turns it into the field with the reason.
    """
    kind = ModelKind(command)
    chosen = FitOptions.of(kind, {**options, "holdout": 0.0})
    done = fit_supervised(kind, rows, target, fields, chosen, control or Control(), record=False)
    return done.model(Manifest("", kind, "", tuple(fields), target, len(done.training.classes), chosen))


def train_rforest(
    rows: pa.Table,
    target: str,
    fields: Sequence[str],
    size: int = 100,
    timeout: float | None = None,
    control: Control | None = None,
) -> TrainedModel:
    """Model of ``rforest target=T f, ... [ subquery ]``: all rows train, none are held out. timeout in seconds.

    Raises MlError; the planner turns it into ``rforest_error_stage``.
    """
    return train_guess("rforest", rows, target, fields, {"trees": size}, control or Control.with_timeout(timeout))


def train_anomalies(
    rows: pa.Table,
    fields: Sequence[str],
    size: int = 100,
    sample: int | None = None,
    timeout: float | None = None,
    control: Control | None = None,
) -> TrainedModel:
    """Model of ``anomalies f, ... [ subquery ]``; sample defaults to floor(sqrt(rows)). timeout in seconds."""
    options = FitOptions(trees=size, sample=sample)
    done = fit_iforest(rows, fields, options, control or Control.with_timeout(timeout), record=False)
    return done.model(Manifest("", ModelKind.IFOREST, "", tuple(fields), None, None, options))
