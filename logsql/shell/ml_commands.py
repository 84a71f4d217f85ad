"""The ``ml.*`` commands of the shell and of ``logsql ml``.

Contract
- ``MlShell.run(line)`` carries out one command line and returns 0, or 1 after printing an error, or 2 for a wrong call.
- ``ask(prompt)`` answers the one question there is (``Select Model Fields?``); ``fields="..."`` answers it in scripts.
- All text goes through ``out`` (results) and ``err`` (errors); nothing is read from or written to the terminal here.
"""

from __future__ import annotations

import datetime as dt
import re
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from logsql.diagnostics import mlshell as said
from logsql.diagnostics.errors import LogsqlError, nearest
from logsql.diagnostics.messages import Pair, told
from logsql.diagnostics.modeldata import NO_FEATURE, unknown_field
from logsql.diagnostics.models import (
    BAD_OPTION,
    DID_YOU_MEAN,
    INPUT_NAMED,
    TASK_RUNNING,
    UNKNOWN_COMMAND,
    USAGE,
    MlError,
    fields_note,
)
from logsql.language.spans import render
from logsql.ml.inputs import FEATURE_KINDS, InputKind, InputStore, MlInput
from logsql.ml.model import FitOptions, Manifest, ModelKind
from logsql.ml.options import check_kind, check_options
from logsql.ml.store import ModelStore, other_library
from logsql.ml.tasks import TaskManager, TaskState, TaskView
from logsql.shell import ml_layout as layout
from logsql.shell import ml_life as life
from logsql.shell.commandline import CommandLine, Option
from logsql.shell.invocation import beside

_IS_OPTION = re.compile(r"[^\W\d]\w*=")
KINDS = {**{kind.value: kind for kind in ModelKind}, "anomalies": ModelKind.IFOREST}
# Option name -> (field of FitOptions, type). ``size`` is the language's own word for the number of trees.
OPTIONS: dict[str, tuple[str, type]] = {
    "trees": ("trees", int),
    "size": ("trees", int),
    "depth": ("depth", int),
    "leaf": ("leaf", int),
    "sample": ("sample", int),
    "holdout": ("holdout", float),
    "seed": ("seed", int),
    "group": ("group", str),
    "split": ("split", str),
    "time": ("time", str),
    "test": ("test", str),
    "folds": ("folds", int),
    "calibrate": ("calibrate", str),
    "class_weight": ("class_weight", str),
    "leaves": ("leaves", int),
    "rate": ("rate", float),
    "penalty": ("penalty", float),
    "task": ("task", str),
}


@dataclass(frozen=True)
class Command:
    """One ml command: its words, what it does, and how it is carried out (arguments, options)."""

    name: str
    usage: str
    summary: Pair
    run: Callable[[MlShell, list[str], dict[str, str]], int]
    counts: tuple[int, int]
    options: tuple[str, ...] = ()
    raw_tail: bool = False


def split_words(line: str) -> list[str]:
    r"""Words of a command line: blanks separate, double quotes hold together, ``\"`` is a quote. Every other backslash
    stays what it is (paths of Windows), so it is doubled before shlex, for which it would quote the next character.

    >>> split_words(r'a "b c" C:\x\y "say \"hi\""')
    ['a', 'b c', 'C:\\x\\y', 'say "hi"']
    """
    words = shlex.shlex(re.sub(r'\\(?!")', r"\\\\", line), posix=True)
    words.whitespace_split, words.quotes, words.commenters = True, '"', ""
    try:
        return list(words)
    except ValueError:
        raise MlError(said.QUOTE_OPEN) from None


