"""Rows about the fields and rows that models are trained on and score."""

from __future__ import annotations

from collections.abc import Sequence

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text
from logsql.diagnostics.models import MlError, did_you_mean_one, fields_note

# --- types, as sentences name them ------------------------------------------------------------------------------------

A_NUMBER = text("a number", "숫자")
A_DATE = text("a date", "날짜")
AN_ADDRESS = text("an address", "IP 주소")
A_BOOLEAN = text("a boolean", "불리언")
TEXT = text("text", "텍스트")
A_LIST = text("a list", "목록")
A_VECTOR = text("a list of numbers", "숫자 목록")
A_MAP = text("a map", "맵")
BINARY = text("binary", "바이너리")

# --- fields -----------------------------------------------------------------------------------------------------------

UNKNOWN_FIELD = define(
    "41110",
    "ml-unknown-field",
    ("a field that the model or the rows do not have", "모델이나 행에 없는 필드입니다"),
    ("unknown field '{name}' of {owner}", "{owner}에 '{name}' 필드가 없습니다"),
)
FIELD_NEEDED = UNKNOWN_FIELD.says(
    (
        "{owner} needs the field '{name}', which the rows do not have",
        "{owner}에 필요한 '{name}' 필드가 행에 없습니다",
    )
)
MAKE_OR_TRAIN_AGAIN = text(
    "make the field before this command, or train again without it ({count} fields are needed)",
    "이 명령 앞에서 필드를 만들거나, 이 필드 없이 다시 학습하세요 (필드 {count}개 필요)",
)
MAKE_WITH_EVAL = text(
    "make the field before this command, for example with eval",
    "이 명령 앞에서 eval 등으로 필드를 만드세요",
)
LIST_LACKS = UNKNOWN_FIELD.says(
    ("the field list lacks {fields}", "필드 목록에 없는 필드가 있습니다: {fields}"),
    help=("leave the list out to use all fields of {owner}", "{owner}의 모든 필드를 쓰려면 목록을 생략하세요"),
)
TFIDF_SUBQUERY = UNKNOWN_FIELD.says(
    ("the subquery of tfidf needs term and _idf", "tfidf의 서브쿼리에는 term과 _idf 필드가 필요합니다"),
    help=("store the result of op=build", "op=build의 결과를 저장해 쓰세요"),
)
NO_FIELDS = define(
    "41118",
    "ml-no-fields",
    ("no field is named", "필드를 지정하지 않았습니다"),
)
NO_FEATURE = NO_FIELDS.says(
    ("no feature field is given", "특성 필드를 지정하지 않았습니다"),
    help=("name at least one field", "필드를 하나 이상 지정하세요"),
)
NEEDS_A_FIELD = NO_FIELDS.says(("{command} needs at least one field", "{command}에는 필드가 하나 이상 필요합니다"))
NULL_FIELD = define(
    "41114",
    "ml-null-field",
    ("a field is null in every training row", "모든 학습 행에서 필드 값이 null입니다"),
    ("field '{name}' is null in all {rows} training rows", "학습 행 {rows}개 모두 '{name}' 필드가 null입니다"),
    help=(
        "leave the field out, or check its name and the conversion that makes it",
        "필드를 빼거나, 필드 이름과 필드를 만드는 변환을 확인하세요",
    ),
)
TOO_MANY_VALUES = define(
    "41119",
    "ml-too-many-values",
    ("a text field has too many distinct values", "텍스트 필드의 서로 다른 값이 너무 많습니다"),
    (
        "field '{name}' has {count} distinct texts, more than {limit}",
        "'{name}' 필드의 서로 다른 텍스트가 {count}개로, 한도 {limit}개를 넘습니다",
    ),
    help=(
        "derive a field with fewer values, such as its length or a prefix",
        "길이나 앞부분처럼 값이 더 적은 필드를 만들어 쓰세요",
    ),
)

# --- types ------------------------------------------------------------------------------------------------------------

