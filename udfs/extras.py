"""Packages that only some commands need: the one place that finds out whether one is there."""

from __future__ import annotations

from importlib.util import find_spec

from udfs.failures import EndsQuery


class MissingExtra(EndsQuery):
    """An optional package is not installed. ``what`` needs ``package``, which the extra ``extra`` of logsql brings."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(f"{what} needs the package {package}: pip install 'logsql[{extra}]'")
        self.what = what
        self.package = package
        self.extra = extra


def needs_extra(what: str, package: str, extra: str, module: str | None = None) -> None:
    """Raise :class:`MissingExtra` unless ``module`` (by default named as the package) can be imported.

    It is looked for and not loaded, so that a query can be translated without the package's start-up cost.
    """
    try:
        found = find_spec(module or package)
    except ModuleNotFoundError:  # of a dotted name the parent is missing
        found = None
    if found is None:
        raise MissingExtra(what, package, extra)
