"""The printed layouts of the ml commands: pure functions from facts to text (no trailing newline).

The first part of every card is the layout of the bot-detection article, character for character (rulers of 21, 13
and 19 dashes), in both languages; what the article does not print (averaging, hold-out, confusion matrix) follows after
it, in the language in force.
"""

from __future__ import annotations

from collections.abc import Sequence

from logsql.diagnostics.messages import text
from logsql.diagnostics.modeltests import REPEATED, REPEATED_MANY
from logsql.ml.evaluation import REPEATS, Evaluation, Way, spread
from logsql.ml.inputs import InputKind, MlInput
from logsql.ml.metrics import Metrics
from logsql.ml.model import Manifest, ModelKind, Training
from logsql.ml.store import Listing
from logsql.ml.tasks import TaskState, TaskView

_NONE = text("(none)", "(없음)")
_INPUT = text("{rows} rows, {fields} fields: {target}", "{rows}행, 필드 {fields}개: {target}")
_UNUSABLE = text("unusable: {problem}", "사용할 수 없음: {problem}")
_FIELDS = text("{count} fields", "필드 {count}개")
_TARGET = text("target {name}", "대상 {name}")
_NOT_TRAINED = text("not trained", "학습하지 않음")
_TRAINED = text("trained {time} on {rows} rows", "{time}에 {rows}행으로 학습")
_ACCURACY = text("accuracy {value:.4f}", "정확도 {value:.4f}")
_RUN_FIT = text("(not trained: run ml.fit {name})", "(학습하지 않음: ml.fit {name})")
_NO_HOLDOUT = text("(no hold-out rows: too few training rows)", "(검증할 행 없음: 학습할 행이 너무 적음)")
_SCORES = text(
    "Training scores: lowest {low:.4f}, median {median:.4f}, 99% below {p99:.4f}, highest {high:.4f}",
    "학습 점수: 최저 {low:.4f}, 중앙값 {median:.4f}, 99%가 {p99:.4f} 미만, 최고 {high:.4f}",
)
_ERRORS = text(
    "Errors of the guessed numbers: mean {mae:.6g}, median {median:.6g}, RMSE {rmse:.6g}; R2 {r2:.4f}",
    "예측한 숫자의 오차: 평균 {mae:.6g}, 중앙값 {median:.6g}, RMSE {rmse:.6g}; R2 {r2:.4f}",
)
_ROWS = text("Rows: {rows}", "행: {rows}")
_SKIPPED = text(" ({rows} without a label skipped)", " (라벨이 없는 {rows}행 제외)")
_HOLDOUT = text(
    "Hold-out: {test} rows ({share}, stratified), trained on {rows} rows",
    "검증: {test}행({share}, 층화 추출), 학습: {rows}행",
)
_HELD_GROUPS = text(
    "Hold-out: {test} rows ({held} of {groups} groups by {field}), trained on {rows} rows",
    "검증: {test}행({field} 기준 그룹 {groups}개 중 {held}개), 학습: {rows}행",
)
_HELD_TIME = text(
    "Hold-out: {test} rows (the latest, since {since}), trained on {rows} rows",
    "검증: {test}행(최근 행, {since}부터), 학습: {rows}행",
)
_HELD_INPUT = text(
    "Hold-out: {test} rows (input {input}), trained on {rows} rows", "검증: {test}행(입력 {input}), 학습: {rows}행"
)
_PERMUTATION = text(
    "(accuracy lost on {rows} held-out rows when the field is shuffled, mean of {times}; above in percent of all)",
    "(검증 행 {rows}개에서 필드 값을 섞었을 때 줄어든 정확도, {times}회 평균. 위에는 합계에 대한 백분율)",
)
_IMPURITY = text(
    "(percent of what the trees gain by splitting, on the rows they grew from; favours fields of many values)",
    "(학습 행에서 트리가 나누며 얻은 이득의 백분율. 값이 많은 필드가 커 보입니다)",
)
_GAIN = text(
    "(percent of what the trees gain by splitting, on the rows they grew from)",
    "(학습 행에서 트리가 나누며 얻은 이득의 백분율)",
)
_MOVES = text(
    "(percent of how far the field moves the sum that decides, on the training rows)",
    "(학습 행에서 필드가 결정 합을 움직인 크기의 백분율)",
)
_UNSETTLED = text(
    "Warning: the training stopped at its last round before the weights had settled",
    "경고: 가중치가 안정되기 전에 마지막 라운드에서 학습이 끝났습니다",
)
#: What the second measure of a field's worth is called, by the kind of the model.
_WORTH = {
    ModelKind.RFOREST: ("Impurity Importance", _IMPURITY),
    ModelKind.IFOREST: ("Impurity Importance", _IMPURITY),
    ModelKind.GBOOST: ("Gain Importance", _GAIN),
    ModelKind.LOGIT: ("Weight Importance", _MOVES),
}
_FOLDS = text("Cross-validation ({count} folds): {figures}", "교차 검증({count}겹): {figures}")
_CALIBRATED = text("Probabilities: calibrated ({method})", "확률: 보정됨({method})")
_WARNING = text("Warning: {text}", "경고: {text}")
_SAMPLE = text("Sample: {rows} rows per tree", "표본: 트리마다 {rows}행")
_SEED = text("Seed: {seed}", "시드: {seed}")
_TREES = text("Trees: {trees}", "트리: {trees}")
_ENDED = text("Trained: {time} in {seconds:.1f} secs", "학습 완료: {time}, {seconds:.1f}초")
_AVERAGING = text(
    "Averaging: {kind} (precision, recall and F1 per class, weighted by the rows of the class)",
    "평균: {kind} (클래스별 정밀도, 재현율, F1을 클래스의 행 수로 가중)",
)

