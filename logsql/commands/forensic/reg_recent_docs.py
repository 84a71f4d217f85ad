"""``reg-recent-docs``: documents and folders a user opened last (NTUSER.DAT).

``Explorer\\RecentDocs`` lists all of them, its subkeys those of one extension. Data: the name in UTF-16LE, then a
shell item; MRUListEx gives the order. Format: libyal winreg-kb, "Most Recently Used".
"""

from __future__ import annotations

from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, by_key, mru_order, string


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
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


registry_view(
    "reg-recent-docs",
    ("List recently opened documents (NTUSER.DAT).", "최근에 연 문서를 조회합니다(NTUSER.DAT)."),
    """
One row per entry of the most-recently-used lists; `order` 0 is the latest.
""",
    keys=r"\\Explorer\\RecentDocs(\\[^\\]+)?$",
    fields=(("file_name", "string"), ("file_ext", "string"), ("last_written", "date"), ("order", "long")),
    rows=rows,
    hives=("NTUSER.DAT",),
)
