"""Kinds of values in the configuration: what is written, what is read from it, and what it is called in an error.

Each is a row here; lists and tables are made of them (:mod:`logsql.configuration.declaring`). The check,
``profile set`` and the reference derive from it.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
from urllib.parse import urlsplit

from logsql.configuration.declaring import Scalar, Unfit
from logsql.configuration.secrets import SCHEMES, Secret, entry
from logsql.configuration.settings import Rate
from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.configuration import PASSWORD_IN_PROXY, PASSWORD_IN_URL
from logsql.diagnostics.messages import text

# --- texts, paths, choices ----------------------------------------------------------------------------------------


def _is_text(value: str) -> bool:
    """Whether a word of the command line may stand in a file of UTF-8 and be handed to the system."""
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _text(value: object, folder: str) -> object:
    if not value or not str(value).isprintable():
        raise Unfit
    return value


def _path(value: object, folder: str) -> object:
    """Relative to the folder of the file that names it."""
    if not value or not _is_text(str(value)):
        raise Unfit
    return os.path.join(folder, os.path.expanduser(str(value)))


TEXT = Scalar(text("text in one line", "한 줄 텍스트"), '"text"', _text)
PATH = Scalar(text("a path", "경로"), '"ca.pem"', _path)
PATH_OR_NONE = Scalar(
    text('a path, or "" for the default', '경로 또는 기본값을 뜻하는 ""'),
    '""',
    lambda value, folder: _path(value, folder) if value else "",
)
_WORD = re.compile(r"[\w.@-]+")


def _named(value: object, folder: str) -> object:
    if _WORD.fullmatch(str(value)) is None or len(str(value)) > 100:
        raise Unfit
    return value


NAME = Scalar(
    text('letters, digits, and "." "_" "-" "@"', '문자, 숫자와 "." "_" "-" "@"'),
    '"NAME"',
    _named,
)


def choice(*names: str) -> Scalar:
    """One of some words."""

    def read(value: object, folder: str) -> object:
        if value not in names:
            raise Unfit
        return value

    quoted = ", ".join(f'"{name}"' for name in names)
    return Scalar(text(f"one of {quoted}", f"{quoted} 중 하나"), f'"{names[0]}"', read, choices=names)


def whole(least: int, most: int) -> Scalar:
    """A whole number within bounds."""

    def read(value: object, folder: str) -> object:
        if not (isinstance(value, int) and least <= value <= most):
            raise Unfit
        return value

    told = text(f"a whole number from {least} to {most}", f"{least}에서 {most}까지의 정수")
    return Scalar(told, str(max(least, 1)), read, int)


# --- amounts ------------------------------------------------------------------------------------------------------

_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([A-Za-z]*)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
#: Ten years, and what no machine holds: beyond is a slip of the pen.
_LONGEST, _LARGEST = 10 * 366 * 86400, 2**60


def _amount(value: object, units: dict[str, int] | dict[str, float], most: float) -> float:
    found = _AMOUNT.fullmatch(str(value))
    if found is None or found[2] not in units:
        raise Unfit
    amount = float(found[1]) * units[found[2]]
    if not (math.isfinite(amount) and 0 < amount <= most):
        raise Unfit
    return amount


def _span(value: object, folder: str) -> object:
    return float(_amount(value, _SECONDS, _LONGEST))


def _size(value: object, folder: str) -> object:
    amount = _amount(str(value).upper(), _BYTES, _LARGEST)
    if amount < 1:
        raise Unfit
    return int(amount)


def _rate(value: object, folder: str) -> object:
    count, slash, window = str(value).partition("/")
    if not slash or re.fullmatch(r"[1-9]\d{0,8}", count, re.ASCII) is None:
        raise Unfit
    return Rate(int(count), float(_amount(window, _SECONDS, _LONGEST)))


SPAN = Scalar(
    text('a span of time such as "30s", "1m", "1d"', '"30s", "1m", "1d" 같은 시간 간격'),
    '"30s"',
    _span,
)
SIZE = Scalar(text('a size such as "64MB"', '"64MB" 같은 크기'), '"64MB"', _size)
RATE = Scalar(
    text('a number of requests in a span such as "4/1m"', '"4/1m" 같은 시간당 요청 수'),
    '"4/1m"',
    _rate,
)

# --- addresses ----------------------------------------------------------------------------------------------------

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
#: A last part that a resolver takes for a number: 127.1, 0x7f.1, 2130706433. Such a host is an address written oddly.
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9A-Fa-f]*)\.?")


def _host(name: str) -> str:
    """A name in lower case, or an address as it is written by itself."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        plain = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        raise Unfit from None
    if _HOST.fullmatch(plain) is None or _NUMBER.fullmatch(plain) is not None or len(plain) > 253:
        raise Unfit
    return plain.rstrip(".").lower()


def _port(digits: str) -> str:
    if re.fullmatch(r"[1-9]\d{0,4}", digits, re.ASCII) is None or int(digits) > 65535:
        raise Unfit
    return digits


