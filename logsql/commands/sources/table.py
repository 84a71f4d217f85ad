"""``table``: the rows of stored tables, newest first where rows have a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from logsql.commands.sources._tables import scan_table
from logsql.diagnostics.codes import Code, Sentence, define, syntax
from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.messages import text
from logsql.diagnostics.tables import AND, NO_DAY, NO_TABLE, TABLE_NOT_FOUND, TABLE_SPEC, WRITE_DAY
from logsql.language.tree import NOWHERE, Name
from logsql.operators.uniting import union
from logsql.planner import duties
from logsql.planner.catalog import TableInfo
from logsql.planner.relation import OrderKey, Rel
from logsql.planner.spec import GRAMMAR, CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, STRING, Kind
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.values.timespans import Span

NONE_IN_RANGE = text(
    "{table} has no _time: none of its rows is in the time range",
    "{table} 테이블에 _time이 없어 시간 범위에 드는 행이 없습니다",
)
NONE_MATCHES = text("no table matches {table}", "맞는 테이블이 없습니다: {table}")
NODE_IGNORED = text("node prefix {node}: is ignored on one machine", "한 대에서는 노드 접두사를 무시합니다: {node}:")
NEGATIVE_LIMIT = define(
    "10602", "negative-limit", ("limit= is no integer from 0 on", "limit=이 0 이상의 정수가 아닙니다")
)
NEGATIVE_OFFSET = define(
    "10601", "negative-offset", ("offset= is no integer from 0 on", "offset=이 0 이상의 정수가 아닙니다")
)
NO_NAME = TABLE_SPEC.says(
    ("table needs the name of a table", "table에는 테이블 이름이 필요합니다"), help=syntax("table NAME")
)
META = TABLE_SPEC.says(
    (
        "meta(...) selects tables by metadata, which tables here do not have",
        "meta(...)는 메타데이터로 테이블을 고르는데, 여기의 테이블에는 메타데이터가 없습니다",
    )
)
NO_TIME = TABLE_SPEC.says(
    (
        "table {table} has no _time that is a date, so a time range selects nothing",
        "{table} 테이블에는 날짜 타입의 _time이 없어 시간 범위로 고를 수 없습니다",
    )
)
EXCLUSIVE = TABLE_SPEC.says(("the options {options} exclude each other", "함께 쓸 수 없는 옵션입니다: {options}"))
NO_DATE = TABLE_SPEC.says(
    ("{option}={value} is no date", "{option}={value}은(는) 날짜가 아닙니다"),
    help=(
        "write {option}=yyyyMMdd or {option}=yyyyMMddHHmmss",
        "{option}=yyyyMMdd나 {option}=yyyyMMddHHmmss 형식으로 쓰세요",
    ),
)
READ_FILE = text("{path} is a file: {command} {path}", "{path}은(는) 파일입니다: {command} {path}")
PARQUET_FILE = text(
    "{path} is a file, which SQL reads: SELECT * FROM '{path}'",
    "{path}은(는) 파일이며 SQL로 읽습니다: SELECT * FROM '{path}'",
)
TABLES = text("tables: {tables}", "테이블: {tables}")
NO_TABLES = text("there are no tables yet", "아직 테이블이 없습니다")

_DIGITS = re.compile(r"[0-9]{4}(?:[0-9]{2}){0,5}")
_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})([+-][0-9]{4})?")


@dataclass(frozen=True)
class TableArgs:
    """Table names as written: ``[NODE:]NAME[?]``, ``*`` at an end."""

    names: tuple[Name, ...]


def parse(reader: ArgReader) -> TableArgs:
    names = reader.name_list(trailing_comma=TABLE_SPEC)
    if not names:
        reader.fail(NO_NAME)
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
        found += tables_of(stage, name, read=True)
    return found


def tables_of(
    stage: Stage, name: Name, missing: Code = TABLE_NOT_FOUND, read: bool = False
) -> list[tuple[Name, TableInfo, bool]]:
    """The tables of one name of a table list; ``missing`` is the row for a table that is not there. ``read``: they are
    only read, and may be those of the live server."""
    written = name.text
    if re.match(r"meta\s*\(", written):
        stage.fail(META, name.span)
    node, colon, rest = written.partition(":")
    if colon and not rest.startswith(" ") and not node.endswith(" "):
        stage.remark(NODE_IGNORED, node=node)
        written = rest
    optional, wanted = written.endswith("?"), written.removesuffix("?")
    if "*" in wanted:
        found = _matching(stage, wanted, read)
        if not found and (unread := stage.catalog.table(wanted)) is not None:  # nothing is looked at: any may be there
            return [(name, unread, True)]
        if not found and not optional and name.span != NOWHERE:
            _missing(stage, name, missing.with_text(NONE_MATCHES), wanted, read)
        return [(name, info, True) for info in found]
    known = stage.catalog.table(wanted)
    if known is None and read:
        known = stage.catalog.server_table(wanted)
    if known is None and not optional:
        _missing(stage, name, missing.with_text(NO_TABLE), wanted, read)
    return [(name, known, False)] if known is not None else []


def _missing(stage: Stage, name: Name, said: Sentence, wanted: str, read: bool) -> NoReturn:
    """Refuse a name or pattern that no table has, with those there are; a file of that name is read by another."""
    tables = [*stage.catalog.tables(), *(stage.catalog.server_tables() if read else ())]
    notes = [TABLES.fill(tables=", ".join(tables[:10])) if tables else NO_TABLES.fill()]
    near = _file_help(stage, wanted) or did_you_mean(wanted, tables)
    stage.fail(said, name.span, table=wanted, help=near, notes=notes)


def _file_help(stage: Stage, name: str) -> str | None:
    """How the file of this name is read, if there is one."""
    if "*" not in name and not stage.catalog.has_file(name):
        return None
    lower = name.lower()
    if lower.endswith(".parquet"):
        return PARQUET_FILE.fill(path=name)
    command = GRAMMAR.reader_of(name)
    return READ_FILE.fill(command=command, path=name) if command is not None else None


def _matching(stage: Stage, pattern: str, read: bool) -> list[TableInfo]:
    test = re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
    own = dict.fromkeys(stage.catalog.tables(), stage.catalog.table)
    others = dict.fromkeys(stage.catalog.server_tables(), stage.catalog.server_table) if read else {}
    hits = sorted((name, ask) for name, ask in {**others, **own}.items() if test.fullmatch(name))
    return [info for name, ask in hits if (info := ask(name)) is not None]


def _read(stage: Stage, name: Name, info: TableInfo, several: bool, test: _TimeTest | None) -> Rel:
    rel = scan_table(stage, info)
    if several:
        rel = stage.assign(rel, "_table", Typed(sql.string(info.name), STRING))
    if test is not None:
        time = rel.column("_time")
        if time is None or time.type.kind is not Kind.DATE:
            if not several:
                stage.fail(NO_TIME, name.span, table=info.name)
            stage.remark(NONE_IN_RANGE, table=info.name)
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
        stage.fail(EXCLUSIVE, options=AND.fill().join(sorted(set(written))))
    duration: Span | None = stage.option("window" if "window" in groups else "duration")
    if duration is not None:
        return _TimeTest(sql.binary("-", sql.func("now"), duration.interval), None)
    low, high = (_moment(stage, key) if key in written else None for key in ("from", "to"))
    return _TimeTest(low, high) if low is not None or high is not None else None


def _moment(stage: Stage, key: str) -> Sql:
    """A date prefix (``2013``, ``201306``, ... ``yyyyMMddHHmmss``) or a printed date as an instant."""
    option = stage.command.option(key)
    assert option is not None
    written = stage.option_text(option).strip()
    if stamp := _STAMP.fullmatch(written):
        offset = f"{stamp[3][:3]}:{stamp[3][3:]}" if stamp[3] else ""
        return sql.cast(sql.string(f"{stamp[1]} {stamp[2]}{offset}"), DATE.physical)
    if _DIGITS.fullmatch(written):
        padded = written + "00000101000000"[len(written) :] if len(written) < 8 else written.ljust(14, "0")
        try:
            moment = datetime.strptime(padded, "%Y%m%d%H%M%S")
            return sql.cast(sql.string(moment.isoformat(sep=" ")), DATE.physical)
        except ValueError:
            pass
    stage.fail(NO_DATE, option.value_span, option=key, value=written)


def day_range(stage: Stage, first: str | None, last: str | None) -> tuple[Sql | None, Sql | None]:
    """Days from ``first`` to ``last`` (``yyyyMMdd``, both included) as a range of instants that leaves its end out."""
    found: list[Sql | None] = []
    for key, written in (("from", first), ("to", last)):
        if written is None:
            found.append(None)
            continue
        try:
            day = datetime.strptime(written, "%Y%m%d")
        except ValueError:
            option = stage.command.option(key)
            span = option.value_span if option else None
            stage.fail(TABLE_SPEC.with_text(NO_DAY, WRITE_DAY), span, option=key, value=written)
        day += timedelta(days=key == "to")
        found.append(sql.cast(sql.string(day.isoformat(sep=" ")), DATE.physical))
    return found[0], found[1]


OPTIONS: Sequence[OptionSpec] = (
    OptionSpec(
        "duration",
        OptionKind.SPAN,
        ("only rows of this span up to now: 10m, 3d, 1mon", "지금부터 이 기간 안의 행만 읽음: 10m, 3d, 1mon"),
    ),
    OptionSpec(
        "from",
        OptionKind.TEXT,
        (
            "only rows from this time on, yyyyMMddHHmmss or a prefix of it",
            "이 시각부터의 행만 읽음. yyyyMMddHHmmss 또는 그 앞부분",
        ),
    ),
    OptionSpec(
        "to",
        OptionKind.TEXT,
        ("only rows before this time, written as from=", "이 시각 전의 행만 읽음. from=과 같은 형식"),
    ),
    OptionSpec("limit", OptionKind.INT, ("rows to read", "읽을 행 수"), minimum=0, error=NEGATIVE_LIMIT),
    OptionSpec("offset", OptionKind.INT, ("rows to skip", "건너뛸 행 수"), default=0, minimum=0, error=NEGATIVE_OFFSET),
    OptionSpec(
        "order",
        OptionKind.CHOICE,
        ("newest first (desc) or oldest first (asc)", "최신순(desc) 또는 오래된 순(asc)"),
        "desc",
        ("asc", "desc"),
    ),
)

register(
    CommandSpec(
        name="table",
        group=Group.SOURCE,
        summary=("Read tables.", "테이블을 조회합니다."),
        usage=(
            "table [duration=SPAN | window=SPAN | from=TIME to=TIME] [limit=N] [offset=N] [order=asc|desc] "
            + "NAME[?][, ...]",
        ),
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
        options=(
            *OPTIONS,
            OptionSpec(
                "window",
                OptionKind.SPAN,
                ("the same as duration: rows of this span up to now", "duration과 같음: 지금부터 이 기간 안의 행"),
            ),
        ),
        description="""\
Reads every field of the named tables, one table after the other. A table whose rows have a date in `_time` is read
newest first (`order=asc`: oldest first), any other table in stored order. `limit` and `offset` count in that order.

`NAME?` is no error when the table does not exist. `*` at the start or end of a name reads all tables that match and
adds their names as `_table`; a pattern that no table matches is an error as a name is, `fw_*?` gives no rows then.
A node prefix (`*:NAME`) is accepted and ignored. `window=1m` reads the rows of the last minute and ends; rows that come
later are those of `logger` and `stream`.

With `--server CONFIG|STATE_DIR` (or `LOGSQL_SERVER`) the tables of a running server are read too: a name that the own
database does not have is asked there, and only the columns that the query reads are sent. Nothing is written there.
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
            TABLE_NOT_FOUND,
            NEGATIVE_OFFSET,
            NEGATIVE_LIMIT,
            TABLE_SPEC,
        ),
    )
)
