"""Makes NTFS metadata files out of nothing: a ``$MFT`` and the ``$J`` journal of the same small volume.

    python sample_data/make_ntfs.py FOLDER                       the story: MFT and UsnJrnl
    python sample_data/make_ntfs.py FOLDER --records 200000      the same with that many files, for benchmarks

The story: on 2024-03-11 somebody unpacks a kit into RarSFX1, copies r32.exe from it into the recycle bin folder, runs
it, and deletes it an hour later. The $MFT still holds the deleted record (``in_use`` false, sequence number raised by
one), the journal every step. All bytes are computed: no disk, no person and no real file stand behind them.
Standard library only; the same arguments always give the same bytes.
"""

from __future__ import annotations

import argparse
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_EPOCH = 116_444_736_000_000_000
_START = 1_710_115_200
"""2024-03-11 00:00:00 UTC."""
ROOT = 5

CREATE, EXTEND, OVERWRITE, DELETE, OLD_NAME, NEW_NAME, BASIC, CLOSE = (
    0x100, 0x2, 0x1, 0x200, 0x1000, 0x2000, 0x8000, 0x80000000
)  # fmt: skip


def filetime(seconds: float) -> int:
    """Seconds after the story's midnight as FILETIME."""
    return _EPOCH + int((_START + seconds) * 10_000_000)


def reference(no: int, seq: int) -> int:
    """64-bit file reference."""
    return no | seq << 48


@dataclass(frozen=True)
class Entry:
    """A file record to be. ``seq`` is the number in use; a deleted record is written with one more."""

    no: int
    name: str
    parent: int
    is_dir: bool = False
    in_use: bool = True
    seq: int = 1
    size: int = 0
    short: str | None = None
    flags: int = 0x20
    at: float = 0.0


@dataclass(frozen=True)
class Change:
    """A journal record to be."""

    no: int
    seq: int
    parent: int
    parent_seq: int
    name: str
    reason: int
    at: float


@dataclass
class Volume:
    """Entries by number and the journal in time order."""

    entries: dict[int, Entry] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def add(self, entry: Entry) -> Entry:
        """Put ``entry`` into the $MFT, without a trace in the journal."""
        self.entries[entry.no] = entry
        return entry

    def note(self, entry: Entry, reason: int, at: float, name: str | None = None, parent: int | None = None) -> None:
        """A journal record about ``entry``."""
        folder = self.entries[entry.parent if parent is None else parent]
        self.changes.append(Change(entry.no, entry.seq, folder.no, folder.seq, name or entry.name, reason, at))


