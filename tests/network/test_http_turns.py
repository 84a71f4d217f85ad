"""Whose turn it is: requests that wait for something else than their answer hold up no others, and end in time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from logsql.connectors.http_deadlines import Deadlines
from tests.network.conftest import Net, rows_of
from tests.servers.replies import retry_after, text
from tests.servers.web import WebServer

#: Rows before those of a test: so many more requests may be begun with.
AHEAD = 8


def order(*servers: WebServer) -> list[str]:
    """The paths that were asked for, in the order in which the requests came."""
    return [request.path for request in sorted((one for s in servers for one in s.log), key=lambda one: one.when)]


@pytest.mark.parametrize("status", [503, 429])
def test_a_host_that_is_waited_for_holds_up_no_other(
    net: Net, https_server: WebServer, other_https_server: WebServer, status: int
) -> None:
    net.reaching(https_server, other_https_server)
    busy = https_server.on("/busy", retry_after(1, status), text("late"))
    free = other_https_server.on("/free", text("at once"))
    before = [other_https_server.on("/before", text("b"))] * AHEAD
    rows = net.ask(f"{rows_of(*before, busy, free, free)} | wget parallel=1").rows
    assert [r["line"] for r in rows] == [*["b"] * AHEAD, "late", "at once", "at once"]
    assert order(https_server, other_https_server)[AHEAD:] == ["/busy", "/free", "/free", "/busy"]


def test_the_bound_of_a_host_holds_up_no_other(
    net: Net, https_server: WebServer, other_https_server: WebServer
) -> None:
    net.reaching(https_server, other_https_server)
    net.more = f'[network.hosts."localhost:{https_server.port}"]\nparallel = 1\n'
    slow = https_server.on("/slow", text("x").with_(delay=0.4))
    free = other_https_server.on("/free", text("y"))
    before = [other_https_server.on("/before", text("b"))] * AHEAD
    rows = net.ask(f"{rows_of(*before, slow, slow, slow, free)} | wget parallel=2").rows
    assert [r["line"] for r in rows] == [*["b"] * AHEAD, "x", "x", "x", "y"]
    assert https_server.counts.peak_requests == 1
    assert "/free" in order(https_server, other_https_server)[AHEAD : AHEAD + 2]


def test_an_equal_request_that_is_under_way_holds_up_no_other(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    https_server.on("/before", text("b"))
    before = [https_server.url(f"/before?n={n}") for n in range(AHEAD)]
    slow = https_server.on("/slow", text("x").with_(delay=0.6))
    free = https_server.on("/free", text("y"))
    rows = net.ask(f"{rows_of(*before, slow, slow, slow, free)} | wget parallel=2 cache=1h").rows
    assert [r["line"] for r in rows] == [*["b"] * AHEAD, "x", "x", "x", "y"]
    [[first], [other]] = [https_server.requests(path) for path in ("/slow", "/free")]
    assert other.when - first.when < 0.5, "it was sent while the slow one was under way"


@pytest.mark.parametrize("parallel", [1, 3])
def test_whoever_comes_back_from_waiting_keeps_to_the_bound(net: Net, https_server: WebServer, parallel: int) -> None:
    net.reaching(https_server)
    again = [https_server.on(f"/{n}", retry_after(0.3, 503), text(str(n)).with_(delay=0.05)) for n in range(6)]
    rows = net.ask(f"{rows_of(*again)} | wget parallel={parallel}").rows
    assert [r["line"] for r in rows] == [str(n) for n in range(6)]
    assert https_server.counts.peak_requests <= parallel


# --- deadlines --------------------------------------------------------------------------------------------------------


async def _waits(deadlines: Deadlines, seconds: float, work: float) -> str:
    deadline = deadlines.begin(seconds)
    try:
        await asyncio.sleep(work)
        return "done"
    except asyncio.CancelledError:
        if deadline.missed():
            return "late"
        raise
    finally:
        deadline.end()


def test_each_request_has_its_own_time() -> None:
    async def run() -> list[tuple[str, float]]:
        deadlines, loop = Deadlines(), asyncio.get_running_loop()

        async def one(start: float, seconds: float, work: float) -> tuple[str, float]:
            await asyncio.sleep(start)
            begun = loop.time()
            return await _waits(deadlines, seconds, work), loop.time() - begun

        return await asyncio.gather(one(0, 0.3, 9), one(0.2, 0.3, 9), one(0, 5, 0.05), one(0.1, 0.1, 9), one(0, 9, 0.2))

    found = asyncio.run(run())
    assert [word for word, _ in found] == ["late", "late", "done", "late", "done"]
    # None comes early; a machine with other work may be late, but not the nine seconds that the work takes.
    assert all(wanted - 0.01 < took < 6 for (_, took), wanted in zip(found, (0.3, 0.3, 0.05, 0.1, 0.2), strict=True))


def test_a_task_that_met_its_deadline_goes_on() -> None:
    async def run() -> tuple[str, str, int]:
        deadlines = Deadlines()
        first = await _waits(deadlines, 0.05, 9)
        second = await _waits(deadlines, 5, 0.1)
        task = asyncio.current_task()
        assert task is not None
        return first, second, task.cancelling()

    assert asyncio.run(run()) == ("late", "done", 0)


def test_who_is_ended_by_others_is_not_late() -> None:
    async def run() -> bool:
        deadlines = Deadlines()
        task = asyncio.create_task(_waits(deadlines, 0.05, 9))
        asyncio.get_running_loop().call_later(0.02, task.cancel)
        with suppress(asyncio.CancelledError):
            await task
        ended = task.cancelled()
        both = asyncio.create_task(_waits(deadlines, 0.05, 9))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.05, both.cancel)  # in the turn of the deadline
        with suppress(asyncio.CancelledError):
            await both
        return ended and both.cancelled()

    assert asyncio.run(run())
