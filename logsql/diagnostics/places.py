"""Where a name stands in a query."""

from __future__ import annotations

from enum import Enum


class Place(Enum):
    """Where a name is typed."""

    COMMAND = "command"
    FUNCTION = "function"
    AGGREGATE = "aggregate"
