"""Manual pages and lists of commands and functions, made from the registries."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from logsql.diagnostics.bridges import Bridge, bridges_of, foreign_words
from logsql.diagnostics.errors import UsageError, diagnostic, nearest
from logsql.diagnostics.messages import Pair, message, told
from logsql.diagnostics.network import WORDS, advice
from logsql.diagnostics.places import Place
from logsql.diagnostics.usage import NO_TOPIC
from logsql.planner.function_spec import FAMILIES, AggregateSpec, FunctionSpec, kind_told
from logsql.planner.options import OptionSpec
from logsql.planner.spec import CommandSpec
from logsql.registry import AGGREGATES, COMMANDS, FUNCTIONS, REFUSED_COMMANDS, REFUSED_FUNCTIONS
from logsql.render.safe import width
from logsql.shell import errorpages
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)
from logsql.shell.invocation import VERBS, Invocation
from logsql.shell.voice import Voice

WIDTH = 100
_NAMES = re.compile(r"[a-z][\w-]*")
#: A link to a page of the reference, which stands beside its file and not on a terminal.
_PAGE = re.compile(r"\[([^\]\n]+)\]\((?:\.{0,2}/)*[\w/-]+\.md\)")


def run(asked: Invocation, voice: Voice) -> int:
    """``commands``, ``functions``, ``help NAME``."""
    if asked.words:
        text = page(asked.words[0])
    else:
        text = command_list() if asked.verb == "commands" else function_list()
    sys.stdout.write(text + "\n")
    return 0


def page(name: str) -> str:
    """The pages of everything called ``name``: error code, command, function, aggregate, word of the
    command line; of a name that only other
    query languages have, how the same is written here.

    Raises UsageError with the nearest names.
    """
    found = [code_page(entry) for entry in errorpages.find(name)]
    if name in COMMANDS:
        found.append(command_page(COMMANDS[name]))
    if name in FUNCTIONS:
        found.append(function_page(FUNCTIONS[name]))
    if name in AGGREGATES:
        found.append(function_page(AGGREGATES[name]))
    if name in WORDS:
        found.append(word_page(name))
    if name in VERBS:
        found.append(f"{VERBS[name].usage} - {message(f'use-{name}')}")
    if found:
        return "\n\n".join(found)
    refused = REFUSED_COMMANDS.get(name) or REFUSED_FUNCTIONS.get(name)
    if refused is not None:
        return message("topic-refused", name=name, reason=refused.fill())
    if bridges := bridges_of(name):
        return foreign_page(name, bridges)
    words = [word for place in Place for word in foreign_words(place)]
    here = [*COMMANDS, *FUNCTIONS, *AGGREGATES, *VERBS, *WORDS]
    near = nearest(name, [*here, *words])
    if near and near[0] in here:
        near = [known for known in near if known in here]
    hint = message("help-did-you-mean", names=message("word-or").join(near)) if near else None
    raise UsageError(diagnostic(NO_TOPIC, help=hint, name=name))


def foreign_page(name: str, bridges: Sequence[Bridge]) -> str:
    """A name of other query languages: of each meaning the languages, the form here and an example."""
    lines: list[str] = []
    for bridge in bridges:
        lines += [message("foreign-name", name=name, languages=", ".join(bridge.languages(name))), f"  {bridge.form}"]
        if bridge.query is not None:
            lines += ["", f"{message('page-examples')}:", f"  ... {bridge.query}"]
        lines.append("")
    known = dict.fromkeys(word for bridge in bridges for word in _NAMES.findall(bridge.form) if word in _here(bridge))
    return "\n".join([*lines, *(message("usage-page", name=word) for word in known)]).rstrip("\n")


def _here(bridge: Bridge) -> Mapping[str, object]:
    """The names of the language where the bridge's form stands."""
    if bridge.place is Place.COMMAND:
        return COMMANDS
    return FUNCTIONS if bridge.place is Place.FUNCTION else AGGREGATES


def word_page(word: str) -> str:
    """A word for what a server did not answer: what it means, and what to do about it."""
    lines = [f"{word} - {WORDS[word].fill()}", "", message("word-where")]
    help = advice("https://HOST:PORT/", word)
    return "\n".join(lines if help is None else [*lines, "", help])


def code_page(entry: errorpages.Entry) -> str:
    """One error code: when it is raised, what is printed, and the commands that list it."""
    lines = [f"{entry.code} {', '.join(entry.names)} - {entry.meaning.fill()}"]
    if entry.sentences:
        lines += ["", f"{message('page-sentences')}:", *(f"  {text.shown()}" for text in entry.sentences)]
    if entry.commands:
        lines += ["", f"{message('page-commands')}:", *_columns([("", ", ".join(entry.commands))], 0)]
    return "\n".join(lines)


