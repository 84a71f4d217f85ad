"""What ``wget`` costs beside bare aiohttp: ``python -m bench.run "requests"``.

1,000 requests to a local server (a process of its own) that answers each after 10 ms, 16 at a time, over connections
that are kept. CPU: at most 1.5 of aiohttp alone with the same bound. Wall: at most 1.3 of the ideal, which is
1,000 * 10 ms / 16. Sides alternate.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import logsql
from bench import measure

COUNT, PARALLEL, LATENCY = 1000, 16, 0.010
_SERVER = """
import asyncio
BODY = b'{"n": 1, "verdict": "clean", "names": ["a", "b"]}'
HEAD = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(BODY)
async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            await asyncio.sleep(LATENCY)
            writer.write(HEAD + BODY)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


@contextmanager
def server() -> Iterator[int]:
    """The port of a server that answers after the latency."""
    code = _SERVER.replace("LATENCY", str(LATENCY))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        try:
            yield int(started.stdout.readline())
        finally:
            started.terminate()


async def _bare(urls: list[str]) -> list[str]:
    """The texts of all answers, with aiohttp alone."""
    import aiohttp

    slots = asyncio.Semaphore(PARALLEL)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(url: str) -> str:
            async with slots, session.get(url) as answer:
                return await answer.text()

        return await asyncio.gather(*map(one, urls))


def rows() -> list[measure.Row]:
    """CPU time beside aiohttp alone, and wall time beside the ideal."""
    with server() as port, tempfile.TemporaryDirectory() as folder:
        place = f"127.0.0.1:{port}"
        config = Path(folder) / "config.toml"
        config.write_text(f'[network]\nallow = ["{place}"]\nplain_http = ["{place}"]\nproxy = "none"\n')
        urls = [f"http://{place}/a?n={n}" for n in range(COUNT)]
        lines = Path(folder) / "urls.json"
        lines.write_text("".join(json.dumps({"url": url}) + "\n" for url in urls))
        walls: list[float] = []
        bare: list[float] = []
        with logsql.connect(config=str(config), threads=2) as session:

            def ours() -> list[str]:
                started = time.perf_counter()
                found = session.query(f"jsonfile {lines} | wget parallel={PARALLEL} | fields line").arrow()
                walls.append(time.perf_counter() - started)
                return [str(text) for text in found.column("line").to_pylist()]

            def theirs() -> list[str]:
                started = time.perf_counter()
                found = asyncio.run(_bare(urls))
                bare.append(time.perf_counter() - started)
                return found

            assert ours() == theirs(), "both sides have the same answers"
            times = measure.in_turns(ours, theirs)
        ideal = COUNT * LATENCY / PARALLEL
        wall, theirs_wall = statistics.median(walls), statistics.median(bare)
        note = (
            f"wall {wall * 1000:.0f} ms, {wall / ideal:.2f} of the ideal {ideal * 1000:.0f} ms, goal 1.30; "
            f"aiohttp alone {theirs_wall / ideal:.2f}"
        )
        return [measure.row(f"{COUNT:,} requests", "aiohttp alone", times, 1.5, note)]
