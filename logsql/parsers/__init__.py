"""Named log parsers of ``parse NAME``, one file per family; importing this package fills :data:`PARSERS`."""

from __future__ import annotations

import importlib
import pkgutil

from logsql.parsers.base import PARSERS, Parsed, ParserField, ParserSpec, Sample

__all__ = ["PARSERS", "Parsed", "ParserField", "ParserSpec", "Sample", "load_all"]


def load_all() -> None:
    """Import every parser module once."""
    for module in pkgutil.iter_modules(__path__):
        if module.name != "base":
            importlib.import_module(f"{__name__}.{module.name}")


load_all()
