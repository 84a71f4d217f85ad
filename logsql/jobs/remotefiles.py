"""What runs for ``sftp`` and ``ftp``: listings and contents as rows, and rows as files on a server.

Lines are made by the readers of local files, what is written by :mod:`.outputs`.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError, RunError, diagnostic
from logsql.diagnostics.kept import FILE_EXISTS, REPLACE_OR_ADD
from logsql.planner.connections.remotefiles import Connection, Content, Entry, RemoteFiles
from logsql.planner.services import Service
from logsql.store.outputfiles import Manner
from udfs.readers.base import Line, ReadContext
from udfs.readers.files import Files
from udfs.readers.jsondocs import HEAD, Documents, are_documents, pieces
from udfs.readers.lines import Reached, lines_of, text_chunks
from udfs.readers.textlines import Window

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile
    from logsql.engine.stageruntime import Actions
    from logsql.planner.runtime import Runtime, StageRuntime

#: Objects of a JSON document that go on together, and bytes of an append that wait.
_OBJECTS, _WAITING = 4096, 16 << 20


@dataclass(frozen=True)
class Server:
    """A profile and the service that logs in to it. ``names``: the charset of file names."""

    key: Service[RemoteFiles]
    profile: Profile
    names: str = "utf-8"

    def check(self, runtime: Runtime) -> None:
        """Refuse a server that may not be reached, before any row is read."""
        self._service(runtime).check(self.profile)

    def connect(self, runtime: Runtime) -> Connection:
        """Log in."""
        return self._service(runtime).connect(self.profile, self.names, runtime.cancelled)

    def _service(self, runtime: Runtime) -> RemoteFiles:
        found = runtime.service(self.key)
        assert found is not None
        return found


# --- reading ----------------------------------------------------------------------------------------------------------

_TYPES = {
    "type": pa.string(),
    "is_link": pa.bool_(),
    "name": pa.string(),
    "file_size": pa.int64(),
    "modified_at": pa.timestamp("us", "UTC"),
    "uid": pa.int64(),
    "gid": pa.int64(),
    "perms": pa.string(),
    "owner": pa.string(),
    "group": pa.string(),
}


def listed(server: Server, path: str, columns: Sequence[str], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
    """The entries of a folder as rows; those that came before an error are handed on."""
    connection = server.connect(runtime)
    begun = False
    try:
        for entries in connection.entries(path):
            begun = True
            rows = [_row(entry) for entry in entries]
            arrays = [pa.array([row[name] for row in rows], _TYPES[name]) for name in columns]
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))
    except LogsqlError as problem:
        _ended(problem, begun, runtime)
    finally:
        connection.close()


def _row(entry: Entry) -> dict[str, object]:
    return {
        "type": "dir" if entry.folder else "file",
        "is_link": entry.link,
        "name": entry.name,
        "file_size": entry.size,
        "modified_at": entry.modified,
        "uid": entry.uid,
        "gid": entry.gid,
        "perms": entry.perms,
        "owner": entry.owner,
        "group": entry.group,
    }


@dataclass(frozen=True)
class Cat:
    """A file to read: charset, rows to skip and to take, and whether they are objects of JSON."""

    path: str
    charset: str
    offset: int
    limit: int | None
    documents: bool


def lines_read(server: Server, cat: Cat, runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
    """The lines of a file, or the texts of its JSON objects; those that came whole before an error are handed on."""
    connection = server.connect(runtime)
    begun = False
    try:
        content = connection.content(cat.path)
        begun = True
        files = Files(runtime.policy.may_read, runtime.policy.opened, runtime.policy.safe)
        context = ReadContext(runtime.loss, runtime.progress, runtime.cancelled, files)
        try:
            window = Window(cat.offset, cat.limit)
            for array in _texts(content, cat, context):
                kept = window.cut(array)
                if len(kept):
                    yield pa.RecordBatch.from_arrays([kept], names=["line"])
                if window.done:
                    return
        finally:
            content.close()
    except LogsqlError as problem:
        _ended(problem, begun, runtime)
    finally:
        connection.close()


def _ended(problem: LogsqlError, begun: bool, runtime: StageRuntime) -> None:
    """What came is handed on, and then the query fails; with nothing begun it fails at once."""
    if not begun:
        raise problem
    runtime.fail_behind(RunError(problem.diagnostic))


def _texts(content: Content, cat: Cat, context: ReadContext) -> Iterator[pa.Array]:
    reached = Reached()
    chunks = text_chunks(content, cat.charset, context, reached)
    head = b""
    if cat.documents:
        while len(head) < HEAD and (more := next(chunks, b"")):
            head += more
        if are_documents(head[:HEAD].decode("utf-8", "ignore")):
            yield from _objects(content.name, head, chunks, context, reached)
            return
    for lines in lines_of(chain((head,) if head else (), chunks), content.name, context, reached):
        yield lines.array


def _objects(
    name: str, head: bytes, chunks: Iterator[bytes], context: ReadContext, reached: Reached
) -> Iterator[pa.Array]:
    def tell(reason: str, line: int, sample: str) -> None:
        context.loss.lost(name, reason, 1, Line(line), sample)

    texts: list[str] = []
    for item in Documents(pieces(head, chunks, reached), name, tell).objects():
        texts.append(item.text)
        if len(texts) == _OBJECTS:
            yield pa.array(texts, pa.string())
            texts = []
    if texts:
        yield pa.array(texts, pa.string())


# --- writing ----------------------------------------------------------------------------------------------------------


@dataclass
class RemoteTargets:
    """Files on a server as :mod:`.outputs` writes them (:class:`~.outputs.Targets`); one login for all of a command."""

    server: Server
    _connection: Connection | None = field(default=None, init=False)

    def check(self, runtime: Actions, path: str, manner: Manner, fixed: str | None) -> None:
        """Refuse what cannot be written, before any row is read: by the policy, or because a file is in the way."""
        self.server.check(runtime)
        if fixed is None or manner.append or manner.overwrite:
            return
        try:
            if self._login(runtime).size(fixed) is not None:
                raise _taken(fixed, manner)
        finally:
            self.end()

    def open(self, path: str, manner: Manner, runtime: Actions) -> RemoteFile:
        """A file that is not at its path before it is whole."""
        return RemoteFile(self._login(runtime), path, manner)

    def commit(self, files: Collection[RemoteFile], runtime: Actions) -> None:
        """Give the finished files their names."""
        for file in files:
            file.commit()

    def end(self) -> None:
        """End the session."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _login(self, runtime: Actions) -> Connection:
        if self._connection is None:
            self._connection = self.server.connect(runtime)
        return self._connection


