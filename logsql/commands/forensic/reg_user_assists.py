"""``reg-user-assists``: programs and shortcuts a user started through the shell (NTUSER.DAT).

Value names under ``UserAssist\\{GUID}\\Count`` are ROT13. Data of 16 bytes (to Vista): session, count (it starts at
5), FILETIME; of 72 bytes (Windows 7 and later): session, count, focus count, focus time in ms, ... FILETIME at 60.
Format: libyal winreg-kb, "User Assist".
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, filetime_at


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
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


registry_view(
    "reg-user-assists",
    "List the programs a user started from the desktop (NTUSER.DAT).",
    """
One row per program or shortcut: `key` is its path or name, `exec_count` how often it ran, `focus_time` the milliseconds
in the foreground, `last_execution` null when it never ran.
""",
    keys=r"\\Explorer\\UserAssist\\[^\\]+\\Count$",
    fields=(
        ("key", "string"),
        ("session_num", "long"),
        ("exec_count", "long"),
        ("focus_time", "long"),
        ("last_execution", "date"),
        ("last_written", "date"),
    ),
    rows=rows,
    hives=("NTUSER.DAT",),
)
