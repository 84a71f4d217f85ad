"""From the arrays DuckDB hands over to the functions of ``udfs/``: constants are read once per batch.

Every function takes Arrow arrays of one length and returns one. A constant argument (pattern, charset, zone) is the
first element of its array; where SQL allows it to vary, rows are grouped by it.
"""

from __future__ import annotations

import json
from array import array
from functools import lru_cache
from threading import Lock
from typing import Any

import pyarrow as pa

from udfs.columns import as_list


def _first(values: Any) -> Any:
    """The constant in a column of constants; None for an empty batch."""
    return values[0].as_py() if len(values) else None


# --- regular expressions ----------------------------------------------------------------------------------------------


def match(texts: Any, pattern: Any) -> Any:
    """Whether the constant Java pattern is found; null text gives false."""
    from udfs.java import javaregex

    return javaregex.matches(texts, javaregex.classify(_first(pattern) or "", named_only=False))


def groups(texts: Any, pattern: Any) -> Any:
    """All groups of all matches of the constant pattern."""
    from udfs.java import javaregex

    return javaregex.groups(texts, javaregex.classify(_first(pattern) or "", named_only=False))


def rex(texts: Any, pattern: Any) -> Any:
    """The named groups of the first match, a list in the order of ``Regex.columns``; null where nothing matches."""
    from functools import partial

    from udfs.documents import rex_lists
    from udfs.java import javaregex

    return rex_lists(texts, partial(javaregex.rex_extract, spec=javaregex.classify(_first(pattern) or "")))


def replace(texts: Any, patterns: Any, replacements: Any) -> Any:
    """Java replaceAll; pattern and replacement may differ per row. A malformed one gives null."""
    from udfs.java import javaregex

    whole = [c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in (texts, patterns, replacements)]
    pairs = list(zip(as_list(whole[1]), as_list(whole[2]), strict=True))
    distinct = set(pairs)
    out: list[str | None] = [None] * len(pairs)
    for pattern, replacement in distinct:
        if pattern is None or replacement is None:
            continue
        places = [i for i, pair in enumerate(pairs) if pair == (pattern, replacement)]
        try:
            spec = javaregex.classify(pattern, named_only=False)
            changed = javaregex.replace_all(whole[0].take(pa.array(places)), spec, replacement)
        except (javaregex.RegexSyntaxError, javaregex.ReplacementError):
            continue
        for place, value in zip(places, as_list(changed), strict=True):
            out[place] = value
    return pa.array(out, pa.string())


# --- dates ------------------------------------------------------------------------------------------------------------


def date(texts: Any, pattern: Any, locale: Any, zone: Any) -> Any:
    """Text by a constant SimpleDateFormat pattern."""
    from udfs.java import dates

    if not len(texts):
        return pa.array([], pa.timestamp("us", tz="UTC"))
    return dates.parse_array(texts, dates.compile_pattern(_first(pattern), _first(locale)), _first(zone))


def date_text(instants: Any, pattern: Any, locale: Any, zone: Any) -> Any:
    """Instants printed by a constant SimpleDateFormat pattern."""
    from udfs.java import dates

    if not len(instants):
        return pa.array([], pa.string())
    return dates.format_array(instants, dates.compile_pattern(_first(pattern), _first(locale)), _first(zone))


# --- format -----------------------------------------------------------------------------------------------------------


def format_text(fmt: Any, kinds: Any, zone: Any, *columns: Any) -> Any:
    """java.util.Formatter. ``kinds`` has a letter per column: ``v`` a plain value, ``j`` JSON text of any value.

    A single list argument stands for the arguments themselves.
    """
    from udfs.java.javaformat import Long, java_format

    if not len(fmt):
        return pa.array([], pa.string())
    lists: list[list[Any]] = []
    for letter, column in zip(_first(kinds), columns, strict=True):
        items = as_list(column)
        if letter == "j":
            items = [None if item is None else json.loads(item) for item in items]
        elif pa.types.is_int64(column.type) or pa.types.is_uint64(column.type) or pa.types.is_uint32(column.type):
            items = [None if item is None else Long(item) for item in items]
        lists.append(items)
    pattern, where = _first(fmt), _first(zone)
    rows: Any = zip(*lists, strict=True) if lists else [()] * len(fmt)
    out = []
    for row in rows:
        values = row[0] if len(row) == 1 and isinstance(row[0], list) else row
        out.append(java_format(pattern, values, where))
    return pa.array(out, pa.string())


