"""``rex``: every way the SQL takes gives what Java's own semantics (udfs.java.javaregex) give, on generated text."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import QueryError
from logsql.udfbridge import counters
from udfs.java.javaregex import classify, rex_extract

#: Patterns that run as text functions, one call per group, several groups in one call, and in Python.
PATTERNS = [
    r"(?i)user: (?<v>[^\n]+)",
    r"(?i)user: (?<v>[^\n]*)",
    r"(?i)link: (?<v>[^\n]+)",
    r"user: (?<v>[^\n]+)",
    r"a=(?<v>[^ ]*)",
    r"a=(?<v>\d+)",
    r"(?<v>a*)b",
    r"(?:a=(?<v>x*))?(?<w>b|=)",
    r"a(?<v>.)(?<w>b*)",
    r"(?<v>a)|(?<v>b)|(?<w>u)",
    r"(?<=a)(?<v>.)",
    r"(?<v>[^a]+?)(?<w>$)",
]
PIECES = [
    "user: ",
    "USER: ",
    "\u212a",
    "LIN\u212a: ",
    "link: ",
    "L\u0130nk: ",
    "a=",
    "a",
    "b",
    "x",
    " ",
    "\n",
    "7",
    "한",
    "\r",
    "=",
    "u",
]


def texts(seed: int, count: int) -> list[str | None]:
    rng = random.Random(seed)
    made: list[str | None] = ["", None, "user: \nuser: x", "a= a=x", "\u212a" * 3]
    return made + ["".join(rng.choice(PIECES) for _ in range(rng.randint(0, 9))) for _ in range(count)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_captures_are_javas(pattern: str) -> None:
    column = pa.array(texts(1, 3_000), pa.string())
    spec = classify(pattern)
    expected = rex_extract(column, spec).to_pylist()
    with logsql.connect(tz="UTC") as session:
        session.register("t", pa.table({"line": column}))
        rows = session.query(f'table t | rex field=line "{pattern}"').rows()
    assert len(rows) == len(expected) > 3_000
    for row, want in zip(rows, expected, strict=True):
        assert [row[name] for name in spec.columns] == [want[f"g{i}"] for i in range(1, len(spec.columns) + 1)], row


def query(text: str) -> list[dict[str, object]]:
    with logsql.connect(tz="UTC") as session:
        return session.query(text).rows()


def test_no_match_and_absent_groups_keep_the_old_value() -> None:
    source = "json \"[{line: 'k=5', v: 'old'}, {line: 'nothing', v: 'kept'}, {v: 7}]\""
    assert [r["v"] for r in query(source + r' | rex field=line "k=(?<v>\d)"')] == ["5", "kept", 7]
    assert [r["v"] for r in query(source + r' | rex field=line "k(=(?<v>x))?"')] == ["old", "kept", 7]


def test_a_field_written_by_one_rex_is_read_by_the_next() -> None:
    rows = query('json "{line: \'a-b-c\'}" | rex field=line "(?<line>b.*)" | rex field=line "-(?<last>.)"')
    assert rows == [{"line": "b-c", "last": "c"}]


def test_values_that_are_no_text_are_searched_as_text() -> None:
    assert query(r'json "{line: 404}" | rex field=line "(?<d>\d)"') == [{"line": 404, "d": "4"}]


@pytest.fixture(scope="module")
def told() -> Iterator[logsql.Session]:
    """Tables of which several vectors hold nothing to find, and a last row something."""
    nothing: list[str | None] = ["qqq", None] * 3_000
    tables = {"nothing": nothing, "last": [*nothing, "user: x a=7b link: ubu"], "nulls": [None] * 3_000, "none": []}
    with logsql.connect(tz="UTC") as session:
        for name, column in tables.items():
            session.register(name, pa.table({"line": pa.array(column, pa.string())}))
        yield session


#: What is told of each table.
TOLD: dict[str, list[str]] = {"nothing": ["no-match"], "last": [], "nulls": ["nothing-to-search"], "none": []}


def reasons(session: logsql.Session, text: str) -> list[str]:
    result = session.query(text)
    result.rows()
    return [entry.reason for entry in result.ledger]


@pytest.mark.parametrize("pattern", PATTERNS[:-1])  # the last one finds something in every text
def test_a_pattern_that_never_matches_is_told(told: logsql.Session, pattern: str) -> None:
    """Also where only one of its fields is read; a match in the last of 6,001 rows is one."""
    fields = classify(pattern).columns
    seen = {
        (field, name): reasons(told, f'table {name} | rex field=line "{pattern}" | stats count({field})')
        for field in fields
        for name in TOLD
    }
    assert fields
    assert seen == {(field, name): want for field in fields for name, want in TOLD.items()}


def test_each_rex_is_told_on_its_own(told: logsql.Session) -> None:
    two = 'table nothing | rex field=line "(?<a>q)" | rex field=line "(?<b>zz)" | rex field=line "(?<c>[yx])"'
    result = told.query(two)
    result.rows()
    assert [entry.source for entry in result.ledger] == [
        'rex field=line "(?<b>zz)"',
        'rex field=line "(?<c>[yx])"',
    ]
    long = told.query(f'table nothing | rex field=line "(?<a>{"y" * 90})"')
    long.rows()
    (entry,) = long.ledger
    assert entry.source == f'rex field=line "(?<a>{"y" * 35}..."'
    assert entry.told() == (
        f"no-match in {entry.source}: the pattern takes nothing out of any of the rows: no field is set"
    )


def test_a_missing_field_is_told_by_a_note_alone(told: logsql.Session) -> None:
    assert reasons(told, 'table nothing | rex field=lien "(?<a>q)"') == []


def test_one_call_tells_of_a_vector_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """6,001 rows are three vectors; a call per row cost a tenth of a query with fifteen patterns."""
    calls: list[str] = []

    def came(fate: str, empty: str) -> str:
        calls.append(fate)
        return empty

    monkeypatch.setattr(counters, "came", came)
    with logsql.connect(tz="UTC") as fresh:  # a session registers a function once
        fresh.register("t", pa.table({"line": pa.array([*["qqq", None] * 3_000, "x"], pa.string())}))
        assert fresh.query(r'table t | rex field=line "(?<a>\w+)" | stats count(a)').rows() == [{"count(a)": 3_001}]
    assert 0 < len(calls) <= 2 * 4, calls  # matches and nulls of each vector


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('rex "(?<a>.)"', "20900"),
        ("rex field=line (?<a>.)", "20901"),
        ('rex field=line "(?<a>"', "20901"),
        ('rex field=line "(?<a>.)" x=1', "90201"),
    ],
)
def test_wrong_calls(text: str, code: str) -> None:
    with pytest.raises(QueryError) as caught:
        query(f'json "{{}}" | {text}')
    assert caught.value.code == code
