"""Slips of a newcomer that gave an answer, or a help line that failed: what is said of each, in both languages.

Expected are the sentences' rules (language.md 3.3, 8.3; functions.md, date and epoch) and forms that run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.messages import LANGUAGE
from logsql.engine.session import Session

AUTH = (
    "Mar  1 10:00:00 web sshd[1]: Failed password for root from 1.2.3.4 port 22 ssh2\n"
    "Mar  1 10:00:01 web sshd[2]: Accepted password for bob from 1.2.3.4 port 22 ssh2\n"
)
ACCESS = '1.2.3.4 - - [01/Mar/2024:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "Mozilla, like"\n'
FILES = {
    "auth.log": AUTH,
    "turn.log": "Dec 31 10:00:00 h a\nJan  1 10:00:00 h b\n",
    "access.log": ACCESS * 2,
    "syslog.csv": AUTH,
    "rows.csv": "anna,10.0.0.1,2024-01-02\nbob,10.0.0.2,2024-01-03\n",
    "pivot.csv": "host,2024-01-01,2024-01-02\na,1,2\n",
    "addresses.csv": "day,10.0.0.1,10.0.0.2\nx,1,2\n",
    "e.csv": "ts,src_ip,Bytes Sent\n1709287200123,1.2.3.4,900\n1709287200999,1.2.3.5,10000\n",
    "f.csv": "ts,n\n1709287200.5,1\n1709287201.25,2\n",
    "z.csv": "ts,x\n2024-03-01T10:00:00Z,1\n",
}
DP = r'textfile dp="(\w+ +\d+ \S+)" df='


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return Session(tz="UTC")


TOLD = [
    ('textfile auth.log | parse sshd | search line == "*Failed*"', "N1006", "parse overlay=t"),
    ('textfile auth.log | parse sshd | search match(line, "Failed")', "N1006", "parse overlay=t"),
    ("textfile auth.log | parse sshd | stats count by _file", "N1006", "parse overlay=t"),
    ('textfile auth.log | parse syslog | rex field=line "for (?<who>\\w+)"', "N1006", "parse overlay=t"),
    (DP + '"MMM d HH:mm:ss" auth.log', "N1305", "parse syslog"),
    (DP + '"yyyy-mm-dd HH:mm:ss" auth.log', "N1304", '"yyyy-MM-dd HH:mm:ss"'),
    (DP + '"YYYY-MM-dd HH:mm:ss" auth.log', "N1304", '"yyyy-MM-dd HH:mm:ss"'),
    (DP + '"yyyy-MM-dd hh:mm:ss" auth.log', "N1304", '"yyyy-MM-dd HH:mm:ss"'),
    ('csvfile e.csv | eval _time = epoch(long(ts)) | outputcsv partition=t "o{logtime:YYYY-MM-dd}.csv" ts', "N1304",
     '"yyyy-MM-dd"'),
    ("csvfile access.log", "N1403", "parse NAME"),
    ("csvfile syslog.csv", "N1403", "parse NAME"),
    ("csvfile rows.csv", "N1403", "header=f"),
    ('csvfile e.csv | search field("Bytes Sent") > 1000', "N1201", 'double(field("Bytes Sent")) > 1000'),
    ('csvfile e.csv | search field("Bytes Sent") != 900', "N1202", 'field("Bytes Sent") != "900"'),
    ('csvfile e.csv | search field("Bytes Sent") > "1000"', "N1204", 'double(field("Bytes Sent")) > 1000'),
    ('csvfile e.csv | stats max(field("Bytes Sent"))', "N1302", 'max(double(field("Bytes Sent")))'),
    ('csvfile e.csv | stats sum(field("Bytes Sent"))', "N1301", 'sum(double(field("Bytes Sent")))'),
    ('csvfile e.csv | sort "Bytes Sent"', "N1302", 'eval bytes_sent = double(field("Bytes Sent")) | sort bytes_sent'),
    ('csvfile e.csv | sort field("Bytes Sent")', "N1105", 'write "Bytes Sent"'),
    ("csvfile e.csv | outputcsv src_ip ts", "N1109", "outputcsv PATH src_ip, ts"),
    ('csvfile e.csv | eval d = date(ts, "SSS")', "N1313", "write epoch(ts)"),
    ('textfile turn.log | eval d = date(line, "MMM d HH:mm:ss")', "N1305", "from December to January"),
    ('textfile auth.log | eval d = date(line, "MMM d HH:mm:ss")', "N1305", 'concat("2024 ", line)'),
    ("csvfile e.csv | eval d = epoch(long(ts) / 1000)", "N1320", "epoch(long(long(ts) / 1000))"),
    ("csvfile e.csv | timechart span=1h count", "N1308", "_time = epoch(ts)"),
    ("csvfile f.csv | timechart span=1h count", "N1308", "_time = epoch(long(double(ts) * 1000))"),
    ("csvfile e.csv | eval _time = epoch(long(ts)) | stats count by bin(_time, 10m)", "N1101",
     'datetrunc(_time, "10m")'),
    ("csvfile e.csv | sort bytes desc", "N1102", '"Bytes Sent"'),
]  # fmt: skip

SILENT = [
    'textfile auth.log | parse overlay=t sshd | search match(line, "Failed")',
    "textfile auth.log | parse sshd | search isnull(line)",
    'textfile auth.log | parse sshd | eval line = account | search line == "r*"',
    "textfile auth.log | parse sshd | parse syslog | stats count by account",
    "textfile auth.log | parse sshd | fields line",
    DP + '"yyyy-MM-dd HH:mm:ss" auth.log | limit 0',
    "csvfile pivot.csv",
    "csvfile addresses.csv",
    "csvfile e.csv | eval d = epoch(long(ts))",
    "csvfile f.csv | eval _time = epoch(long(double(ts) * 1000)) | timechart span=1h count",
    'csvfile e.csv | search double(field("Bytes Sent")) > 1000',
    'csvfile e.csv | search field("Bytes Sent") == "900"',
    'csvfile e.csv | eval x = double(field("Bytes Sent")) | sort x',
]

REFUSED = [
    ("csvfile e.csv | outputcsv src_ip, ts", "ends in a comma", "outputcsv PATH FIELD"),
    ("csvfile e.csv | outputjson src_ip, ts", "ends in a comma", "outputjson PATH"),
    ('csvfile z.csv | eval d = date(ts, "yyyy-MM-ddTHH:mm:ssZ")', "", "\"yyyy-MM-dd'T'HH:mm:ssXXX\""),
    ('textfile dp="(.*)" df="yyyy-MM-ddTHH:mm:ss" auth.log', "", "\"yyyy-MM-dd'T'HH:mm:ss\""),
    ("csvfile -", "", "limit 1 COUNT"),
    ("textfile ms.log, auth.log", "", "SOURCE ms.log | union [ SOURCE auth.log ]"),
    ("cat access.log", "", "use textfile access.log"),
]


@pytest.mark.parametrize(("query", "code", "help"), TOLD)
def test_what_hardly_is_meant_is_told(session: Session, query: str, code: str, help: str) -> None:
    found = {note.code: note.help or "" for note in session.plan(query)[0].notes}
    assert help in found.get(code, "no such note"), found


@pytest.mark.parametrize("query", SILENT)
def test_right_queries_are_silent(session: Session, query: str) -> None:
    assert [(note.code, note.sentence) for note in session.plan(query)[0].notes] == []


@pytest.mark.parametrize(("query", "sentence", "help"), REFUSED)
def test_refusals_propose_what_works(session: Session, query: str, sentence: str, help: str) -> None:
    with pytest.raises(LogsqlError) as caught:
        session.query(query)
    assert sentence in caught.value.diagnostic.message
    assert help in (caught.value.diagnostic.help or "")
    assert not Path("src_ip,").exists()


def test_they_are_said_in_korean(session: Session) -> None:
    token = LANGUAGE.set("ko")
    try:
        note = session.plan('textfile auth.log | parse sshd | search line == "*Failed*"')[0].notes[0]
        assert "파서" in note.sentence or "null입니다" in note.sentence
        assert "overlay=t" in (note.help or "")
    finally:
        LANGUAGE.reset(token)
