"""``HiveReader``: Windows registry hives, one row a value, as record batches.

Keys come in the order of a depth-first walk, subkeys and values as their lists store them. Keys without values give no
row unless they are asked for. Memory: the hive itself, about 60 bytes a key, and one batch. Damage is tolerated and
reported with its byte offset; ``ReaderError`` (``not-a-hive``, ``truncated``, ``damaged-hive``) only when no key at all
can be reached.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers import base
from udfs.readers.artefacts import surely
from udfs.readers.evidence import HostPattern, Target, Targets, base_name, placed, placed_schema
from udfs.readers.hive import paths as key_paths
from udfs.readers.hive import recover, text, tree, values
from udfs.readers.hive import replay as logs
from udfs.readers.hive.image import BASE, I64, Damage, HiveImage, from_bytes, load
from udfs.readers.request import Request
from udfs.readers.sources import Member, open_random, scan_each

_EPOCH = 116_444_736_000_000_000  # 1970-01-01 in 100 ns since 1601
_BATCH_BYTES = 48 << 20
_VALUE_COLUMNS = frozenset({"value.text", "value.int", "value.list", "value.bytes", "value.raw"})


def _schema() -> pa.Schema:
    def variant(name: str, kind: pa.DataType, mark: bytes = base.VARIANT) -> pa.Field:
        return pa.field(name, kind, metadata={mark: b"value"})

    return pa.schema(
        [
            pa.field("key", pa.string()),
            pa.field("type", pa.string()),
            pa.field("name", pa.string()),
            variant("value.text", pa.string()),
            variant("value.int", pa.uint64()),
            variant("value.list", pa.list_(pa.string())),
            variant("value.bytes", pa.binary()),
            variant("value.raw", pa.binary(), base.VARIANT_RAW),
            pa.field("last_written", pa.timestamp("us", "UTC")),
            pa.field("class_name", pa.string()),
            pa.field("_file", pa.string()),
        ]
    )


def is_hive(name: str, head: bytes) -> bool:
    """Whether a file of a folder is a hive, not one of its transaction logs. What has the name of one is one also
    where its first bytes are destroyed."""
    begins = head.startswith(b"regf") and name.upper().rpartition(".")[2] not in ("LOG", "LOG1", "LOG2")
    return begins or surely("registry hive", name)


Scanned = tuple[Target, str, Iterable[pa.RecordBatch]]
WANTED_BY_VIEWS = ("key", "name", "type", "value.raw", "last_written", "_file")
"""What the rows of a view are made of."""
_MOST_HELD = 64 << 20
"""Bytes of the rows of one hive that are kept for others that ask for them."""


class HiveAtHand:
    """The keys and values of the hive that was read last: a timeline asks six readers for times of a SYSTEM.

    What is damaged in the hive is told by the scan that read it, once.
    """

    def __init__(self) -> None:
        self._target: Target | None = None
        self._held: list[tuple[Target, str, list[pa.RecordBatch]]] = []

    def scanned(self, target: Target, scan: Callable[[], Iterator[Scanned]]) -> Iterator[Scanned]:
        """What ``scan`` gives of the one file ``target``."""
        if self._target == target:
            yield from self._held
            return
        self._target, self._held = None, []
        for found, source, batches in scan():
            rest, held, size = iter(batches), [], 0
            for batch in rest:
                held.append(batch)
                size += batch.nbytes
                if size > _MOST_HELD:
                    break
            else:
                self._held.append((found, source, held))
            yield found, source, itertools.chain(held, rest)
        if self._held:
            self._target = target


class HiveReader:
    """Rows of the command ``hive-file``.

    ``paths``: file paths, ``*`` allowed in the file name; with ``zippath`` entry names inside that archive, whose
    names are decoded as ``zipcharset`` unless flagged UTF-8. ``replay``: apply FILE.LOG, FILE.LOG1 and FILE.LOG2
    beside a hive whose base block says it is dirty. The default reads the file as it is; that it is dirty is then a
    ``dirty-hive`` entry with the count 0. ``keys``: a key without values is a row whose name, type and value are null.

    Columns: key, type, name string; value.text string (SZ, EXPAND_SZ, LINK), value.int uint64 (DWORD,
    DWORD_BIG_ENDIAN, QWORD), value.list list<string> (MULTI_SZ), value.bytes binary (the rest): one of the four is
    not null unless the data is damaged; value.raw binary, the stored data of every value; last_written timestamp[us,
    UTC], of the key, null when 0 or beyond the signed range; class_name string, of the key, null where it has none;
    _file string, the base name. With ``deleted`` there is is_deleted, and behind the rows of a hive come those of its
    deleted keys and values (``recover``).

    Of several files those that are no hives are ``not-a-hive``-style losses; ReaderError when there is no hive at all.
    """

    columns: pa.Schema = _schema()

    def __init__(
        self,
        paths: str | Sequence[str] | Targets,
        zippath: str | None = None,
        zipcharset: str = "utf-8",
        replay: bool = False,
        keys: bool = False,
        deleted: bool = False,
    ) -> None:
        self._targets = paths if isinstance(paths, Targets) else Targets(paths, zippath, zipcharset)
        self._replay = replay
        self._keys = keys
        self._deleted = deleted
        self._columns = self.columns
        self._at_hand: tuple[HiveAtHand, Target] | None = None
        if deleted:
            place = self.columns.get_field_index("_file")
            self._columns = self.columns.insert(place, pa.field("is_deleted", pa.bool_()))

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The columns of every hive."""
        return placed_schema(cls.columns, False)

    @property
    def schema(self) -> pa.Schema:
        """The columns of every hive, ``_path``, and ``host`` where it is asked for."""
        return placed_schema(self._columns, self._targets.host is not None)

    @classmethod
    def of(cls, request: Request) -> HiveReader:
        """Options: ``keys``, ``deleted``, ``replay``, ``zippath``, ``zipcharset``, ``host``."""
        replay, keys, deleted = (request.flag(name) for name in ("replay", "keys", "deleted"))
        made = cls(Targets.of(request, is_hive), replay=replay, keys=keys, deleted=deleted)
        made.share(request)
        return made

    def share(self, request: Request) -> None:
        """Read the one hive of the request together with others that are asked for it."""
        known = request.shared.get(HiveAtHand)
        if isinstance(known, HiveAtHand) and len(request.targets) == 1 and not (self._replay or self._deleted):
            self._at_hand = (known, request.targets[0])

    def scan(self, columns: Sequence[str] | None, context: base.ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of at most ``BATCH_ROWS`` rows and about 48 MiB, with the wanted columns only."""
        for _, _, batches in self.scan_targets(columns, context):
            yield from batches

    @property
    def host(self) -> HostPattern | None:
        """Which part of a path names the machine."""
        return self._targets.host

    def scan_targets(self, columns: Sequence[str] | None, context: base.ReadContext) -> Iterator[Scanned]:
        """File, ledger name and batches of one hive after another, for readers that interpret a hive as a whole.

        Of a hive that is read for several, keys without values come along, also where nobody asked for them.
        """
        if self._at_hand is None or columns is None or not {*columns} <= {*WANTED_BY_VIEWS}:
            yield from self._scanned(columns, context, self._keys)
            return
        known, asked = self._at_hand
        for target, source, batches in known.scanned(asked, lambda: self._scanned(WANTED_BY_VIEWS, context, True)):
            names = [name for name in self.schema.names if name in columns]
            yield target, source, (batch.select(names) for batch in batches)

    def _scanned(self, columns: Sequence[str] | None, context: base.ReadContext, keys: bool) -> Iterator[Scanned]:
        schema = base.select(self.schema, columns)
        own = pa.schema([f for f in schema if f.name in self._columns.names], metadata=schema.metadata)

        def one(source: Target) -> Iterator[Scanned]:
            image = open_image(source, context, self._replay)
            batches = scan_image(image, own, base_name(source), context, keys, self._deleted)
            yield source, image.source, (placed(batch, schema, source, self._targets.host) for batch in batches)

        yield from scan_each(self._targets.found(context), context, one)


def open_image(source: str | Member, context: base.ReadContext, replay: bool = False) -> HiveImage:
    """The hive in memory, with its logs applied when asked for. ReaderError when it is none."""
    name = source if isinstance(source, str) else source.name
    with open_random(source, context) as raw:
        data, size = load(raw, name, context)
    if replay:
        data, size = logs.apply_logs(source, data, size, context)
    image = from_bytes(name, data, size)
    if image.root < 0:
        context.loss.lost(name, "transaction-log", 0, 0, "a registry transaction log holds no keys of its own")
    else:
        _report_base_block(image, context, replay)
    return image


def _report_base_block(image: HiveImage, context: base.ReadContext, replay: bool) -> None:
    """What the base block says of the whole hive. Nothing is known to be lost yet, so the counts are 0."""
    block = image.data[:512].tobytes()
    first, second = struct.unpack_from("<II", block, 4)
    if not logs.is_sound(block):
        context.loss.lost(image.source, "damaged-base-block", 0, 0, "the hive's first 512 bytes fail their checksum")
    elif first != second and not replay:
        told = "the last changes may be in its transaction logs only: replay=t applies FILE.LOG, .LOG1 and .LOG2"
        context.loss.lost(image.source, "dirty-hive", 0, 4, told)
    if image.root != struct.unpack_from("<I", block, 36)[0] + BASE + 4:
        context.loss.lost(image.source, "root-key-elsewhere", 0, 36, f"the root key was found at {image.root - 4}")


def scan_image(
    image: HiveImage,
    schema: pa.Schema,
    file_name: str,
    context: base.ReadContext,
    bare: bool = False,
    deleted: bool = False,
) -> Iterator[pa.RecordBatch]:
    """The rows of one hive with exactly the columns of ``schema``; ``bare``: keys without values are rows too;
    ``deleted``: rows of what is deleted come behind them."""
    damage = Damage(context.loss, image.source)
    keys = tree.build(image, damage, context.cancelled)
    base.check_cancelled(context)
    lists = values.value_lists(image, keys, damage)
    total = int(lists.before[-1])
    budget = values.Budget(4 * image.size + (1 << 20))
    empty = np.flatnonzero(lists.count == 0) if bare else np.zeros(0, np.int64)
    for first in range(0, max(total, min(len(empty), 1)), base.BATCH_ROWS):
        last = min(first + base.BATCH_ROWS, total)
        found = values.cells(image, lists, first, last, damage)
        if len(empty):
            # Those that stand before the last key of this batch; behind the last value all that are left.
            upto = len(empty)
            if last < total:
                upto = int(np.searchsorted(empty, np.searchsorted(lists.before, last - 1, side="right") - 1))
            found, empty = values.with_keys(found, empty[:upto]), empty[upto:]
        for low, high in _pieces(image, keys, found):
            base.check_cancelled(context)
            piece = values.Cells(found.key[low:high], found.at[low:high])
            yield _batch(image, keys, piece, schema, file_name, damage, budget)
        context.progress.advance(image.source, image.size * last // max(total, 1), image.size)
    if deleted and image.root >= 0:
        yield from _deleted(image, keys, lists, schema, file_name, context)
    context.progress.advance(image.source, image.size, image.size)


def _pieces(image: HiveImage, keys: tree.KeyTree, found: values.Cells) -> Iterator[tuple[int, int]]:
    """Row ranges whose paths, names and data together stay near the byte limit of a batch."""
    if len(found.at) == 0:
        return
    at = np.maximum(found.at, 0)
    length = image.word(at, 4).astype(np.int64)
    length[length >= 0x80000000] = 4
    length = np.minimum(length, image.size)
    bulk = np.cumsum(keys.path_bytes[found.key] + ((image.word(at, 0) >> 16) + 2 * length) * (found.at >= 0))
    low = 0
    while low < len(bulk):
        limit = _BATCH_BYTES + (int(bulk[low - 1]) if low else 0)
        high = max(low + 1, int(np.searchsorted(bulk, limit, side="right")))
        yield low, high
        low = high


def _batch(
    image: HiveImage,
    keys: tree.KeyTree,
    found: values.Cells,
    schema: pa.Schema,
    file_name: str,
    damage: Damage,
    budget: values.Budget,
) -> pa.RecordBatch:
    wanted = set(schema.names)
    rows = len(found.at)
    arrays: dict[str, pa.Array] = {}
    if "key" in wanted:
        arrays["key"] = key_paths.key_paths(image, keys, found.key)
    if "last_written" in wanted:
        arrays["last_written"] = _times(image, keys.at, found.key, damage)
    if "class_name" in wanted:
        arrays["class_name"] = _class_names(image, keys.at, found.key)
    if "_file" in wanted:
        arrays["_file"] = pa.repeat(pa.scalar(file_name, pa.string()), rows)
    if "is_deleted" in wanted:
        arrays["is_deleted"] = pa.repeat(pa.scalar(False), rows)
    return base.batch_of(schema, arrays | _of_cells(image, found, wanted, damage, budget), rows)


def _deleted(
    image: HiveImage,
    keys: tree.KeyTree,
    lists: values.ValueLists,
    schema: pa.Schema,
    file_name: str,
    context: base.ReadContext,
) -> Iterator[pa.RecordBatch]:
    """Batches of what is deleted; data whose place is used again are no value, and counted."""
    gone = recover.deleted(image, keys, lists, context.cancelled)
    base.check_cancelled(context)
    quiet, budget = Damage(base.NullLoss(), image.source), values.Budget(4 * image.size + (1 << 20))
    wanted = set(schema.names)
    if lost := int(gone.lost.sum()):
        first = int(gone.rows.at[gone.lost].min())
        context.loss.lost(image.source, "data-reused", lost, first, None)
    step = 8192
    for low in range(0, len(gone.rows.at), step):
        base.check_cancelled(context)
        found = values.Cells(gone.rows.key[low : low + step], gone.rows.at[low : low + step])
        rows, known = len(found.at), found.key >= 0
        arrays: dict[str, pa.Array] = {"is_deleted": pa.repeat(pa.scalar(True), rows)}
        arrays["_file"] = pa.repeat(pa.scalar(file_name, pa.string()), rows)
        of_key = {"key": gone.paths}
        if len(gone.at):
            each = np.arange(len(gone.at))
            of_key["last_written"] = _times(image, gone.at, each, quiet)
            of_key["class_name"] = _class_names(image, gone.at, each)
        place = pa.array(found.key, mask=~known)
        for name, array in of_key.items():
            arrays[name] = array.take(place)
        for name in ("last_written", "class_name"):
            arrays.setdefault(name, pa.nulls(rows, HiveReader.columns.field(name).type))
        own = _of_cells(image, found, wanted, quiet, budget)
        kept = pa.array(~gone.lost[low : low + step])
        for name in wanted & _VALUE_COLUMNS:
            own[name] = pc.if_else(kept, own[name], pa.scalar(None, own[name].type))
        yield base.batch_of(schema, arrays | own, rows)


def _of_cells(
    image: HiveImage, found: values.Cells, wanted: set[str], damage: Damage, budget: values.Budget
) -> dict[str, pa.Array]:
    """The columns that a row has of its value; null in the row of a key itself."""
    rows = len(found.at)
    own: dict[str, pa.Array] = {}
    is_value = found.at >= 0
    at = found.at if is_value.all() else found.at[is_value]
    if "name" in wanted:
        own["name"] = text.names(image.data, *values.name_fields(image, at))
    if "type" in wanted:
        own["type"] = values.type_names(image.word(at, 12))
    if wanted & _VALUE_COLUMNS:
        own |= _values(image, at, wanted, damage, budget)
    if len(at) < rows:
        place = pa.array(np.cumsum(is_value) - 1, mask=~is_value)
        own = {name: array.take(place) for name, array in own.items()}
    return own


def _class_names(image: HiveImage, at: I64, key: I64) -> pa.Array:
    """Class names of the rows' keys; null where a key has none, or where its cell does not hold it."""
    own, place = np.unique(key, return_inverse=True)
    nk = at[own]
    length = (image.word(nk, 72) >> 16).astype(np.int64)
    where = image.content(image.word(nk, 48), 4)
    has = (length > 0) & (where >= 0)
    has[has] = length[has] <= image.room(where[has])
    found = text.array(text.utf16(image.data, where[has], length[has]), pa.string(), has)
    return found.take(pa.array(place))


def _values(image: HiveImage, at: I64, wanted: set[str], damage: Damage, budget: values.Budget) -> dict[str, pa.Array]:
    codes = image.word(at, 12)
    plain, segmented, big = values.split_big(image, at, damage, budget)
    if big is None:
        return values.columns(plain, codes, wanted)
    some = values.columns(plain, codes, wanted)
    more = values.columns(big, codes[segmented], wanted)
    place = np.arange(len(at))
    place[segmented] = np.arange(len(big.start)) + len(at)
    return {name: pa.concat_arrays([some[name], more[name]]).take(text.indices(place)) for name in some}


def _times(image: HiveImage, at: I64, key: I64, damage: Damage) -> pa.Array:
    """FILETIME of the rows' keys: null for 0 and for times beyond the signed range, which no calendar reaches."""
    nk = at[key]
    low, high = image.word(nk, 4).astype(np.int64), image.word(nk, 8).astype(np.int64)
    fine = high < 0x80000000
    if not fine.all():
        damage.at("time-out-of-range", np.unique(nk[~fine]) + 4)
    ticks = np.where(fine, (high << 32) | low, 0)
    micros = (ticks - _EPOCH) // 10
    buffers = [text.bits(ticks != 0), pa.py_buffer(micros)]
    return pa.Array.from_buffers(pa.timestamp("us", "UTC"), len(key), buffers)
