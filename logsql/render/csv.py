"""CSV: what ``-f csv`` writes (quotes where needed), and what ``outputcsv`` writes (every cell in quotes).

``-f csv`` tells null from empty text: ``""`` is empty text, nothing is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from logsql.render import Layout, Rows, Written
from logsql.render.texts import joined_lines, separated

_CSV_SPECIAL = r'[",\r\n]|^$|^[ \t]|[ \t]$'


def write_csv(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """RFC 4180 with line feeds: quotes only where needed, a header line, null as an empty place."""

    def cells(values: pa.Array, alone: bool) -> pa.Array:
        quoted = pc.fill_null(pc.match_substring_regex(values, _CSV_SPECIAL), False)
        if pc.any(quoted).as_py():
            inside = pc.binary_join_element_wise('"', pc.replace_substring(values, '"', '""'), '"', "")
            values = pc.if_else(quoted, inside, values)
        # A line without any character would be skipped by every reader: a lone null is written as "".
        return pc.fill_null(values, '""' if alone else "")

    return separated(rows, sink, ",", cells)


def quoted_lines(columns: list[pa.Array], mark: str, rows: int) -> pa.Array:
    """Every cell in quotes, quotes inside doubled; ``columns`` are texts without nulls."""
    return joined_lines([quoted(column) for column in columns], mark, rows)


def quoted(values: pa.Array) -> pa.Array:
    """Texts in quotes, quotes inside doubled."""
    if pc.any(pc.match_substring(values, '"')).as_py():
        values = pc.replace_substring(values, '"', '""')
    return pc.binary_join_element_wise('"', values, '"', "")


def csv_header(mark: str, names: Sequence[str]) -> str:
    """The line of names, each in quotes."""
    return mark.join('"' + name.replace('"', '""') + '"' for name in names) + "\n"