WRONG_TYPE = define(
    "41115",
    "ml-wrong-type",
    ("a field is of a type that the command cannot use", "명령에 쓸 수 없는 타입의 필드입니다"),
)
NO_FEATURE_TYPE = WRONG_TYPE.says(
    (
        "field '{name}' has the type {type}, which cannot be a feature",
        "'{name}' 필드의 타입은 {type}이며, 특성으로 쓸 수 없습니다",
    ),
    help=(
        "use numbers, dates, addresses, booleans, text or lists of doubles",
        "숫자, 날짜, IP 주소, 불리언, 텍스트, double 목록을 쓰세요",
    ),
)
TRAINED_ON_OTHER = WRONG_TYPE.says(
    (
        "field '{name}' is {found} here, and {owner} was trained on {wanted}",
        "'{name}' 필드는 여기서 {found} 타입인데, {owner}은(는) {wanted} 타입으로 학습했습니다",
    ),
    help=("convert it first: eval {name} = {function}({name})", "먼저 변환하세요: eval {name} = {function}({name})"),
)
UNSUITABLE = WRONG_TYPE.says(
    (
        "field '{name}' is {found}, and {command} needs numbers, dates, addresses or text",
        "'{name}' 필드는 {found} 타입인데, {command}에는 숫자, 날짜, IP 주소, 텍스트가 필요합니다",
    ),
    help=("derive a number or text from it first", "먼저 이 필드에서 숫자나 텍스트를 만드세요"),
)
VECTOR_LENGTHS = WRONG_TYPE.says(
    (
        "the lists of field '{name}' of {owner} differ in length: {first} and {other} numbers",
        "{owner}의 '{name}' 필드 목록의 길이가 서로 다릅니다: 숫자 {first}개와 {other}개",
    ),
    help=(
        "a model takes lists of one length, as tfidf vectors=t makes them",
        "모델에는 tfidf vectors=t가 만드는 것처럼 길이가 같은 목록을 쓰세요",
    ),
)
VECTOR_OTHER = WRONG_TYPE.says(
    (
        "field '{name}' has a list of {found} numbers, and the model was trained on lists of {wanted}",
        "'{name}' 필드의 목록은 숫자 {found}개인데, 모델은 {wanted}개짜리 목록으로 학습했습니다",
    ),
    help=(
        "make the vectors with the same words as for the training",
        "학습 때와 같은 단어로 벡터를 만드세요",
    ),
)
VECTOR_SIZE = WRONG_TYPE.says(
    (
        "the lists of field '{name}' have {found} numbers, and a model takes 1 to {limit}",
        "'{name}' 필드의 목록은 숫자 {found}개인데, 모델에는 1~{limit}개를 씁니다",
    ),
    help=("lower size= of tfidf", "tfidf의 size=를 줄이세요"),
)
NO_LABEL_TYPE = WRONG_TYPE.says(
    ("the target field '{name}' has the type {type}", "대상 필드 '{name}'의 타입이 {type}입니다"),
    help=("a label is text, a number or a boolean", "레이블은 텍스트, 숫자, 불리언 중 하나여야 합니다"),
)
NUMBERS_NEEDED = WRONG_TYPE.says(
    (
        "{command} needs numbers, and field '{name}' is {found}",
        "{command}에는 숫자가 필요한데, '{name}' 필드는 {found} 타입입니다",
    ),
    help=("convert it first: eval {name} = double({name})", "먼저 변환하세요: eval {name} = double({name})"),
)
DATE_NEEDED = WRONG_TYPE.says(
    (
        "{command} needs a date in '{name}', which is {found} here",
        "{command}에는 '{name}' 필드의 날짜가 필요한데, 여기서는 {found} 타입입니다",
    ),
    help=(
        'convert it first: eval {name} = date({name}, "yyyy-MM-dd")',
        '먼저 변환하세요: eval {name} = date({name}, "yyyy-MM-dd")',
    ),
)

# --- the target -------------------------------------------------------------------------------------------------------

TARGET_MISSING = define(
    "41111",
    "ml-target-missing",
    ("the training rows have no target field", "학습 행에 대상 필드가 없습니다"),
    ("the target field '{name}' is not a field of {owner}", "{owner}에 대상 필드 '{name}'이(가) 없습니다"),
)
TWO_CLASSES = text("a classifier needs rows of at least two classes", "분류에는 클래스가 둘 이상인 행이 필요합니다")
ONE_CLASS = define(
    "41112",
    "ml-one-class",
    ("all training rows have the same class", "모든 학습 행의 클래스가 같습니다"),
    (
        "the target field '{name}' has only one class, '{value}' in {rows} training rows",
        "학습 행 {rows}개에서 대상 필드 '{name}'의 클래스가 '{value}' 하나뿐입니다",
    ),
    help=TWO_CLASSES,
)
NO_CLASS = NULL_FIELD.says(
    (
        "the target field '{name}' has no value at all in {rows} training rows",
        "학습 행 {rows}개에서 대상 필드 '{name}'에 값이 하나도 없습니다",
    ),
    help=TWO_CLASSES,
)

