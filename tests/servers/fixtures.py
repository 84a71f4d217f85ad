"""The servers that a test may ask for by name. Each starts when a test first asks for it, once for each worker, on a
free port of loopback, and stops with the run. What is named in the singular is fresh for each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.apart import WebApart
    from tests.servers.directory import Directory
    from tests.servers.domain import Controller
    from tests.servers.ftp import FtpServer
    from tests.servers.lonely import Ended
    from tests.servers.loop import LoopThread
    from tests.servers.mail import MailServer, Mode
    from tests.servers.names import NameServer
    from tests.servers.pki import Authority
    from tests.servers.postgres import Postgres
    from tests.servers.proxy import Proxy
    from tests.servers.relay import Relay
    from tests.servers.scripted_directory import ScriptedDirectory
    from tests.servers.sftp import SftpServer
    from tests.servers.virustotal import VirusTotal
    from tests.servers.web import WebServer


def _needs(package: str, extra: str) -> None:
    pytest.importorskip(package, reason=f"package not installed: {package} (extra {extra})")


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An own authority with right and wrong certificates."""
    _needs("cryptography", "crypto")
    from tests.servers.pki import make_authority

    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    """The event loop on which the servers of this folder run."""
    from tests.servers.loop import LoopThread

    thread = LoopThread()
    yield thread
    thread.stop()


# --- web ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def web_servers(tls: Authority, loop_thread: LoopThread) -> Iterator[Callable[[str], WebServer]]:
    """``web_servers("expired")``: the server of that kind (``web_server`` in web.py), started at the first call."""
    from tests.servers.web import web_server

    started: dict[str, WebServer] = {}

    def get(variant: str) -> WebServer:
        if variant not in started:
            started[variant] = web_server(loop_thread, tls, variant.partition("#")[0])
        return started[variant]

    yield get
    for server in started.values():
        server.stop()


@pytest.fixture
def web(web_servers: Callable[[str], WebServer]) -> Iterator[Callable[[str], WebServer]]:
    """``web("expired")``: the same for one test, without routes and requests; ``"right#2"`` is another server (another
    origin) with the certificate ``right``."""
    used: dict[str, WebServer] = {}

    def get(variant: str) -> WebServer:
        if variant not in used:
            used[variant] = web_servers(variant)
            used[variant].reset()
        return used[variant]

    yield get
    failures = [failure for server in used.values() for failure in server.failures]
    for server in used.values():
        server.reset()
    assert not failures, "a handler of the test server failed"


@pytest.fixture
def https_server(web: Callable[[str], WebServer]) -> WebServer:
    """A web server with the right certificate."""
    return web("right")


@pytest.fixture
def other_https_server(web: Callable[[str], WebServer]) -> WebServer:
    """Another one, on another port: another origin."""
    return web("right#2")


@pytest.fixture
def http_server(web: Callable[[str], WebServer]) -> WebServer:
    """A web server without TLS."""
    return web("plain")


@pytest.fixture
def virustotal(https_server: WebServer) -> VirusTotal:
    """VirusTotal's three reports on ``https_server``."""
    from tests.servers.virustotal import VirusTotal

    return VirusTotal(https_server).install()


@pytest.fixture(scope="session")
def web_apart() -> Iterator[Callable[[str], WebApart]]:
    """``web_apart("right")``, ``web_apart("plain")``: a web server in a process of its own (apart.py)."""
    _needs("cryptography", "crypto")
    from tests.servers.apart import start_apart

    running: dict[str, WebApart] = {}

    def get(variant: str) -> WebApart:
        if variant not in running:
            running[variant] = start_apart(variant)
        return running[variant]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture(scope="session")
def proxy_server(loop_thread: LoopThread) -> Iterator[Proxy]:
    """The proxy of this worker."""
    from tests.servers.proxy import Proxy

    started = Proxy(loop_thread).start()
    yield started
    started.stop()


@pytest.fixture
def proxy(proxy_server: Proxy) -> Proxy:
    """A proxy that counts, without what other tests set."""
    proxy_server.reset()
    return proxy_server


# --- directory ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def directories(tls: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Directory]]:
    """``directories("other_name")``: a directory server with that certificate, started at the first call."""
    from tests.servers.directory import Directory, fill
    from tests.servers.processes import shared_folder

    running: dict[str, Directory] = {}

    def get(certificate: str) -> Directory:
        if certificate not in running:
            filled = fill(shared_folder(tmp_path_factory) / "filled-directory", tls)
            running[certificate] = Directory(tmp_path_factory.mktemp("slapd"), tls, certificate).start(filled)
        running[certificate].restart()
        return running[certificate]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def directory(directories: Callable[[str], Directory]) -> Directory:
    """OpenLDAP with ten thousand entries and the right certificate; it runs again where a test has killed it."""
    return directories("right")


@pytest.fixture
def scripted_directory(loop_thread: LoopThread) -> Iterator[ScriptedDirectory]:
    """A directory server that answers searches as the test says (scripted_directory.py)."""
    from tests.servers.scripted_directory import ScriptedDirectory

    server = ScriptedDirectory(loop_thread).start()
    yield server
    server.stop()
    assert not server.failures, "the script of the test server failed"


@pytest.fixture
def relay(loop_thread: LoopThread) -> Iterator[Callable[..., Relay]]:
    """``relay(directory.port, cut_after=100_000, then=directory.kill)``: a port that leads to a server, until so many
    bytes of its answers have gone by (relay.py)."""
    from tests.servers.relay import Relay

    made: list[Relay] = []

    def make(
        target: int, cut_after: int | None = None, hang: bool = False, then: Callable[[], None] | None = None
    ) -> Relay:
        made.append(Relay(loop_thread, target, cut_after, hang, then).start())
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="session")
def samba(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Controller]:
    """Samba as a controller of an Active Directory; all workers share it, so that it is only read."""
    from tests.servers.domain import controller
    from tests.servers.processes import shared_folder

    shared = shared_folder(tmp_path_factory) / "samba"
    cache = getattr(request.config, "cache", None)
    found, lock = controller(shared, cache.mkdir("samba") if cache is not None else shared / "cached")
    yield found
    lock.close()


