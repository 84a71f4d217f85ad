"""Digests, ciphers by Java transformation name, and random numbers.

Ciphers need the package ``cryptography`` (extra ``crypto``), imported on first use. Wrong calls (unknown algorithm,
mode, padding, hash or bound) raise :class:`CryptoError` when the call is prepared; wrong data (key size, block
size, padding, missing iv) gives None. Source: functions ``hash``, ``encrypt``, ``decrypt``, ``rand``, ``randbytes``
of the language; javax.crypto.Cipher of JDK 17.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from udfs.columns import as_array, as_list, map_distinct
from udfs.extras import needs_extra

_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
MAX_RANDOM_BYTES = 10_240


class CryptoError(ValueError):
    """A call that can never work: unknown hash, cipher algorithm, mode or padding, or a bad bound or length."""


# --- digests -----------------------------------------------------------------------------------------------


def hash_name(name: str) -> str:
    """Checked lower-case hash name; raises :class:`CryptoError`.

    >>> hash_name("SHA384")
    'sha384'
    """
    if name.lower() not in _HASHES:
        raise CryptoError(f'unsupported hash algorithm "{name}" (known: {", ".join(_HASHES)})')
    return name.lower()


def digest(name: str, data: bytes) -> bytes:
    """Digest of bytes.

    >>> digest("md5", b"hello, world!").hex()
    '3adbbad1791fbae3ec908894c4963870'
    """
    return hashlib.new(hash_name(name), data, usedforsecurity=False).digest()


def digest_array(name: str, values: pa.Array | pa.ChunkedArray) -> pa.BinaryArray:
    """:func:`digest` of a binary column; null, and every value of another type, gives null.

    >>> digest_array("sha512", pa.array([b"", None])).to_pylist()[0].hex()[:16]
    'cf83e1357eefb8bd'
    """
    known = hash_name(name)
    flat = as_array(values)
    if not (pa.types.is_binary(flat.type) or pa.types.is_large_binary(flat.type)):
        return pa.nulls(len(flat), pa.binary())
    return map_distinct(flat, lambda data: digest(known, data), pa.binary())


# --- ciphers -----------------------------------------------------------------------------------------------

# algorithm -> (block size in bytes or None for a stream, key sizes in bytes)
_ALGORITHMS: dict[str, tuple[int | None, tuple[int, ...]]] = {
    "AES": (16, (16, 24, 32)),
    "DES": (8, (8,)),
    "DESEDE": (8, (24,)),
    "BLOWFISH": (8, tuple(range(4, 57))),
    "RC4": (None, tuple(range(5, 129))),
}
_SYNONYMS = {"TRIPLEDES": "DESEDE", "ARCFOUR": "RC4", "RIJNDAEL": "AES"}
_MODES = ("ECB", "CBC", "CFB", "CFB8", "OFB", "CTR")
_PADDINGS = {"NOPADDING": False, "PKCS5PADDING": True}


@dataclass(frozen=True)
class Transformation:
    """A checked transformation: canonical algorithm, mode ("" for a stream cipher), whether PKCS5 padding is used."""

    name: str
    algorithm: str
    mode: str
    padded: bool


def transformation(name: str) -> Transformation:
    """Check ``algorithm`` or ``algorithm/mode/padding`` (letter case ignored); raises :class:`CryptoError`.

    A bare block cipher means ECB with PKCS5 padding, as the Java provider does.

    >>> transformation("AES") == transformation("AES/ECB/PKCS5Padding").__class__("AES", "AES", "ECB", True)
    True
    """
    parts = [part.strip().upper() for part in name.split("/")]
    algorithm = _SYNONYMS.get(parts[0], parts[0])
    if algorithm not in _ALGORITHMS or len(parts) not in (1, 3):
        raise CryptoError(f'unknown cipher algorithm "{name}" (known: AES, DES, DESede, Blowfish, RC4)')
    block = _ALGORITHMS[algorithm][0]
    if block is None:
        if len(parts) == 3 and parts[1:] != ["ECB", "NOPADDING"]:
            raise CryptoError(f'cipher "{name}": a stream cipher has no mode or padding')
        return Transformation(name, algorithm, "", False)
    mode, padding = parts[1:] if len(parts) == 3 else ("ECB", "PKCS5PADDING")
    if mode not in _MODES or padding not in _PADDINGS or (mode == "CTR" and (padding != "NOPADDING" or block != 16)):
        raise CryptoError(f'cipher "{name}": mode or padding of the algorithm is not supported')
    return Transformation(name, algorithm, mode, _PADDINGS[padding])


def _package() -> Any:
    needs_extra("encrypt and decrypt", "cryptography", "crypto", "cryptography.hazmat.primitives")
    from cryptography.hazmat.decrepit.ciphers import algorithms as old
    from cryptography.hazmat.decrepit.ciphers import modes as old_modes
    from cryptography.hazmat.primitives import ciphers
    from cryptography.hazmat.primitives.ciphers import algorithms, modes

    return ciphers, algorithms, modes, old, old_modes


def fits(how: Transformation, key: bytes) -> bool:
    """Whether a key has a size that the algorithm takes.

    >>> fits(transformation("AES"), b"short"), fits(transformation("AES"), b"0123456789abcdef")
    (False, True)
    """
    return len(key) in _ALGORITHMS[how.algorithm][1]


def _cipher(how: Transformation, key: bytes, iv: bytes | None) -> Any:
    """A ``cryptography`` Cipher, or None when key or iv have a wrong size or are missing."""
    ciphers, algorithms, modes, old, old_modes = _package()
    block, sizes = _ALGORITHMS[how.algorithm]
    if len(key) not in sizes:
        return None
    made: dict[str, Callable[[], Any]] = {
        "AES": lambda: algorithms.AES(key),
        "DES": lambda: old.TripleDES(key * 3),
        "DESEDE": lambda: old.TripleDES(key),
        "BLOWFISH": lambda: old.Blowfish(key),
        "RC4": lambda: old.ARC4(key),
    }
    try:
        algorithm = made[how.algorithm]()
    except ValueError:  # an RC4 key size that the package does not offer
        return None
    if block is None or how.mode == "ECB":  # neither takes an iv
        return ciphers.Cipher(algorithm, modes.ECB() if block else None) if iv is None else None
    if iv is None or len(iv) != block:
        return None
    chosen = {"CBC": modes.CBC, "CTR": modes.CTR}.get(how.mode) or getattr(old_modes, how.mode)
    return ciphers.Cipher(algorithm, chosen(iv))


def encrypt(how: Transformation, key: bytes | None, data: bytes | None, iv: bytes | None = None) -> bytes | None:
    """Cipher text, or None for wrong sizes or a null; raises :class:`udfs.extras.MissingExtra`.

    >>> key, iv = b"0123456789abcdef", b"fedcba9876543210"
    >>> encrypt(transformation("AES/CBC/PKCS5Padding"), key, b"hello", iv).hex()
    '7bedceb0655f38941069789f36462091'
    """
    if key is None or data is None:
        return None
    cipher = _cipher(how, key, iv)
    if cipher is None:
        return None
    block = _ALGORITHMS[how.algorithm][0] or 1
    if how.padded:
        fill = block - len(data) % block
        data += bytes((fill,)) * fill
    elif how.mode in ("ECB", "CBC") and len(data) % block:
        return None
    worker = cipher.encryptor()
    result: bytes = worker.update(data) + worker.finalize()
    return result


def decrypt(how: Transformation, key: bytes | None, data: bytes | None, iv: bytes | None = None) -> bytes | None:
    """Plain bytes, or None for wrong sizes, wrong padding or a null; raises :class:`udfs.extras.MissingExtra`.

    >>> decrypt(transformation("AES"), b"0123456789abcdef", encrypt(transformation("AES"), b"0123456789abcdef", b"hi"))
    b'hi'
    """
    if key is None or data is None:
        return None
    cipher = _cipher(how, key, iv)
    block = _ALGORITHMS[how.algorithm][0] or 1
    if cipher is None or ((how.padded or how.mode in ("ECB", "CBC")) and len(data) % block):
        return None
    worker = cipher.decryptor()
    plain: bytes = worker.update(data) + worker.finalize()
    if not how.padded or not plain:
        return plain
    fill = plain[-1]
    if not 1 <= fill <= block or plain[-fill:] != bytes((fill,)) * fill:
        return None
    return plain[:-fill]


def cipher_array(
    direction: str,
    how: Transformation,
    key: pa.Array | pa.ChunkedArray,
    data: pa.Array | pa.ChunkedArray,
    iv: pa.Array | pa.ChunkedArray | None = None,
) -> pa.BinaryArray:
    """:func:`encrypt` or :func:`decrypt` (``direction``) over binary columns of one length; other types give nulls.

    >>> key, data = pa.array([b"0123456789abcdef"]), pa.array([b"hi"])
    >>> secret = cipher_array("encrypt", transformation("AES"), key, data)
    >>> cipher_array("decrypt", transformation("AES"), key, secret).to_pylist()
    [b'hi']
    """
    work = {"encrypt": encrypt, "decrypt": decrypt}[direction]
    columns = [as_list(column) for column in (key, data) if column is not None]
    columns.append([None] * len(columns[0]) if iv is None else as_list(iv))
    if iv is not None:  # a null iv is a null argument, not a missing one
        rows = [(k, d, v) if v is not None else (None, None, None) for k, d, v in zip(*columns, strict=True)]
    else:
        rows = list(zip(*columns, strict=True))
    good = [all(item is None or isinstance(item, bytes) for item in row) for row in rows]
    return pa.array([work(how, *row) if ok else None for row, ok in zip(rows, good, strict=True)], pa.binary())


# --- random numbers ----------------------------------------------------------------------------------------


def random_bytes(length: int) -> bytes:
    """Random bytes; ``length`` 1 to 10240, else :class:`CryptoError`.

    >>> len(random_bytes(32))
    32
    """
    if isinstance(length, bool) or not isinstance(length, int):
        raise CryptoError("randbytes: the length must be an integer")
    if not 1 <= length <= MAX_RANDOM_BYTES:
        raise CryptoError(f"randbytes: the length must be in the range 1 to {MAX_RANDOM_BYTES}")
    return os.urandom(length)


def random_bytes_array(count: int, length: int) -> pa.BinaryArray:
    """``count`` values of :func:`random_bytes`, all different draws.

    >>> len(random_bytes_array(3, 4))
    3
    """
    random_bytes(length)
    pool = os.urandom(count * length)
    return pa.array([pool[i * length : (i + 1) * length] for i in range(count)], pa.binary())


def java_random(seed: int, bound: int) -> Iterator[int]:
    """The numbers of ``new java.util.Random(seed).nextInt(bound)``, for ever; a bad bound raises :class:`CryptoError`.

    >>> list(islice(java_random(42, 10), 8))
    [0, 3, 8, 4, 0, 5, 5, 8]
    """
    check_bound(bound)
    return _java_random(seed, bound)


def _java_random(seed: int, bound: int) -> Iterator[int]:
    mask = (1 << 48) - 1
    state = (seed ^ 0x5DEECE66D) & mask
    power = bound & (bound - 1) == 0
    while True:
        state = (state * 0x5DEECE66D + 0xB) & mask
        bits = state >> 17  # 31 bits
        if power:
            yield bits * bound >> 31
        elif bits - bits % bound + (bound - 1) < 2**31:
            yield bits % bound


def check_bound(bound: int) -> None:
    """Refuse a bound of ``rand`` that is no positive 32-bit integer."""
    if isinstance(bound, bool) or not isinstance(bound, int) or not 0 < bound < 2**31:
        raise CryptoError("rand: the bound should be positive (an integer below 2147483648)")


def java_random_array(seed: int, bound: int, start: int, count: int) -> pa.Int32Array:
    """Numbers ``start`` .. ``start + count`` of the sequence: row order decides which row gets which number.

    >>> java_random_array(42, 10, 2, 3).to_pylist()
    [8, 4, 0]
    """
    return pa.array(islice(java_random(seed, bound), start, start + count), pa.int32())
