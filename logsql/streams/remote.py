"""A running server as another process sees it: questions over its control socket."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.live import NO_SERVER, REFUSED_BY_SERVER
from logsql.loading import at
from logsql.planner.connections.live import Shape
from logsql.store import serverfolder
from logsql.store.files import Files
from logsql.streams import wire
from logsql.streams.wire import Frame
from udfs.readers.base import ReadContext, batch_of, check_cancelled, select

#: How often a watcher looks whether its query was cancelled, in seconds.
LOOK = 0.1


class Link:
    """A server by its state folder or its configuration file."""

    def __init__(self, named: str) -> None:
        self.place = state_folder(named)

    # --- questions --------------------------------------------------------------------------------

    def ask(self, verb: str, **facts: object) -> dict[str, object]:
        """A question that facts answer."""
        answer: dict[str, object] = {}
        with self._connected() as stream:
            wire.say(stream, "H", {"verb": verb, **facts})
            while (frame := self._heard(stream)).kind != "E":
                answer |= frame.facts
        return answer

    def rows(self, verb: str, **facts: object) -> Iterator[pa.Table]:
        """A question that rows answer."""
        with self._connected() as stream:
            wire.say(stream, "H", {"verb": verb, **facts})
            while (frame := self._heard(stream)).kind != "E":
                if frame.rows is not None:
                    yield frame.rows

    @contextmanager
    def _connected(self, seconds: float | None = None) -> Iterator[BinaryIO]:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with serverfolder.address(self.place) as path:
                peer.connect(path)
        except OSError as problem:
            peer.close()
            reason = problem.strerror or str(problem)
            raise SourceError(diagnostic(NO_SERVER, path=str(self.place), reason=reason)) from None
        peer.settimeout(seconds)
        with peer, peer.makefile("rwb") as stream:
            yield cast("BinaryIO", stream)

    def _heard(self, stream: BinaryIO) -> Frame:
        """The next frame. Raises SourceError for an error, and where the server went away before it was through."""
        try:
            frame = wire.hear(stream)
        except TimeoutError:
            raise
        except (OSError, wire.NoPeer) as problem:
            raise self._lost(str(problem) or "no frame") from None
        if frame is None:
            raise self._lost("it ended")
        if frame.kind == "X":
            facts = frame.facts
            help = None if facts.get("help") is None else str(facts["help"])
            refused = SourceError(diagnostic(REFUSED_BY_SERVER, reason=str(facts.get("message")), help=help))
            refused.exit_code = int(str(facts.get("exit", refused.exit_code)))
            raise refused
        return frame

    def _lost(self, reason: str) -> SourceError:
        return SourceError(diagnostic(NO_SERVER, path=str(self.place), reason=reason))

    # --- what commands ask (planner/connections/live.py) --------------------------------------------

    def shape(self, kind: str, names: Sequence[str]) -> Shape:
        """The fields of live rows."""
        answer = self.ask("shape", kind=kind, names=list(names))
        fields = cast("list[list[str]]", answer["fields"])
        return Shape(tuple((name, type_) for name, type_ in fields), bool(answer["open"]))

    def watch(
        self,
        kind: str,
        names: Sequence[str],
        seconds: float,
        cancelled: Callable[[], bool],
        missed: Callable[[int], None],
    ) -> Iterator[pa.Table]:
        """Rows as they come, for so long."""
        question = {"verb": "watch", "kind": kind, "names": list(names), "seconds": seconds}
        with self._connected() as stream:
            wire.say(stream, "H", question)
            # The server says something at least every LOOK seconds, so that a query that is stopped ends soon.
            while not cancelled() and (frame := self._heard(stream)).kind != "E":
                if frame.rows is not None:
                    yield frame.rows
                if count := int(cast("int", frame.facts.get("missed", 0))):
                    missed(count)

    def forward(self, names: Sequence[str], rows: Iterator[pa.RecordBatch]) -> int:
        """Give rows to streams."""
        taken = 0
        with self._connected() as stream:
            wire.say(stream, "H", {"verb": "forward", "names": list(names)})
            for batch in rows:
                wire.say_rows(stream, batch)
            wire.say(stream, "E", {})
            while (frame := self._heard(stream)).kind != "E":
                taken = int(cast("int", frame.facts.get("rows", taken)))
        return taken

    def listing(self, what: str) -> list[dict[str, object]]:
        """What the server knows of its parts."""
        return cast("list[dict[str, object]]", self.ask("listing", what=what)["rows"])

    def state_folder(self) -> str:
        """The folder of its models."""
        return str(self.ask("place")["folder"])

    def tables(self) -> dict[str, pa.Schema]:
        """The tables of its database."""
        found = cast("dict[str, str]", self.ask("tables")["tables"])
        return {name: pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text))) for name, text in found.items()}

    def table(self, name: str, schema: pa.Schema) -> RemoteTable:
        """A table of its database, as a reader."""
        return RemoteTable(self, name, schema)


class RemoteTable:
    """Rows of a table of the server, asked for anew by every scan (:class:`udfs.readers.base.Reader`)."""

    #: Nothing looks at the rows before the query does: they would be asked for twice.
    once = True

    def __init__(self, link: Link, name: str, schema: pa.Schema) -> None:
        self.schema = schema
        self._link, self._name = link, name

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """The wanted columns; the others do not cross the socket."""
        wanted = select(self.schema, columns)
        for part in self._link.rows("table", name=self._name, columns=wanted.names):
            check_cancelled(context)
            for batch in part.to_batches():
                if batch.num_rows:
                    yield batch_of(wanted, dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows)


def state_folder(named: str) -> Path:
    """The state folder that a word means: the folder itself, or that of a server's configuration file."""
    path = Path(named)
    if Files().has_folder(path):
        return path
    found = cast("Callable[[str], str]", at("logsql.streams.configuring:state_dir_of"))
    return Path(found(os.fspath(path)))
