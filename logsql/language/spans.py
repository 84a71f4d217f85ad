"""Showing a diagnostic: the sentence, the user's own line with carets under the span, notes and one help line.

``render(diagnostic)`` is the only place where a diagnostic becomes text. Columns are counted in characters from 1,
carets are placed by display width (East Asian wide characters take two columns), lines longer than the window are cut
around the span, and control characters of the query are shown as U+FFFD so that an error cannot drive the terminal.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from logsql.diagnostics.errors import Diagnostic
from logsql.diagnostics.notes import Note
from logsql.diagnostics.redaction import Said, covered, masked
from logsql.language.positions import LINE_BREAK, line_and_column

if TYPE_CHECKING:
    from logsql.language.tree import Span

WINDOW = 160
MAX_LINES = 4

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def render(diagnostic: Diagnostic) -> Said:
    """The text of a diagnostic, without a final line break; plain text, no colours."""
    out = [f"error[{diagnostic.code} {diagnostic.name}]: {_clean(masked(diagnostic.message))}"]
    if diagnostic.text is not None and diagnostic.span is not None:
        out += _excerpt(covered(diagnostic.text), diagnostic.span, diagnostic.origin or "query")
    out += [f"note: {_clean(masked(note))}" for note in diagnostic.notes]
    if diagnostic.help:
        out.append(f"help: {_clean(masked(diagnostic.help))}")
    return Said("\n".join(out))


def render_note(note: Note) -> Said:
    """One line: code, place, sentence, help. Plain text, no colours.

    >>> from logsql.language.tree import Span
    >>> render_note(Note("N1001", "unknown-field", "there is no field b", Span(2, 3), "did you mean a?", "a\\nb"))
    'note[N1001 unknown-field]: 2:1: there is no field b; help: did you mean a?'
    """
    place = f"{note.line}:{note.column}: " if note.line else ""
    if place and note.origin:
        place = f"{note.origin}:{place}"
    help = f"; help: {note.help}" if note.help else ""
    return Said(_clean(f"note[{note.code} {note.name}]: {place}{note.sentence}{help}"))


def width(text: str) -> int:
    """Columns a text takes on a terminal: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _clean(text: str) -> str:
    """One line without control characters."""
    return _CONTROL.sub("\ufffd", text.replace("\n", " ").replace("\t", " "))


def _excerpt(text: str, span: Span, origin: str) -> list[str]:
    start = min(max(span.start, 0), len(text))
    end = min(max(span.end, start), len(text))
    line, column = line_and_column(text, start)
    rows: list[tuple[int, str, str]] = []
    number, pos = 1, 0
    for found in [*LINE_BREAK.finditer(text), None]:
        stop = found.start() if found is not None else len(text)
        after = found.end() if found is not None else len(text) + 1
        if (start < after and end > pos) or (pos <= start <= stop and start == end):
            source, carets = _marked(text[pos:stop], max(start - pos, 0), min(end, stop) - pos)
            if carets or not rows:
                rows.append((number, source, carets or "^"))
        number, pos = number + 1, after
    shown = rows if len(rows) <= MAX_LINES else rows[: MAX_LINES - 1]
    margin = len(str(shown[-1][0])) if shown else 1
    out = [f"{' ' * margin}--> {_clean(origin)}:{line}:{column}", f"{' ' * margin} |"]
    for number, source, carets in shown:
        out += [f"{number:>{margin}} | {source}", f"{' ' * margin} | {carets}"]
    if len(shown) < len(rows):
        out.append(f"{' ' * margin} | ... {len(rows) - len(shown)} more lines")
    return out


def _marked(line: str, start: int, end: int) -> tuple[str, str]:
    """The line as shown and the carets below it; no carets when the span covers only its leading blanks."""
    leading = len(line) - len(line.lstrip())
    if start < leading < end:
        start = leading  # a span over several lines: do not underline indentation
    before = line[:start].replace("\t", "    ")
    inside = line[start:end].replace("\t", "    ")
    behind = line[end:].replace("\t", "    ")
    if start == 0 and not inside.strip() and behind:
        return _CONTROL.sub("\ufffd", line), "" if inside else "^"
    cut_before = len(before) - (WINDOW // 3) if len(before) + len(inside) + len(behind) > WINDOW else 0
    if cut_before > 0:
        before = "..." + before[cut_before:]
    room = max(WINDOW - len(before) - len(inside), 0)
    if len(inside) > WINDOW:
        inside, behind = inside[: WINDOW // 2] + "...", ""
    elif len(behind) > room:
        behind = behind[:room] + "..."
    before, inside, behind = (_CONTROL.sub("\ufffd", part) for part in (before, inside, behind))
    return (before + inside + behind).rstrip(), " " * width(before) + "^" * max(width(inside.rstrip()), 1)
