"""Text formats for other programs: JSON lines, a JSON array, TSV, Markdown (CSV: csv.py). Bytes are the contract.

Every batch becomes one Arrow string column of finished lines, whose value buffer is written as it is. CSV and TSV tell
null from empty text as far as the formats can: CSV writes ``""`` for empty text and nothing for null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logsql.render import Layout, Rows, Written
from logsql.render.pieces import pieces
from logsql.render.safe import visible_column
from logsql.render.values import json_column, json_key, text_column

_TSV_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_RIGHT = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)


def write_jsonl(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """``{"a":1,"b":"x"}`` per row: compact, keys in column order, nulls printed (decision 17)."""
    count = 0
    for piece in pieces(rows):
        put(sink, object_lines(piece, "}\n"))
        count += piece.num_rows
    return Written(count, count)


def write_json(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """One array, one row per line."""
    count = 0
    sink.write(b"[")
    for piece in pieces(rows):
        sink.write(b",\n" if count else b"\n")
        lines = object_lines(piece, "},\n")
        put(sink, lines, drop=2)
        count += piece.num_rows
    sink.write(b"\n]\n" if count else b"]\n")
    return Written(count, count)


def object_lines(piece: pa.RecordBatch, end: str) -> pa.Array:
    """One compact JSON object per row as a column without nulls; ``end`` is the closing brace and what follows."""
    parts: list[pa.Array | str] = []
    for index, field in enumerate(piece.schema):
        parts.append(f"{',' if index else '{'}{json_key(field.name)}:")
        parts.append(json_column(piece.column(index), field))
    if not parts:
        return pa.array(["{" + end] * piece.num_rows, pa.string())
    return pc.binary_join_element_wise(*parts, end, "")


def write_tsv(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """Tabs between values; tab, line feed, carriage return and backslash are written ``\\t \\n \\r \\\\``."""

    def cells(values: pa.Array, alone: bool) -> pa.Array:
        if pc.any(pc.match_substring_regex(values, r"[\\\t\r\n]")).as_py():
            for char, name in _TSV_ESCAPES:
                values = pc.replace_substring(values, char, name)
        return pc.fill_null(values, "")

    return separated(rows, sink, "\t", cells)


def separated(rows: Rows, sink: BinaryIO, mark: str, cells: Callable[[pa.Array, bool], pa.Array]) -> Written:
    """A header and a line per row, ``mark`` between the cells; ``cells(texts, alone)`` writes one column."""

    def header(names: Sequence[str]) -> None:
        parts = cells(pa.array(list(names), pa.string()), False).to_pylist()
        sink.write((mark.join(parts) + "\n").encode())

    count = 0
    for piece in pieces(rows):
        if not count:
            header(piece.schema.names)
        columns = [
            cells(text_column(piece.column(i), field), piece.num_columns == 1) for i, field in enumerate(piece.schema)
        ]
        put(sink, joined_lines(columns, mark, piece.num_rows))
        count += piece.num_rows
    if not count:
        header(rows.columns)
    return Written(count, count)


def joined_lines(columns: list[pa.Array], mark: str, rows: int) -> pa.Array:
    """One line per row: the texts of ``columns`` (without nulls) with ``mark`` between them, ended by a line feed."""
    if not columns:
        return pa.array(["\n"] * rows, pa.string())
    ends = [*columns[:-1], pc.binary_join_element_wise(columns[-1], "\n", "")]
    return pc.binary_join_element_wise(*ends, mark) if len(ends) > 1 else ends[0]


def write_markdown(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """A GitHub table; numbers to the right, ``|`` escaped, line breaks as ``<br>``."""

    def cell(values: pa.Array) -> pa.Array:
        values = pc.replace_substring(pc.fill_null(values, ""), "|", "\\|")
        return visible_column(pc.replace_substring_regex(values, r"\r\n|\r|\n", "<br>"))

    def line(parts: Sequence[str]) -> None:
        sink.write(("| " + " | ".join(parts) + " |\n").encode())

    count = 0
    for piece in pieces(rows):
        if not count:
            line(cell(pa.array(piece.schema.names, pa.string())).to_pylist())
            line(["---:" if any(test(f.type) for test in _RIGHT) else "---" for f in piece.schema])
        parts: list[pa.Array | str] = []
        for index, field in enumerate(piece.schema):
            parts += [" | " if index else "| ", cell(text_column(piece.column(index), field))]
        put(sink, pc.binary_join_element_wise(*parts, " |\n", "") if parts else pa.array(["|\n"] * piece.num_rows))
        count += piece.num_rows
    if not count:
        line(cell(pa.array(list(rows.columns), pa.string())).to_pylist())
        line(["---"] * len(rows.columns))
    return Written(count, count)


def put(sink: BinaryIO, lines: pa.Array, drop: int = 0) -> None:
    """Write the characters of a string column without nulls, less the last ``drop`` bytes."""
    if not len(lines):
        return
    kind = np.int64 if pa.types.is_large_string(lines.type) else np.int32
    ends = np.frombuffer(lines.buffers()[1], kind)[lines.offset : lines.offset + len(lines) + 1]
    data = lines.buffers()[2]
    if data is not None:
        sink.write(memoryview(data)[int(ends[0]) : int(ends[-1]) - drop])
