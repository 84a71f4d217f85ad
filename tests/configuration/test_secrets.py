"""Secrets are read when they are asked for, and shown by nobody."""

from __future__ import annotations

import dataclasses
import io
import pickle
import sys
from base64 import b64encode
from json import dumps
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, quote_plus, urlencode

import pytest

import logsql
from logsql.configuration.secrets import Secret, remember
from logsql.configuration.settings import Profile
from logsql.conversation.outcome import remarks
from logsql.diagnostics import redaction
from logsql.diagnostics.errors import LogsqlError, UsageError, diagnostic
from logsql.diagnostics.network import NO_ANSWER, WORDS
from logsql.diagnostics.redaction import Redactor, Said
from logsql.engine.ledger import Ledger
from logsql.planner.services import CONFIGURATION
from logsql.shell.voice import Voice


@pytest.fixture(autouse=True)
def _own_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Redactor()
    monkeypatch.setattr(redaction, "SECRETS", fresh)
    monkeypatch.setattr("logsql.configuration.secrets.SECRETS", fresh)


def missing(secret: Secret) -> str:
    with pytest.raises(UsageError) as caught:
        secret.value()
    assert caught.value.code in ("E2050", "E3104")
    return caught.value.diagnostic.message


def test_a_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "hunter2")
    assert Secret("env:A_KEY").value() == "hunter2"
    monkeypatch.delenv("A_KEY")
    assert missing(Secret("env:A_KEY")) == "env:A_KEY: the environment variable is not set"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b"hunter2\n\n", "hunter2\n"),
        (b" hunter2 \n", " hunter2 "),
        (b"\xef\xbb\xbfhunter2\n", "hunter2"),
        ("암호\n".encode(), "암호"),
        (b"", ""),
    ],
)
def test_a_secret_of_a_file(data: bytes, value: str, tmp_path: Path) -> None:
    (tmp_path / "pw").write_bytes(data)
    assert Secret(f"file:{tmp_path / 'pw'}").value() == value
    assert Secret("file:pw", str(tmp_path)).value() == value


def test_a_relative_file_lies_beside_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in safe mode: the user's own words name it, and no query can."""
    folder, evidence = tmp_path / "settings", tmp_path / "evidence"
    folder.mkdir()
    evidence.mkdir()
    monkeypatch.chdir(evidence)
    (evidence / "pw").write_text("of somebody else\n")
    (folder / "pw").write_text("hunter2\n")
    path = folder / "config.toml"
    path.write_text('profiles.a = { kind = "ldap", url = "ldaps://x", password = "file:pw" }')
    with logsql.connect(config=path, safe=True, allow_dirs=[str(evidence)]) as session:
        found = session.workspace.services.get(CONFIGURATION)
    assert found is not None
    assert found.profiles["a"].password is not None
    assert found.profiles["a"].password.value() == "hunter2"


def test_a_file_that_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    assert "nothere: the file cannot be read" in missing(Secret("file:nothere", str(tmp_path)))
    assert "no text in UTF-8" in missing(Secret("file:bytes", str(tmp_path)))
    assert "larger than 65536 bytes" in missing(Secret("file:large", str(tmp_path)))
    assert "cannot be read" in missing(Secret("file:.", str(tmp_path)))


def test_a_secret_of_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {("https://a.example", "kim"): "hunter2"}

    def get(service: str, user: str) -> str | None:
        if service == "locked":
            raise RuntimeError("hunter2")
        return kept.get((service, user))

    def put(service: str, user: str, password: str) -> None:
        kept[service, user] = password

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=get, set_password=put))
    assert Secret("keyring:https://a.example/kim").value() == "hunter2"
    assert missing(Secret("keyring:x/y")) == "keyring:x/y: there is no such secret"
    assert missing(Secret("keyring:locked/y")) == "keyring:locked/y: the keyring did not open"
    Secret("keyring:x/y").store("other")
    assert Secret("keyring:x/y").value() == "other"


def test_a_keyring_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError) as caught:
        Secret("keyring:x/y").value()
    assert caught.value.code == "E3104"
    assert "logsql[keyring]" in (caught.value.help or "")


