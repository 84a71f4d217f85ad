"""What passes over the control socket: frames of a kind, a length and a payload.

``H`` what is asked or answered, as JSON; ``B`` rows, as an Arrow stream of one batch; ``E`` the end, with what is to be
said of it; ``X`` an error. One question for each connection.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

#: Bytes that one frame may have: beyond it is no peer of ours.
LONGEST = 1 << 30
_HEAD = struct.Struct(">cI")
Facts = Mapping[str, object]


class NoPeer(Exception):
    """What came is no frame, or the connection ended inside one."""


@dataclass(frozen=True)
class Frame:
    """One frame: ``facts`` of the kinds H, E, X; ``rows`` of the kind B."""

    kind: str
    facts: dict[str, object]
    rows: pa.Table | None = None


def say(stream: BinaryIO, kind: str, facts: Facts) -> None:
    """Send a frame of JSON."""
    _send(stream, kind, json.dumps(facts, ensure_ascii=False, default=str).encode())


def say_rows(stream: BinaryIO, rows: pa.Table | pa.RecordBatch) -> None:
    """Send rows."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, rows.schema) as writer:
        writer.write(rows)
    _send(stream, "B", out.getvalue())


def _send(stream: BinaryIO, kind: str, payload: bytes | pa.Buffer) -> None:
    stream.write(_HEAD.pack(kind.encode(), len(payload)))
    stream.write(memoryview(payload))
    stream.flush()


def hear(stream: BinaryIO) -> Frame | None:
    """The next frame; None where the peer has closed. Raises NoPeer."""
    head = stream.read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise NoPeer
    kind, length = _HEAD.unpack(head)
    if kind not in (b"H", b"B", b"E", b"X") or length > LONGEST:
        raise NoPeer
    payload = stream.read(length)
    if len(payload) < length:
        raise NoPeer
    if kind == b"B":
        try:
            with pa.ipc.open_stream(pa.py_buffer(payload)) as reader:
                return Frame("B", {}, reader.read_all())
        except (pa.ArrowException, OSError):
            raise NoPeer from None
    try:
        facts = json.loads(payload)
    except ValueError:
        raise NoPeer from None
    if not isinstance(facts, dict):
        raise NoPeer
    return Frame(kind.decode(), facts)
