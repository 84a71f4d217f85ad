"""A Samba controller of an Active Directory: one for all workers of a run, as its ports are fixed (389, 636).

It is kept by a shell of its own (``_KEEPER``), which ends it when the last worker has let go of a lock that the kernel
takes from a killed one, too. Other runs on the machine wait for it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import IO

import pytest
from filelock import FileLock

from tests.servers.processes import answers, call, is_root, program

REALM = "lab.example.test"
BASE = "DC=lab,DC=example,DC=test"
STAFF = f"OU=Staff,{BASE}"
ADMIN = f"administrator@{REALM}"
PASSWORD = "Planted-4d-Passw0rd"
USERS, HOSTS, MEMBERS = 300, 20, 2000
GROUP = f"CN=Everyone of ours,{STAFF}"
"""A group with ``MEMBERS`` members. Samba sends all of them for ``member`` and a piece for ``member;range=0-1499``."""
PORTS = (389, 636)
PATIENCE = 300.0
"""Seconds within which another run lets go of the ports."""
DISTRIBUTION = "/usr/bin/python3"

# $1 machine's lock, $2 workers' lock, $3 word for "it is there", then the server. The workers' lock is held until the
# server has ended: a worker that comes meanwhile waits, and starts another one.
_KEEPER = """
exec 9>"$1"; flock -w 300 9 || exit 3
users=$2; ready=$3; shift 3
"$@" 9>&- & server=$!
trap 'kill $server' TERM
echo $$ > "$ready"
flock -x "$users" sh -c "kill $server; while kill -0 $server 2>/dev/null; do sleep 0.05; done; rm -f '$ready'"
"""


@dataclass(frozen=True)
class Controller:
    """A controller with 300 users, 20 computers and a group of 2,000. Only read from it: all workers share it. A simple
    bind without TLS is refused with strongerAuthRequired (8)."""

    folder: Path

    url = "ldap://127.0.0.1:389"
    tls_url = "ldaps://127.0.0.1:636"
    base = BASE
    user = ADMIN
    password = PASSWORD
    certificate_name = f"DC1.{REALM}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "private" / "tls" / "ca.pem"

    def ldbsearch(self, filter_: str, *attributes: str) -> list[dict[str, list[str]]]:
        """What Debian's own reader finds in the files of the database: entries with their values as text (GUID and SID
        as Windows writes them; what is no text in Base64)."""
        place = self.folder / "private" / "sam.ldb"
        told = call([program("ldbsearch"), "-H", str(place), "-b", BASE, filter_, *attributes])
        found = []
        for block in told.replace("\n ", "").split("\n\n"):
            entry: dict[str, list[str]] = {}
            for line in block.splitlines():
                name, colon, value = line.partition(":")
                if colon and not line.startswith("#"):
                    entry.setdefault(name, []).append(value.lstrip(": "))
            if "dn" in entry and "ref" not in entry:
                found.append(entry)
        return found


def controller(shared: Path, cached: Path) -> tuple[Controller, IO[bytes]]:
    """The controller of this run, and the file whose lock keeps it: close it to let go."""
    import fcntl

    for name in ("samba", "samba-tool", "ldbsearch", "flock"):
        program(name)
    if not is_root():
        pytest.skip("only root can run Samba's controller: its ports are fixed below 1024")
    shared.mkdir(parents=True, exist_ok=True)
    with FileLock(shared / "start.lock"):
        users = (shared / "users").open("ab")
        fcntl.flock(users, fcntl.LOCK_SH)
        ready = shared / "ready"
        if not (ready.exists() and _alive(int(ready.read_text() or 0))):
            _start(shared, _provisioned(cached), ready)
    return Controller(cached / "controller"), users


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, ValueError):
        return False
    return pid > 0


def _start(shared: Path, folder: Path, ready: Path) -> None:
    machine = Path(gettempdir()) / "lqt-samba-ports.lock"
    free = subprocess.run([program("flock"), "-n", machine, "true"], check=False).returncode == 0
    if free and any(map(answers, PORTS)):  # no other run has them
        pytest.skip("the port 389 or 636 is taken by another server: Samba's controller has no other ones")
    guard = [str(program("setpriv")), "--pdeathsig=TERM", "--"]
    server = [
        program("samba"),
        "-F",
        "--no-process-group",
        "-M",
        "single",
        "-d",
        "1",
        "-s",
        folder / "etc" / "smb.conf",
    ]
    options = ["server services=ldap", f"pid directory={folder}/run", f"ncalrpc dir={folder}/run/ncalrpc"]
    args = [*map(str, server), *(f"--option={option}" for option in (*options, "dns forwarder="))]
    ready.unlink(missing_ok=True)
    with (shared / "log").open("ab") as log:
        keeper = subprocess.Popen(
            ["sh", "-c", _KEEPER, "sh", str(machine), str(shared / "users"), str(ready), *guard, *args],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "HOME": str(folder / "home")},
        )  # fmt: skip
    end = time.monotonic() + PATIENCE + 60
    while not (ready.exists() and all(map(answers, PORTS))):
        if keeper.poll() == 3:
            pytest.skip("another run on this machine keeps the ports of Samba's controller")
        if keeper.poll() is not None or time.monotonic() > end:
            pytest.fail(f"Samba's controller does not answer:\n{(shared / 'log').read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)


def _provisioned(cached: Path) -> Path:
    """The filled domain, kept between runs while what makes it is the same (it takes half a minute)."""
    cached.mkdir(parents=True, exist_ok=True)
    script = Path(__file__).with_name("domain_fill.py")
    version = call([program("samba"), "--version"])
    made = hashlib.sha256(script.read_bytes() + Path(__file__).read_bytes() + version.encode()).hexdigest()
    mark, folder = cached / "made", cached / "controller"
    with FileLock(cached / "lock"):
        if mark.exists() and mark.read_text() == made:
            return folder
        mark.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("run", "log", "home"):
            (folder / name).mkdir(parents=True)
        options = ["interfaces=lo", "bind interfaces only=yes", f"log file={folder}/log/log.%m"]
        call(
            [
                "env", f"HOME={folder}/home", program("samba-tool"), "domain", "provision",
                f"--realm={REALM.upper()}", "--domain=LAB", "--server-role=dc", "--dns-backend=NONE",
                f"--adminpass={PASSWORD}", f"--targetdir={folder}", "--host-ip=127.0.0.1", "--host-name=dc1",
                *(f"--option={option}" for option in options),
            ]
        )  # fmt: skip
        call([DISTRIBUTION, "-I", script, folder / "etc" / "smb.conf", str(USERS), str(MEMBERS)])
        mark.write_text(made)
    return folder
