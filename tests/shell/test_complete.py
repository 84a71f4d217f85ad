"""Completion without a terminal: text and cursor in, suggestions out. ``^`` marks the cursor."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from logsql.commands.parse.logs.base import PARSERS
from logsql.planner.spec import CommandSpec
from logsql.registry import COMMANDS
from logsql.shell.complete import Suggestion, complete
from logsql.shell.ml_commands import COMMANDS as ML


class FakeCatalog:
    """A catalog whose answers are fixed; ``asked`` remembers the queries whose fields were wanted."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def commands(self) -> dict[str, str]:
        return {
            "table": "read a table", "csvfile": "read CSV", "search": "keep rows", "stats": "aggregate", "sort": "",
            "eval": "", "fields": "", "join": "", "rforest": "", "set": "",
        }  # fmt: skip

    def sources(self) -> dict[str, str]:
        return {"table": "read a table", "csvfile": "read CSV"}

    def options(self, command: str) -> dict[str, str]:
        return {"search": {"limit": "rows"}, "csvfile": {"strict": "", "cs": "charset"}}.get(command, {})

    def choices(self, command: str, option: str) -> Sequence[str]:
        return ("t", "f") if option == "strict" else ()

    def functions(self) -> dict[str, str]:
        return {"concat": "join texts", "len": "", "lower": ""}

    def aggregates(self) -> dict[str, str]:
        return {"count": "rows", "sum": "", "dc": "distinct"}

    def tables(self) -> Sequence[str]:
        return ["web", "firewall"]

    def fields(self, query: str) -> Sequence[str]:
        self.asked.append(query)
        return ["status", "src", "Code"]

    def files(self, prefix: str) -> Sequence[str]:
        return [name for name in ("logs/", "logs/a.csv", "b.csv") if name.startswith(prefix)]

    def parsers(self) -> dict[str, str]:
        return {name: spec.summary[0] for name, spec in PARSERS.items()}

    def models(self) -> Sequence[str]:
        return ["bot"]

    def inputs(self) -> Sequence[str]:
        return ["train"]

    def params(self) -> Sequence[str]:
        return ["day"]

    def metas(self) -> dict[str, str]:
        return {"\\d": "", "\\q": "", "\\sql": ""}

    def ml_commands(self) -> dict[str, str]:
        return {"ml.fit": "", "ml.models": ""}

    def ml_usage(self, name: str) -> str:
        return next((command.usage for command in ML if command.name.lower() == name.lower()), "")

    def saved(self) -> Sequence[str]:
        return ["before", "77836557-aa"]

    def results(self) -> Sequence[str]:
        return ["1", "12"]

    def lookups(self) -> Sequence[str]:
        return ["owners"]

    def declared(self, command: str) -> CommandSpec | None:
        return COMMANDS.get(command)


def suggest(marked: str) -> list[Suggestion]:
    cursor = marked.index("^")
    return complete(marked.replace("^", ""), cursor, FakeCatalog())


def words(marked: str) -> list[str]:
    return [found.text for found in suggest(marked)]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("ta^", ["table", "stats"]),
        ("textfile a | parse zee^", ["zeek"]),
        ("textfile a | parse overlay=t syslog-^", ["syslog-rfc3164", "syslog-rfc5424"]),
        ("table web | se^", ["search", "set"]),
        ("table web | ST^", ["stats", "rforest"]),
        ("table ^", ["web", "firewall"]),
        ("table fi^", ["firewall"]),
        ("table web | csv^", []),  # behind rows a source is refused
        ("table web | eval x=co^", ["concat(", "Code"]),
        ("table web | search st^", ["status"]),
        ("table web | search lim^", ["limit="]),
        ("table web | search status == 1 and s^", ["status", "src"]),
        ("table web | eval x = co^", ["concat(", "Code"]),  # the same letters in another case come second
        ("table web | stats ^", ["count", "sum", "dc", "by"]),
        ("table web | stats sum(s^", ["status", "src"]),
        ("table web | stats count by s^", ["status", "src"]),
        ("table web | stats count by status, sr^", ["src"]),
        ("table web | sort -st^", ["status"]),
        ("table web | fields status, C^", ["Code"]),
        ("table web | join src [ ta^", ["table", "stats"]),
        ("csvfile strict=^", ["t", "f"]),
        ("csvfile lo^", ["logs/", "logs/a.csv"]),
        ("csvfile logs/a^", ["logs/a.csv"]),
        ('table web | search src == $("d^', ["day"]),
        ('table web | search src == "10.^', []),
        ('table web | fields "st^', ['"status"']),
        ('table web | stats count by src, "C^', ['"Code"']),
        ('table web | eval x = field("st^', ['"status"']),
        ('table web | eval x = "st^', []),
        ("table web | # search st^", []),
        ("table web | rforest b^", ["bot"]),
        ("table web | rforest model=b^", ["bot"]),
        ("table web | rex field=st^", ["status"]),
        ("table web | lookup o^", ["owners"]),
        ("table web | pivot count rows s^", ["status", "src"]),
        ("table web | pivot count for s^", ["status", "src"]),
        ("table web | boxplot l^", ["len(", "lower("]),
        ("table web | outputcsv logs/a^", ["logs/a.csv"]),
        ("\\s^", ["\\sql"]),
        ("\\d we^", ["web"]),
        ("ml.f^", ["ml.fit"]),
        ("ml.fit ^", ["bot"]),
        ("ml.input t^", ["train"]),
        ("ml.createModel rforest bot ^", ["train"]),
        ("select * from we^", ["web"]),
        ("help le^", ["len", "table", "csvfile"]),
        ("help sea^", ["search"]),
    ],
)
def test_words_at_the_cursor_and_after_them_those_that_contain_the_letters(marked: str, expected: list[str]) -> None:
    assert words(marked) == expected


def test_only_sources_come_first_at_the_start() -> None:
    found = [(s.text, s.kind) for s in suggest("^")]
    assert found[:2] == [("table", "source"), ("csvfile", "source")]


def test_suggestions_replace_what_is_typed() -> None:
    (found,) = suggest("table web | fields status, sr^")
    assert (found.text, found.start) == ("src", len("table web | fields status, "))


def test_text_behind_the_cursor_does_not_matter() -> None:
    assert words("table fi^ | search status == 404") == ["firewall"]


def test_fields_are_asked_of_the_query_in_front_of_the_command() -> None:
    catalog = FakeCatalog()
    text = 'table web | eval a = "x|y" | search s'
    complete(text, len(text), catalog)
    assert set(catalog.asked) == {'table web | eval a = "x|y"'}


def test_help_lines_come_along() -> None:
    assert suggest("table web | stats co^")[0].help == "rows"
