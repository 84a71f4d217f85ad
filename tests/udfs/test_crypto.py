"""Digests, ciphers and random numbers; tables are the output of JDK 17 (javax.crypto.Cipher, java.util.Random)."""

from __future__ import annotations

import base64
import sys
from itertools import islice

import pyarrow as pa
import pytest

from udfs import crypto
from udfs.extras import MissingExtra

KEY = b"0123456789abcdefghijklmn0123456789abcdef0123456789abcdef"
IV = b"fedcba9876543210"

# transformation, key bytes used, iv bytes used, plain, cipher text in hex (None: Java throws)
CIPHERS = [
    ("AES", 16, 0, b"hello, world!", "742e21b68853e7a69612f7f6858be543"),
    ("AES", 16, 0, b"0123456789abcdef", "72727e881edcfd0100a718687909b565377222e061a924c591cd9c27ea163ed4"),
    ("AES", 16, 0, b"", "377222e061a924c591cd9c27ea163ed4"),
    ("AES", 32, 0, b"hello, world!", "43b8fa04dd58b5851d06f48a65db975c"),
    ("AES", 32, 0, b"0123456789abcdef", "b23c11b7761bb8155049a638909264f92ae9240d78d8ffb60f4c6a2bb4427e85"),
    ("AES", 32, 0, b"", "2ae9240d78d8ffb60f4c6a2bb4427e85"),
    ("AES/ECB/NoPadding", 16, 0, b"hello, world!", None),
    ("AES/ECB/NoPadding", 16, 0, b"0123456789abcdef", "72727e881edcfd0100a718687909b565"),
    ("AES/ECB/NoPadding", 16, 0, b"", ""),
    ("AES/CBC/PKCS5Padding", 24, 16, b"hello, world!", "43919187f4d4adefef99442e894a40fc"),
    (
        "AES/CBC/PKCS5Padding",
        24,
        16,
        b"0123456789abcdef",
        "b4fe69828c6e809e851a1204ecf45f830fc37783e71bd8e64ae7cf88f52bf08d",
    ),
    ("AES/CBC/PKCS5Padding", 24, 16, b"", "2cd7c90ef5f325921adbd4657c88c475"),
    ("AES/CFB/NoPadding", 16, 16, b"hello, world!", "632eba1d995c5f7ed74aafb2eb"),
    ("AES/CFB/NoPadding", 16, 16, b"0123456789abcdef", "3b7ae442c245493e8001a2b4a9780f5b"),
    ("AES/CFB/NoPadding", 16, 16, b"", ""),
    ("AES/CFB/PKCS5Padding", 16, 16, b"hello, world!", "632eba1d995c5f7ed74aafb2eb1f693e"),
    (
        "AES/CFB/PKCS5Padding",
        16,
        16,
        b"0123456789abcdef",
        "3b7ae442c245493e8001a2b4a9780f5b62df38a749d172bdabf18e20a83266d7",
    ),
    ("AES/CFB/PKCS5Padding", 16, 16, b"", "1b5bc661e6606f19a828d3c6da0c7a2d"),
    ("AES/CFB8/NoPadding", 16, 16, b"hello, world!", "6340d839176d2a88c89817c3f6"),
    ("AES/CFB8/NoPadding", 16, 16, b"0123456789abcdef", "3b670ec4c98d2ca6ea3d6594845b84c1"),
    ("AES/CFB8/NoPadding", 16, 16, b"", ""),
    ("AES/OFB/NoPadding", 16, 16, b"hello, world!", "632eba1d995c5f7ed74aafb2eb"),
    ("AES/OFB/NoPadding", 16, 16, b"0123456789abcdef", "3b7ae442c245493e8001a2b4a9780f5b"),
    ("AES/OFB/NoPadding", 16, 16, b"", ""),
    ("AES/CTR/NoPadding", 16, 16, b"hello, world!", "632eba1d995c5f7ed74aafb2eb"),
    ("AES/CTR/NoPadding", 16, 16, b"0123456789abcdef", "3b7ae442c245493e8001a2b4a9780f5b"),
    ("AES/CTR/NoPadding", 16, 16, b"", ""),
    ("DES", 8, 0, b"hello, world!", "c4f536adbbaeb884e140a1e9cb8cc568"),
    ("DES", 8, 0, b"0123456789abcdef", "c50ad028c6da98006920c6ed3648b3dc08bb5db6b37c06d7"),
    ("DES", 8, 0, b"", "08bb5db6b37c06d7"),
    ("DES/CBC/PKCS5Padding", 8, 8, b"hello, world!", "3c8d9ec0ffaa4e5d2b86ef311710290e"),
    ("DES/CBC/PKCS5Padding", 8, 8, b"0123456789abcdef", "6a74137225acbfc02705ca77f22a3c7272f864dc5fb2e38a"),
    ("DES/CBC/PKCS5Padding", 8, 8, b"", "21a4be3b7f31c867"),
    ("DESede", 24, 0, b"hello, world!", "77aa560e7489c0a14d4d37772a01b55a"),
    ("DESede", 24, 0, b"0123456789abcdef", "e0dee91008dc460cdeaccb4e178f1012c46c5fe1558764e3"),
    ("DESede", 24, 0, b"", "c46c5fe1558764e3"),
    ("DESede/CBC/PKCS5Padding", 24, 8, b"hello, world!", "b8e76db6bb97f26c1105c2585d2d5e22"),
    ("DESede/CBC/PKCS5Padding", 24, 8, b"0123456789abcdef", "5d9101d85cb08ce43bb83c7a828ff0a321d29ba8322854a3"),
    ("DESede/CBC/PKCS5Padding", 24, 8, b"", "7481e0e9a7ce0fae"),
    ("DESede/CFB/NoPadding", 24, 8, b"hello, world!", "a0f6f3d0a4948181f9812b5b06"),
    ("DESede/CFB/NoPadding", 24, 8, b"0123456789abcdef", "f8a2ad8fff8d97c1f32f1b1dfdbc8c1b"),
    ("DESede/CFB/NoPadding", 24, 8, b"", ""),
    ("Blowfish", 16, 0, b"hello, world!", "10abb9ef777b99e68e3b4dd538580db4"),
    ("Blowfish", 16, 0, b"0123456789abcdef", "3b77046afc05dc992ec7b0b2220b98bff5f8ae2e2e433b92"),
    ("Blowfish", 16, 0, b"", "f5f8ae2e2e433b92"),
    ("Blowfish/CBC/PKCS5Padding", 5, 8, b"hello, world!", "61c901d684a49b0b1451f2dcfaf078df"),
    ("Blowfish/CBC/PKCS5Padding", 5, 8, b"0123456789abcdef", "8158e3dee0bac27a697a961c440af5e3bdf828d760b7a693"),
    ("Blowfish/CBC/PKCS5Padding", 5, 8, b"", "d5db359a24a10d31"),
    ("RC4", 16, 0, b"hello, world!", "ec0d2c35926280ef668436fae1"),
    ("RC4", 16, 0, b"0123456789abcdef", "b459726ac97b96af31cf3bfca3f73623"),
    ("RC4", 16, 0, b"", ""),
    ("ARCFOUR", 5, 0, b"hello, world!", "9cbcd5cb00943893d36f761de0"),
    ("ARCFOUR", 5, 0, b"0123456789abcdef", "c4e88b945b8d2ed384247b1ba2fca930"),
    ("ARCFOUR", 5, 0, b"", ""),
    ("Blowfish/OFB/NoPadding", 16, 8, b"hello, world!", "a107dfb87749e8d0aa6af073a1"),
    ("Blowfish/OFB/NoPadding", 16, 8, b"0123456789abcdef", "f95381e72c50fe90fd21fd75e3feaf67"),
    ("Blowfish/OFB/NoPadding", 16, 8, b"", ""),
]

