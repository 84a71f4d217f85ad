"""Every row is accounted for: rows in = rows out + rows that the command's meaning or the ledger explains.

Every registered command is in exactly one class below. The expected number of rows is computed from the input in plain
Python, by what the language says about the command.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql import Session
from logsql.planner.spec import COMMANDS
from tests.support import ROOT

Rows = list[dict[str, Any]]
Expected = Callable[[Rows], int]


def generated(seed: int, size: int) -> Rows:
    """Rows with repeated, missing and odd values; ``i`` and ``_time`` are unique."""
    chance = random.Random(seed)
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    return [
        {
            "i": i,
            "k": chance.choice([None, 1, 2, 3, 3, 3]),
            "h": chance.choice("ab"),
            "t": chance.choice([None, "", "k=v1", "k=v2 z=3", "no pair", 'broken "', "한글=값"]),
            "js": chance.choice([None, "", '{"z":1}', "{broken", "[1,2]", '{"z":{"y":[1]}}']),
            "n": i + chance.random(),
            "_time": start + dt.timedelta(hours=i),
        }
        for i in range(size)
    ]


SCHEMA = pa.schema(
    [("i", pa.int64()), ("k", pa.int32()), ("h", pa.string()), ("t", pa.string()), ("js", pa.string()),
     ("n", pa.float64()), ("_time", pa.timestamp("us", tz="UTC"))]
)  # fmt: skip
TABLES = {"none": [], "one": generated(1, 1), "some": generated(2, 37), "many": generated(3, 1_500)}

#: Commands that give one row for each row.
KEEP = ("bypass", "sort -k", "fields k, i", "fields - k", "order k", "rename k as kk", "eval z = k + 1", "evalc z = k",
        "prev k", "serial [ eval z = 1 ]", "parallel [ eval z = 1 ]", 'rex field=t "(?<q>v1)"',
        'parse field=t "k=*" as v', "parsekv field=t overlay=t", "parsecsv field=t a, b", "parsejson field=js",
        "parsejson field=js overlay=t", "parsexml field=t", "parsemap field=js", 'split field=t sep="=" a, b', "tojson",
        "eval line = t | signature", "set a = 1", "setq [ table data | limit 1 ]", "import create=t target",
        "insert table=h create=t", "ratelimit 100000",
        "outputcsv overwrite=t {folder}/o.csv i", "outputjson overwrite=t {folder}/o.json",
        "outputtxt overwrite=t {folder}/o.txt i")  # fmt: skip

#: The ``right`` table of joins: key 1 once, key 3 twice, a null key.
RIGHT: Rows = [{"k": 1, "w": 1}, {"k": 3, "w": 2}, {"k": 3, "w": 3}, {"k": None, "w": 4}]
MATCHES = Counter(r["k"] for r in RIGHT if r["k"] is not None)


def groups(rows: Rows, *names: str) -> int:
    return len({tuple(r[n] for n in names) for r in rows})


#: Commands whose number of rows follows from their input.
COUNTED: dict[str, Expected] = {
    "drop": lambda rows: 0,
    "parsekv field=t": lambda rows: sum(r["t"] is not None for r in rows),  # language.md 11.19
    "limit 7": lambda rows: min(7, len(rows)),
    "limit 5 10": lambda rows: max(0, min(len(rows) - 5, 10)),
    "search k == 3": lambda rows: sum(r["k"] == 3 for r in rows),
    "search not(k == 3)": lambda rows: sum(r["k"] != 3 for r in rows),
    "search isnull(k)": lambda rows: sum(r["k"] is None for r in rows),
    "sort limit=5 k": lambda rows: min(5, len(rows)),
    "repeat count=3": lambda rows: 3 * len(rows),
    "eval l = array(i, 7) | explode l": lambda rows: 2 * len(rows),
    "join k [ table right ]": lambda rows: sum(MATCHES[r["k"]] for r in rows),
    "streamjoin type=leftonly k [ table right ]": lambda rows: sum(not MATCHES[r["k"]] for r in rows),
    "join type=left k [ table right ]": lambda rows: sum(max(1, MATCHES[r["k"]]) for r in rows),
    "join type=leftonly k [ table right ]": lambda rows: sum(not MATCHES[r["k"]] for r in rows),
    "union [ table right ]": lambda rows: len(rows) + len(RIGHT),
    "stats count": lambda rows: 1,
    "stats count by k": lambda rows: groups(rows, "k"),
    "stats count by k, h": lambda rows: groups(rows, "k", "h"),
    "pivot count rows k cols h": lambda rows: groups(rows, "k"),
    "timechart span=1d count": lambda rows: len({r["_time"].date() for r in rows}),
    "timechart span=1d count by h": lambda rows: len({r["_time"].date() for r in rows}),
    "rollup count by h": lambda rows: groups(rows, "h") + 1,
    "cube count by h, k": lambda rows: groups(rows, "h", "k") + groups(rows, "h") + groups(rows, "k") + 1,
    "boxplot n by h": lambda rows: groups(rows, "h"),
    "transaction h": lambda rows: groups(rows, "h"),
    "transaction h maxevents=3": lambda rows: sum(-(-n // 3) for n in Counter(r["h"] for r in rows).values()),
    "memlookup op=build name=m key=i k": lambda rows: 0,
}

#: The same for commands that learn from the rows and need enough of them.
LEARNING: dict[str, Expected] = {
    "kmeans k=2 i": len,
    "lof k=3 i": len,
    "curvefit i, n": len,
    "stl period=3h n": len,
    "forecast count=3 n": lambda rows: len(rows) + 3,
}

#: Commands without input rows -> the test in which their rows and what they refused are all that there was. Those of
#: this file are in ``DAMAGE``; a reader of records is held to ``read + refused == there`` for every kind of damage.
DAMAGED = "tests/readers/test_damage.py"
SOURCES = {
    "evtctxlist": "tests/streams",
    "evtctxdrop": "tests/streams",
    "textfile": __file__,
    "csvfile": __file__,
    "jsonfile": __file__,
    "table": __file__,
    "json": "tests/engine/test_ledger.py",
    "-": "tests/test_bad_input.py",
    "xmlfile": "tests/readers/test_text_damage.py",
    "xlsxfile": "tests/readers/test_text_damage.py",
    "zipfile": "tests/readers/test_text_damage.py",
    "load": "tests/engine/test_kept_results.py",
    "result": "tests/engine/test_kept_results.py",
    "proc": "tests/commands/test_procedures.py",
    "system": "tests/commands/test_system.py",
    "lookuptable": "tests/commands/test_lookups.py",
    "fulltext": "tests/commands/test_matching.py",
    "checktable": "tests/commands",
    "copytable": "tests/commands",
    "purge": "tests/commands",
    "timeline": "tests/readers/test_timeline.py",
    "triage": "tests/readers/test_triage.py",
    **dict.fromkeys(("ldapsearch", "dbquery", "dbcall", "dbscript", "rss"), "tests/network"),
    "logger": "tests/streams",
    **dict.fromkeys(
        ("reg-usb", "reg-run-keys", "reg-services", "reg-mru", "amcache-files", "amcache-programs"),
        "tests/readers/test_regviews_more.py",
    ),
    **dict.fromkeys(
        ("evtx-file", "hive-file", "ntfs-logfile", "ntfs-mft", "ntfs-usnjrnl", "sqlite-records", "sqlite-tables",
         "zipfile-entries", "reg-bam-entries", "reg-network-profiles", "reg-opensave-files", "reg-recent-docs",
         "reg-shellbags", "reg-shim-cache", "reg-user-assists"),
        DAMAGED,
    ),
}  # fmt: skip

#: Commands that need a model, a service or a rule set; their row counts are asserted where those are made.
ELSEWHERE = {
    "evtctxadd": "tests/streams",
    "evtctxdel": "tests/streams",
    "rforest": "tests/ml",
    "gboost": "tests/ml",
    "logit": "tests/ml",
    "anomalies": "tests/ml",
    "tfidf": "tests/ml",
    "lookup": "tests/commands/test_lookups.py",
    "schema": "tests/commands",
    "flowsearch": "tests/commands",
    "mpsearch": "tests/commands",
    "mv": "tests/commands/test_outputs.py",
    **dict.fromkeys(
        (
            "wget",
            "nslookup",
            "sendmail",
            "sendsyslog",
            "sendsyslog-tcp",
            "sftp",
            "ftp",
            "dblookup",
            "dbload",
            "dboutput",
        ),
        "tests/network",
    ),
    "stream": "tests/streams",
}


def command_names(query: str) -> set[str]:
    return {part.split()[0] for part in query.split(" | ")}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as session:
        session.register("right", pa.Table.from_pylist(RIGHT, pa.schema([("k", pa.int32()), ("w", pa.int32())])))
        yield session


def counted(session: Session, rows: Rows, query: str, folder: Path) -> tuple[int, dict[str, int]]:
    session.register("data", pa.Table.from_pylist(rows, SCHEMA))
    result = session.query(f"table data | {query.replace('{folder}', str(folder))}")
    return len(result.rows()), {e.reason: e.count for e in result.ledger}


def test_every_command_is_classified() -> None:
    seen = set().union(*(command_names(q) for q in (*KEEP, *COUNTED, *LEARNING)))
    sources = {name for name, spec in COMMANDS.items() if spec.source}
    assert set(COMMANDS) - seen - sources - set(ELSEWHERE) == set()
    assert (seen | set(ELSEWHERE)) - set(COMMANDS) == set()
    assert sources == set(SOURCES)


@pytest.mark.parametrize(("name", "place"), sorted((SOURCES | ELSEWHERE).items()))
def test_the_place_that_accounts_for_a_command_knows_it(name: str, place: str) -> None:
    """The kinds of damage stand beside their test, in files of the same folder."""
    path = ROOT / place
    files = sorted(path.rglob("*.py")) if path.is_dir() else sorted(path.parent.glob("*.py"))
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    assert any(word.search(file.read_text(encoding="utf-8")) for file in files)


@pytest.mark.parametrize("query", KEEP)
def test_a_row_for_each_row(session: Session, tmp_path: Path, query: str) -> None:
    for name, rows in TABLES.items():
        found, _ = counted(session, rows, query, tmp_path)
        assert found == len(rows), name


@pytest.mark.parametrize("query", COUNTED)
def test_as_many_rows_as_the_command_means(session: Session, tmp_path: Path, query: str) -> None:
    for name, rows in TABLES.items():
        found, ledger = counted(session, rows, query, tmp_path)
        assert found == COUNTED[query](rows), (name, ledger)


@pytest.mark.parametrize("query", LEARNING)
def test_rows_that_were_learnt_from_stay(session: Session, tmp_path: Path, query: str) -> None:
    rows = TABLES["some"]
    assert counted(session, rows, query, tmp_path)[0] == LEARNING[query](rows)


def test_a_filter_and_its_opposite_share_the_rows(session: Session, tmp_path: Path) -> None:
    for rows in TABLES.values():
        for test in ("k == 3", "n > 10", 't == "k*"', "isnull(js)"):
            kept, _ = counted(session, rows, f"search {test}", tmp_path)
            others, _ = counted(session, rows, f"search not({test})", tmp_path)
            assert kept + others == len(rows), test


def test_rows_that_were_stored_are_there(session: Session, tmp_path: Path) -> None:
    counted(session, TABLES["some"], "import create=t kept", tmp_path)
    counted(session, TABLES["many"], "import kept", tmp_path)
    assert session.query("table kept | stats count").rows() == [{"count": 1_537}]
    counted(session, TABLES["many"], f"outputcsv overwrite=t {tmp_path}/o.csv i, t", tmp_path)
    assert session.query(f"csvfile {tmp_path}/o.csv | stats count").rows() == [{"count": 1_500}]


# --- fields of any type -----------------------------------------------------------------------------------------------

#: Values of one field: every type, numbers at their edges, texts that look like something else.
ODD: list[Any] = [
    None, "", "x", "12", " 5 ", "NaN", "k=v", "{broken", '{"z":1}', "2024-13-41", "9999999-01-01", "\U0001f600", "a\tb",
    0, -1, 1 << 40, (1 << 63) - 1, -(1 << 63), 1 << 70, 1.5, -0.0, 1e300, True, False, [], [1, "a", None], [[1], []],
    {}, {"k": {"z": [1]}}, {"": None},
]  # fmt: skip
#: Commands that give one row for each row, whatever the field holds.
ODD_KEEP = (
    "eval z = o + 1, y = o * 2 - o", "eval z = -o, y = abs(o)", "eval z = if(o > 1, int(o), -o)", "sort o",
    "sort -o, i", "rename o as p", "order o", "prev o", "serial [ eval z = o ]", "tojson",
    "parsekv field=o overlay=t", "parsejson field=o", "parsejson field=o overlay=t", "parsexml field=o",
    'split field=o sep="=" a, b', "parsemap field=o", 'rex field=o "(?<q>v)"', 'parse field=o "k=*" as v',
    "parsecsv field=o a, b", "parse field=o openssh", "parse field=o json", "evalc z = o",
    "import create=t odd", "eval line = o | signature",
    "streamjoin type=left i [ table right | rename k as i ]", "ratelimit 100000",
    "outputjson overwrite=t {folder}/odd.json", "outputcsv overwrite=t {folder}/odd.csv o"
)  # fmt: skip


@pytest.fixture(scope="module")
def odd() -> tuple[str, int]:
    """``json`` of rows whose field ``o`` is of any type, and how many rows they are."""
    chance = random.Random(10)
    rows = [{"i": 100 + i, "o": chance.choice(ODD)} for i in range(120)] + [{"i": 0, "o": value} for value in ODD]
    text = json.dumps(rows, ensure_ascii=False).replace("\\", "\\\\").replace('"', '\\"')
    return f'json "{text}"', len(rows)


@pytest.mark.parametrize("query", ODD_KEEP)
def test_a_row_for_each_row_of_any_type(session: Session, odd: tuple[str, int], tmp_path: Path, query: str) -> None:
    source, count = odd
    assert len(session.query(f"{source} | {query.replace('{folder}', str(tmp_path))}").rows()) == count


@pytest.mark.parametrize(
    "test",
    ["o == 12", 'o == "*1*"', "o > 1", 'o < "m"', "o", "isnum(o)", "in(o, 1, true)", "int(o) > 0", 'contains(o, "a")'],
)
def test_a_filter_and_its_opposite_share_rows_of_any_type(session: Session, odd: tuple[str, int], test: str) -> None:
    """A test of null is null (language.md 3.3): such rows are in neither half."""
    source, count = odd
    shares = (test, f"not({test})", f"isnull({test})")
    assert sum(len(session.query(f"{source} | search {words}").rows()) for words in shares) == count


@pytest.mark.parametrize("command", ["stats count by o", "pivot count rows o", "rollup count by o"])
def test_groups_of_any_type_hold_every_row(session: Session, odd: tuple[str, int], command: str) -> None:
    """The rows of all groups are the rows that came in (``rollup``: and once more in the total)."""
    source, count = odd
    found = session.query(f"{source} | {command}").rows()
    counts = [value for row in found for name, value in row.items() if name != "o" and value is not None]
    assert sum(counts) == count * (2 if command.startswith("rollup") else 1)


# --- readers ----------------------------------------------------------------------------------------------------------

DAMAGE = {
    "textfile": [b"plain", b"\xff\xfe", b"a\0b", "한글".encode(), b"x" * 70_000],
    "csvfile": [b"1,2", b"1", b"1,2,3", b"\xff,2", b'"a,b",c', b"a\0,b"],
    "jsonfile": [b'{"a":1}', b'{"a":"x"}', b'{"b":', b"text", b"[1]", b"7", b"null", b'{"a":"\xff"}', b'{"a":[]}'],
}  # fmt: skip
NO_ROW = ("broken-json", "not-an-object")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("command", DAMAGE)
def test_lines_are_rows_or_ledger_entries(
    session: Session, tmp_path: Path, command: str, seed: int, packed: bool
) -> None:
    chance = random.Random(seed)
    lines = [chance.choice(DAMAGE[command]) for _ in range(chance.choice([1, 20, 700]))]
    data = b"\n".join(([b"a,b"] if command == "csvfile" else []) + lines) + chance.choice([b"", b"\n"])
    path = tmp_path / ("x.gz" if packed else "x")
    path.write_bytes(gzip.compress(data) if packed else data)
    result = session.query(f"{command} {path}")
    rows = len(result.rows())
    refused = sum(e.count for e in result.ledger if e.reason in NO_ROW)
    assert rows + refused == len(lines)
    if command == "jsonfile":
        assert rows == sum(line.startswith(b"{") and line.endswith(b"}") for line in lines)
