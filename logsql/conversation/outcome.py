"""What came of a text, and what a reader of the rows should know besides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from logsql.diagnostics.errors import Diagnostic
from logsql.diagnostics.messages import add_messages, message
from logsql.diagnostics.notes import Note
from logsql.diagnostics.redaction import Said, masked
from logsql.language.spans import render_note

if TYPE_CHECKING:
    from logsql.engine.ledger import Entry, Ledger
    from logsql.engine.result import Result

#: Notes that are said one by one; of more only the number is told.
MOST_NOTES = 5
#: Commands that one line names.
_NAMED = 3

add_messages(
    {
        "ledger": ("left out, null, changed or passed unchanged:", "빠지거나 null이 되거나 바뀌거나 그대로 통과한 것:"),
        "ledger-fact": ("about the source: {summary}", "원본에 대해: {summary}"),
        "ledger-others": ("{sources} and {count} more", "{sources} 외 {count}곳"),
        "ledger-more": ("{count} more of them", "그 밖에 {count}건 더 있습니다"),
        "notes-more": ("{count} more notes", "알림이 {count}개 더 있습니다"),
        "no-loss": ("the last query lost nothing", "마지막 쿼리에서 빠진 것이 없습니다"),
    }
)


class Kind(Enum):
    """How a run ended. ``ABANDONED``: interrupted, and its thread has not noticed yet; nothing may be waited for."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Outcome:
    """What came of a text.

    ``rows`` were read and written, ``shown`` of them a display had room for; ``columns`` are their fields; ``notes``
    are sentences about what was written, ``told`` is what the plan tells of the query, ``ledger`` what the result
    lacks; ``error`` is why there is no result. ``seconds`` and ``processor`` are the time of the run and the CPU time
    of the process in it. ``result`` is the handle that was read, for whoever keeps it.
    """

    kind: Kind
    exit_code: int = 0
    rows: int = 0
    shown: int = 0
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    told: tuple[Note, ...] = ()
    ledger: Ledger | None = None
    error: Diagnostic | None = None
    seconds: float = 0.0
    processor: float = 0.0
    result: Result | None = None


def remarks(
    notes: Sequence[str],
    ledger: Ledger | None,
    every: bool = False,
    pointer: str = "",
    told: Sequence[Note] = (),
) -> list[str]:
    """What a reader of the rows should know besides, a line each: what the plan told, the notes, then what the
    result lacks.

    A note at several places is said of the first, a loss whose cause a note tells not at all. ``every`` lists all
    losses, else there is a line for each of the first and the last line ends with ``pointer``: the way to see the rest,
    empty for none.
    """
    once: dict[tuple[str, str, str | None], Note] = {}
    for note in told:
        once.setdefault((note.code, note.sentence, note.origin), note)
    lines: list[str] = [*map(render_note, once.values()), *(Said(f"note: {masked(note)}") for note in notes)]
    if len(lines) > MOST_NOTES:
        lines[MOST_NOTES:] = [Said("note: " + message("notes-more", count=len(lines) - MOST_NOTES))]
    if every:
        lines.append(Said("note: " + message("ledger")) if ledger else message("no-loss"))
        lines += ledger.lines() if ledger else []
    elif ledger:
        lines += _losses(ledger, pointer, {note.covers for note in told})
    return lines


def gathered(entries: Sequence[Entry]) -> list[Entry]:
    """The entries; those that count nothing, have no place and say the same of several commands are one.

    A query that takes sixty headers out of a few mails told a line for each header that none of them has.
    """
    said: dict[tuple[str, object], list[Entry]] = {}
    for number, entry in enumerate(entries):
        alone = entry.count or entry.at_least or entry.position is not None
        said.setdefault((entry.reason, number if alone else None), []).append(entry)
    found = []
    for first, *others in said.values():
        source = ", ".join(entry.source for entry in (first, *others)[:_NAMED])
        if len(others) >= _NAMED:
            source = message("ledger-others", sources=source, count=len(others) + 1 - _NAMED)
        found.append(replace(first, source=source) if others else first)
    return found


def _losses(ledger: Ledger, pointer: str, covered: Collection[tuple[str, str] | None]) -> list[str]:
    """A line for each of the first entries whose cause no note has told, and how many more there are."""
    entries = [entry for entry in ledger if (entry.reason, entry.source) not in covered]
    entries = gathered(entries)
    entries.sort(key=lambda entry: entry.fact)  # what is lost before what is only said of a source
    shown = [_begun(entry) for entry in entries[:MOST_NOTES]]
    if len(entries) > MOST_NOTES:
        shown.append(message("ledger-more", count=len(entries) - MOST_NOTES))
    lines: list[str] = [Said(f"note: {line}") for line in shown]
    if pointer and lines:
        lines[-1] = Said(f"{lines[-1]} ({pointer})")
    return lines


def _begun(entry: Entry) -> str:
    """What is told of an entry, behind what became of its rows or values."""
    told = entry.told()
    return message("ledger-fact", summary=told) if entry.fact else entry.fate.value.fill(summary=told)
