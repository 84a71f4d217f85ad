"""Writes ``docs/reference``, a page per command and function, from the registries: ``python -m docs.reference``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from docs.bridges import bridges_page
from docs.configuration import config_page
from docs.metrics import page as metrics_page
from logsql.diagnostics.messages import told
from logsql.diagnostics.network import WORDS
from logsql.planner.duties import KEEPS_ORDER, NEEDS_ORDER, SORTS, AggregateDuty, Fields, InStream, Reads, Subquery
from logsql.planner.function_spec import AggregateSpec, FunctionSpec
from logsql.planner.spec import CommandSpec, Group
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS
from logsql.shell.errorpages import entries

HERE = Path(__file__).resolve().parent / "reference"
CHAPTERS = list(Group)
Spec = TypeVar("Spec", CommandSpec, FunctionSpec, AggregateSpec)


def cell(text: object) -> str:
    """Text for a table cell."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def fenced(text: str) -> list[str]:
    fence = "```" if "```" not in text else "````"
    return [fence, *text.splitlines(), fence]


def command_section(spec: CommandSpec) -> list[str]:
    """One command as Markdown."""
    lines = [f"## {spec.name}", "", spec.told, "", *fenced("\n".join(spec.usage)), ""]
    if spec.aliases:
        lines += ["Also called " + ", ".join(f"`{name}`" for name in spec.aliases) + ".", ""]
    if spec.description:
        lines += [spec.manual, ""]
    if spec.options:
        lines += ["| option | value | meaning | default |", "| --- | --- | --- | --- |"]
        for option in spec.options:
            kind = " \\| ".join(option.choices) or option.kind.value
            default = "" if option.default is None else option.default
            lines.append(f"| `{option.name}=` | {kind} | {cell(spec.option_told(option))} | {cell(default)} |")
        lines.append("")
    lines += duty_lines(spec)
    for example in spec.examples:
        shown = [example.query]
        shown += [json.dumps(row, ensure_ascii=False, default=str) for row in example.rows or ()]
        lines += [f"**{example.question}**", "", *fenced("\n".join(shown)), ""]
    if spec.errors:
        lines += ["| error | name | when |", "| --- | --- | --- |"]
        lines += [f"| {code_link(e.code)} | {e.name} | {cell(e.meaning.shown('en'))} |" for e in spec.errors] + [""]
    if spec.ledger:
        lines += ["| reason in the ledger | meaning |", "| --- | --- |"]
        lines += [f"| {row.name} | {cell(row.text.shown('en'))} |" for row in spec.ledger] + [""]
    lines += [line for note in spec.notes for line in (f"Note: {told(note)}", "")]
    return lines


def duty_lines(spec: CommandSpec) -> list[str]:
    """What the command declares about fields, order, streams and engines."""
    written = "it depends on the arguments"
    fields = spec.fields.flow.value if isinstance(spec.fields, Fields) else written
    always = {d.need: d.need(None).value for d in (KEEPS_ORDER, NEEDS_ORDER, SORTS)}
    needs = always.get(spec.order.need, written)
    stream = spec.stream.value if isinstance(spec.stream, InStream) else written
    rows = [
        ("Fields", fields),
        ("Order of its input", needs),
        ("Order of its rows", spec.order.gives.value),
        ("In a stream", stream),
        ("Made of", spec.lowering.value),
    ]
    if spec.subquery is not Subquery.NONE:
        rows.insert(1, ("Subquery", spec.subquery.value))
    return ["| duty | |", "| --- | --- |", *(f"| {name} | {cell(text)} |" for name, text in rows), ""]


def function_section(spec: FunctionSpec | AggregateSpec) -> list[str]:
    """One function as Markdown."""
    lines = [f"### {spec.name}", "", f"`{spec.signature}` returns {spec.returns}. {spec.told}", ""]
    shown = [example for example in spec.examples if example.shown]
    if shown:
        text = "\n".join(e.line for e in shown)
        lines += [*fenced(text), ""]
    lines += [line for note in (*map(told, spec.notes), *duty_notes(spec)) for line in (f"Note: {note}", "")]
    return lines


def duty_notes(spec: FunctionSpec | AggregateSpec) -> list[str]:
    """What a function declares beyond the usual."""
    duty = spec.duty
    if isinstance(duty, AggregateDuty):
        return ["the value depends on the order of rows"] if duty.ordered else []
    notes = [] if duty.reads is Reads.ARGUMENTS else [f"the fields it reads: {duty.reads.value}"]
    notes += [] if duty.repeats else ["a new value for every row"]
    return notes


def command_page(spec: CommandSpec) -> str:
    """One command's page."""
    return "\n".join(["# " + spec.name, *command_section(spec)[1:]]).rstrip() + "\n"


def function_page(spec: FunctionSpec | AggregateSpec) -> str:
    """One function's page."""
    lines = ["# " + spec.name, *function_section(spec)[1:]]
    aliases = ", ".join(f"`{name}`" for name in spec.aliases)
    return "\n".join([*lines, *([f"Also called {aliases}.", ""] if aliases else [])]).rstrip() + "\n"


