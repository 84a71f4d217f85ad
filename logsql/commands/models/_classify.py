"""What commands share that guess the label of each row: from a stored model, or from a training in the same query.

One model kind has one command of its name. The reason why no model could be trained stands in ``_NAME_error``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.commands.models._shared_ml import (
    MODEL_ERRORS,
    TRAINING_ERRORS,
    field_list,
    loader,
    model_card,
    number_option,
    only_one,
    scored_fields,
    seconds,
    training_side,
)
from logsql.diagnostics.messages import text
from logsql.diagnostics.modeldata import ASK_REGRESSION, TARGET_MISSING, TOO_MANY_CLASSES
from logsql.diagnostics.models import MODEL_EMPTY, TARGET_IS_FEATURE, THE_ROWS, TRAINING_SUBQUERY, MlError
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Name, Subquery
from logsql.planner.relation import Rel
from logsql.planner.spec import OptionKind, OptionSpec
from logsql.planner.stage import Stage
from logsql.values.types import (
    ANY_JSON,
    BOOL,
    DATE,
    DOUBLE,
    FLOAT,
    INT,
    IP,
    LONG,
    MAP,
    STRING,
    ULONG,
    Kind,
    LType,
    list_of,
)

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.ml.forms import FieldForms
    from logsql.ml.model import TrainedModel
    from logsql.ml.transforms import Obtain, Scoring
    from logsql.operators.models import Answer, Feature
    from logsql.planner.runtime import StageRuntime

TRAINS_FIRST = text(
    "trains on the rows of the subquery before the first guess", "첫 예측 전에 서브쿼리의 행으로 학습합니다"
)

MODEL_AND_TARGET = INVALID_OPTION.says(
    (
        "model= uses a trained model and target= trains one: give one of them",
        "model=은 학습된 모델을 쓰고 target=은 새로 학습합니다. 둘 중 하나만 쓰세요",
    ),
    help=("remove model= or target=", "model=이나 target=을 지우세요"),
)
NO_MODEL = MODEL_EMPTY.says(
    ("{command} needs model= or target=", "{command}에는 model=이나 target=이 필요합니다"),
    help=(
        "{command} model=NAME [FIELD, ...], or {command} target=LABEL FIELD, ... [ QUERY ]",
        "{command} model=이름 [필드, ...] 또는 {command} target=레이블 필드, ... [ 쿼리 ]",
    ),
)


@dataclass(frozen=True)
class GuessArgs:
    """The features (none: all fields of the stored model) and the training subquery, if any."""

    fields: tuple[Name, ...]
    subquery: Subquery | None


def parse(reader: ArgReader) -> GuessArgs:
    model, target = reader.option("model"), reader.option("target")
    if model is not None and target is not None:
        reader.fail(MODEL_AND_TARGET, target.span)
    if model is None and target is None:
        reader.fail(NO_MODEL, command=reader.command)
    fields = field_list(reader, required=target is not None)
    subquery = reader.subquery(required=target is not None)
    if model is not None:
        only_one(reader, model, subquery)
    return GuessArgs(fields, subquery)


def lower(stage: Stage) -> Rel:
    return _stored(stage) if stage.command.option("model") is not None else _trained(stage)


def error_field(command: str) -> str:
    """The field that tells why the command could train no model."""
    return f"_{command}_error"


#: Option of a command -> field of ``FitOptions``.
_FIT = {"size": "trees", "depth": "depth", "leaf": "leaf", "leaves": "leaves", "task": "task"}


def _options(stage: Stage) -> dict[str, object]:
    """The options of the training that the command declares, by the field of ``FitOptions``."""
    known = {option.name for option in stage.spec.options}
    found = {field: stage.option(name) for name, field in _FIT.items() if name in known}
    if "rate" in known:
        found["rate"] = number_option(stage, "rate", 0.1, 0.0, 1.0)
    if "penalty" in known:
        found["penalty"] = number_option(stage, "penalty", 1.0, -1e-300, 1e12)
    return found


def _explain(stage: Stage) -> int:
    """How many fields ``_reasons`` names, 0 for a command that gives none."""
    known = any(option.name == "explain" for option in stage.spec.options)
    return int(stage.option("explain")) if known else 0


def _answers(stage: Stage, guess: LType, failing: bool) -> list[Answer]:
    from logsql.operators.models import Answer  # for cost: pyarrow.compute

    answers = [Answer("_guess", guess)]
    if stage.option("probability"):
        answers += [Answer("_probability", DOUBLE), Answer("_probabilities", MAP)]
    if _explain(stage):
        answers.append(Answer("_reasons", list_of(MAP)))
    if failing:
        answers.append(Answer(error_field(stage.spec.name), STRING))
    return answers


def _stored(stage: Stage) -> Rel:
    from logsql.ml.model import ModelKind  # for cost: pyarrow.compute

    args = stage.arguments(GuessArgs)
    kind = ModelKind(stage.spec.name)
    manifest = model_card(stage, kind, args.fields)
    rel, found = scored_fields(stage, manifest, args.fields)
    assert manifest.training is not None
    guess = _guess_type(rel, manifest.target or "", manifest.training.label, bool(manifest.training.classes))
    return _score(stage, rel, found, loader(stage, manifest, kind), guess)


TASK = OptionSpec(
    "task",
    OptionKind.CHOICE,
    (
        "auto: a number with many values is guessed as a number, all else as a class",
        "auto: 값이 많은 숫자는 숫자로, 그 밖에는 클래스로 예측",
    ),
    "auto",
    ("auto", "classify", "regress"),
    extension=True,
)
PROBABILITY = OptionSpec(
    "probability",
    OptionKind.BOOL,
    ("add _probability and _probabilities", "_probability와 _probabilities 필드를 추가"),
    default=False,
    extension=True,
)
TARGET = OptionSpec(
    "target",
    OptionKind.FIELD,
    ("label field of the training subquery", "학습 서브쿼리의 레이블 필드"),
    reads=False,
)
GUESS_ERRORS = (
    *MODEL_ERRORS,
    TARGET_MISSING.when(
        ("the subquery has no field of the name target=", "서브쿼리에 target=으로 지정한 필드가 없습니다")
    ),
    *TRAINING_ERRORS,
    TOO_MANY_CLASSES,
)
CONFUSION = (
    "The confusion matrix is `| stats count by _guess, label`.",
    "혼동 행렬은 `| stats count by _guess, label`(으)로 구합니다.",
)

_TYPES = {t.physical: t for t in (BOOL, INT, LONG, ULONG, FLOAT, DOUBLE, DATE, STRING)} | {"IP": IP}


def _guess_type(rel: Rel, target: str, trained: str, classes: bool) -> LType:
    """The type of the label in training; text where these rows hold the label as text.

    A CSV file is trained on with the numbers it holds, and ``csvfile`` reads the same labels as texts.
    """
    here = rel.column(target)
    if not classes:
        return DOUBLE
    return STRING if here is not None and here.type.kind is Kind.STRING else _TYPES[trained]


def _trained(stage: Stage) -> Rel:
    from logsql.operators.models import (  # for cost: pyarrow.compute
        check_against,
        expected_specs,
        features,
        forms_of,
        label_answer,
        label_forms,
        with_forms,
    )

    args = stage.arguments(GuessArgs)
    option = stage.command.option("target")
    assert option is not None
    assert args.subquery is not None
    target = Name(stage.option("target"), option.value_span)
    if target.text in [f.text for f in args.fields]:
        place = next(f.span for f in args.fields if f.text == target.text)
        stage.fail(TARGET_IS_FEATURE, place, name=target.text)
    train, known, label = training_side(stage, args.subquery, args.fields, target)
    assert label is not None
    rel, found = features(stage, stage.rel, args.fields, THE_ROWS.fill())
    check_against(expected_specs(known), found, TRAINING_SUBQUERY.fill())
    train, fields, columns = with_forms(stage, train, [*((f, forms_of) for f in known), (label, label_forms)])
    read = replace(train, columns=tuple(columns), carried=(), rest=None)
    command, options, timeout = stage.spec.name, _options(stage), seconds(stage, "timeout")
    features_ = [f.name for f in known]
    guess = DOUBLE if options.get("task") == "regress" else label_answer(label.value)

    def train_model(runtime: StageRuntime) -> TrainedModel:
        from logsql.ml.stages import train_guess  # for cost: pyarrow.compute
        from logsql.ml.train import Control  # for cost: pyarrow.compute
        from logsql.ml.transforms import training_rows  # for cost: pyarrow.compute

        control = Control.with_timeout(timeout)
        rows = training_rows(runtime, fields)
        control.cancelled = runtime.state.cancel
        model = train_guess(command, rows, target.text, features_, options, control)
        if not model.training.classes and guess not in (DOUBLE, ANY_JSON):
            raise MlError(ASK_REGRESSION, name=target.text, type=guess.label)
        return model

    stage.remark(TRAINS_FIRST)
    return _score(stage, rel, found, train_model, guess, read)


def _score(
    stage: Stage, rel: Rel, found: list[Feature], make: Obtain, guess: LType, training: Rel | None = None
) -> Rel:
    from logsql.operators.models import scored  # for cost: pyarrow.compute

    answers = _answers(stage, guess, failing=training is not None)
    probabilities, command = bool(stage.option("probability")), stage.spec.name
    explain = _explain(stage)

    def transform(fields: tuple[FieldForms, ...], weight: str | None) -> Scoring:
        import os

        from logsql.ml.transforms import Scoring, once  # for cost: pyarrow.compute
        from udfs.inference import BatchScorer  # for cost: pyarrow.compute

        def scorer(model: TrainedModel) -> BatchScorer:
            threads = os.cpu_count() or 1
            return BatchScorer(model, probabilities=probabilities, explain=explain, threads=threads, memory=0)

        names = tuple(a.name for a in answers)
        failed = error_field(command) if training is not None else None
        documents = frozenset({"_guess"} if guess.json else ())
        parts = stage.chain.carry is not None
        return Scoring(command, fields, names, once(make), scorer, weight, failed, documents, parts)

    return scored(stage, rel, found, answers, transform, () if training is None else (training,))
