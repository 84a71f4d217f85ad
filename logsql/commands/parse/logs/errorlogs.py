"""``apache-error`` and ``nginx-error``: error logs of the two web servers.

Apache 2.4: ``[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 35708:tid 4328] [client 72.15.99.187] AH..: text``;
2.2 without microseconds, module and process. nginx: ``2023/10/11 14:32:52 [error] 12#56: *90 text, client: ..., ...``
Both write local time without a zone: it is read in the session zone.
"""

from __future__ import annotations

from logsql.commands.parse.logs.base import (
    Builder,
    Parsed,
    ParserField,
    ParserSpec,
    Sample,
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

_APACHE = (
    r"^\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4})\] \[(?:([^\]:]*):)?([^\]:]+)\]"
    r"(?: \[pid (\d+)(?::tid (\d+))?\])?(?: \[client ([^\]]+?)(?::(\d+))?\])? (?:(AH\d+): )?(.*)$"
)
_APACHE_GROUPS = ("time", "module", "level", "pid", "tid", "src_ip", "src_port", "code", "message")
_NGINX = r"^(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(\w+)\] (\d+)#(\d+): (?:\*(\d+) )?(.*)$"
_NGINX_GROUPS = ("time", "level", "pid", "tid", "connection", "message")
#: Facts that nginx appends to a message, and the fields they become.
_NGINX_FACTS = {
    "src_ip": r", client: ([^,]+)",
    "server": r", server: ([^,]*)",
    "request": r', request: "((?:[^"\\]|\\.)*)"',
    "upstream": r', upstream: "((?:[^"\\]|\\.)*)"',
    "host": r', host: "((?:[^"\\]|\\.)*)"',
    "referer": r', referrer: "((?:[^"\\]|\\.)*)"',
}


def parse_apache(builder: Builder) -> Parsed:
    group = builder.regex(_APACHE, _APACHE_GROUPS, behind_head(builder.text))
    return Parsed(
        sql.not_null(group("time")),
        (
            ("_time", Typed(moment(group("time"), "%a %b %d %H:%M:%S.%f %Y", "%a %b %d %H:%M:%S %Y"), DATE)),
            ("module", text(group("module"))),
            ("level", text(group("level"))),
            ("pid", integer(group("pid"), INT)),
            ("tid", integer(group("tid"), LONG)),
            ("src_ip", text(group("src_ip"))),
            ("src_port", integer(group("src_port"), INT)),
            ("code", text(group("code"))),
            ("message", text(group("message"))),
        ),
    )


def parse_nginx(builder: Builder) -> Parsed:
    group = builder.regex(_NGINX, _NGINX_GROUPS, behind_head(builder.text))
    message = group("message")

    def fact(pattern: str) -> Sql:
        found = sql.func("regexp_extract", message, sql.string(pattern), sql.integer(1))
        return sql.func("nullif", found, sql.string(""))

    body = sql.func("regexp_replace", message, sql.string(r", client: .*$"), sql.string(""))
    return Parsed(
        sql.not_null(group("time")),
        (
            ("_time", Typed(moment(group("time"), "%Y/%m/%d %H:%M:%S"), DATE)),
            ("level", text(group("level"))),
            ("pid", integer(group("pid"), INT)),
            ("tid", integer(group("tid"), LONG)),
            ("connection", integer(group("connection"), LONG)),
            ("message", text(body)),
            *((name, text(fact(pattern))) for name, pattern in _NGINX_FACTS.items()),
        ),
    )


register(
    ParserSpec(
        name="apache-error",
        aliases=("httpd-error",),
        summary=("Error logs of Apache httpd.", "Apache httpd의 오류 로그."),
        parse=parse_apache,
        row_wise=True,
        fields=(
            ParserField("_time", DATE, "time of the message"),
            ParserField("module", STRING, "module that wrote it"),
            ParserField("level", STRING, "error, warn, notice ..."),
            ParserField("pid", INT, "process"),
            ParserField("tid", LONG, "thread"),
            ParserField("src_ip", STRING, "client address"),
            ParserField("src_port", INT, "client port"),
            ParserField("code", STRING, "message number AHnnnnn"),
            ParserField("message", STRING, "the rest"),
        ),
        samples=(
            # The example lines of the Apache httpd manual (Log Files, 2.4 and 2.2).
            Sample(
                "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187] "
                "File does not exist: /usr/local/apache2/htdocs/favicon.ico",
                {
                    "_time": "2011-09-09T10:42:29.902022", "module": "core", "level": "error", "pid": 35708,
                    "tid": 4328636416, "src_ip": "72.15.99.187",
                    "message": "File does not exist: /usr/local/apache2/htdocs/favicon.ico",
                },
            ),
            Sample(
                "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied by server configuration: /ex",
                {
                    "_time": "2000-10-11T14:32:52", "level": "error", "src_ip": "127.0.0.1",
                    "message": "client denied by server configuration: /ex",
                },
            ),
        ),
        extension=True,
    ),
    ParserSpec(
        name="nginx-error",
        summary=("Error logs of nginx.", "nginx의 오류 로그."),
        parse=parse_nginx,
        row_wise=True,
        fields=(
            ParserField("_time", DATE, "time of the message"),
            ParserField("level", STRING, "error, warn, crit ..."),
            ParserField("pid", INT, "process"),
            ParserField("tid", LONG, "thread"),
            ParserField("connection", LONG, "number of the connection"),
            ParserField("message", STRING, "what happened"),
            ParserField("src_ip", STRING, "client address"),
            ParserField("server", STRING, "server name"),
            ParserField("request", STRING, "the request line"),
            ParserField("upstream", STRING, "upstream address"),
            ParserField("host", STRING, "Host header"),
            ParserField("referer", STRING, "Referer header"),
        ),
        samples=(
            Sample(
                '2023/10/11 14:32:52 [error] 1234#5678: *90 open() "/var/www/x" failed (2: No such file or directory), '
                'client: 192.0.2.1, server: example.com, request: "GET /x HTTP/1.1", host: "example.com"',
                {
                    "_time": "2023-10-11T14:32:52", "level": "error", "pid": 1234, "tid": 5678, "connection": 90,
                    "message": 'open() "/var/www/x" failed (2: No such file or directory)', "src_ip": "192.0.2.1",
                    "server": "example.com", "request": "GET /x HTTP/1.1", "host": "example.com",
                },
            ),
        ),
        extension=True,
    ),
)  # fmt: skip
