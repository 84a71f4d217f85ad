"""An OpenLDAP server with ten thousand entries that look like those of an Active Directory.

User number ``i`` (``cn=User 00042,ou=Staff,dc=lab,dc=test``) has the ``lastLogon`` "0" where 7 divides ``i``, else the
FILETIME of 1600000000.1234567 + 1000 i seconds. The first users have what is hard besides (``SPECIAL``).
"""

from __future__ import annotations

import base64
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tests.servers.pki import Authority
from tests.servers.processes import Child, answers, call, free_port, program, start, started

BASE = "dc=lab,dc=test"
STAFF = f"ou=Staff,{BASE}"
HOSTS = f"ou=Hosts,{BASE}"
CODES = f"ou=Codes,{BASE}"
"""Entries below answer with the code of their name: a search (or bind) at ``cn=timeLimitExceeded,ou=Codes,...``."""
PASSWORD = "planted-ldap-81b2d7"
USERS = 10_000
HOST_COUNT = 20
SIZE_LIMIT = 1000
"""Entries that an answer has without paging; a page has at most as many."""
TOTAL_LIMIT = 2500
"""Entries that ``LIMITED`` gets in all pages together; then sizeLimitExceeded (4)."""
ADMIN, READER, LIMITED, UNPAGED = (f"cn={name},{BASE}" for name in ("admin", "reader", "limited", "unpaged"))
"""Who may bind with ``PASSWORD``: without limits, with paging, with paging to 2,500 entries, and who is refused (11)
for asking for pages."""

NEVER = ("9223372036854775807", "9223372032559808511")
GUID = uuid.UUID("3f2504e0-4f89-11d3-9a0c-0305e82c3301")
SID = "S-1-5-21-3623811015-3361044348-30300820-1013"
SID_BYTES = bytes([1, 5]) + (5).to_bytes(6, "big") + b"".join(
    n.to_bytes(4, "little") for n in (21, 3623811015, 3361044348, 30300820, 1013)
)  # fmt: skip
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 8
LONG = "가나다" * 40_000
"""A value of 360,000 bytes."""
SPECIAL: dict[int, list[tuple[str, str | bytes]]] = {
    0: [
        ("displayName", "홍길동"),
        ("displayName;lang-ko", "홍길동"),
        ("displayName;lang-en", "Hong Gildong"),
        ("objectGUID", GUID.bytes_le),
        ("objectSid", SID_BYTES),
        ("jpegPhoto", PHOTO),
        ("mail", "hong@lab.test"),
        ("mail", "gildong@lab.test"),
        ("accountExpires", NEVER[0]),
    ],
    1: [
        ("description", LONG),
        ("sIDHistory", SID_BYTES),
        ("msExchMailboxGuid", GUID.bytes_le),
        ("accountExpires", NEVER[1]),
    ],
    2: [("description", "one"), ("description", "둘"), ("accountExpires", "0")],
    3: [("displayName", "별표 * (괄호) \\ 역슬래시"), ("description", " leading blank"), ("mail", "only@lab.test")],
}
"""What the first users have besides."""
AWKWARD = rf"cn=Lee\, Jin \+ \22x\22,{STAFF}"
"""A name that needs escapes."""
MEMBERS = 3000
GROUP = f"cn=Everyone,ou=Groups,{BASE}"
"""A group with ``MEMBERS`` members; the group ``One`` beside it has one."""
RESULTS = {"timeLimitExceeded": 3, "strongerAuthRequired": 8, "busy": 51, "unavailable": 52, "unwilling": 53}

_STRING = "EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15"
_NUMBER = "EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27"
_TIME = "EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.24"
_BYTES = "EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40"
_DN = "EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12"
_ATTRIBUTES = {
    "userPrincipalName": ("4.656", _STRING, True),
    "sAMAccountName": ("4.221", _STRING, True),
    "userAccountControl": ("4.8", _NUMBER, True),
    "lastLogon": ("4.52", _NUMBER, True),
    "badPasswordTime": ("4.49", _NUMBER, True),
    "accountExpires": ("4.159", _NUMBER, True),
    "servicePrincipalName": ("4.771", _STRING, False),
    "operatingSystem": ("4.363", _STRING, True),
    "operatingSystemVersion": ("4.364", _STRING, True),
    "whenCreated": ("2.2", _TIME, True),
    "whenChanged": ("2.3", _TIME, True),
    "objectGUID": ("4.2", _BYTES, True),
    "objectSid": ("4.146", _BYTES, True),
    "sIDHistory": ("4.609", _BYTES, False),
    "msExchMailboxGuid": ("7000.102.11058", _BYTES, True),
    "memberOf": ("2.102", _DN, False),
}


