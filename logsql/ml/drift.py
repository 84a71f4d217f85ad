"""What values a model was trained on, and how far the values of other rows have moved from them.

Contract
- ``profile`` notes, per feature, range, nulls and how the training rows fall into bins: ten of about equal size for
  numbers, dates and addresses (a value that fills a tenth by itself is a bin of its own; few different values are one
  bin each), one bin a text for texts (the thousand most frequent, the rest together).
- ``measured`` counts other rows in the same bins. PSI is the sum over the bins of (q - p) * ln(q / p), where p and q
  are the shares of the training and of the other rows; a share below 0.0001 counts as 0.0001. Nulls are a bin, texts
  that the training had not are another.
- Rule of thumb of credit scoring: below 0.1 stable, up to 0.25 moved, above that another population.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from logsql.ml.features import FeatureKind, FeatureSpec, as_numbers, as_text

BINS = 10
#: Up to this number of different values each is a bin.
FEW_VALUES = 20
MOST_TEXTS = 1000
SMALLEST_SHARE = 1e-4
STABLE, MOVED = 0.1, 0.25


@dataclass(frozen=True)
class FieldProfile:
    """One feature as it was trained on. low, high: as text; distinct: different values; edges, heavy: where the bins of
    numbers lie (``_bin``); texts: the bins of a text field; counts: rows per bin, then of other texts, then nulls.
    """

    name: str
    kind: FeatureKind
    rows: int
    nulls: int
    low: str
    high: str
    distinct: int
    edges: tuple[float, ...]
    heavy: tuple[float, ...]
    texts: tuple[str, ...]
    counts: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> FieldProfile:
        """Raises ValueError, KeyError or TypeError on anything that ``to_json`` does not write."""
        return FieldProfile(
            name=str(data["name"]),
            kind=FeatureKind(data["kind"]),
            rows=int(data["rows"]),
            nulls=int(data["nulls"]),
            low=str(data["low"]),
            high=str(data["high"]),
            distinct=int(data["distinct"]),
            edges=tuple(float(v) for v in data["edges"]),
            heavy=tuple(float(v) for v in data["heavy"]),
            texts=tuple(str(v) for v in data["texts"]),
            counts=tuple(int(v) for v in data["counts"]),
        )


@dataclass(frozen=True)
class Moved:
    """How far one field has moved. psi: None where the rows have no such field, or none of its type (``problem`` says
    it); unseen: share of the rows whose text the training had not (0 for other kinds); nulls: share before and now."""

    name: str
    kind: FeatureKind
    psi: float | None
    unseen: float
    nulls: tuple[float, float]
    problem: str = ""


def profile(specs: Sequence[FeatureSpec], rows: pa.Table) -> tuple[FieldProfile, ...]:
    """The profile of the training rows; at least one row."""
    return tuple(_profile(spec, rows.column(spec.name).combine_chunks()) for spec in specs)


def _profile(spec: FeatureSpec, column: pa.Array) -> FieldProfile:
    facts = {"name": spec.name, "kind": spec.kind, "rows": len(column), "nulls": column.null_count}
    edges: tuple[float, ...] = ()
    heavy: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    if spec.kind is FeatureKind.CATEGORICAL:
        words = as_text(column)
        found = pc.value_counts(words.drop_null())
        pairs = sorted(
            zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True), key=lambda p: (-p[1], p[0])
        )
        texts = tuple(text for text, _ in pairs[:MOST_TEXTS])
        low, high = (min(t for t, _ in pairs), max(t for t, _ in pairs)) if pairs else ("", "")
        distinct = len(pairs)
    else:
        numbers = as_numbers(spec.kind, column)
        known = numbers[~np.isnan(numbers)]
        edges, heavy = _edges(known)
        distinct = len(np.unique(known))
        ends = ("", "")
        if len(known):
            plain = column.filter(pa.array(~np.isnan(numbers)))
            order = np.argsort(known, kind="stable")
            ends = (_shown(plain[int(order[0])].as_py()), _shown(plain[int(order[-1])].as_py()))
        low, high = ends
    counts = _counted(spec, edges, heavy, texts, column)[0]
    return FieldProfile(
        **facts, low=low, high=high, distinct=distinct, edges=edges, heavy=heavy, texts=texts, counts=counts
    )


def _shown(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _edges(known: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Upper ends of bins, and the values that fill a bin alone."""
    if not len(known):
        return (), ()
    values = np.unique(known)
    if len(values) <= FEW_VALUES:
        return tuple(values.tolist()), tuple(values.tolist())
    cuts = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
    edges, often = np.unique(cuts, return_counts=True)
    return tuple(edges.tolist()), tuple(edges[often > 1].tolist())


def _bin(numbers: NDArray[np.float64], edges: Sequence[float], heavy: Sequence[float]) -> NDArray[np.int64]:
    """The bin of each number: up to an edge (inclusive), a heavy value alone, above the last edge."""
    above: NDArray[np.int64] = np.searchsorted(np.asarray(edges), numbers, side="left")
    return above + np.searchsorted(np.asarray(heavy), numbers, side="right")


def _counted(
    spec: FeatureSpec, edges: Sequence[float], heavy: Sequence[float], texts: Sequence[str], column: pa.Array
) -> tuple[tuple[int, ...], int]:
    """Rows per bin, then those of further known texts, then nulls; and the rows whose text is not known."""
    if spec.kind is FeatureKind.CATEGORICAL:
        words = as_text(column)
        code = pc.index_in(words, value_set=pa.array(list(texts), pa.string())).fill_null(len(texts))
        given = words.is_valid().to_numpy(zero_copy_only=False)
        known = pc.is_in(words, value_set=pa.array(list(spec.values), pa.string())).to_numpy(zero_copy_only=False)
        codes = code.to_numpy(zero_copy_only=False)[given & known]
        counts = np.bincount(codes, minlength=len(texts) + 1)
        return (*counts.tolist(), int((~given).sum())), int((given & ~known).sum())
    numbers = as_numbers(spec.kind, column)
    given = ~np.isnan(numbers)
    counts = np.bincount(_bin(numbers[given], edges, heavy), minlength=len(edges) + len(heavy) + 1)
    return (*counts.tolist(), 0, int((~given).sum())), 0


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """The population stability index of two counts over the same bins."""
    p, q = np.asarray(before, dtype=np.float64), np.asarray(now, dtype=np.float64)
    used = (p > 0) | (q > 0)
    p = np.maximum(p[used] / p.sum(), SMALLEST_SHARE)
    q = np.maximum(q[used] / q.sum(), SMALLEST_SHARE)
    return float(math.fsum((q - p) * np.log(q / p)))


def measured(spec: FeatureSpec, known: FieldProfile, column: pa.Array | pa.ChunkedArray) -> Moved:
    """How far the values of a column (at least one row) have moved."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    counts, unseen = _counted(spec, known.edges, known.heavy, known.texts, column)
    nulls = (known.nulls / known.rows, counts[-1] / len(column))
    return Moved(spec.name, spec.kind, psi((*known.counts, 0), (*counts, unseen)), unseen / len(column), nulls)


__all__ = ["MOVED", "STABLE", "FieldProfile", "Moved", "measured", "profile", "psi"]
