"""``table``: the rows of stored tables, newest first where rows have a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from logsql.commands.sources._tables import scan_table
from logsql.diagnostics.codes import define
from logsql.diagnostics.errors import did_you_mean
from logsql.language.tree import Name
from logsql.operators.uniting import union
from logsql.planner import duties
from logsql.planner.catalog import TableInfo
from logsql.planner.relation import OrderKey, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, STRING, Kind
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.values.timespans import Span

NEGATIVE_LIMIT = define(
    "10602", "negative-limit", ("limit= is no integer from 0 on", "limit=이 0 이상의 정수가 아닙니다")
)
NEGATIVE_OFFSET = define(
    "10601", "negative-offset", ("offset= is no integer from 0 on", "offset=이 0 이상의 정수가 아닙니다")
)


_BAD = ("10603", "invalid-table-spec")
_DIGITS = re.compile(r"[0-9]{4}(?:[0-9]{2}){0,5}")
_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})([+-][0-9]{4})?")


@dataclass(frozen=True)
class TableArgs:
    """Table names as written: ``[NODE:]NAME[?]``, ``*`` at an end."""

    names: tuple[Name, ...]


def parse(reader: ArgReader) -> TableArgs:
    names = reader.name_list(trailing_comma=_BAD)
    if not names:
        reader.fail(*_BAD, "table needs the name of a table", help="table NAME")
    return TableArgs(tuple(names))


def lower(stage: Stage) -> Rel:
    test = time_test(stage)
    rels = [_read(stage, name, info, several, test) for name, info, several in _chosen(stage)]
    if not rels:
        return stage.nothing("nothing")
    rel = rels[0]
    for more in rels[1:]:
        rel = union(stage, rel, more)
    if stage.order_needed or stage.option("limit") is not None or stage.option("offset"):
        rel = newest_first(stage, rel, stage.option("order") == "desc")
    return stage.limit(rel, stage.option("limit"), stage.option("offset"))


def newest_first(stage: Stage, rel: Rel, descending: bool) -> Rel:
    """The relation ordered by ``_time``, equal times in stored order; stored order where there is no time."""
    time = rel.column("_time")
    if time is None or time.type.kind is not Kind.DATE:
        return rel
    rel = stage.with_keys(rel)
    column = rel.column("_time")
    assert column is not None
    key = OrderKey(column.ident, column.type, descending)
    return stage.reordered(rel, (key, *(rel.order.keys or ())))


# --- which tables -----------------------------------------------------------------------------------------------------


def _chosen(stage: Stage) -> list[tuple[Name, TableInfo, bool]]:
    """The tables the names mean, and for each whether it came from a wildcard."""
    found: list[tuple[Name, TableInfo, bool]] = []
    for name in stage.arguments(TableArgs).names:
        found += tables_of(stage, name)
    return found


def tables_of(stage: Stage, name: Name) -> list[tuple[Name, TableInfo, bool]]:
    """The tables of one name of a table list."""
    text = name.text
    if re.match(r"meta\s*\(", text):
        stage.fail(*_BAD, "meta(...) selects tables by metadata, which tables here do not have", name.span)
    node, colon, rest = text.partition(":")
    if colon and not rest.startswith(" ") and not node.endswith(" "):
        stage.note(f"node prefix {node}: is ignored on one machine")
        text = rest
    optional, text = text.endswith("?"), text.removesuffix("?")
    if "*" in text:
        return [(name, info, True) for info in _matching(stage, text)]
    known = stage.catalog.table(text)
    if known is None and not optional:
        tables = stage.catalog.tables()
        listed = f"tables: {', '.join(tables[:10])}" if tables else "there are no tables yet"
        stage.fail(
            "10605", "table-not-found", f"there is no table {text}", name.span, did_you_mean(text, tables), (listed,)
        )
    return [(name, known, False)] if known is not None else []


def _matching(stage: Stage, pattern: str) -> list[TableInfo]:
    test = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
    found = [stage.catalog.table(name) for name in sorted(stage.catalog.tables()) if test.fullmatch(name)]
    if not found:
        stage.note(f"no table matches {pattern}")
    return [info for info in found if info is not None]


def _read(stage: Stage, name: Name, info: TableInfo, several: bool, test: _TimeTest | None) -> Rel:
    rel = scan_table(stage, info)
    if several:
        rel = stage.assign(rel, "_table", Typed(sql.string(info.name), STRING))
    if test is not None:
        time = rel.column("_time")
        if time is None or time.type.kind is not Kind.DATE:
            if not several:
                stage.fail(
                    *_BAD, f"table {info.name} has no _time that is a date, so a time range selects nothing", name.span
                )
            stage.note(f"{info.name} has no _time: none of its rows is in the time range")
            return stage.where(rel, sql.boolean(False))
        rel = stage.where(rel, test.over(rel.expr(time.ident)))
    return rel


# --- when -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _TimeTest:
    """From (inclusive) and to (exclusive)."""

    low: Sql | None
    high: Sql | None

    def over(self, time: Sql) -> Sql:
        tests = [sql.binary(">=", time, self.low.copy())] if self.low is not None else []
        if self.high is not None:
            tests.append(sql.binary("<", time.copy(), self.high.copy()))
        return sql.and_(*tests)


def time_test(stage: Stage) -> _TimeTest | None:
    """The time range that the options ask for; refuses combinations that contradict each other."""
    written = [o.key for o in stage.command.options if o.key in ("from", "to", "duration", "window")]
    groups = {"from" if key in ("from", "to") else key for key in written}
    if len(groups) > 1:
        stage.fail(*_BAD, f"the options {' and '.join(sorted(set(written)))} exclude each other")
    if "window" in groups:
        message = "window= waits for rows that other programs write, which does not happen in a local database"
        stage.fail(*_BAD, message, help="use duration= for rows already stored")
    duration: Span | None = stage.option("duration")
    if duration is not None:
        return _TimeTest(sql.binary("-", sql.func("now"), duration.interval), None)
    low, high = (_moment(stage, key) if key in written else None for key in ("from", "to"))
    return _TimeTest(low, high) if low is not None or high is not None else None


def _moment(stage: Stage, key: str) -> Sql:
    """A date prefix (``2013``, ``201306``, ... ``yyyyMMddHHmmss``) or a printed date as an instant."""
    option = stage.command.option(key)
    assert option is not None
    text = stage.option_text(option).strip()
    if stamp := _STAMP.fullmatch(text):
        offset = f"{stamp[3][:3]}:{stamp[3][3:]}" if stamp[3] else ""
        return sql.cast(sql.string(f"{stamp[1]} {stamp[2]}{offset}"), DATE.physical)
    if _DIGITS.fullmatch(text):
        padded = text + "00000101000000"[len(text) :] if len(text) < 8 else text.ljust(14, "0")
        try:
            moment = datetime.strptime(padded, "%Y%m%d%H%M%S")
            return sql.cast(sql.string(moment.isoformat(sep=" ")), DATE.physical)
        except ValueError:
            pass
    stage.fail(*_BAD, f"{key}={text} is no date", option.value_span, f"write {key}=yyyyMMdd or {key}=yyyyMMddHHmmss")


def day_range(stage: Stage, first: str | None, last: str | None) -> tuple[Sql | None, Sql | None]:
    """Days from ``first`` to ``last`` (``yyyyMMdd``, both included) as a range of instants that leaves its end out."""
    found: list[Sql | None] = []
    for key, text in (("from", first), ("to", last)):
        if text is None:
            found.append(None)
            continue
        try:
            day = datetime.strptime(text, "%Y%m%d")
        except ValueError:
            option = stage.command.option(key)
            message = f"{key}={text} is no day"
            stage.fail(*_BAD, message, option.value_span if option else None, f"write {key}=yyyyMMdd")
        day += timedelta(days=key == "to")
        found.append(sql.cast(sql.string(day.isoformat(sep=" ")), DATE.physical))
    return found[0], found[1]


OPTIONS: Sequence[OptionSpec] = (
    OptionSpec("duration", OptionKind.SPAN, "only rows of this span up to now: 10m, 3d, 1mon"),
    OptionSpec("from", OptionKind.TEXT, "only rows from this time on, yyyyMMddHHmmss or a prefix of it"),
    OptionSpec("to", OptionKind.TEXT, "only rows before this time, written as from="),
    OptionSpec("limit", OptionKind.INT, "rows to read", minimum=0, error=NEGATIVE_LIMIT),
    OptionSpec("offset", OptionKind.INT, "rows to skip", default=0, minimum=0, error=NEGATIVE_OFFSET),
    OptionSpec("order", OptionKind.CHOICE, "newest first (desc) or oldest first (asc)", "desc", ("asc", "desc")),
)

register(
    CommandSpec(
        name="table",
        group=Group.SOURCE,
        summary="Read tables.",
        usage=("table [duration=SPAN | from=TIME to=TIME] [limit=N] [offset=N] [order=asc|desc] NAME[?][, ...]",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TABLE),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.DUCKDB,
        twice=True,
        state=duties.RowState.STOPS,
        options=(*OPTIONS, OptionSpec("window", OptionKind.SPAN, "live rows: not available on one machine")),
        description="""\
