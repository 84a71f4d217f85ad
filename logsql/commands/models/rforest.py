"""``rforest``: the class of each row, guessed by a random forest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.commands.models._shared_ml import (
    EXPLAIN,
    MODEL,
    MODEL_ERRORS,
    SIZE,
    TIMEOUT,
    TRAIN_ELSEWHERE,
    TRAINING_ERRORS,
    field_list,
    in_stream,
    loader,
    model_card,
    only_one,
    scored_fields,
    seconds,
    training_side,
)
from logsql.diagnostics.messages import text
from logsql.diagnostics.modeldata import TARGET_MISSING
from logsql.diagnostics.models import MODEL_EMPTY, TARGET_IS_FEATURE, THE_ROWS, TRAINING_SUBQUERY
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Name, Subquery
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values.types import BOOL, DATE, DOUBLE, FLOAT, INT, IP, LONG, MAP, STRING, ULONG, Kind, LType, list_of

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
ERROR = "_rforest_error"


MODEL_AND_TARGET = INVALID_OPTION.says(
    (
        "model= uses a trained model and target= trains one: give one of them",
        "model=은 학습된 모델을 쓰고 target=은 새로 학습합니다. 둘 중 하나만 쓰세요",
    ),
    help=("remove model= or target=", "model=이나 target=을 지우세요"),
)
NO_MODEL = MODEL_EMPTY.says(
    ("rforest needs model= or target=", "rforest에는 model=이나 target=이 필요합니다"),
    help=(
        "rforest model=NAME [FIELD, ...], or rforest target=LABEL FIELD, ... [ QUERY ]",
        "rforest model=이름 [필드, ...] 또는 rforest target=레이블 필드, ... [ 쿼리 ]",
    ),
)


@dataclass(frozen=True)
class RforestArgs:
    """The features (none: all fields of the stored model) and the training subquery, if any."""

    fields: tuple[Name, ...]
    subquery: Subquery | None


def parse(reader: ArgReader) -> RforestArgs:
    model, target = reader.option("model"), reader.option("target")
    if model is not None and target is not None:
        reader.fail(MODEL_AND_TARGET, target.span)
    if model is None and target is None:
        reader.fail(NO_MODEL)
    fields = field_list(reader, required=target is not None)
    subquery = reader.subquery(required=target is not None)
    if model is not None:
        only_one(reader, model, subquery)
    return RforestArgs(fields, subquery)


def lower(stage: Stage) -> Rel:
    return _stored(stage) if stage.command.option("model") is not None else _trained(stage)


def _answers(stage: Stage, guess: LType, failing: bool) -> list[Answer]:
    from logsql.operators.models import Answer  # for cost: pyarrow.compute

    answers = [Answer("_guess", guess)]
    if stage.option("probability"):
        answers += [Answer("_probability", DOUBLE), Answer("_probabilities", MAP)]
    if stage.option("explain"):
        answers.append(Answer("_reasons", list_of(MAP)))
    if failing:
        answers.append(Answer(ERROR, STRING))
    return answers


def _stored(stage: Stage) -> Rel:
    from logsql.ml.model import ModelKind  # for cost: pyarrow.compute

    args = stage.arguments(RforestArgs)
    manifest = model_card(stage, ModelKind.RFOREST, args.fields)
    rel, found = scored_fields(stage, manifest, args.fields)
    assert manifest.training is not None
    guess = _guess_type(rel, manifest.target or "", manifest.training.label)
    return _score(stage, rel, found, loader(stage, manifest, ModelKind.RFOREST), guess)


_TYPES = {t.physical: t for t in (BOOL, INT, LONG, ULONG, FLOAT, DOUBLE, DATE, STRING)} | {"IP": IP}


def _guess_type(rel: Rel, target: str, trained: str) -> LType:
    """The type of the label in training; text where these rows hold the label as text.

    A CSV file is trained on with the numbers it holds, and ``csvfile`` reads the same labels as texts.
    """
    here = rel.column(target)
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

    args = stage.arguments(RforestArgs)
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
    size, timeout = stage.option("size"), seconds(stage, "timeout")
    features_ = [f.name for f in known]

    def train_model(runtime: StageRuntime) -> TrainedModel:
        from logsql.ml.stages import train_rforest  # for cost: pyarrow.compute
        from logsql.ml.train import Control  # for cost: pyarrow.compute
        from logsql.ml.transforms import training_rows  # for cost: pyarrow.compute

        control = Control.with_timeout(timeout)
        rows = training_rows(runtime, fields)
        control.cancelled = runtime.state.cancel
        return train_rforest(rows, target.text, features_, size, control=control)

    stage.remark(TRAINS_FIRST)
    return _score(stage, rel, found, train_model, label_answer(label.value), read)


def _score(
    stage: Stage, rel: Rel, found: list[Feature], make: Obtain, guess: LType, training: Rel | None = None
) -> Rel:
    from logsql.operators.models import scored  # for cost: pyarrow.compute

    answers = _answers(stage, guess, failing=training is not None)
    probabilities, explain = bool(stage.option("probability")), stage.option("explain")

    def transform(fields: tuple[FieldForms, ...], weight: str | None) -> Scoring:
        import os

        from logsql.ml.transforms import Scoring, once  # for cost: pyarrow.compute
        from udfs.inference import BatchScorer  # for cost: pyarrow.compute

        def scorer(model: TrainedModel) -> BatchScorer:
            threads = os.cpu_count() or 1
            return BatchScorer(model, probabilities=probabilities, explain=explain, threads=threads, memory=0)

        names = tuple(a.name for a in answers)
        failed = ERROR if training is not None else None
        documents = frozenset({"_guess"} if guess.json else ())
        parts = stage.chain.carry is not None
        return Scoring("rforest", fields, names, once(make), scorer, weight, failed, documents, parts)

    return scored(stage, rel, found, answers, transform, () if training is None else (training,))


_SEEN = [(12, "chrome"), (11, "edge"), (2, "curl"), (3, "zgrab"), (13, "chrome"), (1, "curl")] * 5
_KNOWN = [{"headers": h, "agent": a, "label": "BENIGN" if h > 6 else "MALICIOUS"} for h, a in _SEEN]

register(
    CommandSpec(
        name="rforest",
        group=Group.ML,
        summary=("Guess the class of each row with a random forest.", "랜덤 포레스트로 각 행의 분류를 예측합니다."),
        usage=(
            "rforest [size=N] [probability=t] [explain=N] model=NAME [FIELD, ...]",
            "rforest [size=N] [probability=t] [explain=N] [timeout=SPAN] target=FIELD FIELD, ... [ QUERY ]",
        ),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST, duties.QUERY),
        subquery=duties.Subquery.ALONE,
        order=duties.KEEPS_ORDER,
        stream=in_stream,
        instead=TRAIN_ELSEWHERE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            SIZE,
            MODEL,
            OptionSpec(
                "target",
                OptionKind.FIELD,
                ("label field of the training subquery", "학습 서브쿼리의 레이블 필드"),
                reads=False,
            ),
            TIMEOUT,
            OptionSpec(
                "probability",
                OptionKind.BOOL,
                ("add _probability and _probabilities", "_probability와 _probabilities 필드를 추가"),
                default=False,
                extension=True,
            ),
            EXPLAIN,
        ),
        description="""\
