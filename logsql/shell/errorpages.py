"""Every error code with all that is known of it: its row, its sentences and the commands that list it."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

from logsql import diagnostics, jobs
from logsql.diagnostics.codes import CODES, SENTENCES, Code, Text
from logsql.planner import notes
from logsql.registry import COMMANDS

#: Where rows stand beside those of commands and functions, which the registry loads.
ROOMS = (diagnostics, notes, jobs)


@dataclass(frozen=True)
class Entry:
    """One code. ``names`` has several where a code is printed under several names."""

    code: str
    names: tuple[str, ...]
    meaning: Text
    sentences: tuple[Text, ...]
    commands: tuple[str, ...]


def entries() -> tuple[Entry, ...]:
    """All codes in their order: numbers first, then those with a letter."""
    for room in ROOMS:
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            importlib.import_module(module.name)
    for face in ("logsql.shell.lint", "logsql.streams.standing"):  # say sentences of their own
        importlib.import_module(face)
    listed: dict[str, dict[str, Code]] = {}
    for name, spec in sorted(COMMANDS.items()):
        if name == spec.name:
            for row in spec.errors:
                listed.setdefault(row.code, {})[name] = row
    return tuple(_entry(code, listed.get(code, {})) for code in sorted({*CODES, *listed}))


def find(word: str) -> list[Entry]:
    """The entries of a code (``20600``, ``e3002``) or of a symbolic name (``invalid-limit-args``)."""
    return [entry for entry in entries() if word.upper() == entry.code or word in entry.names]


def _entry(code: str, listed: dict[str, Code]) -> Entry:
    row = CODES.get(code) or next(iter(listed.values()))
    said = SENTENCES.get(code, [])
    # In an order of their own: rows are made as modules are imported, which a query before may have done.
    names = dict.fromkeys([row.name, *sorted({*(s.name for s in said), *(r.name for r in listed.values())})])
    texts = sorted(dict.fromkeys(s.text for s in said), key=lambda text: (text.en, text.ko))
    return Entry(code, tuple(names), row.meaning, tuple(texts), tuple(listed))
