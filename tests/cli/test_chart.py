"""``logsql chart``: pictures from the command line, in a process of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.support import make_database, run

CHART = ("chart", "3d", "-q", "table web | eval n = seq()", "--x", "n", "--y", "status", "--color", "src")


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(make_database(tmp_path / "case.duckdb"))


def test_picture_of_a_query(database: str, tmp_path: Path) -> None:
    picture = tmp_path / "web.html"
    done = run("--db", database, *CHART, "--z", "status", "--title", "Statuses", "-o", str(picture))
    assert (done.returncode, done.stderr.decode()) == (0, done.stderr.decode()), done.stderr
    text = picture.read_text("utf-8")
    assert "<title>Statuses</title>" in text
    found = re.search(r'id="data">(.*?)</script>', text, re.S)
    assert found
    legend = json.loads(found[1])["legend"]
    assert sorted((entry["name"], entry["count"]) for entry in legend) == [
        ("10.0.0.1", 1),
        ("10.0.0.2", 1),
        ("서울", 1),
    ]


def test_points_without_a_value_are_counted(database: str, tmp_path: Path) -> None:
    picture = tmp_path / "web.html"
    done = run("--db", database, *CHART, "--z", "bytes", "-o", str(picture))  # one of the three has no bytes
    assert done.returncode == 0, done.stderr
    assert re.search(r"\b2 points", done.stdout.decode() + done.stderr.decode())
    assert re.search(r"\b1 ", done.stdout.decode() + done.stderr.decode())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--z", "bites", "-o", "x.html"), "bites"),
        (("-o", "x.html"), "--z"),
        (("--z", "bytes", "-o", "x.bmp"), ".html or .png"),
    ],
    ids=["unknown field", "axis missing", "unknown kind of file"],
)
def test_wrong_calls_make_no_file(database: str, tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    done = run("--db", database, *CHART, *words, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert not list(tmp_path.glob("x.*"))
