"""Loading modules when they are asked for, and without what they do not need.

Rows of a registry: a query names three commands of a hundred and twenty, whose modules take as long to import as all
the rest of the package. The garbage collector: an import makes objects that stay. It would look through all of them
again and again while they are made, and find nothing: a tenth of the CPU time between the start of the program and its
first row. And pandas.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import sys
import threading
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Row = TypeVar("Row")


def at(place: str) -> object:
    """What stands at a place, ``module:name``; the module is imported.

    >>> at("math:floor")(2.5)
    2
    """
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def installed(group: str | None, name: str | None = None) -> Iterable[EntryPoint]:
    """Entry points that other packages have for us."""
    if group is None:
        return ()
    from importlib.metadata import entry_points  # for cost: few runs ask other packages

    return [entry for entry in entry_points(group=group) if name in (None, entry.name)]


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


class Rows(MutableMapping[str, Row]):
    """The rows of a registry by name, whose modules are imported when they are asked for.

    Modules of :meth:`rooms` add their rows as they are imported (:meth:`add`). A name is looked for in the module of
    that name (``evtx-file`` in ``evtx_file``, ``set`` in ``set_``); where there is none, and for everything else that
    is asked, all modules are imported. What was imported first does not show: all rows together are sorted by name.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._rooms: tuple[str, ...] = ()
        self._group: str | None = None
        self._whole = True
        self._loading = False
        self._modules: dict[str, str] | None = None
        self._lock = threading.RLock()

    def rooms(self, *packages: str, group: str | None = None) -> None:
        """Say in which packages rows may still be. A module whose name begins with ``_`` is a helper.

        ``group``: entry points of other packages, modules that add their rows as they are imported.
        """
        self._rooms, self._whole, self._group = packages, False, group

    def add(self, name: str, row: Row) -> None:
        """A row from its module. Raises ValueError for a name that another row has."""
        if name in self._rows:
            raise ValueError(f"{name} is registered twice")
        self._rows[name] = row

    def load(self) -> None:
        """Import every module of the rooms."""
        if self._whole:
            return
        with self._lock:
            if self._whole or self._loading:
                return
            self._loading = True
            try:
                with collector_paused():
                    for module in self._found().values():
                        importlib.import_module(module)
                    for entry in installed(self._group):
                        entry.load()
                self._rows = dict(sorted(self._rows.items()))
                self._whole = True
            finally:
                self._loading = False

    def loaded(self, *packages: str) -> dict[str, Row]:
        """The rows that are there when the modules of some packages have been imported, by name."""
        if not self._whole:
            places = tuple(f"{package}." for package in packages)
            with self._lock, collector_paused():
                for module in self._found().values():
                    if module.startswith(places):
                        importlib.import_module(module)
        return dict(sorted(self._rows.items()))

    def _found(self) -> dict[str, str]:
        if self._modules is None:
            self._modules = {
                module.rpartition(".")[2]: module for room in self._rooms for module in modules_below(room)
            }
        return self._modules

    def _look_for(self, name: str) -> None:
        if self._whole or name in self._rows:
            return
        plain = name.replace("-", "_")
        module = self._found().get(plain) or self._found().get(f"{plain}_")
        if module is not None:
            with self._lock, collector_paused():
                importlib.import_module(module)
        if name not in self._rows:
            self.load()

    def __getitem__(self, name: str) -> Row:
        row = self._rows.get(name)
        if row is not None:
            return row
        self._look_for(name)
        return self._rows[name]

    def __setitem__(self, name: str, row: Row) -> None:
        self._look_for(name)
        self._rows[name] = row

    def __delitem__(self, name: str) -> None:
        self._look_for(name)
        del self._rows[name]

    def __iter__(self) -> Iterator[str]:
        self.load()
        return iter(self._rows)

    def __len__(self) -> int:
        self.load()
        return len(self._rows)


def modules_below(name: str) -> Iterator[str]:
    """The names of all modules of a package and of the packages in it, but for helpers (``_name``)."""
    package = importlib.import_module(name)
    for module in pkgutil.iter_modules(package.__path__, f"{name}."):
        if module.ispkg:
            yield from modules_below(module.name)
        elif not module.name.rpartition(".")[2].startswith("_"):
            yield module.name


class _Absent:
    """Says of one package that it is not there, as an entry of ``sys.meta_path`` (``importlib.abc`` costs 15 ms)."""

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
