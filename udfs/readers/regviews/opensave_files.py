"""``reg-opensave-files``: files a user chose in open and save dialogs (NTUSER.DAT).

``ComDlg32\\OpenSavePidlMRU\\EXT`` (Vista and later): each numbered value is a list of shell items, MRUListEx the
order. Size, times and NTFS reference are those the last item kept when the file was chosen.
Format: libyal winreg-kb, "Most Recently Used"; libyal libfwsi, "Windows Shell Item format".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from udfs.readers.regviews.common import DATE, Lost, RegValue, View, by_key, mru_order
from udfs.readers.regviews.shellitems import items, path_of


def rows(values: list[RegValue], lost: Lost) -> Iterator[dict[str, Any]]:
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


VIEW = View(
    "reg-opensave-files",
    r"\\ComDlg32\\OpenSavePidlMRU\\[^\\]+$",
    (
        ("file_path", pa.string()),
        ("file_ext", pa.string()),
        ("file_size", pa.string()),
        ("access_at", DATE),
        ("created_at", DATE),
        ("modified_at", DATE),
        ("mft_entry_index", pa.binary()),
        ("ntfs_seq", pa.int64()),
        ("last_written", DATE),
        ("order", pa.int64()),
    ),
    rows,
)
