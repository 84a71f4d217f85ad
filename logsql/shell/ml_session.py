"""The ``ml.*`` commands of one session: its models, its inputs, its trainings.

Models and inputs live in the session's state folder: beside the database, else in the user's data folder. What may be
read and written is asked by the door they go through (:class:`logsql.store.files.Files`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.models import FIELDS_NOT_GIVEN, MlError
from logsql.engine.inputs import read_input
from logsql.engine.session import Session
from logsql.language.spans import render
from logsql.ml.inputs import InputStore
from logsql.ml.service import MODELS
from logsql.ml.tasks import TaskManager
from logsql.shell.ml_commands import MlShell


class SessionShell(MlShell):
    """The ``ml.*`` commands of a session. The shell that owns the terminal sets ``ask``, ``out`` and ``err``."""

    def run(self, line: str) -> int:
        return self._reported(lambda: super(SessionShell, self).run(line))

    def run_words(self, words: Sequence[str]) -> int:
        return self._reported(lambda: super(SessionShell, self).run_words(words))

    def _reported(self, work: Callable[[], int]) -> int:
        """An input's query may be wrong, and the policy may say no: that is said like every error of a query."""
        try:
            return work()
        except LogsqlError as error:
            self.err(render(error.diagnostic))
            return error.exit_code

    def close(self) -> None:
        """Stop the trainings of this session."""
        self.tasks.cancel_all()


def ml_shell(session: Session) -> SessionShell:
    """The session's ``ml.*`` commands (service "ml"), sharing the models with ``rforest`` and ``anomalies``."""
    store = session.service(MODELS)
    assert store is not None
    told: set[str] = set()

    def read(kind: str, target: str) -> pa.RecordBatchReader:
        rows, loss = read_input(session, kind, target)
        if loss and loss not in told:  # said when the input is added, not again by every training
            told.add(loss)
            shell.err(f"note: {loss}")
        return rows.to_reader()

    inputs = InputStore(store.folder, read, session.database.files)
    shell = SessionShell(store, inputs, TaskManager(store, inputs), ask=_nobody)
    return shell


def _nobody(prompt: str) -> str:
    raise MlError(FIELDS_NOT_GIVEN)
