"""Rows of the live server: its state folder, its control socket, its streams as other processes see them."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import add_messages, text

FOLDER = define(
    "E3200",
    "state-folder",
    ("the state folder of a live server cannot be used", "실시간 서버의 상태 폴더를 쓸 수 없습니다"),
)
FOLDER_HELD = FOLDER.says(
    ("{path}: another server holds this state folder", "{path}: 다른 서버가 이 상태 폴더를 쓰고 있습니다"),
    help=(
        "one server for each state_dir; `logsql stream ls --server {path}` shows the one that runs",
        "state_dir마다 서버 하나만 쓸 수 있습니다. `logsql stream ls --server {path}`로 실행 중인 서버를 확인하세요",
    ),
)
FOLDER_NEWER = FOLDER.says(
    (
        "{path} was written by a newer version (layout {found}, this program knows {known})",
        "{path}은(는) 더 새로운 버전이 만든 폴더입니다(형식 {found}, 이 프로그램은 {known}까지)",
    ),
    help=("run the newer version, or give another state_dir", "새 버전을 실행하거나 다른 state_dir을 쓰세요"),
)
FOLDER_UNUSABLE = FOLDER.says(("{path}: {reason}", "{path}: {reason}"))
SINK_OUTSIDE_HELP = text(
    "name its folder in [files] allow_write, or write below state_dir",
    "[files] allow_write에 폴더를 추가하거나 state_dir 아래에 쓰세요",
)
NO_SERVER = define(
    "E3201",
    "no-server",
    ("no live server answers", "응답하는 실시간 서버가 없습니다"),
    ("no server answers at {path}: {reason}", "{path}에서 서버가 응답하지 않습니다: {reason}"),
    help=(
        "`logsql serve CONFIG` starts one; --server takes its configuration or its state folder",
        "`logsql serve CONFIG`로 시작하세요. --server에는 설정 파일이나 상태 폴더를 씁니다",
    ),
)
NOT_NAMED = define(
    "E3202",
    "server-not-named",
    ("a command asks a live server and none is named", "실시간 서버가 필요한 명령인데 서버를 지정하지 않았습니다"),
    ("{command} asks a live server, and none is named", "{command} 명령에는 실시간 서버가 필요합니다"),
    help=(
        "logsql --server CONFIG|STATE_DIR -q '...' (or LOGSQL_SERVER)",
        "logsql --server CONFIG|STATE_DIR -q '...' (또는 LOGSQL_SERVER)",
    ),
)
REFUSED_BY_SERVER = define(
    "E3203",
    "server-refused",
    ("the live server refused what was asked", "실시간 서버가 요청을 거부했습니다"),
    ("{reason}", "{reason}"),
)
NOBODY = REFUSED_BY_SERVER.says(
    ("there is no {kind} {name}", "{kind} {name}이(가) 없습니다"),
    help=("there are: {names}", "있는 것: {names}"),
)
NOT_SURE = REFUSED_BY_SERVER.says(
    (
        "stream reset forgets where {name} was and what it knew: add --yes",
        "stream reset은 {name}의 위치와 상태를 지웁니다. --yes를 붙이세요",
    )
)
STATUS_NOT_BOUND = define(
    "E3205",
    "status-address",
    ("the status page cannot listen", "상태 페이지가 주소를 열 수 없습니다"),
    ("status page at {address}: {reason}", "상태 페이지 {address}: {reason}"),
)
TABLE_SOURCE = define(
    "E3206",
    "table-source",
    ("table:NAME is the source of a stream and cannot be", "table:NAME을 스트림의 소스로 쓸 수 없습니다"),
)
TABLE_CIRCLE = TABLE_SOURCE.says(
    ("streams read each other through tables: {names}", "스트림이 테이블을 거쳐 서로를 읽습니다: {names}")
)
SINK_UNFIT = define(
    "E3207",
    "sink-unfit",
    ("a sink of the configuration cannot be", "설정의 싱크를 만들 수 없습니다"),
    ("sink {name}: {word}: {reason}", "싱크 {name}: {word}: {reason}"),
)

add_messages(
    {
        "live-status": ("logsql: live server", "logsql 실시간 서버"),
        "live-ready": ("ready", "준비됨"),
        "live-not-ready": ("not ready", "준비되지 않음"),
        "live-receivers": ("Receivers", "수신기"),
        "live-streams": ("Streams", "스트림"),
        "live-sinks": ("Sinks", "싱크"),
        "live-checked": ("right: {streams} streams were planned", "이상 없음: 스트림 {streams}개를 계획했습니다"),
        "live-busy": (
            "{count} others already watch or send rows: end one of them",
            "이미 {count}개의 다른 연결이 행을 보거나 보내고 있습니다. 그중 하나를 끝내세요",
        ),
        "live-stream-failed": ("stream {name} has stopped: {reason}", "스트림 {name}이(가) 멈췄습니다: {reason}"),
        "live-reload-failed": ("nothing has changed: {reason}", "바뀐 것이 없습니다: {reason}"),
        "live-anew": (
            "there is room again: the server begins anew to open its database",
            "공간이 다시 생겼습니다. 데이터베이스를 열기 위해 서버를 새로 시작합니다",
        ),
        "live-unchanged": ("the configuration is the same", "설정이 그대로입니다"),
        "live-next-start": ("{key} is taken up at the next start", "{key}은(는) 다음 시작 때 적용됩니다"),
        "live-replaced": ("the stream goes on with its new query", "스트림이 새 쿼리로 계속됩니다"),
        "live-receiver-changed": ("receiver {name}: changed", "수신기 {name}: 바뀜"),
        "live-receiver-new": ("receiver {name}: new", "수신기 {name}: 새로 시작"),
        "live-receiver-gone": ("receiver {name}: gone", "수신기 {name}: 없어짐"),
        "live-stream-changed": ("stream {name}: changed", "스트림 {name}: 바뀜"),
        "live-stream-new": ("stream {name}: new", "스트림 {name}: 새로 시작"),
        "live-stream-gone": ("stream {name}: gone", "스트림 {name}: 없어짐"),
        "live-sink-changed": ("sink {name}: changed", "싱크 {name}: 바뀜"),
        "live-stop": ("{name} is stopped; its rows wait", "{name}을(를) 멈췄습니다. 행은 기다립니다"),
        "live-start": ("{name} runs", "{name} 실행 중"),
        "live-reset": ("{name} begins with the next row", "{name}은(는) 다음 행부터 시작합니다"),
        "live-contexts": ("Event contexts", "이벤트 컨텍스트"),
    }
)
