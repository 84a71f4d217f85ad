"""``w3c`` (IIS and other W3C extended logs) and ``zeek``: formats whose header lines name the fields of later lines.

Every line is read with the nearest header above it, so the rows must come in the order of the file. Headers and other
lines that begin with ``#`` stay as they are. W3C extended log file format: ``#Fields: date time c-ip ...``; names
become field names with ``_`` for other characters (``cs_uri_stem``), ``+`` is a blank, ``-`` no value.
Zeek: ``#fields<TAB>ts<TAB>uid...``, tabs between cells, ``-`` for no value, ``(empty)`` for an empty one.
"""

from __future__ import annotations

from sqlglot import exp

from logsql.commands.parse.logs.base import (
    Builder,
    Parsed,
    ParserField,
    ParserSpec,
    Sample,
    dash_null,
    register,
    text_map,
)
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, STRING
from logsql.values.values import Typed


def _header_above(builder: Builder, found: Sql) -> Sql:
    """The last non-null value of ``found`` in this row or one above."""
    stage = builder.stage
    if not builder.rel.order.physical and builder.rel.order.defined:
        builder.rel = stage.with_keys(builder.rel)
    elif builder.rel.order.physical:
        # A window gives up the order of arrival: number the rows first.
        builder.rel = stage.with_keys(builder.rel)
    column = builder.column("header", found, STRING)
    order = sql.order_by(stage.order_items(builder.rel)) if builder.rel.order.keys else None
    frame = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
    last = exp.Window(this=exp.IgnoreNulls(this=exp.LastValue(this=column)), order=order, spec=frame)
    return builder.column("names", last, STRING)


def _cells(builder: Builder, names: Sql, cells: Sql) -> tuple[Sql, Sql]:
    """The MAP of names to cells that are not null, and whether there is one cell for each name."""
    listed, values = builder.column("fields", names), builder.column("values", cells)
    same = builder.column("same", sql.eq(sql.func("len", listed), sql.func("len", values)))
    positions = sql.func("generate_series", sql.integer(1), sql.func("len", values))
    given = sql.not_null(sql.func("list_extract", values, sql.var("i")))
    present = builder.column("present", sql.func("list_filter", positions, sql.lambda_(["i"], given)))

    def pick(source: Sql) -> Sql:
        body = sql.func("list_extract", source, sql.var("i"))
        return sql.when(same, sql.func("list_transform", present, sql.lambda_(["i"], body)))

    return text_map(builder, pick(listed), pick(values)), same


def _line(builder: Builder) -> Sql:
    return sql.func("rtrim", builder.text, sql.string("\r\n"))


def parse_w3c(builder: Builder) -> Parsed:
    line = builder.column("trimmed", _line(builder), STRING)
    above = _header_above(builder, _tail(line, "#Fields:"))
    lowered = sql.func("lower", sql.func("trim", above))
    clean = sql.func("regexp_replace", lowered, sql.string(r"[^a-z0-9_ ]+"), sql.string("_"), sql.string("g"))
    names = sql.func("string_split_regex", clean, sql.string(" +"))
    tidy = sql.func("rtrim", sql.var("n"), sql.string("_"))
    names = sql.func("list_transform", names, sql.lambda_(["n"], tidy))
    cell = sql.func("replace", dash_null(sql.var("c")), sql.string("+"), sql.string(" "))
    cells = sql.func("list_transform", sql.func("string_split", line, sql.string(" ")), sql.lambda_(["c"], cell))
    found, same = _cells(builder, names, cells)

    def value(name: str) -> Sql:
        return sql.func("map_extract_value", found, sql.string(name))

    # IIS writes UTC (its documentation: "the time, in coordinated universal time").
    stamp = sql.concat(value("date"), sql.string(" "), value("time"), sql.string("+00"))
    ok = sql.and_(same, sql.not_(sql.func("starts_with", line, sql.string("#"))))
    return Parsed(ok, (("_time", Typed(sql.try_cast(stamp, DATE.physical), DATE)),), found)


