"""The configuration of a server: every key of the specification, what is refused and where, files put together."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from logsql.configuration.checking import ConfigurationError
from logsql.configuration.declaring import ArrayOf, Key, ListOf, MapOf, Scalar, Section
from logsql.configuration.keys import sections
from logsql.configuration.secrets import Secret
from logsql.configuration.settings import Host
from logsql.diagnostics.errors import LogsqlError, UsageError
from logsql.diagnostics.messages import LANGUAGE
from logsql.engine.session import Session
from logsql.streams.configuring import live, state_dir_of
from logsql.streams.servekeys import ROOT
from logsql.streams.settings import (
    Dead,
    FileAccess,
    Live,
    Multiline,
    Receiver,
    Server,
    Sink,
    Stream,
    Tls,
)
from tests.house.test_both_languages import fault

MINIMUM = '[server]\nstate_dir = "state"\n'


def read(folder: Path, text: str, *sets: str, **others: str) -> Live:
    """The settings of ``serve.toml`` with this text; ``others``: further files, by name without the ending."""
    for name, content in others.items():
        path = folder / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
    path = folder / "serve.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return live(path, sets)


def wrong(folder: Path, text: str, *sets: str, **others: str) -> list[str]:
    """What is wrong, without the folder's name."""
    with pytest.raises(ConfigurationError) as caught:
        read(folder, text, *sets, **others)
    return [problem.message.replace(f"{folder}/", "") for problem in caught.value.problems]


def test_a_server_needs_a_state_folder_and_nothing_else(tmp_path: Path) -> None:
    found = read(tmp_path, MINIMUM)
    state = str(tmp_path / "state")
    assert found.server == Server(state, f"{state}/live.duckdb")
    assert (found.receivers, found.streams, found.sinks) == ((), (), ())
    assert (found.dead, found.files) == (Dead(f"{state}/dead.jsonl"), FileAccess())
    assert found.files_read == (str(tmp_path / "serve.toml"),)
    assert wrong(tmp_path, "[server]\n") == ["serve.toml:1: server lacks state_dir"]
    assert wrong(tmp_path, "") == ["serve.toml: server lacks state_dir"]


