"""Receivers of syslog: rsyslogd itself, and a socket that behaves as badly as a test says."""

from __future__ import annotations

import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.pki import Authority

RSYSLOGD = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"


@dataclass
class Connection:
    """One connection as a receiver saw it: its bytes, and how it ended."""

    sock: socket.socket
    data: bytearray = field(default_factory=bytearray)
    ended: str = ""


@dataclass
class Receiver:
    """Listens on a port of its own. ``behave(connection, number)`` is called with each connection, in its thread; by
    default it reads to the end. ``port`` stays when it is closed and opened again."""

    behave: Callable[[Connection, int], None] | None = None
    context: ssl.SSLContext | None = None
    port: int = 0
    connections: list[Connection] = field(default_factory=list)
    _server: socket.socket | None = None
    _threads: list[threading.Thread] = field(default_factory=list)

    def open(self) -> Receiver:
        """Listen."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]
        thread = threading.Thread(target=self._accept, args=(self._server,), daemon=True)
        thread.start()
        self._threads.append(thread)
        return self

    def close(self) -> None:
        """Listen no more; connections stay."""
        if self._server is not None:
            with suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
        self._server = None

    def all(self, wait: float = 5.0) -> bytes:
        """What all connections brought, when they have ended."""
        until = time.monotonic() + wait
        while time.monotonic() < until and not (self.connections and all(c.ended for c in self.connections)):
            time.sleep(0.01)
        return b"".join(connection.data for connection in self.connections)

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                sock, _ = server.accept()
            except OSError:
                return
            connection = Connection(sock)
            self.connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, len(self.connections) - 1), daemon=True)
            thread.start()

    def _serve(self, connection: Connection, number: int) -> None:
        try:
            if self.context is not None:
                connection.sock = self.context.wrap_socket(connection.sock, server_side=True)
            (self.behave or read_on)(connection, number)
        except OSError as problem:
            connection.ended = type(problem).__name__
        finally:
            connection.ended = connection.ended or "end"
            connection.sock.close()


def read_on(connection: Connection, number: int = 0) -> None:
    """Read to the end."""
    while data := connection.sock.recv(65_536):
        connection.data += data


def read_some(connection: Connection, most: int) -> None:
    """Read so many bytes."""
    while len(connection.data) < most and (data := connection.sock.recv(min(65_536, most - len(connection.data)))):
        connection.data += data


def reset(connection: Connection) -> None:
    """Die: the peer gets a reset, and what is in the buffer is gone."""
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sock.close()


class Rsyslog:
    """rsyslogd as an ordinary process: UDP, TCP and TLS on ports of its own, messages written one a line."""

    def __init__(self, folder: Path, tls: Authority) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.udp, self.tcp, self.tls = _free_ports(3)
        self.file = folder / "out.log"
        (folder / "rsyslog.conf").write_text(
            f"""
global(workDirectory="{folder}" maxMessageSize="256k"
  defaultNetstreamDriverCAFile="{tls.ca_file}" defaultNetstreamDriverCertFile="{tls.right.cert}"
  defaultNetstreamDriverKeyFile="{tls.right.key}"
  parser.escapeControlCharactersOnReceive="off" parser.dropTrailingLFOnReception="off")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="all") {{ action(type="omfile" file="{self.file}" template="raw" flushOnTXEnd="on") }}
input(type="imudp" address="127.0.0.1" port="{self.udp}" ruleset="all")
input(type="imptcp" address="127.0.0.1" port="{self.tcp}" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="{self.tls}" ruleset="all")
""",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Rsyslog:
        """Start, and wait until it listens."""
        pid = self.folder / "pid"
        pid.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [RSYSLOGD, "-n", "-f", str(self.folder / "rsyslog.conf"), "-i", str(pid)],
            stdout=(self.folder / "stdout").open("ab"),
            stderr=subprocess.STDOUT,
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with suppress(OSError):
                for port in (self.tcp, self.tls):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                return self
            time.sleep(0.02)
        raise AssertionError((self.folder / "stdout").read_text(encoding="utf-8"))

    def stop(self) -> None:
        """End in good order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def kill(self) -> None:
        """Die."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def lines(self, count: int, wait: float = 10.0) -> list[str]:
        """The messages, when so many have come."""
        until = time.monotonic() + wait
        found: list[str] = []
        while len(found) < count and time.monotonic() < until:
            time.sleep(0.02)
            found = self.file.read_text(encoding="utf-8").split("\n")[:-1] if self.file.exists() else []
        return found


def _free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in taken]
    for sock in taken:
        sock.close()
    return ports