def _taken(path: str, manner: Manner) -> RunError:
    return RunError(diagnostic(manner.codes.exists.with_text(FILE_EXISTS, REPLACE_OR_ADD), path=path))


class RemoteFile:
    """A new file goes to a temporary name beside its own; rows to append go to the file itself, in whole lines."""

    def __init__(self, connection: Connection, path: str, manner: Manner) -> None:
        self._connection = connection
        self._path = path
        self._manner = manner
        self._waiting: list[bytes] = []
        self._size = 0
        self._before: int | None = None
        folder, _, name = path.rpartition("/")
        hidden = f".{name}.{secrets.token_hex(4)}.part"
        self._goal = path if manner.append else f"{folder}/{hidden}" if folder or path.startswith("/") else hidden
        self._made = False
        if manner.make_folders:
            connection.make_folders(path)
        if manner.append:
            self._before = connection.size(path)
            if self._before and connection.last_byte(path, self._before) != manner.newline[-1:]:
                self._waiting.append(manner.newline)
        if not self._before and manner.prefix:
            self._waiting.append(manner.prefix)

    def write(self, data: bytes | memoryview) -> None:
        """Add whole lines."""
        self._waiting.append(bytes(data))
        self._size += len(data)
        if self._size >= _WAITING:
            self.suspend()

    def suspend(self) -> None:
        """Send what waits."""
        if self._waiting:
            data, self._waiting, self._size = b"".join(self._waiting), [], 0
            self._made = True
            self._connection.append(self._goal, data, self._path)

    def commit(self) -> None:
        """Send the rest; give a new file its name."""
        self.suspend()
        if self._manner.append:
            self._made = False
            return
        if not self._manner.overwrite and self._connection.size(self._path) is not None:
            raise _taken(self._path, self._manner)
        self._connection.place(self._goal, self._path, self._manner.overwrite)
        self._made = False

    def discard(self) -> None:
        """Throw away what was written, as far as the server still answers."""
        made, self._made = self._made, False
        if not made:
            return
        with suppress(LogsqlError):
            if self._before is not None:
                self._connection.cut(self._path, self._before)
            else:
                self._connection.remove(self._goal)
