"""Where output goes: standard output, or a file that appears only when it is complete.

``open_sink(path)`` gives a binary file. A regular file is written beside its place under a temporary name and renamed
at the end, so a failed or interrupted query leaves the old file (or none); pipes and devices are written directly. Two
kinds of trouble are told apart: a reader that went away (BrokenPipeError) and a disk that cannot take the data.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, BinaryIO

from logsql.diagnostics.errors import LogsqlError, RunError, diagnostic
from logsql.diagnostics.messages import text
from logsql.diagnostics.usage import OUTPUT_NOT_WRITTEN
from logsql.store.files import Files
from logsql.store.policy import Policy

STANDARD_OUTPUT = text("standard output", "표준 출력")


class OutputError(RunError):
    """The output file cannot be made or the data cannot be written."""

    def __init__(self, path: str, error: OSError) -> None:
        reason = error.strerror or str(error)
        super().__init__(diagnostic(OUTPUT_NOT_WRITTEN, path=path, reason=reason))


class _File(io.FileIO):
    """A file whose write errors say which output they belong to."""

    def __init__(self, handle: int, shown: str, keep: bool = False) -> None:
        super().__init__(handle, "wb", closefd=not keep)
        self._shown = shown

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(self._shown, error) from None


@contextmanager
def open_sink(path: str | None, policy: Policy | None = None) -> Iterator[BinaryIO]:
    """A binary sink for ``path``, or standard output for None. Raises :class:`OutputError`, PolicyError for a file
    that ``policy`` (None: the user's own word) does not let be written."""
    if path is None:
        yield from _standard()
        return
    stack, written = ExitStack(), False
    try:
        handle = stack.enter_context(Files(policy).writing(path))
    except OSError as error:
        raise OutputError(path, error) from None
    try:
        with stack, io.BufferedWriter(_File(handle, path)) as sink:
            yield sink
            sink.flush()
            written = True
    except OSError as error:
        if not written:
            raise
        raise OutputError(path, error) from None


def _standard() -> Iterator[BinaryIO]:
    sys.stdout.flush()
    try:
        handle = sys.stdout.fileno()
    except (OSError, ValueError):  # standard output is an object of this process (a notebook, a test)
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    raw = _File(handle, STANDARD_OUTPUT.fill(), keep=True)
    sink = io.BufferedWriter(raw, 1 << 16)
    try:
        yield sink
        sink.flush()
    finally:
        with suppress(OSError, LogsqlError, ValueError):
            sink.detach()
