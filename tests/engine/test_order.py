"""Order is part of the meaning: order-sensitive queries over a million rows with several threads give one answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import logsql
from logsql.engine.session import Session
from tests.support import sample

ROWS = 1_000_000
RUNS = sample(50, 20)


@pytest.fixture(scope="module")
def big() -> Iterator[Session]:
    with logsql.connect(tz="Asia/Seoul", threads=4) as s:
        s.sql(
            f"CREATE TABLE big AS SELECT i AS id, (i * 7919) % 1000 AS k, (i * 104729) % {ROWS} AS v, "
            f"'u' || (i % 97) AS name FROM range({ROWS}) t(i)"
        ).rows()
        s.sql("CREATE TABLE small AS SELECT i AS k, 'g' || (i % 10) AS grp FROM range(0, 1000, 2) t(i)").rows()
        yield s


#: Query and the answer worked out from the table's definition in SQL that does not depend on physical order.
QUERIES = {
    "sort | stats first by": (
        "table big | sort v | stats first(id) as f, last(id) as l by k | sort k | limit 20",
        "SELECT k, arg_min(id, v) AS f, arg_max(id, v) AS l FROM big GROUP BY k ORDER BY k LIMIT 20",
    ),
    "limit after join": (
        "table big | join k [ table small ] | limit 100 50 | fields id, grp",
        "SELECT id, grp FROM big JOIN small USING (k) ORDER BY id LIMIT 50 OFFSET 100",
    ),
    "first without sort": (
        "table big | stats first(v) as f, count by name | sort name | limit 10",
        "SELECT name, arg_min(v, id) AS f, count(*) AS count FROM big GROUP BY name ORDER BY name LIMIT 10",
    ),
    "prev after filter": (
        "table big | search k < 3 | prev id | eval gap = id - prev_id | stats max(gap) as m, sum(gap) as s",
        "SELECT max(g) AS m, sum(g)::BIGINT AS s "
        "FROM (SELECT id - lag(id) OVER (ORDER BY id) AS g FROM big WHERE k < 3)",
    ),
    "stable sort": (
        "table big | sort name | limit 30 | fields id, name",
        "SELECT id, name FROM big ORDER BY name, id LIMIT 30",
    ),
    "array keeps order": (
        "table big | search k == 5 | stats array(id) as ids",
        "SELECT (list(id ORDER BY id))[1:100] AS ids FROM big WHERE k = 5",
    ),
}


@pytest.mark.parametrize("name", QUERIES)
def test_equal_over_runs(big: Session, name: str) -> None:
    query, reference = QUERIES[name]
    expected = big.sql(reference).rows()
    assert expected
    for run in range(RUNS if name in ("sort | stats first by", "limit after join") else 10):
        result = big.query(query)
        assert result.rows() == expected, f"run {run}"
        result.close()
