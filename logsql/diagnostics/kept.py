"""Rows about what the program keeps in files and writes into files: lookup tables, results, and their names."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

NOT_A_NAME = text("'{name}' cannot be a name", "'{name}'은(는) 이름으로 쓸 수 없습니다")
NAME_LENGTH = text("use 1 to 100 characters", "1~100자로 쓰세요")

# --- lookup tables ----------------------------------------------------------------------------------------------------

LOOKUP_FILE = define(
    "E3101",
    "lookup-file",
    ("the file of a lookup table is unreadable or empty", "룩업 테이블 파일을 읽을 수 없거나 비어 있습니다"),
)
LOOKUP_NOT_READ = LOOKUP_FILE.says(
    ("the lookup file {path} cannot be read: {reason}", "룩업 파일 {path}을(를) 읽을 수 없습니다: {reason}")
)
LOOKUP_EMPTY = LOOKUP_FILE.says(
    (
        "the lookup file {path} is empty: it needs a header line",
        "룩업 파일 {path}이(가) 비어 있습니다. 머리글 행이 필요합니다",
    )
)
LOOKUP_KEY = define(
    "E3102",
    "lookup-key",
    ("a lookup table has no such key column", "룩업 테이블에 그런 키 컬럼이 없습니다"),
    (
        'lookup table {name} has no column "{column}" to be its key',
        '룩업 테이블 {name}에 키로 쓸 컬럼 "{column}"이(가) 없습니다',
    ),
)
LOOKUP_NAME = define(
    "E3103",
    "lookup-name",
    ("a text that cannot be the name of a lookup table", "룩업 테이블 이름으로 쓸 수 없는 텍스트입니다"),
    (
        "{name!r} is no name for a lookup table: it needs one word",
        "{name!r}은(는) 룩업 테이블 이름으로 쓸 수 없습니다. 한 단어여야 합니다",
    ),
)
NO_LOOKUP_NAME = LOOKUP_NAME.says(NOT_A_NAME, help=NAME_LENGTH)

# --- saved results ----------------------------------------------------------------------------------------------------

RESULT_NOT_READABLE = define(
    "11201",
    "saved-result-not-readable",
    ("the file is no Parquet file", "Parquet 파일이 아닙니다"),
    ("{path} is not a readable Parquet file", "{path}은(는) 읽을 수 있는 Parquet 파일이 아닙니다"),
)
RESULT_DAMAGED = RESULT_NOT_READABLE.says(
    ("a saved result cannot be read: {reason}", "저장된 결과를 읽을 수 없습니다: {reason}"),
)
LIST_NOT_READ = LOOKUP_FILE.says(
    ("the list {path} cannot be read: {reason}", "목록 {path}을(를) 읽을 수 없습니다: {reason}")
)
RESULT_NAME = define(
    "E1501",
    "invalid-result-name",
    ("a text that cannot be the name of a saved result", "저장할 결과의 이름으로 쓸 수 없는 텍스트입니다"),
    (
        "{name!r} is no name for a saved result (letters, digits, - _ and . only)",
        "{name!r}은(는) 저장할 결과의 이름으로 쓸 수 없습니다 (글자, 숫자, - _ . 만 가능)",
    ),
)

# --- files that commands write, under the codes of each command -------------------------------------------------------

CANNOT_WRITE = text("cannot write {path}: {reason}", "{path}에 쓸 수 없습니다: {reason}")
NO_FOLDER = text(
    "cannot write {path}: there is no folder {folder}", "{path}에 쓸 수 없습니다: {folder} 폴더가 없습니다"
)
FILE_EXISTS = text("the file {path} exists already", "파일이 이미 있습니다: {path}")
REPLACE_OR_ADD = text(
    "overwrite=t replaces the file, append=t adds to it",
    "overwrite=t는 파일을 바꾸고, append=t는 파일에 이어 씁니다",
)
TEMPORARY_EXISTS = text("the temporary file {path} exists already", "임시 파일이 이미 있습니다: {path}")
OTHER_QUERY = text(
    "another query writes it, or one was killed while it did",
    "다른 쿼리가 쓰고 있거나, 쓰던 쿼리가 강제로 종료되었습니다",
)