# seed, bound, the first numbers of new Random(seed).nextInt(bound)
RANDOM = [
    (42, 10, [0, 3, 8, 4, 0, 5, 5, 8]),
    (42, 1000, [130, 763, 248, 884, 970, 525, 505, 918]),
    (42, 16, [11, 0, 10, 0, 4, 15, 4, 11]),
    (42, 1073741824, [781215565, 58696381, 733605624, 51474442, 331484985, 1011543762, 297510752, 759898459]),
    (42, 1073741825, [117392763, 102948884, 662969970, 595021505, 196118093, 969067502, 791955276, 819572292]),
    (42, 2147483647, [1562431130, 117392763, 1467211248, 102948884, 662969970, 2023087525, 595021505, 1519796918]),
    (0, 10, [0, 8, 9, 7, 5, 3, 1, 1]),
    (0, 1000, [360, 948, 29, 447, 515, 53, 491, 761]),
    (0, 16, [11, 13, 3, 9, 10, 4, 8, 1]),
    (0, 1073741824, [784870680, 892752974, 258274014, 651058223, 684421757, 331840526, 591027245, 125634880]),
    (0, 1073741825, [516548029, 663681053, 251269761, 715581077, 542832677, 827187473, 49567875, 377907320]),
    (0, 2147483647, [1569741360, 1785505948, 516548029, 1302116447, 1368843515, 663681053, 1182054491, 251269761]),
    (-7, 10, [2, 7, 0, 7, 8, 7, 1, 6]),
    (-7, 1000, [662, 297, 590, 707, 478, 87, 591, 436]),
    (-7, 16, [4, 14, 10, 15, 8, 2, 13, 5]),
    (-7, 1073741824, [288967331, 967975648, 722822795, 1015593853, 559945239, 157223543, 914697295, 338837718]),
    (-7, 1073741825, [577934662, 314447087, 677675436, 184135245, 425474944, 988357177, 370061409, 272470848]),
    (-7, 2147483647, [577934662, 1935951297, 1445645590, 2031187707, 1119890478, 314447087, 1829394591, 677675436]),
    (123456789, 10, [5, 0, 3, 4, 0, 4, 3, 7]),
    (123456789, 1000, [965, 600, 483, 344, 290, 554, 533, 807]),
    (123456789, 16, [10, 12, 7, 4, 6, 3, 14, 6]),
    (123456789, 1073741824, [713005482, 819604800, 490648241, 273664172, 419303145, 232568777, 959217766, 456866403]),
    (123456789, 1073741825, [981296483, 547328344, 838606290, 465137554, 913732807, 925572887, 771983441, 1052992961]),
    (
        123456789,
        2147483647,
        [1426010965, 1639209600, 981296483, 547328344, 838606290, 465137554, 1918435533, 913732807],
    ),
]


