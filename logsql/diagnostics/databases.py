"""Commands that ask databases of other programs."""

from __future__ import annotations

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.messages import text

NO_PROFILE = define(
    "E2071",
    "database-profile-missing",
    ("the profile of the database is missing", "데이터베이스 프로파일 이름이 없습니다"),
    ("{command} needs the name of a profile", "{command}에는 프로파일 이름이 필요합니다"),
    help=("logsql profile list shows the profiles", "logsql profile list로 프로파일 목록을 봅니다"),
)
NO_SQL = define(
    "E2072",
    "sql-missing",
    ("there is no SQL behind the profile", "프로파일 뒤에 SQL이 없습니다"),
    ("{command} needs SQL behind the profile", "{command}의 프로파일 뒤에 SQL을 쓰세요"),
)
SQL_COMPUTED = NO_SQL.says(
    (
        "SQL is written in the query and not taken from a parameter: only values are, as :name",
        "SQL은 쿼리에 직접 쓰며 매개변수로 받지 않습니다. 값만 :name으로 받습니다",
    ),
    help=syntax("dbquery PROFILE select * from T where F = :name"),
)
UNKNOWN_SQL_PARAMETER = define(
    "E2073",
    "unknown-sql-parameter",
    ("SQL names a parameter that is not set", "SQL에 쓴 매개변수가 설정되지 않았습니다"),
    ("the parameter :{name} is not set", "매개변수 :{name}이(가) 설정되지 않았습니다"),
    help=(
        "set it before (set NAME = VALUE), or with -d NAME=VALUE",
        "앞에서 set 이름 = 값으로 설정하거나 -d 이름=값을 주세요",
    ),
)
NOT_A_SELECT = define(
    "E2074",
    "sql-without-rows",
    ("the SQL gives no rows, or would change something", "SQL이 행을 돌려주지 않거나 무언가를 바꿉니다"),
    (
        "{command} runs one statement that reads and gives rows",
        "{command}은(는) 읽어서 행을 돌려주는 문장 하나만 실행합니다",
    ),
    help=("dbload writes rows, dbcall calls procedures", "행 쓰기는 dbload, 프로시저 호출은 dbcall을 쓰세요"),
)
DATABASE_SETTING = define(
    "E2070",
    "database-setting",
    (
        "a setting of a database's profile is missing, or not one that is taken",
        "데이터베이스 프로파일의 설정이 없거나 쓸 수 없는 설정입니다",
    ),
    (
        "profile {name!r}: {key} is missing or cannot be set so",
        "프로파일 {name!r}: {key} 설정이 없거나 그렇게 지정할 수 없습니다",
    ),
)
SQL_FAILED = define(
    "E3060",
    "database-error",
    ("a database refuses a statement or ends it", "데이터베이스가 문장을 거부하거나 중단했습니다"),
    ("{target}: {reason}", "{target}: {reason}"),
)
TABLE_UNKNOWN = define(
    "E3061",
    "database-table-missing",
    ("a database has no such table, or its table no such column", "데이터베이스에 그런 테이블이나 컬럼이 없습니다"),
    ("{target} has no table {name}", "{target}에 {name} 테이블이 없습니다"),
)
COLUMN_UNKNOWN = TABLE_UNKNOWN.says(
    ("the table {table} has no column {name}", "{table} 테이블에 {name} 컬럼이 없습니다")
)
OUTPUT_UNREADABLE = text(
    "the output parameter {name} has the type {kind}, which CALL cannot hand over: let the procedure give it as text",
    "출력 매개변수 {name}의 타입 {kind}은(는) CALL로 받을 수 없습니다. 프로시저에서 text로 내보내세요",
)
ROUTINE_UNKNOWN = define(
    "E3062",
    "database-routine-missing",
    ("a database has no such procedure", "데이터베이스에 그런 프로시저가 없습니다"),
    ("{target} has no procedure {name}", "{target}에 {name} 프로시저가 없습니다"),
)
READ_ONLY = define(
    "E3063",
    "database-read-only",
    (
        "a database is only read, or the statement is none that reads",
        "읽기만 하는 데이터베이스이거나 읽기 문장이 아닙니다",
    ),
    ("{target} is only read here", "{target}은(는) 읽기만 합니다"),
)
FILE_READ_ONLY = READ_ONLY.says(
    ("{target} is a file that is only read", "{target}은(는) 읽기만 하는 파일입니다"),
    help=syntax('[profiles.NAME]  kind = "NAME"  driver = "adbc_driver_sqlite"  url = "file:PATH"'),
)
WRITE_STOPPED = define(
    "E3064",
    "database-row-refused",
    ("stoponfail=t, and a row was not written", "stoponfail=t인데 쓰지 못한 행이 있습니다"),
    ("{target}: {reason}; {written} rows were written before", "{target}: {reason}. 그 앞의 {written}행은 썼습니다"),
)
SQLSTATE = syntax("SQLSTATE {state}")
ROW_REFUSED = loss(
    "row-not-written",
    ("rows that a database did not take: _error says why", "데이터베이스가 받지 않은 행: _error에 이유"),
)
KEY_REFUSED = loss(
    "key-not-looked-up",
    ("keys that a database refuses to look up: the fields are null", "데이터베이스가 조회를 거부한 키: 필드는 null"),
    fate=Fate.NULL,
)
DUPLICATE_COLUMN = loss(
    "duplicate-column",
    ("columns of one name: the later ones have a number", "이름이 같은 컬럼: 뒤의 것에 번호를 붙임"),
    fact=True,
)
NOT_DECIMAL = loss(
    "not-a-decimal",
    (
        "numbers of a database with more than 38 digits, NaN or infinite: kept as text",
        "38자리를 넘거나 NaN, 무한대인 데이터베이스 숫자: 텍스트로 유지",
    ),
    fate=Fate.CHANGED,
)
NO_DECIMAL = loss(
    "number-without-place",
    (
        "numbers of a database that do not fit the type of their column (NaN, infinite, more digits): null",
        "데이터베이스 숫자 중 컬럼 타입에 맞지 않는 값(NaN, 무한대, 자릿수 초과): null로 처리",
    ),
    fate=Fate.NULL,
)
NOT_UTF8 = loss(
    "database-text-undecodable",
    (
        "texts of a database without an encoding (SQL_ASCII) that are not UTF-8: their bytes are U+FFFD",
        "인코딩이 없는 데이터베이스(SQL_ASCII)에서 UTF-8이 아닌 텍스트: 해당 바이트를 U+FFFD로 바꿈",
    ),
    fate=Fate.CHANGED,
)
NO_DATE = loss(
    "database-date-out-of-range",
    (
        "dates of a database that are infinite or out of range: null",
        "무한대이거나 범위를 벗어난 데이터베이스 날짜: null로 처리",
    ),
    fate=Fate.NULL,
)
