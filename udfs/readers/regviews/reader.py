"""The Reader around a registry view: one hive's matching values as plain rows, and the view's rows as batches.

A time outside 1980 to 2100 is kept and counted (``time-out-of-range``). A value whose data a view cannot read is one
``unreadable-entry`` in the ledger, with ``key\\name`` as the sample; the rows around it stay. A hive without
any key of the view that is known to be another one of Windows' hives is a ``wrong-hive``; the sample says which one it
is and which one the view reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers import base
from udfs.readers.evidence import Targets, placed, placed_schema
from udfs.readers.hive import HiveReader
from udfs.readers.hive.reader import WANTED_BY_VIEWS, is_hive
from udfs.readers.regviews.view import Kind, Lost, RegValue, View
from udfs.readers.request import Request

TYPES: dict[Kind, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "boolean": pa.bool_(),
    "binary": pa.binary(),
    "date": pa.timestamp("us", "UTC"),
    "local date": pa.timestamp("us"),
}


class ViewReader:
    """A view over hives; the other arguments are those of ``HiveReader``."""

    def __init__(
        self,
        view: View,
        paths: str | Sequence[str] | Targets,
        zippath: str | None = None,
        zipcharset: str = "utf-8",
        replay: bool = False,
    ) -> None:
        self._view = view
        self._hives = HiveReader(paths, zippath, zipcharset, replay)

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The view's fields, then ``_file`` and ``_path``."""
        return placed_schema(schema_of(_view(given)), False)

    @classmethod
    def of(cls, request: Request) -> ViewReader:
        """Options: ``replay``, ``zippath``, ``zipcharset``, ``host``; the command gives the view."""
        made = cls(_view(request.given), Targets.of(request, is_hive), replay=request.flag("replay"))
        made._hives.share(request)
        return made

    @property
    def schema(self) -> pa.Schema:
        """The view's fields, then ``_file``, ``_path``, and ``host`` where it is asked for."""
        return placed_schema(schema_of(self._view), self._hives.host is not None)

    def scan(self, columns: Sequence[str] | None, context: base.ReadContext) -> Iterator[pa.RecordBatch]:
        """One batch a hive."""
        schema = base.select(self.schema, columns)
        for target, source, batches in self._hives.scan_targets(WANTED_BY_VIEWS, context):
            values: list[RegValue] = []
            file_name, kind = "", None
            for batch in batches:
                kind = kind or hive_kind(batch.column("key"))
                values += matching(batch, self._view.keys)
                file_name = batch.column("_file")[0].as_py() if batch.num_rows else file_name

            def lost(value: RegValue, source: str = source) -> None:
                context.loss.lost(source, "unreadable-entry", 1, None, f"{value.key}\\{value.name}")

            if not values and kind is not None and kind not in self._view.hives:
                wants = " or ".join(self._view.hives)
                context.loss.lost(source, "wrong-hive", 1, None, f"{kind}; {wants} is needed")
            own = pa.schema([f for f in schema if f.name in schema_of(self._view).names])
            batch = rows_of(self._view, values, own, file_name, lost)
            for name, count in unlikely(batch).items():
                context.loss.lost(source, "time-out-of-range", count, None, name)
            yield placed(batch, schema, target, self._hives.host)


#: 1980 and 2100 in microseconds since 1970: what a time of Windows lies between.
_EARLIEST, _LATEST = 315_532_800_000_000, 4_102_444_800_000_000


def unlikely(batch: pa.RecordBatch) -> dict[str, int]:
    """Fields with times outside 1980 to 2100, and how many: read from damage, or set by somebody. They are kept."""
    found: dict[str, int] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_timestamp(column.type):
            times = column.cast(pa.int64())
            outside = pc.or_(pc.less(times, _EARLIEST), pc.greater_equal(times, _LATEST))
            if count := pc.sum(outside).as_py():
                found[name] = count
    return found


#: Keys, with the root in front, that only one of the hives of Windows has.
_KINDS = {
    "SYSTEM": r"^[^\\]+\\(ControlSet[0-9]{3}|Select|MountedDevices)(\\|$)",
    "SOFTWARE": r"^[^\\]+\\Microsoft\\Windows( NT)?\\CurrentVersion(\\|$)",
    "NTUSER.DAT": r"^[^\\]+\\(Software\\Microsoft\\Windows|Control Panel|AppEvents|Keyboard Layout)(\\|$)",
    "USRCLASS.DAT": r"^[^\\]+\\Local Settings\\(Software|MuiCache|MrtCache)(\\|$)",
    "SAM": r"^[^\\]+\\SAM\\Domains(\\|$)",
    "SECURITY": r"^[^\\]+\\Policy\\(Secrets|PolAdtEv|Accounts)(\\|$)",
    "Amcache.hve": r"^[^\\]+\\Root\\(InventoryApplicationFile|InventoryApplication|File|Programs)(\\|$)",
}


def hive_kind(keys: pa.Array) -> str | None:
    """Which hive of Windows has these keys; None where they do not tell."""
    for kind, pattern in _KINDS.items():
        if pc.any(pc.match_substring_regex(keys, pattern, ignore_case=True)).as_py():
            return kind
    return None


def _view(given: object) -> View:
    if not isinstance(given, View):
        raise TypeError(f"a registry view is declared with a View, not with {given!r}")
    return given


def schema_of(view: View) -> pa.Schema:
    """The view's fields, then ``_file``."""
    return pa.schema([*(pa.field(name, TYPES[kind]) for name, kind in view.fields), pa.field("_file", pa.string())])


def rows_of(view: View, values: list[RegValue], wanted: pa.Schema, file_name: str, lost: Lost) -> pa.RecordBatch:
    """The rows of one hive's values, which must match the view's keys, as a batch of ``wanted`` columns."""
    rows = [{**row, "_file": file_name} for row in view.rows(values, lost)]
    arrays = {f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in wanted}
    return base.batch_of(wanted, arrays, len(rows))


def matching(batch: pa.RecordBatch, keys: str) -> list[RegValue]:
    """The readable values of a batch whose key matches."""
    mask = pc.match_substring_regex(batch.column("key"), keys, ignore_case=True)
    found = batch.filter(pc.and_(mask, pc.is_valid(batch.column("value.raw"))))
    columns = [found.column(name).to_pylist() for name in ("key", "name", "type", "value.raw")]
    written = found.column("last_written").cast(pa.int64()).to_pylist()
    return [RegValue(*row) for row in zip(*columns, written, strict=True)]
