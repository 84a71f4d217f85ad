"""The pages for contributors hold: what they say to write is written into a copy of the program, its tests pass, the
commands on the page print what stands there, and every page of reference can be made of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

PAGES = ROOT / "docs" / "contributing"
#: Pages that write whole files, and how many.
WHOLE = {"view": 2, "reader": 4, "command": 1, "parser": 1}
FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)```$", re.M | re.S)
#: Run inside the copy: the tests of the pages, and what their consoles show.
CONSOLE = r'''
"""The consoles of the pages."""

import shlex
from pathlib import Path

import pytest

from docs.reference import pages
from logsql.cli import main
from tests.tutorials import console_lines

COPY = Path(__file__).parents[1]
LINES = [
    pytest.param(line, said, id=f"{page}-{number}")
    for page in ("view", "reader", "command", "parser")
    for number, (line, said) in enumerate(console_lines((COPY / f"docs/contributing/{page}.md").read_text("utf-8")))
    if line.startswith("logsql ")
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    from page_tests.test_screen_savers import hive

    (tmp_path / "NTUSER.DAT").write_bytes(hive())
    (tmp_path / "hosts.txt").write_bytes((COPY / "hosts.txt").read_bytes())
    (tmp_path / "sample_data").symlink_to(COPY / "sample_data")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("line", "said"), LINES)
def test_console(line, said, capsys):
    try:
        main(shlex.split(line)[1:])
    except SystemExit:
        pass
    found = capsys.readouterr()
    assert (found.out + found.err).splitlines() == said


def test_the_new_ones_have_a_page_and_examples_that_hold():
    assert {f"commands/{name}.md" for name in ("reg-screen-savers", "hosts-file", "dedup")} <= pages().keys()
    assert len(LINES) >= 6
'''


def test_what_the_pages_say_works(tmp_path: Path) -> None:
    for folder in ("logsql", "udfs", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for folder in ("tests", "sample_data"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    own = tmp_path / "page_tests"
    own.mkdir()
    (own / "__init__.py").touch()
    (own / "test_console.py").write_text(CONSOLE, encoding="utf-8")
    for page, count in WHOLE.items():
        files = FILE.findall((PAGES / f"{page}.md").read_text("utf-8"))
        assert len(files) == count, page
        for name, content in files:
            assert not (ROOT / name).exists(), f"{page}.md writes {name}, which is in the tree"
            place = own / Path(name).name if name.startswith("tests/") else tmp_path / name
            place.write_text(content, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "page_tests"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", ["function", "view", "reader", "command", "parser", "error"])
def test_a_file_that_a_page_names_is_there(page: str) -> None:
    text = (PAGES / f"{page}.md").read_text("utf-8")
    written = {name for p in WHOLE for name, _ in FILE.findall((PAGES / f"{p}.md").read_text("utf-8"))}
    new = {"docs/reference/functions/reverse.md"} | {
        f"docs/reference/commands/{name}.md" for name in ("reg-screen-savers", "hosts-file", "dedup")
    }
    named = set(re.findall(r"`((?:logsql|udfs|tests|docs|bench)/[\w./]+\.\w+)`", text)) - written - new
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()
