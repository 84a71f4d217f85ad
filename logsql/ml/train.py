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
    INPUT_NAMED,
    TARGET_IS_FEATURE,
    TIMED_OUT,
    MlError,
)
from logsql.diagnostics.modeltests import (
    CLASS_WEIGHTS,
    CLASSIFIER_ONLY,
    CONTINUOUS,
    ONE_CLASS_LEFT,
    ONE_OF,
    OPTIONS_TOGETHER,
    WEIGHT_OF_NONE,
)
from logsql.ml.calibration import METHODS, Calibration, fitted, method_for
from logsql.ml.drift import profile
from logsql.ml.evaluation import (
    PERMUTED_ROWS,
    Chances,
    Codes,
    Evaluation,
    FoldScore,
    Held,
    Learn,
    Plan,
    Way,
    cross_validated,
    held_out,
    out_of_fold,
    parts_of,
    repeated,
    shuffled,
)
from logsql.ml.features import FeatureSpec, build_features, check_schema, encode, label_texts, labels
from logsql.ml.metrics import Metrics, judge
from logsql.ml.model import FitOptions, Manifest, ModelKind, ScoreSummary, TrainedModel, Training
from logsql.ml.outliers import QUANTILE_ROWS, quantiles
from logsql.ml.quiet import quiet
from logsql.ml.store import library_versions
from udfs.forests import Forest, Matrix, classification_forest, isolation_forest
from udfs.inference import class_probabilities, isolation_contributions, isolation_scores

# Rows whose attribution makes up the importance of an isolation forest; more rows do not change the first digits.
IMPORTANCE_ROWS = 10_000
#: Parts of the training that calibration goes round, where folds= says nothing.
CALIBRATION_PARTS = 5
#: Vectors that are kept with their answers.
PROBES = 32
#: A target of more different numbers than MOST_CLASSES, or of fewer rows than FEW_CLASSES a number, is a quantity.
FEW_CLASSES, MOST_CLASSES = 20, 1000

Probes = tuple[tuple[tuple[float | None, ...], tuple[float, ...]], ...]


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
        ("folds", options.folds, 0, 100),
    ]
    for name, value, low, high in rules:
        if value is not None and not low <= value <= (math.inf if high is None else high):
            rule = AT_LEAST.fill(name=name, low=low) if high is None else IN_RANGE.fill(name=name, low=low, high=high)
            raise MlError(HYPER_PARAMETER, rule=rule)
    if options.folds == 1:
        raise MlError(HYPER_PARAMETER, rule=AT_LEAST.fill(name="folds", low=2))
    for name, text, known in (
        ("split", options.split, ("random", "time")),
        ("calibrate", options.calibrate, ("t", *METHODS)),
    ):
        if text and text not in known:
            raise MlError(ONE_OF, name=name, text=text, known=", ".join(known))
    if options.class_weight not in ("", "balanced"):
        weights_of(options.class_weight)
    _check_pairs(options)
    return options


def _check_pairs(options: FitOptions) -> None:
    """Options that say two things about the rows of the test."""
    if options.group and options.split == "time":
        raise MlError(OPTIONS_TOGETHER, first="group=", second="split=time")
    divided = "group=" if options.group else "split=time" if options.split == "time" else None
    if options.test and divided and not options.folds and not options.calibrate:
        raise MlError(OPTIONS_TOGETHER, first="test=", second=divided)
    if options.test and options.holdout != FitOptions().holdout:
        raise MlError(OPTIONS_TOGETHER, first="test=", second="holdout=")


def check_kind(options: FitOptions, kind: ModelKind) -> None:
    """Refuse what only a classifier has. Raises MlError."""
    if kind is ModelKind.IFOREST:
        plain = FitOptions()
        for name in ("group", "split", "time", "test", "folds", "calibrate", "class_weight"):
            if getattr(options, name) != getattr(plain, name):
                raise MlError(CLASSIFIER_ONLY, name=name)


