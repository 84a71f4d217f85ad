"""Errors of the machine-learning room: one class, stable codes.

41100 to 41102 are the language manual's numbers; the rest continue them. Every error says what was wrong and, where
there
is one, the concrete fix in ``help``; errors about fields list the model's own fields in ``notes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from logsql.diagnostics.errors import Diagnostic, RunError, nearest

MODEL_EMPTY = 41100
MODEL_NOT_FOUND = 41101
NO_HANDLER = 41102
UNKNOWN_FIELD = 41110
TARGET_MISSING = 41111
ONE_CLASS = 41112
NO_ROWS = 41113
NULL_FIELD = 41114
WRONG_TYPE = 41115
NOT_FITTED = 41116
MODEL_EXISTS = 41117
NO_FIELDS = 41118
TOO_MANY_VALUES = 41119
UNSAFE_FILE = 41120
WRONG_HASH = 41121
WRONG_VERSION = 41122
DAMAGED_FILE = 41123
NOT_IMPORTED = 41124
FILE_PROBLEM = 41125
INPUT_NOT_FOUND = 41130
INPUT_EXISTS = 41131
INPUT_UNREADABLE = 41132
TASK_NOT_FOUND = 41140
TASK_RUNNING = 41141
CANCELED = 41142
TIMED_OUT = 41143
USAGE = 41150
BAD_OPTION = 41151
UNKNOWN_COMMAND = 41152

NAMES = {
    MODEL_EMPTY: "ml-model-empty",
    MODEL_NOT_FOUND: "ml-model-not-found",
    NO_HANDLER: "ml-model-handler-not-found",
    UNKNOWN_FIELD: "ml-unknown-field",
    TARGET_MISSING: "ml-target-missing",
    ONE_CLASS: "ml-one-class",
    NO_ROWS: "ml-no-rows",
    NULL_FIELD: "ml-null-field",
    WRONG_TYPE: "ml-wrong-type",
    NOT_FITTED: "ml-not-fitted",
    MODEL_EXISTS: "ml-model-exists",
    NO_FIELDS: "ml-no-fields",
    TOO_MANY_VALUES: "ml-too-many-values",
    UNSAFE_FILE: "ml-unsafe-file",
    WRONG_HASH: "ml-wrong-hash",
    WRONG_VERSION: "ml-wrong-version",
    DAMAGED_FILE: "ml-damaged-file",
    NOT_IMPORTED: "ml-not-imported",
    FILE_PROBLEM: "ml-file-problem",
    INPUT_NOT_FOUND: "ml-input-not-found",
    INPUT_EXISTS: "ml-input-exists",
    INPUT_UNREADABLE: "ml-input-unreadable",
    TASK_NOT_FOUND: "ml-task-not-found",
    TASK_RUNNING: "ml-task-running",
    CANCELED: "ml-canceled",
    TIMED_OUT: "ml-timed-out",
    USAGE: "ml-usage",
    BAD_OPTION: "ml-bad-option",
    UNKNOWN_COMMAND: "ml-unknown-command",
}


class MlError(RunError):
    """A machine-learning command that cannot be carried out.

    code: one of this module's numbers; message: one sentence of facts; help: one concrete fix; notes: what was
    available.
    """

    def __init__(self, code: int, message: str, help: str | None = None, notes: Iterable[str] = ()) -> None:
        super().__init__(Diagnostic(str(code), NAMES[code], message, notes=tuple(notes), help=help))
        self.number = code
        self.message = message


def unknown_field(name: str, known: Sequence[str], owner: str) -> MlError:
    """``name`` is none of ``known``, the fields of ``owner`` ("model bot", "input bot")."""
    near = nearest(name, known)
    help = f"did you mean {near[0]}?" if near else None
    return MlError(UNKNOWN_FIELD, f"unknown field '{name}' of {owner}", help, [fields_note(owner, known)])


def fields_note(owner: str, known: Sequence[str]) -> str:
    return f"fields of {owner}: {', '.join(known)}"
