"""Files over SSH by paramiko. The server shows the key that the profile names before anything of ours is said."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import logging
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TypeVar

import paramiko
from paramiko.ssh_exception import AuthenticationException, IncompatiblePeer, SSHException

from logsql.configuration.settings import Profile
from logsql.connectors.access import Access
from logsql.connectors.failures import no_answer, word_for
from logsql.connectors.loops import never
from logsql.connectors.profiles import Place, check_place, password_of, place_of
from logsql.connectors.remotepaths import checked, failed, folders_of
from logsql.connectors.threads import Worker
from logsql.planner.connections.remotefiles import Entry
from logsql.store.files import Files

#: Its log tells of tracebacks on stderr where nobody has set up a log, and names users.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False

T = TypeVar("T")
_PORTS = {"sftp": 22}
#: Entries of a listing that go on together, bytes of a file, and requests that are under way for them: with few of them
#: the library sleeps between two (27 MB in 7.7 s with 32, in 0.7 s with 128).
_ENTRIES, _BLOCK, _AHEAD = 2048, 256 << 10, 128
#: Bytes that are asked for ahead at a time. The library keeps a list of all the pieces: 5 GB of it for a file that says
#: it has a terabyte, which a sparse one has for nothing.
_WINDOW = 128 << 20
#: Kinds of host keys, one of which the server shows of its own accord.
_KINDS = (("ssh-ed25519",), ("ecdsa-sha2-",), ("rsa-sha2-512", "rsa-sha2-256"))


class Login:
    """See :class:`logsql.planner.connections.remotefiles.RemoteFiles`."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def check(self, profile: Profile) -> None:
        """Raise PolicyError (safe mode), or SourceError for a URL that is no server's."""
        check_place(place_of(profile, _PORTS), self._access)

    def connect(self, profile: Profile, names: str, cancelled: Callable[[], bool]) -> Session:
        """A login. Names of files are UTF-8."""
        self.check(profile)
        return Session(place_of(profile, _PORTS), profile, cancelled)

    def test(self, profile: Profile) -> str:
        """Log in; the server that answered. Raises SourceError with the word for what went wrong."""
        self.connect(profile, "utf-8", never).close()
        return place_of(profile, _PORTS).told


