"""Programs that run beside the tests: on free ports, and never longer than the process that started them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 60.0
"""Seconds within which a server answers after its start."""
PLACES = "/usr/sbin:/sbin:/usr/lib/openssh"
"""Folders of servers, which are not on every user's path."""
ORDINARY = 65_534
"""The user ``nobody``: what servers run as that refuse to run as root."""


def program(name: str, *folders: Path) -> Path:
    """Path of a server's program; skips with a reason that fails under ``LOGSQL_CI=1``."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), PLACES])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"program not installed: {name}")
    return Path(found)


def is_root() -> bool:
    """Whether this is the super-user (on Windows: no)."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Child:
    """A program that was started; ``log`` holds what it printed."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self, how: int = signal.SIGTERM, patience: float = 10.0) -> None:
        """Ask it to end, and end it."""
        if self.alive:
            self.process.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """End it at once."""
        if self.alive:
            self.process.kill()
        self.process.wait()

    def tail(self) -> str:
        """The last lines that it printed, for the message of a start that failed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


def start(
    args: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str] | None = None,
    ordinary: bool = False,
    ending: str = "KILL",
    prefix: Sequence[str] = (),
) -> Child:
    """Start a program. The kernel sends it the signal ``ending`` when the thread that started it is gone, also after a
    kill that lets nobody clean up; ``ordinary=True`` runs it as an ordinary user where this is root. ``prefix`` is a
    program that starts it (``unshare ...``)."""
    guard = [str(program("setpriv")), f"--pdeathsig={ending}"]
    if ordinary and is_root():
        guard += [f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*prefix, *guard, "--", *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
        )
    return Child(process, log)


def call(args: Sequence[str | Path], stdin: bytes = b"", ordinary: bool = False) -> str:
    """Run a program of a server's set-up to its end and give what it printed; one that fails fails the test."""
    guard: list[str] = []
    if ordinary and is_root():
        guard = [str(program("setpriv")), f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups", "--"]
    done = subprocess.run([*guard, *map(str, args)], input=stdin, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, f"{args[0]}: {done.stderr.decode(errors='replace')[-2000:]}"
    return done.stdout.decode(errors="replace")


def answers(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def until(ready: Callable[[], bool], child: Child, patience: float = PATIENCE) -> bool:
    """Wait until a server is ready; False when it ended instead. One that is never ready fails the test."""
    end = time.monotonic() + patience
    while child.alive:
        if ready():
            return True
        if time.monotonic() > end:
            child.kill()
            pytest.fail(f"{child.process.args!r} is not ready after {patience:.0f} s:\n{child.tail()}")
        time.sleep(0.05)
    return False


def started(attempt: Callable[[], Child], ready: Callable[[], bool], tries: int = 3) -> Child:
    """Start until it is ready: a port that was free may be taken when the program asks for it."""
    for _ in range(tries):
        child = attempt()
        if until(ready, child):
            return child
    pytest.fail(f"{child.process.args!r} ended {tries} times:\n{child.tail()}")


def open_folder(kind: str) -> Path:
    """A folder that an ordinary user may enter and write to, with a short path (sockets have at most 107 bytes). The
    name holds the process that made it: what a killed run left is removed by the next one."""
    top = Path(tempfile.gettempdir())
    for old in top.glob(f"lqt-{kind}-*"):
        with suppress(ValueError, ProcessLookupError, PermissionError):
            try:
                os.kill(int(old.name.split("-")[2]), 0)
            except ProcessLookupError:
                shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"lqt-{kind}-{os.getpid()}-"))
    if is_root():
        os.chown(folder, ORDINARY, ORDINARY)
    return folder


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
