"""Options as a command declares them: what their values must be (language.md 1.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from logsql.diagnostics.codes import Code, Pair
from logsql.diagnostics.options import INVALID_OPTION


class OptionKind(Enum):
    """What the value of an option must be."""

    INT = "integer"
    BOOL = "t or f"
    TEXT = "text"
    SPAN = "time span"
    REGEX = "regular expression"
    CHOICE = "one of"
    FIELD = "field"
    MODEL = "model"
    PATH = "path"
    TABLE = "table"


@dataclass(frozen=True)
class OptionSpec:
    """One option: kind, what it does in English and Korean, default, bounds. ``error`` is the row for a value out of
    bounds; ``reads`` False: a field that it names is none of the rows that arrive; ``extension``: the vendor's command
    has no such option."""

    name: str
    kind: OptionKind
    help: Pair
    default: object = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    required: bool = False
    error: Code = INVALID_OPTION
    reads: bool = True
    extension: bool = False


def extensions(*options: OptionSpec) -> tuple[OptionSpec, ...]:
    """Options that are the vendor's elsewhere, for a command to which the vendor does not give them."""
    return tuple(replace(option, extension=True) for option in options)
