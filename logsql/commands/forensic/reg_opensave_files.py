"""``reg-opensave-files``: files a user chose in open and save dialogs (NTUSER.DAT).

``ComDlg32\\OpenSavePidlMRU\\EXT`` (Vista and later): each numbered value is a list of shell items, MRUListEx the
order. Size, times and NTFS reference are those the last item kept when the file was chosen.
Format: libyal winreg-kb, "Most Recently Used"; libyal libfwsi, "Windows Shell Item format".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.shellitems import items, path_of
from udfs.readers.regviews.view import Lost, RegValue, Row, by_key, mru_order


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row an entry; ``file_ext`` is the subkey's name (``*`` lists all), ``order`` from 0, the last used first."""
    for key, named in by_key(values).items():
        order = mru_order(named)
        for name, value in named.items():
            if name == "mrulistex":
                continue
            try:
                parts = list(items(value.data))
            except (struct.error, ValueError, IndexError):
                parts = []
            if not parts:
                lost(value)
                continue
            last = parts[-1]
            yield {
                "file_path": path_of(parts),
                "file_ext": key.rsplit("\\", 1)[-1],
                "file_size": None if last.size is None else str(last.size),
                "access_at": last.accessed,
                "created_at": last.created,
                "modified_at": last.modified,
                "mft_entry_index": last.mft_entry,
                "ntfs_seq": last.ntfs_seq,
                "last_written": value.written,
                "order": order.get(name),
            }


registry_view(
    "reg-opensave-files",
    (
        "List files chosen in open and save dialogs (NTUSER.DAT).",
        "열기/저장 대화상자에서 선택한 파일을 조회합니다(NTUSER.DAT).",
    ),
    """
One row per entry of the most-recently-used lists; `order` 0 is the latest.
""",
    keys=r"\\ComDlg32\\OpenSavePidlMRU\\[^\\]+$",
    fields=(
        ("file_path", "string"),
        ("file_ext", "string"),
        ("file_size", "string"),
        ("access_at", "date"),
        ("created_at", "date"),
        ("modified_at", "date"),
        ("mft_entry_index", "binary"),
        ("ntfs_seq", "long"),
        ("last_written", "date"),
        ("order", "long"),
    ),
    rows=rows,
    hives=("NTUSER.DAT",),
)
