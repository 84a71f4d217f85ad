"""Rows of a PostgreSQL server through ``dbquery`` against ADBC alone, both as a table of Arrow in Python.

The server is that of the tests; ``python -m bench.databases URL`` asks another one, which wants no password. Compared
are the CPU times of the client. Rows are not kept for ``result N``, which ADBC alone does not do either (``logsql -q``
keeps nothing; what keeping costs is a row of its own). Before anything is measured the values of both sides are
compared: where ADBC hands on a number as text or an address as bytes, it is spared the conversion all the same.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

import logsql
from bench import measure
from tests.servers.pki import make_authority
from tests.servers.postgres import Postgres, make_template
from tests.servers.processes import open_folder

ROWS = 200_000
GOAL = 1.2
SHAPES = {
    "numbers and texts": "select g as id, 'user' || g % 977 as name, g * 1.5::float8 as x "
    "from generate_series(1, {n}) g",
    "log lines": "select g as id, timestamptz '2026-01-01' + g * interval '1 s' as at, "
    "repeat('GET /en/apps/' || g, 4) as line, '10.0.' || g % 250 || '.1' as src from generate_series(1, {n}) g",
    "decimals and addresses": "select g as id, (g * 1.25)::numeric(12,2) as price, ('10.0.0.' || g % 250)::inet as ip "
    "from generate_series(1, {n}) g",
    "numbers without a size": "select g as id, g * 1.25 as price from generate_series(1, {n}) g",
}
#: A shape that is measured with its rows kept too (they are more than memory holds of a result, and go to the disk) and
#: with a command behind it, for which DuckDB reads the rows: alone they are handed on as they come.
FURTHER = "log lines"


def compare(url: str) -> list[measure.Row]:
    """Each shape of rows, in turns."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(f'[profiles.bench]\nkind = "postgresql"\nurl = "{url}"\n')
        with logsql.connect(config=str(config)) as session, adbc.connect(url, autocommit=True) as connection:
            for name, shape in SHAPES.items():
                text = shape.format(n=ROWS)

                def ours(behind: str = "", text: str = text) -> pa.Table:
                    return session.query(f"dbquery bench {text}{behind}").arrow()

                def theirs(text: str = text) -> pa.Table:
                    with connection.cursor() as cursor:
                        cursor.execute(text)
                        found: pa.Table = cursor.fetch_arrow_table()
                        return found

                def behind() -> pa.Table:
                    return ours(" | eval id = id + 0")

                session.results.keeping = False
                _check(name, ours(), theirs())
                found.append(measure.row(f"database, {name}", "ADBC alone", measure.in_turns(ours, theirs), GOAL))
                if name == FURTHER:
                    turns = measure.in_turns(behind, theirs)
                    found.append(measure.row(f"database, {name}, eval", "ADBC alone", turns, None))
                    session.results.keeping = True
                    turns = measure.in_turns(ours, theirs)
                    found.append(measure.row(f"database, {name}, kept", "ADBC alone", turns, None))
    return found


def _check(name: str, ours: pa.Table, theirs: pa.Table) -> None:
    """AssertionError unless both have the same values; addresses aside, which ADBC hands on as bytes of the wire."""
    shown = [column.name for column in theirs.schema if column.name != "ip"]
    assert ours.num_rows == ROWS
    measure.check_same(name, ours.select(shown), theirs.select(shown))


def rows() -> list[measure.Row]:
    """All shapes, from a server of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = make_authority(folder / "tls")
        server = Postgres(open_folder("postgres"), authority).start(make_template(folder / "empty"))
        try:
            return compare(server.superuser_url)
        finally:
            server.stop()


if __name__ == "__main__":
    for row in compare(sys.argv[1]):
        print(row.text(), flush=True)
