"""IP addresses: cases of the language (conformance ip, network) and InetAddress.getByName of JDK 17."""

from __future__ import annotations

import pyarrow as pa
import pytest

from udfs import network

JAVA = {  # InetAddress.getByName(text).getHostAddress(); None: UnknownHostException
    "::1": "0:0:0:0:0:0:0:1",
    "::ffff:1.2.3.4": "1.2.3.4",
    "::1.2.3.4": "0:0:0:0:0:0:102:304",
    "1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8",
    "2001:DB8::": "2001:db8:0:0:0:0:0:0",
    "::": "0:0:0:0:0:0:0:0",
    "1::2::3": None,
    "12345::": None,
    "::ffff:0:1.2.3.4": "0:0:0:0:ffff:0:102:304",
    "0:0:0:0:0:ffff:7f00:1": "127.0.0.1",
    "1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
    ":1": None,
    "::g": None,
    "64:ff9b::1.2.3.4": "64:ff9b:0:0:0:0:102:304",
    "::FFFF:256.1.1.1": None,
    "::ffff:1.2.3": None,
}


@pytest.mark.parametrize(("text", "expected"), JAVA.items())
def test_ipv6_as_java(text: str, expected: str | None) -> None:
    assert network.ip(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.2.3.4", "1.2.3.4"),
        (4294967295, "255.255.255.255"),
        (-1062731775, "192.168.0.1"),
        (16909060, "1.2.3.4"),
        (4294967296, None),
        (-2147483649, None),
        ("invalid", None),
        (None, None),
        ("256.0.0.1", None),
        ("1.2.3.4.5", None),
        ("-0.0.0.0", None),
        ("", None),
        ("2222.0.0.0", None),
        ("3.39.215.159:8080", None),
        ("logpresso.store", None),
        ("1.2.3", None),
        ("01.2.3.4", None),
        (" 1.2.3.4", None),
        ("1.2.3.4\n", None),
        ("١.2.3.4", None),
        ("fe80::1%eth0", None),
        ("[::1]", None),
    ],
)
def test_ip(value: str | int | None, expected: str | None) -> None:
    assert network.ip(value) == expected


@pytest.mark.parametrize(
    ("value", "bits", "expected"),
    [
        (None, 32, None),
        ("192.0.2.128", 24, "192.0.2.0"),
        ("192.0.2.128", 28, "192.0.2.128"),
        (-1073741184, 28, "192.0.2.128"),
        ("21DA:00D3:0000:2F3B:02AA:00FF:FE28:9C5A", 96, "21da:d3:0:2f3b:2aa:ff:0:0"),
        ("255.255.255.255", 32, "255.255.255.255"),
        ("21DA:00D3:0000:2F3B:02AA:00FF:FE28:9C5A", 0, "0:0:0:0:0:0:0:0"),
        ("1.2.3.4", 100, None),
        ("1.2.3.4", 16, "1.2.0.0"),
        ("1.2.3.4", 0, "0.0.0.0"),
        ("bad", 24, None),
        ("1.2.3.4", -1, None),
        ("::1", 129, None),
        ("192.168.77.1", 25, "192.168.77.0"),
        ("1.2.3.4", "24", None),
    ],
)
def test_network(value: str | int | None, bits: int, expected: str | None) -> None:
    assert network.network(value, bits) == expected


def test_sort_keys_are_unsigned_and_ipv4_comes_first() -> None:
    """language.md 3.3 and 11.9: by unsigned address bytes, IPv4 before IPv6."""
    ordered = [
        "0.0.0.1",
        "10.0.0.1",
        "14.0.0.1",
        "103.0.0.1",
        "117.0.0.1",
        "192.168.0.1",
        "255.0.0.0",
        "::",
        "::1",
        "fe80::",
    ]
    keys = network.ip_key_array(pa.array(ordered)).to_pylist()
    assert keys == sorted(keys)
    assert [network.key_text(key) for key in keys[:7]] == ordered[:7]
    assert network.key_text(keys[-1]) == "fe80:0:0:0:0:0:0:0"
    assert network.ip_key("nothing") is None


def test_columns() -> None:
    assert network.ip_array(pa.chunked_array([["1.2.3.4", None], ["::1"]])).to_pylist() == [
        "1.2.3.4",
        None,
        "0:0:0:0:0:0:0:1",
    ]
    assert network.ip_array(pa.array(["1.2.3.4", None])).to_pylist() == ["1.2.3.4", None]
    assert network.ip_array(pa.array(["1.2.3.400"])).to_pylist() == [None]
    assert network.ip_array(pa.array([-1, None], pa.int32())).to_pylist() == ["255.255.255.255", None]
    assert network.ip_array(pa.array([1.5])).to_pylist() == [None]
    assert network.ip_array(pa.array([], pa.string())).to_pylist() == []
    addresses = pa.array(["10.1.2.3", "::1", None])
    assert network.network_array(addresses, pa.array([8, 129, 8])).to_pylist() == ["10.0.0.0", None, None]
    assert network.network_array(addresses, None).null_count == 3
