"""Rows of the configuration of ``logsql serve``: what does not go together in it."""

from __future__ import annotations

from logsql.diagnostics.configuration import NOT_READ, WRONG_VALUE
from logsql.diagnostics.messages import text

NAME_TWICE = WRONG_VALUE.says(
    (
        "{place}: {key}: {name} is the name of the entry in {other}, too",
        "{place}: {key}: {name}은(는) {other}에 있는 항목의 이름이기도 합니다",
    ),
    help=("receivers, streams and sinks share their names", "수신기, 스트림, 싱크의 이름은 서로 달라야 합니다"),
)
NO_SUCH_SOURCE = WRONG_VALUE.says(
    (
        "{place}: {key}: there is no receiver or stream {name}",
        "{place}: {key}: {name}(이)라는 수신기나 스트림이 없습니다",
    ),
    help=("there are: {names}", "있는 이름: {names}"),
)
NO_SUCH_SINK = WRONG_VALUE.says(
    ("{place}: {key}: there is no sink {name}", "{place}: {key}: {name}(이)라는 싱크가 없습니다"),
    help=("there are: {names}", "있는 이름: {names}"),
)
CIRCLE = WRONG_VALUE.says(
    ("{place}: {key}: streams in a circle: {names}", "{place}: {key}: 스트림이 원을 이룹니다: {names}"),
    help=("take one of them out", "하나를 빼세요"),
)
NO_SOURCE = WRONG_VALUE.says(
    ("{place}: {key}: a stream reads something", "{place}: {key}: 스트림은 읽을 것이 있어야 합니다"),
    help=('write from = ["NAME"]', 'from = ["이름"]으로 쓰세요'),
)
ONE_STDIN = WRONG_VALUE.says(
    ("{place}: {key}: only one receiver reads standard input", "{place}: {key}: 표준 입력은 수신기 하나만 읽습니다"),
)
SAME_FILE = WRONG_VALUE.says(
    (
        "{place}: {key}: the sink {name} writes the same file",
        "{place}: {key}: 싱크 {name}이(가) 같은 파일에 씁니다",
    ),
    help=("have both streams write to one sink", "두 스트림이 싱크 하나에 쓰게 하세요"),
)
SAME_LISTENER = WRONG_VALUE.says(
    (
        "{place}: {key}: the receiver {name} listens on this address, too",
        "{place}: {key}: 수신기 {name}도 이 주소에서 받습니다",
    ),
)
STATUS_OPEN = WRONG_VALUE.says(
    (
        "{place}: {key}: others can reach this address, and there is no status_token",
        "{place}: {key}: 다른 컴퓨터가 이 주소에 접근할 수 있는데 status_token이 없습니다",
    ),
    help=(
        'write status_token = "env:NAME", or a loopback address',
        'status_token = "env:이름"을 쓰거나 루프백 주소를 쓰세요',
    ),
)
TLS_WITHOUT_CERT = WRONG_VALUE.says(
    ("{place}: {key}: tls:// needs a certificate", "{place}: {key}: tls://에는 인증서가 필요합니다"),
    help=(
        "write tls.cert and tls.key below this receiver",
        "이 수신기 아래에 tls.cert와 tls.key를 쓰세요",
    ),
)
CLIENT_CA_MISSING = WRONG_VALUE.says(
    (
        "{place}: {key}: certificates of clients are checked against client_ca, which is missing",
        "{place}: {key}: 클라이언트 인증서를 확인할 client_ca가 없습니다",
    ),
    help=('write client_ca = "ca.pem"', 'client_ca = "ca.pem"을 쓰세요'),
)
NAMES_UNCHECKED = WRONG_VALUE.says(
    (
        "{place}: {key}: names are looked at only where clients show a certificate",
        "{place}: {key}: 클라이언트가 인증서를 제시할 때만 이름을 확인합니다",
    ),
    help=('write client_auth = "require"', 'client_auth = "require"를 쓰세요'),
)
TWO_QUERIES = WRONG_VALUE.says(
    ("{place}: {key}: the query stands in query already", "{place}: {key}: 쿼리가 이미 query에 있습니다"),
    help=("take one of them out", "둘 중 하나를 지우세요"),
)
CLOCK_WITHOUT_EVERY = WRONG_VALUE.says(
    ("{place}: {key}: without every there are no windows", "{place}: {key}: every가 없으면 창이 없습니다"),
    help=('write every = "1m"', 'every = "1m"을 쓰세요'),
)
KEY_WITHOUT_CERT = WRONG_VALUE.says(
    (
        "{place}: {key}: a certificate and its key go together",
        "{place}: {key}: 인증서와 키는 함께 써야 합니다",
    ),
    help=("write client_cert and client_key", "client_cert와 client_key를 쓰세요"),
)
INCLUDED_TWICE = WRONG_VALUE.says(
    (
        "{place}: {key}: a file that is included includes no others",
        "{place}: {key}: 포함된 파일은 다른 파일을 포함하지 않습니다",
    ),
    help=("name all files in the first one", "첫 파일에 모두 쓰세요"),
)
QUERY_FILE = WRONG_VALUE.says(
    (
        "{place}: {key}: {path} cannot be read: {reason}",
        "{place}: {key}: {path}을(를) 읽을 수 없습니다: {reason}",
    ),
)
SET_WHAT = NOT_READ.says(
    ("--set takes KEY=VALUE, not {value!r}", "--set에는 키=값을 씁니다: {value!r}"),
    help=(
        "such as --set server.batch_time=5ms or --set receiver.edge.max_frame=1MB",
        "예: --set server.batch_time=5ms, --set receiver.edge.max_frame=1MB",
    ),
)
SET_NOTHING = NOT_READ.says(
    ("--set {key}: there is no {what} of this name", "--set {key}: 그런 이름의 {what} 항목이 없습니다"),
    help=("there are: {names}", "있는 이름: {names}"),
)
#: Why the text of a query file is none.
NO_UTF8 = text("it is not UTF-8", "UTF-8이 아닙니다")
