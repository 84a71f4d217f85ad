"""docs/tutorials/outliers.md: the commands print what the page says, and the picture holds every transaction."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.tutorials import PAGES, carried_out, console_lines, enter_sample_folder, same_output

PAGE = PAGES / "outliers.md"


def test_planted_outliers_and_their_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = enter_sample_folder(tmp_path, monkeypatch)
    text = PAGE.read_text("utf-8")
    (query,) = re.findall(r"```lq\n(.*?)```", text, re.S)
    (folder / "outliers.lq").write_text(query, "utf-8")
    printed: list[str] = []
    for line, expected in console_lines(text):
        printed.append(carried_out(line, capsys))
        assert same_output(expected, [one.rstrip() for one in printed[-1].splitlines()], exact=False), line
    # 20 transactions of the sample are planted: at least 19 are found (recall 0.95), and nothing else is an outlier.
    counts = {tuple(words[:2]): int(words[2]) for words in map(str.split, printed[1].splitlines()[2:])}
    assert counts["outlier", "1"] >= 19
    assert ("outlier", "0") not in counts
    found = re.search(r'id="data">(.*?)</script>', (folder / "outliers.html").read_text("utf-8"), re.S)
    assert found
    legend = {entry["name"]: entry["count"] for entry in json.loads(found[1])["legend"]}
    assert sum(legend.values()) == 2000
    assert legend["outlier"] == counts["outlier", "1"]
