"""Rows about files that are there and cannot be read: one code for each condition that a reader names.

They are used by the commands of this program's own; ``textfile``, ``csvfile``, ``jsonfile`` and ``zipfile`` keep the
one code that the language gives each of them (10700, 10800, 10900, 14000). Sentences: ``readers.py``.
"""

from __future__ import annotations

from logsql.diagnostics.codes import Code, define
from logsql.diagnostics.extras import PACKAGE_MISSING
from logsql.diagnostics.paths import FILE_ERROR

NO_MATCH = FILE_ERROR.when(("no file matches the path", "경로에 맞는 파일이 없습니다"), name="no-match")

# --- any file ---------------------------------------------------------------------------------------------------------

IS_DIRECTORY = define("E3010", "is-a-directory", ("the path is a directory", "경로가 디렉터리입니다"))
NOT_A_FILE = define("E3011", "not-a-file", ("the path is a pipe or a device", "경로가 파이프나 장치입니다"))
NO_PERMISSION = define("E3012", "permission-denied", ("the file may not be read", "파일을 읽을 권한이 없습니다"))
READ_FAILED = define(
    "E3013", "read-failed", ("the system or the archive does not give the file", "파일을 읽는 중 오류가 발생했습니다")
)
EMPTY_FILE = define("E3014", "empty-file", ("the file is empty", "빈 파일입니다"))
UNKNOWN_CHARSET = define("E3015", "unknown-charset", ("there is no such charset", "그런 문자 집합이 없습니다"))
READ_TWICE = define(
    "E3016", "input-read-twice", ("the query reads standard input twice", "쿼리가 표준 입력을 두 번 읽습니다")
)
PACKED_INPUT = define(
    "E3049",
    "packed-input",
    ("standard input is packed in a form that is not unpacked", "표준 입력의 압축 형식을 풀 수 없습니다"),
)

BAD_PATTERN = define(
    "E3047", "bad-pattern", ("the pattern of an option is no regular expression", "옵션의 정규표현식이 잘못되었습니다")
)

NO_SOURCE = define("E3048", "no-such-source", ("the timeline has no such source", "타임라인에 그런 원본이 없습니다"))

# --- archives ---------------------------------------------------------------------------------------------------------

NOT_A_ZIP = define("E3017", "not-a-zip", ("the file is no readable ZIP archive", "읽을 수 있는 ZIP 파일이 아닙니다"))
NO_ENTRY = define("E3018", "no-such-entry", ("the archive has no such entry", "압축 파일에 그런 항목이 없습니다"))
ENCRYPTED = define("E3019", "archive-encrypted", ("the entry is encrypted", "항목이 암호화되어 있습니다"))

# --- CSV, XML, workbooks, SQLite --------------------------------------------------------------------------------------

STRICT_TAB = define(
    "E3020", "strict-with-tab", ("strict=t and tab=t are given both", "strict=t와 tab=t를 함께 썼습니다")
)
NOT_XML = define("E3021", "not-xml", ("the file is no XML", "XML이 아닙니다"))
XPATH_UNSUPPORTED = define(
    "E3022",
    "xpath-unsupported",
    (
        "xpath= asks for more than paths with one predicate per step",
        "xpath=에 단계마다 조건 하나를 넘는 경로를 썼습니다",
    ),
)
XML_ENTITIES = define("E3023", "xml-entities", ("the XML declares entities", "XML에 엔티티 선언이 있습니다"))
XML_TOO_DEEP = define("E3024", "xml-too-deep", ("elements nest too deep", "요소의 중첩이 너무 깊습니다"))
NOT_XLSX = define("E3025", "not-xlsx", ("the file is no readable workbook", "읽을 수 있는 통합 문서가 아닙니다"))
SEVERAL_FILES = define(
    "E3026", "several-files", ("the path matches several workbooks", "경로에 맞는 통합 문서가 여럿입니다")
)
NO_SHEET = define("E3027", "no-such-sheet", ("the workbook has no such sheet", "통합 문서에 그런 시트가 없습니다"))
TOO_SPARSE = define(
    "E3028", "xlsx-too-sparse", ("a sheet is enormous for what it holds", "시트가 내용에 비해 지나치게 큽니다")
)
NOT_SQLITE = define(
    "E3029",
    "not-a-sqlite-database",
    ("the file is no readable SQLite database", "읽을 수 있는 SQLite 데이터베이스가 아닙니다"),
)
NO_TABLE = define(
    "E3030", "no-such-table", ("the SQLite database has no such table", "SQLite 데이터베이스에 그런 테이블이 없습니다")
)

# --- evidence ---------------------------------------------------------------------------------------------------------

NOT_EVTX = define("E3031", "not-an-evtx", ("the file is no Windows event log", "Windows 이벤트 로그가 아닙니다"))
NOT_MFT = define("E3032", "not-an-mft", ("the file is no NTFS $MFT", "NTFS $MFT가 아닙니다"))
NOT_JOURNAL = define("E3033", "not-a-journal", ("the file is no NTFS change journal", "NTFS 변경 저널이 아닙니다"))
NOT_LOGFILE = define("E3034", "not-a-logfile", ("the file is no NTFS $LogFile", "NTFS $LogFile이 아닙니다"))
NOT_HIVE = define("E3035", "not-a-hive", ("the file is no registry hive", "레지스트리 하이브가 아닙니다"))
TRUNCATED_HIVE = define("E3037", "truncated", ("the file is cut off", "파일이 잘렸습니다"))
DAMAGED_HIVE = define(
    "E3036", "damaged-hive", ("the root key of the hive cannot be read", "하이브의 루트 키를 읽을 수 없습니다")
)

# --- query files ------------------------------------------------------------------------------------------------------

QUERY_NOT_READ = define(
    "E3038",
    "file-not-read",
    ("a query file cannot be read", "쿼리 파일을 읽을 수 없습니다"),
    ("cannot read {path}: {reason}", "{path} 파일을 읽을 수 없습니다: {reason}"),
)
QUERY_NOT_UTF8 = define(
    "E3039",
    "file-not-utf8",
    ("a query file is not UTF-8", "쿼리 파일이 UTF-8이 아닙니다"),
    ("{path} is not UTF-8 text (byte {offset})", "{path} 파일이 UTF-8이 아닙니다 (바이트 {offset})"),
)

#: Name that a reader gives -> row.
READER_ROWS: dict[str, Code] = {
    row.name: row
    for row in (
        FILE_ERROR,
        NO_MATCH,
        IS_DIRECTORY,
        NOT_A_FILE,
        NO_PERMISSION,
        READ_FAILED,
        EMPTY_FILE,
        UNKNOWN_CHARSET,
        READ_TWICE,
        PACKED_INPUT,
        BAD_PATTERN,
        NO_SOURCE,
        NOT_A_ZIP,
        NO_ENTRY,
        ENCRYPTED,
        STRICT_TAB,
        NOT_XML,
        XPATH_UNSUPPORTED,
        XML_ENTITIES,
        XML_TOO_DEEP,
        NOT_XLSX,
        SEVERAL_FILES,
        NO_SHEET,
        TOO_SPARSE,
        NOT_SQLITE,
        NO_TABLE,
        NOT_EVTX,
        NOT_MFT,
        NOT_JOURNAL,
        NOT_LOGFILE,
        NOT_HIVE,
        DAMAGED_HIVE,
        TRUNCATED_HIVE,
    )
}
READER_ROWS["missing-extra"] = PACKAGE_MISSING
