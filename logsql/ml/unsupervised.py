"""kmeans, lof, tfidf and curvefit as pure functions over Arrow tables.

Contract
- A function takes a whole table and returns a table with its output columns added, plus notes (reason -> rows) for
what it
  could not use; rows keep their order, and no row is dropped (a row without usable numbers gets null).
- The vendor's caps (100,000 rows of kmeans, 10,000 of curvefit) do not exist here: everything is used.
- Text is no number, also when it looks like one: the query says ``double(field)``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logsql.diagnostics.modeldata import (
    CURVEFIT_ROWS,
    KMEANS_ROWS,
    NEEDS_A_FIELD,
    NUMBERS_NEEDED,
    TEXT,
    TFIDF_SUBQUERY,
    unknown_field,
)
from logsql.diagnostics.models import (
    CURVEFIT_OPTIONS,
    KMEANS_OPTIONS,
    LOF_NEEDS_BY,
    LOF_OPTIONS,
    THE_ROWS,
    MlError,
    fields_note,
)


@dataclass(frozen=True)
class Result:
    """Rows with the output columns, and for the ledger: reason -> number of rows."""

    table: pa.Table
    notes: dict[str, int]


def numeric_matrix(rows: pa.Table, fields: Sequence[str], command: str) -> NDArray[np.float64]:
    """Fields as float64, shape (rows, fields), NaN for null and for values that are no number.

    Raises MlError: unknown field, no field, or a field without a single number in a non-empty table.
    """
    if not fields:
        raise MlError(NEEDS_A_FIELD, notes=[_fields_of(rows)], command=command)
    out = np.full((rows.num_rows, len(fields)), np.nan)
    for position, name in enumerate(fields):
        if name not in rows.column_names:
            raise unknown_field(name, rows.column_names, THE_ROWS.fill())
        column = rows.column(name)
        type_ = column.type
        if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
            out[:, position] = column.cast(pa.float64(), safe=False).to_numpy()
        elif pa.types.is_timestamp(type_) or pa.types.is_date(type_):
            zone = getattr(type_, "tz", None)
            millis = column.cast(pa.timestamp("ms", tz=zone), safe=False).cast(pa.int64())
            out[:, position] = millis.cast(pa.float64(), safe=False).to_numpy()
        elif rows.num_rows and not pa.types.is_null(type_):
            found = TEXT.fill() if pa.types.is_string(type_) else type_
            raise MlError(NUMBERS_NEEDED, notes=[_fields_of(rows)], command=command, name=name, found=found)
    out[np.isinf(out)] = np.nan
    return out


def _fields_of(rows: pa.Table) -> str:
    return fields_note(THE_ROWS.fill(), rows.column_names)


def complete_rows(matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mask of the rows that have a number in every field."""
    return np.asarray(~np.isnan(matrix).any(axis=1))


