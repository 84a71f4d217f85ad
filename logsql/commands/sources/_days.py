"""Tables and days: what ``purge``, ``copytable``, ``checktable`` and ``system count`` share.

``from=`` and ``to=`` are days ``yyyyMMdd`` in the session zone, both included (commands.md, purge).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from logsql.commands.sources.table import tables_of
from logsql.diagnostics.codes import Code
from logsql.diagnostics.options import INVALID_OPTION
from logsql.diagnostics.tables import NO_DAY, TABLE_NOT_FOUND, WRITE_DAY
from logsql.language.tree import Name
from logsql.planner.catalog import TableInfo
from logsql.planner.spec import OptionKind, OptionSpec
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.imports import import_column
from logsql.values.sql import Sql
from logsql.values.types import DATE, Kind

OPTIONS = (
    OptionSpec("from", OptionKind.TEXT, ("first day, yyyyMMdd", "첫날 (yyyyMMdd)")),
    OptionSpec("to", OptionKind.TEXT, ("last day, yyyyMMdd", "마지막 날 (yyyyMMdd)")),
)


@dataclass(frozen=True)
class Days:
    """A range of days, either end open."""

    first: dt.date | None
    last: dt.date | None

    @property
    def bounded(self) -> bool:
        return self.first is not None or self.last is not None

    def test(self, time: Sql) -> Sql:
        """Whether an instant lies in the range."""
        tests: list[Sql] = []
        if self.first is not None:
            tests.append(sql.binary(">=", time, _midnight(self.first)))
        if self.last is not None:
            tests.append(sql.binary("<", time, _midnight(self.last + dt.timedelta(days=1))))
        return sql.and_(*tests)


def _midnight(day: dt.date) -> Sql:
    return sql.cast(sql.string(day.isoformat()), DATE.physical)


def days(stage: Stage, rows: tuple[Code, Code] = (INVALID_OPTION, INVALID_OPTION)) -> Days:
    """The range that the options ask for; ``rows`` are the errors for a bad ``from`` and a bad ``to``."""
    found: list[dt.date | None] = []
    for position, name in enumerate(("from", "to")):
        text: str | None = stage.option(name)
        option = stage.command.option(name)
        if text is None or option is None:
            found.append(None)
            continue
        try:
            found.append(dt.datetime.strptime(text, "%Y%m%d").date())
        except ValueError:
            stage.fail(rows[position].with_text(NO_DAY, WRITE_DAY), option.value_span, option=name, value=text)
    return Days(found[0], found[1])


def tables(stage: Stage, names: Sequence[Name], missing: Code = TABLE_NOT_FOUND) -> list[TableInfo]:
    """The tables the names mean, each once; all tables without names."""

    found: dict[str, TableInfo] = {}
    for name in names or (Name("*"),):
        found.update({info.name: info for _, info, _ in tables_of(stage, name, missing)})
    return list(found.values())


def time_of(info: TableInfo) -> Sql | None:
    """The ``_time`` of a table as an instant, None when it has none."""
    for source in info.columns:
        if source.name == "_time":
            type_, node = import_column(source)
            return node if type_.kind is Kind.DATE else None
    return None
