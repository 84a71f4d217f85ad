"""One session from several threads; interrupting from another thread, at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import logsql
from logsql.diagnostics.errors import Interrupted, LogsqlError, RunError
from tests.support import nightly, sample

LONG = "table big | repeat count=200 | eval x = concat(t, string(a)), n = a * 3 | stats dc(x), count by n | stats count"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logsql.Session]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("rows.jsonl").write_text("".join(f'{{"i":{i},"s":"x{i % 7}"}}\n' for i in range(700)))
    Path("rows.csv").write_text("i,s\n" + "".join(f"{i},x{i % 7}\n" for i in range(700)))
    Path("lookup.csv").write_text("a,b\n1,x\n")
    with logsql.connect(tz="UTC", threads=2) as session:
        session.sql("create table t as select range a, range % 7 b from range(2000)").rows()
        yield session


def together(works: list[Callable[[int], None]], threads: int, rounds: int) -> None:
    """Every thread does the works in turn, each beginning with another one; their first problem is raised."""
    problems: list[BaseException] = []

    def turn(number: int) -> None:
        try:
            for round_ in range(rounds):
                works[(number + round_) % len(works)](number)
        except BaseException as problem:
            problems.append(problem)

    running = [threading.Thread(target=turn, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(120)
    if problems:
        raise problems[0]
    assert not any(thread.is_alive() for thread in running)


def test_one_session_from_several_threads(session: logsql.Session) -> None:
    """Up to a quarter of the queries ended in an error of the engine: all threads planned on one connection."""

    def grouped(number: int) -> None:
        rows = session.query("table t | stats count by b | sort b").rows()
        assert [row["count"] for row in rows] == [286] * 5 + [285] * 2

    def read(number: int) -> None:
        rows = session.query("jsonfile rows.jsonl | stats count by s | sort s").rows()
        assert [row["count"] for row in rows] == [100] * 7

    def stored(number: int) -> None:
        session.query(f"table t | limit 5 | import create=t own_{number}").rows()

    def written(number: int) -> None:
        session.query(f"table t | outputjson overwrite=t out{number}.json").rows()
        assert len(Path(f"out{number}.json").read_text().splitlines()) == 2000

    def plain(number: int) -> None:
        assert session.sql("select count(*) n from t").rows() == [{"n": 2000}]
        assert "t" in session.tables()
        assert "SELECT" in session.translate("table t | search a > 3")

    def looked_up(number: int) -> None:
        session.add_lookup(f"l{number}", "lookup.csv")
        found = session.query(f"json \"{{a:'1'}}\" | lookup l{number} a output b").rows()
        assert found == [{"a": "1", "b": "x"}]

    def saved(number: int) -> None:
        session.save(session.query("table t"), f"saved{number}")
        assert session.query(f"load saved{number} | stats count").rows() == [{"count": 2000}]

    def left(number: int) -> None:
        rows = iter(session.query("table t | sort -a"))
        assert next(rows)["a"] == 1999
        del rows

    def computed(number: int) -> None:
        query = 'csvfile rows.csv | eval u = urlencode(concat(s, " &", i)), k = kvjoin("=", "&") | stats dc(u), dc(k)'
        assert list(session.query(query).rows()[0].values()) == [700, 700]

    def parsed(number: int) -> None:
        rows = session.query("textfile rows.jsonl | parsejson | stats sum(i)").rows()
        assert list(rows[0].values()) == [244_650]

    def trained(number: int) -> None:
        rows = session.query("table t | limit 60 | anomalies size=5 sample=16 a, b [ table t | limit 60 ]").rows()
        assert len(rows) == 60
        assert all(0 < row["_score"] < 1 for row in rows)

    works = [grouped, read, stored, written, plain, looked_up, saved, left, computed, parsed]
    if nightly():  # a process that loads scikit-learn
        works.append(trained)
    together(works, threads=8, rounds=sample(66, 10))
    assert all(session.query(f"table own_{n} | stats count").rows()[0]["count"] % 5 == 0 for n in range(8))


def test_the_zone_holds_in_every_thread(session: logsql.Session) -> None:
    found: list[object] = []

    def ask() -> None:
        found.extend(session.query('json "{}" | eval d = string(date("2024", "yyyy"), "Z")').rows())

    ask()
    session.set_zone("Asia/Seoul")
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [{"d": "+0000"}, {"d": "+0900"}]


def test_sessions_side_by_side_are_independent(tmp_path: Path) -> None:
    def own(number: int) -> None:
        with logsql.connect(tz="UTC", threads=1) as session:
            session.sql(f"create table t as select range a from range({number + 1})").rows()
            assert session.query("table t | stats count").rows() == [{"count": number + 1}]

    together([own], threads=4, rounds=sample(20, 3))


# --- interrupting -----------------------------------------------------------------------------------------------------


@pytest.fixture
def big(session: logsql.Session) -> logsql.Session:
    session.sql("create table big as select range a, md5(range::varchar) t from range(1000000)").rows()
    return session


def interrupted_after(session: logsql.Session, act: Callable[[], object]) -> float:
    """Seconds from the end of ``act`` to the end of a long query that runs meanwhile."""
    ended: list[float] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            session.query(LONG).rows()
        except Interrupted as problem:
            problems.append(problem)
        ended.append(time.monotonic())

    thread = threading.Thread(target=run)
    thread.start()
    act()
    told = time.monotonic()
    thread.join(60)
    assert [type(problem) for problem in problems] == [Interrupted]
    return ended[0] - told


def test_an_interrupt_that_comes_before_the_first_statement(big: logsql.Session) -> None:
    """It made a cursor of its own and interrupted that; the one that ran was never told, nor by any later interrupt."""
    execution = big.query(LONG)._execution
    big.interrupt()
    assert execution._cursor is None
    with pytest.raises(Interrupted):
        list(execution.batches(1000, False))


def test_an_interrupt_that_the_engine_does_not_hear_is_repeated(
    big: logsql.Session,
) -> None:
    """DuckDB forgets an interrupt that comes just before a statement begins."""

    def flag_alone() -> None:
        wait_for(big)
        time.sleep(0.1)
        for running in big.workspace.runs._running.values():
            running.state.cancel.set()

    assert interrupted_after(big, flag_alone) < 20


def test_interrupts_at_any_time(big: logsql.Session) -> None:
    for number in range(sample(40, 4)):

        def act(pause: float = number * 0.013) -> None:
            time.sleep(pause)
            wait_for(big)
            big.interrupt()

        assert interrupted_after(big, act) < 20


def wait_for(session: logsql.Session) -> None:
    while not session.workspace.runs._running and not session.workspace.runs._planned:
        time.sleep(0.001)


def test_rows_that_were_left_can_be_read_again(session: logsql.Session) -> None:
    """They ended in "interrupted": that the first reader wanted no more was remembered."""
    Path("many.txt").write_text("x\n" * 200_000)
    result = session.query("textfile many.txt")
    rows = iter(result)
    next(rows)
    rows.close()  # type: ignore[attr-defined]  # a generator
    assert len(result.rows()) == 200_000


# --- closing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["table big", LONG, "textfile many.txt", "table big | import create=t own", "table big | sort -t"]
)
def test_a_session_that_is_closed_while_another_thread_reads(big: logsql.Session, query: str) -> None:
    """DuckDB's ResourceInUseException came out of ``close``, and the reader got fewer rows as if there were no more."""
    Path("many.txt").write_text("x\n" * 1_000_000)
    problems: list[BaseException] = []

    def read() -> None:
        try:
            big.query(query).rows()
        except BaseException as problem:
            problems.append(problem)

    thread = threading.Thread(target=read)
    thread.start()
    wait_for(big)
    time.sleep(0.1)
    big.close()
    thread.join(60)
    assert not thread.is_alive()
    assert [getattr(problem, "code", problem) for problem in problems] in (["E1300"], ["E1306"])
    for work in (big.tables, lambda: big.query("table big"), lambda: big.sql("select 1").rows(), big.sibling):
        with pytest.raises(RunError, match="the session is closed"):
            work()  # type: ignore[operator]  # four callables
    big.close()