def grow(estimator: Any, trees: int, fit: Callable[[Any], None], control: Control) -> None:
    """Fit ``estimator`` with ``trees`` trees in tenths. Steps of one tree would cost two thirds more time."""
    step = max(1, trees // 10)
    done = 0
    while done < trees:
        control.check()
        done = min(trees, done + step)
        estimator.set_params(n_estimators=done)
        with quiet():
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
    test: pa.Table | None = None,
    record: bool = True,
) -> Fitted:
    """Train a random-forest classifier of ``target`` from ``fields``, and test it on rows that it was not trained on:
    those of ``test``, else the share ``holdout`` of the rows, chosen as the options say.

    record: keep what a stored model is described by. Rows whose target is null are left out and counted. Raises
    MlError: unknown field, target missing, one class, no rows, all-null field, unsuitable type, a field to divide by
    that is not there, canceled, timeout.
    """
    options, control = check_options(options or FitOptions()), control or Control()
    started = time.monotonic()
    data = classified(rows, target, fields)
    held = held_out(data.rows, data.codes, plan_of(options)) if test is None else _none_held(len(data.codes))
    train = ~held.mask
    train_x, train_y = data.matrix[train], data.codes[train]

    def learn(matrix: Matrix, codes: Codes, control: Control | None = None) -> Grown:
        return grown(matrix, codes, data.classes, options, control or Control(cancelled=asked.cancelled))

    asked = control
    made = learn(train_x, train_y, control)
    calibration = _calibrated(learn, data, train, options, [data.classes[k] for k in made.present])
    made = replace(made, forest=replace(made.forest, calibration=calibration))
    judged = tested(made, data, held.mask, test, target, options)
    evaluation = replace(
        judged.evaluation,
        way=Way.INPUT if test is not None else held.way,
        groups=held.groups,
        since=held.since,
        source=options.test or "",
        folds=_folds(learn, data, options),
    )
    training = replace(
        _facts(rows.num_rows, started),
        features=data.features,
        classes=made.forest.classes,
        label=data.label,
        train_rows=len(train_y),
        test_rows=judged.rows,
        skipped_rows=rows.num_rows - len(data.codes),
        sample=made.sample,
        importance=_ranked(fields, made.estimator.feature_importances_ * 100.0),
        metrics=judged.metrics,
        evaluation=evaluation,
        calibration=calibration,
        profile=profile(data.features, data.rows.filter(pa.array(train))) if record else (),
        probes=probes(train_x, lambda vectors: class_probabilities(made.forest, vectors)) if record else (),
    )
    return Fitted(training, made.estimator, made.forest)


def plan_of(options: FitOptions) -> Plan:
    """What the options say about the test."""
    by_time = options.split == "time"
    return Plan(options.holdout, options.seed, options.group, by_time, options.time, options.folds)


def _none_held(rows: int) -> Held:
    return Held(np.zeros(rows, dtype=np.bool_), Way.INPUT)


@dataclass(frozen=True)
class Classified:
    """Labelled rows, ready to train on: the rows that have a label, their vectors and class codes, the classes in code
    order, the type of the label."""

    rows: pa.Table
    features: tuple[FeatureSpec, ...]
    matrix: Matrix
    codes: Codes
    classes: tuple[str, ...]
    label: str


def classified(rows: pa.Table, target: str, fields: Sequence[str]) -> Classified:
    """The labelled rows of a training set. Raises MlError like ``fit_rforest``."""
    if rows.num_rows == 0:
        build_features(rows, fields)
    found = labels(rows, target)
    if target in fields:
        raise MlError(TARGET_IS_FEATURE, name=target)
    count, known = len(found.classes), len(found.codes)
    number = found.type in ("INTEGER", "BIGINT", "UBIGINT", "REAL", "DOUBLE")
    if number and count > FEW_CLASSES and (count > MOST_CLASSES or count * FEW_CLASSES > known):
        raise MlError(CONTINUOUS, name=target, count=count, rows=known)
    usable = rows.filter(pa.array(found.kept))
    features = build_features(usable if set(fields) <= set(rows.column_names) else rows, fields)
    return Classified(usable, features, encode(features, usable), found.codes, found.classes, found.type)