# --- bytes ------------------------------------------------------------------------------------------------------------


def encode(texts: Any, charset: Any) -> Any:
    """Bytes of text in a constant charset (a name from ``udfs.text.charset``)."""
    from udfs.text import encode_array

    return encode_array(texts, _first(charset) or "utf-8")


def decode(values: Any, charset: Any) -> Any:
    """Text of bytes in a constant charset."""
    from udfs.text import decode_array

    return decode_array(values, _first(charset) or "utf-8")


def urldecode(texts: Any, charset: Any) -> Any:
    """Percent-decoding."""
    from udfs.text import urldecode_array

    return urldecode_array(texts, _first(charset) or "utf-8")


def urlencode(texts: Any, charset: Any) -> Any:
    """Percent-encoding."""
    from udfs.text import urlencode_array

    return urlencode_array(texts, _first(charset) or "utf-8")


def digest(values: Any, algorithm: Any) -> Any:
    """Digest by a constant algorithm."""
    from udfs.crypto import digest_array

    return digest_array(_first(algorithm) or "md5", values)


def encrypt(algorithm: Any, key: Any, data: Any, *iv: Any) -> Any:
    """Cipher text of a constant transformation; without the iv column there is no iv, a null one gives null."""
    return _cipher("encrypt", algorithm, key, data, *iv)


def decrypt(algorithm: Any, key: Any, data: Any, *iv: Any) -> Any:
    """Plain bytes of a constant transformation."""
    return _cipher("decrypt", algorithm, key, data, *iv)


def _cipher(direction: str, algorithm: Any, *columns: Any) -> Any:
    from udfs.crypto import cipher_array, transformation

    return cipher_array(direction, transformation(_first(algorithm) or "AES"), *columns)


# --- random values ----------------------------------------------------------------------------------------------------


def randbytes(rows: Any, length: Any) -> Any:
    """Random bytes, different for every row; the values of ``rows`` do not matter."""
    from udfs.crypto import random_bytes_array

    return random_bytes_array(len(rows), _first(length) or 1)


class _Sequence:
    """The start of one ``java.util.Random`` sequence, grown as rows ask for more."""

    def __init__(self, seed: int, bound: int) -> None:
        from udfs.crypto import java_random

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


def seeded_random(rows: Any, seed: Any, bound: Any) -> Any:
    """The number that ``new java.util.Random(seed).nextInt(bound)`` gives at each one-based row number."""
    if not len(rows):
        return pa.array([], pa.int32())
    numbers = _sequence(_first(seed), _first(bound))
    return pa.array([numbers.at(row - 1) for row in as_list(rows)], pa.int32())


def not_number(texts: Any, sources: Any, runs: Any) -> Any:
    """Null for every text, counted in the ledger of the run: an operand of arithmetic that is no number."""
    from logsql.engine.ledger import LEDGERS

    count = len(texts) - texts.null_count
    ledger = LEDGERS.get(runs[0].as_py()) if count else None
    if ledger is not None:
        first = next(v for v in texts.to_pylist() if v is not None)
        ledger.lost(sources[0].as_py(), "text-not-a-number", count, sample=str(first)[:80])
    return pa.nulls(len(texts), pa.float64())


def list_cut(counts: Any, sources: Any, runs: Any) -> Any:
    """0 for every count of items that values() or array() left out; they are counted in the ledger of the run."""
    from logsql.engine.ledger import LEDGERS

    items = [count for count in as_list(counts) if count]
    ledger = LEDGERS.get(_first(runs)) if items else None
    if ledger is not None:
        ledger.lost(_first(sources), "list-cut", sum(items))
    return pa.array([0] * len(counts), pa.int64())
