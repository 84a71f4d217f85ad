"""Hostile input: one clear diagnostic or a ledger entry for each; never a traceback, never a silently missing row."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import logsql
from logsql import Session
from logsql.diagnostics.errors import LogsqlError, QueryError, SourceError
from logsql.language.spans import render
from tests.cli.support import run

SOURCE = """json "[{'a': 1}]" | """


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as session:
        yield session


def refused(session: Session, text: str) -> LogsqlError:
    """The error of a query that cannot run."""
    with pytest.raises(LogsqlError) as caught:
        session.query(text).rows()
    return caught.value


def ask(session: Session, text: str) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Rows, and what the ledger counts by reason."""
    result = session.query(text)
    rows = result.rows()
    ledger: dict[str, int] = {}
    for entry in result.ledger:
        ledger[entry.reason] = ledger.get(entry.reason, 0) + entry.count
    return rows, ledger


def written(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


# --- queries ----------------------------------------------------------------------------------------------------------

WRONG = [
    (SOURCE + "stast count", "stast", 'help: did you mean "stats"?'),
    (SOURCE + "sort limt=3 a", "limt", 'help: did you mean "limit"?'),
    (SOURCE + "eval b = concta(a)", "concta", '"concat"'),
    (SOURCE + "stats cuont", "cuont", '"count"'),
    (SOURCE + 'eval b = substr("x")', 'substr("x")', "help: usage: substr("),
    (SOURCE + "stats sum()", "sum()", "help: usage: sum("),
    (SOURCE + "sort limit=abc a", "abc", "integer"),
    (SOURCE + "limit abc", "abc", "whole numbers"),
    (SOURCE + 'eval b = "abc', '"', "never closed"),
    ('json "{}', '"', "never closed"),
    (SOURCE + "eval b = (1 + 2", "(", "never closed"),
    (SOURCE + "eval b = 1 + 2)", ")", "closes nothing"),
    (SOURCE + "join a [ json '{}'", "[", "never closed"),
    (SOURCE + 'join a json "{}" ]', "]", "closes nothing"),
    (SOURCE + "eval b = if(a, 2", "(", "never closed"),
    (SOURCE + "| limit 1", "|", "no command"),
    (SOURCE + "eval b = 1 +", "+", "lacks an operand"),
    (SOURCE + 'rex field=a "(?<x>["', '"(?<x>["', "regular expression"),
    ("limit 1", "limit", "help: start with a source"),
    ("table nosuch", "nosuch", "no table"),
    ('json "[1, 2"', '"[1, 2"', "JSON"),
]


@pytest.mark.parametrize(("text", "marked", "said"), WRONG, ids=[w[0][-25:] for w in WRONG])
def test_a_wrong_query_is_shown_at_its_place(session: Session, text: str, marked: str, said: str) -> None:
    error = refused(session, text)
    assert isinstance(error, QueryError)
    assert error.exit_code == 1
    shown = render(error.diagnostic)
    assert shown.startswith(f"error[{error.code} {error.name}]: ")
    lines = shown.splitlines()
    carets = next(i for i, line in enumerate(lines) if set(line.strip("| ")) == {"^"})
    assert lines[carets - 1] == f"1 | {text}"
    start, length = lines[carets].index("^"), lines[carets].count("^")
    assert lines[carets - 1][start : start + length] == marked
    assert said in shown


@pytest.mark.parametrize("text", ["", "  \n ", "# only a comment", "# one\n# two\n"])
def test_a_query_without_a_command(session: Session, text: str) -> None:
    error = refused(session, text)
    assert error.name == "empty-command"
    assert "no command" in render(error.diagnostic)


@pytest.mark.parametrize(
    "text",
    [
        SOURCE + "eval b = " + "(" * 10_000 + "1" + ")" * 10_000,
        SOURCE + "eval b = " + "[" * 10_000 + "]" * 10_000,
        SOURCE + "eval b = " + "abs(" * 2_000 + "a" + ")" * 2_000,
        SOURCE + "eval b = " + "-" * 10_000 + "1",
        SOURCE + "union " + '[ json "{}" | union ' * 10_000,
        SOURCE + "eval b = " + " + ".join(["a"] * 3_000),
        SOURCE + "eval b = " + " + ".join(["a"] * 400),
    ],
    ids=["parentheses", "lists", "calls", "minus", "subqueries", "sum of 3000", "sum of 400"],
)
def test_nesting_has_a_limit(session: Session, text: str) -> None:
    error = refused(session, text)
    assert (error.code, error.name) == ("E0001", "nesting-too-deep")
    assert len(render(error.diagnostic)) < 1_000


@pytest.mark.parametrize("joiner", ["or", "and"])
def test_a_chain_of_2000_terms(session: Session, joiner: str) -> None:
    test = "==" if joiner == "or" else "!="
    terms = f" {joiner} ".join(f"a {test} {i}" for i in range(2_000))
    rows, _ = ask(session, f"json \"[{{'a': 1999}}, {{'a': 2000}}]\" | search {terms}")
    assert rows == ([{"a": 1999}] if joiner == "or" else [{"a": 2000}])


def test_concat_of_3000_arguments(session: Session) -> None:
    arguments = ", ".join(["a", '"x"'] * 1_500)
    assert ask(session, SOURCE + f"eval b = len(concat({arguments}))")[0] == [{"a": 1, "b": 3_000}]


def test_in_with_3000_patterns(session: Session) -> None:
    patterns = ", ".join(f'"*x{i}"' for i in range(3_000))
    rows, _ = ask(session, f"json \"[{{'a': 'yx2999'}}, {{'a': 'yx3000'}}]\" | search in(a, {patterns})")
    assert rows == [{"a": "yx2999"}]


@pytest.mark.parametrize("code", [0xD800, 0xDCFF, 0xDFFF])
def test_half_a_character_is_pointed_at(session: Session, code: int) -> None:
    error = refused(session, SOURCE + f'eval b = "가{chr(code)}"')
    assert (error.code, error.name) == ("E0002", "unexpected-character")
    assert error.diagnostic.span is not None
    assert error.diagnostic.span.start == len(SOURCE) + len('eval b = "가')
    assert f"U+{code:04X}" in render(error.diagnostic)
    render(error.diagnostic).encode()


def test_a_pipeline_of_300_commands(session: Session) -> None:
    assert ask(session, SOURCE + " | ".join(["eval a = a + 1"] * 300))[0] == [{"a": 301}]
    assert ask(session, SOURCE + " | ".join(["search a == 1"] * 300))[0] == [{"a": 1}]


def test_text_that_is_no_number_is_null_and_counted(session: Session) -> None:
    rows, ledger = ask(session, "json \"[{'a': 'x'}, {'a': '5'}]\" | eval a = string(a) | eval b = a + 1 | fields b")
    assert rows == [{"b": None}, {"b": 6}]
    assert ledger["text-not-a-number"] >= 1


PARAMETERS = ["it's", 'say "hi"', "50%", "a\nb", "'; drop table t; --", "\\", "한글"]


@pytest.mark.parametrize("value", PARAMETERS)
def test_parameters_are_values(session: Session, value: str) -> None:
    result = session.query(SOURCE + 'eval b = $("p") | search b == $("p") | fields b', {"p": value})
    assert result.rows() == [{"b": value}]


# --- names ------------------------------------------------------------------------------------------------------------

NAMES = ['a"b', "a'b", "a%b", "a\nb", "select", '"; drop table t; --', "a b", "a.b", "[a]", "$a", "a|b", "a,b", "count",
         "*", "null", "rowid", "__ord", "#x", "a\\b", "한글", "a\0b"]  # fmt: skip


def test_odd_names_of_json_keys(session: Session, tmp_path: Path) -> None:
    row = {name: number for number, name in enumerate(NAMES)}
    path = written(tmp_path, "odd.json", json.dumps(row) + "\n")
    assert ask(session, f"jsonfile {path}")[0] == [{**row, "_file": "odd.json"}]
    assert ask(session, f"jsonfile {path} | sort select | stats count")[0] == [{"count": 1}]


def test_odd_names_of_csv_columns(session: Session, tmp_path: Path) -> None:
    header = ",".join('"' + name.replace('"', '""') + '"' for name in NAMES)
    path = written(tmp_path, "odd.csv", f"{header}\n{','.join(map(str, range(len(NAMES))))}\n")
    expected = {name: str(number) for number, name in enumerate(NAMES)}
    assert ask(session, f"csvfile {path}")[0] == [{**expected, "_file": "odd.csv"}]


@pytest.mark.parametrize("name", ["select", "order by", "a%b", "a'b", "count", "한글", "x; drop table y"])
def test_odd_names_of_tables(session: Session, name: str) -> None:
    import pyarrow as pa

    session.register(name, pa.table({"x": [1, 2]}))
    assert ask(session, f"table {name} | stats count")[0] == [{"count": 2}]


def test_columns_that_differ_only_in_case(session: Session, tmp_path: Path) -> None:
    path = written(tmp_path, "case.json", '{"a": 1, "A": 2}\n')
    assert ask(session, f"jsonfile {path} | eval c = a * 10 + A")[0] == [
        {"a": 1, "A": 2, "_file": "case.json", "c": 12}
    ]
    path = written(tmp_path, "case.csv", "a,A\n1,2\n")
    assert ask(session, f"csvfile {path}")[0] == [{"a": "1", "A": "2", "_file": "case.csv"}]


def test_a_csv_header_with_a_name_twice(session: Session, tmp_path: Path) -> None:
    path = written(tmp_path, "dup.csv", "a,a,b\n1,2,3\n")
    rows, ledger = ask(session, f"csvfile {path}")
    assert rows == [{"a": "1", "a_1": "2", "b": "3", "_file": "dup.csv"}]
    assert "duplicate-header" in ledger


def test_5000_columns(session: Session, tmp_path: Path) -> None:
    path = written(
        tmp_path, "wide.csv", ",".join(f"c{i}" for i in range(5_000)) + "\n" + ",".join(["7"] * 5_000) + "\n"
    )
    assert ask(session, f"csvfile {path} | fields c0, c4999")[0] == [{"c0": "7", "c4999": "7"}]
    assert len(session.query(f"csvfile {path}").columns) == 5_001


# --- files ------------------------------------------------------------------------------------------------------------

LINES = ("textfile", "csvfile", "jsonfile")
FORENSIC = ("evtx-file", "hive-file", "ntfs-mft", "ntfs-logfile", "ntfs-usnjrnl", "sqlite-tables", "reg-shellbags",
            "reg-bam-entries", "reg-shim-cache")  # fmt: skip
DOCUMENTS = ("xmlfile", "xlsxfile", "zipfile-entries")
FILES = [f"{name} {{}}" for name in (*LINES, *DOCUMENTS, *FORENSIC)]
FILES += ["zipfile {} *", "sqlite-records table=t {}"]


@pytest.mark.parametrize("command", FILES)
def test_a_file_that_is_not_there(session: Session, tmp_path: Path, command: str) -> None:
    text = command.format(tmp_path / "missing")
    error = refused(session, text)
    assert isinstance(error, SourceError)
    assert (error.name, error.exit_code) == ("file-not-found", 3)
    assert f"1 | {text}"[:150] in render(error.diagnostic) or "..." in render(error.diagnostic)


def test_the_nearest_file_name_is_suggested(session: Session, tmp_path: Path) -> None:
    written(tmp_path, "access.log", "x\n")
    assert "access.log" in (refused(session, f"textfile {tmp_path}/acess.log").help or "")


@pytest.mark.parametrize("command", FILES)
def test_a_directory_is_no_file(session: Session, tmp_path: Path, command: str) -> None:
    error = refused(session, command.format(tmp_path))
    assert (error.name, error.exit_code) == ("is-a-directory", 3)


@pytest.mark.parametrize("command", FILES)
def test_safe_mode_reads_only_what_was_named(tmp_path: Path, command: str) -> None:
    path = written(tmp_path, "x", "{}\n")
    with logsql.connect(tz="UTC", safe=True) as session:
        error = refused(session, command.format(path))
    assert (error.code, error.name) == ("E4001", "read-not-allowed")
    assert "--allow-dir" in (error.help or "")


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("data", [b"", b"PKnot a zip"], ids=["empty", "garbage"])
def test_a_file_without_content_of_its_kind(session: Session, tmp_path: Path, command: str, data: bytes) -> None:
    path = written(tmp_path, "x", data)
    if command.split()[0] in LINES and not data:
        assert ask(session, command.format(path)) == ([], {})
    elif command.split()[0] == "jsonfile":
        assert ask(session, command.format(path)) == ([], {"broken-json": 1})
    elif command.split()[0] == "textfile":
        assert [row["line"] for row in ask(session, command.format(path))[0]] == ["PKnot a zip"]
    elif command.split()[0] == "csvfile":
        assert ask(session, command.format(path)) == ([], {})  # its one line is the header
    else:
        error = refused(session, command.format(path))
        assert isinstance(error, SourceError)
        assert str(path) in str(error)


def test_a_parquet_file_that_is_none(session: Session, tmp_path: Path) -> None:
    error = refused(session, f"load {written(tmp_path, 'x.parquet', 'PAR1 nonsense')}")
    assert (error.name, error.exit_code) == ("saved-result-not-readable", 3)


def test_json_lines_that_are_broken_are_counted(session: Session, tmp_path: Path) -> None:
    path = written(tmp_path, "x.json", '{"a":1}\n{"a":\nnot json\n[1]\n"t"\n7\nnull\n{"a":2}')
    rows, ledger = ask(session, f"jsonfile {path} | fields a")
    assert rows == [{"a": 1}, {"a": 2}]
    assert ledger == {"broken-json": 2, "not-an-object": 4}


def test_a_key_that_comes_late_and_a_type_that_changes_late(session: Session, tmp_path: Path) -> None:
    lines = ['{"s":404}'] * 50_001 + ['{"s":"404","late":"x"}']
    path = written(tmp_path, "late.json", "\n".join(lines) + "\n")
    last = ask(session, f'jsonfile {path} | search late == "x" | fields s, late')[0]
    assert last == [{"s": "404", "late": "x"}]
    counts = ask(session, f"jsonfile {path} | eval t = typeof(s) | stats count by t")[0]
    assert {(r["t"], r["count"]) for r in counts} in (
        {("int", 50_001), ("string", 1)},
        {("long", 50_001), ("string", 1)},
    )
    assert ask(session, f"jsonfile {path} | stats count by s")[0] == [
        {"s": 404, "count": 50_001},
        {"s": "404", "count": 1},
    ]


def test_a_csv_with_ragged_rows(session: Session, tmp_path: Path) -> None:
    path = written(tmp_path, "r.csv", 'a,b\n1,2\n3\n4,5,6\n"open,7\n')
    rows, ledger = ask(session, f"csvfile {path} | fields a, b, column2")
    assert rows[:3] == [
        {"a": "1", "b": "2", "column2": None},
        {"a": "3", "b": None, "column2": None},
        {"a": "4", "b": "5", "column2": "6"},
    ]
    assert len(rows) == 4
    assert ledger["unclosed-quote"] == 1


@pytest.mark.parametrize(
    ("command", "data", "field", "values"),
    [
        ("textfile", b"ok\n\xff bad\n", "line", ["ok", "\ufffd bad"]),
        ("csvfile", b"a,b\n1,\xff\n2,x\n", "b", ["\ufffd", "x"]),
        ("jsonfile", b'{"a":"\xff"}\n{"a":"ok"}\n', "a", ["\ufffd", "ok"]),
    ],
)
def test_invalid_utf8_keeps_the_row(
    session: Session, tmp_path: Path, command: str, data: bytes, field: str, values: list[str]
) -> None:
    rows, ledger = ask(session, f"{command} {written(tmp_path, 'x', data)} | fields {field}")
    assert [r[field] for r in rows] == values
    assert ledger == {"invalid-utf-8": 1}


@pytest.mark.parametrize(
    ("command", "data", "expected"),
    [
        ("textfile", b"a\nb\n", [{"line": "a"}, {"line": "b"}]),
        ("csvfile", b"line\nb\n", [{"line": "b"}]),
        ("jsonfile", b'{"line":1}\n', [{"line": 1}]),
    ],
)
def test_a_byte_order_mark_is_no_content(
    session: Session, tmp_path: Path, command: str, data: bytes, expected: list[dict[str, Any]]
) -> None:
    path = written(tmp_path, "x", b"\xef\xbb\xbf" + data)
    assert ask(session, f"{command} {path} | fields line") == (expected, {})


def test_nul_bytes(session: Session, tmp_path: Path) -> None:
    path = written(tmp_path, "x", b"a\0b\nc\n")
    assert [r["line"] for r in ask(session, f"textfile {path}")[0]] == ["a\0b", "c"]
    assert ask(session, f"csvfile {path}")[0] == [{"a\0b": "c", "_file": "x"}]
    path = written(tmp_path, "y", b'{"a":"x\0y"}\n{"a":"x\\u0000y"}\n')
    rows, ledger = ask(session, f"jsonfile {path} | fields a")
    assert (rows, ledger) == ([{"a": "x\0y"}], {"broken-json": 1})  # JSON allows no bare NUL


def test_compressed_files_that_end_early_or_are_none(session: Session, tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(b"line %d\n" % (i * 7919 % 100_003) for i in range(50_000)))
    rows, ledger = ask(session, f"textfile {written(tmp_path, 'x.gz', whole[: len(whole) // 2])}")
    assert 0 < len(rows) < 50_000
    assert rows[0]["line"] == "line 0"
    assert ledger == {"truncated-gzip": 1}
    rows, _ = ask(session, f"textfile {written(tmp_path, 'y.gz', 'no gzip')}")
    assert [r["line"] for r in rows] == ["no gzip"]


@pytest.mark.parametrize("command", LINES)
def test_a_line_of_10_million_characters(session: Session, tmp_path: Path, command: str) -> None:
    long = "x" * 10_000_000
    data = {"textfile": f"{long}\nend\n", "csvfile": f"line\n{long}\nend\n"}
    text = data.get(command, f'{{"line":"{long}"}}\n{{"line":"end"}}\n')
    rows, ledger = ask(session, f"{command} {written(tmp_path, 'x', text)} | eval n = len(line) | fields n")
    assert (rows, ledger) == ([{"n": 10_000_000}, {"n": 3}], {})


def test_json_nested_10000_deep_loses_no_row(session: Session, tmp_path: Path) -> None:
    deep = "[" * 10_000 + "]" * 10_000
    path = written(tmp_path, "deep.json", f'{{"a":{deep}}}\n{{"a":1}}\n')
    rows, ledger = ask(session, f"jsonfile {path} | fields a")
    assert len(rows) + sum(ledger.values()) == 2
    assert rows[-1] == {"a": 1}
    assert refused(session, f"json \"{{'a': {deep}}}\"").name == "invalid-json"


# --- command line -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (SOURCE + "stast count", 1, 'did you mean "stats"?'),
        (SOURCE + 'eval b = "x', 1, "never closed"),
        ("# nothing", 1, "no command"),
        ("textfile missing.log", 3, "file not found"),
        ("csvfile .", 3, "directory"),
        ("evtx-file empty", 3, "empty"),
        (SOURCE + "eval b = " + " + ".join(["a"] * 400), 1, "too many operators"),
    ],
)
def test_the_command_line_says_it_and_fails(tmp_path: Path, text: str, code: int, said: str) -> None:
    written(tmp_path, "empty", "")
    done = run("-q", text, cwd=tmp_path)
    shown = done.stderr.decode()
    assert done.returncode == code
    assert done.stdout == b""
    assert shown.startswith("error[")
    assert said in shown
    assert "Traceback" not in shown


def test_the_command_line_tells_what_was_lost(tmp_path: Path) -> None:
    written(tmp_path, "x.json", '{"a":1}\nbroken\n')
    done = run("-q", "jsonfile x.json | fields a", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b'{"a":1}\n')
    assert "1 broken-json in" in done.stderr.decode()


def test_safe_mode_on_the_command_line(tmp_path: Path) -> None:
    written(tmp_path, "x", "a\n")
    done = run("-q", "textfile x", "--safe", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith(b"error[E4001 read-not-allowed]")
