"""A writer of MaxMind databases for tests, after the MaxMind DB format specification 2.0 (24-bit records, one tree)."""

from __future__ import annotations

import ipaddress
import struct
from typing import Any


def encode(value: Any) -> bytes:
    """A value of the data section."""
    if isinstance(value, bool):
        return _control(14, int(value))
    if isinstance(value, str):
        raw = value.encode()
        return _control(2, len(raw)) + raw
    if isinstance(value, float):
        return _control(3, 8) + struct.pack(">d", value)
    if isinstance(value, int):
        return _unsigned(6, value)
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(encode(v) for v in value)
    return _control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def _unsigned(kind: int, value: int) -> bytes:
    """An unsigned integer: type 5 has 16 bits, 6 has 32, 9 has 64."""
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    head = bytes([kind << 5]) if kind <= 7 else bytes([0, kind - 7])
    if size < 29:
        return bytes([head[0] | size]) + head[1:]
    assert size < 285
    return bytes([head[0] | 29]) + head[1:] + bytes([size - 29])


def database(networks: dict[str, dict[str, Any]], kind: str) -> bytes:
    """A whole database: networks in CIDR form and their records; IPv4 networks lie below ``::/96``."""
    nodes: list[list[int | None]] = [[None, None]]
    records: list[bytes] = []
    for text, record in networks.items():
        network = ipaddress.ip_network(text)
        bits = f"{int(network.network_address):0128b}"[: network.prefixlen + (96 if network.version == 4 else 0)]
        place = 0
        for bit in bits[:-1]:
            below = nodes[place][int(bit)]
            if below is None:
                nodes.append([None, None])
                below = nodes[place][int(bit)] = len(nodes) - 1
            place = below
        nodes[place][int(bits[-1])] = -1 - len(records)
        records.append(encode(record))
    offsets = [sum(len(r) for r in records[:i]) for i in range(len(records))]

    def pointer(record: int | None) -> bytes:
        number = len(nodes) if record is None else record if record >= 0 else len(nodes) + 16 + offsets[-1 - record]
        return number.to_bytes(3, "big")

    tree = b"".join(pointer(left) + pointer(right) for left, right in nodes)
    numbers = {
        "node_count": (6, len(nodes)), "record_size": (5, 24), "ip_version": (5, 6), "build_epoch": (9, 1),
        "binary_format_major_version": (5, 2), "binary_format_minor_version": (5, 0),
    }  # fmt: skip
    texts: dict[str, Any] = {"database_type": kind, "languages": ["en"], "description": {"en": kind}}
    meta = _control(7, len(numbers) + len(texts))
    meta += b"".join(encode(name) + _unsigned(*number) for name, number in numbers.items())
    meta += b"".join(encode(name) + encode(value) for name, value in texts.items())
    return tree + bytes(16) + b"".join(records) + b"\xab\xcd\xefMaxMind.com" + meta