def test_a_result_that_is_closed_while_its_rows_are_read(session: logsql.Session) -> None:
    """The loop over the rows ended behind those that had come: 65,536 of 200,000 looked like all of them."""
    Path("many.txt").write_text("x\n" * 200_000)
    result = session.query("textfile many.txt")
    rows = iter(result)
    next(rows)
    result.close()
    with pytest.raises(RunError, match="closed while its rows were read"):
        list(rows)
    assert len(result.rows()) == 200_000


@pytest.mark.parametrize("query", ["table big | fields a", "table big | sort -a", "textfile many.txt"])
def test_one_result_read_by_several_at_once(big: logsql.Session, query: str) -> None:
    """Two readers shared one cursor, and the one that ended first stopped the files of the other."""
    Path("many.txt").write_text("x\n" * 1_000_000)
    result = big.query(query)
    found: list[int] = []

    def whole(number: int) -> None:
        found.append(result.arrow().num_rows if number % 2 else sum(b.num_rows for b in result.batches()))

    def some(number: int) -> None:
        rows = result.batches(1000)
        next(rows)
        rows.close()  # type: ignore[attr-defined]  # a generator

    together([whole, some], threads=4, rounds=sample(8, 2))
    assert set(found) == {1_000_000}
    first = result.batches(1000)
    seen = next(first).num_rows
    assert sum(batch.num_rows for batch in big.query(query).batches()) == 1_000_000
    assert seen + sum(batch.num_rows for batch in first) == 1_000_000


def test_rows_of_sql_have_one_reader(session: logsql.Session) -> None:
    """A temporary table of the text lives on its one connection."""
    result = session.sql("create temp table own as select range a from range(200000); select * from own")
    rows = iter(result)
    next(rows)
    with pytest.raises(RunError, match="being read"):
        result.rows()
    assert sum(1 for _ in rows) == 199_999
    assert len(result.rows()) == 200_000


def test_a_step_that_failed_is_not_taken_twice(session: logsql.Session) -> None:
    result = session.query("table t | outputcsv there.csv a")
    Path("there.csv").write_text("")
    for _ in range(2):
        with pytest.raises(LogsqlError) as caught:
            result.rows()
        assert "there.csv" in str(caught.value)
