"""``reg-shim-cache``: programs the application compatibility engine looked at (SYSTEM).

One binary value ``AppCompatCache`` whose layout depends on the Windows version: XP (0xDEADBEEF), Server 2003 to 2008
(0xBADC0FFE), Windows 7 (0xBADC0FEE), 8.0 (entries ``00ts``), 8.1 and 10 (entries ``10ts``). ``modified_at`` is the
file's own modification time, not the time it ran. Format: libyal winreg-kb, "Application Compatibility Cache".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from logsql.commands.forensic._views import registry_view
from udfs.readers.artefacts import TimeOf
from udfs.readers.regviews.view import Lost, RegValue, Row, filetime_at, in_current_set

Entry = tuple[str, int | None, bool | None]
"""Path, modification time, and whether the program was executed (None where the layout does not tell)."""
_EXECUTED = 2
_XP_LIST = 96
"""Numbers that the list of entries of Windows XP holds, the most recently used one first."""


def rows(values: list[RegValue], lost: Lost) -> Iterator[Row]:
    """One row an entry, the most recent first as the cache keeps them."""
    for value in in_current_set(values):
        if value.name.lower() != "appcompatcache":
            continue
        try:
            digits = value.key.lower().partition("\\controlset")[2][:3]
            for position, (path, modified, executed) in enumerate(entries(value.data)):
                yield {
                    "file_path": path,
                    "modified_at": modified,
                    "executed": executed,
                    "position": position,
                    "control_set": int(digits) if digits.isdecimal() else None,
                }
        except (struct.error, ValueError):
            lost(value)


def entries(data: bytes) -> Iterator[Entry]:
    """Every entry. ValueError or struct.error where the data ends being a cache."""
    head = struct.unpack_from("<I", data)[0]
    if head == 0xDEADBEEF:
        return _xp(data)
    if head == 0xBADC0FFE:
        return _table(data, 8, (24, 32))
    if head == 0xBADC0FEE:
        return _table(data, 128, (32, 48))
    if data[head : head + 4] in (b"00ts", b"10ts"):
        return _marked(data, head)
    if data[128:132] in (b"00ts", b"10ts"):
        return _marked(data, 128)
    raise ValueError("unknown layout")


def _xp(data: bytes) -> Iterator[Entry]:
    """Places for (mostly 96) entries; the third word says how many are in use, the list behind the head which.

    Where it says none, those with a path are.
    """
    count, used = struct.unpack_from("<II", data, 4)
    count, used = min(count, len(data) // 552), min(used, _XP_LIST)
    in_use = frozenset(struct.unpack_from(f"<{used}I", data, 16))
    for number in range(count):
        at = 400 + 552 * number
        path = _path(data[at : at + 528])
        if number in in_use or (path and not in_use):
            yield path, filetime_at(data, at + 528), None


def _table(data: bytes, first: int, sizes: tuple[int, int]) -> Iterator[Entry]:
    """A table of (length, room, offset, FILETIME, ...); in the 64-bit one the offset is preceded by four zero bytes."""
    (count,) = struct.unpack_from("<I", data, 4)
    wide = count > 0 and struct.unpack_from("<I", data, first + 4)[0] == 0
    size = sizes[1] if wide else sizes[0]
    for at in range(first, first + size * min(count, len(data) // size), size):
        length = struct.unpack_from("<H", data, at)[0]
        offset = struct.unpack_from("<Q", data, at + 8)[0] if wide else struct.unpack_from("<I", data, at + 4)[0]
        if offset + length > len(data):
            raise ValueError("path behind the end")
        time_at = at + (16 if wide else 8)
        # Before Windows 7 the next word is a size (Server 2003) or flags (Vista), and nothing tells which.
        flags = struct.unpack_from("<I", data, time_at + 8)[0] if first == 128 else None
        executed = None if flags is None else flags & _EXECUTED != 0
        yield _path(data[offset : offset + length]), filetime_at(data, time_at), executed


def _marked(data: bytes, at: int) -> Iterator[Entry]:
    """Entries with a mark, an unknown word and their size. Windows 8 has a package and flags before the time."""
    eight = at == 128
    while at + 14 <= len(data):
        mark = data[at : at + 4]
        if mark not in (b"00ts", b"10ts"):
            break
        size, length = struct.unpack_from("<IH", data, at + 8)
        time_at = at + 14 + length
        if eight:
            time_at += 2 + struct.unpack_from("<H", data, time_at)[0] + 8
        if eight:
            executed = struct.unpack_from("<I", data, time_at - 8)[0] & _EXECUTED != 0
        else:
            # From Windows 10 on the entry ends with data of which the last word is 1 or 0.
            held = int.from_bytes(data[time_at + 8 : time_at + 12], "little")
            last = data[time_at + 12 + held - 4 : time_at + 12 + held]
            executed = last == b"\1\0\0\0" if held >= 4 and len(last) == 4 else None
        yield _path(data[at + 14 : at + 14 + length]), filetime_at(data, time_at), executed
        at += 12 + size


def _path(data: bytes) -> str:
    r"""UTF-16LE without the ``\??\`` prefix of NT paths."""
    text = data[: len(data) & ~1].decode("utf-16-le", "replace").split("\0", 1)[0]
    return text.removeprefix("\\??\\")


registry_view(
    "reg-shim-cache",
    (
        "List the programs in the application compatibility cache (SYSTEM hive).",
        "응용 프로그램 호환성 캐시에 기록된 프로그램을 조회합니다(SYSTEM 하이브).",
    ),
    """
One row per entry, in the order of the cache. `modified_at` is the modification time of the file, not the time it ran.
Extensions: `executed` is the flag that Windows sets when the program was started (null before Windows 7; from Windows
10 on it says less than before), `position` the place in the cache from 0, the latest first, `control_set` the set that
the cache is of.
""",
    keys=r"\\Control\\Session Manager\\(AppCompatCache|AppCompatibility)$|^[^\\]+\\Select$",
    fields=(
        ("file_path", "string"),
        ("modified_at", "date"),
        ("executed", "boolean"),
        ("position", "long"),
        ("control_set", "long"),
    ),
    rows=rows,
    hives=("SYSTEM",),
    times=(TimeOf("shimcache", "modified_at", "modified", path="file_path"),),
)
