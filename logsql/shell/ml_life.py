"""``ml.*`` commands about the life of a model: its versions, comparison, description, drift, thresholds, exports.

Each is a function of the shell, the arguments and the options, like those of ``ml_commands``, which declares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import pyarrow as pa

from logsql.diagnostics import mlshell as said
from logsql.diagnostics.messages import text
from logsql.diagnostics.models import AT_LEAST, HYPER_PARAMETER, NO_HANDLER, NOT_FITTED, MlError
from logsql.diagnostics.modeltests import NO_CLASS_NAMED, NO_CURVES, NOT_A_VERSION, ONE_OF
from logsql.ml.compare import Compared, compared, drifted, input_owner
from logsql.ml.drift import MOVED, STABLE, Moved
from logsql.ml.inputs import InputStore
from logsql.ml.metrics import GRID, Metrics
from logsql.ml.model import Manifest, ModelKind, Task, TrainedModel, Training
from logsql.ml.store import ModelStore, other_library, signature_of
from logsql.shell import ml_layout as layout

RULE = layout.MODEL_RULE
_ROLLED = text("version {version} is in use", "{version} 버전을 씁니다")
_ROWS = text("Rows: {rows} (input {input})", "행: {rows}(입력 {input})")
_AGREE = text("Agreement: {share:.6f} ({same} of {rows} rows)", "일치율: {share:.6f}({rows}행 중 {same}행)")
_SEEN = text("Note: {model} was trained on this input", "참고: {model} 모델은 이 입력으로 학습했습니다")
_NO_LABELS = text("(no row has the field {target}: no confusion matrix)", "({target} 필드가 없어 혼동 행렬이 없음)")
_CHANGED = text("Changed Rows: {count}", "달라진 행: {count}")
_SHOWN = text("(the first {shown} of {count}; limit=N shows more)", "({count}행 중 처음 {shown}행. limit=N으로 더 봄)")
_UNKNOWN = text("unknown", "알 수 없음")
_STABLE = text("stable", "안정")
_MOVED = text("moved", "변화")
_OTHER = text("another population", "다른 모집단")
_PSI = text(
    "(PSI: below {stable} stable, up to {moved} moved, above another population; unseen: share of texts that the "
    "training had not)",
    "(PSI: {stable} 미만 안정, {moved} 이하 변화, 그보다 크면 다른 모집단. unseen: 학습에 없던 텍스트의 비율)",
)
_THRESHOLDS = text(
    "Class {label}: {own} of {rows} held-out rows; a missed one costs {miss:g}, a false alarm {alarm:g}",
    "클래스 {label}: 검증 행 {rows}개 중 {own}개. 놓치면 비용 {miss:g}, 오탐이면 비용 {alarm:g}",
)
_CHEAPEST = text("(* the cheapest of all 101 thresholds from 0 to 1)", "(* 임계값 101개 중 비용이 가장 낮음)")
_SIGNED = text(
    "note: signed by {signer}; to be sure of it elsewhere: ml.importModel NAME FILE signer={signer}",
    "참고: 서명자 {signer}. 다른 곳에서 확인하려면 ml.importModel 이름 파일 signer={signer}",
)
_UNSIGNED = text(
    "note: not signed, for the package cryptography is missing (extra crypto)",
    "참고: cryptography 패키지(추가 기능 crypto)가 없어 서명하지 않았습니다",
)
_UNCHECKED = text(
    "note: signed by {signer}; signer= would have made sure that it is who you mean",
    "참고: 서명자 {signer}. signer=를 쓰면 기대한 서명자인지 확인합니다",
)
_NOBODY = text("note: the file is not signed", "참고: 서명이 없는 파일입니다")


class Talk(Protocol):
    """The shell, as far as these commands need it."""

    store: ModelStore
    inputs: InputStore
    out: Callable[[str], object]
    err: Callable[[str], object]


Options = Mapping[str, str]


def _number(options: Options, name: str, default: float, least: float) -> float:
    """A number of an option. Raises MlError on another text, and below ``least``."""
    written = options.get(name)
    try:
        value = default if written is None else float(written)
    except ValueError:
        raise MlError(said.NUMBER, name=name, text=written) from None
    if not least <= value < float("inf"):
        raise MlError(HYPER_PARAMETER, rule=AT_LEAST.fill(name=name, low=least))
    return value


def _trained(shell: Talk, name: str) -> tuple[Manifest, Training]:
    manifest = shell.store.manifest(name)
    if manifest.training is None:
        raise MlError(NOT_FITTED, name=manifest.name)
    return manifest, manifest.training


# --- versions ---------------------------------------------------------------------------------------------------------


def rollback(shell: Talk, arguments: list[str], options: dict[str, str]) -> int:
    """``ml.rollback MODEL [VERSION]``: the version before, or that of the number, is in use from now on."""
    wanted = arguments[1] if len(arguments) > 1 else options.get("version")
    if wanted is not None and not (wanted.isdecimal() and wanted.isascii()):
        raise MlError(NOT_A_VERSION, text=wanted)
    manifest = shell.store.rollback(arguments[0], None if wanted is None else int(wanted))
    shell.out(_ROLLED.fill(version=manifest.version))
    return 0


def compare(shell: Talk, arguments: list[str], options: dict[str, str]) -> int:
    """``ml.compare A B [INPUT]``: what two models or versions say about the rows of an input."""
    first, second = (_classifier(shell, name) for name in arguments[:2])
    own = first.manifest
    name = arguments[2] if len(arguments) > 2 else own.options.test or own.input
    limit = int(_number(options, "limit", 20, 0))
    rows = shell.inputs.rows(name)
    found = compared(first, second, rows, input_owner(name))
    lines = [f"Compare [{arguments[0]}] [{arguments[1]}]", RULE, _ROWS.fill(rows=found.rows, input=name)]
    same = found.rows - len(found.changed)
    lines.append(_AGREE.fill(share=found.agreement, same=same, rows=found.rows))
    seen = [n for n, m in zip(arguments[:2], (first, second), strict=True) if m.manifest.input == name]
    lines += [_SEEN.fill(model=n) for n in dict.fromkeys(seen)]
    if found.metrics is None:
        lines.append(_NO_LABELS.fill(target=own.target))
    for model, metrics in zip(arguments, found.metrics or (), strict=False):
        lines += [RULE, f"Confusion Matrix [{model}]", RULE, f"Accuracy: {metrics.accuracy}"]
        lines += layout.confusion_lines(metrics, found.names)
    lines += [RULE, _CHANGED.fill(count=len(found.changed)), RULE]
    fields = list(dict.fromkeys((*own.fields, *second.manifest.fields)))
    lines += _changed_rows(
        found, arguments[:2], rows.select(fields).take(pa.array(found.changed[:limit], pa.int64())).to_pylist()
    )
    if len(found.changed) > limit:
        lines.append(_SHOWN.fill(shown=limit, count=len(found.changed)))
    shell.out("\n".join(lines))
    return 0


def _classifier(shell: Talk, name: str) -> TrainedModel:
    model = shell.store.get(name)
    if model.training.task is not Task.CLASSIFY:
        raise MlError(NO_HANDLER, name=name, type=model.manifest.kind, wanted=ModelKind.RFOREST)
    return model


def _changed_rows(found: Compared, models: Sequence[str], values: Sequence[Mapping[str, object]]) -> list[str]:
    if not values:
        return []
    fields = list(values[0])
    table = [["row", "label", *models, *fields]]
    for number, row in zip(found.changed, values, strict=False):
        label = found.labels[number]
        guesses = [of_model[number] for of_model in found.guesses]
        table.append([str(number + 1), "-" if label is None else label, *guesses, *(_cell(row[f]) for f in fields)])
    return layout.table(table)


def _cell(value: object) -> str:
    return "-" if value is None else " ".join(str(value).split())[:40]


# --- description, drift -----------------------------------------------------------------------------------------------


def describe(shell: Talk, arguments: list[str], options: dict[str, str]) -> int:
    """``ml.describe MODEL``: what was trained on, how, and with what."""
    manifest, training = _trained(shell, arguments[0])
    kind, source = training.source
    lines = [f"Model [{manifest.name}]", RULE]
    facts: dict[str, object] = {
        "Type": manifest.kind.value,
        "Version": manifest.version,
        "Input": f"{manifest.input} ({kind or _UNKNOWN.fill()})",
        "Query" if kind == "query" else "File": " ".join(source.split()) or _UNKNOWN.fill(),
        "Created": manifest.created,
        "Trained": training.finished,
        "Rows": training.rows,
        "Training rows": training.train_rows,
        "Hold-out rows": training.test_rows,
        "Rows without a label": training.skipped_rows,
        "Seed": manifest.options.seed,
        "SHA-256": training.sha256,
    }
    if manifest.target is not None:
        facts["Target"] = f"{manifest.target} ({', '.join(training.classes)})"
    lines += [f"{name}: {value}" for name, value in facts.items()]
    lines += [RULE, "Options", RULE, *(f"{k}: {v}" for k, v in vars(manifest.options).items() if v not in (None, ""))]
    lines += [RULE, "Libraries", RULE, *(f"{name}: {version}" for name, version in training.versions)]
    lines += [RULE, "Fields", RULE]
    if training.profile:
        rows = [["field", "kind", "lowest", "highest", "distinct", "nulls"]]
        for f in training.profile:
            rows.append([f.name, f.kind.value, _cell(f.low), _cell(f.high), str(f.distinct), str(f.nulls)])
        lines += layout.table(rows)
    else:
        lines += [f"{spec.name} ({spec.kind})" for spec in training.features]
    shell.out("\n".join(lines))
    return 0


def drift(shell: Talk, arguments: list[str], options: dict[str, str]) -> int:
    """``ml.drift MODEL INPUT``: how far the values of an input have moved from those of the training."""
    manifest, _ = _trained(shell, arguments[0])
    rows = shell.inputs.rows(arguments[1])
    moved = drifted(manifest, rows, input_owner(arguments[1]))
    lines = [f"Drift [{arguments[0]}]", RULE, _ROWS.fill(rows=rows.num_rows, input=arguments[1])]
    table = [["field", "kind", "PSI", "unseen", "nulls before", "nulls now", ""]]
    table += [_moved_row(field) for field in moved if field.psi is not None]
    lines += layout.table(table)
    lines += [f"{field.name}: {field.problem}" for field in moved if field.psi is None]
    shell.out("\n".join([*lines, _PSI.fill(stable=STABLE, moved=MOVED)]))
    return 0


def _moved_row(field: Moved) -> list[str]:
    psi = field.psi or 0.0
    verdict = _STABLE if psi < STABLE else _MOVED if psi <= MOVED else _OTHER
    before, now = field.nulls
    shares = [f"{psi:.6f}", f"{field.unseen:.4%}", f"{before:.4%}", f"{now:.4%}"]
    return [field.name, field.kind.value, *shares, verdict.fill()]


# --- thresholds -------------------------------------------------------------------------------------------------------


def thresholds(shell: Talk, arguments: list[str], options: dict[str, str]) -> int:
    """``ml.thresholds MODEL [class=LABEL miss=COST alarm=COST step=0.05]``: what an alarm at each probability costs."""
    manifest, training = _trained(shell, arguments[0])
    metrics = training.metrics
    if metrics is None or not metrics.curves:
        raise MlError(NO_CURVES, name=manifest.name)
    classes = metrics.classes(training.classes)
    label = options.get("class") or min((c for c in classes if c.support), key=lambda c: c.support).name
    if label not in metrics.labels:
        raise MlError(NO_CLASS_NAMED, name=manifest.name, label=label, known=", ".join(metrics.labels))
    miss, alarm = _number(options, "miss", 1.0, 0.0), _number(options, "alarm", 1.0, 0.0)
    step = _number(options, "step", 0.05, 0.01)
    if round(step * 100) not in range(1, 51):
        raise MlError(ONE_OF, name="step", text=options.get("step"), known="0.01 - 0.5")
    own, all_rows = classes[metrics.labels.index(label)].support, training.test_rows
    lines = [
        f"Thresholds [{arguments[0]}]",
        RULE,
        _THRESHOLDS.fill(label=label, own=own, rows=all_rows, miss=miss, alarm=alarm),
    ]
    lines += layout.table(_costs(metrics, label, own, (miss, alarm), round(step * 100)))
    shell.out("\n".join([*lines, _CHEAPEST.fill()]))
    return 0


def _costs(metrics: Metrics, label: str, own: int, prices: tuple[float, float], step: int) -> list[list[str]]:
    """Rows of the table; the cheapest threshold is always among them."""
    curve = metrics.curves[metrics.labels.index(label)]
    costs = [prices[0] * (own - right) + prices[1] * false for right, false in curve]
    best = min(range(len(costs)), key=lambda n: costs[n])
    rows = [["", "threshold", "alarms", "right", "false", "missed", "precision", "recall", "F1", "cost"]]
    for number in sorted({*range(step, len(GRID), step), best}):
        right, false = curve[number]
        precision = right / (right + false) if right + false else 0.0
        recall = right / own if own else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        counts = [str(n) for n in (right + false, right, false, own - right)]
        figures = [f"{precision:.6f}", f"{recall:.6f}", f"{f1:.6f}", f"{costs[number]:g}"]
        rows.append(["*" if number == best else "", f"{GRID[number]:.2f}", *counts, *figures])
    return rows


# --- exports ----------------------------------------------------------------------------------------------------------


def export(shell: Talk, arguments: list[str], options: dict[str, str]) -> int:
    """``ml.exportModel MODEL FILE``: one file, signed where that is possible."""
    shell.store.export_file(arguments[0], arguments[1])
    shell.out("exported")
    signer = shell.store.signer()
    shell.err(_UNSIGNED.fill() if signer is None else _SIGNED.fill(signer=signer))
    return 0


def take(shell: Talk, arguments: list[str], options: dict[str, str]) -> int:
    """``ml.importModel MODEL FILE [signer=FINGERPRINT]``: verify a file and take it over."""
    signer = options.get("signer")
    manifest = shell.store.import_file(arguments[0], arguments[1], signer)
    shell.out("imported")
    if signer is None:
        found = signature_of(arguments[1], shell.store.files)
        shell.err(_NOBODY.fill() if found is None else _UNCHECKED.fill(signer=found.signer))
    told = other_library(manifest)
    if told is not None:
        shell.err(said.NOTE.fill(text=told))
    return 0
