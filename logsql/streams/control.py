"""The control socket: what other processes of this user ask a running server.

One thread for each connection, one question on each. The answers are made by handlers that the server gives, by the
word of the question; a handler yields rows, or facts, and what it returns is said at the end.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BufferedRWPair
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.messages import message
from logsql.store import serverfolder
from logsql.streams import wire
from logsql.streams.wire import Facts

#: Connections at once; more are closed.
MOST = 64
#: Of these, how many may belong to askers that stay (who watch, or send rows as they come): the rest answers short
#: questions at any time. 64 forgotten ``stream tail`` would shut out ``stream ls`` and ``stream reload`` otherwise.
STAYING = 48
#: Seconds in which more of a question, or of rows that have begun to come, must have come.
PATIENCE = 10.0
#: What a handler yields: rows, or facts to say.
Said: TypeAlias = "pa.Table | Facts"


@dataclass
class Question:
    """One question. ``rows``: what the asker sends behind it. ``over``: whether it has gone, or the server ends."""

    facts: Facts
    rows: Iterator[pa.Table]
    over: Callable[[], bool]


Handler: TypeAlias = Callable[[Question], Iterator[Said]]


@dataclass
class Control:
    """The server's end of the socket."""

    place: Path
    handlers: Mapping[str, Handler]
    #: Verbs whose askers stay.
    staying: frozenset[str] = frozenset()
    _listening: socket.socket | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _open: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST))
    _stay: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(STAYING))

    def start(self) -> None:
        """Listen. A socket that a dead server left is replaced (its folder's lock is ours)."""
        with serverfolder.address(self.place) as path:
            serverfolder.free(path)
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            before = os.umask(0o177)
            try:
                made.bind(path)
            finally:
                os.umask(before)
        made.listen(16)
        self._listening = made
        threading.Thread(target=self._accept, args=(made,), name="logsql-control", daemon=True).start()

    def stop(self) -> None:
        """Answer nobody any more."""
        self._ended.set()
        if self._listening is not None:
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            with serverfolder.address(self.place) as path, suppress(OSError):
                serverfolder.free(path)

    def _accept(self, listening: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                peer, _ = listening.accept()
            except OSError:
                if self._ended.wait(0.1):
                    return
                continue
            if not self._open.acquire(blocking=False):
                peer.close()
                continue
            threading.Thread(target=self._serve, args=(peer,), name="logsql-asked", daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            with peer, peer.makefile("rwb") as stream:
                peer.settimeout(PATIENCE)
                self._answer(peer, cast("BinaryIO", stream))
        except (OSError, wire.NoPeer):
            return
        finally:
            self._open.release()

    def _answer(self, peer: socket.socket, stream: BinaryIO) -> None:
        asked = wire.hear(stream)
        if asked is None:
            return
        peer.settimeout(None)
        verb = str(asked.facts.get("verb"))
        handler = self.handlers.get(verb)
        if handler is None:
            wire.say(stream, "X", {"code": "", "message": f"no verb {asked.facts.get('verb')!r}"})
            return
        question = Question(asked.facts, _sent(peer, stream), lambda: self._ended.is_set() or _gone(peer))
        if verb not in self.staying:
            _tell(handler, question, stream)
        elif not self._stay.acquire(blocking=False):
            wire.say(stream, "X", {"code": "", "message": message("live-busy", count=STAYING)})
        else:
            try:
                _tell(handler, question, stream)
            finally:
                self._stay.release()


def _tell(handler: Handler, question: Question, stream: BinaryIO) -> None:
    """The answer to a question."""
    try:
        for said in handler(question):
            if isinstance(said, pa.Table):
                wire.say_rows(stream, said)
            else:
                wire.say(stream, "H", said)
        wire.say(stream, "E", {})
    except LogsqlError as problem:
        told = problem.diagnostic
        wire.say(
            stream, "X", {"code": told.code, "message": told.message, "help": told.help, "exit": problem.exit_code}
        )


def _sent(peer: socket.socket, stream: BinaryIO) -> Iterator[pa.Table]:
    """Rows that the asker sends, to its end. It may wait between them (they come as they happen), not inside."""
    while cast("BufferedRWPair", stream).peek(1):
        peer.settimeout(PATIENCE)
        frame = wire.hear(stream)
        peer.settimeout(None)
        if frame is None or frame.kind == "E":
            return
        if frame.rows is not None:
            yield frame.rows


def _gone(peer: socket.socket) -> bool:
    """Whether the asker has closed its end: it says nothing while rows go to it."""
    try:
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
