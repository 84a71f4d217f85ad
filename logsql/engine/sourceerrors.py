"""The user's error for what a reader raises: code by command, the name as the reader says it, the nearest file name."""

from __future__ import annotations

import re

from logsql.diagnostics.engine import READ_NOT_ALLOWED
from logsql.diagnostics.errors import Diagnostic, LogsqlError, PolicyError, SourceError, diagnostic, did_you_mean
from logsql.diagnostics.extras import missing_extra
from logsql.diagnostics.readers import (
    CSV_INPUT,
    FOLDER_MISSING,
    NO_HOME,
    PATH_NOTE,
    SEVERAL_FILES,
    STANDARD_INPUT,
    reader_sentence,
)
from logsql.diagnostics.unreadable import READ_FAILED, READER_ROWS
from logsql.planner.catalog import SourceSpec
from udfs.extras import MissingExtra
from udfs.readers.errors import ReaderError, printable


def source_error(problem: ReaderError, code: str | None = None) -> LogsqlError:
    """The error of a reader as the user sees it, under ``code``, else under the code that the error remembers.

    A command without a code of its own says each condition under the condition's code (``diagnostics/unreadable.py``).
    """
    if problem.code == "read-not-allowed":
        return PolicyError(diagnostic(READ_NOT_ALLOWED, path=printable(problem.path)))
    row = READER_ROWS.get(problem.code, READ_FAILED)
    family = code or problem.shown_code or SourceSpec.code
    shown = row.code if family == SourceSpec.code else family
    if isinstance(problem.__cause__, MissingExtra):
        return SourceError(missing_extra(problem.__cause__))
    told = problem.path in str(problem)
    notes = () if told else (PATH_NOTE.fill(path=problem.path),)
    help_text = _near_files(problem, shown) if problem.code in ("file-not-found", "no-match") else None
    return SourceError(Diagnostic(shown, problem.code, reader_sentence(problem), notes=notes, help=help_text))


#: The code under which ``csvfile`` says that there is no file.
_CSV = "10800"


def _near_files(problem: ReaderError, code: str) -> str | None:
    if problem.path == "-":
        return (CSV_INPUT if code == _CSV else STANDARD_INPUT).fill()
    if "," in problem.path and len(pieces := re.split(r"[,\s]+", problem.path.strip())) > 1:
        return SEVERAL_FILES.fill(first=pieces[0], second=pieces[1])
    folder, _, name = problem.path.replace("\\", "/").rpartition("/")
    if folder.startswith("~"):
        return NO_HOME.fill(folder=folder.partition("/")[0])
    if problem.no_folder:
        return FOLDER_MISSING.fill(folder=folder) if folder else None
    return did_you_mean(name, problem.beside)
