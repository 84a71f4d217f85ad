"""One conversation: a text in, rows to a sink, an outcome out; no terminal, no process."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import pytest

import logsql
from logsql.conversation.conversation import Conversation, Language, Settings
from logsql.conversation.outcome import MOST_NOTES, Kind, remarks
from logsql.diagnostics.errors import Diagnostic, Interrupted
from logsql.diagnostics.losses import LOSSES, Fate
from logsql.engine.ledger import Ledger
from logsql.engine.session import Session
from logsql.planner.spec import COMMANDS
from tests.cli.support import ENDLESS, make_database

T = TypeVar("T")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with logsql.connect(str(make_database(tmp_path / "case.duckdb")), "Asia/Seoul") as opened:
        yield opened


class Page:
    """A place for rows in memory, and whether it was completed."""

    def __init__(self) -> None:
        self.rows = io.BytesIO()
        self.complete = False

    def open(self, output: str | None) -> AbstractContextManager[BinaryIO]:
        @contextmanager
        def opened() -> Iterator[BinaryIO]:
            yield self.rows
            self.complete = True

        return opened()


def test_rows_go_to_the_sink_and_the_outcome_tells_the_rest(session: Session) -> None:
    page = Page()
    outcome = Conversation(session, sink=page.open).run("table web | search status == 404 | fields src, bytes")
    assert page.rows.getvalue().decode() == '{"src":"10.0.0.2","bytes":7}\n{"src":"서울","bytes":null}\n'
    assert (outcome.kind, outcome.exit_code, outcome.error) == (Kind.DONE, 0, None)
    assert (outcome.rows, outcome.shown, outcome.columns, outcome.notes) == (2, 2, ("src", "bytes"), ())
    assert outcome.seconds > 0
    assert outcome.result is not None
    assert outcome.result.types == ["string", "long"]
    assert not outcome.ledger


def test_sql_and_parameters(session: Session) -> None:
    page = Page()
    talk = Conversation(session, Settings(params={"who": "서울"}, format="csv"), page.open)
    assert talk.run("SELECT count(*) AS n FROM web", Language.SQL).columns == ("n",)
    assert talk.run('table web | search src == $("who") | fields status').rows == 1
    assert page.rows.getvalue() == b"n\n3\nstatus\n404\n"


def test_settings_may_change_between_two_texts(session: Session) -> None:
    page = Page()
    talk = Conversation(session, Settings(format="table", rows=1), page.open)
    outcome = talk.run("table web | fields status")
    assert (outcome.rows, outcome.shown) == (3, 1)
    assert outcome.notes[0].startswith("1 of 3 rows shown")
    talk.settings.rows, talk.settings.lang = None, "ko"
    outcome = talk.run("table web | fields status")
    assert (outcome.shown, outcome.notes) == (3, ())
    talk.settings.rows = 2
    assert talk.run("table web | fields status").notes[0].startswith("전체 3행 중 2행")


@pytest.mark.parametrize(
    ("text", "language", "exit_code", "code"),
    [
        ("table web | statz count", Language.PIPE, 1, "92000"),
        ("csvfile /nonexistent.csv", Language.PIPE, 3, "10800"),
        ("select nonsense", Language.SQL, 1, "E1303"),
    ],
)
def test_an_error_is_an_outcome_and_the_session_lives(
    session: Session, text: str, language: Language, exit_code: int, code: str
) -> None:
    page = Page()
    talk = Conversation(session, sink=page.open)
    outcome = talk.run(text, language, "q.lq")
    assert outcome.error is not None
    assert (outcome.kind, outcome.exit_code, outcome.error.code, outcome.rows) == (Kind.FAILED, exit_code, code, 0)
    assert not page.complete
    assert talk.run("table web | stats count").exit_code == 0


def test_the_error_names_the_file_of_the_text(session: Session) -> None:
    error = Conversation(session).run("table web\n| statz count", origin="q.lq").error
    assert error is not None
    assert error.origin == "q.lq"
    assert error.span is not None


def test_a_file_appears_only_when_it_is_complete(session: Session, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    talk = Conversation(session, Settings(format="csv", output=str(out)))
    assert talk.run("table web | search nosuch(").exit_code == 1
    assert [path.name for path in tmp_path.iterdir() if "rows" in path.name] == []
    assert talk.run("table web | fields status").exit_code == 0
    assert out.read_bytes() == b"status\n200\n404\n404\n"


def test_the_time_limit_is_exit_code_4() -> None:
    with logsql.connect(timeout=0.3) as session:
        outcome = Conversation(session, sink=Page().open).run(ENDLESS, Language.SQL)
    assert (outcome.kind, outcome.exit_code) == (Kind.FAILED, 4)


def test_another_thread_stops_a_run(session: Session) -> None:
    """A server stops a query with ``stop``; the conversation answers that it was interrupted, and goes on."""
    talk = Conversation(session, sink=Page().open)
    timer = threading.Timer(0.5, talk.stop)
    timer.start()
    outcome = talk.run(ENDLESS, Language.SQL)
    timer.join()
    assert (outcome.kind, outcome.exit_code) == (Kind.INTERRUPTED, 130)
    assert talk.run("table web | stats count").rows == 1


def test_the_face_decides_how_to_wait(session: Session) -> None:
    waited: list[object] = []

    def wait(work: Callable[[], T], stop: Callable[[], object], /) -> T:
        waited.append(stop)
        raise Interrupted(Diagnostic("E1300", "interrupted", "enough"))

    talk = Conversation(session, sink=Page().open, wait=wait)
    assert talk.run("table web").kind is Kind.INTERRUPTED
    assert waited == [talk.stop]


def test_progress_is_told_and_taken_away() -> None:
    class Told:
        def __init__(self) -> None:
            self.reports = 0
            self.cleared = 0

        def __call__(self, report: object, /) -> None:
            self.reports += 1

        def clear(self) -> None:
            self.cleared += 1

    told = Told()
    with logsql.connect(timeout=1) as session:
        Conversation(session, sink=Page().open, progress=told).run(ENDLESS, Language.SQL)
    assert told.reports > 0
    assert told.cleared == 1


def test_a_defect_and_a_reader_that_went_away_are_raised(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise BrokenPipeError

    @contextmanager
    def closed(output: str | None) -> Iterator[BinaryIO]:
        yield Closed()

    with pytest.raises(BrokenPipeError):
        Conversation(session, sink=closed).run("table web")
    monkeypatch.setattr(session, "query", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Conversation(session, sink=Page().open).run("table web")


def test_what_the_result_lacks_is_in_the_outcome(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"a": 1}\n{\n{"a": 2}\n}\n')
    outcome = Conversation(session, sink=Page().open).run(f"jsonfile {file} | stats count")
    assert outcome.ledger is not None
    assert [(entry.reason, entry.count) for entry in outcome.ledger] == [("broken-json", 2)]
    (line,) = remarks(outcome.notes, outcome.ledger, pointer="\\loss")
    said = f"2 broken-json in {file} (first at line 2): lines that are no JSON: no row"
    assert line == f"note: not in the result: {said} (\\loss)"


FATES = [
    ('json "[{}]" | eval line = "x" | parse httpd', "passed unchanged", "그대로 통과한 것"),
    ('json "[{\\"a\\": \\"x\\"}]" | eval n = int(a)', "null in the result", "결과에서 null인 것"),
    ("textfile {bytes}", "changed or cut in the result", "결과에서 바뀌거나 잘린 것"),
    ('json "[{\\"a\\": -1}]" | eval b = sqrt(a)', "in the result, but perhaps", "결과에 있지만"),
    ("jsonfile {broken}", "not in the result", "결과에 없는 것"),
]


@pytest.mark.parametrize(("query", "english", "korean"), FATES)
def test_a_line_of_the_ledger_begins_with_what_became_of_the_rows(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, english: str, korean: str
) -> None:
    """A row that passed unchanged was said to be "not in the result"."""
    (tmp_path / "bytes").write_bytes("이름\n".encode("cp949"))
    (tmp_path / "broken").write_text("{\n")
    files = {name: tmp_path / name for name in ("bytes", "broken")}
    for name, path in files.items():
        query = query.replace(f"{{{name}}}", str(path))
    outcome = Conversation(session, sink=Page().open).run(query)
    for language, begins in (("en", english), ("ko", korean)):
        monkeypatch.setenv("LOGSQL_LANG", language)
        (line,) = remarks((), outcome.ledger)
        assert line.startswith(f"note: {begins}"), line


def test_what_a_reason_says_and_its_fate_agree() -> None:
    assert list(COMMANDS.values()), "rows stand in the files of commands, which are imported when they are asked for"
    for row in LOSSES.values():
        said = row.text.en
        if not row.fact and said.endswith(("null", "is null")):
            assert row.fate is Fate.NULL, row.name
        if "unchanged" in said or "no field is set" in said:
            assert row.fate is Fate.PASSED, row.name
        if said.endswith(("no row", "missing", "left out")):
            assert row.fate is Fate.LEFT_OUT, row.name


def test_at_most_five_notes_and_a_count() -> None:
    """Notes and losses: at most five of each, and a count."""
    lines = remarks([f"n{number}" for number in range(8)], None)
    assert lines == [*(f"note: n{number}" for number in range(5)), "note: 3 more notes"]
    assert MOST_NOTES == 5
    ledger = Ledger()
    for number in range(9):
        ledger.lost(f"{number}.log", "broken-json")
    lines = remarks((), ledger)
    assert [f"{number}.log" in lines[number] for number in range(5)] == [True] * 5
    assert lines[5:] == ["note: 4 more of them"]
    assert len(remarks((), ledger, every=True)) == 10
    assert remarks((), Ledger(), every=True) == ["the last query lost nothing"]


def test_nothing_of_a_terminal_is_imported() -> None:
    module = "logsql.conversation.conversation"
    code = f"import sys, {module}; print([m for m in sys.modules if m.startswith(('logsql.shell', 'prompt_'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stdout.decode().strip() == "[]"
