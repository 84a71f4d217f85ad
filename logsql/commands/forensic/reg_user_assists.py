"""``reg-user-assists``: programs and shortcuts a user started through the shell (NTUSER.DAT).

Value names under ``UserAssist\\{GUID}\\Count`` are ROT13. Data of 16 bytes (to Vista): session, count (it starts at
5), FILETIME; of 72 bytes (Windows 7 and later): session, count, focus count, focus time in ms, ... FILETIME at 60.
Format: libyal winreg-kb, "User Assist".
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.artefacts import TimeOf
from udfs.readers.regviews.shellfolders import folder_names
from udfs.readers.regviews.view import Lost, RegValue, Row, filetime_at

_FOLDER = re.compile(r"\{([0-9A-Fa-f-]{36})\}")


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a program: ``key`` is the decoded value name, ``focus_time`` milliseconds."""
    for value in values:
        name = codecs.decode(value.name, "rot13")
        if name.upper().startswith(("UEME_CTLSESSION", "UEME_CTLCUACOUNT")) or not value.name:
            continue  # counters of the session and of the list itself, no programs
        row = {"key": name, "file_path": _path(name), "last_written": value.written}
        if len(value.data) == 16:
            session, count = struct.unpack_from("<II", value.data)
            yield row | {
                "session_num": session,
                "exec_count": max(count - 5, 0),
                "last_execution": filetime_at(value.data, 8),
            }
        elif len(value.data) == 72:
            session, count, focused, focus = struct.unpack_from("<IIII", value.data)
            yield row | {
                "session_num": session,
                "exec_count": count,
                "focus_count": focused,
                "focus_time": focus,
                "last_execution": filetime_at(value.data, 60),
            }
        else:
            lost(value)


def _path(name: str) -> str:
    r"""``{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\cmd.exe`` with the folder's name: ``System32\cmd.exe``."""
    found = _FOLDER.match(name)
    known = folder_names().get(found[1].lower()) if found is not None else None
    return name if found is None or known is None else known + name[found.end() :]


registry_view(
    "reg-user-assists",
    (
        "List the programs a user started from the desktop (NTUSER.DAT).",
        "사용자가 바탕 화면에서 실행한 프로그램을 조회합니다(NTUSER.DAT).",
    ),
    """
One row per program or shortcut: `key` is its path or name, `exec_count` how often it ran, `focus_time` the milliseconds
in the foreground, `last_execution` null when it never ran. Extensions: `focus_count` is how often it came to the front,
`file_path` the key with the name of the folder in place of its GUID.
""",
    keys=r"\\Explorer\\UserAssist\\[^\\]+\\Count$",
    fields=(
        ("key", "string"),
        ("session_num", "long"),
        ("exec_count", "long"),
        ("focus_time", "long"),
        ("focus_count", "long"),
        ("file_path", "string"),
        ("last_execution", "date"),
        ("last_written", "date"),
    ),
    rows=rows,
    hives=("NTUSER.DAT",),
    times=(TimeOf("userassist", "last_execution", "last started", path="file_path"),),
)