# --- database -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server(tls: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The PostgreSQL server of this worker."""
    from tests.servers.postgres import Postgres, make_template
    from tests.servers.processes import open_folder, shared_folder

    template = make_template(shared_folder(tmp_path_factory) / "empty-postgres")
    server = Postgres(open_folder("postgres"), tls).start(template)
    yield server
    server.stop()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Postgres:
    """PostgreSQL with an empty database; it runs again where a test has killed it, and forgets the tables of others."""
    postgres_server.restart()
    postgres_server.forget()
    return postgres_server


# --- mail, names, files ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def mail_servers(tls: Authority, loop_thread: LoopThread) -> Iterator[Callable[[Mode], MailServer]]:
    """``mail_servers("starttls")``: the mail server of that mode, started at the first call."""
    _needs("aiosmtpd", "dev")
    from tests.servers.mail import MailServer

    running: dict[Mode, MailServer] = {}

    def get(mode: Mode) -> MailServer:
        if mode not in running:
            running[mode] = MailServer(loop_thread, mode, tls.server_context()).start()
        return running[mode]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def mail(mail_servers: Callable[[Mode], MailServer]) -> Callable[[Mode], MailServer]:
    """``mail("starttls")``, ``mail("tls")``, ``mail("plain")``: the same, without what other tests sent."""
    used: dict[Mode, MailServer] = {}

    def get(mode: Mode) -> MailServer:
        if mode not in used:
            used[mode] = mail_servers(mode)
            used[mode].reset()
        return used[mode]

    return get


@pytest.fixture(scope="session")
def running_name_server(loop_thread: LoopThread) -> Iterator[NameServer]:
    """The name server of this worker."""
    _needs("dnslib", "dev")
    from tests.servers.names import NameServer

    server = NameServer(loop_thread).start()
    yield server
    server.stop()


@pytest.fixture
def name_server(running_name_server: NameServer) -> NameServer:
    """A name server that knows ``names.ZONE``."""
    running_name_server.reset()
    return running_name_server


@pytest.fixture(scope="session")
def running_sftp() -> Iterator[SftpServer]:
    """The server of OpenSSH of this worker."""
    from tests.servers.sftp import sftp_server

    server = sftp_server()
    yield server
    server.stop()


@pytest.fixture
def sftp(running_sftp: SftpServer) -> SftpServer:
    """OpenSSH's server with an empty home folder; it runs again where a test has killed it."""
    running_sftp.restart()
    running_sftp.clear()
    return running_sftp


@pytest.fixture
def ftp_servers(tls: Authority, tmp_path: Path) -> Iterator[Callable[[bool], FtpServer]]:
    """``ftp_servers(True)`` with TLS, ``ftp_servers(False)`` without: each with an empty folder."""
    _needs("pyftpdlib", "dev")
    _needs("OpenSSL", "dev")
    from tests.servers.ftp import FtpServer

    running: list[FtpServer] = []

    def get(secure: bool) -> FtpServer:
        running.append(FtpServer(tmp_path / f"ftp{len(running)}", tls, secure).start())
        return running[-1]

    yield get
    for server in running:
        server.stop()


@pytest.fixture
def ftps(ftp_servers: Callable[[bool], FtpServer]) -> FtpServer:
    """FTP with TLS."""
    return ftp_servers(True)


@pytest.fixture
def ftp(ftp_servers: Callable[[bool], FtpServer]) -> FtpServer:
    """FTP without TLS."""
    return ftp_servers(False)


# --- a network without anything else --------------------------------------------------------------------------------

#: How the lonely tests of a file ended, by the file and the addresses.
LONELY = pytest.StashKey[dict[tuple[str, tuple[str, ...]], dict[str, "Ended"]]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LONELY] = {}
    config.addinivalue_line("markers", "lonely(*addresses): runs where there is loopback only, with these addresses")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a lonely test asks for is made where it runs, not here."""
    lonely = [item for item in items if isinstance(item, pytest.Function) and item.get_closest_marker("lonely")]
    if lonely:
        from tests.servers.lonely import inside

        for item in lonely:
            item.fixturenames = item.fixturenames if inside() else []


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is marked ``lonely`` is run by a pytest inside, together with the others of its file."""
    marker = pyfuncitem.get_closest_marker("lonely")
    if marker is None:
        return None
    from tests.servers.lonely import inside, run_tests

    if inside():
        return None
    ended = pyfuncitem.config.stash[LONELY]
    key = (str(pyfuncitem.path), marker.args)
    if pyfuncitem.nodeid not in ended.get(key, {}):
        ended[key] = run_tests(_together(pyfuncitem, marker.args), marker.args)
    found = ended[key][pyfuncitem.nodeid]
    if found.outcome == "skipped":
        pytest.skip(found.text.removeprefix("Skipped: "))
    assert found.outcome == "passed", f"in a network of its own:\n{found.text}"
    return True


def _together(one: pytest.Function, addresses: tuple[str, ...]) -> list[pytest.Function]:
    """The lonely tests of the same file with the same addresses."""
    functions = [item for item in one.session.items if isinstance(item, pytest.Function) and item.path == one.path]
    marked = [(item, item.get_closest_marker("lonely")) for item in functions]
    return [item for item, marker in marked if marker is not None and marker.args == addresses]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if "LOGSQL_LONELY_TOLD" in os.environ:
        from tests.servers.lonely import tell

        tell(report)
