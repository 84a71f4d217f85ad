"""Opens the files of source commands: readers as tables of DuckDB, clean JSON lines through DuckDB's own reader.

``SourceOpener.open(kind, paths, options)`` makes the reader of a command, registers it under a fresh name and describes
its columns. A reader's own errors become :class:`~.SourceError` with the code of the command's family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logsql.engine.arrowtypes import arrow_columns
from logsql.engine.nativejson import clean_source
from logsql.engine.sourceerrors import source_error
from logsql.planner.catalog import PART, RAW, SourceColumn, SourceInfo

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.store.policy import Policy
    from udfs.readers.base import ReadContext, Reader

_VARIANT, _VARIANT_RAW = b"logsql.variant", b"logsql.variant.raw"

Options = Mapping[str, Any]
Make = Callable[[Sequence[str], Options, "ReadContext"], "Reader"]


class SourceOpener:
    """Opens sources for one query. ``register(name, object)`` makes an object readable by name in its SQL."""

    def __init__(
        self, register: Callable[[str, object], None], policy: Policy, context_factory: Callable[[], ReadContext]
    ) -> None:
        self.register = register
        self.policy = policy
        self.context_factory = context_factory
        self._number = 0

    def open(self, kind: str, paths: Sequence[str], options: Options) -> SourceInfo:
        """The source a command of this kind reads. Raises :class:`SourceError` or :class:`PolicyError`."""
        from udfs.readers.base import ReaderError

        try:
            if kind == "jsonfile":
                native = clean_source(paths, options, self.context_factory())
                if native is not None:
                    return native
            context = self.context_factory()
            reader = MAKERS[kind](paths, options, context)
            return self._registered(kind, reader, paths, context)
        except ReaderError as problem:
            raise source_error(problem, kind) from None

    def _registered(self, kind: str, reader: Reader, paths: Sequence[str], context: ReadContext) -> SourceInfo:
        from udfs.readers.dataset import ReaderDataset

        named = _Named(reader, kind)
        self._number += 1
        name = f"__{kind.replace('-', '_') if kind != '-' else 'stdin'}_{self._number}"
        self.register(name, ReaderDataset(named, context))
        call = f"{kind}({', '.join(map(repr, paths))})" if paths else ""
        meta = {"idents": named.idents, "open": not getattr(reader, "types", True)}
        return SourceInfo(name, columns_of(reader.schema), call, meta=meta)


def columns_of(schema: pa.Schema) -> tuple[SourceColumn, ...]:
    """Source columns of a reader's schema; parts of mixed fields are marked in ``logical``."""
    found: list[SourceColumn] = []
    for column, field in zip(arrow_columns(schema), schema, strict=True):
        meta = field.metadata or {}
        logical = column.logical
        if _VARIANT in meta:
            logical = PART + meta[_VARIANT].decode()
        elif _VARIANT_RAW in meta:
            logical = RAW + meta[_VARIANT_RAW].decode()
        elif logical == "any":
            logical = "json"  # a mixed column of a reader is JSON text
        found.append(SourceColumn(column.name, column.sql_type, logical))
    return tuple(found)


class _Named:
    """A reader under column names that DuckDB can tell apart; its errors know the command."""

    def __init__(self, reader: Reader, kind: str) -> None:
        import pyarrow as pa

        from logsql.operators.merging import Idents

        self._reader = reader
        self._kind = kind
        taken = Idents()
        self.idents = tuple(taken.take(name) for name in reader.schema.names)
        self._names = dict(zip(self.idents, reader.schema.names, strict=True))
        fields = [f.with_name(ident) for f, ident in zip(reader.schema, self.idents, strict=True)]
        self.schema = pa.schema(fields)

    def total_bytes(self) -> int:
        return self._reader.total_bytes()

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        from udfs.readers.base import ReaderError

        wanted = None if columns is None else [self._names[c] for c in columns]
        renamed = self.idents != tuple(self._reader.schema.names)
        try:
            for batch in self._reader.scan(wanted, context):
                yield self._rename(batch, columns) if renamed else batch
        except ReaderError as problem:
            problem.kind = self._kind
            raise

    def _rename(self, batch: pa.RecordBatch, columns: Sequence[str] | None) -> pa.RecordBatch:
        chosen = self.idents if columns is None else [i for i in self.idents if i in set(columns)]
        return batch.rename_columns(list(chosen)) if chosen else batch


# --- one maker per command --------------------------------------------------------------------------------------------


def _expanded(paths: Sequence[str]) -> list[str]:
    from udfs.readers.base import expand_paths

    return [found for path in paths for found in expand_paths(path)]


