"""Contexts as bytes and back, and as rows.

The bytes are one Arrow stream (compressed, a column per attribute), which a million contexts of three rows each need
for 2 to 4 seconds; a server saves all of them seldom and :func:`changes` at each commit, which costs what changed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from logsql.diagnostics.contexts import OTHER_VERSION
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.streams.contexts.clock import Clock, Context, Place
from logsql.streams.contexts.shown import rows_document, vars_document
from logsql.streams.contexts.store import Contexts, Removed
from logsql.streams.rows import INSTANT, REMOVED

#: Of the form of the bytes. Another one is refused: a newer program wrote it.
VERSION: Final = b"1"

_SAVED = pa.schema(
    [
        ("topic", pa.dictionary(pa.int32(), pa.string())),
        ("key", pa.string()),
        ("host", pa.string()),
        ("counter", pa.int64()),
        ("created", pa.int64()),
        ("expire_at", pa.int64()),
        ("timeout_at", pa.int64()),
        ("maxrows", pa.int64()),
        ("vars", pa.string()),
        ("rows", pa.list_(pa.string())),
    ]
)


def save(store: Contexts) -> bytes:
    """All contexts, and the clocks of hosts; :func:`changes` begins anew from here."""
    with store:
        store.changed = {}
        return _written(store, [(c.place.topic, c.key, c.place.host) for c in store.contexts()])


def changes(store: Contexts) -> bytes | None:
    """What changed since the last call or :func:`save`, None where nothing did. The first call, without a save before
    it, gives everything.
    """
    with store:
        if store.changed is None:
            return save(store)
        if not store.changed:
            return None
        keys, store.changed = list(store.changed), {}
        return _written(store, keys)


def load(store: Contexts, saved: Iterable[bytes]) -> None:
    """Bring a store to where these bytes leave it: those of a :func:`save`, and of the :func:`changes` behind it."""
    with store:
        for part in saved:
            _read(store, part)
        store.changed = {}


def _written(store: Contexts, keys: Sequence[tuple[str, str, str | None]]) -> bytes:
    """A context that is gone has no counter."""
    found = [store.find(topic, key, host) for topic, key, host in keys]
    columns: dict[str, list[object]] = {
        "topic": [key[0] for key in keys],
        "key": [key[1] for key in keys],
        "host": [key[2] for key in keys],
        **{name: [getattr(c, name, None) for c in found] for name in _SAVED.names[3:8]},
        "vars": [None if c is None else vars_text(c) for c in found],
        "rows": [None if c is None or c.rows is None else list(map(str, c.rows)) for c in found],
    }
    clocks = {host: clock.time for host, clock in store.hosts.items()}
    schema = _SAVED.with_metadata({b"version": VERSION, b"clocks": json.dumps(clocks).encode()})
    batch = pa.RecordBatch.from_arrays([pa.array(columns[f.name], f.type) for f in schema], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def _read(store: Contexts, saved: bytes) -> None:
    with pa.ipc.open_stream(saved) as reader:
        told = reader.schema.metadata or {}
        if told.get(b"version") != VERSION:
            raise RunError(diagnostic(OTHER_VERSION, found=told.get(b"version", b"?").decode(), known=VERSION.decode()))
        for host, time in json.loads(told[b"clocks"]).items():
            store.hosts.setdefault(host, Clock(host, time)).time = time
        for batch in reader:
            columns = [batch.column(name).to_pylist() for name in batch.schema.names]
            for row in zip(*columns, strict=True):
                _put(store, *row)


def _put(
    store: Contexts,
    topic: str,
    key: str,
    host: str | None,
    counter: int | None,
    created: int,
    expire_at: int | None,
    timeout_at: int | None,
    maxrows: int,
    variables: str | None,
    rows: list[object] | None,
) -> None:
    old = store.find(topic, key, host)
    if old is not None:
        store.take_out(old)
    if counter is None:
        return
    clock = store.real if host is None else store.hosts[host]
    context = Context(store.places.setdefault((topic, host), Place(topic, host, clock)), key, created, maxrows)
    context.counter, context.expire_at, context.timeout_at = counter, expire_at, timeout_at
    if variables is not None:
        context.vars = {name: _value(kind, value) for name, (kind, value) in json.loads(variables).items()}
    context.rows = rows
    store.place(context)


def vars_text(context: Context) -> str | None:
    """The variables with their kinds, as :func:`load` reads them."""
    if context.vars is None:
        return None
    return json.dumps({name: (kind, _plain(value)) for name, (kind, value) in context.vars.items()})


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _value(kind: str, value: object) -> tuple[str, object]:
    return kind, base64.b64decode(str(value)) if kind == "binary" else value


# --- as rows ----------------------------------------------------------------------------------------------------------


def removed(store: Contexts, zone: str) -> dict[str, pa.RecordBatch]:
    """The removed contexts since the last call as rows of ``REMOVED``, by topic (``store.listen`` says of which)."""
    with store:
        topics: dict[str, list[Removed]] = {}
        for one in store.take_removed():
            topics.setdefault(one[1].place.topic, []).append(one)
    rules = ZoneInfo(zone)
    return {topic: _rows(found, rules) for topic, found in topics.items()}


def _rows(found: Sequence[Removed], zone: ZoneInfo) -> pa.RecordBatch:
    cells = [
        (moment, *identity(c), cause, c.counter, *times(c), vars_document(c, zone), rows_document(c))
        for moment, c, cause in found
    ]
    columns = zip(*cells, strict=True)
    made = [
        pa.array(column, pa.int64()).cast(f.type) if f.type == INSTANT else pa.array(column, f.type)
        for column, f in zip(columns, REMOVED, strict=True)
    ]
    return pa.RecordBatch.from_arrays(made, schema=REMOVED)


def identity(context: Context) -> tuple[str, str, str | None]:
    """Topic, key, host."""
    return context.place.topic, context.key, context.place.host


def times(context: Context) -> tuple[int, int | None, int | None]:
    """When it was made, and its deadlines."""
    return context.created, context.expire_at, context.timeout_at
