"""The web server in a process of its own, where its work would count as that of what is measured.

    python -m tests.servers.apart [right | plain]

prints one line of JSON (``url``, ``ca_file``) and serves until its standard input ends. ``/wait?ms=10&bytes=100``
answers after so many milliseconds with a JSON object of about so many bytes that has the parameter ``n`` in it;
``/counts`` tells what it has seen, and begins anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.servers.loop import LoopThread
from tests.servers.pki import make_authority
from tests.servers.replies import Reply, Request, as_json
from tests.servers.web import Counts, web_server
from tests.support import ROOT


@dataclass
class WebApart:
    """A web server in another process: ``url`` is its origin, ``ca_file`` None where it speaks no TLS."""

    url: str
    ca_file: Path | None
    process: subprocess.Popen[str]

    def counts(self) -> Counts:
        """Connections and requests since the last call (this one's own among them)."""
        context = None
        if self.ca_file is not None:
            import ssl

            context = ssl.create_default_context(cafile=self.ca_file)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(f"{self.url}/counts", timeout=20) as answer:
            return Counts(**json.load(answer))

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


def start_apart(variant: str = "right") -> WebApart:
    """Start one. It ends with this process, too: its standard input does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.apart", variant],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    return WebApart(told["url"], Path(told["ca_file"]) if told["ca_file"] else None, process)


def main() -> None:
    """Serve as the command line says."""
    variant = sys.argv[1] if len(sys.argv) > 1 else "right"
    with tempfile.TemporaryDirectory() as folder:
        authority = make_authority(Path(folder))
        server = web_server(LoopThread(), authority, variant)

        def wait(request: Request) -> Reply:
            asked = request.query
            padding = "x" * int(asked.get("bytes", "0"))
            return as_json({"n": asked.get("n"), "padding": padding}).with_(delay=int(asked.get("ms", "0")) / 1000)

        def counts(request: Request) -> Reply:
            seen = asdict(server.counts)
            server.counts = Counts(open=server.counts.open, under_way=server.counts.under_way)
            server.log.clear()
            return as_json(seen)

        server.on("/wait", wait)
        server.on("/counts", counts)
        ca_file = None if variant == "plain" else str(authority.ca_file)
        print(json.dumps({"url": server.origin, "ca_file": ca_file}), flush=True)
        sys.stdin.read()
        server.stop()


if __name__ == "__main__":
    main()
