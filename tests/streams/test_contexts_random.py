"""Random programs of event contexts against the naive evaluator, which pulls one row after the other through them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import logsql
from logsql.planner.services import CONTEXTS
from logsql.streams.contexts.store import Contexts
from tests.compare import canonical, rows_equal
from tests.naive import contexts as naive
from tests.naive.lexer import normalise
from tests.naive.pipeline import build, load_tables
from tests.naive.values import Ctx
from tests.support import sample

ZONE = "Asia/Seoul"
START = dt.datetime(2024, 1, 1, 9, 0, tzinfo=ZoneInfo(ZONE))
NOW = int(START.timestamp() * 1_000_000)

topics = st.sampled_from(["a", "b"])
keys = st.sampled_from(["k", "w"])
#: Fields that a condition may read; c and d are set from contexts. Those with abs() and max() are asked of SQL, the
#: others Python computes where their values are simple.
tests_ = st.sampled_from(
    [
        "true",
        "v > 2",
        'w == "x"',
        "c >= 2",
        "isnull(c)",
        "d == v",
        "d != w",
        "v + nvl(d, 0) > 3",
        "ok",
        "c == 1 or v == 0",
        "abs(c) >= 2",
        "abs(c) >= 2",
        "max(nvl(c, 0), v) > 2",
        "abs(c) == v or isnull(d)",
        "not(c == 1)",
        'in(d, w, 1, "x")',
    ]
)
hosts = st.sampled_from([None, None, "h"])
reads = st.sampled_from(["counter", "counter", "counter", "created", "expire", "timeout", "rows"])
values = st.sampled_from(
    [
        "v",
        "w",
        "nvl(d, 0) + v",
        'concat(nvl(d, ""), w)',
        "c",
        "if(v > 2, w, v)",
        "null",
        "_time",
        "array(v, w)",
        "abs(v) + nvl(d, 0)",
        "max(nvl(c, 0), v)",
        "case(c > 1, w, v)",
        "c / v",
    ]
)


@st.composite
def program_step(draw: st.DrawFn) -> str:
    topic, key, host = draw(topics), draw(keys), draw(hosts)
    logged, hosted = ("", "") if host is None else (" logtick=h", ", h")
    kind = draw(st.sampled_from(["add", "add", "del", "get", "var", "set", "set", "cnt", "search", "eval", "rename"]))
    if kind == "add":
        limits = draw(
            st.sampled_from(["", " timeout=3s", " expire=5s", " expire=4s timeout=4s", " maxrows=0", " maxrows=2"])
        )
        return f"evtctxadd topic={topic} key={key}{limits}{logged} {draw(tests_)}"
    if kind == "del":
        return f"evtctxdel topic={topic} key={key}{logged} {draw(tests_)}"
    if kind == "get":
        name = draw(reads)
        target = "c" if name == "counter" else f"c_{name}"
        return f'eval {target} = evtctxget("{topic}", {key}, "{name}"{hosted})'
    if kind == "var":
        return f'eval d = evtctxgetvar("{topic}", {key}, "n"{hosted})'
    if kind == "set":
        call = f'evtctxsetvar("{topic}", {key}, "n", {draw(values)}{hosted})'
        guard = draw(st.sampled_from([None, None, "v > 1", "c > 1"]))
        return f"eval ok = {call}" if guard is None else f"eval ok = if({guard}, {call}, null)"
    if kind == "cnt":
        return f'eval n_{topic} = evtctxcnt("{topic}")'
    if kind == "search":
        return f"search {draw(tests_)}"
    return "rename e as f" if kind == "rename" else f"eval e = {draw(values)}"


@st.composite
def programs(draw: st.DrawFn) -> list[str]:
    """Some steps, mostly behind those that give later ones something to ask for."""
    steps = draw(st.lists(program_step(), min_size=2, max_size=6))
    topic, key = draw(topics), draw(keys)
    first = [
        f"evtctxadd topic={topic} key={key} {draw(st.sampled_from(['true', 'v > 0']))}",
        f'eval c = evtctxget("{topic}", {key}, "counter"), d = evtctxgetvar("{topic}", {key}, "n")',
        f"evtctxadd topic={draw(topics)} key={draw(keys)} maxrows=1 {draw(tests_)}",
        f'eval ok = evtctxsetvar("{topic}", {key}, "n", {draw(values)})',
    ]
    return [*first[: draw(st.integers(0, 4))], *steps]


rows_ = st.lists(
    st.fixed_dictionaries(
        {
            "k": st.sampled_from(["p", "q", None]),
            "w": st.sampled_from(["x", "y", "z"]),
            "h": st.sampled_from(["one", "two"]),
            "v": st.integers(0, 4),
            "s": st.integers(-3, 6),
        }
    ),
    min_size=1,
    max_size=12,
)


def _tables(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with times that mostly go forward."""
    now, found = START, []
    for row in steps:
        now += dt.timedelta(seconds=row["s"])
        found.append({**{n: v for n, v in row.items() if n != "s"}, "_time": now.isoformat()})
    return found


def _arrow(rows: list[dict[str, Any]]) -> pa.Table:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    made = {name: pa.array(column) for name, column in columns.items() if name != "_time"}
    if all(v is None for v in columns["k"]):
        made["k"] = pa.nulls(len(rows), pa.string())
    times = [dt.datetime.fromisoformat(t) for t in columns["_time"]]
    return pa.table({**made, "_time": pa.array(times, pa.timestamp("us", ZONE))})


def both(program: list[str], steps: list[dict[str, Any]]) -> str | None:
    """None where both give the same rows and leave the same contexts, else what differs."""
    rows = _tables(steps)
    query = " | ".join(["table t", *program])
    ctx = Ctx(ZoneInfo(ZONE), now=START)
    load_tables(ctx, {"t": rows}, {"t": {"_time": "date"}})
    expected = list(build(normalise(query), ctx).rows)
    store = Contexts(clock=lambda: NOW)
    store.listen(None)
    with logsql.connect(tz=ZONE) as session:
        session.workspace.services.provide(CONTEXTS, store)
        session.register("t", _arrow(rows))
        found = session.query(query).rows()
    differs = rows_equal(expected, found, True, ZONE)
    if differs is not None:
        return f"{query}\n{rows}\n{differs}"
    reference = naive.contexts(ctx)
    gone = [(*one[:4], int(one[4].timestamp() * 1_000_000)) for one in reference.gone]
    ended = [(c.place.topic, c.key, c.place.host, cause, moment) for moment, c, cause in store.take_removed()]
    if sorted(gone, key=str) != sorted(ended, key=str):
        return f"{query}\n{rows}\nended: {ended}\nexpected: {gone}"
    left = sorted((c.topic, c.key, str(c.host), c.counter, canonical(c.rows, ZONE)) for c in reference.open)
    listed = [(r[0], r[1], str(r[2]), r[3], r[9]) for r in store.listed(None, ZONE)]
    kept = sorted((*r[:4], canonical(json.loads(str(r[4])), ZONE)) for r in listed)
    return None if str(left) == str(kept) else f"{query}\n{rows}\nkept: {kept}\nexpected: {left}"


@settings(max_examples=sample(3000, 20), deadline=None)
@given(programs(), rows_)
def test_one_row_at_a_time(program: list[str], steps: list[dict[str, Any]]) -> None:
    assert both(program, steps) is None
