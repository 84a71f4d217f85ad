"""``reg-shellbags``: folders a user looked at in Explorer (NTUSER.DAT, UsrClass.dat).

``Shell\\BagMRU`` is a tree: every numbered value is a shell item, the subkey of the same number holds the items below
it. ``last_written`` is the time of the key that holds the item. An item's own key changes when something below it is
opened for the first time or again: without anything below it tells when the folder was opened first. The key that
holds the items changes when the order does: it tells when the one in front was opened last (the rules of SBECmd).
Format: libyal winreg-kb, "Shell Bags"; libyal libfwsi, "Windows Shell Item format".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.shellitems import Item, parse, path_of
from udfs.readers.regviews.view import Lost, RegValue, Row, by_key, mru_order


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a folder: ``file_path`` from the desktop down, ``file_ext`` of archives and files, ``order`` from 0."""
    chains: dict[str, list[Item]] = {}
    keys = by_key(values)
    own = {key.lower(): next(iter(named.values())).written for key, named in keys.items()}
    holding = {key.lower() for key, named in keys.items() if any(name.isdecimal() for name in named)}
    for key, named in keys.items():
        above = chains.get(key.lower(), [])
        order = mru_order(named)
        for name, value in named.items():
            if not name.isdecimal():
                continue
            try:
                size = struct.unpack_from("<H", value.data)[0]
                item = parse(value.data[:size])
            except (struct.error, ValueError, IndexError):
                lost(value)
                item = Item("(unreadable)", "unreadable")
            chain = [*above, item]
            below = f"{key}\\{name}".lower()
            chains[below] = chain
            yield {
                "file_name": item.name,
                "file_ext": _extension(item),
                "last_written": value.written,
                "order": order.get(name),
                "file_path": path_of(chain),
                "created_at": item.created,
                "modified_at": item.modified,
                "access_at": item.accessed,
                "item_type": item.kind,
                "mft_no": None if item.mft_entry is None else int.from_bytes(item.mft_entry, "little"),
                "mft_seq": item.ntfs_seq,
                "first_opened": None if below in holding else own.get(below),
                "last_opened": value.written if order.get(name) == 0 else None,
                "bag_path": key[max(key.lower().rfind("bagmru"), 0) :] + f"\\{name}",
            }


def _extension(item: Item) -> str | None:
    stem, dot, extension = item.name.rpartition(".")
    return f".{extension}" if item.is_file_entry and dot and stem and " " not in extension else None


registry_view(
    "reg-shellbags",
    (
        "List the folders a user opened (NTUSER.DAT, UsrClass.dat).",
        "사용자가 연 폴더를 조회합니다(NTUSER.DAT, UsrClass.dat).",
    ),
    """
One row per folder; `file_path` is the path from the desktop down, `order` 0 the latest of its folder. Extensions:
`item_type` is what the item is (directory, volume, known folder, control panel category ...), `mft_no` and `mft_seq`
the record of the folder on its volume (join them with `no` and `seq` of `ntfs-mft`), `bag_path` the place in the hive.
`first_opened` is known of folders with nothing opened below, `last_opened` of the latest of its folder.
""",
    keys=r"\\Shell(NoRoam)?\\BagMRU(\\[0-9]+)*$",
    fields=(
        ("file_name", "string"),
        ("file_ext", "string"),
        ("last_written", "date"),
        ("order", "long"),
        ("file_path", "string"),
        ("created_at", "date"),
        ("modified_at", "date"),
        ("access_at", "date"),
        ("item_type", "string"),
        ("mft_no", "long"),
        ("mft_seq", "long"),
        ("first_opened", "date"),
        ("last_opened", "date"),
        ("bag_path", "string"),
    ),
    rows=rows,
    hives=("NTUSER.DAT", "USRCLASS.DAT"),
)
