"""What a run tells besides its rows, as JSON: for whatever runs queries and must notice what they lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from logsql.conversation.outcome import Outcome
from logsql.diagnostics.losses import hint
from logsql.diagnostics.notes import Note

if TYPE_CHECKING:
    from logsql.engine.ledger import Entry


def account(outcome: Outcome) -> str:
    """One line: the number of rows that were written, every loss and fact of the ledger, and every note of the plan.

    Names (``reason``, ``code``) never change; sentences are in the language in force.
    """
    found = {
        "rows": outcome.rows,
        "losses": [_entry(entry) for entry in outcome.ledger or ()],
        "notes": [_note(note) for note in outcome.told],
        "messages": list(outcome.notes),
    }
    return json.dumps(found, ensure_ascii=False)


def _entry(entry: Entry) -> dict[str, object]:
    """``fact``: nothing was lost, and it is worth knowing; ``unit`` (line, row or byte) and ``position``: the place of
    the first one, ``sample`` its text; None where they are not known.
    """
    place = entry.position
    return {
        "reason": entry.reason,
        "source": entry.source,
        "count": entry.count,
        "at_least": entry.at_least,
        "fact": entry.fact,
        "unit": None if place is None else getattr(place, "unit", "byte"),
        "position": None if place is None else int(place),
        "sample": entry.sample,
        "message": entry.sentence(),
        "help": hint(entry.source, entry.sample),
    }


def _note(note: Note) -> dict[str, object]:
    return {
        "code": note.code,
        "name": note.name,
        "file": note.origin,
        "line": note.line,
        "column": note.column,
        "message": note.sentence,
        "help": note.help,
    }