def test_a_literal_is_shown_by_nobody() -> None:
    profile = Profile("a", "ldap", password=Secret("hunter2"))
    shown = f"{profile} {profile!r} {profile.password} {dataclasses.asdict(profile)['name']}"
    assert "hunter2" not in shown
    assert Secret("hunter2").value() == "hunter2"
    assert pickle.loads(pickle.dumps(Secret("env:X"))) == Secret("env:X")


@pytest.mark.parametrize("secret", ["hunter2", 's/c=r&e t"?', "암호암호", "back\\slash'quote", "percent%41"])
def test_what_was_read_is_masked_where_text_leaves(secret: str) -> None:
    """An exception of a library quotes a URL, a header or a representation."""
    remember(secret)
    forms = [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        urlencode({"key": secret}),
        dumps({"key": secret}),
        repr({"key": secret}),
        repr(secret.encode()),
        b64encode(secret.encode()).decode(),
    ]
    told = [text for form in forms for text in leaving(form)]
    assert [text for text in told if "***" not in text or any(form in text for form in forms)] == []


def leaving(form: str) -> list[str]:
    """What leaves of a text that holds a secret: an error for Python, what is said on stderr, a traceback."""
    error = LogsqlError(diagnostic(NO_ANSWER, target="https://a.example", word="timeout", meaning=f"<{form}>"))
    out = io.StringIO()
    Voice(out).say(f"before {form} behind")
    said = out.getvalue()
    try:
        raise ValueError(form)
    except ValueError as problem:
        Voice(out, debug=True).defect(problem)
    return [str(error), error.diagnostic.message, said, out.getvalue().removeprefix(said)]


@pytest.mark.parametrize(
    ("told", "masked"),
    [
        ("no answer of https://me:abc@a.example/abc", "no answer of https://me:***@a.example/abc"),
        ("GET /?key=abc&b=1 and '?b=abc'", "GET /?key=***&b=1 and '?b=***'"),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("password=abc host=abc", "password=*** host=abc"),
        ('{"api_key": "abc", "n": "abc"}', '{"api_key": "***", "n": "abc"}'),
        ("x-api-key: abc", "x-api-key: ***"),
        ("Basic bWU6YWJj of YWJj", "Basic bWU6*** of ***"),  # Base64 of three letters has four
        (
            "abc, abcd=abc, http://abc.example:80/abc?abc=1&x=abcd",
            "abc, abcd=abc, http://abc.example:80/abc?abc=1&x=abcd",
        ),
    ],
)
def test_a_short_secret_is_masked_where_only_secrets_stand(told: str, masked: str) -> None:
    remember("abc")
    assert redaction.masked(told) == masked
    assert len(redaction.covered(told)) == len(told)


def test_a_short_secret_leaves_sentences_whole() -> None:
    """ "a" as a password would make "***" of every word."""
    remember("a")
    assert redaction.masked("a sentence") == "a sentence"


@pytest.mark.parametrize(
    "secret", ["wrong", "password", "사용자 이름", "note", "no-answer", "bad-credentials", "the user"]
)
def test_our_own_sentences_stay_what_they_are(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the password "wrong", "the user name or the password is ***" tells the password."""
    remember(secret)
    out = io.StringIO()
    for lang in ("en", "ko"):
        monkeypatch.setenv("LOGSQL_LANG", lang)
        meaning = WORDS["bad-credentials"].fill()
        assert meaning == getattr(WORDS["bad-credentials"], lang)
        problem = diagnostic(NO_ANSWER, target=f"mail.example/{secret}", word=Said("bad-credentials"), meaning=meaning)
        assert meaning in problem.message
        assert "bad-credentials" in problem.message
        assert "mail.example/***" in problem.message, "a text from outside is masked"
        Voice(out).error(problem.located(f"sendmail a={secret}"))
        assert meaning in out.getvalue()
        assert f"/{secret}" not in out.getvalue()
        ledger = Ledger()
        ledger.lost(f"wget {secret}.example", "no-answer-timeout", 2, sample=secret)
        told = "".join([*remarks((), ledger), *remarks((), ledger, every=True), *ledger.lines(), ledger.summary()])
        assert f"{secret}.example" not in told
        assert "no-answer-timeout" in told
        assert next(iter(ledger)).sentence() in told
