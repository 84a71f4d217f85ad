"""Values of directory attributes as a query sees them: identifiers, times, lists, text and bytes.

Sources: RFC 4517, 3.3.13 (GeneralizedTime); MS-DTYP 2.3.4.2 (GUID), 2.4.2.2 (SID); MS-ADTS 3.1.1.3.1.3.3 (ranges).
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence

from logsql.planner.connections.directory import (
    BYTE_LISTS,
    GUIDS,
    SIDS,
    TEXT_LISTS,
    TIME_UNREADABLE,
    TIMES,
    UNDECODABLE,
    Value,
)

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d))?)?(?:[.,](\d+))?(?:Z|([+-])(\d\d)(\d\d)?)", re.ASCII)
_RANGE = re.compile(r"(.+);range=(\d+)-(\d+|\*)", re.IGNORECASE | re.ASCII)
Lost = Callable[[str, int, "str | None"], None]


def sid(data: bytes) -> str | None:
    """A security identifier as ``S-1-...``; None where the bytes are none.

    >>> sid(bytes.fromhex("01020000000000052000000020020000"))
    'S-1-5-32-544'
    """
    if len(data) < 8 or data[0] != 1 or len(data) != 8 + 4 * data[1]:
        return None
    authority = int.from_bytes(data[2:8], "big")
    shown = str(authority) if authority < 1 << 32 else f"0x{authority:012X}"
    parts = (int.from_bytes(data[at : at + 4], "little") for at in range(8, len(data), 4))
    return "-".join(["S-1", shown, *map(str, parts)])


def guid(data: bytes) -> str | None:
    """A GUID, whose first three groups are little-endian; None where the bytes are none.

    >>> guid(bytes(range(16)))
    '03020100-0504-0706-0809-0a0b0c0d0e0f'
    """
    return str(uuid.UUID(bytes_le=data)) if len(data) == 16 else None


def generalized_time(text: str) -> dt.datetime | None:
    """The instant of a GeneralizedTime, in microseconds (further digits are cut); None where it is none.

    >>> generalized_time("20260302101112.5Z")
    datetime.datetime(2026, 3, 2, 10, 11, 12, 500000, tzinfo=datetime.timezone.utc)
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    unit = 1_000_000 if second else 60_000_000 if minute else 3_600_000_000  # of what the fraction is one
    micros = int(fraction) * unit // 10 ** len(fraction) if fraction else 0
    offset = int(hours or 0) * 60 + int(minutes or 0)
    if int(second or 0) > 60 or int(hours or 0) > 23 or int(minutes or 0) > 59:
        return None
    try:
        begun = dt.datetime(int(year), int(month), int(day), int(hour), int(minute or 0), tzinfo=dt.UTC)
        moved = dt.timedelta(minutes=-offset if sign == "+" else offset)
        return begun + dt.timedelta(seconds=int(second or 0), microseconds=micros) + moved  # second 60: a leap second
    except (ValueError, OverflowError):
        return None


def value(name: str, given: Sequence[bytes], lists: Collection[str], lost: Lost) -> Value:
    """The values of an attribute, of which there is at least one. ``lists``: lower-case names that are lists always."""
    kind = name.partition(";")[0].lower()
    if kind in TIMES:
        return _time(given, lost)
    if kind in GUIDS or kind in SIDS:
        read = guid if kind in GUIDS else sid
        shown = [read(one) or one.hex() for one in given]
        return shown if len(shown) > 1 or kind in lists else shown[0]
    if kind in BYTE_LISTS:
        return list(given)
    try:
        texts = [one.decode() for one in given]
    except UnicodeDecodeError:
        if kind in TEXT_LISTS:
            return [_text(one, lost) for one in given]
        return list(given) if len(given) > 1 or kind in lists else given[0]
    return texts if len(texts) > 1 or kind in TEXT_LISTS or kind in lists else texts[0]


def _time(given: Sequence[bytes], lost: Lost) -> dt.datetime | None:
    found = generalized_time(given[0].decode("ascii", "replace")) if len(given) == 1 else None
    if found is None:
        lost(TIME_UNREADABLE, 1, ", ".join(one.decode("utf-8", "replace") for one in given))
    return found


def _text(data: bytes, lost: Lost) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        shown = data.decode("utf-8", "replace")
        lost(UNDECODABLE, 1, shown)
        return shown


def dn_text(data: bytes, lost: Lost) -> str:
    """A distinguished name, which is UTF-8 by its definition."""
    return _text(data, lost)


def ranges(attributes: Mapping[str, list[bytes]]) -> dict[str, int]:
    """Attributes of which a server sent a part: the name without its range -> the place of the next value, 0 where
    the part is the last one (MS-ADTS 3.1.1.3.1.3.3)."""
    found = {}
    for name in attributes:
        if ";" in name and (part := _RANGE.fullmatch(name)) is not None:
            found[part[1]] = 0 if part[3] == "*" else int(part[3]) + 1
    return found


def merged(attributes: Mapping[str, list[bytes]]) -> dict[str, list[bytes]]:
    """The attributes with the values of a range under the plain name; those without a value are gone."""
    made: dict[str, list[bytes]] = {}
    for name, given in attributes.items():
        part = _RANGE.fullmatch(name) if ";" in name else None
        made.setdefault(part[1] if part is not None else name, []).extend(given)
    return {name: given for name, given in made.items() if given}
