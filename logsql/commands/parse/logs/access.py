"""``httpd``: access logs of Apache httpd and nginx in the common and combined formats.

Format: Apache's ``%h %l %u %t "%r" %>s %b``, optionally with ``"%{Referer}i" "%{User-agent}i"`` (httpd manual,
mod_log_config); nginx's ``combined`` is the same. ``%O`` in place of ``%b`` reads alike. A request line that is no HTTP
request (a scanner's raw bytes) still parses: ``request`` has it, ``method``, ``path`` and ``protocol`` are null.
"""

from __future__ import annotations

from logsql.commands.parse.logs.base import (
    Builder,
    Parsed,
    ParserField,
    ParserSpec,
    Sample,
    dash_null,
    integer,
    moment,
    register,
    text,
)
from logsql.commands.parse.logs.head import behind_head
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, INT, LONG, STRING
from logsql.values.values import Typed

_QUOTED = r'(?:[^"\\]|\\.)*'
_LINE = (
    r"^(\S+) (\S+) (.+?) \[([^\]]+)\] "
    rf'"({_QUOTED})" ([0-9]{{3}}) ([0-9]+|-)(?: "({_QUOTED})" "({_QUOTED})")?'
)
_GROUPS = ("src_ip", "ident", "user", "time", "request", "status", "bytes", "referer", "agent")
# An expression of its own: a query that reads none of these does not pay for them, a fifth of the whole line's cost.
_REQUEST = rf"^([A-Z][A-Z_-]*) ({_QUOTED}?)(?: (HTTP/[0-9.]+))?$"
_PARTS = ("method", "target", "protocol")

FIELDS = (
    ParserField("_time", DATE, "time of the request"),
    ParserField("src_ip", STRING, "the client: address or host name"),
    ParserField("ident", STRING, "identd answer"),
    ParserField("user", STRING, "authenticated user"),
    ParserField("request", STRING, "the request line"),
    ParserField("method", STRING, "GET, POST ..."),
    ParserField("path", STRING, "the target up to ?"),
    ParserField("query", STRING, "the target behind ?"),
    ParserField("protocol", STRING, "HTTP/1.1 ..."),
    ParserField("status", INT, "status code"),
    ParserField("sent_bytes", LONG, "bytes sent"),
    ParserField("referer", STRING, "Referer header"),
    ParserField("user_agent", STRING, "User-Agent header"),
    ParserField("logtype", STRING, "httpd"),
)


def parse(builder: Builder) -> Parsed:
    group = builder.regex(_LINE, _GROUPS, behind_head(builder.text))
    part = builder.regex(_REQUEST, _PARTS, group("request"))
    target = part("target")
    mark = sql.func("instr", target, sql.string("?"))
    has_query = sql.binary(">", mark, sql.integer(0))
    path = sql.case([(has_query, sql.func("left", target, sql.binary("-", mark, sql.integer(1))))], target)
    query = sql.when(has_query, sql.func("substring", target, sql.binary("+", mark, sql.integer(1))))

    def unquoted(name: str) -> Sql:
        return sql.func("replace", dash_null(group(name)), sql.string('\\"'), sql.string('"'))

    return Parsed(
        sql.not_null(group("src_ip")),
        (
            ("_time", Typed(moment(group("time"), "%d/%b/%Y:%H:%M:%S %z"), DATE)),
            ("src_ip", text(group("src_ip"))),
            ("ident", text(dash_null(group("ident")))),
            ("user", text(dash_null(group("user")))),
            ("request", text(unquoted("request"))),
            ("method", text(part("method"))),
            ("path", text(path)),
            ("query", text(query)),
            ("protocol", text(part("protocol"))),
            ("status", integer(group("status"), INT)),
            ("sent_bytes", integer(group("bytes"), LONG)),
            ("referer", text(unquoted("referer"))),
            ("user_agent", text(unquoted("agent"))),
            ("logtype", text(sql.string("httpd"))),
        ),
    )


register(
    ParserSpec(
        name="httpd",
        aliases=("apache", "apache-access", "nginx", "nginx-access"),
        summary=
        ("Access logs of Apache and nginx, common and combined format.",
         "Apache와 nginx의 접근 로그(common, combined 형식)."),
        parse=parse,
        row_wise=True,
        fields=FIELDS,
        samples=(
            # The example lines of the Apache httpd manual (Log Files).
            Sample(
                '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 '
                '"http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"',
                {
                    "_time": "2000-10-10T20:55:36", "src_ip": "127.0.0.1", "user": "frank", "method": "GET",
                    "request": "GET /apache_pb.gif HTTP/1.0", "path": "/apache_pb.gif", "protocol": "HTTP/1.0",
                    "status": 200, "sent_bytes": 2326, "referer": "http://www.example.com/start.html",
                    "user_agent": "Mozilla/4.08 [en] (Win98; I ;Nav)", "logtype": "httpd",
                },
            ),
            Sample(
                '192.0.2.7 - - [01/Mar/2024:00:00:09 +0900] "GET /search?q=a%20b HTTP/2.0" 304 -',
                {
                    "_time": "2024-02-29T15:00:09", "src_ip": "192.0.2.7", "request": "GET /search?q=a%20b HTTP/2.0",
                    "method": "GET", "path": "/search", "query": "q=a%20b", "protocol": "HTTP/2.0", "status": 304,
                    "logtype": "httpd",
                },
            ),
            Sample(
                r'203.0.113.9 - - [01/Mar/2024:00:00:09 +0000] "\x16\x03\x01\x02" 400 226 "-" "a \"b\""',
                {
                    "_time": "2024-03-01T00:00:09", "src_ip": "203.0.113.9", "request": r"\x16\x03\x01\x02",
                    "status": 400, "sent_bytes": 226, "user_agent": 'a "b"', "logtype": "httpd",
                },
            ),
        ),
    )
)  # fmt: skip
