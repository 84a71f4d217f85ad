"""Fields of inputs that are lists of numbers: one column of the matrix per number.

Queries refuse lists as features so far (``check_suitable`` in ``operators/models.py``).

Contract
- All lists of a field have one length, in training and in scoring; another length is refused, because its numbers
  would stand for other words.
- A row without a list, and a null inside of one, are missing values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from logsql.diagnostics.modeldata import VECTOR_LENGTHS, VECTOR_OTHER, VECTOR_SIZE
from logsql.diagnostics.models import MlError
from logsql.ml.defaults import MOST_NUMBERS


def is_vector(type_: pa.DataType) -> bool:
    """Whether a column holds lists of decimals."""
    types = pa.types
    if not (types.is_list(type_) or types.is_large_list(type_) or types.is_fixed_size_list(type_)):
        return False
    return bool(types.is_floating(type_.value_type))  # lists of whole numbers are ports, codes, places of a text


def alike(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether all lists have one length."""
    bounds = pc.min_max(pc.list_value_length(column)).as_py()
    return bool(bounds["min"] == bounds["max"])


def vector_size(name: str, column: pa.Array | pa.ChunkedArray, owner: str) -> int:
    """The length of all lists of a training column. Raises MlError where they differ or are empty or too long."""
    bounds = pc.min_max(pc.list_value_length(column)).as_py()
    if bounds["min"] != bounds["max"]:
        raise MlError(VECTOR_LENGTHS, name=name, owner=owner, first=bounds["min"], other=bounds["max"])
    if not 1 <= bounds["max"] <= MOST_NUMBERS:
        raise MlError(VECTOR_SIZE, name=name, found=bounds["max"], limit=MOST_NUMBERS)
    return int(bounds["max"])


def vector_numbers(name: str, column: pa.Array | pa.ChunkedArray, size: int) -> NDArray[np.float64]:
    """The lists as a matrix, shape (rows, size), NaN where there is none. Raises MlError on another length."""
    out = np.full((len(column), size), np.nan)
    if pa.types.is_null(column.type):
        return out
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    for length in lengths:
        if length is not None and length != size:
            raise MlError(VECTOR_OTHER, name=name, found=length, wanted=size)
    given = column.is_valid().to_numpy(zero_copy_only=False)
    numbers = pc.list_flatten(column).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    out[given] = numbers.reshape(-1, size)
    out[np.isinf(out)] = np.nan
    return out


def scalar_vector(value: object, size: int) -> list[float]:
    """The numbers of one list; missing values where it is none of this length."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != size:
        return [math.nan] * size
    numbers = [float(v) if isinstance(v, (int, float)) else math.nan for v in value]
    return [math.nan if math.isinf(n) else n for n in numbers]
