"""Who may be reached, judged without a socket: addresses against an independent rule, spellings, settings."""

from __future__ import annotations

import ipaddress
import random

import pytest

from logsql.configuration.settings import Network
from logsql.connectors.fence import Fence, Refused, closed, spelled

#: Blocks of the RFCs that ``ipaddress`` takes for global: multicast (RFC 5771, 4291), 6to4 relays (RFC 7526), AS112
#: (RFC 7534, 7535), AMT (RFC 7450), the IETF's block with Teredo (RFC 2928, 4380), site-local (RFC 3879).
NO_PART_OF_IT = [
    ipaddress.ip_network(text)
    for text in (
        "224.0.0.0/4", "192.88.99.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "192.0.0.0/24",
        "ff00::/8", "2001::/23", "2620:4f:8000::/48", "fec0::/10",
    )
]  # fmt: skip
#: Where an IPv4 address stands in an IPv6 one: network, bits to the right of it (RFC 4291, 6052, 3056).
INSIDE = [(ipaddress.ip_network("::ffff:0:0/96"), 0), (ipaddress.ip_network("64:ff9b::/96"), 0),
          (ipaddress.ip_network("2002::/16"), 80)]  # fmt: skip
BLOCKS = [*NO_PART_OF_IT, *(network for network, _ in INSIDE)] + [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "::/96", "fc00::/7",
        "fe80::/10", "2001:db8::/32", "3fff::/20", "5f00::/16", "100::/64", "64:ff9b:1::/48", "2000::/3",
    )
]  # fmt: skip


def independently(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether an address is part of the open internet, by the standard library and the lists above."""
    for network, shift in INSIDE:
        if address.version == 6 and address in network:
            address = ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
            break
    if any(address in network for network in NO_PART_OF_IT):
        return False
    given_out = address.version == 4 or address in ipaddress.ip_network("2000::/3")
    documentation = address in ipaddress.ip_network("3fff::/20")  # RFC 9637, unknown to Python 3.11
    return address.is_global and given_out and not documentation


def sample(seed: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Addresses anywhere, and at and beside the borders of every block."""
    made = random.Random(seed)
    found: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = []
    for _ in range(20_000):
        found += [ipaddress.IPv4Address(made.getrandbits(32)), ipaddress.IPv6Address(made.getrandbits(128))]
    for block in BLOCKS:
        kind = type(block.network_address)
        first, last = int(block.network_address), int(block.broadcast_address)
        inside = [made.randint(first, last) for _ in range(500)]
        most = (1 << block.max_prefixlen) - 1
        found += [kind(n) for n in (first, last, first - 1, last + 1, *inside) if 0 <= n <= most]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_an_address_is_closed_where_an_independent_rule_says_so(seed: int) -> None:
    wrong = [str(a) for a in sample(seed) if closed(a) == independently(a)]
    assert not wrong


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0", "10.1.2.3", "127.0.0.1", "169.254.169.254", "172.31.255.255", "192.168.0.1", "100.100.100.200",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "2002:7f00:1::", "::127.0.0.1",
        "::ffff:0:127.0.0.1", "64:ff9b:1::1", "2001:0:7f00:1::",
    ],
)  # fmt: skip
def test_a_private_or_reserved_address_is_refused(text: str) -> None:
    fence = Fence(Network())
    with pytest.raises(Refused, match="refused-private"):
        fence.judged(text, 443)
    with pytest.raises(Refused, match="refused-private"):
        fence.checked("example.com", 443, [text])
    with pytest.raises(Refused, match="refused-private"):
        fence.checked("example.com", 443, ["1.1.1.1", text])
    with pytest.raises(Refused, match="refused-private"):
        fence.judged(text, 443, proxied=True)


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_open_internet_is_not_refused(text: str) -> None:
    fence = Fence(Network())
    fence.judged(text, 443)
    assert fence.checked("example.com", 443, [text]) == [text]


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0x7f000001", "127.0.1", "1.2.3.4.5", "256.1.1.1", "1.2.3.04",
        "127.0.0.1.", "localhost.", "example.com.", "a..b", ".a", "", "-a.b", "a-.b", "%31.0.0.1", "loc%61lhost",
        "fe80::1%lo", "[fe80::1%25lo]", "[::1", "[1.2.3.4]", "[]", "１２７.0.0.1", "127。0。0。1", "①②⑦.⓪.⓪.①",
        "ⓛocalhost", "local\u00adhost", "a b", "a/b", "a@b", "a\\b", "a\tb", "a\x00b", "a" * 64,
        ".".join(["a" * 60] * 5), "0x", "x.0x1",
    ],
)  # fmt: skip
def test_an_unusual_spelling_is_no_host(host: str) -> None:
    with pytest.raises(Refused, match="bad-url"):
        spelled(host)


