"""The bot-detection session of the shell, typed on a terminal: from ``ml.addCsvInput`` to the second model.

75,000 labelled rows in which known bots are partly labelled as attackers, 300,000 records to judge (by day a third and
a fifth of them). The layouts are
those the language's manual prints; the counts of wrong labels are planted here, so the answers are known beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from tests.cli.support import command, env
from tests.ml.bots import FIELDS, bot_table
from tests.support import sample

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
pytestmark = pytest.mark.posix("pseudo terminals")
PROMPT = "logsql>"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
LABELLED, RECORDS = sample(75_000, 25_000), sample(300_000, 60_000)
WRONG = 0.06  # of the known bots; a tenth of the rows are known bots
INPUT_CARD = [
    "Input [{name}]",
    "---------------------",
    "Type: csv",
    f"Size: {LABELLED}",
    "Fields",
    "---------------------",
    "label (CATEGORICAL, cardinality 2)",
    *[f"{name} (NUMERIC)" for name in FIELDS],
]


def with_wrong_labels(rows: int, seed: int) -> tuple[pa.Table, int, int]:
    """Bot records in which some known bots are labelled MALICIOUS; known bots labelled BENIGN and MALICIOUS."""
    table = bot_table(rows, seed)
    known = table.column("known_bot").to_numpy() == 1
    wrong = known & (np.random.default_rng([seed, 1]).random(rows) < WRONG)
    label = np.where(wrong, "MALICIOUS", table.column("label").to_numpy(zero_copy_only=False))
    marked = int((known & (label == "MALICIOUS")).sum())
    return table.set_column(0, "label", pa.array(label)), int(known.sum()) - marked, marked


class Terminal:
    """The shell on a pseudo terminal. ``say(line, end)`` types a line and returns what came up to ``end``."""

    def __init__(self, folder: Path, database: Path) -> None:
        words = command("--db", str(database), "--tz", "UTC")
        more = env(TERM="xterm", PROMPT_TOOLKIT_NO_CPR="1", XDG_DATA_HOME=str(folder / "user"))
        self.child: Any = pexpect.spawn(
            words[0],
            words[1:],
            cwd=str(folder),
            env=more,
            dimensions=(60, 400),
            timeout=60,
            encoding="utf-8",
        )
        self.child.expect_exact(PROMPT)

    def say(self, line: str, end: str) -> str:
        self.child.send(line + "\r")
        self.child.expect(end)
        return ESCAPES.sub("", self.child.before + self.child.after).replace("\r\n", "\n")

    def model(self, name: str) -> list[str]:
        """The card of a model, line by line."""
        text = self.say(f"ml.model {name}", r"label \\ guess[^\r]*\r\nBENIGN[^\r]*\r\nMALICIOUS[^\r]*\r\n")
        return text[text.index(f"Model [{name}]") :].splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Terminal, int, int]]:
    """A shell in a folder with ``labeled.csv`` and the table ``web``; the known bots of ``web`` by label."""
    pacsv.write_csv(with_wrong_labels(LABELLED, 1)[0], tmp_path / "labeled.csv")
    web, benign, malicious = with_wrong_labels(RECORDS, 2)
    database = tmp_path / "shop.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.register("records", web)
        connection.execute("CREATE TABLE web AS SELECT * FROM records")
    terminal = Terminal(tmp_path, database)
    yield terminal, benign, malicious
    terminal.child.close(force=True)


def counts(text: str) -> dict[tuple[str, str], int]:
    """(guess, label) -> count from the table ``stats count by _guess, label`` prints."""
    found = re.findall(r"^(BENIGN|MALICIOUS) +(BENIGN|MALICIOUS) +([0-9]+) *$", text, re.M)
    return {(guess, label): int(count) for guess, label, count in found}


def accuracy(card: list[str]) -> float:
    return float(next(line for line in card if line.startswith("Accuracy: ")).split()[1])


def missed(card: list[str]) -> int:
    """Hold-out rows labelled as attacks and taken for harmless."""
    return int(next(line for line in reversed(card) if line.startswith("MALICIOUS")).split()[1])


def check_card(card: list[str], name: str) -> None:
    rule = "-" * 19
    head = [f"Model [{name}]", rule, "Fields", rule, "[*] label (cardinality: 2)", *[f"[ ] {f}" for f in FIELDS]]
    head += [rule, "Hyper Parameters", rule, rule, "Variable Importance", rule]
    assert card[: len(head)] == head
    rest = card[len(head) :]
    importance = [line.split(": ") for line in rest[: len(FIELDS)]]
    assert sorted(name for name, _ in importance) == sorted(FIELDS)
    values = [float(value) for _, value in importance]
    assert values == sorted(values, reverse=True)
    assert sum(values) == pytest.approx(100.0)
    rest = rest[len(FIELDS) :]
    assert rest[:3] == [rule, "Performance", rule]
    assert [line.split(": ")[0] for line in rest[3:7]] == ["Accuracy", "Precision", "Recall", "F1 score"]


def test_session_from_the_first_input_to_the_second_model(place: tuple[Terminal, int, int]) -> None:
    shell, benign, malicious = place
    answer = "+label, " + ", ".join(FIELDS)

    shell.say("ml.addCsvInput bot labeled.csv", r"added\r\n")
    card = "\n".join(INPUT_CARD)
    assert card.format(name="bot") in shell.say("ml.input bot", r"known_bot \(NUMERIC\)\r\n")
    shown = shell.say("ml.createModel rforest bot bot", r"Select Model Fields\? ?")
    assert card.format(name="bot") in shown
    shell.say(answer, r"created\r\n")

    # The training goes on behind the prompt: its progress is shown in tenths, and queries are answered.
    shell.say("ml.fit bot", r"started\r\n")
    shown = shell.say("ml.tasks", r"elapsed \d+ secs[^\r]*\r\n")
    progress = re.search(
        r"Model Tasks\n-{13}\n\[[0-9a-f-]{36}\] rforest \[bot\] progress "
        r"\(load (\d+\.\d\d)%, train (\d+\.\d\d)%\), elapsed \d+ secs\n",
        shown,
    )
    assert progress, shown
    assert float(progress[2]) in range(0, 100, 10)
    shell.say("table web | stats count", str(RECORDS))
    shell.say("ml.wait bot", r"finished\r\n")
    first = shell.model("bot")
    check_card(first, "bot")
    assert accuracy(first) >= 0.98

    # All records: where do model and labels disagree?
    found = counts(shell.say("table web | rforest model=bot | stats count by _guess, label", r"\(4 rows in "))
    assert sum(found.values()) == RECORDS
    assert found["BENIGN", "BENIGN"] + found["MALICIOUS", "MALICIOUS"] >= 0.98 * RECORDS
    known = "table web | rforest model=bot | search known_bot == 1 | stats count by _guess, label"
    assert counts(shell.say(known, r"\(2 rows in ")) == {
        ("BENIGN", "BENIGN"): benign,
        ("BENIGN", "MALICIOUS"): malicious,
    }

    # Known bots are harmless: correct their labels, train again (stopped once on the way).
    fix = 'csvfile labeled.csv | eval label = if(known_bot == "1", "BENIGN", label) | outputcsv labeled_fixed.csv '
    shell.say(fix + ", ".join(["label", *FIELDS]) + " | stats count", str(LABELLED))
    shell.say("ml.addCsvInput bot_fixed labeled_fixed.csv", r"added\r\n")
    shown = shell.say("ml.createModel rforest bot2 bot_fixed", r"Select Model Fields\? ?")
    assert card.format(name="bot_fixed") in shown
    shell.say(answer, r"created\r\n")
    shell.say("ml.fit bot2", r"started\r\n")
    shell.say("ml.cancel bot2", r"cancel(ed|ing)\r\n")
    shell.say("ml.wait bot2", r"canceled[^\r]*\r\n")
    shell.say("ml.model bot2", r"\(not trained: run ml.fit bot2\)\r\n")
    shell.say("ml.fit bot2 wait=t", r"finished\r\n")
    second = shell.model("bot2")
    check_card(second, "bot2")
    assert accuracy(second) > accuracy(first)
    assert missed(second) < 0.7 * missed(first)
