"""``system``: tables, row counts, queries, lookup tables of the session; the parts of a live server."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from logsql.commands.sources._days import OPTIONS, days, tables, time_of
from logsql.commands.sources._live import listed_cells, server_of
from logsql.commands.sources._tables import table_node
from logsql.commands.stream._lists import Rows, listed
from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.language import UNSUPPORTED_COMMAND
from logsql.diagnostics.live import NO_SERVER, NOT_NAMED
from logsql.diagnostics.messages import text
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.connections.live import LIVE
from logsql.planner.relation import Column, OrderKey, Rel
from logsql.planner.runtime import StageRuntime
from logsql.planner.services import CONTEXTS, LOOKUPS, QUERIES
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.arrow import arrow_type
from logsql.values.sql import Sql
from logsql.values.types import BOOL, DATE, INT, LONG, MAP, STRING

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.values.types import LType

TABLE_WITHOUT_TIME = text(
    "{table} has no _time: none of its rows is in a range of days",
    "{table} 테이블에 _time이 없어 날짜 범위에 드는 행이 없습니다",
)
KNOWN = ("tables", "count", "queries", "lookups", "streams", "loggers", "ceptopics", "cepclocks")
#: The other words of the language's ``system``, and why they are not here.
REFUSED = {
    "pcapdevices": text("packets are not captured here", "여기서는 패킷을 수집하지 않습니다"),
    "logs": text(
        "there is no server log; --debug shows what a run does", "서버 로그가 없습니다. 실행 과정은 --debug로 봅니다"
    ),
    "logdisk": text(
        "tables are stored together in one database file, not in files per day",
        "테이블은 날짜별 파일이 아니라 데이터베이스 파일 하나에 저장됩니다",
    ),
    "indexdisk": text("there are no index files", "인덱스 파일이 없습니다"),
    "threads": text("there is no Java process whose threads could be shown", "스레드를 볼 Java 프로세스가 없습니다"),
    "topthreads": text("there is no Java process whose threads could be shown", "스레드를 볼 Java 프로세스가 없습니다"),
    "nodes": text("there is one machine", "장비가 한 대뿐입니다"),
    "license-usages": text("there is no licence to use up", "사용량을 셀 라이선스가 없습니다"),
    "license": text("there is no licence to use up", "사용량을 셀 라이선스가 없습니다"),
    "sentries": text("agents belong to the vendor's server", "에이전트는 공급사 서버에 속합니다"),
    "memory": text(
        "DuckDB manages memory; --memory-limit bounds it", "메모리는 DuckDB가 관리하며 --memory-limit으로 제한합니다"
    ),
}

#: Options of refused words: known so that `system logs tail=9` names the word that is not here, not its option.
REFUSED_OPTIONS = {"tail": "logs", "prettystack": "threads"}

_WORDS = (f"system {'|'.join(KNOWN)}", f"system {'|'.join(KNOWN)} 중 하나를 쓰세요")
NO_WORD = UNSUPPORTED_COMMAND.says(
    ("system needs a word that says what to show", "system에는 무엇을 볼지 나타내는 단어가 필요합니다"), help=_WORDS
)
REFUSED_WORD = UNSUPPORTED_COMMAND.says(("system {word} is not supported", "system {word}은(는) 지원하지 않습니다"))
UNKNOWN_WORD = UNSUPPORTED_COMMAND.says(("there is no system {word}", "없는 명령입니다: system {word}"), help=_WORDS)
REFUSED_OPTION = INVALID_OPTION.says(
    (
        "{option} is an option of system {word}, which is not supported",
        "{option}은(는) 지원하지 않는 system {word}의 옵션입니다",
    )
)
NO_OPTIONS = INVALID_OPTION.says(("system {word} has no options", "system {word}에는 옵션이 없습니다"))
COMMA_ALONE = INVALID_OPTION.when(("a comma without a table", "쉼표 옆에 테이블이 없습니다"), name="missing-field")


@dataclass(frozen=True)
class SystemArgs:
    """The word and, for ``count``, the tables."""

    word: Name
    tables: tuple[Name, ...] = ()


def parse(reader: ArgReader) -> SystemArgs:
    word = reader.word()
    if word is None:
        reader.fail(NO_WORD)
    if word.text in REFUSED:
        reader.fail(REFUSED_WORD, word.span, word=word.text, notes=[REFUSED[word.text].fill()])
    if word.text not in KNOWN:
        reader.fail(UNKNOWN_WORD, word.span, word=word.text, help=did_you_mean(word.text, KNOWN))
    for key, owner in REFUSED_OPTIONS.items():
        if (option := reader.option(key)) is not None:
            reader.fail(REFUSED_OPTION, option.span, option=key, word=owner)
    if word.text != "count":
        return SystemArgs(word)
    return SystemArgs(word, tuple(reader.name_list(trailing_comma=COMMA_ALONE)))


def lower(stage: Stage) -> Rel:
    word: str = stage.arguments(SystemArgs).word.text
    if word != "count":
        for option in stage.command.options:
            stage.fail(NO_OPTIONS, option.span, word=word)
    if word == "tables":
        return _listed(stage, (("table", STRING), ("metadata", MAP), ("data_path", STRING)), _table_rows)
    if word == "queries":
        return _listed(stage, _QUERY_COLUMNS, _query_rows)
    if word == "lookups":
        return _listed(stage, (("name", STRING),), _lookup_rows)
    if word in ("ceptopics", "cepclocks"):
        own = _topic_rows if word == "ceptopics" else _clock_rows
        return listed(stage, SERVER_COLUMNS[word], own if stage.catalog.service(LIVE) is None else _server_rows(word))
    if word in SERVER_COLUMNS:
        server_of(stage, f"system {word}")
        return listed(stage, SERVER_COLUMNS[word], _server_rows(word))
    return _count(stage)


# --- lists ------------------------------------------------------------------------------------------------------------


def _listed(
    stage: Stage, shape: tuple[tuple[str, LType], ...], rows: Callable[[StageRuntime], list[tuple[object, ...]]]
) -> Rel:
    """A list that is made when the query runs."""
    columns = [Column(name, name, type_) for name, type_ in shape]

    def produce(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        found = rows(runtime)
        cells = list(zip(*found, strict=True)) if found else [()] * len(shape)
        arrays = [pa.array(list(c), arrow_type(t.physical)) for c, (_, t) in zip(cells, shape, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=[name for name, _ in shape])

    return stage.stream(None, columns, produce)


def _lookup_rows(runtime: StageRuntime) -> list[tuple[object, ...]]:
    lookups = runtime.service(LOOKUPS)
    return [(name,) for name in lookups.names()] if lookups is not None else []


def _table_rows(runtime: StageRuntime) -> list[tuple[object, ...]]:
    database = runtime.database
    kinds: dict[str, str] = dict(
        database.ask(
            "SELECT table_name, table_type FROM information_schema.tables "
            "WHERE table_catalog = ? AND table_schema = 'main'",
            [database.name],
        )
    )
    counts: dict[str, int] = dict(
        database.ask("SELECT table_name, estimated_size FROM duckdb_tables() WHERE database_name = ?", [database.name])
    )
    found: list[tuple[object, ...]] = []
    for name in database.tables():
        thing = database.registered.get(name)
        kind = "registered" if thing is not None else "view" if kinds.get(name) == "VIEW" else "table"
        rows = getattr(thing, "num_rows", None) if thing is not None else counts.get(name)
        path = None if thing is not None or database.path == ":memory:" else database.path
        found.append((name, json.dumps({"type": kind, "rows": rows}), path))
    server, own = runtime.service(LIVE), {name for name, *_ in found}
    for name in () if server is None else server.tables():
        if name not in own:
            found.append((name, json.dumps({"type": "server", "rows": None}), None))
    return found


#: What a live server tells of its parts: the vendor's columns (commands.md), behind them those of our own.
SERVER_COLUMNS: dict[str, tuple[tuple[str, LType], ...]] = {
    "streams": (
        ("source_type", STRING),
        ("name", STRING),
        ("running", BOOL),
        ("enabled", BOOL),
        ("async", BOOL),
        ("description", STRING),
        ("interval", LONG),
        ("query_string", STRING),
        ("input_count", LONG),
        ("output_count", LONG),
        ("owner", STRING),
        ("created_at", DATE),
        ("modified_at", DATE),
        ("last_refresh_at", DATE),
        ("input_tables", STRING),
        ("input_loggers", STRING),
        ("input_streams", STRING),
    ),
    "loggers": (
        ("name", STRING),
        ("factory", STRING),
        ("status", STRING),
        ("interval", LONG),
        ("log_count", LONG),
        ("drop_count", LONG),
        ("log_volume", LONG),
        ("last_log_at", DATE),
        ("connections", LONG),
        ("refused", LONG),
        ("bad_frames", LONG),
        ("listen", STRING),
    ),
    "ceptopics": (("topic", STRING), ("count", LONG)),
    "cepclocks": (("host", STRING), ("time", DATE), ("timeout_queue_len", LONG), ("expire_queue_len", LONG)),
}
#: What ``LiveServer.listing`` calls them.
_LISTINGS = {"ceptopics": "topics", "cepclocks": "clocks"}


def _server_rows(word: str) -> Rows:
    def rows(runtime: StageRuntime) -> list[tuple[object, ...]]:
        server = runtime.service(LIVE)
        assert server is not None
        names = [name for name, _ in SERVER_COLUMNS[word]]
        return listed_cells(server, _LISTINGS.get(word, word), names)

    return rows


def _topic_rows(runtime: StageRuntime) -> list[tuple[object, ...]]:
    contexts = runtime.service(CONTEXTS)
    if contexts is None:
        return []
    with contexts:
        contexts.tick()
        return list(contexts.counts().items())


def _clock_rows(runtime: StageRuntime) -> list[tuple[object, ...]]:
    contexts = runtime.service(CONTEXTS)
    return [] if contexts is None else [*contexts.clocks()]


_QUERY_COLUMNS = (
    ("id", INT),
    ("query_string", STRING),
    ("is_end", BOOL),
    ("is_cancelled", BOOL),
    ("last_started", DATE),
    ("start_time", LONG),
    ("finish_time", LONG),
    ("elapsed", LONG),
    ("rows", LONG),
)


def _query_rows(runtime: StageRuntime) -> list[tuple[object, ...]]:
    queries = runtime.service(QUERIES)

    def millis(time: dt.datetime) -> int:
        return int(time.timestamp() * 1000)

    found: list[tuple[object, ...]] = []
    for record in queries.records() if queries is not None else ():
        until = record.finished or dt.datetime.now(dt.UTC)
        found.append(
            (
                record.number,
                record.text,
                record.finished is not None,
                record.cancelled,
                record.started,
                millis(record.started),
                millis(record.finished) if record.finished is not None else 0,
                millis(until) - millis(record.started),
                queries.kept_rows(record.number) if queries is not None else None,
            )
        )
    return found


# --- counts -----------------------------------------------------------------------------------------------------------


def _count(stage: Stage) -> Rel:
    """Rows per table and day; a table without time has one row whose day is null."""
    range_ = days(stage)
    parts: list[exp.Expression] = []
    reads: list[str] = []
    for position, info in enumerate(tables(stage, stage.arguments(SystemArgs).tables)):
        time = time_of(info)
        if time is None and range_.bounded:
            stage.remark(TABLE_WITHOUT_TIME, table=info.name)
            continue
        day: Sql = sql.func("date_trunc", sql.string("day"), time) if time is not None else sql.null(DATE.physical)
        items = [
            sql.alias(sql.cast(day, DATE.physical), "_time"),
            sql.alias(sql.string(info.name), "table"),
            sql.alias(sql.func("count", exp.Star()), "count"),
            sql.alias(sql.integer(position), "__position"),
        ]
        test = range_.test(time.copy()) if time is not None and range_.bounded else None
        group = exp.Group(expressions=[sql.cast(day.copy(), DATE.physical)]) if time is not None else None
        parts.append(sql.select(items, table_node(info), test, group=group))
        reads.append(info.name)
    if not parts:
        empty = [
            sql.alias(sql.null(t), n) for n, t in (("_time", DATE.physical), ("table", "VARCHAR"), ("count", "BIGINT"))
        ]
        select = sql.select([*empty, sql.alias(sql.null("INTEGER"), "__position")], where=sql.boolean(False))
        parts.append(select)
    node = parts[0]
    for part in parts[1:]:
        node = exp.Union(this=node, expression=part, distinct=False)
    columns = (Column("_time", "_time", DATE), Column("table", "table", STRING), Column("count", "count", LONG))
    keys = (OrderKey("__position", LONG), OrderKey("_time", DATE))
    return stage.derived("counts", node, reads, columns, keys=keys)


register(
    CommandSpec(
        name="system",
        group=Group.SOURCE,
        summary=(
            "Show tables, row counts, queries, lookup tables, event contexts; streams and receivers of a live server.",
            "테이블, 행 수, 쿼리, 룩업 테이블, 이벤트 컨텍스트와 실시간 서버의 스트림, 수신기를 조회합니다.",
        ),
        usage=(
            "system tables",
            "system count [from=DAY] [to=DAY] [TABLE, ...]",
            "system queries",
            "system lookups",
            "system streams",
            "system loggers",
            "system ceptopics",
            "system cepclocks",
        ),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options_anywhere=True,
        options=(
            *OPTIONS,
            OptionSpec(
                "diskonly",
                OptionKind.BOOL,
                ("accepted: everything is stored", "받아들이지만 모든 데이터가 디스크에 있음"),
                default=False,
            ),
            *(
                OptionSpec(k, OptionKind.TEXT, (f"refused, as is `system {w}`", f"거부함: `system {w}` 명령과 같음"))
                for k, w in REFUSED_OPTIONS.items()
            ),
        ),
        description="""\
