"""``syslog3164`` and ``syslog5424``: the two syslog formats.

RFC 3164: ``<34>Oct 11 22:14:15 mymachine su[12]: text``, in the forms that :mod:`.head` reads, and ``<34>text``.
RFC 5424: ``<34>1 2003-10-11T22:14:15.003Z host app procid msgid [data] text``.
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
    register,
    text,
)
from logsql.commands.parse.logs.head import iso_time, time_of
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE, INT, STRING
from logsql.values.values import Typed
from udfs.syslogpatterns import BARE, NEW_GROUPS, NEW_MESSAGE, OLD_GROUPS, OLD_MESSAGE

_OLD_GROUPS = (*OLD_GROUPS, "message")
_NEW_GROUPS = (*NEW_GROUPS, "message")
_BOM = "﻿"


def _priority(group: Sql) -> tuple[tuple[str, Typed], tuple[str, Typed]]:
    number = sql.try_cast(group, "INTEGER")
    facility = sql.binary("//", number, sql.integer(8))
    return ("facility", Typed(facility, INT)), ("severity", Typed(sql.binary("%", number, sql.integer(8)), INT))


def parse_3164(builder: Builder) -> Parsed:
    group = builder.regex(OLD_MESSAGE, _OLD_GROUPS)
    time = time_of(builder, group)
    timed = sql.or_(sql.not_null(group("clock")), sql.not_null(group("iso")))
    bare = sql.func("regexp_matches", builder.text, sql.string(BARE))
    return Parsed(
        sql.case([(timed, sql.boolean(True))], bare),
        (
            ("_time", Typed(time, DATE)),
            *_priority(group("pri")),
            ("host", text(group("host"))),
            ("app", text(group("app"))),
            ("pid", integer(group("procid"), INT)),
            ("message", text(group("message"))),
        ),
    )


def parse_5424(builder: Builder) -> Parsed:
    group = builder.regex(NEW_MESSAGE, _NEW_GROUPS)
    return Parsed(
        sql.not_null(group("pri")),
        (
            ("_time", Typed(iso_time(group("iso")), DATE)),
            *_priority(group("pri")),
            ("host", text(dash_null(group("host")))),
            ("app", text(dash_null(group("app")))),
            ("procid", text(dash_null(group("procid")))),
            ("msgid", text(dash_null(group("msgid")))),
            ("structured_data", text(dash_null(group("structured_data")))),
            ("message", text(group("message"))),
        ),
    )


_COMMON = (
    ParserField("_time", DATE, "time of the message"),
    ParserField("facility", INT, "0 kernel, 1 user, 4 and 10 security, 16 to 23 local"),
    ParserField("severity", INT, "0 emergency to 7 debug"),
    ParserField("host", STRING, "the sender"),
    ParserField("app", STRING, "the program"),
)

register(
    ParserSpec(
        name="syslog3164",
        aliases=("syslog-rfc3164", "syslog"),
        summary=
        ("BSD syslog (RFC 3164), from the network or from files.", "네트워크나 파일에서 온 BSD syslog(RFC 3164) 로그."),
        parse=parse_3164,
        row_wise=True,
        fields=(*_COMMON, ParserField("pid", INT, "process"), ParserField("message", STRING, "the text")),
        samples=(
            # RFC 3164, section 5.4; the row's own time is 2003-10-12.
            Sample(
                "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
                {
                    "_time": "2003-10-11T22:14:15", "facility": 4, "severity": 2, "host": "mymachine", "app": "su",
                    "message": "'su root' failed for lonvick on /dev/pts/8",
                },
            ),
            Sample(
                "Dec 31 23:59:01 web sshd[123]: Connection closed by 192.0.2.1 port 22",
                {
                    "_time": "2002-12-31T23:59:01", "host": "web", "app": "sshd", "pid": 123,
                    "message": "Connection closed by 192.0.2.1 port 22",
                },
            ),
            Sample(
                "2024-05-01T12:00:00.250+09:00 web cron[9]: job done",
                {"_time": "2024-05-01T03:00:00.250", "host": "web", "app": "cron", "pid": 9, "message": "job done"},
            ),
        ),
        extension=True,
    ),
    ParserSpec(
        name="syslog5424",
        aliases=("syslog-rfc5424",),
        summary=("Syslog (RFC 5424).", "RFC 5424 형식의 syslog."),
        parse=parse_5424,
        row_wise=True,
        fields=(
            *_COMMON,
            ParserField("procid", STRING, "process"),
            ParserField("msgid", STRING, "type of the message"),
            ParserField("structured_data", STRING, "the elements in brackets, as written"),
            ParserField("message", STRING, "the text"),
        ),
        samples=(
            # RFC 5424, section 6.5, examples 1, 3 and 4.
            Sample(
                "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - "
                + _BOM + "'su root' failed on /dev/pts/8",
                {
                    "_time": "2003-10-11T22:14:15.003", "facility": 4, "severity": 2, "host": "mymachine.example.com",
                    "app": "su", "msgid": "ID47", "message": "'su root' failed on /dev/pts/8",
                },
            ),
            Sample(
                '<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It\'s time to make the do-nuts.',
                {
                    "_time": "2003-08-24T12:14:15.000003", "facility": 20, "severity": 5, "host": "192.0.2.1",
                    "app": "myproc", "procid": "8710", "message": "%% It's time to make the do-nuts.",
                },
            ),
            Sample(
                "<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 "
                '[ex@32473 iut="3" eventSource="App"][p@32473 class="high"]',
                {
                    "_time": "2003-10-11T22:14:15.003", "facility": 20, "severity": 5, "host": "host",
                    "app": "evntslog", "msgid": "ID47",
                    "structured_data": '[ex@32473 iut="3" eventSource="App"][p@32473 class="high"]',
                },
            ),
        ),
        extension=True,
    ),
)  # fmt: skip
