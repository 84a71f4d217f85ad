"""Loading modules without the garbage collector: an import makes objects that stay.

The collector would look through all of them again and again while they are made, and find nothing: a tenth of the CPU
time between the start of the program and its first row.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """The collector rests inside, unless the caller had switched it off anyway."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
