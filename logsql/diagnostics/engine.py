"""Rows about carrying out a query: the session's database, the run itself, SQL text, and what the policy refuses."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

# --- the run ----------------------------------------------------------------------------------------------------------

INTERRUPTED = define("E1300", "interrupted", ("the query was interrupted", "쿼리가 중단되었습니다"))
STOPPED = INTERRUPTED.says(("interrupted", "중단했습니다"))
TIME_LIMIT = define(
    "E1301",
    "time-limit",
    ("the query did not finish within its time limit", "쿼리가 제한 시간 안에 끝나지 않았습니다"),
    (
        "the query did not finish within {seconds:g} seconds",
        "쿼리가 {seconds:g}초 안에 끝나지 않았습니다",
    ),
    help=("raise the limit with --timeout", "--timeout으로 제한 시간을 늘리세요"),
)
OUT_OF_MEMORY = define(
    "E1302",
    "out-of-memory",
    ("the query needs more memory than it may use", "쿼리에 허용된 메모리가 부족합니다"),
    ("not enough memory: {reason}", "메모리가 부족합니다: {reason}"),
    help=("raise --memory-limit or narrow the query", "--memory-limit을 늘리거나 쿼리 범위를 줄이세요"),
)
MEMORY_HELD = OUT_OF_MEMORY.says(
    (
        "not enough memory: the query holds {held:,} MB; the limit is {limit:,} MB",
        "메모리가 부족합니다. 쿼리가 {held:,}MB를 쓰고 있고 한도는 {limit:,}MB입니다",
    ),
    help=OUT_OF_MEMORY.help,
)
ENGINE_ERROR = define(
    "E1303",
    "engine-error",
    ("the engine could not carry out the query", "엔진이 쿼리를 실행하지 못했습니다"),
    ("{reason}", "{reason}"),
)
TOO_MANY_ITEMS = define(
    "E1304",
    "too-many-items",
    ("a function makes more items than its limit", "함수가 만드는 항목이 한도를 넘습니다"),
    ("{call} makes more than {limit:,} items", "{call}이(가) 만드는 항목이 {limit:,}개를 넘습니다"),
    help=("shorten the range or take a longer span", "범위를 줄이거나 간격을 늘리세요"),
)
TOO_MANY_FIELDS = define(
    "E1305",
    "too-many-fields",
    ("the rows have more fields than can be shown", "행의 필드가 표시할 수 있는 수보다 많습니다"),
    (
        "the rows have {count:,} different fields; at most {limit:,} are shown",
        "행에 서로 다른 필드가 {count:,}개 있습니다. {limit:,}개까지 표시합니다",
    ),
    help=(
        "name those that you need: fields a, b; or search fewer rows",
        "fields a, b처럼 필요한 필드를 지정하거나 행을 줄이세요",
    ),
)
CLOSED = define(
    "E1306",
    "closed",
    ("the session or the result was closed while it was used", "사용 중에 세션이나 결과가 닫혔습니다"),
)
SESSION_CLOSED = CLOSED.says(("the session is closed", "세션이 닫혔습니다"))
RESULT_CLOSED = CLOSED.says(
    ("the result was closed while its rows were read", "행을 읽는 동안 결과가 닫혔습니다"),
)
READ_TWICE = define(
    "E1307",
    "read-twice",
    ("the rows of SQL are read by two readers at once", "SQL 결과의 행을 동시에 두 번 읽고 있습니다"),
    (
        "the rows of this result are being read; read them to their end first, or ask again",
        "이 결과의 행을 읽는 중입니다. 끝까지 읽은 뒤에 다시 읽거나 쿼리를 다시 실행하세요",
    ),
)
CONSTANT_FAILED = define(
    "E1401",
    "constant-failed",
    ("a constant of the query cannot be computed", "쿼리의 상수를 계산할 수 없습니다"),
    ("the constant cannot be computed: {reason}", "상수를 계산할 수 없습니다: {reason}"),
)

# --- SQL text ---------------------------------------------------------------------------------------------------------

SQL_SYNTAX = define(
    "E1601",
    "sql-syntax",
    ("the SQL text cannot be parsed", "SQL 구문을 해석할 수 없습니다"),
    ("the SQL text cannot be parsed: {reason}", "SQL 구문을 해석할 수 없습니다: {reason}"),
)
SQL_ARGUMENT = define(
    "E1602",
    "sql-argument",
    (
        "pipe() or the table function of a command is called with other arguments",
        "pipe()나 명령의 테이블 함수에 쓸 수 없는 인자입니다",
    ),
)
PIPE_ARGUMENT = SQL_ARGUMENT.says(
    ("pipe() takes one string: a pipe query", "pipe()에는 파이프 쿼리 문자열 하나를 씁니다")
)
ONE_COMMAND = SQL_ARGUMENT.says(
    (
        "{name}() takes the arguments of {command}; a pipe query belongs into pipe()",
        "{name}()에는 {command} 명령의 인자를 씁니다. 파이프 쿼리는 pipe()에 쓰세요",
    )
)
ONE_PATH = SQL_ARGUMENT.says(("{name}() takes one path", "{name}()에는 경로 하나를 씁니다"))
ARCHIVE_AND_ENTRY = SQL_ARGUMENT.says(
    ("{name}() takes an archive and an entry", "{name}()에는 압축 파일과 그 안의 항목을 씁니다")
)
STRING_CONSTANTS = SQL_ARGUMENT.says(("{name}() takes string constants", "{name}()에는 문자열 상수를 씁니다"))

# --- the session ------------------------------------------------------------------------------------------------------

INVALID_SETTING = define(
    "E2001",
    "invalid-setting",
    ("the engine does not accept a setting of the session", "엔진이 세션 설정을 받아들이지 않습니다"),
    ("{reason}", "{reason}"),
)
UNKNOWN_ZONE = define(
    "E2002",
    "unknown-time-zone",
    ("there is no such time zone", "그런 시간대가 없습니다"),
    ("unknown time zone {zone!r}", "알 수 없는 시간대입니다: {zone!r}"),
    help=("use a name such as Asia/Seoul or UTC", "Asia/Seoul이나 UTC 같은 이름을 쓰세요"),
)
DATABASE_NOT_OPENED = define(
    "E3001",
    "database-not-opened",
    ("the database file cannot be opened", "데이터베이스 파일을 열 수 없습니다"),
    ("cannot open the database {path}: {reason}", "데이터베이스 {path}을(를) 열 수 없습니다: {reason}"),
)
DATABASE_NOT_READ = DATABASE_NOT_OPENED.says(
    (
        "there is no database at {path} that safe mode could read",
        "안전 모드에서 읽을 수 있는 데이터베이스가 {path}에 없습니다",
    ),
    help=text("name its folder with --allow-dir to be told why", "이유를 보려면 --allow-dir로 폴더를 허용하세요"),
)

DISK = define(
    "E1310",
    "disk",
    (
        "the disk is full or broken where the engine reads or writes",
        "엔진이 읽거나 쓰는 디스크가 가득 찼거나 고장 났습니다",
    ),
    ("the disk does not do its part for {path}: {reason}", "{path} 파일을 디스크에서 읽거나 쓰지 못했습니다: {reason}"),
)

# --- the policy -------------------------------------------------------------------------------------------------------

ALLOW_DIRECTORY = text("allow it with --allow-dir", "--allow-dir로 허용하세요")
WITHOUT_SAFE = text("allow it with a session without --safe", "--safe 없는 세션에서 실행하세요")
ALLOW_WRITE = text("allow it with --allow-write", "--allow-write로 허용하세요")
NOT_ALLOWED = define(
    "E4001",
    "not-allowed",
    ("safe mode does not allow what the query asks for", "안전 모드에서 허용하지 않는 작업입니다"),
)
READ_NOT_ALLOWED = NOT_ALLOWED.says(
    ("reading {path} is not allowed in safe mode", "안전 모드에서는 {path}을(를) 읽을 수 없습니다"),
    help=ALLOW_DIRECTORY,
    name="read-not-allowed",
)
WRITE_NOT_ALLOWED = NOT_ALLOWED.says(
    ("writing {path} is not allowed in safe mode", "안전 모드에서는 {path}에 쓸 수 없습니다"),
    help=ALLOW_WRITE,
    name="write-not-allowed",
)
STORE_NOT_ALLOWED = NOT_ALLOWED.says(
    (
        "storing rows in {table} is not allowed in safe mode",
        "안전 모드에서는 {table} 테이블에 행을 저장할 수 없습니다",
    ),
    help=ALLOW_WRITE,
    name="write-not-allowed",
)
STATEMENT_NOT_ALLOWED = NOT_ALLOWED.says(
    ("{kind} statements are not allowed in safe mode", "안전 모드에서는 {kind} 문을 실행할 수 없습니다"),
    help=("use a session without --safe", "--safe 없는 세션을 쓰세요"),
    name="write-not-allowed",
)
SETTING_NOT_ALLOWED = NOT_ALLOWED.says(
    (
        "the setting {name} may not be changed in safe mode",
        "안전 모드에서는 {name} 설정을 바꿀 수 없습니다",
    ),
    help=WITHOUT_SAFE,
)
PRAGMA_NOT_ALLOWED = NOT_ALLOWED.says(
    ("PRAGMA {name} is not allowed in safe mode", "안전 모드에서는 PRAGMA {name}을(를) 쓸 수 없습니다"),
    help=WITHOUT_SAFE,
)
FUNCTION_NOT_ALLOWED = NOT_ALLOWED.says(
    ("the function {name} is not allowed in safe mode", "안전 모드에서는 함수 {name}을(를) 쓸 수 없습니다"),
    help=WITHOUT_SAFE,
)
PATH_NOT_ALLOWED = NOT_ALLOWED.says(
    (
        "{path} is not allowed in safe mode: SQL takes plain paths without .. and without a scheme there",
        "안전 모드에서는 {path}을(를) 쓸 수 없습니다. SQL에는 ..이나 스킴이 없는 경로만 쓸 수 있습니다",
    ),
    help=("write the path out from an allowed folder", "허용한 폴더에서 시작하는 경로를 그대로 쓰세요"),
    name="read-not-allowed",
)
PATH_NOT_WRITTEN_OUT = NOT_ALLOWED.says(
    (
        "{name}() takes its paths as text constants in safe mode",
        "안전 모드에서는 {name}()의 경로를 문자열 상수로 써야 합니다",
    ),
    name="read-not-allowed",
)
VIEW_NOT_ALLOWED = NOT_ALLOWED.says(
    (
        "{name} of the database does what is not allowed in safe mode",
        "데이터베이스의 {name}은(는) 안전 모드에서 허용하지 않는 작업을 합니다",
    ),
    help=WITHOUT_SAFE,
    name="read-not-allowed",
)
VIEW_OF_FILES = NOT_ALLOWED.says(
    (
        "views and macros of a database file may read no files in safe mode: they outlive what was checked",
        "안전 모드에서는 데이터베이스 파일에 파일을 읽는 뷰와 매크로를 둘 수 없습니다. 검사한 뒤에도 남기 때문입니다",
    ),
    help=("name the file in the query, or fill a table from it", "쿼리에 파일을 직접 쓰거나 테이블에 담으세요"),
    name="read-not-allowed",
)
NAME_NOT_FOUND = NOT_ALLOWED.says(
    (
        "{path} cannot be opened for SQL in safe mode as it is written here",
        "안전 모드에서는 여기에 쓴 형태로 {path}을(를) SQL에서 열 수 없습니다",
    ),
    help=("write SELECT ... FROM read_csv('PATH')", "SELECT ... FROM read_csv('PATH')로 쓰세요"),
    name="read-not-allowed",
)
MIXED_PACKING = NOT_ALLOWED.says(
    (
        "{name}() takes files of one kind of packing in safe mode",
        "안전 모드에서는 {name}()에 압축 형식이 같은 파일만 쓸 수 있습니다",
    ),
    help=("read plain and packed files in calls of their own", "압축한 파일과 그렇지 않은 파일을 따로 읽으세요"),
    name="read-not-allowed",
)
MANY_FILES = NOT_ALLOWED.says(
    ("SQL opens at most {most} files in safe mode", "안전 모드에서 SQL은 파일을 {most}개까지 엽니다"),
    help=("read them in several queries", "쿼리를 나누어 읽으세요"),
    name="read-not-allowed",
)
FILE_NOT_WHOLE = define(
    "E1309",
    "file-not-whole",
    ("a file ends with rows that may be half-written", "파일이 덜 쓴 행으로 끝날 수 있습니다"),
    (
        "a writer is adding rows to {path}, or was when it was killed; SQL would read behind the whole ones",
        "{path}에 행을 추가하는 중이거나 추가하던 프로세스가 종료되었습니다. SQL은 온전하지 않은 행까지 읽게 됩니다",
    ),
    help=(
        "read the whole rows with csvfile, jsonfile or textfile: SELECT * FROM csvfile('PATH'); "
        "the next append removes the rest",
        "온전한 행은 csvfile, jsonfile, textfile로 읽으세요: SELECT * FROM csvfile('PATH'). "
        "나머지는 다음 추가 때 지워집니다",
    ),
)
ENGINE_REFUSED = NOT_ALLOWED.says(("{reason}", "{reason}"), help=WITHOUT_SAFE)
NETWORK_NOT_ALLOWED = NOT_ALLOWED.says(
    ("reaching {target} is not allowed in safe mode", "안전 모드에서는 {target}에 접속할 수 없습니다"),
    help=(
        "name it in the configuration: [network] allow, or use a session without --safe",
        "설정의 [network] allow에 적거나 --safe 없는 세션에서 실행하세요",
    ),
    name="network-not-allowed",
)
