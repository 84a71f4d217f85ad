"""A wake-up when something happens in a folder, where the package watchfiles is there. Polling finds everything too."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable


class Watch:
    """Calls ``wake``, from a thread of its own, soon after a file in one of the folders changed, until it is closed.

    Without the package, and for folders that are not there or on drives that tell nothing, it never calls.
    """

    def __init__(self, folders: Iterable[str], wake: Callable[[], None]) -> None:
        self._ended = threading.Event()
        self._wake = wake
        self._folders = sorted({folder for folder in folders if folder})
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            import watchfiles  # an extra: without it files are polled
        except ImportError:
            return
        with contextlib.suppress(OSError, RuntimeError):
            for _ in watchfiles.watch(
                *self._folders, watch_filter=None, debounce=40, step=10, stop_event=self._ended, recursive=False,
                raise_interrupt=False, rust_timeout=1000,
            ):  # fmt: skip
                self._wake()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()


def folder_of(pattern: str) -> str:
    """The folder in which a pattern's files lie, as far as it has no wildcard.

    >>> folder_of("/var/log/nginx/*.log"), folder_of("/var/*/x.log")
    ('/var/log/nginx', '/var')
    """
    folder = os.path.dirname(pattern)
    while any(char in folder for char in "*?["):
        folder = os.path.dirname(folder)
    return folder
