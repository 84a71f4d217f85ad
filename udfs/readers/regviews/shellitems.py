"""Shell items: the binary names the Windows shell gives to folders, drives and files.

``parse`` reads one item, ``items`` a list of them (16-bit sizes, ended by a zero size). What a view shows of an item
is its name and, for file entries, size, FAT times (two seconds, UTC) and the NTFS reference.
Format: libyal libfwsi, "Windows Shell Item format".
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

KNOWN_FOLDERS = {
    "20d04fe0-3aea-1069-a2d8-08002b30309d": "My Computer",
    "450d8fba-ad25-11d0-98a8-0800361b1103": "My Documents",
    "208d2c60-3aea-1069-a2d7-08002b30309d": "My Network Places",
    "645ff040-5081-101b-9f08-00aa002f954e": "Recycle Bin",
    "21ec2020-3aea-1069-a2dd-08002b30309d": "Control Panel",
    "26ee0668-a00a-44d7-9371-beb064c98683": "Control Panel",
    "59031a47-3f72-44a7-89c5-5595fe6b30ee": "Users Files",
    "031e4825-7b94-4dc3-b131-e946b44c8dd5": "Libraries",
    "679f85cb-0220-4080-b29b-5540cc05aab6": "Quick access",
    "871c5380-42a0-1069-a2ea-08002b30309d": "Internet Explorer",
    "f02c1a0d-be21-4350-88b0-7367fc96ef3c": "Network",
    "018d5c66-4533-4307-9b53-224de2ed1fe6": "OneDrive",
    "374de290-123f-4565-9164-39c4925e467b": "Downloads",
    "088e3905-0323-4b02-9826-5d99428e115f": "Downloads",
    "b4bfcc3a-db2c-424c-b029-7fe99a87c641": "Desktop",
    "a8cdff1c-4878-43be-b5fd-f8091c1c60d0": "Documents",
    "d3162b92-9365-467a-956b-92703aca08af": "Documents",
    "24ad3ad4-a569-4530-98e1-ab02f9417aa8": "Pictures",
    "3dfdf296-dbec-4fb4-81d1-6a3438bcf4de": "Music",
    "f86fa3ab-70d2-4fc7-9c99-fcbf05467f3a": "Videos",
    "3add1653-eb32-4cb0-bbd7-dfa0abb5acca": "Pictures",
    "1cf1260c-4dd0-4ebb-811f-33c572699fde": "Music",
    "a0953c92-50dc-43bf-be83-3742fed03c9c": "Videos",
}


_DRIVE_MARK = b"\x10\xb7\xa6\xf5"
"""Of an item of class 0x1f that holds a volume item (0x2f) behind its mark instead of a folder's GUID."""
_NAME_SET = uuid.UUID("b725f130-47ef-101a-a5f1-02608c9eebac").bytes_le


@dataclass(frozen=True)
class Item:
    """``name``: what Explorer would show, or ``{guid}``; the rest is None where the item does not hold it."""

    name: str
    is_file_entry: bool = False
    size: int | None = None
    modified: datetime | None = None
    created: datetime | None = None
    accessed: datetime | None = None
    mft_entry: bytes | None = None
    ntfs_seq: int | None = None


def items(data: bytes) -> Iterator[Item]:
    """The items of a list. ValueError when an item is longer than the data."""
    at = 0
    while at + 2 <= len(data):
        size = struct.unpack_from("<H", data, at)[0]
        if size == 0:
            return
        if size < 3 or at + size > len(data):
            raise ValueError("shell item longer than its list")
        yield parse(data[at : at + size])
        at += size


def path_of(parts: list[Item]) -> str:
    r"""Names joined by a backslash; ``C:\`` keeps its own. "My Computer" before a drive is left out."""
    names = [part.name for part in parts]
    if len(names) > 1 and names[0] == "My Computer" and names[1][1:3] == ":\\":
        names = names[1:]
    return "".join(
        name if name.endswith("\\") or place == len(names) - 1 else name + "\\" for place, name in enumerate(names)
    )


def parse(data: bytes) -> Item:
    """One item, its size field included. ValueError or struct.error when it is too short for its class."""
    kind = data[2]
    if kind == 0x1F:
        if data[6:10] == _DRIVE_MARK and len(data) > 14:
            return Item(_ansi(data[13:]))
        # A search is stored under the same class; what follows is its conditions, not a folder's GUID.
        return Item("Search Folder" if data[4:8] == b"\x81\x03\xd5\xdf" else _folder(data[4:20]))
    if kind & 0x70 == 0x20:
        if kind & 0x01:
            return Item(_ansi(data[3:]))
        return Item(_folder(data[4:20]) if len(data) >= 20 else "")
    if kind & 0x70 == 0x30:
        return _file_entry(data, kind)
    if kind & 0x70 == 0x40:
        return Item(_ansi(data[5:]))
    if kind == 0x61:
        return Item(_uri(data))
    if kind in (0x70, 0x71):
        return Item(_folder(data[14:30]) if len(data) >= 30 else "Control Panel")
    if kind == 0x2E:
        return Item(_folder(data[4:20]))
    return _by_signature(data)


