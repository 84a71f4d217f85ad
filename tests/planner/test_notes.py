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
    told = [note.located("ab\ncd") for note in ordered] * 2
    lines = remarks(["cut"], None, told=told)
    assert len(lines) == MOST_NOTES + 1
    assert lines[-1] == "note: 4 more notes"
    assert lines[2] == "note[N0001 made-up]: 2:1: x once"
