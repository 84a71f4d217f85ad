"""The value of an option, checked against its declaration (language.md 1.5)."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.options import BELOW_MINIMUM, BEYOND_64_BITS, NOT_A_CHOICE, NOT_AN_INTEGER
from logsql.language.tree import Option
from logsql.planner.calls import fail
from logsql.planner.options import OptionKind, OptionSpec
from logsql.values.timespans import Fail, parse_span

#: Whole numbers as options have them; int() also takes ``1_000`` and the digits of other scripts.
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
#: No number of rows, bytes or places is larger.
MOST = 2**63 - 1


def checked(spec: OptionSpec, option: Option, text: str) -> Any:
    """The value that ``text`` is for this option; refuses the query at the value where it is none."""
    where, error = option.value_span, spec.error
    if spec.kind is OptionKind.BOOL:
        return text.lower() in ("t", "true")
    if spec.kind is OptionKind.INT:
        if _WHOLE.fullmatch(text) is None:
            fail(error.with_text(NOT_AN_INTEGER), where, option=spec.name, value=text)
        number = int(text) if len(text) < 40 else MOST + 1
        if abs(number) > MOST:
            fail(error.with_text(BEYOND_64_BITS), where, option=spec.name, maximum=MOST, value=text[:40])
        if spec.minimum is not None and number < spec.minimum:
            fail(error.with_text(BELOW_MINIMUM), where, option=spec.name, minimum=spec.minimum, value=number)
        return number
    if spec.kind is OptionKind.CHOICE and text not in spec.choices:
        choices, near = ", ".join(spec.choices), did_you_mean(text, spec.choices)
        fail(error.with_text(NOT_A_CHOICE), where, option=spec.name, choices=choices, value=text, help=near)
    return parse_span(text, refusing(option)) if spec.kind is OptionKind.SPAN else text


def refusing(option: Option) -> Fail:
    """What refuses the query at an option's value, for readers of values that do not know where they stand."""

    def refuse(said: Sentence, /, *, text: object, units: str = "", help: str | None = None) -> NoReturn:
        fail(said, option.value_span, text=text, units=units, help=help)

    return refuse