def _schema() -> str:
    """The attributes of Active Directory under their own numbers, and a class that may have them."""
    lines = []
    for name, (number, syntax, single) in _ATTRIBUTES.items():
        kind = " SINGLE-VALUE" if single else ""
        lines.append(f"attributetype ( 1.2.840.113556.1.{number} NAME '{name}' {syntax}{kind} )")
    may = " $ ".join(_ATTRIBUTES)
    lines.append(
        f"objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL MAY ( {may} $ jpegPhoto ) )"
    )
    return "\n".join(lines) + "\n"


def filetime(user: int) -> str:
    """``lastLogon`` of a user."""
    if user % 7 == 0:
        return "0"
    return str((1_600_000_000 + user * 1000) * 10_000_000 + 1_234_567 + 116_444_736_000_000_000)


def user_dn(user: int) -> str:
    """DN of a user."""
    return f"cn=User {user:05d},{STAFF}"


def _line(name: str, value: str | bytes) -> str:
    data = value.encode() if isinstance(value, str) else value
    return f"{name}:: {base64.b64encode(data).decode()}"


def _entry(dn: str, classes: str, values: list[tuple[str, str | bytes]]) -> str:
    lines = [_line("dn", dn), *(_line("objectClass", name) for name in classes.split()), *(_line(*v) for v in values)]
    return "\n".join(lines) + "\n\n"


def _tree(users: int) -> Iterator[str]:
    """The entries as LDIF."""
    yield _entry(BASE, "dcObject organization", [("o", "lab"), ("dc", "lab")])
    for dn in (READER, LIMITED, UNPAGED):
        name = dn.partition(",")[0].removeprefix("cn=")
        yield _entry(dn, "organizationalRole simpleSecurityObject", [("cn", name), ("userPassword", PASSWORD)])
    for unit in ("Staff", "Hosts", "Groups"):
        yield _entry(f"ou={unit},{BASE}", "organizationalUnit", [("ou", unit)])
    elsewhere = "ldap://127.0.0.1:1/ou=Elsewhere,dc=other,dc=test"
    yield _entry(f"ou=Elsewhere,{BASE}", "referral extensibleObject", [("ou", "Elsewhere"), ("ref", elsewhere)])
    for i in range(users):
        yield _user(i)
    awkward: list[tuple[str, str | bytes]] = [("cn", 'Lee, Jin + "x"'), ("sn", "Lee"), ("sAMAccountName", "leejin")]
    yield _entry(AWKWARD, "user", awkward)
    for i in range(HOST_COUNT):
        yield _host(i)
    for group, count in (("Everyone", MEMBERS), ("One", 1)):
        members: list[tuple[str, str | bytes]] = [("member", user_dn(i)) for i in range(count)]
        yield _entry(f"cn={group},ou=Groups,{BASE}", "groupOfNames", [("cn", group), *members])


def _user(i: int) -> str:
    values: list[tuple[str, str | bytes]] = [
        ("cn", f"User {i:05d}"),
        ("sn", f"U{i:05d}"),
        ("sAMAccountName", f"user{i:05d}"),
        ("userPrincipalName", f"user{i:05d}@lab.test"),
        ("userAccountControl", "514"),
        ("lastLogon", filetime(i)),
        ("badPasswordTime", "0" if i % 3 else filetime(i + 1)),
        ("whenCreated", "20260301090807.0Z"),
        ("whenChanged", "20260302101112.5Z"),
        ("memberOf", GROUP),
        *SPECIAL.get(i, []),
    ]
    return _entry(user_dn(i), "user", values)


def _host(i: int) -> str:
    name = f"ws{i:03d}"
    values: list[tuple[str, str | bytes]] = [
        ("cn", name.upper()),
        ("sn", name),
        ("sAMAccountName", f"{name.upper()}$"),
        ("servicePrincipalName", f"HOST/{name}"),
        *([("servicePrincipalName", f"HOST/{name}.lab.test")] if i % 2 else []),
        ("operatingSystem", "Windows 10 Pro"),
        ("operatingSystemVersion", "10.0 (19045)"),
        ("lastLogon", filetime(i)),
        ("whenCreated", "20260301090807.0Z"),
        ("whenChanged", "20260302101112.5Z"),
    ]
    return _entry(f"cn={name.upper()},{HOSTS}", "user", values)


