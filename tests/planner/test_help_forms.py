"""Each form that a help line proposes works: put in place of what it mends, the query plans and the note is gone.

Held to it are the notes of all tables of this folder and the forms of all bridges, with the arguments they are filled
with. A help that holds no form stands in WITHOUT_FORM, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from logsql.diagnostics.bridges import BRIDGES
from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.notes import Note
from logsql.diagnostics.places import Place
from logsql.engine.session import Session
from tests.planner import (
    test_argument_notes,
    test_note_rules,
    test_respelt_notes,
    test_result_notes,
    test_slips,
    test_spelling_notes,
    test_value_notes,
)
from tests.planner.helpforms import mended

#: Code, the help line, why there is no form to run.
WITHOUT_FORM = [
    ("N1001", "there are .*", "the names of the row, none of which is near"),
    ("N1107", "begin that line with a pipe: .*", "two sources in one query, of which the comment hid one"),
    ("N1202", "the first values are .*", "the field holds words, and a number is asked for"),
    ("N1305", "(leave dp= and df= out|the values go on from December) .*", "a command of another kind, named in words"),
    ("N1312", "put it in double quotes .*", "the number stands at the place"),
    ("N1601", "name what to take out: .*", "what to take out is not known"),
    ("N1702", "a key has one name on both sides: .*", "which field of the other side is meant is not known"),
]
MOST_TRIES = 80


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="UTC") as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("forms")
    (path / "spelling.csv").write_text(test_spelling_notes.TABLE)
    (path / "respelt.csv").write_text(test_respelt_notes.TABLE)
    for name, text in test_slips.FILES.items():
        (path / name).write_text(text)
    return path


def _queries() -> Iterator[str]:
    yield from (query for query, *_ in test_note_rules.SAID)
    yield from (query for query, *_ in test_value_notes.TOLD)
    yield from (query for query, *_ in test_slips.TOLD)
    yield from (f"{test_argument_notes.ROW}{before}{expr}" for before, expr, *_ in test_argument_notes.TOLD)
    yield from (f"{test_result_notes.ROW}search {condition}" for condition, _ in test_result_notes.TOLD)
    yield from (f"csvfile spelling.csv | {query}" for query, *_ in test_spelling_notes.TOLD)
    yield from (f"csvfile respelt.csv | search {condition}" for condition, *_ in test_respelt_notes.TOLD)


def _plans_without(session: Session, code: str, query: str) -> bool:
    """Whether a query plans, and its notes are none of this code."""
    try:
        return code not in {note.code for note in session.plan(query)[0].notes}
    except LogsqlError:
        return False


def _excused(note: Note) -> bool:
    help = note.help or ""
    return not help or any(note.code == code and re.fullmatch(shape, help) for code, shape, _ in WITHOUT_FORM)


@pytest.mark.parametrize("query", list(dict.fromkeys(_queries())))
def test_the_form_of_a_help_mends_the_query(
    session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.chdir(folder)
    failing = [
        (note.code, note.help)
        for note in session.plan(query)[0].notes
        if not _excused(note)
        and not any(
            _plans_without(session, note.code, better)
            for better in islice(mended(query, note.span, note.help or ""), MOST_TRIES)
        )
    ]
    assert failing == []


#: What the words of a form in capitals stand for.
_WORDS = {
    "SAME QUERY": "json \"[{k:'x',a:1}]\"", "QUERY": "json \"[{k:'x'}]\"", "REGEX with": "=",
    '"*TEXT*"': '"*x*"', "TEXT": '"x"',
    "REGEX": "(x)", "CONDITION": "a == 1", "EXPRESSION": "a + 1", "AGGREGATE": "count", "OFFSET": "1", "COUNT": "2",
    "PERCENT": "5", "BELOW": "10", "BITS": "24", "BEGIN": "0", "END": "2", "INDEX": "0", "FIELD": "line", "KEY": "k",
    "OLD": "k", "NEW": "n2", "ELSE": "c", "A": "a", "B": "b", "M": "m", "C": "c",
}  # fmt: skip
#: Forms that need more than a row: files, tables, lookups, a model.
_ELSEWHERE = re.compile(r"(table|textfile|import|lookuptable|lookup|forecast|anomalies|json) ?.*")
_ROW = (
    "json \"[{a:1,b:2,c:3,k:'x',x:'x',y:'y',n:5,line:'k=x',ip:'10.0.0.1',list:['x'],map:{k:1},t:'2024-03-01'}]\" | "
    'eval _time = date(t, "yyyy-MM-dd") | '
)


def _filled(form: str) -> str:
    for word, value in _WORDS.items():
        form = re.sub(rf"(?<![A-Za-z\"]){re.escape(word)}(?![A-Za-z])" if word.isalpha() else re.escape(word),
                      lambda _, value=value: value, form)  # fmt: skip
    form = re.sub(r"(?<=as )NAME\b|(?<=eval )NAME\b", "made", form)
    form = re.sub(r"field=NAME\b", "field=line", form)
    return re.sub(r", (?:counted from 0|Sunday is 0|behind sort _time|of the population)$| \(match.*$", "", form)


def _as_query(form: str) -> list[str]:
    """The queries in which a form of a bridge stands."""
    place, _, written = form.partition(": ")
    if place == Place.COMMAND.name:
        return [_filled(written)]
    head = "eval r =" if place == Place.FUNCTION.name else "stats"
    return [f"{head} {each}" for each in re.split(r", (?=x ==|long)| or (?=x ==|int|ago)", _filled(written))]


@pytest.mark.parametrize(
    "form",
    sorted({f"{row.place.name}: {row.form}" for row in BRIDGES if not _ELSEWHERE.fullmatch(row.form)}),
)
def test_the_form_of_a_bridge_plans(session: Session, form: str) -> None:
    assert all(session.plan(_ROW + query)[0].rel.columns for query in _as_query(form))
