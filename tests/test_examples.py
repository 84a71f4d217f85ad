"""The vendor's own queries: 653 texts of the manual, the blog and the tool's pages, with what they print.

Every complete query parses or is refused by the name of a command; every query whose input exists (a JSON literal, the
outside data, or the stand-ins of tests/examples_inputs.py) runs to its last row; where the corpus carries the printed
output, the rows are the same. What differs is listed below with its reason, and a listed difference that has gone is a
failure too. ``pytest -s`` prints the counts; at least 95 of 100 queries run or are refused for a reason of scope.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session
from logsql.planner.spec import REFUSED_COMMANDS
from tests import examples_inputs as inputs
from tests import told
from tests.compare import canonical, same
from tests.conformance_cases import arrow_table
from tests.run_case import load_tables
from tests.support import ROOT, SHARED

ZONE = "Asia/Seoul"
CORPUS = SHARED / "spec" / "examples.jsonl"
pytestmark = pytest.mark.evidence
LINES = CORPUS.read_text(encoding="utf-8").splitlines() if CORPUS.exists() else []
#: What is marked complete and is no query.
NO_QUERY = {"ex0246": "a line of the server's configuration, not of the language"}
RECORDS: dict[str, dict[str, Any]] = {
    r["id"]: r for r in map(json.loads, LINES) if r["kind"] == "complete" and r["id"] not in NO_QUERY
}
IDS = list(RECORDS)

#: Texts that are no query of the language as printed: id -> (code, what is wrong with the text).
MISPRINTS: dict[str, tuple[str, str]] = {
    "ex0565": ("10603", "the form of the command, with its placeholders"),
    "ex0577": ("20901", "the page lost the group name: `(?\\S*?)` was `(?<sip>\\S*?)`, taken for a tag"),
    "ex0579": ("E3302", "`from` is missing before meta(...); the same query two lines on has it"),
    "ex0582": ("10201", "the form of the command: 'JSON text' in the place of the JSON text"),
}
_META = ("10603", "meta(...) selects tables by metadata that the vendor's collectors write")
#: Refused for a reason of scope, by another name than the command's: id -> (code, reason).
SCOPE: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("ex0107", "ex0570", "ex0571", "ex0572", "ex0573", "ex0578", "ex0580", "ex0581"), _META),
    "ex0546": ("90900", "matchfilter() asks the vendor's registry of object groups (functions.md, object group)"),
}
_PARSER = ("21001", "a log parser of the vendor's apps, which only the vendor has")
_MODEL = ("41101", "a model trained before in the same session; tests/ml trains and uses one")
_EARLIER = ("11500", "the result of an earlier query by its number on the vendor's server")
_STORED = ("11000", "a query stored on the vendor's server, whose text is not printed")
#: Input that nobody outside has: id -> (code, what it is). These are counted as neither run nor refused.
ABSENT: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("ex0023", "ex0024", "ex0029", "ex0259", "ex0267"), _MODEL),
    **dict.fromkeys(("ex0025", "ex0119", "ex0120"), _EARLIER),
    **dict.fromkeys(("ex0068", "ex0069", "ex0070", "ex0591"), _PARSER),
    **dict.fromkeys(("ex0272", "ex0587"), _STORED),
    "ex0065": ("20701", "a geoip database, which its maker does not let others pass on"),
    "ex0306": ("E3304", "a schema of the vendor's apps"),
    "ex0321": ("20701", "the lookup table EVTX_WHITE of the vendor's server"),
    **dict.fromkeys(("ex0589", "ex0590"), ("10700", "d:/power.txt and its parser")),
}
_WEB, _DB = "tests/network/test_vendor_web.py", "tests/network/test_vendor_databases.py"
#: Queries that need a server: id -> the test that runs it against one.
SERVED: dict[str, str] = {
    **dict.fromkeys(("ex0011", "ex0012", "ex0013"), "tests/network/test_articles.py"),
    **dict.fromkeys(("ex0030", "ex0031", "ex0032"), "tests/network/test_ldap.py"),
    **dict.fromkeys(("ex0237", "ex0265", "ex0295", "ex0302", "ex0303", "ex0304", "ex0574"), _WEB),
    **dict.fromkeys(
        ("ex0088", "ex0106", *(f"ex{n:04}" for n in (*range(252, 255), *range(273, 278), *range(633, 636)))), _DB
    ),
    **dict.fromkeys(("ex0156", "ex0236", "ex0245"), "tests/network/test_vendor.py"),
    **dict.fromkeys((f"ex{n:04}" for n in (*range(278, 284), *range(296, 302))), "tests/network/test_vendor.py"),
    **dict.fromkeys(("ex0115", "ex0121", "ex0122", "ex0559", "ex0586"), "tests/streams/test_control.py"),
    **dict.fromkeys((f"ex{n:04}" for n in (*range(627, 633), *range(643, 650))), "tests/network/test_vendor.py"),
}
_OTHER_FILE = "the page's own file is not public; a file of the same kind stands for it (examples_inputs.py)"
_OTHER_TABLE = "the page shows the tables and queries of the vendor's machine"
_SERIAL = "the hive that stands for the challenge's has one zero more in the serial of drive H (sfa07110000057f)"
_CLOCK = "the page shows the time of its writing"
_OLD_ORDER = (
    "older manual: a Java hash map's order of fields; here the order of the columns, as in today's manual (ex0432)"
)
#: Printed output that cannot be the same: id, or id#number of the step -> reason.
DIFFERENT: dict[str, str] = {
    **dict.fromkeys(("ex0044", "ex0045", "ex0046", "ex0047", "ex0066", "ex0067"), _OTHER_FILE),
    **dict.fromkeys(("ex0052", "ex0053", "ex0054", "ex0055", "ex0056", "ex0057"), _OTHER_FILE),
    **dict.fromkeys(("ex0060", "ex0061", "ex0062", "ex0063", "ex0064"), _OTHER_FILE),
    **dict.fromkeys(("ex0554", "ex0555", "ex0556", "ex0560", "ex0561", "ex0562", "ex0611", "ex0612"), _OTHER_TABLE),
    **dict.fromkeys(("ex0002", "ex0003", "ex0059"), _SERIAL),
    **dict.fromkeys(("ex0500", "ex0500#2", "ex0500#3", "ex0500#4", "ex0519", "ex0588"), _CLOCK),
    "ex0049": "decision 6: long names (and the 8.3 name in short_name); the page prints 8.3 names (BAEDB0~1)",
    "ex0051": "decision 6: long names; the page prints 8.3 names (OFFICE~1.CAB, PRESEN~1.DLL)",
    "ex0443": "misprint: 11 characters where 10 were asked for; the next steps of the page pad to 10",
    "ex0458": "misprint: 11 characters where 10 were asked for; the next steps of the page pad to 10",
    "ex0527": "the page tells two columns in prose",
    "ex0530#4": "misprint: the digest of 'hello world', not of 'hello, world!' (hashlib, sha384)",
    "ex0531": "random; the page tells the range",
    "ex0532": "random; the page gives an example",
    "ex0594": "older manual: cells from column1 and the line kept; today's (commands.md): column0, and overlay keeps",
    "ex0595": "older manual: the line is kept; today's (commands.md): only with overlay=t",
    "ex0651": _OLD_ORDER,
    "ex0652": _OLD_ORDER,
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return inputs.make(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    # A database file: saved results live beside it, not in the user's folder.
    case = tmp_path_factory.mktemp("case") / "case.duckdb"
    with logsql.connect(str(case), tz=ZONE, allow_purge=True) as session:
        types = {name: {"_time": "date", **inputs.TYPES.get(name, {})} for name in inputs.TABLES}
        load_tables(session, {n: arrow_table(rows, types[n], ZONE) for n, rows in inputs.TABLES.items()})
        for name, query in inputs.SAVED.items():
            session.save(session.query(query), name)
        yield session


def _rewritten(key: str, query: str, paths: dict[str, str], folder: Path) -> str:
    query = query.replace(*inputs.CHANGED[key]) if key in inputs.CHANGED else query
    known = {**paths, **dict.fromkeys(inputs.OUTPUTS, str(folder))}
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    query = re.sub(rf"(?<![\w.\\/-])(?:{names})(?![\w.])", lambda m: known[m[0]], query)
    written = re.search(r"\b(?:output(?:csv|json|txt)|copytable)\b", query)
    assert written is None or str(folder) in query[written.start() :], "it would write on this machine"
    return query


def _run(
    s: Session, key: str, query: str, paths: dict[str, str], folder: Path
) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and rows of a query of the corpus."""
    params = dict(inputs.PARAMS.get(key, {}))
    if key in inputs.PATH_PARAMS:
        params["path"] = next(paths[w] for w, source in inputs.SHARED.items() if source == inputs.PATH_PARAMS[key])
    if key in inputs.BEFORE:
        s.query(inputs.BEFORE[key]).rows()
    result = s.query(_rewritten(key, query, paths, folder), params=params)
    try:
        columns, rows = result.columns, result.rows()
        if query == RECORDS[key]["query"]:
            said = told.difference(key, result)
            assert said is None, f"{query}\n{said}"
        return columns, rows
    finally:
        result.close()


