"""The machinery of notes: collected once, placed in the user's text, never printed by Python."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logsql.conversation.outcome import MOST_NOTES, remarks
from logsql.diagnostics.codes import Sentence, Text
from logsql.diagnostics.messages import LANGUAGE
from logsql.diagnostics.notes import Notes
from logsql.engine.session import Session
from logsql.language.spans import render_note
from logsql.language.tree import Span

LOOKUP = "json \"[{'a':'x'}]\"\n| lookup names a output nam as n"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    path = tmp_path_factory.mktemp("lookups") / "names.csv"
    path.write_text("key,name\nx,Kim\n")
    with Session(tz="UTC") as opened:
        opened.add_lookup("names", str(path))
        yield opened


def test_a_result_has_its_notes(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    result = session.query(LOOKUP)
    (note,) = result.notes
    assert (note.code, note.name, note.line, note.column) == ("N1010", "unknown-lookup-column", 2, 25)
    assert note.help == 'did you mean "name"?'
    assert result.rows() == [{"a": "x", "n": None}]
    assert capsys.readouterr() == ("", "")


def test_a_note_is_said_in_the_language_in_force(session: Session) -> None:
    token = LANGUAGE.set("ko")
    try:
        assert "컬럼이 없어" in session.query(LOOKUP).notes[0].sentence
    finally:
        LANGUAGE.reset(token)


def test_explain_lists_notes(session: Session) -> None:
    (line,) = [x for x in session.explain(LOOKUP).splitlines() if x.startswith("note")]
    assert line == render_note(session.query(LOOKUP).notes[0])
    assert line.startswith("note[N1010 unknown-lookup-column]: 2:25: names has no column nam")


def test_equal_notes_at_one_place_are_one() -> None:
    row = Sentence("N0001", "made-up", Text("{word} once", "{word} 한 번"))
    notes = Notes()
    for word, span in (("x", Span(3, 4)), ("x", Span(3, 4)), ("y", Span(1, 2)), ("y", None)):
        notes.add(row, span, word=word)
    with notes.within("other text", "other.lq"):
        notes.add(row, Span(3, 4), word="z")
    ordered = notes.ordered()
    assert [n.sentence for n in ordered] == ["y once", "y once", "x once", "z once"]
    assert render_note(ordered[-1]) == "note[N0001 made-up]: other.lq:1:4: z once"


def test_a_note_at_several_places_is_said_of_the_first_and_many_are_counted() -> None:
    row = Sentence("N0001", "made-up", Text("{word}", "{word}"))
    notes = Notes()
    for place, word in enumerate("abcabcdefgh"):
        notes.add(row, Span(place, place + 1), word=word)
    told = [note.located("0123456789x") for note in notes.ordered()]
    lines = remarks(["cut"], None, told=told)
    assert lines[:3] == [f"note[N0001 made-up]: 1:{n}: {w}" for n, w in enumerate("abc", 1)]
    assert lines[3] == "note[N0001 made-up]: 1:7: d"
    assert (len(lines), lines[-1]) == (MOST_NOTES + 1, "note: 4 more notes")


def test_a_loss_whose_cause_a_note_tells_is_not_said_twice(session: Session) -> None:
    """`timechart` over a text `_time` said both that no row takes part and that every row was left out."""
    for query, note in (
        ("json \"[{_time:'2024',v:'x'}]\" | timechart count", "N1308"),
        ("json \"[{v:'x'}]\" | stats sum(v)", "N1301"),
        ('json "[{v:1}]" | eval w = "x" + 1', "N1210"),
    ):
        result = session.query(query)
        result.rows()
        assert [n.code for n in result.notes] == [note]
        (entry,) = result.ledger  # it stays in the ledger
        assert result.notes[0].covers == (entry.reason, entry.source)
        assert [line.partition(" ")[0] for line in remarks((), result.ledger, told=result.notes)] == [f"note[{note}"]
        assert len(remarks((), result.ledger)) == 1
