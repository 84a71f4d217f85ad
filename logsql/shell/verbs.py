"""The verbs over query files that run nothing: ``check`` and ``fmt``. Each returns an exit code."""

from __future__ import annotations

import sys

from logsql.api import parse
from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.messages import message, plural
from logsql.language.formatter import format_query
from logsql.registry import GRAMMAR
from logsql.render.sinks import open_sink
from logsql.shell.findings import WRITERS, Finding, Level, of_error, of_note, text_lines
from logsql.shell.inputs import query_files, read_query_file
from logsql.shell.invocation import Invocation
from logsql.shell.lint import is_warning, notes
from logsql.shell.querying import open_session, policy_of
from logsql.shell.voice import Voice


def check(asked: Invocation, voice: Voice) -> int:
    """Plan every file without running it; 0 when all are right, else the exit code of the first error.

    ``--strict``: 1 when there is a warning. ``--no-data``: what only files and tables tell is taken as unknown.
    """
    found: list[Finding] = []
    code = bad = 0
    with open_session(asked) as session:
        paths = query_files(asked.words, session.policy)
        for path in paths:
            try:
                text = read_query_file(path, session.policy)
                plan, _, _ = session.plan(text, dict(asked.params), path, data=not asked.no_data)
                found += [of_note(note, path) for note in plan.notes]
                for note in notes(parse(text), text, path):
                    found.append(of_note(note, path, Level.WARNING if is_warning(note) else Level.NOTE))
            except LogsqlError as error:
                if asked.format in (None, "text"):
                    voice.error(error.diagnostic)
                found.append(of_error(error.diagnostic, path))
                bad += 1
                code = code or error.exit_code
    warnings = sum(finding.level is Level.WARNING for finding in found)
    if asked.format in (None, "text"):
        told = [finding for finding in found if finding.level is not Level.ERROR]
        voice.say(*text_lines(told, len(paths)).splitlines())
        files = len(paths)
        voice.say(message("files-checked", count=files, s=plural(files), bad=bad, warnings=warnings))
    else:
        sys.stdout.write(WRITERS[asked.format](found, len(paths)))
    return code or int(asked.strict and warnings > 0)


def fmt(asked: Invocation, voice: Voice) -> int:
    """Format query files: to stdout, in place (``--write``), or only say which would change (``--check``, exit 1)."""
    code = 0
    for path in query_files(asked.words, policy_of(asked)):
        try:
            if not _formatted(path, asked, voice):
                code = code or 1
        except LogsqlError as error:
            voice.error(error.diagnostic)
            code = error.exit_code
    return code


def _formatted(path: str, asked: Invocation, voice: Voice) -> bool:
    """Whether ``--check`` finds nothing to change."""
    policy = policy_of(asked)
    before = read_query_file(path, policy)
    try:
        after = format_query(before, GRAMMAR).rstrip("\n") + "\n"
    except LogsqlError as error:
        raise error.located(before, path) from None
    if asked.check:
        if after != before:
            voice.say(message("would-change", path=path))
        return after == before
    if not asked.write or path == "-":
        sys.stdout.write(after)
    elif after != before:
        with open_sink(path, policy) as sink:
            sink.write(after.encode())
        voice.say(message("formatted", path=path))
    return True
