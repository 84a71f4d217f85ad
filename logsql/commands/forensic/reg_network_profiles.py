"""``reg-network-profiles``: networks the machine was connected to (SOFTWARE).

``NetworkList\\Profiles\\{GUID}``. The two dates are SYSTEMTIME (eight words: year, month, day of week, day, hour,
minute, second, millisecond) in the machine's local time without a zone; the columns are therefore timestamps without
a zone, which become instants of the session's zone. Format: libyal winreg-kb, "Network list".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, by_key, number_of, text_of

CATEGORIES = {0: "Public", 1: "Private", 2: "Domain"}
NAME_TYPES = {6: "Wired", 23: "VPN", 71: "Wireless", 243: "Mobile broadband"}


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a profile; unknown category and name type numbers have no name."""
    for key, named in by_key(values).items():
        category = number_of(named.get("category"), lost, "int")
        kind = number_of(named.get("nametype"), lost, "int")
        managed = number_of(named.get("managed"), lost, "int")
        yield {
            "guid": key.rsplit("\\", 1)[-1],
            "profile_name": text_of(named.get("profilename")),
            "description": text_of(named.get("description")),
            "category": CATEGORIES.get(-1 if category is None else category),
            "category_id": category,
            "name_type": NAME_TYPES.get(-1 if kind is None else kind),
            "name_type_id": kind,
            "date_created": _date(named.get("datecreated"), lost),
            "date_last_connected": _date(named.get("datelastconnected"), lost),
            "managed": None if managed is None else managed != 0,
        }


def _date(value: RegValue | None, lost: Lost) -> datetime | None:
    if value is None:
        return None
    try:
        year, month, _, day, hour, minute, second, milli = struct.unpack_from("<8H", value.data)
        return datetime(year, month, day, hour, minute, second, milli * 1000)
    except (struct.error, ValueError):
        lost(value)
        return None


registry_view(
    "reg-network-profiles",
    (
        "List the networks a machine was connected to (SOFTWARE hive).",
        "시스템이 접속했던 네트워크를 조회합니다(SOFTWARE 하이브).",
    ),
    """
One row per network profile. The dates are stored without a zone and read as local time.
""",
    keys=r"\\NetworkList\\Profiles\\[^\\]+$",
    fields=(
        ("guid", "string"),
        ("profile_name", "string"),
        ("description", "string"),
        ("category", "string"),
        ("category_id", "int"),
        ("name_type", "string"),
        ("name_type_id", "int"),
        ("date_created", "local date"),
        ("date_last_connected", "local date"),
        ("managed", "boolean"),
    ),
    rows=rows,
    hives=("SOFTWARE",),
)