def _attribute(kind: int, content: bytes, number: int, name: str = "") -> bytes:
    """A resident attribute."""
    label = name.encode("utf-16-le")
    offset = 24 + -(-len(label) // 8) * 8
    length = -(-(offset + len(content)) // 8) * 8
    head = struct.pack("<IIBBHHHIHH", kind, length, 0, len(name), 24, 0, number, len(content), offset, kind == 0x30)
    return ((head + label).ljust(offset, b"\0") + content).ljust(length, b"\0")


def _stream(size: int, number: int) -> bytes:
    """The unnamed $DATA: inside the record when it is short."""
    if size <= 120:
        return _attribute(0x80, b"." * size, number)
    clusters = -(-size // 4096)
    runs = b"\x44" + struct.pack("<II", clusters, 5000) + b"\0"
    head = struct.pack("<IIBBHHHQQHHIQQQ", 0x80, 80, 1, 0, 64, 0, number, 0, clusters - 1, 64, 0, 0,
                       clusters * 4096, size, size)  # fmt: skip
    return (head + runs).ljust(80, b"\0")


def file_name(parent: int, times: Sequence[int], name: str, namespace: int, flags: int = 0x20) -> bytes:
    """Content of $FILE_NAME; ``parent`` is a full reference, times are created, modified, record modified, accessed."""
    text = name.encode("utf-16-le", "surrogatepass")
    head = struct.pack("<Q4QQQIIBB", parent, *times, 0, 0, flags, 0, len(text) // 2, namespace)
    return head + text


def record(no: int, attributes: bytes, seq: int, flags: int, links: int, size: int = 1024, base: int = 0) -> bytes:
    """A file record with its update sequence applied, as it lies on disk."""
    sectors = size // 512
    first = -(-(48 + 2 * (sectors + 1)) // 8) * 8
    used = first + len(attributes) + 8
    head = struct.pack("<4sHHQHHHHIIQHHI", b"FILE", 48, sectors + 1, 4096 + no, seq, links, first, flags, used, size,
                       base, 9, 0, no)  # fmt: skip
    data = bytearray(head.ljust(first, b"\0") + attributes + b"\xff\xff\xff\xff" + bytes(4)).ljust(size, b"\0")
    if len(data) > size:
        raise ValueError(f"record {no} does not fit into {size} bytes")
    number = struct.pack("<H", 7 + no % 60_000)
    data[48:50] = number
    for sector in range(sectors):
        end = 512 * (sector + 1)
        data[50 + 2 * sector : 52 + 2 * sector] = data[end - 2 : end]
        data[end - 2 : end] = number
    return bytes(data)


def entry_record(volume: Volume, entry: Entry, size: int = 1024) -> bytes:
    """The file record of one entry."""
    times = tuple(filetime(entry.at + 0.5 * step) for step in range(4))
    standard = struct.pack("<4QIIIIIIQQ", *times, entry.flags, 0, 0, 0, 0, 256, 0, 0)
    parent = volume.entries[entry.parent]
    ref = reference(parent.no, parent.seq)
    flags = entry.flags | (0x10000000 if entry.is_dir else 0)
    parts = [_attribute(0x10, standard, 0)]
    if entry.short:
        parts.append(_attribute(0x30, file_name(ref, times, entry.short, 2, flags), 1))
    parts.append(_attribute(0x30, file_name(ref, times, entry.name, 1 if entry.short else 3, flags), 2))
    if entry.is_dir:
        parts.append(_attribute(0x90, struct.pack("<6I4xQ2H", 48, 1, 4096, 1, 16, 32, 0, 16, 2), 3, "$I30"))
    else:
        parts.append(_stream(entry.size, 3))
    state = (1 if entry.in_use else 0) | (2 if entry.is_dir else 0)
    seq = entry.seq if entry.in_use else entry.seq + 1
    links = (2 if entry.short else 1) if entry.in_use else 0
    return record(entry.no, b"".join(parts), seq, state, links, size)


def mft(volume: Volume, size: int = 1024) -> Iterator[bytes]:
    """All records in order; numbers nobody uses are empty records, as after formatting."""
    for no in range(max(volume.entries) + 1):
        entry = volume.entries.get(no)
        yield record(no, b"", 1, 0, 0, size) if entry is None else entry_record(volume, entry, size)


def journal(volume: Volume, front: int = 65_536, first_usn: int = 4096, version: int = 2) -> Iterator[bytes]:
    """The stream: ``front`` zero bytes where the sparse part was, then pages of 4,096 bytes no record crosses."""
    yield bytes(front)
    page = b""
    done = 0
    for change in volume.changes:
        data = usn_record(change, 0, version)
        if len(page) + len(data) > 4096:
            yield page.ljust(4096, b"\0")
            page, done = b"", done + 4096
        page += usn_record(change, first_usn + done + len(page), version)
    yield page.ljust(4096, b"\0")


def usn_record(change: Change, usn: int, version: int = 2) -> bytes:
    """One journal record of version 2 or 3."""
    text = change.name.encode("utf-16-le", "surrogatepass")
    own, parent = reference(change.no, change.seq), reference(change.parent, change.parent_seq)
    refs = struct.pack("<QQ", own, parent) if version == 2 else struct.pack("<QQQQ", own, 0, parent, 0)
    name_at = 44 + len(refs)
    length = -(-(name_at + len(text)) // 8) * 8
    tail = struct.pack("<qqIIIIHH", usn, filetime(change.at), change.reason, 0, 0, 0x20, len(text), name_at)
    return (struct.pack("<IHH", length, version, 0) + refs + tail + text).ljust(length, b"\0")


_SYSTEM = ("$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", ".", "$Bitmap", "$Boot", "$BadClus", "$Secure",
           "$UpCase", "$Extend")  # fmt: skip


def story() -> Volume:
    """The small volume: eleven folders, a few documents, the kit and the deleted r32.exe."""
    volume = Volume()
    for no, name in enumerate(_SYSTEM):
        volume.add(Entry(no, name, ROOT, is_dir=name in (".", "$Extend"), seq=max(no, 1), size=4096 * no, flags=6))
    folders = (
        (24, "$Recycle.Bin", ROOT), (25, "Users", ROOT), (26, "kim", 25), (27, "AppData", 26), (28, "Local", 27),
        (29, "Temp", 28), (30, "RarSFX1", 29), (31, "Documents", 26), (32, "보고서", 31), (33, "Windows", ROOT),
        (34, "System32", 33),
    )  # fmt: skip
    for no, name, parent in folders:
        volume.add(Entry(no, name, parent, is_dir=True, flags=0x16 if no == 24 else 0x10, at=-86_400.0 * 30 + no))
    volume.add(Entry(40, "분기 보고서.docx", 32, size=48_213, short="F4B1~1.DOC", at=32_400.0))
    volume.add(Entry(41, "cmd.exe", 34, size=345_088, flags=0x21, at=-86_400.0 * 200))
    for no, name, size, at in (
        (42, "setup.exe", 912_384, 37_201.25),
        (43, "WinHex.exe", 2_654_208, 37_201.75),
        (44, "readme.txt", 64, 37_202.0),
    ):
        made = volume.add(Entry(no, name, 30, size=size, at=at))
        volume.note(made, CREATE, at)
        volume.note(made, CREATE | EXTEND, at + 0.1)
        volume.note(made, CREATE | EXTEND | CLOSE, at + 0.2)
    tool = volume.add(Entry(45, "r32.exe", 24, in_use=False, seq=3, size=82_944, at=37_260.0))
    volume.note(tool, CREATE, 37_260.0, "r32.tmp", parent=30)
    volume.note(tool, CREATE | EXTEND | CLOSE, 37_260.2, "r32.tmp", parent=30)
    volume.note(tool, OLD_NAME, 37_261.0, "r32.tmp", parent=30)
    volume.note(tool, NEW_NAME, 37_261.0)
    volume.note(tool, NEW_NAME | CLOSE, 37_261.1)
    volume.note(tool, BASIC | CLOSE, 37_262.0)
    volume.note(tool, DELETE | CLOSE, 40_861.0)
    return volume


def crowd(records: int, seed: int = 1) -> Volume:
    """The story plus files and folders up to ``records`` records, each with two or three journal entries."""
    volume = story()
    dice = random.Random(seed)
    folders = [no for no, entry in volume.entries.items() if (entry.is_dir and no >= 24) or no == ROOT]
    for no in range(48, records):
        parent = folders[int(len(folders) * dice.random() ** 1.5)]
        at = no * 0.4
        if dice.random() < 0.12:
            folders.append(no)
            volume.add(Entry(no, f"folder_{no:x}", parent, is_dir=True, flags=0x10, at=at))
            continue
        kind = dice.choice(
            ("component_manifest_%d.manifest", "IMG_%04d.jpg", "업무 일지 %d.hwp", "f%d.txt", "lib%d.dll")
        )
        name = kind % no
        short = f"F{no:06X}~1.DAT"[:12] if len(name) > 12 else None
        size = dice.randrange(120) if dice.random() < 0.2 else dice.randrange(1 << 24)
        seq = 1 + dice.randrange(9)
        made = volume.add(Entry(no, name, parent, in_use=dice.random() > 0.05, seq=seq, size=size, short=short, at=at))
        volume.note(made, CREATE, at)
        volume.note(made, CREATE | EXTEND | CLOSE, at + 0.1)
        if not made.in_use:
            volume.note(made, DELETE | CLOSE, at + 0.3)
    return volume


def write(path: Path, parts: Iterator[bytes]) -> None:
    """Write the parts one after another."""
    with path.open("wb") as file:
        for part in parts:
            file.write(part)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=0, help="records of a big volume instead of the story")
    parser.add_argument("--record-size", type=int, default=1024, choices=(1024, 4096))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    volume = crowd(options.records) if options.records else story()
    write(options.folder / "MFT", mft(volume, options.record_size))
    write(options.folder / "UsnJrnl", journal(volume))


if __name__ == "__main__":
    main()
