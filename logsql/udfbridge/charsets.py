"""Charsets and percent-encoding, called from SQL: the charset is constant."""

from __future__ import annotations

from udfs.columns import Column, first
from udfs.text import decode_array, encode_array, urldecode_array, urlencode_array


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