def _split(value: str) -> tuple[str, str | None]:
    """A host and its port; an IPv6 address with a port stands in brackets."""
    if value.startswith("["):
        host, bracket, rest = value[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            raise Unfit
        return host, _port(rest[1:]) if rest else None
    if value.count(":") == 1:
        host, _, port = value.partition(":")
        return host, _port(port)
    return value, None


def _joined(host: str, port: str | None) -> str:
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _host_port(value: object, folder: str) -> object:
    """``name`` or ``name:port``, in the one spelling that a request is looked up by."""
    host, port = _split(str(value))
    return _joined(_host(host), port)


def _with_port(value: object, folder: str) -> object:
    host, port = _split(str(value))
    if port is None:
        raise Unfit
    return _joined(_host(host), port)


def _named_port(value: object, folder: str) -> object:
    """``NAME:PORT``. An address is connected to as it is: nothing would look for another one in its place."""
    found = str(_with_port(value, folder))
    try:
        ipaddress.ip_address(_split(found)[0])
    except ValueError:
        return found
    raise Unfit


def _address(value: object, folder: str) -> object:
    host, port = _split(str(value))
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise Unfit from None
    if port is None:
        raise Unfit
    return _joined(str(address), port)


def _target(value: object, folder: str) -> object:
    """A network, an address or a name, with a port or without."""
    host, port = _split(str(value))
    if "/" not in host:
        return _joined(_host(host), port)
    try:
        return _joined(str(ipaddress.ip_network(host)), port)
    except ValueError:
        raise Unfit from None


_MAILBOX = re.compile(r"(?:[^<>\"]*<|\"[^\"]*\" *<)?([^@<>\s]+)@([^@<>\s]+)(>?)")


def _sender(value: object, folder: str) -> object:
    """``a@b.example`` or ``Name <a@b.example>``."""
    written = str(_text(value, folder))
    found = _MAILBOX.fullmatch(written)
    if found is None or ("<" in written) != bool(found[3]):
        raise Unfit
    _host(found[2])
    return value


SENDER = Scalar(
    text('an address such as "reports@example.com"', '"reports@example.com" 같은 메일 주소'),
    '"reports@example.com"',
    _sender,
)
HOST = Scalar(text("a host, with :PORT or without", ":포트를 붙이거나 붙이지 않은 호스트"), '"a.example"', _host_port)
HOST_NAME = Scalar(
    text("the name or address of a host", "호스트의 이름이나 주소"),
    '"a.example"',
    lambda value, folder: _host(str(value)),
)
NAME_PORT = Scalar(
    text("NAME:PORT, the name not being an address", "이름:포트. 주소는 쓸 수 없음"), '"a.example:443"', _named_port
)
ADDRESS_PORT = Scalar(text("ADDRESS:PORT", "주소:포트"), '"127.0.0.1:8443"', _address)
TARGET = Scalar(
    text(
        'a network, an address or a name, such as "10.20.0.0/16", "127.0.0.1:9000", "intranet.example:8443"',
        '"10.20.0.0/16", "127.0.0.1:9000", "intranet.example:8443" 같은 네트워크, 주소, 이름',
    ),
    '"10.20.0.0/16"',
    _target,
)


def _url(value: str, schemes: tuple[str, ...], password: Sentence, socket: bool = False) -> str:
    if not value.isprintable() or " " in value:
        raise Unfit
    try:
        parts = urlsplit(value)
        host, given = parts.hostname, parts.port
    except ValueError:
        raise Unfit from None
    if (schemes and parts.scheme not in schemes) or not parts.scheme or given == 0:
        raise Unfit
    if schemes and not (socket and not host):
        _host(host or "")
    if parts.password is not None or re.search(r"(?i)[?&](?:password|passwd|pwd|sslpassword)=", value):
        raise Unfit(password)
    return value


def url(*schemes: str, socket: bool = False) -> Scalar:
    """A URL without a password; without ``schemes`` of any scheme, as drivers have their own. ``socket``: the host may
    be left out, as it is for a socket of this machine."""

    def read(value: object, folder: str) -> object:
        return _url(str(value), schemes, PASSWORD_IN_URL, socket)

    forms = ", ".join(f'"{scheme}://HOST"' for scheme in schemes)
    told = text(f"a URL such as {forms}", f"{forms} 같은 URL") if schemes else text("a URL", "URL 주소")
    return Scalar(told, f'"{(schemes or ("driver",))[0]}://host.example"', read, hidden=True)


def _proxy(value: object, folder: str) -> object:
    if value in ("env", "none"):
        return value
    parts = urlsplit(_url(str(value), ("http", "https"), PASSWORD_IN_PROXY))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise Unfit
    return value


PROXY = Scalar(
    text('"env", "none" or "http://[USER@]HOST:PORT"', '"env", "none", "http://[사용자@]호스트:포트"'),
    '"env"',
    _proxy,
    hidden=True,
    choices=("env", "none"),
)

# --- HTTP, secrets ------------------------------------------------------------------------------------------------


def _header(value: object, folder: str) -> object:
    if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", str(value)) is None:
        raise Unfit
    return value


def _secret(value: object, folder: str) -> object:
    secret = Secret(str(value), folder)
    scheme, _, rest = secret.reference.partition(":")
    if not _is_text(secret.reference) or (not secret.literal and not rest.strip()):
        raise Unfit
    if scheme == "env" and not secret.literal and ("=" in rest or not rest.isprintable()):
        raise Unfit
    if scheme == "keyring" and not secret.literal and not all(entry(rest)):
        raise Unfit
    return secret


def _host_key(value: object, folder: str) -> object:
    if re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}=?", str(value)) is None:
        raise Unfit
    return value


HEADER = Scalar(text("the name of a header", "헤더 이름"), '"x-apikey"', _header)
SECRET = Scalar(
    text(
        '"env:NAME", "file:PATH", "keyring:SERVICE/USER" or the secret itself',
        '"env:이름", "file:경로", "keyring:서비스/사용자" 또는 비밀 값 자체',
    ),
    '"env:NAME"',
    _secret,
    hidden=True,
    choices=SCHEMES,
)
HOST_KEY = Scalar(
    text('"SHA256:" and 43 characters of base64', '"SHA256:"과 base64 43자'),
    '"SHA256:..."',
    _host_key,
)
STATUS = whole(100, 599)
