"""The one table of what the configuration may hold: sections and keys, with kinds, defaults and meanings.

The check of a file, nearest keys, ``profile set`` and its completion, and ``docs/reference/config.md`` derive from it.
A section that is added is a row here and a dataclass that it makes; the root names it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from logsql.configuration.declaring import Key, ListOf, MapOf, NamedOf, Scalar, Section, TableOf, Variant
from logsql.configuration.kinds import (
    ADDRESS_PORT,
    HEADER,
    HOST,
    HOST_KEY,
    HOST_NAME,
    NAME,
    NAME_PORT,
    PATH,
    PATH_OR_NONE,
    PROXY,
    RATE,
    SECRET,
    SENDER,
    SIZE,
    SPAN,
    STATUS,
    TARGET,
    TEXT,
    choice,
    url,
    whole,
)
from logsql.configuration.settings import Configuration, Host, Network, Profile
from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.configuration import PASSWORD_IN_CLEAR


def one(item: Scalar) -> ListOf:
    """One value, where others of its name are several."""
    return ListOf(item, single=True, several=False)


def _in_clear(values: Mapping[str, object]) -> Iterator[tuple[str, Sentence]]:
    """A password without TLS goes to this machine only."""
    urls = values.get("url")
    if values.get("tls") != "none" or "password" not in values or not isinstance(urls, tuple):
        return
    if any(url.startswith("ldap:") and not is_loopback(urlsplit(url).hostname or "") for url in urls):
        yield "tls", PASSWORD_IN_CLEAR


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: an address of it, or ``localhost``.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("dc1.example")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


#: The driver that no row of its own is for: ``kind`` is then any name, and ``driver`` says which.
OTHER_DRIVER = "adbc"
_DATABASES = ("postgresql", "sqlite", OTHER_DRIVER)
_FILES = ("sftp", "ftps", "ftp")
_SERVERS = ("ldap", "postgresql", OTHER_DRIVER, "smtp", *_FILES)

KINDS: dict[str, Variant] = {
    "ldap": Variant(("a directory", "디렉터리"), "directory", "ldap"),
    "postgresql": Variant(("a PostgreSQL database", "PostgreSQL 데이터베이스"), "databases", "db"),
    "sqlite": Variant(("a SQLite database", "SQLite 데이터베이스"), "databases", "db"),
    OTHER_DRIVER: Variant(
        (
            "a database through another ADBC driver; kind may be any name then",
            "다른 ADBC 드라이버의 데이터베이스. 이때 kind는 아무 이름이나 됩니다",
        ),
        "databases",
        "db",
    ),
    "smtp": Variant(("a mail server", "메일 서버"), "mail", "net"),
    "sftp": Variant(("files over SSH", "SSH 파일 서버"), "sftp", "sftp"),
    "ftps": Variant(("files over FTP with TLS", "TLS를 쓰는 FTP 파일 서버"), "ftp", "net"),
    "ftp": Variant(
        (
            "files over FTP in clear text; plain_ftp must name the host",
            "평문 FTP 파일 서버. 호스트가 plain_ftp에 있어야 합니다",
        ),
        "ftp",
        "net",
    ),
}

HOSTS = Section(
    'network.hosts."HOST"',
    (
        "What holds for requests to one host: its name without a port, or NAME:PORT.",
        "한 호스트에 보내는 요청의 설정입니다. 포트 없는 이름이나 NAME:PORT로 씁니다.",
    ),
    (
        Key(
            "rate",
            RATE,
            (
                "at most so many requests in any window of that span, over all queries of this user",
                "그 시간 안에 보내는 최대 요청 수. 이 사용자의 모든 쿼리를 합해 셉니다",
            ),
        ),
        Key("parallel", whole(1, 1000), ("requests to it under way per query", "쿼리마다 동시에 보내는 요청 수")),
        Key(
            "quota_status",
            ListOf(STATUS),
            ('answers that mean "quota used up": handled as 429', "할당량 소진을 뜻하는 응답 코드. 429처럼 처리합니다"),
            [],
        ),
        Key(
            "query",
            MapOf(TEXT, SECRET),
            (
                "URL parameters that are added or replaced when a request goes to this host",
                "이 호스트에 요청할 때 넣거나 바꾸는 URL 매개변수",
            ),
            {},
        ),
        Key("headers", MapOf(HEADER, SECRET), ("the same for headers", "같은 방식으로 넣는 헤더"), {}),
        Key("cache", SPAN, ("as the option cache= of wget", "wget의 cache= 옵션과 같음")),
        Key(
            "ca_file",
            PATH,
            (
                "authorities for this host, added to the system's",
                "이 호스트에 대해 시스템 인증 기관에 더하는 인증 기관",
            ),
        ),
        Key("client_cert", PATH, ("certificate that is shown to the host", "호스트에 제시하는 인증서")),
        Key("client_key", PATH, ("its key", "그 인증서의 키")),
    ),
    Host,
)

NETWORK = Section(
    "network",
    ("What queries may reach, and how patient they are.", "쿼리가 접근할 수 있는 대상과 기다리는 시간입니다."),
    (
        Key(
            "allow",
            ListOf(TARGET),
            (
                "private or loopback targets that queries may reach: network, address or name, with a port or without",
                "쿼리가 접근할 수 있는 사설 또는 루프백 대상. 네트워크, 주소, 이름이며 포트는 선택",
            ),
            [],
        ),
        Key(
            "plain_http",
            ListOf(TARGET),
            (
                "targets that may be reached over http without TLS; private ones need allow as well",
                "TLS 없이 http로 접근할 수 있는 대상. 사설 주소는 allow에도 있어야 함",
            ),
            [],
        ),
        Key(
            "plain_ftp",
            ListOf(TARGET),
            ("targets that may be reached over ftp without TLS", "TLS 없이 ftp로 접근할 수 있는 대상"),
            [],
        ),
        Key(
            "resolve",
            MapOf(NAME_PORT, ADDRESS_PORT),
            (
                "connect to the address instead; name, Host and certificate check stay those of the URL",
                "그 주소로 대신 연결. 이름, Host, 인증서 확인은 URL의 것을 그대로 씀",
            ),
            {},
        ),
        Key(
            "ca_file",
            PATH,
            (
                "authorities that are added to the system's; no switch turns verification off",
                "시스템 인증 기관에 더하는 인증 기관. 검증을 끄는 설정은 없음",
            ),
        ),
        Key(
            "proxy",
            PROXY,
            (
                "env takes HTTPS_PROXY, HTTP_PROXY and NO_PROXY; none; or the proxy",
                "env는 HTTPS_PROXY, HTTP_PROXY, NO_PROXY를 따름. none 또는 프록시 주소",
            ),
            "env",
        ),
        Key("max_body", SIZE, ("decoded bytes of one answer", "압축을 푼 응답 하나의 최대 크기"), "64MB"),
        Key(
            "timeout",
            SPAN,
            (
                "a whole request with name, connection, headers and body; redirects and waits excluded",
                "이름 조회, 연결, 헤더, 본문을 합한 요청 하나의 시간. 리디렉션과 대기는 제외",
            ),
            "30s",
        ),
        Key("redirects", whole(0, 100), ("redirects that are followed", "따라가는 리디렉션 수"), 5),
        Key("retries", whole(0, 100), ("further attempts", "재시도 횟수"), 3),
        Key(
            "retry_wait",
            SPAN,
            (
                "longest single wait that a server may impose (Retry-After)",
                "서버가 요구할 수 있는 가장 긴 대기(Retry-After)",
            ),
            "60s",
        ),
        Key("parallel", whole(1, 1000), ("requests under way per query", "쿼리마다 동시에 보내는 요청 수"), 8),
        Key(
            "cache_dir",
            PATH_OR_NONE,
            (
                "where answers are kept for cache=: none in a folder of somebody else, or that everybody may write to",
                "cache=용 응답을 두는 폴더. 다른 사용자의 폴더나 누구나 쓸 수 있는 폴더에는 아무것도 두지 않습니다",
            ),
            "",
        ),
        Key("cache_size", SIZE, ("what they may take on the disk", "그 폴더의 최대 크기"), "256MB"),
        Key("hosts", NamedOf(HOST, HOSTS), ("settings of one host", "호스트별 설정"), {}),
    ),
    Network,
)

PROFILE = Section(
    "profiles.NAME",
    (
        "A server that commands reach by name. Its host is allowed by being configured.",
        "명령이 이름으로 접근하는 서버입니다. 설정한 호스트는 그것만으로 허용됩니다.",
    ),
    (
        Key("kind", choice(*KINDS), ("what it is", "종류"), needed=True),
        Key(
            "url",
            ListOf(url("ldaps", "ldap"), single=True),
            (
                "ldaps:// (636) or ldap:// (389); several are tried in order",
                "ldaps:// (636) 또는 ldap:// (389). 여러 개면 차례로 시도",
            ),
            of=("ldap",),
            needed=True,
            sets="urls",
        ),
        Key(
            "url",
            ListOf(url("postgresql", "postgres", socket=True), single=True),
            ("the server, user and database", "서버, 사용자, 데이터베이스"),
            of=("postgresql",),
            needed=True,
            sets="urls",
        ),
        Key(
            "url",
            one(url()),
            ("what the driver takes as uri", "드라이버의 uri"),
            of=(OTHER_DRIVER,),
            sets="urls",
        ),
        Key(
            "url",
            one(url("smtps", "smtp")),
            ("smtps:// (465), or smtp:// (587) with STARTTLS", "smtps:// (465) 또는 STARTTLS를 쓰는 smtp:// (587)"),
            of=("smtp",),
            needed=True,
            sets="urls",
        ),
        *(
            Key(
                "url",
                one(url(name, *(("ftp",) if name == "ftps" else ()))),
                ("the server", "서버"),
                of=(name,),
                needed=True,
                sets="urls",
            )
            for name in _FILES
        ),
        Key("path", PATH, ("the database file", "데이터베이스 파일"), of=("sqlite",), needed=True),
        Key(
            "driver",
            TEXT,
            ("the ADBC driver: a package or a library", "ADBC 드라이버 패키지 또는 라이브러리"),
            of=(OTHER_DRIVER,),
            needed=True,
        ),
        Key(
            "tls",
            choice("starttls", "required", "none"),
            (
                "ldap:// only: starttls (required means the same), or none, which is refused with a password "
                "except to a loopback address",
                "ldap://에만 해당: starttls(required도 같음) 또는 none. "
                "none은 루프백 주소가 아니면 암호와 함께 쓸 수 없음",
            ),
            "starttls",
            of=("ldap",),
        ),
        Key("base", TEXT, ("where searches begin", "검색을 시작하는 위치"), of=("ldap",)),
        Key(
            "user",
            TEXT,
            (
                "DN, UPN or DOMAIN\\user of a directory, else the name to log in with; without: anonymous",
                "디렉터리는 DN, UPN, DOMAIN\\user, 그 밖에는 로그인 이름. 없으면 익명",
            ),
            of=_SERVERS,
        ),
        Key(
            "password",
            SECRET,
            (
                "a secret; of sftp with key_file, what the key is locked with",
                "비밀 값. sftp에서 key_file과 함께 쓰면 키의 암호",
            ),
            of=_SERVERS,
        ),
        Key(
            "from",
            SENDER,
            ("sender of mails that name none", "보낸 사람이 없는 메일의 발신 주소"),
            of=("smtp",),
            sets="sender",
        ),
        Key("key_file", PATH, ("private key to log in with", "로그인용 개인 키"), of=("sftp",)),
        Key("host_key", HOST_KEY, ("fingerprint of the server's key", "서버 키의 지문"), of=("sftp",), needed=True),
        Key(
            "ca_file",
            PATH,
            ("authorities that are added to the system's", "시스템 인증 기관에 더하는 인증 기관"),
            of=("ldap", "postgresql", "smtp", "ftps"),
        ),
        Key(
            "certificate_name",
            HOST_NAME,
            ("checked instead of the host of the URL", "URL의 호스트 대신 확인하는 이름"),
            of=("ldap", "postgresql", "smtp", "ftps"),
        ),
        Key("page", whole(1, 100_000), ("entries of one page", "한 페이지의 항목 수"), 1000, of=("ldap",)),
        Key(
            "lists",
            ListOf(TEXT),
            ("attributes that are lists even with one value", "값이 하나여도 목록으로 두는 속성"),
            [],
            of=("ldap",),
        ),
        Key("timeout", SPAN, ("longest wait for the server", "서버를 기다리는 최대 시간"), "60s"),
    ),
    Profile,
    named="name",
    variants=KINDS,
    other=OTHER_DRIVER,
    private=True,
    check=_in_clear,
)

ROOT = Section(
    "",
    ("Sections of the configuration.", "설정의 섹션입니다."),
    (
        Key("network", TableOf(NETWORK), NETWORK.meaning),
        Key("profiles", NamedOf(NAME, PROFILE), PROFILE.meaning, {}),
    ),
    Configuration,
)


def sections(section: Section = ROOT) -> Iterator[Section]:
    """Every section, each before those inside it."""
    for key in section.keys:
        if not isinstance(key.kind, Scalar | ListOf | MapOf):
            yield key.kind.section
            yield from sections(key.kind.section)
