"""The ``console`` blocks of the READMEs: ``python -m docs.transcripts`` writes their output, a test compares it.

A block is one line ``$ logsql ...`` and what it prints, stderr behind stdout. Blocks run in the repository's root with
the time zone Asia/Seoul.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "README.ko.md")
_BLOCK = re.compile(r"```console\n\$ (logsql .*)\n((?:.*\n)*?)```\n")


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """(command line, printed output) of every block."""
    for found in _BLOCK.finditer(text):
        yield found[1], found[2]


def started(words: list[str]) -> subprocess.CompletedProcess[bytes]:
    """``logsql WORDS`` in the repository's root."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOGSQL_")}
    return subprocess.run(
        [sys.executable, "-m", "logsql", *words],
        capture_output=True,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


def printed(line: str, run: Callable[[list[str]], subprocess.CompletedProcess[bytes]] = started) -> str:
    """What the command line prints."""
    done = run(["--tz", "Asia/Seoul", *shlex.split(line)[1:]])
    return (done.stdout + done.stderr).decode()


def filled(text: str) -> str:
    """The page with the output of every block as it is now."""
    return _BLOCK.sub(lambda found: f"```console\n$ {found[1]}\n{printed(found[1])}```\n", text)


def main() -> int:
    """Rewrite the pages."""
    for name in PAGES:
        path = ROOT / name
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
