"""Network commands: the words that say why there was no answer, and the errors of sources that got none."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from logsql.diagnostics.codes import define
from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.messages import Text, text
from logsql.diagnostics.options import INVALID_OPTION
from logsql.diagnostics.redaction import Said

if TYPE_CHECKING:
    from logsql.language.tree import Span

#: Word -> what it means. ``_wget_error`` and the ledger hold the word; errors print both, the reference the table.
WORDS: dict[str, Text] = {
    "bad-url": text(
        "the URL is none, or an address in an unusual spelling", "URL이 아니거나 주소 표기가 올바르지 않습니다"
    ),
    "bad-header": text(
        "headers are no map, as dict() makes it, hold a control character, or set Host, a length or one of proxies",
        "헤더가 dict()로 만든 맵이 아니거나, 제어 문자가 있거나, Host, 길이 또는 프록시용 헤더를 정합니다",
    ),
    "refused-scheme": text(
        "only https is allowed, and http or ftp where plain_http or plain_ftp names the host",
        "https만 허용하며, http와 ftp는 plain_http와 plain_ftp에 적힌 호스트에만 허용합니다",
    ),
    "refused-private": text(
        "the address is private or reserved, and [network] allow does not name it",
        "사설 또는 예약 주소이며 [network] allow에 없습니다",
    ),
    "refused-redirect": text(
        "a redirect would send the body to another origin", "다른 출처로 본문을 보내는 리디렉션입니다"
    ),
    "too-many-redirects": text("there were more redirects than allowed", "리디렉션이 허용 횟수를 넘었습니다"),
    "dns-failed": text("the name has no address", "이름에 해당하는 주소가 없습니다"),
    "connect-failed": text("no connection came about", "연결하지 못했습니다"),
    "tls-untrusted": text(
        "no known authority vouches for the certificate", "알려진 인증 기관이 보증하지 않는 인증서입니다"
    ),
    "tls-expired": text(
        "the certificate has run out or is not valid yet", "인증서가 만료되었거나 아직 유효하지 않습니다"
    ),
    "tls-name-mismatch": text("the certificate is for another name", "다른 이름의 인증서입니다"),
    "tls-failed": text("TLS could not be agreed on", "TLS 협상에 실패했습니다"),
    "timeout": text("there was no whole answer in time", "제한 시간 안에 답이 다 오지 않았습니다"),
    "truncated": text("the answer ended before it was whole", "답이 중간에 끊겼습니다"),
    "disconnected": text(
        "the receiver closed the connection before it had everything", "수신자가 다 받기 전에 연결을 끊었습니다"
    ),
    "exceeds-max-size": text("the answer is larger than max_body", "답이 max_body보다 큽니다"),
    "decode-failed": text("the answer cannot be unpacked", "답의 압축을 풀 수 없습니다"),
    "protocol-error": text("the answer does not keep to the protocol", "답이 프로토콜에 맞지 않습니다"),
    "proxy-failed": text("the proxy did not connect", "프록시가 연결하지 못했습니다"),
    "rate-limited": text("the limit of requests left no time for it", "요청 제한 때문에 기다리다 포기했습니다"),
    "no-such-database": text("the server has no database of this name", "서버에 그런 이름의 데이터베이스가 없습니다"),
    "bad-credentials": text("the user name or the password is wrong", "사용자 이름이나 암호가 틀렸습니다"),
    "missing-field": text("the row has no value in a field that a mail needs", "메일에 필요한 필드에 값이 없습니다"),
    "bad-address": text("an address is none", "메일 주소가 올바르지 않습니다"),
    "recipient-refused": text(
        "the server does not take a recipient; the others have the mail",
        "서버가 받는 사람을 거부했습니다. 다른 사람에게는 보냈습니다",
    ),
    "message-refused": text("the server does not take the mail", "서버가 메일을 거부했습니다"),
    "host-key-mismatch": text("the server shows another key than host_key names", "서버의 키가 host_key와 다릅니다"),
    "bad-key-file": text("key_file holds no private key that can be read", "key_file에서 개인 키를 읽을 수 없습니다"),
    "bad-path": text("the path is empty, or holds a line break or NUL", "경로가 비었거나 줄바꿈 또는 NUL이 있습니다"),
    "no-such-file": text("the server has no such file or folder", "서버에 그런 파일이나 폴더가 없습니다"),
    "is-a-folder": text("it is a folder, no file", "파일이 아니라 폴더입니다"),
    "permission-denied": text("the server does not allow it to this user", "서버가 이 사용자에게 허용하지 않습니다"),
    "file-exists": text("the server has a file of this name already", "서버에 같은 이름의 파일이 있습니다"),
    "not-sent": text("the query ended before it was sent", "보내기 전에 쿼리가 끝났습니다"),
    "strong-auth-required": text(
        "the server wants TLS, or a user and not nobody", "서버가 TLS 또는 익명이 아닌 사용자를 요구합니다"
    ),
    "empty-password": text(
        "the profile has a user and no password, which servers take for nobody",
        "프로파일에 사용자만 있고 암호가 없습니다. 서버는 이를 익명으로 취급합니다",
    ),
    "tls-required": text(
        'a password is not sent unencrypted: leave out tls="none", or use ldaps://',
        '암호를 암호화하지 않고 보내지 않습니다. tls="none"을 빼거나 ldaps://를 쓰세요',
    ),
    "no-such-base": text("the base is no entry of this directory", "base가 이 디렉터리에 없는 항목입니다"),
    "server-refused": text("the server refused", "서버가 거부했습니다"),
}

#: Word -> the one thing to change. ``{place}``: the host of the target, with its port where one is written.
ADVICE: dict[str, Text] = {
    "bad-url": text("a URL is written https://HOST/PATH", "URL은 https://호스트/경로로 씁니다"),
    "refused-scheme": text(
        'write https://, or plain_http = ["{place}"] under [network] of the configuration',
        'https://로 쓰거나 설정의 [network]에 이렇게 쓰세요: plain_http = ["{place}"]',
    ),
    "refused-private": text(
        'write allow = ["{place}"] under [network] of the configuration',
        '설정의 [network]에 이렇게 쓰세요: allow = ["{place}"]',
    ),
    "tls-untrusted": text(
        'name the certificate of the authority in the configuration: ca_file = "PATH"',
        '인증 기관의 인증서를 설정에 쓰세요: ca_file = "경로"',
    ),
    "tls-name-mismatch": text(
        "write the name that the certificate is for in the URL, or as certificate_name of the profile",
        "인증서에 있는 이름을 URL에 쓰거나 프로파일의 certificate_name에 쓰세요",
    ),
    "timeout": text(
        'give it more time in the configuration: timeout = "2m"', '설정에서 시간을 늘리세요: timeout = "2m"'
    ),
    "exceeds-max-size": text(
        "raise max_body under [network] of the configuration", "설정의 [network]에서 max_body를 늘리세요"
    ),
    "bad-address": text(
        'write from = "NAME@HOST" into the profile of the mail server',
        '메일 서버 프로파일에 이렇게 쓰세요: from = "이름@호스트"',
    ),
    "empty-password": text("set it with logsql profile password NAME", "logsql profile password NAME으로 설정하세요"),
}
_WITHOUT_PLACE: dict[str, Text] = {
    "refused-scheme": text("write https:// in front of the host", "호스트 앞에 https://를 쓰세요"),
}
_FTP_IN_CLEAR = text(
    'use ftps://, or write plain_ftp = ["{place}"] under [network] of the configuration',
    'ftps://로 쓰거나 설정의 [network]에 이렇게 쓰세요: plain_ftp = ["{place}"]',
)

#: Result codes of LDAP (RFC 4511, appendix A) by their names there.
LDAP_CODES = {
    1: "operationsError", 2: "protocolError", 3: "timeLimitExceeded", 4: "sizeLimitExceeded",
    7: "authMethodNotSupported", 8: "strongerAuthRequired", 11: "adminLimitExceeded",
    12: "unavailableCriticalExtension", 13: "confidentialityRequired", 16: "noSuchAttribute",
    17: "undefinedAttributeType", 18: "inappropriateMatching", 21: "invalidAttributeSyntax", 32: "noSuchObject",
    34: "invalidDNSyntax", 48: "inappropriateAuthentication", 49: "invalidCredentials",
    50: "insufficientAccessRights", 51: "busy", 52: "unavailable", 53: "unwillingToPerform", 54: "loopDetect",
    80: "other",
}  # fmt: skip


def bound_word(code: int) -> str:
    """The word for the result of a bind. 34: this server wants a DN, and the user name is none."""
    words = {8: "strong-auth-required", 13: "strong-auth-required"}
    return "bad-credentials" if code in (34, 48, 49) else words.get(code, "server-refused")


def search_word(code: int) -> str:
    """The word for the result of a search."""
    return "no-such-base" if code in (32, 34) else bound_word(code)


UNKNOWN_PROFILE = define(
    "E3040",
    "unknown-profile",
    ("there is no profile of this name, or it is of another kind", "그런 이름의 프로파일이 없거나 종류가 다릅니다"),
    ("unknown profile {name!r}", "알 수 없는 프로파일입니다: {name!r}"),
)
MAKE_PROFILE = text(
    "make it: logsql profile set {name} kind={kind} KEY=VALUE ...",
    "만들기: logsql profile set {name} kind={kind} 키=값 ...",
)
OTHER_PROFILE = UNKNOWN_PROFILE.says(
    (
        "the profile {name!r} is of kind {kind}; {command} needs {kinds}",
        "프로파일 {name!r}의 종류는 {kind}입니다. {command}에는 {kinds}이(가) 필요합니다",
    )
)
NO_ANSWER = define(
    "E3041",
    "no-answer",
    ("a server did not answer, or its answer is not whole", "서버가 답하지 않았거나 답이 온전하지 않습니다"),
    ("{target}: {word}: {meaning}", "{target}: {word}: {meaning}"),
)


def advice(target: str, word: str) -> str | None:
    """The help line of a word: what to change, and where.

    >>> advice("http://intranet.example:8080/a", "refused-private")
    'write allow = ["intranet.example:8080"] under [network] of the configuration'
    """
    parts = urlsplit(target)
    if word == "refused-scheme" and target.startswith("ftp://"):
        return _FTP_IN_CLEAR.fill(place=parts.netloc)
    found = ADVICE.get(word) if parts.netloc else _WITHOUT_PLACE.get(word, ADVICE.get(word))
    if found is None or (not parts.netloc and word == "refused-private"):
        return None
    return found.fill(place=parts.netloc)


def unanswered(target: str, word: str, span: Span | None = None) -> SourceError:
    """The error of a source that got no answer. ``target``: what was asked, without user, secrets and query."""
    meaning, help = WORDS[word].fill(), advice(target, word)
    return SourceError(diagnostic(NO_ANSWER, span, help=help, target=target, word=Said(word), meaning=meaning))


CERTIFICATE_FILE = define(
    "E3042",
    "certificate-file",
    ("a file of certificates or keys cannot be read", "인증서나 키 파일을 읽을 수 없습니다"),
    ("cannot read certificates from {path}: {reason}", "{path}에서 인증서를 읽을 수 없습니다: {reason}"),
)
SERVER_REFUSED = NO_ANSWER.says(
    ("{target}: {word}: {meaning} ({name}, {code})", "{target}: {word}: {meaning} ({name}, {code})"),
)
ANSWER_CUT = define(
    "E3070",
    "answer-cut",
    ("a server ended its answer early", "서버가 답을 끝까지 보내지 않았습니다"),
    (
        "{target}: {reason}: the answer ended behind {rows:,} rows, and there may be more",
        "{target}: {reason}: {rows:,}행에서 답이 끝났으며, 남은 행이 있을 수 있습니다",
    ),
)
RATE_FORM = INVALID_OPTION.says(
    ("rate= is N/SPAN, as 4/1m, not {value!r}", "rate=은 4/1m처럼 N/기간으로 씁니다: {value!r}"),
)
