"""Names of other query languages: the help line of an error, and the examples against the SQL beside them."""

from __future__ import annotations

import duckdb
import pytest

import logsql
from docs.bridges import bridges_page
from logsql.diagnostics.bridges import BRIDGES, SOURCE, TABLE
from logsql.diagnostics.foreign import foreign_name
from logsql.diagnostics.places import Place
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS
from logsql.shell import lines, manual

REGISTRIES = {Place.COMMAND: COMMANDS, Place.FUNCTION: FUNCTIONS, Place.AGGREGATE: AGGREGATES}


def test_each_example_gives_the_rows_of_the_statement_beside_it() -> None:
    """DuckDB's own SQL is the independent tool: a form that means something else gives other rows."""
    with duckdb.connect() as peer, logsql.connect(tz="UTC") as session:
        peer.execute("SET timezone = 'UTC'")
        peer.execute(TABLE)
        session.sql(TABLE).rows()
        for bridge in BRIDGES:
            if bridge.query is None or bridge.statement is None:
                assert bridge.query is bridge.statement, bridge.form
                continue
            cursor = peer.execute(bridge.statement)
            names = [column[0] for column in cursor.description]
            wanted = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            assert session.query(f"{SOURCE} {bridge.query}").rows() == wanted, bridge.form


@pytest.mark.parametrize(
    ("query", "help"),
    [
        ("where a == 1", "use search CONDITION"),
        ("HEAD 5", "use limit COUNT"),
        ("extend b = 1", "use eval NAME = EXPRESSION"),
        ("project-away a", "use fields - A, B"),
        ("mv-expand a", "use explode FIELD"),
        ("eval b = strlen(a)", "use len(x)"),
        ("eval b = MD5(a)", 'use tohex(hash("md5", binary(x)))'),
        ("search iff(a == 1, 2, 3) == 2", "use if(CONDITION, A, B)"),
        ("stats p95(a)", "use percentile(x, 95)"),
        ("timechart span=1h distinct_count(a)", "use dc(x)"),
        ("stats count(*) by a", "use count"),
        ('search a ilike "x"', 'use lower(a) == "x"'),
        ('search a startswith "x"', 'use lower(a) == "x*"'),
        ("eval b = case when a == 1 then 2 end", "use case(a == 1, 2)"),
        ('eval b = a . "x"', 'use concat(a, "x")'),
        ("statz count", 'did you mean "stats"?'),
        ("grep x", 'use search line == "*TEXT*" (match(line, "REGEX") for an expression)'),
        ("stats distinct(a)", "use dc(x)"),
        ("search Event ID == 4625", 'a name with blanks is written field("Event ID") in an expression'),
        ("stats dc(Event ID)", 'a name with blanks is written field("Event ID") in an expression'),
        ("stats sum(Bytes Sent) by a", 'a name with blanks is written field("Bytes Sent") in an expression'),
        (
            "search Failed password",
            'a name with blanks is written field("Failed password"), a text to look for line == "*Failed password*"',
        ),
        ("eval c = a->b", "a key of a map is written a.b"),
        ('eval c = a["b"]', "a key of a map is written a.b"),
        ('search m.a["b"] == 1', "a key of a map is written m.a.b"),
        # patterns and texts without their quotes, conditions side by side
        ("search *Failed*", 'text and patterns stand in double quotes: line == "*Failed*"'),
        ("search a == 1 and *Failed*", 'text and patterns stand in double quotes: line == "*Failed*"'),
        ("search a == *Failed*", 'text and patterns stand in double quotes: "*Failed*"'),
        ("search a == 10.0.*", 'text and patterns stand in double quotes: "10.0.*"'),
        ("search contains(a, *x*)", 'text and patterns stand in double quotes: "x"'),
        ('search a:"x"', 'text and patterns stand in double quotes: a == "*x*"'),
        ('search a == "x" b == "y"', "conditions are joined with and or or"),
        ('search a ~ "x"', 'use match(a, "x")'),
        ('search a =~ "x"', 'use match(a, "x")'),
        (
            "search in(a, \u2018x\u2019, \u2018y z\u2019)",
            'text stands in double quotes: "y z"; a name with blanks is written field("y z")',
        ),
        ("eval b = valueof(a, 0).c", 'a key of a map is written valueof(..., "c")'),
        # the help named the nearest function: sha256 for sha1, the hour for the year, 0 for the value before
        ("eval b = sha1(a)", 'use tohex(hash("sha1", binary(x)))'),
        ("eval b = year(a)", 'use datepart(x, "year")'),
        ("eval b = replace_string(a)", "use replace(x, TEXT, y)"),
        ("reverse", "use eval n = seq() | sort -n | fields - n"),
        ("filldown a", 'use evalc last = nvl(FIELD, $("last")) | eval FIELD = $("last")'),
        # aggregates in expressions
        ("eval b = avg(a)", "avg() works on many rows: stats avg(a) as NAME, with by FIELD for groups"),
        ("stats avg(a) | search avg(a) > 1", 'write field("avg(a)")'),
        ("eval b = p95(a)", "use percentile(x, 95)"),
        ("parsekv quote=t", 'quote="\\""'),
        # constants without their quotes
        ("eval b = datetrunc(now(), 1h)", 'write "1h"'),
        ("eval b = datetrunc(now(), span=5m)", 'write "5m"'),
        ("eval b = ago(7d)", 'write "7d"'),
        ("eval b = date(a, 'yyyy-MM-dd')", 'write "yyyy-MM-dd"'),
        ("eval b = $(who)", 'write $("who")'),
        # what stands behind the arguments
        ("repeat 3", "use repeat count=N"),
        ("parsejson a", "use parsejson [field=FIELD] [overlay=t] [flatten=t] [cutoff=N] [lenient=t]"),
        ("parse syslog field=a", "options stand before the arguments: parse field=..."),
        ("timechart 1h count", "use timechart span=1h ..."),
        ("search a == 1; search a == 2", "a text holds one query; further ones are run by themselves"),
        # regular expressions
        ('rex field=a "%{WORD:u} x"', "there are no grok patterns here: write (?<u>\\S+) for %{WORD:u}"),
        ('rex field=a "(?<u-x>.)"', "names of groups are letters, digits and _, and begin with a letter"),
        ('search match(a, "*x*")', 'a regular expression has .* for any text: write "x", or FIELD == "*x*"'),
        ('rex field=a "u="(?<u>[^"]+)""', 'a quote inside a text is written \\"'),
    ],
)
def test_the_error_says_how_it_is_written_here(query: str, help: str) -> None:
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query(f'json "[{{a:1}}]" | {query}').rows()
    assert caught.value.help == help


