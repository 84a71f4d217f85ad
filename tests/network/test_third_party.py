"""The page docs/contributing/connector.md: its package is installed as the page says, and its command is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import ROOT

PAGE = (ROOT / "docs" / "contributing" / "connector.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.S)
    assert found is not None
    return found[1]


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that has the package."""
    (tmp_path / "acme_logsql.py").write_text(block("python"), encoding="utf-8")
    told = tmp_path / "acme_logsql-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-logsql\nVersion: 1.0\n", encoding="utf-8")
    groups = tomllib.loads(block("toml"))["project"]["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in found.items()) for group, found in groups.items()]
    (told / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}


def run(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "logsql", *words], env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command_of_the_page_runs(installed: dict[str, str]) -> None:
    done = run(installed, "-q", "tick")
    assert done.stdout.splitlines() == block("console").splitlines()[1:], done.stderr


def test_it_is_listed_and_has_its_page(installed: dict[str, str]) -> None:
    assert "tick" in run(installed, "commands").stdout.split()
    assert "Count what the service counts." in run(installed, "help", "tick").stdout


def test_without_the_package_there_is_no_such_command() -> None:
    done = run({**os.environ, "PYTHONPATH": str(ROOT)}, "-q", "tick")
    assert done.returncode == 1
    assert "92000" in done.stderr


def test_a_package_replaces_none_of_ours(installed: dict[str, str], tmp_path: Path) -> None:
    told = tmp_path / "acme_logsql-1.0.dist-info" / "entry_points.txt"
    told.write_text("[logsql.connectors]\nhttp = acme_logsql:Clock\n", encoding="utf-8")
    code = "import logsql\nwith logsql.connect() as s:\n    print(type(s.workspace.services.get('http')).__module__)\n"
    done = subprocess.run([sys.executable, "-c", code], env=installed, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "logsql.connectors.http", done.stderr
