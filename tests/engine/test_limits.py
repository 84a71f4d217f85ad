"""Limits that a hostile file or query meets: each is said, with what can be done instead (docs/limits.md)."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path

import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError, RunError
from logsql.engine import discovery, memory
from tests.cli.support import command, env
from tests.support import sample
from udfs.java import javaformat
from udfs.readers import lines, xmlrows


def refused(query: str) -> tuple[str, str]:
    with logsql.connect(tz="UTC", timeout=60) as s, pytest.raises(LogsqlError) as caught:
        s.query(query).rows()
    return caught.value.code, caught.value.diagnostic.message


def test_keys_of_documents(tmp_path: Path) -> None:
    """200,000 keys in one document ran for hours, and no time limit ended it."""
    path = tmp_path / "k.jsonl"
    path.write_text(json.dumps({f"k{i}": i for i in range(200_000)}) + "\n", encoding="utf-8")
    code, said = refused(f"jsonfile {path}")
    assert (code, said) == ("E1305", "the rows have 200,000 different fields; at most 10,000 are shown")
    with logsql.connect(tz="UTC") as s:
        assert s.query(f"jsonfile {path} | fields k7, k199999").rows() == [{"k7": 7, "k199999": 199999}]


def test_columns_of_a_pivot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MAX_FIELDS", 3)
    rows = json.dumps([{"a": i, "b": f"v{i}"} for i in range(5)]).replace('"', "'")
    assert refused(f'json "{rows}" | pivot count rows a cols b') == (
        "E1305",
        "the rows have 5 different fields; at most 3 are shown",
    )


def test_an_expression_that_grows_with_each_command() -> None:
    code, said = refused("json \"{'a':1}\"" + " | eval a = a + 1" * 1500)
    assert code == "E0001"
    assert "max_expression_depth" not in said


def test_widths_of_a_format() -> None:
    """Java would fill 2 GB; so wide a text is refused as any other wrong specifier is."""
    with logsql.connect(tz="UTC") as s:
        wide = javaformat.MAX_WIDTH
        query = 'json "{\'a\':1}" | eval n = len(format("%{}d", a))'
        assert s.query(query.replace("{}", str(wide), 1)).rows()[0]["n"] == wide
        wrong = [s.query(f'json "{{}}" | eval n = format("{pattern}", 1)') for pattern in ("%q", f"%{wide + 1}d")]
        assert wrong[0].rows() == wrong[1].rows()


def test_fields_of_a_cube_and_copies_of_a_row() -> None:
    names = ", ".join(f"f{i}" for i in range(20))
    assert refused(f'json "{{}}" | cube count by {names}')[0] == "E0102"
    with logsql.connect(tz="UTC", memory_limit="200MB") as s:
        assert len(s.query('json "{}" | repeat count=1000000000 | limit 3').rows()) == 3


def test_a_line_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 2_000_000)
    path = tmp_path / "l.txt"
    path.write_bytes(b"x" * 12_000_000)
    with logsql.connect(tz="UTC") as s:
        result = s.query(f"textfile {path} | stats count")
        assert result.rows()[0]["count"] > 1
        assert "line-cut" in {entry.reason for entry in result.ledger}


def test_patterns_of_a_condition() -> None:
    """1,000,000 of them were bound until the time was over, and could not be interrupted."""

    def asked(count: int, word: str) -> str:
        return "json \"{'a': 'w7'}\" | search in(a, " + ", ".join(f'"{word.format(i)}"' for i in range(count)) + ")"

    code, said = refused(asked(50_001, "{}*"))
    assert (code, said) == ("E1308", "in() has 50,001 patterns with *; at most 50,000 can be tried")
    with logsql.connect(tz="UTC") as s:
        assert s.query(asked(60_000, "w{}")).rows() == [{"a": "w7"}]


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.posix("Linux tells what a process holds")
def test_the_memory_limit_covers_readers_and_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB's limit covers what DuckDB holds: a document of 400 MB took 800 MB under ``memory_limit=200MB``."""
    path = tmp_path / "rows.txt"
    path.write_text("x\n" * 2_000_000)
    for query in (f"textfile {path} | stats count", f"textfile {path} | eval a = urlencode(line) | stats dc(a)"):
        held = itertools.chain([0], itertools.repeat(1_300_000_000))
        monkeypatch.setattr(memory, "memory_held", lambda held=held: next(held))
        with logsql.connect(tz="UTC", memory_limit="1GB") as s:
            with pytest.raises(RunError) as caught:
                s.query(query).rows()
            assert caught.value.code == "E1302"
            assert caught.value.diagnostic.message == (
                "not enough memory: the query holds 1,300 MB; the limit is 1,000 MB"
            )
            assert caught.value.diagnostic.help
            monkeypatch.setattr(memory, "memory_held", lambda: 1_000_000_000)  # what is held before does not count
            assert s.query('json "{}" | stats count').rows() == [{"count": 1}]
    with logsql.connect(tz="UTC") as s:
        assert s.database.watch().limit is None


