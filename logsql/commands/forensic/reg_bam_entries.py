"""``reg-bam-entries``: last run of programs by user, as the Background Activity Moderator keeps it (SYSTEM).

``Services\\bam\\UserSettings\\SID`` (Windows 10 1709) and ``Services\\bam\\State\\UserSettings\\SID`` (1809 and later):
value name = path, data begins with a FILETIME. Format: libyal winreg-kb, "Background Activity Moderator".
"""

from __future__ import annotations

from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.artefacts import TimeOf
from udfs.readers.regviews.view import Lost, RegValue, Row, filetime_at, in_current_set


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a program and user."""
    for value in in_current_set(values):
        if value.name.lower() in ("version", "sequencenumber") and value.type == "DWORD":
            continue
        if len(value.data) < 8:
            lost(value)
            continue
        yield {
            "sid": value.key.rsplit("\\", 1)[-1],
            "file_name": value.name.rsplit("\\", 1)[-1],
            "file_path": value.name,
            "last_execution": filetime_at(value.data, 0),
        }


registry_view(
    "reg-bam-entries",
    (
        "List the programs the Background Activity Moderator saw (SYSTEM hive).",
        "BAM(Background Activity Moderator)에 기록된 실행 프로그램을 조회합니다(SYSTEM 하이브).",
    ),
    """
One row per program and user, with its last run.
""",
    keys=r"\\Services\\bam\\(State\\)?UserSettings\\[^\\]+$|^[^\\]+\\Select$",
    fields=(("sid", "string"), ("file_name", "string"), ("file_path", "string"), ("last_execution", "date")),
    rows=rows,
    hives=("SYSTEM",),
    times=(TimeOf("bam", "last_execution", "last started", path="file_path", detail=("sid",)),),
)