def _file_entry(data: bytes, kind: int) -> Item:
    size, date, time = struct.unpack_from("<IHH", data, 4)
    extension = _extension(data)
    limit = extension if extension is not None else len(data)
    short = _wide(data[14:limit]) if kind & 0x04 else _ansi(data[14:limit])
    base = Item(short, True, size, _fat(date, time))
    if extension is None:
        return base
    version = struct.unpack_from("<H", data, extension + 2)[0]
    created, accessed = (
        _fat(*struct.unpack_from("<HH", data, extension + 8)),
        _fat(*struct.unpack_from("<HH", data, extension + 12)),
    )
    at = extension + 18
    mft_entry: bytes | None = None
    seq: int | None = None
    if version >= 7:
        at += 2
        reference = data[at : at + 8]
        if len(reference) == 8 and reference != bytes(8):
            mft_entry, seq = reference[:6], int.from_bytes(reference[6:], "little")
        at += 16
    if version >= 3:
        at += 2
    if version >= 9:
        at += 4
    if version >= 8:
        at += 4
    name = _wide(data[at:-2]) if at < len(data) else ""
    return Item(name or short, True, size, base.modified, created, accessed, mft_entry, seq)


def _extension(data: bytes) -> int | None:
    """Position of the 0xBEEF0004 block; the item's last word says where the first extension block begins."""
    first = struct.unpack_from("<H", data, len(data) - 2)[0]
    at = first if 14 <= first < len(data) - 18 else -1
    if at >= 0 and data[at + 4 : at + 8] == b"\x04\x00\xef\xbe":
        return at
    found = data.find(b"\x04\x00\xef\xbe")
    return found - 4 if found >= 18 and found + 14 <= len(data) else None


def _by_signature(data: bytes) -> Item:
    """Items without a class of their own: delegate items hold a file entry, others a name behind a known mark."""
    if len(data) > 10 and data[4:6] == b"\x00\x00" and data[6:10] == b"CFSF":
        inner = data[10:]
        size = struct.unpack_from("<H", inner)[0]
        return _file_entry(inner[:size] + data[10 + size :], inner[2])
    if len(data) >= 58 and data[6:10] == b"\xee\xbb\xfe\x23":
        return Item(_folder(data[14:30]))
    return Item(_display_name(data) or f"(shell item 0x{data[2]:02x})")


def _display_name(data: bytes) -> str | None:
    """The item's name for display in a serialized property store.

    A store is a chain of sets (size, ``1SPS``, GUID, properties); a property is size, id, a reserved byte, type and
    value. Sets may hold further stores, so the chain has to be followed: searching would find the name of a parent.
    """
    at = data.find(b"1SPS") - 4
    while at >= 0 and at + 24 <= len(data):
        size = struct.unpack_from("<I", data, at)[0]
        if size < 24 or data[at + 4 : at + 8] != b"1SPS":
            break
        if data[at + 8 : at + 24] == _NAME_SET:
            return _name_property(data[at + 24 : at + size])
        at += size
    return None


def _name_property(data: bytes) -> str | None:
    """Property 10 when it is text (VT_LPWSTR)."""
    at = 0
    while at + 17 <= len(data):
        size, number, kind, length = struct.unpack_from("<IIxHxxI", data, at)
        if number == 10 and kind == 31:
            return _wide(data[at + 17 : at + 17 + 2 * length]) or None
        if size < 17:
            break
        at += size
    return None


def _uri(data: bytes) -> str:
    start = struct.unpack_from("<H", data, 4)[0] + 6
    return _wide(data[start:]) if data[3] & 0x80 else _ansi(data[start:])


def _folder(data: bytes) -> str:
    if len(data) < 16:
        raise ValueError("short folder item")
    guid = str(uuid.UUID(bytes_le=data))
    return KNOWN_FOLDERS.get(guid, "{" + guid + "}")


def _ansi(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("cp1252", "replace")


def _wide(data: bytes) -> str:
    return data[: len(data) & ~1].decode("utf-16-le", "replace").split("\0", 1)[0]


def _fat(date: int, time: int) -> datetime | None:
    try:
        return datetime(
            1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2, tzinfo=UTC
        )
    except ValueError:
        return None
