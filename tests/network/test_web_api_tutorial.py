"""docs/tutorials/web-api.md: what its commands print, against a server that stands in for the service."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.network.conftest import Net
from tests.servers import virustotal as vt
from tests.servers.virustotal import VirusTotal
from tests.tutorials import PAGES, carried_out, console_lines, enter_sample_folder, same_output

PAGE = (PAGES / "web-api.md").read_text(encoding="utf-8")
NAMES = ("hash.lq", "address.lq", "many.lq")


def test_the_page_as_it_is_written(
    net: Net,
    virustotal: VirusTotal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    enter_sample_folder(tmp_path, monkeypatch)
    monkeypatch.setenv("VT_KEY", vt.KEY)
    net.settings["resolve"] = virustotal.resolve
    net.more = re.findall(r"```toml\n(.*?)```", PAGE, re.S)[0]
    monkeypatch.setenv("LOGSQL_CONFIG", str(net.file))
    for name, query in zip(NAMES, re.findall(r"```lq\n(.*?)```", PAGE, re.S), strict=True):
        (tmp_path / name).write_text(query, encoding="utf-8")
    shown = list(console_lines(PAGE))
    assert len(shown) == 3
    for line, output in shown:
        found = carried_out(line, capsys).splitlines()
        assert same_output([o for o in output if o.strip()], [f for f in found if f.strip()], exact=True), found
    assert all(request.query["apikey"] == vt.KEY for request in virustotal.server.log)
    assert len(virustotal.server.log) == 4


def test_the_settings_of_the_page_are_settings() -> None:
    found = [set(tomllib.loads(text)) for text in re.findall(r"```toml\n(.*?)```", PAGE, re.S)]
    assert found == [{"network"}, {"network"}]