def test_the_engine_tells_its_limit() -> None:
    for words, size in (("1GB", 1_000_000_000), ("512MiB", 512 << 20), ("2TB", 2 * 10**12)):
        with logsql.connect(memory_limit=words) as s:
            limit = s.database.watch().limit
            assert limit is not None
            assert abs(limit - size) < size / 50  # it shows one digit behind the point


@pytest.mark.posix("Linux tells what a process holds")
def test_one_document_that_does_not_fit(tmp_path: Path) -> None:
    """The process ends though the parser looks at nothing; before, it took what it could get."""
    import resource

    path = tmp_path / "one.json"
    with path.open("w") as file:
        file.write('{"a":"')
        for _ in range(sample(600, 450)):
            file.write("x" * 1_000_000)
        file.write('"}')
    words = command("-q", f"jsonfile {path} | eval n = len(a) | fields n", "--memory-limit", "50MB")
    done = subprocess.run(words, capture_output=True, env=env(TMPDIR=str(tmp_path)), timeout=120)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"E1302" in done.stderr
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 4_000_000


@pytest.mark.posix("Linux tells what a process holds")
def test_an_engine_that_parses_for_a_reader_has_the_limit_too(tmp_path: Path) -> None:
    """30 MB of `1,` are 240 MB of values in the DuckDB that a reader parses with: it had no limit."""
    path = tmp_path / "one.json"
    path.write_text('{"a":"b"}\n{"a":[' + "1," * 15_000_000 + "1]}\n")
    with logsql.connect(tz="UTC", memory_limit="100MB") as s:
        with pytest.raises(RunError) as caught:
            s.query(f"jsonfile {path} | eval n = len(a) | fields n").rows()
        assert caught.value.code == "E1302"


# --- XML --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["<b>{}</b>", "<b><c>{}</c></b>", "<b>{}" + "<c/>" * 3 + "</b>"])
def test_a_node_that_is_too_long_lacks_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """300 MB of text in one element took 1.3 GB under a limit of 200 MB."""
    monkeypatch.setattr(xmlrows, "MAX_NODE", 200_000)
    path = tmp_path / "a.xml"
    path.write_text("<a><b>first</b>" + text.replace("{}", "x" * 900_000) + "<b>last</b></a>")
    with logsql.connect(tz="UTC") as s:
        result = s.query(f"xmlfile xpath=/a/b {path}")
        rows = result.rows()
        assert [row["_text"] for row in (rows[0], rows[-1])] == ["first", "last"]
        kept = max(len(str(value)) for value in rows[1].values())
        assert len(rows) == 3
        assert 100_000 < kept < 300_000
        assert [(entry.reason, entry.count) for entry in result.ledger] == [("node-cut", 1)]


