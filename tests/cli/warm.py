"""Processes of the command line without their second of imports: forked from one that has everything read.

Each is a process like any other: its words, folder, environment, three streams, signals and exit code are its own. What
tests the start itself (modules that stay away, Ctrl-C while modules are read, a broken installation) starts Python.
"""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from tests.support import ROOT

_LENGTH = 8
_SERVER: list[tuple[subprocess.Popen[bytes], socket.socket]] = []


def _server() -> socket.socket:
    """The socket of the process that has everything read; one per test process."""
    if not _SERVER or _SERVER[0][0].poll() is not None:
        ours, theirs = socket.socketpair()
        words = [sys.executable, "-m", "tests.cli.warm", str(theirs.fileno())]
        process = subprocess.Popen(words, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        _SERVER[:] = [(process, ours)]
    return _SERVER[0][1]


def run(
    words: list[str], given: bytes, cwd: Path | None, environment: dict[str, str], bound: float
) -> subprocess.CompletedProcess[bytes]:
    """``logsql WORDS``; streams are files, so that neither side waits for the other."""
    server = _server()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        read, write = os.pipe()
        _ask(server, words, cwd, environment, [read, out.fileno(), err.fileno()])
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            try:
                pipe.write(given)
                pipe.flush()
            except BrokenPipeError:  # it ended without reading
                pass
        server.settimeout(bound)
        code = int.from_bytes(server.recv(_LENGTH, socket.MSG_WAITALL), "big", signed=True)
        return subprocess.CompletedProcess(words, code, _read(out), _read(err))


def on_a_terminal(words: list[str], environment: dict[str, str], rows: int, columns: int, bound: float) -> str:
    """What ``logsql WORDS`` shows on a terminal of this size."""
    import fcntl
    import pty
    import termios

    server = _server()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    _ask(server, words, None, environment, [theirs, theirs, theirs])
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # EIO: nobody holds the other side any more
        while part := os.read(ours, 65_536):
            shown += part
    os.close(ours)
    server.settimeout(bound)
    server.recv(_LENGTH, socket.MSG_WAITALL)
    return shown.decode()


def _ask(
    server: socket.socket, words: list[str], cwd: Path | None, environment: dict[str, str], streams: list[int]
) -> None:
    asked = json.dumps([words, str(cwd or Path.cwd()), environment]).encode()
    socket.send_fds(server, [len(asked).to_bytes(_LENGTH, "big")], streams)
    server.sendall(asked)


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def serve(server: socket.socket) -> list[str] | None:
    """Answer until the test process is gone (None); in each forked process: the words that it shall run."""
    while True:
        length, streams, *_ = socket.recv_fds(server, _LENGTH, 3)
        if not length:
            return None
        asked = server.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
        child = os.fork()
        if not child:
            server.close()
            words, folder, environment = json.loads(asked)
            _become(streams, folder, environment)
            return list(words)
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        server.sendall(os.waitstatus_to_exitcode(status).to_bytes(_LENGTH, "big", signed=True))


def _become(streams: list[int], folder: str, environment: dict[str, str]) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8", "strict")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8", "strict")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w", closefd=False)), "utf-8", "backslashreplace", line_buffering=True
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def main() -> None:
    """The process that has everything read, and what it becomes when it forks."""
    import threading

    import duckdb  # noqa: F401  read here once
    import numpy  # noqa: F401
    import pyarrow.compute  # noqa: F401
    import sqlglot  # noqa: F401

    import logsql.api
    import logsql.cli
    import logsql.registry  # noqa: F401
    from logsql.__main__ import start

    assert threading.active_count() == 1, "a process with threads cannot be forked"
    words = serve(socket.socket(fileno=int(sys.argv[1])))
    if words is not None:
        sys.argv = ["logsql", *words]
        start()


if __name__ == "__main__":
    main()
