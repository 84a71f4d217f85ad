"""Workbooks are parsed in a child process, because the parser may end the process it runs in.

``read_sheet`` hands the file to the child (``python -m udfs.readers.sheetchild``) and gets Arrow record batches back. A
child is started at the first workbook and kept for the next ones; one that dies, runs out of memory or out of time is
one ReaderError, and the next workbook gets a new one. It ends with this process, whose end of the pipe it reads.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from udfs.readers.errors import ReadCancelled, ReaderError

SECONDS = 600.0
"""A workbook of a million rows takes half a minute; a parser that runs longer than this goes in circles."""
MEMORY = 8 << 30
"""Address space of the child in bytes, where the system can limit it. The largest sheets take about 3 GiB."""
_TICK = 0.1
_PIECE = 1 << 20


@dataclass(frozen=True)
class Sheet:
    """A sheet in memory: batches of one schema, and the notes about renamed columns."""

    schema: pa.Schema
    batches: tuple[pa.RecordBatch, ...]
    notes: tuple[str, ...]


class _Child:
    """The process that parses; one workbook at a time."""

    def __init__(self) -> None:
        home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "udfs.readers.sheetchild", str(MEMORY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Not from the working folder, which may be one of evidence.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"},
        )
        self.owner = os.getpid()

    @property
    def alive(self) -> bool:
        """It can be given a workbook. A process that was forked from the one that started it has no child."""
        return self.owner == os.getpid() and self._process.poll() is None

    def stop(self) -> None:
        """Kill it; whoever reads from it gets the end of the stream."""
        self._process.kill()

    def end(self) -> None:
        """Kill it; whoever reads from it gets the end of the stream."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    def ask(self, path: str, sheet: str | None, skip: int, file: BinaryIO) -> Sheet:
        """Raises ReaderError for what the child says; OSError and Arrow's errors when it is gone."""
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        to.write(json.dumps({"path": path, "sheet": sheet, "skip": skip, "size": size}).encode() + b"\n")
        while piece := file.read(_PIECE):
            to.write(piece)
        to.flush()
        line = back.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        said = json.loads(line)
        if "code" in said:
            raise ReaderError(said["said"], path, said["code"], **said["facts"])
        with pa.ipc.open_stream(back) as stream:
            return Sheet(stream.schema, tuple(stream), tuple(said["notes"]))


_LOCK = threading.Lock()
_KEPT: list[_Child] = []


@atexit.register
def _end_all() -> None:
    while _KEPT:
        _KEPT.pop().end()


def read_sheet(
    path: str, sheet: str | None, skip: int, file: BinaryIO, cancelled: Callable[[], bool], seconds: float = SECONDS
) -> Sheet:
    """The sheet's rows below its header. ReaderError: ``not-xlsx`` (also of a workbook that the parser dies of),
    ``no-such-sheet``, ``xlsx-too-sparse``; ReadCancelled."""
    child = _taken()
    keep = False
    try:
        with _watched(child, cancelled, seconds) as stopped:
            found = child.ask(path, sheet, skip, file)
        keep = True
        return found
    except ReaderError:
        keep = True
        raise
    except (OSError, EOFError, ValueError, pa.ArrowException) as problem:
        if cancelled():
            raise ReadCancelled from None
        if stopped:
            took = "{path} is not a readable workbook: reading it took longer than {seconds:g} seconds"
            raise ReaderError(took, path, "not-xlsx", seconds=seconds) from problem
        failed = "{path} is not a readable workbook: the parser failed on it"
        raise ReaderError(failed, path, "not-xlsx") from problem
    finally:
        if keep and child.alive:
            with _LOCK:
                _KEPT.append(child)
        else:
            child.end()


def _taken() -> _Child:
    """A child that nobody uses, else a new one."""
    with _LOCK:
        while _KEPT:
            child = _KEPT.pop()
            if child.alive:
                return child
            child.end()
    return _Child()


@contextmanager
def _watched(child: _Child, cancelled: Callable[[], bool], seconds: float) -> Iterator[list[str]]:
    """Ends the child when the query is stopped or time is up: a read from a pipe listens to neither. The list is not
    empty afterwards when it was time."""
    done = threading.Event()
    stopped: list[str] = []
    until = time.monotonic() + seconds

    def watch() -> None:
        while not done.wait(_TICK):
            if time.monotonic() > until:
                stopped.append("time")
            if stopped or cancelled():
                child.stop()
                return

    watcher = threading.Thread(target=watch, name="workbook-watch", daemon=True)
    watcher.start()
    try:
        yield stopped
    finally:
        done.set()
        watcher.join()
