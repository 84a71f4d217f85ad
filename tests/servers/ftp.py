"""A server of FTP, with TLS (``ftps``, by the command AUTH) and without."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from tests.servers.pki import Authority

USER = "ftper"
PASSWORD = "planted-ftp-5b9e13"


@dataclass
class FtpServer:
    """A server on loopback; ``home`` is the root that the user sees, and may change. ``secure`` demands TLS for
    commands and data. ``commands`` holds what the client sent, but the password."""

    home: Path
    authority: Authority
    secure: bool
    port: int = 0
    host: str = "127.0.0.1"
    #: TLS from the first byte on (RFC 4217, appendix; port 990), and no AUTH.
    implicit: bool = False
    commands: list[str] = field(default_factory=list)
    _server: FTPServer | None = None
    _thread: threading.Thread | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    user = USER
    password = PASSWORD

    @property
    def url(self) -> str:
        return f"{'ftps' if self.secure else 'ftp'}://{USER}@localhost:{self.port}"

    def put(self, name: str, data: bytes) -> Path:
        """Make a file that the user sees as ``/name``."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def start(self) -> FtpServer:
        """Listen on a free port."""
        logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())
        logging.getLogger("pyftpdlib").propagate = False
        self.home.mkdir(parents=True, exist_ok=True)
        users = DummyAuthorizer()
        users.add_user(USER, PASSWORD, str(self.home), perm="elradfmwMT")
        handler = type("Handler", (TLS_FTPHandler if self.secure else FTPHandler,), self._settings(users))
        self._server = FTPServer((self.host, self.port), handler, ioloop=IOLoop())
        self.port = self._server.address[1]
        self._thread = threading.Thread(target=self._run, name="test ftp", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End it and its sessions."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(20)

    def _settings(self, users: DummyAuthorizer) -> dict[str, object]:
        commands, base = self.commands, TLS_FTPHandler if self.secure else FTPHandler

        def pre_process_command(handler: FTPHandler, line: str, cmd: str, arg: str) -> None:
            commands.append("PASS" if cmd == "PASS" else line)
            base.pre_process_command(handler, line, cmd, arg)

        found: dict[str, object] = {
            "auth_failed_timeout": 0,
            "authorizer": users,
            "pre_process_command": pre_process_command,
            "use_sendfile": False,
        }
        if self.implicit:
            found |= {"handle": _at_once, "handle_ssl_established": TLS_FTPHandler.handle, "ftp_AUTH": _no_auth}
        if self.secure:
            pair = self.authority.right
            found |= {"certfile": str(pair.cert), "keyfile": str(pair.key)}
            found |= {"tls_control_required": True, "tls_data_required": True}
        return found

    def _run(self) -> None:
        assert self._server is not None
        while not self._ended.is_set():
            self._server.serve_forever(timeout=0.1, blocking=False, handle_exit=False)
        self._server.close_all()


def _at_once(handler: TLS_FTPHandler) -> None:
    handler.secure_connection(handler.ssl_context)


def _no_auth(handler: TLS_FTPHandler, line: str) -> None:
    handler.respond("550 not here")
