"""Two dozen typical mistakes with ``--lang ko``: what is said on stderr is Korean, sentence, notes and help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logsql.cli import main
from tests.cli.support import make_database
from tests.support import ROOT

LOG = (ROOT / "sample_data/auth.log").as_posix()
#: Query, code, exit code.
QUERIES = [
    ("table web | serch status == 404", "92000", 1),
    ("table web | hdfs x ls /", "92000", 1),
    ("table web | limit 1 2 3", "20600", 1),
    ("table wbe", "10605", 1),
    ("table web | sort limti=3 status", "90001", 1),
    ("table web | search status = 404", "90001", 1),
    ("table web | eval x = foo(status)", "90900", 1),
    ("table web | eval x = substr(src)", "99000", 1),
    ("table web | eval x =", "90100", 1),
    ('table web | eval x = "abc', "90203", 1),
    ("table web | eval x = (1 + 2", "90202", 1),
    ("table web | stats", "21700", 1),
    ("table web | stats cuont by src", "21702", 1),
    ("table web | timechart span=5x count", "90502", 1),
    ("table web | join src", "E0003", 1),
    ("table web | fields", "20400", 1),
    ("textfile nothere.log", "10700", 3),
    (f"hive-file {LOG}", "E3035", 3),
    (f"sqlite-records table=t {LOG}", "E3029", 3),
    ("hive-file nothere*", "E3002", 3),
    ("table web | rforest model=bot", "41101", 1),
    ("table web | curvefit src, bytes", "41115", 1),
    ("table web | lof k=2 bytes [ table web ]", "41150", 1),
    ("table web | import nosuch", "30101", 1),
    ("load nothere", "11200", 1),
]
#: Words behind the language, code, exit code.
LINES = [
    (("--safe", "-q", f"textfile {LOG}"), "E4001", 3),
    (("--nope",), "E2000", 2),
    (("-q",), "E2000", 2),
    (("--timeout", "abc", "-q", "table web"), "E2000", 2),
    (("-f", "yaml", "-q", "table web"), "E2000", 2),
    (("-q", "table web | fields src", "more"), "E2000", 2),
    (("config", "validate", "nothere.toml"), "E2049", 2),
    (("--config", "nothere.toml", "-q", 'ldapsearch profile=AD filter="(cn=a)"'), "E2049", 2),
]
_SAID = re.compile(r"^(?:error\[(\w+)[^\]]*\]|note|help): (.*)$", re.MULTILINE)
#: What is quoted, and commands that a help line writes out.
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|\beval .*")
#: Two lower-case words beside each other, as no form of the language has them.
_ENGLISH = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b(?!=)")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_database(tmp_path_factory.mktemp("db") / "case.duckdb"))


def check(said: str, code: str) -> None:
    lines = _SAID.findall(said)
    assert [found for found, _ in lines if found] == [code], said
    for found, text in lines:
        prose = _QUOTED.sub("", text)
        assert not _ENGLISH.search(prose), text
        assert not found or re.search("[\uac00-\ud7a3]", prose), text


@pytest.mark.parametrize(("query", "code", "ends"), QUERIES)
def test_a_wrong_query_is_told_in_korean(
    query: str, code: str, ends: int, db: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lang", "ko", "--db", db, "-q", query]) == ends
    check(capfd.readouterr().err, code)


@pytest.mark.parametrize(("words", "code", "ends"), LINES)
def test_a_wrong_line_is_told_in_korean(
    words: tuple[str, ...], code: str, ends: int, db: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lang", "ko", "--db", db, *words]) == ends
    check(capfd.readouterr().err, code)


def test_the_check_finds_english() -> None:
    with pytest.raises(AssertionError):
        check("error[10700 file-not-found]: file not found: a.log\n", "10700")
    with pytest.raises(AssertionError):
        check("error[10700 file-not-found]: 파일이 없습니다: a.log\nhelp: check the path\n", "10700")


def test_a_query_file_is_told_in_korean(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.lq").write_bytes(b"\xff\xfe\xff")
    assert main(["--lang", "ko", (tmp_path / "broken.lq").as_posix()]) == 3
    check(capfd.readouterr().err, "E3039")
    assert main(["--lang", "ko", (tmp_path / "nothere.lq").as_posix()]) == 3
    assert " 파일을 읽을 수 없습니다: " in capfd.readouterr().err  # behind it the system's own words
