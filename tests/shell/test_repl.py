"""The shell without a terminal: inputs in, answers out, the session kept after every failure."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from logsql.conversation.conversation import Settings
from logsql.shell.metas import METAS
from logsql.shell.plainlines import PlainLines
from logsql.shell.repl import Leave, Shell, inputs, plain
from logsql.shell.voice import Voice
from tests.cli.support import make_database


class Talk:
    """A shell over the sample database, and what it said."""

    def __init__(self, path: Path) -> None:
        self.session = logsql.connect(str(make_database(path)), "Asia/Seoul")
        self.out, self.err = io.BytesIO(), io.StringIO()
        self.shell = Shell(self.session, Settings(format="jsonl"), self.out, Voice(self.err))

    def say(self, text: str) -> tuple[int, str, str]:
        self.out.seek(0)
        self.out.truncate()
        self.err.seek(0)
        self.err.truncate()
        code = self.shell.execute(text)
        return code, self.out.getvalue().decode(), self.err.getvalue()


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    found = Talk(tmp_path / "case.duckdb")
    yield found
    found.session.close()


def test_queries_and_sql(talk: Talk) -> None:
    assert talk.say("table web | stats count") == (0, '{"count":3}\n', "")
    assert talk.say("SELECT count(*) AS n FROM web;") == (0, '{"n":3}\n', "")


def test_an_error_keeps_the_session(talk: Talk) -> None:
    code, out, err = talk.say("table web | statz count")
    assert (code, out) == (1, "")
    assert "error[92000" in err
    assert talk.say("table web | stats count")[0] == 0


def test_parameters(talk: Talk) -> None:
    assert talk.say("\\set who=서울")[0] == 0
    assert talk.say('table web | search src == $("who") | fields status')[1] == '{"status":404}\n'
    assert talk.say("\\set")[1] == "who = 서울\n"
    assert talk.say("\\unset who")[0] == 0
    assert talk.say("\\unset who")[0] == 2
    assert talk.say("\\set nonsense")[0] == 2


def test_tables_and_columns(talk: Talk) -> None:
    assert talk.say("\\d")[1] == "web\n"
    assert talk.say("\\d web")[1] == "src  string\nstatus  int\nbytes  long\n"
    assert talk.say("\\d nope")[0] == 1


def test_display_limit_counts_all_rows(talk: Talk) -> None:
    talk.say("\\format table")
    talk.say("\\rows 1")
    code, out, err = talk.say("table web | fields status")
    assert code == 0
    assert len(out.splitlines()) == 3
    assert "1 of 3 rows shown" in err


def test_sql_is_shown_on_request(talk: Talk) -> None:
    talk.say("\\sql on")
    assert "SELECT" in talk.say("table web | stats count")[2]
    talk.say("\\sql off")
    assert talk.say("table web | stats count")[2] == ""


def test_plan_of_the_last_query(talk: Talk) -> None:
    assert talk.say("\\plan")[0] == 2
    talk.say("table web | fields status")
    assert "status: int" in talk.say("\\plan")[1]
    assert "src: string" in talk.say("\\plan table web | fields src")[1]
    assert "run: rows" not in talk.say("\\plan")[1]
    assert "run: rows" in talk.say("\\plan --run")[1]
    assert "1 of" in talk.say('\\plan --run json "{line: \'k=5\'}" | rex field=line "k=(?<v>.)"')[1]


def test_time_zone(talk: Talk) -> None:
    query = "select timestamptz '2024-01-01 00:00:00+00' as t"
    assert json.loads(talk.say(query)[1])["t"] == "2024-01-01 09:00:00+0900"
    assert talk.say("\\tz UTC")[1] == "UTC\n"
    assert json.loads(talk.say(query)[1])["t"] == "2024-01-01 00:00:00+0000"
    assert talk.say("\\tz Mars/Olympus")[0] == 2
    assert talk.say("\\tz")[1] == "UTC\n"


def test_loss_of_the_last_query(talk: Talk) -> None:
    talk.say("table web")
    assert talk.say("\\loss")[1] == "the last query lost nothing\n"
    talk.session.last_ledger.lost("a.log", "broken-json", 2, 17, "{oops")
    assert talk.say("\\loss")[1] == (
        "        2  broken-json  a.log  at byte 17  '{oops'  lines that are no JSON: no row\n"
    )


def test_query_files(talk: Talk, tmp_path: Path) -> None:
    file = tmp_path / "q.lq"
    file.write_text("# all\n| table web | stats count\n")
    assert talk.say(f"\\i {file}")[1] == '{"count":3}\n'
    assert talk.say("\\i /nonexistent.lq")[0] == 3
    assert talk.say("\\i")[0] == 2


def test_help(talk: Talk) -> None:
    listed = talk.say("\\?")[1]
    assert all(meta.name in listed for meta in METAS)
    assert "stats [listlimit=N] AGGREGATE" in talk.say("help stats")[1]
    assert talk.say("help statts")[0] == 2


def test_unknown_shell_commands_name_the_nearest(talk: Talk) -> None:
    code, _, err = talk.say("\\plam")
    assert code == 2
    assert "\\plan" in err


def test_every_listed_command_exists(talk: Talk) -> None:
    for meta in METAS:
        if meta.name == "\\q":
            with pytest.raises(Leave):
                talk.shell.execute(meta.name)
        else:
            assert "unknown shell command" not in talk.say(meta.name)[2], meta.name


def test_an_internal_error_is_one_line_and_keeps_the_session(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(talk.session, "query", lambda *args: 1 / 0)
        code, _, err = talk.say("table web")
    assert code == 1
    assert err.splitlines()[0] == "internal error: ZeroDivisionError: division by zero"
    assert talk.say("table web | stats count")[1] == '{"count":3}\n'


def test_lines_are_joined_before_they_run(talk: Talk) -> None:
    lines = io.StringIO(
        'table web \\\n| search src == "10.0.0.1" \\\n| fields status\ntable web | join src [\ntable web ]\n'
    )
    assert plain(talk.shell, PlainLines(lines)) == 0
    assert talk.out.getvalue().decode().splitlines()[0] == '{"status":200}'
    assert talk.out.getvalue().count(b"\n") > 1


def test_what_is_open_at_the_end_still_runs(talk: Talk) -> None:
    assert plain(talk.shell, PlainLines(io.StringIO("table web | stats count \\"))) == 0
    assert talk.out.getvalue() == b'{"count":3}\n'


PIPED = "table web\n| search status == 200\n  | stats count\n\\rows 5\ntable web | stats count\n\n| stats count\n"


@pytest.mark.parametrize("kind", ["memory", "file", "pipe"])
def test_a_line_that_begins_with_a_pipe_goes_on(talk: Talk, tmp_path: Path, kind: str) -> None:
    # A query file whose lines begin with | was run line by line from standard input.
    if kind == "memory":
        assert plain(talk.shell, PlainLines(io.StringIO(PIPED))) != 0
    elif kind == "file":
        (tmp_path / "q.lq").write_text(PIPED)
        with (tmp_path / "q.lq").open() as lines:
            assert plain(talk.shell, PlainLines(lines)) != 0
    else:
        taken, given = os.pipe()
        os.write(given, PIPED.encode())
        os.close(given)
        with os.fdopen(taken) as lines:
            assert plain(talk.shell, PlainLines(lines)) != 0
    assert talk.out.getvalue().decode().count('{"count":') == 2  # the empty line ends the last query


def test_a_program_that_waits_for_an_answer_gets_it(talk: Talk) -> None:
    taken, given = os.pipe()
    with os.fdopen(taken) as stream:
        os.write(given, b"table web | stats count\n")
        source = PlainLines(stream)
        waiting = inputs(talk.shell, source)
        assert next(waiting) == "table web | stats count"
        os.write(given, b"table web\n| limit 1\ny\n")
        assert (next(waiting), source.read()) == ("table web\n| limit 1", "y\n")
        os.close(given)
        assert list(waiting) == []
