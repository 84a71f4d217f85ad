"""The configuration as it is read: where it is, what is right, and what each mistake says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import logsql
from logsql.configuration.checking import ConfigurationError
from logsql.configuration.reading import configuration
from logsql.configuration.secrets import Secret
from logsql.configuration.settings import Configuration, Network, Rate
from logsql.diagnostics.errors import UsageError
from logsql.planner.services import CONFIGURATION
from tests.cli.support import run

#: Section 1 of the interface, with one key a line where the page has several.
PAGE = """
[network]
allow = ["10.20.0.0/16", "intranet.example:8443", "127.0.0.1:9000"]
plain_http = ["10.20.1.5:8080"]
resolve = { "www.virustotal.com:443" = "127.0.0.1:8443" }
ca_file = "/etc/ssl/corp-ca.pem"
proxy = "env"
max_body = "64MB"
timeout = "30s"
redirects = 5
retries = 3
retry_wait = "60s"
parallel = 8
cache_dir = ""
cache_size = "256MB"

[network.hosts."www.virustotal.com"]
rate = "4/1m"
parallel = 2
quota_status = [204]
query = { apikey = "env:VT_KEY" }
headers = { "x-apikey" = "env:VT_KEY" }
cache = "1d"
ca_file = "ca.pem"
client_cert = "cert.pem"
client_key = "key.pem"

[profiles.AD]
kind = "ldap"
url = "ldaps://dc1.example.com"
tls = "required"
base = "DC=example,DC=com"
user = 'CORP\\reader'
password = "env:AD_PASSWORD"
ca_file = "ad-ca.pem"
certificate_name = "dc1.example.com"
page = 1000
timeout = "60s"
lists = ["description"]

