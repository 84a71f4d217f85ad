"""What readers of files say (``udfs.readers``), in both languages, found by the English sentence of the reader.

A command shows it under its own code, with the name that the reader gives (``file-not-found``).
"""

from __future__ import annotations

from logsql.diagnostics.messages import text
from udfs.readers.errors import ReaderError, printable

PATH_NOTE = text("path: {path}", "경로: {path}")
NO_HOME = text(
    "{folder} is not expanded in a query: write the whole path of the folder",
    "쿼리에서는 {folder}을(를) 홈 폴더로 바꾸지 않습니다. 폴더의 전체 경로를 쓰세요",
)
FOLDER_MISSING = text("the folder {folder} does not exist", "{folder} 폴더가 없습니다")
STANDARD_INPUT = text(
    "standard input is the source -: - | parsejson, - | parsecsv ...",
    "표준 입력은 소스 -로 읽습니다: - | parsejson, - | parsecsv ...",
)
CSV_INPUT = text(
    "standard input is the source -: - | parsecsv NAME, NAME ... | limit 1 COUNT (1 leaves the header out)",
    "표준 입력은 소스 -로 읽습니다: - | parsecsv 이름, 이름 ... | limit 1 개수 (1은 머리글을 뺍니다)",
)
SEVERAL_FILES = text(
    "one path stands there, * for any text in it; others are added: SOURCE {first} | union [ SOURCE {second} ]",
    "경로는 하나만 쓰며 *는 임의의 텍스트입니다. 다른 파일은 더하세요: 소스 {first} | union [ 소스 {second} ]",
)