def test_no_word_of_the_table_is_a_name_of_the_language() -> None:
    """A row for ``eval`` would never be read. ``drop`` and ``datatable`` aside, what exists is answered by itself."""
    same = {(bridge.place, word) for bridge in BRIDGES for word in bridge.words() if word in REGISTRIES[bridge.place]}
    assert same == {
        (Place.COMMAND, "drop"),  # ES|QL's drop removes fields, ours a table
        (Place.COMMAND, "table"),  # Splunk's table chooses fields, ours reads rows
        (Place.FUNCTION, "isnull"),  # SQL Server's isnull(a, b) is our nvl
        (Place.FUNCTION, "decode"),  # Oracle's decode is our if
    }


def test_letter_case_and_hyphens_do_not_matter() -> None:
    assert foreign_name("Project_Away", Place.COMMAND) == foreign_name("project-away", Place.COMMAND) is not None
    assert foreign_name("no such word", Place.FUNCTION) is None


def test_help_of_a_foreign_name_says_the_form() -> None:
    """It answered as an error with exit code 2, although it could help."""
    page = manual.page("mvexpand")
    assert page.startswith("mvexpand - a name of Splunk, KQL; here:\n  explode FIELD\n")
    assert page.endswith("the page: logsql help explode")
    assert [line for line in manual.page("top").splitlines() if line.startswith("top - ")] == [
        "top - a name of Splunk; here:",
        "top - a name of KQL; here:",
    ]


def test_every_word_of_the_table_has_a_page() -> None:
    """A name that exists here, or that is refused with its reason, keeps its own page."""
    pages = [(bridge.form, word, manual.page(word)) for bridge in BRIDGES for word in bridge.words()]
    assert [word for form, word, page in pages if form not in page and page.startswith(f"{word} - a name of")] == []


@pytest.mark.parametrize(
    ("query", "help"),
    [
        ("whre a == 1", 'did you mean "where"? use search CONDITION'),
        ("sumarize count", 'did you mean "summarize"? use stats AGGREGATE as NAME by KEY'),
        ("serach a == 1", 'did you mean "search" or "mpsearch" or "serial"?'),
        ("eval b = strln(a)", 'did you mean "strlen"? use len(x)'),
        ("eval b = lenn(a)", 'did you mean "len"?'),
    ],
)
def test_a_misspelt_foreign_name_is_known_too(query: str, help: str) -> None:
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.plan(f'json "[{{a:1}}]" | {query}')
    assert caught.value.help == help


@pytest.mark.parametrize(
    ("query", "help"),
    [
        ("sample_data/assets.csv | stats count", "use csvfile sample_data/assets.csv"),
        ("cat sample_data/auth.log | grep Failed", "use textfile sample_data/auth.log"),
        ('source="a.jsonl.gz" | stats count', None),
        ('read "a.evtx" | stats count', "use evtx-file a.evtx"),
        ('json "{}" | eval x = if(a = 1, 2, 3)', "to compare, write a == ..."),
        ('json "{}" | regex a="^d"', 'use search match(FIELD, "REGEX")'),
    ],
)
def test_what_is_typed_first_is_answered_with_what_to_type(query: str, help: str | None) -> None:
    """A file where a command stands had no help; `if(a = 1, ...)` was answered with the usage of if()."""
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.plan(query)
    assert help is None or caught.value.help == help


