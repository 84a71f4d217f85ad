"""``anomalies``: how easily each row is isolated from the others, by an isolation forest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

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
    number_option,
    only_one,
    scored_fields,
    seconds,
    training_side,
)
from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text
from logsql.diagnostics.models import THE_ROWS, TRAINING_SUBQUERY
from logsql.diagnostics.options import INVALID_OPTION, NO_SUBQUERY
from logsql.language.tree import Name, Subquery
from logsql.loading import at
from logsql.ml.defaults import FEW_ROWS, Share
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values.types import BOOL, DOUBLE, MAP, list_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.ml.forms import FieldForms
    from logsql.ml.model import Manifest, TrainedModel
    from logsql.ml.transforms import Obtain, Scoring
    from logsql.operators.models import Feature
    from logsql.planner.runtime import Losses, StageRuntime


TRAINS_FIRST = text(
    "trains on the rows of the subquery before the first score", "첫 점수를 내기 전에 서브쿼리의 행으로 학습합니다"
)
ONE_BORDER = INVALID_OPTION.says(
    (
        "contamination= and quantile= say the same: give one of them",
        "contamination=과 quantile=은 같은 것을 정합니다. 하나만 쓰세요",
    ),
    help=("contamination=0.01 is quantile=0.99", "contamination=0.01은 quantile=0.99와 같습니다"),
)
NO_SCORES_KEPT = define(
    "E3264",
    "model-without-scores",
    (
        "a stored model keeps no scores of its training rows, so that nothing tells where outliers begin",
        "저장된 모델에 학습 행의 점수가 없어 이상치가 시작되는 점수를 알 수 없습니다",
    ),
    (
        "model {name} was trained by an older version and keeps no scores: nothing tells where outliers begin",
        "모델 {name}은(는) 이전 버전에서 학습되어 점수가 남아 있지 않습니다. 이상치가 시작되는 점수를 알 수 없습니다",
    ),
    ("train it again with ml.fit, or compare _score yourself", "ml.fit으로 다시 학습하거나 _score를 직접 비교하세요"),
)
LEARNT_FROM_FEW = define(
    "N1750",
    "learnt-from-few-rows",
    (
        "a stored isolation forest with the default sample has learnt from few rows",
        "기본 표본의 저장된 아이솔레이션 포레스트가 적은 행으로 학습되었습니다",
    ),
    (
        "model {name} has learnt from {rows} rows: below {few} the default sample hardly tells any apart",
        "모델 {name}은(는) {rows}개 행으로 학습되었습니다. {few}개 미만이면 기본 표본으로는 잘 구별되지 않습니다",
    ),
    ("train it with sample=256, or with more rows", "sample=256이나 더 많은 행으로 학습하세요"),
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
        _look_at(stage, manifest)
        rel, found = scored_fields(stage, manifest, args.fields)
        return _score(stage, rel, found, loader(stage, manifest, ModelKind.IFOREST))
    return _trained(stage)


def _share(stage: Stage) -> Share | None:
    """Where outliers begin, as ``contamination=`` or ``quantile=`` says; None without either."""
    contamination, quantile = stage.command.option("contamination"), stage.command.option("quantile")
    if contamination is not None and quantile is not None:
        stage.fail(ONE_BORDER, quantile.span)
    if contamination is not None:
        return Share(contamination=number_option(stage, "contamination", 0.0, 0.0, 0.5))
    return None if quantile is None else Share(quantile=number_option(stage, "quantile", 0.0, 0.0, 1.0))


def _look_at(stage: Stage, manifest: Manifest) -> None:
    """Refuse a border that a stored model cannot give; note one that learnt from few rows."""
    keeps_border = cast("Callable[[Manifest], bool]", at("logsql.ml.outliers:keeps_border"))
    option = stage.command.option("model")
    place = option.value_span if option is not None else None
    if _share(stage) is not None and not keeps_border(manifest):
        stage.fail(NO_SCORES_KEPT, place, name=manifest.name)
    training = manifest.training
    if training is not None and manifest.options.sample is None and training.train_rows < FEW_ROWS:
        stage.note(LEARNT_FROM_FEW, place, name=manifest.name, rows=training.train_rows, few=FEW_ROWS)


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
    share = _share(stage)

    def train_model(runtime: StageRuntime) -> TrainedModel:
        from logsql.ml.stages import train_anomalies  # for cost: pyarrow.compute
        from logsql.ml.train import Control  # for cost: pyarrow.compute
        from logsql.ml.transforms import SMALL_SAMPLE, training_rows  # for cost: pyarrow.compute

        control = Control.with_timeout(timeout)
        control.cancelled = runtime.state.cancel
        rows = training_rows(runtime, fields)
        if sample is None and rows.num_rows < FEW_ROWS:
            runtime.loss.lost("anomalies", SMALL_SAMPLE.name, 0)
        model = train_anomalies(rows, [f.name for f in known], size, sample, control=control)
        if share is None:
            return model
        bordered = cast(
            "Callable[[TrainedModel, pa.Table, Share, Losses], TrainedModel]", at("logsql.ml.outliers:bordered")
        )
        return bordered(model, rows, share, runtime.loss)

    stage.remark(TRAINS_FIRST)
    return _score(stage, rel, found, train_model, replace(train, columns=tuple(columns), carried=(), rest=None))


def _score(stage: Stage, rel: Rel, found: list[Feature], make: Obtain, training: Rel | None = None) -> Rel:
    from logsql.operators.models import Answer, scored  # for cost: pyarrow.compute

    top, core, explain = stage.option("scorer"), stage.option("core"), stage.option("explain")
    answers = [Answer("_score", DOUBLE)]
    if top:
        answers.append(Answer("_scorer", list_of(MAP)))
    share = _share(stage)
    if share is not None:
        answers.append(Answer("_outlier", BOOL))
    if explain:
        answers.append(Answer("_reasons", list_of(MAP)))

    def transform(fields: tuple[FieldForms, ...], weight: str | None) -> Scoring:
        from logsql.ml.transforms import Scoring, once  # for cost: pyarrow.compute
        from udfs.inference import BatchScorer  # for cost: pyarrow.compute

        border_of = cast("Callable[[TrainedModel, Share | None], float | None]", at("logsql.ml.outliers:border_of"))

        def scorer(model: TrainedModel) -> BatchScorer:
            border = border_of(model, share)
            return BatchScorer(model, scorer=top, explain=explain, border=border, threads=core, memory=0)

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
            "anomalies [core=N] [scorer=N] [explain=N] [contamination=X|quantile=X] model=NAME [FIELD, ...]",
            "anomalies [sample=N] [size=N] [timeout=SPAN] [core=N] [scorer=N] [explain=N] [contamination=X|quantile=X] "
            "FIELD, ... [ QUERY ]",
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
            OptionSpec(
                "contamination",
                OptionKind.TEXT,
                (
                    "share of the training rows that are outliers, above 0 and up to 0.5; adds _outlier",
                    "학습 행 가운데 이상치의 비율. 0보다 크고 0.5 이하. _outlier를 추가",
                ),
                extension=True,
            ),
            OptionSpec(
                "quantile",
                OptionKind.TEXT,
                (
                    "share of the training scores below which a row is no outlier, above 0 and up to 1; adds _outlier",
                    "이상치가 아닌 행의 학습 점수 비율. 0보다 크고 1 이하. _outlier를 추가",
                ),
                extension=True,
            ),
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

No fixed score is a border for all data: 0.7 finds next to nothing in most. `contamination=0.01` says that 1 % of the
training rows are outliers and adds `_outlier`, true where the score is above that of the other 99 %, as scikit-learn
decides it; `quantile=0.99` says the same. Where many training rows share that score fewer are marked, and the ledger
tells. A stored model has its border from the scores of up to 100,000 of its training rows.

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
            NO_SCORES_KEPT,
            NO_SUBQUERY.when(("neither model= nor a subquery", "model=도 서브쿼리도 없습니다")),
            *TRAINING_ERRORS,
        ),
    )
)
