"""``reg-recent-docs``: documents and folders a user opened last (NTUSER.DAT).

``Explorer\\RecentDocs`` lists all of them, its subkeys those of one extension. Data: the name in UTF-16LE, then a
shell item; MRUListEx gives the order. Format: libyal winreg-kb, "Most Recently Used".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from udfs.readers.regviews.common import DATE, Lost, RegValue, View, by_key, mru_order, string


def rows(values: list[RegValue], lost: Lost) -> Iterator[dict[str, Any]]:
    """One row an entry; ``file_ext`` is the subkey's name and null in the list of all documents, ``order`` from 0."""
    for key, named in by_key(values).items():
        order = mru_order(named)
        last = key.rsplit("\\", 1)[-1]
        for name, value in named.items():
            if name == "mrulistex":
                continue
            text = string(value.data)
            if not name.isdecimal() or not text:
                lost(value)
                continue
            yield {
                "file_name": text,
                "file_ext": None if last.lower() == "recentdocs" else last,
                "last_written": value.written,
                "order": order.get(name),
            }


VIEW = View(
    "reg-recent-docs",
    r"\\Explorer\\RecentDocs(\\[^\\]+)?$",
    (("file_name", pa.string()), ("file_ext", pa.string()), ("last_written", DATE), ("order", pa.int64())),
    rows,
)
