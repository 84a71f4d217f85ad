"""Queries of streams: what is refused and how, where windows begin, and that batches give what one input gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session
from logsql.language.parser import parse_query
from logsql.planner import folds
from logsql.planner.duties import InStream
from logsql.planner.spec import CommandSpec, Example
from logsql.registry import COMMANDS, GRAMMAR
from logsql.streams.planning import Halves, Shape, Text, halves
from logsql.streams.running import QueryRunner
from tests.compare import rows_equal
from tests.conformance_cases import arrow_table
from tests.run_case import load_tables, session

ZONE = "Asia/Seoul"
OWN = [spec for name, spec in sorted(COMMANDS.items()) if name == spec.name]


def split(query: str, every: float | None = None) -> Halves:
    return halves(Text("edge", query, "edge.lq"), every)


def refused(query: str, every: float | None = 60.0) -> LogsqlError:
    with pytest.raises(LogsqlError) as caught:
        split(query, every)
    return caught.value


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "word", "instead"),
    [
        ("search a == 1 | join k [ table t ]", "join", "streamjoin"),
        ("serial [ eval a = 1 | join k [ table t ] ]", "join", "streamjoin"),
        ("eval a = 1 | table t", "table", "streamjoin"),
        ("table t | eval a = 1", "table", "streamjoin"),
        ("load x", "load", "streamjoin"),
        ("eval a = 1 | proc p(1)", "proc", "params"),
        ("anomalies a, b [ table t ]", "anomalies", "model=NAME"),
        ("rforest target=x a, b [ table t ]", "rforest", "model=NAME"),
        ("memlookup op=build name=x key=a", "memlookup", "lookup"),
        ("mv from=a to=b", "mv", "sink"),
        ("purge from=20260101 to=20260102 t", "purge", "retention"),
    ],
)
def test_a_refusal_names_stream_place_and_what_to_write(query: str, word: str, instead: str) -> None:
    error = refused(query)
    assert "edge" in error.diagnostic.message
    span = error.span
    assert span is not None
    assert query[span.start : span.end].startswith(word)
    assert instead in (error.help or "")
    assert error.diagnostic.origin == "edge.lq"


def test_everything_that_waits_for_all_rows_says_what_to_write_instead() -> None:
    assert [s.name for s in OWN if s.stream is InStream.BARRIER and s.instead is None] == []


def test_a_windowed_command_needs_an_interval() -> None:
    error = refused("search a == 1 | serial [ stats count ]", every=None)
    assert error.code == "E3262"
    assert "every" in (error.help or "")
    assert error.span is not None
    assert "search a == 1 | serial [ stats count ]"[error.span.start :].startswith("stats")


@pytest.mark.parametrize(
    ("query", "running", "windowed"),
    [
        ("", [], []),
        ("search a == 1 | eval b = 2", ["search", "eval"], []),
        ("search a == 1 | stats count by b | eval c = 1", ["search"], ["stats", "eval"]),
        ("search limit=3 a == 1", [], ["search"]),
        ("prev a | sort a", ["prev"], ["sort"]),
        ("streamjoin k [ table t | stats count by k ] | outputcsv append=t x.csv a", ["streamjoin", "outputcsv"], []),
    ],
)
def test_windows_begin_at_the_first_command_that_waits(query: str, running: list[str], windowed: list[str]) -> None:
    found = split(query, every=10.0)
    assert ([c.name for c in found.running], [c.name for c in found.windowed]) == (running, windowed)


# --- batches give what one input gives --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cut:
    """A command of an example: the query before it, the command as it is written, the example's tables."""

    before: str
    command: str
    tables: dict[str, pa.Table]


def cases() -> Iterator[Any]:
    """The first example of every row-wise or running command that has it behind a source whose rows are there."""
    for spec in OWN:
        if (found := next(filter(None, (cut(spec, example) for example in spec.examples)), None)) is not None:
            yield pytest.param(found, id=spec.name)


def cut(spec: CommandSpec, example: Example) -> Cut | None:
    commands = parse_query(example.query, GRAMMAR).commands
    place = next((n for n, c in enumerate(commands) if n and c.name == spec.name), None)
    if (
        place is None
        or example.rows is None
        or folds.in_stream(commands[place])
        not in (
            InStream.ROW_WISE,
            InStream.RUNNING,
        )
    ):
        return None
    tables = {n: arrow_table(rows, {"_time": "date"}, ZONE) for n, rows in (example.tables or {}).items()}
    span = commands[place].span
    return Cut(example.query[: commands[place - 1].span.end], example.query[span.start : span.end], tables)


CASES = list(cases())


def runner(opened: Session, query: str, rows: pa.Table) -> QueryRunner:
    text = Text("test", query)
    return QueryRunner(opened, text, halves(text, None).running, Shape(rows.schema))


