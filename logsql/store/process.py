"""What the system tells of this process."""

from __future__ import annotations

import os
import sys

_PAGE = os.sysconf("SC_PAGE_SIZE") if sys.platform == "linux" else 0


def memory_held() -> int | None:
    """Bytes of memory that this process holds and that are no pages of files; None where the system does not tell."""
    if not _PAGE:
        return None
    try:
        with open("/proc/self/statm", "rb") as file:
            _, resident, shared, *_ = file.read().split()
    except (OSError, ValueError):
        return None
    return (int(resident) - int(shared)) * _PAGE