@dataclass(frozen=True)
class Grown:
    """A forest, trained on classes of which some may have been missing: ``present``, the codes of those it knows among
    ``classes``; sample: rows per tree."""

    estimator: Any
    forest: Forest
    present: Codes
    classes: int
    sample: int

    def __call__(self, matrix: Matrix) -> Chances:
        """Probabilities, a column per class of the whole set; 0 for those that the forest does not know."""
        out = np.zeros((len(matrix), self.classes))
        out[:, self.present] = class_probabilities(self.forest, matrix)
        return out


def grown(matrix: Matrix, codes: Codes, classes: Sequence[str], options: FitOptions, control: Control) -> Grown:
    """A random forest of these rows. Raises MlError: one class only."""
    from sklearn.ensemble import RandomForestClassifier

    present = np.unique(codes)
    if len(present) < 2:
        raise MlError(ONE_CLASS_LEFT, value=classes[int(present[0])] if len(present) else "", rows=len(codes))
    own = np.searchsorted(present, codes)
    more: dict[str, Any] = {"max_depth": options.depth, "min_samples_leaf": options.leaf}
    more["class_weight"] = class_weights(options.class_weight, [classes[k] for k in present], own, classes)
    if options.sample is not None:
        more["max_samples"] = min(options.sample, len(own))
    estimator = RandomForestClassifier(
        n_estimators=1, warm_start=True, random_state=options.seed, n_jobs=_workers(), **more
    )
    grow(estimator, options.trees, lambda model: model.fit(matrix, own), control)
    # With two jobs the last bit of a probability varies from run to run.
    estimator.set_params(n_jobs=1, warm_start=False)
    trees = [e.tree_ for e in estimator.estimators_]
    forest = classification_forest(trees, matrix.shape[1], tuple(classes[k] for k in present))
    return Grown(estimator, forest, present, len(classes), more.get("max_samples", len(own)))


def class_weights(text: str, present: Sequence[str], codes: Codes, known: Sequence[str]) -> dict[int, float] | None:
    """Weight per class code for ``class_weight=``: as many times as it is rarer than the average, or as written.

    Raises MlError: a label that no row has.
    """
    if not text:
        return None
    if text == "balanced":
        counts = np.bincount(codes, minlength=len(present))
        return {k: float(len(codes) / (len(present) * counts[k])) for k in range(len(present))}
    weights = weights_of(text)
    for label in weights:
        if label not in known:
            raise MlError(WEIGHT_OF_NONE, label=label, known=", ".join(known))
    return {k: weights.get(label, 1.0) for k, label in enumerate(present)}


def weights_of(text: str) -> dict[str, float]:
    """``LABEL:WEIGHT, ...``. Raises MlError on another form, and on a weight that is not above 0."""
    out: dict[str, float] = {}
    for part in text.split(","):
        label, _, number = part.strip().rpartition(":")
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if not label or not 0 < weight < math.inf:
            raise MlError(CLASS_WEIGHTS, text=text)
        out[label.strip()] = weight
    return out


@dataclass(frozen=True)
class Judged:
    """What the rows of the test say: how many they are, the figures, what was seen before and what shuffling costs."""

    rows: int
    metrics: Metrics | None
    evaluation: Evaluation


def tested(made: Grown, data: Classified, mask: Any, test: pa.Table | None, target: str, options: FitOptions) -> Judged:
    """Judge a forest by the rows of the mask, or by those of another table. Raises MlError when that lacks a field."""
    classes = data.classes
    if test is None:
        matrix, truth = data.matrix[mask], data.codes[mask]
    else:
        check_schema(data.features, test.schema, INPUT_NAMED.fill(name=options.test or ""))
        texts, kept = label_texts(test, target)
        matrix = encode(data.features, test.filter(pa.array(kept)))
        classes = (*classes, *sorted(set(texts) - set(classes)))
        place = {label: code for code, label in enumerate(classes)}
        truth = np.array([place[label] for label in texts], dtype=np.int64)
    if not len(truth):
        return Judged(0, None, Evaluation(Way.STRATIFIED))
    wide = replace(made, classes=len(classes))
    names = [spec.name for spec in data.features]
    evaluation = Evaluation(
        Way.STRATIFIED,
        repeated=repeated(data.matrix[~mask], matrix),
        shuffled=shuffled(wide, matrix, truth, names, options.seed),
        shuffled_rows=min(len(truth), PERMUTED_ROWS),
    )
    return Judged(len(truth), judge(wide(matrix), truth, classes), evaluation)


