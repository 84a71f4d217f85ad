"""Small helpers between Arrow columns and Python functions: plain arrays in, text out, one call per distinct value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

#: A column as Arrow and DuckDB hand it over, in one piece or in several.
Column: TypeAlias = pa.Array | pa.ChunkedArray


def as_array(values: Column) -> pa.Array:
    """One contiguous array of an Array or ChunkedArray; a dictionary column is decoded."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
        if isinstance(values, pa.ChunkedArray):  # older Arrow keeps zero chunks chunked
            values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def as_list(values: Column) -> list[Any]:
    """Python values, null as None."""
    out: list[Any] = as_array(values).to_pylist()
    return out


def first(values: Column) -> Any:
    """The Python value of a column of constants (whatever SQL wrote there); None for an empty column.

    >>> first(pa.array(["utf-8", "utf-8"])), first(pa.array([], pa.string()))
    ('utf-8', None)
    """
    return values[0].as_py() if len(values) else None


def map_distinct(values: Column, function: Callable[[Any], object], out: pa.DataType) -> pa.Array:
    """``function`` of every value, called once per distinct value; null stays null and is never passed.

    Log columns repeat (time stamps, status texts, addresses), and hashing in Arrow is far cheaper than a Python call.

    >>> map_distinct(pa.array(["a", None, "a"]), str.upper, pa.string()).to_pylist()
    ['A', None, 'A']
    """
    encoded = pc.dictionary_encode(as_array(values))
    results = pa.array([function(value) for value in encoded.dictionary.to_pylist()], out)
    return results.take(encoded.indices)
