"""Event logs written byte by byte, as the log service writes them (libyal's documentation of the format)."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree

SYSTEM = (
    '<System><Provider Name="P"/><EventID>5</EventID><Version>0</Version><Level>4</Level><Task>0</Task>'
    '<Opcode>0</Opcode><Keywords>0x0</Keywords><TimeCreated SystemTime="2021-03-31T23:51:45.018767Z"/>'
    '<EventRecordID>9</EventRecordID><Channel>C</Channel><Computer>H</Computer><Security UserID="S-1-5-18"/></System>'
)
_TEXT, _BYTES, _EVENT, _TEXTS = 0x01, 0x0E, 0x21, 0x81
"""Types of values: UTF-16 text, bytes, another event, several texts."""
HOW = "how"
"""Attribute that says how the text of an element is written: ``hex`` bytes, ``literal`` in the template, ``cdata``,
``entity`` (the text is its name), ``character`` (a reference to it), ``instruction`` (no element,
but a processing instruction), ``list`` (several texts as one value, divided by
``|``). An element in another one has a template of its ``own``, as the service does with EventData."""
_NO_VALUE = ("literal", "cdata", "entity", "character", "instruction")


class Forged(NamedTuple):
    """How an event is written as the log service writes none.

    ``bare``: its elements stand in the record, without a template. ``unlisted``: its template is in no list of the
    chunk. ``again``: names that it defines again, outside of the lists. ``number``: the GUID of its template, and
    ``size``: the bytes it has at least, also those of its outermost element.
    """

    bare: bool = False
    unlisted: bool = False
    again: tuple[str, ...] = ()
    number: bytes = b""
    size: int = 0


class Chunk:
    """Writes one chunk. ``lists``: names and templates stand once and in the lists of the header."""

    def __init__(self, lists: bool = True) -> None:
        self.made = bytearray(512)
        self._lists = lists
        self._names: dict[str, int] = {}
        self._templates: dict[str, int] = {}
        self._heads = [0] * 96
        self._count = 0

    def event(self, xml: str, forged: Forged | None = None) -> None:
        """A record with this event. The value of an attribute that begins with ``%`` is no part of the template."""
        self._forged = forged or Forged()
        self._count += 1
        begin = len(self.made)
        self.made += struct.pack("<4sIQQ", b"**\0\0", 0, self._count, 132_000_000_000_000_000)
        if self._forged.bare:
            self.made += b"\x0f\x01\x01\x00"
            self._element(ElementTree.fromstring(xml))
            self.made += b"\0"
        else:
            self._instance(ElementTree.fromstring(xml))
        self.made += bytes(-(len(self.made) + 4 - begin) % 8)
        size = len(self.made) + 4 - begin
        struct.pack_into("<I", self.made, begin + 4, size)
        self.made += struct.pack("<I", size)
        self._last = begin

    def bytes(self) -> bytes:
        """The chunk."""
        head = self.made[:512]
        struct.pack_into("<8sQQQQIII", head, 0, b"ElfChnk\0", 1, self._count, 1, self._count, 128, self._last,
                         len(self.made))  # fmt: skip
        struct.pack_into("<I", head, 52, zlib.crc32(self.made[512:]))
        if self._lists:
            struct.pack_into("<96I", head, 128, *self._heads)
        struct.pack_into("<I", head, 124, zlib.crc32(head[128:], zlib.crc32(head[:120])))
        return bytes(head + self.made[512:]).ljust(65536, b"\0")

    def _instance(self, given: ElementTree.Element) -> None:
        shape = _shape(given)
        number = self._forged.number or hashlib.md5(shape.encode(), usedforsecurity=False).digest()
        self.made += b"\x0f\x01\x01\x00\x0c\x01" + number[:4]
        known = self._templates.get(shape)
        if known is None or not self._lists:
            here = self._templates[shape] = len(self.made) + 4
            list_of = 64 + int.from_bytes(number[:4], "little") % 32
            self.made += struct.pack("<II16sI", here, self._heads[list_of], number, 0) + b"\x0f\x01\x01\x00"
            if not self._forged.unlisted:
                self._heads[list_of] = here
            self._places = 0
            self._element(given)
            self.made += b"\0".ljust(max(self._forged.size - (len(self.made) - here - 24), 1), b"\0")
            struct.pack_into("<I", self.made, here + 20, len(self.made) - here - 24)
            if self._forged.size:
                struct.pack_into("<I", self.made, here + 31, self._forged.size - 12)
        else:
            self.made += struct.pack("<I", known)
        values = list(_values(given))
        self.made += struct.pack("<I", len(values))
        listed = len(self.made)
        self.made += bytes(4 * len(values))
        for place, (kind, value) in enumerate(values):
            begin = len(self.made)
            if isinstance(value, ElementTree.Element):
                self._instance(value)
            else:
                self.made += value
            struct.pack_into("<HBB", self.made, listed + 4 * place, len(self.made) - begin, kind, 0)
        self.made += b"\0" if values and values[-1][0] != _EVENT else b""

    def _name(self, text: str) -> None:
        if self._lists and text in self._names and text not in self._forged.again:
            self.made += struct.pack("<I", self._names[text])
            return
        here = len(self.made) + 4
        if text not in self._forged.again:
            self._names[text] = here
        number = 0
        for character in text.encode("utf-16-le")[::2]:
            number = (number * 65599 + character) & 0xFFFFFFFF
        list_of = (number & 0xFFFF) % 64
        self.made += struct.pack("<IIHH", here, self._heads[list_of], number & 0xFFFF, len(text))
        self.made += text.encode("utf-16-le") + bytes(2)
        if text not in self._forged.again:
            self._heads[list_of] = here

    def _place(self, kind: int) -> None:
        self.made += struct.pack("<BHB", 0x0D, self._places, kind)
        self._places += 1

    def _element(self, given: ElementTree.Element) -> None:
        attributes = {name: text for name, text in given.attrib.items() if name != HOW}
        token = bytes([0x41 if attributes else 0x01])
        if given.get(HOW) == "instruction":
            text = given.text or ""
            self.made += b"\x0a"
            self._name(given.tag)
            self.made += struct.pack("<BH", 0x0B, len(text)) + text.encode("utf-16-le")
            return
        self.made += token + (b"" if self._forged.bare else b"\xff\xff") + bytes(4)
        begins = len(self.made)
        self._name(given.tag)
        if attributes:
            self.made += bytes(4)
            listed = len(self.made)
            for place, (name, text) in enumerate(attributes.items(), 1):
                self.made += bytes([0x46 if place < len(attributes) else 0x06])
                self._name(name)
                if text.startswith("%"):
                    self._place(_TEXT)
                else:
                    self.made += struct.pack("<BBH", 0x05, _TEXT, len(text)) + text.encode("utf-16-le")
            struct.pack_into("<I", self.made, listed - 4, len(self.made) - listed)
        self.made += b"\x02"
        how = "literal" if self._forged.bare else given.get(HOW, "")
        if given.text and how == "literal":
            self.made += struct.pack("<BBH", 0x05, _TEXT, len(given.text)) + given.text.encode("utf-16-le")
        elif given.text and how == "cdata":
            self.made += struct.pack("<BH", 0x07, len(given.text)) + given.text.encode("utf-16-le")
        elif given.text and how == "entity":
            self.made += b"\x09"
            self._name(given.text)
        elif given.text and how == "character":
            self.made += struct.pack("<BH", 0x08, ord(given.text))
        elif given.text:
            self._place({"hex": _BYTES, "list": _TEXTS}.get(how, _TEXT))
        for inside in given:
            if inside.get(HOW) == "own":
                self._place(_EVENT)
            else:
                self._element(inside)
            if inside.tail:
                self._place(_TEXT)
        self.made += b"\x04"
        struct.pack_into("<I", self.made, begins - 4, len(self.made) - begins)


def _shape(given: ElementTree.Element) -> str:
    """What two events have in common that are of one template."""
    how = given.get(HOW, "")
    text = given.text if how in _NO_VALUE else bool(given.text)
    attributes = [(name, text if text[:1] != "%" else "%") for name, text in given.attrib.items()]
    inside = [(_shape(one) if one.get(HOW) != "own" else "own", bool(one.tail)) for one in given]
    return repr((given.tag, attributes, text, inside))


def _values(given: ElementTree.Element) -> list[tuple[int, bytes | ElementTree.Element]]:
    """The values of an event, in the order of their places."""
    how = given.get(HOW, "")
    found: list[tuple[int, bytes | ElementTree.Element]] = [
        (_TEXT, text[1:].encode("utf-16-le")) for text in given.attrib.values() if text.startswith("%")
    ]
    if given.text and how == "hex":
        found.append((_BYTES, bytes.fromhex(given.text)))
    elif given.text and how == "list":
        found.append((_TEXTS, "".join(f"{one}\0" for one in given.text.split("|")).encode("utf-16-le")))
    elif given.text and how not in _NO_VALUE:
        found.append((_TEXT, given.text.encode("utf-16-le")))
    for inside in given:
        if inside.get(HOW) == "own":
            # Of another template, so no longer one in this one.
            alone = ElementTree.fromstring(ElementTree.tostring(inside))
            alone.attrib.pop(HOW)
            alone.tail = None
            found.append((_EVENT, alone))
        else:
            found += _values(inside)
        if inside.tail:
            found.append((_TEXT, inside.tail.encode("utf-16-le")))
    return found


def log_of(chunks: Sequence[bytes]) -> bytes:
    """An event log of these chunks."""
    head = bytearray(4096)
    struct.pack_into("<8sQQQIHHHH", head, 0, b"ElfFile\0", 0, len(chunks) - 1, 2, 128, 1, 3, 4096, len(chunks))
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
    return bytes(head) + b"".join(chunks)


def log(*bodies: str, lists: bool = True) -> bytes:
    """An event log of one chunk: an event for each body, which stands behind System."""
    chunk = Chunk(lists)
    for body in bodies:
        chunk.event(f"<Event>{SYSTEM}{body}</Event>")
    return log_of([chunk.bytes()])