#: At least so many texts of the corpus state fields of their result.
STATED = 200
#: Commands behind which the fields are those before them (commands.md).
_SAME_FIELDS = frozenset({"sort", "limit", "search"})


def _stated(query: str) -> tuple[str, list[str]] | None:
    """What the text itself says about the fields of its result: how (``are``, ``end with``, ``have``) and which."""
    commands = list(logsql.parse(query).commands)
    while commands and commands[-1].name in _SAME_FIELDS:
        commands.pop()
    if not commands:
        return None
    last = commands[-1]
    match last.name:
        case "fields":
            return ("are not" if last.args.remove else "are", [n.text for n in last.args.names])
        case "stats":
            return ("start with", [n.text for n in last.args.by])
        case "eval":
            text = query[last.span.start : last.span.end]
            return ("have", re.findall(r"eval\s+(\w+)\s*=(?!=)", text))
    return None


def _columns_differ(query: str, columns: list[str]) -> bool:
    """Whether columns are not those that the query states."""
    how, names = _stated(query) or ("have", [])
    names = list(dict.fromkeys(names))
    if any("*" in name for name in names):
        return False
    return {
        "are": columns != names,
        "are not": bool({*columns} & {*names}),
        "start with": columns[: len(names)] != names,
        "have": not {*names} <= {*columns},
    }[how]


