"""The configuration of ``logsql serve`` as its parts read it: frozen, checked, with defaults. Pure data, no reading.

Times are seconds, sizes bytes. The keys, their kinds and meanings: ``logsql/configuration/serving.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from logsql.configuration.secrets import Secret
from logsql.configuration.settings import Configuration


@dataclass(frozen=True)
class Server:
    """``[server]``. ``sync``: seconds between two fsyncs of the journal, 0 for every batch, None for never.
    ``timezone`` None: the machine's."""

    state_dir: str
    database: str = "live.duckdb"
    timezone: str | None = None
    status: str = ""
    status_token: Secret | None = None
    batch_time: float = 0.02
    batch_rows: int = 20_000
    sync: float | None = 1.0
    journal_max: int = 2_000_000_000
    shutdown: float = 30.0
    threads: int = 2
    memory_limit: str = "1GB"
    log: str = "text"
    max_contexts: int = 1_000_000


@dataclass(frozen=True)
class FileAccess:
    """``[files]``: what receivers and queries may read, and where sinks may write beside the state folder."""

    allow: tuple[str, ...] = ()
    allow_write: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tls:
    """``tls`` of a receiver."""

    cert: str
    key: str
    client_ca: str | None = None
    client_auth: str = "none"
    allow_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Multiline:
    """``multiline`` of a file receiver: the record ends before a line that ``start`` finds, or after ``flush``."""

    start: str
    flush: float = 2.0


@dataclass(frozen=True)
class Receiver:
    """``[[receiver]]``. ``listen``: ``udp://``, ``tcp://``, ``tls://`` with address and port."""

    name: str
    kind: str
    listen: tuple[str, ...] = ()
    framing: str = "auto"
    max_frame: int = 64_000
    oversize: str = "cut"
    frame_timeout: float = 60.0
    idle_timeout: float = 600.0
    handshake_timeout: float = 10.0
    max_connections: int = 1000
    max_connections_per_address: int = 200
    allow_from: tuple[str, ...] = ()
    receive_buffer: int = 8_000_000
    encoding: str = "utf-8"
    timezone: str | None = None
    parse: str = "auto"
    tls: Tls | None = None
    path: tuple[str, ...] = ()
    start: str = "end"
    multiline: Multiline | None = None
    rotate_wait: float = 10.0


@dataclass(frozen=True)
class Stream:
    """``[[stream]]``. ``sources``: names of receivers and streams, ``table:NAME``, ``context:TOPIC``, ``server:log``.

    ``query``: its text, which a ``file`` may have held (``origin``). ``every`` None: no windows.
    """

    name: str
    sources: tuple[str, ...]
    query: str = ""
    origin: str | None = None
    every: float | None = None
    clock: str = "arrival"
    lateness: float = 5.0
    to: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    on_error: str = "skip"
    independent: bool = False
    refresh: float | None = None

    @property
    def place(self) -> str:
        """What an error in the query points at: the file that held it, else the stream."""
        return self.origin or f"stream {self.name}"


@dataclass(frozen=True)
class Sink:
    """``[[sink]]``: of every kind, then of each kind. ``retry``: first and longest wait. ``retention`` None: for ever.

    ``rotate_size`` 0 and ``rotate_time`` 0: never.
    """

    name: str
    kind: str
    spool_max: int = 1_000_000_000
    when_full: str = "block"
    retry: tuple[float, float] = (1.0, 300.0)
    table: str | None = None
    retention: float | None = None
    path: str | None = None
    rotate_size: int = 0
    rotate_time: float = 86_400.0
    fields: tuple[str, ...] = ()
    target: str | None = None
    framing: str = "octet"
    format: str = "json"
    pri: int | None = 134
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    certificate_name: str | None = None
    url: str | None = None
    batch_rows: int = 500
    headers: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True)
class Dead:
    """``[dead]``: rows that no sink took or that failed."""

    path: str = "dead.jsonl"
    size: int = 100_000_000


@dataclass(frozen=True)
class Live:
    """The whole of it. ``reach``: ``[network]`` and ``[profiles]``; ``files_read``: the files it was read from."""

    server: Server
    reach: Configuration = field(default_factory=Configuration)
    files: FileAccess = field(default_factory=FileAccess)
    receivers: tuple[Receiver, ...] = ()
    streams: tuple[Stream, ...] = ()
    sinks: tuple[Sink, ...] = ()
    dead: Dead = field(default_factory=Dead)
    files_read: tuple[str, ...] = ()