#: Section 1 of the specification, with a value other than the default wherever there is one.
EVERYTHING = """
[server]
state_dir = "/var/lib/logsql"
database = "/elsewhere/live.duckdb"
timezone = "Asia/Seoul"
status = "[::1]:8514"
status_token = "env:TOKEN"
batch_time = "5ms"
batch_rows = 7
sync = "always"
journal_max = "3GB"
shutdown = "1m"
threads = 3
memory_limit = "2GB"
log = "json"
max_contexts = 9
[network]
allow = ["10.0.0.0/8"]
[network.hosts."a.example"]
parallel = 2
[profiles.AD]
kind = "ldap"
url = "ldaps://dc1.example.com"
[files]
allow = ["/var/log"]
allow_write = ["out"]
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["udp://0.0.0.0:5514", "tcp://127.0.0.1:5514", "tls://[::]:6514"]
framing = "octet"
max_frame = "1MB"
oversize = "drop"
frame_timeout = "61s"
idle_timeout = "0"
handshake_timeout = "11s"
max_connections = 5
max_connections_per_address = 4
allow_from = ["192.0.2.0/24"]
receive_buffer = "1MB"
encoding = "cp949"
timezone = "UTC"
parse = "rfc5424"
tls = { cert = "cert.pem", key = "key.pem", client_ca = "ca.pem", client_auth = "require", allow_names = ["CN=a"] }
[[receiver]]
name = "weblog"
kind = "file"
path = ["/var/log/nginx/*.log", "own.log"]
from = "start"
multiline = { start = '^\\d{4}-', flush = "3s" }
rotate_wait = "20s"
[[receiver]]
name = "in"
kind = "stdin"
[[stream]]
name = "fds"
from = ["edge", "table:T", "context:login", "server:log"]
query = 'search _score > 0.6'
every = "10s"
clock = "_time"
lateness = "6s"
to = ["alerts", "siem"]
params = { limit = "5" }
enabled = false
on_error = "stop"
async = true
refresh = "10m"
[[sink]]
name = "alerts"
kind = "table"
table = "other"
retention = "30d"
spool_max = "2GB"
when_full = "drop"
retry = "2s..1h"
[[sink]]
name = "archive"
kind = "file"
path = "/out/edge-{now:yyyyMMdd}.jsonl.zst"
rotate_size = "5MB"
rotate_time = "0"
fields = ["a", "b"]
[[sink]]
name = "siem"
kind = "syslog"
target = "tls://siem.example:6514"
framing = "lf"
format = "txt"
pri = "keep"
ca_file = "ca.pem"
client_cert = "c.pem"
client_key = "k.pem"
certificate_name = "siem"
[[sink]]
name = "hook"
kind = "webhook"
url = "https://hook.example/in"
batch_rows = 3
headers = { Authorization = "env:HOOK" }
[dead]
path = "/x/dead.jsonl"
size = "1MB"
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, EVERYTHING)
    own = str(tmp_path)
    assert found.server == Server(
        "/var/lib/logsql", "/elsewhere/live.duckdb", "Asia/Seoul", "[::1]:8514", Secret("env:TOKEN"), 0.005, 7, 0.0,
        3_000_000_000, 60.0, 3, "2GB", "json", 9,
    )  # fmt: skip
    assert (found.reach.network.allow, found.reach.network.hosts) == (("10.0.0.0/8",), {"a.example": Host(parallel=2)})
    assert found.reach.profiles["AD"].urls == ("ldaps://dc1.example.com",)
    assert found.files == FileAccess(("/var/log",), (f"{own}/out",))
    tls = Tls(f"{own}/cert.pem", f"{own}/key.pem", f"{own}/ca.pem", "require", ("CN=a",))
    listen = ("udp://0.0.0.0:5514", "tcp://127.0.0.1:5514", "tls://[::]:6514")
    assert found.receivers == (
        Receiver("edge", "syslog", listen, "octet", 1_000_000, "drop", 61.0, 0.0, 11.0, 5, 4, ("192.0.2.0/24",),
                 1_000_000, "cp949", "UTC", "rfc5424", tls),
        Receiver("weblog", "file", path=("/var/log/nginx/*.log", f"{own}/own.log"), start="start",
                 multiline=Multiline(r"^\d{4}-", 3.0), rotate_wait=20.0),
        Receiver("in", "stdin"),
    )  # fmt: skip
    sources = ("edge", "table:T", "context:login", "server:log")
    assert found.streams == (
        Stream("fds", sources, "search _score > 0.6", None, 10.0, "_time", 6.0, ("alerts", "siem"), {"limit": "5"},
               False, "stop", True, 600.0),
    )  # fmt: skip
    assert found.sinks == (
        Sink("alerts", "table", 2_000_000_000, "drop", (2.0, 3600.0), "other", 30 * 86400.0),
        Sink("archive", "file", path="/out/edge-{now:yyyyMMdd}.jsonl.zst", rotate_size=5_000_000, rotate_time=0.0,
             fields=("a", "b")),
        Sink("siem", "syslog", target="tls://siem.example:6514", framing="lf", format="txt", pri=None,
             ca_file=f"{own}/ca.pem", client_cert=f"{own}/c.pem", client_key=f"{own}/k.pem", certificate_name="siem"),
        Sink("hook", "webhook", url="https://hook.example/in", batch_rows=3,
             headers={"authorization": Secret("env:HOOK")} if "authorization" in found.sinks[3].headers
             else {"Authorization": Secret("env:HOOK")}),
    )  # fmt: skip
    assert found.dead == Dead("/x/dead.jsonl", 1_000_000)


def test_everything_above_names_every_key() -> None:
    """A key that is added to the table is to be added to EVERYTHING, too."""
    document = tomllib.loads(EVERYTHING)

    def missing(section: Section, tables: Sequence[Mapping[str, object]]) -> list[str]:
        out = []
        for key in section.keys:
            values = [table[key.name] for table in tables if key.name in table]
            if not values:
                out.append(f"{section.title}.{key.name}")
            elif section.title.partition(".")[0] in ("server", "files", "receiver", "stream", "sink", "dead", ""):
                kind = key.kind
                if isinstance(kind, ArrayOf):
                    out += missing(kind.section, [entry for value in values for entry in value])  # type: ignore[attr-defined]
                elif not isinstance(kind, Scalar | ListOf | MapOf) and key.name not in ("network", "profiles"):
                    out += missing(kind.section, values)  # type: ignore[arg-type]
        return out

    assert missing(ROOT, [document]) == [".include", "stream.file"]


OWN = [section for section in sections(ROOT) if not section.title.startswith(("network", "profiles"))]
KEYS = [pytest.param(s, k, id=f"{s.title}.{k.name}({','.join(k.of)})") for s in OWN for k in s.keys]


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_a_default_is_that_of_the_settings(section: Section, key: Key) -> None:
    assert isinstance(section.make, type)
    field = next(f for f in dataclasses.fields(section.make) if f.name == (key.sets or key.name))
    assert fault(key.meaning) is None
    assert fault(section.meaning) is None
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        assert key.needed
    elif isinstance(key.kind, Scalar):
        assert field.default == (None if key.default is None else key.kind.read(key.default, "/folder"))
    elif isinstance(key.kind, ListOf):
        assert (field.default, key.default or []) == ((), [])
    else:
        assert (field.default if field.default is not dataclasses.MISSING else {}) in (None, {})


def test_every_setting_has_a_key() -> None:
    for made in (Server, FileAccess, Tls, Multiline, Receiver, Stream, Sink, Dead):
        keys = {key.sets or key.name for section in OWN if section.make is made for key in section.keys}
        assert {field.name for field in dataclasses.fields(made)} == keys


EDGE = '[[receiver]]\nname = "edge"\nkind = "syslog"\nlisten = "tcp://127.0.0.1:0"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (EDGE + 'framming = "lf"', "serve.toml:7: there is no key receiver[0].framming"),
        (EDGE + 'path = "/x"', "serve.toml:7: receiver[0].path: kind syslog has no such key"),
        ('[[receiver]]\nname = "a"\nkind = "sislog"', "serve.toml:5: receiver[0].kind: there is no kind 'sislog'"),
        ('[[receiver]]\nname = "a"\nkind = "syslog"', "serve.toml:3: receiver[0] lacks listen"),
        ('[[receiver]]\nkind = "stdin"', "serve.toml:3: receiver[0] lacks name"),
        ('[[receiver]]\nname = "a/b"\nkind = "stdin"',
         "serve.toml:4: receiver[0].name takes letters, digits, \"_\" and \"-\", not 'a/b'"),
        (EDGE + "max_connections = 0",
         "serve.toml:7: receiver[0].max_connections takes a whole number from 1 to 1000000, not 0"),
        (EDGE + 'max_connections = "5"',
         "serve.toml:7: receiver[0].max_connections takes a whole number from 1 to 1000000, not text"),
        (EDGE.replace("tcp", "http"), "serve.toml:6: receiver[0].listen takes an address to listen on"),
        (EDGE.replace("127.0.0.1", "host.example"), "serve.toml:6: receiver[0].listen takes an address to listen on"),
        (EDGE.replace(":0", ":70000"), "serve.toml:6: receiver[0].listen takes an address to listen on"),
        (EDGE + 'encoding = "cp9490"', "serve.toml:7: receiver[0].encoding takes an encoding"),
        (EDGE + 'encoding = "base64"', "serve.toml:7: receiver[0].encoding takes an encoding"),
        (EDGE + 'timezone = "Seoul"', "serve.toml:7: receiver[0].timezone takes a time zone"),
        (EDGE + 'allow_from = ["10.0.0.1/8"]', "serve.toml:7: receiver[0].allow_from[0] takes a network"),
        (EDGE.replace("tcp", "tls"), "serve.toml:6: receiver[0].listen: tls:// needs a certificate"),
        (EDGE + 'tls = { cert = "a" }', "serve.toml:7: receiver[0].tls lacks key"),
        (EDGE + 'tls = { cert = "a", key = "b", client_auth = "require" }',
         "serve.toml:7: receiver[0].tls.client_auth: certificates of clients are checked against client_ca"),
        (EDGE + 'tls = { cert = "a", key = "b", allow_names = ["x"] }',
         "serve.toml:7: receiver[0].tls.allow_names: names are looked at only"),
        (EDGE + EDGE, "serve.toml:8: receiver[1].name: edge is the name of the entry in serve.toml:4, too"),
        (EDGE + '[[sink]]\nname = "edge"\nkind = "table"',
         "serve.toml:8: sink[0].name: edge is the name of the entry in serve.toml:4, too"),
        (EDGE.replace(":0", ":5") + EDGE.replace("edge", "b").replace(":0", ":5"),
         "serve.toml:10: receiver[1].listen[0]: the receiver edge listens on this address, too"),
        ('[[receiver]]\nname = "a"\nkind = "stdin"\n[[receiver]]\nname = "b"\nkind = "stdin"',
         "serve.toml:8: receiver[1].kind: only one receiver reads standard input"),
        ('[[receiver]]\nname = "a"\nkind = "file"\npath = "x"\nmultiline = { start = "(" }',
         "serve.toml:7: receiver[0].multiline.start takes a regular expression"),
        ('[[stream]]\nname = "s"\nfrom = []', "serve.toml:3: stream[0] lacks from"),
        ('[[stream]]\nname = "s"\nfrom = ["nowhere"]',
         "serve.toml:5: stream[0].from[0]: there is no receiver or stream nowhere"),
        (EDGE + '[[stream]]\nname = "s"\nfrom = "edge"\nto = ["x", "edge"]',
         "serve.toml:10: stream[0].to[0]: there is no sink x"),
        ('[[stream]]\nname = "s"\nfrom = ["s"]', "serve.toml:5: stream[0].from: streams in a circle: s → s"),
        ('[[stream]]\nname = "a"\nfrom = "c"\n[[stream]]\nname = "b"\nfrom = "a"\n[[stream]]\nname = "c"\nfrom = "b"',
         "serve.toml:5: stream[0].from: streams in a circle: b → c → a → b"),
        ('[[stream]]\nname = "a"\nfrom = "server:log"\nclock = "_time"',
         "serve.toml:6: stream[0].clock: without every there are no windows"),
        ('[[stream]]\nname = "a"\nfrom = "server:log"\nquery = "x"\nfile = "y"',
         "serve.toml:7: stream[0].file: the query stands in query already"),
        ('[[stream]]\nname = "a"\nfrom = "server:log"\nfile = "no.lq"',
         "serve.toml:6: stream[0].file: no.lq cannot be read: No such file or directory"),
        ('[[stream]]\nname = "a"\nfrom = "server:log"\nasync = "yes"',
         "serve.toml:6: stream[0].async takes true or false, not text"),
        ('[[sink]]\nname = "a"\nkind = "file"\npath = "x.csv"', "serve.toml:6: sink[0].path takes a path that ends in"),
        ('[[sink]]\nname = "a"\nkind = "file"\npath = "x.jsonl"\n[[sink]]\nname = "b"\nkind = "file"\npath = "x.jsonl"',
         "serve.toml:10: sink[1].path: the sink a writes the same file"),
        ('[[sink]]\nname = "a"\nkind = "syslog"\ntarget = "tls://host"', "serve.toml:6: sink[0].target takes"),
        ('[[sink]]\nname = "a"\nkind = "syslog"\ntarget = "udp://h:1"\npri = 192',
         'serve.toml:7: sink[0].pri takes a whole number from 0 to 191, or "keep", not 192'),
        ('[[sink]]\nname = "a"\nkind = "syslog"\ntarget = "udp://h:1"\nclient_key = "k"',
         "serve.toml:7: sink[0].client_key: a certificate and its key go together"),
        ('[[sink]]\nname = "a"\nkind = "webhook"\nurl = "https://kim:secret@h/"', "serve.toml:6: sink[0].url: a URL "),
        ('[[sink]]\nname = "a"\nkind = "table"\nretry = "5m..1s"', "serve.toml:6: sink[0].retry takes first and"),
        ('[[sink]]\nname = "a"\nkind = "table"\nretention = "30 days"', "serve.toml:6: sink[0].retention takes a span"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert wrong(tmp_path, MINIMUM + text)[0].startswith(said)
    token = LANGUAGE.set("ko")
    try:
        (korean, *_) = wrong(tmp_path, MINIMUM + text)
    finally:
        LANGUAGE.reset(token)
    assert korean.startswith(said.partition(" ")[0])
    assert any("가" <= letter <= "힣" for letter in korean)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('status = "0.0.0.0:8514"', "serve.toml:3: server.status: others can reach this address"),
        ('status = "8514"', "serve.toml:3: server.status takes ADDRESS:PORT"),
        ('sync = "sometimes"', 'serve.toml:3: server.sync takes "always", "never" or a span'),
        ('batch_time = "20"', "serve.toml:3: server.batch_time takes a span of time"),
        ('memory_limit = "much"', "serve.toml:3: server.memory_limit takes a size"),
        ("threads = true", "serve.toml:3: server.threads takes a whole number from 1 to 1024, not true or false"),
    ],
)
def test_what_is_wrong_of_the_server(tmp_path: Path, line: str, said: str) -> None:
    assert wrong(tmp_path, MINIMUM + line)[0].startswith(said)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    said = wrong(tmp_path, MINIMUM + 'sync = "x"\n[[stream]]\nname = "s"\nfrom = ["edge"]\nnope = 1\n')
    assert [one.partition(" ")[0] for one in said] == ["serve.toml:3:", "serve.toml:6:", "serve.toml:7:"]


def test_files_are_put_together(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "q.lq").write_text("search a == 1\n", encoding="utf-8")
    more = '[[stream]]\nname = "s"\nfrom = "edge"\nfile = "q.lq"\n[network]\nallow = ["127.0.0.1"]\n'
    sinks = '[[sink]]\nname = "t"\nkind = "table"\n[[sink]]\nname = "hook"\nkind = "file"\npath = "o.jsonl"\n'
    text = 'include = ["conf.d/*.toml"]\n' + MINIMUM + EDGE
    found = read(tmp_path, text, **{"conf.d/a": more, "conf.d/b": sinks})
    assert [receiver.name for receiver in found.receivers] == ["edge"]
    assert (found.streams[0].query, found.streams[0].origin) == ("search a == 1\n", str(tmp_path / "conf.d" / "q.lq"))
    assert [sink.name for sink in found.sinks] == ["t", "hook"]
    assert found.sinks[1].path == str(tmp_path / "conf.d" / "o.jsonl"), "it begins at the folder of its own file"
    assert found.reach.network.allow == ("127.0.0.1",)
    assert len(found.files_read) == 3
    assert wrong(tmp_path, text, **{"conf.d/a": more + "nope = 1", "conf.d/b": sinks + "nope = 1"}) == [
        "conf.d/a.toml:7: there is no key network.nope",
        "conf.d/b.toml:8: there is no key sink[1].nope",
    ]
    assert wrong(tmp_path, text, **{"conf.d/a": '[server]\nthreads = 1\nstate_dir = "b"', "conf.d/b": ""}) == [
        "serve.toml:3: server.state_dir stands in conf.d/a.toml:3 too"
    ]
    assert wrong(tmp_path, text, **{"conf.d/a": 'include = "x"', "conf.d/b": ""})[0].startswith(
        "conf.d/a.toml:1: include: a file that is included includes no others"
    )
    with pytest.raises(UsageError, match=r"there is no configuration .*gone\.toml"):
        read(tmp_path, 'include = "gone.toml"\n' + MINIMUM)


def test_the_state_folder_is_found_in_a_file_that_is_wrong(tmp_path: Path) -> None:
    """Who asks a running server names its file, which may be half written by then."""
    path = tmp_path / "serve.toml"
    path.write_text(MINIMUM + 'theards = 2\n[[stream]]\nname = "a"\n', encoding="utf-8")
    assert state_dir_of(str(path)) == str(tmp_path / "state")
    path.write_text("[server]\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="state_dir"):
        state_dir_of(str(path))


def test_words_of_the_command_line_come_last(tmp_path: Path) -> None:
    text = MINIMUM + EDGE + '[[sink]]\nname = "siem"\nkind = "syslog"\ntarget = "udp://h:1"\n'
    text += '[[stream]]\nname = "s"\nfrom = "edge"\n'
    found = read(
        tmp_path, text, "server.batch_time=5ms", "server.threads=7", "receiver.edge.max_connections=3",
        "receiver.edge.listen=tcp://127.0.0.1:1,udp://127.0.0.1:2", "sink.siem.pri=13", "stream.s.enabled=false",
        "stream.s.params.limit=5", 'network.hosts."a.example".parallel=4', "stream.s.to=[]", "server.state_dir=/x",
        "receiver.edge.tls.cert=c", "receiver.edge.tls.key=k", "network.allow=10.0.0.0/8,127.0.0.1:80",
    )  # fmt: skip
    assert (found.server.batch_time, found.server.threads) == (0.005, 7)
    assert (found.server.state_dir, found.server.database) == ("/x", "/x/live.duckdb")
    edge, stream = found.receivers[0], found.streams[0]
    assert (edge.max_connections, edge.listen) == (3, ("tcp://127.0.0.1:1", "udp://127.0.0.1:2"))
    assert edge.tls == Tls(str(Path.cwd() / "c"), str(Path.cwd() / "k"))
    assert (found.sinks[0].pri, stream.enabled, stream.params, stream.to) == (13, False, {"limit": "5"}, ())
    assert (found.reach.network.allow, found.reach.network.hosts["a.example"].parallel) == (
        ("10.0.0.0/8", "127.0.0.1:80"),
        4,
    )


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("server.batch_time", "--set takes KEY=VALUE, not 'server.batch_time'"),
        ("=5", "--set takes KEY=VALUE, not '=5'"),
        ("a b=5", "--set takes KEY=VALUE, not 'a b=5'"),
        ("sink.nowhere.pri=5", "--set sink.nowhere.pri: there is no sink of this name"),
        ("server.batch_time=soon", "--set: server.batch_time takes a span of time"),
        ("server.bath_time=5ms", "--set: there is no key server.bath_time"),
        ("receiver.edge.nope=5ms", "--set: there is no key receiver[0].nope"),
    ],
)
def test_words_of_the_command_line_that_are_wrong(tmp_path: Path, word: str, said: str) -> None:
    with pytest.raises(LogsqlError) as caught:
        read(tmp_path, MINIMUM + EDGE, word)
    assert caught.value.diagnostic.message.startswith(said)
    assert caught.value.exit_code == 2


@pytest.mark.posix("permissions of files")
def test_a_literal_secret_is_its_owners_alone(tmp_path: Path) -> None:
    text = (
        MINIMUM
        + '[[sink]]\nname = "h"\nkind = "webhook"\nurl = "https://h/"\nheaders = { Authorization = "hunter2" }\n'
    )
    assert next(iter(read(tmp_path, text).sinks[0].headers.values())).value() == "hunter2"
    (tmp_path / "serve.toml").chmod(0o644)
    with pytest.raises(ConfigurationError) as caught:
        live(tmp_path / "serve.toml")
    assert "hunter2" not in str(caught.value)
    assert caught.value.code == "E2047"


def test_a_session_takes_what_was_read(tmp_path: Path) -> None:
    found = read(tmp_path, MINIMUM + '[network]\nallow = ["127.0.0.1:1"]\n')
    with Session(configuration=found.reach) as session:
        assert session.service("configuration") is found.reach  # type: ignore[arg-type]
        with session.sibling() as other:
            assert other.service("configuration") is found.reach  # type: ignore[arg-type]
