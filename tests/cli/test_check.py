"""``logsql check``: what it finds, in four formats, strictly or not, with and without data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logsql.cli import main
from logsql.language.tree import Command, Option, Query
from logsql.shell.findings import Finding, Level, github_text, sarif_text
from logsql.shell.lint import notes

QUERIES = {
    "good.lq": 'json "[{a:1}]"\n| stats count by a\n',
    "slip.lq": "json \"[{label:'x'}]\"\n| stats count by lable\n",
    "bad.lq": 'json "[{a:1}]"\n| search a ==\n',
    "style.lq": 'json "[{a:\'x\'}]"\n| search a == "b*c"\n',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in QUERIES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def ran(words: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["check", *words])
    out, err = capfd.readouterr()
    return code, out, err


def test_text(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = ran(list(QUERIES), capfd)
    lines = err.splitlines()
    assert (code, out) == (1, "")
    slip = 'slip.lq:2:18: no row has a field "lable"; help: did you mean "label"?'
    assert f"warning[N1001 unknown-field]: {slip}" in lines
    assert any(line.startswith('note[N1901 star-inside]: style.lq:2:15: the pattern "b*c"') for line in lines)
    assert "bad.lq:2:" in err
    assert lines[-1] == "4 files checked, 1 with errors; warnings: 1"


def test_strict_counts_warnings_only(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = {name: (ran([name], capfd)[0], ran([name, "--strict"], capfd)[0]) for name in QUERIES}
    assert found == {"good.lq": (0, 0), "slip.lq": (0, 1), "bad.lq": (1, 1), "style.lq": (0, 0)}


def test_json(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = ran([*QUERIES, "-f", "json"], capfd)
    told = json.loads(out)
    assert (code, err, told["files"]) == (1, "", 4)
    assert [(f["file"], f["severity"], f["code"]) for f in told["findings"]] == [
        ("slip.lq", "warning", "N1001"),
        ("bad.lq", "error", told["findings"][1]["code"]),
        ("style.lq", "note", "N1901"),
    ]
    assert told["findings"][0] == {
        "file": "slip.lq",
        "line": 2,
        "column": 18,
        "end_line": 2,
        "end_column": 23,
        "severity": "warning",
        "code": "N1001",
        "name": "unknown-field",
        "message": 'no row has a field "lable"',
        "help": 'did you mean "label"?',
    }


def test_github(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = ran([*QUERIES, "-f", "github"], capfd)[1].splitlines()
    assert lines[0] == (
        "::warning file=slip.lq,line=2,endLine=2,col=18,endColumn=23,title=N1001 unknown-field::"
        'no row has a field "lable"; help: did you mean "label"?'
    )
    assert [line.split()[0] for line in lines] == ["::warning", "::error", "::notice"]


def test_github_escapes() -> None:
    found = Finding(Level.ERROR, "1", "n", "100%\nsure", None, "a,b:c.lq", 1, 1, 2, 3)
    assert github_text([found], 1) == ("::error file=a%2Cb%3Ac.lq,line=1,endLine=2,title=1 n::100%25 sure\n")


def test_sarif_has_what_the_standard_requires(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = json.loads(ran([*QUERIES, "-f", "sarif"], capfd)[1])
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "logsql"
    assert [rule["id"] for rule in rules] == sorted({rule["id"] for rule in rules})
    assert len(run["results"]) == 3
    for result in run["results"]:
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert 1 <= region["startLine"] <= region["endLine"]
        assert region["startColumn"] >= 1
    first = run["results"][0]["locations"][0]["physicalLocation"]
    assert first["artifactLocation"] == {"uri": "slip.lq"}
    assert first["region"] == {"startLine": 2, "startColumn": 18, "endLine": 2, "endColumn": 23}


def test_sarif_paths_are_references() -> None:
    found = Finding(Level.ERROR, "1", "n", "x", None, "a b/질의.lq", 1, 1, 1, 1)
    (result,) = json.loads(sarif_text([found], 1))["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/%EC%A7%88%EC%9D%98.lq"


def test_no_data_opens_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    texts = {
        "csv.lq": "csvfile missing.csv | stats sum(bytes) by host | sort -hosst",
        "table.lq": "table missing | search a == 1",
        "mft.lq": 'ntfs-mft MISSING | search filename == "*.exe"',
        "wrong.lq": "csvfile limit=x missing.csv",
        "load.lq": "load missing | search a == 1",
    }
    for name, text in texts.items():
        Path(name).write_text(text + "\n")
    assert ran(["csv.lq"], capfd)[0] == 3
    code, out, _ = ran([*texts, "--no-data", "-f", "json"], capfd)
    found = {(f["file"], f["severity"], f["code"]) for f in json.loads(out)["findings"]}
    assert code == 1
    assert found == {
        ("csv.lq", "warning", "N1001"),
        ("mft.lq", "warning", "N1001"),
        ("wrong.lq", "error", "90001"),
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "good.lq", "-f", "csv"], "text | json | github | sarif"),
        (["-q", 'json "[{a:1}]"', "-f", "sarif"], "sarif"),
        (["-q", 'json "[{a:1}]"', "--no-data"], "--no-data belongs to logsql check"),
    ],
)
def test_formats_are_of_their_verb(
    folder: Path, words: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert said in capfd.readouterr().err


SLIP = "json \"[{label:'x'}]\" | search lable == 1 | fields lable"


def test_notes_beside_the_rows(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-q", SLIP]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    # The same slip twice is told once.
    assert [line.split(":")[0] for line in err.splitlines()] == ["note[N1001 unknown-field]"]
    assert main(["-q", SLIP, "--lang", "ko"]) == 0
    assert "필드가 있는 행이 없습니다" in capfd.readouterr().err
    assert main(["-q", SLIP, "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")
    assert main(["-q", "json \"[{a:1},{a:'x'}]\" | eval b = a * 2", "--quiet"]) == 0
    assert capfd.readouterr().err == ""


def test_five_notes_and_a_count(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-q", 'json "[{a:1}]" | fields p, q, r, s, t, u, v']) == 0
    lines = capfd.readouterr().err.splitlines()
    assert (len(lines), lines[-1]) == (6, "note: 2 more notes")


#: A text, and whether a secret is told of. The rule: ``check`` warns about a parameter named key, apikey,
#: token, password, secret with a literal value, and about ``auth="ID:PW"``.
LITERAL = [
    ("https://www.virustotal.com/vtapi/v2/file/report?apikey=hunter2&resource=", 1),
    ("https://a.example/?KEY=hunter2", 1),
    ("https://a.example/?x=1&token=hunter2&password=hunter2&secret=hunter2", 1),
    ("https://a.example/?api_key=hunter2&access_token=hunter2", 1),
    ("https://kim:hunter2@a.example/", 1),
    ("https://a.example/?apikey=", 0),
    ("https://a.example/?monkey=hunter2&keyword=hunter2&tokens=hunter2", 0),
    ("https://a.example/?x=1#key=hunter2", 0),
    ("https://kim@a.example/", 0),
    ("see https://a.example/?key=hunter2", 0),
    ("key=hunter2", 0),
]


@pytest.mark.parametrize(("text", "count"), LITERAL)
@pytest.mark.parametrize("query", ['json "[{a:1}]" | eval url = "URL"', 'json "[{a:1}]" | eval x = concat("URL", a)'])
def test_a_secret_in_a_url_is_told_of(
    query: str, text: str, count: int, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "secret.lq").write_text(query.replace("URL", text))
    code, out, _ = ran(["secret.lq", "-f", "json"], capfd)
    found = [finding for finding in json.loads(out)["findings"] if finding["code"] == "N1902"]
    assert (code, [finding["severity"] for finding in found]) == (0, ["warning"] * count)
    assert "hunter2" not in out
    assert ran(["secret.lq", "--strict", "--no-data"], capfd)[0] == count


def test_options_are_looked_at_too() -> None:
    def told(key: str, value: str) -> list[str]:
        command = Command("wget", (Option(key, value),), ())
        return [note.code for note in notes(Query((command,), ()), "wget", "q.lq")]

    assert told("auth", "kim:hunter2") == ["N1902"]
    assert told("auth", 'kim:$("pw")') == []
    assert told("url", "https://a.example/?key=hunter2") == ["N1902"]
    assert told("selector", "a:hover") == []
