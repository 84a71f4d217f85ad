"""Scalar functions and aggregates, one file per family; importing this package fills the registry."""

from __future__ import annotations

import importlib
import pkgutil

from logsql.functions.base import AGGREGATES, FUNCTIONS, REFUSED_FUNCTIONS, AggregateSpec, FunctionSpec

__all__ = ["AGGREGATES", "FUNCTIONS", "REFUSED_FUNCTIONS", "AggregateSpec", "FunctionSpec", "load_all"]


def load_all() -> None:
    """Import every family module once (cheap: no family imports a heavy library)."""
    for module in pkgutil.iter_modules(__path__):
        if module.name != "base":
            importlib.import_module(f"{__name__}.{module.name}")


load_all()
