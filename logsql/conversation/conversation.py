"""One conversation with a session: a text in, its rows to a sink, an :class:`~.Outcome` out.

The command line, the shell and whatever else answers queries are faces of a :class:`Conversation`. A face says where
the text comes from, where rows go and how one waits for them; it reads what happened from the outcome. Nothing here
knows a terminal, a process or its streams, so a server may hold one conversation per visitor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar

from logsql.conversation.outcome import Kind, Outcome
from logsql.diagnostics.errors import Interrupted, LogsqlError, RunError, TimeoutError_
from logsql.diagnostics.messages import LANGUAGE
from logsql.render import Layout, Written, write
from logsql.render.sinks import open_sink

if TYPE_CHECKING:
    from logsql.engine.result import Result
    from logsql.engine.runstate import ProgressReport
    from logsql.engine.session import Session

T = TypeVar("T")


class Language(Enum):
    """What a text is written in."""

    PIPE = "pipe"
    SQL = "sql"


class Abandoned(Interrupted):
    """Interrupted, and the work has not noticed within the grace time: its thread still runs."""


class AbandonedLate(TimeoutError_):
    """The time limit is over, and the work has not noticed: its thread still runs."""


class AbandonedFull(RunError):
    """The memory limit is passed, and the work has not noticed: its thread still runs."""


class Progress(Protocol):
    """Is told how far a run is; ``clear`` takes away what it shows."""

    def __call__(self, report: ProgressReport, /) -> None: ...

    def clear(self) -> None: ...


class Ask(Protocol):
    """Plans a query: :meth:`logsql.engine.session.Session.query`, or what stands in its place."""

    def __call__(
        self, text: str, params: Mapping[str, object] | None, origin: str | None, exact: bool, /
    ) -> Result: ...


class Wait(Protocol):
    """How a face waits for ``work()``: it gives its result, or calls ``stop()`` and raises when the user wants out."""

    def __call__(self, work: Callable[[], T], stop: Callable[[], object], /) -> T: ...


def at_once(work: Callable[[], T], stop: Callable[[], object], /) -> T:
    """Waiting in the caller's own thread."""
    return work()


@dataclass
class Settings:
    """What may change between two texts.

    ``params``: a value, or a node of the tree that reads no field and is computed; ``output`` is the path of a file,
    None the face's own sink; ``rows`` the rows that a table shows (None: all);
    ``width`` asks for the columns of the screen; ``loss`` counts and lists every loss, ``stats`` tells time and memory;
    ``lang`` is the language of sentences (None: the one in force); ``quiet`` leaves out notes and losses; ``standing``
    tells that the parameters are for many texts.
    """

    params: dict[str, object] = field(default_factory=dict)
    format: str = "jsonl"
    output: str | None = None
    rows: int | None = None
    width: Callable[[], int | None] = lambda: None
    loss: bool = False
    stats: bool = False
    lang: str | None = None
    quiet: bool = False
    standing: bool = False

    def given(self, text: str) -> dict[str, object]:
        """The parameters for a text. Those of a shell stand for many: one that the text does not name is not given."""
        return {name: value for name, value in self.params.items() if not self.standing or name in text}


class Conversation:
    """A session, the settings of the moment, and one way to carry out a text.

    ``sink`` opens the place for rows (a path or None in, a binary file out, complete when the context ends without an
    error); ``wait`` is how this face waits; ``progress`` is told how far a run is; ``ask`` plans a query in the place
    of the session.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings | None = None,
        sink: Callable[[str | None], AbstractContextManager[BinaryIO]] | None = None,
        wait: Wait = at_once,
        progress: Progress | None = None,
        ask: Ask | None = None,
    ) -> None:
        self.session = session
        self.settings = Settings() if settings is None else settings
        self._sink = sink if sink is not None else partial(open_sink, policy=session.policy)
        self._wait, self._progress = wait, progress
        self._ask = ask
        if progress is not None:
            session.on_progress = progress

    def run(self, text: str, language: Language = Language.PIPE, origin: str | None = None) -> Outcome:
        """Carry out one text and write its rows. What is wrong with it is in the outcome; a defect of the program and
        a reader that went away (BrokenPipeError) are raised. ``origin`` is the file that the text was read from."""
        started, processor = time.perf_counter(), time.process_time()
        token = LANGUAGE.set(self.settings.lang or LANGUAGE.get())
        try:
            result, written = self._written(text, language, origin)
        except LogsqlError as error:
            return _failed(error, time.perf_counter() - started, time.process_time() - processor)
        finally:
            LANGUAGE.reset(token)
        return Outcome(
            Kind.DONE,
            rows=written.rows,
            shown=written.shown,
            columns=tuple(result.columns),
            notes=written.notices,
            told=result.notes,
            ledger=result.ledger,
            seconds=time.perf_counter() - started,
            processor=time.process_time() - processor,
            result=result,
        )

    def _written(self, text: str, language: Language, origin: str | None) -> tuple[Result, Written]:
        settings = self.settings
        layout = Layout(width=settings.width(), rows=settings.rows, seekable=settings.output is not None)
        with self._sink(settings.output) as sink:

            def work() -> tuple[Result, Written]:
                if language is Language.SQL:
                    result = self.session.sql(text, exact=settings.loss)
                else:
                    asked = self.session.query if self._ask is None else self._ask
                    result = asked(text, settings.given(text), origin, settings.loss)
                return result, write(result, settings.format, sink, replace(layout, endless=result.endless))

            try:
                return self._wait(work, self.stop)
            finally:
                if self._progress is not None:
                    self._progress.clear()

    def stop(self) -> None:
        """End what runs and what is being planned."""
        self.session.interrupt()
        self.session.database.interrupt_planning()


def _failed(error: LogsqlError, seconds: float, processor: float) -> Outcome:
    kind = Kind.FAILED
    if isinstance(error, Interrupted):
        kind = Kind.ABANDONED if isinstance(error, Abandoned) else Kind.INTERRUPTED
    elif isinstance(error, (AbandonedLate, AbandonedFull)):
        kind = Kind.ABANDONED
    return Outcome(kind, error.exit_code, error=error.diagnostic, seconds=seconds, processor=processor)
