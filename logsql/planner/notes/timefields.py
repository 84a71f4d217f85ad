"""The fields that may stand for ``_time`` where the rows have none."""

from __future__ import annotations

import re

from logsql.diagnostics.messages import listed, text
from logsql.planner.calls import Lowering
from logsql.planner.notes.datetexts import counted_date, guess_pattern, seconds
from logsql.planner.notes.words import WRITE
from logsql.planner.relation import Rel
from logsql.values.types import Kind

#: Names that fields of times have.
_TIME_NAME = re.compile(r"time|date|epoch|stamp|\bts\b|_at$|시각|일시|날짜", re.IGNORECASE)


def other_times(cx: Lowering, rel: Rel, command: str) -> str | None:
    """The fields that are dates, or are called like one, as ``_time``."""
    dates = [c.name for c in rel.columns if c.type.kind is Kind.DATE]
    if dates:
        return DATES_ARE.fill(fields=listed(dates), first=dates[0], command=command)
    for column in rel.columns:
        name = column.name if re.fullmatch(r"[\w@.]+", column.name) else f'field("{column.name}")'
        if column.type.kind is Kind.STRING and (pattern := guess_pattern(cx.sample(column.name), "")):
            # csvfile types=t makes a date of it once a query reads it.
            typed = rel.blank_cells and not rel.typed_by and pattern.startswith("yyyy-MM-dd") and cx.own(column.name)
            made = name if typed else f'date({name}, "{pattern}")'
            return WRITE.fill(better=f"eval _time = {made} | {command} ...")
        named = _TIME_NAME.search(column.name) is not None
        if column.type.kind is Kind.STRING and named and (counted := counted_date(name, cx.sample(column.name))):
            return WRITE.fill(better=f"eval _time = {counted} | {command} ...")
        if column.type.integer and named and seconds(cx.sample(column.name)):
            return WRITE.fill(better=f"eval _time = epoch({name}) | {command} ...")
    return None


DATES_ARE = text(
    "dates here are {fields}: write eval _time = {first} | {command} ...",
    "여기서 날짜는 {fields}입니다: eval _time = {first} | {command} ...",
)