def _calibrated(
    learn: Learn, data: Classified, train: Any, options: FitOptions, known: Sequence[str]
) -> Calibration | None:
    """Curves from rows of the training by forests that were trained on its other rows."""
    if not options.calibrate:
        return None
    rows, matrix, codes = data.rows.filter(pa.array(train)), data.matrix[train], data.codes[train]
    plan = replace(plan_of(options), parts=options.folds or CALIBRATION_PARTS)
    chances, truth = out_of_fold(learn, matrix, codes, len(data.classes), parts_of(rows, codes, plan))
    present = [data.classes.index(label) for label in known]
    return fitted(chances[:, present], np.searchsorted(present, truth), method_for(options.calibrate, len(codes)))


def _folds(learn: Learn, data: Classified, options: FitOptions) -> tuple[FoldScore, ...]:
    if not options.folds:
        return ()
    parts = parts_of(data.rows, data.codes, plan_of(options))
    return cross_validated(learn, data.matrix, data.codes, len(data.classes), parts)


def probes(matrix: Matrix, answers: Callable[[Matrix], Chances]) -> Probes:
    """Some vectors of the training with their answers: another version of a library must give the same."""
    chosen = matrix[:: max(1, len(matrix) // PROBES)][:PROBES]
    vectors = [tuple(None if v != v else float(v) for v in row) for row in chosen.tolist()]
    return tuple(zip(vectors, [tuple(row) for row in np.atleast_2d(answers(chosen)).tolist()], strict=True))


def fit_iforest(
    rows: pa.Table,
    fields: Sequence[str],
    options: FitOptions | None = None,
    control: Control | None = None,
    record: bool = True,
) -> Fitted:
    """Train an isolation forest on ``fields``; sample defaults to floor(sqrt(rows)) and is at most the number of rows.

    record: with what a stored model's card tells; a model of one query has no card.
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
    facts = _facts(rows.num_rows, started)
    training = replace(facts, features=features, train_rows=rows.num_rows, sample=sample)
    if record:
        training = replace(
            _described(training, forest, matrix, options.seed),
            profile=profile(features, rows),
            probes=probes(matrix, lambda vectors: isolation_scores(forest, vectors)[:, None]),
        )
    return Fitted(training, estimator, forest)


def _described(training: Training, forest: Forest, matrix: Matrix, seed: int) -> Training:
    """What the card of an isolation forest tells: the fields that set rows apart, and the scores of training rows."""
    chosen, some = (_some(matrix, rows, seed) for rows in (IMPORTANCE_ROWS, QUANTILE_ROWS))
    credit = np.maximum(isolation_contributions(forest, chosen), 0.0).sum(axis=0)
    scores = isolation_scores(forest, some)
    summary = ScoreSummary(
        float(scores.min()),
        float(np.median(scores)),
        float(np.quantile(scores, 0.99)),
        float(scores.max()),
        quantiles(scores),
    )
    names = [spec.name for spec in training.features]
    importance = _ranked(names, credit * (100.0 / credit.sum()) if credit.sum() > 0 else credit)
    return replace(training, importance=importance, scores=summary)


def _some(matrix: Matrix, rows: int, seed: int) -> Matrix:
    if len(matrix) <= rows:
        return matrix
    return matrix[np.random.default_rng(seed).choice(len(matrix), rows, replace=False)]


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


def fit(manifest: Manifest, rows: pa.Table, control: Control | None = None, test: pa.Table | None = None) -> Fitted:
    """Train the model that ``manifest`` describes on ``rows`` (its input); test: rows of the input of ``test=``."""
    if manifest.kind is ModelKind.RFOREST:
        return fit_rforest(rows, manifest.target or "", manifest.fields, manifest.options, control, test)
    return fit_iforest(rows, manifest.fields, manifest.options, control)