class MlShell:
    """Carries out ``ml.*`` lines. wait: ``ml.fit`` waits for the end (scripts), as ``wait=t`` does for one call."""

    def __init__(
        self,
        store: ModelStore,
        inputs: InputStore,
        tasks: TaskManager,
        ask: Callable[[str], str],
        out: Callable[[str], object] = lambda text: None,
        err: Callable[[str], object] | None = None,
        wait: bool = False,
    ) -> None:
        self.store, self.inputs, self.tasks = store, inputs, tasks
        self.ask, self.out, self.err, self.wait = ask, out, err or out, wait

    def run(self, line: str) -> int:
        """Carry out one line such as ``ml.fit bot``; returns 0 (done), 1 (failed) or 2 (wrong call)."""
        try:
            head, _, tail = line.strip().partition(" ")
            command = _command(head)
            if command.raw_tail:
                name, _, rest = tail.strip().partition(" ")
                return self._call(command, [word for word in (name, rest.strip()) if word], {})
            return self._words(command, split_words(tail))
        except LogsqlError as error:
            return self._failed(error)

    def run_words(self, words: Sequence[str]) -> int:
        """The same for words a command line has split already: ``["createModel", "rforest", "bot", "bot"]``."""
        try:
            command = _command(words[0] if words else "help")
            rest = list(words[1:])
            if command.raw_tail:
                return self._call(command, [*rest[:1], " ".join(rest[1:])] if len(rest) > 1 else rest, {})
            return self._words(command, rest)
        except LogsqlError as error:
            return self._failed(error)

    def _words(self, command: Command, words: list[str]) -> int:
        """The options of ml commands are written ``name=value``; for the parser they are ``--name=value``."""
        if not command.options:
            return self._call(command, words, {})
        marked = [f"--{word}" if _IS_OPTION.match(word) else word for word in words]
        options, arguments, unknown = _parser(command).split(marked)
        for word in unknown:
            name = word.removeprefix("--").partition("=")[0]
            near = nearest(name, command.options)
            raise MlError(
                said.UNKNOWN_OPTION,
                help=DID_YOU_MEAN.fill(name=near[0]) if near else None,
                notes=[said.OPTIONS_ARE.fill(options=", ".join(command.options))],
                name=name,
                command=command.name,
            )
        return self._call(command, arguments, {name: values[-1] for name, values in options.items()})

    def _call(self, command: Command, arguments: list[str], options: dict[str, str]) -> int:
        low, high = command.counts
        if not low <= len(arguments) <= high:
            raise MlError(said.OTHER_ARGUMENTS, help=f"{command.name} {command.usage}".strip(), command=command.name)
        return command.run(self, arguments, options)

    def _failed(self, error: LogsqlError) -> int:
        """An input's query may be wrong, and the policy may say no: that is said like every error of a query."""
        if not isinstance(error, MlError):
            self.err(render(error.diagnostic))
            return error.exit_code
        lines = [f"error[{error.code}]: {error.message}"]
        lines += [f"note: {note}" for note in error.notes]
        if error.help:
            lines.append(f"help: {error.help}")
        self.err("\n".join(lines))
        return 2 if error.code in (USAGE.code, BAD_OPTION.code, UNKNOWN_COMMAND.code) else 1


def _parser(command: Command) -> CommandLine:
    return CommandLine([Option((f"--{name}",), name, "VALUE", "", repeat=True) for name in command.options])


def _command(word: str) -> Command:
    plain = word[3:] if word.lower().startswith("ml.") else word
    for command in COMMANDS:
        if command.name[3:].lower() == plain.lower():
            return command
    near = nearest(f"ml.{plain}", [command.name for command in COMMANDS])
    raise MlError(said.NO_COMMAND, help=DID_YOU_MEAN.fill(name=near[0]) if near else None, word=word)


