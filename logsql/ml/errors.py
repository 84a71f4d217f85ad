"""The errors of this room, under one name: rows of the catalogue and the class that carries them."""

from __future__ import annotations

from logsql.diagnostics.modeldata import (
    NO_FIELDS,
    NO_ROWS,
    NULL_FIELD,
    ONE_CLASS,
    TARGET_MISSING,
    TOO_MANY_VALUES,
    UNKNOWN_FIELD,
    WRONG_TYPE,
    unknown_field,
)
from logsql.diagnostics.models import (
    BAD_OPTION,
    CANCELED,
    INPUT_UNREADABLE,
    NO_HANDLER,
    NOT_FITTED,
    TASK_RUNNING,
    UNKNOWN_COMMAND,
    USAGE,
    MlError,
    fields_note,
)

__all__ = [
    "BAD_OPTION",
    "CANCELED",
    "INPUT_UNREADABLE",
    "NOT_FITTED",
    "NO_FIELDS",
    "NO_HANDLER",
    "NO_ROWS",
    "NULL_FIELD",
    "ONE_CLASS",
    "TARGET_MISSING",
    "TASK_RUNNING",
    "TOO_MANY_VALUES",
    "UNKNOWN_COMMAND",
    "UNKNOWN_FIELD",
    "USAGE",
    "WRONG_TYPE",
    "MlError",
    "fields_note",
    "unknown_field",
]
