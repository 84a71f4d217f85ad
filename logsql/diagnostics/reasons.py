"""What the readers of files count (``udfs`` knows no catalogue), and the row of any reason by its name."""

from __future__ import annotations

from logsql.diagnostics.losses import LOSSES, Loss, loss
from logsql.diagnostics.unreadable import READER_ROWS


def loss_row(reason: str) -> Loss | None:
    """The row of a reason, also of one of a family; None for a name that nobody defined."""
    if (row := LOSSES.get(reason)) is not None:
        return row
    if reason in READER_ROWS:
        return FILE_LEFT_OUT
    families = (row for name, row in LOSSES.items() if "{" in name and reason.startswith(name.partition("{")[0]))
    return next(families, None)


#: One of several files that cannot be read at all: the reason is the name of the reader's error.
FILE_LEFT_OUT = loss("file-left-out", ("files that could not be read, left out", "읽지 못해 제외한 파일"))
