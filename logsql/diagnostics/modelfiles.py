"""Rows about the files of stored models: what is refused, damaged, foreign, or cannot be read."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

UNSAFE_FILE = define(
    "41120",
    "ml-unsafe-file",
    ("a model file holds something that a forest never needs", "모델 파일에 포레스트에 필요 없는 내용이 있습니다"),
    ("the file of {owner} was refused: {reason}", "{owner}의 파일을 거부했습니다: {reason}"),
    help=(
        "train the model again; the file is no plain forest",
        "모델을 다시 학습하세요. 이 파일은 일반적인 포레스트가 아닙니다",
    ),
)
#: Reasons of UNSAFE_FILE.
UNPACKS_TO_MORE = text("it unpacks to more than {limit} GiB", "압축을 풀면 {limit} GiB를 넘습니다")
ARRAY_TYPE = text("array type {code!r}", "배열 타입 {code!r}")
NO_NUMBER = text("a scalar that is no number", "숫자가 아닌 스칼라")
UNUSUAL_TYPE_STATE = text("an array type with an unusual state", "상태가 비정상인 배열 타입")
OBJECT_ARRAY = text("an array of objects", "객체 배열")
UNUSUAL_ARRAY = text("an array of an unusual kind", "비정상적인 종류의 배열")
NAMES_A_THING = text("it names {module}.{name}", "{module}.{name} 참조")
SETS_A_STATE = text("it sets the state of a {kind}", "{kind}의 상태 변경")
STATE_IS_NO_TABLE = text("a state that is no table of names", "이름 표가 아닌 상태")

WRONG_HASH = define(
    "41121",
    "ml-wrong-hash",
    ("a model file does not have the hash in its description", "모델 파일의 해시가 설명에 적힌 값과 다릅니다"),
    (
        "the file of model '{name}' does not have the hash in its description",
        "모델 '{name}' 파일의 해시가 설명에 적힌 값과 다릅니다",
    ),
    help=("run ml.fit {name}", "ml.fit {name} 명령을 실행하세요"),
)
WRONG_VERSION = define(
    "41122",
    "ml-wrong-version",
    (
        "a model of another scikit-learn does not give the answers it gave",
        "다른 버전의 scikit-learn으로 학습한 모델의 답이 달라졌습니다",
    ),
    (
        "model '{name}' was trained with scikit-learn {stored}, {here} is installed, and it cannot be used: {reason}",
        "모델 '{name}'을(를) 쓸 수 없습니다(학습한 scikit-learn {stored}, 설치된 버전 {here}): {reason}",
    ),
    help=(
        "train it again (ml.fit {name}), or install scikit-learn {stored}",
        "다시 학습하거나(ml.fit {name}) scikit-learn {stored} 버전을 설치하세요",
    ),
)
DAMAGED_FILE = define(
    "41123",
    "ml-damaged-file",
    ("a file of a model or of an input is damaged or missing", "모델이나 입력의 파일이 손상되었거나 없습니다"),
)
DAMAGED_FOREST = DAMAGED_FILE.says(
    ("the file of {owner} is damaged: {reason}", "{owner}의 파일이 손상되었습니다: {reason}"),
    help=("train the model again", "모델을 다시 학습하세요"),
)
FOREST_MISSING = DAMAGED_FILE.says(
    ("the file of model '{name}' is missing", "모델 '{name}'의 파일이 없습니다"),
    help=("run ml.fit {name}", "ml.fit {name} 명령을 실행하세요"),
)
DAMAGED_DESCRIPTION = DAMAGED_FILE.says(("the description {file} is damaged", "설명 파일 {file}이(가) 손상되었습니다"))
REMOVE_AND_TRAIN = text("remove the model and train it again", "모델을 지우고 다시 학습하세요")
DAMAGED_CLASSES = DAMAGED_FILE.says(
    (
        "the description of model '{name}' is damaged: classes",
        "모델 '{name}'의 설명이 손상되었습니다: 클래스",
    )
)
NO_EXPORT = DAMAGED_FILE.says(
    (
        "file {file} is no exported model, or is damaged",
        "내보낸 모델 파일이 아니거나 손상된 파일입니다: {file}",
    ),
    help=("make it with ml.exportModel", "ml.exportModel로 만드세요"),
)
DAMAGED_INPUT = DAMAGED_FILE.says(
    ("the input file {file} is damaged", "입력 파일 {file}이(가) 손상되었습니다"),
    help=("remove the file and add the input again", "파일을 지우고 입력을 다시 추가하세요"),
)
NOT_IMPORTED = define(
    "41124",
    "ml-not-imported",
    (
        "a model was copied into the store or changed outside of it",
        "저장소 밖에서 복사했거나 고친 모델입니다",
    ),
    (
        "model '{name}' was copied into the store or changed outside of it",
        "모델 '{name}'은(는) 저장소 밖에서 복사했거나 고친 모델입니다",
    ),
    help=(
        "export it where it was trained, then: ml.importModel {name} FILE",
        "학습한 곳에서 내보낸 다음 가져오세요: ml.importModel {name} 파일",
    ),
)
FILE_PROBLEM = define(
    "41125",
    "ml-file-problem",
    ("a model file cannot be read or written", "모델 파일을 읽거나 쓸 수 없습니다"),
)
FILE_EXISTS = FILE_PROBLEM.says(
    ("file {file} exists", "파일이 이미 있습니다: {file}"),
    help=("choose another file name", "다른 파일 이름을 쓰세요"),
)
CANNOT_WRITE = FILE_PROBLEM.says(("cannot write {file}: {reason}", "{file} 파일을 쓸 수 없습니다: {reason}"))
FILE_MISSING = FILE_PROBLEM.says(("file {file} does not exist", "파일이 없습니다: {file}"))
CANNOT_READ = FILE_PROBLEM.says(("cannot read {file}: {reason}", "{file} 파일을 읽을 수 없습니다: {reason}"))
