"""``limit``: the first rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.messages import message
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

LIMIT_FORM = syntax("limit [OFFSET] COUNT")
LIMIT_ARGS = define(
    "20600",
    "invalid-limit-args",
    ("no number, or more than two", "숫자가 없거나 셋 이상입니다"),
    ("limit takes one or two numbers, got {count}", "limit에는 숫자를 하나나 둘 씁니다: {count}개"),
    help=LIMIT_FORM,
)
LIMIT_TYPE = define(
    "20601",
    "invalid-limit-arg-type",
    ("something that is no whole number", "정수가 아닌 값입니다"),
    ('limit takes whole numbers from 0 on, not "{word}"', 'limit에는 0 이상의 정수를 씁니다: "{word}"'),
)


@dataclass(frozen=True)
class LimitArgs:
    """Rows to take after ``offset`` rows."""

    count: int
    offset: int = 0


def parse(reader: ArgReader) -> LimitArgs:
    words = reader.words()
    if not 1 <= len(words) <= 2:
        texts = [word.text.lower() for word in words]
        clause = len(words) == 3 and texts[1] == "offset" and texts[0].isdigit() and texts[2].isdigit()
        help = message("help-use", form=f"limit {texts[2]} {texts[0]}") if clause else None  # limit 10 offset 5 of SQL
        reader.fail(LIMIT_ARGS, help=help, count=len(words))
    for word in words:
        if re.fullmatch("[0-9]{1,18}", word.text) is None:
            counts = re.findall("[0-9]+", " ".join(given.text for given in words)) if "," in word.text else []
            help = message("help-use", form=" ".join(["limit", *counts])) if 1 <= len(counts) <= 2 else None
            reader.fail(LIMIT_TYPE, word.span, word=word.text, help=help or LIMIT_FORM.fill())
    numbers = [int(w.text) for w in words]
    return LimitArgs(numbers[-1], numbers[0] if len(numbers) == 2 else 0)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(LimitArgs)
    return stage.limit(stage.rel, args.count, args.offset)


_ROWS = [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]

register(
    CommandSpec(
        name="limit",
        group=Group.FILTER,
        summary=(
            "Take the first rows, optionally after skipping some.",
            "처음 몇 행만 가져옵니다. 앞부분을 건너뛸 수 있습니다.",
        ),
        usage=("limit COUNT", "limit OFFSET COUNT"),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.NUMBER),),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
Passes COUNT rows and ends the query there; with two numbers the first OFFSET rows are skipped. The order is that of the
rows before it, so `sort -bytes | limit 10` gives the ten largest.
""",
        examples=(
            Example("The first two rows", "table t | limit 2", ({"n": 1}, {"n": 2}), {"t": _ROWS}),
            Example("Skip one row, take two", "table t | limit 1 2", ({"n": 2}, {"n": 3}), {"t": _ROWS}),
        ),
        errors=(LIMIT_ARGS, LIMIT_TYPE),
    )
)
