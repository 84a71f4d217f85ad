"""``logsql test``: queries held against the files beside them (docs/query-tests.md)."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from logsql.cli import main
from logsql.shell.querytests.rows import compared

ROOT = Path(__file__).parents[2]
QUERY = "json \"[{a:1,b:'x'},{a:2,b:'y'}]\"\n| eval c = a * 1.5\n| sort -a\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder: Path, name: str, query: str, form: str = "") -> None:
    (folder / f"{name}.lq").write_text(query)
    if form:
        (folder / f"{name}.toml").write_text(textwrap.dedent(form))


def ran(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["test", *words])
    out, err = capfd.readouterr()
    return code, out, err


RIGHT = """
    [expect]
    ordered = true
    rows = '''
    {"a":2,"b":"y","c":3}
    {"a":1,"b":"x","c":1.5}
    '''
    """


def test_right(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(folder, "a", QUERY, RIGHT)
    code, out, err = ran(capfd, ".")
    assert (code, err) == (0, "")
    assert out.startswith("ok      a.lq (")
    assert out.splitlines()[-1].startswith("1 passed, 0 failed (")


def test_a_value_points_at_what_made_it(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(folder, "a", QUERY, RIGHT.replace('"c":1.5', '"c":1.6'))
    code, out, _ = ran(capfd, "a.lq")
    assert code == 1
    assert "row 2, field c: expected 1.6, got 1.5" in out
    assert "--> a.lq:2:8" in out


@pytest.mark.parametrize("ordered", ["true", "false"])
def test_order(folder: Path, capfd: pytest.CaptureFixture[str], ordered: str) -> None:
    form = f"[expect]\nordered = {ordered}\nrows = [{{ a = 1 }}, {{ a = 2 }}]\n"
    put(folder, "a", 'json "[{a:2},{a:1}]"', form)
    code, out, _ = ran(capfd, ".")
    assert code == (1 if ordered == "true" else 0), out


def test_rows_that_are_missing_and_more(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = "{ a = 'p', b = 1 }, { a = 'z', b = 9 }, { a = 'y', b = 8 }"
    put(folder, "a", "json \"[{a:'p',b:1},{a:'q',b:2}]\"", f"[expect]\nrows = [{rows}]\n")
    code, out, _ = ran(capfd, ".")
    assert code == 1
    assert "2 of the expected rows are missing, 1 others came" in out
    assert '- {"a": "z", "b": 9}' in out
    assert '+ {"a": "q", "b": 2}' in out


@pytest.mark.parametrize(
    ("query", "expect", "wrong"),
    [
        ('json "[{a:1}]"', "count = 1", None),
        ('json "[{a:1}]"', "count = 2", "expected 2 rows, got 1"),
        ('json "[{a:1,b:2}]"', "rows = [{ a = 1 }]\nignore = ['b']", None),
        ('json "[{a:1,b:2}]"', "rows = [{ a = 1 }]", "row 1, field b: expected null, got 2"),
        ('json "[{a:1.01}]"', "rows = [{ a = 1 }]\ntolerance = 0.02", None),
        ('json "[{a:1.01}]"', "rows = [{ a = 1 }]", "row 1, field a: expected 1, got 1.01"),
        ('json "[{a:1,b:2}]"', "rows = [{ a = 1, b = 2 }]\ncolumns = ['b', 'a']", "expected the fields b, a, got a, b"),
        ('json "[{a:null}]"', "rows = [{}]", None),
        ('json "[{a:1}]" | search b == 2', "rows = []\nnotes = ['N1001']", None),
        ('json "[{a:1}]" | search b == 2', "rows = []", "a note that is not expected: N1001"),
        ('json "[{a:1}]"', "rows = [{ a = 1 }]\nnotes = ['N1001']", "the note N1001 did not come"),
        ('json "[{a:1}]"', "error = '90001'", "expected the error 90001, and the query ran: 1 rows"),
        ('json "[{a:1}]" | limit x', "error = '20601'\nat = '1:24'", None),
        ('json "[{a:1}]" | limit x', "error = '20601'\nat = '9:9'", "is expected at 9:9, and is at 1:24"),
        ('json "[{a:1}]" | limit x', "error = '20602'", "expected the error 20602, got 20601"),
        ('json "[{a:1}]" | limit x', "count = 1", "error[20601"),
    ],
)
def test_what_may_be_expected(
    folder: Path, capfd: pytest.CaptureFixture[str], query: str, expect: str, wrong: str | None
) -> None:
    put(folder, "a", query, f"[expect]\n{expect}\n")
    code, out, _ = ran(capfd, ".")
    assert (code == 0) == (wrong is None), out
    assert wrong is None or wrong in out


def test_losses_are_expected_or_fail(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "rows.csv").write_text("when\n2024-01-01\nyesterday\n")
    query = 'csvfile rows.csv | eval d = date(when, "yyyy-MM-dd") | fields d'
    rows = "rows = '''\n{\"d\":\"2024-01-01 00:00:00+0000\"}\n{\"d\":null}\n'''\n"
    put(folder, "a", query, f"[expect]\n{rows}")
    code, out, _ = ran(capfd, ".")
    assert code == 1
    found = out[out.index("a loss that is not expected: ") :].splitlines()[0]
    count, reason, _, source = found.partition("expected: ")[2].split(" ", 3)
    entry = f"{{ reason = {json.dumps(reason)}, source = {json.dumps(source)}, count = {count} }}"
    put(folder, "a", query, f"[expect]\n{rows}ledger = [{entry}]\n")
    code, out, _ = ran(capfd, ".")
    assert code == 0, out


def test_parameters_tables_lookups_and_paths_of_the_tests_folder(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inner = folder / "rules"
    inner.mkdir()
    (inner / "who.csv").write_text("ip,owner\n10.0.0.1,kim\n")
    (inner / "logs.csv").write_text("ip,n\n10.0.0.1,3\n10.0.0.2,4\n")
    query = (
        'table logs | eval n = int(n) | search n >= $("least") | lookup who ip output owner'
        " | join type=left ip [ table more ] | fields ip, owner, m"
    )
    form = """
    [parameters]
    least = 3
    [tables]
    logs = "csvfile logs.csv"
    more = [{ ip = "10.0.0.2", m = 7 }]
    [lookups]
    who = "who.csv"
    [expect]
    rows = '''
    {"ip":"10.0.0.1","owner":"kim","m":null}
    {"ip":"10.0.0.2","owner":null,"m":7}
    '''
    """
    put(inner, "a", query, form)
    code, out, err = ran(capfd, "rules")
    assert code == 0, out + err


def test_zone(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    query = """json "[{t:'2024-01-01 09:00:00'}]" | eval d = date(t, "yyyy-MM-dd HH:mm:ss") | fields d"""
    for zone, offset in (("UTC", "+0000"), ("Asia/Seoul", "+0900")):
        put(folder, "a", query, f"zone = '{zone}'\n[expect]\nrows = [{{ d = '2024-01-01 09:00:00{offset}' }}]\n")
        code, out, _ = ran(capfd, ".")
        assert code == 0, out


def test_update_writes_what_came_and_keeps_the_rest(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    form = "# about bots\nzone = 'Asia/Seoul'  # as the sensor\n\n[expect]\n# rounded\ntolerance = 0.01\nrows = []\n"
    put(folder, "a", QUERY, form)
    put(folder, "new", QUERY)
    code, out, _ = ran(capfd, ".", "--update")
    assert code == 0
    assert out.count("updated") == 2
    kept = (folder / "a.toml").read_text()
    assert kept.startswith(
        "# about bots\nzone = 'Asia/Seoul'  # as the sensor\n\n[expect]\n# rounded\ntolerance = 0.01\n"
    )
    made = tomllib.loads((folder / "new.toml").read_text())
    lines = '{"a":2,"b":"y","c":3.0}\n{"a":1,"b":"x","c":1.5}\n'
    assert made == {"expect": {"ordered": True, "rows": lines}}
    assert ran(capfd, ".")[0] == 0
    before = (folder / "new.toml").read_bytes()
    assert "updated" not in ran(capfd, ".", "--update")[1]
    assert (folder / "new.toml").read_bytes() == before


def test_update_never_takes_a_mistake_for_an_answer(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(folder, "a", "csvfile missing.csv", RIGHT)
    put(folder, "b", "csvfile missing.csv")
    before = (folder / "a.toml").read_text()
    code, out, _ = ran(capfd, ".", "--update")
    assert code == 1
    assert out.count("FAIL") == 2
    assert (folder / "a.toml").read_text() == before
    assert not (folder / "b.toml").exists()


@pytest.mark.parametrize("text", ["it's '''quoted'''", "a\\\\b", "한국어\ttab", "line\\nbreak"])
def test_update_writes_any_text(folder: Path, capfd: pytest.CaptureFixture[str], text: str) -> None:
    put(folder, "a", f'json "[{{a:1}}]" | eval t = "{text}"')
    assert ran(capfd, ".", "--update")[0] == 0
    assert ran(capfd, ".")[0] == 0


def test_rows_in_a_file_of_their_own(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "a.rows.jsonl").write_text('{"a":9}\n')
    put(folder, "a", 'json "[{a:1}]"', "[expect]\nrows_file = 'a.rows.jsonl'\n")
    assert ran(capfd, ".")[0] == 1
    assert ran(capfd, ".", "--update")[0] == 0
    assert (folder / "a.rows.jsonl").read_text() == '{"a":1}\n'
    assert "rows =" not in (folder / "a.toml").read_text()
    assert ran(capfd, ".")[0] == 0


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("[expect\n", "is no TOML"),
        ("zone = 1\n[expect]\ncount = 1\n", "zone is text"),
        ("zome = 'UTC'\n[expect]\ncount = 1\n", "a test has no key zome"),
        ("[expect]\nrow = []\n", "a test has no key expect.row"),
        ("[expect]\nrows = '''\n{\"a\":1}\n[1]\n'''\n", "line 2 of expect.rows is no JSON object"),
        ("[expect]\ncount = -1\n", "expect.count is a whole number"),
        ("[expect]\nordered = true\n", "does not say what is expected"),
        ("zone = 'UTC'\n", "does not say what is expected"),
        ("[expect]\nrows = []\nrows_file = 'x'\n", "expect.rows and expect.rows_file are both given"),
    ],
)
def test_a_wrong_file(folder: Path, capfd: pytest.CaptureFixture[str], form: str, said: str) -> None:
    put(folder, "a", QUERY, form)
    code, out, err = ran(capfd, ".")
    assert (code, out) == (2, "")
    assert said in err


def test_nothing_to_test(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ran(capfd, ".")[0] != 0
    put(folder, "a", QUERY)
    code, _, err = ran(capfd, ".")
    assert code == 2
    assert "--update" in err
    put(folder, "b", QUERY, RIGHT)
    code, out, _ = ran(capfd, ".")
    assert code == 0
    assert "without a test: 1 (a.lq)" in out
    code, _, err = ran(capfd, ".", "--only", "x")
    assert code == 2
    assert "tests: a, b" in err


@pytest.mark.parametrize("word", ["nosuch.lq", "nosuch/"])
def test_a_file_that_is_not_there(folder: Path, capfd: pytest.CaptureFixture[str], word: str) -> None:
    code, out, err = ran(capfd, word)
    assert (code, out) == (3, "")
    assert "nosuch" in err
    assert "No such file" in err


def test_only(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("web-a", "web-b", "dns"):
        put(folder, name, QUERY, RIGHT)
    out = ran(capfd, ".", "--only", "web-*")[1]
    assert [line.split()[1] for line in out.splitlines()[:-1]] == ["web-a.lq", "web-b.lq"]
    out = ran(capfd, "**/*.lq", "--only", "dns")[1]
    assert out.count("ok ") == 1


def test_junit(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(folder, "good", QUERY, RIGHT)
    put(folder, "bad", 'json "[{a:1}]" | eval a = "\\u0001<&"', "[expect]\ncount = 2\n")
    put(folder, "none", QUERY)
    assert ran(capfd, ".", "--junit", "report.xml")[0] == 1
    suite = ET.parse(folder / "report.xml").getroot()[0]
    assert [suite.get(k) for k in ("tests", "failures", "skipped", "errors")] == ["3", "1", "1", "0"]
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {"bad": ["failure"], "good": [], "none": ["skipped"]}


def test_time_limit_is_of_each_test(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    some = 'json "[{}]" | eval {0} = seq(1, 4000) | explode {0}'.replace("{}", "{{}}")
    inner = f"{some.format('m')} | join type=cross [ {some.format('o')} ]"
    slow = f"{some.format('l')} | join type=cross [ {inner} ] | stats count"
    put(folder, "slow", slow, "[expect]\ncount = 1\n")
    put(folder, "quick", QUERY, RIGHT)
    code, out, _ = ran(capfd, ".", "--timeout", "1")
    assert code == 1
    assert "ok      quick.lq" in out
    assert "FAIL    slow.lq" in out


def test_in_korean(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(folder, "a", QUERY, RIGHT.replace("1.5", "9"))
    out = ran(capfd, ".", "--lang", "ko")[1]
    assert "2번째 행, c 필드: 기대한 값 9, 나온 값 1.5" in out


def test_the_shipped_queries(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    code, out, err = ran(capfd, "sample_data/queries")
    assert (code, err) == (0, ""), out
    assert "without a test" not in out
    assert main(["fmt", "--check", "sample_data/queries"]) == 0


def test_the_example_for_github(tmp_path: Path) -> None:
    """The steps of docs/examples/query-tests.yml, as a runner carries them out, but for the installation."""
    text = (ROOT / "docs/examples/query-tests.yml").read_text()
    steps = [line.partition("- run: ")[2] for line in text.splitlines() if "- run: logsql" in line]
    assert len(steps) == 3
    (tmp_path / "queries").mkdir()
    put(tmp_path / "queries", "a", QUERY, RIGHT)
    for step in steps:
        words = [sys.executable, "-m", "logsql", *step.split()[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, (step, done.stdout, done.stderr)
    assert (tmp_path / "query-tests.xml").exists()


def test_pairs_are_the_most_alike() -> None:
    found = compared(
        [{"k": 1, "v": 1, "w": 1}, {"k": 2, "v": 2, "w": 2}],
        [{"k": 2, "v": 2, "w": 9}, {"k": 1, "v": 1, "w": 1}],
        ordered=False,
        tolerance=0,
    )
    assert [(one.row, one.field, one.expected, one.got) for one in found.changed] == [(2, "w", 2, 9)]
    assert (found.missing, found.more) == ((), ())


def test_safe_mode(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing outside the allowed folder is read or written, whatever the test's file says."""
    inner = folder / "inner"
    inner.mkdir()
    (folder / "secret.csv").write_text("a\n1\n")
    put(folder, "out", QUERY, RIGHT)
    assert ran(capfd, "out.lq", "--safe", "--allow-dir", "inner")[0] != 0
    put(inner, "a", "csvfile ../secret.csv", "[expect]\ncount = 1\n")
    code, out, _ = ran(capfd, "inner", "--safe", "--allow-dir", str(inner))
    assert (code, "passed, 1 failed" in out) == (1, True)
    put(inner, "a", 'json "[{a:1}]"', "[expect]\nrows_file = '../secret.csv'\n")
    assert ran(capfd, "inner", "--safe", "--allow-dir", str(inner))[0] != 0
    put(inner, "a", "csvfile secret.csv", "folder = '..'\n[expect]\ncount = 1\n")
    code, out, _ = ran(capfd, "inner", "--safe", "--allow-dir", str(inner))
    assert (code, "passed, 1 failed" in out) == (1, True)
    (inner / "rows.csv").write_text("a\n1\n")
    put(inner, "a", "csvfile rows.csv", "[expect]\ncount = 1\n")
    assert ran(capfd, "inner", "--safe", "--allow-dir", "inner")[0] == 0
    code = ran(capfd, "inner", "--safe", "--allow-dir", str(inner), "--junit", "report.xml")[0]
    assert code != 0
    assert not (folder / "report.xml").exists()