@pytest.mark.parametrize(
    ("host", "one"),
    [
        ("EXAMPLE.com", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("한국.kr", "xn--3e0b707e.kr"),
        ("faß.de", "xn--fa-hia.de"),
        ("1e100.net", "1e100.net"),
        ("a_b.example", "a_b.example"),
        ("127.0.0.1.example.com", "127.0.0.1.example.com"),
        ("10.1.2.3", "10.1.2.3"),
        ("[2001:0DB8::0001]", "2001:db8::1"),
    ],
)
def test_a_host_has_one_spelling(host: str, one: str) -> None:
    assert spelled(host) == one


def refused(fence: Fence, host: str, port: int, *found: str) -> bool:
    try:
        fence.judged(host, port)
        fence.checked(host, port, found or [host])
    except Refused as no:
        return no.word == "refused-private"
    return False


def test_what_allow_names_may_be_reached() -> None:
    fence = Fence(Network(allow=("10.20.0.0/16", "intranet.example:8443", "127.0.0.1:9000", "[::1]:9000", "fd00::/8")))
    assert not refused(fence, "10.20.1.1", 443)
    assert not refused(fence, "name.example", 443, "10.20.1.1")
    assert not refused(fence, "::ffff:10.20.1.1", 443)
    assert refused(fence, "10.21.1.1", 443)
    assert not refused(fence, "intranet.example", 8443, "192.168.1.1")
    assert refused(fence, "intranet.example", 443, "192.168.1.1")
    assert refused(fence, "x.intranet.example", 8443, "192.168.1.1")
    assert not refused(fence, "localhost", 9000, "127.0.0.1", "::1")
    assert refused(fence, "localhost", 9001, "127.0.0.1", "::1")
    assert not refused(fence, "fd00::1", 1)
    assert refused(fence, "name.example", 443, "10.20.1.1", "10.21.1.1"), "one forbidden address among several"


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "localhost.localdomain", "ip6-localhost"])
def test_a_name_of_this_machine_is_refused_without_asking_for_its_address(host: str) -> None:
    with pytest.raises(Refused, match="refused-private"):
        Fence(Network()).judged(host, 443)
    with pytest.raises(Refused, match="refused-private"):
        Fence(Network(allow=("10.0.0.0/8",))).judged(host, 443, proxied=True)
    Fence(Network(allow=(host,))).judged(host, 443)


def test_resolve_allows_its_own_name_only() -> None:
    fence = Fence(Network(resolve={"www.example.com:443": "127.0.0.1:8443", "b.example": "[::1]:99"}))
    assert fence.instead("www.example.com", 443) == ("127.0.0.1", 8443)
    assert fence.instead("www.example.com", 8443) is None
    assert fence.instead("b.example", 5) == ("::1", 99)
    fence.judged("www.example.com", 443)
    assert refused(fence, "other.example.com", 443, "127.0.0.1")
    assert refused(fence, "127.0.0.1", 8443)


def test_in_safe_mode_only_what_is_named_may_be_reached() -> None:
    assert Fence(Network(), safe=True).shut
    local = Fence(Network(allow=("127.0.0.1:9000",)), safe=True)
    assert not refused(local, "localhost", 9000, "127.0.0.1")
    assert refused(local, "localhost", 9000, "127.0.0.1", "::1")
    fence = Fence(Network(allow=("10.0.0.0/8", "api.example")), safe=True)
    assert not fence.shut
    assert not refused(fence, "api.example", 443, "1.1.1.1")
    assert not refused(fence, "10.1.1.1", 443)
    with pytest.raises(Refused):
        fence.judged("other.example", 443)  # before its address is asked for, which would tell the name to others
    assert refused(fence, "other.example", 443, "1.1.1.1")
    assert refused(fence, "1.1.1.1", 443)
    with pytest.raises(Refused):
        fence.judged("other.example", 443, proxied=True)


def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    fence = Fence(Network())
    assert fence.proxy("https", "example.com", 443) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pw@10.0.0.1:3128")
    monkeypatch.setenv("NO_PROXY", "intern.example, 10.0.0.0/8, .dotted.example,only.example:8443,*.star.example")
    assert fence.proxy("https", "example.com", 443) == "http://me:pw@10.0.0.1:3128"
    assert fence.proxy("http", "example.com", 80) is None
    for host in ("intern.example", "a.intern.example", "10.1.2.3", "x.dotted.example", "a.star.example"):
        assert fence.proxy("https", host, 443) is None, host
    assert fence.proxy("https", "only.example", 443)
    assert fence.proxy("https", "only.example", 8443) is None
    assert fence.proxy("https", "notintern.example", 443)
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert fence.proxy("https", "example.com", 443) == "http://proxy.example:3128"
    monkeypatch.setenv("NO_PROXY", "*")
    assert fence.proxy("https", "example.com", 443) is None
    assert Fence(Network(proxy="none")).proxy("https", "example.com", 443) is None
    assert Fence(Network(proxy="http://p:1")).proxy("https", "example.com", 443) == "http://p:1"
