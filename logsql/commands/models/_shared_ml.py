"""What the model commands share: argument shapes, the stored model, the training subquery, error lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.modeldata import (
    FIELD_NEEDED,
    MAKE_WITH_EVAL,
    NEEDS_A_FIELD,
    NO_FIELDS,
    NO_ROWS,
    NULL_FIELD,
    TARGET_MISSING,
    UNKNOWN_FIELD,
    WRONG_TYPE,
    unknown_field,
)
from logsql.diagnostics.models import (
    FIELDS_HERE,
    MODEL_EMPTY,
    MODEL_NAMED,
    MODEL_NOT_FOUND,
    NO_HANDLER,
    NOT_FITTED,
    TIMED_OUT,
    TRAINING_SUBQUERY,
    MlError,
    fields_note,
)
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Command, Name, Option, Span, Subquery
from logsql.loading import at as at_place
from logsql.ml.defaults import TREES
from logsql.ml.service import MODELS
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import OptionKind, OptionSpec
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.ml.model import Manifest, ModelKind, TrainedModel
    from logsql.ml.store import ModelStore
    from logsql.ml.transforms import Obtain
    from logsql.operators.models import Feature
    from logsql.planner.runtime import Runtime

#: Told of seconds.
Took = Callable[[float], None]
MODEL_ERRORS = (
    MODEL_EMPTY.when(("model= is empty", "model=이 비어 있습니다")),
    MODEL_NOT_FOUND,
    NO_HANDLER,
    UNKNOWN_FIELD,
    WRONG_TYPE.when(
        ("a field is of another type than the model was trained on", "필드 타입이 모델을 학습한 타입과 다릅니다")
    ),
    NOT_FITTED,
)
TRAINING_ERRORS = (
    NO_ROWS.when(("the subquery has no rows", "서브쿼리에 행이 없습니다")),
    NULL_FIELD,
    NO_FIELDS,
    TIMED_OUT.when(("the training ran into timeout=", "학습이 timeout=을 넘었습니다")),
)
NUMBER_ERRORS = (
    UNKNOWN_FIELD.when(("the rows have no such field", "입력 행에 그런 필드가 없습니다")),
    WRONG_TYPE.when(
        ("the field is text: convert it with double() first", "텍스트 필드입니다. 먼저 double()로 변환하세요")
    ),
    NO_FIELDS,
)
FIELDS_FORM = syntax("{command} FIELD, ...")
STORED_WITH_SUBQUERY = INVALID_OPTION.says(
    (
        "a stored model is not trained again: model= takes no subquery",
        "저장된 모델은 다시 학습하지 않습니다. model=에는 서브쿼리를 쓰지 않습니다",
    ),
    help=("remove model= or the subquery", "model=이나 서브쿼리를 지우세요"),
)
OUT_OF_RANGE = INVALID_OPTION.says(
    (
        "{option}= takes a number above {low:g} and up to {high:g}, not {text!r}",
        "{option}=에는 {low:g} 초과 {high:g} 이하의 숫자를 씁니다: {text!r}",
    )
)
NOT_SECONDS = INVALID_OPTION.says(
    (
        "{option}= takes seconds, minutes, hours, days or weeks",
        "{option}=에는 초, 분, 시간, 일, 주 단위를 씁니다",
    )
)

OTHER_FIELDS = define(
    "E3263",
    "model-with-other-fields",
    (
        "a model that a stream uses was replaced by one of other fields",
        "스트림에서 쓰는 모델이 필드가 다른 모델로 바뀌었습니다",
    ),
    (
        "model {name} was stored anew with other fields or types, {fields}: the stream goes on with the old one",
        "모델 {name}의 필드나 타입이 바뀌었습니다: {fields}. 스트림은 이전 모델을 계속 씁니다",
    ),
    ("change the stream's query and reload it", "스트림의 쿼리를 고치고 다시 읽으세요(reload)"),
)
OTHER_LIBRARY = define(
    "N1801",
    "model-of-another-library",
    (
        "a model of another scikit-learn, which was tried and gives the answers it gave",
        "다른 버전의 scikit-learn으로 학습한 모델. 시험한 결과 답이 같습니다",
    ),
    ("{text}", "{text}"),
    help=("train it again: ml.fit", "다시 학습하세요: ml.fit"),
)
#: What to write in a stream, whose rows nothing can be trained on.
TRAIN_ELSEWHERE = (
    "train in a query of its own or with ml.fit, and score here with model=NAME",
    "학습은 별도의 쿼리나 ml.fit으로 하고, 여기서는 model=이름으로 점수를 계산하세요",
)

SIZE = OptionSpec("size", OptionKind.INT, ("trees to train", "학습할 트리 수"), default=TREES, minimum=1)
MODEL = OptionSpec(
    "model",
    OptionKind.MODEL,
    ("name of a model made with ml.createModel and ml.fit", "ml.createModel과 ml.fit으로 만든 모델 이름"),
)
TIMEOUT = OptionSpec("timeout", OptionKind.SPAN, ("longest time for the training", "학습에 쓸 최대 시간"))
EXPLAIN = OptionSpec(
    "explain",
    OptionKind.INT,
    (
        "add _reasons: the N fields that weighed most in the answer, and how much",
        "_reasons를 추가: 답에 가장 크게 작용한 필드 N개와 그 크기",
    ),
    default=0,
    minimum=0,
    extension=True,
)


def field_list(reader: ArgReader, stop: tuple[str, ...] = (), required: bool = True) -> tuple[Name, ...]:
    """``FIELD, ...``, each field once."""
    names = reader.name_list(stop=stop, trailing_comma=NO_FIELDS)
    if required and not names:
        reader.fail(NEEDS_A_FIELD, help=FIELDS_FORM.fill(command=reader.command), command=reader.command)
    return tuple({n.text: n for n in names}.values())


def only_one(reader: ArgReader, option: Option, subquery: Subquery | None) -> None:
    """A stored model takes no training rows."""
    if subquery is not None:
        reader.fail(STORED_WITH_SUBQUERY, option.span)


def in_stream(command: Command) -> duties.InStream:
    """A stored model scores row by row; a training acts once, on all rows."""
    return duties.InStream.BARRIER if command.option("model") is None else duties.InStream.ROW_WISE


def number_option(stage: Stage, name: str, default: float, low: float, high: float) -> float:
    """A decimal option above ``low`` and at most ``high``."""
    option = stage.command.option(name)
    if option is None:
        return default
    text = stage.option_text(option)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low < value <= high:
        stage.fail(OUT_OF_RANGE, option.value_span, option=name, low=low, high=high, text=text)
    return value


def seconds(stage: Stage, name: str) -> float | None:
    """A span option in seconds, None when it is not written."""
    span = stage.option(name)
    if span is None:
        return None
    if span.seconds is None:
        option = stage.command.option(name)
        stage.fail(NOT_SECONDS, option.value_span if option else None, option=name)
    return float(span.seconds)


# --- stored models ----------------------------------------------------------------------------------------------------


def model_card(stage: Stage, kind: ModelKind, names: Sequence[Name]) -> Manifest:
    """The description of the model named by ``model=``, checked: kind, trained, and the field list after it.

    Raises MlError 41100 (empty), 41101 (unknown), 41102 (another kind), 41116, 41110, pointing at the query.
    """
    from logsql.ml.features import check_list  # for cost: pyarrow.compute
    from logsql.operators.models import at  # for cost: pyarrow.compute

    option = stage.command.option("model")
    place: Span | None = option.value_span if option is not None else None
    store = stage.service(MODELS)
    try:
        manifest: Manifest = store.card(stage.option("model"), kind)
        if manifest.training is None:
            raise MlError(NOT_FITTED, name=manifest.name)
    except MlError as error:
        raise at(error, place) from None
    told = cast("Callable[[Manifest], str | None]", at_place("logsql.ml.store:other_library"))(manifest)
    if told is not None:
        stage.note(OTHER_LIBRARY, place, text=told)
    if names:
        spans = {n.text: n.span for n in names}
        try:
            check_list(manifest.training.features, list(spans), MODEL_NAMED.fill(name=manifest.name))
        except MlError as error:
            wrong = next((s for t, s in spans.items() if t not in manifest.fields), names[0].span)
            raise at(error, wrong) from None
    return manifest


def scored_fields(stage: Stage, manifest: Manifest, names: Sequence[Name]) -> tuple[Rel, list[Feature]]:
    """The model's fields over the input, checked against what it was trained on."""
    from logsql.operators.models import at, check_against, features, known  # for cost: pyarrow.compute

    assert manifest.training is not None
    specs = manifest.training.features
    owner = MODEL_NAMED.fill(name=manifest.name)
    rel = stage.flush(stage.rel)
    spans = {n.text: n for n in names}
    for spec in specs:
        if not known(rel, spec.name):
            notes = [fields_note(owner, manifest.fields), FIELDS_HERE.fill(fields=", ".join(rel.names))]
            error = MlError(FIELD_NEEDED, help=MAKE_WITH_EVAL.fill(), notes=notes, owner=owner, name=spec.name)
            raise at(error, spans[spec.name].span if spec.name in spans else None)
    rel, found = features(stage, rel, [spans.get(s.name, s.name) for s in specs], owner)
    check_against(specs, found, owner)
    return rel, found


