"""A model as the rest of the program sees it: a manifest (facts, readable JSON) and, once trained, its forest.

The manifest is the side file of the stored model: kind, fields with their encoding rules, classes, options, hold-out,
metrics, importance, library versions and the hash of the payload. Nothing in it is code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import pyarrow as pa

from logsql.diagnostics.models import MODEL_NAMED, THE_MODEL
from logsql.ml.calibration import Calibration
from logsql.ml.defaults import TREES
from logsql.ml.drift import FieldProfile
from logsql.ml.evaluation import Evaluation
from logsql.ml.features import FeatureSpec, check_schema, encode, row_encoder, typed_classes
from logsql.ml.metrics import Metrics, NumberMetrics
from udfs.forests import Forest, Matrix

FORMAT = 1


class ModelKind(StrEnum):
    """``rforest``: random forest; ``gboost``: gradient boosting; ``logit``: linear classifier; ``iforest``: isolation
    forest (the ``anomalies`` command)."""

    RFOREST = "rforest"
    IFOREST = "iforest"
    GBOOST = "gboost"
    LOGIT = "logit"

    @property
    def supervised(self) -> bool:
        """Whether it learns a target."""
        return self is not ModelKind.IFOREST


class Task(StrEnum):
    """What a trained model answers: a class, a number, or how easily a row is told apart."""

    CLASSIFY = "classify"
    REGRESS = "regress"
    SCORE = "score"


@dataclass(frozen=True)
class FitOptions:
    """Hyper-parameters. None means the documented default: unlimited depth, sample floor(sqrt(rows)).

    trees: number of trees (of boosting: rounds; of a linear model none); depth: deepest split; leaf: smallest leaf;
    leaves: most leaves of a tree of boosting; rate: share that a round of boosting corrects; penalty: L2 penalty of a
    linear model; sample: rows per tree; holdout: share of rows kept out of training; seed: of the model and of the
    hold-out; task: ``auto``, ``classify`` or ``regress``.
    How it is tested: group: rows of equal values of this field are held out together; split: ``time`` holds out the
    latest rows, by the field ``time``; test: the input whose rows are the test; folds: parts of a cross-validation.
    calibrate: empty, ``t``, ``isotonic`` or ``sigmoid``; class_weight: empty, ``balanced`` or ``LABEL:WEIGHT, ...``.
    """

    trees: int = TREES
    depth: int | None = None
    leaf: int = 1
    sample: int | None = None
    holdout: float = 0.2
    seed: int = 42
    group: str | None = None
    split: str | None = None
    time: str | None = None
    test: str | None = None
    folds: int = 0
    calibrate: str = ""
    class_weight: str = ""
    leaves: int = 31
    rate: float = 0.1
    penalty: float = 1.0
    task: str = "auto"

    @staticmethod
    def of(kind: ModelKind, given: Mapping[str, Any]) -> FitOptions:
        """The options of a kind of model: those given, and the defaults of scikit-learn for the others."""
        return FitOptions(**{**_KIND_DEFAULTS.get(kind, {}), **given})

    def changed(self, kind: ModelKind = ModelKind.RFOREST) -> dict[str, object]:
        """The options that differ from their defaults, for the model card (empty with defaults, as printed by the
        article)."""
        plain = FitOptions.of(kind, {})
        return {name: value for name, value in vars(self).items() if value != getattr(plain, name)}


#: A boosted tree has leaves of at least 20 rows where nothing else is said, a tree of a forest of one.
_KIND_DEFAULTS: dict[ModelKind, dict[str, int]] = {ModelKind.GBOOST: {"leaf": 20}}


@dataclass(frozen=True)
class ScoreSummary:
    """Scores of an isolation forest on its training rows: lowest, median, 99th percentile, highest, and the values at
    ``outliers.POSITIONS`` (none in models of before)."""

    low: float
    median: float
    p99: float
    high: float
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Training:
    """Everything known about a finished training. label: type of the target, a key of ``features.LABEL_TYPES``.

    importance: in percent, of what the trees split by, of what isolates rows (``iforest``) or of what moves the sum
    (``logit``); evaluation: how it was tested (classifiers); numbers: errors of a regression; calibration: what
    corrects the probabilities; profile: the values of the features; source: kind and text (file or query) of the
    input; probes: vectors with the answers that the model gave to them; settled: whether the training came to its end
    within its rounds.
    """

    features: tuple[FeatureSpec, ...]
    classes: tuple[str, ...]
    rows: int
    train_rows: int
    test_rows: int
    skipped_rows: int
    sample: int
    importance: tuple[tuple[str, float], ...]
    metrics: Metrics | None
    scores: ScoreSummary | None
    elapsed: float
    finished: str
    versions: tuple[tuple[str, str], ...]
    payload: str = ""
    sha256: str = ""
    label: str = "VARCHAR"
    evaluation: Evaluation | None = None
    calibration: Calibration | None = None
    profile: tuple[FieldProfile, ...] = ()
    source: tuple[str, str] = ("", "")
    probes: tuple[tuple[tuple[float | None, ...], tuple[float, ...]], ...] = ()
    task: Task = Task.CLASSIFY
    numbers: NumberMetrics | None = None
    settled: bool = True


@dataclass(frozen=True)
class Manifest:
    """Side file of a model. ``training`` is None until ``ml.fit`` has finished once; version: which training it is."""

    name: str
    kind: ModelKind
    input: str
    fields: tuple[str, ...]
    target: str | None = None
    cardinality: int | None = None
    options: FitOptions = field(default_factory=FitOptions)
    created: str = ""
    training: Training | None = None
    version: int = 1

    def renamed(self, name: str) -> Manifest:
        return replace(self, name=name)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "format": FORMAT,
            "name": self.name,
            "kind": self.kind.value,
            "input": self.input,
            "target": self.target,
            "cardinality": self.cardinality,
            "fields": list(self.fields),
            "options": dict(vars(self.options)),
            "created": self.created,
            "version": self.version,
        }
        if self.training is not None:
            out["training"] = _training_json(self.training)
        return out

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Manifest:
        """Raises ValueError, KeyError or TypeError on anything that ``to_json`` does not write."""
        if data["format"] != FORMAT:
            raise ValueError(f"manifest format {data['format']}")
        training = data.get("training")
        return Manifest(
            name=_text(data["name"]),
            kind=ModelKind(data["kind"]),
            input=_text(data["input"]),
            fields=tuple(_text(name) for name in data["fields"]),
            target=None if data["target"] is None else _text(data["target"]),
            cardinality=None if data["cardinality"] is None else int(data["cardinality"]),
            options=_options(data["options"]),
            created=_text(data["created"]),
            training=None if training is None else _training(training),
            version=int(data.get("version", 1)),
        )


def canonical(data: Mapping[str, Any]) -> bytes:
    """The one byte form of a manifest, for sealing."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _options(data: Mapping[str, Any]) -> FitOptions:
    for name in ("group", "split", "time", "test", "calibrate", "class_weight"):
        if data.get(name) is not None:
            _text(data[name])
    return FitOptions(**data)


