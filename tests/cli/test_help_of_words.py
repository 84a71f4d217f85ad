"""``logsql help WORD`` of what a server did not answer, and pages that name others."""

from __future__ import annotations

import pytest

from logsql.cli import main
from logsql.diagnostics.network import WORDS
from logsql.registry import COMMANDS


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_a_page(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert main(["help", word]) == 0
    assert f"{word} - {WORDS[word].fill()}" in capsys.readouterr().out


def test_a_word_says_what_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "refused-private"]) == 0
    assert 'write allow = ["HOST:PORT"] under [network]' in capsys.readouterr().out
    assert main(["help", "refused-privat"]) != 0
    assert "refused-private" in capsys.readouterr().err


@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_page_on_a_terminal_has_a_link_to_a_file(capsys: pytest.CaptureFixture[str], language: str) -> None:
    for name in COMMANDS:
        main(["--lang", language, "help", name])
    assert ".md)" not in capsys.readouterr().out