def put_column(rows: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Add an output column, replacing one of the same name."""
    if name in rows.column_names:
        return rows.set_column(rows.column_names.index(name), name, column)
    return rows.append_column(name, column)


def _noted(reason: str, count: int) -> dict[str, int]:
    return {reason: count} if count else {}


def standardised(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column as distances from its mean in standard deviations; a column of one value is 0."""
    shifted = points - points.mean(axis=0)
    deviation = points.std(axis=0)
    out: NDArray[np.float64] = shifted / np.where(deviation > 0, deviation, 1.0)
    return out


def kmeans(
    rows: pa.Table, fields: Sequence[str], k: int = 3, iter: int = 10_000, seed: int = 42, scale: bool = False
) -> Result:
    """Add ``_cluster`` (int from 1): k-means with the Euclidean distance; clusters are numbered by first appearance.

    A row with a null has a null cluster. Raises MlError: options, fields, or fewer usable rows than k.
    """
    from sklearn.cluster import KMeans

    if k < 1 or iter < 1:
        raise MlError(KMEANS_OPTIONS)
    matrix = numeric_matrix(rows, fields, "kmeans")
    valid = complete_rows(matrix)
    if rows.num_rows and valid.sum() < k:
        raise MlError(KMEANS_ROWS, k=k, rows=int(valid.sum()))
    cluster = np.zeros(rows.num_rows, dtype=np.int32)
    if valid.any():
        # Distances survive large values (epoch milliseconds) because the mean is taken off in float64 first.
        points = matrix[valid] - matrix[valid].mean(axis=0)
        if scale:
            points = standardised(points)
        found = KMeans(n_clusters=k, max_iter=iter, n_init=10, random_state=seed).fit_predict(points)
        names, first = np.unique(found, return_index=True)
        number = np.empty(k, dtype=np.int32)
        number[names[np.argsort(first)]] = np.arange(1, len(names) + 1)
        cluster[valid] = number[found]
    column = pa.array(cluster, pa.int32(), mask=~valid)
    return Result(put_column(rows, "_cluster", column), _noted("kmeans: no number in a field", int((~valid).sum())))


def group_rows(rows: pa.Table, by: Sequence[str]) -> list[tuple[tuple[object, ...], NDArray[np.int64]]]:
    """Row numbers per group, groups in order of first appearance; one group of all rows without ``by``."""
    if not by:
        return [((), np.arange(rows.num_rows))]
    for name in by:
        if name not in rows.column_names:
            raise unknown_field(name, rows.column_names, THE_ROWS.fill())
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, key in enumerate(zip(*(rows.column(name).to_pylist() for name in by), strict=True)):
        groups.setdefault(key, []).append(number)
    return [(key, np.array(numbers, dtype=np.int64)) for key, numbers in groups.items()]


def lof(
    rows: pa.Table,
    fields: Sequence[str],
    k: int = 10,
    eps: float = 1e-5,
    by: Sequence[str] = (),
    training: pa.Table | None = None,
    cores: int = 1,
) -> Result:
    """Add ``_lof`` (double; above 1 outside, about 1 at the border, below 1 inside), per group of ``by``.

    eps: no reachability distance is smaller, so that k equal rows do not divide by zero. training: rows to compare with
    instead of the rows themselves (needs ``by``). A row with a null, or in a group of at most k rows, has a null.
    """
    if k < 1 or not 0 < eps <= 1 or not 1 <= cores <= 10_000:
        raise MlError(LOF_OPTIONS)
    if training is not None and not by:
        raise MlError(LOF_NEEDS_BY)
    matrix = numeric_matrix(rows, fields, "lof")
    valid = complete_rows(matrix)
    known = matrix
    known_groups: dict[tuple[object, ...], NDArray[np.int64]] = {}
    if training is not None:
        known = numeric_matrix(training, fields, "lof")
        usable = complete_rows(known)
        known_groups = {key: numbers[usable[numbers]] for key, numbers in group_rows(training, by)}
    values = np.full(rows.num_rows, np.nan)
    small = crowded = 0
    for key, members in group_rows(rows, by):
        chosen = members[valid[members]]
        reference = chosen if training is None else known_groups.get(key, np.zeros(0, dtype=np.int64))
        if len(reference) <= k:
            small += len(chosen)
            continue
        if len(chosen):
            query = None if training is None else matrix[chosen]
            values[chosen], equal = _lof(known[reference], query, k, eps, cores)
            crowded += equal
    notes = _noted("lof: no number in a field", int((~valid).sum())) | _noted(
        f"lof: group of at most k={k} rows", small
    )
    notes |= _noted("lof: more-equal-rows-than-k", crowded)
    return Result(put_column(rows, "_lof", pa.array(values, pa.float64(), from_pandas=True)), notes)


def _lof(
    known: NDArray[np.float64], query: NDArray[np.float64] | None, k: int, eps: float, cores: int
) -> tuple[NDArray[np.float64], int]:
    """Local outlier factor (Breunig et al. 2000) of ``query`` against ``known``, or of ``known`` among itself, and how
    many rows of ``known`` share a place with k others: their density is what ``eps`` makes of it."""
    from sklearn.neighbors import NearestNeighbors

    center = known.mean(axis=0)
    finder = NearestNeighbors(n_neighbors=k, n_jobs=cores).fit(known - center)
    distance, index = finder.kneighbors()
    reach = distance[:, -1]

    def density(d: NDArray[np.float64], i: NDArray[np.int64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = 1.0 / np.maximum(np.maximum(d, reach[i]), eps).mean(axis=1)
        return out

    dense = density(distance, index)
    own = dense
    if query is not None:
        distance, index = finder.kneighbors(query - center)
        own = density(distance, index)
    out: NDArray[np.float64] = dense[index].mean(axis=1) / own
    _, counts = np.unique(known, axis=0, return_counts=True)  # a distance of equal rows is not always exactly 0
    return out, int(counts[counts > k].sum())


def curvefit(rows: pa.Table, x: str, y: str, degree: int = 3) -> Result:
    """Add ``_x`` (the x value) and ``_p`` (double, the least-squares polynomial of the degree at x).

    Rows without y do not take part in the fit and still get ``_p``; without x they get null. Raises MlError: fields, or
    fewer distinct x than degree + 1.
    """
    if degree < 0:
        raise MlError(CURVEFIT_OPTIONS)
    matrix = numeric_matrix(rows, (x, y), "curvefit")
    used = complete_rows(matrix)
    given = ~np.isnan(matrix[:, 0])
    if rows.num_rows and len(np.unique(matrix[used, 0])) <= degree:
        raise MlError(CURVEFIT_ROWS, degree=degree, needed=degree + 1, name=x)
    fitted = np.full(rows.num_rows, np.nan)
    if used.any():
        # Polynomial.fit scales x to -1..1 first: degree 10 over epoch seconds has no usable digits otherwise.
        curve = np.polynomial.Polynomial.fit(matrix[used, 0], matrix[used, 1], degree)
        fitted[given] = curve(matrix[given, 0])
    table = put_column(rows, "_x", rows.column(x))
    table = put_column(table, "_p", pa.array(fitted, pa.float64(), from_pandas=True))
    return Result(table, _noted("curvefit: no number in a field", int((~used).sum())))


_DIGITS = re.compile(r"[0-9]+\Z")


def words(text: str, delimiter: str, numeric: bool) -> list[str]:
    """Words of a text: split at each delimiter character, empty words left out; with numeric, 404 and 200 are both
    ``###``."""
    found = [word for word in re.split(f"[{re.escape(delimiter)}]+", text) if word] if delimiter else [text]
    return ["#" * len(word) if _DIGITS.match(word) else word for word in found] if numeric else found


def _documents(rows: pa.Table, fields: Sequence[str], delimiter: str, numeric: bool) -> list[list[str]]:
    if not fields:
        raise MlError(NEEDS_A_FIELD, notes=[_fields_of(rows)], command="tfidf")
    for name in fields:
        if name not in rows.column_names:
            raise unknown_field(name, rows.column_names, THE_ROWS.fill())
    columns = [rows.column(name).cast(pa.string()).to_pylist() for name in fields]
    joined = (" ".join(value for value in values if value is not None) for values in zip(*columns, strict=True))
    return [words(text, delimiter, numeric) for text in joined]


def tfidf_build(
    rows: pa.Table, fields: Sequence[str], delimiter: str = " ", numeric: bool = False, threshold: int = 0
) -> pa.Table:
    """One row per word: ``term`` (string), ``_idf`` (double, ln(rows / rows with the word)), in order of first
    appearance.

    Words that occur at most ``threshold`` times are left out.
    """
    documents = _documents(rows, fields, delimiter, numeric)
    total: Counter[str] = Counter()
    containing: Counter[str] = Counter()
    for document in documents:
        total.update(document)
        containing.update(list(dict.fromkeys(document)))
    terms = [term for term in containing if total[term] > threshold]
    idf = [float(np.log(len(documents) / containing[term])) for term in terms]
    return pa.table({"term": pa.array(terms, pa.string()), "_idf": pa.array(idf, pa.float64())})


def tfidf_query(
    rows: pa.Table,
    fields: Sequence[str],
    delimiter: str = " ",
    numeric: bool = False,
    threshold: int = 0,
    built: pa.Table | None = None,
) -> pa.Table:
    """One row per input row and word: the row's fields, ``term``, ``_idf`` and ``_tfidf`` (share of the word times
    ``_idf``).

    built: ``term``/``_idf`` rows of an earlier build; a word it does not know counts as rare as its rarest. Without it
    the rows themselves are the reference. Raises MlError when ``built`` lacks a column.
    """
    documents = _documents(rows, fields, delimiter, numeric)
    if built is None:
        built = tfidf_build(rows, fields, delimiter, numeric, 0)
    elif not {"term", "_idf"} <= set(built.column_names):
        raise MlError(TFIDF_SUBQUERY)
    pairs = zip(built.column("term").to_pylist(), built.column("_idf").to_pylist(), strict=True)
    idf = {term: float(value) for term, value in pairs if term is not None and value is not None}
    rarest = max(idf.values(), default=0.0)
    total: Counter[str] = Counter(word for document in documents for word in document)
    origin: list[int] = []
    terms: list[str] = []
    rarity: list[float] = []
    weight: list[float] = []
    for number, document in enumerate(documents):
        for term, count in Counter(document).items():
            if total[term] > threshold:
                origin.append(number)
                terms.append(term)
                rarity.append(idf.get(term, rarest))
                weight.append(count / len(document) * rarity[-1])
    table = rows.take(pa.array(origin, pa.int64()))
    table = put_column(table, "term", pa.array(terms, pa.string()))
    table = put_column(table, "_idf", pa.array(rarity, pa.float64()))
    return put_column(table, "_tfidf", pa.array(weight, pa.float64()))
