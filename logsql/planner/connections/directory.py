"""Directories (LDAP): what ``ldapsearch`` asks of the connector."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from logsql.planner.services import Service

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile
    from logsql.diagnostics.errors import LogsqlError

#: A value of an attribute: text, bytes that are no UTF-8, a time, or a list of texts or of bytes; None where the value
#: could not be read, which was told.
Value: TypeAlias = "str | bytes | dt.datetime | list[str] | list[bytes] | None"

#: The attributes that are times (GeneralizedTime); others of that syntax stay text. Lower case, as names of attributes
#: are compared (RFC 4512, 2.5).
TIMES = frozenset({"whencreated", "whenchanged", "createtimestamp", "modifytimestamp"})
#: Attributes that are a list of texts, also with one value.
TEXT_LISTS = frozenset(
    {
        "objectclass",
        "member",
        "memberof",
        "serviceprincipalname",
        "proxyaddresses",
        "directreports",
        "dscorepropagationdata",
    }
)
#: Attributes that are a list of bytes, also with one value.
BYTE_LISTS = frozenset({"usercertificate"})
#: Attributes of 16 bytes that are a GUID, its first three groups little-endian (MS-DTYP 2.3.4.2).
GUIDS = frozenset({"objectguid", "msexchmailboxguid"})
#: Attributes that are security identifiers (MS-DTYP 2.4.2.2).
SIDS = frozenset({"objectsid", "sidhistory"})
#: Names of reasons of the ledger, whose rows stand with the command.
REFERRAL, TIME_UNREADABLE, UNDECODABLE = "referral-not-followed", "time-unreadable", "attribute-undecodable"


@dataclass(frozen=True)
class Search:
    """What is asked for: the canonical text of a filter, where (``base``, ``scope``), which attributes (``*``: all),
    and how many entries at most (None: all)."""

    filter: str
    base: str
    scope: str
    attributes: tuple[str, ...]
    limit: int | None = None


@dataclass(frozen=True)
class Told:
    """Whom a search tells what the rows do not show. ``cancelled``: whether to stop. ``lost(reason, count, sample)``:
    what is counted in the ledger. ``failed``: an error that holds for the rows as a whole, which are handed on."""

    cancelled: Callable[[], bool]
    lost: Callable[[str, int, str | None], None]
    failed: Callable[[LogsqlError], None]


#: A page of entries: the DN and the attributes of each.
Page: TypeAlias = "Sequence[tuple[str, Mapping[str, Value]]]"


class Directory(Protocol):
    """Searches directories by their profiles."""

    def permit(self, profile: Profile) -> None:
        """Raises PolicyError when no URL of the profile may be reached in this session."""

    def search(self, profile: Profile, search: Search, told: Told) -> Iterator[Page]:
        """The entries, page by page. Raises SourceError where the directory gives no answer at all."""

    def test(self, profile: Profile) -> str:
        """Connect and bind: the server and who is bound, in one line. Raises SourceError."""


DIRECTORY: Service[Directory] = Service("directory")