INPUT_RULE = "-" * 21
TASK_RULE = "-" * 13
MODEL_RULE = "-" * 19
LIST_RULE = "-" * 13
#: Below this share of repeated rows the figures of a test still speak for themselves.
FEW_REPEATED = 0.01


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
        facts = _INPUT.fill(rows=item.size, fields=len(item.fields), target=target)
        lines.append(f"{item.kind} [{item.name}] {facts}")
    return "\n".join(lines if items else [*lines, _NONE.fill()])


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
    return "\n".join(lines if tasks else [*lines, _NONE.fill()])


def model_list(items: Sequence[Listing]) -> str:
    lines = ["Models", LIST_RULE]
    for item in items:
        if item.manifest is None:
            lines.append(f"? [{item.name}] {_UNUSABLE.fill(problem=item.problem)}")
            continue
        manifest, training = item.manifest, item.manifest.training
        facts = [_FIELDS.fill(count=len(manifest.fields))]
        if manifest.target is not None:
            facts.append(_TARGET.fill(name=manifest.target))
        if training is None:
            facts.append(_NOT_TRAINED.fill())
        else:
            facts.append(_TRAINED.fill(time=training.finished, rows=training.train_rows))
            if training.metrics is not None:
                facts.append(_ACCURACY.fill(value=training.metrics.accuracy))
        lines.append(f"{manifest.kind} [{manifest.name}] {', '.join(facts)}")
    return "\n".join(lines if items else [*lines, _NONE.fill()])


