"""Digests, ciphers and random values, called from SQL: algorithm, seed and bounds are constant."""

from __future__ import annotations

from array import array
from functools import lru_cache
from threading import Lock

import pyarrow as pa

from udfs.columns import Column, as_list, first
from udfs.crypto import cipher_array, digest_array, java_random, random_bytes_array, transformation


def digest(values: Column, algorithm: Column) -> Column:
    """Digest by a constant algorithm."""
    return digest_array(first(algorithm) or "md5", values)


def encrypt(algorithm: Column, key: Column, data: Column, *iv: Column) -> Column:
    """Cipher text of a constant transformation; without the iv column there is no iv, a null one gives null."""
    return _cipher("encrypt", algorithm, key, data, *iv)


def decrypt(algorithm: Column, key: Column, data: Column, *iv: Column) -> Column:
    """Plain bytes of a constant transformation."""
    return _cipher("decrypt", algorithm, key, data, *iv)


def _cipher(direction: str, algorithm: Column, *columns: Column) -> Column:
    return cipher_array(direction, transformation(first(algorithm) or "AES"), *columns)


def randbytes(rows: Column, length: Column) -> Column:
    """Random bytes, different for every row; the values of ``rows`` do not matter."""
    return random_bytes_array(len(rows), first(length) or 1)


class _Sequence:
    """The start of one ``java.util.Random`` sequence, grown as rows ask for more."""

    def __init__(self, seed: int, bound: int) -> None:
        self._source = java_random(seed, bound)
        self._numbers = array("i")
        self._lock = Lock()

    def at(self, index: int) -> int:
        with self._lock:
            while len(self._numbers) <= index:
                self._numbers.append(next(self._source))
        return self._numbers[index]


@lru_cache(maxsize=8)
def _sequence(seed: int, bound: int) -> _Sequence:
    return _Sequence(seed, bound)


def seeded_random(rows: Column, seed: Column, bound: Column) -> Column:
    """The number that ``new java.util.Random(seed).nextInt(bound)`` gives at each one-based row number."""
    if not len(rows):
        return pa.array([], pa.int32())
    numbers = _sequence(first(seed), first(bound))
    return pa.array([numbers.at(row - 1) for row in as_list(rows)], pa.int32())