TOO_MANY_CLASSES = define(
    "41129",
    "ml-not-classes",
    (
        "the target field has too many values to be classes",
        "대상 필드의 값이 너무 많아 클래스로 볼 수 없습니다",
    ),
    (
        "the target field '{name}' has {count} different values in {rows} rows: too many to be classes",
        "대상 필드 '{name}'의 서로 다른 값이 {rows}행에서 {count}개로, 클래스로 보기에는 너무 많습니다",
    ),
    help=(
        "choose a label that several rows share, such as a prefix or a kind",
        "앞부분이나 종류처럼 여러 행이 함께 갖는 레이블을 쓰세요",
    ),
)
CONTINUOUS = TOO_MANY_CLASSES.says(
    (
        "the target field '{name}' is a number with {count} different values: too many to be classes",
        "대상 필드 '{name}'은(는) 서로 다른 값이 {count}개인 숫자로, 클래스로 보기에는 너무 많습니다",
    ),
    help=(
        "task=regress guesses the number, or make classes of it first: eval {name} = if({name} > 100, 1, 0)",
        "숫자를 예측하려면 task=regress를 쓰거나 먼저 클래스로 만드세요: eval {name} = if({name} > 100, 1, 0)",
    ),
)
CONTINUOUS_LINEAR = TOO_MANY_CLASSES.says(
    (
        "logit guesses classes, and the target field '{name}' is a number with {count} different values",
        "logit은 클래스를 예측하는데, 대상 필드 '{name}'은(는) 서로 다른 값이 {count}개인 숫자입니다",
    ),
    help=(
        "gboost and rforest guess numbers; or make classes of it first",
        "숫자를 예측하려면 gboost나 rforest를 쓰세요. 먼저 클래스로 만들 수도 있습니다",
    ),
)
CLASSES_ONLY = TOO_MANY_CLASSES.says(
    (
        "{name}= is for classes, and the target field '{target}' is a number with many different values",
        "{name} 옵션은 클래스에만 쓰는데, 대상 필드 '{target}'은(는) 서로 다른 값이 많은 숫자입니다",
    ),
    help=("leave it out, or make classes of the target first", "옵션을 빼거나 대상을 먼저 클래스로 만드세요"),
)
ASK_REGRESSION = TOO_MANY_CLASSES.says(
    (
        "the target field '{name}' is a number with many different values, and the guess would be no {type}",
        "대상 필드 '{name}'은(는) 서로 다른 값이 많은 숫자이며, 예측값은 {type} 타입이 아닙니다",
    ),
    help=("add task=regress: the guess is a double", "task=regress를 추가하세요. 예측값은 double입니다"),
)
NOT_A_NUMBER = WRONG_TYPE.says(
    (
        "task=regress needs a number in the target field '{name}', which has the type {type}",
        "task=regress에는 숫자인 대상 필드가 필요한데, '{name}'의 타입은 {type}입니다",
    ),
    help=("convert it first: eval {name} = double({name})", "먼저 변환하세요: eval {name} = double({name})"),
)

# --- numbers of rows --------------------------------------------------------------------------------------------------

NO_ROWS = define(
    "41113",
    "ml-no-rows",
    ("no rows, or too few for the command", "행이 없거나 명령에 필요한 수보다 적습니다"),
    ("{owner} has no rows", "{owner}에 행이 없습니다"),
    help=("check the training query or file", "학습 쿼리나 파일을 확인하세요"),
)
KMEANS_ROWS = NO_ROWS.says(
    (
        "kmeans k={k} needs at least {k} rows with numbers, and there are {rows}",
        "kmeans k={k}에는 숫자가 있는 행이 {k}개 이상 필요한데, {rows}개뿐입니다",
    ),
    help=("lower k", "k를 줄이세요"),
)
CURVEFIT_ROWS = NO_ROWS.says(
    (
        "curvefit degree={degree} needs at least {needed} different values of {name}",
        "curvefit degree={degree}에는 {name} 필드의 서로 다른 값이 {needed}개 이상 필요합니다",
    ),
    help=("lower degree", "degree를 줄이세요"),
)
FORECAST_ROWS = NO_ROWS.says(
    (
        "forecast needs at least 4 rows with a time and a number{group}, and there are {rows}",
        "forecast에는 시각과 숫자가 있는 행이 4개 이상 필요한데{group}, {rows}개뿐입니다",
    )
)
OF_GROUP = text(" (group {key})", " (그룹 {key})")


def unknown_field(name: str, known: Sequence[str], owner: str) -> MlError:
    """``name`` is none of ``known``, the fields of ``owner`` ("model bot", "the rows")."""
    notes = [fields_note(owner, known)]
    return MlError(UNKNOWN_FIELD, help=did_you_mean_one(name, known), notes=notes, name=name, owner=owner)
