"""Formats for people: aligned tables and one-field-per-line records.

A table looks at about :data:`WINDOW` rows to choose its column widths and prints on in the same widths, so memory does
not grow with the result. On a terminal (``layout.width``) cells are cut with an ellipsis and columns that do not fit
even at :data:`LEAST` are hidden; both are reported. Without a width nothing is cut: a later, longer cell pushes its
line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from logsql.diagnostics.messages import add_messages, message
from logsql.render import Layout, Rows, Written
from logsql.render.pieces import pieces
from logsql.render.safe import ELLIPSIS, cut, pad, visible, visible_column, width
from logsql.render.texts import put
from logsql.render.values import text_column

WINDOW = 1000
LEAST = 6
GAP = "  "
_STEP = 4096
_RIGHT = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)

add_messages(
    {
        "cells-cut": (
            "{count:,} cells are cut to fit {width} columns; -f vertical or -f jsonl shows them whole",
            "화면 폭 {width}칸에 맞추어 셀 {count:,}개를 줄였습니다. -f vertical 또는 -f jsonl은 전체를 보여 줍니다",
        ),
        "columns-hidden": (
            "{count} of {total} columns do not fit: {names}; -f vertical shows all",
            "컬럼 {total}개 중 {count}개가 화면에 들어가지 않습니다: {names}. -f vertical은 모두 보여 줍니다",
        ),
        "rows-hidden": (
            "{shown:,} of {rows:,} rows shown; \\rows 0 shows all, -o FILE keeps them",
            "전체 {rows:,}행 중 {shown:,}행을 표시했습니다. \\rows 0은 모두 보여 주고 -o 파일은 저장합니다",
        ),
    }
)


@dataclass
class _Table:
    """Columns, widths and counters of one table while it is printed. ``widths`` is empty until the header is out."""

    names: list[str]
    right: list[bool]
    layout: Layout
    widths: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    opened: bool = False
    waiting: list[list[pa.Array]] = field(default_factory=list)
    cut_cells: int = 0
    total: int = 0
    taken: int = 0

    def add(self, piece: pa.RecordBatch) -> None:
        """Count the rows of a piece and keep those that the display still has room for."""
        self.total += piece.num_rows
        room = piece.num_rows if self.layout.rows is None else max(self.layout.rows - self.taken, 0)
        chosen = piece.slice(0, room)
        if chosen.num_rows:
            self.taken += chosen.num_rows
            self.waiting.append([cell_texts(chosen, index) for index in range(chosen.num_columns)])

    def open(self, sink: BinaryIO) -> None:
        """Choose widths and visible columns from the rows read so far, and print the header."""
        self.opened = True
        self.widths = [width(name) for name in self.names]
        for columns in self.waiting:
            for index, column in enumerate(columns):
                self.widths[index] = max(self.widths[index], widest(column))
        self.shown = list(range(len(self.names)))
        if self.layout.width is not None:
            self.shown, self.widths = fit(self.widths, self.layout.width)
            if self.layout.endless and not self.right[self.shown[-1]]:  # what comes later may be longer
                self.widths[self.shown[-1]] += (
                    self.layout.width
                    - len(GAP) * (len(self.shown) - 1)
                    - sum(self.widths[index] for index in self.shown)
                )
        if self.names:
            heads = [pad(cut(self.names[i], self.widths[i]), self.widths[i], self.right[i]) for i in self.shown]
            rule = GAP.join("-" * self.widths[index] for index in self.shown)
            sink.write(f"{GAP.join(heads).rstrip()}\n{rule}\n".encode())

    def print(self, sink: BinaryIO) -> None:
        """Print the kept rows."""
        for columns in self.waiting:
            cells = [self._padded(columns[index], index) for index in self.shown]
            if cells:
                lines = pc.utf8_rtrim(pc.binary_join_element_wise(*cells, GAP) if len(cells) > 1 else cells[0], " ")
                put(sink, pc.binary_join_element_wise(lines, "\n", ""))
        self.waiting.clear()

    def _padded(self, column: pa.Array, index: int) -> pa.Array:
        room, right = self.widths[index], self.right[index]
        if all_narrow(column):
            if self.layout.width is not None:
                long = pc.greater(pc.utf8_length(column), room)
                count = pc.sum(long).as_py() or 0
                if count:
                    self.cut_cells += count
                    short = pc.binary_join_element_wise(pc.utf8_slice_codeunits(column, 0, room - 1), ELLIPSIS, "")
                    column = pc.if_else(long, short, column)
            return pc.utf8_lpad(column, room, " ") if right else pc.utf8_rpad(column, room, " ")
        out = []
        for text in column.to_pylist():
            if self.layout.width is not None and width(text) > room:
                self.cut_cells += 1
                text = cut(text, room)
            out.append(pad(text, room, right))
        return pa.array(out, pa.string())

    def notices(self) -> tuple[str, ...]:
        found = []
        if self.cut_cells:
            found.append(message("cells-cut", count=self.cut_cells, width=self.layout.width))
        hidden = [visible(name) for index, name in enumerate(self.names) if index not in self.shown]
        if hidden:
            total = len(self.names)
            found.append(message("columns-hidden", count=len(hidden), total=total, names=", ".join(hidden)))
        if self.taken < self.total:
            found.append(message("rows-hidden", shown=self.taken, rows=self.total))
        return tuple(found)


def cell_texts(piece: pa.RecordBatch, index: int) -> pa.Array:
    """The cells of a column as harmless text; null is empty."""
    texts = visible_column(text_column(piece.column(index), piece.schema.field(index)))
    return pc.fill_null(texts, "")


def all_narrow(column: pa.Array) -> bool:
    """True when every cell is ASCII, so that characters and terminal columns are the same number."""
    return bool(pc.all(pc.string_is_ascii(column)).as_py())


def widest(column: pa.Array) -> int:
    """Columns of the widest cell."""
    if all_narrow(column):
        return int(pc.max(pc.binary_length(column)).as_py() or 0)
    return max((width(text) for text in column.to_pylist()), default=0)


def write_table(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """A header, a rule, one line per row. ``layout.rows`` limits what is shown; all rows are read and counted."""
    table: _Table | None = None
    for piece in _steps(rows):
        if table is None:
            right = [any(test(item.type) for test in _RIGHT) for item in piece.schema]
            table = _Table([visible(name) for name in piece.schema.names], right, layout)
        table.add(piece)
        if not table.opened and (layout.endless or table.taken >= WINDOW):
            table.open(sink)
        if table.opened:
            table.print(sink)
    if table is None:
        table = _Table([visible(name) for name in rows.columns], [False] * len(rows.columns), layout)
    if not table.opened:
        table.open(sink)
        table.print(sink)
    return Written(table.total, table.taken, table.notices())


def _steps(rows: Rows) -> Iterator[pa.RecordBatch]:
    for piece in pieces(rows):
        for start in range(0, piece.num_rows, _STEP):
            yield piece.slice(start, _STEP)


def fit(widths: list[int], room: int) -> tuple[list[int], list[int]]:
    """(columns that fit, widths): the widest columns give way first, none below LEAST; then the last ones are hidden.

    >>> fit([5, 30, 30], 40)
    ([0, 1, 2], [5, 15, 16])
    """
    least = [min(w, LEAST) for w in widths]
    count = len(widths)
    while count > 1 and sum(least[:count]) + len(GAP) * (count - 1) > room:
        count -= 1
    chosen = widths[:count]
    space = max(room - len(GAP) * (count - 1), count)
    ceiling = max(chosen, default=0)
    while sum(min(w, ceiling) for w in chosen) > space and ceiling > 1:
        ceiling -= 1
    out = [min(w, ceiling) for w in chosen]
    spare = space - sum(out)
    for index in range(count - 1, -1, -1):  # what the last step of the ceiling left over
        if spare > 0 and out[index] < chosen[index]:
            out[index] += 1
            spare -= 1
    return list(range(count)), out + widths[count:]


def write_vertical(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """``-[ row 1 ]`` and one ``name | value`` line per field; values are never cut."""
    total = shown = 0
    for piece in _steps(rows):
        names = [visible(name) for name in piece.schema.names]
        wide = max((width(name) for name in names), default=0)
        padded = [pad(name, wide, False) for name in names]
        out = []
        total += piece.num_rows
        chosen = piece.slice(0, piece.num_rows if layout.rows is None else max(layout.rows - shown, 0))
        columns = [cell_texts(chosen, index).to_pylist() for index in range(chosen.num_columns)]
        for row in range(chosen.num_rows):
            shown += 1
            out.append(f"-[ row {shown} ]".ljust(wide + 2, "-"))
            out += [f"{name} | {column[row]}".rstrip() for name, column in zip(padded, columns, strict=True)]
        sink.write("".join(line + "\n" for line in out).encode())
    notices = () if shown == total else (message("rows-hidden", shown=shown, rows=total),)
    return Written(total, shown, notices)
