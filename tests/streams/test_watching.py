"""The wake-up of file receivers: a change in a folder is told at once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from logsql.streams.receivers.watching import Watch, folder_of


def test_a_change_wakes(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles", reason="package not installed: watchfiles")
    woken = threading.Event()
    watch = Watch([str(tmp_path)], woken.set)
    end = time.monotonic() + 20
    while not woken.wait(0.1) and time.monotonic() < end:  # it takes a moment until the system watches
        with (tmp_path / "a.log").open("a", encoding="utf-8") as file:
            file.write("x\n")
    watch.close()
    assert woken.is_set()


def test_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    watch = Watch([str(tmp_path / "nowhere"), ""], lambda: None)
    time.sleep(0.05)
    watch.close()
    assert folder_of("/var/log/*/x?.log") == "/var/log"