Every row stays, in order, and gets `_guess`, the guessed label, in the label's own type: a number for numeric labels, a
boolean, a date, else text. So `_guess == label` is true where the guess is right. With a stored model `_guess` is text
where the rows hold the label as text (as `csvfile` reads it), and with a model of an older version, which kept only
texts. With `probability=t` there are `_probability` (of the guess, 0 to 1) and `_probabilities` (a map of all
labels).

With `explain=N` the field `_reasons` says why: a list of `{field, weight}` with the N fields that weighed most, up or
down. A weight is what the field added to the probability of the guess along the paths of the trees (Saabas, 2014).
`(others)` is the sum of the fields not named, `(base)` the mean probability of that label in training; all weights of
a list add up to `_probability`. So `_reasons[0].field` is the first reason. Fields that say the same share the credit,
and a weight tells how the forest decided, not what causes what.

With `model=NAME` the model was made with `ml.createModel` and trained with `ml.fit`. The fields after it may be left
out; when given they are the model's fields, in any order. A model that is unknown, untrained or of another type, and
a field that is missing or of another type than the one trained on, are refused before a row is read.

With `target=LABEL FIELD, ... [ QUERY ]` the forest is trained on the rows of the subquery each time the query runs.
Rows without a label take no part. When the training fails because of the data (no rows, one class only, a field
without a value, `timeout=`), the query goes on: `_guess` is null and `_rforest_error` holds the reason. The field
`_rforest_error` is null otherwise.

Features are numbers, dates, addresses, booleans and text. A null, and a text that the training has not seen, count as
missing values; such texts enter the ledger. Each distinct combination of features is scored once. The same data gives
the same model.
""",
        examples=(
            Example(
                "Which clients look like attackers?",
                "table requests | rforest target=label headers, agent [ table known ] | fields id, _guess",
                ({"id": 1, "_guess": "BENIGN"}, {"id": 2, "_guess": "MALICIOUS"}),
                {
                    "requests": [{"id": 1, "headers": 12, "agent": "edge"}, {"id": 2, "headers": 2, "agent": "curl"}],
                    "known": _KNOWN,
                },
            ),
        ),
        errors=(
            *MODEL_ERRORS,
            TARGET_MISSING.when(
                ("the subquery has no field of the name target=", "서브쿼리에 target=으로 지정한 필드가 없습니다")
            ),
            *TRAINING_ERRORS,
        ),
        notes=(
            (
                "The confusion matrix is `| stats count by _guess, label`.",
                "혼동 행렬은 `| stats count by _guess, label`(으)로 구합니다.",
            ),
        ),
    )
)
