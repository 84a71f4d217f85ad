"""``amcache-files``: programs that Windows has seen run or be installed, with their SHA-1 (Amcache.hve).

``Root\\InventoryApplicationFile\\NAME|HASH`` (Windows 10): named values. ``Root\\File\\{VOLUME}\\REFERENCE`` (Windows 8
and 10 before 1709): values whose names are numbers in hexadecimal. FileId is ``0000`` and the SHA-1 of the first 31 MB.
Format: libyal winreg-kb, "Windows application compatibility: Amcache.hve"; ANSSI, "Analysis of the AmCache".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from logsql.commands.forensic._spellings import in_small_letters
from logsql.commands.forensic._views import registry_view
from udfs.readers.artefacts import Known, TimeOf, sure
from udfs.readers.regviews.view import Lost, RegValue, Row, by_key, number_of, text_of, time_of

_NEW = {
    "file_path": "lowercaselongpath", "file_name": "name", "publisher": "publisher", "version": "version",
    "product_name": "productname", "product_version": "productversion", "binary_type": "binarytype",
    "program_id": "programid",
}  # fmt: skip
_OLD = {
    "file_path": "15", "publisher": "1", "version": "5", "product_name": "0", "program_id": "100", "description": "c",
}  # fmt: skip


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row a file."""
    for key, named in by_key(values).items():
        last = key.rsplit("\\", 1)[-1]
        new = "\\inventoryapplicationfile\\" in key.lower()
        row: dict[str, object] = {"last_written": next(iter(named.values())).written}
        for column, name in (_NEW if new else _OLD).items():
            row[column] = text_of(named.get(name))
        if not row["file_path"]:
            lost(RegValue(key, "LowerCaseLongPath" if new else "15", "", b"", None))
            continue
        row["sha1"] = _sha1(text_of(named.get("fileid" if new else "101")))
        if new:
            row |= {
                "file_size": number_of(named.get("size"), lost),
                "link_date": _american(named.get("linkdate"), lost),
                "is_os_component": _flag(named.get("isoscomponent"), lost),
            }
        else:
            path = str(row["file_path"])
            linked = number_of(named.get("f"), lost)
            row |= {
                "file_name": path.rsplit("\\", 1)[-1],
                "file_size": number_of(named.get("6"), lost),
                "link_date": None if linked is None else linked * 1_000_000,
                "modified_at": time_of(named.get("11"), lost),
                "created_at": time_of(named.get("12"), lost),
                "mft_no": _reference(last),
            }
        yield row


def _sha1(text: str | None) -> str | None:
    return text[4:].lower() if text is not None and len(text) == 44 and text.startswith("0000") else text


def _flag(value: RegValue | None, lost: Lost) -> bool | None:
    number = number_of(value, lost)
    return None if number is None else number != 0


def _american(value: RegValue | None, lost: Lost) -> datetime | None:
    """``12/31/2019 23:59:59`` in UTC, as Windows 10 writes it whatever the language."""
    text = text_of(value)
    if value is None or not text:
        return None
    try:
        return datetime.strptime(text, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        lost(value)
        return None


def _reference(name: str) -> int | None:
    """The record's number of a key such as ``e0000430d``: sequence, and the number in eight hexadecimal digits."""
    try:
        return int(name, 16) & 0xFFFFFFFF if len(name) <= 12 else None
    except ValueError:
        return None


registry_view(
    "amcache-files",
    (
        "List the programs in the application inventory, with their SHA-1 (Amcache.hve).",
        "응용 프로그램 인벤토리(Amcache.hve)에 기록된 실행 파일과 SHA-1 해시를 조회합니다.",
    ),
    """
One row per file of `InventoryApplicationFile` (Windows 10) or `File` (Windows 8). `file_path` is the path in lower case
as the inventory keeps it, `sha1` that of the file's first 31,457,280 bytes, `link_date` the time in the program's
header, `last_written` the time of the entry: near the first start or the installation. `mft_no`, `created_at` and
`modified_at` are in the older layout only.
""",
    keys=r"\\Root\\(InventoryApplicationFile\\[^\\]+|File\\[^\\]+\\[^\\]+)$",
    fields=(
        ("file_path", "string"),
        ("file_name", "string"),
        ("sha1", "string"),
        ("file_size", "long"),
        ("publisher", "string"),
        ("product_name", "string"),
        ("product_version", "string"),
        ("version", "string"),
        ("description", "string"),
        ("binary_type", "string"),
        ("link_date", "date"),
        ("is_os_component", "boolean"),
        ("program_id", "string"),
        ("mft_no", "long"),
        ("created_at", "date"),
        ("modified_at", "date"),
        ("last_written", "date"),
    ),
    rows=rows,
    hives=("Amcache.hve",),
    known=(Known("registry hive: Amcache", r"amcache\.hve$", b"regf"), *sure("registry hive: Amcache")),
    times=(
        TimeOf("amcache", "last_written", "entry written", path="file_path", detail=("sha1",)),
        TimeOf("amcache", "link_date", "program linked", path="file_path", detail=("sha1",)),
        TimeOf("amcache", "created_at", "created", path="file_path", detail=("sha1",)),
        TimeOf("amcache", "modified_at", "modified", path="file_path", detail=("sha1",)),
    ),
    extension=True,
    forms={"file_path": in_small_letters, "sha1": in_small_letters},
)
