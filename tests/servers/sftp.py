"""OpenSSH's server with a host key, a client's key and, where root starts it, a password.

Only root can check a password against ``/etc/shadow``. Root starts the server in a mount namespace whose
``/etc/passwd`` has one more line: the user, with the hash of the password. Anybody else starts it as oneself, with the
key alone.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import (
    ORDINARY,
    Child,
    answers,
    call,
    free_port,
    is_root,
    open_folder,
    program,
    start,
    started,
)

USER = "lqtest"
PASSWORD = "planted-sftp-2e77f0"
_ENTER = 'mount --bind "$1" /etc/passwd && mount -t tmpfs none /run && mkdir -m 755 /run/sshd && shift && exec "$@"'


@dataclass
class SftpServer:
    """A server on loopback. ``home`` is the folder in which a session begins (an absolute path is one of this
    machine). ``host_key`` is ``SHA256:...``, ``key_file`` the private key of the user, ``stranger_key`` one that
    may not log in; ``password`` is None where only the key works."""

    folder: Path
    port: int = 0
    user: str = USER
    password: str | None = PASSWORD
    child: Child | None = None

    @property
    def url(self) -> str:
        return f"sftp://{self.user}@localhost:{self.port}"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def key_file(self) -> Path:
        return self.folder / "client"

    @property
    def stranger_key(self) -> Path:
        return self.folder / "stranger"

    @property
    def host_key(self) -> str:
        """The fingerprint, as OpenSSH prints it."""
        return call([program("ssh-keygen"), "-l", "-f", self.folder / "host.pub"]).split()[1]

    @property
    def known_hosts(self) -> str:
        """The line of a file ``known_hosts``."""
        kind, key = (self.folder / "host.pub").read_text().split()[:2]
        return f"[localhost]:{self.port} {kind} {key}\n"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def put(self, name: str, data: bytes) -> Path:
        """Make a file in the home folder, which the user may change."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self._own()
        return path

    def clear(self) -> None:
        """Remove what is in the home folder."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        self._own()

    def start(self) -> SftpServer:
        """Make keys and listen."""
        program("sshd")
        for name in ("host", "client", "stranger"):
            call([program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self.folder / name])
        shutil.copyfile(self.folder / "client.pub", self.folder / "authorized")
        self.clear()
        self.child = started(self._start, lambda: answers(self.port))
        return self

    def restart(self) -> None:
        """Start it again where a test has killed it."""
        if self.child is None or not self.child.alive:
            self.child = started(self._start, lambda: answers(self.port))

    def kill(self) -> None:
        """End the server and its sessions at once."""
        assert self.child is not None
        sessions = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.child.process.pid)], capture_output=True)
        self.child.kill()
        for pid in sessions.stdout.split():
            os.kill(int(pid), signal.SIGKILL)

    def stop(self) -> None:
        """End it, and remove what it wrote."""
        if self.child is not None:
            self.child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _own(self) -> None:
        if is_root():
            call(["chown", "-R", f"{ORDINARY}:{ORDINARY}", self.home])

    def _start(self) -> Child:
        self.port = self.port or free_port()
        prefix = self._entered()
        self.password = PASSWORD if prefix else None
        if not prefix:
            self.user = "nobody" if is_root() else getpass.getuser()
            if is_root():
                call(["chown", "-R", f"{ORDINARY}:{ORDINARY}", self.folder])
        (self.folder / "config").write_text(self._configuration())
        args = ["-D", "-e", "-f", str(self.folder / "config")]
        return start([program("sshd"), *args], self.folder / "log", ordinary=not prefix, ending="TERM", prefix=prefix)

    def _configuration(self) -> str:
        return f"""
ListenAddress 127.0.0.1:{self.port}
HostKey {self.folder}/host
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication {"yes" if self.password else "no"}
KbdInteractiveAuthentication no
AuthorizedKeysFile {self.folder}/authorized
AllowUsers {self.user}
Subsystem sftp internal-sftp -d {self.home}
LogLevel VERBOSE
"""

    def _entered(self) -> list[str]:
        """The program that starts the server where its user and password are known; nothing where that cannot be."""
        if not is_root():
            return []
        hashed = call([program("openssl"), "passwd", "-6", "-stdin"], stdin=PASSWORD.encode()).strip()
        line = f"{USER}:{hashed}:{ORDINARY}:{ORDINARY}:test:{self.home}:/bin/sh\n"
        users = self.folder / "passwd"
        users.write_text(Path("/etc/passwd").read_text() + line)
        users.chmod(0o600)
        enter = [str(program("unshare")), "--mount", "--propagation", "private", "sh", "-c", _ENTER, "sh", str(users)]
        tried = subprocess.run([*enter, "true"], capture_output=True, check=False)
        return enter if tried.returncode == 0 else []


def sftp_server() -> SftpServer:
    """A started server."""
    return SftpServer(open_folder("sftp")).start()
