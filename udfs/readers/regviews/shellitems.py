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

from udfs.readers.regviews.shellfolders import folder_names

_DRIVE_MARK = b"\x10\xb7\xa6\xf5"
"""Of an item of class 0x1f that holds a volume item (0x2f) behind its mark instead of a folder's GUID."""
_NAME_SET = uuid.UUID("b725f130-47ef-101a-a5f1-02608c9eebac").bytes_le
_DELEGATE = uuid.UUID("5e591a74-df96-48d3-8d67-1733bcee28ba").bytes_le
"""Stands before the GUID of the folder that an item of a delegate folder belongs to."""
_SEARCH, _KNOWN_FOLDER = b"\xd5\xdf\xa3\x23", b"\xee\xbb\xfe\x23"
_CLOUD_FILE = b"CFSF"
_PORTABLE_VOLUME, _PORTABLE_FILE = b"\x05\x20\x31\x10", b"\x06\x20\x19\x07"
_CATEGORY = b"\x84\x21\xde\x39"
_CATEGORIES = (
    "All Control Panel Items", "Appearance and Personalization", "Hardware and Sound", "Network and Internet",
    "Sounds, Speech, and Audio Devices", "System and Security", "Clock, Language, and Region", "Ease of Access",
    "Programs", "User Accounts", "Security Center", "Mobile PC",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """``name``: what Explorer would show, or ``{guid}``; ``kind``: what it is; the rest is None where the item does not
    hold it."""

    name: str
    kind: str
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
    found = _marked(data)
    if found is not None:
        return found
    if kind == 0x1F:
        # Too short for a folder's GUID: seen with nothing but the class.
        return Item(_folder(data[4:20]) if len(data) >= 20 else "(shell item 0x1f)", "root folder")
    if kind & 0x70 == 0x20:
        if kind & 0x01:
            return Item(_ansi(data[3:]), "volume")
        if data.find(_DELEGATE) >= 40:
            # A device that was attached as a camera or phone is: its name stands first behind the head.
            return Item(_wide(data[40 : 40 + 2 * struct.unpack_from("<I", data, 30)[0]]), "portable device")
        return Item(_folder(data[4:20]) if len(data) >= 20 else "", "volume")
    if kind & 0x70 == 0x30:
        return _file_entry(data, kind)
    if kind & 0x70 == 0x40:
        return Item(_ansi(data[5:]), "network location")
    if kind == 0x61:
        return Item(_uri(data), "uri")
    if kind in (0x70, 0x71):
        return Item(_folder(data[14:30]) if len(data) >= 30 else "Control Panel", "control panel item")
    return _unmarked(data)


def _marked(data: bytes) -> Item | None:
    """An item that its signature tells, whatever class it says: views of a user's folders, devices, categories."""
    mark = data[6:10]
    if mark == _DRIVE_MARK and data[2] == 0x1F and len(data) > 14:
        return Item(_ansi(data[13:]), "volume")
    if mark == _SEARCH:
        # What follows is the conditions of the search, not a folder's GUID.
        return Item("Search Folder", "search")
    if mark == _KNOWN_FOLDER and len(data) >= 30:
        return Item(_folder(data[14:30]), "known folder")
    if mark == _CLOUD_FILE and len(data) > 40:
        inner = data[10:]
        size = struct.unpack_from("<H", inner)[0]
        return _file_entry(inner[:size] + data[10 + size :], inner[2])
    if mark == _PORTABLE_VOLUME and len(data) > 56:
        return Item(_wide(data[54 : 54 + 2 * struct.unpack_from("<I", data, 38)[0]]), "portable device")
    if mark == _PORTABLE_FILE and len(data) > 76:
        return Item(_wide(data[74 : 74 + 2 * struct.unpack_from("<I", data, 62)[0]]), "portable device file")
    if data[4:8] == _CATEGORY and len(data) >= 12:
        number = struct.unpack_from("<I", data, 8)[0]
        known = number < len(_CATEGORIES)
        return Item(_CATEGORIES[number] if known else f"(category {number})", "control panel category")
    if data[4:8] == b"GFSI" and len(data) >= 24:
        return Item(_folder(data[8:24]), "game")
    return None


def _file_entry(data: bytes, kind: int) -> Item:
    size, date, time = struct.unpack_from("<IHH", data, 4)
    extension = _extension(data)
    limit = extension if extension is not None else len(data)
    short = _wide(data[14:limit]) if kind & 0x04 else _ansi(data[14:limit])
    what = "directory" if kind & 0x01 else "file"
    base = Item(short, what, True, size, _fat(date, time))
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
    return Item(name or short, what, True, size, base.modified, created, accessed, mft_entry, seq)


def _extension(data: bytes) -> int | None:
    """Position of the 0xBEEF0004 block; the item's last word says where the first extension block begins."""
    first = struct.unpack_from("<H", data, len(data) - 2)[0]
    at = first if 14 <= first < len(data) - 18 else -1
    if at >= 0 and data[at + 4 : at + 8] == b"\x04\x00\xef\xbe":
        return at
    found = data.find(b"\x04\x00\xef\xbe")
    return found - 4 if found >= 18 and found + 14 <= len(data) else None


def _unmarked(data: bytes) -> Item:
    """Items without a class of their own: a name for display, an applet, or the folder that delegates to them."""
    name = _display_name(data)
    if name is not None:
        return Item(name, "property view")
    if data[2] == 0 and len(data) > 26 and ".cpl" in (path := _wide(data[24:])).lower():
        # An applet of Windows XP: where its name begins is counted in characters behind the head.
        return Item(_wide(data[24 + 2 * struct.unpack_from("<H", data, 20)[0] :]) or path, "control panel applet")
    delegate = data.find(_DELEGATE)
    if delegate >= 0 and len(data) >= delegate + 32:
        return Item(_folder(data[delegate + 16 : delegate + 32]), "delegate folder")
    return Item(f"(shell item 0x{data[2]:02x})", "unknown")


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
    return folder_names().get(guid, "{" + guid + "}")


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
