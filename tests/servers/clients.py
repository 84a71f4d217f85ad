"""Plain clients, which know nothing of the product: they say what the servers really do."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import needs_program

PATIENCE = 60
"""Seconds within which a client answers."""


@dataclass(frozen=True)
class Ran:
    """How a program ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


def run(program: str, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Ran:
    """Run a program to its end; it sees no proxy and no configuration of the user."""
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    done = subprocess.run(
        [needs_program(program), *args],
        input=stdin,
        capture_output=True,
        timeout=PATIENCE,
        env={**clean, "LC_ALL": "C.UTF-8", **(env or {})},
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def curl(url: str, *args: str, ca: Path | None = None) -> Ran:
    """``curl`` without a configuration file; its exit codes: 18 partial file, 22 HTTP error (with -f), 23 write error,
    28 time is over, 47 too many redirects, 52 empty reply, 56 receive failure, 60 certificate, 61 bad encoding."""
    trust = ["--cacert", str(ca)] if ca else []
    return run("curl", "-q", "-sS", "--max-time", "20", *trust, *args, url)
