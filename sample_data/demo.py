"""``make run``: one real question over the sample log, from features to confusion counts to SQL, then the shell.

    python -m sample_data.demo

Prints (1) the feature table of ``queries/bot-features.lq`` over 20,000 web requests, (2) how a hand-made threshold rule
over these features agrees with the labels, (3) the SQL of the rule's stage. On a terminal the shell opens at the end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from logsql.diagnostics.messages import text

ROOT = Path(__file__).resolve().parent.parent
FEATURES = ROOT / "sample_data" / "queries" / "bot-features.lq"
SHOWN = 10

#: One point per habit that browsers have and scripts lack; a known bot of a known network is no attacker.
RULE = """eval _score = 2 * (python_client + go_client + java_client) + accept_all
       + (1 - has_sec_fetch_site) + (1 - has_referer) + (1 - accept_br)
| eval _guess = if(_score >= 4 and known_bot == 0, "MALICIOUS", "BENIGN")"""
COUNT = "stats count by _guess, label"
_FEATURES = text(
    "1. Features: {path}, one row per request (first {rows})", "1. 특징: {path}, 요청마다 한 행 (처음 {rows}행)"
)
_COUNTS = text(
    "2. Confusion counts of a threshold rule over these features", "2. 이 특징에 임계값 규칙을 적용한 혼동 행렬"
)
_SQL = text(
    "3. The SQL of the last stage (logsql translate shows all)", "3. 마지막 단계의 SQL (전체는 logsql translate)"
)
_SHELL = text(
    "The shell: try  jsonfile sample_data/access.jsonl.gz | stats count by label  or  \\?",
    "셸: jsonfile sample_data/access.jsonl.gz | stats count by label  또는  \\? 를 입력해 보세요",
)


def main() -> int:
    """Print the three parts; open the shell on a terminal."""
    import logsql
    from logsql.cli import main as command_line
    from logsql.render import Layout, write
    from logsql.shell.voice import Voice, terminal_width

    os.chdir(ROOT)
    features = FEATURES.read_text(encoding="utf-8").rstrip()
    width = terminal_width(sys.stdout)
    try:
        with logsql.connect(tz="Asia/Seoul") as session:
            say(_FEATURES.fill(path=FEATURES.relative_to(ROOT), rows=SHOWN))
            outcome = write(session.query(features), "table", sys.stdout.buffer, Layout(width=width, rows=SHOWN))
            say("", *outcome.notices)

            say(_COUNTS.fill(), f"| {RULE}\n| {COUNT}", "")
            write(session.query(f"{features}\n| {RULE}\n| {COUNT}"), "table", sys.stdout.buffer, Layout(width=width))

            say("", _SQL.fill(), "")
            say(last_stage(session.translate(f"{features}\n| {RULE}\n| {COUNT}")))
    except logsql.LogsqlError as error:
        Voice().error(error.diagnostic)
        return error.exit_code
    if sys.stdin.isatty() and sys.stdout.isatty():
        say("", _SHELL.fill(), "")
        return command_line(["--tz", "Asia/Seoul"])
    return 0


def say(*lines: str) -> None:
    """Lines on stdout, in order with what the writers put there."""
    sys.stdout.write("".join(line + "\n" for line in lines))
    sys.stdout.flush()


def last_stage(text: str) -> str:
    """The last CTE of a query's SQL, with its name; the whole text when it has none."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse(text, dialect="duckdb")[-1]
    stages = list(tree.find_all(exp.CTE)) if tree is not None else []
    return stages[-1].sql("duckdb", pretty=True) if stages else text


if __name__ == "__main__":
    sys.exit(main())
