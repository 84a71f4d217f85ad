"""Named training inputs: a CSV, Parquet or JSON file, or a query, remembered beside the models.

Contract
- Each input is one JSON file ``inputs/<stem>.json``, replaced atomically; two processes adding inputs lose nothing.
- Rows come through ``read(kind, target)``: the engine's reader for queries, DuckDB's own readers for files.
- ``card`` counts rows and texts when the input is added, and again when the file has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logsql.diagnostics.modelfiles import DAMAGED_INPUT
from logsql.diagnostics.models import (
    INPUT_EXISTS,
    INPUT_FILE_MISSING,
    INPUT_NEEDS_SESSION,
    INPUT_NOT_FOUND,
    INPUT_READ_AS,
    INPUTS_ARE,
    NO_INPUTS,
    OTHER_NAME,
    MlError,
    did_you_mean_one,
)
from logsql.ml.features import FeatureKind, kind_of
from logsql.ml.store import stem
from logsql.ml.vectors import alike
from logsql.store.files import Files


class InputKind(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    QUERY = "query"


Read = Callable[[str, str], pa.RecordBatchReader]
BATCH_ROWS = 100_000


@dataclass(frozen=True)
class InputField:
    """kind: a ``FeatureKind`` name, or the Arrow type of a field that cannot be a feature; cardinality: distinct
    values."""

    name: str
    kind: str
    cardinality: int


@dataclass(frozen=True)
class MlInput:
    """A named input. size: rows; stamp: size and change time of the file when it was counted."""

    name: str
    kind: InputKind
    target: str
    size: int
    fields: tuple[InputField, ...]
    stamp: tuple[int, int] | None = None

    @property
    def field_names(self) -> list[str]:
        return [field.name for field in self.fields]


_READERS = {
    InputKind.CSV: "read_csv(?, sample_size=-1)",
    InputKind.PARQUET: "read_parquet(?)",
    InputKind.JSON: "read_json(?)",
}


def read_file(kind: str, target: str) -> pa.RecordBatchReader:
    """Rows of a file through DuckDB, types detected from all values. The default ``read`` of ``InputStore``.

    Raises MlError when the file is missing or unreadable, and for queries, which need a session.
    """
    if kind == InputKind.QUERY:
        raise MlError(INPUT_NEEDS_SESSION)
    if not Files().has_file(target):
        raise MlError(INPUT_FILE_MISSING, file=target)
    import duckdb

    connection = duckdb.connect()
    try:
        result = connection.sql(f"SELECT * FROM {_READERS[InputKind(kind)]}", params=[target])  # a constant per kind
        return pa.RecordBatchReader.from_batches(*_drained(result.to_arrow_reader(BATCH_ROWS)))
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        raise MlError(INPUT_READ_AS, file=target, kind=kind, reason=first) from None
    finally:
        connection.close()


def _drained(reader: pa.RecordBatchReader) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    """Read everything while the connection is open: DuckDB 2.0 wants a result fetched fully before the next call."""
    return reader.schema, list(reader)


def describe(rows: pa.Table) -> tuple[InputField, ...]:
    """Fields of a training table with their kind and number of distinct values (nulls not counted)."""
    out = []
    for field in rows.schema:
        column = rows.column(field.name)
        kind = kind_of(column) if column.null_count < len(column) else None
        if kind is FeatureKind.VECTOR and not alike(column):  # ``*`` shall leave them out
            kind = None
        try:
            count = pc.count_distinct(column).as_py()
        except pa.ArrowNotImplementedError:  # lists, maps
            count = 0
        other = "NULL" if column.null_count == len(column) else _type_name(field.type)
        out.append(InputField(field.name, kind.value if kind else other, count))
    return tuple(out)


def _type_name(type_: pa.DataType) -> str:
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return "LIST"
    return "MAP" if pa.types.is_nested(type_) else str(type_).upper()


class InputStore:
    """Inputs below ``folder``; ``read(kind, target)`` delivers rows (see ``read_file``).

    ``files``: the door that says what may be read and written; where nothing may be written, an input whose file has
    changed is counted again but its card stays as it is.
    """

    def __init__(self, folder: str | Path, read: Read = read_file, files: Files | None = None) -> None:
        self._folder = Path(folder) / "inputs"
        self._read = read
        self._files = files if files is not None else Files()

    def add(self, name: str, kind: InputKind, target: str) -> MlInput:
        """Register an input after reading it once. Files are remembered by absolute path.

        Raises MlError: the name is taken, the file or query cannot be read.
        """
        path = self._path(name)
        self._files.policy.check_write(str(self._folder))
        if self._files.has_file(path):
            raise MlError(INPUT_EXISTS, name=name)
        if kind is not InputKind.QUERY:
            target = str(Path(target).expanduser().absolute())
        made = self._described(name, kind, target)
        with self._files.lock(self._folder):
            if self._files.has_file(path):
                raise MlError(INPUT_EXISTS, help=OTHER_NAME.fill(), name=name)
            self._write(made)
        return made

    def get(self, name: str) -> MlInput:
        """Card of an input, counted again when its file has changed. Raises MlError when there is none."""
        found = self._load(name)
        if found.kind is not InputKind.QUERY and self._stamp(found.target) not in (None, found.stamp):
            found = self._described(name, found.kind, found.target)
            if self._files.policy.may_write(str(self._folder)):
                with self._files.lock(self._folder):
                    self._write(found)
        return found

    def peek(self, name: str) -> MlInput:
        """Card of an input as last counted, without looking at its file. Raises MlError when there is none."""
        return self._load(name)

    def listings(self) -> list[MlInput]:
        """All inputs by name, as last counted."""
        found = (self._parse(path) for path in self._files.matching(self._folder, ".json"))
        return sorted(found, key=lambda item: item.name)

    def rows(self, name: str, progress: Callable[[float], None] = lambda share: None) -> pa.Table:
        """All rows of an input as one table; progress(share of the rows counted before)."""
        found = self._load(name)
        reader = self._read(found.kind.value, found.target)
        batches, count = [], 0
        for batch in reader:
            batches.append(batch)
            count += batch.num_rows
            progress(min(1.0, count / max(1, found.size)))
        progress(1.0)
        return pa.Table.from_batches(batches, reader.schema)

    def remove(self, name: str) -> None:
        """Forget an input; its file stays. Raises MlError when there is none."""
        path = self._path(name)
        if not self._files.has_file(path):
            self._load(name)
        with self._files.lock(self._folder):
            self._files.remove(path)

    def _path(self, name: str) -> Path:
        return self._folder / f"{stem(name)}.json"

    def _load(self, name: str) -> MlInput:
        path = self._path(name)
        if not self._files.has_file(path):
            known = [item.name for item in self.listings()]
            note = INPUTS_ARE.fill(names=", ".join(known)) if known else NO_INPUTS.fill()
            raise MlError(INPUT_NOT_FOUND, help=did_you_mean_one(name, known), notes=[note], name=name)
        return self._parse(path)

    def _described(self, name: str, kind: InputKind, target: str) -> MlInput:
        stamp = None if kind is InputKind.QUERY else self._stamp(target)
        reader = self._read(kind.value, target)
        rows = reader.read_all()
        return MlInput(name, kind, target, rows.num_rows, describe(rows), stamp)

    def _write(self, made: MlInput) -> None:
        self._files.write(self._path(made.name), json.dumps(asdict(made), ensure_ascii=False, indent=1).encode())

    def _stamp(self, target: str) -> tuple[int, int] | None:
        """Size and time of an input's file; None when there is none, or nothing may be known of it."""
        facts = self._files.facts(target) if self._files.may_read(target) else None
        return None if facts is None else (facts.size, facts.changed)

    def _parse(self, path: Path) -> MlInput:
        try:
            data: dict[str, Any] = json.loads(self._files.read(path))
            made = MlInput(**data)
            return replace(
                made,
                kind=InputKind(data["kind"]),
                fields=tuple(InputField(**field) for field in data["fields"]),
                stamp=None if data["stamp"] is None else (int(data["stamp"][0]), int(data["stamp"][1])),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
            raise MlError(DAMAGED_INPUT, file=path.name) from None


FEATURE_KINDS = frozenset(kind.value for kind in FeatureKind)
