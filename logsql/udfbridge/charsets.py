"""Charsets and percent-encoding, called from SQL: the charset is constant.

A letter that a charset does not have becomes ``?``, bytes that are no text U+FFFD. The functions ``..._told`` count the
values in which that happens, by the counter of a number, for an entry of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logsql.udfbridge.losses import many_at
from udfs import text as charsets
from udfs.columns import Column, as_array, first
from udfs.text import decode_array, decode_bytes, encode_array, encode_text, urldecode_array, urlencode_array

_REPLACED = "\ufffd"


def encode(texts: Column, charset: Column) -> Column:
    """Bytes of text in a constant charset (a name from ``udfs.text.charset``)."""
    return encode_array(texts, first(charset) or "utf-8")


def decode(values: Column, charset: Column) -> Column:
    """Text of bytes in a constant charset."""
    return decode_array(values, first(charset) or "utf-8")


def urldecode(texts: Column, charset: Column) -> Column:
    """Percent-decoding."""
    return urldecode_array(texts, first(charset) or "utf-8")


def urlencode(texts: Column, charset: Column) -> Column:
    """Percent-encoding."""
    return urlencode_array(texts, first(charset) or "utf-8")


def encode_told(texts: Column, charset: Column, numbers: Column, entries: Column) -> Column:
    """:func:`encode`, with texts counted that hold letters which the charset does not have."""
    codec = first(charset) or "utf-8"

    def encoded(text: str) -> tuple[bytes, bool]:
        return (made := encode_text(text, codec)), _lacks(text, made, codec)

    return _told(texts, encoded, pa.binary(), numbers, entries)


def urlencode_told(texts: Column, charset: Column, numbers: Column, entries: Column) -> Column:
    """:func:`urlencode`, with texts counted that hold letters which the charset does not have."""
    codec = first(charset) or "utf-8"

    def encoded(text: str) -> tuple[str, bool]:
        return charsets.urlencode(text, codec), _lacks(text, encode_text(text, codec), codec)

    return _told(texts, encoded, pa.string(), numbers, entries)


def decode_told(values: Column, charset: Column, numbers: Column, entries: Column) -> Column:
    """:func:`decode`, with values counted that are no text in the charset."""
    codec = first(charset) or "utf-8"

    def decoded(data: bytes) -> tuple[str, bool]:
        text = decode_bytes(data, codec)
        return text, _REPLACED in text and encode_text(text, codec) != data

    return _told(values, decoded, pa.string(), numbers, entries)


def urldecode_told(texts: Column, charset: Column, numbers: Column, entries: Column) -> Column:
    """:func:`urldecode`, with texts counted whose escaped bytes are no text in the charset."""
    codec = first(charset) or "utf-8"
    sign = "".join(f"%{byte:02x}" for byte in encode_text(_REPLACED, codec))

    def decoded(text: str) -> tuple[str, bool]:
        made = charsets.urldecode(text, codec)
        return made, _REPLACED in made and _REPLACED not in text and sign not in text.lower()

    return _told(texts, decoded, pa.string(), numbers, entries)


def _lacks(text: str, made: bytes, codec: str) -> bool:
    return b"?" in made and not text.isascii() and decode_bytes(made, codec) != text


def _told(
    values: Column, function: Callable[[Any], tuple[object, bool]], out: pa.DataType, numbers: Column, entries: Column
) -> Column:
    """The values made of each distinct value, and the rows counted in which something was replaced."""
    encoded = pc.dictionary_encode(as_array(values))
    found = encoded.dictionary.to_pylist()
    made = [function(value) for value in found]
    if any(replaced for _, replaced in made):
        flags = pa.array([replaced for _, replaced in made], pa.bool_()).take(encoded.indices)
        sample = next(value for value, (_, replaced) in zip(found, made, strict=True) if replaced)
        many_at(numbers, entries, pc.sum(flags).as_py() or 0, sample.hex() if isinstance(sample, bytes) else sample)
    return pa.array([value for value, _ in made], out).take(encoded.indices)