Reads every field of the named tables, one table after the other. A table whose rows have a date in `_time` is read
newest first (`order=asc`: oldest first), any other table in stored order. `limit` and `offset` count in that order.

`NAME?` is no error when the table does not exist. `*` at the start or end of a name reads all tables that match and
adds their names as `_table`. A node prefix (`*:NAME`) is accepted and ignored.
""",
        examples=(
            Example(
                "The newest two events",
                "table limit=2 events | fields msg",
                ({"msg": "c"}, {"msg": "b"}),
                {
                    "events": [
                        {"_time": "2024-01-01T10:00:00", "msg": "a"},
                        {"_time": "2024-01-01T11:00:00", "msg": "b"},
                        {"_time": "2024-01-01T12:00:00", "msg": "c"},
                    ]
                },
            ),
            Example(
                "All tables of a family",
                "table fw_* | sort n | fields n, _table",
                ({"n": 1, "_table": "fw_a"}, {"n": 2, "_table": "fw_b"}),
                {"fw_a": [{"n": 1}], "fw_b": [{"n": 2}]},
            ),
        ),
        errors=(
            ("10605", "table-not-found", "there is no such table"),
            NEGATIVE_OFFSET,
            NEGATIVE_LIMIT,
            (*_BAD, "no name, a time that is no date, or options that exclude each other"),
        ),
    )
)
