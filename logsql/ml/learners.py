"""The kinds of supervised models: how each is trained on a matrix, what is stored of it and what scores with it.

Contract
- A ``Learner`` takes a ``Problem`` (matrix, targets, fields) and gives a ``Learned``: the estimator to be stored, the
  forest to score with and the weight of each field.
- Everything around it, such as hold-out, metrics and encoders, is the same for all kinds (``logsql.ml.train``).
- The same problem and seed give the same model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logsql.ml import encoders
from logsql.ml.boosting import boosted_trees, boosted_weights, stored_boosting
from logsql.ml.features import FeatureSpec, per_field
from logsql.ml.linear import learn_linear, stored_linear
from logsql.ml.model import FitOptions, ModelKind
from logsql.ml.quiet import quiet
from logsql.ml.untyped import Estimator, Values
from udfs.estimators import RegressionForest
from udfs.forests import Forest, Matrix, classification_forest


@dataclass(frozen=True)
class Problem:
    """What is learnt: ``matrix`` (rows, columns of ``features``), ``target`` class codes or numbers per row, and the
    class texts by code (empty: the target is a number); weights: of the classes by code, None: all alike."""

    features: tuple[FeatureSpec, ...]
    matrix: Matrix
    target: Values
    classes: tuple[str, ...]
    weights: Mapping[int, float] | None = None

    @property
    def weighed(self) -> dict[str, Mapping[int, float] | None]:
        """The argument of an estimator for the weights; one of numbers has none."""
        return {} if self.regression else {"class_weight": self.weights}

    @property
    def regression(self) -> bool:
        return not self.classes


@dataclass(frozen=True)
class Learned:
    """estimator: what is stored; weights: importance per field, larger is more; sample: rows per tree; settled: whether
    the training came to its end within its rounds."""

    estimator: object
    forest: Forest
    weights: NDArray[np.float64]
    sample: int
    settled: bool = True


#: Calls ``fit`` with the estimator at each tenth of its trees (parameter, trees, fit): progress, cancel, deadline.
Grow = Callable[[str, int, Callable[[], object], Estimator], None]
Learner = Callable[[Problem, FitOptions, Grow], Learned]


def workers() -> int:
    """Threads of a training: one core stays with the shell."""
    return max(1, (os.cpu_count() or 2) - 1)


def learn_forest(problem: Problem, options: FitOptions, grow: Grow) -> Learned:
    """A random forest of votes, or of numbers."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    chosen: dict[str, int | None] = {"max_depth": options.depth, "min_samples_leaf": options.leaf}
    if options.sample is not None:
        chosen["max_samples"] = min(options.sample, len(problem.target))
    make = RandomForestRegressor if problem.regression else RandomForestClassifier
    estimator = make(
        n_estimators=1, warm_start=True, random_state=options.seed, n_jobs=workers(), **chosen, **problem.weighed
    )
    grow("n_estimators", options.trees, lambda: estimator.fit(problem.matrix, problem.target), estimator)
    # With two jobs the last bit of a probability varies from run to run.
    estimator.set_params(n_jobs=1, warm_start=False)
    trees = [member.tree_ for member in estimator.estimators_]
    width = problem.matrix.shape[1]
    forest = (
        RegressionForest(tuple(trees), width)
        if problem.regression
        else classification_forest(trees, width, problem.classes)
    )
    weights = per_field(problem.features, np.asarray(estimator.feature_importances_))
    return Learned(estimator, forest, weights, chosen.get("max_samples") or len(problem.target))


def learn_boosting(problem: Problem, options: FitOptions, grow: Grow) -> Learned:
    """Gradient boosting on histograms; fields with few texts are split as sets of texts."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    make = HistGradientBoostingRegressor if problem.regression else HistGradientBoostingClassifier
    estimator = make(
        learning_rate=options.rate,
        max_iter=1,
        max_leaf_nodes=options.leaves,
        max_depth=options.depth,
        min_samples_leaf=options.leaf,
        l2_regularization=0.0,
        categorical_features=text_columns(problem.features),
        early_stopping=False,
        warm_start=True,
        random_state=options.seed,
        **problem.weighed,
    )
    matrix = np.asarray(problem.matrix, dtype=np.float64)
    grow("max_iter", options.trees, lambda: estimator.fit(matrix, problem.target), estimator)
    stored = stored_boosting(estimator, problem.features)
    forest = boosted_trees(stored, problem.matrix.shape[1], problem.classes)
    weights = per_field(problem.features, boosted_weights(stored, problem.matrix.shape[1]))
    return Learned(stored, forest, weights, len(problem.target))


def text_columns(features: Sequence[FeatureSpec]) -> list[bool] | None:
    """Which columns of the matrix boosting splits as sets; None: none of them."""
    marks = [spec.encoder is encoders.Encoder.CATEGORIES for spec in features for _ in range(spec.size)]
    return marks if any(marks) else None


def learn_logit(problem: Problem, options: FitOptions, grow: Grow) -> Learned:
    """A logistic regression over standardised numbers and a column per text."""
    with quiet():
        estimator, rounds = learn_linear(
            problem.features, problem.matrix, problem.target, options.penalty, problem.weights
        )
    stored, forest, weights = stored_linear(estimator, problem.features, problem.matrix, problem.classes)
    return Learned(stored, forest, per_field(problem.features, weights), len(problem.target), settled=rounds)


LEARNERS: dict[ModelKind, Learner] = {
    ModelKind.RFOREST: learn_forest,
    ModelKind.GBOOST: learn_boosting,
    ModelKind.LOGIT: learn_logit,
}
#: The encoder of a text field, by kind of model and number of texts.
CHOICES: dict[ModelKind, encoders.Choice] = {
    ModelKind.RFOREST: encoders.codes,
    ModelKind.IFOREST: encoders.codes,
    ModelKind.GBOOST: encoders.sets,
    ModelKind.LOGIT: encoders.columns,
}
