"""Fitting a forest in steps: progress in tenths, cancel between steps, the same forest as one fit.

Contract
- ``fit_rforest`` / ``fit_iforest`` take an Arrow table and return a ``Fitted``: the training facts and the estimator.
- Trees are added with ``warm_start`` in steps of a tenth; with an integer seed the result equals a single fit.
- ``control.cancelled`` and the deadline are looked at between steps; both end in MlError and leave nothing behind.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from logsql.diagnostics.models import (
    AT_LEAST,
    CANCELED,
    HYPER_PARAMETER,
    IN_RANGE,
    TARGET_IS_FEATURE,
    TIMED_OUT,
    MlError,
)
from logsql.ml.features import Labels, build_features, encode, labels
from logsql.ml.metrics import measure, stratified_holdout
from logsql.ml.model import FitOptions, Manifest, ModelKind, ScoreSummary, TrainedModel, Training
from logsql.ml.store import library_versions
from udfs.forests import Forest, Matrix, classification_forest, isolation_forest
from udfs.inference import class_probabilities, isolation_contributions, isolation_scores

# Rows whose attribution makes up the importance of an isolation forest; more rows do not change the first digits.
IMPORTANCE_ROWS = 10_000


@dataclass
class Control:
    """How a training is watched and stopped. progress(share 0..1); deadline in ``time.monotonic`` seconds."""

    progress: Callable[[float], None] = lambda share: None
    cancelled: threading.Event = field(default_factory=threading.Event)
    deadline: float | None = None

    @staticmethod
    def with_timeout(seconds: float | None) -> Control:
        return Control(deadline=None if seconds is None else time.monotonic() + seconds)

    def check(self) -> None:
        if self.cancelled.is_set():
            raise MlError(CANCELED)
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise MlError(TIMED_OUT)


@dataclass(frozen=True)
class Fitted:
    """A finished training: its facts, the estimator to be stored, and the forest to score with."""

    training: Training
    estimator: Any
    forest: Forest

    def model(self, manifest: Manifest) -> TrainedModel:
        """The model without a round trip through the store (subquery mode)."""
        return TrainedModel(replace(manifest, training=self.training), self.training, self.forest)


def check_options(options: FitOptions) -> FitOptions:
    """Refuse hyper-parameters outside their range. Raises MlError BAD_OPTION."""
    rules: list[tuple[str, float | None, float, float | None]] = [
        ("trees", options.trees, 1, 100_000),
        ("depth", options.depth, 1, None),
        ("leaf", options.leaf, 1, None),
        ("sample", options.sample, 1, None),
        ("holdout", options.holdout, 0, 0.9),
        ("seed", options.seed, 0, 2**32 - 1),
    ]
    for name, value, low, high in rules:
        if value is not None and not low <= value <= (math.inf if high is None else high):
            rule = AT_LEAST.fill(name=name, low=low) if high is None else IN_RANGE.fill(name=name, low=low, high=high)
            raise MlError(HYPER_PARAMETER, rule=rule)
    return options


def grow(estimator: Any, trees: int, fit: Callable[[Any], None], control: Control) -> None:
    """Fit ``estimator`` with ``trees`` trees in tenths. Steps of one tree would cost two thirds more time."""
    step = max(1, trees // 10)
    done = 0
    while done < trees:
        control.check()
        done = min(trees, done + step)
        estimator.set_params(n_estimators=done)
        fit(estimator)
        control.progress(done / trees)
    control.check()


def _workers() -> int:
    return max(1, (os.cpu_count() or 2) - 1)  # one core stays with the shell


def fit_rforest(
    rows: pa.Table,
    target: str,
    fields: Sequence[str],
    options: FitOptions | None = None,
    control: Control | None = None,
) -> Fitted:
    """Train a random-forest classifier of ``target`` from ``fields``; 20 % of the rows are held out for the metrics.

    Rows whose target is null are left out and counted. Raises MlError: unknown field, target missing, one class, no
    rows,
    all-null field, unsuitable type, canceled, timeout.
    """
    from sklearn.ensemble import RandomForestClassifier

    options, control = check_options(options or FitOptions()), control or Control()
    started = time.monotonic()
    if rows.num_rows == 0:
        build_features(rows, fields)
    target_labels = labels(rows, target)
    if target in fields:
        raise MlError(TARGET_IS_FEATURE, name=target)
    usable = rows.select([n for n in rows.column_names if n in fields]).filter(pa.array(target_labels.kept))
    features = build_features(usable if set(fields) <= set(rows.column_names) else rows, fields)
    matrix = encode(features, usable)
    test = stratified_holdout(target_labels.codes, options.holdout, options.seed)
    train_x, train_y = matrix[~test], target_labels.codes[~test]
    forest_options: dict[str, Any] = {"max_depth": options.depth, "min_samples_leaf": options.leaf}
    if options.sample is not None:
        forest_options["max_samples"] = min(options.sample, len(train_y))
    estimator = RandomForestClassifier(
        n_estimators=1, warm_start=True, random_state=options.seed, n_jobs=_workers(), **forest_options
    )
    grow(estimator, options.trees, lambda model: model.fit(train_x, train_y), control)
    estimator.set_params(
        n_jobs=1, warm_start=False
    )  # with two jobs the last bit of a probability varies from run to run
    forest = classification_forest([e.tree_ for e in estimator.estimators_], len(features), target_labels.classes)
    importance = _ranked(fields, estimator.feature_importances_ * 100.0)
    training = replace(
        _facts(rows.num_rows, started),
        features=features,
        classes=target_labels.classes,
        label=target_labels.type,
        train_rows=len(train_y),
        test_rows=int(test.sum()),
        skipped_rows=int((~target_labels.kept).sum()),
        sample=forest_options.get("max_samples", len(train_y)),
        importance=importance,
        metrics=_measured(forest, matrix[test], target_labels, test),
    )
    return Fitted(training, estimator, forest)


def _measured(forest: Forest, matrix: Matrix, target: Labels, test: Any) -> Any:
    if not len(matrix):
        return None
    guess = class_probabilities(forest, matrix).argmax(axis=1)
    return measure(target.codes[test], guess, len(target.classes))


def fit_iforest(
    rows: pa.Table, fields: Sequence[str], options: FitOptions | None = None, control: Control | None = None
) -> Fitted:
    """Train an isolation forest on ``fields``; sample defaults to floor(sqrt(rows)) and is at most the number of rows.

    Raises MlError like ``fit_rforest``, without the target's errors.
    """
    from sklearn.ensemble import IsolationForest

    options, control = check_options(options or FitOptions()), control or Control()
    started = time.monotonic()
    features = build_features(rows, fields)
    matrix = encode(features, rows)
    sample = min(options.sample or math.isqrt(rows.num_rows), rows.num_rows)
    estimator = IsolationForest(
        n_estimators=1, max_samples=sample, warm_start=True, random_state=options.seed, n_jobs=1
    )
    grow(estimator, options.trees, lambda model: model.fit(matrix), control)
    estimator.set_params(warm_start=False)
    forest = isolation_forest([e.tree_ for e in estimator.estimators_], len(features), sample)
    chosen = matrix
    if len(matrix) > IMPORTANCE_ROWS:
        chosen = matrix[np.random.default_rng(options.seed).choice(len(matrix), IMPORTANCE_ROWS, replace=False)]
    credit = np.maximum(isolation_contributions(forest, chosen), 0.0).sum(axis=0)
    scores = isolation_scores(forest, chosen)
    training = replace(
        _facts(rows.num_rows, started),
        features=features,
        train_rows=rows.num_rows,
        sample=sample,
        importance=_ranked(fields, credit * (100.0 / credit.sum()) if credit.sum() > 0 else credit),
        scores=ScoreSummary(
            float(scores.min()), float(np.median(scores)), float(np.quantile(scores, 0.99)), float(scores.max())
        ),
    )
    return Fitted(training, estimator, forest)


def _ranked(fields: Sequence[str], values: Any) -> tuple[tuple[str, float], ...]:
    """Importance in percent, largest first, ties in field order."""
    pairs = [(name, float(value)) for name, value in zip(fields, values, strict=True)]
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def _facts(rows: int, started: float) -> Training:
    return Training(
        features=(),
        classes=(),
        rows=rows,
        train_rows=0,
        test_rows=0,
        skipped_rows=0,
        sample=0,
        importance=(),
        metrics=None,
        scores=None,
        elapsed=time.monotonic() - started,
        finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        versions=tuple(library_versions().items()),
    )


def fit(manifest: Manifest, rows: pa.Table, control: Control | None = None) -> Fitted:
    """Train the model that ``manifest`` describes on ``rows`` (its input, already restricted to its fields or not)."""
    if manifest.kind is ModelKind.RFOREST:
        return fit_rforest(rows, manifest.target or "", manifest.fields, manifest.options, control)
    return fit_iforest(rows, manifest.fields, manifest.options, control)
