"""The user's error for what a reader raises: code by command, the name as the reader says it, the nearest file name."""

from __future__ import annotations

from logsql.diagnostics.errors import Diagnostic, LogsqlError, PolicyError, SourceError, did_you_mean
from logsql.diagnostics.extras import missing_extra
from logsql.planner.catalog import SourceSpec
from udfs.extras import MissingExtra
from udfs.readers.errors import ReaderError


def source_error(problem: ReaderError, code: str | None = None) -> LogsqlError:
    """The error of a reader as the user sees it, under ``code``, else under the code that the error remembers."""
    if problem.code == "read-not-allowed":
        return PolicyError(Diagnostic("E4001", problem.code, str(problem), help="allow it with --allow-dir"))
    shown = code or problem.shown_code or SourceSpec.code
    if isinstance(problem.__cause__, MissingExtra):
        return SourceError(missing_extra(problem.__cause__, shown, problem.code))
    notes = (f"path: {problem.path}",) if problem.path and problem.path not in str(problem) else ()
    help_text = _near_files(problem) if problem.code in ("file-not-found", "no-match") else None
    return SourceError(Diagnostic(shown, problem.code, str(problem), notes=notes, help=help_text))


def _near_files(problem: ReaderError) -> str | None:
    folder, _, name = problem.path.replace("\\", "/").rpartition("/")
    if problem.no_folder:
        return f"the folder {folder} does not exist" if folder else None
    return did_you_mean(name, problem.beside)