@pytest.mark.parametrize(("name", "key", "iv", "plain", "expected"), CIPHERS)
def test_ciphers_as_java(name: str, key: int, iv: int, plain: bytes, expected: str | None) -> None:
    how = crypto.transformation(name)
    secret = crypto.encrypt(how, KEY[:key], plain, IV[:iv] or None)
    assert (None if secret is None else secret.hex()) == expected
    if secret is not None:
        assert crypto.decrypt(how, KEY[:key], secret, IV[:iv] or None) == plain


@pytest.mark.parametrize(
    "name",
    [
        "ASE",
        "NOPE",
        "",
        "AES/CBC",
        "AES/XYZ/NoPadding",
        "AES/ECB/FooPadding",
        "AES/CTR/PKCS5Padding",
        "RC4/CBC/NoPadding",
    ],
)
def test_unknown_transformation_is_refused(name: str) -> None:
    with pytest.raises(crypto.CryptoError, match="cipher"):
        crypto.transformation(name)


def test_values_of_the_language() -> None:
    """conformance/functions.jsonl: encrypt, decrypt, hash."""
    key = base64.b64decode("mRcOlK9V47rjVL/RBYQYRw==")
    aes = crypto.transformation("AES")
    assert crypto.encrypt(aes, key, b"helloworld") == base64.b64decode("2W3kHbN95/HUSTE/bJt/8g==")
    assert crypto.decrypt(aes, key, base64.b64decode("y7+NQQ9/9xGtbBq5pgBvCA==")) == b"hello, world!"
    assert crypto.encrypt(aes, b"short", b"x") is None
    cbc = crypto.transformation("AES/CBC/PKCS5Padding")
    assert crypto.encrypt(cbc, b"0123456789abcdef", b"hello", b"fedcba9876543210") == base64.b64decode(
        "e+3OsGVfOJQQaXifNkYgkQ=="
    )
    hello = b"hello, world!"
    assert crypto.digest("SHA1", hello).hex() == "1f09d30c707d53f3d16c530dd73d70a6ce7596a9"
    assert (
        crypto.digest("sha384", b"hello world")
        .hex()
        .startswith("fdbd8e75a67f29f701a4e040385e2e23986303ea10239211af907fcbb83578b3")
    )
    with pytest.raises(crypto.CryptoError, match="hash"):
        crypto.digest("md4", b"")


