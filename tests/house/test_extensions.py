"""Commands, options, functions, aggregates and log parsers that the vendor lacks say so, wherever they are described.

``vendor_names.json`` holds the vendor's names and where they come from. It never follows from what is registered: a new
declaration is the vendor's because its name stands there, or is marked ``extension=True``.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from docs.reference import command_page as reference_page
from docs.reference import commands_index, function_section
from logsql.commands.parse.logs.base import PARSERS, ParserSpec
from logsql.diagnostics.messages import LANGUAGE
from logsql.planner.function_spec import AggregateSpec, FunctionSpec
from logsql.planner.options import OptionKind, OptionSpec
from logsql.planner.spec import CommandSpec
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS
from logsql.shell.catalog import SessionCatalog
from logsql.shell.manual import command_list, command_page, function_page, page

NAMES = json.loads(Path(__file__).with_name("vendor_names.json").read_text("utf-8"))
MARKS = {"en": "extension: ", "ko": "확장: "}
Named = FunctionSpec | AggregateSpec | ParserSpec


@pytest.fixture(params=MARKS)
def mark(request: pytest.FixtureRequest) -> Iterator[str]:
    """The mark in a language that is in force."""
    token = LANGUAGE.set(request.param)
    yield MARKS[request.param]
    LANGUAGE.reset(token)


def wrong_commands(specs: Iterable[CommandSpec], vendor: Mapping[str, Collection[str]]) -> list[str]:
    """Commands and options whose mark is not what the vendor's names say; an extension needs no mark on its options."""
    found = []
    for spec in specs:
        if spec.extension == (spec.name in vendor):
            found.append(spec.name)
        theirs = vendor.get(spec.name)
        if theirs is not None:
            found += [f"{spec.name} {o.name}=" for o in spec.options if o.extension == (o.name in theirs)]
    return found


def wrong_names(specs: Iterable[Named], vendor: Collection[str]) -> list[str]:
    """Rows whose mark is not what the vendor's names say; one name that is the vendor's makes it the vendor's."""
    return [s.name for s in specs if s.extension != vendor_lacks(s, vendor)]


def vendor_lacks(spec: Named, vendor: Collection[str]) -> bool:
    return not {spec.name, *spec.aliases} & set(vendor)


def test_every_command_and_option_has_the_right_mark() -> None:
    assert len(COMMANDS) > 90
    assert wrong_commands(COMMANDS.values(), NAMES["commands"]) == []


@pytest.mark.parametrize(
    ("kind", "registry"), [("functions", FUNCTIONS), ("aggregates", AGGREGATES), ("parsers", PARSERS)]
)
def test_every_function_and_parser_has_the_right_mark(kind: str, registry: Mapping[str, Named]) -> None:
    assert COMMANDS["parse"].manual, "its page imports all parsers"
    assert len(registry) > 15
    assert wrong_names(registry.values(), NAMES[kind]) == []


def test_a_declaration_without_a_verdict_is_found() -> None:
    """A new option, a new command, a new function: each stops here until it is marked or named as the vendor's."""
    new = OptionSpec("brandnew", OptionKind.TEXT, ("new", "새 옵션"))
    stats = COMMANDS["stats"]
    assert wrong_commands([replace(stats, options=(*stats.options, new))], NAMES["commands"]) == ["stats brandnew="]
    assert wrong_commands([replace(stats, name="summarize")], NAMES["commands"]) == ["summarize"]
    assert wrong_commands([replace(stats, extension=True)], NAMES["commands"]) == ["stats"]
    assert wrong_names([replace(FUNCTIONS["len"], name="reverse")], NAMES["functions"]) == ["reverse"]
    assert wrong_names([replace(AGGREGATES["sum"], extension=True)], NAMES["aggregates"]) == ["sum"]


def test_the_names_are_those_of_the_language() -> None:
    """Guards the list itself: what the vendor's articles and the conformance suite use stands in it."""
    assert {"stats", "hive-file", "wget", "ldapsearch", "rforest", "-"} <= set(NAMES["commands"])
    assert {"zippath", "zipcharset"} == set(NAMES["commands"]["evtx-file"])
    assert {"triage", "timeline", "reg-usb"}.isdisjoint(NAMES["commands"])
    assert "Korean" in NAMES["source"]


def test_the_page_of_a_command_says_what_is_an_extension(mark: str) -> None:
    said = page("triage").splitlines()
    assert said[0].startswith(f"triage - {mark}")
    assert "\n".join(said[1:]).count(mark) == 0, "options of an extension need no mark of their own"
    options = {line.split("=", 1)[0].strip(): mark in line for line in page("csvfile").splitlines() if "=  " in line}
    assert all(options[name] for name in ("delim", "host", "zippath"))
    assert not any(options[name] for name in ("limit", "tab"))
    evtx = {line.split("=", 1)[0].strip(): mark in line for line in page("evtx-file").splitlines() if "=  " in line}
    assert evtx["host"]
    assert not evtx["zippath"], "the same option is the vendor's in one command and not in another"
    assert mark not in page("search")


def test_lists_and_completion_say_it(mark: str) -> None:
    catalog = SessionCatalog.__new__(SessionCatalog)
    assert catalog.commands()["reg-usb"].startswith(mark)
    assert not catalog.commands()["hive-file"].startswith(mark)
    assert catalog.options("hive-file")["replay"].startswith(mark)
    assert not catalog.options("hive-file")["zippath"].startswith(mark)
    assert catalog.parsers()["zeek"].startswith(mark)
    assert not catalog.parsers()["cef"].startswith(mark)
    line = next(line for line in command_list().splitlines() if line.strip().startswith("timeline "))
    assert line.split("  ")[-1].startswith(mark)


def test_a_function_that_is_an_extension_says_it(mark: str) -> None:
    own = replace(FUNCTIONS["len"], extension=True)
    assert mark in function_page(own).splitlines()[0]
    assert mark in "\n".join(function_section(own))
    assert mark in function_page(replace(AGGREGATES["sum"], extension=True)).splitlines()[0]
    assert mark not in function_page(FUNCTIONS["len"])


def test_the_pages_of_reference_say_it() -> None:
    assert "extension: " in reference_page(COMMANDS["triage"]).splitlines()[2]
    assert "| `listlimit=` | integer | extension: " in reference_page(COMMANDS["stats"])
    assert "- `zeek`, `bro`: extension: " in COMMANDS["parse"].manual
    assert "| [timeline](commands/timeline.md) | extension: " in commands_index()


def test_nobody_writes_the_mark_by_hand() -> None:
    """A sentence that says it beside the flag would say it twice."""
    twice = [
        f"{spec.name} {option.name}="
        for spec in COMMANDS.values()
        for option in spec.options
        if "extension" in option.help[0] or "확장" in option.help[1]
    ]
    assert twice == []
    assert [spec.name for spec in COMMANDS.values() if command_page(spec).count("An extension.")] == []
