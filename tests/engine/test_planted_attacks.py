"""A database in the allowed folder that somebody else prepared: its state folder is full of links that lead outside.

Each link has four kinds of target: a file, nothing, a folder, a pipe. No answer may tell which, nothing outside may be
read or written, and nothing else than a diagnostic may come. By day a sample, at night all.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from logsql.cli import main
from logsql.store.folders import file_stem
from tests.engine.test_attacks import SECRET, TEXTS, tree
from tests.support import sample

pytestmark = pytest.mark.posix("links, pipes")

WORDS: list[list[str]] = TEXTS["planted"]
NAMES = ("lnk-s", "lnk-z", "lnk-f", "lnk-p")
#: Whether the folder of the database may be written to.
TRIES = [(words, writable) for words in WORDS for writable in (False, True)]
PART = 20
SAMPLE = TRIES[:: sample(1, 9)]


def plant(case: Path, other: Path) -> None:
    """The database, and links of every name wherever the program looks by itself."""
    work = case / "w"
    state = work / "c.duckdb.ml"
    with duckdb.connect(str(work / "c.duckdb")) as made:
        made.execute("create table t as select 1 a")
        made.execute(f"create view v as select * from read_text('{other}/s')")
        made.execute(f"create macro mac() as table select * from read_text('{other}/s')")
        made.execute(f"create macro scalar_mac() as (select content from read_text('{other}/s'))")
    for name in NAMES:
        target = other / name[-1]
        stem = file_stem(name)
        places = [
            state / "results" / f"{name}.parquet",
            state / "procs" / f"{name}.lq",
            state / "schemas" / f"{name}.json",
        ]
        places += [state / "objects" / kind / f"{name}.txt" for kind in ("ip", "port", "text")]
        places += [state / "lookups" / f"{stem}.parquet", state / "inputs" / f"{stem}.json"]
        places += [state / "models" / f"{stem}.json", case / "procs" / f"{name}.lq"]
        places += [work / f"{name}{ending}" for ending in ("", ".json", ".html", ".db")]
        places += [case / f"{name}{ending}" for ending in (".db", ".hve", ".jsonl")]
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)
        (case / "procs" / f"asks-{name}.lq").write_text(f"textfile {target}")
        for kind, wanted in (("far", str(target)), ("asks", f"textfile {target}")):
            held = {"name": f"{kind}-{name}", "kind": "csv" if kind == "far" else "query", "target": wanted, "size": 1}
            card = state / "inputs" / f"{file_stem(f'{kind}-{name}')}.json"
            card.write_text(json.dumps({**held, "fields": [], "stamp": [0, 0]}))
    with zipfile.ZipFile(case / "evil.zip", "w") as archive:
        for member in (*(f"../other/{name}" for name in NAMES), "/dev/zero", "/etc/passwd", "..", "C:\\x", "a/../../b"):
            archive.writestr(member, "inside\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("planted")
    case, other = root / "case", root / "other"
    for folder in (case / "w", other / "f" / SECRET):
        folder.mkdir(parents=True)
    (other / "s").write_text(f'{{"a": "{SECRET}"}}\n')
    os.mkfifo(other / "p")
    (case / "ok.csv").write_text("a\n1\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(root / "home"))
        patch.chdir(root)
        plant(case, other)
        yield root


@pytest.mark.parametrize("part", range(0, len(SAMPLE), PART))
def test_nothing_comes_of_links_in_the_state_folder(place: Path, part: int, capfd: pytest.CaptureFixture[str]) -> None:
    case, other = place / "case", place / "other"
    before = tree(other)
    for words, writable in SAMPLE[part : part + PART]:
        told = set()
        for name in NAMES:
            facts = {"c": case, "o": other, "s": case / "w" / "c.duckdb.ml", "m": name}
            fence = ["--safe", "--allow-dir", str(case), *(["--allow-write", str(case / "w")] if writable else [])]
            code = main([*fence, "--db", str(case / "w" / "c.duckdb"), *(word.format(**facts) for word in words)])
            said = f"{code} {''.join(capfd.readouterr())}"
            assert SECRET not in said, (words, name)
            assert not re.search("internal error|Traceback", said), (words, name, said)
            told.add(re.sub(r"lnk-\w(\.[0-9a-f]{8})?", "N", said)[:200])
        assert len(told) == 1, (words, writable, told)
        assert tree(other) == before, (words, writable)
    assert not (place / "home").exists()


def test_there_are_enough() -> None:
    assert len(TRIES) * len(NAMES) >= 600