def own(registry: Mapping[str, Spec]) -> list[Spec]:
    """The rows of a registry under their own names (aliases left out), by name."""
    return [spec for name, spec in sorted(registry.items()) if name == spec.name]


def file_name(name: str) -> str:
    """File name of a page: ``-`` and ``$`` are no names for a file."""
    return {"-": "stdin", "$": "parameter"}.get(name, name) + ".md"


def commands_index() -> str:
    """All commands, by chapter."""
    lines = ["# Commands", ""]
    for group in CHAPTERS:
        specs = [spec for spec in own(COMMANDS) if spec.group is group]
        if specs:
            lines += [f"## {group.title}", "", "| command | what it does |", "| --- | --- |"]
            lines += [f"| [{s.name}](commands/{file_name(s.name)}) | {cell(s.told)} |" for s in specs] + [""]
    return "\n".join(lines).rstrip() + "\n"


def functions_index() -> str:
    """All functions by family, then the aggregates."""
    lines = ["# Functions", ""]
    families: dict[str, list[FunctionSpec | AggregateSpec]] = {}
    for spec in sorted(own(FUNCTIONS), key=lambda s: s.family):
        families.setdefault(spec.family, []).append(spec)
    families["aggregates"] = list(own(AGGREGATES))
    for family, specs in families.items():
        folder = "aggregates" if family == "aggregates" else "functions"
        lines += [f"## {family}", "", "| function | what it does |", "| --- | --- |"]
        lines += [f"| [{cell(s.signature)}]({folder}/{file_name(s.name)}) | {cell(s.told)} |" for s in specs] + [""]
    return "\n".join(lines).rstrip() + "\n"


def code_link(code: str) -> str:
    """A code as a link to its place on the page of errors, from a command's page."""
    return f"[{code}](../errors.md#{code.lower()})"


def errors_page() -> str:
    """Every code of the product: when it is raised and what is printed, in both languages."""
    lines = [
        "# Errors",
        "",
        "`logsql help CODE` prints the same; `--lang ko` in Korean. Places in braces hold facts.",
        "",
    ]
    chapter = False
    for entry in entries():
        if entry.code.startswith("N") and not chapter:
            chapter = True
            lines += ["# Notes", "", "What the plan tells of a query that runs ([notes](../notes.md)).", ""]
        names = ", ".join(f"`{name}`" for name in entry.names)
        lines += [f"## {entry.code}", "", f"{names}: {entry.meaning.shown('en')}  ", entry.meaning.shown("ko"), ""]
        said = [
            f"- {text.shown('en')}" + (f" / {text.shown('ko')}" if text.ko != text.en else "")
            for text in entry.sentences
        ]
        lines += [*said, ""] if said else []
        if entry.commands:
            commands = ", ".join(f"[{name}](commands/{file_name(name)})" for name in entry.commands)
            lines += [f"Listed by {commands}.", ""]
    return "\n".join(lines).rstrip() + "\n"


#: Made by ``python -m docs.agreement``, where the evidence is.
def words_page() -> str:
    """Why there was no answer: the words of ``_wget_error``, errors and the ledger."""
    lines = [
        "# Network words",
        "",
        "Why a server gave no whole answer. `_wget_error` of `wget` holds the word, the",
        "",
    ]
    lines[2] += (
        " ledger counts it by host, the error of a source ([E3041](errors.md#e3041)) prints it with its meaning."
    )
    lines += ["| word | meaning | 뜻 |", "| --- | --- | --- |"]
    lines += [f"| `{word}` | {cell(said.shown('en'))} | {cell(said.shown('ko'))} |" for word, said in WORDS.items()]
    return "\n".join(lines) + "\n"


AGREEMENT = "agreement.md"


def pages() -> dict[str, str]:
    """Every page by its path below ``docs/reference``, except the support matrix."""
    found = {"commands.md": commands_index(), "functions.md": functions_index(), "errors.md": errors_page()}
    found["coming-from.md"] = bridges_page()
    found["config.md"] = config_page()
    found["network-words.md"] = words_page()
    found["metrics.md"] = metrics_page()
    found |= {f"commands/{file_name(s.name)}": command_page(s) for s in own(COMMANDS)}
    found |= {f"functions/{file_name(s.name)}": function_page(s) for s in own(FUNCTIONS)}
    found |= {f"aggregates/{file_name(s.name)}": function_page(s) for s in own(AGGREGATES)}
    return found


def main() -> int:
    """Write every page, remove those of what is gone, and write the support matrix."""
    from docs.support import support_page

    found = {**pages(), "support.md": support_page()}
    for old in HERE.rglob("*.md"):
        if old.relative_to(HERE).as_posix() not in {*found, AGREEMENT}:
            old.unlink()
    for name, text in found.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"docs/reference: {len(found)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