def _add(kind: InputKind) -> Callable[[MlShell, list[str], dict[str, str]], int]:
    def run(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
        shell.inputs.add(arguments[0], kind, arguments[1])
        shell.out("added")
        return 0

    return run


def _input(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    shell.out(layout.input_card(shell.inputs.get(arguments[0])))
    return 0


def _inputs(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    shell.out(layout.input_list(shell.inputs.listings()))
    return 0


def _remove_input(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    shell.inputs.remove(arguments[0])
    shell.out("removed")
    return 0


def select_fields(answer: str, kind: ModelKind, item: MlInput) -> tuple[str | None, tuple[str, ...]]:
    """Target and features from an answer such as ``+label, a, b`` (``*``: all other usable fields).

    Raises MlError: unknown field, no or several targets, a target for an isolation forest, no feature, a field twice.
    """
    names = item.field_names
    owner = INPUT_NAMED.fill(name=item.name)
    target: str | None = None
    fields: list[str] = []
    for word in (part.strip() for part in answer.split(",")):
        name = word[1:].strip() if word.startswith("+") else word
        if word == "*":
            continue
        if name not in names:
            raise unknown_field(name, names, owner)
        if name in fields or name == target:
            raise MlError(said.FIELD_TWICE, name=name)
        if not word.startswith("+"):
            fields.append(name)
        elif target is None:
            target = name
        else:
            raise MlError(said.TWO_TARGETS, first=target, second=name)
    if "*" in [part.strip() for part in answer.split(",")]:
        fields += [f.name for f in item.fields if f.name not in fields and f.name != target and f.kind in FEATURE_KINDS]
    if kind.supervised and target is None:
        raise MlError(said.NO_TARGET, notes=[fields_note(owner, names)])
    if kind is ModelKind.IFOREST and target is not None:
        raise MlError(said.FOREST_TARGET, target=target)
    if not fields:
        raise MlError(NO_FEATURE, help=said.FIELD_OR_STAR.fill(), notes=[fields_note(owner, names)])
    return target, tuple(fields)


def fit_options(options: dict[str, str], given: FitOptions | None = None) -> FitOptions:
    """Hyper-parameters from ``name=value`` texts, the others as ``given``. Raises MlError on a value of the wrong type
    or range."""
    values: dict[str, Any] = {}
    for name, text in options.items():
        if name not in OPTIONS:
            continue
        key, type_ = OPTIONS[name]
        try:
            values[key] = type_(text)
        except ValueError:
            row = said.WHOLE_NUMBER if type_ is int else said.NUMBER
            raise MlError(row, name=name, text=text) from None
    if values.get("calibrate", "").lower() in ("t", "true", "f", "false"):
        values["calibrate"] = "t" if _flag(options, "calibrate", False) else ""
    return check_options(replace(given or FitOptions(), **values))


def _fields_there(shell: MlShell, chosen: FitOptions, item: MlInput) -> None:
    """The fields and the input that the options name must exist. Raises MlError."""
    for name in (chosen.group, chosen.time):
        if name is not None and name not in item.field_names:
            raise unknown_field(name, item.field_names, INPUT_NAMED.fill(name=item.name))
    if chosen.test is not None:
        shell.inputs.peek(chosen.test)


def _create(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    kind_name, name, input_name = arguments
    kind = KINDS.get(kind_name.lower())
    if kind is None:
        raise MlError(said.NO_MODEL_TYPE, type=kind_name)
    chosen = fit_options(options, FitOptions.of(kind, {}))
    item = shell.inputs.get(input_name)
    if "fields" in options:
        answer = options["fields"]
    else:
        shell.out(layout.input_card(item))
        answer = shell.ask(said.SELECT_FIELDS.fill())
    target, fields = select_fields(answer, kind, item)
    counts = {field.name: field.cardinality for field in item.fields}
    check_kind(chosen, kind)
    _fields_there(shell, chosen, item)
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    cardinality = None if target is None else counts[target]
    shell.store.create(Manifest(name, kind, input_name, fields, target, cardinality, chosen, created))
    shell.out("created")
    return 0


def _flag(options: dict[str, str], name: str, default: bool) -> bool:
    text = options.get(name)
    if text is None:
        return default
    if text.lower() in ("t", "true"):
        return True
    if text.lower() in ("f", "false"):
        return False
    raise MlError(said.FLAG, name=name, text=text)


def _fit(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    wait = _flag(options, "wait", shell.wait)
    manifest = shell.store.manifest(arguments[0])
    chosen = fit_options(options, manifest.options)
    check_kind(chosen, manifest.kind)
    if chosen != manifest.options:
        _fields_there(shell, chosen, shell.inputs.peek(manifest.input))
    task = shell.tasks.start(arguments[0], options=chosen)
    shell.out("started")
    return _finished(shell, shell.tasks.wait(task)) if wait else 0


def _wait(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    return _finished(shell, shell.tasks.wait(arguments[0]))


def _finished(shell: MlShell, view: TaskView) -> int:
    if view.state is TaskState.DONE:
        shell.out("finished")
        training = shell.store.manifest(view.model).training
        warned = layout.repeated_line(training) if training is not None else ""
        if warned:
            shell.err(said.WARNING.fill(text=warned))
        return 0
    shell.err(f"{view.state}: {view.message}" if view.message else str(view.state))
    return 1


def _tasks(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    shell.out(layout.task_list(shell.tasks.views()))
    return 0


def _cancel(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    view = shell.tasks.cancel(arguments[0])
    end = time.monotonic() + 2.0  # usually one step away; a long step ends in the background
    while shell.tasks.running(view.model) and time.monotonic() < end:
        time.sleep(0.01)
    shell.out("canceling" if shell.tasks.running(view.model) else "canceled")
    return 0


def _models(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    shell.out(layout.model_list(shell.store.listings()))
    return 0


def _model(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    manifest = shell.store.manifest(arguments[0])
    shell.out(layout.model_card(manifest, shell.store.versions(manifest.name)))
    told = other_library(manifest)
    if told is not None:
        shell.err(said.NOTE.fill(text=told))
    return 0


def _remove_model(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    if shell.tasks.running(arguments[0]):
        raise MlError(TASK_RUNNING, help=said.CANCEL_FIRST.fill(name=arguments[0]), name=arguments[0])
    shell.store.remove(arguments[0])
    shell.out("removed")
    return 0


def _help(shell: MlShell, arguments: list[str], options: dict[str, str]) -> int:
    shell.out("\n".join(beside([(f"{c.name} {c.usage}".rstrip(), told(c.summary)) for c in COMMANDS])))
    return 0


_HYPER = tuple(OPTIONS)
TRAINING = (
    "[trees= depth= leaf= sample= holdout= seed= class_weight=] "
    "[leaves= rate= penalty= task=] [group=FIELD | split=time | test=INPUT] [time=FIELD folds= calibrate=t]"
)

COMMANDS: tuple[Command, ...] = (
    Command(
        "ml.addCsvInput",
        "NAME FILE",
        ("register a CSV file as training input", "CSV 파일을 학습 데이터로 등록"),
        _add(InputKind.CSV),
        (2, 2),
    ),
    Command(
        "ml.addParquetInput",
        "NAME FILE",
        ("register a Parquet file", "Parquet 파일을 학습 데이터로 등록"),
        _add(InputKind.PARQUET),
        (2, 2),
    ),
    Command(
        "ml.addJsonInput",
        "NAME FILE",
        ("register a JSON or JSON-lines file", "JSON 또는 JSON 줄 파일을 학습 데이터로 등록"),
        _add(InputKind.JSON),
        (2, 2),
    ),
    Command(
        "ml.addQueryInput",
        "NAME QUERY",
        ("register a query", "쿼리를 학습 데이터로 등록"),
        _add(InputKind.QUERY),
        (2, 2),
        raw_tail=True,
    ),
    Command("ml.inputs", "", ("list the inputs", "학습 데이터 목록"), _inputs, (0, 0)),
    Command(
        "ml.input", "NAME", ("type, size and fields of an input", "학습 데이터의 종류, 크기, 필드"), _input, (1, 1)
    ),
    Command("ml.removeInput", "NAME", ("forget an input", "학습 데이터 등록 해제"), _remove_input, (1, 1)),
    Command(
        "ml.createModel",
        'TYPE MODEL INPUT [fields="+target, field, ..."] ' + TRAINING,
        (
            "create a model: rforest, gboost or logit (label +target), or iforest (anomalies)",
            "모델 생성: rforest, gboost, logit(+target으로 라벨 지정) 또는 iforest(이상 탐지)",
        ),
        _create,
        (3, 3),
        ("fields", *_HYPER),
    ),
    Command(
        "ml.fit",
        "MODEL [wait=t] " + TRAINING,
        (
            "train in the background (options change those of the model)",
            "백그라운드에서 학습(옵션은 모델의 옵션을 바꿈)",
        ),
        _fit,
        (1, 1),
        ("wait", *_HYPER),
    ),
    Command("ml.tasks", "", ("progress of the trainings", "학습 진행 상황"), _tasks, (0, 0)),
    Command("ml.wait", "MODEL", ("wait for a training to end", "학습이 끝날 때까지 대기"), _wait, (1, 1)),
    Command(
        "ml.cancel", "MODEL", ("stop a training (also by task id)", "학습 중단(작업 ID로도 지정)"), _cancel, (1, 1)
    ),
    Command("ml.models", "", ("list the models", "모델 목록"), _models, (0, 0)),
    Command(
        "ml.model", "MODEL", ("fields, importance and scores of a model", "모델의 필드, 중요도, 점수"), _model, (1, 1)
    ),
    Command(
        "ml.thresholds",
        "MODEL [class=LABEL] [miss=COST] [alarm=COST] [step=0.05]",
        ("what alarms at each probability of a class catch and cost", "클래스 확률의 임계값별 탐지 수와 비용"),
        life.thresholds,
        (1, 1),
        ("class", "miss", "alarm", "step"),
    ),
    Command(
        "ml.describe",
        "MODEL",
        (
            "training query, rows, ranges of the fields, libraries, seed",
            "학습 쿼리, 행 수, 필드 범위, 라이브러리, 시드",
        ),
        life.describe,
        (1, 1),
    ),
    Command(
        "ml.drift",
        "MODEL INPUT",
        ("how far the values of an input have moved from the training", "입력 값이 학습 때와 얼마나 달라졌는지"),
        life.drift,
        (2, 2),
    ),
    Command(
        "ml.compare",
        "MODEL MODEL [INPUT] [limit=20]",
        (
            "agreement of two models or versions, and the rows that differ",
            "두 모델이나 버전의 일치율과 달라진 행",
        ),
        life.compare,
        (2, 3),
        ("limit",),
    ),
    Command(
        "ml.rollback",
        "MODEL [VERSION]",
        ("use the version before, or that of the number", "이전 버전이나 지정한 버전을 다시 사용"),
        life.rollback,
        (1, 2),
        ("version",),
    ),
    Command(
        "ml.exportModel",
        "MODEL FILE",
        ("write a trained model to one file", "학습한 모델을 파일 하나로 내보내기"),
        life.export,
        (2, 2),
    ),
    Command(
        "ml.importModel",
        "MODEL FILE [signer=FINGERPRINT]",
        ("verify and take over an exported model", "내보낸 모델을 검증하고 가져오기"),
        life.take,
        (2, 2),
        ("signer",),
    ),
    Command(
        "ml.removeModel",
        "MODEL",
        ("remove a model with its versions, or one version", "모델과 모든 버전, 또는 한 버전 삭제"),
        _remove_model,
        (1, 1),
    ),
    Command("ml.help", "", ("this list", "이 목록"), _help, (0, 0)),
)

__all__ = ["COMMANDS", "Command", "MlShell", "fit_options", "select_fields", "split_words"]
