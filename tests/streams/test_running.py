"""A query over many batches: models in a stream, losses, memory that stays what it is."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session
from logsql.ml.model import FitOptions, Manifest, ModelKind
from logsql.ml.service import MODELS
from logsql.ml.store import ModelStore
from logsql.ml.train import Control, fit_iforest
from logsql.streams.planning import Shape, Text, halves
from logsql.streams.running import QueryRunner
from tests.ml.support import DATA_FOLDERS
from tests.support import sample

JSON = "parsejson field=line overlay=t | anomalies model=fds amount, hour | fields line, _score"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name in DATA_FOLDERS:
        monkeypatch.setenv(name, str(tmp_path / "user"))
    with logsql.connect(str(tmp_path / "live.duckdb"), tz="UTC") as session:
        yield session


def payments(count: int, seed: int) -> pa.Table:
    choice = random.Random(seed)
    amounts = [choice.lognormvariate(3, 1) for _ in range(count)]
    return pa.table({"amount": amounts, "hour": pa.array([choice.randrange(24) for _ in range(count)], pa.int64())})


def store(session: Session, seed: int, fields: tuple[str, ...] = ("amount", "hour")) -> None:
    """Train and store the model ``fds``."""
    models = session.service(MODELS)
    assert isinstance(models, ModelStore)
    options = FitOptions(seed=seed)
    trained = fit_iforest(payments(500, seed).select(list(fields)), fields, options, Control())
    manifest = Manifest("fds", ModelKind.IFOREST, "", fields, None, None, options, training=trained.training)
    models.put(manifest, trained.estimator)


def runner(session: Session, query: str, schema: pa.Schema, said: list[tuple[str, LogsqlError | None]]) -> QueryRunner:
    text = Text("s", query)
    return QueryRunner(
        session, text, halves(text, None).running, Shape(schema), report=lambda name, error: said.append((name, error))
    )


def scores(one: QueryRunner, rows: pa.Table) -> list[float]:
    found: list[float] = one.run(rows).shown().column("_score").to_pylist()
    one.done()
    return found


def test_scores_are_those_of_a_query_to_the_last_bit(opened: Session) -> None:
    store(opened, 1)
    rows = payments(300, 2)
    one = runner(opened, "anomalies model=fds amount, hour", rows.schema, [])
    opened.register("rows", rows)
    want = opened.query("table rows | anomalies model=fds amount, hour").arrow().column("_score").to_pylist()
    assert scores(one, rows) == want
    assert [s for n in range(0, 300, 7) for s in scores(one, rows.slice(n, 7))] == want
    one.close()
    lines = pa.table(
        {"line": [f'{{"amount": {a}, "hour": {h}}}' for a, h in zip(*rows.to_pydict().values(), strict=True)]}
    )
    opened.register("lines", lines)
    want = opened.query(f"table lines | {JSON}").arrow().column("_score").to_pylist()
    document = runner(opened, JSON, lines.schema, [])
    assert [s for n in range(0, 300, 50) for s in scores(document, lines.slice(n, 50))] == want
    document.close()


def test_a_model_that_was_stored_anew_is_taken_up_and_one_of_other_fields_is_not(
    opened: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logsql.streams.carried.LOOK", 0.0)
    rows, said = payments(50, 3), list[tuple[str, LogsqlError | None]]()
    store(opened, 1)
    one = runner(opened, "anomalies model=fds amount, hour", rows.schema, said)
    first = scores(one, rows)
    assert scores(one, rows) == first
    assert said == []
    store(opened, 9)
    second = scores(one, rows)
    opened.register("rows", rows)
    want = opened.query("table rows | anomalies model=fds amount, hour").arrow().column("_score").to_pylist()
    assert second == want != first
    assert said == [("fds", None)]
    store(opened, 1, ("amount",))
    assert scores(one, rows) == second
    assert scores(one, rows) == second
    assert [error.code for _, error in said[1:] if error is not None] == ["E3263"]
    one.close()


def test_losses_are_counted_and_told_once(opened: Session) -> None:
    rows = pa.table({"a": ["1", "x", "3"]})
    one = runner(opened, "eval n = int(a)", rows.schema, [])
    for _ in range(3):
        one.run(rows).shown()
        one.done()
    assert [(e.reason, e.count) for e in one.losses()] == [("not-converted", 3)]
    assert one.losses() == []
    one.run(rows).shown()
    assert [(e.reason, e.count) for e in one.losses()] == [("not-converted", 1)]
    one.close()


def resident() -> int:
    """Bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to see its own memory")
def test_memory_does_not_grow_with_the_batches(opened: Session) -> None:
    queries = ['prev line | evalc n = nvl($("n"), 0) + 1 | eval n = $("n"), i = int(line)', "parsejson overlay=t"]
    rows = pa.table({"line": ['{"a": 1}', "x", '{"b": 2, "c": "y"}']})
    runners = [runner(opened, query, rows.schema, []) for query in queries]

    def run(batches: int) -> None:
        for _ in range(batches):
            for one in runners:
                one.run(rows).shown()
                one.losses()
                one.done()

    run(300)
    gc.collect()
    before = resident()
    batches = sample(50_000, 700)
    run(batches)
    gc.collect()
    grown = resident() - before
    for one in runners:
        one.close()
    assert grown < 30_000_000, f"{grown:,} bytes in {batches} batches"
