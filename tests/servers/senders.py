"""Programs that send syslog: util-linux's logger, ncat, rsyslogd with its three ways to speak, syslog-ng.

Debian's syslog-ng and rsyslog exclude each other: ``.ci/run`` unpacks syslog-ng into a folder (:data:`SYSLOG_NG`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.pki import Authority
from tests.servers.processes import Child, program, start

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
SYSLOG_NG = Path(os.environ.get("LOGSQL_SYSLOG_NG") or _CACHE / "logsql-tests" / "syslog-ng")
#: The drivers of rsyslog's connections: none, OpenSSL, GnuTLS.
DRIVERS = ("plain", "ossl", "gtls")


def logger(port: int, *words: str) -> None:
    """``logger`` of util-linux: one message to 127.0.0.1."""
    subprocess.run([program("logger"), "-n", "127.0.0.1", "-P", str(port), *words], check=True, timeout=30)


def ncat(port: int, data: bytes) -> None:
    """``ncat --send-only``: these bytes on a connection of their own."""
    subprocess.run([program("ncat"), "--send-only", "127.0.0.1", str(port)], input=data, check=True, timeout=30)


@contextmanager
def rsyslog(folder: Path, text: str, port: int, framing: str, driver: str, tls: Authority) -> Iterator[Child]:
    """rsyslogd that reads a file of records with blank lines between them and sends each over TCP or TLS."""
    if driver != "plain" and not list(Path("/usr/lib").glob(f"*/rsyslog/lmnsd_{driver}.so")):
        pytest.skip(f"program not installed: rsyslog's driver {driver}")
    folder.mkdir()
    (folder / "in").write_text(text, encoding="utf-8")
    secure = f'StreamDriver="{driver}" StreamDriverMode="1" StreamDriverAuthMode="anon"' if driver != "plain" else ""
    (folder / "conf").write_text(
        f'''
global(workDirectory="{folder}" defaultNetstreamDriverCAFile="{tls.ca_file}")
module(load="imfile")
input(type="imfile" file="{folder}/in" tag="t:" readMode="2")
action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" TCP_Framing="{framing}"
  template="RSYSLOG_SyslogProtocol23Format" {secure})
''',
        encoding="utf-8",
    )
    child = start([program("rsyslogd"), "-n", "-f", folder / "conf", "-i", folder / "pid"], folder / "log")
    try:
        yield child
    finally:
        child.stop()


@contextmanager
def syslog_ng(folder: Path, lines: str, destinations: str) -> Iterator[Child]:
    """syslog-ng that reads lines of a file and sends each to the destinations (its drivers, as its files say them)."""
    here = SYSLOG_NG / "usr" / "sbin" / "syslog-ng"
    found = here if here.exists() else shutil.which("syslog-ng")
    if found is None:
        pytest.skip("program not installed: syslog-ng")
    folder.mkdir()
    (folder / "in").write_text(lines, encoding="utf-8")
    (folder / "conf").write_text(
        f'''@version: 3.38
options {{ keep-hostname(yes); stats-freq(0); flush-lines(1); time-reopen(1); }};
source s {{ file("{folder}/in" follow-freq(0.1)); }};
{destinations}
''',
        encoding="utf-8",
    )
    args: list[str | Path] = [found, "-F", "--no-caps", "-f", folder / "conf", "-R", folder / "persist"]
    args += ["-p", folder / "pid", "-c", folder / "ctl"]
    env: dict[str, str] = {}
    if found == here:
        libraries = SYSLOG_NG / "usr" / "lib"
        args.append(f"--module-path={next((libraries / 'syslog-ng').glob('[0-9]*'))}")
        paths = [libraries / "syslog-ng", *libraries.glob("*-linux-gnu*"), *(SYSLOG_NG / "lib").glob("*-linux-gnu*")]
        env["LD_LIBRARY_PATH"] = os.pathsep.join(map(str, paths))
    child = start(args, folder / "log", env)
    try:
        yield child
    finally:
        child.stop()
