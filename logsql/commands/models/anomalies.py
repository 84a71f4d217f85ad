"""``anomalies``: how easily each row is isolated from the others, by an isolation forest."""

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
from logsql.diagnostics.models import THE_ROWS, TRAINING_SUBQUERY
from logsql.diagnostics.options import NO_SUBQUERY
from logsql.language.tree import Name, Subquery
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values.types import DOUBLE, MAP, list_of

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.ml.forms import FieldForms
    from logsql.ml.model import TrainedModel
    from logsql.ml.transforms import Obtain, Scoring
    from logsql.operators.models import Feature
    from logsql.planner.runtime import StageRuntime


TRAINS_FIRST = text(
    "trains on the rows of the subquery before the first score", "첫 점수를 내기 전에 서브쿼리의 행으로 학습합니다"
)


@dataclass(frozen=True)
class AnomaliesArgs:
    """The features (none: all fields of the stored model) and the training subquery, if any."""

    fields: tuple[Name, ...]
    subquery: Subquery | None


def parse(reader: ArgReader) -> AnomaliesArgs:
    model = reader.option("model")
    fields = field_list(reader, required=model is None)
    subquery = reader.subquery(required=model is None)
    if model is not None:
        only_one(reader, model, subquery)
    return AnomaliesArgs(fields, subquery)


def lower(stage: Stage) -> Rel:
    from logsql.ml.model import ModelKind  # for cost: pyarrow.compute

    args = stage.arguments(AnomaliesArgs)
    if stage.command.option("model") is not None:
        manifest = model_card(stage, ModelKind.IFOREST, args.fields)
        rel, found = scored_fields(stage, manifest, args.fields)
        return _score(stage, rel, found, loader(stage, manifest, ModelKind.IFOREST))
    return _trained(stage)


def _trained(stage: Stage) -> Rel:
    from logsql.operators.models import (  # for cost: pyarrow.compute
        check_against,
        expected_specs,
        features,
        forms_of,
        with_forms,
    )

    args = stage.arguments(AnomaliesArgs)
    assert args.subquery is not None
    train, known, _ = training_side(stage, args.subquery, args.fields)
    rel, found = features(stage, stage.rel, args.fields, THE_ROWS.fill())
    check_against(expected_specs(known), found, TRAINING_SUBQUERY.fill())
    train, fields, columns = with_forms(stage, train, [(f, forms_of) for f in known])
    size, sample, timeout = stage.option("size"), stage.option("sample"), seconds(stage, "timeout")

    def train_model(runtime: StageRuntime) -> TrainedModel:
        from logsql.ml.stages import train_anomalies  # for cost: pyarrow.compute
        from logsql.ml.train import Control  # for cost: pyarrow.compute
        from logsql.ml.transforms import FEW_ROWS, SMALL_SAMPLE, training_rows  # for cost: pyarrow.compute

        control = Control.with_timeout(timeout)
        control.cancelled = runtime.state.cancel
        rows = training_rows(runtime, fields)
        if sample is None and rows.num_rows < FEW_ROWS:
            runtime.loss.lost("anomalies", SMALL_SAMPLE.name, 0)
        return train_anomalies(rows, [f.name for f in known], size, sample, control=control)

    stage.remark(TRAINS_FIRST)
    return _score(stage, rel, found, train_model, replace(train, columns=tuple(columns), carried=(), rest=None))


def _score(stage: Stage, rel: Rel, found: list[Feature], make: Obtain, training: Rel | None = None) -> Rel:
    from logsql.operators.models import Answer, scored  # for cost: pyarrow.compute

    top, core, explain = stage.option("scorer"), stage.option("core"), stage.option("explain")
    answers = [Answer("_score", DOUBLE)]
    if top:
        answers.append(Answer("_scorer", list_of(MAP)))
    if explain:
        answers.append(Answer("_reasons", list_of(MAP)))

    def transform(fields: tuple[FieldForms, ...], weight: str | None) -> Scoring:
        from logsql.ml.transforms import Scoring, once  # for cost: pyarrow.compute
        from udfs.inference import BatchScorer  # for cost: pyarrow.compute

        def scorer(model: TrainedModel) -> BatchScorer:
            return BatchScorer(model, scorer=top, explain=explain, threads=core, memory=0)

        names = tuple(a.name for a in answers)
        parts = stage.chain.carry is not None
        return Scoring("anomalies", fields, names, once(make), scorer, weight, parts=parts)

    return scored(stage, rel, found, answers, transform, () if training is None else (training,))


_AMOUNTS = [{"id": n, "age": 30 + n % 20, "cnt": 1 + n % 4} for n in range(1, 201)] + [
    {"id": 999, "age": 97, "cnt": 120}
]

register(
    CommandSpec(
        name="anomalies",
        group=Group.ML,
        summary=(
            "Score how unusual each row is, with an isolation forest.",
            "아이솔레이션 포레스트로 각 행의 이상 점수를 계산합니다.",
        ),
        usage=(
            "anomalies [core=N] [scorer=N] [explain=N] model=NAME [FIELD, ...]",
            "anomalies [sample=N] [size=N] [timeout=SPAN] [core=N] [scorer=N] [explain=N] FIELD, ... [ QUERY ]",
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
            OptionSpec(
                "sample",
                OptionKind.INT,
                (
                    "rows each tree is grown from; the square root of the training rows",
                    "트리 하나를 만드는 데 쓰는 행 수. 생략하면 학습 행 수의 제곱근",
                ),
                minimum=1,
            ),
            SIZE,
            MODEL,
            TIMEOUT,
            OptionSpec("core", OptionKind.INT, ("threads that score", "점수를 계산할 스레드 수"), default=1, minimum=1),
            OptionSpec(
                "scorer", OptionKind.INT, ("fields to name in _scorer", "_scorer에 적을 필드 수"), default=0, minimum=0
            ),
            EXPLAIN,
        ),
        description="""\
Every row stays, in order, and gets `_score` from 0 to 1: near 1 is an anomaly, well below 0.5 is normal; when all
scores are about 0.5 there is none. The score is that of the isolation forest's authors (Liu, Ting and Zhou, 2008).

The forest is trained on the rows of the subquery each time the query runs, often on the same rows: `table t |
anomalies a, b [ table t ]`. A training that is impossible (no rows, a field without a value) ends the query. With
`model=NAME` it is a model made with `ml.createModel iforest` and trained with `ml.fit`.

`sample` is the number of rows per tree, by default the square root of the training rows; a small sample makes
outliers stand out. With `scorer=N` the field `_scorer` lists up to N fields that made the row stand out, with their
share.

With `explain=N` the field `_reasons` is a list of `{field, weight}` with the N fields that weighed most, up (more
unusual) or down, then `(others)`, the sum of the fields not named, and `(base)`, the score of a row whose paths are of
mean length. All weights of a list add up to `_score`.

Features are numbers, dates (`_time`), addresses, booleans and text. Each distinct combination is scored once. The
same data gives the same scores.
""",
        examples=(
            Example(
                "Which transactions are unusual?",
                "table t | anomalies sample=256 age, cnt [ table t ] | search _score >= 0.7 | fields id",
                ({"id": 999},),
                {"t": _AMOUNTS},
            ),
        ),
        errors=(
            *MODEL_ERRORS,
            NO_SUBQUERY.when(("neither model= nor a subquery", "model=도 서브쿼리도 없습니다")),
            *TRAINING_ERRORS,
        ),
    )
)
