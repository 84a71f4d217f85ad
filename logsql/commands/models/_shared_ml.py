"""What the model commands share: argument shapes, the stored model, the training subquery, error lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from logsql.language.tree import Name, Option, Span, Subquery
from logsql.ml.service import MODELS
from logsql.planner.relation import Rel
from logsql.planner.spec import OptionKind, OptionSpec
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.ml.model import Manifest, ModelKind, TrainedModel
    from logsql.ml.transforms import Obtain
    from logsql.operators.models import Feature
    from logsql.planner.runtime import Runtime

MODEL_ERRORS = (
    ("41100", "ml-model-empty", "model= is empty"),
    ("41101", "ml-model-not-found", "there is no model of this name"),
    ("41102", "ml-model-handler-not-found", "the model is of another type"),
    ("41110", "ml-unknown-field", "a field that the model or the rows do not have"),
    ("41115", "ml-wrong-type", "a field is of another type than the model was trained on"),
    ("41116", "ml-not-fitted", "the model has not been trained"),
)
TRAINING_ERRORS = (
    ("41113", "ml-no-rows", "the subquery has no rows"),
    ("41114", "ml-null-field", "a field is null in every training row"),
    ("41118", "ml-no-fields", "no field is named"),
    ("41143", "ml-timed-out", "the training ran into timeout="),
)
NUMBER_ERRORS = (
    ("41110", "ml-unknown-field", "the rows have no such field"),
    ("41115", "ml-wrong-type", "the field is text: convert it with double() first"),
    ("41118", "ml-no-fields", "no field is named"),
)

SIZE = OptionSpec("size", OptionKind.INT, "trees to train", default=100, minimum=1)
MODEL = OptionSpec("model", OptionKind.MODEL, "name of a model made with ml.createModel and ml.fit")
TIMEOUT = OptionSpec("timeout", OptionKind.SPAN, "longest time for the training")


def field_list(reader: ArgReader, stop: tuple[str, ...] = (), required: bool = True) -> tuple[Name, ...]:
    """``FIELD, ...``, each field once."""
    names = reader.name_list(stop=stop, trailing_comma=("41118", "ml-no-fields"))
    if required and not names:
        usage = f"{reader.command} FIELD, ..."
        reader.fail("41118", "ml-no-fields", f"{reader.command} needs at least one field", help=usage)
    return tuple({n.text: n for n in names}.values())


def only_one(reader: ArgReader, option: Option, subquery: Subquery | None) -> None:
    """A stored model takes no training rows."""
    if subquery is not None:
        message = "a stored model is not trained again: model= takes no subquery"
        reader.fail("90001", "invalid-option", message, option.span, "remove model= or the subquery")


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
        message = f"{name}= takes a number above {low:g} and up to {high:g}, not {text!r}"
        stage.fail("90001", "invalid-option", message, option.value_span)
    return value


def seconds(stage: Stage, name: str) -> float | None:
    """A span option in seconds, None when it is not written."""
    span = stage.option(name)
    if span is None:
        return None
    if span.seconds is None:
        option = stage.command.option(name)
        message = f"{name}= takes seconds, minutes, hours, days or weeks"
        stage.fail("90001", "invalid-option", message, option.value_span if option else None)
    return float(span.seconds)


# --- stored models ----------------------------------------------------------------------------------------------------


def model_card(stage: Stage, kind: ModelKind, names: Sequence[Name]) -> Manifest:
    """The description of the model named by ``model=``, checked: kind, trained, and the field list after it.

    Raises MlError 41100 (empty), 41101 (unknown), 41102 (another kind), 41116, 41110, pointing at the query.
    """
    from logsql.ml.errors import NOT_FITTED, MlError  # for cost: few queries need it
    from logsql.ml.features import check_list  # for cost: pyarrow.compute
    from logsql.operators.models import at  # for cost: pyarrow.compute

    option = stage.command.option("model")
    place: Span | None = option.value_span if option is not None else None
    store = stage.service(MODELS)
    try:
        manifest: Manifest = store.card(stage.option("model"), kind)
        if manifest.training is None:
            name = manifest.name
            raise MlError(NOT_FITTED, f"model '{name}' has not been trained", f"run ml.fit {name}")
    except MlError as error:
        raise at(error, place) from None
    if names:
        spans = {n.text: n.span for n in names}
        try:
            check_list(manifest.training.features, list(spans), f"model {manifest.name}")
        except MlError as error:
            wrong = next((s for t, s in spans.items() if t not in manifest.fields), names[0].span)
            raise at(error, wrong) from None
    return manifest


def scored_fields(stage: Stage, manifest: Manifest, names: Sequence[Name]) -> tuple[Rel, list[Feature]]:
    """The model's fields over the input, checked against what it was trained on."""
    from logsql.ml.errors import MlError  # for cost: few queries need it
    from logsql.operators.models import at, check_against, features, known  # for cost: pyarrow.compute

    assert manifest.training is not None
    specs = manifest.training.features
    owner = f"model {manifest.name}"
    rel = stage.flush(stage.rel)
    spans = {n.text: n for n in names}
    for spec in specs:
        if not known(rel, spec.name):
            from logsql.ml.errors import UNKNOWN_FIELD, fields_note  # for cost: few queries need it

            notes = [fields_note(owner, manifest.fields), f"fields here: {', '.join(rel.names)}"]
            message = f"{owner} needs the field '{spec.name}', which the rows do not have"
            error = MlError(UNKNOWN_FIELD, message, "make the field before this command, for example with eval", notes)
            raise at(error, spans[spec.name].span if spec.name in spans else None)
    rel, found = features(stage, rel, [spans.get(s.name, s.name) for s in specs], owner)
    check_against(specs, found, owner)
    return rel, found


def loader(stage: Stage, name: str, kind: ModelKind) -> Obtain:
    """Gives the stored model when the query runs; it is loaded and verified before any row is read."""
    store = stage.service(MODELS)

    def obtain(runtime: Runtime) -> TrainedModel:
        found: TrainedModel = store.get(name, kind)
        return found

    def check(runtime: Runtime) -> None:
        obtain(runtime)

    stage.action(f"load and verify model {name}", check)
    return obtain


# --- training subqueries ----------------------------------------------------------------------------------------------


def training_side(
    stage: Stage, subquery: Subquery, names: Sequence[Name], target: Name | None = None
) -> tuple[Rel, list[Feature], Feature | None]:
    """The planned training subquery, its features, and the target's feature. Raises MlError on a field it lacks."""
    from logsql.ml.errors import TARGET_MISSING, MlError, unknown_field  # for cost: few queries need it
    from logsql.operators.models import at, check_suitable, features, known  # for cost: pyarrow.compute

    rel = stage.flush(stage.subquery(subquery))
    owner = "the training subquery"
    wanted: list[Name] = list(names)
    if target is not None:
        if not known(rel, target.text):
            near = unknown_field(target.text, rel.names, owner)
            message = f"the target field '{target.text}' is not a field of {owner}"
            raise at(MlError(TARGET_MISSING, message, near.help, near.notes), target.span)
        wanted.append(target)
    rel, found = features(stage, rel, wanted, owner)
    by_name = {f.name: f for f in found}
    chosen = [by_name[n.text] for n in names]
    check_suitable(chosen, stage.spec.name)
    return rel, chosen, None if target is None else by_name[target.text]
