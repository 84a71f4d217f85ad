"""What receivers of live data cannot start with, and what they warn of."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text

CANNOT_LISTEN = define(
    "E3240",
    "cannot-listen",
    ("a receiver cannot listen on its address", "수신기가 주소에서 수신을 시작할 수 없습니다"),
    (
        "receiver {name} cannot listen on {address}: {reason}",
        "수신기 {name}: {address}에서 수신할 수 없습니다: {reason}",
    ),
    help=(
        "end the program that uses the port, or choose another one (ports below 1024 need a privilege)",
        "포트를 쓰는 프로그램을 끝내거나 다른 포트를 고르세요(1024 아래 포트에는 권한이 필요합니다)",
    ),
)
BAD_CERTIFICATE = define(
    "E3241",
    "receiver-certificate",
    ("a certificate or key of a receiver cannot be used", "수신기의 인증서나 키를 쓸 수 없습니다"),
    ("receiver {name}: {path} cannot be used: {reason}", "수신기 {name}: {path}을(를) 쓸 수 없습니다: {reason}"),
    help=(
        'write PEM files: tls = {{ cert = "cert.pem", key = "key.pem" }}',
        'PEM 파일을 쓰세요: tls = {{ cert = "cert.pem", key = "key.pem" }}',
    ),
)
#: Said once at start.
SMALL_BUFFER = text(
    "receiver {name}: the system gives {address} a buffer of {got} bytes instead of {wanted}: raise net.core.rmem_max, "
    "or bursts of datagrams are lost",
    "수신기 {name}: 시스템이 {address}에 {wanted}바이트 대신 {got}바이트의 버퍼를 줍니다. net.core.rmem_max를 "
    "올리세요. 그러지 않으면 몰려드는 데이터그램을 잃습니다",
)
FEW_FILES = text(
    "receiver {name}: this process may open {files:,} files, so connections are refused from about {most:,} on "
    "although max_connections is {asked:,} (counted as open_files): raise the limit of open files "
    "(ulimit -n, LimitNOFILE)",
    "수신기 {name}: 이 프로세스는 파일을 {files:,}개까지 열 수 있어 max_connections가 {asked:,}이어도 연결이 약 "
    "{most:,}개를 넘으면 거부합니다(open_files로 집계). 열 수 있는 파일 수를 늘리세요(ulimit -n, LimitNOFILE)",
)
