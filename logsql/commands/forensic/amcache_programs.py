"""``amcache-programs``: programs that are installed, as the application inventory keeps them (Amcache.hve).

``Root\\InventoryApplication\\ID`` (Windows 10): named values; ``Root\\Programs\\ID`` (Windows 8): values whose names
are numbers in hexadecimal. Format: libyal winreg-kb, "Amcache.hve"; ANSSI, "Analysis of the AmCache".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from logsql.commands.forensic._views import registry_view
from udfs.readers.regviews.view import Lost, RegValue, Row, by_key, string, text_of

_NEW = {
    "name": "name", "version": "version", "publisher": "publisher", "source": "source", "type": "type",
    "root_path": "rootdirpath", "uninstall": "uninstallstring", "registry_key": "registrykeypath",
    "product_code": "msiproductcode", "package_code": "msipackagecode",
}  # fmt: skip
_OLD = {
    "name": "0", "version": "1", "publisher": "2", "type": "6", "registry_key": "7", "product_code": "f",
    "package_code": "10",
}  # fmt: skip
_FORMS = ("%m/%d/%Y %H:%M:%S", "%Y%m%d")


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a program."""
    for key, named in by_key(values).items():
        new = "\\inventoryapplication\\" in key.lower()
        row: dict[str, object] = {column: text_of(named.get(name)) for column, name in (_NEW if new else _OLD).items()}
        installed = named.get("installdate" if new else "a")
        yield row | {
            "program_id": key.rsplit("\\", 1)[-1],
            "installed_at": _date(installed, lost),
            "last_written": next(iter(named.values())).written,
        }


def _date(value: RegValue | None, lost: Lost) -> datetime | None:
    """Wall time of the machine: the inventory keeps no zone."""
    if value is None:
        return None
    if value.type in ("DWORD", "QWORD") and len(value.data) in (4, 8):
        seconds = int.from_bytes(value.data[:4], "little")
        return datetime(1970, 1, 1) + timedelta(seconds=seconds) if seconds else None
    text = string(value.data)
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    if text:
        lost(value)
    return None


registry_view(
    "amcache-programs",
    (
        "List the installed programs in the application inventory (Amcache.hve).",
        "응용 프로그램 인벤토리(Amcache.hve)에 기록된 설치 프로그램을 조회합니다.",
    ),
    """
One row per program of `InventoryApplication` (Windows 10) or `Programs` (Windows 8). `program_id` joins with that of
`amcache-files`; `installed_at` is kept without a zone and read as local time; `last_written` is the time of the entry.
""",
    keys=r"\\Root\\(InventoryApplication|Programs)\\[^\\]+$",
    fields=(
        ("program_id", "string"),
        ("name", "string"),
        ("version", "string"),
        ("publisher", "string"),
        ("source", "string"),
        ("type", "string"),
        ("root_path", "string"),
        ("uninstall", "string"),
        ("registry_key", "string"),
        ("product_code", "string"),
        ("package_code", "string"),
        ("installed_at", "local date"),
        ("last_written", "date"),
    ),
    rows=rows,
    hives=("Amcache.hve",),
    extension=True,
)
