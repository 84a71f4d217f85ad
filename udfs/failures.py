"""What a function over columns raises when no value of a row is at fault. No import: telling it apart costs nothing."""

from __future__ import annotations


class EndsQuery(RuntimeError):
    """The whole query ends with this error; any other of a row makes that row null."""
