"""Every operation that writes, ended by kill -9 at every moment of its writing.

Nothing that was there is lost, nothing half-written is read, and the next writing leaves nothing of it behind. The
table in ``docs/crash-safety.md`` says what each operation promises.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import logsql
from tests.support import ROOT, nightly, sample
from udfs.appendnote import note_path

pytestmark = pytest.mark.posix("kill -9, fork")

ROWS = 3_000
BEGIN = "import logsql, sys\n"
OPEN = (
    f"{BEGIN}s = logsql.connect('case.duckdb', tz='UTC', threads=1, allow_purge=True)\nsys.audit('logsql.begin', '')\n"
)
PREPARE = f"""{BEGIN}
s = logsql.connect('case.duckdb', tz='UTC', threads=1)
day = "timestamptz '2024-01-01' + interval (range // 1500) day"
s.sql(f"create table t as select {{day}} _time, range a from range({ROWS})").rows()
s.sql("create table other as select * from t limit 10").rows()
s.close()
open('l.csv', 'w').write('a,b\\n1,new\\n')
open('out.txt', 'w').write('old\\n')
open('old.csv', 'w').write('a,b\\n1,old\\n')
"""


@dataclass(frozen=True)
class Work:
    """An operation. ``whole`` tells whether what is in a folder afterwards is all or nothing of it; ``again`` is what
    the user does next, behind which nothing of the killed run is left. ``native``: DuckDB writes by itself."""

    script: str
    whole: Callable[[Path], bool]
    again: str = ""
    before: str = ""
    native: bool = False


def query(text: str) -> str:
    return f"{OPEN}s.query({text!r}).rows()\ns.close()\n"


def lines(name: str, *counts: int) -> Callable[[Path], bool]:
    """The file is not there, or has one of these numbers of whole lines."""

    def whole(folder: Path) -> bool:
        path = folder / name
        if not path.exists():
            return 0 in counts
        data = path.read_bytes()
        return data.endswith(b"\n") and data.count(b"\n") in counts

    return whole


def table(text: str, *answers: object) -> Callable[[Path], bool]:
    """What the database says; None: there is no such table."""

    def whole(folder: Path) -> bool:
        with duckdb.connect(str(folder / "case.duckdb")) as found:
            try:
                row = found.execute(text).fetchone()
            except duckdb.CatalogException:
                return None in answers
        return row is not None and row[0] in answers

    return whole


def moved(folder: Path) -> bool:
    """Every row is in the table or in a file that can be read, and a day is in both only until the next run."""
    with duckdb.connect(str(folder / "case.duckdb")) as found:
        rows = {a for (a,) in found.execute("select a from t").fetchall()}
    for path in (folder / "backup").rglob("*.parquet") if (folder / "backup").exists() else ():
        if not path.name.startswith("."):
            rows |= set(pq.read_table(path, columns=["a"])["a"].to_pylist())
    return rows == set(range(ROWS))


def parquet(name: str) -> Callable[[Path], bool]:
    def whole(folder: Path) -> bool:
        return not (folder / name).exists() or pq.read_table(folder / name).num_rows == ROWS

    return whole


def partitions(folder: Path) -> bool:
    found = list((folder / "days").rglob("*.txt")) if (folder / "days").exists() else []
    return all(lines(str(path.relative_to(folder)), 1500)(folder) for path in found)


def unpacked(folder: Path) -> bool:
    path = folder / "new.gz"
    return not path.exists() or gzip.decompress(path.read_bytes()).count(b"\n") == ROWS


def one_of(*names: str) -> Callable[[Path], bool]:
    return lambda folder: sum((folder / name).exists() for name in names) == 1


def looked_up(folder: Path) -> bool:
    kept = list(folder.rglob("lookups/*.parquet"))
    return len(kept) == 1 and pq.read_table(kept[0])["b"].to_pylist() in (["old"], ["new"])


IN_PLACE = "import logsql.store.appending as appending\nappending.MOST_COPIED = 0\n"
APPEND = "table t | outputtxt append=t out.txt a"
MODEL = f"""{BEGIN}
from logsql.ml.model import FitOptions, Manifest, ModelKind
from logsql.ml.store import ModelStore
store = ModelStore('case.duckdb.ml', key_file='home/seal.key')
manifest = Manifest('NAME', ModelKind.RFOREST, 'x', ('a',), 'b', 2, FitOptions(trees=5))
sys.audit('logsql.begin', '')
'NAME' in store.names() and store.remove('NAME')
store.create(manifest)
"""


def described(folder: Path) -> bool:
    return all(json.loads(path.read_text())["manifest"] for path in folder.rglob("models/*.json"))


def profiled(folder: Path) -> bool:
    """The profile is the old one or the new one, and nobody else may read the file."""
    path = folder / "profiles.toml"
    found = tomllib.loads(path.read_text("utf-8"))["profiles"]
    return path.stat().st_mode & 0o777 == 0o600 and found in ({"a": OLD}, {"a": OLD, "b": {**OLD, "path": "/new"}})


OLD = {"kind": "sqlite", "path": "/old"}
PROFILE = (
    "import logsql.cli\nopen('config.toml', 'a').close()\n"
    "logsql.cli.main(['--config', 'config.toml', 'profile', 'set', 'NAME', 'kind=sqlite', 'path=PLACE'])"
)
SET_NEW = PROFILE.replace("NAME", "b").replace("PLACE", "/new")
#: Written beside what a killed run left, which then goes.
BESIDE = query("table t | outputtxt b.txt a")
COPY, MOVE = ("copytable path=backup tables=t", "copytable move=t path=backup tables=t")
DAYS = 'table t | outputtxt partition=t OVER "days/{logtime:yyyy-MM-dd}.txt" a'
WORKS = {
    "outputcsv": Work(query("table t | outputcsv new.csv a"), lines("new.csv", 0, ROWS + 1), BESIDE),
    "outputtxt append": Work(query(APPEND), lines("out.txt", 1, ROWS + 1), BESIDE),
    "outputjson": Work(query("table t | outputjson overwrite=t out.txt a"), lines("out.txt", 1, ROWS), BESIDE),
    "outputcsv append": Work(query("table t | outputcsv append=t new.csv a"), lines("new.csv", 0, ROWS + 1), BESIDE),
    "outputtxt gz": Work(query("table t | outputtxt gz=t new.gz a"), unpacked, BESIDE),
    "outputtxt partition": Work(
        query(DAYS.replace("OVER ", "")), partitions, query(DAYS.replace("OVER", "overwrite=t"))
    ),
    "mv": Work(query("table other | mv from=old.csv to=moved.csv"), one_of("old.csv", "moved.csv"), BESIDE),
    "-o": Work(
        "import logsql.cli\nlogsql.cli.main(['-q', 'table t', '--db', 'case.duckdb', '-o', 'new.parquet'])",
        parquet("new.parquet"),
        BESIDE,
    ),
    "import": Work(query("table t | import create=t new"), table("select count(*) from new", None, ROWS), native=True),
    "import more": Work(
        query("table t | import other"), table("select count(*) from other", 10, ROWS + 10), native=True
    ),
    "insert": Work(
        query('table t | eval into = "other" | insert table=into'),
        table("select count(*) from other", 10, ROWS + 10),
        native=True,
    ),
    "purge": Work(query("purge from=20240101 to=20240101 t"), table("select count(*) from t", ROWS, 1500), native=True),
    "copytable": Work(query(COPY), moved, query(COPY.replace("path", "overwrite=t path")), native=True),
    "copytable move": Work(query(MOVE), moved, query(MOVE), native=True),
    "lookup": Work(
        f"{OPEN}s.add_lookup('l', 'l.csv', keep=True)\ns.close()",
        looked_up,
        f"{OPEN}s.add_lookup('l', 'l.csv', keep=True)\ns.close()",
        before=f"{OPEN}s.add_lookup('l', 'old.csv', keep=True)\ns.close()",
    ),
    "save": Work(
        f"{OPEN}s.save(s.query('table t | fields a'), 'kept')\ns.close()",
        lambda folder: all(pq.read_table(p).num_rows == ROWS for p in folder.rglob("results/kept.parquet")),
        f"{OPEN}s.save(s.query('table t | fields a'), 'kept')\ns.close()",
    ),
    "profile set": Work(SET_NEW, profiled, SET_NEW, before=PROFILE.replace("NAME", "a").replace("PLACE", "/old")),
    "ml model": Work(
        MODEL.replace("NAME", "m"), described, MODEL.replace("NAME", "n"), before=MODEL.replace("NAME", "m")
    ),
}


class Killer:
    """The process that forks one for every piece of work."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.killed"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, script: str, moment: str = "0") -> tuple[int, list[str]]:
        """How the work ended, and the moments that passed (told when it was not to be killed)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), "script": script, "moment": moment}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["ended"], answer["moments"]

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    made = Killer()
    yield made
    made.close()


def fresh(killer: Killer, template: Path, work: Work) -> Path:
    """A folder as it is before the work."""
    if not template.exists():
        (template / "home").mkdir(parents=True)
        for script in (PREPARE, *([work.before] if work.before else [])):
            assert killer.run(template, script)[0] == 0
    folder = template.with_name("killed")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder


def chosen(moments: list[str], work: Work) -> list[str]:
    """Where the process is ended: at night everywhere and, where DuckDB writes, at 12 times; by day at two moments."""
    every = [str(number) for number in range(1, len(moments) + 1)]
    seeded = random.Random(len(moments))
    begun = moments.index("logsql.begin") + 1 if "logsql.begin" in moments else 1
    later = [f"{begun}.{seeded.randrange(1, 120)}" for _ in range(12)] if work.native else []
    return every + later if nightly() else seeded.sample(every, min(2, len(every))) + later[:1]


def left(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob(".logsql-*")]


BY_DAY = ["outputtxt append", "import", "copytable move", "profile set"]


@pytest.mark.parametrize("name", list(WORKS) if nightly() else BY_DAY)
def test_killed_at_a_moment_of_its_writing(killer: Killer, tmp_path: Path, name: str) -> None:
    work = WORKS[name]
    folder = fresh(killer, tmp_path / "template", work)
    ended, moments = killer.run(folder, work.script)
    assert (ended, left(folder), work.whole(folder)) == (0, [], True)
    assert moments
    killed = 0
    for moment in chosen(moments, work):
        folder = fresh(killer, tmp_path / "template", work)
        ended, _ = killer.run(folder, work.script, moment)
        assert ended in (-9, 0), (name, moment)
        killed += ended == -9
        assert work.whole(folder), f"{name}: half of it is there after a kill at {moment}"
        if work.again:
            assert killer.run(folder, work.again)[0] == 0, (name, moment)
            assert left(folder) == [], (name, moment)
    assert killed


def test_an_append_in_place_that_was_killed_is_cut_off_by_the_next_one(killer: Killer, tmp_path: Path) -> None:
    """A file too large to be copied: what a killed writer left behind its old end is no row."""
    work = Work(IN_PLACE + query(APPEND), lines("out.txt", 1, ROWS + 1))
    folder = fresh(killer, tmp_path / "template", work)
    moments = killer.run(folder, work.script)[1]
    assert "logsql.appended" in moments
    for moment in chosen(moments, work):
        folder = fresh(killer, tmp_path / "template", work)
        killer.run(folder, work.script, moment)
        assert killer.run(folder, IN_PLACE + query("table other | outputtxt append=t out.txt a"))[0] == 0
        assert lines("out.txt", 11, ROWS + 11)(folder), moment
        assert left(folder) == []


def test_an_append_in_place_that_was_killed_is_read_by_nobody(killer: Killer, tmp_path: Path) -> None:
    """At whatever moment the writer dies, readers see all of its rows or none, before the next append cuts them off."""
    work = Work(IN_PLACE + query("table t | outputjson append=t out.json a"), lines("out.json", 1, ROWS + 1))
    folder = fresh(killer, tmp_path / "template", work)
    (tmp_path / "template" / "out.json").write_text('{"a":-1}\n')
    folder = fresh(killer, tmp_path / "template", work)
    moments = killer.run(folder, work.script)[1]
    torn = 0
    begun = moments.index("logsql.begin") + 1
    for number in range(begun, len(moments) + 1, sample(1, 4)):
        folder = fresh(killer, tmp_path / "template", work)
        assert killer.run(folder, work.script, str(number))[0] == -9
        path = folder / "out.json"
        half = path.stat().st_size > 9 and Path(note_path(str(path))).exists()
        torn += half
        for cut in (0, 3) if half else (0,):  # all of the rows, half of the last
            os.truncate(path, path.stat().st_size - cut)
            with logsql.connect(tz="UTC") as s:
                for reader in ("textfile", "csvfile header=f", "jsonfile"):
                    result = s.query(f"{reader} {path} | stats count")
                    assert result.rows()[0]["count"] in ((1,) if half else (1, ROWS + 1)), (reader, number)
                    assert ("unfinished-append" in {entry.reason for entry in result.ledger}) == half
                table = s.query(f"jsonfile {path} | stats sum(a)")
                assert table.rows()[0]["sum(a)"] in (-1, sum(range(ROWS)) - 1)
    assert torn