`system tables` lists tables and views: `table`, `metadata` (kind and number of rows), `data_path`.
`system count` counts the rows of each table per day of `_time`: `_time`, `table`, `count`; the days `from=` and `to=`
(yyyyMMdd) are included. `system queries` lists the queries of the session by number, with their times in milliseconds;
`rows` is known for kept results, which `result ID` reads. `system lookups` lists the lookup tables by `name`.
`system ceptopics` counts the event contexts of each topic: `topic`, `count`. `system cepclocks` lists the clocks of
hosts, which `evtctxadd logtick=` moves: `host`, `time`, and how many contexts have a timeout (`timeout_queue_len`) and
how many expire (`expire_queue_len`).

With `--server CONFIG|STATE_DIR` (or `LOGSQL_SERVER`) these are the contexts of a running server, `system streams` and
`system loggers` show its streams and receivers with what they have read and given since it started (`interval` in
milliseconds, `log_volume` in bytes), and `system tables` has its tables behind those of the own database.

Other words of `system` show parts of the vendor's server and are refused.
""",
        examples=(
            Example(
                "Rows per day",
                'system count events | eval day = string(_time, "MM-dd") | fields day, table, count',
                ({"day": "01-01", "table": "events", "count": 2}, {"day": "01-02", "table": "events", "count": 1}),
                {
                    "events": [
                        {"_time": "2024-01-01T10:00:00"},
                        {"_time": "2024-01-01T23:59:59"},
                        {"_time": "2024-01-02T00:00:00"},
                    ]
                },
            ),
            Example("Which lookup tables are there?", "system lookups"),
        ),
        errors=(
            UNSUPPORTED_COMMAND.when(
                (
                    "a word that shows part of the vendor's server",
                    "공급사 서버의 상태를 보는 단어입니다",
                )
            ),
            NOT_NAMED,
            NO_SERVER,
        ),
    )
)
