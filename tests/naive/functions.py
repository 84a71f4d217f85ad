"""The function tables: ``SIMPLE`` functions see argument values, ``SPECIAL`` ones bind their argument trees."""

from __future__ import annotations

from collections.abc import Callable

from . import contexts, fn_collections, fn_dates, fn_network, fn_numbers, fn_text, fn_types
from .evaluate import Binder, Fn, Simple
from .syntax import Call

_ROOMS = (fn_types, fn_text, fn_numbers, fn_dates, fn_network, fn_collections, contexts)

SIMPLE: dict[str, Simple] = {name: row for room in _ROOMS for name, row in room.SIMPLE.items()}
SPECIAL: dict[str, Callable[[Binder, Call], Fn]] = {n: f for room in _ROOMS for n, f in room.SPECIAL.items()}