def _json(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from logsql.engine.nativejson import exact_reader

    return exact_reader(_expanded(paths), options, context)


def _csv(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from logsql.engine.nativejson import CSV_PLANS
    from udfs.readers.csvrows import CsvReader

    return CsvReader(
        _expanded(paths),
        options.get("cs") or "utf-8",
        options.get("strict", False),
        options.get("tab", False),
        options.get("maxcol", 10_000),
        options.get("rest", False),
        options.get("limit"),
        options.get("offset") or 0,
        context,
        CSV_PLANS,
    )


def _text(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from udfs.readers.textlines import TextReader

    return TextReader(
        _expanded(paths),
        options.get("cs") or "utf-8",
        _line_test(options.get("brex")),
        _line_test(options.get("erex")),
        _time_reader(options),
        options.get("limit"),
        options.get("offset") or 0,
    )


def _line_test(pattern: str | None) -> Callable[[Any], Any] | None:
    """Whether lines match a Java pattern, by RE2 inside Arrow when it says the same."""
    if pattern is None:
        return None
    import pyarrow.compute as pc

    from udfs.java import javaregex

    spec = javaregex.classify(pattern, named_only=False)
    if spec.re2_match is not None:
        fast = spec.re2_match
        return lambda lines: pc.match_substring_regex(lines, fast)
    return lambda lines: javaregex.matches(lines, spec)


def _time_reader(options: Options) -> Callable[[Any], Any] | None:
    """``dp`` finds the time in a line (its groups joined, else the whole match), ``df`` reads it."""
    if options.get("dp") is None or options.get("df") is None:
        return None
    from udfs.documents import first_match
    from udfs.java import dates, javaregex

    spec = javaregex.classify(options["dp"], named_only=False)
    pattern = dates.compile_pattern(options["df"])
    return lambda lines: dates.parse_array(first_match(lines, spec), pattern, options["zone"])


def _zip(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from udfs.readers.zipmembers import ZipLinesReader

    return ZipLinesReader(
        paths[0],
        options["entry"],
        options.get("cs") or "utf-8",
        options.get("zipcharset"),
        options.get("limit"),
        options.get("offset") or 0,
        context,
    )


def _zip_entries(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from udfs.readers.zipmembers import ZipEntriesReader

    _expanded(paths)
    return ZipEntriesReader(paths[0], options.get("zipcharset"))


def _xml(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from udfs.readers.xmlrows import XmlReader

    return XmlReader(
        _expanded(paths), options.get("xpath"), options.get("cs"), options.get("limit"), options.get("offset") or 0
    )


def _xlsx(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from udfs.readers.base import ReaderError
    from udfs.readers.xlsx import XlsxReader

    found = _expanded(paths)
    if len(found) > 1:
        raise ReaderError(
            f"xlsxfile reads one workbook, and {paths[0]} matches {len(found)}", paths[0], "several-files"
        )
    return XlsxReader(
        found[0],
        options.get("sheet"),
        options.get("skip") or 0,
        options.get("offset") or 0,
        options.get("limit"),
        context,
    )


def _stdin(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from logsql.engine.stdin import StdinReader

    return StdinReader()


def _evidence(module: str, name: str) -> Make:
    def make(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
        import importlib

        zippath = options.get("zippath")
        if zippath is None:
            _expanded(paths)
        reader = getattr(importlib.import_module(f"udfs.readers.{module}"), name)
        made: Reader = reader(list(paths), zippath, options.get("zipcharset") or "utf-8")
        return made

    return make


def _view(name: str) -> Make:
    def make(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
        from udfs.readers.regviews import open_view

        zippath = options.get("zippath")
        if zippath is None:
            _expanded(paths)
        charset = options.get("zipcharset") or "utf-8"
        return open_view(name, list(paths), zippath, charset, options.get("replay", False))

    return make


def _hive(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from udfs.readers.hive.reader import HiveReader

    zippath = options.get("zippath")
    if zippath is None:
        _expanded(paths)
    return HiveReader(list(paths), zippath, options.get("zipcharset") or "utf-8", options.get("replay", False))


def _sqlite_tables(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from udfs.readers.sqlite import SqliteTablesReader

    _expanded(paths)
    return SqliteTablesReader(paths[0])


def _sqlite_records(paths: Sequence[str], options: Options, context: ReadContext) -> Reader:
    from udfs.readers.sqlite import SqliteRecordsReader

    return SqliteRecordsReader(paths[0], options["table"], context)


MAKERS: dict[str, Make] = {
    "jsonfile": _json,
    "csvfile": _csv,
    "textfile": _text,
    "zipfile": _zip,
    "zipfile-entries": _zip_entries,
    "xmlfile": _xml,
    "xlsxfile": _xlsx,
    "-": _stdin,
    "hive-file": _hive,
    "ntfs-mft": _evidence("ntfs_mft", "MftReader"),
    "ntfs-usnjrnl": _evidence("ntfs_usnjrnl", "UsnJrnlReader"),
    "ntfs-logfile": _evidence("ntfs_logfile", "LogFileReader"),
    "evtx-file": _evidence("evtx", "EvtxReader"),
    "sqlite-tables": _sqlite_tables,
    "sqlite-records": _sqlite_records,
    **{
        name: _view(name)
        for name in (
            "reg-bam-entries",
            "reg-network-profiles",
            "reg-opensave-files",
            "reg-recent-docs",
            "reg-shellbags",
            "reg-shim-cache",
            "reg-user-assists",
        )
    },
}
