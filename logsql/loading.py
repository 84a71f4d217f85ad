"""Loading modules without what they do not need.

The garbage collector: an import makes objects that stay. It would look through all of them again and again while they
are made, and find nothing: a tenth of the CPU time between the start of the program and its first row. And pandas.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType


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


class _Absent(MetaPathFinder):
    """Says of one package that it is not there."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> None:
        if fullname == self._package:
            raise ModuleNotFoundError(name=fullname)


def arrow_without_pandas() -> None:
    """pyarrow shall not import pandas at its first conversion, a third of a second where the package is installed.

    It asks once, here, and remembers; others import pandas as before. For processes that are the program's own, after
    pyarrow was imported: ``Table.to_pandas`` does not work there any more.
    """
    arrow = sys.modules.get("pyarrow")
    if arrow is None or "pandas" in sys.modules:
        return
    finder = _Absent("pandas")
    sys.meta_path.insert(0, finder)
    try:
        arrow.scalar(True)
    finally:
        sys.meta_path.remove(finder)