@pytest.mark.parametrize(
    ("query", "code", "help"),
    [
        ("search owner == ownr", "N1001", 'did you mean "owner"?'),
        ("search ab == owner", "N1001", "there are owner, n"),
        ("stats count by owner limit 3", "N1108", "a command of its own: | limit 3"),
        ("stats count by owner having count > 1", "N1108", "a command of its own: | search count > 1"),
        ("sort owner head 2", "N1108", "a command of its own: | limit 2"),
    ],
)
def test_notes_say_what_to_write(query: str, code: str, help: str) -> None:
    """`by owner limit 3` told only that there is no such field."""
    with logsql.connect() as session:
        notes = session.query(f"json \"[{{'owner': 'dev', 'n': 1}}]\" | {query}").notes
    assert [(note.code, note.help) for note in notes] == [(code, help)]


@pytest.mark.parametrize("text", ["SELECT 1", " select * from t", "with a as (select 1) from a", "FROM web"])
def test_sql_given_as_a_query_is_named(text: str) -> None:
    with pytest.raises(logsql.LogsqlError) as caught:
        logsql.parse(text)
    assert caught.value.help is not None
    assert caught.value.help.startswith("this is SQL: logsql sql 'SELECT ...'")


@pytest.mark.parametrize("text", ["FROM web | WHERE a == 1", 'json "{}" | select a'])
def test_a_pipe_of_another_language_is_no_sql(text: str) -> None:
    with pytest.raises(logsql.LogsqlError) as caught:
        logsql.parse(text)
    assert caught.value.help is not None
    assert "this is SQL" not in caught.value.help


def test_a_source_behind_rows_that_means_another_command_elsewhere_says_that_too() -> None:
    """`table a, b` chooses fields in Splunk."""
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.plan('json "[{a:1}]" | table a')
    assert (caught.value.code, caught.value.help and caught.value.help.endswith("; use fields A, B")) == ("E0004", True)


def test_the_page_lists_every_word() -> None:
    page = bridges_page()
    missing = [word for bridge in BRIDGES for word in bridge.words() if f"`{word}`" not in page]
    assert missing == []


@pytest.mark.parametrize("text", ["exit", "quit", " exit; ", "quit()"])
def test_the_shell_is_left_by_the_usual_words(text: str) -> None:
    assert lines.classify(text, COMMANDS) is lines.Kind.LEAVE


def test_exit_in_front_of_more_is_a_query() -> None:
    assert lines.classify("exit | limit 1", COMMANDS) is lines.Kind.QUERY


def test_help_lists_the_commands_by_chapter() -> None:
    listed = manual.chapters()
    assert all(name in listed for name in COMMANDS)
    assert "Forensic" in listed


@pytest.mark.parametrize(
    ("query", "help"),
    [
        ("jsonfile -", "standard input is the source -: - | parsejson, - | parsecsv ..."),
        (
            '# title\njson "{}"',
            'a comment goes on to the next pipe: begin the line behind it with one, | json "{}"',
        ),
        ("# title\nnothing more", None),
    ],
)
def test_the_error_of_a_whole_query_says_it_too(query: str, help: str | None) -> None:
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query(query).rows()
    assert caught.value.help == help


def test_the_note_of_a_condition_that_is_averaged_gives_the_share() -> None:
    with logsql.connect() as session:
        (note,) = session.query('json "[{a:1},{a:2}]" | stats avg(a == 1)').notes
    assert note.help == "write avg(if(a == 1, 1, 0))"


@pytest.mark.parametrize(
    ("query", "help"),
    [
        ("EVAL c = 1", 'did you mean "eval"?'),
        ("SORT a", 'did you mean "sort"?'),
        ("TABLE a", "use fields A, B"),  # of Splunk
        ("lower a", "use eval NAME = lower(text)"),
        ("sum(a)", "use stats sum(number)"),
        ('match(a, "x")', "use search match(text, regex)"),
        ('cidrmatch("10.0.0.0/8", a)', 'use network(ip, BITS) == "10.0.0.0"'),
        ('left join a [ json "{a:1}" ]', "use join type=left KEY [ QUERY ]"),
        ("limit 10 offset 5", "use limit 5 10"),
    ],
)
def test_a_word_in_the_place_of_a_command_gets_its_form(query: str, help: str) -> None:
    """They were answered with commands that look alike (`lower`: did you mean "flowsearch"?), or with nothing."""
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query(f'json "[{{a:1}}]" | {query}').rows()
    assert caught.value.help == help


def test_a_source_in_capitals_is_named() -> None:
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query("TABLE t").rows()
    assert caught.value.help == 'did you mean "table"?'