def model_card(manifest: Manifest, versions: Sequence[Manifest] = ()) -> str:
    """Card of one model: fields with the target marked, hyper-parameters that were set, importance, performance, and
    its trainings (newest first)."""
    training = manifest.training
    lines = [f"Model [{manifest.name}]", MODEL_RULE, "Fields", MODEL_RULE]
    if manifest.target is not None:
        count = len(training.classes) if training is not None else manifest.cardinality
        lines.append(f"[*] {manifest.target}" + (f" (cardinality: {count})" if count is not None else ""))
    lines += [f"[ ] {name}" for name in manifest.fields]
    lines += [MODEL_RULE, "Hyper Parameters", MODEL_RULE]
    lines += [f"{name}: {value}" for name, value in manifest.options.changed(manifest.kind).items()]
    lines += _importance(training)
    lines += [MODEL_RULE, "Performance", MODEL_RULE]
    if training is None:
        return "\n".join([*lines, _RUN_FIT.fill(name=manifest.name)])
    lines += _performance(training, manifest)
    return "\n".join([*lines, *version_lines(manifest, versions)])


def _importance(training: Training | None) -> list[str]:
    """What the fields are worth in percent of the total: on held-out rows, else by what the trees split by."""
    lines = [MODEL_RULE, "Variable Importance", MODEL_RULE]
    if training is None:
        return lines
    tested = training.evaluation
    if tested is None or not tested.shuffled:
        return [*lines, *(f"{name}: {value}" for name, value in training.importance)]
    total = sum(max(field.mean, 0.0) for field in tested.shuffled) or 1.0
    return [*lines, *(f"{field.name}: {max(field.mean, 0.0) * 100.0 / total}" for field in tested.shuffled)]


def _importances(training: Training, kind: ModelKind) -> list[str]:
    """Both measures of what the fields are worth, named."""
    tested = training.evaluation
    if tested is None:
        return []
    lines = []
    if tested.shuffled:
        lines += [MODEL_RULE, "Permutation Importance", MODEL_RULE]
        lines += [f"{field.name}: {field.mean:.6f} ± {field.deviation:.6f}" for field in tested.shuffled]
        lines.append(_PERMUTATION.fill(rows=tested.shuffled_rows, times=REPEATS))
    heading, meaning = _WORTH[kind]
    lines += [MODEL_RULE, heading, MODEL_RULE]
    return [*lines, *(f"{name}: {value}" for name, value in training.importance), meaning.fill()]


def _performance(training: Training, manifest: Manifest) -> list[str]:
    lines = []
    if training.metrics is not None:
        lines += _metric_lines(training.metrics)
        lines += class_lines(training.metrics, training.classes)
    elif training.numbers is not None:
        n = training.numbers
        lines.append(_ERRORS.fill(mae=n.mae, median=n.median, rmse=n.rmse, r2=n.r2))
    elif manifest.target is not None:
        lines.append(_NO_HOLDOUT.fill())
    if training.evaluation is not None:
        lines += _tested_lines(training, training.evaluation)
    if training.scores is not None:
        s = training.scores
        lines.append(_SCORES.fill(low=s.low, median=s.median, p99=s.p99, high=s.high))
    lines += _importances(training, manifest.kind)
    lines += [MODEL_RULE, "Training", MODEL_RULE]
    skipped = _SKIPPED.fill(rows=training.skipped_rows) if training.skipped_rows else ""
    lines.append(_ROWS.fill(rows=training.rows) + skipped)
    lines.append(_held_line(training, manifest) if manifest.target is not None else _SAMPLE.fill(rows=training.sample))
    lines.append(_SEED.fill(seed=manifest.options.seed))
    if manifest.kind is not ModelKind.LOGIT:
        lines.append(_TREES.fill(trees=manifest.options.trees))
    if not training.settled:
        lines.append(_UNSETTLED.fill())
    lines.append(_ENDED.fill(time=training.finished, seconds=training.elapsed))
    if training.metrics is not None:
        names = training.metrics.labels or training.classes
        lines += [MODEL_RULE, "Confusion Matrix", MODEL_RULE, *confusion_lines(training.metrics, names)]
    return lines


