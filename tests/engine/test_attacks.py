"""Thousands of tries to get out of safe mode, generated: every way to write a path, in every place that takes one.

No try may read or write outside, tell what is there, end the process, or be answered with anything but a diagnostic.
By day a fixed sample, at night all.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from logsql.cli import main
from logsql.diagnostics.errors import LogsqlError
from logsql.registry import COMMANDS
from logsql.shell.repl import Settings, Shell
from logsql.shell.voice import Voice
from tests.engine.test_safe_verdicts import VERDICTS
from tests.support import nightly

pytestmark = pytest.mark.posix("links")

SECRET = "TOPSECRET-4711"
#: Ways to write a file outside ({o} the folder outside, {c} the allowed one, {n} its name), and places that take one.
TEXTS = json.loads((Path(__file__).parent / "attacks.json").read_text(encoding="utf-8"))
PATHS, FRAMES, STATEMENTS, SHELL = (TEXTS[name] for name in ("paths", "frames", "statements", "shell"))
WORDS: list[list[str]] = TEXTS["words"]
NAMES = ("s.txt", "s.csv", "s.json")
_MORE = ("-", "zipfile", "sqlite-records")
PIPES = [f'{n} "{{p}}"' for n, s in COMMANDS.items() if s.reads is not None and n not in _MORE] + TEXTS["pipes"]
_TABLES = VERDICTS["table functions"].items()
CALLS = [f"{name}('{{p}}')" for name, verdict in _TABLES if verdict in ("reads", "refused")] + TEXTS["calls"]
SETTINGS = [f"SET {name}='{{p}}'" for name, verdict in VERDICTS["settings"].items() if verdict == "locked"]


def tries() -> list[tuple[str, str, str]]:
    """Kind, text with {p}, path with {n}."""
    made = [("pipe", text, path) for text in PIPES for path in PATHS]
    framed = [frame.replace("{call}", call) for call in CALLS for frame in FRAMES[:2]]
    made += [("sql", text, path) for text in framed for path in PATHS[:6]]
    every = [frame.replace("{call}", call) for call in ("read_text('{p}')", "'{p}'") for frame in FRAMES]
    made += [("sql", text, path) for text in every for path in PATHS]
    made += [("sql", text, path) for text in (*STATEMENTS, *SETTINGS) for path in PATHS[:4]]
    made += [("shell", text, path) for text in SHELL for path in PATHS[:6]]
    made += [("words", str(number), path) for number in range(len(WORDS)) for path in PATHS[:6]]
    return made


ALL = tries()
PART = 40  # tries of one test: a failure names it, and few tests are cheap
SAMPLE = ALL if nightly() else ALL[:: len(ALL) // 160]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("attack")
    case, other = root / "case", root / "other"
    for folder in (case / "a", case / "x" / "y", other / "fold"):
        folder.mkdir(parents=True)
    for name in NAMES:
        (other / name).write_text(f'{{"a": "{SECRET}"}}\n', encoding="utf-8")
        (case / f"to-{name}").symlink_to(other / name)
    (case / "to-z.txt").symlink_to(other / "z.txt")  # a link is there, what it leads to is not
    (case / "to-fold").symlink_to(other / "fold")
    (case / "ok.csv").write_text("a\n1\n", encoding="utf-8")
    (case / "link").symlink_to(other)
    (case / "deep").symlink_to("link")
    (case / "a" / "in").symlink_to("../x/y")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(root / "home"))
        yield root


def tree(root: Path) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for folder, folders, files in os.walk(root):
        found |= dict.fromkeys(os.path.join(folder, name) for name in folders)
        paths = [os.path.join(folder, name) for name in files]
        found |= {path: Path(path).read_bytes() for path in paths if os.path.isfile(path)}
    return found


def carried_out(session: logsql.Session, root: Path, kind: str, text: str, path: str) -> str:
    """Everything that comes back. Anything raised but a diagnostic is a failure of the test."""
    try:
        if kind == "pipe":
            return str(session.query(text, {"p": path}).rows())
        if kind == "sql":
            return str(session.sql(text).rows())
        out, err = io.BytesIO(), io.StringIO()
        Shell(session, Settings(), out, Voice(err)).execute(text)
        return out.getvalue().decode() + err.getvalue()
    except LogsqlError as error:
        said = error.diagnostic
        return f"{said.code} {said.message} {said.help} {said.notes}"


@pytest.mark.parametrize("part", range(0, len(SAMPLE), PART))
def test_nothing_comes_of_it(place: Path, part: int, capfd: pytest.CaptureFixture[str]) -> None:
    case, other = str(place / "case"), str(place / "other")
    before = tree(place)
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[case], threads=1) as session:
        for kind, text, way in SAMPLE[part : part + PART]:
            told = set()
            for name in ("s.txt", "z.txt"):  # of a letter that no escape has
                path = way.format(c=case, o=other, n=name)
                if kind == "words":
                    words = [word.format(p=path, c=case) for word in WORDS[int(text)]]
                    code = main(["--safe", "--allow-dir", case, *words])
                    said = f"{code} {''.join(capfd.readouterr())}"
                else:
                    said = carried_out(session, place, kind, text.format(p=path, c=case), path)
                assert SECRET not in said, (kind, text, path)
                assert not {"internal error", "Traceback"} & set(re.findall("internal error|Traceback", said)), said
                told.add(said.replace(path, "P").replace(name, "N").replace(path.replace("'", "''"), "P"))
            assert len({bare(said) for said in told}) == 1, (kind, text, way, told)
    assert tree(place) == before


def bare(said: str) -> str:
    """Its beginning: behind it stand the query with the name in it, and what the length of a name does to carets."""
    return said[:60]


def test_there_are_enough() -> None:
    assert len(ALL) >= 2500
