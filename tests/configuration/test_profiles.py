"""``logsql profile`` and ``logsql config``: what they print, what they write, and what they never show."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import logsql
from logsql.cli import main
from logsql.configuration.reading import configuration
from logsql.configuration.settings import Profile
from logsql.configuration.writing import document
from logsql.connectors import CONNECTORS
from logsql.diagnostics import redaction
from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.network import NO_ANSWER
from logsql.diagnostics.redaction import Redactor
from logsql.planner.services import CONFIGURATION
from logsql.shell.complete import complete
from tests.cli.support import command, env, run

AD = ("kind=ldap", "url=ldaps://dc1.example.com", "user=reader@example.com", "base=DC=example,DC=com")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of settings; nothing is there."""
    home = tmp_path / "config"
    monkeypatch.setenv("APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME", str(home))
    monkeypatch.delenv("LOGSQL_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    fresh = Redactor()
    monkeypatch.setattr(redaction, "SECRETS", fresh)
    monkeypatch.setattr("logsql.configuration.secrets.SECRETS", fresh)
    return home / "logsql"


def said(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    out, err = capfd.readouterr()
    return code, out, err


def test_a_life_of_a_profile(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert said(capfd, "profile", "list") == (0, "", "there are no profiles\n")
    assert said(capfd, "profile", "set", "AD", *AD, "page=500", "lists=description,info")[:2] == (0, "")
    profile = configuration(None).profiles["AD"]
    assert (profile.urls, profile.page) == (("ldaps://dc1.example.com",), 500)
    assert (profile.base, profile.lists) == ("DC=example,DC=com", ("description", "info"))
    assert said(capfd, "profile", "set", "AD", "page=", "password=env:AD_PASSWORD")[0] == 0
    code, out, err = said(capfd, "profile", "show", "AD")
    assert (code, err) == (0, "")
    shown = tomllib.loads(out)["profiles"]["AD"]
    assert shown["password"] == "env:AD_PASSWORD"
    assert "page" not in shown
    code, out, _ = said(capfd, "profile", "list")
    assert out.split() == ["AD", "ldap", "ldaps://dc1.example.com", f"{folder / 'profiles.toml'}:3"]
    assert said(capfd, "profile", "remove", "AD")[0] == 0
    code, _, err = said(capfd, "profile", "show", "AD")
    assert (code, "E2051" in err) == (2, True)


@pytest.mark.posix("file modes")
def test_the_file_is_the_owners_alone(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = os.umask(0)
    try:
        said(capfd, "profile", "set", "AD", *AD)
        path = folder / "profiles.toml"
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)
        said(capfd, "profile", "set", "AD", "password=hunter2")
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_literal_is_shown_by_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capfd, "profile", "set", "AD", *AD, "password=hunter2")
    assert (code, out) == (0, "")
    assert "logsql profile password AD" in err
    told = err
    said(capfd, "profile", "set", "AD", "url=ldaps://127.0.0.1:1")  # nobody listens there, and no name is asked for
    for words in (("show", "AD"), ("list",), ("set", "AD", "page=0"), ("set", "AD", "kind=smtp"), ("test", "AD")):
        told += "".join(said(capfd, "profile", *words)[1:])
    assert 'password = "***"' in told
    assert "hunter2" not in told
    assert "hunter2" in (folder / "profiles.toml").read_text("utf-8")


def test_a_misspelt_password_is_not_shown_either(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder.mkdir(parents=True)
    text = '[profiles.a]\nkind = "postgresql"\nurl = "postgresql://u:hunter2@x/y"\npasword = "hunter3"\npassword = 4321'
    (folder / "config.toml").write_text(text, encoding="utf-8")
    (folder / "config.toml").chmod(0o600)
    for words in (("profile", "show", "a"), ("profile", "list"), ("config", "validate"), ("check-config",)):
        _, out, err = said(capfd, *words)
        assert [secret for secret in ("hunter2", "hunter3", "4321") if secret in out + err] == []
        assert out + err


def test_what_is_wrong_is_not_written(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said(capfd, "profile", "set", "AD", *AD)
    before = (folder / "profiles.toml").read_bytes()
    wrong = [
        (("set", "AD", "page=0"), "E2043"),
        (("set", "AD", "page=many"), "E2042"),
        (("set", "AD", "paeg=5"), "E2040"),
        (("set", "AD", "from=x"), "E2041"),
        (("set", "AD", "url="), "E2045"),
        (("set", "B", "url=ldaps://x"), "E2045"),
        (("set", "B", "kind=ldpa"), "E2044"),
        (("set", "a b", *AD), "E2043"),
        (("set", "AD", "page"), "E2000"),
        (("set", "AD"), "E2000"),
        (("set",), "E2000"),
        (("shwo", "AD"), "E2000"),
        (("show", "ADD"), "E2051"),
        (("remove", "ADD"), "E2051"),
        (("password", "ADD", "--stdin"), "E2051"),
        (("show", "AD", "--stdin"), "E2000"),
    ]
    for words, code in wrong:
        ended, out, err = said(capfd, "profile", *words)
        assert (ended, out, f"error[{code} " in err) == (2, "", True), (words, err)
    assert (folder / "profiles.toml").read_bytes() == before


def test_the_users_own_file_is_never_written(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder.mkdir(parents=True)
    own = folder / "config.toml"
    own.write_text('# mine\n[profiles.AD] # keep\nkind = "ldap"\nurl = "ldaps://x"\n', encoding="utf-8")
    before = own.read_bytes()
    for words in (("set", "AD", "page=5"), ("remove", "AD"), ("set", "AD", *AD)):
        code, _, err = said(capfd, "profile", *words)
        assert (code, f"{own}:2" in err, "E2052" in err) == (2, True, True)
    assert said(capfd, "profile", "set", "B", *AD)[0] == 0
    assert own.read_bytes() == before
    assert [line.split()[0] for line in said(capfd, "profile", "list")[1].splitlines()] == ["AD", "B"]


def test_other_sections_of_the_file_stay(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder.mkdir(parents=True)
    path = folder / "profiles.toml"
    path.write_text('[network]\nretries = 7\n[network.hosts."a.example"]\nrate = "4/1m"\n', encoding="utf-8")
    assert said(capfd, "profile", "set", "AD", *AD)[0] == 0
    found = configuration(None)
    assert (found.network.retries, list(found.network.hosts), list(found.profiles)) == (7, ["a.example"], ["AD"])


def test_paths_are_those_where_they_are_typed(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said(capfd, "profile", "set", "AD", *AD, "ca_file=ca.pem", "password=file:pw")
    found = configuration(None).profiles["AD"]
    assert found.ca_file == str(tmp_path / "ca.pem")
    assert found.password is not None
    assert found.password.reference == f"file:{tmp_path / 'pw'}"


@pytest.mark.parametrize("given", ["hunter2", "hunter2\n", "hunter2\r\n"])
def test_a_password_from_standard_input(given: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said(capfd, "profile", "set", "AD", *AD)
    words = ("profile", "password", "AD", "--stdin")
    done = run(*words, stdin=given.encode())
    assert (done.returncode, done.stdout, b"hunter2" in done.stderr) == (0, b"", False)
    found = configuration(None).profiles["AD"].password
    assert found is not None
    assert found.value() == "hunter2"


@pytest.mark.parametrize(
    ("given", "code"), [(b"", b"E2054"), (b"\n", b"E2054"), (b"\xff", b"E2050"), (b"env:X", b"E2054")]
)
def test_a_password_that_is_none(given: bytes, code: bytes, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said(capfd, "profile", "set", "AD", *AD)
    before = (folder / "profiles.toml").read_bytes()
    done = run("profile", "password", "AD", "--stdin", stdin=given)
    assert (done.returncode, code in done.stderr) == (2, True), done.stderr
    done = run("profile", "password", "AD", stdin=b"hunter2\n")
    assert (done.returncode, b"E2053" in done.stderr, b"--stdin" in done.stderr) == (2, True, True)
    assert (folder / "profiles.toml").read_bytes() == before


@pytest.mark.posix("pseudo terminals")
@pytest.mark.parametrize(
    ("typed", "value"), [("hunter2\r", "hunter2"), ("암호 x\r", "암호 x"), ("\x04", None), ("\x03", None)]
)
def test_a_password_is_asked_for_without_echo(
    typed: str, value: str | None, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
    said(capfd, "profile", "set", "AD", *AD)
    words = command("profile", "password", "AD")
    child = pexpect.spawn(words[0], words[1:], env=env(TERM="xterm"), timeout=60, encoding="utf-8")
    child.expect_exact("password of AD: ")
    child.waitnoecho()
    child.send(typed)
    while child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=60 if typed != "\x03" else 2) == 1:
        assert typed == "\x03", "it ends"
        child.send(typed)  # Python forgets one that comes between its look for signals and its wait for a key
    child.close()
    assert "hunter2" not in child.before
    assert "암호 x" not in child.before
    found = configuration(None).profiles["AD"].password
    assert (found.value() if found is not None else None) == value
    assert child.exitstatus == {"\x03": 130, "\x04": 2}.get(typed, 0)


def test_a_password_of_the_keyring_goes_there(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[tuple[str, str], str] = {}
    ring = SimpleNamespace(set_password=lambda s, u, p: kept.update({(s, u): p}), get_password=lambda s, u: kept[s, u])
    monkeypatch.setitem(sys.modules, "keyring", ring)
    said(capfd, "profile", "set", "AD", *AD, "password=keyring:logsql/AD")
    before = (folder / "profiles.toml").read_bytes()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=SimpleNamespace(read=lambda: b"hunter2\n")))
    assert main(["profile", "password", "AD", "--stdin"]) == 0
    assert kept == {("logsql", "AD"): "hunter2"}
    assert (folder / "profiles.toml").read_bytes() == before


def test_profiles_that_are_set_at_once_are_all_there(folder: Path) -> None:
    started = [
        subprocess.Popen(
            command("profile", "set", f"p{n}", "kind=sqlite", f"path=/{n}"), env=env(), stderr=subprocess.PIPE
        )
        for n in range(6)
    ]
    assert [process.wait(300) for process in started] == [0] * 6
    assert sorted(configuration(None).profiles) == [f"p{n}" for n in range(6)]
    assert [path.name for path in folder.iterdir() if path.name.endswith(".part")] == []


def test_safe_mode_writes_no_profile(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capfd, "--safe", "profile", "set", "AD", *AD)
    assert (code, "E4001" in err or "write" in err) == (3, True)
    assert not folder.exists()
    said(capfd, "profile", "set", "AD", *AD)
    assert said(capfd, "--safe", "profile", "show", "AD")[0] == 0


# --- trying -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> list[Profile]:
    """A connector that tells what it was asked, and does not answer as base says."""
    asked: list[Profile] = []

    class Directory:
        def __init__(self, access: object) -> None:
            self.access = access

        def test(self, profile: Profile) -> str:
            asked.append(profile)
            secret = profile.password.value() if profile.password is not None else ""
            if profile.base == "DC=none":
                raise SourceError(diagnostic(NO_ANSWER, target="dc1", word="timeout", meaning=secret))
            return f"dc1.example.com: bound as {profile.user} with {secret}"

    module = ModuleType("tests_directory")
    module.Client = Directory  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(CONNECTORS, "directory", "tests_directory:Client")
    return asked


def test_a_profile_is_tried(
    connector: list[Profile], folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(capfd, "profile", "set", "AD", *AD, "password=env:AD_PASSWORD")
    code, out, err = said(capfd, "profile", "test", "AD")
    assert (code, out, "env:AD_PASSWORD" in err) == (2, "", True)
    monkeypatch.setenv("AD_PASSWORD", "hunter2")
    assert said(capfd, "profile", "test", "AD") == (0, "dc1.example.com: bound as reader@example.com with ***\n", "")
    said(capfd, "profile", "set", "AD", "base=DC=none")
    code, out, err = said(capfd, "profile", "test", "AD")
    assert (code, out, "E3041" in err, "hunter2" in err) == (3, "", True, False)
    assert [profile.name for profile in connector] == ["AD"] * 3


def test_a_package_that_is_missing_is_named(
    connector: list[Profile], folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(capfd, "profile", "set", "AD", *AD)
    monkeypatch.setitem(sys.modules, "tests_directory", None)
    code, _, err = said(capfd, "profile", "test", "AD")
    assert (code, "E3104" in err, "logsql[ldap]" in err) == (3, True, True)


# --- the shell --------------------------------------------------------------------------------------------------------


def test_the_shell_has_it_too(folder: Path) -> None:
    lines = [
        "\\profile set AD " + " ".join(AD),
        "\\profile show AD",
        "\\profile remove AD",
        "\\profile list",
        "\\profile",
    ]
    done = run(stdin="\n".join(lines).encode())
    assert b'[profiles.AD]\nkind = "ldap"' in done.stdout
    assert b"there are no profiles" in done.stderr
    assert b"E2006" in done.stderr
    assert done.returncode == 2


@pytest.mark.posix("pseudo terminals")
def test_the_history_of_the_shell_holds_no_password(folder: Path, tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
    words, kept = command(), tmp_path / "history"
    child = pexpect.spawn(
        words[0], words[1:], env=env(TERM="xterm", LOGSQL_HISTORY=str(kept), PROMPT_TOOLKIT_NO_CPR="1"), timeout=60
    )
    for line in (f"\\profile set AD {' '.join(AD)} password=hunter2", "\\profile set AD password=env:AD_PASSWORD"):
        child.expect_exact("logsql>")
        child.send(line + "\r")
        child.expect_exact("profile AD written")
    child.expect_exact("logsql>")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    text = kept.read_text("utf-8")
    assert "hunter2" not in text
    assert "password=***" in text
    assert "password=env:AD_PASSWORD" in text


def test_a_session_knows_what_was_changed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with logsql.connect() as session:
        services = session.workspace.services
        first = services.get(CONFIGURATION)
        said(capfd, "profile", "set", "AD", *AD)
        services.forget_configuration()
        second = services.get(CONFIGURATION)
    assert first is not None
    assert second is not None
    assert (list(first.profiles), list(second.profiles)) == ([], ["AD"])


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("\\prof", ["\\profile"]),
        ("\\profile ", ["list", "show", "set", "password", "remove", "test"]),
        ("\\profile sh", ["show"]),
        ("\\profile show ", ["AD", "mail"]),
        ("\\profile test m", ["mail"]),
        ("\\profile list ", []),
        ("\\profile set mail fr", ["from="]),
        ("\\profile set new kind=l", ["kind=ldap"]),
        ("\\profile set AD pass", ["password=env:", "password=file:", "password=keyring:"]),
        ("\\profile set AD tls=n", ["tls=none"]),
    ],
)
def test_completion(typed: str, first: list[str], folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from logsql.shell.catalog import SessionCatalog

    said(capfd, "profile", "set", "AD", *AD)
    said(capfd, "profile", "set", "mail", "kind=smtp", "url=smtps://x")
    with logsql.connect() as session:
        found = complete(typed, len(typed), SessionCatalog(session, {}))
    assert [one.text for one in found][: len(first) or None] == first


# --- config -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("config", "validate"), ("check-config",)])
def test_the_check(words: tuple[str, ...], folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capfd, *words)
    assert (code, out, str(folder / "config.toml") in err) == (0, "", True)
    path = tmp_path / "a.toml"
    path.write_text("[network]\nretries = 3\n", encoding="utf-8")
    assert said(capfd, *words, str(path)) == (0, "", f"{path} is right\n")
    assert said(capfd, "--config", str(path), *words) == (0, "", f"{path} is right\n")
    path.write_text('[network]\nretries = -3\ntimeuot = "3s"\n', encoding="utf-8")
    code, out, err = said(capfd, *words, str(path))
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"error[E2043 config-value]: {path}:2: network.retries takes a whole number from 0 to 100, not -3",
        f"error[E2040 config-unknown-key]: {path}:3: there is no key network.timeuot",
        "help: did you mean timeout?",
    ]
    assert said(capfd, *words, str(tmp_path / "nothere.toml"))[0] == 2


def test_the_check_in_korean(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[network]\nretries = -3\ntimeuot = "3s"\n[profiles.a]\nkind = "x"\n', encoding="utf-8")
    code, _, err = said(capfd, "--lang", "ko", "config", "validate", str(path))
    assert code == 2
    assert err.splitlines() == [
        f"error[E2043 config-value]: {path}:2: network.retries의 값이 올바르지 않습니다: -3. "
        "필요한 값: 0에서 100까지의 정수",
        f"error[E2040 config-unknown-key]: {path}:3: network.timeuot(이)라는 키가 없습니다",
        "help: 혹시 timeout인가요?",
        f"error[E2044 config-unknown-kind]: {path}:5: profiles.a.kind: 'x'(이)라는 종류가 없습니다",
        "help: 종류: ldap, postgresql, sqlite, adbc, smtp, sftp, ftps, ftp",
    ]


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"a": 1, "b": {"c": "d", "e f": {"g": [1, 2.5, True, "x"]}}},
        {"a": {"b": {}}, "list": [{"x": 1, 'q"': [{}]}], "empty": []},
        {"text": 'quote " back \\ line\nreturn\r tab\t del\x7f bell\x07 한글 \U0001f600'},
        {'ke"y': {"": {"a.b": "c"}}},
        {"big": 2**62, "minus": -1, "float": 1e-300},
    ],
)
def test_what_is_written_is_read_again(table: dict[str, object]) -> None:
    assert tomllib.loads(document(table)) == table