def loader(stage: Stage, manifest: Manifest, kind: ModelKind) -> Obtain:
    """Gives the stored model when the query runs; it is loaded and verified before any row is read.

    A query that runs again and again takes up a newer model between two runs, if it has the same fields.
    """
    store, name = stage.service(MODELS), str(stage.option("model"))  # with the number of a version, if it has one
    if (holds := stage.chain.holds) is not None:
        held = holds.held(name, lambda: store.get(name, kind), lambda old: newer(store, old, kind, name))
        made = cast("Callable[[Callable[[], TrainedModel], Took], Obtain]", at_place("logsql.ml.transforms:InForce"))
        return made(held, lambda seconds: holds.took(name, seconds))

    def obtain(runtime: Runtime) -> TrainedModel:
        found: TrainedModel = store.get(name, kind)
        return found

    def check(runtime: Runtime) -> None:
        obtain(runtime)

    stage.action(f"load and verify model {name}", check)
    return obtain


def newer(store: ModelStore, old: TrainedModel, kind: ModelKind, name: str) -> TrainedModel | None:
    """The model of this name that was stored since, None when there is none.

    Raises MlError where it has other fields: the query was planned for those of the old one.
    """
    found = store.card(name, kind)
    if found.training is None or found == old.manifest:
        return None
    if _takes(found) != _takes(old.manifest):
        fields = ", ".join(f"{f.name} ({f.kind})" for f in found.training.features)
        raise MlError(OTHER_FIELDS, name=found.name, fields=fields)
    return store.get(name, kind)


