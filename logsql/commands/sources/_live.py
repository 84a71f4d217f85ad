"""What ``logger`` and ``stream`` share: names of a server's parts, and their rows as a source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import Code, Sentence
from logsql.diagnostics.live import NOT_NAMED
from logsql.diagnostics.losses import loss
from logsql.language.tree import Name
from logsql.planner.connections.live import KINDS, LIVE, REST, LiveServer
from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.relation import Column, Rel, Rest
from logsql.planner.stage import Stage
from logsql.values.types import ANY_JSON

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

WINDOW = OptionSpec("window", OptionKind.SPAN, ("how long to wait for rows", "행을 기다리는 시간"))
MISSED = loss(
    "watched-too-slowly",
    ("rows that came faster than they were read", "읽는 속도보다 빨리 와서 놓친 행"),
)


@dataclass(frozen=True)
class LiveArgs:
    """Names as written; ``*`` may stand in them."""

    names: tuple[Name, ...]


def live_names(reader: ArgReader, none: Code | Sentence) -> LiveArgs:
    """The names behind the options. Fails with ``none`` where there is none."""
    names = reader.name_list()
    if not names:
        reader.fail(none)
    return LiveArgs(tuple(names))


def server_of(stage: Stage, command: str | None = None) -> LiveServer:
    """The server that the session was given. Fails where none was, in the name of ``command``."""
    found = stage.catalog.service(LIVE)
    if found is None:
        stage.fail(NOT_NAMED, command=command or stage.spec.name)
    return found


def listed_cells(server: LiveServer, what: str, names: Iterable[str]) -> list[tuple[object, ...]]:
    """What the server knows of its parts (``LiveServer.listing``), a row each; what it does not say is null."""
    return [tuple(part.get(name) for name in names) for part in server.listing(what)]


def live_rows(stage: Stage, kind: str, names: tuple[Name, ...]) -> Rel:
    """Rows of receivers or streams, as they come within ``window=``."""
    server = server_of(stage)
    wanted = [local(name.text) for name in names]
    shape = server.shape(kind, wanted)
    columns = [Column(name, name, KINDS[type_]) for name, type_ in shape.fields]
    window = stage.option("window")
    assert window is not None
    seconds = float(window.mean_seconds)

    def transform(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        live = runtime.service(LIVE)
        assert live is not None

        def missed(count: int) -> None:
            runtime.loss.lost(stage.spec.name, MISSED.name, count)

        for rows in live.watch(kind, wanted, seconds, runtime.cancelled, missed):
            yield from rows.to_batches()

    rest = Rest(REST, ANY_JSON) if shape.open else None
    return stage.stream(None, columns, transform, rest=rest, once=True)


def local(name: str) -> str:
    """``local\\edge`` is ``edge``, as the vendor names the receivers of this server.

    >>> local(r"local\\edge"), local(r"local\\\\edge"), local("edge")
    ('edge', 'edge', 'edge')
    """
    return re.sub(r"^local\\+", "", name)