def _training_json(training: Training) -> dict[str, Any]:
    out = dict(vars(training))
    out["features"] = [spec.to_json() for spec in training.features]
    out["metrics"] = None if training.metrics is None else training.metrics.to_json()
    out["numbers"] = None if training.numbers is None else dict(vars(training.numbers))
    out["scores"] = None if training.scores is None else dict(vars(training.scores))
    out["importance"] = [list(pair) for pair in training.importance]
    out["classes"] = list(training.classes)
    out["versions"] = dict(training.versions)
    out["evaluation"] = None if training.evaluation is None else training.evaluation.to_json()
    out["calibration"] = None if training.calibration is None else training.calibration.to_json()
    out["profile"] = [field.to_json() for field in training.profile]
    return out


def _training(data: Mapping[str, Any]) -> Training:
    evaluation, calibration = data.get("evaluation"), data.get("calibration")  # models of before have none
    kind, text = data.get("source", ("", ""))
    return Training(
        features=tuple(FeatureSpec.from_json(spec) for spec in data["features"]),
        classes=tuple(_text(label) for label in data["classes"]),
        rows=int(data["rows"]),
        train_rows=int(data["train_rows"]),
        test_rows=int(data["test_rows"]),
        skipped_rows=int(data["skipped_rows"]),
        sample=int(data["sample"]),
        importance=tuple((_text(name), float(value)) for name, value in data["importance"]),
        metrics=None if data["metrics"] is None else Metrics.from_json(data["metrics"]),
        scores=None if data["scores"] is None else _scores(data["scores"]),
        elapsed=float(data["elapsed"]),
        finished=_text(data["finished"]),
        versions=tuple((_text(k), _text(v)) for k, v in data["versions"].items()),
        payload=_text(data["payload"]),
        sha256=_text(data["sha256"]),
        # Models of before kept texts only; their guesses stay texts.
        label=_label(data.get("label", "VARCHAR"), data["classes"]),
        evaluation=None if evaluation is None else Evaluation.from_json(evaluation),
        calibration=None if calibration is None else Calibration.from_json(calibration, len(data["classes"])),
        profile=tuple(FieldProfile.from_json(field) for field in data.get("profile", ())),
        source=(_text(kind), _text(text)),
        probes=tuple(
            (tuple(None if v is None else float(v) for v in vector), tuple(float(v) for v in answer))
            for vector, answer in data.get("probes", ())
        ),
        # Those of before were classifiers where they had classes.
        task=Task(data.get("task", "classify" if data["classes"] else "score")),
        numbers=None if data.get("numbers") is None else NumberMetrics.from_json(data["numbers"]),
        settled=bool(data.get("settled", True)),
    )


def _scores(data: Mapping[str, Any]) -> ScoreSummary:
    """Models of before kept no quantiles."""
    plain = {name: float(value) for name, value in data.items() if name != "quantiles"}
    return ScoreSummary(**plain, quantiles=tuple(float(value) for value in data.get("quantiles", ())))


def _label(name: Any, classes: Sequence[str]) -> str:
    typed_classes(classes, name)
    return _text(name)


@dataclass(frozen=True)
class TrainedModel:
    """A verified model ready to score: satisfies ``udfs.inference.ScoringModel``."""

    manifest: Manifest
    training: Training
    forest: Forest

    @property
    def owner(self) -> str:
        """The model as a sentence names it, in the language in force."""
        return MODEL_NAMED.fill(name=self.manifest.name) if self.manifest.name else THE_MODEL.fill()

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        return self.training.features

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        return tuple(spec.name for spec in self.training.features)

    @cached_property
    def field_sizes(self) -> tuple[int, ...]:
        """Columns of the matrix per field."""
        return tuple(spec.size for spec in self.training.features)

    @cached_property
    def labels(self) -> pa.Array:
        """The classes in code order, as values of the label's own type."""
        return typed_classes(self.training.classes, self.training.label)

    def check(self, schema: pa.Schema) -> None:
        """Refuse rows that cannot be scored (see ``features.check_schema``)."""
        check_schema(self.training.features, schema, self.owner)

    def encode(self, rows: pa.Table) -> Matrix:
        self.check(rows.schema)
        return encode(self.training.features, rows)

    @cached_property
    def _encode_row(self) -> Any:
        return row_encoder(self.training.features)

    def encode_row(self, row: Mapping[str, Any]) -> Sequence[float]:
        vector: list[float] = self._encode_row(row)
        return vector
