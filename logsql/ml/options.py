"""What the options of a training may be, and what they mean for classes. Raises MlError before a row is read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from logsql.diagnostics.models import AT_LEAST, HYPER_PARAMETER, IN_RANGE, MlError
from logsql.diagnostics.modeltests import CLASS_WEIGHTS, CLASSIFIER_ONLY, ONE_OF, OPTIONS_TOGETHER, WEIGHT_OF_NONE
from logsql.ml.calibration import METHODS
from logsql.ml.evaluation import Codes
from logsql.ml.model import FitOptions, ModelKind


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
        ("leaves", options.leaves, 2, 100_000),
        ("rate", options.rate, 0.000_001, 1),
        ("penalty", options.penalty, 0, 1e12),
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
        ("task", options.task, ("auto", "classify", "regress")),
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
