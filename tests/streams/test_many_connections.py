"""Many connections: as many as are allowed, told and counted where they are more, and where the system allows less."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.streams.serving import Served
from tests.support import sample

EDGE = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]
max_connections = MOST
max_connections_per_address = MOST

[[stream]]
name = "all"
from = ["edge"]
to = ["kept"]

[[sink]]
name = "kept"
kind = "table"
"""
#: ``logsql`` where the system allows FILES open files, and no more can be asked for.
LIMITED = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)); "
LIMITED += "runpy.run_module('logsql', run_name='__main__', alter_sys=True)"
MANY = sample(10_000, 300)
pytestmark = [
    pytest.mark.posix("a limit of open files"),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell memory"),
]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, "")
    yield made
    if made.process is not None:
        made.kill()


@pytest.fixture
def many_files() -> Iterator[None]:
    """This process is the other end of all connections."""
    resource = pytest.importorskip("resource", reason="not on Windows")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 500:
        pytest.skip(f"{MANY} connections take more files than the {hard} that this process may open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_connections(served: Served, stack: ExitStack, count: int) -> list[socket.socket]:
    return [stack.enter_context(socket.create_connection(("127.0.0.1", served.port), 30)) for _ in range(count)]


def number(served: Served) -> float:
    return served.counted("logsql_receiver_connections", "edge")


def refused(served: Served, reason: str) -> float:
    """How many were refused, for a reason."""
    return served.counted("logsql_receiver_refused_total", reason, "edge")


def test_as_many_connections_as_are_allowed_and_no_more(served: Served, many_files: None) -> None:
    """All are heard; those beyond are closed and counted, and the memory of each is small."""
    served.write(EDGE.replace("MOST", str(MANY)))
    served.start()
    assert not [line for line in served.said if "may open" in line]
    before = memory(served)
    with ExitStack() as stack:
        peers = open_connections(served, stack, MANY)
        served.until(lambda: number(served) == MANY, "connected")
        beyond = open_connections(served, stack, 20)
        served.until(lambda: refused(served, "max_connections") == 20, "refused")
        for one in beyond:
            one.settimeout(30)
            assert closed(one)
        for n, peer in enumerate(peers):
            peer.sendall(b"<13>n %d\n" % n)
        served.until(lambda: served.counted("logsql_sink_rows_total", "kept") == MANY, "stored")
        grown = memory(served) - before
    assert grown < 100_000_000 + MANY * 20_000, f"{grown / 1e6:.0f} MB"
    served.until(lambda: number(served) == 0, "closed")
    assert served.end() == 0
    assert served.stored("SELECT count(*), count(DISTINCT line) FROM kept") == [(MANY, MANY)]


def test_where_the_system_allows_fewer_files_it_is_told_and_nothing_else_suffers(served: Served) -> None:
    """300 files, of which connections may have half: without that the journal could not begin its next file, and the
    loop would take no connection for a second each time."""
    served.write(EDGE.replace("MOST", "1000"))
    served.program = ["-c", LIMITED.replace("FILES", "300")]
    served.start()
    (told,) = [line for line in served.said if "may open" in line]
    assert "warning" in told
    assert all(part in told for part in ("300 files", "150", "1,000", "open_files", "LimitNOFILE"))
    with ExitStack() as stack:
        peers = open_connections(served, stack, 400)
        served.until(lambda: refused(served, "open_files") + number(served) == 400, "judged")
        assert 100 < number(served) <= 150
        assert served.get("/ready") == (200, "ready\n")
        peers[0].sendall(b"<13>the first\n")
        served.until(lambda: served.counted("logsql_sink_rows_total", "kept") == 1, "stored")
        assert served.verb("stream", "ls").returncode == 0
    served.until(lambda: number(served) == 0, "closed")
    served.send(b"<13>room again\n")
    served.until(lambda: served.counted("logsql_sink_rows_total", "kept") == 2, "stored")
    assert served.end() == 0
    assert served.stored("SELECT line FROM kept ORDER BY rowid") == [("<13>the first",), ("<13>room again",)]


def closed(sock: socket.socket) -> bool:
    """Whether the other end has closed it."""
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def memory(served: Served) -> int:
    """Bytes that the server has."""
    assert served.process is not None
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return int(next(one for one in status.splitlines() if one.startswith("VmRSS")).split()[1]) * 1024
