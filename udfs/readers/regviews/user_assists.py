"""``reg-user-assists``: programs and shortcuts a user started through the shell (NTUSER.DAT).

Value names under ``UserAssist\\{GUID}\\Count`` are ROT13. Data of 16 bytes (to Vista): session, count (it starts at
5), FILETIME; of 72 bytes (Windows 7 and later): session, count, focus count, focus time in ms, ... FILETIME at 60.
Format: libyal winreg-kb, "User Assist".
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from udfs.readers.regviews.common import DATE, Lost, RegValue, View, filetime_at


def rows(values: list[RegValue], lost: Lost) -> Iterator[dict[str, Any]]:
    """One row a program: ``key`` is the decoded value name, ``focus_time`` milliseconds."""
    for value in values:
        name = codecs.decode(value.name, "rot13")
        if name.upper().startswith(("UEME_CTLSESSION", "UEME_CTLCUACOUNT")) or not value.name:
            continue  # counters of the session and of the list itself, no programs
        row = {"key": name, "last_written": value.written}
        if len(value.data) == 16:
            session, count = struct.unpack_from("<II", value.data)
            yield row | {
                "session_num": session,
                "exec_count": max(count - 5, 0),
                "last_execution": filetime_at(value.data, 8),
            }
        elif len(value.data) == 72:
            session, count, _, focus = struct.unpack_from("<IIII", value.data)
            yield row | {
                "session_num": session,
                "exec_count": count,
                "focus_time": focus,
                "last_execution": filetime_at(value.data, 60),
            }
        else:
            lost(value)


VIEW = View(
    "reg-user-assists",
    r"\\Explorer\\UserAssist\\[^\\]+\\Count$",
    (
        ("key", pa.string()),
        ("session_num", pa.int64()),
        ("exec_count", pa.int64()),
        ("focus_time", pa.int64()),
        ("last_execution", DATE),
        ("last_written", DATE),
    ),
    rows,
)