def run(one: QueryRunner, rows: pa.Table) -> list[dict[str, Any]]:
    """The rows of a batch; a field that a batch has not is null in another batch."""
    found: list[dict[str, Any]] = one.run(rows).shown().to_pylist()
    one.done()
    return found


def without_nulls(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if v is not None} for row in rows]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    return session(ZONE)


def rows_before(opened: Session, case: Cut) -> pa.Table:
    load_tables(opened, case.tables)
    return opened.query(case.before).arrow()


@pytest.mark.parametrize("case", CASES)
def test_two_batches_give_the_two_results(case: Cut, opened: Session) -> None:
    rows = rows_before(opened, case)
    rows = pa.concat_tables([rows, rows])
    whole = runner(opened, case.command, rows)
    want = without_nulls(run(whole, rows))
    whole.close()
    counts = list(range(rows.num_rows + 1)) if rows.num_rows < 10 else [0, 1, rows.num_rows - 1]
    differences = []
    for count in counts:
        one = runner(opened, case.command, rows)
        got = without_nulls(run(one, rows.slice(0, count)) + run(one, rows.slice(count)))
        one.close()
        differences.append(rows_equal(want, got, ordered=True, tz=ZONE))
    assert differences == [None] * len(counts)


def test_many_commands_were_looked_at() -> None:
    names = {case.id for case in CASES}
    assert len(names) >= 28
    assert {"prev", "evalc", "ratelimit", "streamjoin", "explode"} <= names


@pytest.mark.parametrize("case", CASES)
def test_a_batch_gives_what_a_query_gives(case: Cut, opened: Session) -> None:
    rows = rows_before(opened, case)
    want = opened.query(f"{case.before} | {case.command}").arrow().to_pylist()
    load_tables(opened, case.tables)
    for left in Path().iterdir():  # what an output wrote
        left.unlink()
    one = runner(opened, case.command, rows)
    got = run(one, rows)
    one.close()
    assert rows_equal(without_nulls(want), without_nulls(got), ordered=True, tz=ZONE) is None


# --- states -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "field", "want"),
    [
        ("prev n", "prev_n", [None, 1, 2, 3, 4, 5]),
        ('eval r = seq() | search n != 3 | eval q = seq()', "q", [1, 2, 3, 4, 5]),
        ('eval r = seq() | search n != 3', "r", [1, 2, 4, 5, 6]),
        ('search seq() > 2', "n", [3, 4, 5, 6]),
        ('evalc s = nvl($("s"), 0) + n | eval s = $("s")', "s", [1, 3, 6, 10, 15, 21]),
        ('set s = 100 | evalc s = $("s") + n | eval s = $("s")', "s", [101, 103, 106, 110, 115, 121]),
        ('evalc m = max($("m"), mod(n, 4)) | eval m = $("m")', "m", [1, 2, 3, 3, 3, 3]),
        ('evalc t = concat(nvl($("t"), ""), string(n)) | eval t = $("t")', "t",
         ["1", "12", "123", "1234", "12345", "123456"]),
        ('eval before = $("k") | evalc k = n', "before", [None, 1, 2, 3, 4, 5]),
        ('evalc a = n | eval x = seq() | eval y = $("a") * 10', "y", [10, 20, 30, 40, 50, 60]),
        ("serial [ prev n | eval d = n - prev_n ]", "d", [None, 1, 1, 1, 1, 1]),
    ],
)  # fmt: skip
def test_what_looks_back_goes_on_with_the_next_batch_and_over_a_restart(
    query: str, field: str, want: list[Any]
) -> None:
    rows = pa.table({"n": pa.array([1, 2, 3, 4, 5, 6], pa.int64())})
    opened = session(ZONE)
    whole = runner(opened, query, rows)
    assert [row[field] for row in run(whole, rows)] == want
    whole.close()
    for cut in range(1, 6):
        one, other = runner(opened, query, rows), runner(opened, query, rows)
        got = one.run(rows.slice(0, cut)).shown().to_pylist()
        states = one.states()
        other.load(states)
        got += run(other, rows.slice(cut))
        assert [row[field] for row in got] == want, cut
        one.close()
        other.close()


def test_a_batch_that_is_undone_leaves_nothing() -> None:
    rows = pa.table({"n": pa.array([1, 2, 3], pa.int64())})
    one = runner(session(ZONE), 'prev n | evalc s = nvl($("s"), 0) + n | eval s = $("s"), q = seq()', rows)
    run(one, rows)
    one.run(pa.table({"n": pa.array([50], pa.int64())}))
    one.undo()
    assert run(one, pa.table({"n": pa.array([4], pa.int64())})) == [{"n": 4, "prev_n": 3, "s": 10, "q": 4}]
    one.close()