def _configuration(folder: Path, authority: Authority, certificate: str) -> str:
    pair = authority.pair(certificate)
    schemas = "\n".join(f"include /etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "inetorgperson"))
    plain = f"size.soft={SIZE_LIMIT} size.hard={SIZE_LIMIT}"
    items = "\n".join(f"retcode-item cn={name} {code} op=bind,search" for name, code in RESULTS.items())
    return f"""
{schemas}
include {folder}/ad.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload retcode
pidfile {folder}/slapd.pid
TLSCertificateFile {pair.cert}
TLSCertificateKeyFile {pair.key}
TLSCACertificateFile {authority.ca_file}
sizelimit {SIZE_LIMIT}
database mdb
maxsize 268435456
suffix "{BASE}"
rootdn "{ADMIN}"
rootpw {PASSWORD}
directory {folder}/db
dbnosync
index objectClass,userPrincipalName,sAMAccountName pres,eq
limits dn.exact="{LIMITED}" {plain} size.pr={SIZE_LIMIT} size.prtotal={TOTAL_LIMIT}
limits dn.exact="{UNPAGED}" {plain} size.prtotal=disabled
limits users {plain} size.pr={SIZE_LIMIT} size.prtotal=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by * read
overlay retcode
retcode-parent "{CODES}"
{items}
"""


def fill(folder: Path, authority: Authority, users: int = USERS) -> Path:
    """The folder of the filled database of this run, made by the worker that comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "filled").exists():
            _write(folder, authority, "right")
            # Ubuntu lets the program at its own path read no other folders than the system's; a copy is free.
            for name in ("slapd", "slapadd"):
                shutil.copy(program(name), folder / name)
            ldif = "".join(_tree(users)).encode()
            call([folder / "slapadd", "-q", "-f", folder / "slapd.conf"], stdin=ldif)
            (folder / "filled").touch()
    return folder


def _write(folder: Path, authority: Authority, certificate: str) -> None:
    (folder / "db").mkdir(parents=True, exist_ok=True)
    (folder / "ad.schema").write_text(_schema())
    (folder / "slapd.conf").write_text(_configuration(folder, authority, certificate))


@dataclass
class Directory:
    """A directory server. ``url`` is without TLS (StartTLS is offered), ``tls_url`` with it; both name ``localhost``.
    ``kill()`` ends it at once, ``restart()`` starts it again on the same ports."""

    folder: Path
    authority: Authority
    certificate: str = "right"
    port: int = 0
    tls_port: int = 0
    child: Child | None = None
    program: Path = Path("slapd")

    base = BASE
    password = PASSWORD

    @property
    def url(self) -> str:
        return f"ldap://localhost:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://localhost:{self.tls_port}"

    def start(self, filled: Path) -> Directory:
        """Start with a copy of the filled database (the folder of ``fill``)."""
        self.program = filled / "slapd"
        _write(self.folder, self.authority, self.certificate)
        shutil.copytree(filled / "db", self.folder / "db", dirs_exist_ok=True)
        self.child = started(lambda: self._start(free_port(), free_port()), self._ready)
        return self

    def restart(self) -> None:
        """Start it again when it has ended."""
        if self.child is None or not self.child.alive:
            self.child = started(lambda: self._start(self.port, self.tls_port), self._ready)

    def kill(self) -> None:
        """End it at once, whatever it is sending."""
        assert self.child is not None
        self.child.kill()

    def stop(self) -> None:
        """End it."""
        if self.child is not None:
            self.child.stop()

    def _start(self, port: int, tls_port: int) -> Child:
        self.port, self.tls_port = port, tls_port
        urls = f"ldap://127.0.0.1:{port}/ ldaps://127.0.0.1:{tls_port}/"
        settings = str(self.folder / "slapd.conf")
        return start([self.program, "-d", "0", "-f", settings, "-h", urls], self.folder / "slapd.log")

    def _ready(self) -> bool:
        return answers(self.port) and answers(self.tls_port)
