"""Sentences of the command line and the shell, English and Korean."""

from __future__ import annotations

from logsql.diagnostics.messages import add_messages

SENTENCES: dict[str, tuple[str, str]] = {
    # usage errors
    "usage-formats": ("formats: {names}", "출력 형식: {names}"),
    "usage-quote-query": (
        "put the query in single quotes: logsql -q 'QUERY'",
        "쿼리는 작은따옴표로 묶으세요: logsql -q 'QUERY'",
    ),
    "usage-data-file": ("its rows: {form}", "이 파일의 행을 읽으려면: {form}"),
    "usage-page": ("the page: logsql help {name}", "설명: logsql help {name}"),
    "foreign-name": ("{name} - a name of {languages}; here:", "{name} - {languages}에서 쓰는 이름입니다. 여기서는:"),
    "word-where": (
        "a word of _wget_error, of the reasons of the ledger and of errors of sources (help E3041)",
        "_wget_error, 원장의 사유, 소스 오류(help E3041)에 쓰는 단어",
    ),
    "topic-refused": ("{name} is not offered: {reason}", "{name}은(는) 제공하지 않습니다: {reason}"),
    "standard-input": ("standard input", "표준 입력"),
    "internal-error": ("internal error: {what}", "내부 오류: {what}"),
    "internal-help": (
        "run again with --debug to see the details, and report them",
        "--debug를 붙여 다시 실행하면 자세한 내용을 볼 수 있습니다",
    ),
    "interrupted": ("interrupted", "중단했습니다"),
    "ledger-all": ("--loss lists all", "--loss로 모두 표시"),
    "files-checked": (
        "{count} file{s} checked, {bad} with errors; warnings: {warnings}",
        "파일 {count}개 확인, 오류 {bad}개, 경고 {warnings}개",
    ),
    "test-more": ("and {count} more", "그 밖에 {count}개"),
    "test-untested": ("no file beside it says what is expected", "기대 결과 파일이 없습니다"),
    "test-without": (
        "without a test: {count} ({names})",
        "테스트가 없는 쿼리: {count}개 ({names})",
    ),
    "test-end": ("{passed} passed, {failed} failed ({seconds} s)", "통과 {passed}개, 실패 {failed}개 ({seconds}초)"),
    "test-interrupted": ("interrupted after {done} of {all} tests", "테스트 {all}개 중 {done}개 뒤에 중단했습니다"),
    "would-change": ("{path} is not formatted", "{path}의 형식이 다릅니다"),
    "formatted": ("{path} formatted", "{path} 형식을 맞추었습니다"),
    # help
    "help-usage": ("usage", "사용법"),
    "help-options": ("options", "옵션"),
    "help-formats": ("formats of -f", "-f 형식"),
    "help-verbs": ("more", "그 밖에"),
    "help-exit": (
        "exit codes: 0 ok, 1 query failed, 2 usage, 3 source unavailable, 4 timeout, 130 interrupted",
        "종료 코드: 0 성공, 1 쿼리 실패, 2 사용법, 3 원본 없음, 4 시간 초과, 130 중단",
    ),
    "help-verb": ("{word} stands on the command line: {usage}", "{word}은(는) 명령줄에서 실행합니다: {usage}"),
    "help-near-verb": (
        "perhaps {word}, which stands on the command line: {usage}",
        "{word}을(를) 쓰려고 하셨나요? 명령줄에서 실행합니다: {usage}",
    ),
    "help-shell-word": (
        "{word} is a word of the shell: start logsql without -q",
        "{word}은(는) 셸에서 쓰는 단어입니다. -q 없이 logsql을 시작하세요",
    ),
    "use-shell": ("the shell", "대화형 셸"),
    "use-query": ("run a query", "쿼리 실행"),
    "use-file": ("run a query file (- reads the query from standard input)", "쿼리 파일 실행 (-는 표준 입력의 쿼리)"),
    "use-sql": (
        "run DuckDB SQL; readers are table functions, pipe('QUERY') is a table",
        "DuckDB SQL 실행. 리더는 테이블 함수이고 pipe('QUERY')는 테이블",
    ),
    "use-translate": ("print the SQL, run nothing", "SQL만 출력하고 실행하지 않음"),
    "use-explain": ("stages, fields, order and SQL", "단계, 필드, 순서, SQL"),
    "use-check": ("errors of query files, and what they may not mean", "쿼리 파일의 오류와 의심스러운 곳 검사"),
    "use-fmt": ("the formatter", "쿼리 형식 정리"),
    "use-test": (
        "run queries and compare with what stands beside them (NAME.toml)",
        "쿼리를 실행해 옆의 파일(이름.toml)과 비교",
    ),
    "use-config": ("errors of the configuration", "설정 파일의 오류 검사"),
    "use-check-config": ("the same", "위와 같음"),
    "use-profile": (
        "profiles of directories, databases and servers",
        "디렉터리, 데이터베이스, 서버의 프로파일",
    ),
    "use-ml": ("the ml.* commands (logsql ml help)", "ml.* 명령 (logsql ml help)"),
    "use-chart": ("a picture of a query's rows (HTML or PNG)", "쿼리 결과를 그림으로 (HTML 또는 PNG)"),
    "use-commands": ("list commands, or the page of one", "명령 목록 또는 한 명령의 설명"),
    "use-functions": ("list functions, or the page of one", "함수 목록 또는 한 함수의 설명"),
    "use-help": ("the page of a command, a function or an error code", "명령, 함수, 오류 코드의 설명"),
    "opt-query": ("run this query", "이 쿼리를 실행"),
    "opt-define": (
        'query parameter, read as $("key"): a text, with := the value of an expression (code:=404)',
        '쿼리 매개변수, $("key")로 읽음. =은 텍스트, :=은 표현식의 값(code:=404)',
    ),
    "opt-format": ("output format; a table on a terminal, jsonl otherwise", "출력 형식. 터미널은 table, 그 외는 jsonl"),
    "opt-output": (
        "write to this file, in the format of its ending; it appears when it is complete",
        "이 파일에 저장. 확장자가 형식을 정하고 완성된 뒤에만 생김",
    ),
    "opt-db": ("DuckDB database with the tables (default: in memory)", "테이블이 있는 DuckDB 파일 (기본: 메모리)"),
    "opt-tz": ("time zone to read and print dates in", "날짜를 읽고 쓰는 시간대"),
    "opt-safe": (
        "no network; files are read below an --allow-dir only and written below an --allow-write only; --db is read",
        "네트워크를 금지하고 --allow-dir 아래의 파일만 읽으며 --allow-write 아래에만 씀. --db는 읽기만 함",
    ),
    "opt-allow-dir": (
        "with --safe: files below this directory may be read (query files and \\i too); may be repeated",
        "--safe에서 이 디렉터리 아래의 파일을 읽을 수 있음 (쿼리 파일, \\i 포함). 여러 번 쓸 수 있음",
    ),
    "opt-allow-write": (
        "with --safe: files below this directory may be read and written (-o, output commands, --db); may be repeated",
        "--safe에서 이 디렉터리 아래의 파일을 읽고 쓸 수 있음 (-o, 출력 명령, --db). 여러 번 쓸 수 있음",
    ),
    "sql-reader": (
        '"{name}" is the rows of {label}: a reader of logsql, which DuckDB alone does not know',
        '"{name}"은(는) {label} 리더가 읽은 행입니다. DuckDB만으로는 읽을 수 없습니다',
    ),
    "opt-threads": ("threads of the engine", "엔진 스레드 수"),
    "opt-memory": ("memory limit, such as 4GB", "메모리 한도, 예: 4GB"),
    "opt-timeout": ("give up after this many seconds", "이 시간(초)이 지나면 중단"),
    "opt-geoip": ("databases for lookup geoip: a .mmdb file or a folder", "lookup geoip에 쓸 .mmdb 파일 또는 폴더"),
    "opt-lookup": ("lookup table from a CSV file with a header", "헤더가 있는 CSV 파일로 만드는 룩업 테이블"),
    "opt-procs": ("folder of stored queries (NAME.lq) and schemas", "저장된 쿼리(NAME.lq)와 스키마 폴더"),
    "opt-allow-purge": ("purge may delete rows", "purge의 행 삭제를 허용"),
    "use-serve": (
        "receive, run stream queries, deliver (docs/operations.md)",
        "수신, 스트림 쿼리 실행, 전달(docs/operations.md)",
    ),
    "use-stream": (
        "streams of the server that --server or LOGSQL_SERVER names",
        "--server나 LOGSQL_SERVER가 가리키는 서버의 스트림",
    ),
    "opt-server": (
        "live server of logger, stream and `logsql stream`",
        "logger, stream, `logsql stream`이 묻는 실시간 서버",
    ),
    "opt-set": ("a key of the server's configuration", "서버 설정의 키"),
    "opt-yes": ("do it without asking (stream reset)", "묻지 않고 실행(stream reset)"),
    "opt-rows": ("rows to show first (stream tail)", "먼저 보여 줄 행 수(stream tail)"),
    "opt-port": (
        "syslog that arrives at this port (UDP and TCP) is standard input, until Ctrl-C",
        "이 포트로 오는 syslog(UDP, TCP)를 Ctrl-C까지 표준 입력으로 씀",
    ),
    "opt-config": (
        "configuration file: the network, profiles (default: in the user's configuration folder)",
        "네트워크와 프로파일 설정 파일(기본: 사용자 설정 폴더)",
    ),
    "opt-keep": (
        "keep the result for load NAME; without NAME under a new GUID, told on stderr",
        "load NAME으로 읽도록 결과를 보관. NAME이 없으면 새 GUID를 stderr에 표시",
    ),
    "result-saved": ("saved: load {name}", "저장했습니다: load {name}"),
    "opt-stats": ("rows, seconds, CPU and peak memory on stderr", "행 수, 시간, CPU, 최대 메모리를 stderr에 출력"),
    "opt-loss": (
        "count all that the result lacks and list it on stderr: count, reason, source, place",
        "결과에 없는 것을 끝까지 세어 모두 stderr에 표시: 개수, 사유, 원본, 위치",
    ),
    "opt-loss-json": (
        "as --loss, and all that is told of the run is one line of JSON on stderr: rows, losses, notes",
        "--loss와 같되, 실행에 대해 알리는 것을 모두 stderr에 JSON 한 줄로 출력: rows, losses, notes",
    ),
    "opt-quiet": ("no notes and no list of losses on stderr", "stderr에 알림과 빠진 것을 표시하지 않음"),
    "opt-lang": ("language of messages", "메시지 언어"),
    "opt-debug": ("show the traceback of an internal error", "내부 오류의 추적 정보 출력"),
    "opt-check": ("fmt: only say which files are not formatted", "fmt: 형식이 다른 파일만 표시"),
    "opt-update": ("test: write what the queries give now", "test: 지금 나온 결과를 기대 결과로 씀"),
    "opt-junit": ("test: a report in JUnit XML", "test: JUnit XML 보고서"),
    "opt-only": ("test: the tests of this name or pattern", "test: 이 이름이나 패턴의 테스트만"),
    "opt-write": ("fmt: rewrite the files", "fmt: 파일을 고쳐 씀"),
    "opt-run": (
        "explain: run the query too and tell the share of rows that parse and rex matched",
        "explain: 쿼리를 실행해 parse와 rex가 일치한 행의 비율도 표시",
    ),
    "opt-stdin": ("profile password: read it from standard input", "profile password: 표준 입력에서 읽음"),
    "opt-strict": ("check: a warning fails", "check: 경고도 실패로 처리"),
    "opt-no-data": ("check: open no files and tables", "check: 파일과 테이블을 열지 않음"),
    "opt-help": ("this page", "이 도움말"),
    "opt-version": ("the version", "버전"),
    # configuration
    "config-right": ("{path} is right", "{path}: 이상 없음"),
    "config-none": (
        "there is no configuration {path}, the defaults hold",
        "설정 파일 {path}이(가) 없어 기본값을 씁니다",
    ),
    "profile-set": ("logsql profile set", "logsql profile set 명령"),
    "profile-none": ("there are no profiles", "프로파일이 없습니다"),
    "profile-written": ("profile {name} written", "프로파일 {name}을(를) 저장했습니다"),
    "profile-typed": (
        "what was typed on the command line is in the history of the shell; next time: logsql profile password {name}",
        "명령줄에 입력한 암호는 셸 기록에 남습니다. 다음에는 logsql profile password {name} 명령을 쓰세요",
    ),
    "profile-ask": ("password of {name}: ", "{name}의 암호: "),
    "profile-removed": ("profile {name} removed", "프로파일 {name}을(를) 지웠습니다"),
    # pictures
    "chart-points": ("{path}: {count:,} points", "{path}: 점 {count:,}개"),
    "chart-skipped": (
        "{count:,} rows without a value on every axis are not drawn",
        "축마다 값이 있지 않은 행 {count:,}개는 그리지 않았습니다",
    ),
    "opt-chart-query": ("the query that gives the rows", "행을 내는 쿼리"),
    "opt-chart-axis": ("field of this axis", "이 축의 필드"),
    "opt-chart-color": ("field that colours the points", "점의 색을 정하는 필드"),
    "opt-chart-title": ("title of the picture", "그림의 제목"),
    "opt-chart-output": ("FILE.html, or FILE.png (extra chart)", "파일.html 또는 파일.png (추가 패키지 chart)"),
    # manual pages
    "page-usage": ("usage", "사용법"),
    "page-options": ("options", "옵션"),
    "page-examples": ("examples", "예"),
    "page-errors": ("errors", "오류"),
    "page-sentences": ("printed as", "출력되는 문장"),
    "page-commands": ("commands", "명령"),
    "page-ledger": ("reasons in the ledger", "원장에 적는 사유"),
    "page-notes": ("notes", "참고"),
    "page-returns": ("returns {kind}", "반환: {kind}"),
    "page-default": ("default {value}", "기본값 {value}"),
    "page-required": ("required", "필수"),
    "page-aliases": ("also called {names}", "다른 이름: {names}"),
    "page-extra": (
        "needs the optional packages: pip install 'logsql[{extra}]'",
        "추가 패키지 필요: pip install 'logsql[{extra}]'",
    ),
    # shell
    "shell-hello": (
        "logsql {version}: a pipe query, SQL or \\? for help; Ctrl-D leaves",
        "logsql {version}: 파이프 쿼리나 SQL을 입력하세요. 도움말은 \\?, 종료는 Ctrl-D",
    ),
    "shell-rows": ("{rows:,} rows in {seconds:.2f} s", "{rows:,}행, {seconds:.2f}초"),
    "shell-row": ("1 row in {seconds:.2f} s", "1행, {seconds:.2f}초"),
    "shell-interrupting": ("stopping the query ...", "쿼리를 멈추는 중 ..."),
    "shell-no-tables": ("no tables", "테이블이 없습니다"),
    "shell-set": ("{name} = {value}", "{name} = {value}"),
    "shell-on": ("on", "켜짐"),
    "shell-off": ("off", "꺼짐"),
    "meta-help": (
        "this list; help NAME shows the page of a command, a function or an error code",
        "이 목록. help 이름은 명령, 함수, 오류 코드의 설명을 보여 줌",
    ),
    "meta-quit": ("leave (also Ctrl-D)", "종료 (Ctrl-D도 가능)"),
    "meta-tables": ("tables, or the columns of one", "테이블 목록 또는 컬럼"),
    "meta-save": ("keep the last result for good, for load NAME", "마지막 결과를 load NAME으로 읽도록 저장"),
    "meta-loss": ("what the last query skipped, cut or coerced", "마지막 쿼리에서 빠지거나 바뀐 것"),
    "meta-sql": ("print the SQL of every query before it runs", "쿼리의 SQL을 먼저 출력"),
    "meta-plan": ("stages, fields and SQL of the last query, or of QUERY", "마지막 쿼리나 QUERY의 단계, 필드, SQL"),
    "meta-tz": ("show or change the time zone", "시간대 확인 또는 변경"),
    "meta-profile": (
        "profiles of directories, databases and servers, as logsql profile",
        "디렉터리, 데이터베이스, 서버의 프로파일. logsql profile 명령과 같음",
    ),
    "meta-set": (
        'query parameter, read as $("name"), with := the value of an expression; alone: list them; '
        '"notes off": say no notes and losses',
        '쿼리 매개변수, $("name")로 읽음. :=은 표현식의 값. 혼자 쓰면 목록. '
        '"notes off": 알림과 빠진 것을 표시하지 않음',
    ),
    "meta-unset": ("forget a query parameter", "쿼리 매개변수 삭제"),
    "meta-rows": (
        "rows shown of a result (0: all); the query is never limited",
        "표시할 행 수 (0: 전부). 쿼리는 제한하지 않음",
    ),
    "meta-format": ("output format of the shell", "셸의 출력 형식"),
    "meta-run": ("run a query file", "쿼리 파일 실행"),
    "meta-ml": ("models: ml.help lists the commands", "모델: ml.help로 명령 확인"),
    "meta-sql-line": (
        "a line that begins with SELECT, WITH, FROM, ... is SQL",
        "SELECT, WITH, FROM 등으로 시작하면 SQL",
    ),
    "meta-continue": (
        'a trailing \\ or an open [ or " continues the line',
        '줄 끝의 \\, 열린 [나 "는 다음 줄로 이어짐',
    ),
}

add_messages(SENTENCES)
