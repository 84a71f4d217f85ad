"""The one table of what the configuration of ``logsql serve`` may hold: sections and keys, kinds, defaults, meanings.

The check of the files, ``--set`` and ``docs/reference/config.md`` derive from it; what it makes: ``settings.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from logsql.configuration.declaring import ArrayOf, Key, ListOf, MapOf, NamedOf, Section, TableOf, Variant
from logsql.configuration.keys import NETWORK, PROFILE, is_loopback
from logsql.configuration.kinds import HEADER, HOST_NAME, NAME, PATH, SECRET, SIZE, SPAN, TEXT, choice, url, whole
from logsql.configuration.settings import Configuration, Network, Profile
from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.serving import (
    CLIENT_CA_MISSING,
    CLOCK_WITHOUT_EVERY,
    KEY_WITHOUT_CERT,
    NAMES_UNCHECKED,
    NO_SOURCE,
    STATUS_OPEN,
    TLS_WITHOUT_CERT,
    TWO_QUERIES,
)
from logsql.streams.servekinds import (
    ANY_TEXT,
    CODEC,
    FLAG,
    FOLDER,
    FRAMING,
    LISTEN,
    MEMORY,
    NETWORK_OF,
    OUT_PATH,
    PRI,
    REGEX,
    RETRY,
    SIZE_OR_ZERO,
    SOURCE,
    SPAN_OR_NONE,
    SPAN_OR_ZERO,
    STATUS_ADDRESS,
    SYNC,
    SYSLOG_TARGET,
    UNIQUE,
    ZONE,
)
from logsql.streams.settings import (
    Dead,
    FileAccess,
    Live,
    Multiline,
    Receiver,
    Server,
    Sink,
    Stream,
    Tls,
)

Values = Mapping[str, object]
Wrong = Iterator[tuple[str, Sentence]]


def _check_server(values: Values) -> Wrong:
    """A page of status that others can reach asks for a token."""
    host = str(values.get("status", "")).rpartition(":")[0].strip("[]")
    if host and not is_loopback(host) and "status_token" not in values:
        yield "status", STATUS_OPEN


def _check_receiver(values: Values) -> Wrong:
    """TLS has a certificate."""
    listen = values.get("listen")
    if isinstance(listen, tuple) and any(str(one).startswith("tls:") for one in listen) and "tls" not in values:
        yield "listen", TLS_WITHOUT_CERT


def _check_tls(values: Values) -> Wrong:
    """Certificates of clients are checked against something; names are those of certificates."""
    asked = values.get("client_auth", "none") != "none"
    if asked and "client_ca" not in values:
        yield "client_auth", CLIENT_CA_MISSING
    if not asked and values.get("allow_names"):
        yield "allow_names", NAMES_UNCHECKED


def _check_stream(values: Values) -> Wrong:
    """One query; a source; a clock only for windows."""
    if "query" in values and "file" in values:
        yield "file", TWO_QUERIES
    if values.get("from") == ():
        yield "from", NO_SOURCE
    if values.get("clock") == "_time" and values.get("every") is None:
        yield "clock", CLOCK_WITHOUT_EVERY


def _check_sink(values: Values) -> Wrong:
    """A certificate is shown with its key."""
    for one, other in (("client_cert", "client_key"), ("client_key", "client_cert")):
        if one in values and other not in values:
            yield one, KEY_WITHOUT_CERT


RECEIVERS: dict[str, Variant] = {
    "syslog": Variant(("messages over UDP, TCP and TLS", "UDP, TCP, TLS로 받는 메시지"), ""),
    "file": Variant(("lines of files that grow", "자라는 파일의 줄"), ""),
    "stdin": Variant(("lines of standard input", "표준 입력의 줄"), ""),
}
SINKS: dict[str, Variant] = {
    "table": Variant(("a table of the server's database", "서버 데이터베이스의 테이블"), ""),
    "file": Variant(("files of JSON lines or Parquet", "JSON 줄 또는 Parquet 파일"), ""),
    "syslog": Variant(("a receiver of syslog messages", "시스로그 수신 서버"), ""),
    "webhook": Variant(("an address that takes JSON over HTTP", "HTTP로 JSON을 받는 주소"), "", "live"),
}

SERVER = Section(
    "server",
    ("The server itself.", "서버 자체의 설정입니다."),
    (
        Key(
            "state_dir",
            FOLDER,
            (
                "folder of the server's state, made with mode 0700; one process at a time",
                "서버의 상태를 두는 폴더. 0700으로 만들며 한 번에 한 프로세스만 씀",
            ),
            needed=True,
        ),
        Key(
            "database",
            TEXT,
            (
                "file of the tables, relative to state_dir; lookups and models lie beside it",
                "테이블을 담는 파일. state_dir 기준이며 룩업과 모델이 그 옆에 놓임",
            ),
            "live.duckdb",
        ),
        Key("timezone", ZONE, ("by default that of the machine", "없으면 컴퓨터의 시간대")),
        Key("status", STATUS_ADDRESS, ("where the page of status is", "상태 페이지의 주소"), ""),
        Key(
            "status_token",
            SECRET,
            ("what the page asks for; needed where others can reach it", "페이지가 요구하는 토큰. 외부에 열 때 필요"),
        ),
        Key(
            "batch_time",
            SPAN,
            ("a batch is closed behind this time, or", "이 시간이 지나면 배치를 닫음. 또는"),
            "20ms",
        ),
        Key("batch_rows", whole(1, 1_000_000), ("when it has so many rows", "행이 이만큼 모이면 닫음"), 20_000),
        Key(
            "sync",
            SYNC,
            (
                "how often the journal is put on the disk; a power cut loses nothing with always, kill -9 with none",
                "저널을 디스크에 확정하는 주기. kill -9에는 모두 안전하고 정전에는 always만 안전",
            ),
            "1s",
        ),
        Key(
            "journal_max",
            SIZE,
            (
                "what is accepted and not yet delivered may take so much; then receivers stop reading",
                "받아들였으나 아직 전달하지 않은 것의 최대 크기. 넘으면 수신기가 읽기를 멈춤",
            ),
            "2GB",
        ),
        Key("shutdown", SPAN, ("how long the end may take", "종료에 쓸 수 있는 시간"), "30s"),
        Key("threads", whole(1, 1024), ("threads of the engine", "엔진의 스레드 수"), 2),
        Key("memory_limit", MEMORY, ("memory of the engine", "엔진의 메모리"), "1GB"),
        Key("log", choice("text", "json"), ("form of the lines on stderr", "stderr에 쓰는 줄의 형식"), "text"),
        Key(
            "max_contexts",
            whole(1, 100_000_000),
            (
                "event contexts that may be open; more are refused and counted",
                "열어 둘 수 있는 이벤트 컨텍스트 수. 넘으면 거부하고 셈",
            ),
            1_000_000,
        ),
    ),
    Server,
    check=_check_server,
)

ACCESS = Section(
    "files",
    (
        "What receivers and queries may read, and where sinks may write.",
        "수신기와 쿼리가 읽고 싱크가 쓸 수 있는 위치입니다.",
    ),
    (
        Key("allow", ListOf(PATH), ("folders and files that may be read", "읽을 수 있는 폴더와 파일"), []),
        Key(
            "allow_write",
            ListOf(PATH),
            ("folders that may be written to, beside state_dir", "state_dir 밖에서 쓸 수 있는 폴더"),
            [],
        ),
    ),
    FileAccess,
)

TLS = Section(
    "receiver.tls",
    (
        "Certificates of a receiver, which are read again at a reload.",
        "수신기의 인증서입니다. 설정을 다시 읽을 때 함께 읽습니다.",
    ),
    (
        Key(
            "cert",
            PATH,
            ("certificate with those between it and the authority", "중간 인증서를 포함한 인증서"),
            needed=True,
        ),
        Key("key", PATH, ("its key", "그 인증서의 키"), needed=True),
        Key("client_ca", PATH, ("authorities of the clients", "클라이언트의 인증 기관")),
        Key(
            "client_auth",
            choice("none", "request", "require"),
            ("whether clients show a certificate", "클라이언트 인증서 요구 여부"),
            "none",
        ),
        Key(
            "allow_names",
            ListOf(TEXT),
            ("subjects that are let in; none: all", "받아들이는 주체 이름. 없으면 모두"),
            [],
        ),
    ),
    Tls,
    check=_check_tls,
)

MULTILINE = Section(
    "receiver.multiline",
    (
        "Lines that belong together: a record ends before the next start, or behind 500 lines.",
        "함께 묶을 줄입니다. 다음 시작 줄 앞이나 500줄 뒤에서 끊습니다.",
    ),
    (
        Key("start", REGEX, ("is found in the first line of a record", "레코드의 첫 줄에서 찾는 패턴"), needed=True),
        Key("flush", SPAN, ("a record that nothing follows ends behind it", "뒤따르는 줄이 없을 때 끊는 시간"), "2s"),
    ),
    Multiline,
)

_TCP = ("syslog",)
RECEIVER = Section(
    "receiver",
    ("What comes in; one table for each.", "들어오는 것입니다. 하나마다 테이블 하나를 씁니다."),
    (
        Key(
            "name",
            UNIQUE,
            ("its name, alone among receivers, streams and sinks", "수신기, 스트림, 싱크를 통틀어 하나뿐인 이름"),
            needed=True,
        ),
        Key("kind", choice(*RECEIVERS), ("what it is", "종류"), needed=True),
        Key("listen", ListOf(LISTEN, single=True), ("where it listens", "수신 주소"), of=_TCP, needed=True),
        Key(
            "framing",
            choice("auto", "octet", "lf", "nul"),
            ("how messages end over TCP and TLS", "TCP와 TLS에서 메시지를 나누는 방식"),
            "auto",
            of=_TCP,
        ),
        Key("max_frame", SIZE, ("bytes of a message", "메시지의 최대 크기"), "64KB"),
        Key(
            "oversize",
            choice("cut", "drop"),
            ("what is done with longer ones", "더 긴 메시지의 처리"),
            "cut",
        ),
        Key(
            "frame_timeout",
            SPAN,
            ("a message that is not complete by then ends its connection", "그때까지 끝나지 않은 메시지는 연결을 끊음"),
            "60s",
            of=_TCP,
        ),
        Key(
            "idle_timeout",
            SPAN_OR_ZERO,
            ("a connection without a byte ends", "아무것도 오지 않는 연결을 끊는 시간"),
            "10m",
            of=_TCP,
        ),
        Key("handshake_timeout", SPAN, ("of TLS", "TLS 핸드셰이크 시간"), "10s", of=_TCP),
        Key(
            "max_connections",
            whole(1, 1_000_000),
            ("connections at a time; more are closed and counted", "동시 연결 수. 넘으면 닫고 셈"),
            1000,
            of=_TCP,
        ),
        Key(
            "max_connections_per_address",
            whole(1, 1_000_000),
            ("the same of one address", "한 주소의 동시 연결 수"),
            200,
            of=_TCP,
        ),
        Key(
            "allow_from",
            ListOf(NETWORK_OF),
            ("networks that may send; none: all", "보낼 수 있는 네트워크. 없으면 모두"),
            [],
            of=_TCP,
        ),
        Key("receive_buffer", SIZE, ("of UDP, in the system", "시스템의 UDP 버퍼"), "8MB", of=_TCP),
        Key("encoding", CODEC, ("of the messages", "메시지의 인코딩"), "utf-8"),
        Key(
            "timezone",
            ZONE,
            ("of times without a zone; by default the server's", "시간대 없는 시각의 시간대. 없으면 서버의 시간대"),
        ),
        Key(
            "parse",
            choice("auto", "none", "rfc3164", "rfc5424"),
            ("which header is read", "읽을 헤더의 형식"),
            "auto",
            of=_TCP,
        ),
        Key("tls", TableOf(TLS), TLS.meaning, of=_TCP),
        Key(
            "path",
            ListOf(PATH, single=True),
            ("files, also by pattern; new ones are found", "파일 또는 패턴. 새로 생긴 파일도 찾음"),
            of=("file",),
            needed=True,
        ),
        Key(
            "from",
            choice("end", "start"),
            ("where a file begins that is there at the first start", "처음 시작할 때 있던 파일을 읽기 시작하는 위치"),
            "end",
            of=("file",),
            sets="start",
        ),
        Key("multiline", TableOf(MULTILINE), MULTILINE.meaning, of=("file",)),
        Key(
            "rotate_wait",
            SPAN,
            (
                "a renamed file is read on until it has not grown for so long",
                "이름이 바뀐 파일을 이만큼 자라지 않을 때까지 읽음",
            ),
            "10s",
            of=("file",),
        ),
    ),
    Receiver,
    variants=RECEIVERS,
    check=_check_receiver,
)

STREAM = Section(
    "stream",
    ("A query that runs without end.", "끝없이 도는 쿼리입니다."),
    (
        Key("name", UNIQUE, ("its name", "이름"), needed=True),
        Key("from", ListOf(SOURCE, single=True), ("what it reads", "읽는 것"), needed=True, sets="sources"),
        Key(
            "query",
            ANY_TEXT,
            ('without a source command; "" passes rows on', '소스 명령 없는 쿼리. ""이면 그대로 넘김'),
            "",
        ),
        Key("file", PATH, ("the same, in a file", "쿼리를 담은 파일"), sets="origin"),
        Key(
            "every",
            SPAN_OR_NONE,
            ("length of the windows; commands over many rows need it", "창의 길이. 여러 행을 다루는 명령에 필요"),
            "",
        ),
        Key(
            "clock",
            choice("arrival", "_time"),
            ("which time decides about windows", "창을 정하는 시각"),
            "arrival",
        ),
        Key(
            "lateness",
            SPAN,
            ('how long clock = "_time" waits for rows', 'clock = "_time"일 때 늦은 행을 기다리는 시간'),
            "5s",
        ),
        Key("to", ListOf(UNIQUE, single=True), ("sinks that take its rows", "행을 받는 싱크"), []),
        Key("params", MapOf(NAME, ANY_TEXT), ('values of $("NAME")', '$("NAME")의 값'), {}),
        Key("enabled", FLAG, ("whether it runs", "실행 여부"), True),
        Key(
            "on_error",
            choice("skip", "stop"),
            ("rows that fail go to dead rows, or it stops", "실패한 행을 따로 두거나 멈춤"),
            "skip",
        ),
        Key(
            "async",
            FLAG,
            (
                "does not hold back its source: what a full queue loses is counted",
                "소스를 붙잡지 않음. 큐가 차서 잃은 행은 셈",
            ),
            False,
            sets="independent",
        ),
        Key(
            "refresh",
            SPAN_OR_NONE,
            ("how often streamjoin reads its subquery again", "streamjoin이 서브쿼리를 다시 읽는 주기"),
            "",
        ),
    ),
    Stream,
    check=_check_stream,
)

SINK = Section(
    "sink",
    ("Where rows go.", "행이 가는 곳입니다."),
    (
        Key("name", UNIQUE, ("its name", "이름"), needed=True),
        Key("kind", choice(*SINKS), ("what it is", "종류"), needed=True),
        Key(
            "spool_max",
            SIZE,
            ("what may wait on the disk while the target is away", "대상이 없을 때 디스크에 기다리는 최대 크기"),
            "1GB",
        ),
        Key(
            "when_full",
            choice("block", "drop"),
            (
                "then streams wait, or the newest rows are dropped and counted",
                "넘으면 스트림이 기다리거나 새 행을 버리고 셈",
            ),
            "block",
        ),
        Key("retry", RETRY, ("waits between attempts, for ever", "재시도 간격. 끝없이 시도함"), "1s..5m"),
        Key("table", TEXT, ("its table; by default the name", "테이블. 없으면 싱크 이름"), of=("table",)),
        Key(
            "retention",
            SPAN_OR_NONE,
            ("rows with an older _time are deleted once an hour", "_time이 더 오래된 행을 한 시간마다 지움"),
            "",
            of=("table",),
        ),
        Key("path", OUT_PATH, ("its files", "파일"), of=("file",), needed=True),
        Key(
            "rotate_size",
            SIZE_OR_ZERO,
            ("a file that is larger is followed by another", "이보다 커지면 다음 파일로"),
            "0",
            of=("file",),
        ),
        Key(
            "rotate_time", SPAN_OR_ZERO, ("so is one that is older", "이보다 오래되면 다음 파일로"), "1d", of=("file",)
        ),
        Key("fields", ListOf(TEXT), ("fields that are written; none: all", "쓰는 필드. 없으면 모두"), [], of=("file",)),
        Key("target", SYSLOG_TARGET, ("where it sends", "보낼 곳"), of=("syslog",), needed=True),
        Key("framing", FRAMING, ("how messages end", "메시지를 나누는 방식"), "octet", of=("syslog",)),
        Key(
            "format",
            choice("json", "txt", "rfc5424"),
            ("the row, its line, or a header and its message", "행 전체, line 또는 헤더와 메시지"),
            "json",
            of=("syslog",),
        ),
        Key("pri", PRI, ("put before the text", "텍스트 앞에 붙이는 값"), 134, of=("syslog",)),
        Key(
            "ca_file",
            PATH,
            ("authorities that are added to the system's", "시스템 인증 기관에 더하는 인증 기관"),
            of=("syslog", "webhook"),
        ),
        Key("client_cert", PATH, ("certificate that is shown", "제시하는 인증서"), of=("syslog",)),
        Key("client_key", PATH, ("its key", "그 인증서의 키"), of=("syslog",)),
        Key(
            "certificate_name",
            HOST_NAME,
            ("checked instead of the host of target", "target의 호스트 대신 확인하는 이름"),
            of=("syslog",),
        ),
        Key("url", url("https", "http"), ("where it posts", "보낼 주소"), of=("webhook",), needed=True),
        Key("batch_rows", whole(1, 1_000_000), ("rows of one request", "요청 하나의 행 수"), 500, of=("webhook",)),
        Key("headers", MapOf(HEADER, SECRET), ("headers of the requests", "요청의 헤더"), {}, of=("webhook",)),
    ),
    Sink,
    variants=SINKS,
    check=_check_sink,
)

DEAD = Section(
    "dead",
    ("Rows that failed or that no sink took.", "실패했거나 어느 싱크도 받지 않은 행입니다."),
    (
        Key("path", TEXT, ("the file, relative to state_dir", "파일. state_dir 기준"), "dead.jsonl"),
        Key("size", SIZE, ("a larger one is followed by another", "이보다 커지면 다음 파일로"), "100MB"),
    ),
    Dead,
)


def _live(
    server: Server,
    files: FileAccess = FileAccess(),  # noqa: B008  # frozen
    receiver: tuple[Receiver, ...] = (),
    stream: tuple[Stream, ...] = (),
    sink: tuple[Sink, ...] = (),
    dead: Dead = Dead(),  # noqa: B008  # frozen
    network: Network = Network(),  # noqa: B008  # frozen
    profiles: Mapping[str, Profile] | None = None,
    include: tuple[str, ...] = (),
) -> Live:
    reach = Configuration(network, profiles or {})
    return Live(server, reach, files, receiver, stream, sink, dead)


ROOT = Section(
    "",
    ("Sections of the configuration of a server.", "서버 설정의 섹션입니다."),
    (
        Key(
            "include",
            ListOf(PATH, single=True),
            ("files that are read as if they stood here, also by pattern", "여기에 쓴 것처럼 읽는 파일 또는 패턴"),
            [],
        ),
        Key("server", TableOf(SERVER), SERVER.meaning),
        Key("network", TableOf(NETWORK), NETWORK.meaning),
        Key("profiles", NamedOf(NAME, PROFILE), PROFILE.meaning, {}),
        Key("files", TableOf(ACCESS), ACCESS.meaning),
        Key("receiver", ArrayOf(RECEIVER), RECEIVER.meaning),
        Key("stream", ArrayOf(STREAM), STREAM.meaning),
        Key("sink", ArrayOf(SINK), SINK.meaning),
        Key("dead", TableOf(DEAD), DEAD.meaning),
    ),
    _live,
)


def port_of(listen: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address to listen on.

    >>> port_of("tls://[::]:6514")
    ('tls', '::', 6514)
    """
    parts = urlsplit(listen)
    return parts.scheme, parts.hostname or "", parts.port or 0
