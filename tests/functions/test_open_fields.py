"""Functions that look at all fields of a row, over rows whose fields are known only when data is read."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.run_case import run

TABLES = {"t": pa.table({"s": ['{"a":1,"b/x":"q","c":null}', '{"b":2.5,"n":7}', "zz"], "n": [1, 2, 3]})}


@pytest.mark.parametrize(
    ("query", "want"),
    [
        ('table t | parsejson field=s | eval v = kvjoin("=", ";")', ["a=1;b/x=q", "n=7;b=2.5", "s=zz;n=3"]),
        ('table t | parsejson field=s overlay=t | eval v = kvjoin("=", ";", "^[ab]")', ["a=1;b/x=q", "b=2.5", ""]),
        ('table t | parsejson field=s overlay=t | eval a = 5 | eval v = kvjoin(":", ",", "^a$")', ["a:5"] * 3),
    ],
)
def test_kvjoin_reads_open_fields(query: str, want: list[str]) -> None:
    assert [row["v"] for row in run(query, TABLES, "UTC")] == want
