"""Made-up queries: whatever is asked, rows come or a diagnostic; never another exception, an abort, a hang.

By day 150 queries; at night ten minutes of processor time; with LOGSQL_FUZZ_SECONDS as long as that says. The seed is
that of the day (LOGSQL_FUZZ_SEED for another one, or for the one that a failure names).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from tests.fuzz.pieces import Maker
from tests.support import nightly

#: Seconds of processor time; by day a number of queries counts instead.
SECONDS = float(os.environ.get("LOGSQL_FUZZ_SECONDS") or (600 if nightly() else 0))
BY_DAY = 150
#: Queries of one session: a fault of its state would be found, and named by few queries.
SESSION = 75
#: Seconds that one query may take, and how much later it may end on a machine with other work.
LIMIT, LATE = 5.0, 60.0


def seed() -> int:
    given = os.environ.get("LOGSQL_FUZZ_SEED")
    if given is not None:
        return int(given)
    return int(time.time() // 86400) if SECONDS else 1


def test_queries_end_in_rows_or_a_diagnostic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    started, number, faults = time.process_time(), seed() * 1_000_000, list[str]()
    first, asked, answered = number, 0, 0
    while asked < BY_DAY if not SECONDS else time.process_time() - started < SECONDS:
        maker = Maker(number)
        with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(tmp_path)], timeout=LIMIT, threads=2) as session:
            session.register("t", pa.table({"a": [1, 2, None], "b": ["x", "", None], "line": ["k=v", "a,b", "{}"]}))
            for _ in range(SESSION):
                text = maker.query()
                asked += 1
                answered += carried_out(session, text, faults)
        number += 1
    assert not faults, f"LOGSQL_FUZZ_SEED={seed()}, session {number - first}: " + "\n\n".join(faults[:20])
    assert answered > asked / 20, "so few queries were right that nothing was tried"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv"]


def carried_out(session: logsql.Session, text: str, faults: list[str]) -> bool:
    """Whether rows came. What is no diagnostic, and what took too long, is put down."""
    begun = time.monotonic()
    try:
        session.query(text).rows()
        return True
    except LogsqlError as error:
        str(error.diagnostic)
        return False
    except Exception as error:
        faults.append(f"{type(error).__name__}: {str(error)[:200]}\n{text!r}")
        return False
    finally:
        if time.monotonic() - begun > LIMIT + LATE:
            faults.append(f"{time.monotonic() - begun:.0f} seconds\n{text!r}")
