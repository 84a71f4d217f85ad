"""Fitting a forest in steps: progress in tenths, cancel between steps, the same forest as one fit.

Contract
- ``fit_rforest`` / ``fit_iforest`` take an Arrow table and return a ``Fitted``: the training facts and the estimator.
- Trees are added with ``warm_start`` in steps of a tenth; with an integer seed the result equals a single fit.
- ``control.cancelled`` and the deadline are looked at between steps; both end in MlError and leave nothing behind.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logsql.diagnostics.modeldata import CLASSES_ONLY
from logsql.diagnostics.models import CANCELED, INPUT_NAMED, TARGET_IS_FEATURE, TIMED_OUT, MlError
from logsql.diagnostics.modeltests import ONE_CLASS_LEFT
from logsql.ml.calibration import Calibration, fitted, method_for
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
from logsql.ml.features import (
    FeatureKind,
    FeatureSpec,
    build_features,
    check_schema,
    encode,
    label_texts,
    per_field,
    width_of,
)
from logsql.ml.learners import CHOICES, LEARNERS, Grow, Problem
from logsql.ml.metrics import Metrics, judge, measure_numbers
from logsql.ml.model import FitOptions, Manifest, ModelKind, ScoreSummary, Task, TrainedModel, Training
from logsql.ml.options import check_options, class_weights
from logsql.ml.outliers import QUANTILE_ROWS, quantiles
from logsql.ml.quiet import quiet
from logsql.ml.store import library_versions
from logsql.ml.targets import target_of
from logsql.ml.untyped import Estimator, Values
from udfs.forests import Forest, Matrix, isolation_forest
from udfs.inference import answers, isolation_contributions, isolation_scores

# Rows whose attribution makes up the importance of an isolation forest; more rows do not change the first digits.
IMPORTANCE_ROWS = 10_000
#: Parts of the training that calibration goes round, where folds= says nothing.
CALIBRATION_PARTS = 5
#: Vectors that are kept with their answers.
PROBES = 32

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
    estimator: Estimator
    forest: Forest

    def model(self, manifest: Manifest) -> TrainedModel:
        """The model without a round trip through the store (subquery mode)."""
        return TrainedModel(replace(manifest, training=self.training), self.training, self.forest)


def grow(
    estimator: Estimator, trees: int, fit: Callable[[], object], control: Control, parameter: str = "n_estimators"
) -> None:
    """Fit ``estimator`` with ``trees`` trees in tenths. Steps of one tree would cost two thirds more time."""
    step = max(1, trees // 10)
    done = 0
    while done < trees:
        control.check()
        done = min(trees, done + step)
        estimator.set_params(**{parameter: done})
        with quiet():
            fit()
        control.progress(done / trees)
    control.check()


def fit_rforest(
    rows: pa.Table,
    target: str,
    fields: Sequence[str],
    options: FitOptions | None = None,
    control: Control | None = None,
    test: pa.Table | None = None,
    record: bool = True,
) -> Fitted:
    """Train a random forest of ``target`` from ``fields``; see :func:`fit_supervised`."""
    return fit_supervised(ModelKind.RFOREST, rows, target, fields, options, control, test, record)


def fit_supervised(
    kind: ModelKind,
    rows: pa.Table,
    target: str,
    fields: Sequence[str],
    options: FitOptions | None = None,
    control: Control | None = None,
    test: pa.Table | None = None,
    record: bool = True,
) -> Fitted:
    """Train a model of ``target`` from ``fields``, and test it on rows that it was not trained on: those of ``test``,
    else the share ``holdout`` of the rows, chosen as the options say.

    record: keep what a stored model is described by. Rows whose target is null are left out and counted. Raises
    MlError: unknown field, target missing or no class, one class, no rows, all-null field, unsuitable type, a field to
    divide by that is not there, canceled, timeout.
    """
    options, control = check_options(options or FitOptions.of(kind, {})), control or Control()
    started = time.monotonic()
    data = targeted(kind, rows, target, fields, options)
    facts = replace(_facts(rows.num_rows, started), skipped_rows=rows.num_rows - len(data.codes))
    if data.task is Task.REGRESS:
        return _numbers(kind, data, target, options, control, test, facts, record)
    held = held_out(data.rows, data.codes, plan_of(options)) if test is None else _none_held(len(data.codes))
    train = ~held.mask
    data = learnt_from(data, kind, train)
    train_x, train_y = data.matrix[train], data.codes[train]

    def learn(matrix: Matrix, codes: Codes, control: Control | None = None) -> Grown:
        return grown(kind, data, matrix, codes, options, control or Control(cancelled=asked.cancelled))

    asked = control
    made = learn(train_x, train_y, control)
    calibration = _calibrated(learn, data, train, options, [data.classes[k] for k in made.present])
    made = replace(made, forest=replace(made.forest, calibration=calibration))
    judged = tested(made, data, held.mask, test, target, options)
    held = held if test is None else replace(held, way=Way.INPUT)
    evaluation = replace(judged.evaluation, way=held.way, groups=held.groups, since=held.since)
    evaluation = replace(evaluation, source=options.test or "", folds=_folds(kind, data, options, asked))
    training = replace(
        facts,
        features=data.features,
        classes=made.forest.classes,
        label=data.label,
        train_rows=len(train_y),
        test_rows=judged.rows,
        sample=made.sample,
        importance=_ranked(fields, made.weights * 100.0),
        metrics=judged.metrics,
        evaluation=evaluation,
        calibration=calibration,
        profile=profile(data.features, data.rows.filter(pa.array(train))) if record else (),
        probes=probes(train_x, lambda vectors: answers(made.forest, vectors)) if record else (),
        settled=made.settled,
    )
    return Fitted(training, made.estimator, made.forest)


def _numbers(
    kind: ModelKind,
    data: Targeted,
    target: str,
    options: FitOptions,
    control: Control,
    test: pa.Table | None,
    facts: Training,
    record: bool,
) -> Fitted:
    """A model of a target that is a number. Raises MlError on options that only classes have."""
    for name in ("folds", "calibrate", "class_weight"):
        if getattr(options, name):
            raise MlError(CLASSES_ONLY, name=name, target=target)
    alike = np.zeros(len(data.codes), dtype=np.int64)
    held = held_out(data.rows, alike, plan_of(options)) if test is None else _none_held(len(alike))
    train = ~held.mask
    data = learnt_from(data, kind, train)
    train_x = data.matrix[train]
    problem = Problem(data.features, train_x, data.codes[train], ())
    learned = LEARNERS[kind](problem, options, _steps(control))
    matrix, truth = data.matrix[held.mask], data.codes[held.mask]
    if test is not None:
        check_schema(data.features, test.schema, INPUT_NAMED.fill(name=options.test or ""))
        wanted = target_of(test, target, kind, "regress")
        matrix, truth = encode(data.features, test.filter(pa.array(wanted.kept))), wanted.values
    training = replace(
        facts,
        features=data.features,
        label="DOUBLE",
        task=Task.REGRESS,
        train_rows=len(train_x),
        test_rows=len(truth),
        sample=learned.sample,
        importance=_ranked([spec.name for spec in data.features], learned.weights * 100.0),
        numbers=measure_numbers(truth, answers(learned.forest, matrix)[:, 0]) if len(truth) else None,
        profile=profile(data.features, data.rows.filter(pa.array(train))) if record else (),
        probes=probes(train_x, lambda vectors: answers(learned.forest, vectors)) if record else (),
    )
    return Fitted(training, learned.estimator, learned.forest)


def _steps(control: Control) -> Grow:
    def steps(parameter: str, trees: int, fit: Callable[[], object], estimator: Estimator) -> None:
        grow(estimator, trees, fit, control, parameter)

    return steps


def plan_of(options: FitOptions) -> Plan:
    """What the options say about the test."""
    by_time = options.split == "time"
    return Plan(options.holdout, options.seed, options.group, by_time, options.time, options.folds)


def _none_held(rows: int) -> Held:
    return Held(np.zeros(rows, dtype=np.bool_), Way.INPUT)


@dataclass(frozen=True)
class Targeted:
    """Rows with a target, ready to train on: those rows, their vectors, and class codes or numbers; the classes in code
    order (none: numbers) and the type of the label."""

    rows: pa.Table
    features: tuple[FeatureSpec, ...]
    matrix: Matrix
    codes: Values
    classes: tuple[str, ...]
    label: str
    task: Task


def targeted(kind: ModelKind, rows: pa.Table, target: str, fields: Sequence[str], options: FitOptions) -> Targeted:
    """The rows of a training set that have a target. Raises MlError like ``fit_supervised``."""
    if rows.num_rows == 0:
        build_features(rows, fields)
    found = target_of(rows, target, kind, options.task)
    if target in fields:
        raise MlError(TARGET_IS_FEATURE, name=target)
    usable = rows.filter(pa.array(found.kept))
    features = build_features(usable if set(fields) <= set(rows.column_names) else rows, fields, CHOICES[kind])
    matrix = encode(features, usable)
    return Targeted(usable, features, matrix, found.values, found.classes, found.type, found.task)


def learnt_from(data: Targeted, kind: ModelKind, train: NDArray[np.bool_]) -> Targeted:
    """The data with the encoders of text fields learnt from the training part alone.

    An encoder that has seen the texts of the test makes the test too easy: over texts that hardly repeat a forest
    showed accuracy 1.0, and 0.54 on new rows. A field without any text in the part keeps its encoder.
    """
    texts = [spec.name for spec in data.features if spec.kind is FeatureKind.CATEGORICAL]
    if not texts or train.all():
        return data
    part = data.rows.filter(pa.array(train)).select(texts)
    known = [name for name in texts if part.column(name).null_count < part.num_rows]
    anew = {spec.name: spec for spec in build_features(part, known, CHOICES[kind])} if known else {}
    features = tuple(anew.get(spec.name, spec) for spec in data.features)
    return replace(data, features=features, matrix=encode(features, data.rows))


@dataclass(frozen=True)
class Grown:
    """A classifier, trained on classes of which some may have been missing: ``present``, the codes of those it knows
    among ``classes``; weights: importance per field; sample: rows per tree."""

    estimator: Estimator
    forest: Forest
    present: Codes
    classes: int
    sample: int
    weights: NDArray[np.float64]
    settled: bool

    def __call__(self, matrix: Matrix) -> Chances:
        """Probabilities, a column per class of the whole set; 0 for those that the forest does not know."""
        out = np.zeros((len(matrix), self.classes))
        out[:, self.present] = answers(self.forest, matrix)
        return out


def grown(
    kind: ModelKind, data: Targeted, matrix: Matrix, codes: Codes, options: FitOptions, control: Control
) -> Grown:
    """A classifier of these rows. Raises MlError: one class only."""
    classes, present = data.classes, np.unique(codes)
    if len(present) < 2:
        raise MlError(ONE_CLASS_LEFT, value=classes[int(present[0])] if len(present) else "", rows=len(codes))
    own, known = np.searchsorted(present, codes), tuple(classes[k] for k in present)
    weights = class_weights(options.class_weight, known, own, classes)
    control.check()
    learned = LEARNERS[kind](Problem(data.features, matrix, own, known, weights), options, _steps(control))
    control.check()
    return Grown(
        learned.estimator, learned.forest, present, len(classes), learned.sample, learned.weights, learned.settled
    )


@dataclass(frozen=True)
class Judged:
    """What the rows of the test say: how many they are, the figures, what was seen before and what shuffling costs."""

    rows: int
    metrics: Metrics | None
    evaluation: Evaluation


def tested(made: Grown, data: Targeted, mask: Any, test: pa.Table | None, target: str, options: FitOptions) -> Judged:
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
    learn: Learn, data: Targeted, train: Any, options: FitOptions, known: Sequence[str]
) -> Calibration | None:
    """Curves from rows of the training by forests that were trained on its other rows."""
    if not options.calibrate:
        return None
    rows, matrix, codes = data.rows.filter(pa.array(train)), data.matrix[train], data.codes[train]
    plan = replace(plan_of(options), parts=options.folds or CALIBRATION_PARTS)
    chances, truth = out_of_fold(learn, matrix, codes, len(data.classes), parts_of(rows, codes, plan))
    present = [data.classes.index(label) for label in known]
    return fitted(chances[:, present], np.searchsorted(present, truth), method_for(options.calibrate, len(codes)))


def _folds(kind: ModelKind, data: Targeted, options: FitOptions, control: Control) -> tuple[FoldScore, ...]:
    if not options.folds:
        return ()
    found: list[FoldScore] = []
    for part in parts_of(data.rows, data.codes, plan_of(options)):
        mask = np.zeros(len(data.codes), dtype=np.bool_)
        mask[part[0]] = True
        known = learnt_from(data, kind, mask)

        def learn(matrix: Matrix, codes: Codes, known: Targeted = known) -> Grown:
            return grown(kind, known, matrix, codes, options, Control(cancelled=control.cancelled))

        found += cross_validated(learn, known.matrix, data.codes, len(data.classes), [part])
    return tuple(found)


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
    grow(estimator, options.trees, lambda: estimator.fit(matrix), control)
    estimator.set_params(warm_start=False)
    forest = isolation_forest([e.tree_ for e in estimator.estimators_], width_of(features), sample)
    facts = _facts(rows.num_rows, started)
    training = replace(facts, features=features, task=Task.SCORE, train_rows=rows.num_rows, sample=sample)
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
    credit = per_field(training.features, np.maximum(isolation_contributions(forest, chosen), 0.0).sum(axis=0))
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


def _ranked(fields: Sequence[str], values: NDArray[np.float64]) -> tuple[tuple[str, float], ...]:
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
    if manifest.kind.supervised:
        target = manifest.target or ""
        return fit_supervised(manifest.kind, rows, target, manifest.fields, manifest.options, control, test)
    return fit_iforest(rows, manifest.fields, manifest.options, control)
