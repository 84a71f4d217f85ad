"""Showing results: one writer per output format, streaming over record batches in constant memory.

    outcome = write(result, "jsonl", sink, Layout())

``result`` offers ``columns``, ``types`` and ``batches(size)``; ``sink`` is a binary file. Nothing but data goes to the
sink: what the reader of a table has to know besides (cut cells, hidden columns, rows beyond the display's limit) is in
``outcome.notices``. Formats are in :data:`FORMATS`; the modules behind them are imported when they are used.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from logsql.diagnostics.messages import Pair

if TYPE_CHECKING:
    import pyarrow as pa


class Rows(Protocol):
    """What the writers need of a result. ``columns`` and ``types`` may be known only once batches were read."""

    @property
    def columns(self) -> Sequence[str]: ...

    @property
    def types(self) -> Sequence[str]: ...

    def batches(self, size: int = 65536) -> Iterator[pa.RecordBatch]: ...


@dataclass(frozen=True)
class Layout:
    """How a display shows rows. None means no limit; data formats ignore all of it except ``seekable``.

    ``width``: columns of the terminal; ``rows``: rows shown of a table (the rest is read and counted, not shown);
    ``seekable``: the sink is a file, so Arrow output may be the file form instead of the stream form; ``endless``: a
    row is shown when it is there, and nothing waits for more of them.
    """

    width: int | None = None
    rows: int | None = None
    seekable: bool = False
    endless: bool = False


@dataclass(frozen=True)
class Written:
    """What was written: all rows of the result, those shown, and sentences for the user (stderr)."""

    rows: int
    shown: int
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """One output format. ``writer`` is ``module:function`` below this package; ``suffixes`` are file name endings.

    ``each``: every row holds the names of its fields, which need not be known before the first row is written;
    ``flows``: rows can be read before the last one is written; ``aligned``: columns have the width of the first rows.
    """

    name: str
    writer: str
    summary: Pair
    suffixes: tuple[str, ...]
    binary: bool = False
    each: bool = False
    aligned: bool = False
    flows: bool = True


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("table", "tables:write_table", ("aligned columns", "정렬된 표"), (".txt",), aligned=True),
        Format(
            "jsonl",
            "texts:write_jsonl",
            ("one JSON object per line", "한 줄에 JSON 객체 하나"),
            (".jsonl", ".ndjson"),
            each=True,
        ),
        Format("json", "texts:write_json", ("one JSON array", "JSON 배열 하나"), (".json",), each=True, flows=False),
        Format("csv", "csv:write_csv", ("comma-separated, RFC 4180 quoting", "쉼표 구분, RFC 4180 따옴표"), (".csv",)),
        Format(
            "tsv",
            "texts:write_tsv",
            ("tab-separated, \\t \\n \\r \\\\ escaped", "탭 구분, \\t \\n \\r \\\\ 이스케이프"),
            (".tsv", ".tab"),
        ),
        Format("md", "texts:write_markdown", ("Markdown table", "마크다운 표"), (".md",)),
        Format(
            "parquet",
            "binaries:write_parquet",
            ("Parquet file", "Parquet 파일"),
            (".parquet",),
            binary=True,
            flows=False,
        ),
        Format("arrow", "binaries:write_arrow", ("Arrow IPC", "Arrow IPC"), (".arrow", ".feather"), binary=True),
        Format("vertical", "tables:write_vertical", ("one line per field", "필드마다 한 줄"), (), each=True),
    )
}


def write(rows: Rows, name: str, sink: BinaryIO, layout: Layout | None = None) -> Written:
    """Write a result in the format called ``name`` (KeyError when there is none). The sink is not closed."""
    module, _, function = FORMATS[name].writer.partition(":")
    writer: Any = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    outcome: Written = writer(rows, sink, layout or Layout())
    return outcome


def format_of_file(path: str) -> str | None:
    """The format a file name asks for, or None."""
    lower = path.lower()
    return next((f.name for f in FORMATS.values() if f.suffixes and lower.endswith(f.suffixes)), None)


def suffixes() -> list[str]:
    """The endings of file names that ask for a format."""
    return [suffix for f in FORMATS.values() for suffix in f.suffixes]
