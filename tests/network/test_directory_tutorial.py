"""docs/tutorials/directory.md: every command prints what the page says, over the test server's directory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logsql.language.parser import parse_query
from logsql.planner.spec import GRAMMAR
from tests.network.ldap_support import ARTICLE, READER, configuration
from tests.servers.directory import Directory
from tests.tutorials import PAGES, enter_sample_folder, replayed

pytest.importorskip("ldap3", reason="package not installed: ldap3 (extra ldap)")
PAGE = PAGES / "directory.md"


@pytest.mark.posix("slapd")
def test_the_page_prints_what_it_says(
    directory: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    enter_sample_folder(folder, monkeypatch)
    keys = {"url": directory.tls_url, "ca_file": str(directory.authority.ca_file), **READER}
    monkeypatch.setenv("LOGSQL_CONFIG", str(configuration(tmp_path, AD=keys)))
    assert replayed(PAGE, capsys) == 10


def test_the_queries_of_the_article_are_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    assert all(query in text for query in ARTICLE)


def test_the_query_with_another_source_is_one() -> None:
    (query,) = re.findall(r"```lq\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert [command.name for command in parse_query(query, GRAMMAR).commands] == ["csvfile", "join", "search"]
