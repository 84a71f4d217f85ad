"""Bodies of events that are no EventData, from event logs written byte by byte: what ``event_data`` and ``msg`` tell of
them is what the XML of two other readers holds: that of the Rust parser, made here, and of libevtx 20260705 (the texts
in ``_BODIES`` stand in its XML of these files as they do here).
"""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.readers.ntfs_support import table
from udfs.readers.base import ListLoss
from udfs.readers.evtx import EvtxReader

_TEXT, _HEX = 1, 14
"""Types of values: UTF-16 text, bytes."""


class _Chunk:
    """Writes binary XML: names where they are used first, values of the template behind it."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.made = bytearray()
        self.values: list[tuple[int, bytes]] = []

    def name(self, text: str) -> None:
        here = self.at + len(self.made) + 4
        number = 0
        for character in text.encode("utf-16-le")[::2]:
            number = (number * 65599 + character) & 0xFFFFFFFF
        self.made += struct.pack("<IIHH", here, 0, number & 0xFFFF, len(text)) + text.encode("utf-16-le") + bytes(2)

    def element(self, given: ElementTree.Element) -> None:
        """An element as a template has it; each text in it is a value, bytes where it is marked so."""
        attributes = {name: text for name, text in given.attrib.items() if name != "hex"}
        self.made += struct.pack("<BHI", 0x41 if attributes else 0x01, 0xFFFF, 0)
        begins = len(self.made)
        self.name(given.tag)
        if attributes:
            self.made += bytes(4)
            listed = len(self.made)
            for place, (name, text) in enumerate(attributes.items(), 1):
                self.made += bytes([0x46 if place < len(attributes) else 0x06])
                self.name(name)
                self.made += struct.pack("<BBH", 0x05, _TEXT, len(text)) + text.encode("utf-16-le")
            struct.pack_into("<I", self.made, listed - 4, len(self.made) - listed)
        self.made += b"\x02"
        if given.text and given.text.strip():
            kind = _HEX if "hex" in given.attrib else _TEXT
            self.made += struct.pack("<BHB", 0x0D, len(self.values), kind)
            self.values.append((kind, bytes.fromhex(given.text) if kind == _HEX else given.text.encode("utf-16-le")))
        for inside in given:
            self.element(inside)
        self.made += b"\x04"
        struct.pack_into("<I", self.made, begins - 4, len(self.made) - begins)


def _log(xml: str) -> bytes:
    """An event log with one event."""
    record = struct.pack("<4sIQQ", b"**\0\0", 0, 1, 132_000_000_000_000_000)
    instance = b"\x0f\x01\x01\x00" + struct.pack("<BBII", 0x0C, 1, 0x5EED, 512 + 24 + 4 + 10)
    at = 512 + len(record) + len(instance)
    chunk = _Chunk(at + 24 + 4)
    chunk.element(ElementTree.fromstring(xml))
    fragment = b"\x0f\x01\x01\x00" + bytes(chunk.made) + b"\x00"
    template = struct.pack("<I", 0) + struct.pack("<I12s", 0x5EED, b"\x11" * 12) + struct.pack("<I", len(fragment))
    listed = struct.pack("<I", len(chunk.values)) + b"".join(
        struct.pack("<HBB", len(data), kind, 0) for kind, data in chunk.values
    )
    body = record + instance + template + fragment + listed + b"".join(data for _, data in chunk.values) + b"\0"
    size = len(body) + 4 + -len(body) % 4
    body = body[:4] + struct.pack("<I", size) + body[8:].ljust(size - 12, b"\0") + struct.pack("<I", size)
    head = bytearray(512)
    struct.pack_into("<8sQQQQIIIII", head, 0, b"ElfChnk\0", 1, 1, 1, 1, 128, 512, 512 + size, zlib.crc32(body), 0)
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120] + head[128:]))
    log = bytearray(4096)
    struct.pack_into("<8sQQQIHHHH", log, 0, b"ElfFile\0", 0, 0, 2, 128, 1, 3, 4096, 1)
    struct.pack_into("<I", log, 124, zlib.crc32(log[:120]))
    return bytes(log) + (bytes(head) + body).ljust(65536, b"\0")


_SYSTEM = (
    '<System><Provider Name="P"/><EventID>5</EventID><Level>4</Level>'
    '<TimeCreated SystemTime="2021-03-31T23:51:45.018767400Z"/><EventRecordID>9</EventRecordID>'
    "<Channel>C</Channel><Computer>H</Computer></System>"
)
_BODIES: dict[str, tuple[str, object, str | None]] = {
    "ProcessingErrorData": (
        "<ProcessingErrorData><ErrorCode>15005</ErrorCode><DataItemName>shellId</DataItemName>"
        '<EventPayload hex="">6800FF</EventPayload></ProcessingErrorData>',
        {"ErrorCode": "15005", "DataItemName": "shellId", "EventPayload": "6800FF"},
        None,
    ),
    "DebugData": (
        "<DebugData><SequenceNumber>7</SequenceNumber><FlagsName>f</FlagsName><LevelName>오류</LevelName>"
        "<Component>c</Component><FileLine>a.c@12</FileLine><Message>gone wrong</Message></DebugData>",
        {"SequenceNumber": "7", "FlagsName": "f", "LevelName": "오류", "Component": "c", "FileLine": "a.c@12",
         "Message": "gone wrong"},
        None,
    ),
    "BinaryEventData": ('<BinaryEventData hex="">00FF10</BinaryEventData>', "00FF10", None),
    "RenderingInfo beside EventData": (
        '<EventData><Data Name="User">kim</Data></EventData><RenderingInfo Culture="ko-KR">'
        "<Message>로그온했습니다.</Message><Level>정보</Level><Keywords><Keyword>a</Keyword><Keyword>b</Keyword></Keywords>"
        "</RenderingInfo>",
        {"User": "kim", "RenderingInfo": {"#attributes": {"Culture": "ko-KR"}, "Level": "정보",
                                          "Keywords": {"Keyword": ["a", "b"]}}},
        "로그온했습니다.",
    ),
    "elements of one name in UserData": (
        "<UserData><E><Name>a</Name><Name>b</Name><Name><x>1</x></Name></E></UserData>",
        {"Name": ["a", "b", {"x": "1"}]},
        None,
    ),
    "ComplexData of one name beside Data that are called so": (
        '<EventData><Data Name="n">1</Data><Data Name="n_1">2</Data><ComplexData>a</ComplexData>'
        "<ComplexData>b</ComplexData></EventData>",
        {"n": "1", "n_1": "2", "ComplexData": ["a", "b"]},
        None,
    ),
    "RenderingInfo with a message alone": (
        "<RenderingInfo><Message>An account was logged on.</Message></RenderingInfo>", None,
        "An account was logged on.",
    ),
}  # fmt: skip
"""What stands beside System; ``event_data`` and ``msg``."""


def _texts(value: object) -> list[str]:
    if isinstance(value, dict | list):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in _texts(item)]
    return [str(value)]


@pytest.mark.parametrize("kind", _BODIES)
def test_a_body_that_is_no_event_data(kind: str, tmp_path: Path) -> None:
    package = pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    body, data, message = _BODIES[kind]
    path = tmp_path / "log.evtx"
    path.write_bytes(_log(f"<Event>{_SYSTEM}{body}</Event>"))
    loss = ListLoss()
    (row,) = table(EvtxReader(str(path)), ["record_id", "event_data", "msg"], loss).to_pylist()
    told = None if row["event_data"] is None else json.loads(row["event_data"])
    assert (row["record_id"], told, row["msg"]) == (9, data, message)
    assert not loss.entries
    (event,) = package.PyEvtxParser(str(path)).records()
    parts = [part for part in ElementTree.fromstring(event["data"]) if not part.tag.endswith("System")]
    whole = [element for part in parts for element in part.iter()]
    texts = [t for e in whole for t in [*(e.attrib.values() if e.tag != "Data" else []), e.text or ""] if t.strip()]
    assert sorted(texts) == sorted(_texts([*([data] if data is not None else []), *([message] if message else [])]))