def test_a_tag_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser holds a tag or comment till its end, and begins it anew with every piece that comes."""
    monkeypatch.setattr(xmlrows, "MAX_TAG", 200_000)
    path = tmp_path / "a.xml"
    for text, rows in (('<a b="{}"/>', None), ("<a><b>1</b><!--{}--><b>2</b></a>", [{"_text": "1"}])):
        path.write_text(text.replace("{}", "x" * 900_000))
        with logsql.connect(tz="UTC") as s:
            query = f"xmlfile xpath=//b {path} | fields _text" if rows else f"xmlfile {path}"
            if rows is None:
                with pytest.raises(LogsqlError) as caught:
                    s.query(query).rows()
                assert caught.value.code == "E3021"
                continue
            result = s.query(query)
            assert result.rows() == rows
            assert {entry.reason for entry in result.ledger} == {"broken-xml"}


# --- numbers of more digits than Python reads -------------------------------------------------------------------------

DIGITS = "9" * 5_000


@pytest.mark.parametrize("text", ['{"a":%s}', '{\n"a": %s\n}', '[{"a":%s}]', '{"a":1,"b":{"c":[%s]}}\n{"a":%s}'])
def test_huge_numbers_in_documents(tmp_path: Path, text: str) -> None:
    """Python refuses whole numbers of more than 4,300 digits by a ValueError, which came out as an internal error."""
    path = tmp_path / "a.json"
    path.write_text(text.replace("%s", DIGITS))
    with logsql.connect(tz="UTC") as s:
        for query in (f"jsonfile {path}", f"textfile {path} | parsejson", f"jsonfile {path} | stats values(a), dc(b)"):
            assert s.query(query).rows()
        assert s.query(f"jsonfile {path} | fields a").rows()[-1] == {"a": float("inf")}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (f'json "{{}}" | timechart span={DIGITS}d count', "90500"),
        (f'json "{{a:1}}" | rex field=a "(?<b>x{{{DIGITS}}})"', "20901"),
        (f'json "{{}}" | eval a = datetrunc(now(), "{DIGITS}d")', "90500"),
    ],
)
def test_huge_numbers_in_queries(query: str, code: str) -> None:
    assert refused(query)[0] == code


def test_huge_numbers_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"t,a\n{DIGITS},1\n")
    with logsql.connect(tz="UTC") as s:
        s.service("objects").add("port", "p", ["80", "²", DIGITS, f"1-{DIGITS}"])
        assert s.query(f'csvfile {path} | eval x = epoch(t), m = matchport("p", a) | fields x, m').rows() == [
            {"x": None, "m": False}
        ]
        assert s.query(f"json \"{{'a':{DIGITS}}}\" | eval b = a[{DIGITS}] | fields b").rows() == [{"b": None}]


@pytest.mark.parametrize(
    ("function", "kind", "item"), [("matchblackip", "ip", "10.0.0.{}"), ("matchfeed", "text", "h{}")]
)
def test_a_list_that_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, kind: str, item: str
) -> None:
    """3,000,000 addresses took 48 s of processor time before the memory limit came."""
    from logsql.functions import services

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(services, "MOST_ITEMS", 3)
    folder = tmp_path / "logsql" / "ml" / "objects" / kind
    folder.mkdir(parents=True)
    for name, count in (("right", 3), ("long", 4)):
        (folder / f"{name}.txt").write_text("\n".join(item.format(n) for n in range(count)))
    query = f"json \"{{'a': '{item.format(2)}'}}\" | eval m = {function}(\"LIST\", a) | fields m"
    with logsql.connect(tz="UTC") as s:
        assert s.query(query.replace("LIST", "right")).rows() == [{"m": True}]
        with pytest.raises(LogsqlError) as caught:
            s.query(query.replace("LIST", "long"))
    assert caught.value.code == "90932"


def test_addresses_of_a_list_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text that is an address is taken as it is; every other item is looked at as before."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "logsql" / "ml" / "objects" / "ip"
    folder.mkdir(parents=True)
    (folder / "l.txt").write_text(
        "10.0.0.1\n10.0.0.02\n256.1.1.1\n10.1.0.0/16\n1.2.3.4/32\n2001:db8::1\n::ffff:0:0/96\n"
    )
    asked = ("10.0.0.1", "10.0.0.2", "10.0.0.02", "256.1.1.1", "10.1.2.3", "1.2.3.4", "2001:db8:0:0:0:0:0:1", "9.9.9.9")
    rows = ", ".join(f"{{'a': '{text}'}}" for text in asked)
    with logsql.connect(tz="UTC") as s:
        found = s.query(f'json "[{rows}]" | eval m = matchnet("l", a) | fields a, m').rows()
    assert [row["a"] for row in found if row["m"]] == ["10.0.0.1", "10.1.2.3", "1.2.3.4", "2001:db8:0:0:0:0:0:1"]
