"""Every secret of every kind of profile, planted in each way that a secret may be held: no verb, error, ledger, note,
history or file tells it. The grid is that of the declarations: a new kind or secret has to have its line here.

Nothing listens where the profiles lead, so that every run fails, and says why; what servers say of a password that they
refuse is tried beside each command (``test_quiet``, ``test_db_secrets``, ``test_ldap_rooms``, ``test_http_rooms``).
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from logsql.cli import main
from logsql.configuration.declaring import Key, ListOf, MapOf, Scalar
from logsql.configuration.keys import KINDS, OTHER_DRIVER, PROFILE, sections
from logsql.configuration.kinds import SECRET
from tests.network.others_support import configured, profile
from tests.support import nightly

#: Kind of profile -> what it needs beside its secrets, and what is asked of it.
ASKED: dict[str, tuple[dict[str, object], str]] = {
    "ldap": ({"url": "ldaps://127.0.0.1:1", "user": "u", "base": "dc=x"}, 'ldapsearch profile=p filter="(cn=*)"'),
    "postgresql": ({"url": "postgresql://127.0.0.1:1/x", "user": "u"}, "dbquery p select 1 as v"),
    "sqlite": ({"path": "nowhere.db"}, "dbquery p select 1 as v"),
    OTHER_DRIVER: ({"driver": "adbc_driver_nowhere", "url": "x://127.0.0.1:1", "user": "u"}, "dbquery p select 1 as v"),
    "smtp": (
        {"url": "smtps://127.0.0.1:1", "user": "u", "from": "a@b.example"},
        'json "{}" | eval to = "a@b.example", subject = "s", message = "m" | sendmail profile=p',
    ),
    "sftp": (
        {"url": "sftp://127.0.0.1:1", "user": "u", "host_key": "SHA256:" + "A" * 43, "key_file": "locked"},
        "sftp p ls /",
    ),
    "ftps": ({"url": "ftps://127.0.0.1:1", "user": "u"}, "ftp p ls /"),
    "ftp": ({"url": "ftp://127.0.0.1:1", "user": "u"}, "ftp p ls /"),
}
#: The tables of the configuration that hold secrets and are no profiles: theirs are planted in ``test_http_rooms``.
ELSEWHERE = {'network.hosts."HOST"': {"query", "headers"}}
#: Where the test itself, and ``profile set`` and ``password``, write it: files that their owner alone may read.
OWN = ("config.toml", "secret.txt", "profiles.toml")
HELD = ("env", "file", "literal", "missing")


def secret_keys(kind: str) -> list[Key]:
    """The keys of a kind of profile that hold secrets."""
    return [key for key in PROFILE.of(kind) if is_secret(key)]


def is_secret(key: Key) -> bool:
    found: object = key.kind
    if isinstance(found, ListOf | MapOf):
        found = found.item
    return isinstance(found, Scalar) and found is SECRET


#: By day each secret is held in one way, all of them in turn.
GRID = [(kind, key.name, held) for kind in KINDS for key in secret_keys(kind) for held in HELD]
BY_DAY = [row for number, row in enumerate(GRID) if number % len(HELD) == number // len(HELD) % len(HELD)]


def test_the_grid_is_that_of_the_declarations() -> None:
    assert set(ASKED) == set(KINDS)
    others = {one.title: {key.name for key in one.keys if is_secret(key)} for one in sections() if one is not PROFILE}
    assert {title: keys for title, keys in others.items() if keys} == ELSEWHERE
    assert [kind for kind in KINDS if not secret_keys(kind)] == ["sqlite"]


def planted(held: str, secret: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the configuration says of a secret. ``missing``: in no variable of the name."""
    monkeypatch.setenv("PLANTED", secret)
    (folder / "secret.txt").write_text(secret + "\n", encoding="utf-8")
    return {"env": "env:PLANTED", "file": "file:secret.txt", "literal": secret, "missing": "env:PLANTED_ELSEWHERE"}[
        held
    ]


def runs(query: str, key: str, reference: str) -> list[list[str]]:
    """What is called, each with the configuration: all that reads it."""
    return [
        ["-q", query],
        ["-q", query, "--loss", "--stats", "--keep"],
        ["--debug", "-q", query, "--loss-json"],
        ["-q", f"{query} | nosuch"],
        ["--safe", "-q", query],
        ["translate", query],
        ["explain", query],
        ["explain", query, "--run"],
        ["check", "case.lq"],
        ["config", "validate"],
        ["check-config"],
        ["profile", "list"],
        ["profile", "show", "p"],
        ["profile", "test", "p"],
        ["profile", "set", "q", "kind=ldap", "url=ldaps://x.example", f"{key}={reference}"],
        ["profile", "set", "q", "kind=ldap", "url=ldaps://x.example", f"pasword={reference}"],
        ["profile", "set", "q", "kind=ldap", f"url=ldaps://u:{quote(reference, safe='')}@x.example"],
        ["profile", "show", "q"],
        ["profile", "password", "q", "--stdin"],
        ["profile", "list"],
        ["profile", "remove", "q"],
        ["shell"],
    ]


@pytest.mark.parametrize(("kind", "key", "held"), GRID if nightly() else BY_DAY)
def test_no_way_tells_it(
    kind: str,
    key: str,
    held: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    secret = f"Planted+{kind}/{key}&9f31=x"
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(home))
    keys, query = ASKED[kind]
    (home / "case.lq").write_text(query, encoding="utf-8")
    reference = planted(held, secret, tmp_path, monkeypatch)
    named = "x" if kind == OTHER_DRIVER else kind
    config = configured(tmp_path, profile("p", kind=named, **keys | {key: reference}))
    said = ""
    for words in runs(query, key, reference):
        asked = words[0] == "shell"
        given = f"{query};\n\\p\nsystem queries;\n" if asked else f"{secret}\n"
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        # The list of arguments is what the user typed: a secret that stands in it is theirs to have seen.
        codes = main(["--config", config, *words])
        assert isinstance(codes, int)
        out, err = capfd.readouterr()
        said += f"{out}{err}"
    assert said.count("error[") > 4, said
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name not in OWN)
    for form in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert form not in said, said
        assert form.encode() not in kept