@pytest.mark.parametrize(
    ("name", "key", "data", "iv"),
    [
        ("AES", KEY[:16], b"not a block", None),
        ("AES", KEY[:16], b"0123456789abcdef", None),  # wrong padding after decryption
        ("AES/CBC/PKCS5Padding", KEY[:16], b"0123456789abcdef", None),  # no iv
        ("AES/CBC/PKCS5Padding", KEY[:16], b"0123456789abcdef", b"short"),
        ("AES", KEY[:16], b"0123456789abcdef", IV),  # ECB takes no iv
        ("AES", None, b"", None),
        ("AES", KEY[:16], None, None),
    ],
)
def test_wrong_data_gives_null(name: str, key: bytes | None, data: bytes | None, iv: bytes | None) -> None:
    assert crypto.decrypt(crypto.transformation(name), key, data, iv) is None


def test_cipher_columns() -> None:
    how = crypto.transformation("AES/CBC/PKCS5Padding")
    keys = pa.array([KEY[:16], None, KEY[:5]])
    secret = crypto.cipher_array("encrypt", how, keys, pa.array([b"a", b"b", b"c"]), pa.array([IV, IV, IV]))
    plain = crypto.cipher_array("decrypt", how, keys, secret, pa.array([IV, IV, IV]))
    assert plain.to_pylist() == [b"a", None, None]
    assert crypto.cipher_array("encrypt", how, keys, pa.array(["text"] * 3), pa.array([IV] * 3)).null_count == 3


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(MissingExtra, match=r"logsql\[crypto\]"):
        crypto.encrypt(crypto.transformation("AES"), KEY[:16], b"x")


@pytest.mark.parametrize(("seed", "bound", "expected"), RANDOM)
def test_seeded_random_as_java(seed: int, bound: int, expected: list[int]) -> None:
    assert list(islice(crypto.java_random(seed, bound), len(expected))) == expected
    assert crypto.java_random_array(seed, bound, 3, 4).to_pylist() == expected[3:7]


@pytest.mark.parametrize("bound", [0, -1, 2**31, 1.5, True, "a"])
def test_bound_of_rand(bound: int) -> None:
    with pytest.raises(crypto.CryptoError, match="positive"):
        crypto.java_random(1, bound)


@pytest.mark.parametrize("length", [0, -1, 10_241, "A", 1.5])
def test_length_of_randbytes(length: int) -> None:
    with pytest.raises(crypto.CryptoError, match="length"):
        crypto.random_bytes(length)


def test_randbytes_draws_anew() -> None:
    drawn = crypto.random_bytes_array(50, 16).to_pylist()
    assert {len(value) for value in drawn} == {16}
    assert len(set(drawn)) == 50


def test_digest_columns() -> None:
    empty = "da39a3ee5e6b4b0d3255bfef95601890afd80709"  # FIPS 180: SHA-1 of nothing
    assert [v and v.hex() for v in crypto.digest_array("sha1", pa.array([b"", None])).to_pylist()] == [empty, None]
    assert crypto.digest_array("sha1", pa.array(["text"])).to_pylist() == [None]
