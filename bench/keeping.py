"""A result read as Arrow batches, with its rows kept for ``result N`` on their way and without."""

from __future__ import annotations

import logsql
from bench import measure
from bench.measure import Row

_MAKE = (
    "CREATE TABLE t AS SELECT timestamptz '2024-01-01' + to_seconds(i) AS _time, i AS a, md5(i::VARCHAR) AS b, "
    "i % 100 AS c FROM range(1000000) x(i)"
)


def rows() -> list[Row]:
    """1,000,000 rows of 4 fields, and 10 rows."""
    found: list[Row] = []
    with logsql.connect(tz="UTC") as session:
        session.sql(_MAKE).rows()

        def read(query: str, keeping: bool) -> int:
            session.results.keeping = keeping
            return sum(batch.num_rows for batch in session.query(query).batches())

        for name, query in (("keep 1,000,000 rows", "table t"), ("keep 10 rows", "table limit=10 t")):
            assert read(query, True) == read(query, False)
            times = measure.in_turns(lambda query=query: read(query, True), lambda query=query: read(query, False))  # type: ignore[misc]
            found.append(measure.row(name, "nothing kept", times, None, "wall time: the writer is a thread of its own"))
    return found
