"""Rows about how models are tested, kept in versions, compared and handed on."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text
from logsql.diagnostics.modeldata import NO_ROWS, ONE_CLASS, UNKNOWN_FIELD, WRONG_TYPE
from logsql.diagnostics.models import BAD_OPTION, MODEL_NOT_FOUND

# --- which rows are held out ------------------------------------------------------------------------------------------

NO_TEST_FIELD = UNKNOWN_FIELD.says(
    ("the input has no field '{name}' to divide its rows by", "입력에 행을 나눌 '{name}' 필드가 없습니다"),
    help=(
        "the field need not be a feature, but the input must have it",
        "특성이 아니어도 되지만 입력에는 있어야 합니다",
    ),
)
NO_TIME_FIELD = UNKNOWN_FIELD.says(
    (
        "split=time needs a field of dates, and the input has none",
        "split=time에는 날짜 필드가 필요한데 입력에 없습니다",
    ),
    help=("name it with time=FIELD", "time=필드로 지정하세요"),
)
TWO_TIMES = UNKNOWN_FIELD.says(
    ("split=time: several fields are dates: {fields}", "split=time: 날짜 필드가 여럿입니다: {fields}"),
    help=("choose one with time=FIELD", "time=필드로 하나를 고르세요"),
)
NOT_A_TIME = WRONG_TYPE.says(
    ("split=time: field '{name}' holds no dates", "split=time: '{name}' 필드가 날짜가 아닙니다"),
    help=("convert it in the input's query with date()", "입력 쿼리에서 date()로 변환하세요"),
)
FEW_GROUPS = NO_ROWS.says(
    (
        "group={name}: there are {groups} groups, too few to hold some of them out",
        "group={name}: 그룹이 {groups}개뿐이라 따로 뺄 수 없습니다",
    ),
    help=("choose a field with more values, or fewer folds", "값이 더 많은 필드를 쓰거나 folds를 줄이세요"),
)
FEW_PARTS = NO_ROWS.says(
    ("there are fewer rows than folds={parts}", "행이 folds={parts}보다 적습니다"),
    help=("lower folds", "folds를 줄이세요"),
)
ONE_CLASS_LEFT = ONE_CLASS.says(
    (
        "only one class, '{value}', is left in the {rows} rows to train on",
        "학습할 행 {rows}개에 클래스가 '{value}' 하나만 남습니다",
    ),
    help=("hold out fewer rows, or divide them in another way", "검증 행을 줄이거나 다른 방식으로 나누세요"),
)
OPTIONS_TOGETHER = BAD_OPTION.says(
    ("{first} and {second} exclude each other", "{first}, {second}: 함께 쓸 수 없습니다"),
    help=("leave one out", "하나를 빼세요"),
)
ONE_OF = BAD_OPTION.says(("{name}={text}: one of {known}", "{name}={text}: {known} 중 하나를 쓰세요"))
CLASSIFIER_ONLY = BAD_OPTION.says(
    ("{name}= is for models with a target", "{name} 옵션은 대상 필드가 있는 모델에만 씁니다"),
    help=("leave it out", "옵션을 빼세요"),
)
CLASS_WEIGHTS = BAD_OPTION.says(
    ("class_weight={text}: balanced, or LABEL:WEIGHT, ...", "class_weight={text}: balanced 또는 레이블:가중치, ..."),
    help=('as in class_weight="MALICIOUS:5"; others weigh 1', 'class_weight="MALICIOUS:5"처럼 쓰고 나머지는 1입니다'),
)
WEIGHT_OF_NONE = BAD_OPTION.says(
    ("class_weight: no row is labelled '{label}'", "class_weight: '{label}' 레이블의 행이 없습니다"),
    help=("labels: {known}", "레이블: {known}"),
)
REPEATED = text(
    "{count} of {rows} held-out rows ({share:.1%}) have the same features as a row that was trained on",
    "검증 행 {rows}개 중 {count}개가({share:.1%}) 학습한 행과 특성이 같습니다",
)
REPEATED_MANY = text(
    "{repeated}: the scores say little about new rows; divide by group=FIELD, split=time or test=INPUT",
    "{repeated}. 새 행에 대한 성능은 알 수 없으니 group=필드, split=time, test=입력으로 나누세요",
)
# --- versions ---------------------------------------------------------------------------------------------------------

NO_VERSION = MODEL_NOT_FOUND.says(
    ("model '{name}' has no version {version}", "모델 '{name}'에 {version} 버전이 없습니다"),
    help=("ml.model {name} lists the versions", "버전 목록은 ml.model {name} 명령으로 봅니다"),
)
NO_EARLIER = MODEL_NOT_FOUND.says(
    ("model '{name}' has no earlier version", "모델 '{name}'에 이전 버전이 없습니다"),
    help=("ml.model {name} lists the versions", "버전 목록은 ml.model {name} 명령으로 봅니다"),
)
NOT_A_VERSION = BAD_OPTION.says(("a version is a whole number, not {text}", "버전은 정수입니다: {text}"))
CURRENT_VERSION = BAD_OPTION.says(
    ("version {version} of model '{name}' is in use", "모델 '{name}'의 {version} 버전은 사용 중입니다"),
    help=("ml.rollback to another one first", "먼저 ml.rollback으로 다른 버전을 쓰세요"),
)
NO_CURVES = define(
    "41126",
    "ml-not-recorded",
    ("what is asked of a model was not recorded at its training", "모델을 학습할 때 기록하지 않은 내용입니다"),
    (
        "model '{name}' has no probabilities of held-out rows",
        "모델 '{name}'에 검증 행의 확률이 없습니다",
    ),
    help=(
        "train it again (ml.fit {name}) with rows held out",
        "검증 행을 두고 다시 학습하세요(ml.fit {name})",
    ),
)
NO_PROFILE = NO_CURVES.says(
    (
        "model '{name}' has no record of the values it was trained on",
        "모델 '{name}'에 학습한 값의 기록이 없습니다",
    ),
    help=("train it again: ml.fit {name}", "다시 학습하세요: ml.fit {name}"),
)
NO_CLASS_NAMED = BAD_OPTION.says(
    ("model '{name}' knows no class '{label}'", "모델 '{name}'에 '{label}' 클래스가 없습니다"),
    help=("classes: {known}", "클래스: {known}"),
)
# --- files that come from elsewhere -----------------------------------------------------------------------------------

KEY_IS = text("the key that seals models here is {file}", "여기서 모델을 봉인하는 키: {file}")
NO_PROBES = text("it holds no answers to compare", "비교할 답이 저장되어 있지 않습니다")
OTHER_ANSWERS = text(
    "its answers to {count} stored rows are others here", "저장된 {count}행에 대한 답이 여기서는 다릅니다"
)
NOBODY = text("nobody", "없음")
OTHER_SIGNER = define(
    "41127",
    "ml-signature",
    ("an exported model is not signed as it should be", "내보낸 모델의 서명이 맞지 않습니다"),
    ("{file} was signed by {found}, not by {wanted}", "{file} 파일의 서명자: {found} (기대한 서명자: {wanted})"),
    help=(
        "compare with what ml.exportModel showed on the other machine",
        "다른 컴퓨터에서 ml.exportModel이 보여 준 값과 비교하세요",
    ),
)
WRONG_SIGNATURE = OTHER_SIGNER.says(
    ("{file} was changed after it was signed", "서명한 뒤에 바뀐 파일입니다: {file}"),
    help=("get the file again from where it was exported", "내보낸 곳에서 파일을 다시 받으세요"),
)
CANNOT_CHECK = OTHER_SIGNER.says(
    ("the signature of {file} cannot be checked here", "여기서는 {file}의 서명을 확인할 수 없습니다"),
    help=("install it: pip install 'logsql[crypto]'", "설치: pip install 'logsql[crypto]'"),
)
OTHER_LIBRARY = text(
    "model {name} was trained with scikit-learn {stored}, and {here} is installed: it gives the same answers to "
    "{count} stored rows, and is used",
    "모델 {name}은(는) scikit-learn {stored} 버전으로 학습했고 설치된 버전은 {here}입니다. 저장된 {count}행에 같은 "
    "답을 내므로 그대로 씁니다",
)
