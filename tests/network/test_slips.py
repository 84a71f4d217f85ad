"""Slips of a first day with the network commands: the error names one change, and nothing is passed over in silence."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import logsql
from logsql.cli import main
from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.network import advice
from tests.network.others_support import configured, profile


@pytest.mark.parametrize(
    ("query", "help"),
    [
        ("wget", 'as the first command it has a URL: wget url="https://HOST/PATH"'),
        ("wget https://a.example/b?c=1", 'use wget url="https://a.example/b?c=1"'),
        ('wget "https://a.example/"', 'use wget url="https://a.example/"'),
        ("rss https://a.example/feed", 'use rss url="https://a.example/feed"'),
        ("wget -k https://a.example/", 'use ca_file = "PATH" under [network] of the configuration'),
        ('wget -u kim:pw "https://a.example/"', 'use wget url="URL" auth="ID:PW"'),
        ('wget url="https://a.example/" -H "A: b"', 'use eval h = dict("NAME", "VALUE"), url = "URL" | wget header=h'),
        ('wget url="https://a.example/" insecure=t', 'use ca_file = "PATH" under [network] of the configuration'),
        ('rss url="https://a.example/" verify=f', 'use ca_file = "PATH" under [network] of the configuration'),
        (
            'wget url="https://a.example/" data="a=1"',
            'use eval url = "...", data = "..." | wget method=post body=data',
        ),
        (
            'wget url="https://a.example/" header="X-Key: 1"',
            'make the rows: json "{}" | eval h = dict("NAME", "VALUE"), url = "..." | wget header=h',
        ),
    ],
)
def test_habits_of_curl_are_told_how_it_is_said_here(query: str, help: str) -> None:
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query(query)
    assert caught.value.help == help
    assert caught.value.span is not None


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("json \"{'uri': 'https://a.example/'}\" | wget", ["N1001"]),
        ("json \"{'url': null}\" | wget", []),
        ("json \"{'a': 1}\" | eval url = null | wget | fields a", []),
    ],
)
def test_rows_without_the_field_url_are_told_of(query: str, told: list[str]) -> None:
    """Every row would pass without a request, and only nulls would say so."""
    with logsql.connect() as session:
        assert [note.code for note in session.query(query).notes] == told


@pytest.mark.parametrize(
    ("target", "word", "change"),
    [
        ("https://10.0.0.7:8443/a", "refused-private", 'allow = ["10.0.0.7:8443"]'),
        ("http://a.example/", "refused-scheme", 'plain_http = ["a.example"]'),
        ("ftp://a.example:21", "refused-scheme", 'plain_ftp = ["a.example:21"]'),
        ("wget", "refused-scheme", "write https:// in front of the host"),
        ("ldaps://a.example:636", "tls-untrusted", 'ca_file = "PATH"'),
        ("smtp://a.example:587", "bad-address", 'from = "NAME@HOST"'),
    ],
)
def test_a_word_comes_with_the_change_to_make(target: str, word: str, change: str) -> None:
    assert change in (advice(target, word) or "")


@pytest.fixture
def lite(tmp_path: Path) -> str:
    """A configuration with one SQLite file, ``p``."""
    with sqlite3.connect(tmp_path / "p.db") as made:
        made.execute("create table logs (msg text, n int)")
        made.execute("insert into logs values ('it', 1)")
    return configured(tmp_path, profile("p", kind="sqlite", path=str(tmp_path / "p.db")))


def test_a_parameter_that_sql_binds_is_read(lite: str) -> None:
    with logsql.connect(config=lite) as session:
        for query, told in (
            ("dbquery p select n from logs where msg = :m", []),
            ("json \"{'m': 'it'}\" | dblookup p select n from logs where msg = :m", []),
            ('json "{}" | union [ dbquery p select n from logs where msg = :m ]', []),
            ("dbquery p select n from logs where msg = ':m'", ["N1502"]),
        ):
            result = session.query(query, params={"m": "it"})
            assert [note.code for note in result.notes if note.code == "N1502"] == told, query


def test_sql_in_quotes(lite: str) -> None:
    with logsql.connect(config=lite) as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query('dbquery p "select 1"').rows()
    assert caught.value.help == "the SQL stands without quotes around it"


@pytest.mark.parametrize(
    ("keys", "code", "told"),
    [
        ({"kind": "sqlite", "path": "not-there.db"}, 3, "not-there.db"),
        ({"kind": "smtp", "url": "smtps://localhost:1", "from": "me"}, 2, "profiles.p.from takes an address such as"),
        ({"kind": "smtp", "url": "smtps://localhost:1", "user": "me"}, 3, 'from = "NAME@HOST"'),
    ],
)
def test_a_profile_that_cannot_be_used_is_no_internal_error(
    keys: dict[str, object], code: int, told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = main(["--config", configured(tmp_path, profile("p", **keys)), "profile", "test", "p"])
    out, err = capfd.readouterr()
    assert (ended, out) == (code, "")
    assert told in err
    assert "internal error" not in err


def test_a_profile_that_is_not_there_is_told_how_to_make_it(tmp_path: Path) -> None:
    with logsql.connect(config=configured(tmp_path, "")) as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query("sftp srv ls /")
    assert caught.value.help == "make it: logsql profile set srv kind=sftp KEY=VALUE ..."


@pytest.mark.parametrize(
    ("query", "pointed"),
    [
        ('wget url="https://127.0.0.1:1/" | limit 2', "wget"),
        ('json "{}" | limit 0 | union [ ldapsearch profile=AD filter="(cn=*)" ]', "ldapsearch"),
        ('rss url="https://127.0.0.1:1/"', "rss"),
    ],
)
def test_an_error_of_the_run_points_at_its_command(query: str, pointed: str, tmp_path: Path) -> None:
    text = '[network]\nproxy = "none"\n[profiles.AD]\nkind = "ldap"\nurl = "ldaps://127.0.0.1:1"\nbase = "dc=x"\n'
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    session = logsql.connect(config=str(tmp_path / "config.toml"))
    with session, pytest.raises(LogsqlError, match="E3041") as caught:
        session.query(query).rows()
    said = caught.value.diagnostic
    assert said.text == query
    assert said.span is not None
    assert query[said.span.start :].startswith(pointed)