class Session:
    """See :class:`logsql.planner.connections.remotefiles.Connection`."""

    def __init__(self, place: Place, profile: Profile, cancelled: Callable[[], bool]) -> None:
        self._place = place
        self._cancelled = cancelled
        self._transport: paramiko.Transport | None = None
        self._worker = Worker("sftp", self._hang_up)
        try:
            self._files = self._worker.result(lambda: self._opened(profile), cancelled)
        except BaseException:
            self.close()
            raise

    def _opened(self, profile: Profile) -> paramiko.SFTPClient:
        try:
            transport = self._shaken(profile)
            self._identify(transport, profile)
            files = paramiko.SFTPClient.from_transport(transport)
        except AuthenticationException:
            raise no_answer(self._place.told, "bad-credentials") from None
        except (SSHException, OSError, EOFError) as problem:
            raise no_answer(self._place.told, word_for(problem)) from None
        if files is None:
            raise no_answer(self._place.told, "protocol-error")
        channel = files.get_channel()
        if channel is not None:
            channel.settimeout(profile.timeout)
        return files

    def _shaken(self, profile: Profile) -> paramiko.Transport:
        """A connection to the server that has the right key; it is asked for its other keys, too."""
        wanted = (profile.host_key or "").rstrip("=")
        for kinds in (None, *_KINDS):
            transport = paramiko.Transport(
                socket.create_connection((self._place.host, self._place.port), profile.timeout)
            )
            self._transport = transport
            transport.banner_timeout = transport.auth_timeout = profile.timeout
            options = transport.get_security_options()
            if kinds is not None:
                options.key_types = [one for one in options.key_types if one.startswith(kinds)]
            try:
                transport.start_client(timeout=profile.timeout)
            except IncompatiblePeer:  # it has no key of this kind
                transport.close()
                continue
            shown = hashlib.sha256(transport.get_remote_server_key().asbytes()).digest()
            if f"SHA256:{base64.b64encode(shown).decode().rstrip('=')}" == wanted:
                return transport
            transport.close()
        raise no_answer(self._place.told, "host-key-mismatch")

    def _identify(self, transport: paramiko.Transport, profile: Profile) -> None:
        """Log in with the key file, else with the password, which else opens the key file."""
        password, user = password_of(profile), self._place.user or ""
        if profile.key_file is None:
            transport.auth_password(user, password or "")
            return
        transport.auth_publickey(user, self._key(profile.key_file, password))

    def _key(self, path: str, password: str | None) -> paramiko.PKey:
        """The private key in a file that the configuration names, as it does secrets."""
        try:
            text = Files().read_as_text(path)
        except (OSError, ValueError):
            raise no_answer(self._place.told, "bad-key-file") from None
        for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            with suppress(SSHException, ValueError):
                return kind.from_private_key(io.StringIO(text), password)
        raise no_answer(self._place.told, "bad-key-file")

    # --- what a connection does ---------------------------------------------------------------------

    def entries(self, path: str) -> Iterator[list[Entry]]:
        """What is in a folder; of a file the file itself."""
        checked(self._place, path)
        found = self._call(path, lambda: self._files.stat(path))
        if not stat.S_ISDIR(found.st_mode or 0):
            own = self._call(path, lambda: self._files.lstat(path))
            yield [_entry(path.rsplit("/", 1)[-1], own)]
            return
        listing = self._call(path, lambda: self._files.listdir_iter(path))
        while some := self._call(path, lambda: list(islice(listing, _ENTRIES))):
            yield [_entry(one.filename, one) for one in some]

    def content(self, path: str) -> Bytes:
        """A file to read."""
        checked(self._place, path)

        def opened() -> _Ahead:
            found = self._files.stat(path)
            if stat.S_ISDIR(found.st_mode or 0):
                raise IsADirectoryError
            return _Ahead(_quiet(self._files.open(path, "rb")), found.st_size or 0)

        file = self._call(path, opened)
        told = f"{self._place.told}{path if path.startswith('/') else '/' + path}"
        return Bytes(told, lambda: self._call(path, file.block))

    def size(self, path: str) -> int | None:
        """Bytes of a file; None where there is none."""
        checked(self._place, path)

        def asked() -> int | None:
            try:
                return self._files.lstat(path).st_size or 0
            except FileNotFoundError:
                return None

        return self._call(path, asked)

    def last_byte(self, path: str, size: int) -> bytes:
        """The last byte of a file."""

        def read() -> bytes:
            with self._files.open(path, "rb") as file:
                file.seek(size - 1)
                return bytes(file.read(1))

        return self._call(path, read)

    def make_folders(self, path: str) -> None:
        """Make the folders that are missing."""
        for folder in folders_of(checked(self._place, path)):
            if self.size(folder) is None:

                def made(folder: str = folder) -> None:
                    self._files.mkdir(folder)

                self._call(folder, made)

    def append(self, path: str, data: bytes, told: str) -> None:
        """Add bytes."""
        checked(self._place, path)

        def added() -> None:
            with self._files.open(path, "ab") as file:
                file.set_pipelined(True)
                file.write(data)

        self._call(told, added)

    def place(self, temporary: str, path: str, replace: bool) -> None:
        """Give a file its name. The protocol's own renaming refuses a name that is taken."""

        def placed() -> None:
            if not replace:
                self._files.rename(temporary, path)
                return
            try:
                self._files.posix_rename(temporary, path)
            except OSError:
                self._files.remove(path)
                self._files.rename(temporary, path)

        try:
            self._call(path, placed)
        except Exception:
            if not replace and self.size(path) is not None:
                raise failed(self._place, path, "file-exists") from None
            raise

    def cut(self, path: str, size: int) -> None:
        """Make a file as short as it was."""
        self._call(path, lambda: self._files.truncate(path, size))

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._call(path, lambda: self._files.remove(path))

    def close(self) -> None:
        """End the session."""
        self._hang_up()
        self._worker.close()

    def _hang_up(self) -> None:
        if self._transport is not None:
            with suppress(Exception):
                self._transport.close()

    def _call(self, path: str, call: Callable[[], T]) -> T:
        try:
            return self._worker.result(call, self._cancelled)
        except (FileNotFoundError, PermissionError, IsADirectoryError) as problem:
            raise failed(self._place, path, _WORDS[type(problem)]) from None
        except UnicodeDecodeError:
            raise failed(self._place, path, "decode-failed") from None
        except (SSHException, EOFError, TimeoutError, ConnectionError) as problem:
            lost = isinstance(problem, SSHException)
            raise failed(self._place, path, "truncated" if lost else word_for(problem)) from None
        except OSError as problem:
            gone = str(problem) in ("Socket is closed", "Garbage packet received")
            raise failed(self._place, path, "truncated" if gone else "server-refused") from None


_WORDS: dict[type[BaseException], str] = {
    FileNotFoundError: "no-such-file",
    PermissionError: "permission-denied",
    IsADirectoryError: "is-a-folder",
}


class _Ahead:
    """A file that is asked for ahead of its reader, a window at a time."""

    def __init__(self, file: paramiko.SFTPFile, size: int) -> None:
        self._file = file
        self._size = size
        self._asked = 0

    def block(self) -> bytes:
        """The next block; nothing at the end."""
        if self._asked <= self._file.tell() and self._asked < self._size:
            self._asked = min(self._size, self._file.tell() + _WINDOW)
            self._file.prefetch(self._asked, _AHEAD)
        return bytes(self._file.read(_BLOCK))


class Bytes:
    """The bytes of a file, a block at a time."""

    def __init__(self, name: str, block: Callable[[], bytes], close: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self._block = block
        self._close = close

    def read(self, size: int = -1) -> bytes:
        """The next block, whatever its size; nothing at the end."""
        return self._block()

    def close(self) -> None:
        """Let go of the file."""
        self._close()


def _quiet(file: paramiko.SFTPFile) -> paramiko.SFTPFile:
    """The file; what the thread that asks ahead meets when the server is gone is met by the reader, too, and told."""
    ahead: Callable[..., None] | None = getattr(file, "_prefetch_thread", None)

    def quiet(*args: object) -> None:
        if ahead is not None:
            with suppress(Exception):
                ahead(*args)

    if ahead is not None:
        file._prefetch_thread = quiet
    return file


def _entry(name: str, found: paramiko.SFTPAttributes) -> Entry:
    mode = found.st_mode or 0
    modified = None if found.st_mtime is None else dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
    return Entry(
        name,
        stat.S_ISDIR(mode),
        found.st_size,
        modified,
        stat.S_ISLNK(mode),
        found.st_uid,
        found.st_gid,
        stat.filemode(mode) if found.st_mode is not None else None,
    )
