"""Generated pipelines through the product, compared with the naive reference evaluator.

``tests/naive`` evaluates the language row by row in plain Python, written from the specification alone; the generator
keeps only queries whose result the specification fixes completely, so every difference is a defect of one side. A
failure prints seed, query and first difference; ``python -m tests.test_differential SEED ...`` runs single seeds.
``LOGSQL_DIFFERENTIAL_SEEDS`` (default 5000 at night, 100 by day) and ``LOGSQL_DIFFERENTIAL_START`` (default 0) choose
other seeds.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.compare import rows_equal
from tests.conformance_cases import arrow_table
from tests.naive.generate import generate
from tests.run_case import run
from tests.support import sample

SEEDS = int(os.environ.get("LOGSQL_DIFFERENTIAL_SEEDS", sample(5000, 100)))
START = int(os.environ.get("LOGSQL_DIFFERENTIAL_START", "0"))
CHUNK = 50


def difference(seed: int) -> str | None:
    """None if the product gives the rows of the reference, else seed, query and what differs."""
    case = generate(seed)
    tables = {name: arrow_table(rows, case.types.get(name, {}), case.tz) for name, rows in case.tables.items()}
    try:
        rows = run(case.query, tables, case.tz)
    except Exception as error:
        found: str | None = f"{type(error).__name__}: {error}"
    else:
        found = rows_equal(case.expected.rows, rows, case.expected.ordered, case.tz)
    return None if found is None else f"seed {seed} ({case.tz}):\n  {case.query}\n  {found}"


@pytest.mark.parametrize("start", range(START, START + SEEDS, CHUNK))
def test_generated_pipelines(start: int) -> None:
    last = min(start + CHUNK, START + SEEDS)
    found = [d for d in map(difference, range(start, last)) if d is not None]
    assert not found, f"{len(found)} of {last - start} differ\n\n" + "\n\n".join(found)


if __name__ == "__main__":
    for number in sys.argv[1:]:
        print(difference(int(number)) or f"seed {number}: equal")
