"""A PostgreSQL server of an ordinary user, with TLS and a password, whose tables the tests make."""

from __future__ import annotations

import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tests.servers.pki import Authority
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

USER = "app"
PASSWORD = "planted-postgres-93d0e6"
DATABASE = "emp"
_SETTINGS = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 50
shared_buffers = 32MB
log_statement = all
log_line_prefix = '%p '
timezone = 'UTC'
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
ssl_ca_file = 'ca.pem'
"""
_ACCESS = """
local   all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
host    all plain 127.0.0.1/32 scram-sha-256
"""


def binaries() -> Path:
    """Folder of the newest server that is installed; the programs of a server are not on the path of Debian."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return program("postgres", *([found[-1].parent] if found else [])).parent


@dataclass
class Postgres:
    """A server with the database ``emp``. ``USER`` owns it and logs in with ``PASSWORD``, over TLS only; ``plain`` is a
    user who may come without TLS. ``psql`` runs as the super-user, through the socket."""

    folder: Path
    authority: Authority
    port: int = 0
    child: Child | None = None

    user = USER
    password = PASSWORD
    database = DATABASE

    @property
    def url(self) -> str:
        """Without the password: ``postgresql://app@localhost:PORT/emp``."""
        return f"postgresql://{USER}@localhost:{self.port}/{DATABASE}"

    @property
    def superuser_url(self) -> str:
        """Through the socket, without a password."""
        return f"postgresql:///{DATABASE}?host={self.folder}&port={self.port}&user=postgres"

    @property
    def log(self) -> str:
        """Every statement that the server has run, with the number of its process."""
        return (self.folder / "log").read_text(errors="replace")

    def psql(self, sql: str, database: str = DATABASE) -> str:
        """Run SQL as the super-user; rows come without heads, fields parted by ``|``. An error fails the test."""
        args = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]
        place = ["-h", str(self.folder), "-p", str(self.port)]
        return call([program("psql"), *args, *place], stdin=sql.encode()).strip()

    def running(self) -> list[str]:
        """The statements that run now, but this question itself."""
        sql = "select query from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() "
        return self.psql(sql + "and backend_type = 'client backend'").splitlines()

    def connections(self) -> int:
        """How many clients are connected, but this question itself."""
        sql = "select count(*) from pg_stat_activity where pid <> pg_backend_pid() "
        return int(self.psql(sql + "and backend_type = 'client backend'"))

    def start(self, template: Path) -> Postgres:
        """Start with a copy of an empty cluster."""
        data = self.folder / "data"
        shutil.copytree(template, data)
        pair = self.authority.right
        for source, name in ((pair.cert, "server.pem"), (pair.key, "server.key"), (self.authority.ca_file, "ca.pem")):
            shutil.copyfile(source, data / name)
            (data / name).chmod(0o600)
        if is_root():
            call(["chown", "-R", f"{ORDINARY}:{ORDINARY}", data])
        self.child = started(self._start, self._ready)
        return self

    def restart(self) -> None:
        """Start it again where a test has killed it."""
        if self.child is None or not self.child.alive:
            (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
            self.child = started(self._start, self._ready)

    def forget(self) -> None:
        """Remove what tests have made, and end their connections."""
        self.psql(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename in ('app', 'plain');"
            # One transaction, which a server that is killed loses as a whole; one that was killed before may have none.
            "begin; drop schema if exists public cascade; create schema public authorization app; "
            "grant all on schema public to plain; commit;"
        )

    def kill(self) -> None:
        """End it at once: clients lose their connections in the middle of an answer."""
        assert self.child is not None
        self.child.stop(signal.SIGQUIT)

    def stop(self) -> None:
        """End it, and remove what it wrote."""
        if self.child is not None:
            self.child.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> Child:
        self.port = self.port or free_port()
        places = ["-D", str(self.folder / "data"), "-k", str(self.folder), "-p", str(self.port)]
        return start([binaries() / "postgres", *places], self.folder / "log", ordinary=True, ending="QUIT")

    def _ready(self) -> bool:
        """It listens before it lets anybody in."""
        ask = [program("pg_isready"), "-q", "-h", self.folder, "-p", str(self.port)]
        return answers(self.port) and subprocess.run(ask, check=False).returncode == 0


def make_template(folder: Path) -> Path:
    """A cluster with the user and the database, made by the worker that comes first (2 s)."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "data").exists():
            place = open_folder("initdb")
            _initialise(place / "data")
            shutil.move(place / "data", folder / "data")
            shutil.rmtree(place)
    return folder / "data"


def _initialise(data: Path) -> None:
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    call([binaries() / "initdb", "-D", data, *options], ordinary=True)
    (data / "pg_hba.conf").write_text(_ACCESS)
    users = "".join(f"create role {name} login password '{PASSWORD}';\n" for name in (USER, "plain"))
    script = f"{users}create database {DATABASE} owner {USER};\n"
    call([binaries() / "postgres", "--single", "-D", data, "postgres"], stdin=script.encode(), ordinary=True)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
