"""Every key with every odd value is told at its own line; a section is added by declaring it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from logsql.configuration.checking import Check, ConfigurationError, Document, Place
from logsql.configuration.declaring import ArrayOf, Key, ListOf, MapOf, Section, TableOf, Variant
from logsql.configuration.keys import KINDS, PROFILE, ROOT, sections
from logsql.configuration.kinds import PATH, SPAN, TEXT, choice
from logsql.configuration.locating import lines
from logsql.configuration.reading import configuration
from logsql.configuration.writing import value_text
from tests.cli.support import run

#: Values as TOML has them; each key takes few of them.
ODD = [
    '""', '" "', '"x"', '"x\\ny"', '"\\u0000"', '"\\u202e"', '"1s"', '"-1s"', '"1e9s"', '"٣s"', '"1MB"', '"nan"',
    '"inf"',     '"127.0.0.1"', '"[::1]:443"', '"a.example:0"', '"a.example:99999999999999999999"', '"//"', '"http://"',
    '"http://["',
    '"ldap://a b"', '"ldap://a:b"', '"ldap://u:hunter2@a"', '"ldaps://xn--a.example"', '"ldap://é.example"', '"env:"',
    '"env:A=B"', '"keyring:/"', '"file:"', '"SHA256:x"', "0", "-1", "1", "9223372036854775807", "1e400", "nan", "-inf",
    "true", "1979-05-27", "07:32:00", "[]", "[[]]", "[1]", '["x"]', "{}", "{x = 1}", '{"" = ""}', '{"a:1" = "b:2"}',
    "[{}]", '"' + "a." * 5000 + '"', '"' + "9" * 5000 + '"', "[" + '"x",' * 5000 + "]",
]  # fmt: skip
PLACES = [("[network]", key.name) for key in next(iter(sections())).keys]
PLACES += [('[network.hosts."a.example"]', key.name) for key in list(sections())[1].keys]
PLACES += [
    (f'[profiles.a]\nkind = "{kind}"', key.name) for kind in KINDS for key in PROFILE.of(kind) if key.name != "kind"
]
PLACES += [("[profiles.a]", "kind"), ("", "network"), ("", "profiles"), ("[network]", "nothing")]


@pytest.mark.parametrize(("head", "key"), PLACES, ids=lambda text: text.replace("\n", " "))
def test_every_odd_value_of_every_key_is_read_or_told(head: str, key: str, tmp_path: Path) -> None:
    """Nothing but settings or errors comes of it, every error is at a line of the file, no secret is told."""
    path = tmp_path / "config.toml"
    refused = 0
    for value in ODD:
        text = f"{head}\n\n{key} = {value}\n"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        try:
            tomllib.loads(text)
            configuration(path)
        except tomllib.TOMLDecodeError:
            continue
        except ConfigurationError as error:
            refused += 1
            told = [problem.message for problem in error.problems]
            assert [one for one in told if not one.startswith(f"{path}:")] == [], (value, told)
            assert {one.removeprefix(f"{path}:").split(":")[0] for one in told} <= {"1", "2", "3", "4"}
            assert "hunter2" not in "".join(told)
            assert max(map(len, told)) < 1000, "a value of thousands of letters is cut"
    assert refused > 20


# --- a section that is added ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Receiver:
    """A row of a section that the program does not have yet, as the interface of live operation describes it."""

    name: str
    kind: str
    framing: str = "auto"
    path: tuple[str, ...] = ()
    idle_timeout: float = 600.0
    tls: object = None
    params: object = None


@dataclass(frozen=True)
class Tls:
    cert: str | None = None


@dataclass(frozen=True)
class Live:
    network: object = None
    profiles: object = None
    receiver: tuple[Receiver, ...] = ()


def meaning(text: str) -> tuple[str, str]:
    return text, text


RECEIVER = Section(
    "receiver[]",
    meaning("receivers"),
    (
        Key("name", TEXT, meaning("name"), needed=True),
        Key("kind", choice("syslog", "file"), meaning("kind"), needed=True),
        Key("framing", choice("auto", "octet"), meaning("framing"), "auto", of=("syslog",)),
        Key("path", ListOf(PATH), meaning("path"), of=("file",), needed=True),
        Key("idle_timeout", SPAN, meaning("time"), "10m"),
        Key("tls", TableOf(Section("tls", meaning("tls"), (Key("cert", PATH, meaning("cert")),), Tls)), meaning("tls")),
        Key("params", MapOf(TEXT, TEXT), meaning("parameters")),
    ),
    Receiver,
    variants={"syslog": Variant(meaning("syslog"), ""), "file": Variant(meaning("file"), "")},
)
LIVE = Section("", meaning("all"), (*ROOT.keys, Key("receiver", ArrayOf(RECEIVER), meaning("receivers"))), Live)


def checked(text: str) -> tuple[object, list[str]]:
    places = {path: Place(0, line) for path, line in lines(text).items()}
    check = Check(Document(tomllib.loads(text), "/etc/logsql", ("FILE",), places))
    made = check.settings(LIVE)
    return made, [problem.message for _, _, problem in sorted(check.problems, key=lambda found: found[:2])]


def test_an_array_of_tables_is_read() -> None:
    text = """
[[receiver]]
name = "edge"
kind = "syslog"
tls = { cert = "cert.pem" }
params = { limit = "5" }
[[receiver]]
name = "weblog"
kind = "file"
path = ["/var/log/*.log"]
idle_timeout = "1m"
"""
    made, told = checked(text)
    assert told == []
    assert isinstance(made, Live)
    assert made.receiver == (
        Receiver("edge", "syslog", tls=Tls("/etc/logsql/cert.pem"), params={"limit": "5"}),
        Receiver("weblog", "file", path=("/var/log/*.log",), idle_timeout=60.0),
    )


def test_mistakes_in_it_have_its_number_and_their_line() -> None:
    text = """
[[receiver]]
name = "edge"
kind = "syslog"
framming = "auto"
[[receiver]]
name = "weblog"
kind = "file"
framing = "octet"
tls = { crt = "x",  cert = 3 }
[[receiver]]
kind = "syslgo"
"""
    assert checked(text)[1] == [
        "FILE:5: there is no key receiver[0].framming",
        "FILE:6: receiver[1] lacks path",
        "FILE:9: receiver[1].framing: kind file has no such key",
        "FILE:10: there is no key receiver[1].tls.crt",
        "FILE:10: receiver[1].tls.cert takes a path, not a whole number",
        "FILE:12: receiver[2].kind: there is no kind 'syslgo'",
    ]
    assert checked("receiver = 3")[1] == ["FILE:1: receiver takes a list, not a whole number"]
    assert checked("[receiver]\nname = 'x'")[1] == ["FILE:1: receiver takes a list, not a table"]


# --- a query that needs it --------------------------------------------------------------------------------------------


def test_a_query_that_needs_a_wrong_configuration_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[network]\nretries = {value_text('3')}\nalow = []\n", encoding="utf-8")
    done = run("--config", str(path), "-q", 'ldapsearch profile=AD filter="(cn=a)"')
    assert (done.returncode, done.stdout) == (2, b"")
    said = [line for line in done.stderr.decode().splitlines() if line.startswith(("error", "note", "help"))]
    assert said == [
        f"error[E2042 config-type]: {path}:2: network.retries takes a whole number from 0 to 100, not text",
        f"note: {path}:3: there is no key network.alow",
    ]
