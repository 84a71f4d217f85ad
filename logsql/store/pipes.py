"""Writing to a pipe or a device that the user named: it is written to directly, nothing takes its place."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable

from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, diagnostic
from logsql.diagnostics.paths import NOBODY_READS

#: Seconds that a pipe's reader has to open it: a shell starts both ends at once.
PATIENCE = 10.0


def open_special(path: str, cancelled: Callable[[], bool] = lambda: False) -> int:
    """A pipe or device, opened for writing. A pipe that nobody reads is waited for, till the run is stopped or for
    :data:`PATIENCE` seconds. Raises Interrupted, OSError."""
    begun = time.monotonic()
    while True:
        try:
            handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as problem:
            if problem.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise
            if cancelled():
                raise Interrupted(diagnostic(INTERRUPTED)) from None
            if time.monotonic() > begun + PATIENCE:
                raise OSError(errno.ENXIO, NOBODY_READS.fill(), path) from None
            time.sleep(0.05)
            continue
        if sys.platform != "win32":
            os.set_blocking(handle, True)
        return handle
