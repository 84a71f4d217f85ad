"""IP addresses: strict parsing, Java's text form, networks and sort keys.

An address is text in canonical form: dotted quad, or eight groups of lower-case hex without leading zeros and
without ``::``. Host names, short forms, leading zeros, blanks, ports, zones and brackets are no addresses and give
None. An IPv4-mapped IPv6 address is the IPv4 address (java.net.InetAddress); integers are IPv4, signed or unsigned
32 bits. Source: functions ``ip``, ``network`` of the language, comparison order of language.md 3.3 (IPv4 before
IPv6, unsigned bytes).
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from udfs.columns import as_array, as_list, map_distinct

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_ip(value: str | int | None) -> Address | None:
    """The address a text or an integer means, or None.

    >>> parse_ip("::ffff:1.2.3.4"), parse_ip(-1), parse_ip("1.2.3"), parse_ip("01.2.3.4")
    (IPv4Address('1.2.3.4'), IPv4Address('255.255.255.255'), None, None)
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return ipaddress.IPv4Address(value & 0xFFFFFFFF) if -(2**31) <= value < 2**32 else None
    try:
        if ":" not in value:
            return ipaddress.IPv4Address(value)
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return None
    if address.scope_id is not None:
        return None
    return address.ipv4_mapped or address


def ip_text(address: Address) -> str:
    """Canonical text: dotted quad or eight plain groups.

    >>> ip_text(parse_ip("21DA:00D3::2F3B"))
    '21da:d3:0:0:0:0:0:2f3b'
    """
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    packed = address.packed
    return ":".join(f"{packed[i] << 8 | packed[i + 1]:x}" for i in range(0, 16, 2))


def ip(value: str | int | None) -> str | None:
    """Canonical text of an address, or None.

    >>> ip("::1"), ip(4294967295), ip("256.0.0.1"), ip("1.2.3.4:80")
    ('0:0:0:0:0:0:0:1', '255.255.255.255', None, None)
    """
    address = parse_ip(value)
    return None if address is None else ip_text(address)


def network(value: str | int | None, bits: int | None) -> str | None:
    """Text of the network address; prefix 0-32 (IPv4) or 0-128 (IPv6), anything else None.

    >>> network("192.0.2.130", 28), network("1.2.3.4", 33), network("21DA::FE28:9C5A", 112)
    ('192.0.2.128', None, '21da:0:0:0:0:0:fe28:0')
    """
    address = parse_ip(value)
    if address is None or bits is None or isinstance(bits, bool) or not isinstance(bits, int):
        return None
    width = address.max_prefixlen
    if not 0 <= bits <= width:
        return None
    mask = ((1 << bits) - 1) << (width - bits)
    return ip_text(type(address)(int(address) & mask))


def ip_key(value: str | int | None) -> bytes | None:
    """Sort key of an address: IPv4 before IPv6, then unsigned bytes; None when it is no address.

    >>> ip_key("10.0.0.1") < ip_key("192.168.0.1") < ip_key("::1")
    True
    """
    address = parse_ip(value)
    return None if address is None else bytes((address.version,)) + address.packed


def _plain_quads(flat: pa.Array) -> bool:
    """Whether every value is a strict dotted quad, which is canonical already (the usual column of a log)."""
    octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    matched = pc.match_substring_regex(flat, rf"\A{octet}\.{octet}\.{octet}\.{octet}\z")
    return bool(pc.all(matched, skip_nulls=True, min_count=0).as_py())


def ip_array(values: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """:func:`ip` of a text or integer column; other types give nulls.

    >>> ip_array(pa.array(["1.2.3.4", "::", "x", None])).to_pylist()
    ['1.2.3.4', '0:0:0:0:0:0:0:0', None, None]
    """
    flat = as_array(values)
    if _is_text(flat.type):
        return flat.cast(pa.string()) if _plain_quads(flat) else map_distinct(flat, ip, pa.string())
    if pa.types.is_integer(flat.type):
        return map_distinct(flat, ip, pa.string())
    return pa.nulls(len(flat), pa.string())


def network_array(values: pa.Array | pa.ChunkedArray, bits: int | pa.Array | pa.ChunkedArray | None) -> pa.StringArray:
    """:func:`network` of a column; ``bits`` is one prefix length or a column of them.

    >>> network_array(pa.array(["10.1.2.3", None]), 8).to_pylist()
    ['10.0.0.0', None]
    """
    if bits is None or isinstance(bits, int):
        return map_distinct(values, lambda value: network(value, bits), pa.string())
    cache: dict[tuple[Any, Any], str | None] = {}
    out = []
    for pair in zip(as_list(values), as_list(bits), strict=True):
        if pair not in cache:
            cache[pair] = network(*pair)
        out.append(cache[pair])
    return pa.array(out, pa.string())


def ip_key_array(values: pa.Array | pa.ChunkedArray) -> pa.BinaryArray:
    """:func:`ip_key` of a column, for ORDER BY and range comparison.

    >>> ip_key_array(pa.array(["0.0.0.1", None])).to_pylist()
    [b'\\x04\\x00\\x00\\x00\\x01', None]
    """
    return map_distinct(values, ip_key, pa.binary())


def key_text(key: bytes) -> str:
    """The address of a sort key as canonical text.

    >>> key_text(ip_key("10.0.0.1"))
    '10.0.0.1'
    """
    if key[0] == 4:
        return socket.inet_ntoa(key[1:])
    return ip_text(ipaddress.IPv6Address(key[1:]))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
