"""Writes registry hives from nothing: the sample case of a leak by USB stick, awkward hives for tests, big ones.

    python sample_data/make_hive.py usb-leak                    usb-leak/system.hive and software.hive beside this file
    python sample_data/make_hive.py odd OUT.hive                every list kind, value type and name that is legal
    python sample_data/make_hive.py big OUT.hive --keys 50000   for speed

Standard library only, the same bytes every time. The devices of the case are invented. Its story: on the evening of
2011-02-21 (KST) one mounted stick was plugged in for the last time; joining MountedDevices, Enum\\USB and Windows
Portable Devices on the serial, limited to that day, leaves exactly that stick. A mounted stick that was last seen
earlier, a device of that day that was never mounted, and a mounted stick of that day without a volume name must drop
out, each at another step.
"""

from __future__ import annotations

import argparse
import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
KST = timezone(timedelta(hours=9))
EPOCH = 116_444_736_000_000_000
NO_CELL = 0xFFFFFFFF
SEGMENT = 16_344
SZ, EXPAND_SZ, BINARY, DWORD, DWORD_BE, LINK, MULTI_SZ, QWORD = 1, 2, 3, 4, 5, 6, 7, 11


def filetime(moment: datetime) -> int:
    """A moment as Windows stores it: 100 ns since 1601 in UTC."""
    return EPOCH + (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10


def text(value: str) -> bytes:
    """A terminated UTF-16LE string."""
    return value.encode("utf-16-le", "surrogatepass") + b"\0\0"


@dataclass(frozen=True)
class Value:
    """A value as it is stored; ``forged`` replaces the length and offset fields of its cell."""

    name: str
    kind: int
    data: bytes
    forged: tuple[int, int] | None = None


@dataclass
class Key:
    """A key, its values and subkeys in stored order. ``list_kind``: lf, lh, li, or ri (a list of three lists)."""

    name: str
    written: int
    values: list[Value] = field(default_factory=list)
    subkeys: list[Key] = field(default_factory=list)
    list_kind: str = "lh"

    def child(self, path: str, written: int | None = None) -> Key:
        """The key below this one, made with all keys on the way when it is not there; ``written`` sets its time."""
        here = self
        for part in path.split("\\"):
            found = next((key for key in here.subkeys if key.name.upper() == part.upper()), None)
            if found is None:
                found = Key(part, here.written if written is None else written)
                here.subkeys.append(found)
            here = found
        if written is not None:
            here.written = written
        return here

    def set(self, name: str, kind: int, data: bytes, forged: tuple[int, int] | None = None) -> Key:
        """Append a value; returns the key."""
        self.values.append(Value(name, kind, data, forged))
        return self


class _Cells:
    """The growing hive bins: one long bin, cells on 8-byte boundaries."""

    def __init__(self, minor: int) -> None:
        self.bytes = bytearray(32)
        self.minor = minor
        self.security = 0

    def put(self, content: bytes) -> int:
        """Offset of a new cell in use."""
        offset = len(self.bytes)
        size = (len(content) + 4 + 7) & ~7
        self.bytes += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return offset

    def value(self, value: Value) -> int:
        """Offset of a vk cell, its data written before it."""
        name, narrow = _name(value.name)
        length, offset = value.forged or self._data(value.data)
        flags = 1 if narrow and name else 0
        return self.put(b"vk" + struct.pack("<HIIIHH", len(name), length, offset, value.kind, flags, 0) + name)

    def _data(self, data: bytes) -> tuple[int, int]:
        if len(data) <= 4:
            return len(data) | 0x80000000, int.from_bytes(data, "little")
        if len(data) > SEGMENT and self.minor > 3:
            parts = [self.put(data[at : at + SEGMENT]) for at in range(0, len(data), SEGMENT)]
            listed = self.put(struct.pack(f"<{len(parts)}I", *parts))
            return len(data), self.put(b"db" + struct.pack("<HI", len(parts), listed) + bytes(4))
        return len(data), self.put(data)

    def subkey_list(self, keys: list[Key], offsets: list[int], kind: str) -> int:
        """Offset of the list of subkeys; more than 500 make an ri list whatever the kind."""
        if kind == "ri" or len(keys) > 500:
            step = max(1, -(-len(keys) // 3)) if kind == "ri" else 500
            leaf = "li" if kind == "ri" else kind
            cuts = range(0, len(keys), step)
            parts = [self.subkey_list(keys[at : at + step], offsets[at : at + step], leaf) for at in cuts]
            return self.put(b"ri" + struct.pack(f"<H{len(parts)}I", len(parts), *parts))
        body = bytearray()
        for key, offset in zip(keys, offsets, strict=True):
            body += struct.pack("<I", offset)
            if kind == "lf":
                body += _name(key.name)[0][:4].ljust(4, b"\0")
            elif kind == "lh":
                body += struct.pack("<I", _hash(key.name))
        return self.put(kind.encode() + struct.pack("<H", len(keys)) + bytes(body))


def _name(name: str) -> tuple[bytes, bool]:
    """Stored name and whether it is one byte a character (Latin-1)."""
    try:
        return name.encode("latin-1"), True
    except UnicodeEncodeError:
        return name.encode("utf-16-le", "surrogatepass"), False


def _hash(name: str) -> int:
    value = 0
    for letter in name.upper():
        value = (value * 37 + ord(letter)) & 0xFFFFFFFF
    return value


def _write_keys(cells: _Cells, root: Key) -> int:
    """All keys from the root down, without recursion: a key's cell is reserved with its siblings, filled later."""

    def reserve(key: Key) -> int:
        return cells.put(bytes(76 + len(_name(key.name)[0])))

    top = reserve(root)
    stack = [(root, top, 0)]
    while stack:
        key, offset, parent = stack.pop()
        name, narrow = _name(key.name)
        below = [reserve(child) for child in key.subkeys]
        listed = cells.subkey_list(key.subkeys, below, key.list_kind) if below else NO_CELL
        values = [cells.value(value) for value in key.values]
        value_list = cells.put(struct.pack(f"<{len(values)}I", *values)) if values else NO_CELL
        flags = (0x20 if narrow else 0) | (0x0C if key is root else 0)
        node = struct.pack("<2sHQII", b"nk", flags, key.written, 0, parent)
        node += struct.pack("<IIII", len(below), 0, listed, NO_CELL)
        node += struct.pack("<IIII", len(values), value_list, cells.security, NO_CELL)
        node += struct.pack("<IIIIIHH", 0, 0, 0, 0, 0, len(name), 0) + name
        cells.bytes[offset + 4 : offset + 4 + len(node)] = node
        stack += [(child, at, offset) for child, at in zip(key.subkeys, below, strict=True)]
    return top


def build(root: Key, minor: int = 5, file_name: str = "sample") -> bytes:
    """The hive file. ``minor`` is the format's minor version: from 4 on long data is split into segments."""
    cells = _Cells(minor)
    descriptor = struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20) + struct.pack("<BBHHH", 2, 0, 8, 0, 0)
    at = len(cells.bytes)
    cells.security = cells.put(b"sk" + struct.pack("<HIIII", 0, at, at, 1, len(descriptor)) + descriptor)
    offset = _write_keys(cells, root)
    size = (len(cells.bytes) + 8 + 4095) & ~4095
    free = size - len(cells.bytes)
    cells.bytes += struct.pack("<i", free) + bytes(free - 4)
    cells.bytes[:32] = b"hbin" + struct.pack("<IIQQI", 0, size, 0, root.written, 0)
    base = bytearray(4096)
    struct.pack_into("<4sIIQIIIIIII", base, 0, b"regf", 1, 1, root.written, 1, minor, 0, 1, offset, size, 1)
    base[48:112] = file_name.encode("utf-16-le")[:64].ljust(64, b"\0")
    checksum = 0
    for (word,) in struct.iter_unpack("<I", base[:508]):
        checksum ^= word
    struct.pack_into("<I", base, 508, {0: 1, NO_CELL: NO_CELL - 1}.get(checksum, checksum))
    return bytes(base + cells.bytes)


@dataclass(frozen=True)
class Stick:
    """A USB storage device of the sample case; empty ``letter``: never mounted, empty ``volume``: no volume name."""

    vendor: str
    product: str
    revision: str
    serial: str
    usb: str
    last_connect: datetime
    letter: str = ""
    volume: str = ""


def _kst(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2011, 2, day, hour, minute, second, tzinfo=KST)


STICKS = (
    Stick("Norcliff", "Pocket_Drive", "1.02", "9C0211F4E77A", "VID_1F2A&PID_0B10", _kst(21, 20, 24, 16), "E", "AURORA"),
    Stick("Haneul", "Mini_Stick", "2.18", "0000480A5C01", "VID_0A5B&PID_5407", _kst(17, 9, 23, 7), "G", "BACKUP"),
    Stick("Ostsee", "Swing", "0.1A", "SB07110000057F", "VID_0EA1&PID_2168", _kst(18, 9, 1, 2), "H", "PHOTOS"),
    # On that day, but never mounted: MountedDevices does not name it.
    Stick("Generic", "Charger", "1.00", "DECOY20110221", "VID_04F9&PID_507C", _kst(21, 11, 0), volume="CAMERA"),
    # On that day and mounted, but without an entry under Windows Portable Devices.
    Stick("Haneul", "Cruise", "8.07", "7788ABCD0021", "VID_0A5B&PID_6387", _kst(21, 19, 50), "I"),
)
_VOLUME_CLASS = "{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"
_CD_CLASS = "{53f5630d-b6bf-11d0-94f2-00a0c91efb8b}"


def usb_system() -> Key:
    """The SYSTEM hive of the case."""
    root = Key("CMI-CreateHive{6A1C3E50-8D27-4B1F-9E64-2F0B7D5A9C31}", filetime(_kst(21, 21, 0)))
    mounted = root.child("MountedDevices", filetime(_kst(19, 14, 34, 6)))
    mounted.set("\\DosDevices\\C:", BINARY, bytes.fromhex("5ad01e7b0000100000000000"))
    disc = "\\??\\IDE#CdRomSAMPLE_DVD-R_1000____________1.00____#5&1d2c3b4a&0&1.0.0#" + _CD_CLASS
    mounted.set("\\DosDevices\\D:", BINARY, disc.encode("utf-16-le"))
    for number, stick in enumerate(STICKS):
        if not stick.letter:
            continue
        device = f"Disk&Ven_{stick.vendor}&Prod_{stick.product}&Rev_{stick.revision}#{stick.serial}&0"
        data = f"_??_USBSTOR#{device}#{_VOLUME_CLASS}".encode("utf-16-le")
        mounted.set(f"\\DosDevices\\{stick.letter}:", BINARY, data)
        mounted.set(f"\\??\\Volume{{7e2f{number:04x}-3b1a-11e0-8d55-0026c7a1b2c3}}", BINARY, data)
    noise = random.Random(2011)
    others = [
        (
            f"VID_{noise.randrange(0x400, 0x1FFF):04X}&PID_{noise.randrange(1, 0xFFFF):04X}",
            f"{noise.getrandbits(48):012X}",
        )
        for _ in range(20)
    ]
    for control_set, days in (("ControlSet001", 0), ("ControlSet002", 1)):
        usb = root.child(f"{control_set}\\Enum\\USB")
        for stick in STICKS:
            _usb_device(usb, stick.usb, stick.serial, stick.last_connect - timedelta(days=days))
        for ids, serial in others:
            _usb_device(usb, ids, serial, _kst(noise.randrange(1, 20), noise.randrange(24), noise.randrange(60)))
    root.child("Select").set("Current", DWORD, struct.pack("<I", 1)).set("Default", DWORD, struct.pack("<I", 1))
    return root


def _usb_device(usb: Key, ids: str, serial: str, connected: datetime) -> None:
    device = usb.child(f"{ids}\\{serial}", filetime(connected))
    device.set("DeviceDesc", SZ, text("@usbstor.inf,%genericbulkonly.devicedesc%;USB Mass Storage Device"))
    device.set("HardwareID", MULTI_SZ, text(f"USB\\{ids}&REV_0100") + text(f"USB\\{ids}") + b"\0\0")
    device.set("Capabilities", DWORD, struct.pack("<I", 0x94))
    device.set("Service", SZ, text("USBSTOR"))


def usb_software() -> Key:
    """The SOFTWARE hive of the case."""
    root = Key("CMI-CreateHive{0B8E4D12-71F3-4C0A-A5D9-63E1F7240B88}", filetime(_kst(21, 21, 0)))
    version = root.child("Microsoft\\Windows NT\\CurrentVersion")
    version.set("ProductName", SZ, text("Windows 7 Professional")).set(
        "InstallDate", DWORD, struct.pack("<I", 1297300000)
    )
    devices = root.child("Microsoft\\Windows Portable Devices\\Devices")
    devices.child("USB#VID_0F1E&PID_1292#AA11BB22", filetime(_kst(18, 2, 0))).set("FriendlyName", SZ, text("Phone"))
    for stick in STICKS:
        if not stick.volume:
            continue
        product = f"{stick.vendor}&PROD_{stick.product}&REV_{stick.revision}".upper()
        name = f"WPDBUSENUMROOT#UMB#2&37C186B&0&STORAGE#VOLUME#_??_USBSTOR#DISK&VEN_{product}#{stick.serial.upper()}&0#"
        devices.child(name, filetime(_kst(18, 1, 0))).set("FriendlyName", SZ, text(stick.volume))
    return root


def odd() -> Key:
    """Legal but awkward: every list kind and type, names outside ASCII, strings without an end, times at the edge."""
    root = Key("ROOT", filetime(datetime(2020, 1, 2, 3, 4, 5, 123456, UTC)))
    types = root.child("types")
    for name, kind, data in _odd_values():
        types.set(name, kind, data)
    types.set("past the file", BINARY, b"", (100, 0x7FFFFFF0)).set("past the cell", BINARY, b"", (0x7FFFFFF0, 0x20))
    big = root.child("big")
    big.set("two segments", BINARY, bytes(i * 7 & 255 for i in range(SEGMENT + 1)))
    big.set("text", SZ, text("가" * 20_000)).set("just one cell", BINARY, b"\xab" * SEGMENT)
    names = root.child("names").set("latin é ü", DWORD, b"\1\0\0\0").set("한글 이름", DWORD, b"\2\0\0\0")
    for wide in ("Ключ", "café", "키\U0001f511", "half \ud83d"):
        names.child(wide).set("v", SZ, text(wide))
    for label, when in (("zero", 0), ("1601", 10_000_000), ("1969", EPOCH - 10), ("top bit", 2**64 - 1)):
        root.child("times\\" + label, when).set("t", SZ, text(label))
    for list_kind in ("lf", "lh", "li", "ri"):
        parent = root.child("list " + list_kind)
        parent.list_kind = list_kind
        for number in range(20):
            parent.child(f"k{number:02d}").set("i", DWORD, struct.pack("<I", number))
    many = root.child("many")
    many.subkeys = [Key(f"sub{number:05d}", root.written) for number in range(1200)]
    for number, key in enumerate(many.subkeys):
        key.set("n", DWORD, struct.pack("<I", number))
    deep = root.child("deep")
    for _ in range(510):
        deep.subkeys.append(Key("d", root.written))
        deep = deep.subkeys[0]
    deep.set("bottom", SZ, text("reached"))
    return root


def _odd_values() -> Iterable[tuple[str, int, bytes]]:
    yield from (("", SZ, text("default")), ("none", 0, b""), ("sz", SZ, text("plain")), ("sz empty", SZ, b""))
    yield from (("sz no end", SZ, text("no end")[:-2]), ("sz odd", SZ, text("odd")[:-1]), ("sz inline", SZ, b"x\0\0\0"))
    yield from (
        ("sz inner", SZ, text("before") + text("after")),
        ("sz korean", SZ, text("값")),
        ("link", LINK, text("\\a")),
    )
    yield from (
        ("sz pair", SZ, text("\U0001f600")),
        ("sz half", SZ, b"a\0\0\xd8b\0\0\0"),
        ("expand", EXPAND_SZ, text("%a%")),
    )
    yield from (("bin", BINARY, bytes(range(40))), ("bin empty", BINARY, b""), ("bin 3", BINARY, b"\1\2\3"))
    yield from (
        ("dword", DWORD, b"\xfe\xff\xff\xff"),
        ("dword short", DWORD, b"\5\0"),
        ("dword long", DWORD, bytes(range(8))),
    )
    yield from (
        ("be", DWORD_BE, b"\x12\x34\x56\x78"),
        ("qword", QWORD, b"\xfe" + b"\xff" * 7),
        ("qword short", QWORD, b"\1" * 4),
    )
    yield from (
        ("multi", MULTI_SZ, text("one") + text("둘") + b"\0\0"),
        ("multi no end", MULTI_SZ, text("a") + text("bc")[:-2]),
    )
    yield from (("multi empty", MULTI_SZ, b"\0\0"), ("multi nothing", MULTI_SZ, b""))
    yield from (("multi gap", MULTI_SZ, text("a") + text("") + text("c") + b"\0\0"), ("resource", 8, b"\1" * 20))
    yield from (("property", 0xFFFF0012, text("p")), ("rid", 500, b""))


def small(seed: int = 0) -> Key:
    """A hive of a few keys with every structure: the seed of mutation tests, which run on small inputs."""
    rng = random.Random(seed)
    root = Key("R", filetime(_kst(1, 0, 0)))
    for name, kind, data in rng.sample(list(_odd_values()), 8):
        root.set(name, kind, data)
    if seed % 4 == 0:
        root.set("segments", BINARY, bytes(SEGMENT + 9))
    for list_kind in ("lf", "lh", "li", "ri"):
        parent = root.child("k" + list_kind)
        parent.list_kind = list_kind
        for number in range(3):
            child = parent.child(f"키{number}" if number == 1 else f"k{number}")
            child.set("t", SZ, text("value")).set("m", MULTI_SZ, text("a") + text("b") + b"\0\0")
            child.child("below")
    return root


def big(keys: int, seed: int = 1) -> Key:
    """A random tree with the mix of value types that real hives have."""
    rng = random.Random(seed)
    root = Key("ROOT", filetime(_kst(1, 0, 0)))
    pool = [root]
    for number in range(keys):
        parent = pool[int(len(pool) * rng.random() ** 1.3)]
        name = (
            f"키_{number}"
            if number % 50 == 0
            else f"{{{rng.getrandbits(32):08x}}}"
            if number % 5 == 0
            else f"Key_{number}"
        )
        key = Key(name, root.written + number * 10_000_000)
        parent.subkeys.append(key)
        if number % 4 == 0:
            pool.append(key)
        for place in range(rng.randrange(5)):
            kind = rng.choices((SZ, DWORD, BINARY, MULTI_SZ, QWORD), (45, 25, 20, 5, 5))[0]
            key.set(f"Value{place}", kind, _random_data(rng, kind, number))
    return root


def _random_data(rng: random.Random, kind: int, number: int) -> bytes:
    if kind == SZ:
        return text(f"C:\\Program Files\\Vendor {number}\\component_{number % 97}.dll")
    if kind == MULTI_SZ:
        return text(f"a{number}") + text("bb") + b"\0\0"
    return rng.randbytes({DWORD: 4, QWORD: 8}.get(kind) or rng.randrange(5, 200))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["usb-leak", "odd", "big"])
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--keys", type=int, default=50_000)
    arguments = parser.parse_args()
    if arguments.kind == "usb-leak":
        folder = arguments.out or HERE / "usb-leak"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "system.hive").write_bytes(build(usb_system(), 3, "SYSTEM"))
        (folder / "software.hive").write_bytes(build(usb_software(), 3, "SOFTWARE"))
    elif arguments.out is None:
        parser.error("OUT is needed")
    else:
        arguments.out.write_bytes(build(odd() if arguments.kind == "odd" else big(arguments.keys)))


if __name__ == "__main__":
    main()