def command_page(spec: CommandSpec) -> str:
    """One command: what it does, usage, options, examples with their rows, errors."""
    lines = [f"{spec.name} - {spec.told}", "", f"{message('page-usage')}:"]
    lines += [f"  {usage}" for usage in spec.usage]
    if spec.aliases:
        lines += ["", message("page-aliases", names=", ".join(spec.aliases))]
    if spec.description:
        lines += ["", _PAGE.sub(r"\1", spec.manual)]
    if spec.options:
        lines += ["", f"{message('page-options')}:"]
        lines += _columns((option.name + "=", _option_text(spec, option)) for option in spec.options)
    if spec.examples:
        lines += ["", f"{message('page-examples')}:"]
        for example in spec.examples:
            lines += [f"  # {example.question}", *(f"  {line}" for line in example.query.splitlines())]
            lines += [f"    {_row(row)}" for row in (example.rows or ())[:10]] + [""]
        lines.pop()
    lines += _notes(spec.notes)
    if spec.errors:
        lines += ["", f"{message('page-errors')}:"]
        lines += _columns((f"{row.code} {row.name}", row.meaning.fill()) for row in spec.errors)
    if spec.ledger:
        lines += ["", f"{message('page-ledger')}:"]
        lines += _columns((row.name, row.text.fill()) for row in spec.ledger)
    if spec.extra:
        lines += ["", message("page-extra", extra=spec.extra)]
    return "\n".join(lines)


def _option_text(spec: CommandSpec, option: OptionSpec) -> str:
    text = spec.option_told(option)
    if option.choices:
        text += f" ({' | '.join(option.choices)})"
    if option.required:
        text += f"; {message('page-required')}"
    elif option.default is not None:
        default = ("t" if option.default else "f") if isinstance(option.default, bool) else option.default
        text += f"; {message('page-default', value=default)}"
    return text


def function_page(spec: FunctionSpec | AggregateSpec) -> str:
    """One function: signature, what it does, examples."""
    lines = [f"{spec.signature} - {spec.told}", message("page-returns", kind=kind_told(spec))]
    if spec.aliases:
        lines.append(message("page-aliases", names=", ".join(spec.aliases)))
    shown = [example for example in spec.examples if example.shown]
    if shown:
        lines += ["", f"{message('page-examples')}:"]
        for example in shown:
            lines.append(f"  {example.line}")
    return "\n".join(lines + _notes(spec.notes))


def _notes(notes: tuple[Pair, ...]) -> list[str]:
    return ["", f"{message('page-notes')}:", *(f"  {told(note)}" for note in notes)] if notes else []


def _row(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=str)


def _columns(pairs: Iterable[tuple[str, str]], indent: int = 2) -> list[str]:
    rows = list(pairs)
    left = min(max((len(name) for name, _ in rows), default=0), 28)
    lines = []
    for name, text in rows:
        parts = _wrapped(text, max(WIDTH - left - indent - 2, 20))
        head = f"{' ' * indent}{name:<{left}}  "
        if len(name) > left:
            lines.append(" " * indent + name)
            head = " " * (indent + left + 2)
        lines.append((head + parts[0]).rstrip())
        lines += [" " * (indent + left + 2) + part for part in parts[1:]]
    return lines


def _wrapped(text: str, columns: int) -> list[str]:
    """Lines of whole words in so many columns of a terminal, where a Korean letter takes two."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and width(joined) > columns:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines


def command_list() -> str:
    """All commands, by chapter."""
    chapters: dict[str, list[tuple[str, str]]] = {}
    for name, spec in sorted(COMMANDS.items()):
        if name == spec.name:
            chapters.setdefault(spec.group.title, []).append((name, spec.told))
    return _chapters(chapters)


def chapters() -> str:
    """The names of all commands, by chapter, without what they do."""
    found: dict[str, list[str]] = {}
    for name, spec in sorted(COMMANDS.items()):
        found.setdefault(spec.group.title, []).append(name)
    block = textwrap.TextWrapper(WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    names = [block.fill(", ".join(of)) for of in found.values()]
    return "\n".join(line for title, text in zip(found, names, strict=True) for line in (title, text))


def function_list() -> str:
    """All functions by family, then the aggregates."""
    chapters: dict[str, list[tuple[str, str]]] = {}
    for name, spec in sorted(FUNCTIONS.items()):
        if name == spec.name:
            chapters.setdefault(told(FAMILIES[spec.family]), []).append((spec.signature, spec.told))
    totals = [(a.signature, a.told) for name, a in sorted(AGGREGATES.items()) if name == a.name]
    chapters[told(FAMILIES["aggregates"])] = totals
    return _chapters(chapters)


def _chapters(chapters: dict[str, list[tuple[str, str]]]) -> str:
    blocks = ["\n".join([title, *_columns(rows)]) for title, rows in chapters.items() if rows]
    return "\n\n".join(blocks)
