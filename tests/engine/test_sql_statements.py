"""SQL text: every statement runs once, results that are not shown are counted, errors point at the user's text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.language.spans import render


@pytest.fixture
def session() -> Iterator[logsql.Session]:
    with logsql.connect(tz="UTC") as session:
        session.sql("CREATE TABLE t (abc INT, abd INT)").rows()
        yield session


def count(session: logsql.Session) -> int:
    return int(session.sql("SELECT count(*) AS n FROM t").rows()[0]["n"])


def test_asking_for_columns_first_runs_a_statement_once(session: logsql.Session) -> None:
    # Each of these ran the statement once for the columns and once for the rows: two rows for one INSERT.
    insert = session.sql("INSERT INTO t VALUES (1, 1)")
    assert (insert.columns, insert.types) == (["Count"], ["int64"])
    assert insert.rows() == insert.rows() == [{"Count": 1}]
    assert insert.arrow().num_rows == 1
    assert count(session) == 1
    returning = session.sql("INSERT INTO t VALUES (2, 2), (3, 3) RETURNING abc")
    assert returning.rows() == [{"abc": 2}, {"abc": 3}]
    assert returning.schema == {"abc": "int32"}
    assert count(session) == 3
    both = session.sql("INSERT INTO t VALUES (4, 4); SELECT max(abc) AS m FROM t")
    assert both.columns == ["m"]
    assert both.rows() == both.rows() == [{"m": 4}]
    assert count(session) == 4
    dropped = session.sql("DROP TABLE t")
    assert dropped.rows() == dropped.rows() == []


def test_a_select_may_be_read_often_and_be_empty(session: logsql.Session) -> None:
    found = session.sql("SELECT * FROM t WHERE abc = ?", [1])
    assert found.columns == ["abc", "abd"]
    assert found.rows() == []
    session.sql("INSERT INTO t VALUES (1, 1)").rows()
    assert found.rows() == [{"abc": 1, "abd": 1}]
    empty = session.sql("SELECT abc, [now()::VARIANT] AS l FROM t LIMIT 0")
    assert empty.arrow().schema.names == ["abc", "l"]


def test_results_of_earlier_statements_are_counted(session: logsql.Session) -> None:
    found = session.sql("SELECT 1 AS a; INSERT INTO t VALUES (1, 1); SELECT 2 AS b; SELECT 3 AS c")
    assert found.rows() == [{"c": 3}]
    assert found.ledger.summary().startswith("2 result-not-shown in sql")


@pytest.mark.parametrize(
    ("text", "place", "help"),
    [
        ("SELECT abx FROM t", "abx", '"abc" or "abd"'),
        ("SELECT 1;\nSELECT abc,\n  abx FROM t", "abx", '"abc" or "abd"'),
        ("SELECT '한글', abx FROM t", "abx", '"abc" or "abd"'),
        ("SELECT " + "abc, " * 40 + "abx, " + "abd, " * 40 + "1 FROM t", "abx", '"abc" or "abd"'),
        ("SELECT abx FROM t JOIN pipe('json \"{}\"') p ON true", "abx", '"abc"'),
        ("INSERT INTO t (abx) VALUES (1)", "abx", '"abc" or "abd"'),
        ("SELECT lowr('x')", "lowr", '"lower"'),
        ("SELECT * FROM read_csvv('x')", "read_csvv", '"read_csv"'),
        ("SELECT abc FRM t WHERE", "t", None),
        ("SELECT\n  CAST('x' AS INT)", "CAST('x' AS INT)", None),
        ("SELECT count() OVER (PARTITION BY) FROM t", ")", None),
        ("SELECT x.abc FROM t c", "x", '"c"'),
        ("SELECT x.a FROM pipe('json \"{}\"') c", "x", None),
        ("SELECT sum(a) FROM pipe('json \"{a:''x''}\"') c", "sum", None),
        ("SELECT * FROM csvfil('x')", "csvfil", '"csvfile"'),
        ("SELECT * FROM other", "other", None),
        ("UPDATE t SET abx = 1", "abx", '"abc" or "abd"'),
        ("SELECT a FROM pipe('json \"{}\"') wher a = 1", "a", None),
        ("SELECT a FROM pipe('json \"{}\"'", "'json", None),
    ],
)
def test_an_error_points_at_the_text_and_tells_what_is_near(
    session: logsql.Session, text: str, place: str, help: str | None
) -> None:
    with pytest.raises(LogsqlError) as caught:
        session.sql(text).rows()
    error = caught.value
    assert error.code == "E1303"
    assert error.span is not None
    assert text[error.span.start : error.span.end].startswith(place)
    assert (help or "") in (error.help or "")
    assert "^" in render(error.diagnostic)


def test_views_of_the_catalog_are_no_candidates(session: logsql.Session) -> None:
    """`asets` was answered with "did you mean pg_settings?"."""
    with pytest.raises(LogsqlError) as caught:
        session.sql("SELECT * FROM asets").rows()
    assert caught.value.help is None


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("SELECT * FROM csvfile('nosuch.csv')", "10800", "'nosuch.csv'"),
        ("SELECT 1, *\nFROM csvfile('x.csv', foo => 1)", "90001", "foo"),
        ("SELECT * FROM csvfile('x.csv', limit => 'x')", "90001", "'x'"),
        ("SELECT '한글', * FROM csvfile('x.csv', offset => -1)", "90001", "-1"),
        ("SELECT * FROM csvfile('x.csv', offset => 1 + 1)", "E1602", "offset => 1 + 1"),
        ("SELECT * FROM csvfile('a.csv', 'b')", "E1602", "csvfile"),
        ("SELECT * FROM csvfile(1 + 1)", "E1602", "1 + 1"),
        ("SELECT * FROM pipe('json \"{}\" | statz')", "92000", "statz"),
        ("SELECT * FROM pipe('json \"{}\" | search a == \"it''s\" | statz') c", "92000", "statz"),
        ('SELECT * FROM t JOIN pipe($$json "{}"\n| statz$$) c ON true', "92000", "statz"),
        ("SELECT * FROM t WHERE abc IN (SELECT a FROM pipe('json \"{}\" | eval a = foo(1)'))", "90900", "foo"),
        ("SELECT * FROM pipe('json \"{}\"', x => 1)", "E1602", "pipe"),
    ],
)
def test_a_refused_table_function_is_shown_where_it_stands(
    session: logsql.Session, text: str, code: str, place: str
) -> None:
    """The place was that in a pipe query that nobody wrote: ``pipe:1:9`` of ``csvfile "0"``."""
    with pytest.raises(LogsqlError) as caught:
        session.sql(text)
    found = caught.value.diagnostic
    assert (found.code, found.text, found.origin) == (code, text, "sql")
    assert found.span is not None
    assert text[found.span.start : found.span.end] == place


def test_notes_of_a_pipe_query_in_sql_have_their_place_there(session: logsql.Session) -> None:
    text = "SELECT * FROM pipe('json \"{a:''x''}\" | search nme == 1') p"
    (note,) = [note for note in session.sql(text).notes if note.code == "N1001"]
    assert note.span is not None
    assert (note.origin, text[note.span.start : note.span.end]) == ("sql", "nme")


def test_functions_of_that_name_are_told(session: logsql.Session) -> None:
    with pytest.raises(LogsqlError) as caught:
        session.sql("SELECT lower(1, 2)").rows()
    assert caught.value.notes == ("lower(string VARCHAR) -> VARCHAR",)


def test_sql_with_half_a_character() -> None:
    """Bytes of the command line that are no UTF-8: DuckDB's client ended in a TypeError."""
    with logsql.connect(tz="UTC") as s, pytest.raises(LogsqlError) as caught:
        s.sql("select '\udc80'").rows()
    assert caught.value.code == "E0002"


def test_no_folder_has_the_character_nul() -> None:
    for folders in ({"allow_dirs": ["a\0b"]}, {"allow_write": ["a\0b"]}):
        with pytest.raises(LogsqlError) as caught:
            logsql.connect(safe=True, **folders)  # type: ignore[arg-type]
        assert caught.value.code == "E3005"