def _takes(manifest: Manifest) -> tuple[object, ...]:
    """What a query that scores with a model was planned for: names and types of its fields, and those of its label."""
    training = manifest.training
    assert training is not None
    return sorted((f.name, f.kind.value) for f in training.features), manifest.target, training.label


# --- training subqueries ----------------------------------------------------------------------------------------------


def training_side(
    stage: Stage, subquery: Subquery, names: Sequence[Name], target: Name | None = None
) -> tuple[Rel, list[Feature], Feature | None]:
    """The planned training subquery, its features, and the target's feature. Raises MlError on a field it lacks."""
    from logsql.operators.models import at, check_suitable, features, known  # for cost: pyarrow.compute

    rel = stage.flush(stage.subquery(subquery))
    owner = TRAINING_SUBQUERY.fill()
    wanted: list[Name] = list(names)
    if target is not None:
        if not known(rel, target.text):
            near = unknown_field(target.text, rel.names, owner)
            error = MlError(TARGET_MISSING, help=near.help, notes=near.notes, name=target.text, owner=owner)
            raise at(error, target.span)
        wanted.append(target)
    rel, found = features(stage, rel, wanted, owner)
    by_name = {f.name: f for f in found}
    chosen = [by_name[n.text] for n in names]
    check_suitable(chosen, stage.spec.name)
    return rel, chosen, None if target is None else by_name[target.text]