def _tail(line: Sql, start: str) -> Sql:
    """What stands behind ``start`` in lines that begin with it."""
    body = sql.func("substring", line, sql.integer(len(start) + 1))
    return sql.when(sql.func("starts_with", line, sql.string(start)), body)


def parse_zeek(builder: Builder) -> Parsed:
    line = builder.column("trimmed", _line(builder), STRING)
    above = _header_above(builder, _tail(line, "#fields\t"))
    empty = (sql.eq(sql.var("c"), sql.string("(empty)")), sql.string(""))
    cell = sql.case([empty], dash_null(sql.var("c")))
    cells = sql.func("list_transform", sql.func("string_split", line, sql.string("\t")), sql.lambda_(["c"], cell))
    found, same = _cells(builder, sql.func("string_split", above, sql.string("\t")), cells)
    seconds = sql.try_cast(sql.func("map_extract_value", found, sql.string("ts")), "DOUBLE")
    ok = sql.and_(same, sql.not_(sql.func("starts_with", line, sql.string("#"))))
    return Parsed(ok, (("_time", Typed(sql.func("to_timestamp", seconds), DATE)),), found)


_W3C_HEADER = (
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status"
)

register(
    ParserSpec(
        name="w3c",
        aliases=("iis", "w3c-extended"),
        summary=
        ("IIS and other W3C extended logs; the #Fields line above names the fields.",
         "IIS 등의 W3C 확장 로그. 위에 있는 #Fields 줄이 필드 이름을 정합니다."),
        parse=parse_w3c,
        row_wise=False,
        fields=(ParserField("_time", DATE, "date and time of the line, which are UTC"),),
        open=True,
        samples=(
            Sample(
                "2019-07-23 17:19:03 192.0.2.10 GET /default.aspx q=1 443 - 198.51.100.4 Mozilla/5.0+(X11) 200",
                {
                    "_time": "2019-07-23T17:19:03", "date": "2019-07-23", "time": "17:19:03", "s_ip": "192.0.2.10",
                    "cs_method": "GET", "cs_uri_stem": "/default.aspx", "cs_uri_query": "q=1", "s_port": "443",
                    "c_ip": "198.51.100.4", "cs_user_agent": "Mozilla/5.0 (X11)", "sc_status": "200",
                },
                before=("#Software: Microsoft Internet Information Services 10.0", _W3C_HEADER),
            ),
        ),
        notes=(
            ("lines above the first #Fields line, and lines with another number of cells, pass unchanged",
             "첫 #Fields 줄 앞의 줄과 셀 수가 다른 줄은 그대로 통과합니다"),
            ),
        extension=True,
    ),
    ParserSpec(
        name="zeek",
        aliases=("bro",),
        summary=
        ("Logs of Zeek in its tab-separated format; the #fields line above names the fields.",
         "탭으로 구분된 Zeek 로그. 위에 있는 #fields 줄이 필드 이름을 정합니다."),
        parse=parse_zeek,
        row_wise=False,
        fields=(ParserField("_time", DATE, "the time in ts"),),
        open=True,
        samples=(
            # The conn.log of Zeek's documentation (Quick Start), shortened.
            Sample(
                "1258531221.486539\tCHhAvVGS1DHFjwGM9\t192.168.1.102\t68\t192.168.1.1\t67\tudp\tdhcp\t-\t(empty)",
                {
                    "_time": "2009-11-18T08:00:21.486539", "ts": "1258531221.486539", "uid": "CHhAvVGS1DHFjwGM9",
                    "id.orig_h": "192.168.1.102", "id.orig_p": "68", "id.resp_h": "192.168.1.1", "id.resp_p": "67",
                    "proto": "udp", "service": "dhcp", "tunnel_parents": "",
                },
                before=(
                    "#separator \\x09",
                    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\ttunnel_parents",
                ),
            ),
        ),
        notes=(("Zeek's JSON output is read by the parser json", "Zeek의 JSON 출력은 json 파서로 읽습니다"),),
        extension=True,
    ),
)  # fmt: skip
