"""What is said beside the data: the one writer of stderr.

Everything that is no row passes through a :class:`Voice`: errors, notes, what the result lacks, times, questions and
the progress line. It takes the progress line away before it says anything else, and masks secrets that were read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from logsql.conversation.outcome import Outcome, remarks
from logsql.diagnostics.errors import Diagnostic
from logsql.diagnostics.messages import message
from logsql.diagnostics.notes import Note
from logsql.diagnostics.redaction import Said, masked
from logsql.language.spans import render
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)
from logsql.shell.progress import ProgressLine

if TYPE_CHECKING:
    from logsql.engine.ledger import Ledger


class Voice:
    """Says things on ``stream`` (stderr). ``debug``: a defect of the program shows where it happened."""

    def __init__(self, stream: TextIO | None = None, debug: bool = False) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._debug = debug
        self.progress = ProgressLine(self._stream)

    def say(self, *lines: str) -> None:
        """Whole lines."""
        self.progress.clear()
        self._stream.write("".join(masked(line) + "\n" for line in lines))
        self._stream.flush()

    def ask(self, question: str) -> None:
        """A question; the answer is typed behind it."""
        self.progress.clear()
        self._stream.write(question)
        self._stream.flush()

    def error(self, problem: Diagnostic) -> None:
        """Why there is no answer, with the place in the user's text."""
        self.say(render(problem))

    def outcome(self, outcome: Outcome, loss: bool = False, pointer: str = "", quiet: bool = False) -> None:
        """What a run has to say besides its rows: the error, or notes and losses; ``quiet``: the error only."""
        if outcome.error is not None:
            self.error(outcome.error)
        elif not quiet:
            self.remarks(outcome.notes, outcome.ledger, loss, pointer, outcome.told)

    def remarks(
        self,
        notes: Sequence[str],
        ledger: Ledger | None,
        every: bool = False,
        pointer: str = "",
        told: Sequence[Note] = (),
    ) -> None:
        """Notes and losses, see :func:`~.remarks`."""
        self.say(*remarks(notes, ledger, every, pointer, told))

    def interrupted(self) -> None:
        """The user wanted out. A terminal that went away is no trouble any more."""
        with suppress(OSError):
            self.say("", message("interrupted"))

    def defect(self, error: Exception) -> None:
        """An error that is not about the query but of the program."""
        what = masked(" ".join(f"{type(error).__name__}: {error}".split()))
        self.say(message("internal-error", what=what[:500]))
        if self._debug:
            import traceback  # for cost: only --debug shows one

            self.say("".join(traceback.format_exception(error)).rstrip("\n"))
        else:
            self.say(Said("help: " + message("internal-help")))


def terminal_width(stream: TextIO) -> int | None:
    """Columns of the terminal behind a stream; None when it is no terminal."""
    if not stream.isatty():
        return None
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, 20)
    except OSError:
        return 80
