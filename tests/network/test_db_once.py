"""A statement of ``dbquery`` is sent once, however often the plan reads its rows; who reads them once streams."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.network.db_support import settings
from tests.network.others_support import configured
from tests.support import ROOT

if TYPE_CHECKING:
    from tests.network.db_support import Database

#: A comment by which the statement is found in the log of the server, which holds all that were run.
MARK = "/* counted-91 */"


def sent(emp: Database, before: int) -> int:
    """How often the marked statement was run since."""
    return emp.server.log[before:].count(MARK)


ROWS = f"dbquery emp select {MARK} g as v, 'x' || g % 3 as w, now() as _time from generate_series(1, 30) g"
#: Without a declared size the first rows are looked at to find the type.
SIZED = f"dbquery emp select {MARK} g::numeric as v, 'x' || g % 3 as w, now() as _time from generate_series(1, 30) g"
#: Values of several types.
MIXED = (
    f"dbquery emp select {MARK} (case g when 3 then 'NaN' else g::text end)::numeric as v, 'x' || g % 3 as w "
    "from generate_series(1, 30) g"
)


@pytest.mark.parametrize("source", [ROWS, SIZED, MIXED], ids=["rows", "sized", "mixed"])
@pytest.mark.parametrize(
    "rest",
    [
        "",
        "| limit 3",
        "| stats count by w",
        "| sort v | limit 2",
        "| eval both = concat(v, w)",
        "| search v > 3",
        "| join w [ json \"{'w': 'x1'}\" ]",
        "| union [ json \"{'v': 1}\" ]",
        "| fields w, v",
        "| rename v as u | order u",
    ],
)
def test_it_is_sent_once(emp: Database, source: str, rest: str) -> None:
    before = len(emp.server.log)
    result = emp.session.query(f"{source} {rest}")
    assert result.rows()
    assert sent(emp, before) == 1


@pytest.mark.parametrize(
    "query",
    [
        f"{ROWS} | timechart span=1h count",
        f"{ROWS} | timechart span=1h count by w",
        f"{ROWS} | pivot count rows w cols v",
        f"{ROWS} | cube count by w",
        f"{ROWS} | rollup count by w",
        f"{ROWS} | boxplot v by w",
        f"{ROWS} | kmeans k=2 v",
        f"{ROWS} | stats first(v) by w | join w [ json \"{{'w': 'x1'}}\" ]",
    ],
)
def test_commands_that_read_their_rows_twice_send_once(emp: Database, query: str) -> None:
    before = len(emp.server.log)
    assert emp.session.query(query).rows()
    assert sent(emp, before) == 1


def test_two_commands_are_two_statements(emp: Database) -> None:
    """Each is sent: nothing says that a query means one answer by two commands."""
    before = len(emp.server.log)
    assert len(emp.session.query(f"{ROWS} | union [ {ROWS} ]").rows()) == 60
    assert sent(emp, before) == 2


def test_a_result_that_is_read_again_sends_nothing(emp: Database) -> None:
    before = len(emp.server.log)
    result = emp.session.query(f"dbquery emp select {MARK} random() as v")
    first = result.rows()
    assert first == result.rows() == result.arrow().to_pylist()
    assert sent(emp, before) == 1


# --- memory -----------------------------------------------------------------------------------------------------------

_READ = """
import resource, sys, logsql
with logsql.connect(config=sys.argv[1]) as session:
    text = "select g as id, repeat('x', 200) || g as line, now() as at from generate_series(1, " + sys.argv[2] + ") g"
    for query in (sys.argv[3], sys.argv[4]):
        rows = sum(batch.num_rows for batch in session.query(query.replace("SQL", text)).batches())
        print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, flush=True)
"""


def peaks(emp: Database, rows: int) -> list[int]:
    """MB at most of a process that reads so many rows (of 230 bytes): as they are, and counted by their length."""
    queries = ["dbquery emp SQL", "dbquery emp SQL | stats count by at"]
    config = configured(emp.folder, settings(emp.server, emp.tls))
    args = [sys.executable, "-c", _READ, config, str(rows), *queries]
    env = {**os.environ, "XDG_STATE_HOME": str(emp.folder / "state")}
    run = subprocess.run(args, capture_output=True, text=True, cwd=ROOT, env=env, check=True, timeout=600)
    found = [line.split() for line in run.stdout.splitlines()]
    assert found[0][0] == str(rows)
    return [int(peak) for _, peak in found]


def test_memory_stays_flat_while_rows_stream(emp: Database) -> None:
    """Ten times the rows, 180 MB more, in the memory of the tenth part and what waits on its way."""
    few, many = peaks(emp, 80_000), peaks(emp, 800_000)
    assert many[0] - few[0] < 90, (few, many)
    assert many[1] - few[1] < 90, (few, many)
