"""Lines and columns of a query text."""

from __future__ import annotations

import re

LINE_BREAK = re.compile(r"\r\n|\r|\n")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """1-based line and column (in characters) of an offset.

    >>> line_and_column("a\\nbc", 3)
    (2, 2)
    """
    line, start = 1, 0
    for found in LINE_BREAK.finditer(text, 0, min(offset, len(text))):
        line, start = line + 1, found.end()
    return line, offset - start + 1
