"""Rows of the machine-learning room, and the error that carries them.

41100 to 41102 are the language manual's numbers; the rest continue them. Every error says what was wrong and, where
there is one, the concrete fix in ``help``; errors about fields list the fields that are there in ``notes``. What is
said about fields and rows stands in ``modeldata.py``, what is said about a refused file in ``modelfiles.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from logsql.diagnostics.codes import Sentence, define, syntax
from logsql.diagnostics.errors import RunError, diagnostic, nearest
from logsql.diagnostics.kept import NAME_LENGTH, NOT_A_NAME
from logsql.diagnostics.messages import text

# --- words that sentences are put together from -----------------------------------------------------------------------

DID_YOU_MEAN = text("did you mean {name}?", "혹시 {name}인가요?")
THE_ROWS = text("the rows", "입력 행")
TRAINING_DATA = text("the training data", "학습 데이터")
TRAINING_SUBQUERY = text("the training subquery", "학습 서브쿼리")
THE_SUBQUERY = text("the subquery", "서브쿼리")
INPUT_NAMED = text("input {name}", "입력 {name}")
MODEL_NAMED = text("model {name}", "모델 {name}")
THE_MODEL = text("the model", "모델")
MODEL_QUOTED = text("model '{name}'", "모델 '{name}'")
FIELDS_OF = text("fields of {owner}: {fields}", "{owner}의 필드: {fields}")
FIELDS_HERE = text("fields here: {fields}", "현재 필드: {fields}")
MODELS_ARE = text("models: {names}", "모델: {names}")
NO_MODELS = text("there are no models", "모델이 없습니다")
INPUTS_ARE = text("inputs: {names}", "입력: {names}")
NO_INPUTS = text("there are no inputs", "입력이 없습니다")
TASKS_ARE = text("running: {names}", "실행 중: {names}")
NO_TASKS = text("nothing is running", "실행 중인 학습이 없습니다")
OTHER_NAME = text("choose another name", "다른 이름을 쓰세요")

# --- models -----------------------------------------------------------------------------------------------------------

MODEL_EMPTY = define(
    "41100",
    "ml-model-empty",
    ("the model option is empty", "model 옵션이 비어 있습니다"),
    help=("write model=NAME", "model=이름 형식으로 쓰세요"),
)
MODEL_NOT_FOUND = define(
    "41101",
    "ml-model-not-found",
    ("there is no model of this name", "그런 이름의 모델이 없습니다"),
    ("model '{name}' does not exist", "모델 '{name}'이(가) 없습니다"),
    help=(
        "ml.models lists the models, ml.createModel makes one",
        "모델 목록은 ml.models로 보고, 새 모델은 ml.createModel로 만듭니다",
    ),
)
NO_HANDLER = define(
    "41102",
    "ml-model-handler-not-found",
    ("the model is of another type", "모델의 종류가 다릅니다"),
    (
        "model '{name}' is of the type {type}, and this command needs {wanted}",
        "모델 '{name}'의 종류는 {type}인데, 이 명령에는 {wanted} 모델이 필요합니다",
    ),
    help=(
        "choose another model, or the command of its type",
        "다른 모델을 고르거나 모델 종류에 맞는 명령을 쓰세요",
    ),
)
NOT_FITTED = define(
    "41116",
    "ml-not-fitted",
    ("the model has not been trained", "학습하지 않은 모델입니다"),
    ("model '{name}' has not been trained", "모델 '{name}'은(는) 아직 학습하지 않았습니다"),
    help=("run ml.fit {name}", "ml.fit {name} 명령을 실행하세요"),
)
MODEL_EXISTS = define(
    "41117",
    "ml-model-exists",
    ("the name of the model is taken", "이미 있는 모델 이름입니다"),
    ("model '{name}' exists", "모델 '{name}'이(가) 이미 있습니다"),
    help=(
        "ml.removeModel {name}, or choose another name",
        "ml.removeModel {name} 명령으로 지우거나 다른 이름을 쓰세요",
    ),
)
MODEL_REMADE = MODEL_EXISTS.says(
    ("model '{name}' was made anew during its training", "학습하는 동안 모델 '{name}'이(가) 새로 만들어졌습니다"),
    help=("run ml.fit again", "ml.fit을 다시 실행하세요"),
)

# --- inputs -----------------------------------------------------------------------------------------------------------

INPUT_NOT_FOUND = define(
    "41130",
    "ml-input-not-found",
    ("there is no input of this name", "그런 이름의 입력이 없습니다"),
    ("input '{name}' does not exist", "입력 '{name}'이(가) 없습니다"),
    help=("ml.addCsvInput NAME FILE adds one", "ml.addCsvInput 이름 파일 명령으로 추가합니다"),
)
INPUT_EXISTS = define(
    "41131",
    "ml-input-exists",
    ("the name of the input is taken", "이미 있는 입력 이름입니다"),
    ("input '{name}' exists", "입력 '{name}'이(가) 이미 있습니다"),
    help=(
        "ml.removeInput {name}, or choose another name",
        "ml.removeInput {name} 명령으로 지우거나 다른 이름을 쓰세요",
    ),
)
INPUT_UNREADABLE = define(
    "41132",
    "ml-input-unreadable",
    ("the file or query of an input cannot be read", "입력의 파일이나 쿼리를 읽을 수 없습니다"),
)
INPUT_NEEDS_SESSION = INPUT_UNREADABLE.says(
    ("a query input needs an open session", "쿼리 입력을 읽으려면 열린 세션이 필요합니다"),
    help=("run the command inside the shell", "셸 안에서 명령을 실행하세요"),
)
INPUT_FILE_MISSING = INPUT_UNREADABLE.says(
    ("file {file} does not exist", "파일이 없습니다: {file}"),
    help=("check the path", "경로를 확인하세요"),
)
INPUT_READ_AS = INPUT_UNREADABLE.says(
    ("cannot read {file} as {kind}: {reason}", "{file} 파일을 {kind} 형식으로 읽을 수 없습니다: {reason}"),
    help=("check the file", "파일을 확인하세요"),
)
INPUT_READ = INPUT_UNREADABLE.says(
    ("cannot read {file}: {reason}", "{file} 파일을 읽을 수 없습니다: {reason}"),
    help=("check the file", "파일을 확인하세요"),
)

# --- trainings --------------------------------------------------------------------------------------------------------

TASK_NOT_FOUND = define(
    "41140",
    "ml-task-not-found",
    ("there is no such running training", "실행 중인 그런 학습이 없습니다"),
    ("no running training '{key}'", "실행 중인 학습 '{key}'이(가) 없습니다"),
    help=("ml.tasks lists the trainings", "학습 목록은 ml.tasks로 봅니다"),
)
TASK_RUNNING = define(
    "41141",
    "ml-task-running",
    ("the model is being trained", "모델을 학습하는 중입니다"),
    ("model '{name}' is being trained", "모델 '{name}'을(를) 학습하는 중입니다"),
    help=(
        "ml.tasks shows it, ml.cancel {name} stops it",
        "진행 상황은 ml.tasks로 보고, ml.cancel {name} 명령으로 멈춥니다",
    ),
)
CANCELED = define("41142", "ml-canceled", ("the training was canceled", "학습이 취소되었습니다"))
TIMED_OUT = define(
    "41143",
    "ml-timed-out",
    ("the training ran into its timeout", "학습이 제한 시간을 넘었습니다"),
    help=("raise timeout=, or lower size=", "timeout=을 늘리거나 size=를 줄이세요"),
)

# --- arguments --------------------------------------------------------------------------------------------------------

USAGE = define(
    "41150",
    "ml-usage",
    ("arguments or rows that the command does not take", "명령에 쓸 수 없는 인자나 행입니다"),
)
BAD_NAME = USAGE.says(NOT_A_NAME, help=NAME_LENGTH)
FIELDS_NOT_GIVEN = USAGE.says(
    ("the fields of the model are not given", "모델의 필드를 지정하지 않았습니다"),
    help=('add fields="+target, field, ..."', 'fields="+대상, 필드, ..."를 추가하세요'),
)
SAME_TIME = USAGE.says(
    ("{command}: two rows have the same time", "{command}: 시각이 같은 행이 둘 있습니다"),
    help=(
        "group them first with timechart, or add by FIELD",
        "먼저 timechart로 묶거나 by 필드를 추가하세요",
    ),
)
NO_INTERVAL = USAGE.says(
    ("{command} needs a constant interval between the rows", "{command}에는 행 사이의 간격이 일정해야 합니다"),
    help=("put timechart span=... before it", "앞에 timechart span=...을 두세요"),
)
LOF_NEEDS_BY = USAGE.says(
    ("lof with a training subquery needs by FIELD", "학습 서브쿼리가 있는 lof에는 by 필드가 필요합니다"),
    help=syntax("lof FIELD, ... by FIELD [ subquery ]"),
)
BAD_OPTION = define(
    "41151",
    "ml-bad-option",
    ("an option that does not exist, or a value out of its range", "없는 옵션이거나 범위를 벗어난 값입니다"),
)
HYPER_PARAMETER = BAD_OPTION.says(
    ("a hyper-parameter is out of range: {rule}", "하이퍼파라미터가 범위를 벗어났습니다: {rule}")
)
IN_RANGE = text("{name} is {low} to {high}", "{name}의 범위는 {low}~{high}입니다")
AT_LEAST = text("{name} is at least {low}", "{name}은(는) {low} 이상입니다")
TARGET_IS_FEATURE = BAD_OPTION.says(
    ("the target field '{name}' is also a feature", "대상 필드 '{name}'이(가) 특성 필드에도 있습니다"),
    help=("leave it out of the feature list", "특성 목록에서 빼세요"),
)
SEASON_TOO_LONG = BAD_OPTION.says(
    (
        "a season of {period} rows needs at least {needed} rows, and there are {rows}",
        "{period}행짜리 주기에는 행이 {needed}개 이상 필요한데, {rows}개뿐입니다",
    ),
    help=("choose a shorter period", "더 짧은 주기를 쓰세요"),
)
FORECAST_OPTIONS = BAD_OPTION.says(
    (
        "forecast: count is at least 1, confidence is 1 to 99, smoother is linear, loess or ets",
        "forecast: count는 1 이상, confidence는 1~99, smoother는 linear, loess, ets 중 하나입니다",
    )
)
KMEANS_OPTIONS = BAD_OPTION.says(("k and iter of kmeans are at least 1", "kmeans의 k와 iter는 1 이상입니다"))
LOF_OPTIONS = BAD_OPTION.says(
    (
        "lof: k is at least 1, eps is above 0 and at most 1, cores is 1 to 10000",
        "lof: k는 1 이상, eps는 0 초과 1 이하, cores는 1~10000입니다",
    )
)
CURVEFIT_OPTIONS = BAD_OPTION.says(("degree of curvefit is at least 0", "curvefit의 degree는 0 이상입니다"))
UNKNOWN_COMMAND = define(
    "41152",
    "ml-unknown-command",
    ("there is no such ml command", "그런 ml 명령이 없습니다"),
)


# --- the error --------------------------------------------------------------------------------------------------------


class MlError(RunError):
    """A machine-learning command that cannot be carried out.

    said: a row or sentence of the catalogue; help: in place of the sentence's own; notes: what was available; facts:
    the places of the sentence.
    """

    def __init__(
        self,
        said: Sentence,
        /,
        *,
        help: str | None = None,
        notes: Iterable[str] = (),
        **facts: object,
    ) -> None:
        super().__init__(diagnostic(said, help=help, notes=notes, **facts))

    @property
    def message(self) -> str:
        return self.diagnostic.message


def fields_note(owner: str, known: Sequence[str]) -> str:
    """The note that lists the fields of ``owner``."""
    return FIELDS_OF.fill(owner=owner, fields=", ".join(known))


def did_you_mean_one(name: str, known: Iterable[str]) -> str | None:
    """A help sentence with the nearest name, or None when nothing is near."""
    near = nearest(name, known)
    return DID_YOU_MEAN.fill(name=near[0]) if near else None
