"""What ``logsql check`` found, as text, JSON, GitHub workflow commands or SARIF 2.1.0.

A :class:`Finding` is an error, a warning (a note of the plan) or a note about style, with the place in its file. The
formats: https://docs.github.com/actions/reference/workflow-commands-for-github-actions (``::error file=...``) and
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; a rule's id is the code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from logsql import __version__
from logsql.diagnostics.codes import CODES
from logsql.diagnostics.errors import Diagnostic
from logsql.diagnostics.notes import Note
from logsql.language.positions import line_and_column
from logsql.language.tree import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class Level(Enum):
    """How much it weighs. ``NOTE``: a matter of taste, which ``--strict`` does not count."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One finding. Lines and columns count from 1, columns in characters; ``end_column`` is the one behind the last."""

    level: Level
    code: str
    name: str
    message: str
    help: str | None
    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def sentence(self) -> str:
        """The message and the help, in one line."""
        said = f"{self.message}; help: {self.help}" if self.help else self.message
        return " ".join(said.split())


def of_error(problem: Diagnostic, path: str) -> Finding:
    """The finding that a refusal is."""
    place = _place(problem.text, problem.span)
    file = problem.origin or path
    return Finding(Level.ERROR, problem.code, problem.name, problem.message, problem.help, file, *place)


def of_note(note: Note, path: str, level: Level = Level.WARNING) -> Finding:
    """The finding that a note is."""
    place = _place(note.text, note.span)
    return Finding(level, note.code, note.name, note.sentence, note.help, note.origin or path, *place)


def _place(text: str | None, span: Span | None) -> tuple[int, int, int, int]:
    if text is None or span is None:
        return 1, 1, 1, 1
    return *line_and_column(text, span.start), *line_and_column(text, max(span.start, span.end))


# --- formats ----------------------------------------------------------------------------------------------------------


def text_lines(findings: Sequence[Finding], files: int) -> str:
    """A line each: ``warning[N1001 unknown-field]: FILE:LINE:COLUMN: sentence; help: ...``."""
    return "".join(
        f"{f.level.value}[{f.code} {f.name}]: {f.file}:{f.line}:{f.column}: {f.sentence}\n" for f in findings
    )


def json_text(findings: Sequence[Finding], files: int) -> str:
    """One JSON object: how many files, and a list of findings."""
    listed = [
        {
            "file": f.file,
            "line": f.line,
            "column": f.column,
            "end_line": f.end_line,
            "end_column": f.end_column,
            "severity": f.level.value,
            "code": f.code,
            "name": f.name,
            "message": f.message,
            "help": f.help,
        }
        for f in findings
    ]
    return json.dumps({"files": files, "findings": listed}, ensure_ascii=False, indent=2) + "\n"


_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def github_text(findings: Sequence[Finding], files: int) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    lines = []
    for f in findings:
        facts = {"file": f.file, "line": f.line, "endLine": f.end_line, "col": f.column, "endColumn": f.end_column}
        if f.end_line != f.line:  # columns are of one line only
            del facts["col"], facts["endColumn"]
        facts["title"] = f"{f.code} {f.name}"
        told = ",".join(f"{key}={_property(str(value))}" for key, value in facts.items())
        lines.append(f"::{_COMMANDS[f.level]} {told}::{_escaped(f.sentence)}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def sarif_text(findings: Sequence[Finding], files: int) -> str:
    """One SARIF log with one run."""
    ids = sorted({f.code for f in findings})
    run = {
        "tool": {
            "driver": {"name": "logsql", "version": __version__, "rules": [_rule(code, findings) for code in ids]}
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, ids.index(f.code)) for f in findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(code: str, findings: Sequence[Finding]) -> dict[str, object]:
    first = next(f for f in findings if f.code == code)
    row = CODES.get(code)
    rule: dict[str, object] = {"id": code, "name": first.name}
    if row is not None:
        rule["shortDescription"] = {"text": row.meaning.shown()}
    rule["defaultConfiguration"] = {"level": first.level.value}
    return rule


def _result(f: Finding, rule: int) -> dict[str, object]:
    region = {"startLine": f.line, "startColumn": f.column, "endLine": f.end_line, "endColumn": f.end_column}
    place = {"artifactLocation": {"uri": _uri(f.file)}, "region": region}
    return {
        "ruleId": f.code,
        "ruleIndex": rule,
        "level": f.level.value,
        "message": {"text": f.sentence},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: str) -> str:
    """The path as a reference: relative as it is, absolute as ``file://``."""
    given = Path(path)
    return given.as_uri() if given.is_absolute() else quote(given.as_posix())


#: Formats of ``check -f`` (the names are those of :data:`logsql.shell.invocation.CHECK_FORMATS`).
WRITERS: dict[str, Callable[[Sequence[Finding], int], str]] = {
    "text": text_lines,
    "json": json_text,
    "github": github_text,
    "sarif": sarif_text,
}
