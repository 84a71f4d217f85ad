"""How the texts of a field become numbers, chosen by the kind of model and by how many texts there are.

Contract
- ``CODES``: the place of the text in the alphabet. Trees of a forest split such codes as finely as they need.
- ``CATEGORIES``: the same codes, which a boosted tree splits as sets (at most 254: one byte, less the missing value).
- ``FREQUENCY``: the share of the training rows that have the text, where there are too many for sets.
- ``ONE_HOT``: a column of its own for each of the most frequent texts; all others share the last one.
- A text that the training has not seen has no number: it is a missing value, whatever the encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from logsql.ml.defaults import MOST_CATEGORIES, MOST_COLUMNS


class Encoder(StrEnum):
    CODES = "codes"
    CATEGORIES = "categories"
    FREQUENCY = "frequency"
    ONE_HOT = "one-hot"


#: Gives the encoder for a number of distinct texts.
Choice = Callable[[int], Encoder]


def codes(count: int) -> Encoder:
    """Forests: codes, whatever the number."""
    return Encoder.CODES


def sets(count: int) -> Encoder:
    """Boosting: sets of texts where they fit into a byte, else how frequent the text is."""
    return Encoder.CATEGORIES if count <= MOST_CATEGORIES else Encoder.FREQUENCY


def columns(count: int) -> Encoder:
    """Linear models: a column for each text."""
    return Encoder.ONE_HOT


def numbers_of(
    encoder: Encoder, values: Sequence[str], counts: Sequence[int], rows: int
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The texts in code order and their numbers (empty: the code itself).

    counts: rows with each text, of ``rows`` training rows in all.
    """
    pairs = sorted(zip(values, counts, strict=True))
    if encoder is Encoder.FREQUENCY:
        return tuple(v for v, _ in pairs), tuple(count / max(1, rows) for _, count in pairs)
    if encoder is Encoder.ONE_HOT and len(pairs) > MOST_COLUMNS:
        pairs.sort(key=lambda pair: -pair[1])
        places = tuple(float(min(place, MOST_COLUMNS - 1)) for place in range(len(pairs)))
        return tuple(v for v, _ in pairs), places
    return tuple(v for v, _ in pairs), ()
