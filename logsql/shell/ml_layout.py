"""The printed layouts of the ml commands: pure functions from facts to text (no trailing newline).

The first part of every card is the layout of the bot-detection article, character for character (rulers of 21, 13
and 19
dashes); what the article does not print (averaging, hold-out, confusion matrix) follows after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from logsql.ml.inputs import InputKind, MlInput
from logsql.ml.metrics import Metrics
from logsql.ml.model import Manifest, Training
from logsql.ml.store import Listing
from logsql.ml.tasks import TaskState, TaskView

INPUT_RULE = "-" * 21
TASK_RULE = "-" * 13
MODEL_RULE = "-" * 19
LIST_RULE = "-" * 13


def input_card(item: MlInput) -> str:
    """Card of one input: type, rows, and per field NUMERIC or CATEGORICAL with its cardinality."""
    lines = [f"Input [{item.name}]", INPUT_RULE, f"Type: {item.kind}", f"Size: {item.size}", "Fields", INPUT_RULE]
    for field in item.fields:
        extra = f", cardinality {field.cardinality}" if field.kind == "CATEGORICAL" else ""
        lines.append(f"{field.name} ({field.kind}{extra})")
    return "\n".join(lines)


def input_list(items: Sequence[MlInput]) -> str:
    lines = ["Inputs", LIST_RULE]
    for item in items:
        target = " ".join(item.target.split()) if item.kind is InputKind.QUERY else item.target
        lines.append(f"{item.kind} [{item.name}] {item.size} rows, {len(item.fields)} fields: {target}")
    return "\n".join(lines if items else [*lines, "(none)"])


def task_list(tasks: Sequence[TaskView]) -> str:
    """Trainings with their progress; an ended one says how it ended."""
    lines = ["Model Tasks", TASK_RULE]
    for task in tasks:
        line = (
            f"[{task.id}] {task.kind} [{task.model}] progress (load {task.load * 100:.2f}%, "
            f"train {task.train * 100:.2f}%), elapsed {int(task.elapsed)} secs"
        )
        if task.state is not TaskState.RUNNING:
            line += f", {task.state}"
        if task.state is TaskState.FAILED:
            line += f": {task.message}"
        lines.append(line)
    return "\n".join(lines if tasks else [*lines, "(none)"])


def model_list(items: Sequence[Listing]) -> str:
    lines = ["Models", LIST_RULE]
    for item in items:
        if item.manifest is None:
            lines.append(f"? [{item.name}] unusable: {item.problem}")
            continue
        manifest, training = item.manifest, item.manifest.training
        facts = [f"{len(manifest.fields)} fields"]
        if manifest.target is not None:
            facts.append(f"target {manifest.target}")
        if training is None:
            facts.append("not trained")
        else:
            facts.append(f"trained {training.finished} on {training.train_rows} rows")
            if training.metrics is not None:
                facts.append(f"accuracy {training.metrics.accuracy:.4f}")
        lines.append(f"{manifest.kind} [{manifest.name}] {', '.join(facts)}")
    return "\n".join(lines if items else [*lines, "(none)"])


def model_card(manifest: Manifest) -> str:
    """Card of one model: fields with the target marked, hyper-parameters that were set, importance, performance."""
    training = manifest.training
    lines = [f"Model [{manifest.name}]", MODEL_RULE, "Fields", MODEL_RULE]
    if manifest.target is not None:
        count = len(training.classes) if training is not None else manifest.cardinality
        lines.append(f"[*] {manifest.target}" + (f" (cardinality: {count})" if count is not None else ""))
    lines += [f"[ ] {name}" for name in manifest.fields]
    lines += [MODEL_RULE, "Hyper Parameters", MODEL_RULE]
    lines += [f"{name}: {value}" for name, value in manifest.options.changed().items()]
    lines += [MODEL_RULE, "Variable Importance", MODEL_RULE]
    if training is not None:
        lines += [f"{name}: {value}" for name, value in training.importance]
    lines += [MODEL_RULE, "Performance", MODEL_RULE]
    if training is None:
        return "\n".join([*lines, f"(not trained: run ml.fit {manifest.name})"])
    return "\n".join([*lines, *_performance(training, manifest)])


def _performance(training: Training, manifest: Manifest) -> list[str]:
    lines = []
    if training.metrics is not None:
        lines += _metric_lines(training.metrics)
    elif manifest.target is not None:
        lines.append("(no hold-out rows: too few training rows)")
    if training.scores is not None:
        s = training.scores
        lines.append(
            f"Training scores: lowest {s.low:.4f}, median {s.median:.4f}, 99% below {s.p99:.4f}, highest {s.high:.4f}"
        )
    lines += [MODEL_RULE, "Training", MODEL_RULE]
    lines.append(
        f"Rows: {training.rows}"
        + (f" ({training.skipped_rows} without a label skipped)" if training.skipped_rows else "")
    )
    if manifest.target is not None:
        share = f"{manifest.options.holdout:.0%}"
        lines.append(
            f"Hold-out: {training.test_rows} rows ({share}, stratified), trained on {training.train_rows} rows"
        )
    else:
        lines.append(f"Sample: {training.sample} rows per tree")
    lines.append(f"Seed: {manifest.options.seed}")
    lines.append(f"Trees: {manifest.options.trees}")
    lines.append(f"Trained: {training.finished} in {training.elapsed:.1f} secs")
    if training.metrics is not None:
        lines += [MODEL_RULE, "Confusion Matrix", MODEL_RULE, *confusion_lines(training.metrics, training.classes)]
    return lines


def _metric_lines(metrics: Metrics) -> list[str]:
    return [
        f"Accuracy: {metrics.accuracy}",
        f"Precision: {metrics.precision}",
        f"Recall: {metrics.recall}",
        f"F1 score: {metrics.f1}",
        f"Averaging: {metrics.averaging} (precision, recall and F1 per class, weighted by the rows of the class)",
    ]


def confusion_lines(metrics: Metrics, classes: Sequence[str]) -> list[str]:
    """Rows are the true labels, columns the guesses."""
    head = ["label \\ guess", *classes]
    rows = [[label, *map(str, counts)] for label, counts in zip(classes, metrics.confusion, strict=True)]
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    out = []
    for line in [head, *rows]:
        cells = [line[0].ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)
        ]
        out.append("  ".join(cells))
    return out