def _refusal(query: str) -> LogsqlError | None:
    try:
        logsql.parse(query)
    except LogsqlError as error:
        return error
    return None


REFUSED = {key: error for key, record in RECORDS.items() if (error := _refusal(record["query"])) is not None}


@pytest.mark.parametrize("key", IDS)
def test_parses_or_is_refused_by_name(key: str) -> None:
    error = REFUSED.get(key)
    if error is None:
        # What is not refused is a tree of commands: the text is read to its end.
        assert logsql.parse(RECORDS[key]["query"]).commands
        return
    if key in MISPRINTS:
        assert error.code == MISPRINTS[key][0]
    else:
        assert error.code == "92000", str(error)
        assert error.notes, f"no reason is given: {error}"
        words = str(error).split()
        assert "system" in words or any(f'"{name}"' in words for name in REFUSED_COMMANDS), str(error)


@pytest.mark.parametrize("key", [k for k in IDS if k not in REFUSED and k not in SERVED])
def test_runs(key: str, s: Session, paths: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    expected = {**MISPRINTS, **SCOPE, **ABSENT}.get(key)
    if expected is None:
        query = RECORDS[key]["query"]
        columns, rows = _run(s, key, query, paths, tmp_path)
        assert not _columns_differ(query, columns), f"{query}\n{_stated(query)}, got {columns}"
        assert all(row.keys() <= {*columns} for row in rows)
        return
    with pytest.raises(LogsqlError) as caught:
        _run(s, key, RECORDS[key]["query"], paths, tmp_path)
    assert caught.value.code == expected[0], str(caught.value)


def test_share() -> None:
    """Refused by name, refused for another reason of scope, no input, misprinted; the rest runs (``test_runs``)."""
    kinds = Counter(
        "refused by name"
        if key in REFUSED and key not in MISPRINTS
        else next((n for n, d in (("misprint", MISPRINTS), ("scope", SCOPE), ("no input", ABSENT)) if key in d), "runs")
        for key in IDS
    )
    print(f"\n{len(IDS)} complete queries: " + ", ".join(f"{name} {count}" for name, count in kinds.most_common()))
    assert (kinds["runs"] + kinds["refused by name"] + kinds["scope"]) / len(IDS) >= 0.95


def test_many_texts_state_their_fields() -> None:
    runs = [k for k in IDS if k not in REFUSED and k not in {**MISPRINTS, **SCOPE, **ABSENT}]
    assert sum(bool((_stated(RECORDS[k]["query"]) or ("", []))[1]) for k in runs) >= STATED


# --- what the queries print ------------------------------------------------------------------------------------

_STEP = re.compile(r'(?=json "\{)')
#: Pages print whole seconds; the fraction of ours is left out.
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+|\+0900)?")
_JAVA_DATE = re.compile(r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d KST \d{4}")


def _claims() -> Iterator[tuple[str, str, str]]:
    """(id or id#step, query, printed): a page prints ``value`` and then further ``query => value`` in one text."""
    for key, record in RECORDS.items():
        if "output" not in record or key in REFUSED or key in {**MISPRINTS, **SCOPE, **ABSENT, **SERVED}:
            continue
        first, *more = _STEP.split(record["output"])
        yield key, record["query"], first.strip()
        for number, step in enumerate(more, 2):
            query, _, printed = step.partition("=>")
            yield f"{key}#{number}", query.strip(), printed.strip()


def _plain(value: Any) -> Any:
    """A printed JSON value in the form of tests/compare.py: dates as local ISO text, addresses without the slash."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, str):
        if date := _DATE.fullmatch(value):
            return f"{date[1]}T{date[2]}"
        if _JAVA_DATE.fullmatch(value):
            return dt.datetime.strptime(value.replace("KST ", ""), "%a %b %d %H:%M:%S %Y").isoformat()
        return value[1:] if re.fullmatch(r"/[\d.]+|/[\da-f:]+", value) else value
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _ours(value: Any) -> Any:
    return _plain(canonical(value, ZONE))


def _java(row: dict[str, Any]) -> str:
    """A row as Java prints a map, which is how the older pages show rows: ``{a=1, b=x}``."""
    return "{" + ", ".join(f"{k}={canonical(v, ZONE)}" for k, v in sorted(row.items())) + "}"


def _rows_differ(printed: str, rows: list[dict[str, Any]]) -> str | None:
    lines = [line for line in printed.splitlines() if not line.startswith("total ")]
    shown = [line for line in lines if line != "..."]
    if len(shown) == len(lines) and len(shown) != len(rows):
        return f"printed {len(shown)} rows, got {len(rows)}"
    for line in shown:
        want = _plain(_json(line))
        if isinstance(want, str):
            found = any(_java(row) == want for row in rows)
        else:
            found = any(same(want, _ours(row)) for row in rows)
        if not found:
            return f"no row is {line}\n  got {[_ours(row) for row in rows[:5]]}"
    return None


def _value_differs(query: str, printed: str, rows: list[dict[str, Any]]) -> str | None:
    """The last column that an ``eval`` makes, against a JSON value, a bare text or a Java list ``[a, b]``."""
    names = re.findall(r"eval\s+(?:.*,\s*)?(\w+)\s*=(?!=)", query)
    if len(rows) != 1 or not names:
        return f"one row and a column of eval are expected, got {len(rows)} rows"
    want = _plain(_json(re.sub(r" \([^()]*\)$", "", printed)))
    got = _ours(rows[0].get(names[-1]))
    listed = "[" + ", ".join(map(str, got)) + "]" if isinstance(got, list) else None
    return None if same(want, got) or want == listed else f"printed {printed!r}, got {got!r}"


CLAIMS = list(_claims())


@pytest.mark.parametrize(("step", "query", "printed"), CLAIMS, ids=[step for step, _, _ in CLAIMS])
def test_prints_what_the_page_prints(
    step: str, query: str, printed: str, s: Session, paths: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"one\ntwo\n")))
    key = step.partition("#")[0]
    try:
        rows = _run(s, key, query, paths, tmp_path)[1]
        # `{"a":"x"}` is a row on one page and a map on another; the text alone does not say which.
        by_row = _rows_differ(printed, rows) if printed.startswith("{") else _value_differs(query, printed, rows)
        difference = by_row and _value_differs(query, printed, rows)
        difference = difference and by_row
    except LogsqlError as error:
        difference = str(error)
    if step in DIFFERENT:
        assert difference is not None, f"{step} is the same now; take it out of DIFFERENT"
    else:
        assert difference is None, f"{query}\n{difference}"


def test_lists_name_queries() -> None:
    steps = {step for step, _, _ in CLAIMS}
    assert DIFFERENT.keys() <= steps
    assert {*MISPRINTS, *SCOPE, *ABSENT, *SERVED} <= {*IDS}
    assert all((ROOT / test).exists() for test in SERVED.values())
    assert not {*ABSENT} & {*SCOPE}