[profiles.emp]
kind = "postgresql"
url = "postgresql://app@db.example/emp"
password = "file:/run/secrets/emp"
[profiles.lite]
kind = "sqlite"
path = "a.db"
[profiles.other]
kind = "mysql"
driver = "adbc_driver_mysql"
url = "mysql://db.example/x"
[profiles.mail]
kind = "smtp"
url = "smtps://mail.example"
user = "u"
from = "logs@mail.example"
[profiles.srv]
kind = "sftp"
url = "sftp://files.example"
user = "u"
key_file = "id_ed25519"
host_key = "SHA256:uNiVztksCsDhcc0u9e8BrrX1wUcQ2aVbOs0qvaTp7XI"
[profiles.old]
kind = "ftp"
url = "ftp://files.example"
"""


def written(folder: Path, text: str, name: str = "config.toml", mode: int = 0o600) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    if sys.platform != "win32":
        path.chmod(mode)
    return str(path)


def problems(path: str) -> list[tuple[str, str, str | None]]:
    with pytest.raises(ConfigurationError) as caught:
        configuration(path)
    assert caught.value.exit_code == 2
    return [(p.code, p.message.replace(path, "FILE"), p.help) for p in caught.value.problems]


def test_the_page_is_read(tmp_path: Path) -> None:
    found = configuration(written(tmp_path, PAGE))
    network, host = found.network, found.network.hosts["www.virustotal.com"]
    assert network.allow == ("10.20.0.0/16", "intranet.example:8443", "127.0.0.1:9000")
    assert network.resolve == {"www.virustotal.com:443": "127.0.0.1:8443"}
    assert (network.max_body, network.timeout, network.retry_wait) == (64_000_000, 30.0, 60.0)
    assert (host.rate, host.quota_status, host.cache) == (Rate(4, 60.0), (204,), 86400.0)
    assert host.query == {"apikey": Secret("env:VT_KEY")}
    assert host.ca_file == str(tmp_path / "ca.pem")
    assert network.ca_file == os.path.abspath("/etc/ssl/corp-ca.pem")
    ad, mail, srv = found.profiles["AD"], found.profiles["mail"], found.profiles["srv"]
    assert (ad.kind, ad.urls, ad.user, ad.page) == ("ldap", ("ldaps://dc1.example.com",), "CORP\\reader", 1000)
    assert (ad.ca_file, ad.lists) == (str(tmp_path / "ad-ca.pem"), ("description",))
    assert (mail.sender, srv.key_file) == ("logs@mail.example", str(tmp_path / "id_ed25519"))
    assert (found.profiles["lite"].path, found.profiles["other"].driver) == (
        str(tmp_path / "a.db"),
        "adbc_driver_mysql",
    )
    assert found.files == (str(tmp_path / "config.toml"),)
    assert "VT_KEY" in repr(found)


@pytest.mark.parametrize(
    ("written_as", "size"),
    [("64MB", 64_000_000), ("64 mb", 64_000_000), ("1KiB", 1024), ("1.5GB", 1_500_000_000), ("10B", 10)],
)
def test_sizes(written_as: str, size: int, tmp_path: Path) -> None:
    assert configuration(written(tmp_path, f'network.max_body = "{written_as}"')).network.max_body == size


@pytest.mark.parametrize(
    ("written_as", "seconds"), [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("2h", 7200), ("1d", 86400), ("1w", 604800)]
)
def test_spans(written_as: str, seconds: float, tmp_path: Path) -> None:
    assert configuration(written(tmp_path, f'network.timeout = "{written_as}"')).network.timeout == seconds


def test_profiles_beside_it_are_read_too(tmp_path: Path) -> None:
    path = written(tmp_path, '[profiles.a]\nkind = "sqlite"\npath = "a"\n[network]\nretries = 1')
    written(tmp_path, '[profiles.b]\nkind = "sqlite"\npath = "b"\n[network]\nredirects = 2', "profiles.toml")
    found = configuration(path)
    assert sorted(found.profiles) == ["a", "b"]
    assert (found.network.retries, found.network.redirects) == (1, 2)
    assert len(found.files) == 2


def test_one_profile_in_both_files_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, '\n[profiles.a]\nkind = "sqlite"\npath = "a"\n[network]\nretries = 1')
    second = written(tmp_path, '[profiles.a]\nkind = "sqlite"\npath = "b"\n[network]\nretries = 1', "profiles.toml")
    found = problems(path)
    assert [(code, message) for code, message, _ in found] == [
        ("E2046", f"FILE:2: profiles.a stands in {second}:1 too"),
        ("E2046", f"FILE:6: network.retries stands in {second}:5 too"),
    ]


LDAP = '[profiles.a]\nkind = "ldap"\nurl = "ldap://x"\n'
WRONG = [
    ("[network]\n\nalow = []", "E2040", "FILE:3: there is no key network.alow", "allow"),
    ("[netwrok]", "E2040", "FILE:1: there is no key netwrok", "network"),
    ('[network.hosts."a.ex"]\nratte = "4/1m"', "E2040", 'FILE:2: there is no key network.hosts."a.ex".ratte', "rate"),
    ('network.hosts = { "a.ex" = { quota_status = [\n"x"] } }', "E2042", 'FILE:2: network.hosts."a.ex".quota_', None),
    ('network.retries = "3"', "E2042", "FILE:1: network.retries takes a whole number from 0 to 100, not text", None),
    ("network.retries = true", "E2042", "not true or false", None),
    ("network.retries = 1.5", "E2042", "not a number", None),
    ("network.retries = nan", "E2042", "not a number", None),
    ("network.retries = -1", "E2043", "from 0 to 100, not -1", None),
    ("network.retries = 99999999999999999999999", "E2043", "not 99999999999999999999999", None),
    ("network.timeout = 30", "E2042", "takes a span of time", None),
    ("network.timeout = 1979-05-27", "E2042", "not a date or time", None),
    ('network.timeout = "30"', "E2043", "not '30'", None),
    ('network.timeout = "0s"', "E2043", "not '0s'", None),
    ('network.timeout = "-3s"', "E2043", "not '-3s'", None),
    ('network.timeout = "nans"', "E2043", "not 'nans'", None),
    ('network.timeout = "1e400s"', "E2043", "not '1e400s'", None),
    ('network.timeout = "999999999999d"', "E2043", "not '999999999999d'", None),
    ('network.timeout = "3parsecs"', "E2043", "not '3parsecs'", None),
    ('network.max_body = "64 megs"', "E2043", "takes a size", None),
    ('network.max_body = "0MB"', "E2043", "takes a size", None),
    ('network.max_body = "999999999999TB"', "E2043", "takes a size", None),
    ('network.proxy = "socks://x:1"', "E2043", "network.proxy takes", None),
    ('network.proxy = "http://u:hunter2@x:1"', "E2043", "holds no password", "HTTPS_PROXY"),
    ('network.proxy = "http://x:99999"', "E2043", "network.proxy takes", None),
    ("network.parallel = 0", "E2043", "from 1 to 1000, not 0", None),
    ('network.allow = "10.0.0.0/8"', "E2042", "takes a list, not text", None),
    ('network.allow = [\n"10.0.0.0/8",\n"10.0.0.1/8"]', "E2043", "FILE:3: network.allow[1] takes", None),
    ('network.allow = ["a.example:0"]', "E2043", "network.allow[0] takes", None),
    ('network.allow = ["a.example:65536"]', "E2043", "network.allow[0] takes", None),
    ('network.allow = ["127.1"]', "E2043", "not '127.1'", None),
    ('network.allow = ["0x7f.1"]', "E2043", "not '0x7f.1'", None),
    ('network.allow = ["2130706433"]', "E2043", "not '2130706433'", None),
    ('network.allow = ["0177.0.0.1"]', "E2043", "not '0177.0.0.1'", None),
    ('network.allow = ["https://a.example"]', "E2043", "network.allow[0] takes", None),
    ('network.allow = ["a b"]', "E2043", "network.allow[0] takes", None),
    ('network.allow = ["[::1"]', "E2043", "network.allow[0] takes", None),
    ('network.resolve = { "a.example" = "127.0.0.1:1" }', "E2043", 'network.resolve."a.example": the name', None),
    ('network.resolve = { "a.example:443" = "127.0.0.1" }', "E2043", "takes ADDRESS:PORT", None),
    ('network.hosts."http://x".parallel = 1', "E2043", "the name of such an entry", None),
    ('network.hosts.x.quota_status = [20]', "E2043", "network.hosts.x.quota_status[0]", None),
    ('network.hosts.x.rate = "0/1m"', "E2043", "not '0/1m'", None),
    ('network.hosts.x.rate = "4"', "E2043", "not '4'", None),
    ('network.hosts.x.rate = "4/0s"', "E2043", "not '4/0s'", None),
    ('network.hosts.x.headers = { "a:b" = "env:X" }', "E2043", "the name of a header", None),
    ('network.hosts.x.query.k = "env:"', "E2043", 'takes "env:NAME"', None),
    ('network.hosts.x.query.k = "keyring:x"', "E2043", 'takes "env:NAME"', None),
    ('network.hosts.x.query.k = 1', "E2042", "not a whole number", None),
    ('[profiles.a]\nkind = "ldpa"', "E2044", "FILE:2: profiles.a.kind: there is no kind 'ldpa'", "ldap"),
    ("[profiles.a]\nkind = 1", "E2042", "FILE:2: profiles.a.kind takes one of", None),
    ("[profiles.a]", "E2045", "FILE:1: profiles.a lacks kind", 'kind = "ldap"'),
    ('\n[profiles.a]\nkind = "ldap"', "E2045", "FILE:2: profiles.a lacks url", 'url = "ldaps://host.example"'),
    ('[profiles.a]\nkind = "sftp"\nurl = "sftp://x"', "E2045", "profiles.a lacks host_key", "SHA256"),
    ('[profiles.a]\nkind = "ldap"\nurl = "http://x"', "E2043", "FILE:3: profiles.a.url takes a URL", None),
    (LDAP.replace("://x", "://u:hunter2@x"), "E2043", "FILE:3: profiles.a.url: a URL with a password", "env:NAME"),
    ('profiles.a = { kind = "postgresql", url = "postgres://x/y?password=hunter2" }', "E2043", "a URL with a", None),
    ('[profiles.a]\nkind = "smtp"\nurl = "smtp://x"\nbase = "y"', "E2041", "FILE:4: profiles.a.base: kind", "from"),
    ('[network]\nresolve = { "127.0.0.2:443" = "127.0.0.1:1" }', "E2043", "FILE:2: network.resolve", None),
    ('[network]\nresolve = { "[::1]:443" = "127.0.0.1:1" }', "E2043", "NAME:PORT", None),
    *((f'[profiles.a]\nkind = "smtp"\nurl = "smtp://x"\nfrom = "{wrong}"', "E2043",
       "FILE:4: profiles.a.from takes an address", None)
      for wrong in ("me", "a@", "@b.example", "Me <a@b.example", "a@b@c.example", "a b@c.example", "a@1.2")),
    ('[profiles.a]\nkind = "sqlite"\npath = ""', "E2043", "FILE:3: profiles.a.path takes a path", None),
    ('profiles.a = 3', "E2042", "FILE:1: profiles.a takes a table, not a whole number", None),
    ('[[profiles]]', "E2042", "FILE:1: profiles takes a table, not a list", None),
    ('[profiles."a b"]\nkind = "sqlite"\npath = "x"', "E2043", 'profiles."a b": the name', None),
    (LDAP + 'tls = "none"\npassword = "env:P"', "E2043", "FILE:4: profiles.a.tls: without TLS", "starttls"),
    ('profiles.a = { kind = "smtp", url = ["smtp://x", "smtp://y"] }', "E2042", "profiles.a.url takes a URL", None),
    ('profiles.a = { kind = "ldap", url = 3 }', "E2042", "not a whole number", None),
    ('profiles.a = { kind = "ldap", url = [] }', "E2045", "profiles.a lacks url", None),
    ("a = 1\n= 2", "E2048", "FILE:2: this is no TOML", None),
    ('a = "x', "E2048", "FILE:1: this is no TOML", None),
    ("[a]\n[a]", "E2048", "FILE:2: this is no TOML", None),
    ("a = " + "[" * 5000, "E2048", "nested too deeply", None),
    ("a = " + "9" * 5000, "E2048", "this is no TOML: Invalid value", None),
    ("a = 2026-02-31", "E2048", "this is no TOML", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "said", "help"), WRONG)
def test_a_mistake_is_told_with_its_line(text: str, code: str, said: str, help: str | None, tmp_path: Path) -> None:
    [(found, message, hint)] = problems(written(tmp_path, text))
    assert (found, said in message) == (code, True), message
    assert help is None or help in (hint or "")
    assert "hunter2" not in f"{message} {hint}"


def test_all_mistakes_are_told_by_line(tmp_path: Path) -> None:
    text = '[profiles.a]\nkind = "ldap"\nurl = "x"\nbsae = "y"\n[network]\nretries = -1\ntimeout = 3\n'
    path = written(tmp_path, text)
    assert [message.split(":")[1] for _, message, _ in problems(path)] == ["3", "4", "6", "7"]
    with pytest.raises(ConfigurationError) as caught:
        configuration(path)
    assert len(caught.value.notes) == 3


def test_tls_none_is_for_this_machine(tmp_path: Path) -> None:
    here = '["ldap://127.0.0.1:1389", "ldap://localhost", "ldap://[::1]"]'
    text = LDAP.replace('"ldap://x"', here) + 'tls = "none"\npassword = "env:P"'
    assert configuration(written(tmp_path, text)).profiles["a"].tls == "none"


# --- files ------------------------------------------------------------------------------------------------------------


def refusal(path: str) -> str:
    with pytest.raises(UsageError) as caught:
        configuration(path)
    assert caught.value.exit_code == 2
    assert caught.value.code in ("E2048", "E2049")
    return caught.value.diagnostic.message


def test_a_file_that_is_none(tmp_path: Path) -> None:
    assert "there is no configuration" in refusal(str(tmp_path / "nothere.toml"))
    assert "cannot read" in refusal(str(tmp_path))
    (tmp_path / "latin.toml").write_bytes(b"a = 1\nb = '\xe4'\n")
    assert "latin.toml:2 is not UTF-8" in refusal(str(tmp_path / "latin.toml"))
    with open(tmp_path / "large.toml", "wb") as file:
        file.truncate(100_000_000)
    assert "larger than 1000000 bytes" in refusal(str(tmp_path / "large.toml"))


@pytest.mark.posix
def test_a_pipe_is_no_configuration(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    assert "cannot read" in refusal(str(tmp_path / "pipe.toml"))


@pytest.mark.posix
def test_a_literal_password_in_an_open_file_is_refused(tmp_path: Path) -> None:
    text = '[profiles.a]\nkind = "ldap"\nurl = "ldaps://x"\npassword = "hunter2"'
    for mode in (0o644, 0o640, 0o620, 0o604):
        path = written(tmp_path, text, mode=mode)
        [(code, message, help)] = problems(path)
        assert (code, message) == (
            "E2047",
            "FILE:4: profiles.a.password is a literal password, and others may read the file",
        )
        assert f"chmod 600 {path}" in (help or "")
    assert configuration(written(tmp_path, text, mode=0o600)).profiles["a"].password == Secret("hunter2")
    reference = text.replace("hunter2", "env:P")
    assert configuration(written(tmp_path, reference, mode=0o644)).profiles["a"].password == Secret("env:P")


@pytest.mark.posix
def test_a_literal_key_of_a_host_is_one_too(tmp_path: Path) -> None:
    path = written(tmp_path, 'network.hosts.x.query = { apikey = "hunter2" }', mode=0o644)
    assert [code for code, *_ in problems(path)] == ["E2047"]


@pytest.mark.posix
def test_only_the_file_that_holds_it_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "[network]", mode=0o644)
    written(tmp_path, '[profiles.a]\nkind = "ldap"\nurl = "ldaps://x"\npassword = "hunter2"', "profiles.toml")
    assert configuration(path).profiles["a"].password == Secret("hunter2")


# --- where it is ------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any configuration, in a folder of evidence that holds some."""
    evidence, folder = tmp_path / "evidence", tmp_path / "home"
    for place in (evidence, folder):
        place.mkdir()
    for name in ("config.toml", "profiles.toml", ".logsql", "logsql.toml"):
        (evidence / name).write_text("[network]\nretries = 77\n", encoding="utf-8")
    (evidence / "logsql").mkdir()
    (evidence / "logsql" / "config.toml").write_text("[network]\nretries = 78\n", encoding="utf-8")
    monkeypatch.chdir(evidence)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    for name in ("XDG_CONFIG_HOME", "APPDATA", "LOGSQL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_the_current_folder_is_never_looked_at(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert configuration(None) == Configuration(Network())
    for name in ("XDG_CONFIG_HOME", "APPDATA", "LOGSQL_CONFIG"):
        monkeypatch.setenv(name, "")
    assert configuration(None) == Configuration(Network())
    for relative in (".", "evidence/..", "../evidence"):
        monkeypatch.setenv("XDG_CONFIG_HOME", relative)
        monkeypatch.setenv("APPDATA", relative)
        assert configuration(None) == Configuration(Network())


def test_the_order_of_places(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    roaming = ("AppData", "Roaming", "logsql") if sys.platform == "win32" else (".config", "logsql")
    own = home.joinpath(*roaming)
    own.mkdir(parents=True)
    written(own, "[network]\nretries = 1")
    assert configuration(None).network.retries == 1
    other = tmp_path / "other"
    (other / "logsql").mkdir(parents=True)
    written(other / "logsql", "[network]\nretries = 2")
    monkeypatch.setenv("APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME", str(other))
    assert configuration(None).network.retries == 2
    monkeypatch.setenv("LOGSQL_CONFIG", written(tmp_path, "[network]\nretries = 3", "third.toml"))
    assert configuration(None).network.retries == 3
    with logsql.connect(config=Path(written(tmp_path, "[network]\nretries = 4", "fourth.toml"))) as session:
        found = session.workspace.services.get(CONFIGURATION)
    assert found is not None
    assert found.network.retries == 4


def test_a_named_file_must_be_there(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOGSQL_CONFIG", str(tmp_path / "nothere.toml"))
    with pytest.raises(UsageError, match="there is no configuration"):
        configuration(None)


def test_plain_queries_read_no_configuration(tmp_path: Path) -> None:
    """A file that is wrong in every way troubles nobody who needs none of it."""
    done = run("--config", written(tmp_path, "]["), "-q", 'json "{a: 1}"')
    assert (done.returncode, done.stdout) == (0, b'{"a":1}\n')
    modules = "('tomllib', 'keyring', 'logsql.configuration.reading', 'logsql.configuration.secrets')"
    code = f"""
import sys, logsql
logsql.connect().query('json "{{a: 1}}"').rows()
print([name for name in {modules} if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (said.returncode, said.stdout.strip()) == (0, "[]"), said.stderr
