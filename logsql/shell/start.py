"""``logsql`` and ``logsql shell``: the shell on a terminal, or over plain lines."""

from __future__ import annotations

import sys
from contextlib import suppress

from logsql.conversation.conversation import Settings
from logsql.diagnostics.errors import LogsqlError
from logsql.shell.invocation import Invocation
from logsql.shell.plainlines import PlainLines
from logsql.shell.querying import open_session
from logsql.shell.repl import SHOWN_ROWS, Shell, plain
from logsql.shell.voice import Voice


def run(asked: Invocation, voice: Voice) -> int:
    """The shell for this process: prompt-toolkit on a terminal, plain lines otherwise. Returns the exit code."""
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    settings = Settings(
        params=dict(asked.params),
        format=asked.format or ("table" if terminal else "jsonl"),
        rows=SHOWN_ROWS if terminal else None,
        loss=asked.loss,
        stats=asked.stats,
        lang=asked.lang,
        quiet=asked.quiet,
        standing=True,
    )
    session = open_session(asked)
    try:
        with suppress(OSError, LogsqlError):  # safe mode, a folder that is none
            session.results.clear_old()
        source = PlainLines(sys.stdin)
        shell = Shell(session, settings, sys.stdout.buffer, voice, lambda _: source.read().strip())
        if terminal:
            from logsql.shell.terminal import converse  # for cost: prompt_toolkit

            return converse(shell)
        return plain(shell, source)
    finally:
        session.close()
