"""docs/tutorials/registry.md and ntfs.md: every command prints what the page says, every query is the saved one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.tutorials import PAGES, enter_sample_folder, replayed


@pytest.mark.parametrize(("page", "commands"), [("registry", 8), ("ntfs", 8)])
def test_tutorial_prints_what_it_says(
    page: str, commands: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    enter_sample_folder(tmp_path, monkeypatch)
    assert replayed(PAGES / f"{page}.md", capsys) == commands


@pytest.mark.parametrize(
    ("page", "names"),
    [("registry", ["usb-leak"]), ("ntfs", ["deleted-executable", "journal-by-reason", "journal-with-paths"])],
)
def test_queries_on_the_page_are_the_saved_ones(page: str, names: list[str]) -> None:
    shown = re.findall(r"```lq\n(.*?)```", (PAGES / f"{page}.md").read_text("utf-8"), re.S)
    saved = [(ROOT / "sample_data" / "queries" / f"{name}.lq").read_text("utf-8") for name in names]
    assert [text.split("\n", 1)[1].removeprefix("| ").strip() for text in saved] == [text.strip() for text in shown]
