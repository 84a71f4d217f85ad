"""Lines of timelines for other programs: the body file of mactime, and log2timeline's l2t_csv.

Fields: the Sleuth Kit's page "Body file" (3.X) and log2timeline's page "l2t csv". Both know four times of a file; an
event that is none of them counts as modified.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logsql.render.texts import joined_lines
from logsql.render.values import text_column
from udfs.readers.artefacts import STEPS

#: The fields of a row, as the command ``timeline`` has them.
FIELDS = ("_time", "source", "action", "path", "detail", "_path")
L2T = (
    "date", "time", "timezone", "MACB", "source", "sourcetype", "type", "user", "host", "short", "desc", "version",
    "filename", "inode", "notes", "format", "extra",
)  # fmt: skip
_LETTERS = "MACB"


def bodyfile_lines(piece: pa.RecordBatch) -> pa.Array:
    """``MD5|name|inode|mode_as_string|UID|GID|size|atime|mtime|ctime|crtime``: one of the times is set, others are 0.

    The name of what is no file begins with its source in brackets, that of $FILE_NAME ends as ``fls`` writes it.
    """
    texts = _texts(piece, r"[|]", "_")
    seconds, _ = _seconds(piece)
    step = _steps(texts["action"])
    times = [pc.if_else(pa.array(step == letter), seconds, 0).cast(pa.string()) for letter in "AMCB"]
    shown = pc.if_else(pc.equal(texts["source"], "mft"), texts["path"], _told(texts))
    of_name = pc.equal(texts["source"], "mft name")
    name = pc.if_else(of_name, pc.binary_join_element_wise(texts["path"], " ($FILE_NAME)", ""), shown)
    zero = pa.repeat(pa.scalar("0"), piece.num_rows)
    return joined_lines([zero, name, *[zero] * 5, *times], "|", piece.num_rows)


def l2t_lines(piece: pa.RecordBatch) -> pa.Array:
    """The seventeen fields of l2t_csv in UTC; a comma inside a field is a space, what is not known a hyphen."""
    rows = piece.num_rows
    texts = _texts(piece, r",", " ")
    seconds, dated = _seconds(piece)
    moments = seconds.cast(pa.timestamp("s"))
    step = _steps(texts["action"])
    macb = pa.array(["".join(s if s == letter else "." for s in _LETTERS) for letter in step.tolist()], pa.string())

    def known(values: pa.Array) -> pa.Array:
        return pc.if_else(pc.equal(values, ""), "-", values)

    def same(text: str) -> pa.Array:
        return pa.repeat(pa.scalar(text), rows)

    described = pc.if_else(
        pc.equal(texts["detail"], ""),
        texts["path"],
        pc.binary_join_element_wise(texts["path"], texts["detail"], " "),
    )
    source = known(texts["source"])
    columns = [
        pc.if_else(dated, pc.strftime(moments, "%m/%d/%Y"), "00/00/0000"),
        pc.if_else(dated, pc.strftime(moments, "%H:%M:%S"), "--:--:--"),
        same("UTC"), macb, pc.utf8_upper(source), source, known(texts["action"]), same("-"), same("-"),
        known(texts["path"]), known(pc.utf8_trim_whitespace(described)), same("2"), known(texts["_path"]), same("-"),
        same("-"), source, same("-"),
    ]  # fmt: skip
    return joined_lines(columns, ",", rows)


def l2t_header(names: Sequence[str]) -> str:
    """The first line."""
    return ",".join(L2T) + "\n"


def _told(texts: dict[str, pa.Array]) -> pa.Array:
    """``[evtx] Security: Microsoft-Windows-Security-Auditing 4624 {...}``."""
    detail = pc.if_else(pc.equal(texts["detail"], ""), "", pc.binary_join_element_wise(" ", texts["detail"], ""))
    return pc.binary_join_element_wise("[", texts["source"], "] ", texts["path"], ": ", texts["action"], detail, "")


def _texts(piece: pa.RecordBatch, forbidden: str, instead: str) -> dict[str, pa.Array]:
    """The fields but the time as texts of one line without the mark between fields; null is empty."""
    found = {}
    for name in FIELDS[1:]:
        place = piece.schema.get_field_index(name)
        values = pc.fill_null(text_column(piece.column(place), piece.schema.field(place)), "")
        values = pc.replace_substring_regex(values, r"[\x00-\x1f]+", " ")
        found[name] = pc.replace_substring_regex(values, forbidden, instead)
    return found


def _seconds(piece: pa.RecordBatch) -> tuple[pa.Array, pa.Array]:
    """Whole seconds since 1970, 0 where a row has no date, and which rows have one."""
    times = piece.column(piece.schema.get_field_index("_time"))
    if not pa.types.is_timestamp(times.type):
        times = pa.nulls(piece.num_rows, pa.timestamp("us"))
    dated = pc.is_valid(times)
    micros = pc.fill_null(times.cast(pa.timestamp("us", times.type.tz)).cast(pa.int64()), 0)
    return pa.array(np.floor_divide(micros.to_numpy(), 1_000_000)), dated


def _steps(actions: pa.Array) -> npt.NDArray[np.str_]:
    """Which of the four times each action is."""
    known = pc.index_in(actions, pa.array(list(STEPS)))
    letters = np.array([*STEPS.values(), "M"])
    found: npt.NDArray[np.str_] = letters[pc.fill_null(known, len(STEPS)).to_numpy()]
    return found
