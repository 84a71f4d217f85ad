"""``reg-bam-entries``: last run of programs by user, as the Background Activity Moderator keeps it (SYSTEM).

``Services\\bam\\UserSettings\\SID`` (Windows 10 1709) and ``Services\\bam\\State\\UserSettings\\SID`` (1809 and later):
value name = path, data begins with a FILETIME. Format: libyal winreg-kb, "Background Activity Moderator".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from udfs.readers.regviews.common import DATE, Lost, RegValue, View, filetime_at, in_current_set


def rows(values: list[RegValue], lost: Lost) -> Iterator[dict[str, Any]]:
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


VIEW = View(
    "reg-bam-entries",
    r"\\Services\\bam\\(State\\)?UserSettings\\[^\\]+$|^[^\\]+\\Select$",
    (("sid", pa.string()), ("file_name", pa.string()), ("file_path", pa.string()), ("last_execution", DATE)),
    rows,
)
