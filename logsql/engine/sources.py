"""Opens the files of source commands: readers as tables of DuckDB, or what a command reads as SQL of DuckDB's own.

``SourceOpener.open`` makes the reader that the command declares (:class:`~logsql.planner.catalog.SourceSpec`),
registers it under a fresh name and describes its columns. It knows no command by name. A reader's own errors become
:class:`~.SourceError` with the code of the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa

from logsql.engine.arrowtypes import arrow_columns
from logsql.engine.engineerrors import engine_error
from logsql.engine.sourceerrors import source_error
from logsql.operators.merging import Idents
from logsql.planner.catalog import PART, RAW, NoData, SourceColumn, SourceInfo, SourceSpec
from udfs.readers.base import ReadContext, Reader
from udfs.readers.errors import ReaderError
from udfs.readers.request import Request

_VARIANT, _VARIANT_RAW = b"logsql.variant", b"logsql.variant.raw"


class SourceOpener:
    """Opens sources for one query. ``register(name, object)`` makes an object readable by name in its SQL; ``given``:
    what its readers find shared before any of them is made."""

    def __init__(
        self,
        register: Callable[[str, object], None],
        context_factory: Callable[[], ReadContext],
        given: Mapping[type, object] | None = None,
    ) -> None:
        self.register = register
        self.context_factory = context_factory
        self._number = 0
        self._shared: dict[type, object] = dict(given or {})

    def open(self, command: str, source: SourceSpec, paths: Sequence[str], options: Mapping[str, object]) -> SourceInfo:
        """The source as its command declares it. Raises :class:`SourceError` or :class:`PolicyError`."""
        belongs = None if source.artefact is None else source.artefact.belongs
        request = Request(paths, self.context_factory(), options, source.given, self._shared, belongs=belongs)
        try:
            native = source.native(request) if source.native is not None else None
            if native is not None:
                return native
            reader = source.load().of(request)
            return self._registered(command, source, reader, request)
        except ReaderError as problem:
            raise source_error(problem, source.code) from None
        except duckdb.OutOfMemoryException as problem:  # of the engine that a reader parses JSON with
            raise engine_error(problem, False) from None

    def described(self, command: str, source: SourceSpec) -> SourceInfo:
        """The source as far as it is known without a file; a plan to look at. Raises :class:`NoData`."""
        reader = source.load()
        if not hasattr(reader, "described"):
            raise NoData
        schema: pa.Schema = reader.described(source.given)
        taken = Idents()
        meta = {"idents": tuple(taken.take(name) for name in schema.names), "open": False}
        return SourceInfo(f"__{command.replace('-', '_')}", columns_of(schema), meta=meta)

    def _registered(self, command: str, source: SourceSpec, reader: Reader, request: Request) -> SourceInfo:
        from udfs.readers.dataset import ReaderDataset  # for cost: pyarrow.dataset

        named = _Named(reader, source.code)
        self._number += 1
        # A command without a letter is called as the module of its reader.
        word = command.replace("-", "_").strip("_") or source.reader.partition(":")[0].rpartition(".")[2]
        name = f"__{word}_{self._number}"
        self.register(name, ReaderDataset(named, request.context))
        call = f"{command}({', '.join(map(repr, request.paths))})" if request.paths else ""
        meta = {
            "idents": named.idents,
            "open": not getattr(reader, "types", True),
            "typed": getattr(reader, "typed", {}),
        }
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
        found.append(SourceColumn(column.name, column.sql_type, logical))
    return tuple(found)


class _Named:
    """A reader under column names that DuckDB can tell apart; its errors know the command's code."""

    def __init__(self, reader: Reader, code: str) -> None:
        self._reader = reader
        self._code = code
        self.once: bool = getattr(reader, "once", False)
        taken = Idents()
        self.idents = tuple(taken.take(name) for name in reader.schema.names)
        self._names = dict(zip(self.idents, reader.schema.names, strict=True))
        fields = [f.with_name(ident) for f, ident in zip(reader.schema, self.idents, strict=True)]
        self.schema = pa.schema(fields)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        wanted = None if columns is None else [self._names[c] for c in columns]
        renamed = self.idents != tuple(self._reader.schema.names)
        try:
            for batch in self._reader.scan(wanted, context):
                yield self._rename(batch, columns) if renamed else batch
        except ReaderError as problem:
            problem.shown_code = self._code
            raise

    def _rename(self, batch: pa.RecordBatch, columns: Sequence[str] | None) -> pa.RecordBatch:
        chosen = self.idents if columns is None else [i for i in self.idents if i in set(columns)]
        return batch.rename_columns(list(chosen)) if chosen else batch