#: English sentence -> both languages.
READER_SENTENCES = {
    said.en: said
    for said in (
        text("{reason}", "{reason}"),
        # files
        text("file not found: {path}", "파일을 찾을 수 없습니다: {path}"),
        text("no file matches {path}", "일치하는 파일이 없습니다: {path}"),
        text("no permission to read {path}", "읽을 권한이 없습니다: {path}"),
        text("{path} is a directory, not a file", "파일이 아니라 디렉터리입니다: {path}"),
        text(
            "{path} is a directory, and no file in it is of the kind that is read here",
            "{path}은(는) 디렉터리이며, 그 안에 여기서 읽는 종류의 파일이 없습니다",
        ),
        text(
            "{path} is a link to a folder, and what lies behind it is not read: give {target} as well",
            "{path}은(는) 폴더로 가는 링크이며 그 뒤의 파일은 읽지 않습니다. {target}도 지정하세요",
        ),
        text(
            "{path} is a pipe or a device, not a file: save what it gives, or read standard input with the command -",
            "{path}은(는) 파일이 아니라 파이프나 장치입니다. 내용을 파일로 저장하거나 - 명령으로 표준 입력을 읽으세요",
        ),
        text("reading {path} is not allowed in safe mode", "안전 모드에서는 {path}을(를) 읽을 수 없습니다"),
        text("cannot read {path}: {reason}", "{path}을(를) 읽을 수 없습니다: {reason}"),
        text("{path} is empty", "빈 파일입니다: {path}"),
        text("unknown charset: {charset}", "알 수 없는 문자 집합입니다: {charset}"),
        text("standard input can be read only once in a query", "표준 입력은 쿼리 하나에서 한 번만 읽을 수 있습니다"),
        text(
            "{path} is packed with {packing}: unpack it on the way ({tool}), or save it",
            "{path}이(가) {packing} 형식으로 압축되어 있습니다. {tool}(으)로 풀어서 넘기거나 파일로 저장하세요",
        ),
        text(
            "{path} is a ZIP archive: save it, and read the file with zipfile",
            "{path}이(가) ZIP 파일입니다. 파일로 저장하고 zipfile로 읽으세요",
        ),
        # archives
        text(
            "{path} is not a readable ZIP archive: {reason}",
            "{path}은(는) 읽을 수 있는 ZIP 파일이 아닙니다: {reason}",
        ),
        text("no entry {entry} in {archive}", "{archive} 안에 {entry} 항목이 없습니다"),
        text(
            "no entry {entry} in {path} ({count} names are no {charset}: give zipcharset)",
            "{path} 안에 {entry} 항목이 없습니다 (이름 {count}개가 {charset}이(가) 아닙니다. zipcharset을 지정하세요)",
        ),
        text("{path} is encrypted", "암호화되어 있습니다: {path}"),
        text("cannot unpack {path}: {reason}", "{path}의 압축을 풀 수 없습니다: {reason}"),
        # CSV, XML, workbooks, SQLite
        text("strict=t cannot go with tab=t", "strict=t와 tab=t는 함께 쓸 수 없습니다"),
        text(
            "unsupported xpath {path!r}: write /a/b[1]/c, //x, * and one [n], [@a] or [@a='v'] per step",
            "지원하지 않는 XPath입니다: {path!r}. /a/b[1]/c, //x, *와 단계마다 [n], [@a], [@a='v'] 중 하나를 씁니다",
        ),
        text("{path} is not XML: {reason}", "{path}은(는) XML이 아닙니다: {reason}"),
        text(
            "{path} declares the entity {name}; documents with entity declarations are not read",
            "{path}에 엔티티 {name} 선언이 있습니다. 엔티티를 선언한 문서는 읽지 않습니다",
        ),
        text("{path} nests more than {limit} elements", "{path}의 요소 중첩이 {limit}단계를 넘습니다"),
        text(
            "{path} is not a readable workbook: {reason}",
            "{path}은(는) 읽을 수 있는 통합 문서가 아닙니다: {reason}",
        ),
        text(
            "{path} is not a readable workbook: reading it took longer than {seconds:g} seconds",
            "{path}은(는) 읽을 수 있는 통합 문서가 아닙니다: 읽는 데 {seconds:g}초가 넘게 걸렸습니다",
        ),
        text(
            "{path} is not a readable workbook: the parser failed on it",
            "{path}은(는) 읽을 수 있는 통합 문서가 아닙니다: 파서가 처리하지 못했습니다",
        ),
        text(
            "{path} is not a readable Excel workbook: {reason}",
            "{path}은(는) 읽을 수 있는 Excel 통합 문서가 아닙니다: {reason}",
        ),
        text(
            "{path}: a sheet of {rows} rows and {columns} columns holds {cells} cells only; "
            "delete the cells far from the table",
            "{path}: {rows}행 {columns}열 시트에 셀이 {cells}개뿐입니다. 표에서 멀리 떨어진 셀을 지우세요",
        ),
        text(
            "xlsxfile reads one workbook, and {path} matches {count}",
            "xlsxfile은 통합 문서 하나를 읽는데, {path}에 맞는 파일이 {count}개입니다",
        ),
        text("{path} has no sheet {sheet}; it has {names}", "{path}에 {sheet} 시트가 없습니다. 있는 시트: {names}"),
        text("{path} is not an SQLite database", "{path}은(는) SQLite 데이터베이스가 아닙니다"),
        text(
            "cannot read the SQLite database {path}: {reason}",
            "SQLite 데이터베이스 {path}을(를) 읽을 수 없습니다: {reason}",
        ),
        text(
            "no table {table} in {path}; there are: {names}",
            "{path}에 {table} 테이블이 없습니다. 있는 테이블: {names}",
        ),
        # evidence
        text(
            "{path} is an event log of Windows XP or Server 2003 (.evt), another format than .evtx: convert it "
            "with wevtutil export-log {path} OUT.evtx /lf:true on a Windows machine",
            "{path}은(는) Windows XP·Server 2003의 이벤트 로그(.evt)로, .evtx와 형식이 다릅니다. Windows에서 "
            "wevtutil export-log {path} OUT.evtx /lf:true 로 변환하세요",
        ),
        text("timeline knows no source {name}: {known}", "timeline에 {name} 원본이 없습니다. 쓸 수 있는 값: {known}"),
        text(
            "host={pattern} is no regular expression: {reason}", "host={pattern}은(는) 정규표현식이 아닙니다: {reason}"
        ),
        text("{path} is not a Windows event log: {reason}", "{path}은(는) Windows 이벤트 로그가 아닙니다: {reason}"),
        text(
            "{path} is not an NTFS $MFT: it holds no record with the FILE signature",
            "{path}은(는) NTFS $MFT가 아닙니다: FILE 시그니처가 있는 레코드가 없습니다",
        ),
        text(
            "{path} is not an NTFS change journal: it holds no USN record",
            "{path}은(는) NTFS 변경 저널이 아닙니다: USN 레코드가 없습니다",
        ),
        text(
            "{path} is not an NTFS $LogFile: it holds neither restart nor record pages",
            "{path}은(는) NTFS $LogFile이 아닙니다: 재시작 페이지도 레코드 페이지도 없습니다",
        ),
        text(
            "{path} is a damaged registry hive: its root key cannot be read",
            "{path}은(는) 손상된 레지스트리 하이브입니다: 루트 키를 읽을 수 없습니다",
        ),
        text("{path} is empty: not a registry hive", "{path}은(는) 빈 파일이며, 레지스트리 하이브가 아닙니다"),
        text(
            "{path} begins with zeros only: not a registry hive",
            "{path}은(는) 0으로만 시작하며, 레지스트리 하이브가 아닙니다",
        ),
        text(
            "{path} is not a registry hive: it does not begin with 'regf'",
            "{path}은(는) 레지스트리 하이브가 아닙니다: 'regf'로 시작하지 않습니다",
        ),
        text(
            "{path} is truncated: a registry hive has at least {least} bytes, this file {size}",
            "{path}이(가) 잘렸습니다: 레지스트리 하이브는 {least}바이트 이상인데, 이 파일은 {size}바이트입니다",
        ),
    )
}


def reader_sentence(problem: ReaderError) -> str:
    """What a reader says, in the language in force; a sentence that the catalogue lacks stays as it is."""
    said = READER_SENTENCES.get(problem.said)
    return str(problem) if said is None else printable(said.fill(**problem.facts))