def _held_line(training: Training, manifest: Manifest) -> str:
    """Which rows were held out, and how many were trained on."""
    tested = training.evaluation
    facts = {"test": training.test_rows, "rows": training.train_rows}
    if tested is not None and tested.way is Way.INPUT:
        return _HELD_INPUT.fill(input=tested.source, **facts)
    if tested is not None and tested.groups is not None:
        held, groups = tested.groups
        return _HELD_GROUPS.fill(field=manifest.options.group, held=held, groups=groups, **facts)
    if tested is not None and tested.way is Way.TIME:
        return _HELD_TIME.fill(since=tested.since, **facts)
    return _HOLDOUT.fill(share=f"{manifest.options.holdout:.0%}", **facts)


def _metric_lines(metrics: Metrics) -> list[str]:
    return [
        f"Accuracy: {metrics.accuracy}",
        f"Precision: {metrics.precision}",
        f"Recall: {metrics.recall}",
        f"F1 score: {metrics.f1}",
        _AVERAGING.fill(kind=metrics.averaging),
    ]


def class_lines(metrics: Metrics, names: Sequence[str]) -> list[str]:
    """One line a class, then the areas under the curves of each class against all others."""
    head = ["class", "precision", "recall", "F1", "support"]
    rows = [
        [c.name, f"{c.precision:.6f}", f"{c.recall:.6f}", f"{c.f1:.6f}", str(c.support)] for c in metrics.classes(names)
    ]
    lines = table([head, *rows])
    for name, areas in (("PR-AUC", metrics.pr_auc), ("ROC-AUC", metrics.roc_auc)):
        known = [f"{label} {area:.6f}" for label, area in zip(metrics.labels, areas, strict=True) if area is not None]
        if known:
            lines.append(f"{name}: {', '.join(known)}")
    return lines


def _tested_lines(training: Training, tested: Evaluation) -> list[str]:
    """Cross-validation, calibration, and the warning when the test knew its rows."""
    lines = []
    if tested.folds:
        figures = [(name, *spread(tested.folds, name)) for name in ("accuracy", "precision", "recall", "f1")]
        shown = ", ".join(f"{name} {mean:.6f} ± {deviation:.6f}" for name, mean, deviation in figures)
        lines.append(_FOLDS.fill(count=len(tested.folds), figures=shown))
    if training.calibration is not None:
        lines.append(_CALIBRATED.fill(method=training.calibration.method))
    warned = repeated_line(training)
    return [*lines, *([_WARNING.fill(text=warned)] if warned else [])]


def repeated_line(training: Training) -> str:
    """The warning that rows of the test have the features of rows that were trained on; empty when none has."""
    tested = training.evaluation
    if tested is None or not tested.repeated:
        return ""
    share = tested.repeated / training.test_rows
    repeated = REPEATED.fill(count=tested.repeated, rows=training.test_rows, share=share)
    return repeated if share < FEW_REPEATED else REPEATED_MANY.fill(repeated=repeated)


def version_lines(current: Manifest, versions: Sequence[Manifest]) -> list[str]:
    """The trainings of a model, newest first; a star is at the one in use."""
    if not versions:
        return []
    rows = [["", "version", "trained", "rows", "accuracy"]]
    for item in versions:
        training = item.training
        assert training is not None
        accuracy = "-" if training.metrics is None else f"{training.metrics.accuracy:.6f}"
        mark = "*" if item.version == current.version else ""
        rows.append([mark, str(item.version), training.finished, str(training.train_rows), accuracy])
    return [MODEL_RULE, "Versions", MODEL_RULE, *table(rows)]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column to the left, the others to the right."""
    widths = [max(len(line[i]) for line in rows) for i in range(len(rows[0]))]
    out = []
    for line in rows:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        out.append("  ".join(cells).rstrip())
    return out


def confusion_lines(metrics: Metrics, classes: Sequence[str]) -> list[str]:
    """Rows are the true labels, columns the guesses."""
    head = ["label \\ guess", *classes]
    rows = [[label, *map(str, counts)] for label, counts in zip(classes, metrics.confusion, strict=True)]
    return table([head, *rows])
