"""A network of its own has loopback, the addresses that were asked for, and nothing else; servers run in it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import pytest

from tests.servers.clients import curl
from tests.servers.directory import BASE, PASSWORD, READER, Directory
from tests.servers.lonely import inside, run_lonely
from tests.servers.loop import LoopThread
from tests.servers.pki import Authority
from tests.servers.replies import text
from tests.servers.test_directory import ldapsearch
from tests.servers.web import WebServer

METADATA, PRIVATE = "169.254.169.254", "10.9.8.7"
ULA = "fd00::7"

pytestmark = pytest.mark.posix("network namespaces")


def devices() -> list[str]:
    return sorted(name for _, name in socket.if_nameindex())


@pytest.mark.lonely
def test_there_is_loopback_and_no_way_out() -> None:
    assert inside()
    assert devices() == ["lo"]
    with socket.socket() as connection, pytest.raises(OSError) as refused:
        connection.connect(("192.0.2.1", 80))
    assert refused.value.errno == errno.ENETUNREACH


@pytest.mark.lonely
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_servers_run_inside(tls: Authority, web: Callable[[str], WebServer], name: str) -> None:
    assert devices() == ["lo"]
    server = web("right")
    server.on("/a", text("inside"))
    assert curl(server.url("/a", name), ca=tls.ca_file).text == "inside"


@pytest.mark.lonely
def test_programs_run_inside(directory: Directory) -> None:
    assert devices() == ["lo"]
    assert ldapsearch(directory.url, "-s", "base", "-b", BASE, user=READER, password=PASSWORD).code == 0


@pytest.mark.lonely(METADATA, PRIVATE, ULA)
@pytest.mark.parametrize("address", [METADATA, PRIVATE, ULA])
def test_addresses_can_be_listened_on(loop_thread: LoopThread, address: str) -> None:
    server = WebServer(loop_thread, host=address).start()
    server.on("/latest/meta-data", text("secret"))
    assert curl(server.url("/latest/meta-data", f"[{address}]" if ":" in address else address)).text == "secret"
    assert len(server.log) == 1
    server.stop()


def test_outside_stays_outside() -> None:
    assert not inside() or devices() == ["lo"]
    done = run_lonely(["cat", "/proc/net/dev"])
    assert [line.split(":")[0].strip() for line in done.stdout.decode().splitlines()[2:]] == ["lo"]
