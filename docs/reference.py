"""Writes ``docs/commands.md`` and ``docs/functions.md`` from the registries: ``python -m docs.reference``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from logsql.commands import COMMANDS, CommandSpec
from logsql.commands.base import Group
from logsql.functions import AGGREGATES, FUNCTIONS, AggregateSpec, FunctionSpec

HERE = Path(__file__).resolve().parent
CHAPTERS = list(Group)


def cell(text: object) -> str:
    """Text for a table cell."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def fenced(text: str) -> list[str]:
    fence = "```" if "```" not in text else "````"
    return [fence, *text.splitlines(), fence]


def command_section(spec: CommandSpec) -> list[str]:
    """One command as Markdown."""
    lines = [f"## {spec.name}", "", spec.summary, "", *fenced("\n".join(spec.usage)), ""]
    if spec.aliases:
        lines += ["Also called " + ", ".join(f"`{name}`" for name in spec.aliases) + ".", ""]
    if spec.description:
        lines += [spec.description.strip(), ""]
    if spec.options:
        lines += ["| option | value | meaning | default |", "| --- | --- | --- | --- |"]
        for option in spec.options:
            kind = " \\| ".join(option.choices) or option.kind.value
            default = "" if option.default is None else option.default
            lines.append(f"| `{option.name}=` | {kind} | {cell(option.help)} | {cell(default)} |")
        lines.append("")
    for example in spec.examples:
        shown = [example.query]
        shown += [json.dumps(row, ensure_ascii=False, default=str) for row in example.rows or ()]
        lines += [f"**{example.question}**", "", *fenced("\n".join(shown)), ""]
    if spec.errors:
        lines += ["| error | name | when |", "| --- | --- | --- |"]
        lines += [f"| {code} | {name} | {cell(text)} |" for code, name, text in spec.errors] + [""]
    lines += [line for note in spec.notes for line in (f"Note: {note}", "")]
    return lines


def function_section(spec: FunctionSpec | AggregateSpec) -> list[str]:
    """One function as Markdown."""
    lines = [f"### {spec.name}", "", f"`{spec.signature}` returns {spec.returns}. {spec.summary}", ""]
    shown = [example for example in spec.examples if example.shown]
    if shown:
        text = "\n".join(f"{e.expression}  ->  {json.dumps(e.result, ensure_ascii=False, default=str)}" for e in shown)
        lines += [*fenced(text), ""]
    lines += [line for note in spec.notes for line in (f"Note: {note}", "")]
    return lines


def commands_page() -> str:
    """All commands, by chapter."""
    lines = ["# Commands", ""]
    specs = sorted((s for n, s in COMMANDS.items() if n == s.name), key=lambda s: (CHAPTERS.index(s.group), s.name))
    for group in dict.fromkeys(spec.group for spec in specs):
        names = [f"[{s.name}](#{s.name})" for s in specs if s.group is group]
        lines += [f"{group.value}: {', '.join(names)}", ""]
    for spec in specs:
        lines += command_section(spec)
    return "\n".join(lines).rstrip() + "\n"


def functions_page() -> str:
    """All functions by family, then the aggregates."""
    lines = ["# Functions", ""]
    specs = [spec for name, spec in sorted(FUNCTIONS.items()) if name == spec.name]
    for family in sorted({spec.family for spec in specs}):
        lines += [f"## {family}", ""]
        for spec in specs:
            if spec.family == family:
                lines += function_section(spec)
    lines += ["## Aggregates", ""]
    for name, aggregate in sorted(AGGREGATES.items()):
        if name == aggregate.name:
            lines += function_section(aggregate)
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write both pages."""
    for name, text in (("commands.md", commands_page()), ("functions.md", functions_page())):
        (HERE / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
